/**
 * The requests for cancellation of blocks: made by their managers and by their own code, taken back at their end.
 *
 * @module
 */

import { CancellationState } from "./cancellation_state.ts";
import type { BlockRequestsCore, Scope, TaskCore } from "./contracts.ts";
import { innermost, is_inside, scope_around } from "./scopes.ts";
import type { Task } from "./tasks.ts";

type AnyTask = Task<unknown>;

/** The requests of the blocks of a task that have not been taken back. */
class BlockRequests implements BlockRequestsCore {
  readonly #of = new Map<Scope, number>();
  count = 0;

  of(block: Scope): number {
    return this.#of.get(block) ?? 0;
  }

  add(block: Scope): void {
    this.#of.set(block, this.of(block) + 1);
    this.count++;
  }

  take_back(block: Scope): void {
    this.#of.set(block, this.of(block) - 1);
    this.count--;
  }

  forget(block: Scope): void {
    this.count -= this.of(block);
    this.#of.delete(block);
  }
}

function task_of(scope: Scope): AnyTask {
  return scope._owner as unknown as AnyTask;
}

function state_of(scope: Scope): CancellationState | null {
  return task_of(scope)["_cancellation_state"];
}

function add_request(scope: Scope): void {
  if (scope === scope._owner) return;
  const state = task_of(scope)["_cancellation_state"] ??= new CancellationState();
  (state.of_blocks ??= new BlockRequests()).add(scope);
}

/**
 * Cancels the code of a scope by a call of its task's `cancel()`, which counts a request.
 *
 * @param by_manager whether what manages the scope requests it, and not its own code
 */
export function cancel_code_of(
  scope: Scope,
  by_manager: boolean,
  ...message: [message?: unknown]
): void {
  const task = task_of(scope);
  const state = task["_cancellation_state"] ??= new CancellationState();
  state.target = scope;
  state.by_manager = by_manager;
  try {
    task.cancel(...message);
  } finally {
    state.target = null;
  }
}

/** Cancels a block by its manager: one that `AsyncExitStack.pop_all()` has moved out of its block cancels the code around. */
export function cancel_block(scope: Scope): void {
  const block = innermost(scope);
  add_request(block);
  cancel_code_of(block, true);
}

/**
 * Requests the cancellation of a block, by a method that its own code may call: then, as with
 * `task.cancel()`, an await that need not wait does not throw it, nor does the end of the body.
 */
export function request_cancellation(scope: Scope, message: unknown): void {
  add_request(scope);
  cancel_code_of(scope, false, message);
}

/** Takes one request for cancellation of the code around a block back, and makes it again: it is thrown at the next await. */
export function request_again(scope: Scope): void {
  const requester = innermost(requester_around(scope));
  task_of(scope).uncancel();
  cancel_code_of(requester, false);
}

/** Returns the outermost scope around a scope that has requested a cancellation. */
function requester_around(scope: Scope): Scope {
  let found: Scope = scope._owner as TaskCore;
  const state = state_of(scope);
  if (state === null) return found;
  const { of_blocks: blocks, requests } = state;
  if (requests > (blocks?.count ?? 0) && is_inside(scope, found)) return found;
  for (let outer: Scope | null = scope; outer !== null; outer = scope_around(outer)) {
    if (blocks !== null && blocks.of(outer) > 0) found = outer;
  }
  return found;
}

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
  const waited_for = tasks as Iterable<unknown> as Iterable<TaskCore>;
  state_of(scope)?.policy?.pass_on(scope, waited_for, is_repeated);
}

/** Requests for cancellation, counted by the scopes that made them; `null` for none. */
export type Requests = Map<Scope, number> | null;

/** Returns the requests for cancellation that reach a block when it begins. */
export function requests_around(scope: Scope): Requests {
  const count = task_of(scope).cancelling();
  const state = state_of(scope);
  if (count === 0 || state === null) return null;
  const around = new Map<Scope, number>();
  for (let at: Scope | null = scope; at !== null; at = scope_around(at)) {
    const requests = at === scope._owner
      ? count - (state.of_blocks?.count ?? 0)
      : state.of_blocks?.of(at) ?? 0;
    if (requests > 0 || at === scope._owner) around.set(at, requests);
  }
  return around;
}

/** Returns the requests for cancellation that reach a scope: those of blocks that it is not in are left out. */
export function requests_seen_from(scope: Scope): number {
  const count = task_of(scope).cancelling();
  return count === 0 ? 0 : count - requests_outside(scope);
}

/** Returns the requests that do not reach a scope: of blocks that it is not in, and of what is outside of a shield. */
function requests_outside(scope: Scope): number {
  const state = state_of(scope);
  if (state === null) return 0;
  const { of_blocks: blocks, requests } = state;
  let outside = requests;
  for (let at: Scope | null = scope; at !== null; at = scope_around(at)) {
    outside -= at === scope._owner ? requests - (blocks?.count ?? 0) : blocks?.of(at) ?? 0;
  }
  return outside;
}

/**
 * Takes back the request for cancellation that a block has made; returns whether that was the only one since the
 * block began.
 *
 * A block around it may have ended meanwhile, where its code runs beside that of the block.
 *
 * @param around the requests that reached the block when it began
 */
export function take_back_own(scope: Scope, around: Requests): boolean {
  const left = take_back(scope);
  let left_around = 0;
  // Some of those may have been taken back by blocks that ended since.
  for (const [outer, requests] of around ?? []) {
    const is_task = outer === outer._owner;
    left_around += is_task
      ? requests
      : Math.min(requests, state_of(scope)?.of_blocks?.of(outer) ?? 0);
  }
  return left <= left_around;
}

/** Takes back the request for cancellation that a block has made; returns how many are left, seen from it. */
export function take_back(scope: Scope): number {
  const left = task_of(scope).uncancel();
  const block = innermost(scope);
  const state = state_of(scope);
  const blocks = state?.of_blocks ?? null;
  // The managers of an AsyncExitStack make theirs for the same block: what is pending is dropped with the last.
  if (blocks !== null && blocks.of(block) > 1) blocks.take_back(block);
  else state?.forget(block);
  return left - requests_outside(scope);
}
