/**
 * Requests of a block's own code to cancel the block.
 *
 * @module
 */

import { CancellationState } from "./core/cancellation_state.ts";
import type { Scope } from "./core/contracts.ts";
import type { AnyTask } from "./core/scope_managers.ts";

/**
 * Requests the cancellation of a block, by a method that its own code may call: then, as with
 * `task.cancel()`, an await that need not wait does not throw it, nor does the end of the body.
 */
export function request_cancellation(scope: Scope, message: unknown): void {
  const task = scope._owner as AnyTask;
  const state = task._cancellation_state ??= new CancellationState();
  if (scope !== task as Scope) state.add_request(scope);
  state.target = scope;
  state.is_new_request = false;
  try {
    task.cancel(message);
  } finally {
    state.target = null;
  }
}
