/**
 * The open awaits of a task that has many, by the blocks in which they began.
 *
 * @module
 */

import type { Continuation, OpenAwait, Scope, TaskCore } from "./contracts.ts";
import { next_moment, open_awaits, reach, this_moment } from "./scopes.ts";

// As many are visited before an index of them is made.
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
  of(task: TaskCore, scope: Scope): readonly Continuation[] {
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
      found.push(...this.#index_new(task).get(scope) ?? []);
    } else {
      found.reverse();
    }
    if (own._begun > 0) found.unshift(own);
    return found;
  }

  /**
   * Returns one that is live for a scope, the newest of several; `null` if there is none.
   *
   * @param before the moment before which it must have begun
   * @param is_excepted tells which do not count
   */
  live(
    task: TaskCore,
    scope: Scope,
    before = Infinity,
    is_excepted: (open: Continuation) => boolean = () => false,
  ): Continuation | null {
    const is_live = (open: Continuation) =>
      open._begun < before && reach(open, scope) === "live" && !is_excepted(open);
    const own = task as unknown as Continuation;
    if (own._begun > 0 && is_live(own)) return own;
    let visited = 0;
    // A live await has begun no earlier than the scope was last resumed.
    for (
      let open = task._newest;
      open !== null && open._begun >= scope._resumed;
      open = open._older
    ) {
      if (is_live(open)) return open;
      if (scope !== task && ++visited === MAX_VISITED) {
        return [...this.#index_new(task).get(scope) ?? []].reverse().find(is_live) ?? null;
      }
    }
    return null;
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
