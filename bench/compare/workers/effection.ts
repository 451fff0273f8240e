/**
 * The workloads on Effection. It has no bare switch, no bounded queue, no semaphore, no lock and no timeout.
 *
 * @module
 */

import { all, type Operation, run, sleep, spawn, type Task } from "effection";
import { type Batches, measure } from "../measure.ts";
import { LONGEST_SLEEP_MS } from "../workloads.ts";

const HOUR_MS = 3_600_000;

function* empty(): Operation<void> {}

function* start_idle(size: number): Operation<Task<void>[]> {
  const tasks: Task<void>[] = [];
  for (let started = 0; started < size; started++) tasks.push(yield* spawn(() => sleep(HOUR_MS)));
  yield* sleep(0);
  return tasks;
}

function* node(depth: number): Operation<number> {
  if (depth === 0) return 1;
  const [left, right] = yield* all([node(depth - 1), node(depth - 1)]);
  return left + right + 1;
}

const batches: Batches = {
  async W2(size) {
    await run(function* () {
      for (let done = 0; done < size; done++) yield* yield* spawn(empty);
    });
    return size;
  },

  async W3(size) {
    await run(() => all(Array.from({ length: size }, empty)));
    return size;
  },

  async W8(size) {
    await run(() =>
      all(Array.from({ length: size }, (_, index) => sleep(1 + index % LONGEST_SLEEP_MS)))
    );
    return size;
  },

  async W9(size) {
    await run(function* () {
      const tasks = yield* start_idle(size);
      yield* all(tasks.map((task) => task.halt()));
    });
    return size;
  },

  async W12(size) {
    return await run(() => node(size));
  },
};

// Its tasks end with the operation that spawned them, so that one must go on.
function idle(size: number): Promise<unknown> {
  return new Promise((started) => {
    run(function* () {
      started(yield* start_idle(size));
      yield* sleep(HOUR_MS);
    });
  });
}

await measure(batches, idle);
