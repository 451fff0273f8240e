// A TaskGroup: its tasks end before its block does, and one that fails ends the others.
import * as asyncio from "@pythonic/asyncio";

async function fetch_page(name: string, delay: number) {
  await asyncio.sleep(delay);
  if (name === "broken") throw new Error(`no answer from ${name}`);
  return `${name} after ${delay} s`;
}

async function main() {
  await asyncio.async_with(new asyncio.TaskGroup(), async (group) => {
    const pages = ["quick", "slow"].map((name, index) =>
      group.create_task(() => fetch_page(name, index + 1), { name })
    );
    await asyncio.wait(pages);
    for (const page of pages) console.log(page.result());
  });
  try {
    await asyncio.async_with(new asyncio.TaskGroup(), async (group) => {
      group.create_task(() => fetch_page("broken", 1), { name: "broken" });
      group.create_task(() => fetch_page("cancelled", 60), { name: "cancelled" });
      await asyncio.sleep(2);
      console.log("never printed: the block is cancelled, too");
    });
  } catch (error) {
    if (!(error instanceof asyncio.ExceptionGroup)) throw error;
    console.log(error.message, error.exceptions.map(String));
  }
}

await asyncio.run(main);
