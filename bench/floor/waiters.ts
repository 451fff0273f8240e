/**
 * What waits at a primitive of the floor: a list, from any place of which one is taken in constant time.
 *
 * @module
 */

import { Wait } from "./loop.ts";

/** A wait that stands in a list. */
export abstract class Waiter<T> extends Wait<T> {
  declare previous: Waiter<T> | null;
  declare next: Waiter<T> | null;

  constructor() {
    super();
    this.previous = null;
    this.next = null;
  }
}

/** Those that wait, first in, first out. */
export class Waiters<W extends Waiter<unknown> = Waiter<unknown>> {
  #first: W | null = null;
  #last: W | null = null;

  push(waiter: W): void {
    waiter.previous = this.#last;
    if (this.#last === null) this.#first = waiter;
    else this.#last.next = waiter;
    this.#last = waiter;
  }

  remove(waiter: W): void {
    const { previous, next } = waiter;
    if (previous === null) this.#first = next as W | null;
    else previous.next = next;
    if (next === null) this.#last = previous as W | null;
    else next.previous = previous;
  }

  shift(): W | null {
    const first = this.#first;
    if (first !== null) this.remove(first);
    return first;
  }
}
