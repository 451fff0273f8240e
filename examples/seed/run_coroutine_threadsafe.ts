// run_coroutine_threadsafe: a coroutine handed to the loop from outside it.
// Run it: deno run examples/seed/run_coroutine_threadsafe.ts

import * as asyncio from "../../mod.ts";

async function add(a: number, b: number) {
  console.log("4. add: runs on the loop");
  await asyncio.sleep(0.05);
  console.log("5. add: done");
  return a + b;
}

async function main() {
  const loop = asyncio.get_running_loop();
  const finished = new asyncio.Event();

  async function elsewhere() {
    console.log("3. elsewhere: hands a coroutine to the loop");
    const sum = await asyncio.run_coroutine_threadsafe(() => add(1, 2), loop);
    console.log(`6. elsewhere: the sum is ${sum}`);
    loop.call_soon_threadsafe(() => finished.set());
  }

  console.log("1. main: someone who is not on the loop gets to work");
  setTimeout(elsewhere, 50);
  console.log("2. main: waits");
  await finished.wait();
  console.log("7. main: finished");
}

await asyncio.run(main);
