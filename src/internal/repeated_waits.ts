/**
 * Waits that code of the library begins again after a cancellation, since their end must be waited for. A
 * scope that throws at every wait leaves them alone: they would be begun again without an end.
 *
 * @module
 */

const repeated = new WeakSet<object>();

/** Notes a wait that is begun again after a cancellation; returns it. */
export function repeat_wait<W extends object>(wait: W): W {
  repeated.add(wait);
  return wait;
}

/** Returns whether a wait was begun again after a cancellation. */
export function is_repeated_wait(wait: object): boolean {
  return repeated.has(wait);
}
