/**
 * Python's parameters that are given by name: one trailing object whose keys are the names.
 *
 * @module
 */

import { is_plain_object, repr } from "./format_helpers.ts";

/** Options that come from the library and need no check: a loop, or none. */
export class OwnOptions<L> {
  /** The loop; not there if the options are none. */
  declare readonly loop: L;

  /** Makes the options. */
  constructor(loop?: L) {
    if (loop !== undefined) this.loop = loop;
  }
}

/** No options: the default of functions that are called often. */
export const NO_OPTIONS: Record<never, never> = new OwnOptions<never>();

/** Throws a `TypeError` that names the first option which the function does not have. */
export function check_options(name: string, options: object, known: readonly string[]): void {
  if (options instanceof OwnOptions) return;
  if (!is_plain_object(options)) {
    throw new TypeError(
      `Cannot call ${name}(): its options must be an object: received ${repr(options)}`,
    );
  }
  for (const key in options) {
    if (!known.includes(key)) {
      throw new TypeError(
        `${name}() got an unexpected option '${key}'` +
          (known.length > 0 ? `; it has ${known.join(", ")}` : ""),
      );
    }
  }
}

/**
 * Splits the arguments of a variadic function from its options, which are an object literal at the end.
 *
 * An object literal that can be awaited or iterated is an argument.
 *
 * @throws {TypeError} if the function does not have one of the options
 */
export function split_options<O extends object>(
  name: string,
  args: readonly unknown[],
  known: readonly string[],
): [args: readonly unknown[], options: O | null] {
  const last = args[args.length - 1];
  if (!is_plain_object(last) || ARGUMENT_METHODS.some((method) => method in last)) {
    return [args, null];
  }
  check_options(name, last, known);
  return [args.slice(0, -1), last as O];
}

// Any of these makes an object literal an awaitable or an iterable.
const ARGUMENT_METHODS = ["then", "next", Symbol.iterator, Symbol.asyncIterator];

/**
 * Returns the value of a parameter that is given by position or, in an object literal, by name.
 *
 * A caller with further options reads them from the same object literal if there is one:
 * `const { signal } = is_plain_object(timeout) ? timeout : options`.
 *
 * @param name the function's name, for the error
 * @param parameter the parameter's name
 * @param value the argument in the place of the parameter
 * @param others the function's further options, which the object literal may have, too
 * @returns the value; `undefined` if the caller has left it out, where the default applies
 * @throws {TypeError} if the object literal has another key
 *
 * @example
 * ```ts ignore
 * constructor(maxsize: number | { maxsize?: number } = 0) {
 *   this.maxsize = keyword_or_positional("Queue", "maxsize", maxsize) ?? 0;
 * }
 * ```
 */
export function keyword_or_positional<K extends string, T>(
  name: string,
  parameter: K,
  value: T | { readonly [key in K]?: T },
  others: readonly string[] = [],
): T | undefined {
  if (!is_plain_object(value)) return value as T;
  check_options(name, value, [parameter, ...others]);
  return value[parameter] as T | undefined;
}

/**
 * As {@linkcode keyword_or_positional}, for a parameter that takes any value: an object literal names the
 * parameter only if that is its sole key, else it is the value.
 */
export function keyword_or_value<T>(
  parameter: string,
  value: T | { readonly [key: string]: T },
): T {
  if (!is_plain_object(value) || !Object.hasOwn(value, parameter)) return value as T;
  return Object.keys(value).length === 1 ? value[parameter] as T : value as T;
}
