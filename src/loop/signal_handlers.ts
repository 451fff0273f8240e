/**
 * The handlers of a loop for signals of the process.
 *
 * @module
 */

import { RuntimeError, ValueError } from "../core/exceptions.ts";
import {
  add_signal_listener,
  has_signals,
  is_signal_name,
  remove_signal_listener,
} from "../host/signals.ts";
import { repr } from "../internal/format_helpers.ts";

/** Throws if a value is no name of a signal. */
export function check_signal(signal: unknown): void {
  if (typeof signal !== "string") {
    throw new TypeError(
      `Cannot use a signal: it must be a string such as "SIGUSR1": received ${repr(signal)}`,
    );
  }
  if (!is_signal_name(signal)) throw new ValueError(`invalid signal name ${repr(signal)}`);
}

/** The listeners that a loop has added to the host, one for a signal. */
export class SignalHandlers {
  readonly #listeners = new Map<string, () => void>();

  /**
   * Has the host call a function at a signal, in place of the one before.
   *
   * @throws {RuntimeError} if the signal cannot be caught, or there are no signals on this host
   */
  set(signal: string, listener: () => void): void {
    if (!has_signals()) throw new RuntimeError("signals are not supported on this host");
    this.delete(signal);
    try {
      add_signal_listener(signal, listener);
    } catch (error) {
      throw new RuntimeError(`signal ${signal} cannot be caught: ${(error as Error).message}`);
    }
    this.#listeners.set(signal, listener);
  }

  /** How many there are. */
  get size(): number {
    return this.#listeners.size;
  }

  /** Removes the function of a signal; returns whether there was one. */
  delete(signal: string): boolean {
    const listener = this.#listeners.get(signal);
    if (listener === undefined) return false;
    this.#listeners.delete(signal);
    remove_signal_listener(signal, listener);
    return true;
  }

  /** Removes all. */
  clear(): void {
    for (const signal of [...this.#listeners.keys()]) this.delete(signal);
  }
}
