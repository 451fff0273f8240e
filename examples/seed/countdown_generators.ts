// Two countdowns as in Python 3.4: a coroutine is a generator that delegates.
// Run it: deno run examples/seed/countdown_generators.ts

import * as asyncio from "../../mod.ts";

const countdown = asyncio.coroutine(function* (number: string, n: number) {
  while (n > 0) {
    console.log(`T-minus ${n} (${number})`);
    yield* asyncio.sleep(1);
    n -= 1;
  }
});

const loop = asyncio.get_event_loop();
const tasks = [
  asyncio.ensure_future(countdown("A", 2)),
  asyncio.ensure_future(countdown("B", 3)),
];
await loop.run_until_complete(asyncio.wait(tasks));
loop.close();
