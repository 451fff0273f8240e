// cancel(): a CancelledError is thrown where the task waits; it cleans up and is done.
import * as asyncio from "@pythonic/asyncio";

async function worker() {
  try {
    for (let number = 1;; number++) {
      console.log(`piece ${number}`);
      await asyncio.sleep(1);
    }
  } catch (error) {
    if (!(error instanceof asyncio.CancelledError)) throw error;
    console.log(`cancelled: ${error.message}`);
    throw error;
  } finally {
    await asyncio.sleep(0.5);
    console.log("tidied up");
  }
}

async function main() {
  const task = asyncio.create_task(worker, { name: "worker" });
  await asyncio.sleep(2.5);
  task.cancel("that is enough");
  await asyncio.wait([task]);
  console.log(`${task}`);
}

await asyncio.run(main);
