/**
 * Tasks beside bare promises: switching, spawning, gathering, cancelling.
 *
 * @module
 */

import { create_task, gather, run, sleep } from "../mod.ts";
import { bare_sleep, type BareTimer, cancel_timer } from "./bare/timers.ts";

const SWITCHES = 1_000;
const SPAWNS = 1_000;
const GATHERED = 100_000;
const CANCELLED = 50_000;
const DEPTH = 14;
const HOUR = 3_600;

const empty = async () => {};
const switched = Promise.resolve();

Deno.bench({
  name: "await of a resolved promise",
  group: "1,000 switches",
  baseline: true,
  async fn() {
    for (let done = 0; done < SWITCHES; done++) await switched;
  },
});

Deno.bench({
  name: "sleep(0)",
  group: "1,000 switches",
  async fn() {
    await run(async () => {
      for (let done = 0; done < SWITCHES; done++) await sleep(0);
    });
  },
});

Deno.bench({
  name: "sleep(0) in a function*",
  group: "1,000 switches",
  async fn() {
    await run(function* () {
      for (let done = 0; done < SWITCHES; done++) yield* sleep(0);
    });
  },
});

Deno.bench({
  name: "call and await",
  group: "spawn 1,000 tasks",
  baseline: true,
  async fn() {
    for (let done = 0; done < SPAWNS; done++) await empty();
  },
});

Deno.bench({
  name: "create_task and await",
  group: "spawn 1,000 tasks",
  async fn() {
    await run(async () => {
      for (let done = 0; done < SPAWNS; done++) await create_task(empty);
    });
  },
});

Deno.bench({
  name: "create_task of a function* and await",
  group: "spawn 1,000 tasks",
  async fn() {
    await run(async () => {
      for (let done = 0; done < SPAWNS; done++) await create_task(function* () {});
    });
  },
});

Deno.bench({
  name: "Promise.all",
  group: "gather 100,000 tasks",
  baseline: true,
  n: 10,
  warmup: 3,
  async fn() {
    await Promise.all(Array.from({ length: GATHERED }, () => empty()));
  },
});

Deno.bench({
  name: "gather",
  group: "gather 100,000 tasks",
  n: 10,
  warmup: 3,
  async fn() {
    await run(() => gather(Array.from({ length: GATHERED }, () => empty)));
  },
});

async function bare_node(depth: number): Promise<number> {
  if (depth === 0) return 1;
  const [left, right] = await Promise.all([bare_node(depth - 1), bare_node(depth - 1)]);
  return left + right + 1;
}

const node = (depth: number) => async (): Promise<number> => {
  if (depth === 0) return 1;
  const [left, right] = await gather(node(depth - 1), node(depth - 1));
  return left + right + 1;
};

Deno.bench({
  name: "Promise.all",
  group: "gather a tree of depth 14",
  baseline: true,
  n: 10,
  warmup: 3,
  async fn() {
    await bare_node(DEPTH);
  },
});

Deno.bench({
  name: "gather",
  group: "gather a tree of depth 14",
  n: 10,
  warmup: 3,
  async fn() {
    await run(node(DEPTH));
  },
});

Deno.bench({
  name: "rejected promises",
  group: "cancel 50,000 sleeping tasks",
  baseline: true,
  n: 10,
  warmup: 3,
  async fn() {
    const timers: BareTimer[] = [];
    const work = () => bare_sleep(HOUR * 1_000, (timer) => timers.push(timer));
    const settled = Promise.allSettled(Array.from({ length: CANCELLED }, () => work()));
    for (const timer of timers) cancel_timer(timer);
    await settled;
  },
});

Deno.bench({
  name: "Task.cancel",
  group: "cancel 50,000 sleeping tasks",
  n: 10,
  warmup: 3,
  async fn() {
    await run(async () => {
      const tasks = Array.from({ length: CANCELLED }, () => create_task(sleep(HOUR)));
      await sleep(0);
      for (const task of tasks) task.cancel();
      await gather(tasks, { return_exceptions: true });
    });
  },
});
