/**
 * Exploration: a program is run again and again, each time in another order in which its events could have
 * come.
 *
 * @module
 */

import { RuntimeError, ValueError } from "../core/exceptions.ts";
import { NOTHING } from "../core/contracts.ts";
import type { Task } from "../core/tasks.ts";
import { is_error } from "../internal/error_kinds.ts";
import { repr } from "../internal/format_helpers.ts";
import { check_function, function_or_null } from "../internal/functions.ts";
import { check_options } from "../internal/options.ts";
import { cancel_all_tasks } from "../loop/runners.ts";
import { TraceRecorder } from "../trace/recorder.ts";
import {
  type Chooser,
  type DecisionKind,
  Decisions,
  type Deviation,
  type ExplorationStrategy,
  type FaultCounts,
  format_deviation,
  format_schedule,
  type Lengths,
  parse_schedule,
  Priorities,
  Replay,
  seconds_text,
  UniformRandom,
} from "./decisions.ts";
import { type Conditions, ExplorationEventLoop } from "./exploration_loop.ts";
import { VirtualNetwork, type VirtualNetworkOptions } from "./network.ts";
import { type Draws, make_random, seed_of_run } from "./random.ts";
import { shrink } from "./shrinking.ts";
import { format_beside, format_timeline, type Line, lines_of, type Note } from "./timelines.ts";

/**
 * The faults of an exploration: how many a run has at most; when they come is decided by the seed.
 *
 * @category Exploration
 */
export interface FaultOptions {
  /** How many tasks are cancelled, each while it waits; 0 by default. Never the program's own task. */
  cancel?: number;
  /** Returns whether a task may be cancelled; any may by default. */
  may_cancel?: (task: Task<unknown>) => boolean;
  /** How many calls of `from_promise()` fail; 0 by default. */
  fail?: number;
  /** Makes the error with which they do; `Error("a fault")` by default. */
  make_error?: () => unknown;
  /** How many promises and calls in executors are slow; 0 by default. */
  slow?: number;
  /** How much longer those take, in seconds; 60 by default. */
  slow_by?: number;
}

/**
 * The options of {@linkcode explore}.
 *
 * @category Exploration
 */
export interface ExploreOptions {
  /** How many times the program is run; 1,000 by default. The first time in the plain order. */
  runs?: number;
  /** The seed of all decisions, a whole number from 0; 0 by default. */
  seed?: number;
  /** How decisions are made; `"pct"` by default, which finds more with fewer runs. */
  strategy?: ExplorationStrategy;
  /** How many orderings a fault needs that `"pct"` is to find; 3 by default. */
  depth?: number;
  /** After how many seconds of the host's time no further run begins; `null`, the default, for never. */
  time_limit?: number | null;
  /**
   * True if the order among all that is ready varies, too; false by default.
   *
   * The loop runs what is ready first in, first out, as CPython's, so a program that relies on it is right.
   * With this it is shown whether one does.
   */
  strict?: boolean;
  /** How late timers and packets may be, and how long code may take between two waits, in seconds; 0.01 by default. */
  jitter?: number;
  /** How long native promises and calls in executors take at most, in seconds; 0.1 by default. */
  delay?: number;
  /** How many steps and callbacks a run may have, before it counts as one that does not end; 100,000 by default. */
  max_steps?: number;
  /**
   * How long the host is waited for, in seconds of its own time, while a task waits for it; 0 by default.
   *
   * Programs that use the host's timers, files or sockets need it, and are not the same in every run.
   */
  patience?: number;
  /** The options of the network, which is `world.network`. */
  network?: VirtualNetworkOptions;
  /** The faults; none by default. */
  faults?: FaultOptions;
  /** The `schedule` of an {@linkcode ExplorationError}: only that run is made, with the options with which it was found. */
  replay?: string | null;
  /** True if a line is printed every five seconds, to `console.error`; true by default. */
  progress?: boolean;
}

/**
 * The result of an exploration that has found nothing.
 *
 * @category Exploration
 */
export interface Exploration {
  /** How many runs were made. */
  readonly runs: number;
  /** How many different orders there were among them, counted up to a million. */
  readonly orders: number;
  /** How many steps and callbacks the runs had, on average. */
  readonly steps: number;
  /** How long it took, in seconds of the host's time. */
  readonly seconds: number;
}

/**
 * A program that {@linkcode explore} runs: an async function or a `function*`, which makes all its state anew.
 *
 * @category Exploration
 */
export type ExploredProgram<T> = (world: World) => PromiseLike<T> | Generator<unknown, T, unknown>;

/**
 * The world of one run of an explored program.
 *
 * @category Exploration
 */
export interface World {
  /** The network, by which `open_connection()` and `start_server()` of the program connect. */
  readonly network: VirtualNetwork;
  /** A number from 0 to less than 1, by the run's seed. */
  random(): number;
  /**
   * Chooses one of several things, as an event of the world: a run in short names the choices that are not the first.
   *
   * @param options the things, of which the first is the plain one
   * @returns one of them
   * @throws {TypeError} if it is not an array
   * @throws {ValueError} if there is none
   */
  choose<T>(options: readonly T[]): T;
  /**
   * Has a condition checked whenever no step is in progress.
   *
   * @param check throws, or returns false, if the condition does not hold
   * @param name the name of the condition, for the error
   * @throws {TypeError} if the check is not a function
   */
  always(check: () => boolean | void, name?: string): void;
  /**
   * Adds a line to the timeline of the run.
   *
   * @param text the line
   */
  note(text: string): void;
}

/**
 * Signals that a run of an exploration has failed: the program has thrown, or hangs, or a condition does not hold.
 *
 * Its message is meant to be copied into a bug report: the error, the deviations from the plain order that
 * lead to it, and the timelines of both. The program's own error is its `cause`.
 *
 * @category Exploration
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { ExplorationError, explore } from "@pythonic/asyncio/testing";
 * import { assert } from "@std/assert";
 *
 * const program = async () => {
 *   const tasks = ["a", "b"].map((name) => asyncio.create_task(asyncio.sleep(1, name)));
 *   const [first] = await asyncio.wait(tasks, { return_when: asyncio.FIRST_COMPLETED });
 *   assert([...first][0]?.result() === "a");
 * };
 * const error = await explore(program).catch((error) => error);
 * assert(error instanceof ExplorationError);
 * // In a debugger:
 * await explore(program, { replay: error.schedule }).catch(() => {});
 * ```
 */
export class ExplorationError extends RuntimeError {
  /** @internal */
  static override get name(): string {
    return "ExplorationError";
  }

  /** The seed of the exploration. */
  readonly seed: number;
  /** The run in short, for the option `replay`: the seed of its random numbers and its deviations. */
  readonly schedule: string;
  /** The number of the run that failed first; the plain one is number 1. */
  readonly run: number;
  /** The timeline of the run beside that of the plain one. */
  readonly timeline: string;

  /** @internal Made by `explore()`. */
  constructor(
    message: string,
    found: { seed: number; schedule: string; run: number; timeline: string; cause: unknown },
  ) {
    super(message);
    this.cause = found.cause;
    this.seed = found.seed;
    this.schedule = found.schedule;
    this.run = found.run;
    this.timeline = found.timeline;
  }
}

const OPTIONS = [
  "runs",
  "seed",
  "strategy",
  "depth",
  "time_limit",
  "strict",
  "jitter",
  "delay",
  "max_steps",
  "patience",
  "network",
  "faults",
  "replay",
  "progress",
];
const STRATEGIES: readonly unknown[] = ["random", "pct"];
const FAULT_OPTIONS = ["cancel", "may_cancel", "fail", "make_error", "slow", "slow_by"];

// A fraction is one of so many, evenly spread from 0 to 1.
const FRACTIONS = 5;

// How often progress is printed, in milliseconds.
const PROGRESS_INTERVAL = 5000;

// The memory of an exploration that runs for hours has a limit.
const MOST_ORDERS = 1_000_000;

const KINDS: readonly DecisionKind[] = ["order", "draw", "choice", "cancel", "fail", "slow"];
const NO_LENGTHS: Lengths = { order: 1, draw: 1, choice: 1, cancel: 1, fail: 1, slow: 1 };
const NO_ACTORS: readonly object[] = [];

/** All options of an exploration. */
interface Setting<T> {
  readonly program: ExploredProgram<T>;
  readonly conditions: Conditions;
  readonly network: VirtualNetworkOptions;
  readonly faults: FaultCounts;
}

/** One run that has ended. */
interface Run {
  readonly seed: number;
  /** The error with which it failed, or `NOTHING`. */
  readonly error: unknown;
  readonly decisions: Decisions;
  readonly steps: number;
}

/** One run with its timeline. */
interface RecordedRun extends Run {
  readonly lines: readonly Line[];
  /** A line for each deviation. */
  readonly deviations: readonly string[];
}

class Recording {
  readonly trace = new TraceRecorder();
  readonly notes: Note[] = [];
  readonly deviations: string[] = [];
  /** How many events there were when the program ended. */
  end = Infinity;

  note(time: number, text: string): void {
    this.notes.push({ after: this.trace.events.length, time, text });
  }
}

/** Draws what is left to chance by the decisions of a run. */
function draw_by(decisions: Decisions, time: () => number): Draws {
  const draw = (kind: "draw" | "choice", count: number, chance: number | null): number =>
    decisions.choose(
      kind,
      count,
      NO_ACTORS,
      chance,
      (choice) => `number ${choice} of ${count} is drawn, at ${seconds_text(time())}`,
    );
  return {
    fraction: () => draw("draw", FRACTIONS, null) / (FRACTIONS - 1),
    happens: (chance) => draw("choice", 2, chance) > 0,
    below: (count) => draw("choice", count, null),
  };
}

async function run_once<T>(
  setting: Setting<T>,
  chooser: Chooser,
  seed: number,
  recording: Recording | null = null,
): Promise<Run> {
  const decisions = new Decisions(
    chooser,
    recording === null ? null : (deviation, text) => {
      recording.deviations.push(`${format_deviation(deviation).padStart(8)}  ${text}`);
      recording.note(loop.time(), `* ${text}`);
    },
  );
  const draws = draw_by(decisions, () => loop.time());
  const network = new VirtualNetwork(setting.network, draws);
  const loop: ExplorationEventLoop = new ExplorationEventLoop(
    decisions,
    setting.conditions,
    network,
    recording?.trace ?? null,
  );
  const world: World = {
    network,
    random: make_random(seed),
    choose: (options) => {
      if (!Array.isArray(options)) {
        throw new TypeError(`Cannot choose: it must be of an array: received ${repr(options)}`);
      }
      if (options.length > 0) return options[draws.below(options.length)] as typeof options[number];
      throw new ValueError("Cannot choose: there is nothing to choose from: received []");
    },
    always: (check, name = "a condition") => {
      check_function("always", "check", check);
      loop.invariants.push(() => {
        if (check() === false) throw new RuntimeError(`${name} does not hold`);
      });
    },
    note: (text) => recording?.note(loop.time(), text),
  };
  const reported: unknown[] = [];
  loop.set_exception_handler((_, context) => {
    reported.push(context.exception ?? new RuntimeError(String(context.message)));
  });
  const name = setting.program.name || "program";
  let error: unknown = NOTHING;
  try {
    const task = loop.create_task({ [name]: () => setting.program(world) }[name]!, {
      name: "main",
    });
    loop.main = task as Task<unknown>;
    await loop.run_until_complete(task);
  } catch (thrown) {
    error = thrown;
  }
  const { steps } = loop;
  if (recording !== null) recording.end = recording.trace.events.length;
  loop.steps = loop.invariants.length = 0;
  try {
    await cancel_all_tasks(loop);
    if (loop["_asyncgens"]?.is_empty === false) {
      await loop.run_until_complete(loop.shutdown_asyncgens());
    }
  } catch (thrown) {
    if (error === NOTHING) error = thrown;
  } finally {
    loop.close();
  }
  if (error === NOTHING && reported.length > 0) {
    error = reported.length === 1
      ? reported[0]
      : new AggregateError(reported, "Several errors that nothing handled");
  }
  return { seed, error, decisions, steps };
}

async function record<T>(
  setting: Setting<T>,
  deviations: readonly Deviation[],
  seed: number,
): Promise<RecordedRun> {
  const recording = new Recording();
  const run = await run_once(setting, new Replay(deviations), seed, recording);
  const lines = lines_of(recording.trace.events.slice(0, recording.end), recording.notes);
  return { ...run, lines, deviations: recording.deviations };
}

// Runs that fail alike have the same text here: numbers in it may differ.
function kind_of(error: unknown): string {
  const [first = ""] = describe_error(error).split("\n");
  return first.replaceAll(/\d+(?:\.\d+)?/g, "#");
}

function describe_error(error: unknown): string {
  return is_error(error) ? `${error.name}: ${error.message}` : repr(error);
}

function read_setting<T>(program: ExploredProgram<T>, options: ExploreOptions): Setting<T> {
  check_options("explore", options, OPTIONS);
  const { network = {}, faults = {}, jitter = 0.01, delay = 0.1, patience = 0 } = options;
  if (typeof program !== "function") {
    throw new TypeError(
      `Cannot explore a program: it must be an async function or a function*: received ${
        repr(program)
      }`,
    );
  }
  const { strategy = "pct" } = options;
  if (!STRATEGIES.includes(strategy)) {
    throw new ValueError(
      `Cannot explore a program: the strategy must be "random" or "pct": received ${
        repr(strategy)
      }`,
    );
  }
  check_options("explore", faults, FAULT_OPTIONS);
  function_or_null("explore", "may_cancel", faults.may_cancel);
  function_or_null("explore", "make_error", faults.make_error);
  const { cancel = 0, fail = 0, slow = 0, slow_by = 60 } = faults;
  const numbers = {
    runs: options.runs,
    seed: options.seed,
    depth: options.depth,
    time_limit: options.time_limit ?? undefined,
    max_steps: options.max_steps,
    jitter,
    delay,
    patience,
    cancel,
    fail,
    slow,
    slow_by,
  };
  for (const [name, value] of Object.entries(numbers)) {
    if (value === undefined || (typeof value === "number" && value >= 0)) continue;
    throw new ValueError(
      `Cannot explore a program: ${name} must be a number of at least 0: received ${repr(value)}`,
    );
  }
  const conditions: Conditions = {
    jitter,
    delay,
    strict: options.strict ?? false,
    max_steps: options.max_steps ?? 100_000,
    patience,
    cancels: cancel > 0,
    may_cancel: faults.may_cancel ?? (() => true),
    fails: fail > 0,
    make_error: faults.make_error ?? (() => new Error("a fault")),
    slow_by: slow > 0 ? slow_by : 0,
  };
  return { program, conditions, network, faults: { cancel, fail, slow } };
}

function make_chooser(
  { strategy = "pct", depth = 3 }: ExploreOptions,
  seed: number,
  faults: FaultCounts,
  lengths: Lengths,
): Chooser {
  return strategy === "random"
    ? new UniformRandom(seed, faults, lengths)
    : new Priorities(seed, faults, lengths, depth);
}

/**
 * Runs a program many times on virtual loops, each time in another order in which its events could have come,
 * and throws an {@linkcode ExplorationError} as soon as a run fails.
 *
 * What varies is what varies in the world: when timers, the network, native promises behind
 * {@linkcode from_promise} and calls in executors come back. All of it is decided by the seed, so the same
 * call does the same in every process, on every host. A run fails if the program throws, if a task ends
 * with an error that nothing handles, if no task can be resumed (the error says what each waits on), or if a
 * condition of `world.always()` does not hold. The schedule of the error names the fewest deviations from the
 * plain order with which the run still fails.
 *
 * Native promises that are awaited as they are settle at once, in their usual order.
 *
 * @param program an async function or a `function*`; it makes its state anew in each run
 * @param options `runs`, `seed`, `strategy`, `time_limit`, `replay`, and what may vary
 * @returns a promise of how much was explored
 * @throws {ExplorationError} if a run fails
 * @throws {TypeError} if an option is unknown, or the program or a function of the options is none
 * @throws {ValueError} if the strategy is unknown, a number is negative or none, or `replay` is no schedule
 * @throws {RuntimeError} if it is called from a running loop
 * @category Exploration
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { explore } from "@pythonic/asyncio/testing";
 * import { assertEquals } from "@std/assert";
 *
 * const { runs } = await explore(async () => {
 *   let balance = 0;
 *   const lock = new asyncio.Lock();
 *   const deposit = async () => {
 *     using _ = await lock.acquire();
 *     const before = balance;
 *     await asyncio.from_promise(Promise.resolve()); // a database
 *     balance = before + 1;
 *   };
 *   await asyncio.gather(deposit, deposit);
 *   assertEquals(balance, 2);
 * }, { runs: 100 });
 * assertEquals(runs, 100);
 * ```
 */
export async function explore<T>(
  program: ExploredProgram<T>,
  options: ExploreOptions = {},
): Promise<Exploration> {
  const setting = read_setting(program, options);
  const { runs = 1000, seed = 0, time_limit = null, replay = null, progress = true } = options;
  if (replay !== null) return await run_again(setting, seed, replay);
  const start = performance.now();
  const orders = new Set<number>();
  const lengths: Record<keyof Lengths, number> = { ...NO_LENGTHS };
  let steps = 0;
  let next_progress = start + PROGRESS_INTERVAL;
  let made = 0;
  for (; made < runs; made++) {
    const elapsed = performance.now() - start;
    if (time_limit !== null && elapsed / 1000 >= time_limit && made > 0) break;
    if (progress && start + elapsed >= next_progress) {
      next_progress = start + elapsed + PROGRESS_INTERVAL;
      console.error(describe_progress(made, orders.size, elapsed / 1000));
    }
    const run_seed = seed_of_run(seed, made);
    const chooser = made === 0
      ? new Replay([])
      : make_chooser(options, run_seed, setting.faults, lengths);
    const run = await run_once(setting, chooser, run_seed);
    if (run.error !== NOTHING) {
      throw await make_error(setting, run, { seed, number: made + 1, options });
    }
    steps += run.steps;
    if (orders.size < MOST_ORDERS) orders.add(run.decisions.fingerprint());
    for (const kind of KINDS) {
      lengths[kind] = Math.max(lengths[kind], run.decisions.opportunities[kind]);
    }
  }
  const seconds = (performance.now() - start) / 1000;
  return { runs: made, orders: orders.size, steps: steps / Math.max(made, 1), seconds };
}

function describe_progress(runs: number, orders: number, seconds: number): string {
  const rate = Math.round(runs / seconds).toLocaleString("en");
  return `explore: ${runs.toLocaleString("en")} runs in ${
    Math.round(seconds)
  } s, ${rate} a second, ` +
    `${orders.toLocaleString("en")} different orders, none failed`;
}

async function run_again<T>(
  setting: Setting<T>,
  seed: number,
  schedule: string,
): Promise<Exploration> {
  const { seed: run_seed, deviations } = parse_schedule(schedule);
  const start = performance.now();
  const run = await record(setting, deviations, run_seed);
  if (run.error === NOTHING) {
    return { runs: 1, orders: 1, steps: run.steps, seconds: (performance.now() - start) / 1000 };
  }
  const timeline = format_timeline(run.lines);
  throw new ExplorationError(
    `The run ${repr(schedule)} fails again: ${describe_error(run.error)}\n\n${timeline}`,
    { seed, schedule, run: 1, timeline, cause: run.error },
  );
}

async function make_error<T>(
  setting: Setting<T>,
  found: Run,
  { seed, number, options }: { seed: number; number: number; options: ExploreOptions },
): Promise<ExplorationError> {
  const kind = kind_of(found.error);
  const attempt = async (deviations: readonly Deviation[]) => {
    const run = await run_once(setting, new Replay(deviations), found.seed);
    const fails = run.error !== NOTHING && kind_of(run.error) === kind;
    return {
      fails,
      deviations: run.decisions.deviations,
      made: run.decisions.opportunities,
      steps: run.steps,
    };
  };
  const deviations = await shrink(found.decisions.deviations, attempt);
  const failing = await record(setting, deviations, found.seed);
  const plain = await record(setting, [], found.seed);
  const schedule = format_schedule({ seed: found.seed, deviations });
  const timeline = deviations.length === 0
    ? format_timeline(failing.lines)
    : format_beside(plain.lines, failing.lines);
  // A program that is not the same in every run may not fail again.
  const again = failing.error === NOTHING
    ? "\n  It did not fail again with the same decisions: the program depends on something else."
    : "";
  const cause = failing.error === NOTHING ? found.error : failing.error;
  const others = Object.keys(options).some((name) => !NOT_NEEDED_AGAIN.includes(name));
  const message = [
    `Run ${number} fails: ${describe_error(cause)}${again}`,
    "",
    `  seed ${seed}, strategy ${options.strategy ?? "pct"}, ` +
    `${failing.decisions.count} decisions, of which ${
      deviations.length === 0 ? "none deviates" : `these deviate`
    } from the plain order:`,
    ...failing.deviations.map((line) => `  ${line}`),
    "",
    `  to run it again: explore(program, { ${others ? "...options, " : ""}replay: ${
      JSON.stringify(schedule)
    } })`,
    "",
    timeline,
  ].join("\n");
  return new ExplorationError(message, { seed, schedule, run: number, timeline, cause });
}

const NOT_NEEDED_AGAIN = [
  "runs",
  "seed",
  "strategy",
  "depth",
  "time_limit",
  "replay",
  "progress",
];
