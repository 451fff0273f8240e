// Values travel up and down a stack of generators: await came from here.
// Run it: deno run examples/seed/bottom_middle_top.ts

function* bottom(): Generator<number, number, number> {
  // What is sent in comes out of the yield, and is returned to the caller.
  return yield 42;
}

function* middle() {
  return yield* bottom();
}

function* top() {
  return yield* middle();
}

const gen = top();
const { value } = gen.next();
console.log(`${value}`);
// Python ends with a StopIteration that holds the result; here it is a value.
const last = gen.next(value * 2);
console.log(`${last.value}`);
