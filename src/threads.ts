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
    throw new TypeError(`A coroutine object is required, received ${repr(coro)}`);
  }
  const result = new ConcurrentFuture<T>();
  const start = () => {
    if (result.cancelled()) return coroutine.close();
    try {
      const task = ensure_future(coroutine, { loop });
      task._add_done_callback((task) => {
        if (task.cancelled()) result.cancel();
        else settle(result, task);
      }, "_chain_future.<locals>._call_set_state()");
      result.add_done_callback(() => {
        if (result.cancelled() && !loop.is_closed()) loop.call_soon_threadsafe(() => task.cancel());
      });
    } catch (error) {
      result._set_exception(error);
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
    result._set_exception(error);
    return;
  }
  result._set_result(value);
}

/**
 * Runs a function in the default executor, in the current context.
 *
 * JavaScript cannot move a function to another thread: unless another executor is set by
 * `loop.set_default_executor()`, it runs in a later turn of this thread, where it holds up
 * everything else as long as it runs. Cancelling the wait does not stop the function.
 *
 * See {@link https://docs.python.org/3/library/asyncio-task.html#asyncio.to_thread Python's to_thread}.
 *
 * @param func the function
 * @param args its arguments
 * @returns what the function returns
 * @throws {TypeError} if it is no function
 * @category Host
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(await asyncio.to_thread((a: number, b: number) => a + b, 1, 2), 3);
 * ```
 */
export function to_thread<A extends unknown[], R>(
  func: (...args: A) => R,
  ...args: A
): Coroutine<Awaited<R>> {
  if (typeof func !== "function") {
    throw new TypeError(`to_thread() expects a function, received ${repr(func)}`);
  }
  return library_coroutine("to_thread", run_in_default_executor(func, args));
}

function* run_in_default_executor<A extends unknown[], R>(
  func: (...args: A) => R,
  args: A,
): Generator<unknown, Awaited<R>, unknown> {
  const context = copy_context();
  return yield* get_running_loop().run_in_executor(null, () => context.run(func, ...args));
}
