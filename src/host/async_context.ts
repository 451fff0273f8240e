/**
 * The host's asynchronous context: what stays with a flow of code across an `await` of a foreign
 * promise. Node.js, Deno and Bun have `AsyncLocalStorage`; browsers have nothing yet.
 *
 * @module
 */

import { has_other_copies, run_innermost } from "./copies.ts";
import { builtin_module, core_of_deno } from "./process.ts";

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

type StorageClass = new () => Storage;

interface AsyncHooks {
  AsyncLocalStorage: StorageClass;
  AsyncResource: new (type: string) => Resource;
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

/**
 * The frames of a host: each has the values of all asynchronous variables, and a flow of code has one. The host makes
 * `AsyncLocalStorage` of them.
 */
export interface Frames<F> {
  /** Returns the frame of the code that runs now. */
  current(): F;
  /** Makes a frame that of the code that runs now. */
  enter(frame: F): void;
  /** Returns the library's value in a frame, or `undefined`. */
  value_in(frame: F): unknown;
  /** Makes a frame with the library's value alone. */
  own(value: unknown): F;
  /** Returns whether a frame has no variable of the user's. */
  is_own(frame: F): boolean;
  /** Makes a frame with the values of another one and the library's. */
  extend(frame: F, value: unknown): F;
}

/**
 * Contexts by a host's frames.
 *
 * Keeping a frame costs nothing, and one with no variable of the user's need not be copied: on Deno a task enters
 * its context in 4 ns, where `AsyncLocalStorage.run` takes 240 to 730, on Node.js 24 and newer in 10 instead of 160.
 */
export function contexts_of_frames<F>(frames: Frames<F>): Contexts {
  const { current, enter, value_in, own, is_own, extend } = frames;
  return {
    value: () => value_in(current()),
    keep: current,
    run_in: <A, B, R>(kept: KeptContext, fn: (a: A, b: B) => R, a: A, b: B): R => {
      const outer = current();
      enter(kept as F);
      try {
        return fn(a, b);
      } finally {
        enter(outer);
      }
    },
    run_as: <A, R>(
      kept: KeptContext,
      value: unknown,
      fn: (argument: A) => R,
      argument: A,
      own_frame: KeptContext,
    ) => {
      const outer = current();
      enter(is_own(kept as F) ? own_frame as F ?? own(value) : extend(kept as F, value));
      try {
        return fn(argument);
      } finally {
        enter(outer);
      }
    },
    own,
  };
}

// Under this key a frame holds the library's value.
const VALUE = Symbol("asyncio");

/** A frame of Deno with the library's value alone. */
class OwnFrame {
  readonly [VALUE]: unknown;

  constructor(value: unknown) {
    this[VALUE] = value;
  }
}

type DenoFrame = { readonly [VALUE]?: unknown } | null | undefined;

interface DenoContext {
  getAsyncContext(): DenoFrame;
  setAsyncContext(frame: DenoFrame): void;
}

interface DenoCore extends DenoContext {
  /** Of which Deno makes its `AsyncLocalStorage`. */
  readonly AsyncVariable: new () => {
    /** Enters a frame with a value of the variable; returns the one before. */
    enter(value: unknown): DenoFrame;
    get(): unknown;
  };
}

/** Returns what Deno's `AsyncLocalStorage` does, which takes Deno a fifth of its own start to load. */
function storage_of_deno({ AsyncVariable, setAsyncContext }: DenoCore): StorageClass {
  return class implements Storage {
    readonly #variable = new AsyncVariable();

    run<A extends unknown[], R>(value: unknown, fn: (...args: A) => R, ...args: A): R {
      const outer = this.#variable.enter(value);
      try {
        return fn(...args);
      } finally {
        setAsyncContext(outer);
      }
    }

    getStore(): unknown {
      return this.#variable.get();
    }
  };
}

/** The frames of Deno: objects with an entry for each variable, copied when a variable is entered. */
export function frames_of_deno(
  { getAsyncContext, setAsyncContext }: DenoContext,
): Frames<DenoFrame> {
  return {
    current: getAsyncContext,
    enter: setAsyncContext,
    value_in: (frame) => frame?.[VALUE],
    own: (value) => new OwnFrame(value),
    is_own: (frame) => frame === undefined || frame === null || frame instanceof OwnFrame,
    extend: (frame, value) => ({ __proto__: null, ...frame, [VALUE]: value }),
  };
}

/** The class of the frames of Node.js 24 and newer: maps with an entry for each variable. */
interface NodeFrameClass {
  current(): NodeFrame;
  set(frame: NodeFrame): void;
  /** Copies the current frame. */
  new (variable: unknown, value: unknown): NodeFrame;
}

type NodeFrame = { get(variable: unknown): unknown } | undefined;

// The variable by which a map holds the library's value.
const VARIABLE = {};

/** A frame of Node.js with the library's value alone: as much of a map as the host uses, at a tenth of the price. */
class OwnMap {
  readonly value: unknown;

  constructor(value: unknown) {
    this.value = value;
  }

  has(variable: unknown): boolean {
    return variable === VARIABLE;
  }

  get(variable: unknown): unknown {
    return variable === VARIABLE ? this.value : undefined;
  }

  /** Called for a variable of the user's, of which it has none. */
  disable(): void {}

  *[Symbol.iterator](): IterableIterator<[unknown, unknown]> {
    yield [VARIABLE, this.value];
  }
}

/** The frames of Node.js; `null` if it has none, as before version 24. */
export function frames_of_node(
  { AsyncLocalStorage, AsyncResource }: AsyncHooks,
): Frames<NodeFrame> | null {
  // An AsyncResource carries the frame in which it was made.
  const before = new AsyncResource("asyncio");
  const resource = new AsyncLocalStorage().run(1, () => new AsyncResource("asyncio"));
  const key = Object.getOwnPropertySymbols(resource).find(({ description }) =>
    description === "context_frame"
  );
  if (key === undefined) return null;
  const { [key]: first } = resource as unknown as Record<symbol, object>;
  const frame_class = first?.constructor as NodeFrameClass;
  const enter = (frame: NodeFrame) => frame_class.set(frame);
  // `run` leaves a frame with an entry, of which every task would need a copy.
  enter((before as unknown as Record<symbol, NodeFrame>)[key]);
  return {
    current: () => frame_class.current(),
    enter,
    value_in: (frame) => frame instanceof OwnMap ? frame.value : frame?.get(VARIABLE),
    own: (value) => new OwnMap(value),
    is_own: (frame) => frame === undefined || frame instanceof OwnMap,
    extend: (frame, value) => {
      const outer = frame_class.current();
      enter(frame);
      try {
        return new frame_class(VARIABLE, value);
      } finally {
        enter(outer);
      }
    },
  };
}

/** Returns whether contexts and the host's own `AsyncLocalStorage` agree. */
export function agree(
  contexts: Contexts,
  { AsyncLocalStorage }: Pick<AsyncHooks, "AsyncLocalStorage">,
): boolean {
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

// Found at run time and by name, so that no bundler ever sees an import of a Node.js module.
const find_hooks = (): AsyncHooks | undefined => builtin_module("node:async_hooks");

const make_storage = (): Storage => new (find_hooks() as AsyncHooks).AsyncLocalStorage();

// A host does not promise to keep its frames: without them, or should they have become others, its public interface
// does the same, later.
function find_contexts(): Contexts | null {
  const core = core_of_deno() as DenoCore | undefined;
  const of_deno = core === undefined
    ? null
    : agreeing(() => [frames_of_deno(core), storage_of_deno(core)]);
  if (of_deno !== null) return of_deno;
  const hooks = find_hooks();
  if (hooks === undefined) return null;
  return agreeing(() => [frames_of_node(hooks), hooks.AsyncLocalStorage]) ??
    contexts_of_storage(hooks);
}

function agreeing<F>(find: () => [Frames<F> | null, StorageClass]): Contexts | null {
  try {
    const [frames, AsyncLocalStorage] = find();
    if (frames === null) return null;
    const contexts = contexts_of_frames(frames);
    const before = frames.current();
    try {
      return agree(contexts, { AsyncLocalStorage }) ? contexts : null;
    } finally {
      frames.enter(before);
    }
  } catch {
    return null; // they have become others
  }
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
