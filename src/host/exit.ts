/**
 * The end of the program, and of the errors that would cause it.
 *
 * @module
 */

import { create_macrotasks } from "./macrotask.ts";
import { host_process } from "./process.ts";
import { do_not_wait_for, host_timers } from "./timers.ts";

/**
 * Calls a function when the program ends, as far as the host says so; perhaps more than once.
 *
 * In browsers that is when the page is left for good; the end of a worker cannot be seen there.
 */
export function at_exit(callback: () => void): void {
  const process = host_process();
  if (process?.on === undefined) {
    globalThis.addEventListener?.("pagehide", (event) => {
      if (!(event as Event & { persisted?: boolean }).persisted) callback();
    });
    return;
  }
  process.on("exit", callback);
  if (!("Deno" in globalThis)) return;
  // Deno gives no "exit" after Deno.exit(), and neither of both after an uncaught error.
  globalThis.addEventListener?.("unload", callback);
  process.on("uncaughtExceptionMonitor", () => {
    if (!has_listeners("uncaughtException")) callback();
  });
}

function has_listeners(event: string): boolean {
  return (host_process()?.listenerCount?.(event) ?? 0) > 0;
}

const exit_codes = new WeakMap<object, number>();
let watches_uncaught = false;

function listen(event: string, listener: (error: unknown) => void): void {
  host_process()?.on?.(event, listener);
}

/** Lets the process end with an exit code, and one line on the terminal, if nothing catches an error. */
export function exit_if_uncaught(error: Error, code: number): void {
  exit_codes.set(error, code);
  if (watches_uncaught) return;
  watches_uncaught = true;
  listen("uncaughtExceptionMonitor", (uncaught) => {
    if (!has_listeners("uncaughtException")) exit_with(uncaught);
  });
  if (!("Bun" in globalThis)) return;
  // Bun calls the monitor for no rejection, and a listener replaces what it does at any.
  listen("unhandledRejection", (uncaught) => {
    if (host_process()?.listenerCount?.("unhandledRejection") !== 1) return;
    exit_with(uncaught);
    throw_to_host(uncaught);
  });
}

function exit_with(uncaught: unknown): void {
  const code = exit_codes.get(uncaught as object);
  if (code === undefined) return;
  const { name, message } = uncaught as Error;
  console.error(message === "" ? name : `${name}: ${message}`);
  host_process()?.exit?.(code);
}

// The code with which Node.js ends a program that awaits a promise which nothing settles any more.
const UNSETTLED = 13;

const stuck = new Set<() => string>();
let is_over = false;
let names_stuck = false;

/**
 * Has the program end with a description and exit code 13 if the host finds nothing left to wait for.
 *
 * @param describe returns the text
 * @returns a function that ends it
 */
export function name_if_stuck(describe: () => string): () => void {
  if (!names_stuck) {
    names_stuck = true;
    // A call of process.exit() gives "exit" alone.
    listen("beforeExit", () => {
      is_over = true;
      do_not_wait_for(host_timers.set(() => is_over = false, 0)); // another listener has given it work
    });
    listen("exit", () => {
      if (is_over) name_stuck();
    });
  }
  stuck.add(describe);
  return () => void stuck.delete(describe);
}

/** Names all that is stuck, once; the program is about to end. */
export function name_stuck(): void {
  if (stuck.size === 0) return;
  for (const describe of stuck) console.error(describe());
  stuck.clear();
  (host_process() as { exitCode?: unknown }).exitCode ||= UNSETTLED;
}

const reports = new WeakMap<object, () => void>();
let listens_to_events = false;
let is_capturing = false;

/**
 * Calls `report` in place of ending the program if an error, which is about to be thrown, reaches the
 * host uncaught, since it was thrown in a callback that the host has called.
 */
export function if_uncaught(error: Error, report: () => void): void {
  reports.set(error, report);
  listen_to_events();
  capture_uncaught();
}

function was_reported(error: unknown): boolean {
  const report = reports.get(error as object);
  if (report === undefined) return false;
  reports.set(error as object, () => {}); // Deno says it in two ways
  report();
  return true;
}

// Browsers and Deno: an event can be prevented, and listeners change nothing for other errors.
function listen_to_events(): void {
  if (listens_to_events) return;
  listens_to_events = true;
  const prevent = (event: Event, error: unknown) => {
    if (!was_reported(error)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
  };
  globalThis.addEventListener?.("error", (event) => prevent(event, event.error));
  globalThis.addEventListener?.("unhandledrejection", (event) => prevent(event, event.reason));
}

// Node.js and Bun: listeners replace what the process does at any error. So they are there only until
// the callback that throws the error has ended.
function capture_uncaught(): void {
  const process = host_process();
  if (is_capturing || process?.hasUncaughtExceptionCaptureCallback?.() !== false) return;
  is_capturing = true;
  const on_uncaught = (error: unknown) => {
    if (was_reported(error)) return;
    end();
    throw_to_host(error);
  };
  const on_rejection = (error: unknown) => {
    if (was_reported(error) || process.listenerCount?.("unhandledRejection") !== 1) return;
    end();
    throw_to_host(error);
  };
  const end = () => {
    if (!is_capturing) return;
    is_capturing = false;
    process.setUncaughtExceptionCaptureCallback?.(null);
    process.off?.("unhandledRejection", on_rejection);
  };
  process.setUncaughtExceptionCaptureCallback?.(on_uncaught);
  if (!("Deno" in globalThis)) process.on?.("unhandledRejection", on_rejection);
  create_macrotasks(end).request();
}

function throw_to_host(error: unknown): void {
  create_macrotasks(() => {
    throw error;
  }).request();
}
