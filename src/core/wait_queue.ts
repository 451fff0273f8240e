/**
 * The wait queue of a primitive.
 *
 * @module
 */

import type { Outcome } from "./awaits.ts";
import type { Suspension } from "./suspensions.ts";
import type { LoopBound } from "./mixins.ts";

type Waiter = Suspension<unknown>;

/**
 * A linked list of waiters, first come, first served; a waiter is in one list at most and leaves it
 * from any place in constant time.
 */
export class WaitQueue {
  #first: Waiter | null = null;
  #last: Waiter | null = null;
  #length = 0;
  // The state of a waiter is final once it is woken or cancelled, so what has been passed over is not
  // visited again: all before the one have been woken or cancelled, all before the other cancelled.
  #next_to_wake: Waiter | null = null;
  #first_not_cancelled: Waiter | null = null;

  /** The number of waiters, including those that are woken or cancelled and have not resumed yet. */
  get length(): number {
    return this.#length;
  }

  /** The first waiter, or `null`. */
  get first(): Waiter | null {
    return this.#first;
  }

  /** Suspends a coroutine at the end of the wait queue of a primitive; returns the outcome for `advance`. */
  wait(waiter: Waiter, primitive: LoopBound): Outcome {
    // The loop comes first: a waiter that is refused because of it must not be in the list.
    const loop = primitive["_get_loop"]();
    this.#push(waiter);
    return waiter["_wait"](loop);
  }

  #push(waiter: Waiter): void {
    waiter["_place"] = this;
    waiter["_previous"] = this.#last;
    waiter["_next"] = null;
    if (this.#last === null) this.#first = waiter;
    else this.#last["_next"] = waiter;
    this.#last = waiter;
    this.#next_to_wake ??= waiter;
    this.#first_not_cancelled ??= waiter;
    this.#length++;
  }

  /** Removes a waiter, if it is in this list. */
  remove(waiter: Waiter): void {
    if (waiter["_place"] !== this) return;
    if (waiter["_previous"] === null) this.#first = waiter["_next"];
    else waiter["_previous"]["_next"] = waiter["_next"];
    if (waiter["_next"] === null) this.#last = waiter["_previous"];
    else waiter["_next"]["_previous"] = waiter["_previous"];
    if (this.#next_to_wake === waiter) this.#next_to_wake = waiter["_next"];
    if (this.#first_not_cancelled === waiter) this.#first_not_cancelled = waiter["_next"];
    waiter["_place"] = waiter["_previous"] = waiter["_next"] = null;
    this.#length--;
  }

  /** Wakes the first waiter that still waits, which stays in the list; false if there is none. */
  wake_next(): boolean {
    let waiter = this.#next_to_wake;
    while (waiter !== null && !waiter["_is_waiting"]()) waiter = waiter["_next"];
    this.#next_to_wake = waiter;
    if (waiter === null) return false;
    waiter["_wake"]();
    return true;
  }

  /** Removes waiters from the front up to the first that still waits, and wakes that one. */
  wake_and_remove_next(): void {
    for (let waiter = this.#first; waiter !== null; waiter = this.#first) {
      this.remove(waiter);
      if (waiter["_is_waiting"]()) {
        waiter["_wake"]();
        return;
      }
    }
  }

  /** Removes all waiters, and wakes those that still wait. */
  wake_and_remove_all(): void {
    for (let waiter = this.#first; waiter !== null; waiter = this.#first) {
      this.remove(waiter);
      waiter["_wake"]();
    }
  }

  /** Returns whether a waiter has not been cancelled. */
  any_not_cancelled(): boolean {
    let waiter = this.#first_not_cancelled;
    while (waiter !== null && waiter["_was_cancelled"]()) waiter = waiter["_next"];
    this.#first_not_cancelled = waiter;
    return waiter !== null;
  }
}
