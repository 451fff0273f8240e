/**
 * Supervisors: tasks that are started again when they fail.
 *
 * @module
 */

import {
  type CoroutineFunction,
  FunctionCoroutine,
  library_coroutine,
} from "../core/coroutines.ts";
import { leaves_the_loop, ValueError } from "../core/exceptions.ts";
import type { AnyTask, Failure } from "../core/scope_managers.ts";
import type { Task } from "../core/tasks.ts";
import { check_function } from "../internal/functions.ts";
import { is_iterable, repr } from "../internal/format_helpers.ts";
import { check_options } from "../internal/options.ts";
import { type AbstractEventLoop, get_running_loop } from "../core/events.ts";
import { TaskGroup } from "../taskgroups.ts";
import { cancel_and_wait } from "../cancel_and_wait.ts";
import { FIRST_COMPLETED, wait } from "../waiting.ts";

/**
 * Which tasks a supervisor starts again when one has failed, as Erlang names them.
 *
 * - `"one_for_one"`: that one alone.
 * - `"one_for_all"`: all of them.
 * - `"rest_for_one"`: that one and those after it in the list.
 *
 * @category Services
 */
export type Strategy = "one_for_one" | "one_for_all" | "rest_for_one";

/**
 * The options of `supervise()`.
 *
 * @category Services
 */
export interface SuperviseOptions {
  /** Which tasks are started again; `"one_for_one"` by default. */
  strategy?: Strategy;
  /** The most failures within the period that it takes, 3 by default. */
  max_restarts?: number;
  /** The period, in seconds of the loop's clock, 5 by default. */
  within?: number;
}

const STRATEGIES: readonly unknown[] = ["one_for_one", "one_for_all", "rest_for_one"];

/**
 * Runs tasks in a group and starts those again that fail.
 *
 * A task that returns, or is cancelled, is over and is not started again. When tasks fail more often than
 * `max_restarts` within the period, the supervisor stops the others and fails with the last error, which fails the
 * group: a fault that does not go away is not hidden.
 *
 * Tasks are stopped one after the other, the last first, and each is waited for; what one throws while it is being
 * stopped goes to the loop's exception handler. Cancelled, the supervisor stops all of them so and is cancelled then.
 *
 * It follows {@link https://www.erlang.org/doc/system/sup_princ.html Erlang's supervisors}, whose children are
 * `transient` here.
 *
 * @param group the group of which the supervisor is a task
 * @param factories async functions or `function*`, started in this order
 * @param options `strategy` (`"one_for_one"`), `max_restarts` (3), `within` (5 seconds)
 * @returns the supervisor's task, which ends when all tasks are over
 * @throws {TypeError} if an option is unknown or of a wrong type, the group is none, or a factory is no function
 * @throws {ValueError} if a number makes no sense
 * @throws {RuntimeError} if the group takes no tasks
 * @category Services
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { supervise } from "@pythonic/asyncio/structured";
 * import { assertEquals } from "@std/assert";
 *
 * let starts = 0;
 * const worker = async () => {
 *   if (++starts < 3) throw new Error("crashed");
 * };
 * await asyncio.async_with(new asyncio.TaskGroup(), async (group) => {
 *   supervise(group, [worker]);
 * });
 * assertEquals(starts, 3);
 * ```
 */
export function supervise(
  group: TaskGroup,
  factories: Iterable<CoroutineFunction<unknown>>,
  options: SuperviseOptions = {},
): Task<void> {
  if (!(group instanceof TaskGroup)) {
    throw new TypeError(
      `Cannot call supervise(): group must be a TaskGroup: received ${repr(group)}`,
    );
  }
  check_options("supervise", options, ["strategy", "max_restarts", "within"]);
  const { strategy = "one_for_one", max_restarts = 3, within = 5 } = options;
  if (!STRATEGIES.includes(strategy)) {
    throw new TypeError(
      'Cannot call supervise(): strategy must be "one_for_one", "one_for_all" or "rest_for_one": ' +
        `received ${repr(strategy)}`,
    );
  }
  if (!is_iterable(factories)) {
    throw new TypeError(
      `Cannot call supervise(): factories must be iterable: received ${repr(factories)}`,
    );
  }
  check_limit("max_restarts", max_restarts);
  check_limit("within", within);
  const children = [...factories].map((factory) => new Child(factory));
  const supervisor = new Supervisor(children, strategy, max_restarts, within);
  return group.create_task(library_coroutine("supervise", supervisor.run()));
}

function check_limit(name: string, value: unknown): void {
  if (typeof value !== "number" || Number.isNaN(value)) {
    throw new TypeError(
      `Cannot call supervise(): ${name} must be a number: received ${repr(value)}`,
    );
  }
  if (value < 0) {
    throw new ValueError(`Cannot call supervise(): ${name} must be 0 or more: received ${value}`);
  }
}

/** A task that is supervised. */
class Child {
  readonly factory: CoroutineFunction<unknown>;
  /** Its present task; `null` before the first and when it is over. */
  task: AnyTask | null = null;

  constructor(factory: CoroutineFunction<unknown>) {
    check_function("supervise", "a factory", factory);
    this.factory = factory;
  }

  start(loop: AbstractEventLoop): void {
    const { factory } = this;
    this.task = loop.create_task(new FunctionCoroutine(factory.name, factory));
  }
}

class Supervisor {
  readonly #children: readonly Child[];
  readonly #strategy: Strategy;
  readonly #max_restarts: number;
  readonly #within: number;
  // When tasks have failed, as far as that is not longer ago than the period.
  #failures: number[] = [];

  constructor(
    children: readonly Child[],
    strategy: Strategy,
    max_restarts: number,
    within: number,
  ) {
    this.#children = children;
    this.#strategy = strategy;
    this.#max_restarts = max_restarts;
    this.#within = within;
  }

  *run(): Generator<unknown, void, unknown> {
    const loop = get_running_loop();
    try {
      for (const child of this.#children) child.start(loop);
      for (;;) {
        const ended = this.#children.find(({ task }) => task !== null && task.done());
        if (ended !== undefined) {
          yield* this.#note_ended(ended, loop);
          continue;
        }
        const running = this.#children.flatMap(({ task }) => task === null ? [] : [task]);
        if (running.length === 0) return;
        yield* wait(running, { return_when: FIRST_COMPLETED });
      }
    } finally {
      yield* this.#stop(this.#children);
    }
  }

  *#note_ended(child: Child, loop: AbstractEventLoop): Generator<unknown, void, unknown> {
    const task = child.task as AnyTask;
    child.task = null;
    if (task.cancelled() || !task["_has_failed"]) return;
    const error = task.exception();
    if (leaves_the_loop(error)) throw error;
    const now = loop.time();
    this.#failures = [...this.#failures.filter((time) => time > now - this.#within), now];
    if (this.#failures.length > this.#max_restarts) throw error;
    const others = this.#others(child).filter(({ task }) => task !== null);
    yield* this.#stop(others);
    for (const each of this.#children) {
      if (each === child || others.includes(each)) each.start(loop);
    }
  }

  /** The tasks that are started again with one that has failed. */
  #others(child: Child): readonly Child[] {
    switch (this.#strategy) {
      case "one_for_one":
        return [];
      case "one_for_all":
        return this.#children;
      case "rest_for_one":
        return this.#children.slice(this.#children.indexOf(child) + 1);
    }
  }

  // The tasks stop one after the other, the last first; a cancellation meanwhile is thrown when all have stopped.
  *#stop(children: readonly Child[]): Generator<unknown, void, unknown> {
    let cancellation: Failure | null = null;
    for (const child of [...children].reverse()) {
      const { task } = child;
      if (task === null) continue;
      child.task = null;
      cancellation = (yield* cancel_and_wait(task)) ?? cancellation;
      if (!task.cancelled() && task["_has_failed"]) report(task);
    }
    if (cancellation !== null) throw cancellation.error;
  }
}

function report(task: AnyTask): void {
  task.get_loop().call_exception_handler({
    message: `Task ${task.get_name()} failed while its supervisor stopped it`,
    exception: task.exception(),
    task,
  });
}
