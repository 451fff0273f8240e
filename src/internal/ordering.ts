/**
 * Python's `<` and `==` between values.
 *
 * @module
 */

import { repr } from "./format_helpers.ts";

function kind_of(value: unknown): "number" | "string" | "date" | null {
  switch (typeof value) {
    case "number":
    case "bigint":
    case "boolean":
      return "number";
    case "string":
      return "string";
    default:
      return value instanceof Date ? "date" : null;
  }
}

/** Returns whether `a == b`, as in Python: arrays element by element, and anything else by identity. */
export function equal(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((item, index) => equal(item, b[index]));
  }
  const kind = kind_of(a);
  if (kind === null || kind !== kind_of(b)) return false;
  const [x, y] = [a as number, b as number];
  return x <= y && x >= y; // as 1, 1n and true are equal
}

/**
 * Returns whether `a < b`, as in Python: numbers, strings, dates, and arrays element by element.
 *
 * @throws {TypeError} if the two cannot be compared
 */
export function less_than(a: unknown, b: unknown): boolean {
  if (Array.isArray(a) && Array.isArray(b)) {
    const length = Math.min(a.length, b.length);
    for (let i = 0; i < length; i++) {
      if (!equal(a[i], b[i])) return less_than(a[i], b[i]);
    }
    return a.length < b.length;
  }
  const kind = kind_of(a);
  if (kind === null || kind !== kind_of(b)) {
    throw new TypeError(`'<' not supported between ${repr(a)} and ${repr(b)}`);
  }
  return (a as number) < (b as number);
}
