/**
 * What should cost the same per task however many tasks there are, on this library and a virtual clock.
 *
 * @module
 */

import {
  aborted_by,
  as_completed,
  async_with,
  create_task,
  Future,
  gather,
  Lock,
  Queue,
  run,
  shield,
  sleep,
  type Task,
  TaskGroup,
  timeout,
  wait,
  wait_for,
} from "../../../mod.ts";
import { VirtualClockEventLoop } from "../../../testing.ts";
import { type Batches, checked, measure } from "../measure.ts";

const empty = async () => {};

function start_empty(size: number): Task<void>[] {
  return Array.from({ length: size }, () => create_task(empty));
}

function start_getters(queue: Queue<number>, size: number): Task<number>[] {
  return Array.from({ length: size }, () => create_task(queue.get()));
}

async function start_sleeping(size: number): Promise<Task<void>[]> {
  const tasks = Array.from({ length: size }, () => create_task(sleep(3600)));
  await sleep(0);
  return tasks;
}

const batches: Batches = {
  async "spawn"(size) {
    for (const task of start_empty(size)) await task;
    return size;
  },

  async "gather"(size) {
    await gather(Array.from({ length: size }, () => empty));
    return size;
  },

  async "timers"(size) {
    // A multiple of a prime: in no order, no two at once.
    await gather(Array.from({ length: size }, (_, index) => sleep(1 + index * 7_919 % size)));
    return size;
  },

  async "cancel"(size) {
    const tasks = await start_sleeping(size);
    for (const task of tasks) task.cancel();
    await gather(tasks, { return_exceptions: true });
    return size;
  },

  async "queue waiters"(size) {
    const queue = new Queue<number>();
    const getters = start_getters(queue, size);
    await sleep(0);
    for (let item = 0; item < size; item++) queue.put_nowait(item);
    await gather(getters);
    return size;
  },

  async "cancelled queue waiters"(size) {
    const getters = start_getters(new Queue<number>(), size);
    await sleep(0);
    // The last comes first: a search from the front would go through all.
    for (const getter of getters.toReversed()) getter.cancel();
    await gather(getters, { return_exceptions: true });
    return size;
  },

  async "lock waiters"(size) {
    const lock = new Lock();
    const work = () => async_with(lock, () => sleep(0));
    await gather(Array.from({ length: size }, () => work));
    return size;
  },

  async "locked() of cancelled waiters"(size) {
    const lock = new Lock();
    await lock.acquire();
    const waiters = Array.from({ length: size }, () => create_task(lock.acquire()));
    await sleep(0);
    for (const waiter of waiters) waiter.cancel();
    let held = 0;
    // They are cancelled and still in line.
    for (let asked = 0; asked < size; asked++) if (lock.locked()) held++;
    await gather(waiters, { return_exceptions: true });
    return checked(size, held, size);
  },

  async "as_completed"(size) {
    let completed = 0;
    for await (const _ of as_completed(start_empty(size))) completed++;
    return checked(size, completed, size);
  },

  async "shields of one future"(size) {
    const future = new Future<void>();
    const waits = Array.from({ length: size }, () => create_task(wait_for(shield(future), 3600)));
    await sleep(0);
    await sleep(0);
    future.set_result();
    await gather(waits);
    return size;
  },

  "remove_done_callback"(size) {
    const future = new Future<void>();
    const callbacks = Array.from({ length: size }, () => () => {});
    for (const callback of callbacks) future.add_done_callback(callback);
    let removed = 0;
    for (const callback of callbacks.reverse()) removed += future.remove_done_callback(callback);
    return Promise.resolve(checked(size, removed, size));
  },

  async "limits in one task"(size) {
    const branch = async (): Promise<number> => {
      const limit = timeout(1);
      await async_with(limit, () => sleep(60)).catch(() => {});
      return Number(limit.expired());
    };
    const expired = await Promise.all(Array.from({ length: size }, branch));
    return checked(size, expired.reduce((sum, one) => sum + one, 0), size);
  },

  async "blocks of one signal"(size) {
    const { signal } = new AbortController();
    const block = () => async_with(aborted_by(signal), () => sleep(1));
    await gather(Array.from({ length: size }, () => block));
    return size;
  },

  async "wait"(size) {
    await wait(start_empty(size));
    return size;
  },

  async "TaskGroup"(size) {
    await async_with(new TaskGroup(), async (group) => {
      for (let started = 0; started < size; started++) group.create_task(empty);
      await sleep(0);
    });
    return size;
  },
};

await run(() => measure(batches, start_sleeping), {
  loop_factory: () => new VirtualClockEventLoop(),
});
