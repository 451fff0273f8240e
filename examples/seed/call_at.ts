// call_at: callbacks by the loop's clock, so that regular ticks stay regular.
// Run it: deno run examples/seed/call_at.ts

import * as asyncio from "../../mod.ts";

async function main() {
  const loop = asyncio.get_running_loop();
  const start = loop.time();
  const finished = loop.create_future<string>();

  function tick(count: number) {
    console.log(`tick ${count} at ${(loop.time() - start).toFixed(1)}`);
    if (count === 5) {
      finished.set_result("finished");
    } else {
      // Counted from the start, so that late ticks do not add up.
      loop.call_at(start + (count + 1) * 0.1, tick, count + 1);
    }
  }

  const handle = loop.call_at(start + 0.1, tick, 1);
  const due = (handle.when() - start).toFixed(1);
  console.log(`the first tick is due at ${due}`);
  console.log(await finished);
}

await asyncio.run(main);
