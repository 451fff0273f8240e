/**
 * Tasks, and the functions that wait for several things.
 *
 * @module
 */

import { aborted_by } from "./aborts.ts";
import { Context, share_values, type Values } from "./contextvars.ts";
import { async_with } from "./context_managers.ts";
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
  library_coroutine,
  NativeCall,
  type Operation,
  type Outcome,
  RAISED,
  RETURNED,
  SUSPENDED,
  Suspension,
  to_coroutine,
  to_start,
} from "./coroutines.ts";
import { type AbstractEventLoop, get_event_loop, get_running_loop, type Handle } from "./events.ts";
import {
  Cancellation,
  CancelledError,
  leaves_the_loop,
  make_cancelled_error,
  RuntimeError,
  TimeoutError,
  ValueError,
} from "./exceptions.ts";
import { repr, type_name } from "./format_helpers.ts";
import {
  CANCELLED,
  type Driver,
  FAILED,
  FINISHED,
  Future,
  Listener,
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
} from "./host/async_context.ts";
import { may_be_listened_to } from "./host/abort_signal.ts";
import { host_now } from "./host/timers.ts";
import { check_options, OwnOptions, split_options } from "./options.ts";
import { Queue } from "./queues.ts";
import { Deadline, timeout } from "./timeouts.ts";
import { enter, leave, restore_turn, running_loop, running_task, save_turn } from "./turn.ts";

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

/** `sleep(0)`: it only lets others run. */
const SWITCH: Operation<unknown, null, unknown> = {
  name: "sleep",
  advance(wait, thrown, value) {
    if (thrown) return wait._raise(value);
    if (wait._has_waited) return wait._return(wait._argument);
    wait._has_waited = true;
    wait._yielded = null;
    return SUSPENDED;
  },
};

const SLEEP: Operation<unknown, number, unknown> = {
  name: "sleep",
  advance(sleep, thrown, value) {
    if (!sleep._has_waited) {
      if (thrown) return sleep._raise(value);
      const delay = sleep._subject;
      if (Number.isNaN(delay)) throw new ValueError("Invalid delay: NaN (not a number)");
      const loop = get_running_loop();
      sleep._when = loop.time() + delay;
      loop._schedule_timer(sleep);
      return sleep._wait(loop);
    }
    if (sleep._scheduled) {
      sleep._cancelled = true;
      sleep._loop._timer_cancelled(sleep);
    }
    const error = sleep._error_of_wait(thrown, value);
    return error === null ? sleep._return(sleep._argument) : sleep._raise(error);
  },
};

/**
 * Waits for a time.
 *
 * A delay of zero or less lets all that is ready run once. It never ends early by the loop's clock.
 *
 * See {@link https://docs.python.org/3/library/asyncio-task.html#asyncio.sleep Python's sleep}.
 *
 * @param delay how long, in seconds
 * @param result what it resolves to
 * @throws {ValueError} if the delay is not a number
 * @throws {TypeError} if it is of another type
 * @category Waiting
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(await asyncio.sleep(0.001, "morning"), "morning");
 * ```
 */
export function sleep(delay: number): Coroutine<void>;
/** Waits for a time, then gives a result. */
export function sleep<T>(delay: number, result: T): Coroutine<T>;
export function sleep<T>(delay: number, result?: T): Coroutine<T | undefined> {
  if (typeof delay !== "number") {
    throw new TypeError(`sleep() expects a number of seconds, received ${repr(delay)}`);
  }
  return (delay <= 0
    ? new Suspension(SWITCH, null, result)
    : new Suspension(SLEEP, delay, result)) as Coroutine<T | undefined>;
}

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

function to_future<T>(awaitable: Awaitable<T>, loop: AbstractEventLoop | null): Future<T> {
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

/**
 * What awaiting an {@linkcode Awaitable} gives.
 *
 * @category Waiting
 */
export type Result<A> = A extends Coroutine<infer T> ? T
  : A extends () => infer R ? R extends Generator<unknown, infer T, unknown> ? T : Awaited<R>
  : A extends Generator<unknown, infer T, unknown> ? T
  : Awaited<A>;

/**
 * What awaiting each of several awaitables gives.
 *
 * @category Waiting
 */
export type Results<A extends readonly unknown[]> = { -readonly [K in keyof A]: Result<A[K]> };

/**
 * What awaiting each of several awaitables gives, or the error it fails with.
 *
 * It is taken to be an `Error`, though JavaScript lets anything be thrown.
 *
 * @category Waiting
 */
export type ResultsOrErrors<A extends readonly unknown[]> = {
  -readonly [K in keyof A]: Result<A[K]> | Error;
};

/** The future that `gather()` returns: cancelling it cancels what is gathered. */
export class GatheringFuture<T> extends Future<T> {
  /** @internal CPython's name, which its repr shows. */
  static override get name(): string {
    return "_GatheringFuture";
  }

  /** @internal */
  declare readonly _children: Future<unknown>[];
  /** @internal */
  declare _cancel_requested: boolean;
  /** @internal */
  declare readonly _return_exceptions: boolean;
  /** @internal How many children are not done. */
  declare _unfinished: number;

  /** @internal */
  constructor(children: Future<unknown>[], return_exceptions: boolean, loop: AbstractEventLoop) {
    super(loop._only_loop);
    this._children = children;
    this._cancel_requested = false;
    this._return_exceptions = return_exceptions;
    this._unfinished = 0;
  }

  /** Cancels all that is gathered; the future itself is done when they are. */
  override cancel(message?: unknown): boolean {
    if (this.done()) return false;
    let cancelled = false;
    for (const child of this._children) {
      if (child.cancel(message)) cancelled = true;
    }
    if (cancelled) this._cancel_requested = true;
    return cancelled;
  }
}

/**
 * What `gather()` may be given after the awaitables.
 *
 * @category Waiting
 */
export interface GatherOptions {
  /** Whether errors are results like others; else the first one is thrown. */
  return_exceptions?: boolean;
}

// Whether a sole argument is many awaitables: iterable, and nothing that can itself be awaited.
function is_many(value: unknown): value is Iterable<Awaitable<unknown>> {
  return typeof value === "object" && value !== null && Symbol.iterator in value &&
    !isawaitable(value) && !is_generator(value);
}

/**
 * Runs several awaitables at the same time and waits for all of them.
 *
 * Coroutines are made tasks. The results come in the order of the arguments. The first error is
 * thrown at once and the others go on; with `return_exceptions` errors are results. Cancelling the
 * returned future cancels all that is gathered.
 *
 * See {@link https://docs.python.org/3/library/asyncio-task.html#asyncio.gather Python's gather}.
 *
 * @param aws the awaitables, or one iterable of them; last may come `{ return_exceptions }`
 * @param options `return_exceptions`: whether errors are results like others; false by default
 * @returns a future of the list of results
 * @category Waiting
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * const [a, b] = await asyncio.gather(asyncio.sleep(0.002, 1), asyncio.sleep(0.001, "two"));
 * assertEquals([a, b], [1, "two"]);
 * ```
 */
export function gather<T>(
  aws: Iterable<Awaitable<T>>,
  options?: { return_exceptions?: false },
): Future<T[]>;
/** Runs an iterable of awaitables at the same time; with options. */
export function gather<T>(
  aws: Iterable<Awaitable<T>>,
  options: GatherOptions,
): Future<(T | Error)[]>;
/** Runs several awaitables at the same time. */
export function gather<A extends readonly Awaitable<unknown>[]>(...aws: A): Future<Results<A>>;
/** Runs several awaitables at the same time. */
export function gather<A extends readonly Awaitable<unknown>[]>(
  ...args: [...aws: A, options: { return_exceptions?: false }]
): Future<Results<A>>;
/**
 * Runs several awaitables at the same time; with options.
 *
 * @param args the awaitables, then `return_exceptions`
 */
export function gather<A extends readonly Awaitable<unknown>[]>(
  ...args: [...aws: A, options: GatherOptions]
): Future<ResultsOrErrors<A>>;
/** Runs an array of awaitables of several types at the same time. */
export function gather<const A extends readonly Awaitable<unknown>[]>(
  aws: A,
  options?: { return_exceptions?: false },
): Future<Results<A>>;
/** Runs an array of awaitables of several types at the same time; with options. */
export function gather<const A extends readonly Awaitable<unknown>[]>(
  aws: A,
  options: GatherOptions,
): Future<ResultsOrErrors<A>>;
export function gather(...args: unknown[]): Future<unknown> {
  const [positional, options] = split_options<GatherOptions>(args, ["return_exceptions"]);
  const aws = positional.length === 1 && is_many(positional[0]) ? [...positional[0]] : positional;
  return gather_all(aws as readonly Awaitable<unknown>[], options?.return_exceptions ?? false);
}

function gather_all(
  aws: readonly Awaitable<unknown>[],
  return_exceptions: boolean,
): Future<unknown[]> {
  if (aws.length === 0) {
    const outer = get_event_loop().create_future<unknown[]>();
    outer.set_result([]);
    return outer;
  }
  const loop = running_loop() ?? future_loop(aws) ?? get_event_loop();
  const children = new Array<Future<unknown>>(aws.length);
  const outer = new GatheringFuture<unknown[]>(children, return_exceptions, loop);
  const listener = new Listener(child_done, "gather.<locals>._done_callback()", outer);
  // The same function given twice is two calls; the same future or coroutine is one.
  let future_of: Map<unknown, Future<unknown>> | null = null;
  let already_done: Future<unknown>[] | null = null;
  for (let index = 0; index < aws.length; index++) {
    const aw = aws[index];
    const is_call = typeof aw === "function";
    let child = is_call ? undefined : future_of?.get(aw);
    if (child === undefined) {
      child = to_future(aw, loop);
      if (!is_call) (future_of ??= new Map()).set(aw, child);
      outer._unfinished++;
      if (child.done()) (already_done ??= []).push(child);
      else child._add_listener(listener);
    }
    children[index] = child;
  }
  // Only now, when all children are known: with eager tasks this may finish the whole.
  if (already_done !== null) { for (const child of already_done) child_done(child, outer); }
  return outer;
}

function child_done(child: Future<unknown>, outer: GatheringFuture<unknown[]>): void {
  outer._unfinished--;
  if (outer.done()) {
    if (!child.cancelled()) child.exception();
    return;
  }
  if (!outer._return_exceptions && child._state !== FINISHED) {
    outer.set_exception(child._error());
    return;
  }
  if (outer._unfinished > 0) return;
  const results: unknown[] = [];
  for (const child of outer._children) {
    results.push(
      child._state === FINISHED
        ? child._value
        : child._state === CANCELLED
        ? make_cancelled_error(child._cancel_message ?? "")
        : child._error(),
    );
  }
  // The request for cancellation wins, whatever became of the children.
  const last = outer._children[outer._children.length - 1];
  if (outer._cancel_requested) outer.set_exception(last._make_cancelled_error());
  else outer.set_result(results);
}

function future_loop(aws: readonly unknown[]): AbstractEventLoop | null {
  const future = aws.find((aw) => aw instanceof Future) as Future<unknown> | undefined;
  return future?.get_loop() ?? null;
}

/**
 * For `wait()`: return when the first is done.
 *
 * See {@link https://docs.python.org/3/library/asyncio-task.html#asyncio.FIRST_COMPLETED Python's FIRST_COMPLETED}.
 *
 * @category Waiting
 */
export const FIRST_COMPLETED = "FIRST_COMPLETED";
/**
 * For `wait()`: return when the first has failed, or all are done.
 *
 * See {@link https://docs.python.org/3/library/asyncio-task.html#asyncio.FIRST_EXCEPTION Python's FIRST_EXCEPTION}.
 *
 * @category Waiting
 */
export const FIRST_EXCEPTION = "FIRST_EXCEPTION";
/**
 * For `wait()`: return when all are done.
 *
 * See {@link https://docs.python.org/3/library/asyncio-task.html#asyncio.ALL_COMPLETED Python's ALL_COMPLETED}.
 *
 * @category Waiting
 */
export const ALL_COMPLETED = "ALL_COMPLETED";

/**
 * When `wait()` returns.
 *
 * @category Waiting
 */
export type ReturnWhen = typeof FIRST_COMPLETED | typeof FIRST_EXCEPTION | typeof ALL_COMPLETED;

/**
 * What `wait()` may be given.
 *
 * @category Waiting
 */
export interface WaitOptions {
  /** How long to wait at most, in seconds; `null`, the default, is without limit. */
  timeout?: number | null;
  /** When to return, `ALL_COMPLETED` by default. */
  return_when?: ReturnWhen;
}

/**
 * Waits for futures or tasks, up to a condition or a time, and tells which are done.
 *
 * It throws no `TimeoutError` and cancels nothing, also when it is cancelled itself.
 *
 * See {@link https://docs.python.org/3/library/asyncio-task.html#asyncio.wait Python's wait}.
 *
 * @param fs futures or tasks, at least one
 * @param options `timeout` in seconds, `return_when`
 * @returns the set of those that are done and the set of those that are not
 * @throws {ValueError} if there is nothing to wait for, or `return_when` is none of the three
 * @throws {TypeError} if a coroutine or function is among them: make it a task first
 * @category Waiting
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * await asyncio.run(async () => {
 *   const fast = asyncio.create_task(asyncio.sleep(0.001));
 *   const slow = asyncio.create_task(asyncio.sleep(60));
 *   const [done, pending] = await asyncio.wait([fast, slow], { timeout: 0.02 });
 *   assertEquals([[...done], [...pending]], [[fast], [slow]]);
 *   slow.cancel();
 * });
 * ```
 */
export function wait<F extends Future<unknown>>(
  fs: Iterable<F>,
  options: WaitOptions = {},
): Coroutine<[done: Set<F>, pending: Set<F>]> {
  check_options("wait", options, ["timeout", "return_when"]);
  return library_coroutine("wait", wait_for_all(fs, options));
}

function* wait_for_all<F extends Future<unknown>>(
  fs: Iterable<F>,
  { timeout = null, return_when = ALL_COMPLETED }: WaitOptions,
): Generator<unknown, [Set<F>, Set<F>], unknown> {
  if (isawaitable(fs) || typeof (fs as Iterable<F> | null)?.[Symbol.iterator] !== "function") {
    throw new TypeError(`expect a list of futures, not ${type_name(fs)}`);
  }
  const futures = new Set(fs);
  if (futures.size === 0) throw new ValueError("Set of Tasks/Futures is empty.");
  if (![FIRST_COMPLETED, FIRST_EXCEPTION, ALL_COMPLETED].includes(return_when)) {
    throw new ValueError(`Invalid return_when value: ${return_when}`);
  }
  for (const future of futures) {
    if (future instanceof Future) continue;
    throw new TypeError(
      to_coroutine(future) !== null
        ? "Passing coroutines is forbidden, use tasks explicitly."
        : `wait() expects futures or tasks, received ${repr(future)}`,
    );
  }
  const loop = get_running_loop();
  const waiter = loop.create_future<void>();
  const release = () => {
    if (!waiter.done()) waiter.set_result();
  };
  const handle = timeout === null ? null : loop.call_later(timeout, release);
  let unfinished = futures.size;
  const on_completion = (future: Future<unknown>): void => {
    unfinished--;
    if (
      unfinished <= 0 || return_when === FIRST_COMPLETED ||
      (return_when === FIRST_EXCEPTION && !future.cancelled() && future.exception() !== null)
    ) {
      handle?.cancel();
      release();
    }
  };
  const listener = new Listener(on_completion, "_wait.<locals>._on_completion()");
  for (const future of futures) future._add_listener(listener);
  try {
    yield* waiter;
  } finally {
    handle?.cancel();
    for (const future of futures) future.remove_done_callback(on_completion);
  }
  const done = new Set<F>();
  const pending = new Set<F>();
  for (const future of futures) (future.done() ? done : pending).add(future);
  return [done, pending];
}

/**
 * Waits for an awaitable, but not longer than a time.
 *
 * When the time is over the awaitable is cancelled; `shield()` keeps it from that. If the wait is
 * cancelled, so is the awaitable.
 *
 * See {@link https://docs.python.org/3/library/asyncio-task.html#asyncio.wait_for Python's wait_for}.
 *
 * @param aw a coroutine in any form, a future, a promise (whose work goes on when it is too late)
 * @param timeout how long, in seconds; `null` is without limit
 * @param options `signal`, an `AbortSignal` that ends the wait
 * @returns the result of the awaitable
 * @throws {TimeoutError} if the time is over
 * @throws the signal's reason if it is aborted; the awaitable is cancelled
 * @throws {TypeError} if the time is no number
 * @category Waiting
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { assertEquals, assertRejects } from "@std/assert";
 *
 * assertEquals(await asyncio.wait_for(asyncio.sleep(0, "quick"), 1), "quick");
 * await assertRejects(async () => {
 *   await asyncio.wait_for(asyncio.sleep(60), 0.001);
 * }, asyncio.TimeoutError);
 * ```
 */
export function wait_for<T>(
  aw: Awaitable<T>,
  timeout: number | null,
  options: { signal?: AbortSignal | null } = {},
): Coroutine<T> {
  check_options("wait_for", options, ["signal"]);
  if (timeout !== null && typeof timeout !== "number") {
    throw new TypeError(
      `wait_for() expects a number of seconds or null as timeout, received ${repr(timeout)}`,
    );
  }
  const waiting = wait_for_one(aw, timeout);
  if (!options.signal) return library_coroutine("wait_for", waiting);
  return async_with(aborted_by(options.signal), () => waiting);
}

function* wait_for_one<T>(
  aw: Awaitable<T>,
  limit: number | null,
): Generator<unknown, T, unknown> {
  if (limit !== null && limit <= 0) {
    const future = ensure_future(aw);
    if (future.done()) return future.result();
    yield* cancel_and_wait(future);
    try {
      return future.result();
    } catch (error) {
      if (error instanceof CancelledError) throw new TimeoutError("", { cause: error });
      throw error;
    }
  }
  // What has not started runs in this very task; a promise could not be cancelled, so it is wrapped.
  const awaited = to_coroutine<T>(aw) ?? ensure_future(aw);
  return yield* async_with(timeout(limit), function* () {
    return yield* awaited;
  });
}

function* cancel_and_wait(future: Future<unknown>): Generator<unknown, void, unknown> {
  const waiter = get_running_loop().create_future<void>();
  const release = () => {
    if (!waiter.done()) waiter.set_result();
  };
  future._add_done_callback(release, "_release_waiter()");
  try {
    future.cancel();
    // Not the future itself is awaited, so that this wait can be cancelled for sure.
    yield* waiter;
  } finally {
    future.remove_done_callback(release);
  }
}

/**
 * What `as_completed()` returns: an iterator of awaitables, and an asynchronous iterator of futures.
 *
 * @category Waiting
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * await asyncio.run(async () => {
 *   const naps = [0.002, 0.001].map((delay) => asyncio.create_task(asyncio.sleep(delay)));
 *   const order: unknown[] = [];
 *   for await (const nap of asyncio.as_completed(naps)) order.push(nap);
 *   assertEquals(order, naps.toReversed());
 * });
 * ```
 */
export class AsCompletedIterator<T, F extends Future<T>> {
  readonly #done = new Queue<F | null>();
  readonly #todo: Set<F>;
  #left: number;
  #handle: Handle | null = null;

  /** @internal */
  constructor(aws: Iterable<Awaitable<T>>, timeout: number | null) {
    const loop = get_event_loop();
    const futures: F[] = [];
    for (const aw of unique(aws)) futures.push(to_future(aw, loop) as F);
    this.#todo = new Set(futures);
    this.#left = this.#todo.size;
    const listener = new Listener(
      this.#on_completion as (future: Future<T>) => void,
      "_AsCompletedIterator._handle_completion()",
    );
    for (const future of this.#todo) future._add_listener(listener);
    if (this.#left > 0 && timeout !== null) {
      this.#handle = loop.call_later(timeout, () => this.#on_timeout());
    }
  }

  readonly #on_completion = (future: F): void => {
    if (!this.#todo.delete(future)) return; // too late
    this.#done.put_nowait(future);
    if (this.#todo.size === 0) this.#handle?.cancel();
  };

  #on_timeout(): void {
    for (const future of this.#todo) {
      future.remove_done_callback(this.#on_completion as (future: Future<T>) => unknown);
      this.#done.put_nowait(null);
    }
    this.#todo.clear();
  }

  *#next_done(): Generator<unknown, F, unknown> {
    const future = yield* this.#done.get();
    if (future === null) throw new TimeoutError();
    return future;
  }

  *#next_result(): Generator<unknown, T, unknown> {
    return (yield* this.#next_done()).result();
  }

  *#next_entry(): Generator<unknown, IteratorResult<F, undefined>, unknown> {
    if (this.#left === 0) return { done: true, value: undefined };
    this.#left--;
    return { done: false, value: yield* this.#next_done() };
  }

  /** Iterates over coroutines: each waits for the next that is done and gives its result. */
  [Symbol.iterator](): Iterator<Coroutine<T>, undefined, void> {
    return {
      next: (): IteratorResult<Coroutine<T>, undefined> => {
        if (this.#left === 0) return { done: true, value: undefined };
        this.#left--;
        return { done: false, value: library_coroutine("_wait_for_one", this.#next_result()) };
      },
    };
  }

  /** Iterates over the futures themselves, as they are done. */
  [Symbol.asyncIterator](): AsyncIterator<F, undefined, void> {
    return { next: () => library_coroutine("__anext__", this.#next_entry()) };
  }
}

function unique<T>(aws: Iterable<Awaitable<T>>): Awaitable<T>[] {
  const seen = new Set<Awaitable<T>>();
  return [...aws].filter((aw) => {
    if (seen.has(aw) && typeof aw !== "function") return false;
    seen.add(aw);
    return true;
  });
}

/**
 * Runs several awaitables at the same time and gives them in the order in which they are done.
 *
 * `for (const next of as_completed(aws)) await next` gives the results; `for await` gives the tasks
 * and futures themselves, those made of coroutines included. A cancellation of who iterates, like
 * leaving the iteration early, cancels none of them.
 *
 * See {@link https://docs.python.org/3/library/asyncio-task.html#asyncio.as_completed Python's as_completed}.
 *
 * @param aws an iterable of awaitables
 * @param options `timeout`, in seconds, after which a `TimeoutError` is thrown for each that is left
 * @returns an iterator of coroutines of the results, and an asynchronous iterator of futures
 * @throws {TypeError} if it is no iterable
 * @category Waiting
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * await asyncio.run(async () => {
 *   const results: string[] = [];
 *   const naps = [asyncio.sleep(0.02, "long"), asyncio.sleep(0.001, "short")];
 *   for (const next of asyncio.as_completed(naps)) results.push(await next);
 *   assertEquals(results, ["short", "long"]);
 * });
 * ```
 */
export function as_completed<T, F extends Future<T> = Future<T>>(
  aws: Iterable<F> | Iterable<Awaitable<T>>,
  options: { timeout?: number | null } = {},
): AsCompletedIterator<T, F> {
  check_options("as_completed", options, ["timeout"]);
  if (isawaitable(aws) || typeof (aws as Iterable<F> | null)?.[Symbol.iterator] !== "function") {
    throw new TypeError(`expects an iterable of awaitables, not ${type_name(aws)}`);
  }
  return new AsCompletedIterator<T, F>(aws as Iterable<Awaitable<T>>, options.timeout ?? null);
}

/**
 * Waits for an awaitable and keeps cancellation from it.
 *
 * If who waits is cancelled, the awaitable goes on. If it then fails, the loop's exception handler
 * is told.
 *
 * See {@link https://docs.python.org/3/library/asyncio-task.html#asyncio.shield Python's shield}.
 *
 * @param aw a coroutine in any form, a future, a promise
 * @returns a future of the same outcome; cancelling it does not cancel the awaitable
 * @category Waiting
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * await asyncio.run(async () => {
 *   const save = asyncio.create_task(asyncio.sleep(0.002, "saved"));
 *   await asyncio.wait([asyncio.shield(save)], { timeout: 0.001 });
 *   assertEquals(await save, "saved");
 * });
 * ```
 */
export function shield<T>(aw: Awaitable<T>): Future<T> {
  const inner = ensure_future(aw);
  if (inner.done()) return inner;
  const loop = inner.get_loop();
  const outer = loop.create_future<T>();

  const on_inner_done = (inner: Future<T>): void => {
    if (outer.cancelled()) return;
    if (inner._state === CANCELLED) outer.cancel();
    else if (inner._state === FAILED) outer.set_exception(inner._error());
    else outer.set_result(inner.result());
  };
  const on_outer_done = (): void => {
    if (inner.done()) return;
    inner.remove_done_callback(on_inner_done);
    inner.remove_done_callback(report_shielded);
    inner._add_done_callback(report_shielded, "_log_on_exception()");
  };
  inner._add_done_callback(on_inner_done, "shield.<locals>._inner_done_callback()");
  outer._add_done_callback(on_outer_done, "shield.<locals>._outer_done_callback()");
  return outer;
}

function report_shielded(future: Future<unknown>): void {
  if (future._state !== FAILED) return;
  const exception = future.exception();
  future.get_loop().call_exception_handler({
    message: `${type_name(exception)} exception in shielded future`,
    exception,
    future,
  });
}
