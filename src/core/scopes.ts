/**
 * Cancellation scopes: which awaits a cancellation reaches, and when it is thrown.
 *
 * - A scope is the extent of code that a cancellation reaches. A task is its own root scope; a block
 *   whose manager can cancel it is a scope inside. The host's context carries the innermost scope.
 * - An await has the scope and the moment in which it began. It is *live* for a scope if neither its own
 *   scope nor one between the two has been resumed since; an open await that is not live is *older*:
 *   a sibling branch of `Promise.all`, the loser of a race.
 * - Cancelling a scope reaches every open await in it, once. If none of them is live the cancellation is
 *   *pending*: it is thrown at the next await, the end of the body or of the task.
 *
 * @module
 */

import { type KeptContext, own_context } from "../host/async_context.ts";
import type { Continuation, LoopCore, OpenAwait, Scope, TaskCore } from "./contracts.ts";

let moment = 1;

/** Advances the counter of moments and returns it. */
export function next_moment(): number {
  return ++moment;
}

/** The present moment. */
export function this_moment(): number {
  return moment;
}

/**
 * Notes that an await of a scope which began at a moment has settled: code of the scope is resumed. Of an
 * older one that is not sure, as the loser of a race resumes nothing.
 */
export function note_settled(scope: Scope, begun: number): void {
  if (begun >= scope._resumed) scope._resumed = ++moment;
}

/** A block of code that its context manager can cancel. */
export class BlockScope implements Scope {
  readonly _loop: LoopCore;
  readonly _owner: TaskCore;
  readonly _parent: Scope;
  readonly _begun: number;
  _resumed: number;
  _active: number;
  _ended = false;
  _is_shielded = false;

  constructor(parent: Scope, owner: TaskCore) {
    this._loop = parent._loop;
    this._owner = owner;
    this._parent = parent;
    this._begun = this._resumed = this._active = moment;
  }

  /** Ends the block: code around it has been resumed. */
  end(): void {
    if (this._ended) return;
    this._ended = true;
    innermost(this)._resumed = ++moment;
  }
}

/** Code that belongs to a loop and to no task: its callbacks and what they call. */
export class LoopScope implements Scope {
  readonly _loop: LoopCore;
  readonly _owner = null;
  readonly _parent = null;
  readonly _begun = 0;
  readonly _ended = false;
  _resumed = 0;
  _active = 0;
  /** The host's context of its code, if that has none of the user's. */
  readonly own_context: KeptContext = own_context(this);

  constructor(loop: LoopCore) {
    this._loop = loop;
  }
}

/** The nearest scope that has not ended: the scope itself or one around it. */
export function innermost(scope: Scope): Scope {
  while (scope._ended) scope = scope._parent as Scope;
  return scope;
}

/** Returns the scope around a scope if its cancellations reach that; `null` for a task and a shielded block. */
export function scope_around(scope: Scope): Scope | null {
  return scope._is_shielded ? null : scope._parent;
}

/** Returns whether the cancellations of a scope reach another: that scope itself, or one inside it and in no shield there. */
export function is_inside(scope: Scope | null, outer: Scope): boolean {
  while (scope !== null && scope !== outer) scope = scope_around(scope);
  return scope !== null;
}

/** How a cancellation of a scope reaches an await. */
export type Reach = "outside" | "older" | "live";

/** Returns whether a cancellation of a scope reaches an open await, and whether the await is live for it. */
export function reach(continuation: Continuation, target: Scope): Reach {
  let at = continuation._begun;
  let is_live = true;
  let scope: Scope | null = continuation._scope;
  while (scope !== null) {
    if (at < scope._resumed) is_live = false;
    if (scope === target) return is_live ? "live" : "older";
    at = scope._begun;
    scope = scope._parent;
  }
  return "outside";
}

/** Adds a continuation to its task's open awaits. */
export function add_open_await(task: TaskCore, continuation: OpenAwait): void {
  const newest = task._newest;
  if (newest !== null) {
    continuation._older = newest;
    newest._newer = continuation;
  }
  task._newest = continuation;
}

/** Takes a continuation from its task's open awaits. */
export function remove_open_await(task: TaskCore, continuation: OpenAwait): void {
  const { _older: older, _newer: newer } = continuation;
  if (newer !== null) newer._older = older;
  else if (task._newest === continuation) task._newest = older;
  else return;
  if (older !== null) older._newer = newer;
  else if (newer === null) return;
  continuation._older = continuation._newer = null;
}

/** All open awaits of a task in the order in which they began, that of its own coroutine first. */
export function open_awaits(task: TaskCore): Continuation[] {
  const all: Continuation[] = [];
  for (let open = task._newest; open !== null; open = open._older) all.push(open);
  const own = task as unknown as Continuation;
  if (own._begun > 0) all.push(own);
  return all.reverse();
}
