/**
 * Consecutive items with the same key.
 *
 * @module
 */

import { RuntimeError } from "../core/exceptions.ts";
import { function_or_null } from "../internal/functions.ts";
import { keyword_or_positional } from "../internal/options.ts";
import { equal } from "../internal/ordering.ts";
import { type AnyIterable, END, open, type Source, type Step } from "./sources.ts";
import { some, ToolIterator } from "./tool_iterator.ts";

type Key<T, K> = (item: T) => K | PromiseLike<K>;

/** A source that is read by the iterator of groups and by the current group. */
class Groups<T, K> {
  readonly #source: Source<T>;
  readonly #key: Key<T, K> | null;
  // The item that was read last, if no group has yielded it.
  #ahead: { item: T; key: K } | null = null;
  #current: { key: K } | null = null;
  #is_reading = false;

  constructor(source: Source<T>, key: Key<T, K> | null) {
    this.#source = source;
    this.#key = key;
  }

  /** Skips what is left of the current group, and returns the next one. */
  async next_group(): Promise<Step<[K, ToolIterator<T>]>> {
    const earlier = this.#current;
    this.#current = null;
    while (this.#ahead === null || (earlier !== null && equal(this.#ahead.key, earlier.key))) {
      if (!await this.#read()) return END;
    }
    const group = { key: this.#ahead.key };
    this.#current = group;
    const items = new ToolIterator("agroupby", () => Promise.resolve(), () => this.#next(group));
    return some([group.key, items]);
  }

  async #next(group: { key: K }): Promise<Step<T>> {
    if (this.#current !== group) return END;
    if (this.#ahead === null && !await this.#read()) return END;
    // Another group may have been begun while the item was read.
    if (this.#current !== group || this.#ahead === null) return END;
    if (!equal(this.#ahead.key, group.key)) return END;
    const { item } = this.#ahead;
    this.#ahead = null;
    return some(item);
  }

  async #read(): Promise<boolean> {
    if (this.#is_reading) {
      throw new RuntimeError("anext(): asynchronous generator is already running");
    }
    this.#is_reading = true;
    try {
      this.#ahead = null;
      const result = await this.#source.next();
      if (result.done) return false;
      const item = result.value;
      this.#ahead = { item, key: this.#key === null ? item as never : await this.#key(item) };
      return true;
    } finally {
      this.#is_reading = false;
    }
  }

  close(): Promise<unknown> {
    this.#current = null;
    return this.#source.return();
  }
}

/**
 * Yields each run of consecutive items with the same key, as the key and an iterator of the run's items.
 *
 * A run that has not been read to its end is skipped when the next one is requested, and its iterator ends:
 * to keep the items, make an array of them. Keys are equal as in Python, arrays element by element.
 *
 * See {@link https://docs.python.org/3/library/itertools.html#itertools.groupby Python's groupby}.
 *
 * @param source an iterable, asynchronous or not
 * @param key a function of an item, asynchronous or not; `null`, the default, takes the item itself. By name:
 * `{ key }`
 * @returns an iterator of pairs of key and iterator
 * @throws {TypeError} if `key` is neither a function nor `null`, or the source not iterable
 * @category Iterating
 *
 * @example
 * ```ts
 * import { agroupby, alist } from "@pythonic/asyncio/itertools";
 * import { assertEquals } from "@std/assert";
 *
 * const runs: string[] = [];
 * for await (const [letter, run] of agroupby("aabcc")) runs.push(letter + (await alist(run)).length);
 * assertEquals(runs, ["a2", "b1", "c2"]);
 * ```
 */
export function agroupby<T>(
  source: AnyIterable<T>,
  key?: null,
): ToolIterator<[key: T, group: ToolIterator<T>]>;
/** Yields each run of consecutive items for which a function gives the same key. */
export function agroupby<T, K>(
  source: AnyIterable<T>,
  key: ((item: T) => K | PromiseLike<K>) | { readonly key: (item: T) => K | PromiseLike<K> },
): ToolIterator<[key: K, group: ToolIterator<T>]>;
export function agroupby<T, K>(
  source: AnyIterable<T>,
  key: Key<T, K> | { readonly key: Key<T, K> } | null = null,
): ToolIterator<[key: K, group: ToolIterator<T>]> {
  const given = keyword_or_positional<"key", Key<T, K> | null>("agroupby", "key", key);
  const key_of = function_or_null("agroupby", "key", given);
  const groups = new Groups(open(source), key_of);
  const close = async () => void await groups.close();
  return new ToolIterator("agroupby", close, () => groups.next_group());
}
