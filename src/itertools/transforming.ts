/**
 * Tools that make other items of those of a source.
 *
 * @module
 */

import { isawaitable } from "../core/coroutines.ts";
import { ValueError } from "../core/exceptions.ts";
import { is_plain_object } from "../internal/format_helpers.ts";
import { integer_argument } from "../internal/numbers.ts";
import { check_options } from "../internal/options.ts";
import type { Addable } from "./collecting.ts";
import {
  type AnyIterable,
  END,
  type Items,
  open,
  open_all,
  type Source,
  type Step,
} from "./sources.ts";
import { some, tool, type ToolIterator } from "./tool_iterator.ts";

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
