/**
 * Python's keyword-only parameters: one trailing object whose keys are the names.
 *
 * @module
 */

import { is_plain_object, repr } from "./format_helpers.ts";

/** A task's options that the library made itself and does not check. */
export class OwnOptions<L> {
  /** The loop. */
  readonly loop: L;

  /** Makes the options. */
  constructor(loop: L) {
    this.loop = loop;
  }
}

/** Throws a `TypeError` that names the first option which the function does not have. */
export function check_options(name: string, options: object, known: readonly string[]): void {
  if (options instanceof OwnOptions) return;
  if (!is_plain_object(options)) {
    throw new TypeError(`${name}() expects its options as an object, received ${repr(options)}`);
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
 * Splits the arguments of a variadic function from its options: an object literal whose keys are all
 * known is the options; anything else is an argument.
 */
export function split_options<O extends object>(
  args: readonly unknown[],
  known: readonly string[],
): [args: readonly unknown[], options: O | null] {
  const last = args[args.length - 1];
  if (!is_plain_object(last)) return [args, null];
  const keys = Object.keys(last);
  if (keys.length === 0 || !keys.every((key) => known.includes(key))) return [args, null];
  return [args.slice(0, -1), last as O];
}
