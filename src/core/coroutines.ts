/**
 * Coroutines: calls that do nothing until they are awaited or made a task.
 *
 * @module
 */

import { has_other_copies, other_copy_with_task } from "../host/copies.ts";
import { brand_of, has_brand } from "../internal/error_kinds.ts";
import { make_inspectable, repr } from "../internal/format_helpers.ts";
import { check_function } from "../internal/functions.ts";
import {
  advance,
  CoroutineAwait,
  error_of,
  FutureAwait,
  NativeCall,
  type Outcome,
  RAISED,
  refuse_await,
  RETURNED,
  settle_now,
  type Steps,
  SUSPENDED,
} from "./awaits.ts";
import { type FutureCore, NOTHING, type OnRejected, type TaskCore } from "./contracts.ts";
import { running_loop, running_scope, scope_of_ended_task } from "./current.ts";
import { RuntimeError } from "./exceptions.ts";
import { loop_in_use } from "./default_loop.ts";
import { next_moment } from "./scopes.ts";
import { begin_await } from "./steps.ts";
import { own_solely } from "./cancellation_state.ts";
import {
  ACTIVE,
  CLOSED,
  CREATED,
  note_made,
  stop_watching,
  type Unawaited,
  WATCHED,
} from "./unawaited.ts";

/**
 * A call that can still be made: an async function or a `function*` that needs no arguments.
 *
 * @category Coroutines
 */
export type CoroutineFunction<T = unknown> = () => PromiseLike<T> | Generator<unknown, T, unknown>;

/**
 * A call that has not started yet and can be made a task.
 *
 * The second parameter is a hint that compilers show where something else is given.
 *
 * @category Coroutines
 */
export type CoroutineLike<T = unknown, _Hint extends string = string> =
  | Coroutine<T>
  | CoroutineFunction<T>
  | Generator<unknown, T, unknown>;

/**
 * The hint where a promise is given in place of a call that has not started.
 *
 * @category Coroutines
 */
export type NotStarted = "write () => work(x), not work(x)";

/**
 * A value that can be awaited: a coroutine in any form, a future, a promise.
 *
 * @category Coroutines
 */
export type Awaitable<T = unknown> = PromiseLike<T> | CoroutineLike<T>;

/**
 * A call that starts when it is awaited or made a task, and can be used once.
 *
 * Library functions that are coroutines in Python return one, and so do the functions that
 * `coroutine()` makes. `yield*` awaits it in a `function*`.
 *
 * See {@link https://docs.python.org/3/library/asyncio-task.html#coroutines Python's coroutines}.
 *
 * @category Coroutines
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * const nap = asyncio.sleep(0.001, "rested"); // nothing happens yet
 * assertEquals(asyncio.iscoroutine(nap), true);
 * assertEquals(await nap, "rested");
 * ```
 */
export abstract class Coroutine<T = unknown> implements Promise<T> {
  /** The name of the function that was called. */
  abstract get name(): string;

  /**
   * Ends the coroutine where it is; its `finally` blocks run if it is a started generator.
   *
   * @throws {RuntimeError} if the generator yields in a `finally` block
   */
  close(): void {
    if (this._phase === WATCHED) stop_watching(this as unknown as Unawaited);
    this._phase = CLOSED;
  }

  /**
   * Runs a generator coroutine up to its next `yield`, by hand, as Python's `send`.
   *
   * @param value what the `yield` at which it stands gives; nothing for a coroutine that has not started
   * @returns what was yielded, or with `done` what was returned
   * @throws {RuntimeError} if it has ended
   * @throws {TypeError} if it has not started and is sent a value
   */
  send(value?: unknown): IteratorResult<unknown, T> {
    return step(this, false, value);
  }

  /** Throws an error into a generator coroutine, by hand, as Python's `throw`. */
  throw(error: unknown): IteratorResult<unknown, T> {
    return step(this, true, error);
  }

  /** @internal */
  declare protected _phase: number;
  /** @internal The value that it returned or raised, once it has. */
  declare protected _value: unknown;
  /** @internal The value that it waits on, when it is suspended. */
  protected abstract readonly _yielded: unknown;

  /**
   * @internal Runs it up to the next thing that it waits on, or to its end. What it raises it gives or
   * throws, which takes hosts a microsecond: {@linkcode advance} makes one of both.
   * @param thrown whether `value` is thrown into it or is the value of the await it resumes from
   */
  protected abstract _advance(thrown: boolean, value: unknown): Outcome;

  /** @internal Returns whether user code may run when it is resumed, in the host's context in which it waits. */
  protected _needs_context(): boolean {
    return true;
  }

  /** Waits for the coroutine; `await` calls it. With functions it works as the `then` of a promise. */
  then<R1 = T, R2 = never>(
    on_fulfilled?: ((value: T) => R1 | PromiseLike<R1>) | null,
    on_rejected?: OnRejected<R2> | null,
  ): Promise<R1 | R2> {
    if (typeof on_fulfilled === "function" && typeof on_rejected === "function") {
      return this._await(on_fulfilled, on_rejected) as Promise<R1 | R2>;
    }
    return new Promise<T>((resolve, reject) => this._await(resolve, reject))
      .then(on_fulfilled, on_rejected);
  }

  /** As the `catch` of a promise. */
  catch<R = never>(on_rejected?: OnRejected<R> | null): Promise<T | R> {
    return this.then(null, on_rejected);
  }

  /** As the `finally` of a promise. */
  finally(on_finally?: (() => void) | null): Promise<T> {
    return this.then().finally(on_finally);
  }

  /** @internal */
  protected _await(
    resolve: (value: T) => unknown,
    reject: (error: unknown) => unknown,
  ): unknown {
    const scope = running_scope();
    if (scope === null) return this._await_outside(resolve, reject);
    const task = scope._owner as TaskCore;
    const error = begin_await(task, scope);
    if (error !== NOTHING) {
      if (this._phase !== ACTIVE) this.close();
      return settle_now(reject, error);
    }
    try {
      this._claim();
    } catch (error) {
      return settle_now(reject, error);
    }
    const outcome = advance(this as unknown as Steps, false, undefined);
    if (outcome === SUSPENDED) {
      const waiting = new CoroutineAwait(scope, this as unknown as Steps, resolve, reject);
      waiting._suspend();
      return waiting;
    }
    scope._resumed = next_moment();
    return outcome === RETURNED
      ? settle_now(resolve, this._value)
      : settle_now(reject, error_of(this as unknown as Steps));
  }

  /** @internal An await by code that belongs to no task: the coroutine becomes one. */
  protected _await_outside(
    resolve: (value: T) => unknown,
    reject: (error: unknown) => unknown,
  ): unknown {
    try {
      check_unused(this);
    } catch (error) {
      return settle_now(reject, error);
    }
    const copy = other_copy_with_task();
    if (copy !== null) {
      return copy.adopt(start_outside(this), true).then(resolve as never, reject);
    }
    const running = running_loop();
    if (running?._refuses_await()) {
      this.close();
      return settle_now(reject, refuse_await(running));
    }
    const scope = scope_of_ended_task();
    const error = scope === null ? NOTHING : begin_await(scope._owner as TaskCore, scope);
    if (error !== NOTHING) {
      this.close();
      return settle_now(reject, error);
    }
    const waiting: unknown = start_outside(this).then(resolve, reject);
    if (waiting instanceof FutureAwait) own_solely(waiting);
    return waiting;
  }

  /** Waits for the coroutine in a `function*`: `const value = yield* coroutine;`. */
  [Symbol.iterator](): Iterator<unknown, T, unknown> {
    if (has_other_copies() && this._phase !== ACTIVE && running_scope() === null) {
      const copy = other_copy_with_task();
      if (copy !== null) {
        const waiting = copy.adopt(start_outside(this), true);
        return waiting[Symbol.iterator]() as Iterator<unknown, T, unknown>;
      }
    }
    return new CoroutineIterator(this);
  }

  /** @internal Ends with a result. */
  protected _return(value: unknown): typeof RETURNED {
    this._phase = CLOSED;
    this._value = value;
    return RETURNED;
  }

  /** @internal Ends with an error. */
  protected _raise(error: unknown): typeof RAISED {
    this._phase = CLOSED;
    this._value = error;
    return RAISED;
  }

  /** @internal Marks it as used; a coroutine that was used before throws. */
  protected _claim(): void {
    if (this._phase !== CREATED) check_unused(this);
    this._phase = ACTIVE;
  }

  /** Names the class in a promise's stead. */
  get [Symbol.toStringTag](): string {
    return "Coroutine";
  }

  /** Python's `repr`. */
  toString(): string {
    return `<coroutine object ${this.name}>`;
  }
}

make_inspectable(Coroutine);

const COROUTINE = brand_of("Coroutine");
Object.defineProperty(Coroutine.prototype, COROUTINE, { value: true });

/** Makes a task of a coroutine that code outside of this library's tasks awaits. */
function start_outside<T>(coroutine: Coroutine<T>): FutureCore<T> {
  const loop = loop_in_use();
  loop._ensure_ambient();
  return loop.create_task(coroutine as never) as FutureCore<T>;
}

function check_unused(coroutine: Coroutine<unknown>): void {
  const phase = coroutine["_phase"];
  if (phase === ACTIVE) throw new RuntimeError("coroutine is being awaited already");
  if (phase === CLOSED) throw new RuntimeError("cannot reuse already awaited coroutine");
  if (phase === WATCHED) stop_watching(coroutine as unknown as Unawaited);
}

function step<T>(
  coroutine: Coroutine<T>,
  thrown: boolean,
  value: unknown,
): IteratorResult<unknown, T> {
  if (coroutine["_phase"] !== ACTIVE) {
    coroutine["_claim"]();
    if (value !== null && value !== undefined && !thrown) {
      coroutine["_phase"] = CREATED;
      throw new TypeError("can't send non-None value to a just-started coroutine");
    }
  }
  const outcome = advance(coroutine as unknown as Steps, thrown, value);
  if (outcome === SUSPENDED) last_suspended = coroutine;
  if (outcome === RAISED) throw error_of(coroutine as unknown as Steps);
  return outcome === RETURNED
    ? { done: true, value: coroutine["_value"] as T }
    : { done: false, value: coroutine["_yielded"] };
}

/**
 * Stands, where `yield*` waits for a coroutine, for the nothing that a `sleep(0)` yields: the generator of a
 * context manager yields nothing, too, for its block. All copies of the library know it.
 */
export const TURN: unique symbol = Symbol.for("@pythonic/asyncio:turn");

function mark_turn<T>(result: IteratorResult<unknown, T>): IteratorResult<unknown, T> {
  return !result.done && (result.value === null || result.value === undefined)
    ? { done: false, value: TURN }
    : result;
}

class CoroutineIterator<T> implements Iterator<unknown, T, unknown> {
  readonly #coroutine: Coroutine<T>;
  #started = false;

  constructor(coroutine: Coroutine<T>) {
    this.#coroutine = coroutine;
  }

  next(value?: unknown): IteratorResult<unknown, T> {
    this.#start();
    return mark_turn(step(this.#coroutine, false, value));
  }

  throw(error: unknown): IteratorResult<unknown, T> {
    this.#start();
    return mark_turn(step(this.#coroutine, true, error));
  }

  return(value?: T): IteratorResult<unknown, T> {
    this.#coroutine.close();
    return { done: true, value: value as T };
  }

  #start(): void {
    if (!this.#started) {
      this.#started = true;
      this.#coroutine["_claim"]();
    }
  }
}

/** Returns whether a value is a generator: the result of a `function*`. */
export function is_generator(value: unknown): value is Generator<unknown, unknown, unknown> {
  return typeof value === "object" && value !== null &&
    Object.prototype.toString.call(value) === "[object Generator]";
}

// The coroutine that was last suspended by `yield*`, on the way out of those around it.
let last_suspended: Coroutine<unknown> | null = null;

/** A coroutine that is a generator: one `next` or `throw` is one step. */
export class GeneratorCoroutine<T> extends Coroutine<T> {
  declare readonly name: string;
  /** @internal */
  declare protected _yielded: unknown;
  /** @internal The coroutine to which its `yield*` delegates, if it is suspended in one. */
  declare protected _delegate: Coroutine<unknown> | null;
  declare private readonly _generator: Generator<unknown, T, unknown>;

  constructor(name: string, generator: Generator<unknown, T, unknown>) {
    super();
    this._phase = CREATED;
    this._value = undefined;
    this._yielded = undefined;
    this.name = name;
    this._delegate = null;
    this._generator = generator;
    note_made(this as unknown as Unawaited, GeneratorCoroutine);
  }

  /** @internal */
  protected override _advance(thrown: boolean, value: unknown): Outcome {
    let result: IteratorResult<unknown, T>;
    last_suspended = null;
    try {
      result = thrown
        ? this._generator.throw(value)
        : this._generator.next(value === NOTHING ? undefined : value);
    } catch (error) {
      return this._raise(error);
    }
    if (result.done) return this._return(result.value);
    this._yielded = result.value === TURN ? null : result.value;
    this._delegate = last_suspended;
    return SUSPENDED;
  }

  override close(): void {
    super.close();
    if (!this._generator.return(undefined as T).done) {
      throw new RuntimeError("coroutine ignored GeneratorExit");
    }
  }
}

/** A coroutine of another copy of the library: the part of its public interface that is used. */
interface OtherCopysCoroutine<T> {
  readonly name: string;
  close(): void;
  [Symbol.iterator](): Iterator<unknown, T, unknown>;
}

function* wait_for_other<T>(other: OtherCopysCoroutine<T>): Generator<unknown, T, unknown> {
  return yield* other;
}

/** A coroutine that waits for one of another copy of the library. */
class OtherCoroutine<T> extends GeneratorCoroutine<T> {
  declare private _unstarted: OtherCopysCoroutine<T> | null;

  constructor(other: OtherCopysCoroutine<T>) {
    super(other.name, wait_for_other(other));
    this._unstarted = other;
  }

  /** @internal */
  protected override _advance(thrown: boolean, value: unknown): Outcome {
    if (thrown) this._unstarted?.close();
    this._unstarted = null;
    return super._advance(thrown, value);
  }

  override close(): void {
    this._unstarted?.close();
    this._unstarted = null;
    super.close();
  }
}

/** A coroutine that delegates its steps to other awaitables, one after another. */
export abstract class DelegatingCoroutine<T> extends Coroutine<T> {
  /** @internal */
  declare protected _yielded: unknown;
  /** @internal The coroutine that takes the steps; `null` while a promise is waited for. */
  declare protected _inner: Coroutine<unknown> | null;

  /** Begins to wait for an awaitable; what it returns is that of `_advance`. */
  protected _delegate_to(awaitable: unknown): Outcome {
    this._inner = awaitable instanceof Promise ? null : inner_coroutine(awaitable);
    if (this._inner !== null) return this._forward(false, undefined);
    this._yielded = new NativeCall(
      awaitable instanceof Promise ? awaitable : Promise.resolve(awaitable),
    );
    return SUSPENDED;
  }

  /** Advances what it waits for, if that is not done. */
  protected _forward(thrown: boolean, value: unknown): Outcome {
    const inner = this._inner;
    if (inner === null) {
      this._value = value;
      return thrown ? RAISED : RETURNED;
    }
    const outcome = inner["_advance"](thrown, value);
    this._value = inner["_value"];
    this._yielded = inner["_yielded"];
    return outcome;
  }

  /** @internal */
  protected override _needs_context(): boolean {
    return this._inner === null || this._inner["_needs_context"]();
  }

  override close(): void {
    super.close();
    this._inner?.close();
  }
}

/** A coroutine that is a call of an asynchronous function, or of any that returns an awaitable. */
export class FunctionCoroutine<T> extends DelegatingCoroutine<T> {
  declare private readonly _name: string;
  declare private _call: CoroutineFunction<T> | null;

  /** Of a call that is to be made, or that another function has made. */
  constructor(name: string, call: CoroutineFunction<T> | null) {
    super();
    this._phase = CREATED;
    this._value = undefined;
    this._yielded = undefined;
    this._inner = null;
    this._name = name;
    this._call = call;
    note_made(this as unknown as Unawaited, FunctionCoroutine);
  }

  override get name(): string {
    return function_name(this._name);
  }

  /** @internal */
  protected override _advance(thrown: boolean, value: unknown): Outcome {
    const call = this._call;
    this._call = null;
    let outcome: Outcome;
    try {
      outcome = call === null || thrown
        ? this._forward(thrown, value)
        : this._delegate_to(check_returned(call(), this));
    } catch (error) {
      outcome = this._raise(error);
    }
    if (outcome !== SUSPENDED) this._phase = CLOSED;
    return outcome;
  }

  /** @internal Continues with what the call, made by another function, returned. */
  protected _go_on_with(returned: unknown): Outcome {
    this._claim();
    let outcome: Outcome;
    try {
      outcome = this._delegate_to(check_returned(returned, this));
    } catch (error) {
      outcome = this._raise(error);
    }
    if (outcome !== SUSPENDED) this._phase = CLOSED;
    return outcome;
  }

  override close(): void {
    super.close();
    this._call = null;
  }
}

const FUTURE = brand_of("Future");

function is_future(value: unknown): value is Iterable<unknown, unknown, unknown> {
  return has_brand(value, FUTURE);
}

// Returns the coroutine that runs an awaitable step by step; `null` if there is none.
function inner_coroutine(awaitable: unknown): Coroutine<unknown> | null {
  if (awaitable instanceof Coroutine) {
    awaitable["_claim"]();
    return awaitable;
  }
  const steps = is_future(awaitable) ? awaitable[Symbol.iterator]() : awaitable;
  const inner = iscoroutine(steps)
    ? new OtherCoroutine(steps)
    : is_generator(steps)
    ? new GeneratorCoroutine("", steps)
    : null;
  if (inner === null) return null;
  inner["_claim"]();
  return inner;
}

/**
 * Passes on what a function that was to be a coroutine's returned, if it can be awaited.
 *
 * @param named the function, or what has its name, which engines take time to return
 */
export function check_returned(returned: unknown, named: { readonly name: string }): unknown {
  if (isawaitable(returned) || is_generator(returned)) return returned;
  throw new TypeError(
    `a coroutine function was expected, but ${function_name(named.name)}() returned ${
      repr(returned)
    }`,
  );
}

// The name that is shown of a function, which may have anything as its name.
export function function_name(name: unknown): string {
  return String(name ?? "").replace(/^bound /, "") || "<lambda>";
}

const GeneratorFunction = Object.getPrototypeOf(function* () {}).constructor;
const AsyncFunction = Object.getPrototypeOf(async function () {}).constructor;

// Marks what coroutine() made.
const IS_COROUTINE_FUNCTION = Symbol("asyncio.coroutine");

// deno-lint-ignore ban-types -- any function
function is_coroutine_function<T>(value: Function): value is () => Coroutine<T> {
  return (value as { [IS_COROUTINE_FUNCTION]?: true })[IS_COROUTINE_FUNCTION] === true;
}

/**
 * Returns what a task can begin with: a coroutine, or an asynchronous function to call; `null` if
 * the value is neither.
 */
export function to_start<T>(value: unknown): Coroutine<T> | CoroutineFunction<T> | null {
  if (typeof value === "function") {
    if (is_coroutine_function<T>(value)) return value();
    return value instanceof GeneratorFunction
      ? new GeneratorCoroutine(function_name(value.name), value())
      : value as CoroutineFunction<T>;
  }
  if (value instanceof Coroutine) return value;
  if (iscoroutine(value)) return new OtherCoroutine<T>(value as OtherCopysCoroutine<T>);
  if (is_generator(value)) {
    return new GeneratorCoroutine("generator", value as Generator<unknown, T, unknown>);
  }
  return null;
}

/** Makes a lazy coroutine of what has not started yet; `null` if the value is none of these. */
export function to_coroutine<T>(value: unknown): Coroutine<T> | null {
  const start = to_start<T>(value);
  return typeof start === "function" ? new FunctionCoroutine(start.name, start) : start;
}

/**
 * A function that returns a lazy {@linkcode Coroutine}.
 *
 * @category Coroutines
 */
export type CoroutineFactory<A extends unknown[], T> = (...args: A) => Coroutine<T>;

/**
 * Fits no function: an overload with it is tried first and makes the compiler take the types of parameters from
 * their defaults, `(amount = 1) => …`, before that with a type for each parameter would make them `unknown`.
 *
 * @category Coroutines
 */
export type WithoutContext<F> = F extends (...args: never) => unknown ? never : unknown;

/**
 * Makes a function whose calls are lazy coroutines, from an async function or a `function*`.
 *
 * It is the decorator of Python 3.4, and it also gives an async function what Python's `async def`
 * has: a call does nothing until it is awaited or made a task, so `create_task(work(1))` is right.
 *
 * It is a decorator of methods, too: `@coroutine async work() { … }`. A subclass overrides such a method by one that
 * it decorates itself, and calls it by `super`. The compiler keeps the type of the method, a promise: where a
 * coroutine must be given, that is `create_task(() => object.work())`.
 *
 * See {@link https://docs.python.org/3/library/asyncio-task.html#coroutines Python's coroutines}.
 *
 * @param fn an async function, a `function*`, or a function that returns a promise
 * @param context what the compiler passes to a decorator; not used
 * @returns a function of the same parameters that returns a {@linkcode Coroutine}
 * @throws {TypeError} if it is no function
 * @category Coroutines
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * const double = asyncio.coroutine(async (n: number) => {
 *   await asyncio.sleep(0.001);
 *   return n * 2;
 * });
 * const triple = asyncio.coroutine(function* (n: number) {
 *   return n + (yield* double(n));
 * });
 * assertEquals(await asyncio.run(triple(7)), 21);
 * ```
 */
export function coroutine<F>(fn: F & WithoutContext<F>): CoroutineFactory<[], unknown>;
/** Decorates a method: its calls are lazy coroutines. */
export function coroutine<A extends unknown[], T>(
  fn: (...args: A) => PromiseLike<T> | Generator<unknown, T, unknown>,
  context: ClassMethodDecoratorContext,
): CoroutineFactory<A, T>;
/** Makes a function of the same parameters whose calls are lazy coroutines. */
export function coroutine<A extends unknown[], T>(
  fn: (...args: A) => PromiseLike<T> | Generator<unknown, T, unknown>,
): CoroutineFactory<A, T>;
export function coroutine<A extends unknown[], T>(
  fn: (...args: A) => PromiseLike<T> | Generator<unknown, T, unknown>,
): CoroutineFactory<A, T> {
  check_function("coroutine", "fn", fn);
  const name = fn.name || "<lambda>";
  const factory = fn instanceof GeneratorFunction
    ? function (this: unknown, ...args: A): Coroutine<T> {
      return new GeneratorCoroutine(name, fn.apply(this, args) as Generator<unknown, T, unknown>);
    }
    : function (this: unknown, ...args: A): Coroutine<T> {
      return new FunctionCoroutine(name, () => fn.apply(this, args));
    };
  Object.defineProperty(factory, "name", { value: fn.name, configurable: true });
  Object.defineProperty(factory, "length", { value: fn.length, configurable: true });
  Object.defineProperty(factory, IS_COROUTINE_FUNCTION, { value: true });
  return factory;
}

/**
 * Returns whether a value is a {@linkcode Coroutine}: a call that can be awaited and has not been made a promise.
 *
 * See {@link https://docs.python.org/3/library/asyncio-task.html#asyncio.iscoroutine Python's iscoroutine}.
 *
 * @param value any value
 * @category Coroutines
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(asyncio.iscoroutine(asyncio.sleep(1)), true);
 * assertEquals(asyncio.iscoroutine(Promise.resolve()), false);
 * ```
 */
export function iscoroutine(value: unknown): value is Coroutine<unknown> {
  return has_brand(value, COROUTINE);
}

/**
 * Returns whether a value is an async function or was returned by `coroutine()`.
 *
 * See {@link https://docs.python.org/3/library/inspect.html#inspect.iscoroutinefunction Python's iscoroutinefunction}.
 *
 * @param value any value
 * @category Coroutines
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(asyncio.iscoroutinefunction(async () => {}), true);
 * assertEquals(asyncio.iscoroutinefunction(asyncio.coroutine(function* () {})), true);
 * assertEquals(asyncio.iscoroutinefunction(() => {}), false);
 * ```
 */
export function iscoroutinefunction(value: unknown): boolean {
  return typeof value === "function" &&
    (value instanceof AsyncFunction || is_coroutine_function(value));
}

/**
 * Returns whether a value can be awaited: a coroutine, a future, a promise or another thenable.
 *
 * See {@link https://docs.python.org/3/library/inspect.html#inspect.isawaitable Python's isawaitable}.
 *
 * @param value any value
 * @category Coroutines
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(asyncio.isawaitable(asyncio.sleep(0)), true);
 * assertEquals(asyncio.isawaitable(Promise.resolve()), true);
 * assertEquals(asyncio.isawaitable(async () => {}), false);
 * ```
 */
export function isawaitable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as PromiseLike<unknown> | null | undefined)?.then === "function";
}

/** Makes a generator of the library a lazy coroutine with a name. */
export function library_coroutine<T>(
  name: string,
  body: Generator<unknown, T, unknown>,
): Coroutine<T> {
  return new GeneratorCoroutine(name, body);
}

/** Waits, in a generator of the library, for whatever `await` would wait for. */
export function* wait_on<T>(awaitable: PromiseLike<T> | T): Generator<unknown, T, unknown> {
  if (iscoroutine(awaitable) || is_future(awaitable)) return (yield* awaitable) as T;
  if (!isawaitable(awaitable)) return awaitable;
  return (yield new NativeCall(Promise.resolve(awaitable))) as T;
}

/** Calls a function of the user, in a generator of the library, and waits for what it returns. */
export function* call_and_wait<A extends unknown[], T>(
  fn: (...args: A) => PromiseLike<T> | Generator<unknown, T, unknown>,
  ...args: A
): Generator<unknown, T, unknown> {
  return yield* new FunctionCoroutine(fn.name, () => fn(...args));
}
