/**
 * The waiters of a future that has many.
 *
 * @module
 */

/** Waiters in the order in which they came, found at once by themselves and by the function they call. */
export class ManyWaiters<W> extends Set<W> {
  declare private _callback_of: (waiter: W) => unknown;
  // Those that call a function, by it: made by the first search.
  declare private _by_callback: Map<unknown, Set<W>> | undefined;

  /**
   * @param waiters the first of them
   * @param callback_of returns the function that a waiter calls; `undefined` if it calls none of the user's
   */
  constructor(waiters: Iterable<W>, callback_of: (waiter: W) => unknown) {
    super(waiters);
    this._callback_of = callback_of;
    this._by_callback = undefined;
  }

  override add(waiter: W): this {
    super.add(waiter);
    // The constructor of a set calls it, too.
    if (this._by_callback !== undefined) this._index(this._by_callback, waiter);
    return this;
  }

  override delete(waiter: W): boolean {
    this._by_callback?.get(this._callback_of(waiter))?.delete(waiter);
    return super.delete(waiter);
  }

  /** Removes those that call a function; returns how many there were. */
  delete_callback(callback: unknown): number {
    let index = this._by_callback;
    if (index === undefined) {
      index = this._by_callback = new Map();
      for (const waiter of this) this._index(index, waiter);
    }
    const found = index.get(callback);
    if (found === undefined) return 0;
    index.delete(callback);
    for (const waiter of found) super.delete(waiter);
    return found.size;
  }

  private _index(index: Map<unknown, Set<W>>, waiter: W): void {
    const callback = this._callback_of(waiter);
    if (callback === undefined) return;
    const same = index.get(callback);
    if (same === undefined) index.set(callback, new Set([waiter]));
    else same.add(waiter);
  }
}
