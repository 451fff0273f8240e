/** Queues: what was put is got or still there, once each; the accounts of `task_done` are exact. */

import { assert, assertEquals, assertThrows } from "@std/assert";
import * as asyncio from "../../mod.ts";
import type { Crowd, Scenario } from "./crowd.ts";
import { pause } from "./pauses.ts";
import type { Program, Step } from "./program.ts";

type QueueClass = new (maxsize: number) => asyncio.Queue<number>;

function by_number(one: number, other: number): number {
  return one - other;
}

export class QueueScenario implements Scenario {
  readonly #queue: asyncio.Queue<number>;
  readonly #put: number[] = [];
  readonly #got: number[] = [];
  #next = 0;
  #putting = 0;
  #getting = 0;
  #done = 0;

  constructor(kind: QueueClass, { size }: Program) {
    this.#queue = new kind(size);
  }

  async step(step: Step, crowd: Crowd): Promise<void> {
    const item = this.#next++;
    switch (step.what) {
      case 0:
        if (!this.#queue.full()) {
          this.#queue.put_nowait(item);
          this.#put.push(item);
        }
        return;
      case 1:
        if (!this.#queue.empty()) this.#got.push(this.#queue.get_nowait());
        return;
      case 2:
      case 3:
      case 4:
        this.#putting++;
        try {
          await crowd.wait(step, () => this.#queue.put(item), () => this.#put.push(item));
        } finally {
          this.#putting--;
        }
        return;
      default:
        await this.#get(step, crowd);
    }
  }

  async #get(step: Step, crowd: Crowd): Promise<void> {
    this.#getting++;
    try {
      await crowd.wait(step, () => this.#queue.get(), (item) => this.#got.push(item));
    } finally {
      this.#getting--;
    }
    await pause(step.inside);
    this.#done++;
    this.#queue.task_done();
  }

  check_calm(): void {
    assert(this.#getting === 0 || this.#queue.empty(), `a task waits to get from ${this.#queue}`);
    assert(this.#putting === 0 || this.#queue.full(), `a task waits to put into ${this.#queue}`);
  }

  async check_end(): Promise<void> {
    const left: number[] = [];
    while (!this.#queue.empty()) left.push(this.#queue.get_nowait());
    assertEquals([...this.#got, ...left].sort(by_number), this.#put.toSorted(by_number));
    if (this.#queue instanceof asyncio.PriorityQueue) {
      assertEquals(left, left.toSorted(by_number));
    }
    await this.#check_accounts();
  }

  /** `join()` ends with the last `task_done()`, and one more is refused. */
  async #check_accounts(): Promise<void> {
    const joining = asyncio.create_task(this.#queue.join());
    for (let open = this.#put.length - this.#done; open > 0; open--) {
      for (let turns = 0; turns < 3; turns++) await asyncio.sleep(0);
      assert(!joining.done(), `join() ended though ${open} items are not done`);
      this.#queue.task_done();
    }
    await joining;
    assertThrows(() => this.#queue.task_done(), asyncio.ValueError);
  }
}
