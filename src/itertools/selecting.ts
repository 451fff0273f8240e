/**
 * Tools that yield some of the items of a source.
 *
 * @module
 */

import { ValueError } from "../core/exceptions.ts";
import { repr } from "../internal/format_helpers.ts";
import { check_function } from "../internal/functions.ts";
import { type AnyIterable, END, open } from "./sources.ts";
import { tool, type ToolIterator } from "./tool_iterator.ts";

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
 * @throws {TypeError} if `fn` is neither a function nor `null`, or the source not iterable
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
  if (fn !== null) check_function("afilter", "fn", fn);
  const opened = open(source);
  return tool("afilter", [opened], async () => {
    for (;;) {
      const result = await opened.next();
      if (result.done || (fn === null ? result.value : await fn(result.value))) return result;
    }
  });
}

/**
 * Yields the items for which a function returns or resolves to a false value; with `null` the items that are false.
 *
 * False is meant as in JavaScript. With `null`, items are not awaited.
 *
 * See {@link https://docs.python.org/3/library/itertools.html#itertools.filterfalse Python's filterfalse}.
 *
 * @param fn a function, asynchronous or not, or `null`
 * @param source an iterable, asynchronous or not
 * @returns an iterator of the items that are kept
 * @throws {TypeError} if `fn` is neither a function nor `null`, or the source not iterable
 * @category Iterating
 *
 * @example
 * ```ts
 * import { afilterfalse, alist } from "@pythonic/asyncio/itertools";
 * import { assertEquals } from "@std/assert";
 *
 * const odd = async (n: number) => n % 2 === 1;
 * assertEquals(await alist(afilterfalse(odd, [1, 2, 3])), [2]);
 * ```
 */
export function afilterfalse<T>(
  fn: ((item: T) => unknown) | null,
  source: AnyIterable<T>,
): ToolIterator<T> {
  if (fn !== null) check_function("afilterfalse", "fn", fn);
  const opened = open(source);
  return tool("afilterfalse", [opened], async () => {
    for (;;) {
      const result = await opened.next();
      if (result.done || !(fn === null ? result.value : await fn(result.value))) return result;
    }
  });
}

/**
 * Yields the items whose selector is true, until the first of both sources ends.
 *
 * See {@link https://docs.python.org/3/library/itertools.html#itertools.compress Python's compress}.
 *
 * @param data an iterable of the items, asynchronous or not
 * @param selectors an iterable of values that are true or false, asynchronous or not
 * @returns an iterator of the items that are kept
 * @category Iterating
 *
 * @example
 * ```ts
 * import { acompress, alist } from "@pythonic/asyncio/itertools";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(await alist(acompress("abc", [true, false, true])), ["a", "c"]);
 * ```
 */
export function acompress<T>(
  data: AnyIterable<T>,
  selectors: AnyIterable<unknown>,
): ToolIterator<T> {
  const items = open(data);
  const answers = open(selectors);
  return tool("acompress", [items, answers], async () => {
    for (;;) {
      const result = await items.next();
      if (result.done) return END;
      const selector = await answers.next();
      if (selector.done) return END;
      if (selector.value) return result;
    }
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
 * @throws {TypeError} if the predicate is not a function, or the source not iterable
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
  check_function("atakewhile", "predicate", predicate);
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
 * @throws {TypeError} if the predicate is not a function, or the source not iterable
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
  check_function("adropwhile", "predicate", predicate);
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
