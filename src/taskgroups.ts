/**
 * Task groups: tasks that end before the block that made them does.
 *
 * @module
 */

import type { Scope } from "./core/contracts.ts";
import {
  type Coroutine,
  type CoroutineLike,
  iscoroutine,
  library_coroutine,
} from "./core/coroutines.ts";
import { add_origin, type Origin, origin_of_call } from "./core/origins.ts";
import { type Failure, ScopeManager, take_back } from "./core/scope_managers.ts";
import type { AbstractEventLoop } from "./core/events.ts";
import { is_cancellation } from "./core/cancellation.ts";
import { BaseExceptionGroup, leaves_the_loop, RuntimeError } from "./core/exceptions.ts";
import { type Future, Listener } from "./core/futures.ts";
import { NO_OPTIONS, type Task, type TaskOptions } from "./core/tasks.ts";

type AnyTask = Task<unknown>;

/**
 * A group of tasks: the block that it is entered by waits for all of them.
 *
 * When one fails, the others and the block are cancelled, and all errors are thrown together as an
 * {@linkcode ExceptionGroup}. When the block is cancelled, so are the tasks, in the order of creation.
 *
 * See {@link https://docs.python.org/3/library/asyncio-task.html#task-groups Python's TaskGroup}.
 *
 * @category Structure
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * const results = await asyncio.async_with(new asyncio.TaskGroup(), async (group) => {
 *   const one = group.create_task(asyncio.sleep(0.001, 1));
 *   const two = group.create_task(asyncio.sleep(0.001, 2));
 *   return [one, two];
 * });
 * assertEquals(results.map((task) => task.result()), [1, 2]);
 * ```
 */
export class TaskGroup extends ScopeManager {
  #entered = false;
  #exiting = false;
  #aborting = false;
  #loop: AbstractEventLoop | null = null;
  #scope: Scope | null = null;
  #cancelled_parent = false;
  readonly #tasks = new Set<AnyTask>();
  readonly #listener = new Listener<unknown>(
    (task) => this.#on_task_done(task as AnyTask),
    "TaskGroup._on_task_done()",
  );
  #errors: unknown[] = [];
  // A KeyboardInterrupt goes before all other errors.
  #base_error: { error: unknown } | null = null;
  #all_done: Future<void> | null = null;
  // Where it was made.
  readonly #origin: Origin = origin_of_call(TaskGroup);
  /**
   * Not there: `await using` does not tell a group of the error that leaves its block, so that its tasks would
   * not be cancelled. It is entered by `async_with()`.
   */
  declare readonly [Symbol.asyncDispose]?: never;

  /** @internal */
  override _enter(scope: Scope | null): void {
    if (this.#entered) throw new RuntimeError(`TaskGroup ${this} has already been entered`);
    if (scope === null) {
      throw new RuntimeError(`TaskGroup ${this} cannot determine the parent task`);
    }
    this.#loop ??= scope._loop as AbstractEventLoop;
    this.#scope = scope;
    this.#entered = true;
  }

  /** Ends the block, with the error that left it or `null`: waits for all tasks. */
  override __aexit__(error: unknown): Coroutine<void> {
    return library_coroutine(
      "TaskGroup.__aexit__",
      this.#exit(this._failure_of(error)),
    );
  }

  /** @internal */
  override get _has_own_exit(): boolean {
    return this.__aexit__ === TaskGroup.prototype.__aexit__;
  }

  *#exit(failure: Failure | null): Generator<unknown, void, unknown> {
    try {
      yield* this.#wait_for_tasks(failure);
    } finally {
      this.#scope = null;
      this.#errors = [];
      this.#base_error = null;
    }
  }

  *#wait_for_tasks(failure: Failure | null): Generator<unknown, void, unknown> {
    const scope = this.#scope as Scope;
    const parent = scope._owner as AnyTask;
    this.#exiting = true;
    if (failure !== null && leaves_the_loop(failure.error)) this.#base_error ??= failure;
    const is_cancelled = failure !== null && is_cancellation(failure.error);
    let cancellation: Failure | null = is_cancelled ? failure : null;
    if (failure !== null && !this.#aborting) this.#abort();
    while (this.#tasks.size > 0) {
      this.#all_done ??= (this.#loop as AbstractEventLoop).create_future<void>();
      try {
        yield* this.#all_done;
      } catch (error) {
        if (!is_cancellation(error)) throw error;
        // A second cancellation while the tasks are being cancelled changes nothing for them.
        if (!this.#aborting) {
          cancellation = { error };
          this.#abort();
        }
      }
      this.#all_done = null;
    }
    if (this.#base_error !== null) throw this.#base_error.error;
    if (this.#cancelled_parent && take_back(scope) === 0) {
      // The group itself had cancelled the block, and nothing else.
      cancellation = null;
    }
    if (cancellation !== null && this.#errors.length === 0) throw cancellation.error;
    if (failure !== null && !is_cancelled) this.#errors.push(failure.error);
    if (this.#errors.length > 0) {
      // A cancellation from outside is not forgotten: the next await of the parent throws it.
      if (parent._cancelling_seen_from(scope) > 0) {
        const requester = parent._cancellation_state?.requester_around(scope) ?? parent;
        parent.uncancel();
        parent._cancel_block(requester, false);
      }
      throw add_origin(
        new BaseExceptionGroup("unhandled errors in a TaskGroup", this.#errors),
        this.#origin,
      );
    }
  }

  /**
   * Makes a task of the group.
   *
   * @param coro a coroutine, or a function or generator object that has not started
   * @param options `name`, `context`, `eager_start`
   * @returns the task
   * @throws {RuntimeError} if the group is not entered, or is finished, or is being cancelled; the coroutine is closed
   */
  create_task<T>(coro: CoroutineLike<T>, options: TaskOptions = NO_OPTIONS): Task<T> {
    const reason = !this.#entered
      ? "has not been entered"
      : this.#exiting && this.#tasks.size === 0
      ? "is finished"
      : this.#aborting
      ? "is shutting down"
      : null;
    if (reason !== null) {
      if (iscoroutine(coro)) coro.close();
      throw new RuntimeError(`TaskGroup ${this} ${reason}`);
    }
    const task = (this.#loop as AbstractEventLoop).create_task(coro, options);
    this.#tasks.add(task as AnyTask);
    (task as AnyTask)._add_listener(this.#listener);
    return task;
  }

  #abort(): void {
    this.#aborting = true;
    for (const task of this.#tasks) {
      if (!task.done()) task.cancel();
    }
  }

  #on_task_done(task: AnyTask): void {
    this.#tasks.delete(task);
    if (this.#tasks.size === 0 && this.#all_done !== null && !this.#all_done.done()) {
      this.#all_done.set_result();
    }
    if (task.cancelled()) return;
    if (!task._has_failed) return;
    const error = task.exception();
    this.#errors.push(error);
    if (leaves_the_loop(error)) this.#base_error ??= { error };
    const parent = this.#scope?._owner as AnyTask ?? null;
    // A block may end after the task in which it was entered; one entered by hand ends with it.
    if (parent === null || (parent.done() && this.#scope === parent as Scope)) {
      task.get_loop().call_exception_handler({
        message: `Task ${task} has errored out but its parent task ${parent} is already completed`,
        exception: error,
        task,
      });
      return;
    }
    if (!this.#aborting && !this.#cancelled_parent) {
      // The block is cancelled where it waits, or by the wait at its end.
      this.#abort();
      this.#cancelled_parent = true;
      parent._cancel_block(this.#scope as Scope, true);
    }
  }

  /** Python's `repr`. */
  override toString(): string {
    const info = ["TaskGroup"];
    if (this.#tasks.size > 0) info.push(`tasks=${this.#tasks.size}`);
    if (this.#errors.length > 0) info.push(`errors=${this.#errors.length}`);
    if (this.#aborting) info.push("cancelling");
    else if (this.#entered) info.push("entered");
    return `<${info.join(" ")}>`;
  }
}
