/** Runs the golden programs and compares their traces with those that CPython gave. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { firstDifference } from "./compare.ts";
import { type Golden, readGoldens } from "./goldens.ts";
import { runProgram } from "./interpreter.ts";
import { printDifference, printProgram } from "./print.ts";
import { generate } from "./generate.ts";
import { PROFILE_NAMES } from "./profiles.ts";
import { type Event, statementsOf, type Trace } from "./program.ts";
import { shrink } from "./shrink.ts";

function explain({ seed, program, trace }: Golden, actual: Trace): string {
  return `seed ${seed} differs\n\n${printProgram(program)}\n\n${printDifference(trace, actual)}`;
}

for (const profile of PROFILE_NAMES) {
  Deno.test(`golden programs: ${profile}`, async () => {
    for (const golden of await readGoldens(profile)) {
      const actual = await runProgram(golden.program);
      if (firstDifference(golden.trace, actual) !== null) throw new Error(explain(golden, actual));
    }
  });
}

const TRACE: Trace = [[0, "t0", 1, "begin"], [1, "t0", 1, "end 5"], [1, "loop", 0, "stopped None"]];

Deno.test("a trace is the same as itself", () => {
  assertEquals(firstDifference(TRACE, structuredClone(TRACE)), null);
});

Deno.test("every part of an event, its place, and a missing or surplus event are compared", () => {
  const [first, second, third] = TRACE;
  const changed = (event: Event): Trace => [first, event, third];
  assertEquals(firstDifference(TRACE, changed([1.5, "t0", 1, "end 5"])), 1);
  assertEquals(firstDifference(TRACE, changed([1, "t1", 1, "end 5"])), 1);
  assertEquals(firstDifference(TRACE, changed([1, "t0", 2, "end 5"])), 1);
  assertEquals(firstDifference(TRACE, changed([1, "t0", 1, "end 6"])), 1);
  assertEquals(firstDifference(TRACE, [second, first, third]), 0);
  assertEquals(firstDifference(TRACE, [first, second]), 2);
  assertEquals(firstDifference([first, second], TRACE), 2);
});

Deno.test("a difference is shown beside what CPython did", () => {
  const report = printDifference(TRACE, [TRACE[0]]);
  assertStringIncludes(report, "> CPython: 1 t0 #1 end 5\n> here:    (no more events)");
});

Deno.test("a program is shrunk to the one statement that matters", async () => {
  const isCause = ({ do: kind }: { do: string }) => kind === "cancel";
  const program = generate("cancel", 3);
  assertEquals([...statementsOf(program)].some(([statement]) => isCause(statement)), true);
  const smallest = await shrink(
    program,
    (programs) =>
      Promise.resolve(
        programs.map((each) => [...statementsOf(each)].some(([statement]) => isCause(statement))),
      ),
  );
  assertEquals([...statementsOf(smallest)].map(([statement]) => statement.do), ["cancel"]);
});

Deno.test("the same seed makes the same program", () => {
  assertEquals(generate("core", 12), generate("core", 12));
});
