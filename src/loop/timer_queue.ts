/**
 * The timers of a loop, the earliest first.
 *
 * @module
 */

import type { Runnable, Timed } from "../core/contracts.ts";
import type { Deque } from "../internal/deque.ts";

// Of CPython: cancelled timers leave the heap at once only when there are this many, and this share.
const MIN_SCHEDULED_TIMERS = 100;
const MIN_CANCELLED_FRACTION = 0.5;

/**
 * A heap of timers. One that is cancelled stays in it until it is the earliest, or until half of all are.
 *
 * It makes the moves of CPython's `heapq`, on which the order of timers of the same time depends, as `heapq.ts`
 * does for any items. The times are in an array of their own, so that a comparison need not visit the timers:
 * 100,000 sleeps take three quarters of the time.
 */
export class TimerQueue {
  #times: number[] = [];
  #timers: Timed[] = [];
  #cancelled = 0;

  /** The time of the earliest timer, `null` if there is none. */
  get next_time(): number | null {
    return this.#times.length > 0 ? this.#times[0]! : null;
  }

  /** How many timers there are, cancelled ones included. */
  get length(): number {
    return this.#timers.length;
  }

  /** Adds a timer. */
  add(timer: Timed): void {
    rise(this.#times, this.#timers, 0, this.#timers.length, timer._when, timer);
    timer._scheduled = true;
  }

  /** Notes that a timer which is in the heap has been cancelled. */
  note_cancelled(): void {
    this.#cancelled++;
  }

  /** Takes cancelled timers out; afterwards the earliest is not cancelled. */
  drop_cancelled(): void {
    const timers = this.#timers;
    if (
      timers.length > MIN_SCHEDULED_TIMERS &&
      this.#cancelled / timers.length > MIN_CANCELLED_FRACTION
    ) {
      this.#drop_all_cancelled();
    } else {
      while (timers.length > 0 && timers[0]!._cancelled) {
        this.#cancelled--;
        this.#pop();
      }
    }
  }

  #drop_all_cancelled(): void {
    const timers = this.#timers.filter((timer) => {
      if (timer._cancelled) timer._scheduled = false;
      return !timer._cancelled;
    });
    const times = timers.map((timer) => timer._when);
    for (let position = (timers.length >> 1) - 1; position >= 0; position--) {
      place(times, timers, position, times[position]!, timers[position]!);
    }
    this.#times = times;
    this.#timers = timers;
    this.#cancelled = 0;
  }

  #pop(): Timed {
    const times = this.#times;
    const timers = this.#timers;
    const earliest = timers[0]!;
    const when = times.pop()!;
    const last = timers.pop()!;
    if (timers.length > 0) place(times, timers, 0, when, last);
    earliest._scheduled = false;
    return earliest;
  }

  /** Moves the timers that are due at a time, or at most `resolution` seconds later, to the ready queue. */
  move_due(now: number, resolution: number, ready: Deque<Runnable>): void {
    const times = this.#times;
    while (times.length > 0 && is_due(times[0]!, now, resolution)) ready.push(this.#pop());
  }

  /** Drops all timers. */
  clear(): void {
    this.#times = [];
    this.#timers = [];
  }
}

// Puts a timer in its place in the heap below `from`: the earlier children on the way to a leaf move up first.
function place(times: number[], timers: Timed[], from: number, when: number, timer: Timed): void {
  const { length } = timers;
  let position = from;
  for (let child = 2 * from + 1; child < length; child = 2 * position + 1) {
    const right = child + 1;
    if (right < length && !(times[child]! < times[right]!)) child = right;
    times[position] = times[child]!;
    timers[position] = timers[child]!;
    position = child;
  }
  rise(times, timers, from, position, when, timer);
}

// Puts a timer where it belongs on the way from a position up to `to`.
function rise(
  times: number[],
  timers: Timed[],
  to: number,
  from: number,
  when: number,
  timer: Timed,
): void {
  let position = from;
  while (position > to) {
    const above = (position - 1) >> 1;
    if (!(when < times[above]!)) break;
    times[position] = times[above]!;
    timers[position] = timers[above]!;
    position = above;
  }
  times[position] = when;
  timers[position] = timer;
}

/** Returns whether a timer is due at a time, or at most `resolution` seconds later. */
export function is_due(when: number, now: number, resolution: number): boolean {
  return when <= now || when < now + resolution;
}
