/**
 * Tools that yield the items of several sources.
 *
 * @module
 */

import { ValueError } from "../core/exceptions.ts";
import { split_options } from "../internal/options.ts";
import {
  type AnyIterable,
  END,
  type Item,
  type Items,
  open_all,
  type Source,
  type Step,
} from "./sources.ts";
import { some, tool, type ToolIterator } from "./tool_iterator.ts";

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
