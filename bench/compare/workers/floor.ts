/**
 * The workloads on the floor: the smallest loop over lazy thenables that one can write by hand.
 *
 * On Node.js before 24 it pays for `AsyncLocalStorage`, as a library must there that knows its task after any await.
 *
 * @module
 */

import { AsyncLocalStorage } from "node:async_hooks";
import process from "node:process";
import { Cancelled, gather, run, settled, Task, turn } from "../../floor/loop.ts";
import { Queue } from "../../floor/queue.ts";
import { Semaphore } from "../../floor/semaphore.ts";
import { sleep, timeout } from "../../floor/timers.ts";
import { type Batches, checked, measure } from "../measure.ts";
import { LONGEST_SLEEP_MS } from "../workloads.ts";

const HOUR_MS = 3_600_000;
const OLDEST_WITH_CONTEXT_FRAMES = 24;

const empty = async () => {};

async function pass_items(queue: Queue<number>, size: number): Promise<number> {
  let sum = 0;
  const produce = async () => {
    for (let item = 0; item < size; item++) await queue.put(item);
  };
  const consume = async () => {
    for (let taken = 0; taken < size; taken++) sum += await queue.get();
  };
  await gather([produce, consume]);
  return checked(size, sum, size * (size - 1) / 2);
}

async function node(depth: number): Promise<number> {
  if (depth === 0) return 1;
  const [left, right] = await gather([() => node(depth - 1), () => node(depth - 1)]);
  return left! + right! + 1;
}

const batches: Batches = {
  async W1(size) {
    for (let done = 0; done < size; done++) await turn();
    return size;
  },

  async W2(size) {
    for (let done = 0; done < size; done++) await new Task(empty);
    return size;
  },

  async W3(size) {
    const results = await gather(Array.from({ length: size }, () => empty));
    return checked(size, results.length, size);
  },

  W4: (size) => pass_items(new Queue<number>(100), size),

  W5: (size) => pass_items(new Queue<number>(1), size),

  async W6(size) {
    const gate = new Semaphore(10);
    const work = async () => {
      await gate.acquire();
      try {
        await turn();
      } finally {
        gate.release();
      }
    };
    await gather(Array.from({ length: size }, () => work));
    return size;
  },

  async W7(size) {
    const lock = new Semaphore(1);
    const work = async () => {
      for (let done = 0; done < size; done++) {
        await lock.acquire();
        await turn();
        lock.release();
      }
    };
    await gather(Array.from({ length: 100 }, () => work));
    return 100 * size;
  },

  async W8(size) {
    await gather(
      Array.from({ length: size }, (_, index) => () => sleep(1 + index % LONGEST_SLEEP_MS)),
    );
    return size;
  },

  async W9(size) {
    const tasks = Array.from({ length: size }, () => new Task(() => sleep(HOUR_MS)));
    await turn();
    for (const task of tasks) task.cancel();
    const results = await settled(tasks);
    return checked(size, results.filter((result) => result instanceof Cancelled).length, size);
  },

  async W10(size) {
    for (let done = 0; done < size; done++) await timeout(10_000, turn);
    return size;
  },

  async W12(size) {
    const nodes = await node(size);
    return checked(nodes, nodes, 2 ** (size + 1) - 1);
  },
};

async function idle(size: number): Promise<unknown> {
  const tasks = Array.from({ length: size }, () => new Task(() => sleep(HOUR_MS)));
  await turn();
  return tasks;
}

const measured = () => run(() => measure(batches, idle));
if (Number(process.versions.node.split(".", 1)) < OLDEST_WITH_CONTEXT_FRAMES) {
  await new AsyncLocalStorage<object>().run({}, measured);
} else await measured();
