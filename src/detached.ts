/**
 * Calls that belong to a loop and to no task.
 *
 * @module
 */

import type { LoopCore } from "./core/contracts.ts";
import { copy_context } from "./core/contextvars.ts";
import { Coroutine, is_generator } from "./core/coroutines.ts";
import { enter, restore_turn, running_loop, save_turn } from "./core/current.ts";
import { is_cancellation } from "./core/cancellation.ts";
import { keep_context, run_as } from "./host/async_context.ts";
import { repr } from "./internal/format_helpers.ts";
import type { AbstractEventLoop } from "./core/events.ts";

/**
 * Makes a function whose calls belong to the loop and to no task: for intervals, listeners of emitters, and
 * calls that nothing awaits.
 *
 * A cancellation of the task that makes such a call, or in which the function was made, does not reach it;
 * `current_task()` is `null` in it, before and after its first await. Its awaits are cancelled when the run of
 * the loop ends, so that `finally` blocks run. An error that leaves an asynchronous call goes to the loop's
 * exception handler. It runs in the context variables' context in which `detached()` was called.
 *
 * @param fn an async function, a `function*`, or any function
 * @returns a function of the same parameters and result; a call of a `function*` is a task
 * @throws {TypeError} if it is no function
 * @category Native promises
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * const queue = new asyncio.Queue<number>();
 * await asyncio.run(async () => {
 *   const feed = setInterval(asyncio.detached(async () => await queue.put(1)), 1);
 *   assertEquals(await queue.get(), 1);
 *   clearInterval(feed);
 * });
 * ```
 */
export function detached<A extends unknown[], R>(fn: (...args: A) => R): (...args: A) => R {
  if (typeof fn !== "function") {
    throw new TypeError(`Cannot detach calls: a function is expected: received ${repr(fn)}`);
  }
  const made_in = running_loop() as AbstractEventLoop | null;
  const context = copy_context();
  return function (this: unknown, ...args: A): R {
    const is_open = made_in !== null && !made_in.is_closed();
    const loop = is_open ? made_in : running_loop() as AbstractEventLoop | null;
    const call = () => fn.apply(this, args);
    const turn = save_turn();
    if (loop === null) return run_as(keep_context(), undefined, call, undefined);
    enter(loop as unknown as LoopCore, null, context);
    try {
      const scope = loop["_loop_scope"];
      const result = run_as(keep_context(), scope, call, undefined, scope.own_context);
      return watch(loop, fn.name, result) as R;
    } finally {
      restore_turn(turn);
    }
  };
}

function watch(loop: AbstractEventLoop, name: string, result: unknown): unknown {
  if (result instanceof Coroutine || is_generator(result)) return loop.create_task(result);
  if (result instanceof Promise) {
    result.then(undefined, (exception) => {
      if (is_cancellation(exception)) return;
      const message = `Exception in detached call of ${name || "<lambda>"}()`;
      loop.call_exception_handler({ message, exception });
    });
  }
  return result;
}
