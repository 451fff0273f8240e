/**
 * Futures, and what it takes to await one.
 *
 * The hot paths of the library are in this file, in `coroutines.ts`, `tasks.ts` and
 * `base_events.ts`: they are written plainly, with fields that are shared inside the library (a
 * leading underscore) where a method call or an object more would cost; `bench/` pays for it.
 *
 * Classes there set their fields in the constructor and have neither initializers nor `#private`
 * members: V8 calls a function for those of a class that extends another, and takes four times as long
 * for a new object.
 *
 * @module
 */

import { check_context, type Context, copy_context } from "./contextvars.ts";
import {
  has_other_copies,
  other_copy_with_task,
  type OtherFuture,
  THIS_COPY,
} from "../host/copies.ts";
import { brand_of, has_brand } from "../internal/error_kinds.ts";
import { check_bound, check_object } from "../internal/unbound.ts";
import {
  Cancellation,
  is_cancelled_error,
  make_cancelled_error,
  message_or_reason,
} from "./cancellation.ts";
import { cancel_with } from "./cancellation_state.ts";
import {
  type CancelledError,
  InvalidStateError,
  is_error_class,
  RuntimeError,
} from "./exceptions.ts";
import {
  type CapturedStack,
  format_callback,
  make_inspectable,
  repr,
} from "../internal/format_helpers.ts";
import { type AbstractEventLoop, check_loop, get_event_loop, Handle } from "./events.ts";
import { check_options, keyword_or_value, OwnOptions } from "../internal/options.ts";
import { listen, type SettlementListener, stop_listening } from "../internal/settlements.ts";
import { FutureAwait, refuse_await, settle_now, type Settled } from "./awaits.ts";
import {
  type DeliveryCore,
  type LoopCore,
  NOTHING,
  type OnRejected,
  type Runnable,
  type TaskCore,
  type Waitable,
} from "./contracts.ts";
import {
  debug_loops,
  enter,
  is_nothing_entered,
  leave,
  report_if_uncaught,
  running_loop,
  running_scope,
  scope_of_ended_task,
} from "./current.ts";
import { note_await, note_stack } from "./origins.ts";
import { ManyWaiters } from "./many_waiters.ts";
import { add_open_await, next_moment } from "./scopes.ts";
import { begin_await } from "./steps.ts";

// The future that `yield*` has yielded, on its way to the task.
let offered: Future<unknown> | null = null;

/** A function of the library that is called by the loop when a future is done, or each of many. */
export class Listener<T> {
  /** The function; `remove_done_callback` finds it by this. */
  readonly callback: (future: Future<T>, owner: never) => void;
  /** The name that the future's `repr` shows. */
  readonly label: string;
  /** The second argument of the function. */
  readonly owner: unknown;

  constructor(
    callback: (future: Future<T>, owner: never) => void,
    label: string,
    owner: unknown = undefined,
  ) {
    this.callback = callback;
    this.label = label;
    this.owner = owner;
  }
}

/** Calls one of several listeners of a future. */
class Notice implements Runnable {
  readonly #listener: Listener<unknown>;
  readonly #future: Future<unknown>;

  constructor(listener: Listener<unknown>, future: Future<unknown>) {
    this.#listener = listener;
    this.#future = future;
  }

  /** @internal */
  _run(): void {
    call_listener(this.#listener, this.#future);
  }
}

// The host's context in which the loop runs it may be that of any task, which it is no code of.
function call_listener<T>(listener: Listener<T>, future: Future<T>): void {
  enter(future["_loop"] as unknown as LoopCore, null, undefined);
  try {
    listener.callback(future, listener.owner as never);
  } finally {
    leave();
  }
}

/** A waiter of a future, notified when it settles: a runnable is scheduled, or a listener called. */
type Waiting = Runnable | Listener<never>;

function callback_of(waiter: Waiting): unknown {
  if (waiter instanceof Handle) return waiter["_callback"];
  return waiter instanceof Listener ? waiter.callback : undefined;
}

function format_waiter(waiter: Waiting): string {
  if (waiter instanceof Handle) return format_callback(waiter["_callback"]);
  return waiter instanceof Listener ? waiter.label : "Task.task_wakeup()";
}

function format_callbacks(waiters: Waiting[]): string {
  const first = format_waiter(waiters[0]!);
  const last = format_waiter(waiters[waiters.length - 1]!);
  if (waiters.length === 1) return `cb=[${first}]`;
  const between = waiters.length === 2 ? "" : `<${waiters.length - 2} more>, `;
  return `cb=[${first}, ${between}${last}]`;
}

// The states of a future; a failed one is "finished" in Python's words.
export const PENDING = 0;
export const CANCELLED = 1;
export const FINISHED = 2;
export const FAILED = 3;

// With more waiters than this they are a set, in which one is found at once.
const MAX_LISTED = 16;

const NO_MESSAGE = new Cancellation(undefined);

const STATE_NAMES = ["PENDING", "CANCELLED", "FINISHED", "FINISHED"];

const FUTURE_OPTIONS = ["loop"];

// The futures whose `repr` is being made, so that cycles of futures end.
const being_shown = new Set<Future<unknown>>();

/**
 * The options of {@linkcode Future}.
 *
 * @category Futures
 */
export interface FutureOptions {
  /** The loop it belongs to; the current one by default. */
  loop?: AbstractEventLoop | null;
}

/**
 * The options of `add_done_callback`.
 *
 * @category Futures
 */
export interface CallbackOptions {
  /** The context in which the callback runs; a copy of the current one by default. */
  context?: Context | null;
}

/**
 * A result that is not there yet.
 *
 * `await` waits for it; so do `Promise.all`, `.then` and `yield*`. Unlike a promise it shows its state
 * (`done()`, `result()`), can be cancelled, and calls its callbacks in its loop's turn, in order.
 *
 * See {@link https://docs.python.org/3/library/asyncio-future.html#asyncio.Future Python's Future}.
 *
 * @category Futures
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * await asyncio.run(async () => {
 *   const loop = asyncio.get_running_loop();
 *   const future = loop.create_future<string>();
 *   loop.call_later(0.01, () => future.set_result("hello"));
 *   assertEquals(await future, "hello");
 * });
 * ```
 */
export class Future<T = unknown> implements Promise<T> {
  /** @internal */
  static get name(): string {
    return "Future";
  }

  /**
   * Makes a pending future.
   *
   * @param options `loop`, the current one by default
   */
  constructor(options: FutureOptions = {}) {
    if (!(options instanceof OwnOptions)) {
      check_options("Future", options, FUTURE_OPTIONS);
      if (options.loop != null) check_loop("Future", options.loop);
    }
    this._loop = options.loop ?? get_event_loop();
    this._state = PENDING;
    this._value = undefined;
    this._waiters = null;
    if (this._loop.get_debug()) this._source_traceback = note_stack(new.target);
  }

  /** The loop that the future belongs to. */
  get_loop(): AbstractEventLoop {
    return this._loop;
  }

  /** Returns whether the future has a result or an error, or is cancelled. */
  done(): boolean {
    return this._state !== PENDING;
  }

  /** Returns whether the future is cancelled. */
  cancelled(): boolean {
    return this._state === CANCELLED;
  }

  /**
   * The result.
   *
   * @throws {InvalidStateError} if it is not there yet
   * @throws {CancelledError} if the future is cancelled
   * @throws the error that was set
   */
  result(): T {
    if (this._state === FINISHED) return this._value as T;
    if (this._state === PENDING) throw new InvalidStateError("Result is not set.");
    throw this._error();
  }

  /**
   * The error that was set, or `null` if there is a result.
   *
   * @throws {InvalidStateError} if the future is not done
   * @throws {CancelledError} if it is cancelled
   */
  exception(): unknown {
    if (this._state === FINISHED) return null;
    if (this._state === PENDING) throw new InvalidStateError("Exception is not set.");
    if (this._state === CANCELLED) throw this._make_cancelled_error();
    this._mark_retrieved();
    return this._value;
  }

  /**
   * Settles the future with a result and schedules its callbacks.
   *
   * @param result the result
   * @throws {InvalidStateError} if it is done
   */
  set_result(this: object, result: T): void;
  set_result(result: T): void {
    check_object(this instanceof Future, "set_result");
    this._check_pending();
    this._finish(FINISHED, result);
  }

  /**
   * Settles the future with an error and schedules its callbacks.
   *
   * @param exception the error, or a class of errors that needs no arguments
   * @throws {InvalidStateError} if it is done
   */
  set_exception(this: object, exception: unknown): void;
  set_exception(exception: unknown): void {
    check_object(this instanceof Future, "set_exception");
    this._check_pending();
    if (is_error_class(exception)) {
      exception = new (exception as new () => Error)();
    }
    this._fail(exception);
  }

  /**
   * Cancels the future: its waiters get a {@linkcode CancelledError}.
   *
   * @param message the message of the error. By name: `{ msg }`
   * @returns false if the future was done already
   */
  cancel(this: object, message?: unknown): boolean;
  cancel(message?: unknown): boolean {
    check_object(this instanceof Future, "cancel");
    if (this._state !== PENDING) {
      this._mark_retrieved();
      return false;
    }
    this._finish(CANCELLED, new Cancellation(message_or_reason(keyword_or_value("msg", message))));
    return true;
  }

  /**
   * Has a function called with the future when it is done, in its loop's turn.
   *
   * @param callback it is called soon if the future is done already
   * @param options `context`, in which it is called
   * @throws {TypeError} if it is no function
   */
  add_done_callback(
    callback: (this: void, future: this) => unknown,
    options: CallbackOptions = {},
  ): void {
    if (typeof callback !== "function") {
      throw new TypeError(
        `a callable object was expected by add_done_callback(), got ${repr(callback)}`,
      );
    }
    check_options("add_done_callback", options, ["context"]);
    check_bound("add_done_callback", callback);
    const context = options.context ?? copy_context();
    check_context("add_done_callback", context);
    if (this._state !== PENDING) this._loop.call_soon(callback, this, { context });
    else this._add_waiter(new Handle(callback, this._loop, [this], context) as unknown as Waiting);
  }

  /**
   * Takes a callback back.
   *
   * @param callback the function
   * @returns how many times it had been added
   */
  remove_done_callback(callback: (future: this) => unknown): number {
    if (typeof callback !== "function") return 0;
    if (this._waiters instanceof ManyWaiters && this._state === PENDING) {
      return this._waiters.delete_callback(callback);
    }
    const waiters = this._all_waiters();
    const rest = waiters.filter((waiter) => callback_of(waiter) !== callback);
    const removed = waiters.length - rest.length;
    if (removed > 0) this._waiters = rest.length > 0 ? rest : null;
    return removed;
  }

  /**
   * Waits for the future; `await` calls it.
   *
   * With functions it works as the `then` of a promise does.
   */
  then<R1 = T, R2 = never>(
    on_fulfilled?: ((value: T) => R1 | PromiseLike<R1>) | null,
    on_rejected?: OnRejected<R2> | null,
  ): Promise<R1 | R2> {
    if (typeof on_fulfilled === "function" && typeof on_rejected === "function") {
      return this._await(on_fulfilled, on_rejected) as Promise<R1 | R2>;
    }
    return new Promise<T>((resolve, reject) => {
      if (this._state !== PENDING) this._settle_await(resolve, reject);
      else {this._add_waiter(
          new FutureAwait(this._loop["_loop_scope"], this as unknown as Settled, resolve, reject),
        );}
    }).then(on_fulfilled, on_rejected);
  }

  /** As the `catch` of a promise. */
  catch<R = never>(on_rejected?: OnRejected<R> | null): Promise<T | R> {
    return this.then(null, on_rejected);
  }

  /** As the `finally` of a promise. */
  finally(on_finally?: (() => void) | null): Promise<T> {
    return this.then().finally(on_finally);
  }

  /** Waits for the future in a `function*` coroutine: `const value = yield* future;`. */
  *[Symbol.iterator](): Generator<unknown, T, unknown> {
    if (has_other_copies() && this._state === PENDING && running_scope() === null) {
      const copy = other_copy_with_task();
      if (copy !== null) return (yield* copy.adopt(this, false)) as T;
    }
    if (this._state === PENDING) {
      offered = this as Future<unknown>;
      yield this;
    }
    if (this._state === PENDING) throw new RuntimeError("await wasn't used with future");
    return this.result();
  }

  // Below what is public, which compilers name first in their messages.
  /** @internal */
  declare protected readonly _loop: AbstractEventLoop;
  /** @internal */
  declare protected _state: number;
  /**
   * @internal The result, or the error; of a cancelled future a note of the cancellation, or the very
   * error that its coroutine ended with, which the first to retrieve it gets. Of a pending task the host's
   * context for the next step, if user code runs in it.
   */
  declare protected _value: unknown;
  /** @internal A listener that is alone stays here until it is called. */
  declare protected _waiters: Waiting | Waiting[] | Set<Waiting> | null;
  /** @internal Where it was made; in debug mode. */
  declare protected _source_traceback?: CapturedStack;

  /** @internal */
  protected _await(
    resolve: (value: T) => unknown,
    reject: (error: unknown) => unknown,
  ): unknown {
    const scope = running_scope();
    if (scope === null) return this._await_outside(resolve, reject);
    const task = scope._owner as TaskCore;
    const error = begin_await(task, scope);
    if (error !== NOTHING) return this._refuse_await(reject, error as CancelledError);
    if (this._state !== PENDING) {
      scope._resumed = next_moment();
      return this._settle_await(resolve, reject);
    }
    const waiting = new FutureAwait(scope, this as unknown as Settled, resolve, reject);
    if (debug_loops > 0) note_await(waiting, this.then);
    task._suspend(waiting, this as unknown as Waitable);
    return waiting;
  }

  /** @internal An await by code that belongs to no task. */
  private _await_outside(
    resolve: (value: T) => unknown,
    reject: (error: unknown) => unknown,
  ): unknown {
    const copy = this._state === PENDING ? other_copy_with_task() : null;
    if (copy !== null) return copy.adopt(this, false).then(resolve as never, reject);
    const running = running_loop();
    if (running?._refuses_await()) return this._refuse_await(reject, refuse_await(running));
    const scope = scope_of_ended_task();
    if (scope !== null) {
      // The limits of its blocks still hold.
      const error = begin_await(scope._owner as TaskCore, scope);
      if (error !== NOTHING) return this._refuse_await(reject, error as CancelledError);
    }
    if (this._state !== PENDING) {
      if (scope !== null) scope._resumed = next_moment();
      return this._settle_await(resolve, reject);
    }
    const loop = this._loop;
    const waiting = new FutureAwait(
      scope ?? loop["_loop_scope"],
      this as unknown as Settled,
      resolve,
      reject,
    );
    this._add_waiter(waiting);
    // A run of the loop to which the code belongs cancels the await when it ends.
    if (scope !== null) {
      const task = scope._owner as TaskCore;
      add_open_await(task, waiting);
      task._loop._note_loose_awaits(task);
    } else if (running as unknown === loop) loop["_note_loose_await"](waiting);
    return waiting;
  }

  /** @internal Rejects an await before it begins. */
  protected _refuse_await(
    reject: (error: unknown) => unknown,
    error: CancelledError,
  ): Promise<unknown> {
    return settle_now(reject, error);
  }

  /** @internal */
  private _settle_await(
    resolve: (value: T) => unknown,
    reject: (error: unknown) => unknown,
  ): unknown {
    return this._state === FINISHED
      ? settle_now(resolve, this._value)
      : settle_now(reject, this._error());
  }

  /** @internal */
  protected _is_offered(): boolean {
    const is_offered = offered === this;
    offered = null;
    return is_offered;
  }

  /** @internal */
  protected _add_waiter(waiter: Waiting): void {
    const waiters = this._waiters;
    if (waiters === null) this._waiters = waiter;
    else if (Array.isArray(waiters)) {
      if (waiters.length < MAX_LISTED) waiters.push(waiter);
      else this._waiters = new ManyWaiters(waiters, callback_of).add(waiter);
    } else if (waiters instanceof Set) waiters.add(waiter);
    else this._waiters = [waiters, waiter];
  }

  /** @internal */
  protected _remove_waiter(waiter: Waiting): void {
    if (this._state !== PENDING) return;
    const waiters = this._waiters;
    if (waiters === waiter) this._waiters = null;
    else if (waiters instanceof Set) waiters.delete(waiter);
    else if (Array.isArray(waiters)) {
      const index = waiters.indexOf(waiter);
      if (index >= 0) waiters.splice(index, 1);
    }
  }

  /** @internal Has a function of the library called when the future is done. */
  protected _add_done_callback(callback: (future: Future<T>) => void, label: string): void {
    this._add_listener(new Listener(callback, label));
  }

  /** @internal Calls a listener when the future is done. */
  protected _add_listener(listener: Listener<T>): void {
    if (this._state === PENDING) this._add_waiter(listener as Listener<never>);
    else this._notify(listener as Listener<never>);
  }

  /** @internal */
  private _notify(listener: Listener<never>): void {
    this._loop["_schedule"](new Notice(listener as Listener<unknown>, this as Future<unknown>));
  }

  /** @internal Run by the loop, once it is done, to call its only listener. */
  protected _run(): void {
    const listener = this._waiters as Listener<T> | null;
    this._waiters = null;
    if (listener !== null) call_listener(listener, this);
  }

  /** @internal */
  protected _all_waiters(): Waiting[] {
    const waiters = this._waiters;
    if (waiters === null || this._state !== PENDING) return [];
    if (waiters instanceof Set) return [...waiters];
    return Array.isArray(waiters) ? waiters : [waiters];
  }

  /** @internal */
  protected _finish(state: number, value: unknown): void {
    this._state = state;
    this._value = value;
    const waiters = this._waiters;
    if (waiters === null) return;
    if (waiters instanceof Listener) {
      this._loop["_schedule"](this as unknown as Runnable);
      return;
    }
    this._waiters = null;
    if (Array.isArray(waiters) || waiters instanceof Set) {
      for (const waiter of waiters) {
        if (waiter instanceof Listener) this._notify(waiter);
        else this._loop["_schedule"](waiter);
      }
    } else {
      this._loop["_schedule"](waiters);
    }
  }

  /** @internal */
  protected _fail(error: unknown): void {
    this._finish(FAILED, error);
    this._loop["_note_unretrieved"](this as Future<unknown>);
  }

  /** @internal */
  protected _check_pending(): void {
    if (this._state === PENDING) return;
    const error = new InvalidStateError("invalid state");
    if (is_nothing_entered()) {
      report_if_uncaught(error, this._loop as unknown as LoopCore, { future: this });
    }
    throw error;
  }

  /** @internal The error of a future that failed or was cancelled; it counts as retrieved. */
  protected _error(): unknown {
    if (this._state === CANCELLED) return this._make_cancelled_error();
    this._mark_retrieved();
    return this._value;
  }

  /** @internal */
  protected _mark_retrieved(): void {
    if (this._state === FAILED) this._loop["_forget_unretrieved"](this as Future<unknown>);
  }

  /** @internal */
  protected _make_cancelled_error(): CancelledError {
    const value = this._value;
    if (this._state !== CANCELLED) return make_cancelled_error(this._undelivered_message());
    if (value instanceof Cancellation) return make_cancelled_error(value.message);
    this._value = NO_MESSAGE;
    return value as CancelledError;
  }

  /** @internal The message of a cancellation that a task has had and survived. */
  protected _undelivered_message(): unknown {
    return undefined;
  }

  /** @internal */
  protected _cancel_for(delivery: DeliveryCore): boolean {
    return cancel_with(this, delivery.cancellation.message);
  }

  /** @internal */
  protected get _may_fulfil(): boolean {
    return false;
  }

  /** @internal Others may wait for it, too. */
  protected get _is_owned(): boolean {
    return false;
  }

  /** @internal */
  protected _is_waiting(): boolean {
    return this._state === PENDING;
  }

  /** @internal */
  protected get _has_failed(): boolean {
    return this._state === FAILED;
  }

  /** @internal */
  protected get _has_result(): boolean {
    return this._state === FINISHED;
  }

  /** @internal */
  protected _cancellation(): CancelledError | null {
    if (this._state === CANCELLED) return this._make_cancelled_error();
    if (this._state === FAILED && is_cancelled_error(this._value)) {
      this._mark_retrieved();
      return this._value;
    }
    return null;
  }

  /** @internal */
  protected _repr_info(): string[] {
    const info = [STATE_NAMES[this._state]!.toLowerCase()];
    if (this._state === FINISHED) info.push(`result=${repr(this._value ?? null, true)}`);
    if (this._state === FAILED) info.push(`exception=${repr(this._value)}`);
    const waiters = this._all_waiters();
    if (waiters.length > 0) info.push(format_callbacks(waiters));
    return info;
  }

  /** Names the class in a promise's stead. */
  get [Symbol.toStringTag](): string {
    return "Future";
  }

  /** Python's `repr`. */
  toString(): string {
    const self = this as Future<unknown>;
    if (being_shown.has(self)) return "...";
    being_shown.add(self);
    try {
      return `<${this.constructor.name} ${this._repr_info().join(" ")}>`;
    } finally {
      being_shown.delete(self);
    }
  }
}

make_inspectable(Future);

const FUTURE = brand_of("Future");
Object.defineProperty(Future.prototype, FUTURE, { value: true });

/** Returns whether a value is a future of another copy of the library. */
export function is_other_future(value: unknown): value is OtherFuture {
  return has_brand(value, FUTURE) && !(value instanceof Future);
}

/**
 * Returns whether a value is a future, a task included.
 *
 * See {@link https://docs.python.org/3/library/asyncio-future.html#asyncio.isfuture Python's isfuture}.
 *
 * @param value any value
 * @category Futures
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { assert } from "@std/assert";
 *
 * assert(asyncio.isfuture(new asyncio.Future()));
 * assert(!asyncio.isfuture(Promise.resolve()));
 * ```
 */
export function isfuture(value: unknown): value is Future<unknown> {
  return has_brand(value, FUTURE);
}

/** Settles a foreign future; of no effect once it is done, or when its loop is closed. */
export type Settle = (
  state: typeof FINISHED | typeof FAILED | typeof CANCELLED,
  value: unknown,
) => void;

/** A future whose outcome comes from outside of this library. */
export class ForeignFuture<T> extends Future<T> {
  /** @internal Shown as a `Future` when inspected. */
  static override get name(): string {
    return "Future";
  }

  declare private _let_go: ((state: number) => void) | null;

  /**
   * @internal
   * @param listen begins to listen for the outcome; what it returns is called when the future is done
   */
  constructor(listen: (settle: Settle) => (state: number) => void, options: FutureOptions) {
    super(options);
    this._let_go = null;
    this._loop["_note_foreign"](this);
    const arrive: Settle = (state, value) => {
      if (this._state !== PENDING || this._loop.is_closed()) return;
      if (state === FAILED) this._fail(value);
      else this._finish(state, value);
    };
    const arrivals = this._loop["_arrivals"];
    const let_go = listen(
      arrivals === null
        ? arrive
        : (state, value) => arrivals.hold(this, false, () => arrive(state, value)),
    );
    // The outcome may have come while it began to listen.
    if (this._state === PENDING) this._let_go = let_go;
    else let_go(this._state);
  }

  /** @internal */
  protected override _finish(state: number, value: unknown): void {
    this._loop["_forget_foreign"](this);
    super._finish(state, value);
    this._let_go?.(state);
  }
}

/** A future that has the outcome of one of another copy of the library; cancelling it cancels that. */
class AdoptedFuture extends ForeignFuture<unknown> {
  declare private readonly _other: OtherFuture;
  declare private readonly _is_shared: boolean;

  constructor(other: OtherFuture, is_owned: boolean, loop: AbstractEventLoop) {
    super((settle) => {
      const on_done = () => settle_as(other, settle);
      if (other.done()) on_done();
      else other.add_done_callback(on_done);
      return () => {};
    }, { loop });
    this._other = other;
    this._is_shared = !is_owned;
  }

  // It is not done before the other one is, which may be a task that cleans up, or refuses.
  override cancel(this: object, message?: unknown): boolean;
  override cancel(message?: unknown): boolean {
    return this._state === PENDING && this._other.cancel(message);
  }

  /** @internal */
  protected override get _is_owned(): boolean {
    return !this._is_shared;
  }
}

function settle_as(other: OtherFuture, settle: Settle): void {
  let result: unknown;
  try {
    result = other.result();
  } catch (error) {
    settle(other.cancelled() ? CANCELLED : FAILED, error);
    return;
  }
  settle(FINISHED, result);
}

// So that many waits for the same future leave one callback at it.
const adopted = new WeakMap<OtherFuture, AdoptedFuture>();

/** Returns a future of a loop that stands for a future of another copy; `is_owned` if nothing else waits for that. */
export function adopt<T>(
  other: OtherFuture,
  is_owned: boolean,
  loop: AbstractEventLoop,
): Future<T> {
  const known = adopted.get(other);
  if (known !== undefined && known["_loop"] === loop) return known as Future<unknown> as Future<T>;
  const future = new AdoptedFuture(other, is_owned, loop);
  if (!is_owned) adopted.set(other, future);
  return future as Future<unknown> as Future<T>;
}

/** A promise that may be cancelled, as a `ConcurrentFuture`. */
interface Cancellable extends PromiseLike<unknown> {
  cancel?(): unknown;
  cancelled?(): boolean;
}

THIS_COPY.runs_task = () => running_scope() !== null;
THIS_COPY.runs_loop = () => running_loop() !== null;
THIS_COPY.adopt = (future, is_owned) => adopt(future, is_owned, get_event_loop());

/**
 * Wraps a promise, or any thenable, in a future of a loop.
 *
 * When the future is cancelled, what is wrapped is cancelled too if it has a method `cancel()`, as a
 * `ConcurrentFuture` has. Other work continues, and only its outcome is ignored.
 *
 * See {@link https://docs.python.org/3/library/asyncio-future.html#asyncio.wrap_future Python's wrap_future}.
 *
 * @param future the thenable; a future of this library is returned as it is
 * @param options `loop`, the current one by default
 * @returns a future of the same outcome
 * @throws {TypeError} if it is no thenable
 * @category Futures
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * await asyncio.run(async () => {
 *   const future = asyncio.wrap_future(Promise.resolve(7));
 *   assertEquals(future.done(), false);
 *   assertEquals(await future, 7);
 * });
 * ```
 */
export function wrap_future<T>(future: PromiseLike<T>, options: FutureOptions = {}): Future<T> {
  check_options("wrap_future", options, ["loop"]);
  if (future instanceof Future) return future;
  if (is_other_future(future)) return adopt(future, false, options.loop ?? get_event_loop());
  if (typeof (future as PromiseLike<T> | null)?.then !== "function") {
    throw new TypeError(`a promise is expected, got ${repr(future)}`);
  }
  const source: Cancellable = future;
  return new ForeignFuture<T>((settle) => {
    const listener: SettlementListener = {
      _settled: (is_fulfilled, value) =>
        settle(is_fulfilled ? FINISHED : source.cancelled?.() ? CANCELLED : FAILED, value),
    };
    listen(future, listener);
    return (state) => {
      stop_listening(future, listener);
      if (state === CANCELLED) source.cancel?.();
    };
  }, options);
}
