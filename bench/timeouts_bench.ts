/**
 * A timeout that does not expire, beside a timer of bare promises and the host's AbortSignal.
 *
 * @module
 */

import { async_with, run, sleep, timeout, wait_for } from "../mod.ts";
import { cancel_timer, start_timer } from "./bare/timers.ts";

const TIMEOUTS = 1_000;
const GROUP = "1,000 timeouts around a switch";

const switched = Promise.resolve();

function unless_expired(milliseconds: number, work: Promise<void>): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = start_timer(milliseconds, () => reject(new Error("Cannot end in time")));
    work.then(() => {
      cancel_timer(timer);
      resolve();
    }, reject);
  });
}

Deno.bench({
  name: "a race of promises, timers in one heap",
  group: GROUP,
  baseline: true,
  async fn() {
    for (let done = 0; done < TIMEOUTS; done++) await unless_expired(10_000, switched);
  },
});

Deno.bench({
  name: "a race of promises, setTimeout",
  group: GROUP,
  async fn() {
    for (let done = 0; done < TIMEOUTS; done++) {
      const { promise, reject } = Promise.withResolvers<never>();
      const timer = setTimeout(reject, 10_000);
      await Promise.race([promise, switched]);
      clearTimeout(timer);
    }
  },
});

Deno.bench({
  name: "async_with(timeout(10))",
  group: GROUP,
  async fn() {
    await run(async () => {
      for (let done = 0; done < TIMEOUTS; done++) await async_with(timeout(10), () => sleep(0));
    });
  },
});

Deno.bench({
  name: "wait_for(…, 10)",
  group: GROUP,
  async fn() {
    await run(async () => {
      for (let done = 0; done < TIMEOUTS; done++) await wait_for(sleep(0), 10);
    });
  },
});
