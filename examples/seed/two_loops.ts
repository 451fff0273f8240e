// One program on both loops: the same order, in 0.3 seconds and in no time.
// Run it: deno run examples/seed/two_loops.ts

import * as asyncio from "../../mod.ts";
import { VirtualClockEventLoop } from "../../testing.ts";

async function work(name: string, delay: number) {
  const loop = asyncio.get_running_loop();
  const start = loop.time();
  loop.call_soon(console.log, `  ${name}: a callback`);
  console.log(`  ${name}: starts`);
  await asyncio.sleep(delay);
  const elapsed = (loop.time() - start).toFixed(1);
  console.log(`  ${name}: ends after ${elapsed} seconds`);
}

async function main() {
  await asyncio.gather(
    () => work("A", 0.3),
    () => work("B", 0.1),
    () => work("C", 0.2),
  );
}

for (const Loop of [asyncio.EventLoop, VirtualClockEventLoop]) {
  console.log(Loop.name);
  await asyncio.run(main, { loop_factory: () => new Loop() });
}
