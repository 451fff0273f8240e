/**
 * Hands work from one place of the host to a loop, and from a loop to an executor.
 *
 * @module
 */

import { ConcurrentFuture } from "./core/concurrent_futures.ts";
import { copy_context } from "./core/contextvars.ts";
import {
  type Coroutine,
  type CoroutineLike,
  library_coroutine,
  to_coroutine,
} from "./core/coroutines.ts";
import { type AbstractEventLoop, check_loop, get_running_loop } from "./core/events.ts";
import { repr } from "./internal/format_helpers.ts";
import { check_function } from "./internal/functions.ts";
import { check_bound } from "./internal/unbound.ts";
import type { Future } from "./core/futures.ts";
import { ensure_future } from "./core/tasks.ts";

/**
 * Schedules a coroutine on a loop, from outside of it.
 *
 * See {@link https://docs.python.org/3/library/asyncio-task.html#asyncio.run_coroutine_threadsafe Python's run_coroutine_threadsafe}.
 *
 * @param coro a coroutine, or a function or generator object that has not started
 * @param loop the loop whose task it becomes
 * @returns a promise of its result that can be queried and cancelled from anywhere
 * @throws {TypeError} if `coro` is not a coroutine, or `loop` no event loop
 * @throws {RuntimeError} if the loop is closed
 * @category Host
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * const loop = asyncio.new_event_loop();
 * const running = loop.run_forever();
 * assertEquals(await asyncio.run_coroutine_threadsafe(asyncio.sleep(0, 5), loop), 5);
 * loop.call_soon_threadsafe(() => loop.stop());
 * await running;
 * loop.close();
 * ```
 */
export function run_coroutine_threadsafe<T>(
  coro: CoroutineLike<T>,
  loop: AbstractEventLoop,
): ConcurrentFuture<T> {
  check_loop("run_coroutine_threadsafe", loop);
  const coroutine = to_coroutine<T>(coro);
  if (coroutine === null) {
    throw new TypeError(`A coroutine object is required: received ${repr(coro)}`);
  }
  const result = new ConcurrentFuture<T>();
  const start = () => {
    if (result.cancelled()) return coroutine.close();
    try {
      const task = ensure_future(coroutine, { loop });
      task["_add_done_callback"]((task) => {
        if (task.cancelled()) result.cancel();
        else settle(result, task);
      }, "_chain_future.<locals>._call_set_state()");
      result.add_done_callback(() => {
        if (result.cancelled() && !loop.is_closed()) loop.call_soon_threadsafe(() => task.cancel());
      });
    } catch (error) {
      result["_set_exception"](error);
      throw error;
    }
  };
  try {
    loop.call_soon_threadsafe(start);
  } catch (error) {
    coroutine.close();
    throw error;
  }
  return result;
}

function settle<T>(result: ConcurrentFuture<T>, task: Future<T>): void {
  let value: T;
  try {
    value = task.result();
  } catch (error) {
    result["_set_exception"](error);
    return;
  }
  result["_set_result"](value);
}

/**
 * Runs a function in a later turn of this thread, in the current context: nothing runs in parallel. With the name of an
 * export in the place of the function it is called in the pool that `loop.set_default_executor()` was given.
 *
 * JavaScript cannot move a function to another thread, where Python would run it. While the function runs
 * everything else is held up, and cancelling the wait does not stop it. A call by name runs in a worker of
 * the {@linkcode WorkerPoolExecutor}, and cancelling the wait ends it.
 *
 * See {@link https://docs.python.org/3/library/asyncio-task.html#asyncio.to_thread Python's to_thread}.
 *
 * @param func the function, or the name of an export
 * @param args its arguments
 * @returns what the function returns
 * @throws {TypeError} if it is neither, or of the wrong kind for the default executor, or a method of the library
 * without its object
 * @category Host
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(await asyncio.to_thread((a: number, b: number) => a + b, 1, 2), 3);
 *
 * await asyncio.run(async () => {
 *   const work = "data:text/javascript,export const add = (a, b) => a + b";
 *   asyncio.get_running_loop().set_default_executor(new asyncio.WorkerPoolExecutor(work));
 *   assertEquals(await asyncio.to_thread("add", 1, 2), 3);
 * });
 * ```
 */
export function to_thread<A extends unknown[], R>(
  func: (...args: A) => R,
  ...args: A
): Coroutine<Awaited<R>>;
/**
 * Calls an export of the default executor's module by name.
 *
 * @typeParam F the type of the export: `to_thread<typeof work.resize>("resize", image, 200)`
 * @param func the name of the export
 * @param args its arguments
 * @returns what it returns
 * @throws {TypeError} if the default executor takes no names
 * @category Host
 */
export function to_thread<
  F extends (...args: never[]) => unknown = (...args: unknown[]) => unknown,
>(func: string, ...args: Parameters<F>): Coroutine<Awaited<ReturnType<F>>>;
export function to_thread(
  func: ((...args: unknown[]) => unknown) | string,
  ...args: unknown[]
): Coroutine<unknown> {
  if (typeof func !== "string") {
    check_function("to_thread", "func", func);
    check_bound("to_thread", func);
  }
  return library_coroutine("to_thread", run_in_default_executor(func, args));
}

function* run_in_default_executor(
  func: ((...args: unknown[]) => unknown) | string,
  args: unknown[],
): Generator<unknown, unknown, unknown> {
  const loop = get_running_loop();
  if (typeof func === "string") return yield* loop.run_in_executor(null, func, ...args);
  const context = copy_context();
  return yield* loop.run_in_executor(null, () => context.run(func, ...args));
}
