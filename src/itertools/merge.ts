/**
 * Several sources that are read at the same time.
 *
 * @module
 */

import type { Future } from "../core/futures.ts";
import { create_task, type Task } from "../core/tasks.ts";
import { Deque } from "../internal/deque.ts";
import { Event } from "../locks.ts";
import {
  type AnyIterable,
  close_all,
  END,
  type Item,
  open_all,
  type Source,
  type Step,
} from "./sources.ts";
import { cancel_all, first_error } from "./tasks.ts";
import { some, ToolIterator } from "./tool_iterator.ts";

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
