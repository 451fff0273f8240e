/**
 * Tasks and what makes them.
 *
 * @module
 */

import {
  context_value,
  has_async_context,
  keep_context,
  type KeptContext,
  run_as,
  run_in,
} from "../host/async_context.ts";
import { frames_of, is_error } from "../internal/error_kinds.ts";
import { repr } from "../internal/format_helpers.ts";
import { check_object } from "../internal/unbound.ts";
import { check_options, keyword_or_value, NO_OPTIONS, OwnOptions } from "../internal/options.ts";
import { type AbstractEventLoop, check_loop, get_event_loop, get_running_loop } from "./events.ts";
import {
  advance,
  BlockWait,
  describe_task,
  NativeCall,
  type Outcome,
  RAISED,
  RETURNED,
  type Steps,
} from "./awaits.ts";
import {
  cancel_scope,
  CancellationState,
  Delivery,
  leave_to_sole_waiter,
  note_cycle,
  renew,
} from "./cancellation_state.ts";
import { check_context, Context, share_values, type Values } from "./contextvars.ts";
import {
  type Continuation,
  type LoopCore,
  NOTHING,
  type OnRejected,
  type OpenAwait,
  type Runnable,
  type Scope,
  type TaskCore,
  type Waitable,
} from "./contracts.ts";
import {
  type Awaitable,
  Coroutine,
  type CoroutineFunction,
  type CoroutineLike,
  function_name,
  FunctionCoroutine,
  is_generator,
  isawaitable,
  type NotStarted,
  to_start,
} from "./coroutines.ts";
import { Suspension } from "./suspensions.ts";
import {
  debug_loops,
  eager_depth,
  enter,
  leave,
  running_task,
  runs_now,
  start_on_top,
} from "./current.ts";
import {
  as_cancellation,
  Cancellation,
  is_cancellation,
  make_cancelled_error,
  message_or_reason,
} from "./cancellation.ts";
import { type CancelledError, leaves_the_loop, RuntimeError, ValueError } from "./exceptions.ts";
import {
  adopt,
  CANCELLED,
  FAILED,
  FINISHED,
  Future,
  is_other_future,
  isfuture,
  PENDING,
  wrap_future,
} from "./futures.ts";
import {
  add_open_await,
  innermost,
  note_settled,
  open_awaits,
  remove_open_await,
  this_moment,
} from "./scopes.ts";
import { add_frames } from "./origins.ts";
import { NOT_STARTED, OPEN, SUSPENDED as SUSPENDED_STEP } from "./steps.ts";
import { CREATED, SCHEDULED } from "./unawaited.ts";

/**
 * The options of a {@linkcode Task}.
 *
 * @category Tasks
 */
export interface TaskOptions {
  /** Its name; `Task-1`, `Task-2`, … by default. */
  name?: unknown;
  /** The context it runs in; a copy of the current one by default. */
  context?: Context | null | undefined;
  /** True if the task runs at once up to its first suspension. */
  eager_start?: boolean | null | undefined;
}

/**
 * Makes the tasks of a loop.
 *
 * @category Tasks
 */
export type TaskFactory = <T>(
  loop: AbstractEventLoop,
  coro: CoroutineLike<T>,
  options: TaskOptions,
) => Task<T>;

/** The options of tasks made by the library, which need no check. */
export type OwnTaskOptions = OwnOptions<AbstractEventLoop>;

// Tasks that start each other eagerly beyond this depth are refused, before the stack overflows.
const MAX_EAGER_DEPTH = 400;

const TASK_OPTIONS = ["loop", "name", "context", "eager_start"];

let tasks_named = 0;

const first_step = (task: Task<unknown>): void => task["_run_step"](NOTHING);
const next_step = (task: Task<unknown>, error: unknown): void => task["_run_step"](error);

// The host's context shows which task's call it was: so there are two functions, and not two for each task.
const call_returned = (value: unknown): void =>
  (context_value() as Task<unknown>)["_call_ended"](false, value);
const call_raised = (error: unknown): void =>
  (context_value() as Task<unknown>)["_call_ended"](true, error);

/**
 * A coroutine that runs by itself, step by step, in its loop's turn.
 *
 * Make one by `create_task()` or, better, `TaskGroup.create_task()`. It is also the future of what
 * the coroutine returns. A loop keeps its tasks alive until they are done.
 *
 * A task of an async function that was started eagerly and ran to its end is `done()` a microtask
 * later, because its end cannot be seen at once; a task of a `function*` is done at once. Where the
 * host has no `AsyncLocalStorage` (browsers), an eager task of an async function and its creator
 * cannot be distinguished after their first awaits.
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
export class Task<T = unknown> extends Future<T> {
  /** @internal */
  static override get name(): string {
    return "Task";
  }

  /** @internal The waitable that the task's own coroutine waits on. */
  declare protected _waiting: Waitable | null;
  /** @internal When its own coroutine began to wait. */
  declare protected _begun: number;
  /** @internal */
  declare protected _resumed: number;
  /** @internal */
  declare protected _active: number;
  /** @internal An async function awaits one thing at a time; with `Promise.all` and the like several. */
  declare protected _newest: OpenAwait | null;
  /** @internal A state of the step protocol. */
  declare protected _step: number;
  /** @internal Its neighbours in the loop's list of tasks. */
  declare protected _previous_task: Task<unknown> | null;
  /** @internal */
  declare protected _next_task: Task<unknown> | null;
  /** @internal */
  declare protected _cancellation_state: CancellationState | null;
  /** @internal A function that is called needs no coroutine until `get_coro()`. */
  declare private _coroutine: Coroutine<T> | CoroutineFunction<T> | null;
  /** @internal The values that it is to be made of, until it is needed. */
  declare private _context: Context | Values;
  /** @internal A number until it is needed. */
  declare private _name: string | number;

  /**
   * Makes a task and schedules its first step.
   *
   * @param coro a coroutine, or a function or generator object that has not started
   * @param options `loop`, `name`, `context`, `eager_start`
   * @throws {TypeError} if `coro` is a promise, whose work has started already, or no coroutine
   * @throws {RuntimeError} if it is started eagerly, and too many tasks on the stack have started each other so
   */
  constructor(
    coro: CoroutineLike<T, NotStarted>,
    options: TaskOptions & { loop?: AbstractEventLoop | null } = {},
  ) {
    const is_own = options instanceof OwnOptions;
    if (!is_own) check_options("Task", options, TASK_OPTIONS);
    super(is_own ? options as OwnTaskOptions : { loop: options.loop ?? null });
    const start = to_start<T>(coro);
    if (start === null) throw new TypeError(not_a_coroutine(coro));
    if (!is_own && options.context != null) check_context("create_task", options.context);
    if (!is_own) this._loop["_check_closed"](start);
    const runs_eagerly = !is_own && options.eager_start && this._loop.is_running();
    if (runs_eagerly && eager_depth() >= MAX_EAGER_DEPTH) {
      if (start instanceof Coroutine) start.close();
      throw new RuntimeError(
        `Cannot start a task eagerly: maximum recursion depth exceeded: received a task that ` +
          `${MAX_EAGER_DEPTH} tasks on the stack have started`,
      );
    }
    this._waiting = null;
    this._begun = 0;
    this._resumed = this._active = this_moment();
    this._newest = null;
    this._step = NOT_STARTED;
    this._previous_task = null;
    this._next_task = null;
    this._cancellation_state = null;
    if (typeof start !== "function" && start["_phase"] === CREATED) start["_phase"] = SCHEDULED;
    this._coroutine = start;
    this._name = is_own || options.name == null ? ++tasks_named : String(options.name);
    this._context = is_own || options.context == null ? share_values() : options.context;
    if (this._needs_context()) this._value = keep_context();
    this._loop["_register_task"](this as Task<unknown>);
    if (runs_eagerly) this._start_eagerly();
    else this._loop["_schedule"](this as unknown as Runnable);
  }

  /** @internal A task is its own root scope. */
  protected get _owner(): TaskCore {
    return this as unknown as TaskCore;
  }

  /** @internal */
  protected get _parent(): null {
    return null;
  }

  /** @internal */
  protected get _ended(): false {
    return false;
  }

  /** @internal The scope in which its own coroutine waits. */
  protected get _scope(): Scope {
    return this._cancellation_state?.own_scope ?? this as unknown as Scope;
  }

  /** @internal */
  protected set _scope(scope: Scope) {
    if (scope !== this as unknown as Scope) {
      (this._cancellation_state ??= new CancellationState()).own_scope = scope;
    } else if (this._cancellation_state !== null) this._cancellation_state.own_scope = null;
  }

  /** The coroutine that the task runs; `null` if it was started eagerly and ended at once. */
  get_coro(): Coroutine<T> | null {
    const coroutine = this._coroutine;
    if (typeof coroutine !== "function") return coroutine;
    const has_begun = this._step !== NOT_STARTED;
    const made = new FunctionCoroutine<T>(coroutine.name, has_begun ? null : coroutine);
    if (has_begun) made["_claim"]();
    if (this._state !== PENDING) made.close();
    return this._coroutine = made;
  }

  /** @internal Its coroutine, unless it is a call for which none has been made. */
  protected get _own_coroutine(): Coroutine<T> | null {
    return typeof this._coroutine === "function" ? null : this._coroutine;
  }

  /** @internal The name of the function that it runs. */
  protected get _coroutine_name(): string {
    const coroutine = this._coroutine;
    if (coroutine === null) return "";
    return typeof coroutine === "function" ? function_name(coroutine.name) : coroutine.name;
  }

  /** @internal Returns whether user code may run in its next step. */
  private _needs_context(): boolean {
    if (!has_async_context) return false;
    const coroutine = this._coroutine;
    return typeof coroutine === "function" || (coroutine as Coroutine<T>)["_needs_context"]();
  }

  /** The context in which the task runs. */
  get_context(): Context {
    const context = this._context;
    return context instanceof Context ? context : this._context = Context["_of"](context);
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
  override set_result(this: object, _result: T): void;
  override set_result(_result: T): void {
    throw new RuntimeError("Task does not support set_result operation");
  }

  /**
   * Cannot be used: a task's error is what its coroutine throws.
   *
   * @throws {RuntimeError} always
   */
  override set_exception(this: object, _exception: unknown): void;
  override set_exception(_exception: unknown): void {
    throw new RuntimeError("Task does not support set_exception operation");
  }

  /**
   * Requests the cancellation of the task: a {@linkcode CancelledError} is thrown where it waits.
   *
   * The task may clean up, and may even refuse. What it waits on is cancelled, if it is of this library; a
   * task that waits for a native promise gets the error at its next await of something of this library, or
   * at once if the promise is behind {@linkcode from_promise}.
   *
   * @param message the message of the error. By name: `{ msg }`
   * @returns false if the task is done already
   */
  override cancel(this: object, message?: unknown): boolean;
  override cancel(message?: unknown): boolean {
    check_object(this instanceof Task, "cancel");
    this._mark_retrieved();
    const state = this._cancellation_state ??= new CancellationState();
    const target = state.target ?? this as unknown as Scope;
    const by_manager = state.target !== null && state.by_manager;
    state.target = null;
    // A call that was left running may have outlived the task; its blocks keep their limits.
    if (this._state !== PENDING && target === this as unknown as Scope) return false;
    if (note_cycle(this, state)) return false;
    state.requests++;
    this._loop["_note_cancel"](this as Task<unknown>);
    const by_itself = !by_manager && this._step !== NOT_STARTED &&
      runs_now(this as unknown as TaskCore, this._step === OPEN);
    const text = message_or_reason(keyword_or_value("msg", message));
    cancel_scope(this as unknown as TaskCore, state, new Delivery(target, text, by_itself));
    return true;
  }

  /** The number of requests for cancellation that have not been taken back. */
  cancelling(): number {
    return this._cancellation_state === null ? 0 : this._cancellation_state.requests;
  }

  /**
   * Takes one request for cancellation back, by code that made it and has dealt with it.
   *
   * @returns how many are left
   */
  uncancel(this: object): number;
  uncancel(): number {
    const state = this._cancellation_state;
    if (state === null || state.requests === 0) return 0;
    state.requests--;
    if (state.requests === 0) state.drop_undelivered(this._owner);
    return state.requests;
  }

  /** @internal */
  protected override _undelivered_message(): unknown {
    return this._cancellation_state?.message;
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
    if (!is_error(error)) return [];
    const frames = frames_of(error).map((line) => line.trim().slice(3));
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
    const text = format_stack(this, this.get_stack({ limit: options.limit ?? null }));
    if (options.file) options.file.write(text + "\n");
    else console.error(text);
  }

  /** @internal The loop runs it: the first step, or a later one of its own coroutine. */
  protected override _run(): void {
    if (this._state !== PENDING) {
      super._run();
      return;
    }
    let error: unknown = NOTHING;
    if (this._cancellation_state === null) {
      note_settled(this as unknown as Scope, this._begun);
      this._waiting = null;
      this._begun = 0;
    } else {
      error = this._resume(this as unknown as Continuation);
    }
    if (!this._needs_context()) {
      this._run_step(error);
    } else if (this._step !== NOT_STARTED || error !== NOTHING) {
      run_in(this._let_go_of_context(), next_step, this as Task<unknown>, error);
    } else {
      // It runs in the context of the code that created it, and can be distinguished from it.
      run_as(this._let_go_of_context(), this, first_step, this as Task<unknown>);
    }
  }

  /** @internal Releases the kept context: at the first step it is the creator's, which the task must not keep alive. */
  private _let_go_of_context(): KeptContext {
    const kept = this._value;
    this._value = undefined;
    return kept;
  }

  /** @internal */
  private _start_eagerly(): void {
    start_on_top(() => {
      if (!this._needs_context()) this._run_step(NOTHING);
      else run_as(this._let_go_of_context(), this, first_step, this as Task<unknown>);
    });
    if (this._state !== PENDING) this._coroutine = null;
  }

  /** @internal */
  protected _run_step(error: unknown): void {
    enter(this._loop as unknown as LoopCore, this as unknown as Scope, undefined);
    try {
      if (this._step !== NOT_STARTED) this._go_on(error !== NOTHING, error);
      else this._start(error);
    } finally {
      leave();
    }
  }

  /** @internal */
  private _start(error: unknown): void {
    const coroutine = this._coroutine as Coroutine<T> | CoroutineFunction<T>;
    this._step = SUSPENDED_STEP;
    if (typeof coroutine === "function") {
      if (error === NOTHING) this._call(coroutine);
      else this._raised(error);
      return;
    }
    try {
      coroutine["_claim"]();
    } catch (used_before) {
      this._raised(used_before);
      return;
    }
    this._go_on(error !== NOTHING, error);
  }

  /** @internal Most tasks are calls of async functions. */
  private _call(fn: CoroutineFunction<T>): void {
    let returned: unknown;
    try {
      returned = fn();
    } catch (error) {
      this._raised(error);
      return;
    }
    if (returned instanceof Promise) {
      this._loop["_begin_step"](this as unknown as TaskCore, this as unknown as Scope);
      if (has_async_context) returned.then(call_returned, call_raised);
      else listen_to_call(this, returned);
    } else {
      const coroutine = new FunctionCoroutine<T>(fn.name, null);
      this._coroutine = coroutine;
      this._came_to(coroutine["_go_on_with"](returned));
    }
  }

  /** @internal The promise of the call has settled. */
  protected _call_ended(thrown: boolean, value: unknown): void {
    if (this._state !== PENDING) return;
    if (typeof this._coroutine !== "function") this._coroutine?.close();
    try {
      if (thrown) this._raised(value);
      else this._returned(value as T);
    } catch (error) {
      this._loop["_interrupt"](error); // the loop is not on the stack
    }
    this._loop["_end_last_step"](this as unknown as TaskCore);
  }

  /** @internal */
  private _go_on(thrown: boolean, value: unknown): void {
    this._came_to(advance(this._coroutine as Coroutine<T> as unknown as Steps, thrown, value));
  }

  /** @internal */
  private _came_to(outcome: Outcome): void {
    const coroutine = this._coroutine as Coroutine<T>;
    if (outcome === RETURNED) {
      this._returned(coroutine["_value"] as T);
      return;
    }
    if (outcome === RAISED) {
      this._raised(coroutine["_value"]);
      return;
    }
    const yielded = coroutine["_yielded"];
    if (yielded instanceof NativeCall) {
      this._loop["_begin_step"](this._owner, yielded.scope ?? this as unknown as Scope);
      yielded.promise.then(
        (value) => this._native_call_ended(false, value),
        (error) => this._native_call_ended(true, error),
      );
    } else {
      if (has_async_context && coroutine["_needs_context"]()) this._value = keep_context();
      this._suspend_on_yielded(this as unknown as Continuation, yielded);
    }
  }

  /** @internal */
  private _native_call_ended(thrown: boolean, value: unknown): void {
    if (this._state !== PENDING) return;
    enter(this._loop as unknown as LoopCore, this as unknown as Scope, undefined);
    try {
      this._go_on(thrown, value);
    } catch (error) {
      this._loop["_interrupt"](error); // the loop is not on the stack
    } finally {
      leave();
    }
    if (this._state !== PENDING) this._loop["_end_last_step"](this as unknown as TaskCore);
  }

  /** @internal */
  private _returned(value: T): void {
    const state = this._cancellation_state;
    const due = state?.take_pending_at_end(this as unknown as Scope, false) ?? null;
    // A task made for one await alone: its value is not lost, and the cancellation left to the code that awaits.
    if (due !== null && !leave_to_sole_waiter(this._waiters)) {
      this._end_cancelled(due.cancellation);
    } else {
      if (this.cancelling() > 0 && this._loop.get_debug()) warn_of_swallowing(this);
      this._end(FINISHED, value);
      this._finish(FINISHED, value);
    }
  }

  /** @internal */
  private _raised(error: unknown): void {
    if (debug_loops > 0) {
      const where = `in ${describe_task(this._owner)}, made at:`;
      add_frames(error, this._source_traceback ?? null, where);
    }
    if (is_cancellation(error)) {
      this._end_cancelled(as_cancellation(error));
    } else {
      this._end(FAILED, error);
      this._fail(error);
      if (leaves_the_loop(error)) throw error;
    }
  }

  /** @internal */
  private _end_cancelled(cancellation: Cancellation | CancelledError): void {
    this._end(CANCELLED, undefined);
    this._finish(CANCELLED, cancellation);
  }

  /** @internal */
  private _end(state: number, value: unknown): void {
    this._loop["_unregister_task"](this as Task<unknown>, state, value);
    this._waiting = null;
    this._begun = 0;
    if (this._newest !== null) this._loop["_note_loose_awaits"](this as unknown as TaskCore);
    else this._cancellation_state?.end();
  }

  /** @internal Suspends a continuation of this task on what its coroutine yielded; the step ends. */
  protected _suspend_on_yielded(continuation: Continuation, given: unknown): void {
    let yielded = given;
    if (given instanceof BlockWait) {
      yielded = given.yielded;
      continuation._scope = given.scope;
    } else if (continuation._scope._parent !== null) {
      continuation._scope = innermost(continuation._scope);
    }
    if (yielded === null || yielded === undefined) {
      this._begin_wait(continuation);
      const state = this._cancellation_state;
      state?.waits?.note_wait(continuation);
      const due = state?.take_pending(continuation._scope, true) ?? null;
      if (due !== null) state?.mark(continuation, due.cancellation);
      this._loop["_schedule"](continuation);
      this._loop["_end_step"](this as unknown as TaskCore, continuation);
    } else if (is_waitable(yielded) && yielded._is_offered()) {
      this._suspend(continuation, yielded);
    } else {
      this._begin_wait(continuation);
      this._refuse_wait(continuation, refusal_of(yielded, this));
      this._loop["_end_step"](this as unknown as TaskCore, continuation);
    }
  }

  /** @internal Suspends a continuation of this task on something that waits; the step ends. */
  protected _suspend(continuation: Continuation, waitable: Waitable): void {
    this._begin_wait(continuation);
    if (waitable._loop as unknown !== this._loop || waitable as unknown === this) {
      continuation._waiting = null;
      this._refuse_wait(
        continuation,
        waitable as unknown === this
          ? `Task cannot await on itself: ${this}`
          : `Task ${this} got Future ${waitable} attached to a different loop`,
      );
    } else {
      waitable._add_waiter(continuation);
      continuation._waiting = waitable;
      const state = this._cancellation_state;
      if (state !== null) {
        state.waits?.note_wait(continuation);
        const due = state.take_pending(continuation._scope, true, waitable);
        if (due !== null) {
          const taken = waitable._may_fulfil ? renew(due) : due;
          if (!waitable._cancel_for(taken)) state.mark(continuation, taken.cancellation);
        }
      }
    }
    this._loop["_end_step"](this as unknown as TaskCore, continuation);
  }

  // An error is thrown into the continuation at its next step; a cancellation goes before it.
  /** @internal */
  private _refuse_wait(continuation: Continuation, message: string): void {
    const state = this._cancellation_state ??= new CancellationState();
    const due = state.take_pending(continuation._scope, true);
    state.mark(continuation, due?.cancellation ?? new RuntimeError(message));
    this._loop["_schedule"](continuation);
  }

  /** @internal */
  private _begin_wait(continuation: Continuation): void {
    const moment = this_moment();
    continuation._begun = moment;
    continuation._scope._active = moment;
    if (continuation as unknown !== this) add_open_await(this._owner, continuation as OpenAwait);
  }

  /** @internal Begins a step in which a continuation is resumed; returns the error to throw into it. */
  protected _resume(continuation: Continuation): unknown {
    const waiting = continuation._waiting;
    if (continuation as unknown !== this) remove_open_await(this._owner, continuation as OpenAwait);
    const scope = continuation._scope;
    note_settled(scope._ended ? innermost(scope) : scope, continuation._begun);
    continuation._waiting = null;
    continuation._begun = 0;
    const state = this._cancellation_state;
    return state === null
      ? NOTHING
      : error_at_resumption(this._owner, state, continuation, waiting);
  }

  /** @internal Returns whether a cancellation of the task waits to be thrown at its next await. */
  protected get _is_cancel_pending(): boolean {
    return this._cancellation_state?.is_pending(this as unknown as Scope) ?? false;
  }

  /** @internal Returns what the task waits on now, for debugging. */
  protected _waits_on(): Waitable[] {
    return open_awaits(this._owner).map((open) => open._waiting).filter((wait) => wait !== null);
  }

  /** @internal */
  protected override _repr_info(): string[] {
    const info = super._repr_info();
    if (this._state === PENDING && this.cancelling() > 0) info[0] = "cancelling";
    const waits = this._waits_on().map((waitable) =>
      `wait_for=${waitable instanceof Suspension ? waitable["_repr_waitable"]() : waitable}`
    );
    info.splice(
      1,
      0,
      `name=${repr(this.get_name())}`,
      ...(this._coroutine === null ? [] : [`coro=<${this._coroutine_name}()>`]),
      ...waits,
    );
    return info;
  }

  // The inherited method again, and last: see that of `Suspension`. A function that both share is slower.
  /** Waits for the task; `await` calls it. With functions it works as the `then` of a promise does. */
  override then<R1 = T, R2 = never>(
    on_fulfilled?: ((value: T) => R1 | PromiseLike<R1>) | null,
    on_rejected?: OnRejected<R2> | null,
  ): Promise<R1 | R2> {
    return typeof on_fulfilled === "function" && typeof on_rejected === "function"
      ? this._await(on_fulfilled, on_rejected) as Promise<R1 | R2>
      : super.then(on_fulfilled, on_rejected);
  }
}

function error_at_resumption(
  task: TaskCore,
  state: CancellationState,
  continuation: Continuation,
  waiting: Waitable | null,
): unknown {
  let thrown = state.take_mark(continuation);
  if (task._step === NOT_STARTED) thrown ??= state.take_pending(task, true)?.cancellation;
  if (thrown === undefined) return NOTHING;
  if (!(thrown instanceof Cancellation)) return thrown;
  return waiting?._cancellation() ?? make_cancelled_error(thrown.message);
}

function format_stack<T>(task: Task<T>, frames: string[]): string {
  const lines = [
    frames.length === 0
      ? `No stack for ${task}`
      : `Traceback for ${task} (most recent call first):`,
    ...frames.map((frame) => `  at ${frame}`),
  ];
  if (task["_state"] === FAILED) lines.push(String(task["_value"]));
  return lines.join("\n");
}

function listen_to_call<T>(task: Task<T>, call: Promise<unknown>): void {
  call.then(
    (value) => task["_call_ended"](false, value),
    (error) => task["_call_ended"](true, error),
  );
}

function warn_of_swallowing<T>(task: Task<T>): void {
  const origin = task["_source_traceback"];
  console.warn(
    `${task} was cancelled and returned all the same: a catch that does not throw the ` +
      "CancelledError again has swallowed it" +
      (origin === undefined ? "" : `\nTask created at (most recent call first):\n${origin}`),
  );
}

function is_waitable(value: unknown): value is Waitable {
  return value instanceof Suspension || value instanceof Future;
}

function refusal_of(yielded: unknown, task: object): string {
  if (is_waitable(yielded)) {
    return `yield was used instead of yield from in task ${task} with ${yielded}` +
      how_to_wait_for(yielded);
  }
  return is_generator(yielded)
    ? `yield was used instead of yield from for generator in task ${task} with ${repr(yielded)}`
    : `Task got bad yield: ${repr(yielded)}` + how_to_wait_for(yielded);
}

function how_to_wait_for(yielded: unknown): string {
  return yielded instanceof Coroutine
    ? "; to wait for it write yield*, and gather(...jobs()) for what a generator jobs() yields"
    : "";
}

function not_a_coroutine(value: unknown): string {
  if (typeof (value as PromiseLike<unknown> | null)?.then !== "function") {
    return `a coroutine was expected, got ${repr(value)}`;
  }
  if (isfuture(value)) {
    return `a coroutine was expected, got ${value}; it runs by itself: await it, ` +
      "or use ensure_future()";
  }
  // The error thrown here says more than that of the promise.
  if (value instanceof Promise) value.then(null, () => {});
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
export function create_task<T>(
  coro: CoroutineLike<T, NotStarted>,
  options: TaskOptions = NO_OPTIONS,
): Task<T> {
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
  const task = running_task() as Task<unknown> | null;
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
  return new Set((loop ?? get_running_loop())["_tasks"]());
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
export function ensure_future<F extends Future<unknown>>(
  awaitable: F,
  options?: { loop?: AbstractEventLoop | null },
): F;
/** Makes a task of what has not started. */
export function ensure_future<T>(
  awaitable: CoroutineLike<T>,
  options?: { loop?: AbstractEventLoop | null },
): Task<T>;
/** Makes a future of any awaitable. */
export function ensure_future<T>(
  awaitable: Awaitable<T>,
  options?: { loop?: AbstractEventLoop | null },
): Future<T>;
export function ensure_future<T>(
  awaitable: Awaitable<T>,
  options: { loop?: AbstractEventLoop | null } = {},
): Future<T> {
  check_options("ensure_future", options, ["loop"]);
  if (options.loop != null) check_loop("ensure_future", options.loop);
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
  if (is_other_future(awaitable)) return adopt(awaitable, false, loop ?? get_event_loop());
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
