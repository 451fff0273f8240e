/**
 * The workloads with bare promises and the host's own timers and abort signals, where these have the feature.
 *
 * @module
 */

import { setTimeout as host_sleep } from "node:timers/promises";
import { type Batches, measure } from "../measure.ts";
import { LONGEST_SLEEP_MS } from "../workloads.ts";

const empty = async () => {};
const switched = Promise.resolve();
const HOUR_MS = 3_600_000;

async function node(depth: number): Promise<number> {
  if (depth === 0) return 1;
  const [left, right] = await Promise.all([node(depth - 1), node(depth - 1)]);
  return left + right + 1;
}

function timer_sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

function unless_aborted(signal: AbortSignal, work: Promise<void>): Promise<void> {
  return new Promise((resolve, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
    work.then(resolve, reject);
  });
}

const batches: Batches = {
  async W1(size) {
    for (let done = 0; done < size; done++) await switched;
    return size;
  },

  async W2(size) {
    for (let done = 0; done < size; done++) await empty();
    return size;
  },

  async W3(size) {
    await Promise.all(Array.from({ length: size }, () => empty()));
    return size;
  },

  async W8(size) {
    await Promise.all(
      Array.from({ length: size }, (_, index) => timer_sleep(1 + index % LONGEST_SLEEP_MS)),
    );
    return size;
  },

  async W9(size) {
    const controllers = Array.from({ length: size }, () => new AbortController());
    const settled = Promise.allSettled(
      controllers.map(({ signal }) => host_sleep(HOUR_MS, undefined, { signal })),
    );
    await switched;
    for (const controller of controllers) controller.abort();
    await settled;
    return size;
  },

  async W10(size) {
    for (let done = 0; done < size; done++) {
      await unless_aborted(AbortSignal.timeout(10_000), switched);
    }
    return size;
  },

  W12: node,
};

async function idle(size: number): Promise<unknown> {
  const tasks = Array.from({ length: size }, () => timer_sleep(HOUR_MS));
  await switched;
  return tasks;
}

await measure(batches, idle);
