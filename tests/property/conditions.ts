/** Conditions: who makes something and notifies one task of it is never left with it while one waits. */

import { assert, assertEquals } from "@std/assert";
import * as asyncio from "../../mod.ts";
import type { Crowd, Scenario } from "./crowd.ts";
import { pause } from "./pauses.ts";
import type { Step } from "./program.ts";

export class ConditionScenario implements Scenario {
  readonly #condition = new asyncio.Condition();
  /** How many things were made and not taken. */
  #things = 0;
  #made = 0;
  #taken = 0;
  #inside = 0;

  async step(step: Step, crowd: Crowd): Promise<void> {
    await asyncio.async_with(this.#condition, async () => {
      assertEquals(++this.#inside, 1);
      try {
        if (step.what < 4) await this.#make(step);
        else await this.#take(step, crowd);
      } finally {
        this.#inside--;
      }
    });
  }

  async #make({ what, inside }: Step): Promise<void> {
    const count = what === 0 ? 2 : 1;
    this.#things += count;
    this.#made += count;
    this.#condition.notify(count);
    await pause(inside);
  }

  async #take(step: Step, crowd: Crowd): Promise<void> {
    while (this.#things === 0) {
      this.#inside--;
      try {
        // Beside a pause the lock would be held by a task that has given it up.
        await crowd.wait({ ...step, beside: null }, () => this.#condition.wait(), () => {});
      } finally {
        this.#inside++;
      }
    }
    this.#things--;
    this.#taken++;
    await pause(step.inside);
  }

  check_calm(crowd: Crowd): void {
    assert(crowd.waiting === 0 || this.#things === 0, `a task waits though there is something`);
  }

  check_end(): void {
    assertEquals(this.#made - this.#taken, this.#things);
    assert(!this.#condition.locked());
    assertEquals(String(this.#condition), "<Condition [unlocked]>");
  }
}
