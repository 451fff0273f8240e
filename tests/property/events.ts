/** Events: `set()` wakes all who wait at that moment, whatever comes after it. */

import { assert, assertEquals } from "@std/assert";
import * as asyncio from "../../mod.ts";
import type { Crowd, Scenario } from "./crowd.ts";
import type { Step } from "./program.ts";

export class EventScenario implements Scenario {
  readonly #event = new asyncio.Event();
  /** How often the event was set, and of each task that waits, how often when it began. */
  #sets = 0;
  readonly #since = new Map<asyncio.Task<unknown> | null, number>();

  async step(step: Step, crowd: Crowd): Promise<void> {
    // From here the task has the loop for itself until it waits.
    await asyncio.sleep(0);
    switch (step.what) {
      case 0:
      case 1:
        this.#sets++;
        this.#event.set();
        return;
      case 2:
        this.#sets++;
        this.#event.set();
        this.#event.clear();
        return;
      case 3:
        this.#event.clear();
        return;
      default:
        await this.#wait(step, crowd);
    }
  }

  async #wait(step: Step, crowd: Crowd): Promise<void> {
    const task = asyncio.current_task();
    this.#since.set(task, this.#sets);
    const was_set = this.#event.is_set();
    try {
      await crowd.wait(step, () => this.#event.wait(), () => {
        assert(was_set || this.#sets !== this.#since.get(task), "a task was woken by nothing");
      });
    } finally {
      this.#since.delete(task);
    }
  }

  check_calm(crowd: Crowd): void {
    assert(crowd.waiting === 0 || !this.#event.is_set(), "a task waits for an event that is set");
    for (const sets of this.#since.values()) {
      assertEquals(sets, this.#sets, "a task waits though the event was set");
    }
  }

  check_end(): void {
    this.#event.clear();
    assertEquals(String(this.#event), "<Event [unset]>");
  }
}
