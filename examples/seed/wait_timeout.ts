// wait can stop waiting, and says who is not done; gather waits for all.
// Run it: deno run examples/seed/wait_timeout.ts

import * as asyncio from "../../mod.ts";

async function num(n: number) {
  try {
    await asyncio.sleep(n * 0.1);
    return n;
  } catch (error) {
    if (error instanceof asyncio.CancelledError) {
      console.log(`数字${n}被取消`);
    }
    throw error;
  }
}

async function main() {
  const numbers = Array.from({ length: 10 }, (_, n) => () => num(n));

  const tasks = numbers.map((number) => asyncio.create_task(number));
  const [complete, pending] = await asyncio.wait(tasks, { timeout: 0.5 });
  for (const i of complete) {
    console.log(`当前数字 ${i.result()}`);
  }
  if (pending.size > 0) {
    console.log("取消未完成的任务");
    for (const p of pending) p.cancel();
  }

  // gather has no timeout: it waits for the slowest, and keeps the order.
  const results = await asyncio.gather(numbers);
  console.log(`gather [${results.join(", ")}]`);
}

await asyncio.run(main);
