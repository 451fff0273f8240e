/**
 * Compares this library with CPython on fresh random programs.
 *
 * `deno task conformance --count 20000 --seed 7` runs that many programs over all profiles, `--profile`
 * of one profile alone; `--write-goldens` makes their golden files anew instead. Ends with exit code 1
 * and the smallest program found when the traces of a program differ, or when one hangs on either side.
 */

import { parseArgs } from "node:util";
import { entries_of, read_command_line, whole_number } from "../../scripts/command_line.ts";
import { first_difference } from "./compare.ts";
import { Coverage } from "./coverage.ts";
import { generate } from "./generate.ts";
import { write_goldens } from "./goldens.ts";
import { print_difference, print_program } from "./print.ts";
import { PROFILE_NAMES, type ProfileName } from "./profiles.ts";
import { hangs, type Program, statements_of, type Trace } from "./program.ts";
import { Random } from "./random.ts";
import { shrink } from "./shrink.ts";
import { type Patience, Side } from "./side.ts";

/** How many programs CPython is given at once. */
const BATCH = 250;

/** After so many differences there is nothing to learn from more of them. */
const ENOUGH = 50;

/** How long programs may take while one is made smaller; the first that shows it will do. */
const WHILE_SHRINKING: Patience = { patience: 1, most_hangs: 1 };

/** Each try of a program that hangs takes its time. */
const SHRINKING_OF_HANGS = { batch: 4, seconds: 180 };

interface Options {
  count: number;
  seed: number;
  profiles: readonly ProfileName[];
  write_goldens: boolean;
}

interface Case {
  profile: ProfileName;
  seed: number;
  program: Program;
}

function read_options(args: string[]): Options {
  const { values } = parseArgs({
    args,
    options: {
      count: { type: "string", default: "20000" },
      seed: { type: "string", default: "1" },
      profile: { type: "string" },
      "write-goldens": { type: "boolean", default: false },
    },
  });
  return {
    count: whole_number("count", values.count),
    seed: whole_number("seed", values.seed),
    profiles: values.profile === undefined
      ? PROFILE_NAMES
      : entries_of("profile", values.profile, PROFILE_NAMES),
    write_goldens: values["write-goldens"],
  };
}

function* cases({ count, seed, profiles }: Options): Generator<Case> {
  const random = new Random(seed);
  for (let index = 0; index < count; index++) {
    const profile = profiles[index % profiles.length]!;
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
function progress(done: number, count: number, found: number): void {
  const text = `${done} of ${count} programs, ${found} differ or hang`;
  if (Deno.stdout.isTerminal()) {
    Deno.stdout.writeSync(new TextEncoder().encode(`\r${text}`));
    if (done === count) console.log();
  } else if (done === count || done % (BATCH * 20) === 0) {
    console.log(text);
  }
}

/** CPython and this library. */
class Sides implements Disposable {
  readonly python = new Side(new URL("./python_worker.ts", import.meta.url));
  readonly library = new Side(new URL("./library_worker.ts", import.meta.url));

  /** What each program does on both; of fewer programs if too many hang. */
  async run(programs: readonly Program[], patience?: Patience): Promise<Outcome[]> {
    const [expected, actual] = await Promise.all(
      [this.python.run(programs, patience), this.library.run(programs, patience)],
    );
    return expected.slice(0, actual.length).map((trace, index) => ({
      expected: trace,
      actual: actual[index]!,
    }));
  }

  [Symbol.dispose](): void {
    this.python[Symbol.dispose]();
    this.library[Symbol.dispose]();
  }
}

interface Outcome {
  expected: Trace;
  actual: Trace;
}

function is_hanging({ expected, actual }: Outcome): boolean {
  return hangs(expected) || hangs(actual);
}

function is_different({ expected, actual }: Outcome): boolean {
  return first_difference(expected, actual) !== null;
}

/** A program that is not as it should be: it differs, or hangs. */
interface Finding {
  found: Case;
  outcome: Outcome;
}

async function compare_all(
  options: Options,
  sides: Sides,
  coverage: Coverage,
): Promise<{ done: number; findings: Finding[] }> {
  const findings: Finding[] = [];
  let done = 0;
  const ask = (batch: Case[]) => ({
    batch,
    answer: sides.run(batch.map(({ program }) => program)),
  });
  // The sides work at the next batch while this thread works at what they gave for this one.
  const todo = batches(cases(options), BATCH);
  let next = todo.next();
  let asked = next.done ? null : ask(next.value);
  while (asked !== null && findings.length < ENOUGH) {
    const { batch, answer } = asked;
    next = todo.next();
    asked = next.done ? null : ask(next.value);
    const outcomes = await confirm_hangs(batch, await answer, sides);
    for (const [index, outcome] of outcomes.entries()) {
      const found = batch[index]!;
      coverage.add(found.program, outcome.expected);
      if (!is_hanging(outcome) && !is_different(outcome)) continue;
      findings.push({ found, outcome });
    }
    done += outcomes.length;
    if (outcomes.length < batch.length) break;
    progress(done, options.count, findings.length);
  }
  return { done, findings };
}

/** Runs what hangs once more: a program hangs each time, a machine that was busy or asleep makes it late once. */
async function confirm_hangs(
  batch: readonly Case[],
  outcomes: readonly Outcome[],
  sides: Sides,
): Promise<Outcome[]> {
  const confirmed: Outcome[] = [];
  for (const [index, outcome] of outcomes.entries()) {
    const [again] = is_hanging(outcome) ? await sides.run([batch[index]!.program]) : [];
    confirmed.push(again ?? outcome);
  }
  const rest = batch.slice(confirmed.length);
  if (rest.length === 0 || confirmed.some(is_hanging)) return confirmed;
  const answer = await sides.run(rest.map(({ program }) => program));
  return [...confirmed, ...await confirm_hangs(rest, answer, sides)];
}

/** Shrinks the simplest finding and prints it with both traces. */
async function report(findings: readonly Finding[], sides: Sides): Promise<void> {
  const size = ({ found }: Finding) => [...statements_of(found.program)].length;
  const simplest = findings.toSorted((one, other) => size(one) - size(other))[0]!;
  const { profile, seed, program } = simplest.found;
  const is_hang = is_hanging(simplest.outcome);
  const shows = async (programs: Program[]) =>
    (await sides.run(programs, WHILE_SHRINKING)).map((outcome) =>
      is_hang ? is_hanging(outcome) : is_different(outcome) && !is_hanging(outcome)
    );
  const smallest = await shrink(program, shows, is_hang ? SHRINKING_OF_HANGS : {});
  const outcome = (await sides.run([smallest]))[0]!;
  console.log(`\nProfile ${profile}, seed ${seed}, made smaller:\n`);
  console.log(print_program(smallest));
  for (
    const [side, trace] of [["On CPython", outcome.expected], ["Here", outcome.actual]] as const
  ) {
    if (hangs(trace)) console.log(`\n${side} it hangs.`);
  }
  console.log(`\n${print_difference(outcome.expected, outcome.actual)}`);
  console.log(`\n${JSON.stringify(smallest)}\n`);
}

async function main(options: Options): Promise<number> {
  using sides = new Sides();
  if (options.write_goldens) {
    await write_goldens(options.profiles, options.seed, sides.python);
    return 0;
  }
  const start = performance.now();
  const coverage = new Coverage();
  const { done, findings } = await compare_all(options, sides, coverage);
  const seconds = (performance.now() - start) / 1000;
  console.log(`What happened, and how often:\n${coverage}`);
  if (findings.length > 0) await report(findings, sides);
  const rate = Math.round(done / seconds);
  const hanging = findings.filter(({ outcome }) => is_hanging(outcome)).length;
  console.log(
    `${done} programs, ${findings.length - hanging} differ, ${hanging} hang ` +
      `(${rate} programs a second)`,
  );
  return findings.length > 0 ? 1 : 0;
}

if (import.meta.main) {
  Deno.exit(await main(read_command_line("conformance", () => read_options(Deno.args))));
}
