/**
 * Tools that make other items of those of a source.
 *
 * @module
 */

import { isawaitable } from "../core/coroutines.ts";
import { ValueError } from "../core/exceptions.ts";
import { is_plain_object } from "../internal/format_helpers.ts";
import { check_function } from "../internal/functions.ts";
import { integer_argument } from "../internal/numbers.ts";
import { check_options, split_options } from "../internal/options.ts";
import type { Addable } from "./collecting.ts";
import {
  type AnyIterable,
  END,
  type Items,
  next_items,
  open,
  open_all,
  type Step,
  type ZipOptions,
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
 * @param sources iterables, asynchronous or not; last may come options: `strict`
 * @returns an iterator of the results
 * @throws {TypeError} if there is no source, one is not iterable, or `fn` is not a function
 * @throws {ValueError} with `strict`, when one ends and another does not
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
): ToolIterator<Awaited<R>>;
/**
 * Calls a function with an item of each source; with `strict`, all must end together.
 *
 * @param fn a function, asynchronous or not
 * @param sources_and_options iterables, asynchronous or not, then `strict`
 */
export function amap<S extends readonly [AnyIterable<unknown>, ...AnyIterable<unknown>[]], R>(
  fn: (...items: Items<S>) => R,
  ...sources_and_options: [...S, ZipOptions]
): ToolIterator<Awaited<R>>;
export function amap<R>(fn: (...items: never) => R, ...args: unknown[]): ToolIterator<Awaited<R>> {
  const [sources, options] = split_options<ZipOptions>("amap", args, ["strict"]);
  check_function("amap", "fn", fn);
  if (sources.length === 0) throw new TypeError("map() must have at least two arguments.");
  const opened = open_all(sources as readonly AnyIterable<unknown>[]);
  const strict = options?.strict ?? false;
  const only = opened.length === 1 ? opened[0]! : null;
  return tool("amap", opened, async () => {
    let result: R;
    if (only !== null) {
      const item = await only.next();
      if (item.done) return END;
      result = fn(...[item.value] as never);
    } else {
      const items = await next_items(opened, strict ? "map" : null);
      if (items === null) return END;
      result = fn(...items as never);
    }
    return some((isawaitable(result) ? await result : result) as Awaited<R>);
  });
}

/**
 * Calls a function with the elements of each item, which is an array or another iterable, as its arguments.
 *
 * See {@link https://docs.python.org/3/library/itertools.html#itertools.starmap Python's starmap}.
 *
 * @param fn a function, asynchronous or not
 * @param source an iterable of the arguments of each call, asynchronous or not
 * @returns an iterator of the results
 * @throws {TypeError} if `fn` is not a function, or the source not iterable
 * @category Iterating
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { alist, astarmap } from "@pythonic/asyncio/itertools";
 * import { assertEquals } from "@std/assert";
 *
 * const power = (base: number, exponent: number) => asyncio.sleep(0.001, base ** exponent);
 * const powers = astarmap(power, [[2, 3], [3, 2]] as const);
 * assertEquals(await alist(powers), [8, 9]);
 * ```
 */
export function astarmap<A extends readonly unknown[], R>(
  fn: (...args: A) => R,
  source: AnyIterable<A | (Iterable<A[number]> & { readonly length?: undefined })>,
): ToolIterator<Awaited<R>> {
  check_function("astarmap", "fn", fn);
  const opened = open(source);
  return tool("astarmap", [opened], async () => {
    const item = await opened.next();
    if (item.done) return END;
    const result = fn(...item.value as A);
    return some((isawaitable(result) ? await result : result) as Awaited<R>);
  });
}

/**
 * Yields all items again and again, without end; nothing if there are none.
 *
 * It keeps a copy of each item, so that the source is iterated once.
 *
 * See {@link https://docs.python.org/3/library/itertools.html#itertools.cycle Python's cycle}.
 *
 * @param source an iterable, asynchronous or not
 * @returns an iterator of the items
 * @category Iterating
 *
 * @example
 * ```ts
 * import { acycle, aislice, alist } from "@pythonic/asyncio/itertools";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(await alist(aislice(acycle("ab"), 5)), ["a", "b", "a", "b", "a"]);
 * ```
 */
export function acycle<T>(source: AnyIterable<T>): ToolIterator<T> {
  const opened = open(source);
  const kept: T[] = [];
  // The next of the kept items, once the source has ended.
  let index = -1;
  return tool("acycle", [opened], async () => {
    if (index < 0) {
      const result = await opened.next();
      if (!result.done) {
        kept.push(result.value);
        return result;
      }
      if (kept.length === 0) return END;
      index = 0;
    }
    const item = kept[index] as T;
    index = (index + 1) % kept.length;
    return some(item);
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
 * @param fn a function of the total and the next item, asynchronous or not; `null` adds and may be left out
 * @param options `initial`, the first total; the first item by default
 * @returns an iterator of the totals
 * @throws {TypeError} if `fn` is neither a function nor `null`, an option is unknown, or the source not iterable
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
/** Yields the running totals, the first of which is an initial value. */
export function aaccumulate<T extends Addable>(
  source: AnyIterable<T>,
  fn: { initial?: T },
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
  fn: ((total: never, item: never) => unknown) | { initial?: unknown } | null = null,
  options: { initial?: unknown } = is_plain_object(fn) ? fn : {},
): ToolIterator<unknown> {
  check_options("aaccumulate", options, ["initial"]);
  const given = fn === null || is_plain_object(fn) ? add : fn;
  check_function("aaccumulate", "fn", given);
  const combine = given as (total: unknown, item: unknown) => unknown;
  const opened = open(source);
  let total: Step<unknown> | null = null;
  return tool("aaccumulate", [opened], async () => {
    if (total === null && options.initial !== undefined) return total = some(options.initial);
    const next = await opened.next();
    if (next.done) return END;
    return total = total === null ? next : some(await combine(total.value, next.value));
  });
}
