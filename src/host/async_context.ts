/**
 * The host's asynchronous context: what stays with a flow of code across an `await` of a foreign
 * promise. Node.js, Deno and Bun have `AsyncLocalStorage`; browsers have nothing yet.
 *
 * @module
 */

/** Runs a function, now, in the asynchronous context that was current when the scope was captured. */
export interface Scope {
  /** Calls `fn(argument)` inside the captured context. */
  run<A, R>(fn: (argument: A) => R, argument: A): R;
}

interface Storage {
  run<A, R>(value: unknown, fn: (argument: A) => R, argument: A): R;
  getStore(): unknown;
}

interface AsyncHooks {
  AsyncLocalStorage: new () => Storage;
  AsyncResource: new (type: string) => {
    runInAsyncScope<A, R>(fn: (argument: A) => R, self: null, argument: A): R;
  };
}

interface BuiltinModules {
  getBuiltinModule?(name: string): AsyncHooks | undefined;
}

// Asked for at run time and by name, so that no bundler ever sees an import of a Node.js module.
const hooks = (globalThis as { process?: BuiltinModules }).process
  ?.getBuiltinModule?.("node:async_hooks");

/** Whether the host keeps a context across foreign awaits. */
export const has_async_context: boolean = hooks !== undefined;

const storage: Storage | null = hooks === undefined ? null : new hooks.AsyncLocalStorage();

/** The value this flow of code was started with by {@linkcode run_with}, or `undefined`. */
export function context_value(): unknown {
  return storage === null ? undefined : storage.getStore();
}

/** Calls `fn(argument)`; it, and all that it awaits or starts, sees `value` as its context value. */
export function run_with<A, R>(value: unknown, fn: (argument: A) => R, argument: A): R {
  return storage === null ? fn(argument) : storage.run(value, fn, argument);
}

class CapturedScope implements Scope {
  readonly #resource: InstanceType<AsyncHooks["AsyncResource"]>;

  constructor(resource: InstanceType<AsyncHooks["AsyncResource"]>) {
    this.#resource = resource;
  }

  run<A, R>(fn: (argument: A) => R, argument: A): R {
    return this.#resource.runInAsyncScope(fn, null, argument);
  }
}

/** The present context, kept for later; `null` where the host has none. */
export function capture_scope(): Scope | null {
  return hooks === undefined ? null : new CapturedScope(new hooks.AsyncResource("asyncio"));
}

/** Has the function of a gate called with an argument; what has a method `then` cannot be one. */
export type OpenGate<A> = (argument: A) => void;

let kept_resolve: OpenGate<never>;
const keep_resolve = (resolve: OpenGate<never>): void => {
  kept_resolve = resolve;
};

/**
 * Keeps the present context for one call: what it returns has `callback` called in it, in a microtask.
 *
 * A promise does that at a tenth of the price of a {@linkcode Scope}, which is needed only where the
 * call must be made at once.
 */
export function make_gate<A>(callback: (argument: A) => void): OpenGate<A> {
  new Promise<A>(keep_resolve).then(callback);
  return kept_resolve as OpenGate<A>;
}
