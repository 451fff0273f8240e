/**
 * The machine of an event loop: a ready queue, timers, and the steps of tasks.
 *
 * @module
 */

import { Await } from "../core/awaits.ts";
import type {
  Continuation,
  LoopCore,
  Runnable,
  Scope,
  TaskCore,
  Timed,
} from "../core/contracts.ts";
import {
  count_debug_loops,
  is_nothing_entered,
  report_if_uncaught,
  running_loop,
  set_stepping_scope,
} from "../core/current.ts";
import { iscoroutine } from "../core/coroutines.ts";
import { DeadlockError, leaves_the_loop, RuntimeError } from "../core/exceptions.ts";
import { observer_of, type Recorder, type TaskObserver } from "../core/recording.ts";
import { next_moment, this_moment } from "../core/scopes.ts";
import { Steps } from "../core/steps.ts";
import type { Task } from "../core/tasks.ts";
import { watch_untouched } from "../core/unawaited.ts";
import { has_async_context } from "../host/async_context.ts";
import { when_dry } from "../host/macrotask.ts";
import { has_requests } from "../host/timers.ts";
import { Deque } from "../internal/deque.ts";
import { check_object } from "../internal/unbound.ts";
import { BaseEventLoop, type ExceptionContext } from "../core/events.ts";
import { HostTurns } from "./host_turns.ts";
import { Alarm, LoopClock } from "./loop_clock.ts";
import { SlowCallbacks } from "./slow_callbacks.ts";
import { is_due, TimerQueue } from "./timer_queue.ts";

const RESOLVED: Promise<undefined> = Promise.resolve(undefined);

interface Run {
  resolve(): void;
  reject(error: unknown): void;
}

/**
 * Runs callbacks, timers and the steps of tasks, in CPython's order; {@linkcode EventLoop} has asyncio's methods
 * on top of it.
 *
 * An iteration runs what was ready when it began. A step that has not suspended when its first code returns
 * is *open*: nothing else is run before it suspends, ends, or turns out to wait for a native promise,
 * see `core/steps.ts`.
 *
 * @category Event loop
 */
export abstract class RunLoop extends BaseEventLoop {
  /** How long a callback or a step may take before debug mode warns, in seconds; 0.1 by default. */
  slow_callback_duration = 0.1;

  readonly #ready = new Deque<Runnable>();
  // How many are left of the iteration in progress.
  #todo = 0;
  #in_iteration = false;
  readonly #timers = new TimerQueue();
  readonly #steps = new Steps();
  /** @internal */
  protected _dry_moment = 0;

  // The call of run_forever() in progress. A loop that is ambient works without one.
  #run: Run | null = null;
  #is_ambient = false;
  #is_stopping = false;
  #is_closed = false;
  // On the stack of the loop itself.
  #is_going = false;
  // Nothing is ready: only a timer, or code that schedules something, wakes the loop.
  #is_asleep = false;
  // The next turn of the host is requested although nothing is ready.
  #looks_again = false;
  /** @internal Counts what happens to the loop from outside of its iterations and within. */
  protected _activity = 0;

  readonly #turns: HostTurns = new HostTurns(() => this.#on_turn());
  readonly #clock: LoopClock;
  // True if the time that was last read may stand for the present time.
  readonly #may_reuse_time: boolean;
  readonly #alarm: Alarm;
  /** @internal How much later than now a timer may be to be due; of use where time jumps. */
  protected readonly _clock_resolution: number;

  /** @internal What records the loop's tasks. */
  protected readonly _observer: TaskObserver | null;
  // In debug mode.
  #slow_callbacks: SlowCallbacks | null = null;
  // True if the loop's steps are observed: in debug mode, or by a recorder.
  #is_watched: boolean;

  /**
   * Makes a loop that does not run yet.
   *
   * @param time the loop's clock, by default the host's
   * @param trace what records its tasks
   * @throws {TypeError} if `time` is no function, or `trace` no recorder
   */
  constructor(time: (() => number) | null, trace: Recorder | null | undefined) {
    super();
    this.#clock = new LoopClock(time);
    this.#may_reuse_time = this.#clock.is_of_host && this.time === RunLoop.prototype.time;
    this.#alarm = new Alarm(this.#clock.timers, () => {
      // However busy the machine is: what a fake time's tick makes due is done before the time advances.
      this.#turns.begin_unchecked_slice();
      this.#go();
    });
    this._clock_resolution = this.#clock.resolution;
    this._observer = observer_of(trace);
    this.#is_watched = this._observer !== null;
  }

  /**
   * Passes an error to the exception handler.
   *
   * @param context what has happened, by Python's keys
   */
  abstract call_exception_handler(context: ExceptionContext): void;
  /** @internal A run begins: `run_forever()` has been called. */
  protected abstract _run_begins(): void;
  /** @internal The run in progress has ended. */
  protected abstract _run_ends(): void;
  /** @internal Nothing is ready and no timer is set, while the loop is run. */
  protected abstract _rests(): void;
  /** @internal Nothing is ready, no timer is set and no native promise is awaited, while the loop is run. */
  protected abstract _nothing_happens(): void;

  // Within a call from user code it runs only what runs no user code at once, as the runnable that is passed.
  readonly #go = (first?: Runnable): void => {
    if (this.#steps.open !== null || this.#is_going) return;
    set_stepping_scope(null);
    if (!this._is_active()) return;
    this.#is_asleep = false;
    this.#is_going = true;
    let runnable: Runnable | null = null;
    try {
      while (this.#todo > 0 || this.#begin_iteration()) {
        if (this.#todo === 0) continue;
        if (
          first !== undefined && first !== this.#ready.first && !only_resumes(this.#ready.first)
        ) {
          RESOLVED.then(this.#go);
          return;
        }
        if (this.#turns.is_due()) {
          this.#turns.give();
          return;
        }
        this.#todo--;
        this._activity++; // it may settle native promises
        set_stepping_scope(null);
        runnable = this.#ready.shift();
        if (this.#is_watched) this.#run_watched(runnable);
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
          message: `Exception in callback ${runnable.label ?? "of the library"}`,
          exception: error,
        });
        RESOLVED.then(this.#go);
      }
    } finally {
      this.#is_going = false;
    }
  };

  // Does what CPython's loop does between two rounds of callbacks; false if there is nothing to run now.
  #begin_iteration(): boolean {
    if (this.#in_iteration) {
      this.#in_iteration = false;
      if (this.#is_stopping) {
        this.#end_run(null);
        return false;
      }
    }
    this.#timers.drop_cancelled();
    if (this.#ready.length === 0 && !this.#is_stopping && !this._wait_for_work()) {
      this.#is_asleep = true;
      return false;
    }
    if (this.#timers.length > 0) {
      this.#timers.move_due(this.#recent_time(), this._clock_resolution, this.#ready);
    }
    this.#todo = this.#ready.length;
    this.#in_iteration = true;
    return true;
  }

  #recent_time(): number {
    return this.#clock.is_outdated(this.#turns.date) ? this.time() : this._last_time();
  }

  /** @internal The time of the earliest timer, or `null`. */
  protected _next_timer(): number | null {
    return this.#timers.next_time;
  }

  /**
   * @internal Called when nothing is ready: returns true if a timer is due, else sees to it that the
   * loop is woken when one is.
   */
  protected _wait_for_work(): boolean {
    this.#turns.note_moment(this_moment());
    const when = this._next_timer();
    if (when === null) {
      // The timer it was set for was cancelled; a program must not wait for it to end.
      this.#alarm.cancel();
      if (this.#run !== null) {
        if (!this.#steps.any_foreign) this._nothing_happens();
        this._rests();
      }
      return false;
    }
    const now = this.time();
    if (is_due(when, now, this._clock_resolution)) return true;
    this._wake_after(when - now, when);
    return false;
  }

  /** @internal Has the host wake the loop after a delay; a host's timer that is set for earlier stays. */
  protected _wake_after(delay: number, when: number): void {
    this.#alarm.set(delay - this._clock_resolution, when);
  }

  /** @internal Has the loop check for work again when the microtask queue has run dry. */
  protected _look_again(): void {
    this.#looks_again = true;
    this.#turns.request();
  }

  /**
   * @internal As {@linkcode _look_again}, before other callbacks of the host are called where that can be had: for
   * loops whose work the host has no part in.
   */
  protected _look_again_before_host(): void {
    const go = () => {
      if (!this.#is_asleep) return;
      this._dry_moment = next_moment();
      this.#go();
    };
    if (!when_dry(go)) this._look_again();
  }

  /** @internal Returns for how many milliseconds a wait that began at a moment has lasted, to some fifty. */
  protected _waited_since(moment: number): number {
    return this.#turns.waited_since(moment);
  }

  /** @internal Returns whether nothing is ready and no timer is set. */
  protected _is_resting(): boolean {
    return this.#is_asleep && this._next_timer() === null;
  }

  /** @internal Returns whether a foreign wait of this loop is in progress. */
  protected _has_foreign_waits(): boolean {
    return this.#steps.any_foreign;
  }

  /** @internal Returns whether a call of `run_forever` or `run_until_complete` is in progress. */
  protected _is_run(): boolean {
    return this.#run !== null;
  }

  /** @internal Returns whether the loop works, by a run or without. */
  protected _is_active(): boolean {
    return this.#run !== null || this.#is_ambient;
  }

  #on_turn(): void {
    this._dry_moment = next_moment();
    this.#turns.note_moment(this._dry_moment);
    watch_untouched();
    if (this.#turns.gives_another()) return;
    if (this.#is_asleep && !this.#looks_again) return;
    this.#looks_again = false;
    this.#turns.begin_slice();
    // The microtask queue has run dry, so a step that is still open waits for a native promise.
    if (this.#steps.open !== null) this.#slow_callbacks?.end_at_return(this.slow_callback_duration);
    const foreign = this.#steps.run_dry();
    if (this._observer !== null) {
      for (const task of foreign) this._observer.waits_elsewhere(task as unknown as Task<unknown>);
    }
    set_stepping_scope(null);
    // Not from here: an error that a task makes costs the more the deeper the stack is.
    RESOLVED.then(this.#go);
  }

  #wake(): void {
    this.#is_asleep = false;
    this.#turns.request();
  }

  #run_watched(runnable: Runnable): void {
    const observer = this._observer;
    if (observer !== null) observer.begin_run(runnable);
    try {
      const slow_callbacks = this.#slow_callbacks;
      if (slow_callbacks !== null) slow_callbacks.begin(runnable, this.time());
      runnable._run();
      if (slow_callbacks !== null) {
        slow_callbacks.note_returned(this.time());
        if (this.#steps.open === null) slow_callbacks.end_at_return(this.slow_callback_duration);
      }
    } finally {
      if (observer !== null) observer.end_run();
    }
  }

  /** @internal */
  protected _schedule(runnable: Runnable): void {
    if (this.#is_closed) throw this.#closed_error();
    if (this._observer !== null) this._observer.scheduled(runnable);
    this.#ready.push(runnable);
    this._activity++;
    if (this.#is_asleep || has_requests) this.#wake();
  }

  /** @internal */
  protected _schedule_timer(timer: Timed): void {
    // NaN has no place in an order; CPython takes such a time as over.
    if (Number.isNaN(timer._when)) return this._schedule(timer);
    if (this.#is_closed) throw this.#closed_error();
    this.#timers.add(timer);
    this._activity++;
    if (this.#is_asleep || has_requests) this.#wake();
    if (has_requests) this._wake_after(timer._when - this.time(), timer._when);
  }

  /** @internal */
  protected _timer_cancelled(timer: Timed): void {
    if (!timer._scheduled) return;
    this.#timers.note_cancelled();
    if (this.#is_asleep && this.#run === null) this.#wake();
  }

  /** @internal */
  protected _ensure_ambient(): void {
    if (this._is_active()) return;
    this._check_closed();
    this.#is_ambient = true;
    this.#wake();
  }

  /** @internal */
  protected _begin_step(task: TaskCore, scope: Scope): void {
    if (!this._is_active()) return;
    set_stepping_scope(scope);
    if (!this.#steps.begin(task)) return;
    this._activity++;
    this.#is_asleep = false;
    this.#turns.request();
  }

  /** @internal */
  protected _end_step(task: TaskCore, continuation: Continuation): void {
    if (this._observer !== null) {
      this._observer.waits(task as unknown as Task<unknown>, continuation);
    }
    if (!this.#leave_step(task)) return;
    // Not an await of the same task: another one of the code, in a race with it, may be about to begin.
    if (
      this.#ready.length > 0 && has_async_context && is_nothing_entered() &&
      resumes_another(this.#ready.first, task)
    ) this.#go(this.#ready.first);
    else RESOLVED.then(this.#go);
  }

  /** @internal */
  protected _end_last_step(task: TaskCore): void {
    if (this.#leave_step(task)) this.#go();
  }

  /** @internal */
  protected _watch_microtasks(): void {
    if (this._is_active()) this.#turns.request();
  }

  // True if it was the last step in progress.
  #leave_step(task: TaskCore): boolean {
    const is_last = this.#steps.end(task);
    if (!is_last) {
      this._activity++;
      const { open } = this.#steps;
      if (open !== null) set_stepping_scope(open);
    } else this.#slow_callbacks?.end(this.time(), this.slow_callback_duration);
    return is_last;
  }

  /** @internal */
  protected _note_foreign(wait: object): void {
    this._activity++;
    this.#steps.add_foreign(wait);
  }

  /** @internal */
  protected _forget_foreign(wait: object): void {
    this.#steps.delete_foreign(wait);
  }

  /** @internal */
  protected _interrupt(error: unknown): void {
    this.#todo = 0;
    this.#in_iteration = false;
    if (this.#run !== null) {
      this.#end_run(error);
    } else {
      if (this.#is_ambient) this.#wake(); // callbacks may be ready
      this.call_exception_handler({
        message: "Unhandled exception in event loop",
        exception: error,
      });
    }
  }

  /** @internal */
  protected _check_closed(coro: unknown = null): void {
    if (!this.#is_closed) return;
    if (iscoroutine(coro)) coro.close();
    throw this.#closed_error();
  }

  #closed_error(): RuntimeError {
    const error = new RuntimeError("Event loop is closed");
    if (is_nothing_entered()) report_if_uncaught(error, this as unknown as LoopCore);
    return error;
  }

  /** @internal Throws if the loop is closed, or if it or another one runs. */
  protected _check_can_run(): void {
    this._check_closed();
    if (this.#run !== null) throw new RuntimeError("This event loop is already running");
    if (running_loop() !== null) {
      throw new RuntimeError("Cannot run the event loop while another loop is running");
    }
  }

  #end_run(error: unknown): void {
    const run = this.#run as Run;
    this.#run = null;
    this.#is_stopping = false;
    this._run_ends();
    this.#turns.stop_giving();
    if (this.#is_ambient) {
      this.#wake();
    } else {
      this.#alarm.cancel();
      this.#turns.cancel();
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
    this._check_can_run();
    await new Promise<void>((resolve, reject) => {
      this.#run = { resolve, reject };
      this.#is_asleep = false;
      this.#turns.begin_slice();
      this._run_begins();
      RESOLVED.then(this.#go);
    });
  }

  /** Ends `run_forever()` after the callbacks that are ready now. */
  stop(this: object): void;
  stop(): void {
    check_object(this instanceof RunLoop, "stop");
    this.#is_stopping = true;
    if (this.#is_asleep) this.#wake();
  }

  /** Returns whether a call of `run_forever` or `run_until_complete` is in progress. */
  is_running(): boolean {
    return this.#run !== null || (this.#is_ambient && running_loop() as unknown === this);
  }

  /** Returns whether the loop is closed. */
  is_closed(): boolean {
    return this.#is_closed;
  }

  /** @internal Closes the loop: what is scheduled is dropped. */
  protected _close(): void {
    if (this.get_debug()) count_debug_loops(-1);
    this.#is_closed = true;
    this.#is_ambient = false;
    this.#is_asleep = false;
    this.#todo = 0;
    this.#in_iteration = false;
    this.#ready.clear();
    this.#timers.clear();
    this.#steps.clear();
    this.#alarm.cancel();
    this.#turns.cancel();
  }

  /** The loop's clock, in seconds from some start; it never goes back. */
  time(): number {
    return this.#clock.read();
  }

  /** @internal The time at which the clock was last read. */
  protected _last_time(): number {
    return this.#may_reuse_time ? this.#clock.last : this.time();
  }

  /** Returns whether debug mode is on. */
  get_debug(): boolean {
    return this.#slow_callbacks !== null;
  }

  /**
   * Turns debug mode on or off; a loop begins with it if the variable `ASYNCIO_DEBUG` of the environment is set.
   *
   * It notes where futures, tasks and handles are made, warns of callbacks and steps that take
   * longer than `slow_callback_duration`, and refuses coroutine functions as callbacks.
   *
   * @param enabled whether it is on afterwards
   */
  set_debug(enabled: boolean): void {
    const is_on = Boolean(enabled);
    if (this.get_debug() !== is_on) {
      this.#slow_callbacks = is_on ? new SlowCallbacks() : null;
      if (!this.#is_closed) count_debug_loops(is_on ? 1 : -1);
    }
    this.#is_watched = this.get_debug() || this._observer !== null;
  }
}

// The await of an async function resumes in a microtask; the library's own coroutines run no user code.
function only_resumes(runnable: Runnable): boolean {
  return runnable instanceof Await && runnable._only_resumes;
}

function resumes_another(runnable: Runnable, task: TaskCore): boolean {
  return runnable instanceof Await && runnable._scope._owner !== task && runnable._only_resumes;
}
