/**
 * Numeric arguments.
 *
 * @module
 */

import { repr } from "./format_helpers.ts";
import { keyword_or_positional } from "./options.ts";

/**
 * Returns the value of a numeric parameter that is given by position or, in an object literal, by name.
 *
 * @param name the function's name, for the error
 * @param parameter the parameter's name
 * @param value what the caller has given in its place
 * @param fallback the value if the caller has left it out; `undefined` if it must be given
 * @param others the function's further options, which the object literal may have, too
 * @throws {TypeError} if the value is not a number, or `NaN`
 */
export function number_argument<K extends string>(
  name: string,
  parameter: K,
  value: number | { readonly [key in K]?: number },
  fallback: number | undefined,
  others?: readonly string[],
): number {
  const given = keyword_or_positional<K, number>(name, parameter, value, others);
  const number: unknown = given === undefined ? fallback : given;
  if (typeof number === "number" && !Number.isNaN(number)) return number;
  throw new TypeError(
    `Cannot call ${name}(): ${parameter} must be a number: received ${repr(number)}`,
  );
}

/** As {@linkcode number_argument}, for a parameter that is an integer. */
export function integer_argument<K extends string>(
  ...args: Parameters<typeof number_argument<K>>
): number {
  const [name, parameter] = args;
  const number = number_argument(...args);
  if (Number.isInteger(number)) return number;
  throw new TypeError(
    `Cannot call ${name}(): ${parameter} must be an integer: received ${repr(number)}`,
  );
}
