/**
 * The copies of this library that a program has loaded, as when two versions of it are in `node_modules`.
 *
 * They know each other by a list under a registered symbol. A future of one copy that code of another one's task
 * awaits is adopted by that copy: what the code waits on is a future of its own.
 *
 * @module
 */

/** A future of another copy: the part of its public interface that is used, since versions may differ. */
export interface OtherFuture {
  /** Returns whether it has an outcome. */
  done(): boolean;
  /** Returns whether it is cancelled. */
  cancelled(): boolean;
  /** Returns the result, or throws. */
  result(): unknown;
  /** Cancels it; false if it is done. */
  cancel(message?: unknown): boolean;
  /** Calls a function when it is done. */
  add_done_callback(callback: () => void): void;
}

/** Stands for a future of another copy. */
export interface Adopted extends PromiseLike<unknown>, Iterable<unknown> {}

/** Answers the questions of other copies. Later versions may add to it, and change nothing. */
export interface Copy {
  /** Returns whether code of a task of this copy runs now. */
  runs_task(): boolean;
  /** Returns whether a loop of this copy runs the calling code. */
  runs_loop(): boolean;
  /** Returns what code of the task that runs now awaits for a future; `is_owned` if nothing else waits for that. */
  adopt(future: OtherFuture, is_owned: boolean): Adopted;
  /** The loops of this copy that run; tools read it from outside of the process. */
  readonly running: Set<object>;
}

interface Storage {
  run<A, R>(value: unknown, fn: (argument: A) => R, argument: A): R;
  getStore(): unknown;
}

interface Registry {
  readonly copies: Copy[];
  /** Carries the copy of the innermost task or callback around the code that runs now; made for the second copy. */
  innermost: Storage | null;
}

const KEY = Symbol.for("@pythonic/asyncio:copies");

function find_registry(): Registry {
  const found = (globalThis as { [KEY]?: Registry })[KEY];
  if (found !== undefined) return found;
  const value: Registry = { copies: [], innermost: null };
  // Of no effect where the global object is frozen.
  Reflect.defineProperty(globalThis, KEY, { value, configurable: true, writable: true });
  return value;
}

const registry = find_registry();

/** This copy; the core sets its answers, until then no task of it runs that could adopt anything. */
export const THIS_COPY: Copy = {
  runs_task: () => false,
  runs_loop: () => false,
  adopt: undefined as never,
  running: new Set(),
};
registry.copies.push(THIS_COPY);

/** Returns whether there is another copy. */
export function has_other_copies(): boolean {
  return registry.copies.length > 1;
}

/** Returns the other copy that has a task to which the code that runs now belongs; `null` if there is none. */
export function other_copy_with_task(): Copy | null {
  if (registry.copies.length === 1) return null;
  return registry.copies.find((copy) => copy !== THIS_COPY && copy.runs_task()) ?? null;
}

/** Returns whether a loop of another copy runs the calling code. */
export function is_in_other_loop(): boolean {
  return registry.copies.some((copy) => copy !== THIS_COPY && copy.runs_loop());
}

/**
 * Calls `fn(argument)` as code that this copy runs, and no other one around it.
 *
 * @param make makes the host's storage, for the first call with more than one copy
 */
export function run_innermost<A, R>(make: () => Storage, fn: (argument: A) => R, argument: A): R {
  registry.innermost ??= make();
  return registry.innermost.run(THIS_COPY, fn, argument);
}

/** Returns whether the code that runs now is run by no other copy inside what this copy runs. */
export function is_innermost(): boolean {
  const innermost = registry.innermost;
  return innermost === null || (innermost.getStore() ?? THIS_COPY) === THIS_COPY;
}
