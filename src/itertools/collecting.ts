/**
 * Tools that take all items at once: arrays, sets, maps, sums and extrema.
 *
 * @module
 */

import { type Coroutine, FunctionCoroutine } from "../core/coroutines.ts";
import { ValueError } from "../core/exceptions.ts";
import { type_name } from "../internal/format_helpers.ts";
import { check_function, function_or_null } from "../internal/functions.ts";
import { check_options, keyword_or_positional } from "../internal/options.ts";
import { less_than } from "../internal/ordering.ts";
import { type AnyIterable, open } from "./sources.ts";

/**
 * Makes an array of all items: `[x async for x in source]`. Cancelled, it closes the source.
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
 * Makes a set of all items: `{x async for x in source}`. Cancelled, it closes the source.
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
 * Makes a map of pairs of key and value: `{k: v async for k, v in source}`.
 *
 * Of equal keys the last value is kept. Cancelled, it closes the source.
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
 * The types of which Python's and JavaScript's `+` take two.
 *
 * @category Iterating
 */
export type Addable = number | bigint | string;

/**
 * Reduces all items to one value by a function of the total and the next item. Cancelled, it closes the source.
 *
 * See {@link https://docs.python.org/3/library/functools.html#functools.reduce Python's reduce}.
 *
 * @param fn a function, asynchronous or not
 * @param source an iterable, asynchronous or not
 * @param initial the first total; the first item if it is not given
 * @returns a coroutine of the last total
 * @throws {TypeError} if `fn` is not a function; when it is awaited, if there is no item and no initial value
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
  check_function("areduce", "fn", fn);
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
 * As Python's, it compensates for rounding. Cancelled, it closes the source.
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
  const key = function_or_null(name, "key", options.key);
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
 * Items, or their keys, are compared as in Python: arrays element by element. Cancelled, it closes the source.
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
 * Items, or their keys, are compared as in Python: arrays element by element. Cancelled, it closes the source.
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
 * Returns whether an item is true; it closes the source at the first that is, and when it is cancelled.
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
 * Returns whether all items are true; it closes the source at the first that is not, and when it is cancelled.
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
