/**
 * Cancellation scopes: which awaits a cancellation reaches, and when it is thrown.
 *
 * - A scope is the extent of code that a cancellation reaches. A task is its own root scope; a block
 *   whose manager can cancel it is a scope inside. The host's context carries the innermost scope.
 * - An await has the scope and the moment in which it began. It is *live* for a scope if neither its own
 *   scope nor one between the two has been resumed since; an open await that is not live is *older*:
 *   a sibling branch of `Promise.all`, the loser of a race.
 * - Cancelling a scope tells every open await in it, once. If none of them is live the cancellation is
 *   *pending*: it is thrown at the next await, the end of the body or of the task.
 *
 * @module
 */

import { type KeptContext, own_context } from "../host/async_context.ts";
import { make_cancelled_error } from "./cancellation.ts";
import {
  type Continuation,
  type LoopCore,
  NOTHING,
  type OpenAwait,
  type Scope,
  type TaskCore,
  type Waitable,
} from "./contracts.ts";

let moment = 1;

/** Advances the counter of moments and returns it. */
export function next_moment(): number {
  return ++moment;
}

/** The present moment. */
export function this_moment(): number {
  return moment;
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

/** Whether a scope is another one or lies inside it. */
export function is_inside(scope: Scope | null, outer: Scope): boolean {
  while (scope !== null && scope !== outer) scope = scope._parent;
  return scope !== null;
}

type Reach = "outside" | "older" | "live";

/** Whether a cancellation of a scope reaches an open await, and whether the await is live for it. */
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

/** Returns an await that is live for a scope of a task, the newest of several; `null` if there is none. */
export function live_await(scope: Scope): Continuation | null {
  const task = scope._owner as TaskCore;
  const own = task as unknown as Continuation;
  if (own._begun > 0 && reach(own, scope) === "live") return own;
  // Newest last, and what is live has begun no earlier than the scope was last resumed.
  let open = task._newest;
  while (open !== null && open._begun >= scope._resumed) {
    if (reach(open, scope) === "live") return open;
    open = open._older;
  }
  return null;
}

/** Adds a continuation to its task's open awaits. */
export function add_open_await(task: TaskCore, continuation: OpenAwait): void {
  const newest = task._newest;
  continuation._older = newest;
  if (newest !== null) newest._newer = continuation;
  task._newest = continuation;
}

/** Takes a continuation from its task's open awaits. */
export function remove_open_await(task: TaskCore, continuation: OpenAwait): void {
  const { _older: older, _newer: newer } = continuation;
  if (newer !== null) newer._older = older;
  else if (task._newest === continuation) task._newest = older;
  else return;
  if (older !== null) older._newer = newer;
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

/** A cancellation that could be thrown into no live await. */
interface Pending {
  // Requested by the task's own running code, as only that can on CPython: then an await that need not
  // wait does not throw it, nor does the end of a body.
  readonly by_itself: boolean;
  // The moment at which an older await, told by this very cancellation, was resumed.
  rejected_at: number;
}

/** What a task that has been cancelled, or has yielded what cannot be waited on, has beside its fields. */
export class CancellationState {
  /** The requests that have not been taken back. */
  requests = 0;
  /** The message of the latest cancellation that could not be thrown at once. */
  message: unknown = undefined;
  /** Whether its awaits are being told of a cancellation. */
  being_told = false;
  /** The scope in which the task's own coroutine waits, if that is a block. */
  own_scope: Scope | null = null;
  /** The scope that the next call of `cancel()` is meant for; `null` for the task. */
  target: Scope | null = null;
  /** Whether that is a new request of the block, and none that is made again in its place. */
  is_new_request = false;
  // The requests of blocks, which are part of `requests`.
  #requests_of: Map<Scope, number> | null = null;
  #pending: Map<Scope, Pending> | null = null;
  // What is thrown into continuations at their resumption: `NOTHING` stands for the cancellation.
  #marked: Map<Continuation, unknown> | null = null;
  // The older awaits that have been told of a pending cancellation.
  #told: Map<Continuation, Pending> | null = null;

  /** Counts a request of a block. */
  add_request(scope: Scope): void {
    const counts = this.#requests_of ??= new Map();
    counts.set(scope, (counts.get(scope) ?? 0) + 1);
  }

  /** Takes the requests of a block out of account, and drops what it left pending. */
  forget(scope: Scope): void {
    this.#requests_of?.delete(scope);
    this.#pending?.delete(scope);
  }

  /** The requests of blocks that a scope is not in. */
  requests_outside(scope: Scope): number {
    let count = 0;
    for (const [block, requests] of this.#requests_of ?? []) {
      if (!is_inside(scope, block)) count += requests;
    }
    return count;
  }

  /** The outermost scope around a scope that has requested a cancellation. */
  requester_around(scope: Scope): Scope {
    let found: Scope = scope._owner as TaskCore;
    let of_blocks = 0;
    for (const requests of this.#requests_of?.values() ?? []) of_blocks += requests;
    if (this.requests > of_blocks) return found;
    for (let outer: Scope | null = scope; outer !== null; outer = outer._parent) {
      if (this.#requests_of?.has(outer)) found = outer;
    }
    return found;
  }

  /** Has an error thrown into a continuation at its resumption; a cancellation by default. */
  mark(continuation: Continuation, error: unknown = NOTHING): void {
    (this.#marked ??= new Map()).set(continuation, error);
  }

  /** Whether a cancellation waits to be thrown into a continuation at its resumption. */
  is_marked(continuation: Continuation): boolean {
    return this.#marked?.get(continuation) === NOTHING;
  }

  /**
   * Takes what is to be thrown into a continuation: `undefined` if nothing is, `NOTHING` for a
   * cancellation, else an error.
   */
  take_mark(continuation: Continuation): unknown {
    const told = this.#told?.get(continuation);
    if (told !== undefined) {
      told.rejected_at = ++moment;
      this.#told?.delete(continuation);
    }
    const marked = this.#marked;
    if (marked === null || !marked.has(continuation)) return undefined;
    const error = marked.get(continuation);
    marked.delete(continuation);
    return error;
  }

  /** Leaves a cancellation of a scope pending; older awaits may have been told of it. */
  add_pending(scope: Scope, by_itself: boolean, older: readonly Continuation[] = []): void {
    const pending: Pending = { by_itself, rejected_at: -1 };
    (this.#pending ??= new Map()).set(scope, pending);
    if (older.length === 0) return;
    const told = this.#told ??= new Map();
    for (const continuation of older) told.set(continuation, pending);
  }

  /** Whether a cancellation of the task or of a block in it is pending. */
  get any_pending(): boolean {
    return this.#pending !== null && this.#pending.size > 0;
  }

  /** Whether a cancellation of the scope itself is pending. */
  is_pending(scope: Scope): boolean {
    return this.#pending?.has(scope) ?? false;
  }

  /**
   * Takes the cancellations that are pending for code of a scope: the outermost scope of one that is due,
   * or `null`.
   *
   * One is dropped if an older await that was told of it has been rejected and the microtask queue has not
   * run dry since: then that rejection has made the code come here.
   *
   * @param must_wait whether the code is about to wait; else only what others requested is thrown
   */
  take_pending(scope: Scope, must_wait: boolean): Scope | null {
    const all = this.#pending;
    if (all === null || all.size === 0) return null;
    let due: Scope | null = null;
    for (let at: Scope | null = scope; at !== null; at = at._parent) {
      const pending = all.get(at);
      if (pending === undefined) continue;
      if (pending.rejected_at > scope._loop._dry_moment) {
        all.delete(at);
      } else if (must_wait || !pending.by_itself) {
        due = at;
      }
    }
    // One error stands for all of them.
    if (due !== null) {
      for (let at: Scope | null = scope; at !== null; at = at._parent) all.delete(at);
    }
    return due;
  }

  /** Takes a cancellation that is due at the end of a scope's own code. */
  take_pending_at_end(scope: Scope, failed: boolean): boolean {
    const pending = this.#pending?.get(scope);
    if (pending === undefined) return false;
    const knows = pending.rejected_at > scope._loop._dry_moment;
    if (!knows && (failed || (pending.by_itself && scope !== scope._owner))) return false;
    this.#pending?.delete(scope);
    if (knows) return false;
    // One error stands for what is pending around it, too.
    for (let outer = scope._parent; outer !== null; outer = outer._parent) {
      this.#pending?.delete(outer);
    }
    return true;
  }

  /** Frees what only a task that has not ended needs. */
  end(): void {
    this.own_scope =
      this.#requests_of =
      this.#pending =
      this.#marked =
      this.#told =
        null;
  }

  /** Drops the cancellations that have not been thrown yet. */
  drop_undelivered(): void {
    this.#pending?.clear();
    for (const [continuation, error] of this.#marked ?? []) {
      if (error === NOTHING) this.#marked?.delete(continuation);
    }
  }
}

// How many tasks a cancellation passes on to each other on the stack; deeper ones come when it has unwound.
const MAX_DEPTH = 200;

interface Request {
  readonly task: TaskCore;
  readonly state: CancellationState;
  readonly target: Scope;
  readonly message: unknown;
  readonly by_itself: boolean;
}

let depth = 0;
// A cancellation on its way from task to task has come back to one that it came from.
let met_cycle = false;
const deferred: Request[] = [];

/** Notes that a task which is being told of a cancellation has been cancelled again by what it waits on. */
export function note_cycle(): void {
  met_cycle = true;
}

/** Tells the open awaits in a scope of a cancellation, or leaves it pending. */
export function cancel_scope(request: Request): void {
  if (depth >= MAX_DEPTH) {
    request.state.being_told = true;
    deferred.push(request);
    return;
  }
  depth++;
  try {
    tell(request);
    while (depth === 1 && deferred.length > 0) tell(deferred.pop() as Request);
  } finally {
    depth--;
    if (depth === 0) { for (const { state } of deferred.splice(0)) state.being_told = false; }
  }
}

function tell({ task, state, target, message, by_itself }: Request): void {
  state.being_told = true;
  let any_live = false;
  let older: Continuation[] | null = null;
  try {
    const own = task as unknown as Continuation;
    const newest = task._newest;
    if (newest === null) {
      any_live = own._begun > 0 && tell_one(state, own, target, message) === "live";
    } else if (newest._older === null && own._begun === 0) {
      const how = tell_one(state, newest, target, message);
      if (how === "live") any_live = true;
      else if (how === "older") older = [newest];
    } else {
      for (const open of open_awaits(task)) {
        if (open._begun === 0) continue;
        const how = tell_one(state, open, target, message);
        if (how === "live") any_live = true;
        else if (how === "older") (older ??= []).push(open);
      }
    }
  } finally {
    state.being_told = false;
  }
  if (any_live) return;
  state.message = message;
  state.add_pending(target, by_itself, older ?? []);
  if (!by_itself) task._loop._note_unheard(task);
}

function tell_one(
  state: CancellationState,
  continuation: Continuation,
  target: Scope,
  message: unknown,
): Reach {
  const how = reach(continuation, target);
  if (how === "outside") return how;
  const waitable = continuation._waiting;
  if (waitable !== null && how === "older" && !waitable._is_owned) {
    // Others may wait for it: the await alone is rejected.
    if (waitable._is_waiting()) return give_up(state, continuation, message, how);
  } else if (waitable !== null) {
    met_cycle = false;
    if (waitable._cancel_for(target, message)) return how;
    // It waits, by others or not, for this very task: one of them has to give up its wait.
    const is_cycle = met_cycle;
    met_cycle = false;
    if (is_cycle && waitable._is_waiting()) return give_up(state, continuation, message, how);
  }
  state.message = message;
  state.mark(continuation);
  return how;
}

// Rejects an await alone. What it waited on goes on, so that there is nothing to resume it with but the error.
function give_up(
  state: CancellationState,
  continuation: Continuation,
  message: unknown,
  how: Reach,
): Reach {
  (continuation._waiting as Waitable)._remove_waiter(continuation);
  state.mark(continuation, make_cancelled_error(message));
  continuation._scope._loop._schedule(continuation);
  return how;
}
