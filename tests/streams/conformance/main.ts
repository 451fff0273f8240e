/**
 * Compares `StreamReader` with CPython's on random programs:
 * `deno run -A tests/streams/conformance/main.ts --count 10000 --seed 1`. With `--write-goldens` it records
 * the traces that the tests compare with.
 */

import { loadPyodide } from "pyodide";
import { parseArgs } from "node:util";
import { read_command_line, whole_number } from "../../../scripts/command_line.ts";
import { run_program } from "./interpreter.ts";
import { make_program, type Program } from "./program.ts";
import { GOLDENS, hash_trace } from "./goldens.ts";

const { count, first, write_goldens } = read_command_line("streams", () => {
  const { values } = parseArgs({
    args: Deno.args,
    options: {
      count: { type: "string", default: "1000" },
      seed: { type: "string", default: "1" },
      "write-goldens": { type: "boolean", default: false },
    },
  });
  return {
    count: whole_number("count", values.count),
    first: whole_number("seed", values.seed),
    write_goldens: values["write-goldens"],
  };
});

const python = await loadPyodide();
python.runPython(await Deno.readTextFile(new URL("interpreter.py", import.meta.url)));
const run_programs = python.globals["get"]("run_programs") as (lines: string) => string;

function run_python(programs: readonly Program[]): string[][] {
  return run_programs(programs.map((program) => JSON.stringify(program)).join("\n"))
    .split("\n").map((line) => JSON.parse(line));
}

if (write_goldens) {
  const traces = run_python(Array.from({ length: 1000 }, (_, seed) => make_program(seed)));
  await Deno.writeTextFile(GOLDENS, JSON.stringify(traces.map(hash_trace).join(" ")) + "\n");
  Deno.exit(0);
}

let different = 0;
let is_crash = false;
for (let seed = first; seed < first + count && different < 3 && !is_crash; seed += 500) {
  const seeds = Array.from({ length: Math.min(500, first + count - seed) }, (_, i) => seed + i);
  const programs = seeds.map(make_program);
  const expected = run_python(programs);
  for (const [index, program] of programs.entries()) {
    let actual: string[];
    try {
      actual = await run_program(program, index % 2 === 0);
    } catch (error) {
      console.log(`Seed ${seeds[index]} ends with`, error);
      is_crash = true;
      break;
    }
    if (JSON.stringify(actual) === JSON.stringify(expected[index])) continue;
    different++;
    const at = actual.findIndex((event, i) => event !== expected[index]![i]);
    console.log(`Seed ${seeds[index]}:`, JSON.stringify(program));
    console.log(`  at ${at}:`, expected[index]!.slice(Math.max(at - 3, 0), at + 2));
    console.log("  here:", actual.slice(Math.max(at - 3, 0), at + 2));
  }
}
console.log(`${count} programs, ${different} differ`);
Deno.exit(different > 0 || is_crash ? 1 : 0);
