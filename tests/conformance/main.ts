/**
 * Compares this library with CPython on fresh random programs.
 *
 * `deno task conformance --count 20000 --seed 7` runs that many programs over all profiles, `--profile`
 * of one profile alone; `--write-goldens` makes their golden files anew instead. Ends with exit code 1
 * and the smallest program found when the traces of a program differ.
 */

import { parseArgs } from "node:util";
import { firstDifference } from "./compare.ts";
import { Coverage } from "./coverage.ts";
import { generate } from "./generate.ts";
import { writeGoldens } from "./goldens.ts";
import { runProgram } from "./interpreter.ts";
import { printDifference, printProgram } from "./print.ts";
import { PROFILE_NAMES, type ProfileName } from "./profiles.ts";
import { type Program, statementsOf } from "./program.ts";
import { Python } from "./python.ts";
import { Random } from "./random.ts";
import { shrink } from "./shrink.ts";

/** How many programs CPython is given at once. */
const BATCH = 250;

/** After so many differences there is nothing to learn from more of them. */
const ENOUGH = 50;

interface Options {
  count: number;
  seed: number;
  profiles: readonly ProfileName[];
  writeGoldens: boolean;
}

interface Case {
  profile: ProfileName;
  seed: number;
  program: Program;
}

class UsageError extends Error {}

function wholeNumber(name: string, text: string): number {
  if (/^\d+$/.test(text) && Number.isSafeInteger(Number(text))) return Number(text);
  throw new UsageError(`--${name} takes a whole number: received '${text}'`);
}

function readOptions(args: string[]): Options {
  try {
    const { values } = parseArgs({
      args,
      options: {
        count: { type: "string", default: "20000" },
        seed: { type: "string", default: "1" },
        profile: { type: "string" },
        "write-goldens": { type: "boolean", default: false },
      },
    });
    const profiles = PROFILE_NAMES.filter((name) => name === (values.profile ?? name));
    if (profiles.length === 0) {
      throw new UsageError(
        `--profile takes one of ${PROFILE_NAMES.join(", ")}: received '${values.profile}'`,
      );
    }
    return {
      count: wholeNumber("count", values.count),
      seed: wholeNumber("seed", values.seed),
      profiles,
      writeGoldens: values["write-goldens"],
    };
  } catch (error) {
    if (error instanceof UsageError || error instanceof TypeError) {
      console.error(`conformance: ${error.message.split("\n")[0]}`);
      Deno.exit(2);
    }
    throw error;
  }
}

function* cases({ count, seed, profiles }: Options): Generator<Case> {
  const random = new Random(seed);
  for (let index = 0; index < count; index++) {
    const profile = profiles[index % profiles.length];
    const own = random.next();
    yield { profile, seed: own, program: generate(profile, own) };
  }
}

function* batches<T>(items: Iterable<T>, size: number): Generator<T[]> {
  let batch: T[] = [];
  for (const item of items) {
    batch.push(item);
    if (batch.length < size) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

/** Shows how far the run is: on a terminal in one line that changes, elsewhere now and then. */
function progress(done: number, count: number, differ: number): void {
  const text = `${done} of ${count} programs, ${differ} differ`;
  if (Deno.stdout.isTerminal()) {
    Deno.stdout.writeSync(new TextEncoder().encode(`\r${text}`));
    if (done === count) console.log();
  } else if (done === count || done % (BATCH * 20) === 0) {
    console.log(text);
  }
}

async function compareAll(
  options: Options,
  python: Python,
  coverage: Coverage,
): Promise<{ done: number; different: Case[] }> {
  const different: Case[] = [];
  let done = 0;
  const todo = batches(cases(options), BATCH);
  const ask = (batch: Case[]) => python.run(batch.map(({ program }) => program));
  // CPython works at the next batch while this thread works at this one.
  let next = todo.next();
  let answer = next.done ? null : ask(next.value);
  while (!next.done && answer !== null && different.length < ENOUGH) {
    const batch = next.value;
    const expected = answer;
    next = todo.next();
    const actual = batch.map(({ program }) => program);
    answer = next.done ? null : ask(next.value);
    for (const [index, program] of actual.entries()) {
      const trace = await runProgram(program);
      const reference = (await expected)[index];
      coverage.add(program, reference);
      if (firstDifference(reference, trace) !== null) different.push(batch[index]);
    }
    done += batch.length;
    progress(done, options.count, different.length);
  }
  return { done, different };
}

async function differs(programs: Program[], python: Python): Promise<boolean[]> {
  const expected = await python.run(programs);
  const found: boolean[] = [];
  for (const [index, program] of programs.entries()) {
    found.push(firstDifference(expected[index], await runProgram(program)) !== null);
  }
  return found;
}

async function report(different: Case[], python: Python): Promise<void> {
  const size = ({ program }: Case) => [...statementsOf(program)].length;
  const [simplest] = different.toSorted((one, other) => size(one) - size(other));
  const smallest = await shrink(simplest.program, (programs) => differs(programs, python));
  const [expected] = await python.run([smallest]);
  console.log(`\nProfile ${simplest.profile}, seed ${simplest.seed}, made smaller:\n`);
  console.log(printProgram(smallest));
  console.log(`\n${printDifference(expected, await runProgram(smallest))}`);
  console.log(`\n${JSON.stringify(smallest)}\n`);
}

async function main(options: Options): Promise<number> {
  using python = new Python();
  if (options.writeGoldens) {
    await writeGoldens(options.profiles, options.seed, python);
    return 0;
  }
  const start = performance.now();
  const coverage = new Coverage();
  const { done, different } = await compareAll(options, python, coverage);
  const seconds = (performance.now() - start) / 1000;
  console.log(`What happened, and how often:\n${coverage}`);
  if (different.length > 0) await report(different, python);
  const rate = Math.round(done / seconds);
  console.log(`${done} programs, ${different.length} differ (${rate} programs a second)`);
  return different.length > 0 ? 1 : 0;
}

if (import.meta.main) Deno.exit(await main(readOptions(Deno.args)));
