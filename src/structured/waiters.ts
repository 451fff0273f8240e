/**
 * Parts of the primitives that hand something to their waiters.
 *
 * @module
 */

import type { Suspension } from "../core/suspensions.ts";
import type { WaitQueue } from "../core/wait_queue.ts";

type Waiter = Suspension<unknown>;

/** Removes the first waiter that still waits from a queue and returns it; `null` if there is none. */
export function take_first(queue: WaitQueue): Waiter | null {
  for (let waiter = queue.first; waiter !== null; waiter = queue.first) {
    queue.remove(waiter);
    if (waiter["_is_waiting"]()) return waiter;
  }
  return null;
}

/** Returns the first waiter that still waits, which stays in the queue; `null` if there is none. */
export function first_waiting(queue: WaitQueue): Waiter | null {
  let waiter = queue.first;
  while (waiter !== null && !waiter["_is_waiting"]()) waiter = waiter["_next"];
  return waiter;
}

/** The waiters of a queue that still wait, in their order. */
export function waiting_in(queue: WaitQueue): Waiter[] {
  const waiting: Waiter[] = [];
  for (let waiter = queue.first; waiter !== null; waiter = waiter["_next"]) {
    if (waiter["_is_waiting"]()) waiting.push(waiter);
  }
  return waiting;
}
