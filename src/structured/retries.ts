/**
 * Attempts that are made again when they fail.
 *
 * @module
 */

import { async_with } from "../context_managers.ts";
import { is_cancellation } from "../core/cancellation.ts";
import { call_and_wait, type Coroutine, library_coroutine } from "../core/coroutines.ts";
import {
  BaseException,
  type ErrorClass,
  is_error_class,
  leaves_the_loop,
  TimeoutError,
  ValueError,
} from "../core/exceptions.ts";
import { is_a } from "../internal/error_kinds.ts";
import { check_function } from "../internal/functions.ts";
import { repr } from "../internal/format_helpers.ts";
import { check_options } from "../internal/options.ts";
import { get_running_loop } from "../core/events.ts";
import { format_seconds } from "../timeouts.ts";
import { sleep } from "../waiting.ts";
import { CancelScope } from "./cancel_scopes.ts";

/**
 * The options of `retry()`.
 *
 * @category Services
 */
export interface RetryOptions {
  /** The most attempts, an integer of 1 or more, 5 by default; `Infinity` for no limit. */
  attempts?: number;
  /** The time before the second attempt, in seconds, 1 by default. */
  delay?: number;
  /** By how much each further delay is longer, 2 by default. */
  factor?: number;
  /** The longest delay, in seconds, 60 by default. */
  max_delay?: number;
  /** The random part of each delay, which shortens it: 0, the default, for none, 1 for all of it. */
  jitter?: number;
  /** After which errors to try again: a class, several, or a predicate; by default all. */
  retry_on?: ErrorClass | readonly ErrorClass[] | ((error: unknown) => boolean);
  /** The time of the loop's clock, in seconds, at which the attempt in progress is cancelled; `Infinity` by default. */
  deadline?: number;
}

const OPTIONS = ["attempts", "delay", "factor", "max_delay", "jitter", "retry_on", "deadline"];

/**
 * A function that `retry()` calls, with the number of the attempt, from 1.
 *
 * @category Services
 */
export type Attempt<T> = (attempt: number) => PromiseLike<T> | Generator<unknown, T, unknown>;

/** The options, checked. */
interface Policy extends Required<Omit<RetryOptions, "retry_on">> {
  readonly is_retried: (error: unknown) => boolean;
}

/**
 * Calls a function until it succeeds, with growing delays between the attempts.
 *
 * A cancellation is never retried: it ends the attempt or the delay, and is thrown. Nor is a
 * {@linkcode KeyboardInterrupt}.
 *
 * @param fn an async function or `function*`, called with the number of the attempt, from 1, in the task and the
 * context that awaits
 * @param options `attempts` (5), `delay` (1 s), `factor` (2), `max_delay` (60 s), `jitter` (0), `retry_on` (all errors),
 * `deadline` (never): the delay before attempt n is `delay * factor ** (n - 2)`, at most `max_delay`, of which a random
 * part of up to `jitter` is left out
 * @returns a coroutine of what the first successful attempt returns
 * @throws the error of the last attempt, if there are no more, if it is not to be retried, or if the next would begin
 * after the deadline
 * @throws {TimeoutError} if the deadline comes during an attempt, which is cancelled; its `cause` is the error of the
 * attempt before, if any
 * @throws {TypeError} if an option is unknown or of a wrong type
 * @throws {ValueError} if a number makes no sense
 * @category Services
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { retry } from "@pythonic/asyncio/structured";
 * import { assertEquals } from "@std/assert";
 *
 * const flaky = async (attempt: number) => {
 *   if (attempt < 3) throw new Error("not yet");
 *   return attempt;
 * };
 * assertEquals(await asyncio.run(() => retry(flaky, { delay: 0.001 })), 3);
 * ```
 */
export function retry<T>(fn: Attempt<T>, options: RetryOptions = {}): Coroutine<T> {
  check_function("retry", "fn", fn);
  check_options("retry", options, OPTIONS);
  const { attempts } = options;
  if (typeof attempts === "number" && attempts % 1 !== 0 && Number.isFinite(attempts)) {
    throw new ValueError(
      `Cannot call retry(): attempts must be an integer or Infinity: received ${attempts}`,
    );
  }
  const policy: Policy = {
    attempts: check_number(options, "attempts", 5, 1),
    delay: check_number(options, "delay", 1, 0),
    factor: check_number(options, "factor", 2, 0),
    max_delay: check_number(options, "max_delay", 60, 0),
    jitter: check_number(options, "jitter", 0, 0, 1),
    deadline: check_number(options, "deadline", Infinity, -Infinity),
    is_retried: to_predicate(options.retry_on),
  };
  return library_coroutine("retry", run_until_deadline(fn, policy));
}

function* run_until_deadline<T>(fn: Attempt<T>, policy: Policy): Generator<unknown, T, unknown> {
  const { deadline } = policy;
  const scope = new CancelScope({ deadline });
  const last: { error?: unknown } = {};
  const result = yield* async_with(scope, () => run_attempts(fn, policy, last));
  if (!scope.cancelled_caught) return result;
  throw new TimeoutError(
    `timed out at ${format_seconds(deadline)} of the loop's clock, during an attempt of ` +
      `${fn.name || "<lambda>"}()`,
    "error" in last ? { cause: last.error } : undefined,
  );
}

function* run_attempts<T>(
  fn: Attempt<T>,
  policy: Policy,
  last: { error?: unknown },
): Generator<unknown, T, unknown> {
  const { attempts, delay, factor, max_delay, jitter, deadline, is_retried } = policy;
  for (let attempt = 1;; attempt++) {
    try {
      return yield* call_and_wait(fn, attempt);
    } catch (error) {
      if (is_cancellation(error) || leaves_the_loop(error)) throw error;
      if (attempt >= attempts || !is_retried(error)) throw error;
      last.error = error;
      const longest = delay === 0 ? 0 : Math.min(delay * factor ** (attempt - 1), max_delay);
      const seconds = longest * (1 - jitter * Math.random());
      if (get_running_loop().time() + seconds >= deadline) throw error;
      yield* sleep(seconds);
    }
  }
}

function check_number(
  options: RetryOptions,
  name: Exclude<keyof RetryOptions, "retry_on">,
  fallback: number,
  least: number,
  most = Infinity,
): number {
  const value: unknown = options[name] ?? fallback;
  if (typeof value !== "number" || Number.isNaN(value)) {
    throw new TypeError(`Cannot call retry(): ${name} must be a number: received ${repr(value)}`);
  }
  if (value >= least && value <= most) return value;
  throw new ValueError(
    `Cannot call retry(): ${name} must be ${least} or more` +
      `${most === Infinity ? "" : ` and ${most} at most`}: received ${value}`,
  );
}

function to_predicate(retry_on: RetryOptions["retry_on"]): (error: unknown) => boolean {
  if (retry_on === undefined) return (error) => !(error instanceof BaseException);
  const given: unknown = retry_on;
  if (Array.isArray(given) && given.every(is_error_class)) {
    return (error) => given.some((kind) => is_a(error, kind));
  }
  if (is_error_class(given)) return (error) => is_a(error, given);
  if (typeof given === "function") return given as (error: unknown) => boolean;
  throw new TypeError(
    "Cannot call retry(): retry_on must be a class of errors, an array of classes or a predicate: " +
      `received ${repr(given)}`,
  );
}
