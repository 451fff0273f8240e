/**
 * Plants faults in a copy of the library, one at a time, and looks whether the random programs find each:
 * `deno run -A tests/border/plant.ts --count 20000`. Ends with exit code 1 if one is not found.
 */

import { parseArgs } from "node:util";
import { FAULTS } from "./faults.ts";
import { with_copy, with_fault } from "./planting.ts";

const COPIED = [
  "mod.ts",
  "testing.ts",
  "trace.ts",
  "scripts/command_line.ts",
  "src",
  "tests/border",
  "tests/conformance/random.ts",
];

/** What a run has found: how many programs are broken, and which invariants how often. */
interface Found {
  broken: number;
  invariants: string;
  /** How many programs it takes to find the first one. */
  first: string;
}

async function run_programs(folder: string, enough: number): Promise<Found> {
  const { count, seed, jobs } = values;
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "-A", "--no-check", "--no-config", "--no-lock", `${folder}/tests/border/main.ts`],
      ...[
        "--count",
        count,
        "--seed",
        seed,
        "--enough",
        String(enough),
        "--shrinks",
        "0",
        "--jobs",
        jobs,
      ],
    ],
  }).output();
  const decoder = new TextDecoder();
  const text = decoder.decode(stdout);
  const [, broken] = text.match(/, (\d+) broken/) ?? [];
  if (broken === undefined) throw new Error(text + decoder.decode(stderr));
  return {
    broken: Number(broken),
    invariants: text.match(/^broken: (.*)$/m)?.[1] ?? "",
    first: text.match(/^first: program (.*)$/m)?.[1] ?? "none",
  };
}

const { values } = parseArgs({
  options: {
    count: { type: "string", default: "20000" },
    seed: { type: "string", default: "1" },
    jobs: { type: "string", default: "2" },
    only: { type: "string" },
  },
});
let tried = 0;
let missed = 0;
await with_copy(COPIED, async (folder) => {
  const sound = await run_programs(folder, 1_000_000);
  if (sound.broken > 0) console.log(`without any fault: ${sound.broken}: ${sound.invariants}`);
  for (const fault of FAULTS) {
    const { name } = fault;
    if (values.only !== undefined && !name.includes(values.only)) continue;
    const { broken, invariants, first } = await with_fault(
      folder,
      fault,
      () => run_programs(folder, sound.broken + 10),
    );
    if (invariants.startsWith("crash")) throw new Error(`${name}: the library does not load`);
    const is_found = broken > sound.broken;
    tried++;
    if (!is_found) missed++;
    const how = is_found ? `found by program ${first}` : "NOT FOUND";
    console.log(`${how}: ${name}: ${broken}: ${invariants}`);
  }
});
console.log(`${tried - missed} of ${tried} faults are found`);
Deno.exit(missed > 0 ? 1 : 0);
