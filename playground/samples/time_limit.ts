// timeout(): a block of code that is cancelled when its time is over.
import * as asyncio from "@pythonic/asyncio";

async function answer(delay: number) {
  try {
    return await asyncio.sleep(delay, `an answer after ${delay} s`);
  } finally {
    console.log(`asked for ${delay} s: finally`);
  }
}

async function ask(delay: number) {
  try {
    console.log(await asyncio.async_with(asyncio.timeout(3), () => answer(delay)));
  } catch (error) {
    if (!(error instanceof asyncio.TimeoutError)) throw error;
    console.log(error.message);
  }
}

async function main() {
  const tasks = [1, 5].map((delay) =>
    asyncio.create_task(() => ask(delay), { name: `ask for ${delay} s` })
  );
  await asyncio.gather(tasks);
}

await asyncio.run(main);
