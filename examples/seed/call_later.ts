// call_later: callbacks run when they are due, whoever asked first.
// Run it: deno run examples/seed/call_later.ts

import * as asyncio from "../../mod.ts";

async function main() {
  const loop = asyncio.get_running_loop();
  const start = loop.time();

  function show(text: string) {
    console.log(`${(loop.time() - start).toFixed(1)} ${text}`);
  }

  loop.call_later(0.3, show, "asked for first, 0.3 seconds ahead");
  loop.call_later(0.1, show, "asked for second, 0.1 seconds ahead");
  loop.call_later(0.2, show, "asked for third, 0.2 seconds ahead");
  loop.call_later(0.25, show, "never: this one is cancelled").cancel();
  loop.call_soon(show, "call_soon does not wait");
  show("main has asked for all of them");
  await asyncio.sleep(0.4);
  show("main is back");
}

await asyncio.run(main);
