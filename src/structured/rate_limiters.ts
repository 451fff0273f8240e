/**
 * Limits of how often something is done.
 *
 * @module
 */

import type { Timed } from "../core/contracts.ts";
import type { Coroutine } from "../core/coroutines.ts";
import { instant, type Operation, Suspension } from "../core/suspensions.ts";
import { ValueError } from "../core/exceptions.ts";
import { LoopBound } from "../core/mixins.ts";
import { WaitQueue } from "../core/wait_queue.ts";
import { number_argument } from "../internal/numbers.ts";
import { get_running_loop } from "../core/events.ts";
import { Deadline } from "../timeouts.ts";
import { first_waiting, take_first, waiting_in } from "./waiters.ts";

/** One call of `acquire()`. */
interface Demand {
  readonly amount: number;
  is_granted: boolean;
}

const ACQUIRE: Operation<void, RateLimiter, Demand> = {
  name: "RateLimiter.acquire",
  advance(wait, thrown, value) {
    const limiter = wait["_subject"];
    const { amount, is_granted } = wait["_argument"];
    if (!wait["_has_waited"]) {
      if (thrown) return wait["_raise"](value);
      if (limiter["_try_acquire"](amount)) return wait["_return"](undefined);
      const outcome = limiter["_waiters"].wait(wait, limiter);
      limiter["_set_timer"]();
      return outcome;
    }
    limiter["_waiters"].remove(wait);
    const error = wait["_error_of_wait"](thrown, value);
    if (error === null) return wait["_return"](undefined);
    limiter["_left"](is_granted ? amount : 0);
    return wait["_raise"](error);
  },
};

const LEAVE = /* @__PURE__ */ instant("RateLimiter.__aexit__", (_: RateLimiter, _none: null) => {});

// The amount that is lost to rounding when the bucket has leaked just enough.
const ROUNDING = 1e-9;

/**
 * Limits how often something is done: at most `max_rate` in any `time_period`, as a leaky bucket.
 *
 * Every `acquire()` pours into a bucket that holds `max_rate` and leaks all of it in a `time_period`; it waits until
 * there is room. So a burst of `max_rate` passes at once, and after it one call each `time_period / max_rate`. The time
 * is that of the loop's clock.
 *
 * It is fair: calls get room in their order, a large one is not overtaken. A cancelled call pours in nothing, and the
 * next takes its place.
 *
 * It follows {@link https://aiolimiter.readthedocs.io/ aiolimiter's AsyncLimiter}.
 *
 * @category Limits
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { VirtualClockEventLoop } from "@pythonic/asyncio/testing";
 * import { RateLimiter } from "@pythonic/asyncio/structured";
 * import { assertEquals } from "@std/assert";
 *
 * const main = async () => {
 *   const limiter = new RateLimiter(2, 10);
 *   for (let call = 0; call < 4; call++) await limiter.acquire();
 *   assertEquals(asyncio.get_running_loop().time(), 10);
 * };
 * await asyncio.run(main, { loop_factory: () => new VirtualClockEventLoop() });
 * ```
 */
export class RateLimiter extends LoopBound {
  /** @internal */
  protected readonly _waiters: WaitQueue = new WaitQueue();
  /** How much passes in a period. */
  readonly max_rate: number;
  /** The period, in seconds. */
  readonly time_period: number;
  // How full the bucket was, and when.
  #level = 0;
  #checked_at = -Infinity;
  #timer: Deadline<RateLimiter> | null = null;

  /**
   * Makes a limiter, with an empty bucket.
   *
   * @param max_rate how much passes in a period. By name: `{ max_rate, time_period }`
   * @param time_period the period in seconds, 60 by default
   * @throws {TypeError} if one is not a number
   * @throws {ValueError} if one is not above zero, or is infinite
   */
  constructor(
    max_rate: number | { readonly max_rate: number; readonly time_period?: number },
    time_period = 60,
  ) {
    super();
    const period = typeof max_rate === "object" ? max_rate?.time_period ?? 60 : time_period;
    this.max_rate = check_positive(
      "max_rate",
      number_argument("RateLimiter", "max_rate", max_rate, undefined, ["time_period"]),
    );
    this.time_period = check_positive(
      "time_period",
      number_argument("RateLimiter", "time_period", period, undefined),
    );
  }

  /**
   * Returns whether there is room for an amount now, so that `acquire()` would not wait unless others do.
   *
   * @param amount 1 by default. By name: `{ amount }`
   * @throws {TypeError} if it is not a number
   * @throws {RuntimeError} if no loop runs the calling code
   */
  has_capacity(amount: number | { readonly amount?: number } = 1): boolean {
    return this.#has_room(number_argument("has_capacity", "amount", amount, 1));
  }

  #has_room(amount: number): boolean {
    this.#leak();
    return this.#level + amount <= this.max_rate * (1 + ROUNDING);
  }

  /**
   * Waits until there is room for an amount, and takes it.
   *
   * Cancelled, it takes none.
   *
   * @param amount 1 by default. By name: `{ amount }`
   * @throws {ValueError} if it is negative or more than `max_rate`, so that there never is room for it
   * @throws {TypeError} if it is not a number
   */
  acquire(amount: number | { readonly amount?: number } = 1): Coroutine<void> {
    const demanded = number_argument("acquire", "amount", amount, 1);
    if (demanded > this.max_rate) {
      throw new ValueError(
        `Cannot acquire more than the maximum capacity ${this.max_rate}: received ${demanded}`,
      );
    }
    if (demanded < 0) {
      throw new ValueError(`Cannot acquire less than nothing: received ${demanded}`);
    }
    return new Suspension(ACQUIRE, this as RateLimiter, {
      amount: demanded,
      is_granted: false,
    });
  }

  /** Calls `acquire()`, for `async_with()`. */
  __aenter__(): Coroutine<void> {
    return this.acquire();
  }

  /** Does nothing: what was acquired leaks by itself. */
  __aexit__(_error: unknown): Coroutine<void> {
    return new Suspension(LEAVE, this as RateLimiter, null);
  }

  #leak(): void {
    const now = get_running_loop().time();
    // The clock of another loop may have begun later.
    const passed = Math.max(0, now - this.#checked_at);
    this.#level = Math.max(0, this.#level - passed * this.max_rate / this.time_period);
    this.#checked_at = now;
  }

  /** @internal Takes an amount if there is room and nothing waits; returns whether it did. */
  protected _try_acquire(amount: number): boolean {
    if (first_waiting(this._waiters) !== null || !this.#has_room(amount)) return false;
    this.#level += amount;
    return true;
  }

  /** @internal A call has left without what it was granted. */
  protected _left(granted: number): void {
    this.#level = Math.max(0, this.#level - granted);
    this.#grant();
  }

  #grant(): void {
    for (;;) {
      const first = first_waiting(this._waiters);
      if (first === null) break;
      const demand = first["_argument"] as Demand;
      if (!this.#has_room(demand.amount)) break;
      take_first(this._waiters);
      demand.is_granted = true;
      this.#level += demand.amount;
      first["_wake"]();
    }
    this._set_timer();
  }

  /** @internal Sets the timer to when there is room for the first in line. */
  protected _set_timer(): void {
    this.#timer?.cancel();
    this.#timer = null;
    const first = first_waiting(this._waiters);
    if (first === null) return;
    const loop = get_running_loop();
    this.#leak();
    const missing = this.#level + (first["_argument"] as Demand).amount - this.max_rate;
    const when = loop.time() + Math.max(0, missing) * this.time_period / this.max_rate;
    this.#timer = new Deadline<RateLimiter>(loop, when, "RateLimiter.acquire", (limiter) => {
      limiter.#timer = null;
      limiter.#grant();
    }, this);
    loop["_schedule_timer"](this.#timer as unknown as Timed);
  }

  /** The limiter's state. */
  override toString(): string {
    const waiting = waiting_in(this._waiters).length;
    return `<RateLimiter [${this.max_rate} in ${this.time_period} s` +
      `${waiting > 0 ? `, waiters:${waiting}` : ""}]>`;
  }
}

function check_positive(parameter: string, value: number): number {
  if (value > 0 && value < Infinity) return value;
  throw new ValueError(
    `Cannot make a RateLimiter: ${parameter} must be above zero and finite: received ${value}`,
  );
}
