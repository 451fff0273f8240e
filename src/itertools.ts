/**
 * The tools of Python's builtins and itertools, over asynchronous and synchronous iterables.
 *
 * All are lazy. Callbacks may be synchronous or return something to be awaited; they run in the task and
 * the context of the caller. A tool owns its sources: when it ends, fails, is cancelled or is left early,
 * it closes all that are not finished, the last one first, and is finished then. If closing fails, too, an
 * iterator throws the latest error.
 *
 * @module
 */

import { check_result } from "./async_generators.ts";
import { type Coroutine, FunctionCoroutine, isawaitable } from "./core/coroutines.ts";
import { Deque } from "./internal/deque.ts";
import { is_cancelled_error } from "./core/cancellation.ts";
import { type CancelledError, RuntimeError, ValueError } from "./core/exceptions.ts";
import { Inspectable, is_plain_object, repr, type_name } from "./internal/format_helpers.ts";
import type { Future } from "./core/futures.ts";
import { Event } from "./locks.ts";
import { integer_argument } from "./internal/numbers.ts";
import { less_than } from "./internal/ordering.ts";
import { check_options, keyword_or_positional, split_options } from "./internal/options.ts";
import { create_task, type Task } from "./core/tasks.ts";
import { wait } from "./waiting.ts";

/**
 * A source of the tools: an asynchronous iterable, or a synchronous one of values or awaitables.
 *
 * @category Iterating
 */
export type AnyIterable<T> = AsyncIterable<T> | Iterable<T | PromiseLike<T>>;

/**
 * The type of the items that `for await` takes from an iterable.
 *
 * @category Iterating
 */
export type Item<S> = S extends AsyncIterable<infer T> ? T
  : S extends Iterable<infer T> ? Awaited<T>
  : never;

/**
 * The types of the items that `for await` takes from each of several iterables.
 *
 * @category Iterating
 */
export type Items<S extends readonly AnyIterable<unknown>[]> = {
  -readonly [K in keyof S]: Item<S[K]>;
};

type MaybeAwaitable<T> = T | PromiseLike<T>;

type Step<T> = IteratorResult<T, undefined>;

const END: IteratorReturnResult<undefined> = { done: true, value: undefined };

type AnyIterator<T> =
  | AsyncIterator<T, unknown, undefined>
  | Iterator<MaybeAwaitable<T>, unknown, undefined>;

/** The iterator of a source, and whether it still has to be closed. */
class Source<T> implements AsyncIterableIterator<T, undefined, undefined> {
  readonly #iterator: AnyIterator<T>;
  readonly #is_async: boolean;
  #is_finished = false;
  #is_waiting = false;
  // The result of the iterator's return() that interrupt() has called.
  #closing: PromiseLike<unknown> | null = null;

  constructor(iterable: AnyIterable<T>) {
    const { [Symbol.asyncIterator]: async_iterator, [Symbol.iterator]: iterator } = Object(
      iterable,
    ) as Partial<AsyncIterable<T> & Iterable<MaybeAwaitable<T>>>;
    this.#is_async = typeof async_iterator === "function";
    if (async_iterator !== undefined && this.#is_async) {
      this.#iterator = async_iterator.call(iterable);
    } else if (typeof iterator === "function" && !isawaitable(iterable)) {
      // A coroutine has an iterator, too, for `yield*`.
      this.#iterator = iterator.call(iterable);
    } else {
      throw new TypeError(`'${type_name(iterable)}' object is not iterable`);
    }
  }

  async next(): Promise<Step<T>> {
    if (this.#is_finished) return END;
    // An iterator that throws has finished by itself.
    this.#is_finished = true;
    this.#is_waiting = true;
    try {
      const next = this.#iterator.next();
      const result = check_result(this.#is_async ? await next : next) as IteratorResult<T>;
      if (result.done) return END;
      const { value } = result;
      if (this.#is_async || !isawaitable(value)) {
        this.#is_finished = this.#closing !== null;
        return { done: false, value };
      }
      return await this.#await_value(value);
    } finally {
      this.#is_waiting = false;
    }
  }

  // As `for await`, it closes a synchronous iterator whose value is rejected.
  async #await_value(awaitable: unknown): Promise<Step<T>> {
    let failed = true;
    try {
      const value = await (awaitable as PromiseLike<T>);
      failed = false;
      this.#is_finished = this.#closing !== null;
      return { done: false, value };
    } finally {
      if (failed && this.#closing === null) this.#iterator.return?.();
    }
  }

  async return(): Promise<Step<T>> {
    if (this.#closing !== null) {
      await this.#closing;
    } else if (!this.#is_finished) {
      this.#is_finished = true;
      await this.#iterator.return?.();
    }
    return END;
  }

  /**
   * Ends a call of `next()` in another task that is cancelled, if the iterator can do that.
   *
   * It need not wait for something that can be cancelled: one that waits for events of the host ends by its
   * `return()`. Iterators with Python's `aclose()` refuse that while they are in use.
   */
  interrupt(): void {
    if (!this.#is_waiting || this.#closing !== null || "aclose" in this.#iterator) return;
    this.#closing = close_now(this.#iterator);
    this.#closing.then(null, () => {}); // return() throws its error
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}

async function close_now(iterator: AnyIterator<unknown>): Promise<void> {
  await iterator.return?.();
}

function open<T>(iterable: AnyIterable<T>): Source<T> {
  return new Source(iterable);
}

function open_all(iterables: readonly AnyIterable<unknown>[]): Source<unknown>[] {
  return iterables.map((iterable) => open(iterable));
}

// As the ends of nested blocks: the last one first, each of them, and the latest error is thrown.
async function close_all(sources: readonly Source<unknown>[]): Promise<void> {
  let failure: { error: unknown } | null = null;
  for (let i = sources.length - 1; i >= 0; i--) {
    try {
      await sources[i]?.return();
    } catch (error) {
      failure = { error };
    }
  }
  if (failure !== null) throw failure.error;
}

/**
 * The iterator that a tool returns, for one consumer at a time.
 *
 * When it is left, by `break`, an error, a cancellation, `return()`, `aclose()` or the end of an
 * `await using` block, it closes its sources. As with Python's asynchronous generators, it cannot be
 * closed while a `next()` is in progress: cancel that.
 *
 * @category Iterating
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { alist, amap } from "@pythonic/asyncio/itertools";
 * import { assertEquals } from "@std/assert";
 *
 * await using squares = amap((n) => n * n, [1, 2, 3]);
 * assertEquals(await asyncio.anext(squares), 1);
 * assertEquals(await alist(squares), [4, 9]);
 * ```
 */
export class ToolIterator<T> extends Inspectable
  implements AsyncIterableIterator<T, undefined, undefined> {
  readonly #name: string;
  readonly #advance: () => Promise<Step<T>>;
  readonly #close: () => Promise<void>;
  #running = false;
  #finished = false;

  /** @internal */
  constructor(name: string, close: () => Promise<void>, advance: () => Promise<Step<T>>) {
    super();
    this.#name = name;
    this.#close = close;
    this.#advance = advance;
  }

  /**
   * Returns the next value.
   *
   * @throws {RuntimeError} if a call of `next()` or `return()` is in progress
   */
  async next(): Promise<IteratorResult<T, undefined>> {
    this.#begin("anext");
    let result: Step<T> = END;
    try {
      if (!this.#finished) result = await this.#advance();
    } finally {
      try {
        if (result.done) await this.#end();
      } finally {
        this.#running = false;
      }
    }
    return result;
  }

  /**
   * Closes the sources and ends the iteration. `for await` calls it when it is left.
   *
   * @throws {RuntimeError} if a call of `next()` or `return()` is in progress
   */
  async return(): Promise<IteratorResult<T, undefined>> {
    this.#begin("aclose");
    try {
      await this.#end();
    } finally {
      this.#running = false;
    }
    return END;
  }

  /** Does what `return()` does, when it is awaited: the method of Python's asynchronous generators. */
  aclose(): Coroutine<void> {
    return new FunctionCoroutine("aclose", async () => {
      await this.return();
    });
  }

  #begin(method: string): void {
    if (this.#running) {
      throw new RuntimeError(`${method}(): asynchronous generator is already running`);
    }
    this.#running = true;
  }

  async #end(): Promise<void> {
    if (this.#finished) return;
    this.#finished = true;
    await this.#close();
  }

  /** Returns the iterator itself. */
  [Symbol.asyncIterator](): this {
    return this;
  }

  /** Closes the sources, at the end of a block with `await using`. */
  [Symbol.asyncDispose](): Coroutine<void> {
    return this.aclose();
  }

  /** Python's `repr`. */
  override toString(): string {
    return `<${this.#name} object>`;
  }
}

function tool<T>(
  name: string,
  sources: readonly Source<unknown>[],
  advance: () => Promise<Step<T>>,
): ToolIterator<T> {
  return new ToolIterator(name, () => close_all(sources), advance);
}

function some<T>(value: T): Step<T> {
  return { done: false, value };
}

/**
 * Makes an array of all items: `[x async for x in source]`.
 *
 * @param source an iterable, asynchronous or not
 * @returns a coroutine of the array
 * @category Iterating
 *
 * @example
 * ```ts
 * import { alist, amap } from "@pythonic/asyncio/itertools";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(await alist(amap((n) => n * n, [1, 2, 3])), [1, 4, 9]);
 * ```
 */
export function alist<T>(source: AnyIterable<T>): Coroutine<T[]> {
  return new FunctionCoroutine("alist", async () => {
    const items: T[] = [];
    for await (const item of open(source)) items.push(item);
    return items;
  });
}

/**
 * Makes a set of all items: `{x async for x in source}`.
 *
 * @param source an iterable, asynchronous or not
 * @returns a coroutine of the set
 * @category Iterating
 *
 * @example
 * ```ts
 * import { aset } from "@pythonic/asyncio/itertools";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(await aset("hello"), new Set(["h", "e", "l", "o"]));
 * ```
 */
export function aset<T>(source: AnyIterable<T>): Coroutine<Set<T>> {
  return new FunctionCoroutine("aset", async () => {
    const items = new Set<T>();
    for await (const item of open(source)) items.add(item);
    return items;
  });
}

/**
 * Makes a map of pairs of key and value: `{k: v async for k, v in source}`. Of equal keys the last value is kept.
 *
 * @param source an iterable of pairs, asynchronous or not
 * @returns a coroutine of the map
 * @category Iterating
 *
 * @example
 * ```ts
 * import { adict, aenumerate } from "@pythonic/asyncio/itertools";
 * import { assertEquals } from "@std/assert";
 *
 * const letters = await adict(aenumerate("ab"));
 * assertEquals(letters.get(1), "b");
 * ```
 */
export function adict<K, V>(source: AnyIterable<readonly [K, V]>): Coroutine<Map<K, V>> {
  return new FunctionCoroutine("adict", async () => {
    const items = new Map<K, V>();
    for await (const [key, value] of open(source)) items.set(key, value);
    return items;
  });
}

/**
 * Calls a function with each item, one call after the other, and yields its results.
 *
 * With several sources it is called with an item of each, until the first of them ends.
 *
 * See {@link https://docs.python.org/3/library/functions.html#map Python's map}.
 *
 * @param fn a function, asynchronous or not
 * @param sources iterables, asynchronous or not
 * @returns an iterator of the results
 * @throws {TypeError} if there is no source
 * @category Iterating
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { alist, amap } from "@pythonic/asyncio/itertools";
 * import { assertEquals } from "@std/assert";
 *
 * const slow_sum = (a: number, b: number) => asyncio.sleep(0.001, a + b);
 * assertEquals(await alist(amap(slow_sum, [1, 2, 3], [10, 20])), [11, 22]);
 * ```
 */
export function amap<S extends readonly [AnyIterable<unknown>, ...AnyIterable<unknown>[]], R>(
  fn: (...items: Items<S>) => R,
  ...sources: S
): ToolIterator<Awaited<R>> {
  if (sources.length === 0) throw new TypeError("map() must have at least two arguments.");
  const opened = open_all(sources);
  return tool("amap", opened, async () => {
    const items = await next_items(opened);
    if (items === null) return END;
    const result = fn(...items as Items<S>);
    return some((isawaitable(result) ? await result : result) as Awaited<R>);
  });
}

// An item of each, taken one after the other; `null` when one has ended.
async function next_items(sources: readonly Source<unknown>[]): Promise<unknown[] | null> {
  const items: unknown[] = [];
  for (const source of sources) {
    const result = await source.next();
    if (result.done) return null;
    items.push(result.value);
  }
  return items;
}

/**
 * The values of a type that are true in a condition.
 *
 * @category Iterating
 */
export type Truthy<T> = Exclude<T, false | 0 | 0n | "" | null | undefined>;

/**
 * Yields the items for which a function returns or resolves to a true value; with `null` the items that are true.
 *
 * True is meant as in JavaScript, where an empty array is. With `null`, items are not awaited.
 *
 * See {@link https://docs.python.org/3/library/functions.html#filter Python's filter}.
 *
 * @param fn a function, asynchronous or not, or `null`
 * @param source an iterable, asynchronous or not
 * @returns an iterator of the items that are kept
 * @category Iterating
 *
 * @example
 * ```ts
 * import { afilter, alist } from "@pythonic/asyncio/itertools";
 * import { assertEquals } from "@std/assert";
 *
 * const odd = async (n: number) => n % 2 === 1;
 * assertEquals(await alist(afilter(odd, [1, 2, 3])), [1, 3]);
 * assertEquals(await alist(afilter(null, [0, "a", null])), ["a"]);
 * ```
 */
export function afilter<T, U extends T>(
  fn: (item: T) => item is U,
  source: AnyIterable<T>,
): ToolIterator<U>;
/** Yields the items for which a function, asynchronous or not, returns a truthy value. */
export function afilter<T>(fn: (item: T) => unknown, source: AnyIterable<T>): ToolIterator<T>;
/** Yields the items that are true. */
export function afilter<T>(fn: null, source: AnyIterable<T>): ToolIterator<Truthy<T>>;
export function afilter<T>(
  fn: ((item: T) => unknown) | null,
  source: AnyIterable<T>,
): ToolIterator<T> {
  const opened = open(source);
  return tool("afilter", [opened], async () => {
    for (;;) {
      const result = await opened.next();
      if (result.done || (fn === null ? result.value : await fn(result.value))) return result;
    }
  });
}

/**
 * Yields each item with its number.
 *
 * See {@link https://docs.python.org/3/library/functions.html#enumerate Python's enumerate}.
 *
 * @param source an iterable, asynchronous or not
 * @param start the number of the first item, 0 by default. By name: `{ start }`
 * @returns an iterator of pairs of number and item
 * @throws {TypeError} if the number is not an integer
 * @category Iterating
 *
 * @example
 * ```ts
 * import { aenumerate, alist } from "@pythonic/asyncio/itertools";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(await alist(aenumerate("ab", 1)), [[1, "a"], [2, "b"]]);
 * ```
 */
export function aenumerate<T>(
  source: AnyIterable<T>,
  start: number | { readonly start?: number } = 0,
): ToolIterator<[index: number, item: T]> {
  let index = integer_argument("aenumerate", "start", start, 0);
  const opened = open(source);
  return tool("aenumerate", [opened], async () => {
    const result = await opened.next();
    return result.done ? END : some([index++, result.value]);
  });
}

/**
 * The options of {@linkcode azip}.
 *
 * @category Iterating
 */
export interface ZipOptions {
  /** If true, sources of different numbers of items are an error; false by default. */
  strict?: boolean;
}

/**
 * Yields an item of each source at a time, taken one after the other, until the first source ends.
 *
 * See {@link https://docs.python.org/3/library/functions.html#zip Python's zip}.
 *
 * @param sources iterables, asynchronous or not; last may come options: `strict`
 * @returns an iterator of arrays of one item of each source
 * @throws {ValueError} with `strict`, when one ends and another does not
 * @category Iterating
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { alist, azip } from "@pythonic/asyncio/itertools";
 * import { assertEquals, assertRejects } from "@std/assert";
 *
 * assertEquals(await alist(azip([1, 2, 3], "ab")), [[1, "a"], [2, "b"]]);
 * await assertRejects(
 *   async () => await alist(azip([1, 2, 3], "ab", { strict: true })),
 *   asyncio.ValueError,
 *   "argument 2 is shorter than argument 1",
 * );
 * ```
 */
export function azip<S extends readonly AnyIterable<unknown>[]>(
  ...sources: S
): ToolIterator<Items<S>>;
/**
 * Yields an item of each source at a time; with `strict`, all must end together.
 *
 * @param sources_and_options iterables, asynchronous or not, then `strict`
 */
export function azip<S extends readonly AnyIterable<unknown>[]>(
  ...sources_and_options: [...S, ZipOptions]
): ToolIterator<Items<S>>;
export function azip(...args: unknown[]): ToolIterator<unknown[]> {
  const [sources, options] = split_options<ZipOptions>("azip", args, ["strict"]);
  const opened = open_all(sources as readonly AnyIterable<unknown>[]);
  const strict = options?.strict ?? false;
  return tool("azip", opened, async () => {
    if (opened.length === 0) return END;
    const items: unknown[] = [];
    for (const source of opened) {
      const result = await source.next();
      if (result.done) {
        if (strict) await check_all_ended(opened, items.length);
        return END;
      }
      items.push(result.value);
    }
    return some(items);
  });
}

async function check_all_ended(sources: readonly Source<unknown>[], ended: number): Promise<void> {
  const others = (count: number) => count === 1 ? "argument 1" : `arguments 1-${count}`;
  if (ended > 0) {
    throw new ValueError(`zip() argument ${ended + 1} is shorter than ${others(ended)}`);
  }
  for (let i = 1; i < sources.length; i++) {
    if (!(await sources[i]?.next())?.done) {
      throw new ValueError(`zip() argument ${i + 1} is longer than ${others(i)}`);
    }
  }
}

/**
 * Yields the items of the first source, then those of the next, and so on.
 *
 * See {@link https://docs.python.org/3/library/itertools.html#itertools.chain Python's chain}.
 *
 * @param sources iterables, asynchronous or not
 * @returns an iterator of the items
 * @category Iterating
 *
 * @example
 * ```ts
 * import { achain, alist } from "@pythonic/asyncio/itertools";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(await alist(achain([1, 2], "a")), [1, 2, "a"]);
 * ```
 */
export function achain<S extends readonly AnyIterable<unknown>[]>(
  ...sources: S
): ToolIterator<Item<S[number]>> {
  const opened = open_all(sources);
  let current = 0;
  return tool("achain", opened, async () => {
    for (; current < opened.length; current++) {
      const result = await (opened[current] as Source<unknown>).next();
      if (!result.done) return result as Step<Item<S[number]>>;
    }
    return END;
  });
}

/**
 * Yields the items from index `start`, 0 by default, to before `stop`, every `step`th.
 *
 * Unlike Python's, it closes its source when it has reached `stop`.
 *
 * See {@link https://docs.python.org/3/library/itertools.html#itertools.islice Python's islice}.
 *
 * @param source an iterable, asynchronous or not
 * @param range `stop`, or `start, stop`, or `start, stop, step`; `null` for a default
 * @returns an iterator of the items
 * @throws {ValueError} if one is negative or not an integer, or the step is 0
 * @category Iterating
 *
 * @example
 * ```ts
 * import { aislice, alist } from "@pythonic/asyncio/itertools";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(await alist(aislice("abcdefg", 2)), ["a", "b"]);
 * assertEquals(await alist(aislice("abcdefg", 2, null, 2)), ["c", "e", "g"]);
 * ```
 */
export function aislice<T>(
  source: AnyIterable<T>,
  ...range: [stop: number | null] | [
    start: number | null,
    stop: number | null,
    step?: number | null,
  ]
): ToolIterator<T> {
  const [first, last, every] = range.length === 1 ? [0, range[0], 1] : range;
  const start = first ?? 0;
  const stop = last ?? Infinity;
  const step = every ?? 1;
  if (stop !== Infinity) check_index("Stop argument", stop, 0);
  check_index("Start argument", start, 0);
  check_index("Step", step, 1);
  const opened = open(source);
  let taken = 0;
  let wanted = start;
  return tool("aislice", [opened], async () => {
    while (taken < stop) {
      const result = await opened.next();
      if (result.done) return END;
      if (taken++ === wanted) {
        wanted += step;
        return result;
      }
    }
    return END;
  });
}

function check_index(name: string, value: number, least: number): void {
  if (Number.isSafeInteger(value) && value >= least) return;
  throw new ValueError(
    `${name} for islice() must be null or an integer of at least ${least}: received ${repr(value)}`,
  );
}

/**
 * Yields items while a predicate is true of them, and closes the source at the first of which it is not.
 *
 * See {@link https://docs.python.org/3/library/itertools.html#itertools.takewhile Python's takewhile}.
 *
 * @param predicate a function, asynchronous or not
 * @param source an iterable, asynchronous or not
 * @returns an iterator of the items
 * @category Iterating
 *
 * @example
 * ```ts
 * import { alist, atakewhile } from "@pythonic/asyncio/itertools";
 * import { assertEquals } from "@std/assert";
 *
 * const small = atakewhile((n) => n < 3, [1, 2, 3, 1]);
 * assertEquals(await alist(small), [1, 2]);
 * ```
 */
export function atakewhile<T>(
  predicate: (item: T) => unknown,
  source: AnyIterable<T>,
): ToolIterator<T> {
  const opened = open(source);
  return tool("atakewhile", [opened], async () => {
    const result = await opened.next();
    return result.done || await predicate(result.value) ? result : END;
  });
}

/**
 * Skips items while a predicate is true of them, then yields all.
 *
 * See {@link https://docs.python.org/3/library/itertools.html#itertools.dropwhile Python's dropwhile}.
 *
 * @param predicate a function, asynchronous or not
 * @param source an iterable, asynchronous or not
 * @returns an iterator of the items
 * @category Iterating
 *
 * @example
 * ```ts
 * import { adropwhile, alist } from "@pythonic/asyncio/itertools";
 * import { assertEquals } from "@std/assert";
 *
 * const rest = adropwhile((n) => n < 3, [1, 2, 3, 1]);
 * assertEquals(await alist(rest), [3, 1]);
 * ```
 */
export function adropwhile<T>(
  predicate: (item: T) => unknown,
  source: AnyIterable<T>,
): ToolIterator<T> {
  const opened = open(source);
  let dropping = true;
  return tool("adropwhile", [opened], async () => {
    for (;;) {
      const result = await opened.next();
      if (result.done || !dropping) return result;
      if (!await predicate(result.value)) {
        dropping = false;
        return result;
      }
    }
  });
}

/**
 * Yields the items in arrays of `n` each; the last may have fewer.
 *
 * If it fails or is cancelled, the items of the unfinished array are dropped.
 *
 * See {@link https://docs.python.org/3/library/itertools.html#itertools.batched Python's batched}.
 *
 * @param source an iterable, asynchronous or not
 * @param n the number of items of an array, at least 1. By name, beside the options: `{ n, strict }`
 * @param options `strict`: the last must not have fewer
 * @returns an iterator of the arrays
 * @throws {ValueError} if `n` is too small, or, with `strict`, when the last array is not full
 * @throws {TypeError} if `n` is not an integer
 * @category Iterating
 *
 * @example
 * ```ts
 * import { abatched, alist } from "@pythonic/asyncio/itertools";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(await alist(abatched([1, 2, 3], 2)), [[1, 2], [3]]);
 * ```
 */
export function abatched<T>(
  source: AnyIterable<T>,
  n: number | { readonly n: number; readonly strict?: boolean },
  options: { readonly strict?: boolean } = {},
): ToolIterator<T[]> {
  check_options("abatched", options, ["strict"]);
  const size = integer_argument("abatched", "n", n, undefined, ["strict"]);
  const { strict }: { readonly strict?: boolean } = is_plain_object(n) ? n : options;
  if (size < 1) throw new ValueError("n must be at least one");
  const opened = open(source);
  return tool("abatched", [opened], async () => {
    const batch: T[] = [];
    while (batch.length < size) {
      const result = await opened.next();
      if (result.done) break;
      batch.push(result.value);
    }
    if (batch.length === 0) return END;
    if (strict && batch.length < size) throw new ValueError("batched(): incomplete batch");
    return some(batch);
  });
}

/**
 * Yields each item with the one that follows it.
 *
 * See {@link https://docs.python.org/3/library/itertools.html#itertools.pairwise Python's pairwise}.
 *
 * @param source an iterable, asynchronous or not
 * @returns an iterator of the pairs
 * @category Iterating
 *
 * @example
 * ```ts
 * import { alist, apairwise } from "@pythonic/asyncio/itertools";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(await alist(apairwise("abc")), [["a", "b"], ["b", "c"]]);
 * ```
 */
export function apairwise<T>(source: AnyIterable<T>): ToolIterator<[T, T]> {
  const opened = open(source);
  let previous: Step<T> | null = null;
  return tool("apairwise", [opened], async () => {
    previous ??= await opened.next();
    if (previous.done) return END;
    const next = await opened.next();
    if (next.done) return END;
    const pair: [T, T] = [previous.value, next.value];
    previous = next;
    return some(pair);
  });
}

/**
 * The types of which Python's and JavaScript's `+` take two.
 *
 * @category Iterating
 */
export type Addable = number | bigint | string;

function add(total: unknown, item: unknown): unknown {
  return (total as number) + (item as number);
}

/**
 * Yields the running totals: of a sum, or of any function of the total and the next item.
 *
 * See {@link https://docs.python.org/3/library/itertools.html#itertools.accumulate Python's accumulate}.
 *
 * @param source an iterable, asynchronous or not
 * @param fn a function of the total and the next item, asynchronous or not; `null` adds
 * @param options `initial`, the first total; the first item by default
 * @returns an iterator of the totals
 * @category Iterating
 *
 * @example
 * ```ts
 * import { aaccumulate, alist } from "@pythonic/asyncio/itertools";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(await alist(aaccumulate([1, 2, 3])), [1, 3, 6]);
 * const factorials = aaccumulate([1, 2, 3], (a, b) => a * b, { initial: 1 });
 * assertEquals(await alist(factorials), [1, 1, 2, 6]);
 * ```
 */
export function aaccumulate<T extends Addable>(
  source: AnyIterable<T>,
  fn?: null,
  options?: { initial?: T },
): ToolIterator<T>;
/** Yields the running totals of a function, the first of which is an initial value. */
export function aaccumulate<T, A>(
  source: AnyIterable<T>,
  fn: (total: A, item: T) => A | PromiseLike<A>,
  options: { initial: A },
): ToolIterator<A>;
/** Yields the running totals of a function, the first of which is the first item. */
export function aaccumulate<T>(
  source: AnyIterable<T>,
  fn: (total: T, item: T) => T | PromiseLike<T>,
): ToolIterator<T>;
export function aaccumulate(
  source: AnyIterable<unknown>,
  fn: ((total: never, item: never) => unknown) | null = null,
  options: { initial?: unknown } = {},
): ToolIterator<unknown> {
  check_options("aaccumulate", options, ["initial"]);
  const combine = (fn ?? add) as (total: unknown, item: unknown) => unknown;
  const opened = open(source);
  let total: Step<unknown> | null = null;
  return tool("aaccumulate", [opened], async () => {
    if (total === null && options.initial !== undefined) return total = some(options.initial);
    const next = await opened.next();
    if (next.done) return END;
    return total = total === null ? next : some(await combine(total.value, next.value));
  });
}

/**
 * Reduces all items to one value by a function of the total and the next item.
 *
 * See {@link https://docs.python.org/3/library/functools.html#functools.reduce Python's reduce}.
 *
 * @param fn a function, asynchronous or not
 * @param source an iterable, asynchronous or not
 * @param initial the first total; the first item if it is not given
 * @returns a coroutine of the last total
 * @throws {TypeError} when it is awaited, if there is no item and no initial value
 * @category Iterating
 *
 * @example
 * ```ts
 * import { areduce } from "@pythonic/asyncio/itertools";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(await areduce((a, b) => a * b, [1, 2, 3, 4]), 24);
 * assertEquals(await areduce((text, n) => `${text}${n}`, [1, 2], ""), "12");
 * ```
 */
export function areduce<T>(
  fn: (total: T, item: T) => T | PromiseLike<T>,
  source: AnyIterable<T>,
): Coroutine<T>;
/** Reduces an initial value and all items to one value. */
export function areduce<T, A>(
  fn: (total: A, item: T) => A | PromiseLike<A>,
  source: AnyIterable<T>,
  initial: A,
): Coroutine<A>;
export function areduce(
  fn: (total: never, item: never) => unknown,
  source: AnyIterable<unknown>,
  ...initial: [] | [unknown]
): Coroutine<unknown> {
  const combine = fn as (total: unknown, item: unknown) => unknown;
  return new FunctionCoroutine("areduce", async () => {
    let total: [] | [unknown] = initial;
    for await (const item of open(source)) {
      total = [total.length === 0 ? item : await combine(total[0], item)];
    }
    if (total.length === 0) {
      throw new TypeError("reduce() of empty iterable with no initial value");
    }
    return total[0];
  });
}

/**
 * Adds all items.
 *
 * As Python's, it compensates for rounding.
 *
 * See {@link https://docs.python.org/3/library/functions.html#sum Python's sum}.
 *
 * @param source an iterable of numbers, or of bigints, asynchronous or not
 * @param start the value to which the items are added, 0 by default; a bigint for bigints. By name: `{ start }`
 * @returns a coroutine of the sum
 * @throws {TypeError} when it is awaited, if an item is not a number, or of another type than `start`
 * @category Iterating
 *
 * @example
 * ```ts
 * import { asum } from "@pythonic/asyncio/itertools";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(await asum([0.1, 0.2, 0.3]), 0.6);
 * assertEquals(await asum([1n, 2n], 0n), 3n);
 * ```
 */
export function asum(
  source: AnyIterable<number>,
  start?: number | { readonly start?: number },
): Coroutine<number>;
/** Adds bigints. */
export function asum(
  source: AnyIterable<bigint>,
  start: bigint | { readonly start: bigint },
): Coroutine<bigint>;
export function asum(
  source: AnyIterable<number> | AnyIterable<bigint>,
  start: number | bigint | { readonly start?: number | bigint } = 0,
): Coroutine<number | bigint> {
  const first = keyword_or_positional<"start", number | bigint>("asum", "start", start) ?? 0;
  return new FunctionCoroutine("asum", async () => {
    let total = first;
    // Neumaier's compensated summation: the amount that the sum lacks.
    let lost = 0;
    for await (const item of open<number | bigint>(source)) {
      if (typeof item === "number" && typeof total === "number") {
        const sum: number = total + item;
        lost += Math.abs(total) >= Math.abs(item) ? (total - sum) + item : (item - sum) + total;
        total = sum;
      } else if (typeof item === "bigint" && typeof total === "bigint") {
        total += item;
      } else {
        throw new TypeError(
          `unsupported operand types for +: '${type_name(total)}' and '${type_name(item)}'`,
        );
      }
    }
    return typeof total === "number" && lost !== 0 && Number.isFinite(lost) ? total + lost : total;
  });
}

/**
 * The types that are compared as in Python: numbers, strings, and arrays of them, element by element.
 *
 * @category Iterating
 */
export type Comparable = number | bigint | boolean | string | Date | readonly Comparable[];

/**
 * The options of {@linkcode amin} and {@linkcode amax}.
 *
 * @category Iterating
 */
export interface ExtremumOptions<T, D> {
  /** A function, asynchronous or not, whose results are compared in place of the items. */
  key?: ((item: T) => Comparable | PromiseLike<Comparable>) | null;
  /** The result if there are no items; without it, that is an error. */
  default?: D;
}

/**
 * The options of {@linkcode amin} and {@linkcode amax} for items that cannot be compared themselves.
 *
 * @category Iterating
 */
export interface KeyedExtremumOptions<T, D> extends ExtremumOptions<T, D> {
  /** A function, asynchronous or not, whose results are compared in place of the items. */
  key: (item: T) => Comparable | PromiseLike<Comparable>;
}

function extremum<T, D>(
  name: "amin" | "amax",
  source: AnyIterable<T>,
  options: ExtremumOptions<T, D>,
): Coroutine<T | D> {
  check_options(name, options, ["key", "default"]);
  const key = options.key ?? null;
  return new FunctionCoroutine(name, async () => {
    let best: { item: T; key: unknown } | null = null;
    for await (const item of open(source)) {
      const candidate: { item: T; key: unknown } = {
        item,
        key: key === null ? item : await key(item),
      };
      // The first of equal items stays.
      const is_better = best === null ||
        (name === "amin" ? less_than(candidate.key, best.key) : less_than(best.key, candidate.key));
      if (is_better) best = candidate;
    }
    if (best !== null) return best.item;
    if (!("default" in options)) {
      throw new ValueError(`${name.slice(1)}() iterable argument is empty`);
    }
    return options.default as D;
  });
}

/**
 * Returns the smallest item, the first of several equal ones.
 *
 * Items, or their keys, are compared as in Python: arrays element by element.
 *
 * See {@link https://docs.python.org/3/library/functions.html#min Python's min}.
 *
 * @param source an iterable, asynchronous or not
 * @param options `key`, a function whose results are compared; `default`, the result if there are no items
 * @returns a coroutine of the item
 * @throws {ValueError} if there are no items and no default
 * @throws {TypeError} if two items cannot be compared
 * @category Iterating
 *
 * @example
 * ```ts
 * import { amin } from "@pythonic/asyncio/itertools";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(await amin(["bb", "a"], { key: (text) => text.length }), "a");
 * assertEquals(await amin([], { default: 0 }), 0);
 * ```
 */
export function amin<T extends Comparable, D = never>(
  source: AnyIterable<T>,
  options?: ExtremumOptions<T, D>,
): Coroutine<T | D>;
/** Returns the item with the smallest key. */
export function amin<T, D = never>(
  source: AnyIterable<T>,
  options: KeyedExtremumOptions<T, D>,
): Coroutine<T | D>;
export function amin<T, D>(
  source: AnyIterable<T>,
  options: ExtremumOptions<T, D> = {},
): Coroutine<T | D> {
  return extremum("amin", source, options);
}

/**
 * Returns the largest item, the first of several equal ones.
 *
 * Items, or their keys, are compared as in Python: arrays element by element.
 *
 * See {@link https://docs.python.org/3/library/functions.html#max Python's max}.
 *
 * @param source an iterable, asynchronous or not
 * @param options `key`, a function whose results are compared; `default`, the result if there are no items
 * @returns a coroutine of the item
 * @throws {ValueError} if there are no items and no default
 * @throws {TypeError} if two items cannot be compared
 * @category Iterating
 *
 * @example
 * ```ts
 * import { amax } from "@pythonic/asyncio/itertools";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(await amax([[1, "b"], [2, "a"]]), [2, "a"]);
 * ```
 */
export function amax<T extends Comparable, D = never>(
  source: AnyIterable<T>,
  options?: ExtremumOptions<T, D>,
): Coroutine<T | D>;
/** Returns the item with the largest key. */
export function amax<T, D = never>(
  source: AnyIterable<T>,
  options: KeyedExtremumOptions<T, D>,
): Coroutine<T | D>;
export function amax<T, D>(
  source: AnyIterable<T>,
  options: ExtremumOptions<T, D> = {},
): Coroutine<T | D> {
  return extremum("amax", source, options);
}

/**
 * Returns whether an item is true; it closes the source at the first that is.
 *
 * See {@link https://docs.python.org/3/library/functions.html#any Python's any}.
 *
 * @param source an iterable, asynchronous or not
 * @returns a coroutine of the answer, false if there are no items
 * @category Iterating
 *
 * @example
 * ```ts
 * import { aany, amap } from "@pythonic/asyncio/itertools";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(await aany(amap((n) => n > 1, [1, 2])), true);
 * ```
 */
export function aany(source: AnyIterable<unknown>): Coroutine<boolean> {
  return new FunctionCoroutine("aany", async () => {
    for await (const item of open(source)) {
      if (item) return true;
    }
    return false;
  });
}

/**
 * Returns whether all items are true; it closes the source at the first that is not.
 *
 * See {@link https://docs.python.org/3/library/functions.html#all Python's all}.
 *
 * @param source an iterable, asynchronous or not
 * @returns a coroutine of the answer, true if there are no items
 * @category Iterating
 *
 * @example
 * ```ts
 * import { aall, amap } from "@pythonic/asyncio/itertools";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(await aall(amap((n) => n > 1, [1, 2])), false);
 * ```
 */
export function aall(source: AnyIterable<unknown>): Coroutine<boolean> {
  return new FunctionCoroutine("aall", async () => {
    for await (const item of open(source)) {
      if (!item) return false;
    }
    return true;
  });
}

// Cancels tasks that wait for sources, and waits for their ends, also if it is cancelled meanwhile.
async function cancel_all(
  tasks: Iterable<Task<unknown>>,
  sources: readonly Source<unknown>[],
): Promise<void> {
  const pending = [...tasks].filter((task) => !task.done());
  for (const task of pending) task.cancel();
  for (const source of sources) source.interrupt();
  let cancellation: CancelledError | null = null;
  while (pending.some((task) => !task.done())) {
    try {
      await wait(pending);
    } catch (error) {
      if (!is_cancelled_error(error)) throw error;
      cancellation = error;
    }
  }
  if (cancellation !== null) throw cancellation;
}

/**
 * An array of `N` elements.
 *
 * @category Iterating
 */
export type ArrayOf<T, N extends number, A extends T[] = []> = number extends N ? T[]
  : A["length"] extends N ? A
  : ArrayOf<T, N, [...A, T]>;

/** A result of a source's `next()` in the sequence of them; the latest one is not known yet. */
interface Cell<T> {
  outcome: (() => Step<T>) | null;
  next: Cell<T> | null;
}

/** A source that several iterators read, each at its own pace. */
class SharedSource<T> {
  readonly #source: Source<T>;
  #readers: number;
  #pull: Task<void> | null = null;

  constructor(source: Source<T>, readers: number) {
    this.#source = source;
    this.#readers = readers;
  }

  /** Fills a cell, or waits until it is filled for another reader. */
  async fill(cell: Cell<T>): Promise<void> {
    while (cell.outcome === null) {
      // In a task of its own: a reader that is cancelled must not take the item with it.
      const pull = this.#pull ??= create_task(() => this.#next(cell), { name: "atee" });
      await wait([pull]);
      // A task that is cancelled before its first step has filled nothing.
      if (this.#pull === pull && pull.done()) this.#pull = null;
    }
  }

  async #next(cell: Cell<T>): Promise<void> {
    try {
      const result = await this.#source.next();
      cell.outcome = () => result;
    } catch (error) {
      cell.outcome = () => {
        throw error;
      };
      if (is_cancelled_error(error)) throw error;
    } finally {
      cell.next = { outcome: null, next: null };
      this.#pull = null;
    }
  }

  async release(): Promise<void> {
    if (--this.#readers > 0) return;
    try {
      if (this.#pull !== null) await cancel_all([this.#pull], [this.#source]);
    } finally {
      await this.#source.return();
    }
  }
}

/**
 * Makes several independent iterators of one source.
 *
 * Each yields all items, at its own pace; an item is kept until all have yielded it. An error of the
 * source is thrown by each. The source runs in a task of its own, so that a cancelled iterator takes no
 * item from the others; it is closed when all iterators are.
 *
 * See {@link https://docs.python.org/3/library/itertools.html#itertools.tee Python's tee}.
 *
 * @param source an iterable, asynchronous or not
 * @param n the number of iterators, 2 by default. By name: `{ n }`
 * @returns an array of iterators of the items
 * @throws {ValueError} if `n` is negative
 * @throws {TypeError} if `n` is not an integer
 * @category Iterating
 *
 * @example
 * ```ts
 * import { amax, asum, atee } from "@pythonic/asyncio/itertools";
 * import { assertEquals } from "@std/assert";
 *
 * const [numbers, again] = atee([1, 2, 3]);
 * assertEquals(await asum(numbers), 6);
 * assertEquals(await amax(again), 3);
 * ```
 */
export function atee<T, N extends number = 2>(
  source: AnyIterable<T>,
  n: N | { readonly n?: N } = 2 as N,
): ArrayOf<ToolIterator<T>, N> {
  const count = integer_argument("atee", "n", n, 2);
  if (count < 0) throw new ValueError("n must be >= 0");
  const shared = new SharedSource(open(source), count);
  const first: Cell<T> = { outcome: null, next: null };
  const reader = (): ToolIterator<T> => {
    let cell = first;
    return new ToolIterator("atee", () => shared.release(), async () => {
      if (cell.outcome === null) await shared.fill(cell);
      const { outcome, next } = cell as { outcome: () => Step<T>; next: Cell<T> };
      cell = next;
      return outcome();
    });
  };
  return Array.from({ length: count }, reader) as ArrayOf<ToolIterator<T>, N>;
}

/** An item that the task of a source has taken; the task resumes when it is delivered. */
interface Arrival<T> {
  item: T;
  taken: Event;
}

/** Sources that are read at the same time, each by a task. */
class Merge<T> {
  readonly #sources: readonly Source<T>[];
  readonly #tasks = new Set<Task<void>>();
  #is_started = false;
  #is_closing = false;
  #has_failed = false;
  // Items that have not been delivered yet, and tasks that have ended.
  readonly #arrivals = new Deque<Arrival<T> | Future<void>>();
  readonly #arrived = new Event();

  constructor(sources: readonly Source<T>[]) {
    this.#sources = sources;
  }

  async next(): Promise<Step<T>> {
    if (!this.#is_started) this.#start();
    while (this.#tasks.size > 0) {
      await this.#arrived.wait();
      const arrival = this.#arrivals.shift();
      if (this.#arrivals.length === 0) this.#arrived.clear();
      if ("taken" in arrival) {
        arrival.taken.set();
        return some(arrival.item);
      }
      this.#tasks.delete(arrival as Task<void>);
      this.#has_failed = true; // unless it has a result
      arrival.result();
      this.#has_failed = false;
    }
    return END;
  }

  #start(): void {
    this.#is_started = true;
    for (const source of this.#sources) {
      const task = create_task(() => this.#pump(source), { name: "amerge" });
      this.#tasks.add(task);
      task.add_done_callback((task) => this.#arrive(task));
    }
  }

  async #pump(source: Source<T>): Promise<void> {
    try {
      for (;;) {
        const result = await source.next();
        // A source that is cancelled may yield all the same.
        if (result.done || this.#is_closing) return;
        const taken = new Event();
        this.#arrive({ item: result.value, taken });
        await taken.wait();
      }
    } finally {
      // `for await` would drop an error of closing if the task is cancelled.
      await source.return();
    }
  }

  #arrive(arrival: Arrival<T> | Future<void>): void {
    this.#arrivals.push(arrival);
    this.#arrived.set();
  }

  /** Ends all tasks, which close their sources, and closes the sources of tasks that have not begun. */
  async close(): Promise<void> {
    this.#is_closing = true;
    let failure: { error: unknown } | null = null;
    try {
      await cancel_all(this.#tasks, this.#sources);
    } catch (error) {
      failure = { error };
    }
    try {
      await close_all(this.#sources);
    } catch (error) {
      failure = { error };
    }
    // Of several errors of sources the first is thrown, which next() may have done.
    const first = first_error(this.#tasks);
    if (failure === null && !this.#has_failed) failure = first;
    if (failure !== null) throw failure.error;
  }
}

function first_error(tasks: Iterable<Task<unknown>>): { error: unknown } | null {
  let first: { error: unknown } | null = null;
  for (const task of tasks) {
    try {
      task.result();
    } catch (error) {
      if (!is_cancelled_error(error)) first ??= { error };
    }
  }
  return first;
}

/**
 * Yields the items of several sources, which are read at the same time, in the order of their arrival.
 *
 * Each source is read by a task of its own, which is at most one item ahead. When a source fails, its error
 * is thrown. Then, and when the iterator is left or cancelled, the tasks are cancelled, the sources closed,
 * and items that are ahead dropped. A source that waits for a native promise is closed when that settles,
 * unless its `return()` ends the wait.
 *
 * @param sources iterables, asynchronous or not
 * @returns an iterator of the items
 * @category Iterating
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { alist, amerge } from "@pythonic/asyncio/itertools";
 * import { VirtualClockEventLoop } from "@pythonic/asyncio/testing";
 * import { assertEquals } from "@std/assert";
 *
 * async function* ticks(name: string, delay: number) {
 *   for (let n = 0; n < 2; n++) {
 *     await asyncio.sleep(delay);
 *     yield name;
 *   }
 * }
 * const main = () => alist(amerge(ticks("slow", 20), ticks("quick", 2)));
 * const loop_factory = () => new VirtualClockEventLoop();
 * assertEquals(await asyncio.run(main, { loop_factory }), ["quick", "quick", "slow", "slow"]);
 * ```
 */
export function amerge<S extends readonly AnyIterable<unknown>[]>(
  ...sources: S
): ToolIterator<Item<S[number]>> {
  const merge = new Merge(open_all(sources) as Source<Item<S[number]>>[]);
  return new ToolIterator("amerge", () => merge.close(), () => merge.next());
}
