/**
 * Task groups: tasks that end before the block that made them does.
 *
 * @module
 */

import {
  cancel_block,
  pass_on_cancellation,
  request_again,
  request_cancellation,
  requests_seen_from,
  take_back,
} from "./core/block_requests.ts";
import type { Scope, TaskCore } from "./core/contracts.ts";
import {
  type Coroutine,
  type CoroutineLike,
  FunctionCoroutine,
  iscoroutine,
  library_coroutine,
  type NotStarted,
} from "./core/coroutines.ts";
import { add_origin, type Origin, origin_of_call } from "./core/origins.ts";
import { type Failure, ScopeManager } from "./core/scope_managers.ts";
import { keyword_or_value, NO_OPTIONS } from "./internal/options.ts";
import { repeat_wait } from "./internal/repeated_waits.ts";
import { check_object } from "./internal/unbound.ts";
import { type AbstractEventLoop, get_running_loop } from "./core/events.ts";
import { repr } from "./internal/format_helpers.ts";
import { cancel_because, cancel_each, is_cancellation } from "./core/cancellation.ts";
import { BaseExceptionGroup, leaves_the_loop, RuntimeError } from "./core/exceptions.ts";
import { type Future, Listener } from "./core/futures.ts";
import type { Task, TaskOptions } from "./core/tasks.ts";
import { TaskStatus } from "./task_status.ts";
import { cancel_and_wait } from "./cancel_and_wait.ts";

type AnyTask = Task<unknown>;

/**
 * A function that `TaskGroup.start()` calls.
 *
 * @category Structure
 */
export type StartFunction<V, A extends unknown[]> = (
  status: TaskStatus<V>,
  ...args: A
) => PromiseLike<unknown> | Generator<unknown, unknown, unknown>;

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
  // True once `cancel()` was called, with its message.
  #cancel_called = false;
  #message: unknown = undefined;
  // Why it cancels its tasks.
  #why = "";
  readonly #tasks = new Set<AnyTask>();
  // The tasks for which `start()` waits.
  readonly #starting = new Set<AnyTask>();
  readonly #listener = new Listener<unknown>(
    (task) => this.#on_task_done(task as AnyTask),
    "TaskGroup._on_task_done()",
    this,
  );
  #errors: unknown[] = [];
  // A KeyboardInterrupt goes before all other errors.
  #base_error: { error: unknown } | null = null;
  #all_done: Future<void> | null = null;
  // Where it was made.
  readonly #origin: Origin = origin_of_call(TaskGroup);
  /**
   * Not there: `await using` passes no error that leaves its block to a group, so that its tasks would not be
   * cancelled. It is entered by `async_with()`.
   */
  declare readonly [Symbol.asyncDispose]?: never;

  /** @internal */
  protected override _enter(scope: Scope | null): void {
    if (this.#entered) throw new RuntimeError(`TaskGroup ${this} has already been entered`);
    if (scope === null) {
      throw new RuntimeError(`TaskGroup ${this} cannot determine the parent task`);
    }
    this.#loop ??= scope._loop as unknown as AbstractEventLoop;
    this.#scope = scope;
    this.#entered = true;
    if (this.#cancel_called) this.#cancel_all();
  }

  /** Ends the block, with the error that left it or `null`: waits for all tasks. A true result swallows the error. */
  override __aexit__(error: unknown): Coroutine<void> {
    return library_coroutine(
      "TaskGroup.__aexit__",
      this.#exit(this._failure_of(error)),
    ) as Coroutine<unknown> as Coroutine<void>;
  }

  /** @internal The task whose block waits for the tasks of the group. */
  protected get _awaiting_task(): TaskCore | null {
    return this.#scope?._owner ?? null;
  }

  /** @internal */
  protected override get _has_own_exit(): boolean {
    return this.__aexit__ === TaskGroup.prototype.__aexit__;
  }

  *#exit(failure: Failure | null): Generator<unknown, boolean, unknown> {
    try {
      return yield* this.#wait_for_tasks(failure);
    } finally {
      this.#scope = null;
      this.#errors = [];
      this.#base_error = null;
    }
  }

  *#wait_for_tasks(failure: Failure | null): Generator<unknown, boolean, unknown> {
    const scope = this.#scope as Scope;
    this.#exiting = true;
    if (failure !== null && leaves_the_loop(failure.error)) this.#base_error ??= failure;
    const is_cancelled = failure !== null && is_cancellation(failure.error);
    let cancellation: Failure | null = is_cancelled ? failure : null;
    let latest: Failure | null = null;
    if (failure !== null && !this.#aborting) {
      this.#abort(
        is_cancelled ? "its block was cancelled" : `its block has failed: ${repr(failure.error)}`,
      );
    }
    while (this.#tasks.size > 0) {
      const all_done = this.#all_done ??= (this.#loop as AbstractEventLoop).create_future<void>();
      if (this.#aborting) repeat_wait(all_done);
      try {
        yield* all_done;
      } catch (error) {
        if (!is_cancellation(error)) throw error;
        latest = { error };
        // A second cancellation while the tasks are being cancelled changes nothing for them.
        if (this.#aborting) pass_on_cancellation(scope, this.#tasks, true);
        else {
          cancellation = { error };
          this.#abort("its block was cancelled");
        }
      }
      this.#all_done = null;
    }
    if (this.#base_error !== null) throw this.#base_error.error;
    if (this.#cancelled_parent) {
      // Zero if the group itself had cancelled the block, and nothing else.
      cancellation = take_back(scope) === 0 ? null : cancellation ?? latest;
    }
    if (cancellation !== null && this.#errors.length === 0) throw cancellation.error;
    if (failure !== null && !is_cancelled) this.#errors.push(failure.error);
    if (this.#errors.length > 0) {
      // A cancellation from outside is not forgotten: the next await of the parent throws it.
      if (requests_seen_from(scope) > 0) request_again(scope);
      throw add_origin(
        new BaseExceptionGroup("unhandled errors in a TaskGroup", this.#errors),
        this.#origin,
      );
    }
    return true;
  }

  /**
   * Makes a task of the group.
   *
   * @param coro a coroutine, or a function or generator object that has not started
   * @param options `name`, `context`, `eager_start`
   * @returns the task
   * @throws {RuntimeError} if the group is not entered, or is finished, or is being cancelled; the coroutine is closed
   */
  create_task<T>(coro: CoroutineLike<T, NotStarted>, options: TaskOptions = NO_OPTIONS): Task<T> {
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
    (task as AnyTask)["_add_listener"](this.#listener);
    // A task that has been started eagerly may have cancelled the group.
    if (this.#aborting && !task.done()) {
      cancel_because(reason_of(this.#why), () => task.cancel(this.#message));
    }
    return task;
  }

  /**
   * Makes a task of the group and waits until it reports that it has started: a server that listens.
   *
   * The function is called with a {@linkcode TaskStatus}, whose `started(value)` ends the wait; the task runs on
   * in the group. Cancelled while it waits, it cancels the task, waits for it, and throws the cancellation.
   *
   * It is AnyIO's and Trio's; Python's TaskGroup does not have it.
   *
   * @param fn an async function or `function*`; its first argument is the status
   * @param args its further arguments
   * @returns a coroutine of what was given to `status.started()`
   * @throws {RuntimeError} if the task ends without having called `status.started()`, or the group takes no tasks
   * @throws {TypeError} if `fn` is no function
   * @throws what the task throws before it calls `status.started()`; the group then continues
   *
   * @example
   * ```ts
   * import * as asyncio from "@pythonic/asyncio";
   * import { assertEquals } from "@std/assert";
   *
   * const serve = async (status: asyncio.TaskStatus<number>, port: number) => {
   *   await asyncio.sleep(0.001);
   *   status.started(port);
   *   await asyncio.sleep(60);
   * };
   * await asyncio.async_with(new asyncio.TaskGroup(), async (group) => {
   *   assertEquals(await group.start(serve, 8080), 8080);
   *   group.cancel();
   * });
   * ```
   */
  start<V, A extends unknown[]>(fn: StartFunction<V, A>, ...args: A): Coroutine<V> {
    if (typeof fn !== "function") {
      throw new TypeError(`Cannot start a task: fn must be a function: received ${repr(fn)}`);
    }
    return library_coroutine("TaskGroup.start", this.#start(fn, args));
  }

  *#start<V, A extends unknown[]>(
    fn: StartFunction<V, A>,
    args: A,
  ): Generator<unknown, V, unknown> {
    const loop = this.#loop ?? get_running_loop();
    const started = loop.create_future<V>();
    const status = new TaskStatus<V>(started, () => this.#starting.delete(task));
    const start = new FunctionCoroutine(fn.name, () => fn(status, ...args));
    const task = this.create_task(start) as AnyTask;
    // Until it has started, its error is thrown here and is none of the group.
    this.#starting.add(task);
    task["_add_listener"](new Listener(() => status["_ended"](task), "TaskStatus._ended()"));
    try {
      return yield* started;
    } catch (error) {
      this.#starting.delete(task);
      if (is_cancellation(error) && !task.done()) {
        yield* cancel_and_wait(task);
      }
      throw error;
    }
  }

  /**
   * Cancels the group: its tasks, and its block where it waits. The block then ends without an error.
   *
   * Errors that tasks or the block throw meanwhile come as an {@linkcode ExceptionGroup}, and a cancellation from
   * outside stays one. Called before the group is entered, it cancels the group on entry; called again, or after
   * the group has ended, it does nothing.
   *
   * It is that of CPython's main branch, with a message.
   *
   * @param msg the message of the errors that cancel the tasks and the block. By name: `{ msg }`
   *
   * @example
   * ```ts
   * import * as asyncio from "@pythonic/asyncio";
   * import { assert } from "@std/assert";
   *
   * await asyncio.async_with(new asyncio.TaskGroup(), async (group) => {
   *   const ticker = group.create_task(asyncio.sleep(60));
   *   await asyncio.sleep(0.001);
   *   group.cancel();
   *   await asyncio.wait([ticker]).catch(() => assert(true));
   * });
   * ```
   */
  cancel(this: object, msg?: unknown): void;
  cancel(msg?: unknown): void {
    check_object(this instanceof TaskGroup, "cancel");
    if (!this.#cancel_called) this.#message = keyword_or_value("msg", msg);
    this.#cancel_called = true;
    if (!this.#entered || (this.#exiting && this.#tasks.size === 0)) return;
    this.#cancel_all();
  }

  #cancel_all(): void {
    if (this.#aborting) return;
    const why = "its cancel() was called";
    this.#abort(why, this.#message);
    const scope = this.#scope;
    if (scope === null || this.#cancelled_parent) return;
    this.#cancelled_parent = true;
    cancel_because(reason_of(why), () => request_cancellation(scope, this.#message));
  }

  /**
   * Cancels the tasks; what their `cancel()` throws is reported.
   *
   * @param why what their errors say, if there is no message
   */
  #abort(why: string, message?: unknown): void {
    this.#aborting = true;
    this.#why = why;
    const cancel = (task: AnyTask) => task.done() || task.cancel(message);
    try {
      cancel_because(reason_of(why), () => cancel_each(this.#tasks, cancel));
    } catch (exception) {
      const message = `Exception in cancel() of a task of ${this}`;
      this.#loop?.call_exception_handler({ message, exception });
    }
    if (this.#scope !== null) pass_on_cancellation(this.#scope, this.#tasks, false);
  }

  #on_task_done(task: AnyTask): void {
    this.#tasks.delete(task);
    if (this.#tasks.size === 0 && this.#all_done !== null && !this.#all_done.done()) {
      this.#all_done.set_result();
    }
    if (task.cancelled() || !task["_has_failed"] || this.#starting.has(task)) return;
    const error = task.exception();
    this.#errors.push(error);
    if (leaves_the_loop(error)) this.#base_error ??= { error };
    const parent = this.#scope?._owner as unknown as AnyTask ?? null;
    // A block may end after the task in which it was entered; one entered by hand ends with it.
    if (parent === null || (parent.done() && this.#scope === parent as unknown as Scope)) {
      task.get_loop().call_exception_handler({
        message: `Task ${task} has errored out but its parent task ${parent} is already completed`,
        exception: error,
        task,
      });
      return;
    }
    if (!this.#aborting && !this.#cancelled_parent) {
      // The block is cancelled where it waits, or by the wait at its end.
      const why = `task ${repr(task.get_name())} has failed: ${repr(error)}`;
      this.#abort(why);
      this.#cancelled_parent = true;
      cancel_because(reason_of(why), () => cancel_block(this.#scope as Scope));
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

function reason_of(why: string): string {
  return `cancelled by a TaskGroup: ${why}`;
}
