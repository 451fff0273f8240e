// The same two countdowns as in Python 3.5, with async and await.
// Run it: deno run examples/seed/countdown_async.ts

import * as asyncio from "../../mod.ts";

async function countdown(number: string, n: number) {
  while (n > 0) {
    console.log(`T-minus ${n} (${number})`);
    await asyncio.sleep(1);
    n -= 1;
  }
}

const loop = asyncio.new_event_loop();
const tasks = [
  loop.create_task(() => countdown("A", 2)),
  loop.create_task(() => countdown("B", 3)),
];
await loop.run_until_complete(asyncio.wait(tasks));
loop.close();
