/**
 * The report of a task to `TaskGroup.start()`.
 *
 * @module
 */

import { RuntimeError } from "./core/exceptions.ts";
import type { Future } from "./core/futures.ts";
import type { AnyTask } from "./core/scope_managers.ts";

/**
 * By this a task that `TaskGroup.start()` has made reports that it has started.
 *
 * @category Structure
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * await asyncio.async_with(new asyncio.TaskGroup(), async (group) => {
 *   const answer = await group.start(async (status: asyncio.TaskStatus<number>) => {
 *     status.started(42);
 *   });
 *   assertEquals(answer, 42);
 * });
 * ```
 */
export class TaskStatus<T = void> {
  readonly #future: Future<T>;
  readonly #on_started: () => void;
  #is_called = false;

  /** @internal Made by `TaskGroup.start()`. */
  constructor(future: Future<T>, on_started: () => void) {
    this.#future = future;
    this.#on_started = on_started;
  }

  /**
   * Ends the wait of `TaskGroup.start()`, which returns the value.
   *
   * @param value any value; nothing, if no value is expected
   * @throws {RuntimeError} if it was called before
   */
  started(...value: undefined extends T ? [value?: T] : [value: T]): void;
  started(value?: T): void {
    if (this.#is_called) {
      throw new RuntimeError("called 'started' twice on the same task status");
    }
    this.#is_called = true;
    this.#on_started();
    if (!this.#future.done()) this.#future.set_result(value as T);
  }

  /** @internal The task has ended. */
  protected _ended(task: AnyTask): void {
    if (this.#is_called || this.#future.done()) return;
    if (task.cancelled()) this.#future.cancel();
    else {
      const error = task.exception();
      this.#future.set_exception(
        task["_has_failed"]
          ? error
          : new RuntimeError("Child exited without calling task_status.started()"),
      );
    }
  }
}
