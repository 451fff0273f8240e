/**
 * Tools that sort items, or take them from sources that are sorted.
 *
 * Items, or their keys, are compared as in Python: arrays element by element. Equal items keep their order.
 *
 * @module
 */

import { type Coroutine, FunctionCoroutine } from "../core/coroutines.ts";
import { heappop, heappush, type LessThan } from "../internal/heapq.ts";
import { function_or_null } from "../internal/functions.ts";
import { integer_argument } from "../internal/numbers.ts";
import { check_options, split_options } from "../internal/options.ts";
import { less_than } from "../internal/ordering.ts";
import type { Comparable } from "./collecting.ts";
import { type AnyIterable, END, type Item, open, open_all, type Source } from "./sources.ts";
import { some, tool, type ToolIterator } from "./tool_iterator.ts";

/**
 * The option of {@linkcode anlargest} and {@linkcode ansmallest}.
 *
 * @category Iterating
 */
export interface KeyOptions<T> {
  /** A function, asynchronous or not, whose results are compared in place of the items. */
  key?: ((item: T) => Comparable | PromiseLike<Comparable>) | null;
}

/**
 * The options of {@linkcode asorted} and {@linkcode amerge_sorted}.
 *
 * @category Iterating
 */
export interface SortOptions<T> extends KeyOptions<T> {
  /** True if the largest comes first; false by default. */
  reverse?: boolean;
}

/** An item with what it is compared by and its place among equal ones. */
interface Entry<T> {
  readonly item: T;
  readonly key: unknown;
  readonly place: number;
}

type KeyOf<T> = NonNullable<KeyOptions<T>["key"]> | null;

async function entry_of<T>(item: T, place: number, key: KeyOf<T>): Promise<Entry<T>> {
  return { item, place, key: key === null ? item : await key(item) };
}

/** The order of entries: by key, and of equal ones by place. */
function order(reverse: boolean): LessThan<Entry<unknown>> {
  return (a, b) => {
    const [first, second] = reverse ? [b, a] : [a, b];
    if (less_than(first.key, second.key)) return true;
    return !less_than(second.key, first.key) && a.place < b.place;
  };
}

function sort<T>(entries: Entry<T>[], reverse: boolean): T[] {
  const lt = order(reverse);
  return entries.sort((a, b) => lt(a, b) ? -1 : 1).map(({ item }) => item);
}

/**
 * Makes a sorted array of all items. Cancelled, it closes the source.
 *
 * See {@link https://docs.python.org/3/library/functions.html#sorted Python's sorted}.
 *
 * @param source an iterable, asynchronous or not
 * @param options `key`, a function whose results are compared; `reverse`, true if the largest comes first
 * @returns a coroutine of the array
 * @throws {TypeError} when it is awaited, if two items cannot be compared
 * @category Iterating
 *
 * @example
 * ```ts
 * import { asorted } from "@pythonic/asyncio/itertools";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(await asorted([10, 9, 1]), [1, 9, 10]);
 * assertEquals(await asorted(["bb", "a"], { key: (text) => text.length }), ["a", "bb"]);
 * ```
 */
export function asorted<T>(
  source: AnyIterable<T>,
  options: SortOptions<T> = {},
): Coroutine<T[]> {
  check_options("asorted", options, ["key", "reverse"]);
  const { reverse = false } = options;
  const key = function_or_null("asorted", "key", options.key);
  return new FunctionCoroutine("asorted", async () => {
    const entries: Entry<T>[] = [];
    for await (const item of open(source)) entries.push(await entry_of(item, entries.length, key));
    return sort(entries, reverse);
  });
}

function take<T>(
  name: "anlargest" | "ansmallest",
  n: number,
  source: AnyIterable<T>,
  options: KeyOptions<T>,
): Coroutine<T[]> {
  const count = integer_argument(name, "n", n, undefined);
  check_options(name, options, ["key"]);
  const key = function_or_null(name, "key", options.key);
  const reverse = name === "anlargest";
  const comes_before = order(reverse);
  // The last of those that are kept is on top.
  const comes_after: LessThan<Entry<unknown>> = (a, b) => comes_before(b, a);
  return new FunctionCoroutine(name, async () => {
    const kept: Entry<T>[] = [];
    const opened = open(source);
    if (count <= 0) {
      await opened.return();
      return [];
    }
    let place = 0;
    for await (const item of opened) {
      const entry = await entry_of(item, place++, key);
      if (kept.length === count) {
        if (!comes_before(entry, kept[0] as Entry<T>)) continue;
        heappop(kept, comes_after);
      }
      heappush(kept, entry, comes_after);
    }
    return sort(kept, reverse);
  });
}

/**
 * Makes an array of the `n` largest items, the largest first; it keeps no more than these.
 *
 * Cancelled, it closes the source.
 *
 * See {@link https://docs.python.org/3/library/heapq.html#heapq.nlargest Python's nlargest}.
 *
 * @param n how many; all, if there are fewer
 * @param source an iterable, asynchronous or not
 * @param options `key`, a function whose results are compared
 * @returns a coroutine of the array
 * @throws {TypeError} if `n` is not an integer; when it is awaited, if two items cannot be compared
 * @category Iterating
 *
 * @example
 * ```ts
 * import { anlargest } from "@pythonic/asyncio/itertools";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(await anlargest(2, [3, 1, 4, 1, 5]), [5, 4]);
 * ```
 */
export function anlargest<T>(
  n: number,
  source: AnyIterable<T>,
  options: KeyOptions<T> = {},
): Coroutine<T[]> {
  return take("anlargest", n, source, options);
}

/**
 * Makes an array of the `n` smallest items, the smallest first; it keeps no more than these.
 *
 * Cancelled, it closes the source.
 *
 * See {@link https://docs.python.org/3/library/heapq.html#heapq.nsmallest Python's nsmallest}.
 *
 * @param n how many; all, if there are fewer
 * @param source an iterable, asynchronous or not
 * @param options `key`, a function whose results are compared
 * @returns a coroutine of the array
 * @throws {TypeError} if `n` is not an integer; when it is awaited, if two items cannot be compared
 * @category Iterating
 *
 * @example
 * ```ts
 * import { ansmallest } from "@pythonic/asyncio/itertools";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(await ansmallest(2, [3, 1, 4, 1, 5]), [1, 1]);
 * ```
 */
export function ansmallest<T>(
  n: number,
  source: AnyIterable<T>,
  options: KeyOptions<T> = {},
): Coroutine<T[]> {
  return take("ansmallest", n, source, options);
}

/**
 * Yields the items of several sorted sources in sorted order, and keeps one item of each.
 *
 * Of equal items, those of the earlier source come first. The sources must be sorted alike. To take items in
 * the order of their arrival there is {@linkcode amerge}.
 *
 * See {@link https://docs.python.org/3/library/heapq.html#heapq.merge Python's heapq.merge}.
 *
 * @param sources sorted iterables, asynchronous or not; last may come options: `key`, a function whose results
 * are compared, and `reverse`, true if the sources are sorted with the largest first
 * @returns an iterator of the items
 * @category Iterating
 *
 * @example
 * ```ts
 * import { alist, amerge_sorted } from "@pythonic/asyncio/itertools";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(await alist(amerge_sorted([1, 4, 7], [2, 4])), [1, 2, 4, 4, 7]);
 * ```
 */
export function amerge_sorted<S extends readonly AnyIterable<unknown>[]>(
  ...sources: S
): ToolIterator<Item<S[number]>>;
/**
 * Yields the items of sorted sources in the order of their keys, or with the largest first.
 *
 * @param sources_and_options sorted iterables, asynchronous or not, then `key` and `reverse`
 */
export function amerge_sorted<S extends readonly AnyIterable<unknown>[]>(
  ...sources_and_options: [...S, SortOptions<Item<S[number]>>]
): ToolIterator<Item<S[number]>>;
export function amerge_sorted(...args: unknown[]): ToolIterator<unknown> {
  const [sources, options] = split_options<SortOptions<unknown>>("amerge_sorted", args, [
    "key",
    "reverse",
  ]);
  const { reverse = false } = options ?? {};
  const key = function_or_null("amerge_sorted", "key", options?.key);
  const opened = open_all(sources as readonly AnyIterable<unknown>[]);
  const lt = order(reverse);
  const heap: Entry<unknown>[] = [];
  // The sources of which no item is in the heap: all at first, then that of the item which was yielded.
  let unread: number[] = [...opened.keys()];
  return tool("amerge_sorted", opened, async () => {
    for (const index of unread) {
      const result = await (opened[index] as Source<unknown>).next();
      if (!result.done) heappush(heap, await entry_of(result.value, index, key), lt);
    }
    if (heap.length === 0) return END;
    const { item, place } = heappop(heap, lt);
    unread = [place];
    return some(item);
  });
}
