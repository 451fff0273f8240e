// A value sent into a generator comes out of its yield, here as a jump.
// Run it: deno run examples/seed/jumping_range.ts

/** The numbers from 0 to `up_to`; a number sent in is how far to jump. */
function* jumping_range(
  up_to: number,
): Generator<number, void, number | void> {
  let index = 0;
  while (index < up_to) {
    const jump = yield index;
    index += jump ?? 1;
  }
}

const iterator = jumping_range(5);
console.log(`${iterator.next().value}`);
console.log(`${iterator.next(2).value}`);
console.log(`${iterator.next().value}`);
console.log(`${iterator.next(-1).value}`);
for (const x of iterator) {
  console.log(`${x}`);
}
