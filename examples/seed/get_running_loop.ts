// get_running_loop: the loop that runs the caller, else an error.
// Run it: deno run examples/seed/get_running_loop.ts

import * as asyncio from "../../mod.ts";

function ask(where: string) {
  try {
    const loop = asyncio.get_running_loop();
    console.log(`${where}: a loop, running: ${loop.is_running()}`);
    return loop;
  } catch (error) {
    if (!(error instanceof asyncio.RuntimeError)) throw error;
    console.log(`${where}: ${error.message}`);
  }
}

async function nested() {
  return await ask("3. in a coroutine it awaits");
}

async function nested_task() {
  return await ask("4. in a task of its own");
}

async function main() {
  const loop = asyncio.get_running_loop();
  ask("2. in main");
  console.log(`   the same one: ${await nested() === loop}`);
  const task = asyncio.create_task(nested_task);
  console.log(`   the same one: ${await task === loop}`);
  loop.call_soon(ask, "5. in a callback");
  await asyncio.sleep(0);
  return loop;
}

ask("1. before run");
const loop = await asyncio.run(main);
ask("6. after run");
console.log(`   the loop is closed: ${loop.is_closed()}`);
