/**
 * Signals of the process, where there is one.
 *
 * @module
 */

interface SignalProcess {
  exitCode: number | undefined;
  on(signal: string, listener: () => void): unknown;
  once(event: "exit", listener: (code: number) => void): unknown;
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
  // Bun takes listeners that it can never call.
  if (signal === "SIGKILL" || signal === "SIGSTOP") throw new Error("no program can catch it");
  (host as SignalProcess).on(signal, listener);
}

/** Takes a listener back. */
export function remove_signal_listener(signal: string, listener: () => void): void {
  (host as SignalProcess).off(signal, listener);
}

/** How many listen to a signal. */
export function count_signal_listeners(signal: string): number {
  return (host as SignalProcess).listenerCount(signal);
}

/** Ends the process at once. */
export function exit_process(code: number): void {
  host?.exit?.(code);
}

/** Has the process end with this exit code and a line on the terminal if nobody catches an error. */
export function exit_if_uncaught(error: Error, code: number): void {
  const process = host as SignalProcess;
  // Deno's way; it exits with 1 after any uncaught error, without an event.
  globalThis.addEventListener?.("unhandledrejection", (event) => {
    if (event.reason !== error) return;
    event.preventDefault();
    console.error(error.name);
    process.exit(code);
  });
  // Node.js's and Bun's: 1 is the code of an uncaught error.
  process.once("exit", (exit_code) => {
    if (exit_code === 1) process.exitCode = code;
  });
}
