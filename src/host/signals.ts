/**
 * Signals of the process, where there is one.
 *
 * @module
 */

import { host_process, type HostProcess } from "./process.ts";

/** True if the host lets a program listen to signals. */
export const has_signals: boolean = typeof host_process?.on === "function" &&
  typeof host_process.off === "function" && typeof host_process.listeners === "function";

/** Calls a listener at each signal of a name; throws what the host throws if it cannot. */
export function add_signal_listener(signal: string, listener: () => void): void {
  // Bun takes listeners that it can never call.
  if (signal === "SIGKILL" || signal === "SIGSTOP") throw new Error("no program can catch it");
  (host_process as HostProcess).on(signal, listener);
}

/** Removes a listener. */
export function remove_signal_listener(signal: string, listener: () => void): void {
  (host_process as HostProcess).off(signal, listener);
}

// Marks the listener of this module, and those of other copies of it.
const INTERRUPTS = Symbol.for("@pythonic/asyncio interrupts");

function has_other_listeners(): boolean {
  const listeners = (host_process as HostProcess).listeners("SIGINT");
  return listeners.some((listener) => !(INTERRUPTS in (listener as object)));
}

const callbacks = new Set<() => void>();

const on_signal = Object.assign((): void => {
  if (has_other_listeners()) return;
  for (const callback of [...callbacks]) callback();
}, { [INTERRUPTS]: true });

/**
 * Calls a function at each Ctrl-C, unless the program listens to SIGINT itself, now or then.
 *
 * @returns a function that ends it
 */
export function on_interrupt(callback: () => void): () => void {
  if (!has_signals || has_other_listeners()) return () => {};
  if (callbacks.size === 0) add_signal_listener("SIGINT", on_signal);
  callbacks.add(callback);
  return () => {
    if (callbacks.delete(callback) && callbacks.size === 0) {
      remove_signal_listener("SIGINT", on_signal);
    }
  };
}
