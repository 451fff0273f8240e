/**
 * Functions as arguments.
 *
 * @module
 */

import { repr } from "./format_helpers.ts";

/**
 * Throws a `TypeError` if an argument is not a function.
 *
 * @param name the name of the function that was called, for the error
 * @param parameter the parameter's name
 * @param value the argument in the place of the parameter
 */
export function check_function(name: string, parameter: string, value: unknown): void {
  if (typeof value === "function") return;
  throw new TypeError(
    `Cannot call ${name}(): ${parameter} must be a function: received ${repr(value)}`,
  );
}

/** As {@linkcode check_function}, for a parameter that may be left out or `null`; returns the function, or `null`. */
export function function_or_null<F>(
  name: string,
  parameter: string,
  value: F | null | undefined,
): F | null {
  if (value === undefined || value === null) return null;
  check_function(name, parameter, value);
  return value;
}
