/** Task groups: none of its tasks outlives a group, and every error arrives once. */

import { assert, assertEquals } from "@std/assert";
import * as asyncio from "../../mod.ts";
import type { Crowd, Scenario } from "./crowd.ts";
import { pause } from "./pauses.ts";
import type { Step } from "./program.ts";

/** The errors in a group and in the groups inside it. */
function flatten(error: unknown): unknown[] {
  if (error instanceof asyncio.BaseExceptionGroup) return error.exceptions.flatMap(flatten);
  return error instanceof asyncio.CancelledError ? [] : [error];
}

export class GroupScenario implements Scenario {
  #running = 0;

  async step(step: Step): Promise<void> {
    const raised: unknown[] = [];
    try {
      await asyncio.async_with(asyncio.timeout(step.timeout), () => this.#group(step, raised, 1));
    } catch (error) {
      if (!(error instanceof asyncio.BaseExceptionGroup)) assertEquals(raised, []);
      if (error instanceof asyncio.TimeoutError) throw error;
      const arrived = flatten(error);
      assertEquals(arrived.length, raised.length, `${arrived} arrived of ${raised}`);
      assertEquals(new Set(arrived), new Set(raised));
      if (error instanceof asyncio.CancelledError) throw error;
      return;
    }
    assertEquals(raised, []);
  }

  /** A group of some tasks, of which one may have a group of its own and one may fail. */
  async #group(step: Step, raised: unknown[], depth: number): Promise<void> {
    const tasks: asyncio.Task<void>[] = [];
    try {
      await asyncio.async_with(new asyncio.TaskGroup(), async (group) => {
        for (let index = 0; index <= step.what % 4; index++) {
          const nested = index === 1 && depth > 0;
          const failing = index === 2 || (index === 0 && step.what > 5);
          tasks.push(group.create_task(async () => {
            this.#running++;
            try {
              await pause(step.inside);
              if (nested) await this.#group(step, raised, depth - 1);
            } finally {
              this.#running--;
            }
            if (failing) {
              const error = new Error(`error ${raised.length}`);
              raised.push(error);
              throw error;
            }
          }));
        }
        await pause(step.inside);
      });
    } finally {
      assert(tasks.every((task) => task.done()), "a task outlives its group");
    }
  }

  check_calm(crowd: Crowd): void {
    assertEquals(crowd.waiting, 0);
    this.check_end();
  }

  check_end(): void {
    assertEquals(this.#running, 0);
  }
}
