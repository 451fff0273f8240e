/** Generates, runs and judges programs of a range, and makes the broken ones smaller. */

import type { Case } from "./cases.ts";
import { generate } from "./generate.ts";
import { type Run, run_program } from "./interpreter.ts";
import { judge } from "./oracle.ts";
import { print_program } from "./print.ts";
import type { Program } from "./program.ts";
import type { Violation } from "./records.ts";
import { shrink } from "./shrink.ts";
import process from "node:process";

/** A program that breaks an invariant. */
export interface Broken extends Case {
  violations: Violation[];
  program: Program;
}

const unhandled: unknown[] = [];
process.on("unhandledRejection", (error) => void unhandled.push(error));
const said: string[] = [];
console.error = console.warn = (...words: unknown[]) => {
  const text = words.map(String).join(" ");
  // What debug mode has to say of programs that swallow a cancellation, which some do on purpose.
  if (!text.includes("was cancelled and returned all the same")) said.push(text);
};

/** Runs a program; gives what it breaks, nothing if all is well. */
export async function violations_of(program: Program): Promise<Violation[]> {
  return (await run_and_judge(program, false)).violations;
}

async function run_and_judge(
  program: Program,
  traces: boolean,
): Promise<{ run: Run; violations: Violation[] }> {
  unhandled.length = said.length = 0;
  const run = await run_program(program, traces);
  let violations: Violation[];
  try {
    violations = judge(run);
  } catch (error) {
    violations = [{ invariant: "crash", detail: String((error as Error).stack) }];
  }
  for (const error of unhandled) {
    violations.push({ invariant: "unhandled rejection", detail: String(error) });
  }
  for (const text of said) violations.push({ invariant: "said", detail: text });
  return { run, violations };
}

/** Runs the program of a case. */
export async function check({ profile, seed }: Case): Promise<Broken | null> {
  const program = generate(profile, seed);
  const violations = await violations_of(program);
  return violations.length === 0 ? null : { profile, seed, violations, program };
}

/** The smallest program found that breaks the same invariant as the first that this one breaks. */
export async function make_smaller({ program, violations }: Broken): Promise<Program> {
  const invariant = violations[0]?.invariant;
  return await shrink(
    program,
    async (smaller) =>
      (await violations_of(smaller)).some((violation) => violation.invariant === invariant),
  );
}

/** The program, what happens in it and what it breaks, as text. */
export async function explain(program: Program): Promise<string> {
  const { run, violations } = await run_and_judge(program, true);
  const broken = violations.map(({ invariant, detail }) => `  ${invariant}: ${detail}`);
  return [
    print_program(program),
    "",
    ...run.lines,
    "",
    violations.length === 0 ? "nothing broken" : "broken:",
    ...new Set(broken),
  ].join("\n");
}
