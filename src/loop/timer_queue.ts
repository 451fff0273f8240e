/**
 * The timers of a loop, the earliest first.
 *
 * @module
 */

import type { Runnable, Timed } from "../core/contracts.ts";
import type { Deque } from "../internal/deque.ts";
import { heapify, heappop, heappush } from "../internal/heapq.ts";

// Of CPython: cancelled timers leave the heap at once only when there are this many, and this share.
const MIN_SCHEDULED_TIMERS = 100;
const MIN_CANCELLED_FRACTION = 0.5;

const earlier = (a: Timed, b: Timed): boolean => a._when < b._when;

/** A heap of timers. One that is cancelled stays in it until it is the earliest, or until half of all are. */
export class TimerQueue {
  #heap: Timed[] = [];
  #cancelled = 0;

  /** The time of the earliest timer, `null` if there is none. */
  get next_time(): number | null {
    const heap = this.#heap;
    return heap.length > 0 ? heap[0]!._when : null;
  }

  /** How many timers there are, cancelled ones included. */
  get length(): number {
    return this.#heap.length;
  }

  /** Adds a timer. */
  add(timer: Timed): void {
    heappush(this.#heap, timer, earlier);
    timer._scheduled = true;
  }

  /** Notes that a timer which is in the heap has been cancelled. */
  note_cancelled(): void {
    this.#cancelled++;
  }

  /** Takes cancelled timers out; afterwards the earliest is not cancelled. */
  drop_cancelled(): void {
    const heap = this.#heap;
    if (
      heap.length > MIN_SCHEDULED_TIMERS && this.#cancelled / heap.length > MIN_CANCELLED_FRACTION
    ) {
      this.#heap = heap.filter((timer) => {
        if (timer._cancelled) timer._scheduled = false;
        return !timer._cancelled;
      });
      heapify(this.#heap, earlier);
      this.#cancelled = 0;
      return;
    }
    while (heap.length > 0 && heap[0]!._cancelled) {
      this.#cancelled--;
      heappop(heap, earlier)._scheduled = false;
    }
  }

  /** Moves the timers that are due at a time, or at most `resolution` seconds later, to the ready queue. */
  move_due(now: number, resolution: number, ready: Deque<Runnable>): void {
    const heap = this.#heap;
    while (heap.length > 0 && is_due(heap[0]!._when, now, resolution)) {
      const timer = heappop(heap, earlier);
      timer._scheduled = false;
      ready.push(timer);
    }
  }

  /** Drops all timers. */
  clear(): void {
    this.#heap = [];
  }
}

/** Returns whether a timer is due at a time, or at most `resolution` seconds later. */
export function is_due(when: number, now: number, resolution: number): boolean {
  return when <= now || when < now + resolution;
}
