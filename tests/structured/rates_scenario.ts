/** Random programs of rate limiters: never more than the bucket holds, and nobody waits longer than it has to. */

import { assert, assertAlmostEquals } from "@std/assert";
import * as asyncio from "../../mod.ts";
import { RateLimiter } from "../../structured.ts";
import { VirtualClockEventLoop } from "../../testing.ts";
import type { Crowd, Scenario } from "../property/crowd.ts";
import { pause } from "../property/pauses.ts";
import type { Program, Step } from "../property/program.ts";
import { Line } from "./lines.ts";

const PERIOD = 0.003;

export class RateScenario implements Scenario {
  readonly #limiter: RateLimiter;
  readonly #line = new Line();
  readonly #is_exact: boolean;
  // The bucket as it is to be.
  #level = 0;
  #checked_at = 0;
  // When the first call in line became that.
  #first_since = 0;

  constructor({ size }: Program) {
    this.#limiter = new RateLimiter(size, PERIOD);
    this.#checked_at = this.#now();
    // The host's timers are late, and calls resume later than they pass.
    this.#is_exact = asyncio.get_running_loop() instanceof VirtualClockEventLoop;
  }

  #now(): number {
    return asyncio.get_running_loop().time();
  }

  #leak(now: number): void {
    const leaked = (now - this.#checked_at) * this.#limiter.max_rate / PERIOD;
    this.#level = Math.max(0, this.#level - leaked);
    this.#checked_at = now;
  }

  async step(step: Step, crowd: Crowd): Promise<void> {
    const amount = Math.min(1 + step.what % 3, this.#limiter.max_rate);
    const began = this.#now();
    const operation = () =>
      this.#line.call(
        () => this.#limiter.acquire(amount),
        () => this.#served(amount, began),
        (was_first) => {
          if (was_first) this.#first_since = this.#now();
        },
      );
    // Such a wait ends by itself: it is none in which a task may be for ever.
    if (step.timeout !== null) await crowd.wait(step, operation, () => {});
    else await operation();
    await pause(step.inside);
  }

  #served(amount: number, began: number): void {
    const now = this.#now();
    const { max_rate } = this.#limiter;
    const since = Math.max(began, this.#first_since, this.#checked_at);
    this.#leak(since);
    const missing = Math.max(0, this.#level + amount - max_rate);
    const earliest = since + missing * PERIOD / max_rate;
    if (this.#is_exact) assertAlmostEquals(now, earliest, 1e-6, "passed too early or too late");
    this.#leak(now);
    this.#level += amount;
    this.#first_since = now;
  }

  check_calm(): void {
    this.#line.check();
  }

  async check_end(): Promise<void> {
    await asyncio.sleep(PERIOD);
    assert(this.#limiter.has_capacity(this.#limiter.max_rate), "something is still in the bucket");
  }
}
