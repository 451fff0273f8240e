/**
 * Cancelling a task and waiting for its end.
 *
 * @module
 */

import { pass_on_cancellation } from "./core/block_requests.ts";
import type { Scope } from "./core/contracts.ts";
import { running_scope } from "./core/current.ts";
import { is_cancellation } from "./core/cancellation.ts";
import { Listener } from "./core/futures.ts";
import type { AnyTask, Failure } from "./core/scope_managers.ts";
import { repeat_wait } from "./internal/repeated_waits.ts";

/** Waits until a task is done, in a wait that is begun again if it is cancelled; what the task ends with is left to others. */
export function* wait_for_end(task: AnyTask): Generator<unknown, void, unknown> {
  const done = task.get_loop().create_future<void>();
  task["_add_listener"](new Listener(() => done.done() || done.set_result(), "wait_for_end()"));
  yield* repeat_wait(done);
}

/**
 * Cancels a task and waits until it is done, whatever cancellations come meanwhile; returns the latest of them, or `null`.
 * What the task returns or throws is left to the caller.
 */
export function* cancel_and_wait(task: AnyTask): Generator<unknown, Failure | null, unknown> {
  let cancellation: Failure | null = null;
  task.cancel();
  pass_on_cancellation(running_scope() as Scope, [task], false);
  while (!task.done()) {
    try {
      yield* wait_for_end(task);
    } catch (error) {
      if (!is_cancellation(error)) throw error;
      cancellation = { error };
      pass_on_cancellation(running_scope() as Scope, [task], true);
    }
  }
  return cancellation;
}
