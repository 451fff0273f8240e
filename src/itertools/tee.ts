/**
 * Several iterators of one source.
 *
 * @module
 */

import { is_cancelled_error } from "../core/cancellation.ts";
import { ValueError } from "../core/exceptions.ts";
import { create_task, type Task } from "../core/tasks.ts";
import { integer_argument } from "../internal/numbers.ts";
import { wait } from "../waiting.ts";
import { type AnyIterable, open, type Source, type Step } from "./sources.ts";
import { cancel_all } from "./tasks.ts";
import { ToolIterator } from "./tool_iterator.ts";

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
