// call_soon_threadsafe: work from outside the loop wakes it up.
// Run it: deno run examples/seed/call_soon_threadsafe.ts

import * as asyncio from "../../mod.ts";

async function main() {
  const loop = asyncio.get_running_loop();
  const answer = loop.create_future<number>();

  function elsewhere() {
    console.log("3. elsewhere: the answer is handed over");
    loop.call_soon_threadsafe(() => answer.set_result(42));
  }

  console.log("1. main: someone who is not on the loop gets to work");
  setTimeout(elsewhere, 50);
  console.log("2. main: waits, with nothing else to do");
  console.log(`4. main: the answer is ${await answer}`);
}

await asyncio.run(main);
