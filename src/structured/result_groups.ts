/**
 * Task groups that keep the results of their tasks.
 *
 * @module
 */

import { type Coroutine, type CoroutineLike, library_coroutine } from "../core/coroutines.ts";
import type { Task, TaskOptions } from "../core/tasks.ts";
import { Event } from "../locks.ts";
import { TaskGroup } from "../taskgroups.ts";

/**
 * A task group that keeps the results of its tasks: all of them in order at the end, or each as it comes.
 *
 * Everything else is the {@linkcode TaskGroup}'s: an error of one task cancels the others and leaves the block.
 *
 * @category Task groups
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { ResultGroup } from "@pythonic/asyncio/structured";
 * import { assertEquals } from "@std/assert";
 *
 * const squares = new ResultGroup<number>();
 * await asyncio.async_with(squares, async (group) => {
 *   for (const n of [3, 1, 2]) group.create_task(() => asyncio.sleep(n / 1000, n * n));
 * });
 * assertEquals(squares.results(), [9, 1, 4]);
 * ```
 */
export class ResultGroup<T = unknown> extends TaskGroup {
  readonly #tasks: Task<T>[] = [];
  readonly #completed: T[] = [];
  readonly #any_ended = new Event();
  #pending = 0;

  /**
   * Makes a task of the group, whose result is kept; it is to be of the type of the group.
   *
   * @param coro a coroutine, or a function or generator object that has not started
   * @param options `name`, `context`, `eager_start`
   * @returns the task
   * @throws {RuntimeError} if the group is not entered, or is finished, or is being cancelled; the coroutine is closed
   */
  override create_task<U = T>(coro: CoroutineLike<U>, options?: TaskOptions): Task<U> {
    const task = super.create_task(coro, options);
    const kept = task as Task<unknown> as Task<T>;
    this.#tasks.push(kept);
    this.#pending++;
    task.add_done_callback(() => this.#note_ended(kept));
    return task;
  }

  #note_ended(task: Task<T>): void {
    this.#pending--;
    if (!task.cancelled() && !task["_has_failed"]) this.#completed.push(task.result());
    this.#any_ended.set();
    this.#any_ended.clear();
  }

  /**
   * Returns the results of all tasks, in the order in which the tasks were made.
   *
   * Tasks that `start()` has made are not among them.
   *
   * @throws {InvalidStateError} if a task is not done: the block has not ended
   * @throws {CancelledError} if a task was cancelled
   * @throws the error of the first task that has failed
   */
  results(): T[] {
    return this.#tasks.map((task) => task.result());
  }

  /**
   * Iterates over the results in the order in which tasks end, from the first; for use in the block, or in a task that is
   * none of the group: it would wait for itself.
   *
   * It waits while tasks are left, those made meanwhile included, and leaves out those that fail or are cancelled: a
   * failure cancels the block anyway. A cancelled wait loses no result.
   *
   * @example
   * ```ts
   * import * as asyncio from "@pythonic/asyncio";
   * import { ResultGroup } from "@pythonic/asyncio/structured";
   * import { assertEquals } from "@std/assert";
   *
   * const seen: number[] = [];
   * await asyncio.async_with(new ResultGroup<number>(), async (group) => {
   *   for (const n of [3, 1, 2]) group.create_task(() => asyncio.sleep(n / 100, n));
   *   for await (const n of group.as_completed()) seen.push(n);
   * });
   * assertEquals(seen, [1, 2, 3]);
   * ```
   */
  as_completed(): AsyncIterableIterator<T> {
    let next = 0;
    const wait_for_next = function* (
      this: ResultGroup<T>,
    ): Generator<unknown, IteratorResult<T>, unknown> {
      while (next >= this.#completed.length) {
        if (this.#pending === 0) return { done: true, value: undefined };
        yield* this.#any_ended.wait();
      }
      return { done: false, value: this.#completed[next++] as T };
    };
    return {
      next: (): Coroutine<IteratorResult<T>> =>
        library_coroutine("ResultGroup.as_completed", wait_for_next.call(this)),
      [Symbol.asyncIterator]() {
        return this;
      },
    };
  }
}
