// create_task starts a coroutine beside the one that calls it.
// Run it: deno run examples/seed/create_task.ts

import * as asyncio from "../../mod.ts";

/** 'IO' wait time is proportional to the max element. */
async function coro(seq: number[]) {
  await asyncio.sleep(Math.max(...seq));
  return seq.toReversed();
}

async function main() {
  // This is a bit redundant in the case of one task
  // We could use `await coro([3, 2, 1])` on its own
  const t = asyncio.create_task(() => coro([3, 2, 1]));
  await t;
  console.log(`t: type ${t.constructor.name}`);
  console.log(`t done: ${t.done()}`);
  return t.result();
}

const t = await asyncio.run(main);
console.log(`[${t.join(", ")}]`);
