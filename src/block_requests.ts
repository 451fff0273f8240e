/**
 * Cancellations of blocks: requested by a block's own code, and passed on to the tasks that it waits for.
 *
 * @module
 */

import { CancellationState } from "./core/cancellation_state.ts";
import type { Scope, TaskCore } from "./core/contracts.ts";
import type { AnyTask } from "./core/scope_managers.ts";

/**
 * Passes the cancellation of a block that cancels every wait in it on to tasks which have been cancelled.
 *
 * @param is_repeated whether they were cancelled earlier, and may have dealt with that
 */
export function pass_on_cancellation(
  scope: Scope,
  tasks: Iterable<AnyTask>,
  is_repeated: boolean,
): void {
  const state = (scope._owner as unknown as AnyTask)["_cancellation_state"];
  state?.policy?.pass_on(scope, tasks as Iterable<unknown> as Iterable<TaskCore>, is_repeated);
}

/**
 * Requests the cancellation of a block, by a method that its own code may call: then, as with
 * `task.cancel()`, an await that need not wait does not throw it, nor does the end of the body.
 */
export function request_cancellation(scope: Scope, message: unknown): void {
  const task = scope._owner as unknown as AnyTask;
  const state = task["_cancellation_state"] ??= new CancellationState();
  if (scope !== task as unknown as Scope) state.add_request(scope);
  state.target = scope;
  state.is_new_request = false;
  try {
    task.cancel(message);
  } finally {
    state.target = null;
  }
}
