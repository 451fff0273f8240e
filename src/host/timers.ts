/**
 * The host's clock and timers.
 *
 * A test may put fakes in the place of the global ones, and take them away again, while a loop is at
 * work. So whoever sets a timer and clears it later takes both from one moment.
 *
 * @module
 */

/** Has functions called later. */
export interface Timers {
  /** Calls a function after so many milliseconds; returns what {@linkcode clear} takes. */
  set(callback: () => void, milliseconds: number): unknown;
  /** Takes the call back. */
  clear(timer: unknown): void;
}

/** The timers that are the global ones now. */
export function capture_timers(): Timers {
  const { setTimeout, clearTimeout } = globalThis;
  return {
    set: (callback, milliseconds) => setTimeout(callback, milliseconds),
    clear: (timer) => clearTimeout(timer as ReturnType<typeof setTimeout>),
  };
}

/** The host's own timers: those of the moment in which this module was loaded. */
export const host_timers: Timers = capture_timers();

/** The host's own monotonic clock, in milliseconds. */
export const host_now: () => number = performance.now.bind(performance);

/** The host's own time of day, in milliseconds; quicker to ask than {@linkcode host_now}. */
export const host_date: () => number = Date.now;

/** The longest delay that a host's timer takes, in milliseconds. */
export const MAX_HOST_DELAY: number = 2 ** 31 - 1;

const { setInterval, clearInterval } = globalThis;

/** Keeps a host that finds nothing to wait for from ending the program, until it is called off. */
export function keep_alive(): () => void {
  const interval = setInterval(() => {}, MAX_HOST_DELAY);
  return () => clearInterval(interval);
}
