/**
 * asyncio's event loop: its methods, on top of what runs callbacks and tasks.
 *
 * @module
 */

import type { FutureAwait } from "../core/awaits.ts";
import type { Arrivals, LoopCore, Runnable, TaskCore, Timed } from "../core/contracts.ts";
import type {
  ExportName,
  ExportParameters,
  ExportResult,
  ModuleExecutor,
} from "../core/executors.ts";
import {
  type Coroutine,
  type CoroutineLike,
  iscoroutine,
  library_coroutine,
  type NotStarted,
} from "../core/coroutines.ts";
import { leaves_the_loop, RuntimeError } from "../core/exceptions.ts";
import { FAILED, Future, wrap_future } from "../core/futures.ts";
import type { Recorder } from "../core/recording.ts";
import { LoopScope, next_moment } from "../core/scopes.ts";
import {
  ensure_future,
  type OwnTaskOptions,
  Task,
  type TaskFactory,
  type TaskOptions,
} from "../core/tasks.ts";
import type { Network, OpenSet } from "../host/endpoints.ts";
import { environment_variable } from "../host/process.ts";
import { repr } from "../internal/format_helpers.ts";
import { check_options, NO_OPTIONS, OwnOptions } from "../internal/options.ts";
import { note_methods } from "../internal/unbound.ts";
import {
  check_callback,
  check_time,
  refuse_coroutine,
  split_context,
} from "./callback_arguments.ts";
import {
  type AbstractEventLoop,
  type AsyncGenerators,
  type Callback,
  type CallbackContext,
  type ExceptionContext,
  type ExceptionHandler,
  type Executor,
  Handle,
  set_default_loop_maker,
  set_loop_running,
  TimerHandle,
} from "../core/events.ts";
import { print_report, report } from "./exception_reports.ts";
import { type AnyExecutor, DefaultExecutor } from "./executors.ts";
import { Liveness } from "./liveness.ts";
import { LooseAwaits } from "./loose_awaits.ts";
import { RunLoop } from "./run_loop.ts";
import { check_signal, SignalHandlers } from "./signal_handlers.ts";
import { SlowCancellations } from "./slow_cancellations.ts";
import { TaskList } from "./task_list.ts";
import { Unretrieved } from "./unretrieved.ts";
import { CycleSearch } from "./waits.ts";

type AnyTask = Task<unknown>;

/**
 * The options of {@linkcode EventLoop}.
 *
 * @category Event loop
 */
export interface EventLoopOptions {
  /**
   * The loop's clock: returns the time in seconds, from any start; the host's monotonic clock by default.
   *
   * When nothing is ready the loop has the host wake it after the time that is left until the next
   * timer, and then reads the clock again: one that goes slower or stands still makes timers late. The
   * host's timers are those which are global when the loop is made, so a loop that is made while a
   * test's fake time is in force follows it.
   *
   * @example
   * ```ts
   * import * as asyncio from "@pythonic/asyncio";
   * import { assertEquals } from "@std/assert";
   *
   * const start = Date.now();
   * const loop = new asyncio.EventLoop({ time: () => (Date.now() - start) / 1000 });
   * assertEquals(Math.floor(loop.time()), 0);
   * loop.close();
   * ```
   */
  time?: (() => number) | null;
  /** The recorder of the loop's tasks; by default the argument of {@linkcode set_default_trace}. */
  trace?: Recorder | null;
}

/**
 * The class of {@linkcode EventLoop}, which subclasses have as their base.
 *
 * @category Event loop
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * class HalfSpeed extends asyncio.EventLoop {
 *   override time(): number {
 *     return super.time() / 2;
 *   }
 * }
 * const loop = new HalfSpeed({ time: () => 4 });
 * assertEquals(loop.time(), 2);
 * loop.close();
 * ```
 */
export class DefaultEventLoop extends RunLoop implements AbstractEventLoop {
  /** @internal */
  static override get name(): string {
    return "EventLoop";
  }

  readonly #tasks = new TaskList();
  #task_factory: TaskFactory | null = null;
  #exception_handler: ExceptionHandler | null = null;
  readonly #signal_handlers = new SignalHandlers();
  readonly #liveness = new Liveness(this, () => this._is_resting());
  readonly #executor = new DefaultExecutor();
  readonly #unretrieved = new Unretrieved(this);
  readonly #loose = new LooseAwaits();
  readonly #cycles = new CycleSearch();
  // Made for the first cancellation that reaches nothing.
  #slow_cancellations: SlowCancellations | null = null;
  #is_shutting_down = false;
  /** @internal */
  protected override _loose_moment = 0;
  /** @internal */
  protected override _left_moment = 0;
  /** @internal */
  protected readonly _loop_scope: LoopScope = new LoopScope(this as unknown as LoopCore);
  /** @internal The options with which futures and tasks of this loop are made. */
  protected readonly _only_loop: OwnTaskOptions = new OwnOptions<AbstractEventLoop>(this);
  /** @internal */
  protected _asyncgens: AsyncGenerators | null = null;
  /** @internal */
  protected _open: OpenSet | null = null;
  /** @internal */
  protected readonly _network: Network | null = null;
  /** @internal */
  protected readonly _arrivals: Arrivals | null = null;

  /**
   * Makes a loop that does not run yet.
   *
   * @param options `time`, the loop's clock; `trace`, what records its tasks
   * @throws {TypeError} if `time` is no function, or `trace` no recorder
   */
  constructor(options: EventLoopOptions = {}) {
    check_options("EventLoop", options, ["time", "trace"]);
    super(options.time ?? null, options.trace);
    for (const { prototype } of [Future, Task, TimerHandle, new.target]) note_methods(prototype);
    if (is_debug_default()) this.set_debug(true);
  }

  /** @internal */
  protected override _run_begins(): void {
    this.#liveness.begin();
    set_loop_running(this, true);
    this.#slow_cancellations?.watch();
  }

  /** @internal */
  protected override _run_ends(): void {
    set_loop_running(this, false);
    this.#liveness.end();
    this.#slow_cancellations?.clear();
  }

  /** @internal */
  protected override _rests(): void {
    this.#liveness.rest();
  }

  /** @internal */
  protected override _nothing_happens(): void {
    const wait = this.#cycles.next_time - this.time();
    if (wait > 0) this._wake_after(wait, this.#cycles.next_time);
    else this.#cycles.run(this);
  }

  /** @internal */
  protected _note_loose_await(waiting: FutureAwait): void {
    this.#loose.add(waiting);
  }

  /** @internal */
  protected override _note_loose_awaits(task: TaskCore): void {
    this.#loose.add(task as unknown as AnyTask);
  }

  /**
   * @internal Cancels the open awaits of code that belongs to no task any more; `null` if there are none.
   *
   * @param tasks what is about to be cancelled, too
   */
  protected _cancel_loose_awaits(tasks?: ReadonlySet<AnyTask>): PromiseLike<unknown>[] | null {
    return this.#loose.cancel(tasks);
  }

  /** @internal */
  protected _begin_shutdown(): void {
    this.#is_shutting_down = true;
  }

  /**
   * @internal Returns whether an await is refused: the loop is being shut down, and no clean-up has resumed the code or
   * a cancellation was left to it, which is refused once.
   */
  protected override _refuses_await(): boolean {
    if (!this.#is_shutting_down) return false;
    if (this._left_moment > this._dry_moment) {
      this._left_moment = 0;
      this._loose_moment = next_moment(); // its clean-up may wait
      return true;
    }
    return this._loose_moment <= this._dry_moment;
  }

  /** @internal */
  protected _note_unretrieved(future: Future<unknown>): void {
    this.#unretrieved.add(future);
  }

  /** @internal */
  protected _forget_unretrieved(future: Future<unknown>): void {
    this.#unretrieved.delete(future);
  }

  /** @internal Reports all errors that were never retrieved to the exception handler. */
  protected _report_unretrieved(): void {
    this.#unretrieved.report();
  }

  /** @internal */
  protected _register_task(task: AnyTask): void {
    if (this._observer !== null) this._observer.created(task);
    this.#tasks.add(task);
  }

  /** @internal */
  protected _unregister_task(task: AnyTask, state: number, value: unknown): void {
    if (this._observer !== null) this._observer.ended(task, state, value);
    this.#tasks.delete(task);
  }

  /** @internal */
  protected _tasks(): AnyTask[] {
    return this.#tasks.to_array();
  }

  /** @internal */
  protected _note_cancel(task: AnyTask): void {
    if (this._observer !== null) this._observer.cancel_requested(task);
    // Runner.close() cancels between two runs. A loop that works without any is not watched.
    if (!this._is_run() && this._is_active()) return;
    (this.#slow_cancellations ??= new SlowCancellations(this)).note(task);
  }

  /**
   * Runs the loop until an awaitable is done.
   *
   * @param awaitable a future, or anything that `ensure_future` makes one of
   * @returns a promise of its result
   * @throws {RuntimeError} as `run_forever`, and if the loop is stopped before
   */
  async run_until_complete<T>(awaitable: CoroutineLike<T> | PromiseLike<T>): Promise<T> {
    try {
      this._check_can_run();
    } catch (error) {
      if (iscoroutine(awaitable)) awaitable.close();
      throw error;
    }
    const is_new = !(awaitable instanceof Future);
    const future = ensure_future(awaitable, { loop: this }) as Future<T>;
    future["_add_done_callback"](
      stop_its_loop as (future: Future<T>) => void,
      "_run_until_complete_cb()",
    );
    try {
      await this.run_forever();
    } catch (error) {
      if (is_new && future.done() && !future.cancelled()) future.exception();
      throw error;
    } finally {
      future.remove_done_callback(stop_its_loop as (future: Future<T>) => unknown);
    }
    if (!future.done()) throw new RuntimeError("Event loop stopped before Future completed.");
    return future.result();
  }

  /**
   * Closes the loop: scheduled callbacks are dropped. Closing it twice does nothing.
   *
   * @throws {RuntimeError} if the loop runs
   */
  close(this: object): void;
  close(): void {
    if (this._is_run()) throw new RuntimeError("Cannot close a running event loop");
    if (this.is_closed()) return;
    this._report_unretrieved();
    this._open?.close();
    this._close();
    this.#loose.clear();
    this.#signal_handlers.clear();
    this.#executor.close();
  }

  /**
   * Closes all asynchronous generators of `async_generator()` that were started and not finished.
   *
   * See {@link https://docs.python.org/3/library/asyncio-eventloop.html#asyncio.loop.shutdown_asyncgens Python's shutdown_asyncgens}.
   */
  shutdown_asyncgens(): Coroutine<void> {
    return library_coroutine("shutdown_asyncgens", this.#close_generators());
  }

  *#close_generators(): Generator<unknown, void, unknown> {
    if (this._asyncgens !== null) yield* this._asyncgens.close();
  }

  /**
   * Shuts the default executor down once its work is done.
   *
   * @param timeout how long to wait for it, in seconds; without limit by default
   */
  shutdown_default_executor(timeout: number | null = null): Coroutine<void> {
    return library_coroutine(
      "shutdown_default_executor",
      this.#executor.shut_down(this, timeout),
    );
  }

  /**
   * Calls a callback in the loop's next iteration, after those that were scheduled before.
   *
   * @param callback the function
   * @param args its arguments; last may come `{ context }`, in which it runs
   * @returns a handle by which it can be cancelled
   * @throws {RuntimeError} if the loop is closed
   */
  call_soon<A extends unknown[]>(callback: Callback<A>, ...args: A): Handle;
  /** Calls a callback in the next iteration, in a context. */
  call_soon<A extends unknown[]>(callback: Callback<A>, ...args: [...A, CallbackContext]): Handle;
  call_soon(callback: Callback<never>, ...args: unknown[]): Handle {
    return this.#call_soon("call_soon", callback, args);
  }

  /**
   * Calls a callback in the loop's next iteration; for callers outside of the loop.
   *
   * @param callback the function
   * @param args its arguments; last may come `{ context }`, in which it runs
   * @returns a handle by which it can be cancelled
   * @throws {RuntimeError} if the loop is closed
   */
  call_soon_threadsafe<A extends unknown[]>(
    callback: Callback<A>,
    ...args: A
  ): Handle;
  /** Calls a callback in the next iteration, in a context. */
  call_soon_threadsafe<A extends unknown[]>(
    callback: Callback<A>,
    ...args: [...A, CallbackContext]
  ): Handle;
  call_soon_threadsafe(
    callback: Callback<never>,
    ...args: unknown[]
  ): Handle {
    return this.#call_soon("call_soon_threadsafe", callback, args);
  }

  #call_soon(method: string, callback: Callback<never>, args: unknown[]): Handle {
    this._check_closed();
    check_callback(method, callback, this.get_debug());
    const handle = new Handle(callback, this, ...split_context(method, callback, args));
    this._schedule(handle as unknown as Runnable);
    return handle;
  }

  /**
   * Calls a callback after a delay.
   *
   * @param delay how long, in seconds
   * @param callback the function
   * @param args its arguments; last may come `{ context }`, in which it runs
   * @returns a handle by which it can be cancelled
   * @throws {RuntimeError} if the loop is closed
   */
  call_later<A extends unknown[]>(
    delay: number,
    callback: Callback<A>,
    ...args: A
  ): TimerHandle;
  /** Calls a callback after a delay, in a context. */
  call_later<A extends unknown[]>(
    delay: number,
    callback: Callback<A>,
    ...args: [...A, CallbackContext]
  ): TimerHandle;
  call_later(
    delay: number,
    callback: Callback<never>,
    ...args: unknown[]
  ): TimerHandle {
    check_time("call_later", "delay", delay);
    return this.#call_at("call_later", this.time() + delay, callback, args);
  }

  /**
   * Calls a callback at a time of the loop's clock.
   *
   * @param when the time, in seconds, as `time()` returns it
   * @param callback the function
   * @param args its arguments; last may come `{ context }`, in which it runs
   * @returns a handle by which it can be cancelled
   * @throws {RuntimeError} if the loop is closed
   */
  call_at<A extends unknown[]>(
    when: number,
    callback: Callback<A>,
    ...args: A
  ): TimerHandle;
  /** Calls a callback at a time, in a context. */
  call_at<A extends unknown[]>(
    when: number,
    callback: Callback<A>,
    ...args: [...A, CallbackContext]
  ): TimerHandle;
  call_at(
    when: number,
    callback: Callback<never>,
    ...args: unknown[]
  ): TimerHandle {
    check_time("call_at", "when", when);
    return this.#call_at("call_at", when, callback, args);
  }

  #call_at(method: string, when: number, callback: Callback<never>, args: unknown[]): TimerHandle {
    this._check_closed();
    check_callback(method, callback, this.get_debug());
    const handle = new TimerHandle(when, callback, this, ...split_context(method, callback, args));
    this._schedule_timer(handle as unknown as Timed);
    return handle;
  }

  /** Makes a pending future of this loop. */
  create_future<T>(): Future<T> {
    return new Future<T>(this._only_loop);
  }

  /**
   * Makes a task of a coroutine, by the task factory if one is set.
   *
   * @param coro a coroutine, or a function or generator object that has not started
   * @param options `name`, `context`, `eager_start`
   * @returns the task
   * @throws {RuntimeError} if the loop is closed; the coroutine is closed
   * @throws {TypeError} if `coro` is a promise: its work has started already
   */
  create_task<T>(coro: CoroutineLike<T, NotStarted>, options: TaskOptions = NO_OPTIONS): Task<T> {
    this._check_closed(coro);
    if (this.#task_factory !== null) return this.#task_factory(this, coro, options);
    if (options === NO_OPTIONS) return new Task(coro, this._only_loop);
    check_options("create_task", options, ["name", "context", "eager_start"]);
    return new Task(coro, { ...options, loop: this });
  }

  /**
   * Sets the factory that `create_task` makes tasks with.
   *
   * @param factory a function `(loop, coro, options) => Task`, or `null` for the default
   * @throws {TypeError} if it is no function
   */
  set_task_factory(factory: TaskFactory | null): void {
    if (factory !== null && typeof factory !== "function") {
      throw new TypeError("task factory must be a function or null");
    }
    this.#task_factory = factory;
  }

  /** Returns the factory that `create_task` makes tasks with, `null` for the default. */
  get_task_factory(): TaskFactory | null {
    return this.#task_factory;
  }

  /**
   * Runs a function in an executor.
   *
   * Without another executor nothing runs in parallel: the default one calls the function in a later turn of this thread.
   * Cancelling the future cancels the call if the executor can: a pool ends the worker of a running one.
   *
   * @param executor the executor; `null` for the default one
   * @param fn the function
   * @param args its arguments; last may come `{ context }`, in which it runs
   * @returns a future of what the function returns
   * @throws {RuntimeError} if the loop is closed, or the default executor has been shut down
   */
  run_in_executor<A extends unknown[], R>(
    executor: Executor | null,
    fn: (...args: A) => R,
    ...args: A
  ): Future<Awaited<R>>;
  /** Runs a function in an executor, in a context. */
  run_in_executor<A extends unknown[], R>(
    executor: Executor | null,
    fn: (...args: A) => R,
    ...args: [...A, CallbackContext]
  ): Future<Awaited<R>>;
  /**
   * Calls an export of a module in an executor, by name.
   *
   * @param executor the executor, such as a {@linkcode WorkerPoolExecutor}
   * @param name the name of the export
   * @param args its arguments
   * @returns a future of what it returns
   */
  run_in_executor<M extends object, N extends ExportName<M>>(
    executor: ModuleExecutor<M>,
    name: N,
    ...args: ExportParameters<M, N>
  ): Future<ExportResult<M, N>>;
  /**
   * Calls an export of the default executor's module by name.
   *
   * @param executor `null`
   * @param name the name of the export
   * @param args its arguments
   * @returns a future of what it returns
   */
  run_in_executor<F extends (...args: never[]) => unknown = (...args: unknown[]) => unknown>(
    executor: null,
    name: string,
    ...args: Parameters<F>
  ): Future<Awaited<ReturnType<F>>>;
  run_in_executor(
    executor: AnyExecutor | null,
    fn: Callback<unknown[]> | string,
    ...args: unknown[]
  ): Future<unknown> {
    this._check_closed();
    let call = fn as Callback<unknown[]>;
    if (typeof fn !== "string") {
      check_callback("run_in_executor", fn, this.get_debug());
      const [given, context] = split_context("run_in_executor", fn, args);
      if (context !== null) call = (...passed) => context.run(fn as Callback<unknown[]>, ...passed);
      args = given;
    }
    const chosen = (executor ?? this.#executor.get()) as Executor;
    return wrap_future(chosen.submit(call, ...args), { loop: this });
  }

  /**
   * Sets the executor that `run_in_executor(null, …)` and `to_thread()` use.
   *
   * @param executor an object with `submit(fn, ...args)` that returns a promise; one that calls exports by name
   * takes no functions
   * @throws {TypeError} if it has no method `submit`
   */
  set_default_executor(executor: Executor): void;
  set_default_executor<M extends object>(executor: ModuleExecutor<M>): void;
  set_default_executor(executor: AnyExecutor): void {
    this.#executor.set(executor);
  }

  /**
   * Has the loop call a callback when the process gets a signal.
   *
   * @param signal its name: `"SIGUSR1"`
   * @param callback the function
   * @param args its arguments
   * @throws {ValueError} if the host does not know the signal
   * @throws {RuntimeError} if it cannot be caught, or there are no signals here
   * @throws {TypeError} if the callback is a coroutine function, or the name no string
   */
  add_signal_handler<A extends unknown[]>(
    signal: string,
    callback: Callback<A>,
    ...args: A
  ): void {
    refuse_coroutine("add_signal_handler", callback);
    check_callback("add_signal_handler", callback, false);
    check_signal(signal);
    this._check_closed();
    this.#signal_handlers.set(signal, () => {
      this.call_soon_threadsafe(callback, ...args);
    });
    this.#liveness.set_handlers(this.#signal_handlers.size);
  }

  /**
   * Stops calling a signal's callback.
   *
   * @param signal its name
   * @returns whether there was one
   */
  remove_signal_handler(signal: string): boolean {
    const had_one = this.#signal_handlers.delete(signal);
    this.#liveness.set_handlers(this.#signal_handlers.size);
    return had_one;
  }

  /**
   * Sets a function `(loop, context)` that is called with errors that no code handled.
   *
   * @param handler the function, or `null` for the default, which writes to the console
   * @throws {TypeError} if it is no function
   */
  set_exception_handler(handler: ExceptionHandler | null): void {
    if (handler !== null && typeof handler !== "function") {
      throw new TypeError(`A function or null is expected, got ${repr(handler)}`);
    }
    this.#exception_handler = handler;
  }

  /** Returns the handler of errors that no code handled, `null` for the default. */
  get_exception_handler(): ExceptionHandler | null {
    return this.#exception_handler;
  }

  /**
   * Writes the message, the other entries of the context and the error to `console.error`.
   *
   * @param context what happened
   */
  default_exception_handler(context: ExceptionContext): void {
    print_report(context);
  }

  /**
   * Passes an error to the exception handler.
   *
   * @param context what happened: `message`, `exception`, `task`, `future`, `handle`, …
   */
  override call_exception_handler(context: ExceptionContext): void {
    report(this, this.#exception_handler, context);
  }

  /** Python's `repr`. */
  override toString(): string {
    return `<${this.constructor.name} running=${this.is_running()} closed=${this.is_closed()} ` +
      `debug=${this.get_debug()}>`;
  }
}

let debug_default: boolean | null = null;

// As PYTHONASYNCIODEBUG in CPython: the variable is set, and not to the empty string.
function is_debug_default(): boolean {
  return debug_default ??= Boolean(environment_variable("ASYNCIO_DEBUG"));
}

function stop_its_loop(future: Future<unknown>): void {
  if (future["_state"] === FAILED && leaves_the_loop(future.exception())) return;
  future.get_loop().stop();
}

/**
 * A loop of any class, as `get_running_loop()` and the like return it.
 *
 * @category Event loop
 */
export type EventLoop = AbstractEventLoop;
/**
 * The event loop: it calls callbacks, runs the steps of tasks and watches the time.
 *
 * It never blocks. The host's timers and I/O get a turn at least every millisecond of busy work.
 * Programs use `run()` and rarely a loop itself.
 *
 * See {@link https://docs.python.org/3/library/asyncio-eventloop.html Python's event loop}.
 *
 * @category Event loop
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * const loop = new asyncio.EventLoop();
 * const order: string[] = [];
 * loop.call_soon(() => order.push("soon"));
 * loop.call_later(0.01, () => loop.stop());
 * await loop.run_forever();
 * loop.close();
 * assertEquals(order, ["soon"]);
 * ```
 */
export const EventLoop: typeof DefaultEventLoop = DefaultEventLoop;

set_default_loop_maker(() => new DefaultEventLoop());
