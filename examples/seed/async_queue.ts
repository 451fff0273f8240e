// A queue between producers and consumers, who need not know of each other.
// Run it: deno run examples/seed/async_queue.ts [-p PRODUCERS] [-c CONSUMERS] [--seed N]

import { parseArgs } from "node:util";
import * as asyncio from "../../mod.ts";
import { parsed, whole_number } from "./support/command_line.ts";
import { SeededRandom } from "./support/seeded_random.ts";

/** What goes through the queue: an item, and when it was added. */
type Entry = [item: string, added: number];

function make_item(random: SeededRandom) {
  const bytes = Array.from({ length: 5 }, () => random.randint(0, 255));
  return bytes.map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function pause(caller: string, random: SeededRandom) {
  const delay = random.randint(0, 5) / 10;
  console.log(`${caller} sleeping for ${delay.toFixed(1)} seconds.`);
  await asyncio.sleep(delay);
}

async function produce(
  name: number,
  queue: asyncio.Queue<Entry>,
  random: SeededRandom,
) {
  const loop = asyncio.get_running_loop();
  for (let left = random.randint(1, 4); left > 0; left--) {
    await pause(`Producer ${name}`, random);
    const item = make_item(random);
    await queue.put([item, loop.time()]);
    console.log(`Producer ${name} added <${item}> to queue.`);
  }
}

async function consume(
  name: number,
  queue: asyncio.Queue<Entry>,
  random: SeededRandom,
) {
  const loop = asyncio.get_running_loop();
  while (true) {
    await pause(`Consumer ${name}`, random);
    const [item, added] = await queue.get();
    const waited = (loop.time() - added).toFixed(2);
    const text = `got element <${item}> in ${waited} seconds.`;
    console.log(`Consumer ${name} ${text}`);
    queue.task_done();
  }
}

async function main(nprod: number, ncon: number, random: SeededRandom) {
  const loop = asyncio.get_running_loop();
  const start = loop.time();
  const queue = new asyncio.Queue<Entry>();
  const producers = Array.from(
    { length: nprod },
    (_, n) => asyncio.create_task(() => produce(n, queue, random)),
  );
  const consumers = Array.from(
    { length: ncon },
    (_, n) => asyncio.create_task(() => consume(n, queue, random)),
  );
  await asyncio.gather(producers);
  await queue.join(); // Implicitly awaits consumers, too
  for (const consumer of consumers) consumer.cancel();
  const elapsed = (loop.time() - start).toFixed(2);
  console.log(`Program completed in ${elapsed} seconds.`);
}

const { nprod, ncon, seed } = parsed(() => {
  const { values } = parseArgs({
    options: {
      nprod: { type: "string", short: "p", default: "2" },
      ncon: { type: "string", short: "c", default: "3" },
      seed: { type: "string", short: "s", default: "444" },
    },
  });
  return {
    nprod: whole_number("--nprod", values.nprod, 1),
    ncon: whole_number("--ncon", values.ncon, 1),
    seed: whole_number("--seed", values.seed),
  };
});
await asyncio.run(() => main(nprod, ncon, new SeededRandom(seed)));
