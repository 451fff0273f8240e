/**
 * Times as arguments.
 *
 * @module
 */

import { repr } from "../internal/format_helpers.ts";

/** Returns a number of seconds, `Infinity` for `null`; throws a `TypeError` for what is no number. */
export function check_seconds(name: string, parameter: string, value: unknown): number {
  if (value === null) return Infinity;
  if (typeof value === "number" && !Number.isNaN(value)) return value;
  throw new TypeError(
    `Cannot call ${name}(): ${parameter} must be a number of seconds or null: received ${
      repr(value)
    }`,
  );
}
