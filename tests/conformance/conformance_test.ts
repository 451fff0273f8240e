/** Runs the golden programs and compares their traces with those that CPython gave. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { first_difference } from "./compare.ts";
import { type Golden, read_goldens } from "./goldens.ts";
import { run_program } from "./interpreter.ts";
import { print_difference, print_program } from "./print.ts";
import { generate } from "./generate.ts";
import { PROFILE_NAMES } from "./profiles.ts";
import { type Event, statements_of, type Trace } from "./program.ts";
import { shrink } from "./shrink.ts";

function explain({ seed, program, trace }: Golden, actual: Trace): string {
  return `seed ${seed} differs\n\n${print_program(program)}\n\n${print_difference(trace, actual)}`;
}

for (const profile of PROFILE_NAMES) {
  Deno.test(`golden programs: ${profile}`, async () => {
    for (const golden of await read_goldens(profile)) {
      const actual = await run_program(golden.program);
      if (first_difference(golden.trace, actual) !== null) throw new Error(explain(golden, actual));
    }
  });
}

const TRACE: [Event, Event, Event] = [[0, "t0", 1, "begin"], [1, "t0", 1, "end 5"], [
  1,
  "loop",
  0,
  "stopped None",
]];

Deno.test("a trace is the same as itself", () => {
  assertEquals(first_difference(TRACE, structuredClone(TRACE)), null);
});

Deno.test("every part of an event, its place, and a missing or surplus event are compared", () => {
  const [first, second, third] = TRACE;
  const changed = (event: Event): Trace => [first, event, third];
  assertEquals(first_difference(TRACE, changed([1.5, "t0", 1, "end 5"])), 1);
  assertEquals(first_difference(TRACE, changed([1, "t1", 1, "end 5"])), 1);
  assertEquals(first_difference(TRACE, changed([1, "t0", 2, "end 5"])), 1);
  assertEquals(first_difference(TRACE, changed([1, "t0", 1, "end 6"])), 1);
  assertEquals(first_difference(TRACE, [second, first, third]), 0);
  assertEquals(first_difference(TRACE, [first, second]), 2);
  assertEquals(first_difference([first, second], TRACE), 2);
});

Deno.test("a difference is shown beside what CPython did", () => {
  const report = print_difference(TRACE, [TRACE[0]]);
  assertStringIncludes(report, "> CPython: 1 t0 #1 end 5\n> here:    (no more events)");
});

Deno.test("a program is shrunk to the one statement that matters", async () => {
  const is_cause = ({ do: kind }: { do: string }) => kind === "cancel";
  const program = generate("cancel", 3);
  assertEquals([...statements_of(program)].some(([statement]) => is_cause(statement)), true);
  const smallest = await shrink(
    program,
    (programs) =>
      Promise.resolve(
        programs.map((each) => [...statements_of(each)].some(([statement]) => is_cause(statement))),
      ),
  );
  assertEquals([...statements_of(smallest)].map(([statement]) => statement.do), ["cancel"]);
});

Deno.test("the same seed makes the same program", () => {
  assertEquals(generate("core", 12), generate("core", 12));
});
