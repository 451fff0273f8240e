/**
 * Checks of numeric arguments.
 *
 * @module
 */

import { repr } from "./format_helpers.ts";

/** Throws a `TypeError` unless a value is a number and not `NaN`; `what` completes "Cannot". */
export function check_number(what: string, parameter: string, value: unknown): void {
  if (typeof value === "number" && !Number.isNaN(value)) return;
  throw new TypeError(`Cannot ${what}: ${parameter} must be a number: received ${repr(value)}`);
}
