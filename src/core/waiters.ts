/**
 * The list of those who wait at a primitive: first come, first served, and anybody can leave from
 * the middle in constant time.
 *
 * @module
 */

import type { Suspension } from "./coroutines.ts";
import type { Outcome } from "./awaits.ts";
import type { LoopBound } from "./mixins.ts";

type Node = Suspension<unknown>;

/** A linked list of waiting coroutines; a coroutine is in one list at most. */
export class Waiters {
  #first: Node | null = null;
  #last: Node | null = null;
  #length = 0;
  // All before it have been woken or cancelled: wake_next() does not look at them again.
  #next_to_wake: Node | null = null;

  /** How many there are, those woken and not yet gone included. */
  get length(): number {
    return this.#length;
  }

  /** The one that came first, or `null`. */
  get first(): Node | null {
    return this.#first;
  }

  /** Has a coroutine begin to wait at the end of the list of a primitive; what it returns is for `advance`. */
  wait(node: Node, primitive: LoopBound): Outcome {
    // First the loop: who is refused because of it must not stand here.
    const loop = primitive._get_loop();
    this.#push(node);
    return node._wait(loop);
  }

  #push(node: Node): void {
    node._list = this;
    node._previous = this.#last;
    node._next = null;
    if (this.#last === null) this.#first = node;
    else this.#last._next = node;
    this.#last = node;
    this.#next_to_wake ??= node;
    this.#length++;
  }

  /** Takes one out, if it is here. */
  remove(node: Node): void {
    if (node._list !== this) return;
    if (node._previous === null) this.#first = node._next;
    else node._previous._next = node._next;
    if (node._next === null) this.#last = node._previous;
    else node._next._previous = node._previous;
    if (this.#next_to_wake === node) this.#next_to_wake = node._next;
    node._list = node._previous = node._next = null;
    this.#length--;
  }

  /** Takes the first out; `null` if there is none. */
  shift(): Node | null {
    const node = this.#first;
    if (node !== null) this.remove(node);
    return node;
  }

  /** Wakes the first that still waits; it stays in the list. False if there is none. */
  wake_next(): boolean {
    let node = this.#next_to_wake;
    while (node !== null && !node._is_waiting()) node = node._next;
    this.#next_to_wake = node;
    if (node === null) return false;
    node._wake();
    return true;
  }

  /** Whether somebody is here who has not been cancelled. */
  any_not_cancelled(): boolean {
    for (let node = this.#first; node !== null; node = node._next) {
      if (!node._was_cancelled()) return true;
    }
    return false;
  }
}
