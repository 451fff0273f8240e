// Three makers of random numbers, each in its colour, retry side by side.
// Run it: deno run examples/seed/rand.ts

import * as asyncio from "../../mod.ts";
import { SeededRandom } from "./support/seeded_random.ts";

// ANSI colors
const c = [
  "\x1b[0m", // End of color
  "\x1b[36m", // Cyan
  "\x1b[91m", // Red
  "\x1b[35m", // Magenta
];

const random = new SeededRandom(37);

async function makerandom(idx: number, threshold = 6) {
  console.log(`${c[idx + 1]}Initiated makerandom(${idx}).`);
  let i = random.randint(0, 10);
  while (i <= threshold) {
    console.log(`${c[idx + 1]}makerandom(${idx}) == ${i} too low; retrying.`);
    await asyncio.sleep(idx + 1);
    i = random.randint(0, 10);
  }
  const finished = `---> Finished: makerandom(${idx}) == ${i}`;
  console.log(`${c[idx + 1]}${finished}${c[0]}`);
  return i;
}

async function main() {
  const makers = [0, 1, 2].map((i) => () => makerandom(i, 10 - i - 1));
  return await asyncio.gather(makers);
}

const [r1, r2, r3] = await asyncio.run(main);
console.log();
console.log(`r1: ${r1}, r2: ${r2}, r3: ${r3}`);
