// A rate limiter that works as a leaky bucket, after Python's package aiolimiter, written anew:
// docs/porting.md goes through it step by step, and limiter_test.ts has the package's tests.

import * as asyncio from "../../mod.ts";

/**
 * Lets work begin at most `max_rate` times in `time_period` seconds: as many at once if nothing has begun for that
 * long, and evenly after that.
 */
export class AsyncLimiter implements asyncio.AsyncContextManager<null> {
  /** How much may be acquired in each period. */
  readonly max_rate: number;
  /** The period, in seconds. */
  readonly time_period: number;
  // When all that was acquired will have leaked out of the bucket, by the clock of the loop.
  #empty_at = -Infinity;
  #loop: asyncio.AbstractEventLoop | null = null;

  /**
   * Makes a limiter with an empty bucket.
   *
   * @param max_rate how much may be acquired in each period
   * @param time_period the period in seconds, a minute by default
   * @throws {asyncio.ValueError} if one of them is not positive
   */
  constructor(max_rate: number, time_period = 60) {
    for (const [name, value] of Object.entries({ max_rate, time_period })) {
      if (!(value > 0)) throw new asyncio.ValueError(`${name} must be positive: received ${value}`);
    }
    this.max_rate = max_rate;
    this.time_period = time_period;
  }

  /**
   * Returns whether an amount could be acquired now, without waiting.
   *
   * @param amount how much, 1 by default
   */
  has_capacity(amount = 1): boolean {
    return amount <= this.max_rate && this.#opens_at(amount) <= this.#now();
  }

  /**
   * Acquires an amount, and waits until there is room for it. Cancelled, it takes nothing.
   *
   * A smaller amount may be acquired while a larger one waits, which then waits longer.
   *
   * @throws {asyncio.ValueError} if there can never be room for it
   */
  readonly acquire = asyncio.coroutine(async (amount = 1): Promise<void> => {
    if (amount > this.max_rate) {
      throw new asyncio.ValueError("Can't acquire more than the maximum capacity");
    }
    let now = this.#now();
    for (let opens = this.#opens_at(amount); opens > now; opens = this.#opens_at(amount)) {
      await asyncio.sleep(opens - now);
      now = this.#now();
    }
    this.#empty_at = Math.max(this.#empty_at, now) + this.#seconds_for(amount);
  });

  /** Acquires 1, for `async_with()`. */
  async __aenter__(): Promise<null> {
    await this.acquire();
    return null;
  }

  /** Keeps what was acquired: it leaks out with time. */
  async __aexit__(_error: unknown): Promise<void> {}

  #seconds_for(amount: number): number {
    return amount * this.time_period / this.max_rate;
  }

  #opens_at(amount: number): number {
    return this.#empty_at - this.#seconds_for(this.max_rate - amount);
  }

  // The clocks of two loops have nothing to do with each other.
  #now(): number {
    const loop = asyncio.get_running_loop();
    if (this.#loop !== null && this.#loop !== loop) {
      console.warn("This AsyncLimiter instance is being re-used across loops: it begins empty.");
      this.#empty_at = -Infinity;
    }
    this.#loop = loop;
    return loop.time();
  }
}
