// Each chain awaits its parts one by one, while the chains run at once.
// Run it: deno run examples/seed/chained.ts [--seed N] [NUMBER ...]

import { parseArgs } from "node:util";
import * as asyncio from "../../mod.ts";
import { parsed, whole_number } from "./support/command_line.ts";
import { SeededRandom } from "./support/seeded_random.ts";

async function pause(step: string, random: SeededRandom) {
  const delay = random.randint(0, 10) / 10;
  console.log(`${step} sleeping for ${delay.toFixed(1)} seconds.`);
  await asyncio.sleep(delay);
}

async function part1(n: number, random: SeededRandom) {
  await pause(`part1(${n})`, random);
  const result = `result${n}-1`;
  console.log(`Returning part1(${n}) == ${result}.`);
  return result;
}

async function part2(n: number, arg: string, random: SeededRandom) {
  await pause(`part2(${n}, ${arg})`, random);
  const result = `result${n}-2 derived from ${arg}`;
  console.log(`Returning part2(${n}, ${arg}) == ${result}.`);
  return result;
}

async function chain(n: number, random: SeededRandom) {
  const loop = asyncio.get_running_loop();
  const start = loop.time();
  const result = await part2(n, await part1(n, random), random);
  const took = (loop.time() - start).toFixed(2);
  console.log(`--> Chained result${n} => ${result} (took ${took} seconds).`);
}

async function main(numbers: number[], random: SeededRandom) {
  const loop = asyncio.get_running_loop();
  const start = loop.time();
  await asyncio.gather(numbers.map((n) => () => chain(n, random)));
  const elapsed = (loop.time() - start).toFixed(2);
  console.log(`Program finished in ${elapsed} seconds.`);
}

const { numbers, seed } = parsed(() => {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: { seed: { type: "string", short: "s", default: "444" } },
  });
  return {
    numbers: positionals.map((text) => whole_number("NUMBER", text)),
    seed: whole_number("--seed", values.seed),
  };
});
const chosen = numbers.length > 0 ? numbers : [1, 2, 3];
await asyncio.run(() => main(chosen, new SeededRandom(seed)));
