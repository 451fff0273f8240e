/**
 * The cancellation state of a task with shielded or level-triggered scopes.
 *
 * Everything that cancels code finds the code by the chain of scopes around it, from the inside out. So a
 * block is shielded while its scope has no scope around it: what is cancelled further out does not reach
 * its awaits, stays pending, and is thrown at the first wait after the block.
 *
 * @module
 */

import type { PersistentState } from "../block_requests.ts";
import { cancel_with } from "../core/cancellation.ts";
import { cancel_scope, CancellationState, Delivery } from "../core/cancellation_state.ts";
import type { DeliveryCore, Scope, TaskCore, Waitable } from "../core/contracts.ts";
import { runs_now } from "../core/current.ts";
import type { AnyTask } from "../core/scope_managers.ts";
import { OPEN } from "../core/steps.ts";
import { is_repeated_wait } from "../internal/repeated_waits.ts";

// The scopes that are cancelled and throw at every wait, with the reason.
const levels = new WeakMap<Scope, unknown>();

/** Has every wait in a scope throw from now on. */
export function keep_cancelling(scope: Scope, reason: unknown): void {
  levels.set(scope, reason);
}

/** Ends that: the block is over. */
export function stop_cancelling(scope: Scope): void {
  levels.delete(scope);
}

/** Returns the cancellation of the innermost scope, up to the first shield, that throws at every wait. */
function level_delivery(scope: Scope): Delivery | null {
  for (let at: Scope | null = scope; at !== null; at = at._parent) {
    if (levels.has(at)) return new Delivery(at, levels.get(at), false);
  }
  return null;
}

/** Returns what the await that has just begun waits on; `null` where it only waits for its next step. */
function begun_wait(task: AnyTask): Waitable | null {
  const newest = task["_newest"];
  return newest !== null && newest._begun >= task["_begun"] ? newest._waiting : task["_waiting"];
}

/** Returns whether a scope is in a shielded block, or is one. */
function is_shielded(scope: Scope): boolean {
  let outermost = scope;
  while (outermost._parent !== null) outermost = outermost._parent;
  return outermost !== scope._owner;
}

/** A cancellation state that knows shields and levels. */
class ScopedState extends CancellationState implements PersistentState {
  override take_pending(scope: Scope, must_wait: boolean): DeliveryCore | null {
    const due = super.take_pending(scope, must_wait);
    if (due !== null || !must_wait) return due;
    const wait = begun_wait(scope._owner as unknown as AnyTask);
    return wait !== null && is_repeated_wait(wait) ? null : level_delivery(scope);
  }

  // Seen from a shielded block, only the requests of blocks in the shield count.
  override requests_outside(scope: Scope): number {
    const outside = super.requests_outside(scope);
    if (!is_shielded(scope)) return outside;
    const of_blocks = super.requests_outside(
      scope._owner as unknown as AnyTask as unknown as Scope,
    );
    return this.requests - (of_blocks - outside);
  }

  /** Has every wait of tasks throw from now on, if a scope does so to its own code. */
  pass_on(scope: Scope, tasks: Iterable<AnyTask>, is_repeated: boolean): void {
    const delivery = level_delivery(scope);
    if (delivery === null) return;
    const { message } = delivery.cancellation;
    for (const task of tasks) {
      if (levels.has(task as unknown as Scope)) continue;
      scoped_state(task);
      keep_cancelling(task as unknown as Scope, message);
      // The wait that is in progress began before.
      if (is_repeated) cancel_with(task, message);
    }
  }

  /** Delivers what has been pending outside of a shield that has gone. */
  deliver_pending(scope: Scope): void {
    const task = scope._owner as unknown as AnyTask;
    const due = super.take_pending(scope, true) ?? level_delivery(scope);
    if (due === null) return;
    const by_itself = runs_now(task as unknown as TaskCore, task["_step"] === OPEN);
    cancel_scope(
      task as unknown as TaskCore,
      this,
      new Delivery(due.scope, due.cancellation.message, by_itself),
    );
  }
}

/** Returns the cancellation state of a task, made one that knows shields and levels. */
export function scoped_state(task: AnyTask): ScopedState {
  const state = task["_cancellation_state"] ??= new ScopedState();
  // A state that the task has already keeps what it holds.
  if (!(state instanceof ScopedState)) Object.setPrototypeOf(state, ScopedState.prototype);
  return state as ScopedState;
}

/** Sets the scope around a block: `null` shields it. */
export function set_scope_around(block: Scope, around: Scope | null): void {
  (block as { _parent: Scope | null })._parent = around;
}
