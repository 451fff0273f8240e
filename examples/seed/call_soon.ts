// call_soon: callbacks run in turn, in the next round of the loop.
// Run it: deno run examples/seed/call_soon.ts

import * as asyncio from "../../mod.ts";

function outer(loop: asyncio.AbstractEventLoop) {
  console.log("3. outer runs in the order of the calls, and asks for inner");
  loop.call_soon(console.log, "6. inner had to wait for the next round");
}

async function main() {
  const loop = asyncio.get_running_loop();
  console.log("1. main asks for three callbacks");
  loop.call_soon(outer, loop);
  const handle = loop.call_soon(console.log, "never: this one is cancelled");
  loop.call_soon(console.log, "4. the last of the three");
  handle.cancel();
  console.log("2. main goes on: nothing runs before it pauses");
  await asyncio.sleep(0);
  console.log("5. main is back after one round");
  await asyncio.sleep(0);
  console.log("7. main is back after two");
}

await asyncio.run(main);
