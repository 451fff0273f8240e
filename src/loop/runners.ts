/**
 * Running a program: from its main coroutine to a closed loop.
 *
 * @module
 */

import { aborted_by } from "../aborts.ts";
import { EventLoop } from "./base_events.ts";
import { async_with } from "../context_managers.ts";
import { type Context, copy_context } from "../core/contextvars.ts";
import {
  type Awaitable,
  iscoroutine,
  library_coroutine,
  to_coroutine,
  wait_on,
} from "../core/coroutines.ts";
import { type AbstractEventLoop, set_default_loop_maker } from "./events.ts";
import { CancelledError, KeyboardInterrupt, RuntimeError } from "../core/exceptions.ts";
import type { Future } from "../core/futures.ts";
import {
  add_signal_listener,
  count_signal_listeners,
  exit_if_uncaught,
  exit_process,
  has_signals,
  remove_signal_listener,
} from "../host/signals.ts";
import { check_options } from "../internal/options.ts";
import { all_tasks, ensure_future, type Task } from "../core/tasks.ts";
import { gather } from "../waiting.ts";
import { running_loop } from "../core/current.ts";

/**
 * What a {@linkcode Runner} may be made with.
 *
 * @category Running
 */
export interface RunnerOptions {
  /** Whether the loop is in debug mode; the loop's own default if not given. */
  debug?: boolean | null;
  /** Makes the loop; a new {@linkcode EventLoop} by default, see `set_loop_factory()`. */
  loop_factory?: (() => AbstractEventLoop) | null;
}

/**
 * What `run()` may be given.
 *
 * @category Running
 */
export interface RunOptions extends RunnerOptions {
  /** Cancels main when it is aborted; its reason is thrown then. */
  signal?: AbortSignal | null;
}

// The exit code of a program that Ctrl-C ended: 128 and the number of SIGINT.
const INTERRUPTED = 130;

const make_event_loop = (): AbstractEventLoop => new EventLoop();
let default_loop_factory = make_event_loop;

/**
 * Runs several coroutines one after the other on the same loop and in the same context.
 *
 * `async_with(new Runner(), …)` or `await using` closes it at the end: what is left is cancelled, and
 * errors that nobody looked at are reported.
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
  readonly _runs_loops = true;
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
   * Runs an awaitable as a task, to its end.
   *
   * Ctrl-C cancels the task, and this throws {@linkcode KeyboardInterrupt}; a second Ctrl-C ends the
   * process at once. A signal cancels it too; then this throws the signal's reason.
   *
   * @param coro a coroutine in any form, or another awaitable
   * @param options `context`, in which it runs, the runner's own by default; `signal`, which ends it
   * @returns a promise of its result
   * @throws {RuntimeError} if the runner is closed, or a loop runs the caller
   */
  async run<T>(
    coro: Awaitable<T>,
    options: { context?: Context | null; signal?: AbortSignal | null } = {},
  ): Promise<T> {
    check_options("run", options, ["context", "signal"]);
    if (running_loop() !== null) {
      if (iscoroutine(coro)) coro.close();
      throw new RuntimeError("Runner.run() cannot be called from a running event loop");
    }
    const loop = this.get_loop();
    const main = to_coroutine<T>(coro) ??
      library_coroutine("main", wait_on(ensure_future(coro, { loop })));
    const signal = options.signal ?? null;
    const limited = signal === null ? main : async_with(aborted_by(signal), () => main);
    const task = loop.create_task(limited, { context: options.context ?? this.#context });
    const interrupt = new Interrupt(task as Task<unknown>);
    try {
      return await loop.run_until_complete(task);
    } catch (error) {
      if (error instanceof CancelledError && interrupt.happened && task.uncancel() === 0) {
        const interruption = new KeyboardInterrupt();
        exit_if_uncaught(interruption, INTERRUPTED);
        throw interruption;
      }
      throw error;
    } finally {
      interrupt.stop_listening();
    }
  }

  /** Cancels what is left, waits for it, closes asynchronous generators and the loop. */
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

  #initialize(): void {
    if (this.#state === "closed") throw new RuntimeError("Runner is closed");
    if (this.#state === "initialized") return;
    this.#loop = this.#loop_factory === null ? new_event_loop() : this.#loop_factory();
    if (this.#debug !== null) this.#loop.set_debug(this.#debug);
    this.#context = copy_context();
    this.#state = "initialized";
  }

  /** Makes the loop, for `async_with()`. */
  __aenter__(): Promise<this> {
    try {
      this.#initialize();
    } catch (error) {
      return Promise.reject(error);
    }
    return Promise.resolve(this);
  }

  /** Closes the runner, for `async_with()`. */
  async __aexit__(_error: unknown): Promise<void> {
    await this.close();
  }

  /** Closes the runner, for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

/** Listens to Ctrl-C while a program runs, unless the program does so itself. */
class Interrupt {
  happened = false;
  readonly #task: Task<unknown>;
  readonly #listens: boolean;

  constructor(task: Task<unknown>) {
    this.#task = task;
    this.#listens = has_signals && count_signal_listeners("SIGINT") === 0;
    if (this.#listens) add_signal_listener("SIGINT", this.#on_signal);
  }

  readonly #on_signal = (): void => {
    // A handler that the program has set since goes before this one.
    if (count_signal_listeners("SIGINT") > 1) return;
    if (this.happened || this.#task.done()) exit_process(INTERRUPTED);
    this.happened = true;
    this.#task.cancel();
  };

  stop_listening(): void {
    if (this.#listens) remove_signal_listener("SIGINT", this.#on_signal);
  }
}

async function cancel_all_tasks(loop: AbstractEventLoop): Promise<void> {
  const tasks = all_tasks(loop);
  if (tasks.size === 0) return;
  for (const task of tasks) task.cancel();
  await loop.run_until_complete(cancelled(tasks));
  for (const task of tasks) {
    if (task.cancelled()) continue;
    const exception = task.exception();
    if (exception !== null) {
      loop.call_exception_handler({
        message: "unhandled exception during asyncio.run() shutdown",
        exception,
        task,
      });
    }
  }
}

function cancelled(tasks: Set<Task<unknown>>): Future<unknown> {
  return gather(tasks, { return_exceptions: true });
}

/**
 * Runs a program: a new loop, its main coroutine as a task, and everything cleaned up at the end.
 *
 * When main is done, tasks that are left are cancelled and waited for, asynchronous generators are
 * closed, and errors that nobody looked at are reported. Ctrl-C cancels main, and the returned
 * promise fails with {@linkcode KeyboardInterrupt}; a second Ctrl-C ends the process at once.
 *
 * See {@link https://docs.python.org/3/library/asyncio-runner.html#asyncio.run Python's run}.
 *
 * @param main a coroutine in any form, or another awaitable
 * @param options `debug`, `loop_factory`; `signal`, an `AbortSignal` that cancels main, whose reason is then thrown
 * @returns a promise of what main returns
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
export async function run<T>(main: Awaitable<T>, options: RunOptions = {}): Promise<T> {
  check_options("run", options, ["debug", "loop_factory", "signal"]);
  if (running_loop() !== null) {
    if (iscoroutine(main)) main.close();
    throw new RuntimeError("asyncio.run() cannot be called from a running event loop");
  }
  const { signal, ...runner_options } = options;
  const runner = new Runner(runner_options);
  try {
    return await runner.run(main, { signal });
  } finally {
    await runner.close();
  }
}

/**
 * Makes a new loop, which belongs to nobody yet.
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
 * Says what makes the loops of `run()`, `Runner` and `new_event_loop()` where none is given, and the
 * loop that code outside of any loop uses, if that is not made yet.
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
