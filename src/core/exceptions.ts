/**
 * The errors of asyncio, and those of Python's own errors that asyncio throws.
 *
 * Python has two kinds of exceptions: those that a program may expect (`Exception`) and those that end
 * a task or the program (`BaseException`: a cancellation, Ctrl-C). Here each thrown value that does not extend
 * {@linkcode BaseException} counts as an ordinary exception, a string too.
 *
 * @module
 */

import {
  brand_of,
  frames_of,
  has_brand,
  is_a,
  is_instance,
  NamedError,
  prepare,
} from "../internal/error_kinds.ts";
import {
  deno_inspect,
  is_class,
  is_iterable,
  node_inspect,
  repr,
  type_name,
} from "../internal/format_helpers.ts";

// Not every value can be made a string: an object without a prototype cannot.
function text_of(value: unknown): string {
  try {
    return String(value);
  } catch {
    return repr(value);
  }
}

/**
 * The root of the exceptions that are no errors: cancellation and keyboard interrupt.
 *
 * A `catch` that handles ordinary errors rethrows these.
 *
 * See {@link https://docs.python.org/3/library/exceptions.html#BaseException Python's BaseException}.
 *
 * @category Errors
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { assert } from "@std/assert";
 *
 * assert(new asyncio.CancelledError() instanceof asyncio.BaseException);
 * assert(!(new asyncio.TimeoutError() instanceof asyncio.BaseException));
 * ```
 */
export class BaseException extends NamedError {
  /** @internal */
  static override get name(): string {
    return "BaseException";
  }

  readonly #args: unknown[];

  /**
   * Makes the exception; its message is the first argument as a string.
   *
   * @param args its arguments, kept in `args`
   */
  constructor(...args: unknown[]) {
    super(args.length === 0 ? "" : text_of(args[0]));
    this.#args = args;
  }

  /** The arguments that the exception was made with. */
  get args(): unknown[] {
    if (#args in (this as object)) return this.#args;
    return Object.hasOwn(this, "message") ? [this.message] : [];
  }
}

/**
 * Signals that the operation has been cancelled.
 *
 * `task.cancel()` throws it at the await at which the task waits. Code that catches it cleans up and throws
 * it again.
 *
 * See {@link https://docs.python.org/3/library/asyncio-exceptions.html#asyncio.CancelledError Python's CancelledError}.
 *
 * @category Errors
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * const task = asyncio.create_task(asyncio.sleep(3600));
 * task.cancel("enough");
 * try {
 *   await task;
 * } catch (error) {
 *   if (!(error instanceof asyncio.CancelledError)) throw error;
 *   assertEquals(error.message, "enough");
 * }
 * ```
 */
export class CancelledError extends BaseException {
  /** @internal */
  static override get name(): string {
    return "CancelledError";
  }
}

/**
 * Signals that the user has pressed Ctrl-C.
 *
 * See {@link https://docs.python.org/3/library/exceptions.html#KeyboardInterrupt Python's KeyboardInterrupt}.
 *
 * @category Errors
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(String(new asyncio.KeyboardInterrupt()), "KeyboardInterrupt");
 * ```
 */
export class KeyboardInterrupt extends BaseException {
  /** @internal */
  static override get name(): string {
    return "KeyboardInterrupt";
  }
}

/**
 * Signals that an operation is not allowed in the state of the object: a future has no result yet.
 *
 * See {@link https://docs.python.org/3/library/asyncio-exceptions.html#asyncio.InvalidStateError Python's InvalidStateError}.
 *
 * @category Errors
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { assertThrows } from "@std/assert";
 *
 * assertThrows(() => new asyncio.Future().result(), asyncio.InvalidStateError, "Result is not set.");
 * ```
 */
export class InvalidStateError extends NamedError {
  /** @internal */
  static override get name(): string {
    return "InvalidStateError";
  }
}

/**
 * Signals that an operation took longer than its time limit.
 *
 * Its `cause` is the {@linkcode CancelledError} by which the operation was stopped, if there was one.
 *
 * See {@link https://docs.python.org/3/library/asyncio-exceptions.html#asyncio.TimeoutError Python's TimeoutError}.
 *
 * @category Errors
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { assertRejects } from "@std/assert";
 *
 * await assertRejects(() => asyncio.run(asyncio.wait_for(asyncio.sleep(60), 0.01)), asyncio.TimeoutError);
 * ```
 */
export class TimeoutError extends NamedError {
  /** @internal */
  static override get name(): string {
    return "TimeoutError";
  }
}

/**
 * Signals a use that the state of an object forbids: of a closed loop, of a lock that is not held.
 *
 * See {@link https://docs.python.org/3/library/exceptions.html#RuntimeError Python's RuntimeError}.
 *
 * @category Errors
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { assertThrows } from "@std/assert";
 *
 * assertThrows(() => new asyncio.Lock().release(), asyncio.RuntimeError, "Lock is not acquired.");
 * ```
 */
export class RuntimeError extends NamedError {
  /** @internal */
  static override get name(): string {
    return "RuntimeError";
  }
}

/**
 * Signals that an argument has the right type and a wrong value.
 *
 * See {@link https://docs.python.org/3/library/exceptions.html#ValueError Python's ValueError}.
 *
 * @category Errors
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { assertThrows } from "@std/assert";
 *
 * assertThrows(() => new asyncio.Semaphore(-1), asyncio.ValueError);
 * ```
 */
export class ValueError extends RangeError {
  /** @internal */
  static override get name(): string {
    return "ValueError";
  }

  /** @internal */
  static override [Symbol.hasInstance](value: unknown): boolean {
    return is_instance(this, value);
  }

  /**
   * Makes the error.
   *
   * @param message what happened
   * @param options `cause`: the error that led to it
   */
  constructor(message?: string, options?: ErrorOptions) {
    prepare(new.target);
    super(message, options);
  }
}

/**
 * Signals that a lookup found nothing: a context variable has no value.
 *
 * See {@link https://docs.python.org/3/library/exceptions.html#LookupError Python's LookupError}.
 *
 * @category Errors
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { assertThrows } from "@std/assert";
 *
 * assertThrows(() => new asyncio.ContextVar("user").get(), asyncio.LookupError);
 * ```
 */
export class LookupError extends NamedError {
  /** @internal */
  static override get name(): string {
    return "LookupError";
  }
}

/**
 * Signals that an asynchronous iterator has no more values.
 *
 * See {@link https://docs.python.org/3/library/exceptions.html#StopAsyncIteration Python's StopAsyncIteration}.
 *
 * @category Errors
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { assert } from "@std/assert";
 *
 * assert(new asyncio.StopAsyncIteration() instanceof Error);
 * ```
 */
export class StopAsyncIteration extends NamedError {
  /** @internal */
  static override get name(): string {
    return "StopAsyncIteration";
  }
}

/**
 * Signals that a barrier was aborted or reset while tasks waited at it.
 *
 * See {@link https://docs.python.org/3/library/asyncio-sync.html#asyncio.BrokenBarrierError Python's BrokenBarrierError}.
 *
 * @category Errors
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { assert } from "@std/assert";
 *
 * assert(new asyncio.BrokenBarrierError() instanceof asyncio.RuntimeError);
 * ```
 */
export class BrokenBarrierError extends RuntimeError {
  /** @internal */
  static override get name(): string {
    return "BrokenBarrierError";
  }
}

/**
 * Signals that a stream ended before all requested bytes arrived.
 *
 * See {@link https://docs.python.org/3/library/asyncio-exceptions.html#asyncio.IncompleteReadError Python's IncompleteReadError}.
 *
 * @category Errors
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * const error = new asyncio.IncompleteReadError(new Uint8Array(2), 8);
 * assertEquals(error.message, "2 bytes read on a total of 8 expected bytes");
 * ```
 */
export class IncompleteReadError extends NamedError {
  /** @internal */
  static override get name(): string {
    return "IncompleteReadError";
  }

  /** The bytes read before the end of the stream. */
  readonly partial: Uint8Array;
  /** How many bytes were expected, `null` if that is not known. */
  readonly expected: number | null;

  /**
   * Makes the error.
   *
   * @param partial the bytes that came
   * @param expected how many were expected, `null` if that is not known
   */
  constructor(partial: Uint8Array, expected: number | null) {
    const total = expected === null ? "undefined" : expected;
    super(`${partial.length} bytes read on a total of ${total} expected bytes`);
    this.partial = partial;
    this.expected = expected;
  }
}

/**
 * Signals that a stream's buffer was full before a separator was found.
 *
 * See {@link https://docs.python.org/3/library/asyncio-exceptions.html#asyncio.LimitOverrunError Python's LimitOverrunError}.
 *
 * @category Errors
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(new asyncio.LimitOverrunError("too long", 64).consumed, 64);
 * ```
 */
export class LimitOverrunError extends NamedError {
  /** @internal */
  static override get name(): string {
    return "LimitOverrunError";
  }

  /** How many bytes are to be consumed. */
  readonly consumed: number;

  /**
   * Makes the error.
   *
   * @param message what happened
   * @param consumed how many bytes are to be consumed
   */
  constructor(message: string, consumed: number) {
    super(message);
    this.consumed = consumed;
  }
}

/**
 * Signals that a program on the virtual clock can make no progress: each task waits and no timer is set.
 *
 * Its message names each waiting task and what it waits on.
 *
 * @category Testing
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { DeadlockError, VirtualClockEventLoop } from "@pythonic/asyncio/testing";
 * import { assertRejects } from "@std/assert";
 *
 * const loop_factory = () => new VirtualClockEventLoop();
 * await assertRejects(
 *   () => asyncio.run(new asyncio.Event().wait(), { loop_factory }),
 *   DeadlockError,
 * );
 * ```
 */
export class DeadlockError extends RuntimeError {
  /** @internal */
  static override get name(): string {
    return "DeadlockError";
  }
}

/**
 * The condition of `split` and `subgroup`: an error class, several, or a predicate.
 *
 * @category Errors
 */
export type ExceptionCondition =
  | ErrorClass
  | readonly ErrorClass[]
  // A method's parameter: a predicate may take a narrower type, and one that names none gets `unknown`.
  | { of(error: unknown): boolean }["of"];

/**
 * A class of errors.
 *
 * @category Errors
 */
export type ErrorClass = abstract new (...args: never[]) => Error;

/** Returns whether a value is a class of errors. */
export function is_error_class(condition: unknown): condition is ErrorClass {
  // Those of another realm do not extend this one's Error.
  return typeof condition === "function" && "message" in Object(condition.prototype);
}

type Predicate = (error: unknown) => boolean;

function predicate_of(condition: ExceptionCondition): Predicate {
  if (Array.isArray(condition)) {
    if (condition.every(is_error_class)) {
      return (error) => condition.some((kind) => is_a(error, kind));
    }
  } else if (is_error_class(condition)) {
    return (error) => is_a(error, condition);
  } else if (typeof condition === "function" && !is_class(condition)) {
    return (error) => {
      const selected: unknown = (condition as Predicate)(error);
      if (selected instanceof Promise) {
        throw new TypeError(
          "Cannot select from an exception group: the condition must answer at once: " +
            `received ${repr(selected)}`,
        );
      }
      return Boolean(selected);
    };
  }
  throw new TypeError(
    "expected an exception type, an array of exception types, or a function (other than a class), " +
      `received ${repr(condition)}`,
  );
}

/**
 * Holds several exceptions of any kind.
 *
 * A group of nothing but ordinary errors is an {@linkcode ExceptionGroup}, also when it is made by
 * `new BaseExceptionGroup(…)`.
 *
 * See {@link https://docs.python.org/3/library/exceptions.html#BaseExceptionGroup Python's BaseExceptionGroup}.
 *
 * @category Errors
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { assert } from "@std/assert";
 *
 * const group = new asyncio.BaseExceptionGroup("two", [new Error("a"), new asyncio.CancelledError()]);
 * assert(!(group instanceof asyncio.ExceptionGroup));
 * assert(group.subgroup(Error) === group);
 * ```
 */
export class BaseExceptionGroup extends AggregateError {
  /** @internal */
  static override get name(): string {
    return "BaseExceptionGroup";
  }

  /** @internal */
  static override [Symbol.hasInstance](value: unknown): boolean {
    return is_instance(this, value);
  }

  /**
   * Makes a group of at least one exception.
   *
   * @param message the text of the group
   * @param exceptions the exceptions, groups among them too
   * @throws {TypeError} if the message is no string, if the exceptions are not several, or if one of them is no
   * ordinary error and the class extends {@linkcode ExceptionGroup}
   * @throws {ValueError} if there is no exception
   */
  constructor(message: string, exceptions: Iterable<unknown>) {
    if (typeof message !== "string") {
      throw new TypeError(
        `BaseExceptionGroup() argument 1 must be a string, not ${type_name(message)}`,
      );
    }
    if (typeof exceptions !== "object" || !is_iterable(exceptions)) {
      throw new TypeError("second argument (exceptions) must be a sequence");
    }
    const all = [...exceptions];
    if (all.length === 0) {
      throw new ValueError("second argument (exceptions) must be a non-empty sequence");
    }
    const is_ordinary = all.every(is_exception);
    if (!is_ordinary && new.target === ExceptionGroup) {
      throw new TypeError("Cannot nest BaseExceptions in an ExceptionGroup");
    }
    if (!is_ordinary && new.target.prototype instanceof ExceptionGroup) {
      throw new TypeError(`Cannot nest BaseExceptions in '${new.target.name}'`);
    }
    prepare(new.target);
    super(all, message);
    add_inspection();
    if (is_ordinary && new.target === BaseExceptionGroup) return new ExceptionGroup(message, all);
  }

  /** The exceptions of the group, in order. */
  get exceptions(): unknown[] {
    return this.errors;
  }

  /**
   * Makes a group of the same kind and message from other exceptions. `split` and `subgroup` call it.
   *
   * A subclass with another constructor overrides it.
   *
   * @param exceptions the exceptions of the new group
   * @returns the new group
   */
  derive(exceptions: Iterable<unknown>): BaseExceptionGroup {
    return new BaseExceptionGroup(this.message, exceptions);
  }

  /**
   * Selects a part of the group, in the same shape.
   *
   * @param condition a class of errors, an array of classes, or a predicate
   * @returns the part, or `null` if nothing is selected
   * @throws {TypeError} if it is none of these, or if `derive()` returns no group
   */
  subgroup(condition: ExceptionCondition): BaseExceptionGroup | null {
    return partition(this, predicate_of(condition), false)[0];
  }

  /**
   * Divides the group in two, of the same shape.
   *
   * @param condition a class of errors, an array of classes, or a predicate
   * @returns the part that the condition selects and the rest, each `null` if it is empty
   * @throws {TypeError} if it is none of these, or if `derive()` returns no group
   */
  split(
    condition: ExceptionCondition,
  ): [matching: BaseExceptionGroup | null, rest: BaseExceptionGroup | null] {
    return partition(this, predicate_of(condition), true);
  }

  /** Returns the group's name, its message and the number of its exceptions. */
  override toString(): string {
    const count = this.exceptions.length;
    return `${this.name}: ${this.message} (${count} sub-exception${count === 1 ? "" : "s"})`;
  }
}

type Part = BaseExceptionGroup | null;

/** Returns whether a value is a group of errors, of any copy of the library. */
export function is_group(error: unknown): error is BaseExceptionGroup {
  return has_brand(error, BASE_EXCEPTION_GROUP);
}

function partition(
  group: BaseExceptionGroup,
  selects: Predicate,
  with_rest: boolean,
): [matching: Part, rest: Part] {
  if (selects(group)) return [group, null];
  const matching: unknown[] = [];
  const rest: unknown[] = [];
  for (const error of group.exceptions) {
    if (is_group(error)) {
      const [inner, other] = partition(error, selects, with_rest);
      if (inner !== null) matching.push(inner);
      if (other !== null) rest.push(other);
    } else {
      (selects(error) ? matching : rest).push(error);
    }
  }
  return [part_of(group, matching), with_rest ? part_of(group, rest) : null];
}

function part_of(group: BaseExceptionGroup, exceptions: unknown[]): Part {
  if (exceptions.length === 0) return null;
  const part = group.derive(exceptions);
  if (!is_group(part)) throw new TypeError("derive must return an instance of BaseExceptionGroup");
  if (Object.hasOwn(group, "cause")) part.cause = group.cause;
  if (group.stack !== undefined) part.stack = group.stack;
  return part;
}

type Inspect = (value: unknown, options?: unknown) => string;

function tree_of(group: BaseExceptionGroup, inspect: (error: unknown) => string): string {
  const lines = [group.toString(), ...frames_of(group)];
  const last = group.exceptions.length - 1;
  group.exceptions.forEach((error, index) => {
    const [first, ...more] = inspect(error).split("\n");
    lines.push(`${index === last ? "└" : "├"}─ ${first}`);
    for (const line of more) lines.push(`${index === last ? " " : "│"}  ${line}`);
  });
  if (group.cause !== undefined) lines.push(`Caused by: ${inspect(group.cause)}`);
  return lines.join("\n");
}

/** Has the consoles show groups as trees. The first group does it, so that a bundler can drop the class. */
function add_inspection(): void {
  const { prototype } = BaseExceptionGroup;
  if (deno_inspect in prototype || !Object.isExtensible(prototype)) return;
  Object.defineProperties(prototype, {
    [deno_inspect]: {
      value(this: BaseExceptionGroup, inspect: Inspect, options: unknown): string {
        return tree_of(this, (error) => inspect(error, options));
      },
      configurable: true,
    },
    [node_inspect]: {
      value(this: BaseExceptionGroup, _depth: number, options: unknown, inspect: Inspect): string {
        return tree_of(this, (error) => inspect(error, options));
      },
      configurable: true,
    },
  });
}

/**
 * Holds several ordinary errors, as a `TaskGroup` throws them.
 *
 * See {@link https://docs.python.org/3/library/exceptions.html#ExceptionGroup Python's ExceptionGroup}.
 *
 * @category Errors
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * const group = new asyncio.ExceptionGroup("two", [new TypeError("a"), new RangeError("b")]);
 * const [types, rest] = group.split(TypeError);
 * assertEquals(types?.exceptions.length, 1);
 * assertEquals(rest?.exceptions.length, 1);
 * ```
 */
export class ExceptionGroup extends BaseExceptionGroup {
  /** @internal */
  static override get name(): string {
    return "ExceptionGroup";
  }
}

const BASE_EXCEPTION = brand_of("BaseException");
const KEYBOARD_INTERRUPT = brand_of("KeyboardInterrupt");
const BASE_EXCEPTION_GROUP = brand_of("BaseExceptionGroup");
const EXCEPTION_GROUP = brand_of("ExceptionGroup");

/** Returns whether a thrown value is an ordinary error: what `except Exception` catches. */
export function is_exception(thrown: unknown): boolean {
  if (has_brand(thrown, BASE_EXCEPTION)) return false;
  return !is_group(thrown) || has_brand(thrown, EXCEPTION_GROUP);
}

/** Returns whether an exception leaves the loop at once instead of staying in its task. */
export function leaves_the_loop(thrown: unknown): boolean {
  return has_brand(thrown, KEYBOARD_INTERRUPT);
}
