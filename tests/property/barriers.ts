/** Barriers: no full party waits, and one that was left by the cancelled can be used again. */

import { assert, assertEquals } from "@std/assert";
import * as asyncio from "../../mod.ts";
import type { Crowd, Scenario } from "./crowd.ts";
import { pause } from "./pauses.ts";
import type { Program, Step } from "./program.ts";

export class BarrierScenario implements Scenario {
  readonly #barrier: asyncio.Barrier;

  constructor({ size }: Program) {
    this.#barrier = new asyncio.Barrier(size);
  }

  async step(step: Step, crowd: Crowd): Promise<void> {
    await crowd.wait(step, () => this.#barrier.wait(), (index) => {
      assert(index >= 0 && index < this.#barrier.parties);
    });
    await pause(step.inside);
  }

  check_calm(crowd: Crowd): void {
    assert(crowd.waiting < this.#barrier.parties, `${crowd.waiting} wait at ${this.#barrier}`);
    assertEquals(this.#barrier.n_waiting, crowd.waiting);
  }

  async check_end(): Promise<void> {
    assertEquals(this.#barrier.n_waiting, 0);
    assert(!this.#barrier.broken);
    const party = Array.from({ length: this.#barrier.parties }, () => this.#barrier.wait());
    const indices = await asyncio.wait_for(asyncio.gather(party), 1);
    assertEquals(indices.toSorted(), Array.from(party.keys()));
  }
}
