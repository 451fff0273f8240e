/**
 * Context managers of generators, stacks of them, and those that do little: the asynchronous half of Python's
 * `contextlib`.
 *
 * @module
 */

import { AsyncGeneratorObject } from "./async_generators.ts";
import { type AsyncContextManager, manager_of, type NotesThrown } from "./context_managers.ts";
import { BlockWait, NativeCall } from "./core/awaits.ts";
import { as_error } from "./core/cancellation.ts";
import type { Scope } from "./core/contracts.ts";
import {
  call_and_wait,
  type Coroutine,
  is_generator,
  isawaitable,
  library_coroutine,
  TURN,
  wait_on,
} from "./core/coroutines.ts";
import {
  BaseExceptionGroup,
  type ErrorClass,
  is_error_class,
  is_exception,
  RuntimeError,
  StopAsyncIteration,
} from "./core/exceptions.ts";
import { Future } from "./core/futures.ts";
import { instant, Suspension } from "./core/suspensions.ts";
import { type Failure, ScopeManager } from "./core/scope_managers.ts";
import { is_a } from "./internal/error_kinds.ts";
import { Inspectable, repr, type_name } from "./internal/format_helpers.ts";
import { check_bound } from "./internal/unbound.ts";

type Steps<R> = Generator<unknown, R, unknown>;

/** The generator of a context manager: each method runs it up to its next `yield` for a block, or to its end. */
interface Body {
  next(): Steps<IteratorResult<unknown, unknown>>;
  throw(error: unknown): Steps<IteratorResult<unknown, unknown>>;
  close(): Steps<void>;
}

/** An `async function*`. */
class AsyncBody implements Body {
  readonly #generator: AsyncGeneratorObject<unknown, unknown, undefined>;

  constructor(name: string, native: AsyncGenerator<unknown, unknown, undefined>) {
    this.#generator = new AsyncGeneratorObject(name, native);
  }

  *next(): Steps<IteratorResult<unknown, unknown>> {
    return yield* this.#generator.next();
  }

  *throw(error: unknown): Steps<IteratorResult<unknown, unknown>> {
    return yield* this.#generator.throw(error);
  }

  *close(): Steps<void> {
    yield* this.#generator.aclose();
  }
}

/** A `function*`, whose `yield*` waits and whose `yield` is for the block. */
class GeneratorBody implements Body {
  readonly #generator: Generator<unknown, unknown, unknown>;

  constructor(generator: Generator<unknown, unknown, unknown>) {
    this.#generator = generator;
  }

  next(): Steps<IteratorResult<unknown, unknown>> {
    return this.#run(() => this.#generator.next());
  }

  throw(error: unknown): Steps<IteratorResult<unknown, unknown>> {
    return this.#run(() => this.#generator.throw(error));
  }

  *close(): Steps<void> {
    const result = yield* this.#run(() => this.#generator.return(undefined));
    if (!result.done) throw new RuntimeError("generator ignored GeneratorExit");
  }

  *#run(begin: () => IteratorResult<unknown, unknown>): Steps<IteratorResult<unknown, unknown>> {
    let result = begin();
    while (!result.done && is_wait(result.value)) {
      let value: unknown;
      try {
        // A future answers only once that `yield*` has offered it.
        value = result.value instanceof Future
          ? yield* result.value
          : yield (result.value === TURN ? null : result.value);
      } catch (error) {
        result = this.#generator.throw(as_error(error));
        continue;
      }
      result = this.#generator.next(value);
    }
    return result;
  }
}

function is_wait(yielded: unknown): boolean {
  if (yielded === TURN || yielded instanceof NativeCall || yielded instanceof BlockWait) {
    return true;
  }
  if (yielded instanceof Future) return yielded["_is_offered"]();
  return yielded instanceof Suspension && yielded["_is_offered"]();
}

/** The context manager of one call of a generator function. */
class GeneratorContextManager<T> extends Inspectable
  implements AsyncContextManager<T>, NotesThrown {
  readonly #name: string;
  readonly #body: Body;
  #is_entered = false;
  #thrown: Failure | null = null;

  constructor(name: string, body: Body) {
    super();
    this.#name = name;
    this.#body = body;
  }

  __aenter__(): Coroutine<T> {
    return library_coroutine(`${this.#name}.__aenter__`, this.#enter());
  }

  __aexit__(error: unknown): Coroutine<boolean> {
    const failure = error === null || error === undefined ? this.#thrown : { error };
    this.#thrown = null;
    return library_coroutine(
      `${this.#name}.__aexit__`,
      failure === null ? this.#exit() : this.#exit_with(failure.error),
    );
  }

  _note_thrown(error: unknown): void {
    this.#thrown = { error };
  }

  *#enter(): Steps<T> {
    if (this.#is_entered) {
      throw new RuntimeError(
        `Cannot enter a context manager again: its generator runs once, and each call of ` +
          `${this.#name}() makes a new one: received ${this}`,
      );
    }
    this.#is_entered = true;
    const result = yield* this.#body.next();
    if (result.done) throw new RuntimeError("generator didn't yield");
    return result.value as T;
  }

  *#exit(): Steps<boolean> {
    const result = yield* this.#body.next();
    if (result.done) return false;
    yield* this.#body.close();
    throw new RuntimeError("generator didn't stop");
  }

  *#exit_with(error: unknown): Steps<boolean> {
    let result: IteratorResult<unknown, unknown>;
    try {
      result = yield* this.#body.throw(error);
    } catch (raised) {
      // The block throws its own error.
      if (raised === error || is_wrapped(error, raised)) return false;
      throw raised;
    }
    if (result.done) return true;
    yield* this.#body.close();
    throw new RuntimeError("generator didn't stop after athrow()");
  }

  override toString(): string {
    return `<context manager ${this.#name}>`;
  }
}

// A StopAsyncIteration cannot leave an async generator, which throws a RuntimeError for it.
function is_wrapped(error: unknown, raised: unknown): boolean {
  return error instanceof StopAsyncIteration && raised instanceof RuntimeError &&
    raised.cause === error;
}

/**
 * Makes a function whose calls return context managers for `async_with()`, from a generator function that
 * yields once: Python's decorator `@asynccontextmanager`.
 *
 * What the generator yields is passed to the block, and the generator resumes when the block has ended. An
 * error of the block, a cancellation too, is thrown at the `yield`: a generator that catches it and returns
 * swallows it. In a `function*`, `yield*` waits and `yield` is for the block.
 *
 * The generator runs in the task and the context of the block. A manager is entered once; each call makes a
 * new one.
 *
 * See {@link https://docs.python.org/3/library/contextlib.html#contextlib.asynccontextmanager Python's asynccontextmanager}.
 *
 * @param fn an `async function*` or `function*`
 * @returns a function of the same parameters that returns a context manager. Its `__aenter__` throws a
 * {@linkcode RuntimeError} if the generator does not yield, its `__aexit__` if it yields again
 * @throws {TypeError} if it is no function; when that is called, if it returns no generator
 * @category Structure
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * const log: string[] = [];
 * const section = asyncio.asynccontextmanager(async function* (name: string) {
 *   log.push(`begin ${name}`);
 *   try {
 *     yield name.length;
 *   } finally {
 *     await asyncio.sleep(0.001);
 *     log.push(`end ${name}`);
 *   }
 * });
 * const length = await asyncio.async_with(section("one"), async (length) => length);
 * assertEquals([length, ...log], [3, "begin one", "end one"]);
 * ```
 */
export function asynccontextmanager<A extends unknown[], T>(
  fn: (...args: A) => AsyncGenerator<T, unknown, undefined>,
): (...args: A) => AsyncContextManager<T>;
/** Makes a function whose calls return context managers from a `function*`; the type of its value is declared. */
export function asynccontextmanager<A extends unknown[], T = unknown>(
  fn: (...args: A) => Generator<unknown, unknown, unknown>,
): (...args: A) => AsyncContextManager<T>;
export function asynccontextmanager<A extends unknown[], T>(
  fn: (
    ...args: A
  ) => AsyncGenerator<T, unknown, undefined> | Generator<unknown, unknown, unknown>,
): (...args: A) => AsyncContextManager<T> {
  if (typeof fn !== "function") {
    throw new TypeError(
      `Cannot make a context manager: it must be an async function* or a function*: received ${
        repr(fn)
      }`,
    );
  }
  const name = fn.name || "<lambda>";
  const factory = function (this: unknown, ...args: A): AsyncContextManager<T> {
    const generator: unknown = fn.apply(this, args);
    if (is_generator(generator)) {
      return new GeneratorContextManager(name, new GeneratorBody(generator));
    }
    if (!is_async_generator(generator)) {
      throw new TypeError(
        `Cannot make a context manager: ${name}() must be an async function* or a function*: ` +
          `received ${repr(generator)}`,
      );
    }
    return new GeneratorContextManager(name, new AsyncBody(name, generator));
  };
  Object.defineProperty(factory, "name", { value: fn.name, configurable: true });
  Object.defineProperty(factory, "length", { value: fn.length, configurable: true });
  return factory;
}

function is_async_generator(
  value: unknown,
): value is AsyncGenerator<unknown, unknown, undefined> {
  return typeof value === "object" && value !== null && Symbol.asyncIterator in value &&
    typeof (value as Partial<AsyncGenerator>).throw === "function";
}

/** Ends a block: gets the error that is leaving it; a true result swallows the error. */
type Exit = (failure: Failure | null) => Steps<unknown>;

/**
 * The asynchronous end of a block, for {@linkcode AsyncExitStack.push_async_exit}: an object's, or a function that
 * is passed the error or `null`.
 *
 * @category Structure
 */
export type AsyncExit =
  | Pick<AsyncContextManager<unknown>, "__aexit__">
  | AsyncDisposable
  | ((error: unknown) => PromiseLike<unknown> | Generator<unknown, unknown, unknown>);

/**
 * A stack of context managers and callbacks, which are left in reverse order at the end of the stack's block.
 *
 * Their number need not be known beforehand. Each is left as if it had a block of its own inside those of the
 * earlier ones: it gets the error that is leaving, may swallow it, and its own error takes that one's place.
 * All of them are left, also when the block is cancelled or one of them throws; one that is cancelled in its
 * `__aexit__` throws into the next. Managers that can cancel their block, such as `timeout()` and
 * `TaskGroup`, cancel that of the stack.
 *
 * It is entered by `async_with()`. With `await using` it is left as a block without an error is, since no error
 * is passed to it: for callbacks, and managers that need none.
 *
 * See {@link https://docs.python.org/3/library/contextlib.html#contextlib.AsyncExitStack Python's AsyncExitStack}.
 *
 * @category Structure
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * const locks = [new asyncio.Lock(), new asyncio.Lock()];
 * const log: string[] = [];
 * await asyncio.async_with(new asyncio.AsyncExitStack(), async (stack) => {
 *   stack.callback(() => log.push("last"));
 *   for (const lock of locks) await stack.enter_async_context(lock);
 *   assertEquals(locks.map((lock) => lock.locked()), [true, true]);
 * });
 * assertEquals(locks.map((lock) => lock.locked()), [false, false]);
 * assertEquals(log, ["last"]);
 * ```
 */
export class AsyncExitStack extends ScopeManager implements AsyncDisposable {
  #exits: Exit[] = [];

  /** @internal */
  protected override _enter(_scope: Scope | null): void {}

  /** Ends the block, with the error that left it or `null`: leaves everything, the latest first. */
  override __aexit__(error: unknown): Coroutine<boolean> & Coroutine<void> {
    const coroutine = library_coroutine(
      "AsyncExitStack.__aexit__",
      this.#unwind(this._failure_of(error)),
    );
    return coroutine as Coroutine<unknown> as Coroutine<boolean> & Coroutine<void>;
  }

  *#unwind(received: Failure | null): Steps<boolean> {
    let failure = received;
    let is_replaced = false;
    for (let exit = this.#exits.pop(); exit !== undefined; exit = this.#exits.pop()) {
      try {
        if (yield* exit(failure)) {
          failure = null;
          is_replaced = false;
        }
      } catch (raised) {
        failure = { error: as_error(raised) };
        is_replaced = true;
      }
    }
    if (failure !== null && is_replaced) throw failure.error;
    return received !== null && failure === null;
  }

  /**
   * Enters a context manager; it is left with the stack.
   *
   * Cancelled, it is not entered, and not left.
   *
   * @param manager a context manager, or what has `[Symbol.asyncDispose]()` or `[Symbol.dispose]()`
   * @returns a coroutine of what the manager gives; of the object itself if it is disposable only
   * @throws {TypeError} if it is none of these
   */
  enter_async_context<T>(manager: AsyncContextManager<T>): Coroutine<T>;
  /** Has a disposable object disposed of with the stack. */
  enter_async_context<D extends AsyncDisposable | Disposable>(manager: D): Coroutine<D>;
  enter_async_context<T>(
    given: AsyncContextManager<T> | AsyncDisposable | Disposable,
  ): Coroutine<T> {
    return library_coroutine(
      "AsyncExitStack.enter_async_context",
      this.#enter_manager(manager_of<T>(given)),
    );
  }

  *#enter_manager<T>(manager: AsyncContextManager<T>): Steps<T> {
    const value = yield* wait_on(manager.__aenter__());
    this.#exits.push(exit_of(manager));
    return value;
  }

  /**
   * Has an object disposed of with the stack, by `[Symbol.dispose]()`.
   *
   * @param disposable the object
   * @returns the object
   * @throws {TypeError} if it has no such method
   */
  enter_context<D extends Disposable>(disposable: D): D {
    if (typeof disposable?.[Symbol.dispose] !== "function") {
      throw new TypeError(
        `'${type_name(disposable)}' object does not support the context manager protocol`,
      );
    }
    this.callback(() => disposable[Symbol.dispose]());
    return disposable;
  }

  /**
   * Adds the asynchronous end of a block.
   *
   * @param exit an object, whose `__aexit__()` or `[Symbol.asyncDispose]()` is called, or a function, asynchronous
   * or `function*`, that is passed the error that is leaving or `null`: a true result swallows the error
   * @returns what was given
   * @throws {TypeError} if it is none of these
   */
  push_async_exit<E extends AsyncExit>(exit: E): E {
    const { __aexit__, [Symbol.asyncDispose]: dispose } = (exit ?? {}) as Partial<
      AsyncContextManager<unknown> & AsyncDisposable
    >;
    if (typeof __aexit__ === "function") {
      this.#exits.push(exit_of(exit as AsyncContextManager<unknown>));
    } else if (typeof dispose === "function") {
      this.#exits.push(exit_of(manager_of(exit as AsyncDisposable)));
    } else if (typeof exit === "function") {
      this.#exits.push((failure) => call_and_wait(exit, failure === null ? null : failure.error));
    } else {
      throw new TypeError(
        `Cannot push an exit: it must be a function or an object with a method __aexit__(): ` +
          `received ${repr(exit)}`,
      );
    }
    return exit;
  }

  /**
   * Adds the end of a block that does not wait.
   *
   * @param exit an object, whose `[Symbol.dispose]()` is called, or a function that is passed the error that is
   * leaving or `null`: a true result swallows the error
   * @returns what was given
   * @throws {TypeError} if it is none of these; at the end of the stack, if the function returns an awaitable
   */
  push<E extends Disposable | ((error: unknown) => unknown)>(exit: E): E {
    if (typeof exit === "function") this.#exits.push((failure) => call_exit(exit, failure));
    else this.enter_context(exit as Disposable);
    return exit;
  }

  /**
   * Has an async function or `function*` called with the stack's end; it cannot swallow an error.
   *
   * @param callback the function
   * @param args its arguments
   * @returns the function
   * @throws {TypeError} if it is no function, or a method of the library without its object
   */
  push_async_callback<A extends unknown[]>(
    callback: (...args: A) => PromiseLike<unknown> | Generator<unknown, unknown, unknown>,
    ...args: A
  ): typeof callback {
    check_callback("push_async_callback", callback);
    this.#exits.push(() => ignore_result(call_and_wait(callback, ...args)));
    return callback;
  }

  /**
   * Has a function called with the stack's end; it cannot swallow an error, and its result is not awaited.
   *
   * @param callback the function
   * @param args its arguments
   * @returns the function
   * @throws {TypeError} if it is no function, or a method of the library without its object; at the end of the stack,
   * if it returns an awaitable
   */
  callback<A extends unknown[]>(
    callback: (...args: A) => unknown,
    ...args: A
  ): typeof callback {
    check_callback("callback", callback);
    this.#exits.push(() => ignore_result(call_exit(() => callback(...args), null)));
    return callback;
  }

  /**
   * Moves everything to a new stack, so that nothing is left at the end of this one's block.
   *
   * @returns the new stack, which is left by `aclose()` or a block of its own
   */
  pop_all(): this {
    const moved = new (this.constructor as new () => this)();
    moved.#exits = this.#exits;
    this.#exits = [];
    return moved;
  }

  /** Leaves everything now, the latest first, as a block without an error does. */
  aclose(): Coroutine<void> {
    return library_coroutine("AsyncExitStack.aclose", ignore_result(this.#unwind(null)));
  }

  /** Leaves everything as `aclose()` does, at the end of a block with `await using`. */
  [Symbol.asyncDispose](): Coroutine<void> {
    return this.aclose();
  }

  /** Shows how many are on the stack. */
  override toString(): string {
    return `<AsyncExitStack [${this.#exits.length}]>`;
  }
}

function exit_of(manager: Pick<AsyncContextManager<unknown>, "__aexit__">): Exit {
  return function* (failure) {
    const error = failure === null ? null : failure.error;
    if (failure !== null) (manager as Partial<NotesThrown>)._note_thrown?.(error);
    return yield* wait_on(manager.__aexit__(error));
  };
}

// deno-lint-ignore require-yield -- it never waits
function* call_exit(
  exit: (error: unknown) => unknown,
  failure: Failure | null,
): Steps<unknown> {
  const result = exit(failure === null ? null : failure.error);
  if (!isawaitable(result) && !is_generator(result)) return result;
  throw new TypeError(
    `Cannot end a block: a function that must be awaited is added by push_async_exit() or ` +
      `push_async_callback(): received ${repr(result)}`,
  );
}

function* ignore_result(steps: Steps<unknown>): Steps<void> {
  yield* steps;
}

function check_callback(method: string, callback: unknown): void {
  if (typeof callback === "function") return check_bound(method, callback);
  throw new TypeError(`Cannot add a callback: it must be a function: received ${repr(callback)}`);
}

const ENTER_NULL = /* @__PURE__ */ instant(
  "__aenter__",
  (manager: NullContext<unknown>, _: null) => manager.enter_result,
);

const EXIT_NULL = /* @__PURE__ */ instant("__aexit__", (_subject: null, _: null) => undefined);

class NullContext<T> extends Inspectable implements AsyncContextManager<T> {
  readonly enter_result: T;

  constructor(enter_result: T) {
    super();
    this.enter_result = enter_result;
  }

  __aenter__(): Coroutine<T> {
    return new Suspension(ENTER_NULL, this, null) as Coroutine<unknown> as Coroutine<T>;
  }

  __aexit__(_error: unknown): Coroutine<void> {
    return new Suspension(EXIT_NULL, null, null);
  }

  override toString(): string {
    return `<nullcontext ${repr(this.enter_result)}>`;
  }
}

/**
 * Returns a context manager that does nothing: it takes the place of one that is not always needed.
 *
 * See {@link https://docs.python.org/3/library/contextlib.html#contextlib.nullcontext Python's nullcontext}.
 *
 * @param enter_result what the block is passed, nothing by default
 * @returns a context manager for `async_with()`, which can be entered again and again
 * @category Structure
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * const load = (name: string, limit: asyncio.Semaphore | null) =>
 *   asyncio.async_with(limit ?? asyncio.nullcontext(), () => asyncio.sleep(0.001, name));
 * assertEquals(await load("page", null), "page");
 * ```
 */
export function nullcontext(): AsyncContextManager<void>;
/** Returns a context manager that does nothing but pass a value to its block. */
export function nullcontext<T>(enter_result: T): AsyncContextManager<T>;
export function nullcontext<T>(enter_result?: T): AsyncContextManager<T | undefined> {
  return new NullContext(enter_result);
}

const EXIT_SUPPRESS = /* @__PURE__ */ instant(
  "__aexit__",
  (manager: Suppress, error: unknown) => manager.exit(error),
);

class Suppress extends Inspectable implements AsyncContextManager<void> {
  readonly #classes: readonly ErrorClass[];

  constructor(classes: readonly ErrorClass[]) {
    super();
    this.#classes = classes;
  }

  __aenter__(): Coroutine<void> {
    return new Suspension(EXIT_NULL, null, null);
  }

  __aexit__(error: unknown): Coroutine<boolean> {
    return new Suspension(EXIT_SUPPRESS, this, error);
  }

  exit(error: unknown): boolean {
    if (this.#is_named(error)) return true;
    if (!(error instanceof BaseExceptionGroup)) return false;
    const [, rest] = error.split((part: unknown) => this.#is_named(part));
    if (rest !== null) throw rest;
    return true;
  }

  // `Error` is Python's `Exception`, of which cancellations are none.
  #is_named(error: unknown): boolean {
    return this.#classes.some((kind) =>
      is_a(error, kind) && (kind !== Error || is_exception(error))
    );
  }

  override toString(): string {
    return `<suppress ${this.#classes.map(({ name }) => name).join(", ")}>`;
  }
}

/**
 * Returns a context manager that swallows the errors of some classes.
 *
 * The block ends where the error was thrown, and `async_with()` resolves to `undefined`. Of an exception group
 * the errors of these classes are swallowed, and a group of the others is thrown. `Error` is Python's
 * `Exception`: a cancellation is swallowed only by `CancelledError` or `BaseException`.
 *
 * See {@link https://docs.python.org/3/library/contextlib.html#contextlib.suppress Python's suppress}.
 *
 * @param classes the classes of errors
 * @returns a context manager for `async_with()`, which can be entered again and again
 * @throws {TypeError} if one of them is no class of errors
 * @category Structure
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * const work = asyncio.create_task(asyncio.sleep(3600));
 * work.cancel();
 * await asyncio.async_with(asyncio.suppress(asyncio.CancelledError), async () => {
 *   await work;
 * });
 * assertEquals(work.cancelled(), true);
 * ```
 */
export function suppress(...classes: ErrorClass[]): AsyncContextManager<void> {
  for (const kind of classes as unknown[]) {
    if (!is_error_class(kind)) {
      throw new TypeError(
        `Cannot suppress errors: suppress() takes classes of errors: received ${repr(kind)}`,
      );
    }
  }
  return new Suppress(classes);
}
