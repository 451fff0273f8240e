// Python's `yield from` is `yield*`: one generator hands over to another.
// Run it: deno run examples/seed/yield_from.ts

/** The whole numbers from 0 to `up_to`, exclusive. */
function* lazy_range(up_to: number) {
  let index = 0;

  function* gratuitous_refactor() {
    while (index < up_to) {
      yield index;
      index += 1;
    }
  }

  yield* gratuitous_refactor();
}

for (const x of lazy_range(3)) {
  console.log(`${x}`);
}
