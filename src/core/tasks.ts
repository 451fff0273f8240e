/**
 * Tasks and what makes them.
 *
 * @module
 */

import { Context, share_values, type Values } from "./contextvars.ts";
import {
  advance,
  type Awaitable,
  Coroutine,
  type CoroutineFunction,
  type CoroutineLike,
  function_name,
  FunctionCoroutine,
  is_generator,
  isawaitable,
  NativeCall,
  type Outcome,
  RAISED,
  RETURNED,
  Suspension,
  to_start,
} from "./coroutines.ts";
import { type AbstractEventLoop, get_event_loop, get_running_loop } from "../loop/events.ts";
import { Cancellation, make_cancelled_error } from "./cancellation.ts";
import { CancelledError, leaves_the_loop, RuntimeError, ValueError } from "./exceptions.ts";
import { repr } from "../internal/format_helpers.ts";
import {
  CANCELLED,
  type Driver,
  FAILED,
  FINISHED,
  Future,
  NOTHING,
  PENDING,
  type Waitable,
  wrap_future,
} from "./futures.ts";
import {
  context_value,
  has_async_context,
  keep_context,
  type KeptContext,
  run_as,
  run_in,
} from "../host/async_context.ts";
import { may_be_listened_to } from "../host/abort_signal.ts";
import { host_now } from "../host/timers.ts";
import { check_options, OwnOptions } from "../internal/options.ts";
import { Deadline } from "../timeouts.ts";
import { enter, leave, restore_turn, running_task, save_turn } from "./current.ts";

/**
 * What a task may be made with.
 *
 * @category Tasks
 */
export interface TaskOptions {
  /** Its name; `Task-1`, `Task-2`, … by default. */
  name?: unknown;
  /** The context it runs in; a copy of the current one by default. */
  context?: Context | null;
  /** Whether it runs at once up to the first thing it waits for. */
  eager_start?: boolean | null;
}

/** No options: the default, by which it is known that there is nothing to look at. */
export const NO_OPTIONS: TaskOptions = Object.freeze({});

/**
 * What makes tasks for a loop.
 *
 * @category Tasks
 */
export type TaskFactory = <T>(
  loop: AbstractEventLoop,
  coro: CoroutineLike<T>,
  options: TaskOptions,
) => Task<T>;

// How soon, in milliseconds, a foreign operation fails after its signal was aborted: Deno's fetch
// takes two turns of the host, Bun's AbortSignal.any up to 24.
const TOLD_WITHIN = 20;

// How long, in seconds, a task may take to end after its signal seems to have told it of its
// cancellation. It may have gone on for another reason, and then knows of nothing.
const DOUBTED_AFTER = 2;

/** What a task remembers of its `AbortSignal`. */
class Signalling {
  controller: AbortController | null = null;
  /** Whether the signal was asked for since the task last went on from an await of this library. */
  asked = false;
  /** Until when the task, if it goes on, has been told of its cancellation by the abort. */
  told_until = 0;
  /** Tells the task once more. */
  doubt: Deadline | null = null;

  trust(): void {
    this.doubt?.cancel();
    this.doubt = null;
  }

  abort(message: unknown): void {
    const controller = this.controller;
    this.controller = null;
    controller?.abort(make_cancelled_error(message ?? undefined));
  }
}

/** What hardly any task has. */
class Rare {
  cancels_requested = 0;
  being_cancelled = false;
  /** Cancelled before it could be told: it is thrown at the next step. */
  must_cancel = false;
  /** What the task waits on beside its first await. */
  more_awaiters: Set<Driver> | null = null;
  /** What is thrown at the next step: something was yielded that cannot be waited on. */
  error: unknown = NOTHING;
  signalling: Signalling | null = null;

  end(): void {
    this.more_awaiters = null;
    this.signalling?.trust();
    this.signalling = null;
  }
}

/** What tasks are made with that need no check of their options. */
export type OwnTaskOptions = OwnOptions<AbstractEventLoop>;

// Of the step protocol.
const NOT_BEGUN = -2;

const TASK_OPTIONS = ["loop", "name", "context", "eager_start"];

let tasks_named = 0;

const first_step = (task: Task<unknown>): void => task._run_step(NOTHING);
const next_step = (task: Task<unknown>, error: unknown): void => task._run_step(error);

// The host's context tells whose call it was: so there are two functions, and not two for each task.
const call_returned = (value: unknown): void =>
  (context_value() as Task<unknown>)._call_ended(false, value);
const call_raised = (error: unknown): void =>
  (context_value() as Task<unknown>)._call_ended(true, error);

// A cancellation on its way from task to task has come back to one that it came from.
let cycle_met = false;

/**
 * A coroutine that runs by itself, step by step, in its loop's turn.
 *
 * Make one by `create_task()` or, better, `TaskGroup.create_task()`. It is also the future of what
 * the coroutine returns. A loop holds its tasks until they are done.
 *
 * A task of an async function that was started eagerly and ran to its end is `done()` a microtask
 * later, because its end cannot be seen at once; a task of a `function*` is done at once. Where the
 * host has no `AsyncLocalStorage` (browsers), an eager task of an async function and its creator
 * cannot be told from each other after their first awaits.
 *
 * See {@link https://docs.python.org/3/library/asyncio-task.html#asyncio.Task Python's Task}.
 *
 * @category Tasks
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * await asyncio.run(async () => {
 *   const task = asyncio.create_task(asyncio.sleep(0.001, "done"), { name: "nap" });
 *   assertEquals(task.get_name(), "nap");
 *   assertEquals(await task, "done");
 *   assertEquals(task.done(), true);
 * });
 * ```
 */
export class Task<T> extends Future<T> {
  /** @internal */
  static override get name(): string {
    return "Task";
  }

  /** @internal What the task's own generator waits on. */
  declare _waiting: Waitable | null;
  /**
   * @internal The step protocol: 1 in a step, -1 waiting for something foreign, -2 not begun, else 0.
   */
  declare _step: number;
  /** @internal Its neighbours in the loop's list of tasks. */
  declare _previous_task: Task<unknown> | null;
  /** @internal */
  declare _next_task: Task<unknown> | null;
  /** @internal A function that is called needs no coroutine until somebody asks for it. */
  declare private _coroutine: Coroutine<T> | CoroutineFunction<T>;
  /** @internal The values that it is to be made of, until somebody asks for it. */
  declare private _context: Context | Values;
  /** @internal A number until somebody asks for it. */
  declare private _name: string | number;
  /** @internal An async function awaits one thing at a time; with Promise.all and the like several. */
  declare private _awaiter: Driver | null;
  /** @internal The host's context for the next step, if code of the user runs in it. */
  declare private _kept: KeptContext;
  /** @internal */
  declare private _rare: Rare | null;

  /**
   * Makes a task and schedules its first step.
   *
   * @param coro a coroutine, or a function or generator object that has not started
   * @param options `loop`, `name`, `context`, `eager_start`
   * @throws {TypeError} if `coro` is a promise, whose work has started already, or no coroutine
   */
  constructor(
    coro: CoroutineLike<T>,
    options: TaskOptions & { loop?: AbstractEventLoop | null } = {},
  ) {
    const is_own = options instanceof OwnOptions;
    if (!is_own) check_options("Task", options, TASK_OPTIONS);
    super(is_own ? options as OwnTaskOptions : { loop: options.loop });
    const start = to_start<T>(coro);
    if (start === null) throw new TypeError(not_a_coroutine(coro));
    this._waiting = null;
    this._step = NOT_BEGUN;
    this._previous_task = null;
    this._next_task = null;
    this._coroutine = start;
    this._awaiter = null;
    this._rare = null;
    this._name = is_own || options.name == null ? ++tasks_named : String(options.name);
    this._context = is_own ? share_values() : options.context ?? share_values();
    const runs_eagerly = !is_own && options.eager_start && this._loop.is_running();
    this._kept = this._needs_context() ? keep_context() : undefined;
    this._loop._register_task(this as Task<unknown>);
    if (runs_eagerly) this._start_eagerly();
    else this._loop._schedule(this);
  }

  /** The coroutine that the task runs. */
  get_coro(): Coroutine<T> {
    const coroutine = this._coroutine;
    if (typeof coroutine !== "function") return coroutine;
    const has_begun = this._step !== NOT_BEGUN;
    const made = new FunctionCoroutine<T>(coroutine.name, has_begun ? null : coroutine);
    if (has_begun) made._claim();
    if (this._state !== PENDING) made.close();
    return this._coroutine = made;
  }

  /** @internal */
  private get _coroutine_name(): string {
    const coroutine = this._coroutine;
    return typeof coroutine === "function" ? function_name(coroutine.name) : coroutine.name;
  }

  /** @internal Whether it was cancelled before it could be told. */
  get _must_cancel(): boolean {
    return this._rare !== null && this._rare.must_cancel;
  }

  // Whether code of the user may run in its next step.
  /** @internal */
  private _needs_context(): boolean {
    if (!has_async_context) return false;
    const coroutine = this._coroutine;
    return typeof coroutine === "function" || coroutine._needs_context();
  }

  /** The context in which the task runs. */
  get_context(): Context {
    const context = this._context;
    return context instanceof Context ? context : this._context = Context._of(context);
  }

  /** The name of the task. */
  get_name(): string {
    return typeof this._name === "number" ? `Task-${this._name}` : this._name;
  }

  /**
   * Names the task; any value is made a string.
   *
   * @param value the name
   */
  set_name(value: unknown): void {
    this._name = String(value);
  }

  /**
   * Cannot be used: a task's result is what its coroutine returns.
   *
   * @throws {RuntimeError} always
   */
  override set_result(_result: T): void {
    throw new RuntimeError("Task does not support set_result operation");
  }

  /**
   * Cannot be used: a task's error is what its coroutine throws.
   *
   * @throws {RuntimeError} always
   */
  override set_exception(_exception: unknown): void {
    throw new RuntimeError("Task does not support set_exception operation");
  }

  /**
   * Asks the task to end: a {@linkcode CancelledError} is thrown where it waits.
   *
   * It may clean up, and may even refuse. A task that waits for a foreign promise is told by
   * {@linkcode Task.signal}, and at its next await of something of this library.
   *
   * @param message what the error says
   * @returns false if the task is done already
   */
  override cancel(message?: unknown): boolean {
    if (this._unretrieved) this._mark_retrieved();
    if (this._state !== PENDING) return false;
    const rare = this._rare ??= new Rare();
    if (rare.being_cancelled) {
      cycle_met = true;
      return false;
    }
    rare.cancels_requested++;
    this._loop._note_cancel(this as Task<unknown>);
    this._tell(rare, message);
    return true;
  }

  /** @internal */
  private _tell(rare: Rare, message: unknown): void {
    rare.being_cancelled = true;
    let told = false;
    for (const driver of this._drivers()) {
      if (this._cancel_wait(driver, message)) told = true;
    }
    rare.being_cancelled = false;
    if (!told) {
      rare.must_cancel = true;
      this._cancel_message = message ?? undefined;
    }
    const { signalling } = rare;
    if (signalling === null) return;
    signalling.trust();
    if (signalling.controller !== null) {
      // What it waits for was most likely given the signal, and fails with its reason soon.
      if (
        !told && signalling.asked && may_be_listened_to(signalling.controller.signal) &&
        this._waits_elsewhere() && !this._loop._is_in_step(this as Task<unknown>)
      ) {
        signalling.told_until = host_now() + TOLD_WITHIN;
      }
      signalling.abort(message);
    }
  }

  /** How often cancellation was requested and not taken back. */
  cancelling(): number {
    return this._rare === null ? 0 : this._rare.cancels_requested;
  }

  /**
   * Takes one request for cancellation back, for who made it and has dealt with it.
   *
   * @returns how many are left
   */
  uncancel(): number {
    const rare = this._rare;
    if (rare === null || rare.cancels_requested === 0) return 0;
    rare.cancels_requested--;
    if (rare.cancels_requested === 0) {
      rare.must_cancel = false;
      rare.signalling?.trust();
    }
    return rare.cancels_requested;
  }

  /**
   * An `AbortSignal` that is aborted when the task is cancelled, with the
   * {@linkcode CancelledError} as its reason.
   *
   * Give it to foreign operations, so that a cancellation reaches them at once. Ask for it anew each
   * time: a signal is aborted once, a task may be cancelled again. A task that has asked for it since
   * its last await of this library and has given it to something, and goes on soon after the abort,
   * counts as told; any other is told by a `CancelledError` at its next await of this library. Should
   * a task that counts as told not have ended two seconds later, it is told once more.
   *
   * @example
   * ```ts
   * import * as asyncio from "@pythonic/asyncio";
   * import { assert } from "@std/assert";
   *
   * const forever = (signal: AbortSignal) =>
   *   new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
   * const task = asyncio.create_task(() => forever(asyncio.current_task()!.signal));
   * await asyncio.sleep(0.001);
   * task.cancel();
   * await asyncio.wait([task]);
   * assert(task.cancelled());
   * ```
   */
  get signal(): AbortSignal {
    const signalling = (this._rare ??= new Rare()).signalling ??= new Signalling();
    const { signal } = signalling.controller ??= new AbortController();
    signalling.asked = true;
    if (this._must_cancel) signalling.abort(this._cancel_message);
    return signal;
  }

  /**
   * The stack of the error that the task ended with, a line a frame; empty if there is none.
   *
   * JavaScript does not show where a suspended function stands.
   *
   * @param options `limit`, the most frames to return
   * @returns the frames, the most recent call first
   */
  get_stack(options: { limit?: number | null } = {}): string[] {
    check_options("get_stack", options, ["limit"]);
    const error = this._state === FAILED ? this._value : null;
    if (!(error instanceof Error)) return [];
    const frames = (error.stack ?? "").split("\n").filter((line) => /^\s+at /.test(line))
      .map((line) => line.trim().slice(3));
    return frames.slice(0, options.limit ?? undefined);
  }

  /**
   * Prints what `get_stack` returns.
   *
   * @param options `limit`, the most frames; `file`, something with a method `write`, else the console
   */
  print_stack(
    options: { limit?: number | null; file?: { write(text: string): unknown } | null } = {},
  ): void {
    check_options("print_stack", options, ["limit", "file"]);
    const frames = this.get_stack({ limit: options.limit });
    const lines = [
      frames.length === 0
        ? `No stack for ${this}`
        : `Traceback for ${this} (most recent call first):`,
      ...frames.map((frame) => `  at ${frame}`),
    ];
    if (this._state === FAILED) lines.push(String(this._value));
    if (options.file) options.file.write(lines.join("\n") + "\n");
    else console.error(lines.join("\n"));
  }

  // All that waits for this task: its own generator, and the awaits of an async function.
  /** @internal */
  private _drivers(): Driver[] {
    const drivers: Driver[] = this._waiting === null ? [] : [this];
    if (this._awaiter !== null) drivers.push(this._awaiter);
    if (this._rare?.more_awaiters) drivers.push(...this._rare.more_awaiters);
    return drivers;
  }

  // Cancels what a driver waits on; false if it must be told in another way.
  /** @internal */
  private _cancel_wait(driver: Driver, message: unknown): boolean {
    const waitable = driver._waiting;
    if (waitable === null) return false;
    cycle_met = false;
    if (waitable.cancel(message)) return true;
    if (cycle_met && waitable instanceof Task) {
      // It waits, by others or not, for this very task: one of them has to give up its wait.
      cycle_met = false;
      waitable._remove_waiter(driver);
      this._loop._schedule(driver);
    }
    return false;
  }

  // Whether the signal has told the task of its cancellation, so that it need not be told again.
  /** @internal */
  private _was_told_by_signal(): boolean {
    const signalling = this._rare?.signalling;
    if (!signalling || signalling.told_until === 0) return false;
    const was_told = host_now() <= signalling.told_until;
    signalling.told_until = 0;
    return was_told;
  }

  // Takes the task as told, and tells it once more if it does not end.
  /** @internal */
  private _doubt_later(): void {
    const { _loop: loop, _cancel_message: message } = this;
    const rare = this._rare as Rare;
    rare.must_cancel = false;
    const tell_again = () => this._tell(rare, message);
    const doubt = new Deadline(loop, loop.time() + DOUBTED_AFTER, tell_again);
    (rare.signalling as Signalling).doubt = doubt;
    loop._schedule_timer(doubt);
  }

  /** @internal The loop runs it: the first step, or that of a generator that goes on. */
  override _run(): void {
    if (this._state !== PENDING) {
      super._run();
      return;
    }
    const error = this._wake(this);
    if (!this._needs_context()) {
      this._run_step(error);
    } else if (this._step !== NOT_BEGUN || error !== NOTHING) {
      run_in(this._let_go_of_context(), next_step, this as Task<unknown>, error);
    } else {
      // It runs in the context of the code that created it, and can be told from it.
      run_as(this._let_go_of_context(), first_step, this as Task<unknown>);
    }
  }

  /** @internal At the first step it is that of who made the task, who is not to be held by it. */
  private _let_go_of_context(): KeptContext {
    const kept = this._kept;
    this._kept = undefined;
    return kept;
  }

  /** @internal */
  private _start_eagerly(): void {
    const outer = save_turn();
    try {
      if (!this._needs_context()) this._run_step(NOTHING);
      else run_as(this._let_go_of_context(), first_step, this as Task<unknown>);
    } finally {
      restore_turn(outer);
    }
  }

  /** @internal */
  _run_step(error: unknown): void {
    enter(this._loop, this as Task<unknown>, undefined);
    try {
      if (this._step !== NOT_BEGUN) this._go_on(error !== NOTHING, error);
      else this._start(error);
    } finally {
      leave();
    }
  }

  /** @internal */
  private _start(error: unknown): void {
    const coroutine = this._coroutine;
    this._step = 0;
    if (typeof coroutine === "function") {
      if (error === NOTHING) this._call(coroutine);
      else this._raised(error);
      return;
    }
    try {
      coroutine._claim();
    } catch (used_before) {
      this._raised(used_before);
      return;
    }
    this._go_on(error !== NOTHING, error);
  }

  // Most tasks are calls of async functions.
  /** @internal */
  private _call(fn: CoroutineFunction<T>): void {
    let returned: unknown;
    try {
      returned = fn();
    } catch (error) {
      this._raised(error);
      return;
    }
    if (returned instanceof Promise) {
      this._loop._begin_step(this as Task<unknown>);
      if (has_async_context) returned.then(call_returned, call_raised);
      else {returned.then((value) =>
          this._call_ended(false, value), (e) =>
          this._call_ended(true, e));}
    } else {
      const coroutine = new FunctionCoroutine<T>(fn.name, null);
      this._coroutine = coroutine;
      this._came_to(coroutine._go_on_with(returned));
    }
  }

  /** @internal The promise of the call has settled. */
  _call_ended(thrown: boolean, value: unknown): void {
    if (this._state !== PENDING) return;
    if (typeof this._coroutine !== "function") this._coroutine.close();
    try {
      if (thrown) this._raised(value);
      else this._returned(value as T);
    } catch (error) {
      this._loop._interrupt(error); // the loop is not on the stack
    }
    this._loop._end_last_step(this as Task<unknown>);
  }

  /** @internal */
  private _go_on(thrown: boolean, value: unknown): void {
    this._came_to(advance(this._coroutine as Coroutine<T>, thrown, value));
  }

  /** @internal */
  private _came_to(outcome: Outcome): void {
    const coroutine = this._coroutine as Coroutine<T>;
    if (outcome === RETURNED) {
      this._returned(coroutine._value as T);
      return;
    }
    if (outcome === RAISED) {
      this._raised(coroutine._value);
      return;
    }
    const yielded = coroutine._yielded;
    if (yielded instanceof NativeCall) {
      this._loop._begin_step(this as Task<unknown>);
      yielded.promise.then(
        (value) => this._native_call_ended(false, value),
        (error) => this._native_call_ended(true, error),
      );
    } else {
      if (has_async_context && coroutine._needs_context()) this._kept = keep_context();
      this._await_yielded(this, yielded);
    }
  }

  /** @internal */
  private _native_call_ended(thrown: boolean, value: unknown): void {
    if (this._state !== PENDING) return;
    enter(this._loop, this as Task<unknown>, undefined);
    try {
      this._go_on(thrown, value);
    } catch (error) {
      this._loop._interrupt(error); // the loop is not on the stack
    } finally {
      leave();
    }
    if (this._state !== PENDING) this._loop._end_last_step(this as Task<unknown>);
  }

  /** @internal */
  private _returned(value: T): void {
    if (this._must_cancel && !this._was_told_by_signal()) {
      this._end_cancelled(this._cancel_message, undefined);
    } else {
      if (this.cancelling() > 0 && this._loop.get_debug()) this._warn_of_swallowing();
      this._end(FINISHED, value);
      this._finish(FINISHED, value);
    }
  }

  /** @internal */
  private _warn_of_swallowing(): void {
    console.warn(
      `${this} was cancelled and returned all the same: a catch that does not throw the ` +
        "CancelledError again has swallowed it" +
        (this._source_traceback === undefined
          ? ""
          : `\nTask created at (most recent call first):\n${this._source_traceback}`),
    );
  }

  /** @internal */
  private _raised(error: unknown): void {
    if (error instanceof Cancellation) {
      this._end_cancelled(error.message, undefined);
    } else if (error instanceof CancelledError) {
      this._end_cancelled(undefined, error);
    } else if (
      this.cancelling() > 0 && error instanceof Error &&
      error.cause instanceof CancelledError &&
      error.name === "AbortError"
    ) {
      // A foreign operation that wraps the reason of the signal it was aborted by.
      this._end_cancelled(undefined, error.cause);
    } else {
      this._end(FAILED, error);
      this._fail(error);
      if (leaves_the_loop(error)) throw error;
    }
  }

  /** @internal */
  private _end_cancelled(message: unknown, error: CancelledError | undefined): void {
    this._end(CANCELLED, undefined);
    this._cancel_message = message;
    this._finish(CANCELLED, error);
  }

  /** @internal */
  private _end(state: number, value: unknown): void {
    this._loop._unregister_task(this as Task<unknown>, state, value);
    this._waiting = null;
    this._awaiter = null;
    this._kept = undefined;
    if (this._rare !== null) this._rare.end();
  }

  /** @internal Has a driver of this task wait on what its coroutine yielded; the step ends. */
  _await_yielded(driver: Driver, yielded: unknown): void {
    if (yielded === null || yielded === undefined) {
      this._begin_wait(driver);
      driver._waiting = null;
      this._loop._schedule(driver);
      this._loop._end_step(this as Task<unknown>, driver);
    } else if (is_waitable(yielded) && yielded._is_offered()) {
      this._wait(driver, yielded);
    } else {
      (this._rare ??= new Rare()).error = is_waitable(yielded)
        ? new RuntimeError(`yield was used instead of yield from in task ${this} with ${yielded}`)
        : is_generator(yielded)
        ? new RuntimeError(
          `yield was used instead of yield from for generator in task ${this} with ${
            repr(yielded)
          }`,
        )
        : new RuntimeError(`Task got bad yield: ${repr(yielded)}`);
      this._loop._schedule(driver);
      this._loop._end_step(this as Task<unknown>, driver);
    }
  }

  /** @internal Has a driver of this task wait on something; the step ends. */
  _wait(driver: Driver, waitable: Waitable): void {
    this._begin_wait(driver);
    if (waitable._loop !== this._loop) {
      driver._waiting = null;
      (this._rare ??= new Rare()).error = new RuntimeError(
        `Task ${this} got Future ${waitable} attached to a different loop`,
      );
      this._loop._schedule(driver);
    } else if (waitable as unknown === this) {
      driver._waiting = null;
      (this._rare ??= new Rare()).error = new RuntimeError(`Task cannot await on itself: ${this}`);
      this._loop._schedule(driver);
    } else {
      waitable._add_waiter(driver);
      driver._waiting = waitable;
      if (this._must_cancel && waitable.cancel(this._cancel_message)) {
        (this._rare as Rare).must_cancel = false;
      }
    }
    this._loop._end_step(this as Task<unknown>, driver);
  }

  /** @internal */
  private _begin_wait(driver: Driver): void {
    if (this._must_cancel && this._was_told_by_signal()) this._doubt_later();
    if (driver === this) return;
    if (this._awaiter === null) this._awaiter = driver;
    else ((this._rare ??= new Rare()).more_awaiters ??= new Set()).add(driver);
  }

  /** @internal Begins a step in which a driver goes on; returns the error to throw in it. */
  _wake(driver: Driver): unknown {
    const waiting = driver._waiting;
    driver._waiting = null;
    if (this._awaiter === driver) this._awaiter = null;
    const rare = this._rare;
    if (rare === null) return NOTHING; // nothing can be thrown
    if (rare.more_awaiters !== null) rare.more_awaiters.delete(driver);
    if (rare.signalling !== null) rare.signalling.asked = false;
    let error = rare.error;
    rare.error = NOTHING;
    if (rare.must_cancel) {
      rare.must_cancel = false;
      if (!(error instanceof CancelledError)) {
        error = waiting?._cancellation() ?? this._make_cancelled_error();
      }
    }
    return error;
  }

  /** @internal What the task waits on now, for people who debug. */
  _waits_on(): Waitable[] {
    return this._drivers().map((driver) => driver._waiting).filter((wait) => wait !== null);
  }

  /** @internal Whether it is started and waits on nothing that this library knows of. */
  _waits_elsewhere(): boolean {
    return this._step !== NOT_BEGUN && this._awaiter === null && this._waiting === null &&
      !this._rare?.more_awaiters?.size;
  }

  /** @internal */
  protected override _repr_info(): string[] {
    const info = super._repr_info();
    if (this._state === PENDING && this.cancelling() > 0) info[0] = "cancelling";
    const waits = this._waits_on().map((waitable) =>
      `wait_for=${waitable instanceof Suspension ? waitable._repr_waitable() : waitable}`
    );
    info.splice(
      1,
      0,
      `name=${repr(this.get_name())}`,
      `coro=<${this._coroutine_name}()>`,
      ...waits,
    );
    return info;
  }
}

function is_waitable(value: unknown): value is Waitable {
  return value instanceof Suspension || value instanceof Future;
}

function not_a_coroutine(value: unknown): string {
  if (typeof (value as PromiseLike<unknown> | null)?.then !== "function") {
    return `a coroutine was expected, got ${repr(value)}`;
  }
  if (value instanceof Future) {
    return `a coroutine was expected, got ${value}; it runs by itself: await it, ` +
      "or use ensure_future()";
  }
  return `a coroutine was expected, got ${repr(value)}: its work has already started, outside of ` +
    "any task; instead of create_task(work(x)) write create_task(() => work(x)), or declare " +
    "work = coroutine(async (x) => …)";
}

/**
 * Makes a task of a coroutine and schedules it on the running loop.
 *
 * See {@link https://docs.python.org/3/library/asyncio-task.html#asyncio.create_task Python's create_task}.
 *
 * @param coro a coroutine, or an async function, `function*` or generator object that has not started
 * @param options `name`, `context` (a copy of the current one by default), `eager_start`
 * @returns the task
 * @throws {TypeError} if `coro` is a promise: its work has started already
 * @category Tasks
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * const answer = async () => {
 *   await asyncio.sleep(0.001);
 *   return 42;
 * };
 * const task = asyncio.create_task(answer, { name: "answer" });
 * assertEquals(await task, 42);
 * ```
 */
export function create_task<T>(coro: CoroutineLike<T>, options: TaskOptions = NO_OPTIONS): Task<T> {
  return get_event_loop().create_task(coro, options);
}

/**
 * The task that runs now; `null` in a callback.
 *
 * See {@link https://docs.python.org/3/library/asyncio-task.html#asyncio.current_task Python's current_task}.
 *
 * @param loop the loop, the running one by default
 * @returns the task, or `null`
 * @throws {RuntimeError} if no loop is given and none runs
 * @category Tasks
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * await asyncio.run(async () => {
 *   const task = asyncio.create_task(async () => asyncio.current_task()?.get_name(), { name: "me" });
 *   assertEquals(await task, "me");
 * });
 * ```
 */
export function current_task(loop: AbstractEventLoop | null = null): Task<unknown> | null {
  const task = running_task();
  if (loop === null) {
    if (task === null) get_running_loop();
    return task;
  }
  return task !== null && task.get_loop() === loop ? task : null;
}

/**
 * The tasks of a loop that are not done, in the order in which they were made.
 *
 * See {@link https://docs.python.org/3/library/asyncio-task.html#asyncio.all_tasks Python's all_tasks}.
 *
 * @param loop the loop, the running one by default
 * @returns a set of them
 * @throws {RuntimeError} if no loop is given and none runs
 * @category Tasks
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * await asyncio.run(async () => {
 *   const task = asyncio.create_task(asyncio.sleep(0));
 *   assertEquals([...asyncio.all_tasks()], [asyncio.current_task(), task]);
 * });
 * ```
 */
export function all_tasks(loop: AbstractEventLoop | null = null): Set<Task<unknown>> {
  return new Set((loop ?? get_running_loop())._tasks());
}

/**
 * A function that makes tasks by a class, or another function, with an option `eager_start`.
 *
 * @category Tasks
 */
export type TaskConstructor =
  | (new <T>(
    coro: CoroutineLike<T>,
    options: TaskOptions & { loop?: AbstractEventLoop | null },
  ) => Task<T>)
  | (<T>(
    coro: CoroutineLike<T>,
    options: TaskOptions & { loop?: AbstractEventLoop | null },
  ) => Task<T>);

/**
 * Makes a task factory whose tasks start at once, in the step of who creates them.
 *
 * See {@link https://docs.python.org/3/library/asyncio-task.html#asyncio.create_eager_task_factory Python's create_eager_task_factory}.
 *
 * @param custom_task_constructor a subclass of {@linkcode Task}, or a function like its constructor
 * @returns a factory for `loop.set_task_factory()`
 * @category Tasks
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * class NamedTask<T> extends asyncio.Task<T> {}
 * await asyncio.run(async () => {
 *   const loop = asyncio.get_running_loop();
 *   loop.set_task_factory(asyncio.create_eager_task_factory(NamedTask));
 *   const task = asyncio.create_task(function* () {
 *     return 1;
 *   });
 *   assertEquals(task.done(), true);
 * });
 * ```
 */
export function create_eager_task_factory(custom_task_constructor: TaskConstructor): TaskFactory {
  const is_class = custom_task_constructor === Task ||
    custom_task_constructor.prototype instanceof Task;
  return (loop, coro, options) => {
    const all = { eager_start: true, ...options, loop };
    return is_class
      ? new (custom_task_constructor as typeof Task)(coro, all)
      : (custom_task_constructor as <T>(coro: CoroutineLike<T>, options: object) => Task<T>)(
        coro,
        all,
      );
  };
}

/**
 * A task factory whose tasks start at once, in the step of who creates them.
 *
 * See {@link https://docs.python.org/3/library/asyncio-task.html#asyncio.eager_task_factory Python's eager_task_factory}.
 *
 * @category Tasks
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * await asyncio.run(async () => {
 *   asyncio.get_running_loop().set_task_factory(asyncio.eager_task_factory);
 *   const order: string[] = [];
 *   asyncio.create_task(async () => order.push("task"));
 *   order.push("creator");
 *   assertEquals(order, ["task", "creator"]);
 * });
 * ```
 */
export const eager_task_factory: TaskFactory = create_eager_task_factory(Task);

/**
 * Makes a future of any awaitable: a task of what has not started, a future of a promise.
 *
 * See {@link https://docs.python.org/3/library/asyncio-future.html#asyncio.ensure_future Python's ensure_future}.
 *
 * @param awaitable a coroutine in any form, a promise, or a future, which is returned as it is
 * @param options `loop`, the current one by default
 * @returns the future
 * @throws {TypeError} if it cannot be awaited
 * @throws {ValueError} if it is a future of another loop than the one given
 * @category Tasks
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(await asyncio.ensure_future(Promise.resolve(1)), 1);
 * assertEquals(await asyncio.ensure_future(asyncio.sleep(0, 2)), 2);
 * ```
 */
export function ensure_future<T>(
  awaitable: Awaitable<T>,
  options: { loop?: AbstractEventLoop | null } = {},
): Future<T> {
  check_options("ensure_future", options, ["loop"]);
  return to_future(awaitable, options.loop ?? null);
}

/** Makes a future of any awaitable, in a loop if one is given. */
export function to_future<T>(awaitable: Awaitable<T>, loop: AbstractEventLoop | null): Future<T> {
  if (awaitable instanceof Future) {
    if (loop !== null && loop !== awaitable.get_loop()) {
      throw new ValueError(
        "The future belongs to a different loop than the one specified as the loop argument",
      );
    }
    return awaitable;
  }
  const start = to_start<T>(awaitable);
  if (start === null) {
    if (isawaitable(awaitable)) return wrap_future(awaitable as PromiseLike<T>, { loop });
    throw new TypeError("An asyncio.Future, a coroutine or an awaitable is required");
  }
  try {
    return (loop ?? get_event_loop()).create_task(start);
  } catch (error) {
    if (error instanceof RuntimeError && start instanceof Coroutine) start.close();
    throw error;
  }
}
