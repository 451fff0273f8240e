/**
 * Waiting for a task that has been cancelled.
 *
 * @module
 */

import { is_cancellation } from "./core/cancellation.ts";
import { Listener } from "./core/futures.ts";
import type { AnyTask, Failure } from "./core/scope_managers.ts";
import { repeat_wait } from "./internal/repeated_waits.ts";

/**
 * Waits until a task is done, whatever cancellations come meanwhile; returns the latest of them, or `null`.
 * What the task returns or throws is left to the caller.
 */
export function* until_done(task: AnyTask): Generator<unknown, Failure | null, unknown> {
  let cancellation: Failure | null = null;
  while (!task.done()) {
    const done = task.get_loop().create_future<void>();
    task._add_listener(new Listener(() => done.done() || done.set_result(), "until_done()"));
    try {
      yield* repeat_wait(done);
    } catch (error) {
      if (!is_cancellation(error)) throw error;
      cancellation = { error };
    }
  }
  return cancellation;
}
