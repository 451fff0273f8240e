/**
 * Finds the open awaits of a task that has many: those in a block, and one that is live.
 *
 * @module
 */

import type { Continuation, OpenAwait, Scope, TaskCore } from "./contracts.ts";
import { next_moment, open_awaits, reach, this_moment } from "./scopes.ts";

// As many are visited before an index of them is made, or a note that none was live.
const MAX_VISITED = 16;

/** Finds the open awaits in a block of a task without visiting those of other blocks, however many there are. */
export class OpenAwaits {
  // The index: the open awaits in each block, oldest first; made when there are many.
  #in_block: Map<Scope, Set<OpenAwait>> | null = null;
  // Awaits that began later are not in the index yet.
  #moment = 0;

  /**
   * Returns those that began in a scope, the oldest first, that of the task's own coroutine before them; of a
   * block there may be some of the code around it, too.
   */
  of(scope: Scope): readonly Continuation[] {
    const task = scope._owner as TaskCore;
    if (scope === task) return open_awaits(task);
    const own = task as unknown as Continuation;
    const found: Continuation[] = [];
    let open = task._newest;
    // Newest last: what is older than the block is outside of it.
    while (open !== null && open._begun >= scope._begun && found.length < MAX_VISITED) {
      found.push(open);
      open = open._older;
    }
    if (open !== null && open._begun >= scope._begun) {
      found.length = 0;
      found.push(...this.in_block(scope));
    } else {
      found.reverse();
    }
    if (own._begun > 0) found.unshift(own);
    return found;
  }

  /** Returns those that began in a block, the oldest first; that of the task's own coroutine is not among them. */
  in_block(block: Scope): Iterable<OpenAwait> {
    return this.#index_new(block._owner as TaskCore).get(block) ?? [];
  }

  /** Notes that an await is over. */
  delete(over: Continuation): void {
    const in_block = this.#in_block;
    if (in_block === null) return;
    for (let scope = over._scope; scope._parent !== null; scope = scope._parent) {
      const awaits = in_block.get(scope);
      if (awaits?.delete(over as OpenAwait) && awaits.size === 0) in_block.delete(scope);
    }
  }

  #index_new(task: TaskCore): Map<Scope, Set<OpenAwait>> {
    const in_block = this.#in_block ??= new Map();
    const added: OpenAwait[] = [];
    for (let open = task._newest; open !== null && open._begun > this.#moment;) {
      added.push(open);
      open = open._older;
    }
    this.#moment = this_moment();
    next_moment(); // what begins from now on is not in it
    for (const open of added.reverse()) {
      for (let scope = open._scope; scope._parent !== null; scope = scope._parent) {
        const awaits = in_block.get(scope);
        if (awaits === undefined) in_block.set(scope, new Set([open]));
        else awaits.add(open);
      }
    }
    return in_block;
  }
}

// The moment since which none of the open awaits is live for a scope: what is not live will never be.
const none_live = new WeakMap<Scope, number>();

/**
 * Returns an await that is live for a scope of a task, the newest of several; `null` if there is none.
 *
 * @param index the index of the task, if it has one: of many awaits those of a block are found by it
 * @param counts returns whether one that is live counts; all do by default
 */
export function live_await(
  scope: Scope,
  index: OpenAwaits | null = null,
  counts: ((open: Continuation) => boolean) | null = null,
): Continuation | null {
  const task = scope._owner as TaskCore;
  const own = task as unknown as Continuation;
  const is_found = (open: Continuation) =>
    reach(open, scope) === "live" && (counts === null || counts(open));
  if (own._begun > 0 && is_found(own)) return own;
  // Newest last, and what is live has begun no earlier than the scope was last resumed.
  let earliest = scope._resumed;
  let visited = 0;
  for (let open = task._newest; open !== null && open._begun >= earliest; open = open._older) {
    if (is_found(open)) return open;
    if (++visited < MAX_VISITED) continue;
    if (index !== null && scope !== task) {
      return [...index.in_block(scope)].reverse().find(is_found) ?? null;
    }
    if (visited === MAX_VISITED) earliest = Math.max(earliest, none_live.get(scope) ?? 0);
  }
  if (visited >= MAX_VISITED && counts === null) none_live.set(scope, next_moment());
  return null;
}
