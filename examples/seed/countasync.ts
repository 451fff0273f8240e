// Three counts at once take as long as one.
// Run it: deno run examples/seed/countasync.ts

import { performance } from "node:perf_hooks";
import * as asyncio from "../../mod.ts";

async function count() {
  console.log("One");
  await asyncio.sleep(1);
  console.log("Two");
}

async function main() {
  await asyncio.gather(count, count, count);
}

const start = performance.now();
await asyncio.run(main);
const elapsed = (performance.now() - start) / 1000;
console.log(`countasync executed in ${elapsed.toFixed(2)} seconds.`);
