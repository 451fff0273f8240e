/**
 * Plants faults in a copy of `./structured`, one at a time, and looks whether the random programs find each:
 * `deno run -A tests/structured/plant.ts`. Ends with exit code 1 if one is not found.
 */

import { parseArgs } from "node:util";
import { with_copy, with_fault } from "../border/planting.ts";
import { FAULTS } from "./faults.ts";

const CONFIG = new URL("../../deno.json", import.meta.url);
const COPIED = [
  "mod.ts",
  "structured.ts",
  "testing.ts",
  "src",
  "tests/property",
  "tests/structured",
  "tests/virtual_time.ts",
];

/** Runs the programs of the primitive that a fault is of, or all; returns the first line that says what is wrong. */
async function find(folder: string, primitive: string, programs: string): Promise<string | null> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...["test", "-A", "--no-check", "--no-lock", "--filter", primitive, "--fail-fast"],
      `${folder}/tests/structured/property_test.ts`,
    ],
    env: { NO_COLOR: "1", PROGRAMS: programs },
    cwd: folder,
  }).output();
  if (success) return null;
  const text = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
  const [, cause] = text.match(/^Caused by: (.*)$/m) ?? [];
  if (cause === undefined) throw new Error(text);
  return cause;
}

const { values } = parseArgs({
  options: { programs: { type: "string", default: "1" }, only: { type: "string", default: "" } },
});
let missed = 0;
await with_copy(COPIED, async (folder) => {
  const { imports } = JSON.parse(await Deno.readTextFile(CONFIG));
  await Deno.writeTextFile(`${folder}/deno.json`, JSON.stringify({ imports }));
  for (const fault of FAULTS) {
    const { name } = fault;
    if (!name.includes(values.only)) continue;
    const primitive = name.startsWith("open_channel")
      ? "channel"
      : name.slice(0, name.indexOf(":"));
    const found = await with_fault(folder, fault, () => find(folder, primitive, values.programs));
    if (found === null) missed++;
    console.log(found === null ? `NOT FOUND: ${name}` : `found: ${name}: ${found.slice(0, 160)}`);
  }
});
console.log(missed === 0 ? "all faults are found" : `${missed} faults are not found`);
Deno.exit(missed === 0 ? 0 : 1);
