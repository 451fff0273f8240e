/**
 * The clock of a loop, and the timer of the host that wakes the loop by it.
 *
 * @module
 */

import {
  capture_timers,
  has_requests,
  host_now,
  host_timers,
  MAX_HOST_DELAY,
  type Timers,
} from "../host/timers.ts";
import { repr } from "../internal/format_helpers.ts";
import { check_function } from "../internal/functions.ts";

// Of a clock that is given: the time of day in seconds is a number with a quarter of a microsecond as
// its last place, and a sum of such numbers may be off by it.
const GIVEN_CLOCK_RESOLUTION = 1e-6;

/** The host's monotonic clock, or one that the user gives, in seconds. */
export class LoopClock {
  readonly #given: (() => number) | null;
  // The host's clock takes longer to read than a callback takes to run. So it is read again when the
  // host's time of day, which is read once in a few callbacks, has advanced.
  #date = -1;
  /** The time as it was last read. */
  last = 0;
  /** How much later than now a timer may be to be due. */
  readonly resolution: number;
  /** The host's timers that go with the clock: those that are global when it is made, if it is a given one. */
  readonly timers: Timers;

  constructor(given: (() => number) | null) {
    if (given !== null) check_function("EventLoop", "time", given);
    this.#given = given;
    this.resolution = given === null ? 0 : GIVEN_CLOCK_RESOLUTION;
    this.timers = given === null ? host_timers : capture_timers();
  }

  /** True if it is the host's. */
  get is_of_host(): boolean {
    return this.#given === null;
  }

  /** Reads it. */
  read(): number {
    return this.last = this.#given === null ? host_now() / 1000 : ask(this.#given);
  }

  /** Notes the host's time of day; returns whether the clock must be read again since that has advanced. */
  is_outdated(date: number): boolean {
    if (this.#date === date) return false;
    this.#date = date;
    return true;
  }
}

function ask(clock: () => number): number {
  const now: unknown = clock();
  if (typeof now === "number" && !Number.isNaN(now)) return now;
  throw new TypeError(
    `Cannot tell the time: time() must return a number of seconds: received ${repr(now)}`,
  );
}

/** A timer of the host that wakes a loop. */
export class Alarm {
  readonly #timers: Timers;
  readonly #on_time: () => void;
  #timer: unknown = null;
  #when = Infinity;

  constructor(timers: Timers, wake: () => void) {
    this.#timers = timers;
    this.#on_time = () => {
      this.#timer = null;
      this.#when = Infinity;
      wake();
    };
  }

  /** Has the host wake the loop after a delay in seconds; if it is to wake it earlier already, that stays. */
  set(delay: number, when: number): void {
    if (this.#timer !== null && !has_requests) {
      if (this.#when <= when) return;
      this.#timers.clear(this.#timer);
    }
    // Rounded up: a host's timers count in milliseconds, and a sleep must not end early.
    const milliseconds = Math.max(Math.ceil(delay * 1000), 1);
    this.#when = when;
    this.#timer = this.#timers.set(this.#on_time, Math.min(milliseconds, MAX_HOST_DELAY));
  }

  /** Cancels it. */
  cancel(): void {
    if (this.#timer !== null) this.#timers.clear(this.#timer);
    this.#timer = null;
    this.#when = Infinity;
  }
}
