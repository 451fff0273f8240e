/**
 * The errors of asyncio, and the few of Python's own that its programs meet.
 *
 * Python splits exceptions in two: those a program may expect (`Exception`) and those that end
 * something (`BaseException`: a cancellation, Ctrl-C). Here whatever does not extend
 * {@linkcode BaseException} counts as an ordinary exception, a thrown string too.
 *
 * @module
 */

import { deno_inspect, node_inspect, repr } from "../internal/format_helpers.ts";

/**
 * The root of the exceptions that are no errors: cancellation and keyboard interrupt.
 *
 * A `catch` that wants ordinary errors only rethrows these.
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
export class BaseException extends Error {
  /** @internal */
  static override get name(): string {
    return "BaseException";
  }

  /** The name of its class, be it a subclass. */
  override get name(): string {
    return this.constructor.name;
  }

  readonly #args: unknown[];

  /**
   * Makes the exception; its message is the first argument as a string.
   *
   * @param args its arguments, kept in `args`
   */
  constructor(...args: unknown[]) {
    super(args.length === 0 ? "" : String(args[0]));
    this.#args = args;
  }

  /** The arguments that the exception was made with. */
  get args(): unknown[] {
    if (#args in (this as object)) return this.#args;
    return Object.hasOwn(this, "message") ? [this.message] : [];
  }
}

/**
 * The operation has been cancelled.
 *
 * It is thrown at the await at which a task waits when somebody calls `task.cancel()`. Code that
 * catches it cleans up and throws it again.
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

// V8's property; elsewhere it does no harm.
const stacks = Error as { stackTraceLimit?: number };

/**
 * A cancellation that the library throws into a task; its stack would show nothing but the loop.
 *
 * An error costs the more the deeper the stack is. So the constructors of the class are left out, where
 * its arguments show in its message.
 */
export function make_cancelled_error(message: unknown): CancelledError {
  const limit = stacks.stackTraceLimit;
  stacks.stackTraceLimit = 0;
  try {
    if (message !== undefined && typeof message !== "string") return new CancelledError(message);
    const args = message === undefined ? [] : [message];
    return Reflect.construct(Error, args, CancelledError) as CancelledError;
  } finally {
    stacks.stackTraceLimit = limit;
  }
}

/**
 * A cancellation that code of the library alone has seen. Hosts take microseconds to make an error: it
 * becomes one when it leaves the library.
 */
export class Cancellation {
  /** What `cancel` was given; `undefined` for nothing. */
  readonly message: unknown;

  /** Notes a cancellation. */
  constructor(message: unknown) {
    this.message = message;
  }
}

/** Whether something thrown is a cancellation, in either form. */
export function is_cancellation(thrown: unknown): boolean {
  return thrown instanceof Cancellation || thrown instanceof CancelledError;
}

/** The cancellation that something thrown stands for. */
export function as_cancellation(thrown: unknown): Cancellation | CancelledError {
  return thrown as Cancellation | CancelledError;
}

/** The error of something thrown that is a cancellation. */
export function as_cancelled_error(thrown: unknown): CancelledError {
  return as_error(thrown) as CancelledError;
}

/** What code of the user gets to see of something thrown inside the library. */
export function as_error(thrown: unknown): unknown {
  return thrown instanceof Cancellation ? make_cancelled_error(thrown.message) : thrown;
}

/**
 * The user has pressed Ctrl-C.
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
 * An operation is not allowed in the state of the object, as asking a future for a result it does not have yet.
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
export class InvalidStateError extends Error {
  /** @internal */
  static override get name(): string {
    return "InvalidStateError";
  }

  /** The name of its class, be it a subclass. */
  override get name(): string {
    return this.constructor.name;
  }
}

/**
 * An operation took longer than it was given.
 *
 * Its `cause` is the {@linkcode CancelledError} by which the operation was stopped, where there was one.
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
export class TimeoutError extends Error {
  /** @internal */
  static override get name(): string {
    return "TimeoutError";
  }

  /** The name of its class, be it a subclass. */
  override get name(): string {
    return this.constructor.name;
  }
}

/**
 * Something is used in a way that its state forbids: a loop that is closed, a lock that is not held.
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
export class RuntimeError extends Error {
  /** @internal */
  static override get name(): string {
    return "RuntimeError";
  }

  /** The name of its class, be it a subclass. */
  override get name(): string {
    return this.constructor.name;
  }
}

/**
 * An argument of the right type has a value that makes no sense.
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

  /** The name of its class, be it a subclass. */
  override get name(): string {
    return this.constructor.name;
  }
}

/**
 * Something was looked up and is not there: a context variable without a value.
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
export class LookupError extends Error {
  /** @internal */
  static override get name(): string {
    return "LookupError";
  }

  /** The name of its class, be it a subclass. */
  override get name(): string {
    return this.constructor.name;
  }
}

/**
 * An asynchronous iterator has no more values.
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
export class StopAsyncIteration extends Error {
  /** @internal */
  static override get name(): string {
    return "StopAsyncIteration";
  }

  /** The name of its class, be it a subclass. */
  override get name(): string {
    return this.constructor.name;
  }
}

/**
 * A barrier was aborted or reset while tasks waited at it.
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
 * A stream ended before as many bytes came as were asked for.
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
export class IncompleteReadError extends Error {
  /** @internal */
  static override get name(): string {
    return "IncompleteReadError";
  }

  /** The name of its class, be it a subclass. */
  override get name(): string {
    return this.constructor.name;
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
 * A stream's buffer was full before a separator was found.
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
export class LimitOverrunError extends Error {
  /** @internal */
  static override get name(): string {
    return "LimitOverrunError";
  }

  /** The name of its class, be it a subclass. */
  override get name(): string {
    return this.constructor.name;
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
 * A program on the virtual clock can make no progress: every task waits and no timer is set.
 *
 * Its message names every waiting task and what it waits on.
 *
 * @category Testing
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { assertRejects } from "@std/assert";
 *
 * const loop_factory = () => new asyncio.VirtualClockEventLoop();
 * await assertRejects(
 *   () => asyncio.run(new asyncio.Event().wait(), { loop_factory }),
 *   asyncio.DeadlockError,
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
 * What `split` and `subgroup` select by: an error class, several, or a predicate.
 *
 * @category Errors
 */
export type ExceptionCondition =
  | ErrorClass
  | readonly ErrorClass[]
  | ((error: never) => boolean);

/**
 * A class of errors.
 *
 * @category Errors
 */
export type ErrorClass = abstract new (...args: never[]) => Error;

function is_error_class(condition: unknown): condition is ErrorClass {
  return typeof condition === "function" &&
    (condition === Error || condition.prototype instanceof Error);
}

function predicate_of(condition: ExceptionCondition): (error: unknown) => boolean {
  if (Array.isArray(condition)) {
    if (condition.every(is_error_class)) {
      return (error) => condition.some((kind) => error instanceof kind);
    }
  } else if (is_error_class(condition)) {
    return (error) => error instanceof condition;
  } else if (typeof condition === "function") {
    return condition as (error: unknown) => boolean;
  }
  throw new TypeError(
    "expected an exception type, a tuple of exception types, or a callable (other than a class), " +
      `received ${repr(condition)}`,
  );
}

/**
 * Several exceptions at once, of any kind.
 *
 * A group made of ordinary errors only is an {@linkcode ExceptionGroup}, also when it is made by
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

  /** The name of its class, be it a subclass. */
  override get name(): string {
    return this.constructor.name;
  }

  /**
   * Makes a group of at least one exception.
   *
   * @param message what the group says of itself
   * @param exceptions the exceptions, groups among them too
   * @throws {TypeError} if the message is no string
   * @throws {ValueError} if there is no exception
   */
  constructor(message: string, exceptions: Iterable<unknown>) {
    if (typeof message !== "string") {
      throw new TypeError(`argument 1 must be a string, not ${repr(message)}`);
    }
    const all = [...exceptions];
    if (all.length === 0) {
      throw new ValueError("second argument (exceptions) must be a non-empty sequence");
    }
    super(all, message);
    if (new.target === BaseExceptionGroup && all.every(is_exception)) {
      return new ExceptionGroup(message, all);
    }
  }

  /** The exceptions of the group, in order. */
  get exceptions(): unknown[] {
    return this.errors;
  }

  /**
   * Makes a group of the same kind and message from other exceptions; `split` and `subgroup` use it.
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
   * @throws {TypeError} if it is none of these
   */
  subgroup(condition: ExceptionCondition): BaseExceptionGroup | null {
    return this.#partition(predicate_of(condition), false)[0];
  }

  /**
   * Divides the group in two, of the same shape.
   *
   * @param condition a class of errors, an array of classes, or a predicate
   * @returns the part that the condition selects and the rest, each `null` if it is empty
   * @throws {TypeError} if it is none of these
   */
  split(
    condition: ExceptionCondition,
  ): [matching: BaseExceptionGroup | null, rest: BaseExceptionGroup | null] {
    return this.#partition(predicate_of(condition), true);
  }

  #partition(
    selects: (error: unknown) => boolean,
    with_rest: boolean,
  ): [BaseExceptionGroup | null, BaseExceptionGroup | null] {
    if (selects(this)) return [this, null];
    const matching: unknown[] = [];
    const rest: unknown[] = [];
    for (const error of this.exceptions) {
      if (error instanceof BaseExceptionGroup) {
        const [inner, other] = error.#partition(selects, with_rest);
        if (inner !== null) matching.push(inner);
        if (other !== null) rest.push(other);
      } else {
        (selects(error) ? matching : rest).push(error);
      }
    }
    return [this.#part(matching), with_rest ? this.#part(rest) : null];
  }

  #part(exceptions: unknown[]): BaseExceptionGroup | null {
    if (exceptions.length === 0) return null;
    const part = this.derive(exceptions);
    part.cause = this.cause;
    part.stack = this.stack;
    return part;
  }

  /** The group's message and how many exceptions it has, as Python's `str()` of it. */
  override toString(): string {
    const count = this.exceptions.length;
    return `${this.name}: ${this.message} (${count} sub-exception${count === 1 ? "" : "s"})`;
  }

  /** The group as a tree, for Deno's console. */
  [deno_inspect](inspect: (value: unknown, options?: unknown) => string, options: unknown): string {
    return this.#tree((error) => inspect(error, options));
  }

  /** The group as a tree, for Node.js's and Bun's console. */
  [node_inspect](
    _depth: number,
    options: unknown,
    inspect: (value: unknown, options?: unknown) => string,
  ): string {
    return this.#tree((error) => inspect(error, options));
  }

  #tree(inspect: (error: unknown) => string): string {
    const frames = (this.stack ?? "").split("\n").filter((line) => /^\s+at /.test(line));
    const lines = [this.toString(), ...frames];
    const last = this.exceptions.length - 1;
    this.exceptions.forEach((error, index) => {
      const [first, ...more] = inspect(error).split("\n");
      lines.push(`${index === last ? "└" : "├"}─ ${first}`);
      for (const line of more) lines.push(`${index === last ? " " : "│"}  ${line}`);
    });
    if (this.cause !== undefined) lines.push(`Caused by: ${inspect(this.cause)}`);
    return lines.join("\n");
  }
}

/**
 * Several ordinary errors at once, as a `TaskGroup` throws them.
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

  /**
   * Makes a group of at least one ordinary error.
   *
   * @param message what the group says of itself
   * @param exceptions the errors, groups of errors among them too
   * @throws {TypeError} if one is no ordinary error, such as a cancellation
   */
  constructor(message: string, exceptions: Iterable<unknown>) {
    super(message, exceptions);
    if (!this.exceptions.every(is_exception)) {
      throw new TypeError("Cannot nest BaseExceptions in an ExceptionGroup");
    }
  }
}

/** Whether a thrown value is an ordinary error: what `except Exception` catches. */
export function is_exception(error: unknown): boolean {
  if (error instanceof BaseException) return false;
  return !(error instanceof BaseExceptionGroup) || error instanceof ExceptionGroup;
}

/** Whether an exception leaves the loop at once instead of staying in its task. */
export function leaves_the_loop(error: unknown): boolean {
  return error instanceof KeyboardInterrupt;
}
