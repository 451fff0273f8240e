/**
 * The workloads in hand-written promise code that pays one `AsyncLocalStorage.run` per task and nothing else:
 * no order among tasks, no cancellation that propagates, no task object.
 *
 * @module
 */

import { BareQueue, pass_items } from "../../bare/queue.ts";
import { BareSemaphore } from "../../bare/semaphore.ts";
import { bare_task } from "../../bare/task.ts";
import { bare_sleep, type BareTimer, cancel_timer, start_timer } from "../../bare/timers.ts";
import { type Batches, measure } from "../measure.ts";
import { LONGEST_SLEEP_MS } from "../workloads.ts";

const empty = async () => {};
const switched = Promise.resolve();
const HOUR_MS = 3_600_000;

async function node(depth: number): Promise<number> {
  if (depth === 0) return 1;
  const [left, right] = await Promise.all([
    bare_task(() => node(depth - 1)),
    bare_task(() => node(depth - 1)),
  ]);
  return left + right + 1;
}

const batches: Batches = {
  async W1(size) {
    for (let done = 0; done < size; done++) await switched;
    return size;
  },

  async W2(size) {
    for (let done = 0; done < size; done++) await bare_task(empty);
    return size;
  },

  async W3(size) {
    await Promise.all(Array.from({ length: size }, () => bare_task(empty)));
    return size;
  },

  W4: (size) => pass_items(new BareQueue<number>(100), size),

  W5: (size) => pass_items(new BareQueue<number>(1), size),

  async W6(size) {
    const gate = new BareSemaphore(10);
    const work = async () => {
      await gate.acquire();
      await switched;
      gate.release();
    };
    await Promise.all(Array.from({ length: size }, () => bare_task(work)));
    return size;
  },

  async W7(size) {
    const lock = new BareSemaphore(1);
    const work = async () => {
      for (let done = 0; done < size; done++) {
        await lock.acquire();
        await switched;
        lock.release();
      }
    };
    await Promise.all(Array.from({ length: 100 }, () => bare_task(work)));
    return 100 * size;
  },

  async W8(size) {
    await Promise.all(
      Array.from(
        { length: size },
        (_, index) => bare_task(() => bare_sleep(1 + index % LONGEST_SLEEP_MS)),
      ),
    );
    return size;
  },

  async W9(size) {
    const timers: BareTimer[] = [];
    const work = async () => await bare_sleep(HOUR_MS, (timer) => timers.push(timer));
    // Awaited before they are cancelled: Deno looks a promise that is handled too late up in a list.
    const settled = Promise.allSettled(Array.from({ length: size }, () => bare_task(work)));
    await switched;
    for (const timer of timers) cancel_timer(timer);
    await settled;
    return size;
  },

  async W10(size) {
    const expire = () => {
      throw new Error("Cannot end in time");
    };
    for (let done = 0; done < size; done++) {
      const timer = start_timer(10_000, expire);
      await switched;
      cancel_timer(timer);
    }
    return size;
  },

  W12: (size) => bare_task(() => node(size)),
};

async function idle(size: number): Promise<unknown> {
  const work = async () => await bare_sleep(HOUR_MS);
  const tasks = Array.from({ length: size }, () => bare_task(work));
  await switched;
  return tasks;
}

await measure(batches, idle);
