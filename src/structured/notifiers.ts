/**
 * Notifications from tasks to tasks.
 *
 * @module
 */

import type { Coroutine } from "../core/coroutines.ts";
import { type Operation, Suspension } from "../core/suspensions.ts";
import { LoopBound } from "../core/mixins.ts";
import { WaitQueue } from "../core/wait_queue.ts";
import { take_first, waiting_in } from "./waiters.ts";

/** One call that waits for a notification. */
interface Listening {
  /** True if `notify()` has woken it, and no other call. */
  is_notified: boolean;
}

const WAIT: Operation<void, Notifier, Listening> = {
  name: "Notifier.wait",
  advance(wait, thrown, value) {
    const notifier = wait["_subject"];
    if (!wait["_has_waited"]) {
      if (thrown) return wait["_raise"](value);
      if (!notifier["_take_kept"]()) return notifier["_waiters"].wait(wait, notifier);
      return wait["_return"](undefined);
    }
    notifier["_waiters"].remove(wait);
    const error = wait["_error_of_wait"](thrown, value);
    if (error === null) return wait["_return"](undefined);
    if (wait["_argument"].is_notified) notifier.notify();
    return wait["_raise"](error);
  },
};

/**
 * Wakes tasks that wait for a notification: a `Condition` without a lock, in which no notification is lost and no wait
 * ends without one.
 *
 * `notify()` ends one call of `wait()`. If none waits, one notification is kept, and the next call returns at once; so
 * nothing is missed between looking at a state and waiting for its change. `notify_all()` ends the calls that wait at
 * that moment, and keeps nothing.
 *
 * It is fair: calls are notified in the order in which they began to wait. A cancelled call that `notify()` was waking
 * passes its notification on to the next, or back.
 *
 * It follows {@link https://docs.rs/tokio/latest/tokio/sync/struct.Notify.html tokio's Notify}.
 *
 * @category Limits
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { Notifier } from "@pythonic/asyncio/structured";
 * import { assertEquals } from "@std/assert";
 *
 * await asyncio.run(async () => {
 *   const jobs: string[] = [];
 *   const changed = new Notifier();
 *   const work = async () => {
 *     while (jobs.length === 0) await changed.wait();
 *     return jobs.shift();
 *   };
 *   const worker = asyncio.create_task(work);
 *   await asyncio.sleep(0);
 *   jobs.push("paint");
 *   changed.notify();
 *   assertEquals(await worker, "paint");
 * });
 * ```
 */
export class Notifier extends LoopBound {
  /** @internal */
  protected readonly _waiters: WaitQueue = new WaitQueue();
  #is_kept = false;

  /**
   * Waits for a notification, or takes the one that is kept.
   *
   * Cancelled, it takes none.
   *
   * @throws {RuntimeError} if it has to wait and the notifier is bound to a different loop
   */
  wait(): Coroutine<void> {
    return new Suspension(WAIT, this as Notifier, { is_notified: false });
  }

  /** Ends the first call of `wait()`; if there is none, keeps one notification for the next. */
  notify(): void {
    const waiter = take_first(this._waiters);
    if (waiter === null) {
      this.#is_kept = true;
      return;
    }
    (waiter["_argument"] as Listening).is_notified = true;
    waiter["_wake"]();
  }

  /** Ends all calls of `wait()` that wait now. */
  notify_all(): void {
    this._waiters.wake_and_remove_all();
  }

  /** @internal Takes the notification that is kept; returns whether there was one. */
  protected _take_kept(): boolean {
    const is_kept = this.#is_kept;
    this.#is_kept = false;
    return is_kept;
  }

  /** The notifier's state. */
  override toString(): string {
    const waiting = waiting_in(this._waiters).length;
    const info = [
      this.#is_kept ? "notified" : "empty",
      ...(waiting > 0 ? [`waiters:${waiting}`] : []),
    ];
    return `<Notifier [${info.join(", ")}]>`;
  }
}
