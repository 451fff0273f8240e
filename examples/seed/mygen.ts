// An async generator, taken by a comprehension and by a filtered one.
// Run it: deno run examples/seed/mygen.ts

import * as asyncio from "../../mod.ts";

/** Powers of 2. */
async function* mygen(u = 10) {
  let i = 0;
  while (i < u) {
    yield 2 ** i;
    i += 1;
    await asyncio.sleep(0.1);
  }
}

async function main() {
  // This does *not* introduce concurrent execution
  // It is meant to show syntax only
  const g = await Array.fromAsync(mygen());
  const f: number[] = [];
  for await (const j of mygen()) {
    if (Math.floor(j / 3) % 5 === 0) f.push(j);
  }
  return [g, f] as const;
}

const [g, f] = await asyncio.run(main);
console.log(`[${g.join(", ")}]`);
console.log(`[${f.join(", ")}]`);
