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

/**
 * Returns a function that returns a global variable as it is now.
 *
 * Deno loads a part of itself when one of its own is first read, which takes milliseconds: it is read when the function is
 * first called, also if the variable has been replaced by then.
 */
export function host_global<T>(name: string): () => T | undefined {
  const own = Object.getOwnPropertyDescriptor(globalThis, name);
  if ("Deno" in globalThis && own?.get !== undefined) {
    let read: (() => T) | null = own.get;
    let value: T | undefined;
    return () => {
      if (read !== null) value = read.call(globalThis);
      read = null;
      return value;
    };
  }
  const value = (globalThis as unknown as Record<string, T | undefined>)[name];
  return () => value;
}

interface DenoInternal {
  readonly internal: symbol;
  readonly [key: symbol]: { readonly core?: unknown };
}

/** Returns Deno's core, of which Deno promises nothing; `undefined` on other hosts. */
export function core_of_deno(): unknown {
  const { Deno } = globalThis as unknown as { Deno?: DenoInternal };
  return Deno?.[Deno.internal]?.core;
}

const read_process = /* @__PURE__ */ host_global<Partial<HostProcess>>("process");
let was_read = !("Deno" in globalThis);

/**
 * Returns the process; on hosts without one, `undefined`, and on Deno if the intrinsics were frozen before it was first
 * needed: Deno cannot load it then.
 */
export function host_process(): Partial<HostProcess> | undefined {
  if (!was_read && Object.isFrozen(Object.prototype)) return undefined;
  was_read = true;
  return read_process();
}

/**
 * Returns a built-in module of Node.js, or `undefined`.
 *
 * It is looked up at run time and by name, so that no bundler sees an import.
 */
export function builtin_module<T>(name: string): T | undefined {
  try {
    return host_process()?.getBuiltinModule?.(name) as T | undefined;
  } catch {
    return undefined; // Bun's node:perf_hooks needs the global performance
  }
}

interface DenoEnvironment {
  readonly permissions?: {
    querySync?(descriptor: { name: "env"; variable: string }): { readonly state: string };
  };
  readonly env?: { get?(name: string): string | undefined };
}

/** Returns a variable of the environment; `undefined` where there is none, or where the host would have to ask for a permission. */
export function environment_variable(name: string): string | undefined {
  const { permissions, env } = (globalThis as { Deno?: DenoEnvironment }).Deno ?? {};
  const state = permissions?.querySync?.({ name: "env", variable: name }).state ?? "granted";
  if (state !== "granted") return undefined;
  return env?.get === undefined ? host_process()?.env?.[name] : env.get(name);
}
