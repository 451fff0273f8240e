/**
 * The host's clock and timers, as they were when this library was loaded.
 *
 * Tests replace the global functions with fakes. What is replaced after the library was loaded has no
 * effect here. Before that, the functions of `node:timers` and `node:perf_hooks` are the host's own
 * where only the global ones are replaced; see {@linkcode host_function}.
 *
 * @module
 */

import { builtin_module, host_global } from "./process.ts";

/** Calls functions later. */
export interface Timers {
  /** Calls a function after a delay in milliseconds; returns what {@linkcode clear} takes. */
  set(callback: () => void, milliseconds: number): unknown;
  /** Cancels the call. */
  clear(timer: unknown): void;
}

interface TimerFunctions {
  setTimeout?(callback: () => void, milliseconds: number): unknown;
  clearTimeout?(timer: unknown): void;
  setInterval?(callback: () => void, milliseconds: number): unknown;
  clearInterval?(timer: unknown): void;
  setImmediate?(callback: () => void): unknown;
  clearImmediate?(handle: unknown): void;
}

interface Clock {
  now?(): number;
}

/** Returns whether a function is one of @sinonjs/fake-timers (sinon, Vitest, Jest), or of Jest's older ones. */
function is_fake(fn: object): boolean {
  return "clock" in fn || "_isMockFunction" in fn;
}

/**
 * Returns the host's own function of a name, or `undefined` if there is none but a known fake.
 *
 * `node:test` replaces both the global function and that of `node:timers`, by functions that cannot be
 * distinguished from the host's: if it does so before this library is loaded, the fakes are used.
 */
export function host_function<N extends keyof TimerFunctions>(name: N): TimerFunctions[N] {
  if (
    "Deno" in globalThis && Object.getOwnPropertyDescriptor(globalThis, name)?.get !== undefined
  ) {
    const read = host_global<HostFunction>(name);
    return (given: unknown, milliseconds?: number) => read()?.(given, milliseconds);
  }
  const node_timers = builtin_module<TimerFunctions>("node:timers");
  const all = [node_timers?.[name], (globalThis as TimerFunctions)[name]];
  return all.find((fn) => typeof fn === "function" && !is_fake(fn));
}

type HostFunction = (given: unknown, milliseconds?: number) => unknown;

function make_timers(
  set: TimerFunctions["setTimeout"],
  clear: TimerFunctions["clearTimeout"],
): Timers {
  return {
    set: (callback, milliseconds) => {
      if (set === undefined) {
        throw new Error("Cannot wait for a timer: this host has no setTimeout");
      }
      return set(callback, milliseconds);
    },
    clear: (timer) => clear?.(timer),
  };
}

/** The timers that are the global ones now; a test that sets and clears one needs both of one moment. */
export function capture_timers(): Timers {
  const { setTimeout, clearTimeout } = globalThis as TimerFunctions;
  return make_timers(setTimeout, clearTimeout);
}

/** The host's own timers. */
export const host_timers: Timers = make_timers(
  host_function("setTimeout") ?? (globalThis as TimerFunctions).setTimeout,
  host_function("clearTimeout") ?? (globalThis as TimerFunctions).clearTimeout,
);

const { Date: HostDate, performance: global_clock } = globalThis as {
  Date: typeof Date;
  performance?: Clock;
};

function find_monotonic_clock(): () => number {
  // Node.js takes a millisecond to load the module, which has the same object if the global one is the host's.
  const clock = Object.prototype.toString.call(global_clock) === "[object Performance]"
    ? global_clock
    : builtin_module<{ performance?: Clock }>("node:perf_hooks")?.performance ?? global_clock;
  // A fake is put on the object; the function of its class stays. Bun has none there.
  const now = Object.getPrototypeOf(clock ?? {})?.now ?? clock?.now;
  if (typeof now === "function") return now.bind(clock);
  let last = 0;
  const { now: time_of_day } = HostDate;
  return () => last = Math.max(last, time_of_day());
}

/** The host's own monotonic clock, in milliseconds; without `performance` the time of day, which then never goes back. */
export const host_now: () => number = find_monotonic_clock();

/** The host's own time of day, in milliseconds; quicker to read than {@linkcode host_now}. */
export const host_date: () => number = is_fake(HostDate) ? host_now : HostDate.now;

/**
 * True if timers and turns belong to the request in which they were set, and never come once it has
 * ended: in Cloudflare's workerd, which identifies itself by this name.
 *
 * A loop that several requests use then waits by timers and turns of each of them.
 */
export const has_requests: boolean =
  (globalThis as { navigator?: { userAgent?: string } }).navigator?.userAgent ===
    "Cloudflare-Workers";

/** The longest delay that a host's timer takes, in milliseconds. */
export const MAX_HOST_DELAY: number = 2 ** 31 - 1;

const set_interval = host_function("setInterval");
const clear_interval = host_function("clearInterval");

/** Keeps a host that finds nothing to wait for from ending the program, until what it returns is called. */
export function keep_alive(): () => void {
  const interval = set_interval?.(() => {}, MAX_HOST_DELAY);
  return () => clear_interval?.(interval);
}

/** Keeps a timer of the host from keeping the program alive. */
export function do_not_wait_for(timer: unknown): void {
  (timer as { unref?(): unknown } | null)?.unref?.();
}
