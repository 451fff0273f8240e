/**
 * Shields and levels: what cancel scopes add to the cancellation state of their task.
 *
 * - Of a shielded block the core takes no notice when something around it is cancelled. The policy keeps that
 *   cancellation for the block's own branch of code. If it is pending still when the shield ends, the next wait throws
 *   it, as ever; if it was delivered to another branch, nothing would deliver it to this one, so the end of the block throws it.
 * - A level-triggered scope that is cancelled cancels each wait that begins in it, up to the next shield.
 *
 * @module
 */

import { is_cancellation, make_cancelled_error } from "../core/cancellation.ts";
import {
  type BlockPolicy,
  cancel_scope,
  cancel_with,
  CancellationState,
  Delivery,
  leave_pending,
} from "../core/cancellation_state.ts";
import type { DeliveryCore, Scope, TaskCore, Waitable } from "../core/contracts.ts";
import { runs_now } from "../core/current.ts";
import type { AnyTask } from "../core/scope_managers.ts";
import { is_inside, scope_around } from "../core/scopes.ts";
import { OPEN } from "../core/steps.ts";
import { is_repeated_wait } from "../internal/repeated_waits.ts";

/** The shields and levels of one task. */
class CancelScopePolicy implements BlockPolicy {
  readonly #state: CancellationState;
  // The scopes that are cancelled and cancel every wait, with the reason.
  readonly #levels = new Map<Scope, unknown>();
  // The blocks that are shielded or were, with the latest cancellation of what is around them.
  readonly #kept_off = new Map<Scope, DeliveryCore | null>();
  // Those blocks by each scope around them.
  readonly #blocks_in = new Map<Scope, Set<Scope>>();

  constructor(state: CancellationState) {
    this.#state = state;
  }

  note_delivery(delivery: DeliveryCore): void {
    for (const block of this.#blocks_in.get(delivery.scope) ?? []) {
      if (!block._is_shielded || !is_inside(block._parent, delivery.scope)) continue;
      this.#kept_off.set(block, delivery);
    }
  }

  due_at_wait(scope: Scope, waitable: Waitable | null): DeliveryCore | null {
    // A wait that has to be waited for would be begun again without an end.
    if (waitable !== null && is_repeated_wait(waitable)) return null;
    for (let at: Scope | null = scope; at !== null; at = scope_around(at)) {
      if (this.#levels.has(at)) return new Delivery(at, this.#levels.get(at), false);
    }
    return null;
  }

  pass_on(scope: Scope, tasks: Iterable<TaskCore>, is_repeated: boolean): void {
    const delivery = this.due_at_wait(scope, null);
    if (delivery === null) return;
    const { message } = delivery.cancellation;
    for (const core of tasks) {
      const task = core as unknown as AnyTask;
      const policy = policy_of(task);
      if (policy.#levels.has(core)) continue;
      policy.keep_cancelling(core, message);
      // The wait that is in progress began before.
      if (is_repeated) cancel_with(task, message);
    }
  }

  /** Has every wait in a scope cancelled from now on. */
  keep_cancelling(scope: Scope, reason: unknown): void {
    this.#levels.set(scope, reason);
  }

  /** Has no cancellation from around a block reach it. */
  shield(block: Scope): void {
    block._is_shielded = true;
    this.#kept_off.set(block, null);
    for (let around = block._parent; around !== null; around = around._parent) {
      const blocks = this.#blocks_in.get(around);
      if (blocks === undefined) this.#blocks_in.set(around, new Set([block]));
      else blocks.add(block);
    }
  }

  /** Ends the shield of a block that is not over: delivers to its waits what was kept off. */
  unshield(block: Scope): void {
    const task = block._owner as TaskCore;
    block._is_shielded = false;
    const pending = this.#state.take_pending(block, true);
    const due = pending ?? this.#released(block);
    if (due === null) return;
    this.#kept_off.set(block, due);
    // To the waits of the block alone: others have got it.
    const by_itself = runs_now(task, task._step === OPEN);
    cancel_scope(task, this.#state, new Delivery(block, due.cancellation.message, by_itself));
  }

  // The cancellations that were kept off a block and still hold. If a block around it has been shielded since, that
  // keeps them off.
  #released(block: Scope): DeliveryCore | null {
    const kept = this.#kept_off.get(block) ?? null;
    if (kept === null || kept.scope._ended) return null;
    if ((block._owner as TaskCore).cancelling() === 0) return null;
    if (is_inside(block, kept.scope)) return kept;
    let shield = block;
    for (let at: Scope | null = block; at !== null; at = scope_around(at)) shield = at;
    this.#kept_off.set(shield, kept);
    return null;
  }

  #forget(block: Scope): void {
    if (!this.#kept_off.delete(block)) return;
    for (let around = block._parent; around !== null; around = around._parent) {
      const blocks = this.#blocks_in.get(around);
      blocks?.delete(block);
      if (blocks?.size === 0) this.#blocks_in.delete(around);
    }
  }

  /**
   * Ends a block.
   *
   * @param error what leaves it; `null` for none
   * @throws {CancelledError} if a cancellation was kept off that no wait after the block would throw
   */
  end(block: Scope, error: unknown): void {
    const was_shielded = block._is_shielded;
    block._is_shielded = false;
    const kept = this.#released(block);
    this.#forget(block);
    this.#levels.delete(block);
    if (kept === null) return;
    const { message } = kept.cancellation;
    if (was_shielded) {
      if (this.#state.is_pending(kept.scope)) return;
      if (error === null) throw make_cancelled_error(message);
    } else if (!this.#state.is_pending(block) || is_cancellation(error)) return;
    leave_pending(new Delivery(kept.scope, message, false));
  }
}

/** Returns the policy of a task, which is made at the first call. */
export function policy_of(task: AnyTask): CancelScopePolicy {
  const state = task["_cancellation_state"] ??= new CancellationState();
  return state.policy instanceof CancelScopePolicy
    ? state.policy
    : state.policy = new CancelScopePolicy(state);
}

/**
 * Ends what a policy does for a block.
 *
 * @param error what leaves the block; `null` for none
 * @throws {CancelledError} if a cancellation was kept off that no wait after the block would throw
 */
export function end_block(block: Scope, error: unknown): void {
  const policy = (block._owner as unknown as AnyTask)["_cancellation_state"]?.policy;
  if (policy instanceof CancelScopePolicy) policy.end(block, error);
}
