/** The primitives, while tasks that use them are cancelled at any await: nothing is lost. */

// deno-lint-ignore-file require-await -- callbacks whose parameter is async

import { assert, assertEquals } from "@std/assert";
import * as asyncio from "../../../mod.ts";
import type { World } from "../../../testing.ts";
import type { Explored } from "./program.ts";

const CANCELLED = asyncio.CancelledError;

/** Runs tasks that may be cancelled, and waits for all. */
async function run_all(works: readonly (() => Promise<unknown>)[]): Promise<void> {
  const tasks = works.map((work) => asyncio.create_task(work));
  const [done] = await asyncio.wait(tasks);
  for (const task of done) {
    if (!task.cancelled() && task.exception() !== null) throw task.exception();
  }
}

const repeat = <T>(count: number, make: (index: number) => T): T[] =>
  Array.from({ length: count }, (_, index) => make(index));

const lock: Explored = {
  name: "Lock",
  options: { faults: { cancel: 2 }, strict: true },
  async program(world: World) {
    const lock = new asyncio.Lock();
    let inside = 0;
    world.always(() => inside <= 1, "one holder at most");
    await run_all(repeat(4, (index) => async () => {
      await asyncio.sleep(index % 2);
      using _ = await lock.acquire();
      inside++;
      try {
        await asyncio.sleep(index % 3);
      } finally {
        inside--;
      }
    }));
    assert(!lock.locked());
    using _ = await lock.acquire();
  },
};

const semaphore: Explored = {
  name: "Semaphore",
  options: { faults: { cancel: 2 }, strict: true },
  async program(world: World) {
    const semaphore = new asyncio.BoundedSemaphore(2);
    let inside = 0;
    world.always(() => inside <= 2, "as many holders as permits");
    await run_all(repeat(5, (index) => async () => {
      using _ = await semaphore.acquire();
      inside++;
      try {
        await asyncio.sleep(index % 2);
      } finally {
        inside--;
      }
    }));
    using _one = await semaphore.acquire();
    using _other = await semaphore.acquire();
  },
};

const queue: Explored = {
  name: "Queue",
  options: {
    faults: { cancel: 2, may_cancel: (task) => task.get_name() !== "last consumer" },
    strict: true,
  },
  async program() {
    const queue = new asyncio.Queue<number>(2);
    const put: number[] = [];
    const got: number[] = [];
    const producers = repeat(2, (producer) => async () => {
      for (let i = 0; i < 4; i++) {
        await queue.put(producer * 10 + i);
        put.push(producer * 10 + i);
        await asyncio.sleep(i % 2);
      }
    });
    const consumers = repeat(2, () => async () => {
      for await (const item of queue) {
        got.push(item);
        queue.task_done();
      }
    });
    const consuming = consumers.map((consumer) => asyncio.create_task(consumer));
    consuming.push(asyncio.create_task(consumers[0]!, { name: "last consumer" }));
    await run_all(producers);
    await queue.join();
    queue.shutdown();
    await asyncio.wait(consuming);
    assertEquals([...got].sort((a, b) => a - b), [...put].sort((a, b) => a - b));
  },
};

const condition: Explored = {
  name: "Condition",
  options: { faults: { cancel: 1, may_cancel: (task) => task.get_name().startsWith("waiter") } },
  async program() {
    const condition = new asyncio.Condition();
    let items = 0;
    let taken = 0;
    const waiters = repeat(4, (index) =>
      asyncio.create_task(async () => {
        await asyncio.async_with(condition, async () => {
          await condition.wait_for(() => items > 0);
          items--;
          taken++;
        });
      }, { name: `waiter ${index}` }));
    for (let i = 0; i < 4; i++) {
      await asyncio.async_with(condition, async () => {
        items++;
        condition.notify();
      });
      await asyncio.sleep(i % 2);
    }
    await asyncio.wait(waiters);
    assertEquals(taken + items, 4);
    assertEquals(taken, waiters.filter((task) => !task.cancelled()).length);
  },
};

const group: Explored = {
  name: "TaskGroup and timeout",
  options: { faults: { cancel: 1, fail: 1 }, delay: 2 },
  async program(world: World) {
    let running = 0;
    const work = async () => {
      running++;
      try {
        await asyncio.from_promise(Promise.resolve());
        await asyncio.sleep(world.choose([0.5, 1, 1.5]));
      } finally {
        running--;
      }
    };
    const outer = asyncio.create_task(async () => {
      await asyncio.async_with(asyncio.timeout(1), async () => {
        await asyncio.async_with(new asyncio.TaskGroup(), async (group) => {
          for (let i = 0; i < 3; i++) group.create_task(work);
        });
      });
    }, { name: "outer" });
    await asyncio.wait([outer]);
    assertEquals(running, 0);
    if (outer.cancelled()) return;
    const error = outer.exception();
    assert(
      error === null || error instanceof asyncio.TimeoutError ||
        error instanceof asyncio.ExceptionGroup,
      String(error),
    );
  },
};

const barrier: Explored = {
  name: "Barrier and Event",
  options: { strict: true },
  async program(world: World) {
    const barrier = new asyncio.Barrier(3);
    const event = new asyncio.Event();
    let passed = 0;
    const order: number[] = [];
    world.always(() => passed === 0 || order.length >= 3, "nobody passes alone");
    await run_all(repeat(3, (index) => async () => {
      await asyncio.sleep(index);
      order.push(index);
      await barrier.wait();
      passed++;
      if (passed === 3) event.set();
      await event.wait();
    }));
    assertEquals(passed, 3);
  },
};

const wait_for: Explored = {
  name: "wait_for",
  options: { delay: 2, faults: { cancel: 1, may_cancel: (task) => task.get_name() === "caller" } },
  async program() {
    const permits = new asyncio.Semaphore(1);
    let held = 0;
    const caller = asyncio.create_task(async () => {
      for (let i = 0; i < 3; i++) {
        try {
          using _ = await asyncio.wait_for(permits.acquire(), 1);
          held++;
          try {
            await asyncio.from_promise(Promise.resolve());
          } finally {
            held--;
          }
        } catch (error) {
          if (error instanceof CANCELLED || !(error instanceof asyncio.TimeoutError)) throw error;
        }
      }
    }, { name: "caller" });
    const other = asyncio.create_task(async () => {
      for (let i = 0; i < 3; i++) {
        using _ = await permits.acquire();
        await asyncio.from_promise(Promise.resolve());
      }
    });
    await asyncio.wait([caller, other]);
    assertEquals(held, 0);
    assert(!permits.locked());
  },
};

export const PRIMITIVES: readonly Explored[] = [
  lock,
  semaphore,
  queue,
  condition,
  group,
  barrier,
  wait_for,
];
