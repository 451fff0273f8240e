/**
 * Futures, and what it takes to await one.
 *
 * The hot paths of the library are in this file, in `coroutines.ts`, `tasks.ts` and
 * `base_events.ts`: they are written plainly, with fields that are shared inside the library (a
 * leading underscore) where a method call or an object more would cost; `bench/` pays for it.
 *
 * Classes there set their fields in the constructor and have neither initializers nor `#private`
 * members: V8 calls a function for those of a class that extends another, which makes a new object
 * four times as dear.
 *
 * @module
 */

import { ConcurrentFuture } from "../concurrent_futures.ts";
import { type Context, copy_context } from "./contextvars.ts";
import {
  CancelledError,
  InvalidStateError,
  make_cancelled_error,
  RuntimeError,
} from "./exceptions.ts";
import {
  deno_inspect,
  extract_stack,
  format_callback,
  node_inspect,
  repr,
} from "../internal/format_helpers.ts";
import { type AbstractEventLoop, get_event_loop, Handle, type Runnable } from "../loop/events.ts";
import { check_options, OwnOptions } from "../internal/options.ts";
import type { Task } from "./tasks.ts";
import { is_nothing_entered, report_if_uncaught, running_task } from "./current.ts";

type AnyTask = Task<unknown>;

/** What a task can wait on: a future, or a coroutine of the library that is its own future. */
export interface Waitable {
  /** @internal */
  readonly _loop: AbstractEventLoop;
  /** @internal Whether it has just been given up by `yield*`, and not by a plain `yield`. */
  _is_offered(): boolean;
  /** @internal Has a runnable scheduled when this is done. */
  _add_waiter(waiter: Runnable): void;
  /** @internal The cancellation it ended with, or `null`. */
  _cancellation(): CancelledError | null;
  /** Cancels it; false if it is done. */
  cancel(message?: unknown): boolean;
}

/** Stands for "no error" where an error may be any value. */
export const NOTHING: unique symbol = Symbol("nothing");

// The future that `yield*` gives up, on its way to the task.
let offered: Future<unknown> | null = null;

/** What waits on a {@linkcode Waitable} for a task, and goes on in a step of it. */
export interface Driver extends Runnable {
  /** @internal What is waited on; `null` when it only waits for its turn. */
  _waiting: Waitable | null;
}

const RESOLVED: Promise<undefined> = Promise.resolve(undefined);

type Settler = ((value: never) => unknown) | ((error: unknown) => unknown);

/** Calls a function that `then` was given at once, and gives what `then` returns. */
export function settle_now(settle: Settler, value: unknown): Promise<unknown> {
  try {
    const result = (settle as (value: unknown) => unknown)(value);
    // The resolving functions of an `await` return nothing; only a direct caller's may.
    return result === undefined ? RESOLVED : Promise.resolve(result);
  } catch (error) {
    return Promise.reject(error);
  }
}

class Deferred {
  readonly promise: Promise<unknown>;
  declare resolve: (outcome: unknown) => void;

  constructor() {
    this.promise = new Promise((resolve) => this.resolve = resolve);
  }
}

/**
 * One await of an asynchronous function (or one direct call of `then`): it holds the functions that
 * resume it, waits in their place, and is itself the promise that `then` returns.
 */
export abstract class Awaiter implements Driver {
  /** @internal */
  declare _waiting: Waitable | null;
  /** @internal The task that awaits, or `null` outside of any. */
  declare readonly _task: AnyTask | null;
  declare private readonly _on_fulfilled: (value: never) => unknown;
  declare private readonly _on_rejected: (error: unknown) => unknown;
  // What a direct caller of `then` was given, or will be if it asks.
  declare private _outcome: Promise<unknown> | Deferred | null;

  constructor(
    task: AnyTask | null,
    resolve: (value: never) => unknown,
    reject: (error: unknown) => unknown,
  ) {
    this._waiting = null;
    this._task = task;
    this._on_fulfilled = resolve;
    this._on_rejected = reject;
    this._outcome = null;
  }

  /** @internal The loop runs it: what it waited on is done, or its turn has come. */
  _run(): void {
    const task = this._task;
    if (task === null || task.done()) this._continue(NOTHING);
    else this._continue(task._wake(this));
  }

  /** @internal Whether no code of the user runs at once when it goes on. */
  get _only_resumes(): boolean {
    return true;
  }

  /** @internal The name of the coroutine that is awaited; `null` for a future. */
  _coroutine_name(): string | null {
    return null;
  }

  /** @internal Goes on, with an error instead if there is one. */
  protected abstract _continue(error: unknown): void;

  /** @internal Resumes the function that awaits with a value. */
  protected _resolve(value: unknown): void {
    this._settle(this._on_fulfilled, value);
  }

  /** @internal Resumes the function that awaits with an error. */
  protected _reject(error: unknown): void {
    this._settle(this._on_rejected, error);
  }

  private _settle(settle: Settler, value: unknown): void {
    if (this._task !== null) this._task._loop._begin_step(this._task);
    const outcome = settle_now(settle, value);
    if (this._outcome instanceof Deferred) this._outcome.resolve(outcome);
    else this._outcome = outcome;
  }

  private _promise(): Promise<unknown> {
    const outcome = this._outcome ??= new Deferred();
    return outcome instanceof Deferred ? outcome.promise : outcome;
  }

  then(
    on_fulfilled?: ((value: unknown) => unknown) | null,
    on_rejected?: ((error: unknown) => unknown) | null,
  ): Promise<unknown> {
    return this._promise().then(on_fulfilled, on_rejected);
  }

  catch(on_rejected?: ((error: unknown) => unknown) | null): Promise<unknown> {
    return this._promise().catch(on_rejected);
  }

  finally(on_finally?: (() => void) | null): Promise<unknown> {
    return this._promise().finally(on_finally);
  }
}

class FutureAwaiter extends Awaiter {
  declare private readonly _future: Future<unknown>;

  constructor(
    task: AnyTask | null,
    future: Future<unknown>,
    resolve: (value: never) => unknown,
    reject: (error: unknown) => unknown,
  ) {
    super(task, resolve, reject);
    this._future = future;
    this._waiting = future;
  }

  /** @internal */
  protected override _continue(error: unknown): void {
    const future = this._future;
    if (error !== NOTHING) this._reject(error);
    else if (future._state === FINISHED) this._resolve(future._value);
    else this._reject(future._error());
  }
}

/** A function of the library that is called in the loop's turn when a future is done, or each of many. */
export class Listener<T> {
  /** The function; `remove_done_callback` finds it by this. */
  readonly callback: (future: Future<T>, owner: never) => void;
  /** The name that the future's `repr` shows. */
  readonly label: string;
  /** What the function is also given. */
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

/** Tells one of several listeners of a future. */
class Notice implements Runnable {
  readonly #listener: Listener<unknown>;
  readonly #future: Future<unknown>;

  constructor(listener: Listener<unknown>, future: Future<unknown>) {
    this.#listener = listener;
    this.#future = future;
  }

  /** @internal */
  _run(): void {
    this.#listener.callback(this.#future, this.#listener.owner as never);
  }
}

/** What is done when a future is: something goes on, or a listener is told. */
type Waiting = Runnable | Listener<never>;

function format_waiter(waiter: Waiting): string {
  if (waiter instanceof Handle) return format_callback(waiter._callback);
  return waiter instanceof Listener ? waiter.label : "Task.task_wakeup()";
}

function format_callbacks(waiters: Waiting[]): string {
  const first = format_waiter(waiters[0]);
  const last = format_waiter(waiters[waiters.length - 1]);
  if (waiters.length === 1) return `cb=[${first}]`;
  const between = waiters.length === 2 ? "" : `<${waiters.length - 2} more>, `;
  return `cb=[${first}, ${between}${last}]`;
}

// The states of a future; a failed one is "finished" in Python's words.
export const PENDING = 0;
export const CANCELLED = 1;
export const FINISHED = 2;
export const FAILED = 3;

const STATE_NAMES = ["PENDING", "CANCELLED", "FINISHED", "FINISHED"];

const FUTURE_OPTIONS = ["loop"];

// The futures whose `repr` is being made, so that cycles of futures end.
const being_shown = new Set<Future<unknown>>();

/**
 * What a {@linkcode Future} may be made with.
 *
 * @category Futures
 */
export interface FutureOptions {
  /** The loop it belongs to; the current one by default. */
  loop?: AbstractEventLoop | null;
}

/**
 * What `add_done_callback` may be given.
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
 * `await` waits for it; so do `Promise.all`, `.then` and `yield*`. Unlike a promise it can be asked
 * (`done()`, `result()`), be cancelled, and calls its callbacks in its loop's turn, in order.
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
export class Future<T> implements Promise<T> {
  /** @internal */
  static get name(): string {
    return "Future";
  }

  /** @internal */
  declare readonly _loop: AbstractEventLoop;
  /** @internal */
  declare _state: number;
  /**
   * @internal The result, or the error; of a cancelled future the very error that its coroutine ended
   * with, which is thrown to the first who asks.
   */
  declare _value: unknown;
  /** @internal A listener that is alone stays here until it is told. */
  declare _waiters: Waiting | Waiting[] | null;
  /** @internal What `cancel` was given; `undefined` for nothing. */
  declare _cancel_message: unknown;
  /** @internal Whether nobody has looked at the error yet. */
  declare _unretrieved: boolean;
  /** @internal Where it was made; in debug mode. */
  declare _source_traceback?: string;

  /**
   * Makes a pending future.
   *
   * @param options `loop`, the current one by default
   */
  constructor(options: FutureOptions = {}) {
    if (!(options instanceof OwnOptions)) check_options("Future", options, FUTURE_OPTIONS);
    this._loop = options.loop ?? get_event_loop();
    this._state = PENDING;
    this._value = undefined;
    this._waiters = null;
    this._cancel_message = undefined;
    this._unretrieved = false;
    if (this._loop.get_debug()) this._source_traceback = extract_stack(new.target);
  }

  /** The loop that the future belongs to. */
  get_loop(): AbstractEventLoop {
    return this._loop;
  }

  /** Whether it has a result or an error, or is cancelled. */
  done(): boolean {
    return this._state !== PENDING;
  }

  /** Whether it is cancelled. */
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
   * Gives the future its result and has its callbacks called.
   *
   * @param result the result
   * @throws {InvalidStateError} if it is done
   */
  set_result(result: T): void {
    this._check_pending();
    this._finish(FINISHED, result);
  }

  /**
   * Gives the future an error and has its callbacks called.
   *
   * @param exception the error, or a class of errors that needs no arguments
   * @throws {InvalidStateError} if it is done
   */
  set_exception(exception: unknown): void {
    this._check_pending();
    if (typeof exception === "function" && exception.prototype instanceof Error) {
      exception = new (exception as new () => Error)();
    }
    this._fail(exception);
  }

  /**
   * Cancels the future: whoever waits for it gets a {@linkcode CancelledError}.
   *
   * @param message what the error says
   * @returns false if the future was done already
   */
  cancel(message?: unknown): boolean {
    if (this._unretrieved) this._mark_retrieved();
    if (this._state !== PENDING) return false;
    this._cancel_message = message ?? undefined;
    this._finish(CANCELLED, undefined);
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
    callback: (future: this) => unknown,
    options: CallbackOptions = {},
  ): void {
    if (typeof callback !== "function") {
      throw new TypeError(
        `a callable object was expected by add_done_callback(), got ${repr(callback)}`,
      );
    }
    check_options("add_done_callback", options, ["context"]);
    const context = options.context ?? copy_context();
    if (this._state !== PENDING) this._loop.call_soon(callback, this, { context });
    else this._add_waiter(new Handle(callback, this._loop, [this], context));
  }

  /**
   * Takes a callback back.
   *
   * @param callback the function
   * @returns how many times it had been added
   */
  remove_done_callback(callback: (future: this) => unknown): number {
    const waiters = this._all_waiters();
    const rest = waiters.filter((waiter) =>
      !(waiter instanceof Handle && waiter._callback === callback) &&
      !(waiter instanceof Listener && waiter.callback as unknown === callback)
    );
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
    on_rejected?: ((reason: unknown) => R2 | PromiseLike<R2>) | null,
  ): Promise<R1 | R2> {
    if (typeof on_fulfilled === "function" && typeof on_rejected === "function") {
      return this._await(on_fulfilled, on_rejected) as Promise<R1 | R2>;
    }
    return new Promise<T>((resolve, reject) => {
      if (this._state !== PENDING) this._await(resolve, reject);
      else this._add_waiter(new FutureAwaiter(null, this, resolve, reject));
    }).then(on_fulfilled, on_rejected);
  }

  /** As the `catch` of a promise. */
  catch<R = never>(
    on_rejected?: ((reason: unknown) => R | PromiseLike<R>) | null,
  ): Promise<T | R> {
    return this.then(null, on_rejected);
  }

  /** As the `finally` of a promise. */
  finally(on_finally?: (() => void) | null): Promise<T> {
    return this.then().finally(on_finally);
  }

  /** Waits for the future in a `function*` coroutine: `const value = yield* future;`. */
  *[Symbol.iterator](): Generator<unknown, T, unknown> {
    if (this._state === PENDING) {
      offered = this as Future<unknown>;
      yield this;
    }
    if (this._state === PENDING) throw new RuntimeError("await wasn't used with future");
    return this.result();
  }

  /** @internal */
  private _await(
    resolve: (value: T) => unknown,
    reject: (error: unknown) => unknown,
  ): unknown {
    if (this._state === FINISHED) return settle_now(resolve, this._value);
    if (this._state !== PENDING) return settle_now(reject, this._error());
    const task = running_task();
    const awaiter = new FutureAwaiter(task, this, resolve, reject);
    if (task === null) this._add_waiter(awaiter);
    else task._wait(awaiter, this);
    return awaiter;
  }

  /** @internal */
  _is_offered(): boolean {
    const is_offered = offered === this;
    offered = null;
    return is_offered;
  }

  /** @internal */
  _add_waiter(waiter: Waiting): void {
    const waiters = this._waiters;
    if (waiters === null) this._waiters = waiter;
    else if (Array.isArray(waiters)) waiters.push(waiter);
    else this._waiters = [waiters, waiter];
  }

  /** @internal */
  _remove_waiter(waiter: Runnable): void {
    if (this._state !== PENDING) return;
    const rest = this._all_waiters().filter((other) => other !== waiter);
    this._waiters = rest.length > 0 ? rest : null;
  }

  /** @internal Has a function of the library called when the future is done. */
  _add_done_callback(callback: (future: Future<T>) => void, label: string): void {
    this._add_listener(new Listener(callback, label));
  }

  /** @internal Has a listener told when the future is done. */
  _add_listener(listener: Listener<T>): void {
    if (this._state === PENDING) this._add_waiter(listener as Listener<never>);
    else this._notify(listener as Listener<never>);
  }

  /** @internal */
  private _notify(listener: Listener<never>): void {
    this._loop._schedule(new Notice(listener as Listener<unknown>, this as Future<unknown>));
  }

  /** @internal The loop runs it, once it is done, to tell its only listener. */
  _run(): void {
    const listener = this._waiters as Listener<T> | null;
    this._waiters = null;
    listener?.callback(this, listener.owner as never);
  }

  /** @internal */
  _all_waiters(): Waiting[] {
    const waiters = this._waiters;
    if (waiters === null || this._state !== PENDING) return [];
    return Array.isArray(waiters) ? waiters : [waiters];
  }

  /** @internal */
  _finish(state: number, value: unknown): void {
    this._state = state;
    this._value = value;
    const waiters = this._waiters;
    if (waiters === null) return;
    if (waiters instanceof Listener) {
      this._loop._schedule(this);
      return;
    }
    this._waiters = null;
    if (Array.isArray(waiters)) {
      for (const waiter of waiters) {
        if (waiter instanceof Listener) this._notify(waiter);
        else this._loop._schedule(waiter);
      }
    } else {
      this._loop._schedule(waiters);
    }
  }

  /** @internal */
  _fail(error: unknown): void {
    this._finish(FAILED, error);
    this._unretrieved = true;
    this._loop._note_unretrieved(this as Future<unknown>);
  }

  /** @internal */
  _check_pending(): void {
    if (this._state === PENDING) return;
    const error = new InvalidStateError("invalid state");
    if (is_nothing_entered()) report_if_uncaught(error, this._loop, { future: this });
    throw error;
  }

  /** @internal The error of a future that failed or was cancelled, for somebody who gets it. */
  _error(): unknown {
    if (this._state === CANCELLED) return this._make_cancelled_error();
    this._mark_retrieved();
    return this._value;
  }

  /** @internal */
  _mark_retrieved(): void {
    if (this._unretrieved) {
      this._unretrieved = false;
      this._loop._forget_unretrieved(this as Future<unknown>);
    }
  }

  /** @internal */
  _make_cancelled_error(): CancelledError {
    const error = this._state === CANCELLED ? this._value : undefined;
    if (error === undefined) return make_cancelled_error(this._cancel_message);
    this._value = undefined;
    return error as CancelledError;
  }

  /** @internal */
  _cancellation(): CancelledError | null {
    if (this._state === CANCELLED) return this._make_cancelled_error();
    if (this._state === FAILED && this._value instanceof CancelledError) {
      this._mark_retrieved();
      return this._value;
    }
    return null;
  }

  /** @internal */
  protected _repr_info(): string[] {
    const info = [STATE_NAMES[this._state].toLowerCase()];
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

  /** What Deno's console shows. */
  [deno_inspect](): string {
    return this.toString();
  }

  /** What Node.js's and Bun's console shows. */
  [node_inspect](): string {
    return this.toString();
  }
}

/**
 * Whether a value is a future, a task included.
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
  return value instanceof Future;
}

/** Gives a foreign future its outcome; of no effect once it is done, or when its loop is closed. */
export type Settle = (state: typeof FINISHED | typeof FAILED, value: unknown) => void;

/** A future whose outcome comes from outside of this library. */
export class ForeignFuture<T> extends Future<T> {
  /** @internal It is a Future to whoever looks at it. */
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
    this._loop._note_foreign(this);
    const let_go = listen((state, value) => {
      if (this._state !== PENDING || this._loop.is_closed()) return;
      if (state === FINISHED) this._finish(FINISHED, value);
      else this._fail(value);
    });
    // The outcome may have come while it began to listen.
    if (this._state === PENDING) this._let_go = let_go;
    else let_go(this._state);
  }

  /** @internal */
  override _finish(state: number, value: unknown): void {
    this._loop._forget_foreign(this);
    super._finish(state, value);
    this._let_go?.(state);
  }
}

/**
 * Wraps a promise, or any thenable, in a future of a loop.
 *
 * The wrapped work goes on when the future is cancelled; only its outcome is ignored then. A
 * {@linkcode ConcurrentFuture} is cancelled too.
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
  if (typeof (future as PromiseLike<T> | null)?.then !== "function") {
    throw new TypeError(`a promise is expected, got ${repr(future)}`);
  }
  return new ForeignFuture<T>((settle) => {
    future.then((value) => settle(FINISHED, value), (error) => settle(FAILED, error));
    return (state) => {
      if (state === CANCELLED && future instanceof ConcurrentFuture) future.cancel();
    };
  }, options);
}
