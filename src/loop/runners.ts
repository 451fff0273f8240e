/**
 * Running a program: from its main coroutine to a closed loop.
 *
 * @module
 */

import { DefaultEventLoop } from "./base_events.ts";
import { type Context, copy_context } from "../core/contextvars.ts";
import {
  type CoroutineLike,
  iscoroutine,
  library_coroutine,
  type NotStarted,
  to_coroutine,
  wait_on,
} from "../core/coroutines.ts";
import { type AbstractEventLoop, check_loop, set_default_loop_maker } from "../core/events.ts";
import { CancelledError, KeyboardInterrupt, RuntimeError } from "../core/exceptions.ts";
import { type Future, Listener } from "../core/futures.ts";
import { cancel_code_of } from "../core/block_requests.ts";
import { without_frames } from "../core/cancellation.ts";
import { cancel_by_signal, check_abort_signal } from "../core/scope_managers.ts";
import { exit_if_uncaught } from "../host/exit.ts";
import { create_macrotasks } from "../host/macrotask.ts";
import { on_interrupt } from "../host/signals.ts";
import { repr } from "../internal/format_helpers.ts";
import { check_options } from "../internal/options.ts";
import { all_tasks, ensure_future, type Task } from "../core/tasks.ts";
import { check_signal } from "./signal_handlers.ts";
import { sleep } from "../waiting.ts";
import { running_loop } from "../core/current.ts";

/**
 * The options of {@linkcode Runner}.
 *
 * @category Running
 */
export interface RunnerOptions {
  /** True if the loop is in debug mode; the loop's own default if not given. */
  debug?: boolean | null;
  /** Makes the loop; a new `EventLoop` by default, see `set_loop_factory()`. */
  loop_factory?: (() => AbstractEventLoop) | null;
}

/**
 * The options of `run()`.
 *
 * @category Running
 */
export interface RunOptions extends RunnerOptions {
  /** Cancels main when it is aborted; its reason is thrown then. */
  signal?: AbortSignal | null;
  /**
   * The signals of the process that end the run as Ctrl-C does: `["SIGINT"]` by default, none if it is empty.
   *
   * The {@linkcode KeyboardInterrupt} of another one than Ctrl-C has the signal's name as its message, and if nothing
   * catches it the process exits with 128 and the number of the signal: 143 for `"SIGTERM"`.
   */
  signals?: readonly string[] | null;
}

const DEFAULT_SIGNALS: readonly string[] = ["SIGINT"];

// The exit codes of a program that a signal has ended: 128 and its number, which is the same on all systems.
const EXIT_CODES: Readonly<Record<string, number>> = {
  SIGHUP: 129,
  SIGINT: 130,
  SIGQUIT: 131,
  SIGTERM: 143,
};

// Of signals whose numbers differ.
const OTHER_SIGNAL = 128;

const SHUTDOWN_FAILED = "unhandled exception during asyncio.run() shutdown";

const make_event_loop = (): AbstractEventLoop => new DefaultEventLoop();
let default_loop_factory = make_event_loop;

/**
 * Runs several coroutines one after the other on the same loop and in the same context.
 *
 * `async_with(new Runner(), …)` or `await using` closes it at the end: what is left is cancelled, and
 * errors that were never retrieved are reported.
 *
 * See {@link https://docs.python.org/3/library/asyncio-runner.html#asyncio.Runner Python's Runner}.
 *
 * @category Running
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * await using runner = new asyncio.Runner();
 * assertEquals(await runner.run(asyncio.sleep(0, 1)), 1);
 * assertEquals(await runner.run(asyncio.sleep(0, 2)), 2);
 * ```
 */
export class Runner implements AsyncDisposable {
  /** @internal */
  protected readonly _runs_loops = true;
  #state: "created" | "initialized" | "closed" = "created";
  readonly #debug: boolean | null;
  readonly #loop_factory: (() => AbstractEventLoop) | null;
  #loop: AbstractEventLoop | null = null;
  #context: Context | null = null;

  /**
   * Makes a runner; its loop is made when it is first needed.
   *
   * @param options `debug`, whether the loop is in debug mode; `loop_factory`, which makes it
   */
  constructor(options: RunnerOptions = {}) {
    check_options("Runner", options, ["debug", "loop_factory"]);
    this.#debug = options.debug ?? null;
    this.#loop_factory = options.loop_factory ?? null;
  }

  /**
   * The loop of the runner.
   *
   * @throws {RuntimeError} if the runner is closed
   */
  get_loop(): AbstractEventLoop {
    this.#initialize();
    return this.#loop as AbstractEventLoop;
  }

  /**
   * Runs a coroutine as a task until it is done.
   *
   * Ctrl-C cancels the task, and {@linkcode KeyboardInterrupt} is thrown when it has ended by that. A
   * second Ctrl-C throws it at once, whatever the task does; {@linkcode Runner.close} then cancels the
   * task again. If the program listens to SIGINT itself, its listeners are called alone.
   *
   * @param coro a coroutine in any form, or a future of this library
   * @param options `context`, in which it runs, the runner's own by default; `signal`, an `AbortSignal`
   * that cancels the task, whose reason is then thrown; `signals`, the names of those of the process that end it as
   * Ctrl-C does, `["SIGINT"]` by default
   * @returns a promise of its result
   * @throws {TypeError} if `coro` is a native promise, whose work has started already
   * @throws {TypeError} if `signals` is no array of names
   * @throws {ValueError} if one of them is no name of a signal
   * @throws {RuntimeError} if the runner is closed, or a loop runs the caller
   * @throws {KeyboardInterrupt} if Ctrl-C or one of the signals has ended it
   */
  async run<T>(
    coro: CoroutineLike<T, NotStarted> | Future<T>,
    options: {
      context?: Context | null;
      signal?: AbortSignal | null;
      signals?: readonly string[] | null;
    } = {},
  ): Promise<T> {
    check_options("run", options, ["context", "signal", "signals"]);
    const signals = check_signals(options.signals);
    const signal = options.signal ?? null;
    if (signal !== null) check_abort_signal("run main", signal);
    refuse_nested("Runner.run()", coro);
    refuse_promise(coro);
    const loop = this.get_loop();
    const main = to_coroutine<T>(coro) ??
      library_coroutine("main", wait_on(ensure_future(coro, { loop })));
    const task = loop.create_task(main, { context: options.context ?? this.#context });
    let is_aborted = false;
    const abort = (): void => {
      if (task.done()) return;
      is_aborted = true;
      cancel_by_signal(
        task["_owner"],
        signal as AbortSignal,
        (main) => cancel_code_of(main, true),
      );
    };
    if (signal?.aborted) abort();
    else signal?.addEventListener("abort", abort);
    let interrupts = 0;
    let interrupted_by = "";
    const end_interrupts = on_interrupt(signals, (signal) => {
      try {
        interrupted_by ||= signal;
        if (++interrupts > 1 || task.done()) throw make_interruption(interrupted_by);
        task.cancel();
      } catch (error) {
        loop["_interrupt"](error);
      }
    });
    try {
      return await loop.run_until_complete(task);
    } catch (error) {
      if (!(error instanceof CancelledError)) throw error;
      if (is_aborted && task.uncancel() === 0) throw signal?.reason;
      if (interrupts > 0 && task.uncancel() === 0) throw make_interruption(interrupted_by);
      throw error;
    } finally {
      signal?.removeEventListener("abort", abort);
      end_interrupts();
    }
  }

  /**
   * Cancels the tasks that are left and waits for them, closes asynchronous generators, shuts the
   * default executor down and closes the loop, in this order. The loop is closed in any case.
   */
  async close(): Promise<void> {
    const loop = this.#loop;
    if (this.#state !== "initialized" || loop === null) return;
    try {
      await cancel_all_tasks(loop);
      await loop.run_until_complete(loop.shutdown_asyncgens());
      await loop.run_until_complete(loop.shutdown_default_executor(300));
    } finally {
      loop.close();
      this.#loop = null;
      this.#state = "closed";
    }
  }

  /** @internal Closes the runner; what that throws is reported, since `error` is thrown, unless it is the same. */
  protected async _close_after_error(error: unknown): Promise<void> {
    const loop = this.#loop;
    try {
      await this.close();
    } catch (exception) {
      if (exception !== error) {
        loop?.call_exception_handler({ message: SHUTDOWN_FAILED, exception });
      }
    }
  }

  #initialize(): void {
    if (this.#state === "closed") throw new RuntimeError("Runner is closed");
    if (this.#state === "initialized") return;
    const loop = this.#loop_factory === null ? new_event_loop() : this.#loop_factory();
    check_loop("Runner", loop);
    this.#loop = loop;
    if (this.#debug !== null) this.#loop.set_debug(this.#debug);
    this.#context = copy_context();
    this.#state = "initialized";
  }

  /** Makes the loop, for `async_with()`. */
  // deno-lint-ignore require-await -- it throws in its promise
  async __aenter__(): Promise<this> {
    this.#initialize();
    return this;
  }

  /** Closes the runner, for `async_with()`. */
  async __aexit__(error: unknown): Promise<void> {
    if (error === null) await this.close();
    else await this._close_after_error(error);
  }

  /** Closes the runner, for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

function make_interruption(signal: string): KeyboardInterrupt {
  const interruption = without_frames(() =>
    signal === "SIGINT" ? new KeyboardInterrupt() : new KeyboardInterrupt(signal)
  );
  exit_if_uncaught(interruption, EXIT_CODES[signal] ?? OTHER_SIGNAL);
  return interruption;
}

function check_signals(signals: readonly string[] | null | undefined): readonly string[] {
  if (signals === null || signals === undefined) return DEFAULT_SIGNALS;
  if (!Array.isArray(signals)) {
    throw new TypeError(
      `Cannot run main: signals must be an array of names such as "SIGTERM": received ${
        repr(signals)
      }`,
    );
  }
  signals.forEach(check_signal);
  return signals;
}

function refuse_nested(call: string, main: unknown): void {
  if (running_loop() === null) return;
  if (iscoroutine(main)) main.close();
  throw new RuntimeError(`${call} cannot be called from a running event loop`);
}

function refuse_promise(main: unknown): void {
  // Of any realm.
  if (Object.prototype.toString.call(main) !== "[object Promise]") return;
  (main as Promise<unknown>).then(null, () => {}); // the error thrown here says more
  throw new TypeError(
    "Cannot run main: its work has already started, outside of the loop; instead of run(main()) " +
      `write run(main), instead of run(main(x)) run(() => main(x)): received ${repr(main)}`,
  );
}

/** Cancels all that is left in a loop when its program has ended, and waits for it. */
export async function cancel_all_tasks(loop: AbstractEventLoop): Promise<void> {
  // The code of a task runs on after it has begun an await beside itself.
  if (all_tasks(loop).size > 0) await microtasks_have_run();
  await loose_code_has_run(loop);
  loop["_begin_shutdown"]();
  const tasks = all_tasks(loop);
  let endings = loop["_cancel_loose_awaits"](tasks);
  if (tasks.size === 0 && endings === null) return;
  for (const task of tasks) task.cancel();
  if (tasks.size > 0) {
    await loop.run_until_complete(until_done(tasks, loop));
    await loose_code_has_run(loop);
    // The awaits that the tasks have left behind.
    endings = join(endings, loop["_cancel_loose_awaits"]());
  }
  // Each await of a clean-up outside of tasks is a task; they are not cut short.
  while (endings !== null) {
    // Native work that has been aborted settles when it has stopped.
    const settled = endings;
    if (settled.length > 0) await loop.run_until_complete(() => Promise.allSettled(settled));
    // An await that has ended resumes its code in the next iteration.
    await loop.run_until_complete(sleep(0));
    await loose_code_has_run(loop);
    const clean_ups = all_tasks(loop);
    if (clean_ups.size > 0) {
      await loop.run_until_complete(until_done(clean_ups, loop));
      endings = [];
      continue;
    }
    // Awaits that they have left open are cancelled like all that outlive their task.
    endings = loop["_cancel_loose_awaits"]();
  }
  for (const task of tasks) {
    if (!task["_has_failed"]) continue;
    const exception = task.exception();
    loop.call_exception_handler({ message: SHUTDOWN_FAILED, exception, task });
  }
}

type Endings = PromiseLike<unknown>[] | null;

function join(first: Endings, second: Endings): Endings {
  return first === null || second === null ? first ?? second : [...first, ...second];
}

/** Returns a future that is done when all tasks are, whose errors then count as retrieved. */
function until_done(tasks: Set<Task<unknown>>, loop: AbstractEventLoop): Future<void> {
  const all_done = loop.create_future<void>();
  let left = tasks.size;
  const listener = new Listener(() => {
    if (--left > 0) return;
    for (const task of tasks) if (task["_has_failed"]) task.exception();
    all_done.set_result();
  }, "gather.<locals>._done_callback()");
  for (const task of tasks) task["_add_listener"](listener);
  return all_done;
}

function microtasks_have_run(): Promise<void> {
  return new Promise((resolve) => create_macrotasks(resolve).request());
}

// Code outside of tasks that the last iteration has resumed reaches its next await, or ends. What begins to wait
// later, as in a callback that a clean-up has scheduled, is refused.
async function loose_code_has_run(loop: AbstractEventLoop): Promise<void> {
  while (loop["_loose_moment"] > loop["_dry_moment"]) {
    const moment = loop["_loose_moment"];
    await microtasks_have_run();
    // A loop that tasks outside of a run have started works meanwhile.
    if (loop["_loose_moment"] === moment) loop["_loose_moment"] = 0;
  }
}

/**
 * Runs a program: a new loop, its main coroutine as a task, and everything cleaned up at the end.
 *
 * When main is done, the tasks that are left are cancelled and waited for, asynchronous generators are
 * closed, the default executor is shut down, and errors that nothing has retrieved are reported. If
 * main has failed, its error is thrown, and what fails meanwhile is reported.
 *
 * Ctrl-C cancels main, and the returned promise fails with {@linkcode KeyboardInterrupt} when main has
 * ended by that. A second Ctrl-C ends the run with that error at once; main is then cancelled again
 * with all that is left. If nothing catches the error, the process prints its name and exits with code
 * 130. If the program listens to SIGINT itself, its listeners are called alone.
 *
 * Where nothing is left that could wake a task, as when main waits for a future that no code settles any more, the host
 * ends the program as it ends one that awaits such a promise: Node.js with exit code 13 and the names of the tasks
 * that wait, Deno with an error.
 *
 * See {@link https://docs.python.org/3/library/asyncio-runner.html#asyncio.run Python's run}.
 *
 * @param main a coroutine in any form, or a future of this library
 * @param options `debug`, `loop_factory`; `signal`, an `AbortSignal` that cancels main, whose reason is then thrown;
 * `signals`, the names of those of the process that end it as Ctrl-C does: `["SIGINT", "SIGTERM"]` for a service
 * @returns a promise of what main returns
 * @throws {TypeError} if `main` is a native promise, whose work has started already
 * @throws {RuntimeError} if it is called from a running loop
 * @throws {KeyboardInterrupt} if Ctrl-C has ended main
 * @throws the error that main ends with
 * @category Running
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * async function main() {
 *   await asyncio.sleep(0.001);
 *   return "hello";
 * }
 * assertEquals(await asyncio.run(main), "hello");
 * ```
 */
export async function run<T>(
  main: CoroutineLike<T, NotStarted> | Future<T>,
  options: RunOptions = {},
): Promise<T> {
  check_options("run", options, ["debug", "loop_factory", "signal", "signals"]);
  refuse_nested("asyncio.run()", main);
  const { signal = null, signals = null, ...runner_options } = options;
  const runner = new Runner(runner_options);
  let result: T;
  try {
    result = await runner.run(main, { signal, signals });
  } catch (error) {
    await runner["_close_after_error"](error);
    throw error;
  }
  await runner.close();
  return result;
}

/**
 * Makes a new loop; it does not become the current one.
 *
 * See {@link https://docs.python.org/3/library/asyncio-eventloop.html#asyncio.new_event_loop Python's new_event_loop}.
 *
 * @category Event loop
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * const loop = asyncio.new_event_loop();
 * assertEquals(await loop.run_until_complete(asyncio.sleep(0, "done")), "done");
 * loop.close();
 * ```
 */
export function new_event_loop(): AbstractEventLoop {
  return default_loop_factory();
}

/**
 * Sets the factory of the loops of `run()`, `Runner` and `new_event_loop()` where none is given, and of
 * the loop that code outside of any loop uses, if that is not made yet.
 *
 * It is for tools that run programs of others, and stands for what an event loop policy was in Python.
 *
 * @param factory makes a loop; `null`, as in the beginning, stands for `new EventLoop()`
 * @category Event loop
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { VirtualClockEventLoop } from "@pythonic/asyncio/testing";
 * import { assertEquals } from "@std/assert";
 *
 * asyncio.set_loop_factory(() => new VirtualClockEventLoop());
 * await asyncio.run(() => asyncio.sleep(3600));
 * asyncio.set_loop_factory(null);
 * assertEquals(asyncio.new_event_loop() instanceof VirtualClockEventLoop, false);
 * ```
 */
export function set_loop_factory(factory: (() => AbstractEventLoop) | null): void {
  default_loop_factory = factory ?? make_event_loop;
  set_default_loop_maker(default_loop_factory);
}
