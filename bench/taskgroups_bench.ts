/**
 * A task group, and waiting for tasks one by one, beside bare promises.
 *
 * @module
 */

import { as_completed, async_with, create_task, run, TaskGroup, wait } from "../mod.ts";

const TASKS = 1_000;
const GROUP = "1,000 tasks";

const empty = async () => {};

Deno.bench({
  name: "Promise.all",
  group: GROUP,
  baseline: true,
  async fn() {
    await Promise.all(Array.from({ length: TASKS }, () => empty()));
  },
});

Deno.bench({
  name: "TaskGroup",
  group: GROUP,
  async fn() {
    await run(() =>
      async_with(new TaskGroup(), (group) => {
        for (let made = 0; made < TASKS; made++) group.create_task(empty);
        return Promise.resolve();
      })
    );
  },
});

Deno.bench({
  name: "wait",
  group: GROUP,
  async fn() {
    await run(async () => {
      await wait(Array.from({ length: TASKS }, () => create_task(empty)));
    });
  },
});

Deno.bench({
  name: "as_completed",
  group: GROUP,
  async fn() {
    await run(async () => {
      for await (const task of as_completed(Array.from({ length: TASKS }, () => empty))) await task;
    });
  },
});
