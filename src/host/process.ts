/**
 * The process and its built-in modules, where the host has them: Node.js, Deno and Bun.
 *
 * @module
 */

/** The parts of Node.js's `process` that this library uses. */
export interface HostProcess {
  /** Adds a listener of an event or a signal. */
  on(event: string, listener: (...args: never[]) => void): unknown;
  /** Removes a listener. */
  off(event: string, listener: (...args: never[]) => void): unknown;
  /** The number of listeners of an event. */
  listenerCount(event: string): number;
  /** The listeners of an event. */
  listeners(event: string): unknown[];
  /** The environment. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Ends the process. */
  exit(code: number): never;
  /** The code with which the process ends by itself. */
  exitCode: number | undefined;
  /** Sends a signal to a process. */
  kill(pid: number, signal: string): boolean;
  /** Sets the function that is called with uncaught errors in place of all listeners. */
  setUncaughtExceptionCaptureCallback(callback: ((error: unknown) => void) | null): void;
  /** Returns whether such a function is set. */
  hasUncaughtExceptionCaptureCallback(): boolean;
  /** Returns the names of what keeps the process alive, as far as the host knows it. */
  getActiveResourcesInfo(): string[];
  /** Calls a function before the next macrotask: when the microtask queue has run dry, if a microtask calls it. */
  nextTick(callback: () => void): void;
  /** Returns a built-in module. */
  getBuiltinModule(name: string): unknown;
}

/** The process; on hosts without one, `undefined`. */
export const host_process: Partial<HostProcess> | undefined = (globalThis as { process?: unknown })
  .process as Partial<HostProcess> | undefined;

/**
 * Returns a built-in module of Node.js, or `undefined`.
 *
 * It is looked up at run time and by name, so that no bundler sees an import.
 */
export function builtin_module<T>(name: string): T | undefined {
  try {
    return host_process?.getBuiltinModule?.(name) as T | undefined;
  } catch {
    return undefined; // Bun's node:perf_hooks needs the global performance
  }
}

interface Permissions {
  querySync?(descriptor: { name: "env"; variable: string }): { readonly state: string };
}

/** Returns a variable of the environment; `undefined` where there is none, or where the host would have to ask for a permission. */
export function environment_variable(name: string): string | undefined {
  const { permissions } = (globalThis as { Deno?: { permissions?: Permissions } }).Deno ?? {};
  const state = permissions?.querySync?.({ name: "env", variable: name }).state ?? "granted";
  if (state !== "granted") return undefined;
  return host_process?.env?.[name];
}
