// A generator pauses at each yield until the next value is wanted.
// Run it: deno run examples/seed/lazy_range.ts

/** The whole numbers from 0 to `up_to`, exclusive. */
function* lazy_range(up_to: number) {
  let index = 0;
  while (index < up_to) {
    yield index;
    index += 1;
  }
}

const iterator = lazy_range(2);
console.log(`${iterator.next().value}`);
console.log(`${iterator.next().value}`);

for (const x of lazy_range(2)) {
  console.log(`${x}`);
}
