/**
 * Locks that many readers or one writer hold.
 *
 * @module
 */

import type { Coroutine } from "../core/coroutines.ts";
import { type Operation, Suspension } from "../core/suspensions.ts";
import { RuntimeError } from "../core/exceptions.ts";
import { LoopBound } from "../core/mixins.ts";
import { WaitQueue } from "../core/wait_queue.ts";
import { Acquirable, Permit } from "../locks.ts";
import { first_waiting, take_first, waiting_in } from "./waiters.ts";

/** One call that waits for the lock. */
interface Claim {
  is_granted: boolean;
}

const ACQUIRE: Operation<Permit, Side, Claim> = {
  name: "RWLock.acquire",
  advance(wait, thrown, value) {
    const side = wait["_subject"];
    const claim = wait["_argument"];
    const { _lock: lock } = side;
    if (!wait["_has_waited"]) {
      if (thrown) return wait["_raise"](value);
      if (!lock["_try_grant"](side._is_writing)) return lock["_waiters"].wait(wait, lock);
    } else {
      lock["_waiters"].remove(wait);
      const error = wait["_error_of_wait"](thrown, value);
      if (error !== null) {
        // A lock that was being handed to it goes to the next; a writer that leaves lets the readers behind it in.
        if (claim.is_granted) side.release();
        else lock["_grant"]();
        return wait["_raise"](error);
      }
    }
    return wait["_return"](new Permit(side));
  },
};

/** The reading or the writing side of a lock. */
class Side extends Acquirable {
  /** @internal */
  readonly _lock: RWLock;
  /** @internal */
  readonly _is_writing: boolean;

  constructor(lock: RWLock, is_writing: boolean) {
    super();
    this._lock = lock;
    this._is_writing = is_writing;
  }

  override acquire(): Coroutine<Permit> {
    return new Suspension(ACQUIRE, this as Side, { is_granted: false });
  }

  override release(): void {
    this._lock["_release"](this._is_writing);
  }

  override toString(): string {
    return `<${this._is_writing ? "writing" : "reading"} side of ${this._lock}>`;
  }
}

/**
 * A lock that any number of readers hold at the same time, or one writer alone.
 *
 * `async_with(lock.reading(), …)` and `async_with(lock.writing(), …)` hold it for a block;
 * `using _ = await lock.reading().acquire()` does so without one. It is not reentrant.
 *
 * It is fair: it is granted in the order in which it was requested, so that a reader which comes after a waiting writer
 * waits for it, and neither side starves; readers that wait one after another get it together. A cancelled wait takes
 * nothing; what was being handed to it goes to the next, and readers behind a cancelled writer get in at once.
 *
 * @category Limits
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { RWLock } from "@pythonic/asyncio/structured";
 * import { assertEquals } from "@std/assert";
 *
 * await asyncio.run(async () => {
 *   const lock = new RWLock();
 *   const prices = new Map([["tea", 3]]);
 *   const read = () => asyncio.async_with(lock.reading(), async () => prices.get("tea"));
 *   const raise_prices = () =>
 *     asyncio.async_with(lock.writing(), async () => {
 *       await asyncio.sleep(0.001);
 *       prices.set("tea", 4);
 *     });
 *   assertEquals(await asyncio.gather(read, raise_prices, read), [3, undefined, 4]);
 * });
 * ```
 */
export class RWLock extends LoopBound {
  /** @internal */
  protected readonly _waiters: WaitQueue = new WaitQueue();
  readonly #reading = new Side(this, false);
  readonly #writing = new Side(this, true);
  #readers = 0;
  #is_written = false;

  /** Returns the side of the readers, for `async_with()`; it has `acquire()` and `release()`. */
  reading(): Acquirable {
    return this.#reading;
  }

  /** Returns the side of the writers, for `async_with()`; it has `acquire()` and `release()`. */
  writing(): Acquirable {
    return this.#writing;
  }

  /** The number of readers that hold the lock. */
  get readers(): number {
    return this.#readers;
  }

  /** Returns whether a writer or a reader holds the lock. */
  locked(): boolean {
    return this.#is_written || this.#readers > 0;
  }

  /** @internal Grants the lock if it need not be waited for; returns whether it did. */
  protected _try_grant(is_writing: boolean): boolean {
    if (first_waiting(this._waiters) !== null || !this.#is_free_for(is_writing)) return false;
    this.#take(is_writing);
    return true;
  }

  #is_free_for(is_writing: boolean): boolean {
    return !this.#is_written && (!is_writing || this.#readers === 0);
  }

  #take(is_writing: boolean): void {
    if (is_writing) this.#is_written = true;
    else this.#readers++;
  }

  /** @internal Grants the lock to those first in line, as far as it is free for them. */
  protected _grant(): void {
    for (;;) {
      const first = first_waiting(this._waiters);
      if (first === null || !this.#is_free_for((first["_subject"] as Side)._is_writing)) return;
      const waiter = take_first(this._waiters) as Suspension<Permit, Side, Claim>;
      waiter["_argument"].is_granted = true;
      this.#take(waiter["_subject"]._is_writing);
      waiter["_wake"]();
    }
  }

  /** @internal */
  protected _release(is_writing: boolean): void {
    if (is_writing ? !this.#is_written : this.#readers === 0) {
      throw new RuntimeError(
        `Cannot release an RWLock: no ${
          is_writing ? "writer" : "reader"
        } holds it: received ${this}`,
      );
    }
    if (is_writing) this.#is_written = false;
    else this.#readers--;
    this._grant();
  }

  /** The lock's state. */
  override toString(): string {
    const state = this.#is_written
      ? "writing"
      : this.#readers > 0
      ? `readers:${this.#readers}`
      : "unlocked";
    const waiting = waiting_in(this._waiters).length;
    return `<RWLock [${state}${waiting > 0 ? `, waiters:${waiting}` : ""}]>`;
  }
}
