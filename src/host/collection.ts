/**
 * Watches the collection of objects, where the host reports it.
 *
 * @module
 */

/** Objects whose collection is watched. */
export interface Watched<H> {
  /** Watches an object, for which `held` is kept; `token` is what {@linkcode unregister} takes. */
  register(target: WeakKey, held: H, token?: WeakKey): void;
  /** Stops watching the objects that were registered with a token. */
  unregister(token: WeakKey): void;
}

/** An object that may be collected. */
export interface Reference<T extends WeakKey> {
  /** Returns the object, or `undefined` if it is collected. */
  deref(): T | undefined;
}

const { FinalizationRegistry: HostRegistry, WeakRef: HostWeakRef } = globalThis as {
  FinalizationRegistry?: typeof FinalizationRegistry;
  WeakRef?: typeof WeakRef;
};

/** Makes a registry that calls a function with what is held for a collected object; never, where the host has none. */
export function watch_collection<H>(callback: (held: H) => void): Watched<H> {
  if (HostRegistry !== undefined) return new HostRegistry(callback);
  return { register() {}, unregister() {} };
}

/** Makes a weak reference; a strong one where the host has none. */
export function make_reference<T extends WeakKey>(target: T): Reference<T> {
  return HostWeakRef !== undefined ? new HostWeakRef(target) : { deref: () => target };
}
