/**
 * The host's asynchronous context: what stays with a flow of code across an `await` of a foreign
 * promise. Node.js, Deno and Bun have `AsyncLocalStorage`; browsers have nothing yet.
 *
 * @module
 */

import { has_other_copies, run_innermost } from "./copies.ts";

/** A context that is kept, to resume in it later; only this module knows its contents. */
export type KeptContext = unknown;

/** The operations on the contexts of a host. */
export interface Contexts {
  /** The value that this flow of code runs with, or `undefined`. */
  value(): unknown;
  /** The present context. */
  keep(): KeptContext;
  /** Calls `fn(a, b)` in a context. */
  run_in<A, B, R>(kept: KeptContext, fn: (a: A, b: B) => R, a: A, b: B): R;
  /** Calls `fn(argument)` in a context to which a value is added; `own` is one that has nothing else. */
  run_as<A, R>(
    kept: KeptContext,
    value: unknown,
    fn: (argument: A) => R,
    argument: A,
    own: KeptContext,
  ): R;
  /** A context that has nothing but a value, if the host has such. */
  own(value: unknown): KeptContext;
}

interface Storage {
  run<A extends unknown[], R>(value: unknown, fn: (...args: A) => R, ...args: A): R;
  getStore(): unknown;
}

interface Resource {
  runInAsyncScope<A extends unknown[], R>(fn: (...args: A) => R, self: null, ...args: A): R;
}

interface AsyncHooks {
  AsyncLocalStorage: new () => Storage;
  AsyncResource: new (type: string) => Resource;
}

interface BuiltinModules {
  getBuiltinModule?(name: string): AsyncHooks | undefined;
}

/** Contexts by the interface of Node.js, which Bun and Deno have too. */
export function contexts_of_storage({ AsyncLocalStorage, AsyncResource }: AsyncHooks): Contexts {
  const storage = new AsyncLocalStorage();
  const run_with = <A, R>(value: unknown, fn: (argument: A) => R, argument: A): R =>
    storage.run(value, fn, argument);
  return {
    value: () => storage.getStore(),
    keep: () => new AsyncResource("asyncio"),
    run_in: (kept, fn, a, b) => (kept as Resource).runInAsyncScope(fn, null, a, b),
    run_as: <A, R>(kept: KeptContext, value: unknown, fn: (argument: A) => R, argument: A) =>
      (kept as Resource).runInAsyncScope(run_with<A, R>, null, value, fn, argument),
    own: () => undefined,
  };
}

// Under this key a frame holds the library's value.
const VALUE = Symbol("asyncio");

/** A frame with the library's value alone. */
class OwnFrame {
  readonly [VALUE]: unknown;

  constructor(value: unknown) {
    this[VALUE] = value;
  }
}

type Frame = { readonly [VALUE]?: unknown } | null | undefined;

type DenoGlobal = { readonly internal: symbol } & Record<symbol, { core?: DenoCore }>;

interface DenoCore {
  getAsyncContext(): Frame;
  setAsyncContext(frame: Frame): void;
}

/**
 * Contexts by what Deno itself makes `AsyncLocalStorage` of: a frame is an object with an entry for
 * each variable, and is copied when a variable is entered.
 *
 * Keeping a frame costs nothing, and one with no variable of the user's need not be copied: a task
 * enters its context in 4 ns, where `AsyncLocalStorage.run` takes 240 to 730.
 */
export function contexts_of_frames({ getAsyncContext, setAsyncContext }: DenoCore): Contexts {
  const run_in = <A, B, R>(kept: KeptContext, fn: (a: A, b: B) => R, a: A, b: B): R => {
    const outer = getAsyncContext();
    setAsyncContext(kept as Frame);
    try {
      return fn(a, b);
    } finally {
      setAsyncContext(outer);
    }
  };
  return {
    value: () => getAsyncContext()?.[VALUE],
    keep: getAsyncContext,
    run_in,
    run_as: <A, R>(
      kept: KeptContext,
      value: unknown,
      fn: (argument: A) => R,
      argument: A,
      own: KeptContext,
    ) => {
      const frame = kept === undefined || kept === null || kept instanceof OwnFrame
        ? own ?? new OwnFrame(value)
        : { __proto__: null, ...kept, [VALUE]: value };
      const outer = getAsyncContext();
      setAsyncContext(frame as Frame);
      try {
        return fn(argument);
      } finally {
        setAsyncContext(outer);
      }
    },
    own: (value) => new OwnFrame(value),
  };
}

/** Returns whether contexts and the host's own `AsyncLocalStorage` agree. */
export function agree(contexts: Contexts, { AsyncLocalStorage }: AsyncHooks): boolean {
  const variable = new AsyncLocalStorage();
  const both = (value: unknown, stored: unknown) =>
    contexts.value() === value && variable.getStore() === stored;
  const run_as = (kept: KeptContext, call: () => boolean) =>
    contexts.run_as(kept, 2, call, undefined, undefined);
  const outside = contexts.keep();
  return variable.run(1, () => {
    const inside = contexts.keep();
    return both(undefined, 1) &&
      run_as(inside, () => both(2, 1) && variable.run(3, () => both(2, 3))) &&
      run_as(outside, () => both(2, undefined) && variable.run(3, () => both(2, 3))) &&
      contexts.run_in(outside, () => both(undefined, undefined), null, null);
  }) && both(undefined, undefined);
}

// Loaded at run time and by name, so that no bundler ever sees an import of a Node.js module.
const hooks = (globalThis as { process?: BuiltinModules }).process
  ?.getBuiltinModule?.("node:async_hooks");

const make_storage = (): Storage => new (hooks as AsyncHooks).AsyncLocalStorage();

// Deno's own interface is none that it promises to keep: without it, or should it have become another,
// the public one does the same, later.
function find_contexts(): Contexts | null {
  if (hooks === undefined) return null;
  try {
    const { Deno } = globalThis as { Deno?: unknown } as { Deno?: DenoGlobal };
    const core = Deno?.[Deno.internal]?.core;
    const contexts = core === undefined ? null : contexts_of_frames(core);
    if (contexts !== null && agree(contexts, hooks)) return contexts;
  } catch {
    // It has become another.
  }
  return contexts_of_storage(hooks);
}

const contexts = find_contexts();

/** True if the host keeps a context across foreign awaits. */
export const has_async_context: boolean = contexts !== null;

/** The value this flow of code was started with by {@linkcode run_as}, or `undefined`. */
export function context_value(): unknown {
  return contexts === null ? undefined : contexts.value();
}

/** The present context, kept for later. */
export function keep_context(): KeptContext {
  return contexts === null ? undefined : contexts.keep();
}

/** Calls `fn(a, b)`, now, in a context that was kept. */
export function run_in<A, B, R>(kept: KeptContext, fn: (a: A, b: B) => R, a: A, b: B): R {
  return contexts === null ? fn(a, b) : contexts.run_in(kept, fn, a, b);
}

/**
 * Calls `fn(argument)`, now, in a context that was kept; the function, and all that it awaits or starts,
 * has `value` as its context value. `own` is what {@linkcode own_context} made of the value before.
 */
export function run_as<A, R>(
  kept: KeptContext,
  value: unknown,
  fn: (argument: A) => R,
  argument: A,
  own: KeptContext = undefined,
): R {
  if (contexts === null) return fn(argument);
  if (has_other_copies()) {
    const run = (argument: A) => run_innermost(make_storage, fn, argument);
    return contexts.run_as(kept, value, run, argument, own);
  }
  return contexts.run_as(kept, value, fn, argument, own);
}

/** A context that has nothing but a value, for {@linkcode run_as} with this value again and again. */
export function own_context(value: unknown): KeptContext {
  return contexts === null ? undefined : contexts.own(value);
}
