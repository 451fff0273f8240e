/**
 * The workloads on Effect: a task is a fiber.
 *
 * @module
 */

import { Effect, Fiber, Queue, Semaphore } from "effect";
import { type Batches, measure } from "../measure.ts";
import { LONGEST_SLEEP_MS } from "../workloads.ts";

const TOGETHER = { concurrency: "unbounded", discard: true } as const;

function repeat(size: number, step: Effect.Effect<unknown, unknown>): Promise<number> {
  return Effect.runPromise(Effect.gen(function* () {
    for (let done = 0; done < size; done++) yield* step;
    return size;
  }));
}

function together(size: number, start: (index: number) => Effect.Effect<unknown, unknown>) {
  const indices = Array.from({ length: size }, (_, index) => index);
  return Effect.runPromise(Effect.forEach(indices, start, TOGETHER));
}

function pass_items(maxsize: number, size: number): Promise<number> {
  return Effect.runPromise(Effect.gen(function* () {
    const queue = yield* Queue.bounded<number>(maxsize);
    const produce = Effect.gen(function* () {
      for (let item = 0; item < size; item++) yield* Queue.offer(queue, item);
    });
    const consume = Effect.gen(function* () {
      for (let taken = 0; taken < size; taken++) yield* Queue.take(queue);
    });
    yield* Effect.all([produce, consume], TOGETHER);
    return size;
  }));
}

function start_idle(size: number) {
  return Effect.gen(function* () {
    const fibers: Fiber.Fiber<void>[] = [];
    for (let started = 0; started < size; started++) {
      fibers.push(yield* Effect.forkDetach(Effect.sleep("1 hour")));
    }
    yield* Effect.yieldNow;
    return fibers;
  });
}

const node = (depth: number): Effect.Effect<number> =>
  Effect.gen(function* () {
    if (depth === 0) return 1;
    const [left, right] = yield* Effect.all([node(depth - 1), node(depth - 1)], {
      concurrency: "unbounded",
    });
    return left + right + 1;
  });

const empty = Effect.gen(function* () {});

const spawn = Effect.gen(function* () {
  yield* Fiber.join(yield* Effect.forkChild(empty));
});

const batches: Batches = {
  W1: (size) => repeat(size, Effect.yieldNow),

  W2: (size) => repeat(size, spawn),

  async W3(size) {
    await together(size, () => empty);
    return size;
  },

  W4: (size) => pass_items(100, size),

  W5: (size) => pass_items(1, size),

  async W6(size) {
    const gate = Semaphore.makeUnsafe(10);
    await together(size, () => gate.withPermit(Effect.yieldNow));
    return size;
  },

  async W7(size) {
    const lock = Semaphore.makeUnsafe(1);
    const work = Effect.gen(function* () {
      for (let done = 0; done < size; done++) yield* lock.withPermit(Effect.yieldNow);
    });
    await together(100, () => work);
    return 100 * size;
  },

  async W8(size) {
    await together(size, (index) => Effect.sleep(1 + index % LONGEST_SLEEP_MS));
    return size;
  },

  W9: (size) =>
    Effect.runPromise(Effect.gen(function* () {
      yield* Fiber.interruptAll(yield* start_idle(size));
      return size;
    })),

  W10: (size) => repeat(size, Effect.timeout(Effect.yieldNow, "10 seconds")),

  W12: (size) => Effect.runPromise(node(size)),
};

await measure(batches, (size) => Effect.runPromise(start_idle(size)));
