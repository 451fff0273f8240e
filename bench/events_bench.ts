/**
 * The loop's callbacks and timers beside the host's.
 *
 * @module
 */

import { gather, get_running_loop, run, sleep } from "../mod.ts";

const CALLBACKS = 10_000;
const SLEEPS = 100_000;
const LONGEST_MS = 50;

function host_sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

Deno.bench({
  name: "queueMicrotask",
  group: "10,000 callbacks",
  baseline: true,
  async fn() {
    await new Promise<void>((resolve) => {
      let left = CALLBACKS;
      const count = () => {
        if (--left === 0) resolve();
      };
      for (let asked = 0; asked < CALLBACKS; asked++) queueMicrotask(count);
    });
  },
});

Deno.bench({
  name: "call_soon",
  group: "10,000 callbacks",
  async fn() {
    await run(async () => {
      const loop = get_running_loop();
      const all_called = loop.create_future<void>();
      let left = CALLBACKS;
      const count = () => {
        if (--left === 0) all_called.set_result(undefined);
      };
      for (let asked = 0; asked < CALLBACKS; asked++) loop.call_soon(count);
      await all_called;
    });
  },
});

Deno.bench({
  name: "setTimeout",
  group: "100,000 sleeps of 1 to 50 ms",
  baseline: true,
  n: 10,
  warmup: 3,
  async fn() {
    await Promise.all(
      Array.from({ length: SLEEPS }, (_, index) => host_sleep(1 + index % LONGEST_MS)),
    );
  },
});

Deno.bench({
  name: "sleep",
  group: "100,000 sleeps of 1 to 50 ms",
  n: 10,
  warmup: 3,
  async fn() {
    await run(() =>
      gather(Array.from({ length: SLEEPS }, (_, index) => sleep((1 + index % LONGEST_MS) / 1_000)))
    );
  },
});
