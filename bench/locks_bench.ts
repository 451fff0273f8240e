/**
 * A contended semaphore and a contended lock, beside those of bare promises.
 *
 * @module
 */

import { async_with, gather, Lock, run, Semaphore, sleep } from "../mod.ts";
import { BareSemaphore } from "./bare/semaphore.ts";

const TASKS = 10_000;
const LOCK_TASKS = 100;
const ROUNDS = 100;

const switched = Promise.resolve();

Deno.bench({
  name: "a semaphore of promises",
  group: "10,000 tasks, 10 at once",
  baseline: true,
  async fn() {
    const gate = new BareSemaphore(10);
    const work = async () => {
      await gate.acquire();
      await switched;
      gate.release();
    };
    await Promise.all(Array.from({ length: TASKS }, () => work()));
  },
});

Deno.bench({
  name: "async_with(semaphore)",
  group: "10,000 tasks, 10 at once",
  async fn() {
    await run(async () => {
      const gate = new Semaphore(10);
      const work = () => async_with(gate, () => sleep(0));
      await gather(Array.from({ length: TASKS }, () => work));
    });
  },
});

Deno.bench({
  name: "using _ = await semaphore.acquire()",
  group: "10,000 tasks, 10 at once",
  async fn() {
    await run(async () => {
      const gate = new Semaphore(10);
      const work = async () => {
        using _ = await gate.acquire();
        await sleep(0);
      };
      await gather(Array.from({ length: TASKS }, () => work));
    });
  },
});

Deno.bench({
  name: "a lock of promises",
  group: "100 tasks, 100 rounds of one lock",
  baseline: true,
  async fn() {
    const lock = new BareSemaphore(1);
    const work = async () => {
      for (let done = 0; done < ROUNDS; done++) {
        await lock.acquire();
        await switched;
        lock.release();
      }
    };
    await Promise.all(Array.from({ length: LOCK_TASKS }, () => work()));
  },
});

Deno.bench({
  name: "Lock",
  group: "100 tasks, 100 rounds of one lock",
  async fn() {
    await run(async () => {
      const lock = new Lock();
      const work = async () => {
        for (let done = 0; done < ROUNDS; done++) {
          await lock.acquire();
          await sleep(0);
          lock.release();
        }
      };
      await gather(Array.from({ length: LOCK_TASKS }, () => work));
    });
  },
});
