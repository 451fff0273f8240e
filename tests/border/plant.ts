/**
 * Plants faults in a copy of the library, one at a time, and looks whether the random programs find each:
 * `deno run -A tests/border/plant.ts --count 20000`. Ends with exit code 1 if one is not found.
 */

import { parseArgs } from "node:util";
import { FAULTS } from "./faults.ts";

const ROOT = new URL("../..", import.meta.url).pathname;
const COPIED = [
  "mod.ts",
  "testing.ts",
  "trace.ts",
  "src",
  "tests/border",
  "tests/conformance/random.ts",
];

async function copy(from: string, to: string): Promise<void> {
  if ((await Deno.stat(from)).isFile) return await Deno.copyFile(from, to);
  await Deno.mkdir(to, { recursive: true });
  for await (const { name } of Deno.readDir(from)) await copy(`${from}/${name}`, `${to}/${name}`);
}

/** What a run has found: how many programs are broken, and which invariants how often. */
interface Found {
  broken: number;
  invariants: string;
}

async function run_programs(
  folder: string,
  count: string,
  seed: string,
  enough: number,
): Promise<Found> {
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "-A", "--no-check", "--no-config", "--no-lock", `${folder}/tests/border/main.ts`],
      ...["--count", count, "--seed", seed, "--enough", String(enough), "--shrinks", "0"],
    ],
  }).output();
  const decoder = new TextDecoder();
  const text = decoder.decode(stdout);
  const [, broken] = text.match(/, (\d+) broken/) ?? [];
  if (broken === undefined) throw new Error(text + decoder.decode(stderr));
  return { broken: Number(broken), invariants: text.match(/^broken: (.*)$/m)?.[1] ?? "" };
}

const { values } = parseArgs({
  options: {
    count: { type: "string", default: "20000" },
    seed: { type: "string", default: "1" },
    only: { type: "string" },
  },
});
const folder = await Deno.makeTempDir({ prefix: "border_" });
let tried = 0;
let missed = 0;
try {
  await Deno.mkdir(`${folder}/tests/conformance`, { recursive: true });
  for (const path of COPIED) await copy(ROOT + path, `${folder}/${path}`);
  const sound = await run_programs(folder, values.count, values.seed, 1_000_000);
  if (sound.broken > 0) console.log(`without any fault: ${sound.broken}: ${sound.invariants}`);
  for (const { name, file, search, replacement } of FAULTS) {
    if (values.only !== undefined && !name.includes(values.only)) continue;
    const path = `${folder}/${file}`;
    const text = await Deno.readTextFile(path);
    if (text.split(search).length !== 2) throw new Error(`${name}: not once in ${file}: ${search}`);
    await Deno.writeTextFile(path, text.replace(search, () => replacement));
    const { broken, invariants } = await run_programs(
      folder,
      values.count,
      values.seed,
      sound.broken + 10,
    );
    if (invariants.startsWith("crash")) throw new Error(`${name}: the library does not load`);
    const is_found = broken > sound.broken;
    tried++;
    if (!is_found) missed++;
    console.log(`${is_found ? "found" : "NOT FOUND"}: ${name}: ${broken}: ${invariants}`);
    await Deno.writeTextFile(path, text);
  }
} finally {
  await Deno.remove(folder, { recursive: true });
}
console.log(`${tried - missed} of ${tried} faults are found`);
Deno.exit(missed > 0 ? 1 : 0);
