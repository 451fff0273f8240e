/**
 * The arguments of `call_soon()`, `call_later()` and the like.
 *
 * @module
 */

import { check_context, Context } from "../core/contextvars.ts";
import { iscoroutine, iscoroutinefunction } from "../core/coroutines.ts";
import { is_plain_object, repr } from "../internal/format_helpers.ts";
import { check_bound } from "../internal/unbound.ts";
import type { Callback } from "../core/events.ts";

/** Throws a `TypeError` if a method of a loop cannot take a value as a callback. */
export function check_callback(method: string, callback: unknown, is_debug: boolean): void {
  if (is_debug) refuse_coroutine(method, callback);
  if (typeof callback !== "function") {
    throw new TypeError(`a function was expected by ${method}(), got ${repr(callback)}`);
  }
  check_bound(method, callback);
}

/** Throws a `TypeError` if a callback is a coroutine, or a function that is known to return one. */
export function refuse_coroutine(method: string, callback: unknown): void {
  if (iscoroutine(callback) || iscoroutinefunction(callback)) {
    throw new TypeError(`coroutines cannot be used with ${method}()`);
  }
}

/** Throws a `TypeError` if a time or a delay is no number. */
export function check_time(method: string, name: string, value: unknown): void {
  if (typeof value !== "number") {
    throw new TypeError(
      `Cannot call ${method}(): ${name} must be a number of seconds: received ${repr(value)}`,
    );
  }
}

/**
 * Splits what follows a callback into its arguments and the context that may be last.
 *
 * A last argument that is an object with a context as its only entry is the callback's options. So is one
 * with something else as `context`, if the callback takes no such argument: then it is refused.
 */
export function split_context(
  method: string,
  callback: Callback<never>,
  args: unknown[],
): [args: unknown[], context: Context | null] {
  const last = args[args.length - 1];
  if (!is_plain_object(last) || !("context" in last) || Object.keys(last).length !== 1) {
    return [args, null];
  }
  const { context } = last;
  if (!(context instanceof Context) && args.length <= callback.length) return [args, null];
  check_context(method, context);
  return [args.slice(0, -1), context];
}
