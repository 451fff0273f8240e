// A Semaphore: of six downloads only two run at the same time, in the order in which they came.
import * as asyncio from "@pythonic/asyncio";

const limit = new asyncio.Semaphore(2);

async function download(number: number) {
  await asyncio.async_with(limit, async () => {
    console.log(`${asyncio.get_running_loop().time()} s: download ${number} begins`);
    await asyncio.sleep(number % 2 === 0 ? 2 : 1);
  });
}

async function main() {
  await asyncio.async_with(new asyncio.TaskGroup(), async (group) => {
    for (let number = 1; number <= 6; number++) {
      group.create_task(() => download(number), { name: `download ${number}` });
    }
    await asyncio.sleep(0.5);
    console.log(`0.5 s: ${limit}`);
  });
  console.log(`${asyncio.get_running_loop().time()} s: all are here`);
}

await asyncio.run(main);
