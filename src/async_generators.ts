/**
 * Python's protocol of asynchronous generators, and what closes things at the end of a block.
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
import { type AbstractEventLoop, get_running_loop } from "./loop/events.ts";
import { RuntimeError, StopAsyncIteration } from "./core/exceptions.ts";
import { watch_collection } from "./host/collection.ts";
import { deno_inspect, node_inspect, repr, type_name } from "./internal/format_helpers.ts";

type Method = "anext" | "athrow" | "aclose";

const LABELS = {
  anext: "__anext__()/asend()",
  athrow: "aclose()/athrow()",
  aclose: "aclose()/athrow()",
} as const;

/** One use of a generator: a coroutine that says by its own name that it cannot be used again. */
class Use<T> extends GeneratorCoroutine<T> {
  readonly #method: Method;
  #used = false;

  constructor(method: Method, name: string, body: Generator<unknown, T, unknown>) {
    super(name, body);
    this.#method = method;
  }

  /** @internal */
  override _claim(): void {
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
 * It is apart from the object that the user holds, because a loop holds it until it is finished: so
 * the garbage collector can tell that nobody else can finish it any more.
 */
class Body<T, R, S> {
  readonly name: string;
  readonly #native: AsyncGenerator<T, R, S>;
  #loop: AbstractEventLoop | null = null;
  #running = false;
  #started = false;
  // aclose() was called; a generator that yields all the same is closed and not finished.
  #closed = false;
  #finished = false;

  constructor(name: string, native: AsyncGenerator<T, R, S>) {
    this.name = name;
    this.#native = native;
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
      const result = yield* call_and_wait(call, this.#native);
      if (result.done) this.#finish();
      return result;
    } catch (error) {
      this.#finish();
      // What is thrown into a generator that has not started never enters it.
      if (error instanceof StopAsyncIteration && (was_started || method !== "athrow")) {
        throw new RuntimeError("async generator raised StopAsyncIteration", { cause: error });
      }
      throw error;
    } finally {
      this.#running = false;
    }
  }

  // What the loop sees of it.
  readonly #tracked = {
    aclose: (): Coroutine<void> => new Use("aclose", "aclose", this.aclose()),
    toString: (): string => this.toString(),
    [deno_inspect]: (): string => this.toString(),
    [node_inspect]: (): string => this.toString(),
  };

  // From its first use on, even one that is refused, the loop closes it at the end.
  #track(): void {
    if (this.#loop !== null || this.#finished) return;
    this.#loop = get_running_loop();
    this.#loop._asyncgens.add(this.#tracked);
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
    this.#loop?._asyncgens.delete(this.#tracked);
  }

  /** Closes it in a task of its own: nobody holds it any more, and it is not finished. */
  abandon(): void {
    const loop = this.#loop;
    if (this.#finished || loop === null || loop.is_closed()) return;
    loop._asyncgens.delete(this.#tracked);
    loop.call_soon_threadsafe(() => void loop.create_task(this.#tracked.aclose()));
  }

  toString(): string {
    return `<async_generator object ${this.name}>`;
  }
}

function value_of<T>(result: IteratorResult<T, unknown>): T {
  if (result.done) throw new StopAsyncIteration();
  return result.value;
}

const abandoned = watch_collection<{ abandon(): void }>((body) => body.abandon());

/**
 * An asynchronous generator with Python's methods, and JavaScript's too.
 *
 * All of them return lazy coroutines: the generator goes on when they are awaited, in the step of
 * the task that awaits. A second use while one is in progress is an error, not a queue. The loop
 * closes what is not finished when `run()` ends, or earlier, when nobody holds it any more.
 *
 * As in every `async function*`, a promise or future that is yielded is awaited first; and
 * `for await` closes the generator when the loop is left, which `async for` does not.
 * There is no `GeneratorExit`: a `catch` does not see that the generator is closed, only `finally` does.
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
export class AsyncGeneratorObject<T, R = void, S = undefined> implements AsyncGenerator<T, R, S> {
  readonly #body: Body<T, R, S>;

  /** @internal */
  constructor(name: string, native: AsyncGenerator<T, R, S>) {
    this.#body = new Body(name, native);
    abandoned.register(this, this.#body);
  }

  /** Whether the generator is in use: some task waits for its next value, or for it to close. */
  get ag_running(): boolean {
    return this.#body.running;
  }

  /**
   * Goes on to the next `yield`.
   *
   * @returns what is yielded
   * @throws {StopAsyncIteration} if the generator ends or has ended
   * @throws {RuntimeError} if the generator is in use
   */
  __anext__(): Coroutine<T> {
    return new Use("anext", "__anext__", this.#asend(undefined));
  }

  /**
   * Goes on to the next `yield`, with a value for the one at which the generator stands.
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
   * Throws an error at the `yield` at which the generator stands.
   *
   * @param error the error, or a class of errors that needs no arguments
   * @returns what is yielded next; `null` if the generator had ended before
   * @throws the error, or another, if the generator does not catch it
   * @throws {StopAsyncIteration} if the generator ends
   * @throws {RuntimeError} if the generator is in use
   */
  athrow(error: unknown): Coroutine<T | null> {
    if (typeof error === "function" && error.prototype instanceof Error) {
      error = new (error as new () => Error)();
    }
    return new Use("athrow", "athrow", this.#athrow(error));
  }

  /**
   * Ends the generator where it stands: its `finally` blocks run.
   *
   * @throws {RuntimeError} if the generator is in use, or yields while it is closed
   */
  aclose(): Coroutine<void> {
    return new Use("aclose", "aclose", this.#aclose());
  }

  /** As `next` of a native generator, when it is awaited. */
  next(...[value]: [] | [S]): Coroutine<IteratorResult<T, R>> {
    return new Use("anext", "next", this.#resume("anext", (native) => native.next(value as S)));
  }

  /** As `return` of a native generator, when it is awaited; `for await` calls it when it is left. */
  return(value: R | PromiseLike<R>): Coroutine<IteratorResult<T, R>> {
    return new Use("aclose", "return", this.#resume("aclose", (native) => native.return(value)));
  }

  /** As `throw` of a native generator, when it is awaited. */
  throw(error: unknown): Coroutine<IteratorResult<T, R>> {
    return new Use("athrow", "throw", this.#resume("athrow", (native) => native.throw(error)));
  }

  // These generators hold `this`, so that nobody takes a generator in use for an abandoned one.

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
  toString(): string {
    return this.#body.toString();
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
 * Gives an `async function*` what Python's asynchronous generators have.
 *
 * See {@link https://docs.python.org/3/reference/expressions.html#asynchronous-generator-functions Python's asynchronous generators}.
 *
 * @param fn an `async function*`, or any function that returns a native asynchronous generator
 * @returns a function of the same parameters that returns an {@linkcode AsyncGeneratorObject}
 * @throws {TypeError} if it is no function
 * @category Iterating
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { assertEquals, assertRejects } from "@std/assert";
 *
 * const countdown = asyncio.async_generator(async function* (from: number) {
 *   for (let n = from; n > 0; n--) {
 *     await asyncio.sleep(0.001);
 *     yield n;
 *   }
 * });
 * await asyncio.run(async () => {
 *   assertEquals(await asyncio.alist(countdown(3)), [3, 2, 1]);
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
    throw new TypeError(`async_generator() expects an async function*, received ${repr(fn)}`);
  }
  const name = fn.name || "<lambda>";
  const factory = function (this: unknown, ...args: A): AsyncGeneratorObject<T, R, S> {
    const native = fn.apply(this, args);
    if (typeof native?.next !== "function" || typeof native[Symbol.asyncIterator] !== "function") {
      throw new TypeError(
        `async_generator() expects an async function*, but ${name}() returned ${repr(native)}`,
      );
    }
    return new AsyncGeneratorObject(name, native);
  };
  Object.defineProperty(factory, "name", { value: fn.name, configurable: true });
  Object.defineProperty(factory, "length", { value: fn.length, configurable: true });
  return factory;
}

/**
 * The asynchronous iterator of an asynchronous iterable: Python's `aiter()`.
 *
 * See {@link https://docs.python.org/3/library/functions.html#aiter Python's aiter}.
 *
 * @param iterable what `for await` takes, but not a synchronous iterable
 * @returns its iterator
 * @throws {TypeError} if it is no asynchronous iterable
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
): I {
  if (typeof iterable?.[Symbol.asyncIterator] !== "function") {
    throw new TypeError(`'${type_name(iterable)}' object is not an async iterable`);
  }
  return iterable[Symbol.asyncIterator]();
}

/**
 * The next value of an asynchronous iterator, when it is awaited: Python's `anext()`.
 *
 * See {@link https://docs.python.org/3/library/functions.html#anext Python's anext}.
 *
 * @param iterator an asynchronous iterator or generator
 * @param default_value what it resolves to if there are no more values, in place of the error
 * @returns a coroutine of the value
 * @throws {StopAsyncIteration} when it is awaited, if there are no more values
 * @throws {TypeError} if it is no asynchronous iterator
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
/** The next value of an asynchronous iterator, or a default if there are no more. */
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
  return library_coroutine("anext", next_value(iterator, default_value));
}

// A synchronous iterator has a method `next` too, and is known by being a synchronous iterable.
function is_async_iterator(value: unknown): boolean {
  return typeof value === "object" && value !== null && "next" in value &&
    typeof value.next === "function" &&
    (Symbol.asyncIterator in value || !(Symbol.iterator in value));
}

function* next_value<T, D>(
  iterator: { next(): PromiseLike<IteratorResult<T, unknown>> },
  default_value: [] | [D],
): Generator<unknown, T | D, unknown> {
  const result = yield* call_and_wait(() => iterator.next());
  return result.done && default_value.length > 0 ? default_value[0] as D : value_of(result);
}

/**
 * What {@linkcode aclosing} closes: it has Python's `aclose()`, or a native generator's `return()`.
 *
 * @category Iterating
 */
export type AsyncClosable =
  | { aclose(): PromiseLike<unknown> }
  | { return(value: never): PromiseLike<unknown> };

/**
 * What {@linkcode aclosing} returns.
 *
 * @category Iterating
 */
export interface AsyncClosing<T> extends AsyncContextManager<T>, AsyncDisposable {
  /** What is closed at the end. */
  readonly thing: T;
}

/**
 * Closes an asynchronous generator at the end of a block, however it ends: Python's `aclosing`.
 *
 * The block is one of `async_with()`, or that of an `await using` declaration.
 *
 * See {@link https://docs.python.org/3/library/contextlib.html#contextlib.aclosing Python's aclosing}.
 *
 * @param thing a generator, or anything with a method `aclose()`
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
    throw new TypeError(`${repr(thing)} has neither a method aclose() nor return()`);
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
 * What {@linkcode closing} returns.
 *
 * @category Iterating
 */
export interface Closing<T> extends AsyncContextManager<T>, Disposable {
  /** What is closed at the end. */
  readonly thing: T;
}

/**
 * Closes something at the end of a block, however it ends: Python's `closing`.
 *
 * The block is that of a `using` declaration, or one of `async_with()`.
 *
 * See {@link https://docs.python.org/3/library/contextlib.html#contextlib.closing Python's closing}.
 *
 * @param thing anything with a method `close()`, such as a loop
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
    throw new TypeError(`${repr(thing)} has no method close()`);
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
