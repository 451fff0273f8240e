/** What the tasks of the soak do: everything that makes and drops timers, waiters, tasks and errors. */

import * as asyncio from "../../mod.ts";
import { Random } from "../conformance/random.ts";

/** How many tasks share one queue, and one semaphore. */
const SHARE = 50;

/** Seconds from one thing that a task does to the next. */
const PACE = 5;

/** The outcomes that are counted, by name. */
export type Counts = Map<string, number>;

export class Work {
  readonly counts: Counts = new Map();
  /** A sample of the short-lived tasks, to see that nobody holds them when they are done. */
  readonly sample: WeakRef<asyncio.Task<unknown>>[] = [];
  readonly #random = new Random(1);
  readonly #queues: asyncio.Queue<number>[];
  readonly #semaphores: asyncio.Semaphore[];

  constructor(tasks: number) {
    const shared = Math.ceil(tasks / SHARE);
    this.#queues = Array.from({ length: shared }, () => new asyncio.Queue<number>(SHARE / 2));
    this.#semaphores = Array.from({ length: shared }, () => new asyncio.Semaphore(SHARE / 5));
  }

  /** One task: does one thing after the other until it is cancelled. */
  async run(): Promise<never> {
    const things = [this.#put, this.#get, this.#hold, this.#expire, this.#abandon, this.#group];
    for (;;) {
      await asyncio.sleep(this.#seconds());
      const thing = this.#random.pick(things);
      this.#count(await thing.call(this));
    }
  }

  #seconds(): number {
    return this.#random.between(0, 2 * PACE * 1000) / 1000;
  }

  #count(outcome: string): void {
    this.counts.set(outcome, (this.counts.get(outcome) ?? 0) + 1);
  }

  async #put(): Promise<string> {
    try {
      await asyncio.wait_for(this.#random.pick(this.#queues).put(1), this.#seconds());
      return "items put";
    } catch (error) {
      if (error instanceof asyncio.TimeoutError) return "puts timed out";
      throw error;
    }
  }

  async #get(): Promise<string> {
    const queue = this.#random.pick(this.#queues);
    try {
      await asyncio.wait_for(queue.get(), this.#seconds());
      queue.task_done();
      return "items got";
    } catch (error) {
      if (error instanceof asyncio.TimeoutError) return "gets timed out";
      throw error;
    }
  }

  async #hold(): Promise<string> {
    await asyncio.async_with(this.#random.pick(this.#semaphores), () => asyncio.sleep(1));
    return "permits held";
  }

  async #expire(): Promise<string> {
    try {
      await asyncio.async_with(asyncio.timeout(this.#seconds()), async () => {
        await new asyncio.Event().wait();
      });
    } catch (error) {
      if (error instanceof asyncio.TimeoutError) return "timeouts expired";
      throw error;
    }
    throw new Error("an event that nobody sets was set");
  }

  /** Starts a task and cancels it, before or after it has ended. */
  async #abandon(): Promise<string> {
    const task = asyncio.create_task(asyncio.sleep(1));
    if (this.sample.length < 1000) this.sample.push(new WeakRef(task));
    await asyncio.sleep(this.#random.between(0, 1500) / 1000);
    return task.cancel() ? "tasks cancelled" : "tasks ended";
  }

  async #group(): Promise<string> {
    try {
      await asyncio.async_with(new asyncio.TaskGroup(), async (group) => {
        group.create_task(asyncio.sleep(PACE));
        group.create_task(async () => {
          await asyncio.sleep(1);
          throw new Error("the soak's own");
        });
        await asyncio.sleep(0);
      });
    } catch (error) {
      if (error instanceof asyncio.ExceptionGroup) return "groups failed";
      throw error;
    }
    throw new Error("a group swallowed an error");
  }
}
