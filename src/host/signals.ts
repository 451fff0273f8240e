/**
 * Signals of the process, where there is one.
 *
 * @module
 */

interface SignalProcess {
  on(signal: string, listener: () => void): unknown;
  off(signal: string, listener: () => void): unknown;
  listenerCount(signal: string): number;
  exit(code: number): never;
}

const host = (globalThis as { process?: Partial<SignalProcess> }).process;

/** Whether signals can be listened to here. */
export const has_signals: boolean = typeof host?.on === "function" &&
  typeof host.off === "function" && typeof host.listenerCount === "function";

/** Calls a listener at each signal of this name; throws what the host throws if it cannot. */
export function add_signal_listener(signal: string, listener: () => void): void {
  (host as SignalProcess).on(signal, listener);
}

/** Takes a listener back. */
export function remove_signal_listener(signal: string, listener: () => void): void {
  (host as SignalProcess).off(signal, listener);
}

/** Whether anybody listens to a signal. */
export function has_signal_listener(signal: string): boolean {
  return (host as SignalProcess).listenerCount(signal) > 0;
}

/** Ends the process at once. */
export function exit_process(code: number): void {
  host?.exit?.(code);
}
