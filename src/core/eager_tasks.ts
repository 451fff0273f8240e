/**
 * Task factories whose tasks start at once.
 *
 * @module
 */

import type { AbstractEventLoop } from "./events.ts";
import type { CoroutineLike } from "./coroutines.ts";
import { Task, type TaskFactory, type TaskOptions } from "./tasks.ts";

/**
 * A function that makes tasks by a class, or another function, with an option `eager_start`.
 *
 * @category Tasks
 */
export type TaskConstructor =
  | (new <T>(
    coro: CoroutineLike<T>,
    options: TaskOptions & { loop?: AbstractEventLoop | null },
  ) => Task<T>)
  | (<T>(
    coro: CoroutineLike<T>,
    options: TaskOptions & { loop?: AbstractEventLoop | null },
  ) => Task<T>);

/**
 * Makes a task factory whose tasks start at once, in the step of the code that creates them.
 *
 * See {@link https://docs.python.org/3/library/asyncio-task.html#asyncio.create_eager_task_factory Python's create_eager_task_factory}.
 *
 * @param custom_task_constructor a subclass of {@linkcode Task}, or a function like its constructor
 * @returns a factory for `loop.set_task_factory()`
 * @category Tasks
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * class NamedTask<T> extends asyncio.Task<T> {}
 * await asyncio.run(async () => {
 *   const loop = asyncio.get_running_loop();
 *   loop.set_task_factory(asyncio.create_eager_task_factory(NamedTask));
 *   const task = asyncio.create_task(function* () {
 *     return 1;
 *   });
 *   assertEquals(task.done(), true);
 * });
 * ```
 */
export function create_eager_task_factory(custom_task_constructor: TaskConstructor): TaskFactory {
  const is_class = custom_task_constructor === Task ||
    custom_task_constructor.prototype instanceof Task;
  return (loop, coro, options) => {
    const all = { eager_start: true, ...options, loop };
    return is_class
      ? new (custom_task_constructor as typeof Task)(coro, all)
      : (custom_task_constructor as <T>(coro: CoroutineLike<T>, options: object) => Task<T>)(
        coro,
        all,
      );
  };
}

/**
 * A task factory whose tasks start at once, in the step of the code that creates them.
 *
 * See {@link https://docs.python.org/3/library/asyncio-task.html#asyncio.eager_task_factory Python's eager_task_factory}.
 *
 * @category Tasks
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * await asyncio.run(async () => {
 *   asyncio.get_running_loop().set_task_factory(asyncio.eager_task_factory);
 *   const order: string[] = [];
 *   asyncio.create_task(async () => order.push("task"));
 *   order.push("creator");
 *   assertEquals(order, ["task", "creator"]);
 * });
 * ```
 */
export const eager_task_factory: TaskFactory = create_eager_task_factory(Task);
