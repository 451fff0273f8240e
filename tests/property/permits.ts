/** Semaphores and locks: never more holders than permits, and all permits are there at the end. */

import { assert, assertEquals, assertThrows } from "@std/assert";
import * as asyncio from "../../mod.ts";
import type { Crowd, Scenario } from "./crowd.ts";
import { pause } from "./pauses.ts";
import type { Step } from "./program.ts";

type Primitive = asyncio.Semaphore | asyncio.Lock;

export class PermitScenario implements Scenario {
  readonly #primitive: Primitive;
  readonly #permits: number;
  #holders = 0;

  constructor(primitive: Primitive, permits: number) {
    this.#primitive = primitive;
    this.#permits = permits;
  }

  async step(step: Step, crowd: Crowd): Promise<void> {
    if (step.what < 4) await this.#by_hand(step, crowd);
    else await this.#in_block(step);
  }

  async #by_hand(step: Step, crowd: Crowd): Promise<void> {
    let held = false;
    try {
      await crowd.wait(step, () => this.#primitive.acquire(), () => {
        held = true;
        this.#enter();
      });
      await pause(step.inside);
    } finally {
      if (held) {
        this.#holders--;
        this.#primitive.release();
      }
    }
  }

  async #in_block({ timeout, inside }: Step): Promise<void> {
    await asyncio.async_with(asyncio.timeout(timeout), async () => {
      await asyncio.async_with(this.#primitive, async () => {
        this.#enter();
        try {
          await pause(inside);
        } finally {
          this.#holders--;
        }
      });
    });
  }

  #enter(): void {
    this.#holders++;
    assert(this.#holders <= this.#permits, `${this.#holders} hold ${this.#primitive}`);
  }

  check_calm(crowd: Crowd): void {
    assertEquals(crowd.waiting, 0, `a task waits for ${this.#primitive}`);
    assertEquals(this.#holders, 0);
  }

  async check_end(): Promise<void> {
    for (let taken = 0; taken < this.#permits; taken++) {
      assert(!this.#primitive.locked(), `${taken} permits of ${this.#permits} are left`);
      await asyncio.wait_for(this.#primitive.acquire(), 1);
    }
    assert(this.#primitive.locked(), `there are more permits than ${this.#permits}`);
    for (let taken = this.#permits; taken > 0; taken--) this.#primitive.release();
    if (this.#primitive instanceof asyncio.Semaphore) {
      if (this.#primitive instanceof asyncio.BoundedSemaphore) {
        assertThrows(() => this.#primitive.release(), asyncio.ValueError);
      }
    } else {
      assertThrows(() => this.#primitive.release(), asyncio.RuntimeError);
    }
  }
}
