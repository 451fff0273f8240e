/**
 * The event loop: a ready queue, a heap of timers, and the step protocol that runs native
 * async functions one step at a time.
 *
 * @module
 */

import { check_context, Context } from "../core/contextvars.ts";
import {
  type Coroutine,
  type CoroutineLike,
  iscoroutine,
  iscoroutinefunction,
  library_coroutine,
} from "../core/coroutines.ts";
import { Deque } from "../internal/deque.ts";
import {
  type AbstractEventLoop,
  BaseEventLoop,
  type Callback,
  type CallbackContext,
  type ExceptionContext,
  type ExceptionHandler,
  type Executor,
  Handle,
  set_default_loop_maker,
  set_loop_running,
  TimerHandle,
  type TrackedAsyncGenerator,
} from "./events.ts";
import type {
  Continuation,
  OpenAwait,
  Runnable,
  Scope,
  TaskCore,
  Timed,
} from "../core/contracts.ts";
import {
  DeadlockError,
  is_exception,
  leaves_the_loop,
  RuntimeError,
  TimeoutError,
  ValueError,
} from "../core/exceptions.ts";
import { is_plain_object, repr } from "../internal/format_helpers.ts";
import { Await, type FutureAwait } from "../core/awaits.ts";
import { FAILED, Future, wrap_future } from "../core/futures.ts";
import { LoopScope, next_moment, open_awaits } from "../core/scopes.ts";
import { NOT_STARTED, Steps } from "../core/steps.ts";
import { watch_untouched } from "../core/unawaited.ts";
import { heapify, heappop, heappush } from "../internal/heapq.ts";
import { has_async_context } from "../host/async_context.ts";
import { create_macrotasks, type Macrotasks, TURNS_TO_IO } from "../host/macrotask.ts";
import { add_signal_listener, has_signals, remove_signal_listener } from "../host/signals.ts";
import {
  capture_timers,
  has_requests,
  host_date,
  host_now,
  host_timers,
  keep_alive,
  MAX_HOST_DELAY,
  type Timers,
} from "../host/timers.ts";
import { check_options, OwnOptions } from "../internal/options.ts";
import { check_bound, note_methods } from "../internal/unbound.ts";
import {
  ensure_future,
  NO_OPTIONS,
  type OwnTaskOptions,
  Task,
  type TaskFactory,
  type TaskOptions,
} from "../core/tasks.ts";
import { gather, wait_for } from "../waiting.ts";
import type { TraceRecorder } from "../trace/recorder.ts";
import {
  count_debug_loops,
  is_nothing_entered,
  report_if_uncaught,
  running_loop,
  set_stepping_scope,
  with_context,
} from "../core/current.ts";
import { Deadline } from "../timeouts.ts";
import type { Network, OpenSet } from "../host/endpoints.ts";
import { SlowCancellations } from "./slow_cancellations.ts";
import { Unretrieved } from "./unretrieved.ts";
import { find_cycle } from "./waits.ts";

type AnyTask = Task<unknown>;

// Of CPython: cancelled timers leave the heap at once only when there are this many, and this share.
const MIN_SCHEDULED_TIMERS = 100;
const MIN_CANCELLED_FRACTION = 0.5;

// Below this number, loose awaits that are over are not searched for.
const MIN_LOOSE = 100;

// How many callbacks run at most between two readings of the clock by which the host gets a turn.
const MAX_UNCHECKED = 16;

const RESOLVED: Promise<undefined> = Promise.resolve(undefined);

const earlier = (a: Timed, b: Timed): boolean => a._when < b._when;

// Of a clock that is given: the time of day in seconds is a number with a quarter of a microsecond as
// its last place, and a sum of such numbers may be off by it.
const GIVEN_CLOCK_RESOLUTION = 1e-6;

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
  trace?: TraceRecorder | null;
}

const NO_LOOP_OPTIONS: EventLoopOptions = Object.freeze({});

interface Run {
  resolve(): void;
  reject(error: unknown): void;
  let_end(): void;
}

/** Runs functions one after the other in turns of this thread's host. */
class HostTurnExecutor implements Executor {
  submit<A extends unknown[], R>(fn: (...args: A) => R, ...args: A): Promise<Awaited<R>> {
    return new Promise<Awaited<R>>((resolve, reject) => {
      create_macrotasks(() => {
        try {
          resolve(fn(...args) as Awaited<R>);
        } catch (error) {
          reject(error);
        }
      }).request();
    });
  }

  shutdown(): void {}
}

let default_trace: TraceRecorder | null = null;

/**
 * Sets the recorder of the tasks of all loops that are made from now on without the option `trace`.
 *
 * By it a tool sees what a program does that makes its loops itself: `deno task trace` is one.
 *
 * @param recorder the recorder; `null`, as in the beginning, for none
 * @category Tracing
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { set_default_trace, TraceRecorder } from "@pythonic/asyncio/trace";
 * import { assertEquals } from "@std/assert";
 *
 * const recorder = new TraceRecorder();
 * set_default_trace(recorder);
 * await asyncio.run(asyncio.sleep(0.001));
 * set_default_trace(null);
 * assertEquals(recorder.events[0].kind, "created");
 * ```
 */
export function set_default_trace(recorder: TraceRecorder | null): void {
  default_trace = recorder;
}

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
export class EventLoop extends BaseEventLoop implements AbstractEventLoop {
  /** @internal */
  static override get name(): string {
    return "EventLoop";
  }

  /** How long a callback or a step may take before debug mode warns, in seconds; 0.1 by default. */
  slow_callback_duration = 0.1;

  // The ready queue; an iteration runs as many as there were when it began.
  readonly #ready = new Deque<Runnable>();
  #todo = 0;
  #in_iteration = false;
  #timers: Timed[] = [];
  #cancelled_timers = 0;

  readonly #steps = new Steps();
  /** @internal */
  _dry_moment = 0;
  /** @internal */
  _loose_moment = 0;
  #is_shutting_down = false;
  /** @internal */
  readonly _loop_scope: LoopScope = new LoopScope(this);
  // Awaits by code of ended tasks and of none: referred to weakly, since such a wait may never end.
  readonly #loose = new Set<WeakRef<FutureAwait | AnyTask>>();

  #run: Run | null = null;
  #ambient = false;
  #stopping = false;
  #closed = false;
  // On the stack of the loop itself.
  #going = false;
  /** @internal Counts what happens to the loop from outside of its iterations and within. */
  protected _activity = 0;
  // Nothing is ready: only a timer, or code that schedules something, wakes the loop.
  #asleep = false;

  readonly #turns: Macrotasks = create_macrotasks(() => this.#on_turn());
  #turn_requested = false;
  // How many more turns the host gets before the loop continues.
  #turns_to_give = 0;
  // The next turn of the host is requested although nothing is ready.
  #looks_again = false;
  #slice = 0;
  #unchecked = 1;
  #until_check = 1;
  readonly #clock: (() => number) | null;
  // The host's clocks take longer to read than a callback takes to run. So its monotonic clock is read
  // again when its time of day, which is read once in a few callbacks, has advanced.
  readonly #has_host_clock: boolean;
  #last_time = 0;
  #last_date = 0;
  #date_of_time = -1;
  readonly #host_timers: Timers;
  #host_timer: unknown = null;
  #host_timer_when = Infinity;

  readonly #trace: TraceRecorder | null;
  #debug = false;
  // True if the loop's steps are observed: in debug mode, or by a recorder.
  #watched: boolean;
  #running_handle: Runnable | null = null;
  #handle_started = 0;
  // When the call on the stack returned: microtasks may go on with the step.
  #handle_returned = 0;

  #task_factory: TaskFactory | null = null;
  #exception_handler: ExceptionHandler | null = null;
  // A linked list, in the order of creation.
  #first_task: AnyTask | null = null;
  #last_task: AnyTask | null = null;
  readonly #unretrieved = new Unretrieved(this);
  readonly #signal_handlers = new Map<string, () => void>();
  #default_executor: Executor | null = null;
  #executor_shut_down = false;

  /** @internal The options with which futures and tasks of this loop are made. */
  readonly _only_loop: OwnTaskOptions = new OwnOptions<AbstractEventLoop>(this);
  /** @internal */
  readonly _asyncgens: Set<TrackedAsyncGenerator> = new Set();
  /** @internal */
  _open: OpenSet | null = null;
  /** @internal */
  readonly _network: Network | null = null;

  /**
   * Makes a loop that does not run yet.
   *
   * @param options `time`, the loop's clock; `trace`, what records its tasks
   * @throws {TypeError} if `time` is no function
   */
  constructor(options: EventLoopOptions = NO_LOOP_OPTIONS) {
    super();
    check_options("EventLoop", options, ["time", "trace"]);
    const clock = options.time ?? null;
    if (clock !== null && typeof clock !== "function") {
      throw new TypeError(
        `time of EventLoop() must be a function that gives seconds, received ${repr(clock)}`,
      );
    }
    this.#clock = clock;
    this.#has_host_clock = clock === null && this.time === EventLoop.prototype.time;
    this.#host_timers = clock === null ? host_timers : capture_timers();
    this._clock_resolution = clock === null ? 0 : GIVEN_CLOCK_RESOLUTION;
    this.#trace = options.trace === undefined ? default_trace : options.trace;
    this.#watched = this.#trace !== null;
    for (const { prototype } of [Future, Task, new.target]) note_methods(prototype);
  }

  // Within a call from user code it runs only what runs no user code at once.
  readonly #go = (is_called = false): void => {
    if (this.#steps.open !== null || this.#going) return;
    set_stepping_scope(null);
    if (!this.#is_active()) return;
    this.#asleep = false;
    this.#going = true;
    let runnable: Runnable | null = null;
    try {
      while (this.#todo > 0 || this.#begin_iteration()) {
        if (this.#todo === 0) continue;
        if (is_called && !only_resumes(this.#ready.first)) {
          RESOLVED.then(this.#go);
          return;
        }
        if (--this.#until_check <= 0 && this.#slice_is_over()) {
          this.#turns_to_give = TURNS_TO_IO;
          this.#request_turn();
          return;
        }
        this.#todo--;
        this._activity++; // it may settle native promises
        set_stepping_scope(null);
        runnable = this.#ready.shift();
        if (this.#watched) this.#run_watched(runnable);
        else runnable._run();
        if (this.#steps.open !== null) return;
        runnable = null;
      }
    } catch (error) {
      if (runnable === null || leaves_the_loop(error) || error instanceof DeadlockError) {
        this._interrupt(error);
      } else {
        // As CPython's handles do, for the callbacks of the library itself.
        this.call_exception_handler({
          message: `Exception in callback ${name_of(runnable)}`,
          exception: error,
        });
        RESOLVED.then(this.#go);
      }
    } finally {
      this.#going = false;
    }
  };

  #is_active(): boolean {
    return this.#run !== null || this.#ambient;
  }

  // Does what CPython's loop does between two rounds of callbacks; false if there is nothing to run now.
  #begin_iteration(): boolean {
    if (this.#in_iteration) {
      this.#in_iteration = false;
      if (this.#stopping) {
        this.#end_run(null);
        return false;
      }
    }
    this.#drop_cancelled_timers();
    if (this.#ready.length === 0 && !this.#stopping && !this._wait_for_work()) {
      this.#asleep = true;
      return false;
    }
    const timers = this.#timers;
    if (timers.length > 0) {
      const now = this.#recent_time();
      while (timers.length > 0 && this.#is_due(timers[0]!._when, now)) {
        const timer = heappop(timers, earlier);
        timer._scheduled = false;
        this.#ready.push(timer);
      }
    }
    this.#todo = this.#ready.length;
    this.#in_iteration = true;
    return true;
  }

  #drop_cancelled_timers(): void {
    const timers = this.#timers;
    if (
      timers.length > MIN_SCHEDULED_TIMERS &&
      this.#cancelled_timers / timers.length > MIN_CANCELLED_FRACTION
    ) {
      this.#timers = timers.filter((timer) => {
        if (timer._cancelled) timer._scheduled = false;
        return !timer._cancelled;
      });
      heapify(this.#timers, earlier);
      this.#cancelled_timers = 0;
      return;
    }
    while (timers.length > 0 && timers[0]!._cancelled) {
      this.#cancelled_timers--;
      heappop(timers, earlier)._scheduled = false;
    }
  }

  #is_due(when: number, now: number): boolean {
    return when <= now || when < now + this._clock_resolution;
  }

  /** @internal How much later than now a timer may be to be due; of use where time jumps. */
  protected readonly _clock_resolution: number;

  /** @internal The time of the earliest timer, or `null`. */
  protected _next_timer(): number | null {
    return this.#timers.length > 0 ? this.#timers[0]!._when : null;
  }

  /**
   * @internal Called when nothing is ready: returns true if a timer is due, else sees to it that the
   * loop is woken when one is.
   */
  protected _wait_for_work(): boolean {
    const when = this._next_timer();
    if (when === null) {
      // The timer it was set for was cancelled; a program must not wait for it to end.
      if (this.#run === null) this.#forget_host_timer();
      this.#report_cycle();
      return false;
    }
    const now = this.time();
    if (this.#is_due(when, now)) return true;
    this._wake_after(when - now, when);
    return false;
  }

  /** @internal Has the host wake the loop after a delay; a host's timer that is set for earlier stays. */
  protected _wake_after(delay: number, when: number): void {
    if (this.#host_timer !== null && !has_requests) {
      if (this.#host_timer_when <= when) return;
      this.#host_timers.clear(this.#host_timer);
    }
    // Rounded up: a host's timers count in milliseconds, and a sleep must not end early.
    const milliseconds = Math.max(Math.ceil((delay - this._clock_resolution) * 1000), 1);
    this.#host_timer_when = when;
    this.#host_timer = this.#host_timers.set(() => {
      this.#host_timer = null;
      this.#host_timer_when = Infinity;
      this.#slice = this.#last_date = host_date();
      // However busy the machine is: what a fake time's tick makes due is done before the time advances.
      this.#until_check = MAX_UNCHECKED;
      this.#go();
    }, Math.min(milliseconds, MAX_HOST_DELAY));
  }

  /** @internal Has the loop check for work again when the microtask queue has run dry. */
  protected _look_again(): void {
    this.#looks_again = true;
    this.#request_turn();
  }

  #forget_host_timer(): void {
    if (this.#host_timer !== null) this.#host_timers.clear(this.#host_timer);
    this.#host_timer = null;
    this.#host_timer_when = Infinity;
  }

  /** @internal Returns whether a foreign wait of this loop is in progress. */
  protected _has_foreign_waits(): boolean {
    return this.#steps.any_foreign;
  }

  /** @internal Returns whether a call of `run_forever` or `run_until_complete` is in progress. */
  protected _is_run(): boolean {
    return this.#run !== null;
  }

  #slice_is_over(): boolean {
    this.#last_date = host_date();
    if (this.#last_date - this.#slice >= 1) {
      this.#until_check = this.#unchecked = 1;
      return true;
    }
    this.#until_check = this.#unchecked = Math.min(this.#unchecked * 2, MAX_UNCHECKED);
    return false;
  }

  #request_turn(): void {
    if (!this.#turn_requested || has_requests) {
      this.#turn_requested = true;
      this.#turns.request();
    }
  }

  #on_turn(): void {
    this.#turn_requested = false;
    this._dry_moment = next_moment();
    watch_untouched();
    if (--this.#turns_to_give > 0) {
      this.#request_turn();
      return;
    }
    if (this.#asleep && !this.#looks_again) return;
    this.#looks_again = false;
    this.#slice = this.#last_date = host_date();
    // The microtask queue has run dry, so a step that is still open waits for a native promise.
    if (this.#debug && this.#steps.open !== null) this.#end_measurement(this.#handle_returned);
    const foreign = this.#steps.run_dry();
    if (this.#trace !== null) {
      for (const task of foreign) this.#trace._waits_elsewhere(task as AnyTask);
    }
    set_stepping_scope(null);
    // Not from here: an error that a task makes costs the more the deeper the stack is.
    RESOLVED.then(this.#go);
  }

  #wake(): void {
    this.#asleep = false;
    this.#request_turn();
  }

  #run_watched(runnable: Runnable): void {
    const trace = this.#trace;
    if (trace !== null) trace._begin_run(runnable);
    try {
      if (this.#debug) this.#run_measured(runnable);
      else runnable._run();
    } finally {
      if (trace !== null) trace._end_run();
    }
  }

  #run_measured(runnable: Runnable): void {
    this.#running_handle = runnable;
    this.#handle_started = this.time();
    runnable._run();
    this.#handle_returned = this.time();
    if (this.#steps.open === null) this.#end_measurement(this.#handle_returned);
  }

  #end_measurement(at: number): void {
    const runnable = this.#running_handle;
    if (runnable === null) return;
    this.#running_handle = null;
    const took = at - this.#handle_started;
    if (took >= this.slow_callback_duration) {
      const what = runnable instanceof Handle || runnable instanceof Task
        ? String(runnable)
        : "a step of a task";
      console.warn(`Executing ${what} took ${took.toFixed(3)} seconds`);
    }
  }

  /** @internal */
  _schedule(runnable: Runnable): void {
    if (this.#closed) throw this.#closed_error();
    if (this.#trace !== null) this.#trace._scheduled(runnable);
    this.#ready.push(runnable);
    this._activity++;
    if (this.#asleep || has_requests) this.#wake();
  }

  /** @internal */
  _schedule_timer(timer: Timed): void {
    // NaN has no place in an order; CPython takes such a time as over.
    if (Number.isNaN(timer._when)) return this._schedule(timer);
    if (this.#closed) throw this.#closed_error();
    heappush(this.#timers, timer, earlier);
    timer._scheduled = true;
    this._activity++;
    if (this.#asleep || has_requests) this.#wake();
    if (has_requests) this._wake_after(timer._when - this.time(), timer._when);
  }

  /** @internal */
  _timer_cancelled(timer: Timed): void {
    if (!timer._scheduled) return;
    this.#cancelled_timers++;
    if (this.#asleep && this.#run === null) this.#wake();
  }

  /** @internal */
  _ensure_ambient(): void {
    if (this.#ambient || this.#run !== null) return;
    this.#check_closed();
    this.#ambient = true;
    this.#wake();
  }

  /** @internal */
  _begin_step(task: TaskCore, scope: Scope): void {
    if (!this.#is_active()) return;
    set_stepping_scope(scope);
    if (!this.#steps.begin(task)) return;
    this._activity++;
    this.#asleep = false;
    this.#request_turn();
  }

  /** @internal */
  _end_step(task: TaskCore, continuation: Continuation): void {
    if (this.#trace !== null) this.#trace._waits(task as AnyTask, continuation);
    if (!this.#leave_step(task)) return;
    // Not an await of the same task: another one of the code, in a race with it, may be about to begin.
    if (
      this.#ready.length > 0 && has_async_context && is_nothing_entered() &&
      !is_await_of(this.#ready.first, task)
    ) this.#go(true);
    else RESOLVED.then(this.#go);
  }

  /** @internal */
  _end_last_step(task: AnyTask): void {
    if (this.#leave_step(task)) this.#go();
  }

  /** @internal */
  _watch_microtasks(): void {
    if (this.#is_active()) this.#request_turn();
  }

  // True if it was the last step in progress.
  #leave_step(task: TaskCore): boolean {
    const is_last = this.#steps.end(task);
    if (!is_last) {
      this._activity++;
      const { open } = this.#steps;
      if (open !== null) set_stepping_scope(open);
    } else if (this.#debug) this.#end_measurement(this.time());
    return is_last;
  }

  /** @internal */
  _note_foreign(wait: object): void {
    this._activity++;
    this.#steps.add_foreign(wait);
  }

  /** @internal */
  _forget_foreign(wait: object): void {
    this.#steps.delete_foreign(wait);
  }

  /** @internal */
  _note_loose_await(waiting: FutureAwait): void {
    this.#add_loose(waiting);
  }

  /** @internal */
  _note_loose_awaits(task: AnyTask): void {
    this.#add_loose(task);
  }

  #add_loose(holder: FutureAwait | AnyTask): void {
    if (typeof WeakRef === "undefined") return;
    if (this.#loose.size >= this.#loose_limit) {
      for (const reference of this.#loose) {
        const held = reference.deref();
        if (held === undefined || !is_still_loose(held)) this.#loose.delete(reference);
      }
      this.#loose_limit = 2 * this.#loose.size + MIN_LOOSE;
    }
    this.#loose.add(new WeakRef(holder));
  }

  // When the loose awaits are next searched for those that are over.
  #loose_limit = MIN_LOOSE;

  /** @internal */
  _begin_shutdown(): void {
    this.#is_shutting_down = true;
  }

  /** @internal Returns whether an await is refused: the loop is being shut down and no clean-up has resumed the code. */
  _refuses_await(): boolean {
    return this.#is_shutting_down && this._loose_moment <= this._dry_moment;
  }

  /** @internal Cancels the open awaits of code that belongs to no task any more; false if there are none. */
  _cancel_loose_awaits(): PromiseLike<unknown>[] | null {
    let any = false;
    const endings: PromiseLike<unknown>[] = [];
    const cancel = (open: OpenAwait): void => {
      const ending = open._cancel_outside();
      if (ending !== null) endings.push(ending);
    };
    for (const reference of this.#loose) {
      const held = reference.deref();
      if (held === undefined || !is_still_loose(held)) continue;
      any = true;
      if (held instanceof Task) {
        for (const open of open_awaits(held)) cancel(open as OpenAwait);
      } else cancel(held);
    }
    this.#loose.clear();
    return any ? endings : null;
  }

  /** @internal */
  _interrupt(error: unknown): void {
    this.#todo = 0;
    this.#in_iteration = false;
    if (this.#run !== null) {
      this.#end_run(error);
    } else {
      if (this.#ambient) this.#wake(); // callbacks may be ready
      this.call_exception_handler({
        message: "Unhandled exception in event loop",
        exception: error,
      });
    }
  }

  /** @internal */
  _note_unretrieved(future: Future<unknown>): void {
    this.#unretrieved.add(future);
  }

  /** @internal */
  _forget_unretrieved(future: Future<unknown>): void {
    this.#unretrieved.delete(future);
  }

  /** @internal Reports all errors that were never retrieved to the exception handler. */
  _report_unretrieved(): void {
    this.#unretrieved.report();
  }

  /** @internal */
  _register_task(task: AnyTask): void {
    if (this.#trace !== null) this.#trace._created(task);
    const last = this.#last_task;
    task._previous_task = last;
    if (last === null) this.#first_task = task;
    else last._next_task = task;
    this.#last_task = task;
  }

  /** @internal */
  _note_cancel(task: AnyTask): void {
    if (this.#trace !== null) this.#trace._cancel_requested(task);
  }

  /** @internal */
  _note_unheard(task: AnyTask): void {
    // Runner.close() cancels between two runs. A loop that works without any is not watched.
    if ((this.#run === null && this.#ambient) || task._step === NOT_STARTED) return;
    (this.#slow_cancellations ??= new SlowCancellations(this)).add(task);
  }

  #slow_cancellations: SlowCancellations | null = null;

  /** @internal */
  _unregister_task(task: AnyTask, state: number, value: unknown): void {
    if (this.#trace !== null) this.#trace._ended(task, state, value);
    const { _previous_task: previous, _next_task: next } = task;
    if (previous === null) this.#first_task = next;
    else previous._next_task = next;
    if (next === null) this.#last_task = previous;
    else next._previous_task = previous;
    task._previous_task = task._next_task = null;
  }

  /** @internal */
  _tasks(): AnyTask[] {
    const tasks: AnyTask[] = [];
    for (let task = this.#first_task; task !== null; task = task._next_task) tasks.push(task);
    return tasks;
  }

  #report_cycle(): void {
    if (this.#steps.any_foreign || this.#run === null) return;
    const start = this.time();
    if (start < this.#next_search) {
      this._wake_after(this.#next_search - start, this.#next_search);
      return;
    }
    const cycle = find_cycle(this._tasks());
    // With many tasks a search is slow: it takes at most a hundredth of the time.
    const end = this.time();
    this.#next_search = end + 100 * (end - start);
    if (cycle === null || cycle.every((task) => this.#reported.has(task))) return;
    for (const task of cycle) this.#reported.add(task);
    const names = [...cycle, cycle[0]!].map((task) => task.get_name()).join(" -> ");
    this.call_exception_handler({
      message: `Tasks wait for each other, none can go on until one is cancelled: ${names}`,
      task: cycle[0]!,
    });
  }

  // When the next search for a cycle may begin.
  #next_search = 0;
  // The tasks of cycles that were reported.
  readonly #reported = new WeakSet<AnyTask>();

  #check_closed(): void {
    if (this.#closed) throw this.#closed_error();
  }

  #closed_error(): RuntimeError {
    const error = new RuntimeError("Event loop is closed");
    if (is_nothing_entered()) report_if_uncaught(error, this);
    return error;
  }

  #check_not_running(): void {
    if (this.#run !== null) throw new RuntimeError("This event loop is already running");
    if (running_loop() !== null) {
      throw new RuntimeError("Cannot run the event loop while another loop is running");
    }
  }

  #end_run(error: unknown): void {
    const run = this.#run as Run;
    this.#run = null;
    this.#stopping = false;
    set_loop_running(this, false);
    run.let_end();
    this.#slow_cancellations?.clear();
    this.#turns_to_give = 0;
    if (this.#ambient) {
      this.#wake();
    } else {
      this.#forget_host_timer();
      if (this.#turn_requested) {
        this.#turn_requested = false;
        this.#turns.cancel();
      }
    }
    if (error === null) run.resolve();
    else run.reject(error);
  }

  /**
   * Runs the loop until `stop()` is called.
   *
   * If `stop()` was called before, it runs what is ready, once.
   *
   * @returns a promise that settles when the loop has stopped
   * @throws {RuntimeError} if the loop is closed or runs, or if another loop runs the caller
   */
  async run_forever(): Promise<void> {
    this.#check_closed();
    this.#check_not_running();
    await new Promise<void>((resolve, reject) => {
      this.#run = { resolve, reject, let_end: keep_alive() };
      this.#asleep = false;
      this.#slice = this.#last_date = host_date();
      set_loop_running(this, true);
      this.#slow_cancellations?.watch();
      RESOLVED.then(this.#go);
    });
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
      this.#check_closed();
      this.#check_not_running();
    } catch (error) {
      if (iscoroutine(awaitable)) awaitable.close();
      throw error;
    }
    const is_new = !(awaitable instanceof Future);
    const future = ensure_future(awaitable, { loop: this }) as Future<T>;
    future._add_done_callback(
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

  /** Ends `run_forever()` after the callbacks that are ready now. */
  stop(): void {
    this.#stopping = true;
    if (this.#asleep) this.#wake();
  }

  /** Returns whether a call of `run_forever` or `run_until_complete` is in progress. */
  is_running(): boolean {
    return this.#run !== null || (this.#ambient && running_loop() === this);
  }

  /** Returns whether the loop is closed. */
  is_closed(): boolean {
    return this.#closed;
  }

  /**
   * Closes the loop: scheduled callbacks are dropped. Closing it twice does nothing.
   *
   * @throws {RuntimeError} if the loop runs
   */
  close(): void {
    if (this.#run !== null) throw new RuntimeError("Cannot close a running event loop");
    if (this.#closed) return;
    this._report_unretrieved();
    this._open?.close();
    if (this.#debug) count_debug_loops(-1);
    this.#closed = true;
    this.#ambient = false;
    this.#asleep = false;
    this.#todo = 0;
    this.#in_iteration = false;
    this.#ready.clear();
    this.#timers = [];
    this.#steps.clear();
    this.#loose.clear();
    this.#forget_host_timer();
    if (this.#turn_requested) this.#turns.cancel();
    this.#turn_requested = false;
    for (const signal of [...this.#signal_handlers.keys()]) this.remove_signal_handler(signal);
    this.#executor_shut_down = true;
    this.#default_executor?.shutdown({ wait: false });
    this.#default_executor = null;
  }

  /**
   * Closes all asynchronous generators of `async_generator()` that were started and not finished.
   *
   * See {@link https://docs.python.org/3/library/asyncio-eventloop.html#asyncio.loop.shutdown_asyncgens Python's shutdown_asyncgens}.
   */
  shutdown_asyncgens(): Coroutine<void> {
    return library_coroutine("shutdown_asyncgens", close_generators(this));
  }

  /**
   * Shuts the default executor down once its work is done.
   *
   * @param timeout how long to wait for it, in seconds; without limit by default
   */
  shutdown_default_executor(timeout: number | null = null): Coroutine<void> {
    this.#executor_shut_down = true;
    const executor = this.#default_executor;
    this.#default_executor = null;
    return library_coroutine("shutdown_default_executor", close_executor(executor, timeout));
  }

  /** The loop's clock, in seconds from some start; it never goes back. */
  time(): number {
    return this.#last_time = this.#clock === null ? host_now() / 1000 : ask_clock(this.#clock);
  }

  /** @internal The time at which the clock was last read. */
  _last_time(): number {
    return this.#has_host_clock ? this.#last_time : this.time();
  }

  #recent_time(): number {
    if (this.#date_of_time === this.#last_date) return this._last_time();
    this.#date_of_time = this.#last_date;
    return this.time();
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
    this.#check_closed();
    this.#check_callback(method, callback);
    const handle = new Handle(callback, this, ...split_context(method, callback, args));
    this._schedule(handle);
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
    this.#check_closed();
    this.#check_callback(method, callback);
    const handle = new TimerHandle(when, callback, this, ...split_context(method, callback, args));
    this._schedule_timer(handle);
    return handle;
  }

  #check_callback(method: string, callback: unknown): void {
    if (this.#debug && (iscoroutine(callback) || iscoroutinefunction(callback))) {
      throw new TypeError(`coroutines cannot be used with ${method}()`);
    }
    if (typeof callback !== "function") {
      throw new TypeError(
        `a function was expected by ${method}(), got ${repr(callback)}`,
      );
    }
    check_bound(method, callback);
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
   * @throws {RuntimeError} if the loop is closed
   * @throws {TypeError} if `coro` is a promise: its work has started already
   */
  create_task<T>(coro: CoroutineLike<T>, options: TaskOptions = NO_OPTIONS): Task<T> {
    this.#check_closed();
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
   * Runs a function in an executor: an object with `submit(fn, ...args)` that returns a promise.
   *
   * Cancelling the future does not stop the function.
   *
   * @param executor the executor; with `null` the default one, which calls the function in a later turn of this thread
   * @param fn the function
   * @param args its arguments
   * @returns a future of what the function returns
   * @throws {RuntimeError} if the loop is closed, or the default executor has been shut down
   */
  run_in_executor<A extends unknown[], R>(
    executor: Executor | null,
    fn: (...args: A) => R,
    ...args: A
  ): Future<Awaited<R>> {
    this.#check_closed();
    this.#check_callback("run_in_executor", fn);
    if (executor === null) {
      if (this.#executor_shut_down) throw new RuntimeError("Executor shutdown has been called");
      executor = this.#default_executor ??= new HostTurnExecutor();
    }
    return wrap_future(executor.submit(fn, ...args), { loop: this }) as Future<Awaited<R>>;
  }

  /**
   * Sets the executor that `run_in_executor(null, …)` uses.
   *
   * @param executor an object with `submit(fn, ...args)` that returns a promise
   * @throws {TypeError} if it has no method `submit`
   */
  set_default_executor(executor: Executor): void {
    if (typeof executor?.submit !== "function") {
      throw new TypeError(`executor must have a method submit, got ${repr(executor)}`);
    }
    this.#default_executor = executor;
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
    if (iscoroutine(callback) || iscoroutinefunction(callback)) {
      throw new TypeError("coroutines cannot be used with add_signal_handler()");
    }
    this.#check_callback("add_signal_handler", callback);
    if (typeof signal !== "string") {
      throw new TypeError(`signal must be a string such as "SIGUSR1", received ${repr(signal)}`);
    }
    if (!/^SIG[A-Z0-9]+$/.test(signal)) throw new ValueError(`invalid signal name ${repr(signal)}`);
    this.#check_closed();
    if (!has_signals) throw new RuntimeError("signals are not supported on this host");
    this.remove_signal_handler(signal);
    const listener = () => {
      this.call_soon_threadsafe(callback, ...args);
    };
    try {
      add_signal_listener(signal, listener);
    } catch (error) {
      throw new RuntimeError(`signal ${signal} cannot be caught: ${(error as Error).message}`);
    }
    this.#signal_handlers.set(signal, listener);
  }

  /**
   * Stops calling a signal's callback.
   *
   * @param signal its name
   * @returns whether there was one
   */
  remove_signal_handler(signal: string): boolean {
    const listener = this.#signal_handlers.get(signal);
    if (listener === undefined) return false;
    this.#signal_handlers.delete(signal);
    remove_signal_listener(signal, listener);
    return true;
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
    const message = context.message || "Unhandled exception in event loop";
    const { description } = context;
    const lines = [description === undefined ? message : `${message}: ${description}`];
    for (const key of Object.keys(context).sort()) {
      if (key === "message" || key === "exception" || key === "description") continue;
      if (key === "future" && description !== undefined) continue;
      const value = key === "source_traceback"
        ? `Object created at (most recent call first):\n${context[key]}`
        : repr(context[key]);
      lines.push(`${key}: ${value}`);
    }
    if ("exception" in context) console.error(lines.join("\n") + "\n", context.exception);
    else console.error(lines.join("\n"));
  }

  /**
   * Passes an error to the exception handler.
   *
   * @param context what happened: `message`, `exception`, `task`, `future`, `handle`, …
   */
  call_exception_handler(context: ExceptionContext): void {
    const handler = this.#exception_handler;
    try {
      if (handler === null) {
        this.default_exception_handler(context);
        return;
      }
      const about = context.task ?? context.future ?? context.handle;
      const scope = about instanceof Task || about instanceof Handle ? about.get_context() : null;
      if (scope === null) handler(this, context);
      else with_context(scope, handler, [this, context]);
    } catch (error) {
      if (leaves_the_loop(error)) throw error;
      if (handler === null) {
        console.error("Exception in default exception handler\n", error);
        return;
      }
      try {
        this.default_exception_handler({
          message: "Unhandled error in exception handler",
          exception: error,
          context,
        });
      } catch (error) {
        console.error(
          "Exception in default exception handler while handling an unexpected error in custom exception handler\n",
          error,
        );
      }
    }
  }

  /** Returns whether debug mode is on. */
  get_debug(): boolean {
    return this.#debug;
  }

  /**
   * Turns debug mode on or off.
   *
   * It notes where futures, tasks and handles are made, warns of callbacks and steps that take
   * longer than `slow_callback_duration`, and refuses coroutine functions as callbacks.
   *
   * @param enabled whether it is on afterwards
   */
  set_debug(enabled: boolean): void {
    if (this.#debug !== Boolean(enabled) && !this.#closed) count_debug_loops(enabled ? 1 : -1);
    this.#debug = Boolean(enabled);
    this.#watched = this.#debug || this.#trace !== null;
  }

  /** Python's `repr`. */
  override toString(): string {
    return `<${this.constructor.name} running=${this.is_running()} closed=${this.#closed} ` +
      `debug=${this.#debug}>`;
  }
}

// The await of an async function resumes in a microtask; the library's own coroutines run no user code.
function only_resumes(runnable: Runnable): boolean {
  return runnable instanceof Await && runnable._only_resumes;
}

// The name of a callback in the report of its error.
function name_of(runnable: Runnable): string {
  return runnable instanceof Deadline ? runnable.label : "of the library";
}

function is_still_loose(held: FutureAwait | AnyTask): boolean {
  return held instanceof Task ? held._newest !== null : held._waiting !== null;
}

function is_await_of(runnable: Runnable, task: TaskCore): boolean {
  return runnable instanceof Await && runnable._task === task;
}

function stop_its_loop(future: Future<unknown>): void {
  if (future._state === FAILED && leaves_the_loop(future.exception())) return;
  future.get_loop().stop();
}

function ask_clock(clock: () => number): number {
  const now: unknown = clock();
  if (typeof now === "number" && !Number.isNaN(now)) return now;
  throw new TypeError(`the loop's clock must give a number of seconds, it gave ${repr(now)}`);
}

function check_time(method: string, name: string, value: unknown): void {
  if (typeof value !== "number") {
    throw new TypeError(
      `${name} of ${method}() must be a number of seconds, received ${repr(value)}`,
    );
  }
}

// A last argument that is an object with a context as its only entry is the callback's options. So is one
// with something else as `context`, if the callback takes no such argument: then it is refused.
function split_context(
  method: string,
  callback: Callback<never>,
  args: unknown[],
): [args: unknown[], context: Context | null] {
  const last = args[args.length - 1];
  if (!is_plain_object(last) || !("context" in last) || Object.keys(last).length !== 1) {
    return [args, null];
  }
  const { context } = last;
  if (!(context instanceof Context) && args.length <= callback.length) return [args, null];
  check_context(method, context);
  return [args.slice(0, -1), context];
}

function* close_generators(loop: EventLoop): Generator<unknown, void, unknown> {
  const generators = [...loop._asyncgens];
  loop._asyncgens.clear();
  if (generators.length === 0) return;
  const results = yield* gather(generators.map((generator) => generator.aclose()), {
    return_exceptions: true,
  });
  results.forEach((error, index) => {
    if (error === undefined || !is_exception(error)) return;
    const asyncgen = generators[index]?.generator();
    loop.call_exception_handler({
      message: `an error occurred during closing of asynchronous generator ${repr(asyncgen)}`,
      exception: error,
      asyncgen,
    });
  });
}

function* close_executor(
  executor: Executor | null,
  limit: number | null,
): Generator<unknown, void, unknown> {
  if (executor === null) return;
  const ended = executor.shutdown({ wait: true });
  if (ended === undefined) return;
  try {
    yield* wait_for(wrap_future(ended), limit);
  } catch (error) {
    if (!(error instanceof TimeoutError)) throw error;
    console.warn(`The executor did not finish its work within ${limit} seconds.`);
    executor.shutdown({ wait: false });
  }
}

set_default_loop_maker(() => new EventLoop());
