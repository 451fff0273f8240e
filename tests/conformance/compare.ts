/** Compares two traces, event by event. */

import type { Event, Trace } from "./program.ts";

function same(one: Event | undefined, other: Event | undefined): boolean {
  if (one === undefined || other === undefined) return one === other;
  return one.every((part, index) => part === other[index]);
}

/** The index of the first event in which the traces differ, or `null` when they are the same. */
export function first_difference(expected: Trace, actual: Trace): number | null {
  const length = Math.max(expected.length, actual.length);
  for (let index = 0; index < length; index++) {
    if (!same(expected[index], actual[index])) return index;
  }
  return null;
}
