/**
 * Asynchronous generators with Python's methods, and context managers that close an object.
 *
 * @module
 */

import type { AsyncContextManager } from "./context_managers.ts";
import {
  call_and_wait,
  type Coroutine,
  GeneratorCoroutine,
  library_coroutine,
} from "./core/coroutines.ts";
import { type AbstractEventLoop, get_running_loop } from "./core/events.ts";
import { is_error_class, RuntimeError, StopAsyncIteration } from "./core/exceptions.ts";
import { hold_generator } from "./generator_shutdown.ts";
import { watch_collection } from "./host/collection.ts";
import {
  deno_inspect,
  Inspectable,
  node_inspect,
  repr,
  type_name,
} from "./internal/format_helpers.ts";

type Method = "anext" | "athrow" | "aclose";

const LABELS = {
  anext: "__anext__()/asend()",
  athrow: "aclose()/athrow()",
  aclose: "aclose()/athrow()",
} as const;

/** One use of a generator: a coroutine whose error for a second use names the method. */
class Use<T> extends GeneratorCoroutine<T> {
  readonly #method: Method;
  #used = false;

  constructor(method: Method, name: string, body: Generator<unknown, T, unknown>) {
    super(name, body);
    this.#method = method;
  }

  /** @internal */
  protected override _claim(): void {
    if (this.#used) {
      throw new RuntimeError(`cannot reuse already awaited ${LABELS[this.#method]}`);
    }
    this.#used = true;
    super._claim();
  }
}

/**
 * A native generator with its state.
 *
 * The loop holds it until it is finished. It is apart from the object that the user holds, which so can
 * be collected: then nothing else can finish the generator, and the loop closes it.
 */
class Body<T, R, S> {
  readonly name: string;
  // The object that the user holds, if the host has weak references.
  readonly #owner: WeakRef<object> | null;
  readonly #native: AsyncGenerator<T, R, S>;
  #loop: AbstractEventLoop | null = null;
  #running = false;
  #started = false;
  // aclose() was called; a generator that yields all the same is closed and not finished.
  #closed = false;
  #finished = false;

  constructor(name: string, native: AsyncGenerator<T, R, S>, owner: object) {
    this.name = name;
    this.#native = native;
    this.#owner = typeof WeakRef === "undefined" ? null : new WeakRef(owner);
  }

  get running(): boolean {
    return this.#running;
  }

  *asend(value: S | null | undefined): Generator<unknown, T, unknown> {
    this.#track();
    if (!this.#started && value !== null && value !== undefined) {
      throw new TypeError("can't send non-None value to a just-started async generator");
    }
    return value_of(yield* this.resume("anext", (native) => native.next(value as S)));
  }

  *athrow(error: unknown): Generator<unknown, T | null, unknown> {
    if (this.#finished) return null;
    this.#check_open("athrow");
    return value_of(yield* this.resume("athrow", (native) => native.throw(error)));
  }

  *aclose(): Generator<unknown, void, unknown> {
    if (this.#finished) return;
    this.#check_open("aclose");
    this.#closed = true;
    const result = yield* this.resume("aclose", (native) => native.return(undefined as R));
    if (!result.done) throw new RuntimeError("async generator ignored GeneratorExit");
  }

  /** Runs the generator, in the step of the task that waits, up to its next `yield` or its end. */
  *resume(
    method: Method,
    call: (native: AsyncGenerator<T, R, S>) => PromiseLike<IteratorResult<T, R>>,
  ): Generator<unknown, IteratorResult<T, R>, unknown> {
    this.#check_not_running(method);
    this.#track();
    const was_started = this.#started;
    this.#started = true;
    this.#running = true;
    try {
      const result = check_result(yield* call_and_wait(call, this.#native));
      if (result.done) this.#finish();
      return result;
    } catch (error) {
      this.#finish();
      // An error that is thrown into a generator before it has started never enters it.
      if (error instanceof StopAsyncIteration && (was_started || method !== "athrow")) {
        throw new RuntimeError("async generator raised StopAsyncIteration", { cause: error });
      }
      throw error;
    } finally {
      this.#running = false;
    }
  }

  // The loop holds this object.
  readonly #tracked = {
    generator: (): object => this.#owner?.deref() ?? this.#tracked,
    aclose: (): Coroutine<void> => new Use("aclose", "aclose", this.aclose()),
    toString: (): string => this.toString(),
    [deno_inspect]: (): string => this.toString(),
    [node_inspect]: (): string => this.toString(),
  };

  // From its first use on, even one that is refused, the loop closes it when it ends.
  #track(): void {
    if (this.#loop !== null || this.#finished) return;
    this.#loop = get_running_loop();
    hold_generator(this.#loop, this.#tracked);
  }

  #check_not_running(method: Method): void {
    if (this.#running) {
      throw new RuntimeError(`${method}(): asynchronous generator is already running`);
    }
  }

  #check_open(method: Method): void {
    this.#check_not_running(method);
    if (this.#closed) throw new StopAsyncIteration();
  }

  #finish(): void {
    this.#finished = true;
    this.#loop?.["_asyncgens"]?.delete(this.#tracked);
  }

  /** Closes it in a task of its own, if it is not finished: its object has been collected. */
  abandon(): void {
    const loop = this.#loop;
    if (this.#finished || loop === null || loop.is_closed()) return;
    loop["_asyncgens"]?.delete(this.#tracked);
    loop.call_soon_threadsafe(() => void loop.create_task(this.#tracked.aclose()));
  }

  toString(): string {
    return `<async_generator object ${this.name}>`;
  }
}

/** Passes on the result of an iterator's `next()`; throws, as `for await` does, if it is not an object. */
export function check_result<R>(result: R): R {
  if (Object(result) === result) return result;
  throw new TypeError(`Iterator result ${repr(result)} is not an object`);
}

function value_of<T>(result: IteratorResult<T, unknown>): T {
  if (result.done) throw new StopAsyncIteration();
  return result.value;
}

const abandoned = watch_collection<{ abandon(): void }>((body) => body.abandon());

/**
 * An asynchronous generator with Python's methods, and JavaScript's too.
 *
 * All of them return lazy coroutines: the generator resumes when they are awaited, in the task and the
 * context of the caller. A second use while one is in progress is an error and does not wait. A
 * cancellation is thrown into the generator where it waits. A generator that is not finished is closed by
 * the loop when `run()` ends, or when it is garbage-collected before.
 *
 * As in every `async function*`, a promise or future that is yielded is awaited first; and
 * `for await` closes the generator when the loop is left, which `async for` does not.
 * There is no `GeneratorExit`: when the generator is closed, its `finally` blocks run and no `catch`.
 *
 * See {@link https://docs.python.org/3/reference/expressions.html#asynchronous-generator-iterator-methods Python's asynchronous generator methods}.
 *
 * @category Iterating
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * const totals = asyncio.async_generator(async function* (): AsyncGenerator<number, void, number> {
 *   for (let total = 0;;) total += yield total;
 * });
 * await asyncio.run(async () => {
 *   const generator = totals();
 *   assertEquals(await generator.asend(null), 0);
 *   assertEquals(await generator.asend(5), 5);
 *   assertEquals(await generator.asend(6), 11);
 *   await generator.aclose();
 * });
 * ```
 */
export class AsyncGeneratorObject<T = unknown, R = void, S = undefined> extends Inspectable
  implements AsyncGenerator<T, R, S> {
  readonly #body: Body<T, R, S>;

  /** @internal */
  constructor(name: string, native: AsyncGenerator<T, R, S>) {
    super();
    this.#body = new Body(name, native, this);
    abandoned?.register(this, this.#body);
  }

  /** True while the generator is in use: while a task waits for its next value, or for its end. */
  get ag_running(): boolean {
    return this.#body.running;
  }

  /**
   * Resumes the generator up to its next `yield`.
   *
   * @returns what is yielded
   * @throws {StopAsyncIteration} if the generator ends or has ended
   * @throws {RuntimeError} if the generator is in use
   */
  __anext__(): Coroutine<T> {
    return new Use("anext", "__anext__", this.#asend(undefined));
  }

  /**
   * Resumes the generator up to its next `yield`, with the value of the one at which it is suspended.
   *
   * @param value the value; nothing or `null` if the generator has not started
   * @returns what is yielded
   * @throws {StopAsyncIteration} if the generator ends or has ended
   * @throws {TypeError} if there is a value and the generator has not started
   * @throws {RuntimeError} if the generator is in use
   */
  asend(value?: S | null): Coroutine<T> {
    return new Use("anext", "asend", this.#asend(value));
  }

  /**
   * Throws an error at the `yield` at which the generator is suspended.
   *
   * @param error the error, or a class of errors that needs no arguments
   * @returns what is yielded next; `null` if the generator had ended before
   * @throws the error, or another, if the generator does not catch it
   * @throws {StopAsyncIteration} if the generator ends
   * @throws {RuntimeError} if the generator is in use
   */
  athrow(error: unknown): Coroutine<T | null> {
    if (is_error_class(error)) error = new (error as ErrorConstructor)();
    return new Use("athrow", "athrow", this.#athrow(error));
  }

  /**
   * Ends the generator at the `yield` at which it is suspended: its `finally` blocks run.
   *
   * @throws {RuntimeError} if the generator is in use, or yields while it is closed
   */
  aclose(): Coroutine<void> {
    return new Use("aclose", "aclose", this.#aclose());
  }

  /** Does what `next` of a native generator does, when it is awaited. */
  next(...[value]: [] | [S]): Coroutine<IteratorResult<T, R>> {
    return new Use("anext", "next", this.#resume("anext", (native) => native.next(value as S)));
  }

  /** Does what `return` of a native generator does, when it is awaited; `for await` calls it when it is left. */
  return(value: R | PromiseLike<R>): Coroutine<IteratorResult<T, R>> {
    return new Use("aclose", "return", this.#resume("aclose", (native) => native.return(value)));
  }

  /** Does what `throw` of a native generator does, when it is awaited. */
  throw(error: unknown): Coroutine<IteratorResult<T, R>> {
    return new Use("athrow", "throw", this.#resume("athrow", (native) => native.throw(error)));
  }

  // These generators hold `this`: an object in use must not be collected.

  *#asend(value: S | null | undefined): Generator<unknown, T, unknown> {
    return yield* this.#body.asend(value);
  }

  *#athrow(error: unknown): Generator<unknown, T | null, unknown> {
    return yield* this.#body.athrow(error);
  }

  *#aclose(): Generator<unknown, void, unknown> {
    yield* this.#body.aclose();
  }

  *#resume(
    ...use: Parameters<Body<T, R, S>["resume"]>
  ): Generator<unknown, IteratorResult<T, R>, unknown> {
    return yield* this.#body.resume(...use);
  }

  /** The generator itself. */
  [Symbol.asyncIterator](): this {
    return this;
  }

  /** Closes the generator, at the end of a block with `await using`. */
  [Symbol.asyncDispose](): Coroutine<void> {
    return this.aclose();
  }

  /** Names the class. */
  get [Symbol.toStringTag](): string {
    return "AsyncGenerator";
  }

  /** Python's `repr`. */
  override toString(): string {
    return this.#body.toString();
  }
}

/**
 * Makes a function whose calls return asynchronous generators with Python's methods.
 *
 * See {@link https://docs.python.org/3/reference/expressions.html#asynchronous-generator-functions Python's asynchronous generators}.
 *
 * @param fn an `async function*`, or any function that returns a native asynchronous generator
 * @returns a function of the same parameters that returns an {@linkcode AsyncGeneratorObject}
 * @throws {TypeError} if it is not a function
 * @category Iterating
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { alist } from "@pythonic/asyncio/itertools";
 * import { assertEquals, assertRejects } from "@std/assert";
 *
 * const countdown = asyncio.async_generator(async function* (from: number) {
 *   for (let n = from; n > 0; n--) {
 *     await asyncio.sleep(0.001);
 *     yield n;
 *   }
 * });
 * await asyncio.run(async () => {
 *   assertEquals(await alist(countdown(3)), [3, 2, 1]);
 *   const one = countdown(1);
 *   assertEquals(await asyncio.anext(one), 1);
 *   await assertRejects(async () => await asyncio.anext(one), asyncio.StopAsyncIteration);
 * });
 * ```
 */
export function async_generator<A extends unknown[], T, R, S>(
  fn: (...args: A) => AsyncGenerator<T, R, S>,
): (...args: A) => AsyncGeneratorObject<T, R, S> {
  if (typeof fn !== "function") {
    throw new TypeError(
      `Cannot make a generator function: it must be an async function*: received ${repr(fn)}`,
    );
  }
  const name = fn.name || "<lambda>";
  const factory = function (this: unknown, ...args: A): AsyncGeneratorObject<T, R, S> {
    const native = fn.apply(this, args);
    if (typeof native?.next !== "function" || typeof native[Symbol.asyncIterator] !== "function") {
      throw new TypeError(
        `Cannot make an async generator: ${name}() must be an async function*: received ${
          repr(native)
        }`,
      );
    }
    return new AsyncGeneratorObject(name, native);
  };
  Object.defineProperty(factory, "name", { value: fn.name, configurable: true });
  Object.defineProperty(factory, "length", { value: fn.length, configurable: true });
  return factory;
}

/**
 * Returns the asynchronous iterator of an asynchronous iterable: Python's `aiter()`.
 *
 * With a function and a sentinel it is Python's `iter()` of two arguments: an iterator of what the function
 * returns, until that is the sentinel.
 *
 * See {@link https://docs.python.org/3/library/functions.html#aiter Python's aiter}.
 *
 * @param iterable an object with `[Symbol.asyncIterator]()`; or a function without parameters, asynchronous or
 * not, which is called for each value
 * @param sentinel with a function, the value, by `===`, with which the iteration ends
 * @returns its iterator
 * @throws {TypeError} if it is not an asynchronous iterable, or its iterator is none
 * @category Iterating
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * await asyncio.run(async () => {
 *   const queue = new asyncio.Queue<string>();
 *   queue.put_nowait("first");
 *   const items = asyncio.aiter(queue);
 *   assertEquals(await asyncio.anext(items), "first");
 * });
 * ```
 */
export function aiter<I extends AsyncIterator<unknown, unknown, never>>(
  iterable: { [Symbol.asyncIterator](): I },
): I;
/** Returns an iterator of what the calls of a function give, until one gives the sentinel. */
export function aiter<T, S>(
  iterable: () => T | PromiseLike<T>,
  sentinel: S,
): AsyncIterableIterator<Exclude<T, S>>;
export function aiter(
  iterable: { [Symbol.asyncIterator](): unknown } | (() => unknown),
  ...sentinel: [] | [unknown]
): unknown {
  if (sentinel.length > 0) return iterate_calls(iterable as () => unknown, sentinel[0]);
  return async_iterator(iterable as { [Symbol.asyncIterator](): AsyncIterator<unknown> });
}

async function* iterate_until(call: () => unknown, sentinel: unknown): AsyncGenerator<unknown> {
  for (;;) {
    const value = await call();
    if (value === sentinel) return;
    yield value;
  }
}

function iterate_calls(call: () => unknown, sentinel: unknown): AsyncGenerator<unknown> {
  if (typeof call === "function") return iterate_until(call, sentinel);
  throw new TypeError(
    `Cannot iterate up to a sentinel: aiter() calls a function for each value: received ${
      repr(call)
    }`,
  );
}

function async_iterator(
  iterable: { [Symbol.asyncIterator](): AsyncIterator<unknown> },
): AsyncIterator<unknown> {
  if (typeof iterable?.[Symbol.asyncIterator] !== "function") {
    throw new TypeError(`'${type_name(iterable)}' object is not an async iterable`);
  }
  const iterator = iterable[Symbol.asyncIterator]();
  if (typeof iterator?.next === "function") return iterator;
  throw new TypeError(`aiter() returned not an async iterator of type '${type_name(iterator)}'`);
}

/**
 * Returns the next value of an asynchronous iterator: Python's `anext()`.
 *
 * Nothing happens before it is awaited, and it can be awaited once. A cancellation is thrown into the
 * iterator where it waits.
 *
 * See {@link https://docs.python.org/3/library/functions.html#anext Python's anext}.
 *
 * @param iterator an asynchronous iterator or generator
 * @param default_value the result if there are no more values, in place of the error
 * @returns a coroutine of the value
 * @throws {StopAsyncIteration} when it is awaited, if there are no more values
 * @throws {TypeError} if it is not an asynchronous iterator; when it is awaited, if what the iterator's
 * `next()` gives is not an object
 * @category Iterating
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * async function* letters() {
 *   yield "a";
 * }
 * const iterator = letters();
 * assertEquals(await asyncio.anext(iterator), "a");
 * assertEquals(await asyncio.anext(iterator, "none"), "none");
 * ```
 */
export function anext<T>(
  iterator: { next(): PromiseLike<IteratorResult<T, unknown>> },
): Coroutine<T>;
/** Returns the next value of an asynchronous iterator, or a default if there are no more. */
export function anext<T, D>(
  iterator: { next(): PromiseLike<IteratorResult<T, unknown>> },
  default_value: D,
): Coroutine<T | D>;
export function anext<T, D>(
  iterator: { next(): PromiseLike<IteratorResult<T, unknown>> },
  ...default_value: [] | [D]
): Coroutine<T | D> {
  if (!is_async_iterator(iterator)) {
    throw new TypeError(`'${type_name(iterator)}' object is not an async iterator`);
  }
  return iterator instanceof AsyncGeneratorObject && default_value.length === 0
    ? iterator.__anext__()
    : new Use("anext", "anext", next_value(iterator, default_value));
}

// A synchronous iterator has a method `next`, too, and is recognised as a synchronous iterable.
function is_async_iterator(value: unknown): boolean {
  return typeof value === "object" && value !== null && "next" in value &&
    typeof value.next === "function" &&
    (Symbol.asyncIterator in value || !(Symbol.iterator in value));
}

function* next_value<T, D>(
  iterator: { next(): PromiseLike<IteratorResult<T, unknown>> },
  default_value: [] | [D],
): Generator<unknown, T | D, unknown> {
  const result = check_result(yield* call_and_wait(() => iterator.next()));
  return result.done && default_value.length > 0 ? default_value[0] as D : value_of(result);
}

/**
 * An object that {@linkcode aclosing} closes, by Python's `aclose()` or a native generator's `return()`.
 *
 * @category Iterating
 */
export type AsyncClosable =
  | { aclose(): PromiseLike<unknown> }
  | { return(value: never): PromiseLike<unknown> };

/**
 * The context manager that {@linkcode aclosing} returns.
 *
 * @category Iterating
 */
export interface AsyncClosing<T> extends AsyncContextManager<T>, AsyncDisposable {
  /** The object that is closed at the end of the block. */
  readonly thing: T;
}

/**
 * Closes an asynchronous generator at the end of a block, with or without an error: Python's `aclosing`.
 *
 * The block is one of `async_with()`, or that of an `await using` declaration.
 *
 * See {@link https://docs.python.org/3/library/contextlib.html#contextlib.aclosing Python's aclosing}.
 *
 * @param thing a generator, or any object with a method `aclose()` or `return()`
 * @returns a context manager, and an `AsyncDisposable`
 * @throws {TypeError} if it cannot be closed
 * @category Iterating
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * const log: string[] = [];
 * async function* lines() {
 *   try {
 *     yield "one";
 *     yield "two";
 *   } finally {
 *     log.push("closed");
 *   }
 * }
 * await asyncio.async_with(asyncio.aclosing(lines()), async (lines) => {
 *   log.push(await asyncio.anext(lines));
 * });
 * assertEquals(log, ["one", "closed"]);
 * ```
 */
export function aclosing<T extends AsyncClosable>(thing: T): AsyncClosing<T> {
  const { aclose, return: end } = (thing ?? {}) as Record<string, unknown>;
  if (typeof aclose !== "function" && typeof end !== "function") {
    throw new TypeError(
      `Cannot close an object: it must have a method aclose() or return(): received ${repr(thing)}`,
    );
  }
  const close = () => library_coroutine("aclosing.__aexit__", close_async(thing));
  return {
    thing,
    __aenter__: () => Promise.resolve(thing),
    __aexit__: close,
    [Symbol.asyncDispose]: close,
  };
}

function* close_async(thing: AsyncClosable): Generator<unknown, void, unknown> {
  yield* call_and_wait(() => "aclose" in thing ? thing.aclose() : thing.return(undefined as never));
}

/**
 * The context manager that {@linkcode closing} returns.
 *
 * @category Iterating
 */
export interface Closing<T> extends AsyncContextManager<T>, Disposable {
  /** The object that is closed at the end of the block. */
  readonly thing: T;
}

/**
 * Closes an object at the end of a block, with or without an error: Python's `closing`.
 *
 * The block is that of a `using` declaration, or one of `async_with()`.
 *
 * See {@link https://docs.python.org/3/library/contextlib.html#contextlib.closing Python's closing}.
 *
 * @param thing an object with a method `close()`, such as a loop
 * @returns a context manager, and a `Disposable`
 * @throws {TypeError} if it has none
 * @category Iterating
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { assert } from "@std/assert";
 *
 * const loop = new asyncio.EventLoop();
 * {
 *   using _ = asyncio.closing(loop);
 *   await loop.run_until_complete(asyncio.sleep(0));
 * }
 * assert(loop.is_closed());
 * ```
 */
export function closing<T extends { close(): unknown }>(thing: T): Closing<T> {
  if (typeof thing?.close !== "function") {
    throw new TypeError(
      `Cannot close an object: it must have a method close(): received ${repr(thing)}`,
    );
  }
  const close = () => {
    thing.close();
  };
  return {
    thing,
    __aenter__: () => Promise.resolve(thing),
    __aexit__: () => new Promise((resolve) => resolve(close())),
    [Symbol.dispose]: close,
  };
}
