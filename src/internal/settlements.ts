/**
 * Listening to native promises so that it can be stopped.
 *
 * What is given to `then` stays with a promise until it settles. So each promise gets one pair of functions,
 * however many listeners come and go.
 *
 * @module
 */

import { keep_context, type KeptContext, run_in } from "../host/async_context.ts";

/** A listener of a promise. */
export interface SettlementListener {
  /** The promise has settled: with a value, or else with an error. */
  _settled(is_fulfilled: boolean, value: unknown): void;
}

const listeners_of = new WeakMap<Promise<unknown>, Set<SettlementListener>>();

// The functions stay with the promise: not in the context of the code that happens to listen first.
const outside: KeptContext = keep_context();

function attach(promise: Promise<unknown>, listeners: Set<SettlementListener>): void {
  const deliver = (is_fulfilled: boolean, value: unknown): void => {
    listeners_of.delete(promise);
    for (const listener of listeners) listener._settled(is_fulfilled, value);
  };
  promise.then((value) => deliver(true, value), (error) => deliver(false, error));
}

/** Begins to listen to a promise, or any thenable. */
export function listen(given: PromiseLike<unknown>, listener: SettlementListener): void {
  // A thenable may settle at once, more than once, or with another promise, and may throw.
  const promise = given instanceof Promise
    ? given
    : new Promise<unknown>((resolve, reject) => given.then(resolve, reject));
  let listeners = listeners_of.get(promise);
  if (listeners === undefined) {
    listeners_of.set(promise, listeners = new Set());
    run_in(outside, attach, promise, listeners);
  }
  listeners.add(listener);
}

/** Stops listening; of no effect for what is no native promise. */
export function stop_listening(
  promise: PromiseLike<unknown>,
  listener: SettlementListener,
): void {
  if (promise instanceof Promise) listeners_of.get(promise)?.delete(listener);
}
