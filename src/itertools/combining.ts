/**
 * Tools that yield the items of several sources.
 *
 * @module
 */

import { split_options } from "../internal/options.ts";
import {
  type AnyIterable,
  END,
  type Item,
  type Items,
  next_items,
  open,
  open_all,
  type Source,
  type Step,
  type ZipOptions,
} from "./sources.ts";
import { some, tool, type ToolIterator } from "./tool_iterator.ts";

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
    const items = await next_items(opened, strict ? "zip" : null);
    return items === null ? END : some(items);
  });
}

/**
 * The options of {@linkcode azip_longest}.
 *
 * @category Iterating
 */
export interface ZipLongestOptions<F> {
  /** Takes the place of the items of a source that has ended; `null` by default. */
  fillvalue?: F;
}

/**
 * The types of the items of several iterables, and of what takes the place of those that are missing.
 *
 * @category Iterating
 */
export type ItemsOr<S extends readonly AnyIterable<unknown>[], F> = {
  -readonly [K in keyof S]: Item<S[K]> | F;
};

/**
 * Yields an item of each source at a time, taken one after the other, until the last source ends.
 *
 * See {@link https://docs.python.org/3/library/itertools.html#itertools.zip_longest Python's zip_longest}.
 *
 * @param sources iterables, asynchronous or not; last may come options: `fillvalue`
 * @returns an iterator of arrays of one item of each source, or of the fill value if that has ended
 * @category Iterating
 *
 * @example
 * ```ts
 * import { alist, azip_longest } from "@pythonic/asyncio/itertools";
 * import { assertEquals } from "@std/assert";
 *
 * const pairs = azip_longest([1, 2], "a", { fillvalue: "-" });
 * assertEquals(await alist(pairs), [[1, "a"], [2, "-"]]);
 * ```
 */
export function azip_longest<S extends readonly AnyIterable<unknown>[]>(
  ...sources: S
): ToolIterator<ItemsOr<S, null>>;
/**
 * Yields an item of each source at a time, and a value in the place of those that are missing.
 *
 * @param sources_and_options iterables, asynchronous or not, then `fillvalue`
 */
export function azip_longest<S extends readonly AnyIterable<unknown>[], F = null>(
  ...sources_and_options: [...S, ZipLongestOptions<F>]
): ToolIterator<ItemsOr<S, F>>;
export function azip_longest(...args: unknown[]): ToolIterator<unknown[]> {
  const [sources, options] = split_options<ZipLongestOptions<unknown>>("azip_longest", args, [
    "fillvalue",
  ]);
  const opened = open_all(sources as readonly AnyIterable<unknown>[]);
  const fillvalue = options !== null && "fillvalue" in options ? options.fillvalue : null;
  return tool("azip_longest", opened, async () => {
    let any_left = false;
    const items: unknown[] = [];
    for (const source of opened) {
      const result = await source.next();
      if (!result.done) any_left = true;
      items.push(result.done ? fillvalue : result.value);
    }
    return any_left ? some(items) : END;
  });
}

/**
 * The type of {@linkcode achain}.
 *
 * @category Iterating
 */
export interface Chain {
  /**
   * Yields the items of the first source, then those of the next, and so on.
   *
   * @param sources iterables, asynchronous or not
   * @returns an iterator of the items
   */
  <S extends readonly AnyIterable<unknown>[]>(...sources: S): ToolIterator<Item<S[number]>>;
  /**
   * Yields the items of each source of an iterable of sources, which is read no further than need be.
   *
   * See {@link https://docs.python.org/3/library/itertools.html#itertools.chain.from_iterable Python's chain.from_iterable}.
   *
   * @param sources an iterable, asynchronous or not, of iterables, asynchronous or not
   * @returns an iterator of the items
   */
  from_iterable<S extends AnyIterable<unknown>>(sources: AnyIterable<S>): ToolIterator<Item<S>>;
}

/**
 * Yields the items of the first source, then those of the next, and so on.
 *
 * See {@link https://docs.python.org/3/library/itertools.html#itertools.chain Python's chain}.
 *
 * @category Iterating
 *
 * @example
 * ```ts
 * import { achain, alist, amap } from "@pythonic/asyncio/itertools";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(await alist(achain([1, 2], "a")), [1, 2, "a"]);
 * const pages = amap(async (n) => [n, n * 10], [1, 2]);
 * assertEquals(await alist(achain.from_iterable(pages)), [1, 10, 2, 20]);
 * ```
 */
export const achain: Chain = /* @__PURE__ */ Object.assign(
  function achain<S extends readonly AnyIterable<unknown>[]>(
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
  },
  { from_iterable: chain_from_iterable },
);

function chain_from_iterable<S extends AnyIterable<unknown>>(
  sources: AnyIterable<S>,
): ToolIterator<Item<S>> {
  const outer = open(sources);
  // The source of sources, and the one of them that is being read.
  const opened: Source<unknown>[] = [outer];
  let inner: Source<Item<S>> | null = null;
  return tool("achain", opened, async () => {
    for (;;) {
      if (inner !== null) {
        const result = await inner.next();
        if (!result.done) return result;
        opened.pop();
        inner = null;
      }
      const next = await outer.next();
      if (next.done) return END;
      inner = open(next.value) as Source<unknown> as Source<Item<S>>;
      opened.push(inner);
    }
  });
}
