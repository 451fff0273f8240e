// from_promise(): native work, such as fetch, becomes a part of its task and is stopped with it.
import * as asyncio from "@pythonic/asyncio";

/** As fetch: a promise that its signal rejects. */
function request(name: string, signal: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    if (name === "quick") resolve(`the answer of ${name}`);
    signal.addEventListener("abort", () => {
      console.log(`the request of ${name} is aborted`);
      reject(signal.reason);
    });
  });
}

async function load(name: string) {
  try {
    console.log(await asyncio.from_promise((signal) => request(name, signal)));
  } catch (error) {
    console.log(`${name}: ${(error as Error).name}`);
    throw error;
  }
}

async function main() {
  const tasks = ["quick", "endless"].map((name) =>
    asyncio.create_task(() => load(name), { name: `load ${name}` })
  );
  const [, pending] = await asyncio.wait(tasks, { timeout: 5 });
  for (const task of pending) task.cancel();
  await asyncio.wait(tasks);
  console.log(tasks.map(String));
}

await asyncio.run(main);
