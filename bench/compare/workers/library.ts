/**
 * The workloads on this library, as a user would write them: the translation of workers/cpython.py.
 *
 * @module
 */

import {
  async_with,
  CancelledError,
  create_task,
  gather,
  Lock,
  Queue,
  run,
  Semaphore,
  sleep,
  timeout,
} from "../../../mod.ts";
import { type Batches, checked, measure } from "../measure.ts";
import { LONGEST_SLEEP_MS } from "../workloads.ts";

const empty = async () => {};

async function pass_items(queue: Queue<number>, size: number): Promise<number> {
  let sum = 0;
  const produce = async () => {
    for (let item = 0; item < size; item++) await queue.put(item);
  };
  const consume = async () => {
    for (let taken = 0; taken < size; taken++) sum += await queue.get();
  };
  await gather(produce, consume);
  return checked(size, sum, size * (size - 1) / 2);
}

const node = (depth: number) => async (): Promise<number> => {
  if (depth === 0) return 1;
  const [left, right] = await gather(node(depth - 1), node(depth - 1));
  return left + right + 1;
};

const batches: Batches = {
  async W1(size) {
    for (let done = 0; done < size; done++) await sleep(0);
    return size;
  },

  async W2(size) {
    for (let done = 0; done < size; done++) await create_task(empty);
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
    const work = () => async_with(gate, () => sleep(0));
    await gather(Array.from({ length: size }, () => work));
    return size;
  },

  async W7(size) {
    const lock = new Lock();
    const work = async () => {
      for (let done = 0; done < size; done++) {
        await lock.acquire();
        await sleep(0);
        lock.release();
      }
    };
    await gather(Array.from({ length: 100 }, () => work));
    return 100 * size;
  },

  async W8(size) {
    await gather(
      Array.from({ length: size }, (_, index) => sleep((1 + index % LONGEST_SLEEP_MS) / 1000)),
    );
    return size;
  },

  async W9(size) {
    const tasks = Array.from({ length: size }, () => create_task(sleep(3600)));
    await sleep(0);
    for (const task of tasks) task.cancel();
    const results = await gather(tasks, { return_exceptions: true });
    return checked(size, results.filter((result) => result instanceof CancelledError).length, size);
  },

  async W10(size) {
    for (let done = 0; done < size; done++) await async_with(timeout(10), () => sleep(0));
    return size;
  },

  async W12(size) {
    const nodes = await node(size)();
    return checked(nodes, nodes, 2 ** (size + 1) - 1);
  },
};

async function idle(size: number): Promise<unknown> {
  const tasks = Array.from({ length: size }, () => create_task(sleep(3600)));
  await sleep(0);
  return tasks;
}

await run(() => measure(batches, idle));
