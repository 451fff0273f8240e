/**
 * Recognizes cancellations among the values that are thrown, and makes those of the library.
 *
 * @module
 */

import { brand_of, has_brand, is_a, prepare } from "../internal/error_kinds.ts";
import { limit_stacks, set_stack } from "../internal/format_helpers.ts";
import { CancelledError } from "./exceptions.ts";

const CANCELLED_ERROR = brand_of("CancelledError");
const BASE_EXCEPTION_GROUP = brand_of("BaseExceptionGroup");

// make_cancelled_error() leaves the constructors out.
prepare(CancelledError);

/**
 * A cancellation that only code of the library has seen. Hosts take microseconds to make an error: it
 * becomes one when it leaves the library.
 */
export class Cancellation {
  /** The argument of `cancel()`; `undefined` for none. */
  readonly message: unknown;

  /** Notes a cancellation. */
  constructor(message: unknown) {
    this.message = message;
  }
}

/** Why a manager of the library cancels, as hosts print it; the error has no message and no `args`, as in CPython. */
export class CancellationReason {
  /** The text. */
  readonly text: string;

  /** Notes a reason. */
  constructor(text: string) {
    this.text = text;
  }
}

let current_reason: CancellationReason | undefined;

/** Calls a function that cancels, for a reason which is no argument of the `cancel()` methods that it calls. */
export function cancel_because<T>(reason: CancellationReason | string, cancel: () => T): T {
  const outer = current_reason;
  current_reason = typeof reason === "string" ? new CancellationReason(reason) : reason;
  try {
    return cancel();
  } finally {
    current_reason = outer;
  }
}

/** Calls a function that cancels for each of several things, also if it throws for one; throws the first error then. */
export function cancel_each<T>(cancelled: Iterable<T>, cancel: (each: T) => unknown): void {
  let failure: { readonly error: unknown } | null = null;
  for (const each of cancelled) {
    try {
      cancel(each);
    } catch (error) {
      failure ??= { error };
    }
  }
  if (failure !== null) throw failure.error;
}

/** Returns the message of a cancellation: the argument of `cancel()`, else the reason for which it is called. */
export function message_or_reason(message: unknown): unknown {
  return message ?? current_reason;
}

/** Returns whether a thrown value is a {@linkcode CancelledError}, as fast as `instanceof` of an ordinary class. */
export function is_cancelled_error(thrown: unknown): thrown is CancelledError {
  return has_brand(thrown, CANCELLED_ERROR);
}

/**
 * Returns whether a thrown value is a cancellation: a `CancelledError`, a {@linkcode Cancellation}, or an
 * `AggregateError` of nothing but cancellations, as `Promise.any()` throws it. An exception group is none.
 */
export function is_cancellation(thrown: unknown): boolean {
  return cancellation_in(thrown) !== null;
}

/**
 * Returns the error by which a cancellation is passed on: of an `AggregateError`, the first in it.
 *
 * @param thrown a value for which {@linkcode is_cancellation} is true
 */
export function as_cancelled_error(thrown: unknown): CancelledError {
  return as_error(cancellation_in(thrown)) as CancelledError;
}

/** Returns the cancellation of such a value, without making an error of what only the library has seen. */
export function as_cancellation(thrown: unknown): CancelledError | Cancellation {
  return cancellation_in(thrown) as CancelledError | Cancellation;
}

/** Returns the cancellation that a thrown value stands for; `null` for none. */
function cancellation_in(
  thrown: unknown,
  outer: readonly unknown[] = [],
): CancelledError | Cancellation | null {
  if (is_cancelled_error(thrown) || is_a(thrown, Cancellation)) return thrown;
  if (has_brand(thrown, BASE_EXCEPTION_GROUP) || outer.includes(thrown)) return null;
  let first: CancelledError | Cancellation | null = null;
  for (const error of errors_of(thrown)) {
    const found = cancellation_in(error, [...outer, thrown]);
    if (found === null) return null;
    first ??= found;
  }
  return first;
}

/** Returns the errors in an `AggregateError`, also of another realm; none of what user code made something else. */
function errors_of(thrown: unknown): readonly unknown[] {
  try {
    const { name, errors } = thrown as AggregateError;
    return name === "AggregateError" || is_a(thrown, AggregateError) ? Array.from(errors) : [];
  } catch {
    return [];
  }
}

/** Returns a value thrown inside the library as user code gets it. */
export function as_error(thrown: unknown): unknown {
  return is_a(thrown, Cancellation) ? make_cancelled_error(thrown.message) : thrown;
}

const stacks = Error as { readonly stackTraceLimit?: number | undefined };

/** Calls a function that makes an error whose stack would show nothing but the loop: it gets no frames. */
export function without_frames<E extends Error>(make: () => E): E {
  const limit = stacks.stackTraceLimit;
  limit_stacks(0);
  try {
    return with_stack(make());
  } finally {
    limit_stacks(limit);
  }
}

// JavaScriptCore gives an error without frames no stack at all.
function with_stack<E extends Error>(error: E): E {
  return "stack" in error ? error : set_stack(error, String(error));
}

/**
 * Makes the error of a cancellation, without a stack, which would show nothing but the loop.
 *
 * An error costs the more the deeper the stack is. So the constructors of the class are left out, where
 * its arguments show in its message.
 *
 * @param message the argument of `cancel()`; `undefined` for none
 */
export function make_cancelled_error(message: unknown): CancelledError {
  const limit = stacks.stackTraceLimit;
  limit_stacks(0);
  try {
    if (is_a(message, CancellationReason)) return with_reason(message);
    if (message !== undefined && typeof message !== "string") {
      return with_stack(new CancelledError(message));
    }
    const args = message === undefined ? [] : [message];
    return with_stack(Reflect.construct(Error, args, CancelledError) as CancelledError);
  } finally {
    limit_stacks(limit);
  }
}

// The stack is what hosts print; the message and the arguments are CPython's.
function with_reason({ text }: CancellationReason): CancelledError {
  const error = Reflect.construct(Error, [], CancelledError) as CancelledError;
  return set_stack(error, `CancelledError: ${text}`);
}
