/**
 * AnyIO's tests of capacity limiters (`tests/test_synchronization.py`), where they make sense here.
 * docs/structured.md lists what differs, and why.
 */

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import * as asyncio from "../../mod.ts";
import { CancelScope, CapacityLimiter, WouldBlock } from "../../structured.ts";
import { all_blocked, errors_of, run } from "./clock.ts";

const { async_with, sleep, TaskGroup } = asyncio;

const TESTS: Record<string, () => Promise<void>> = {
  async test_bad_init() {
    assertThrows(() => new CapacityLimiter(1.5), TypeError, "must be an integer or Infinity");
    assertThrows(() => new CapacityLimiter(-1), asyncio.ValueError, "total_tokens must be >= 0");
    assertEquals(new CapacityLimiter(0).total_tokens, 0);
    assertEquals(new CapacityLimiter(Infinity).total_tokens, Infinity);
    assertEquals(new CapacityLimiter({ total_tokens: 1 }).total_tokens, 1);
    await Promise.resolve();
  },

  async test_borrow() {
    const limiter = new CapacityLimiter(2);
    const tokens = () => [limiter.total_tokens, limiter.available_tokens, limiter.borrowed_tokens];
    assertEquals(tokens(), [2, 2, 0]);
    await async_with(limiter, () => Promise.resolve(assertEquals(tokens(), [2, 1, 1])));
    assertEquals(tokens(), [2, 2, 0]);
  },

  async test_limit() {
    const limiter = new CapacityLimiter(1);
    let value = 0;
    await async_with(new TaskGroup(), async (group) => {
      for (let task = 0; task < 3; task++) {
        group.create_task(async () => {
          for (let round = 0; round < 5; round++) {
            await async_with(limiter, async () => {
              assertEquals(value++, 0);
              await all_blocked();
              value--;
            });
          }
        });
      }
      await Promise.resolve();
    });
  },

  async test_borrow_twice() {
    const limiter = new CapacityLimiter(1);
    await limiter.acquire();
    await assertRejects(
      async () => await limiter.acquire(),
      asyncio.RuntimeError,
      "this borrower is already holding one of this CapacityLimiter's tokens",
    );
  },

  async test_bad_release() {
    assertThrows(
      () => new CapacityLimiter(1).release(),
      asyncio.RuntimeError,
      "this borrower isn't holding any of this CapacityLimiter's tokens",
    );
    await Promise.resolve();
  },

  async test_increase_tokens() {
    const limiter = new CapacityLimiter(1);
    const [inside, increased] = [new asyncio.Event(), new asyncio.Event()];
    await async_with(new TaskGroup(), async (group) => {
      group.create_task(async () => {
        await inside.wait();
        await async_with(limiter, () => Promise.resolve(increased.set()));
      });
      group.create_task(() =>
        async_with(limiter, async () => {
          inside.set();
          await increased.wait();
        })
      );
      await all_blocked();
      assertEquals([inside.is_set(), increased.is_set()], [true, false]);
      limiter.total_tokens = 2;
    });
    assert(increased.is_set());
  },

  async test_statistics() {
    const limiter = new CapacityLimiter(1);
    const main = asyncio.current_task();
    assertEquals(limiter.statistics(), {
      total_tokens: 1,
      borrowed_tokens: 0,
      borrowers: [],
      tasks_waiting: 0,
    });
    await async_with(new TaskGroup(), async (group) => {
      using _ = await limiter.acquire();
      assertEquals(limiter.statistics().borrowers, [main]);
      for (const waiting of [1, 2]) {
        group.create_task(() => async_with(limiter, async () => {}));
        await all_blocked();
        assertEquals(limiter.statistics().tasks_waiting, waiting);
      }
    });
    assertEquals([limiter.statistics().tasks_waiting, limiter.borrowed_tokens], [0, 0]);
  },

  async test_asyncio_deadlock() {
    const limiter = new CapacityLimiter(1);
    const acquire = () => async_with(limiter, () => sleep(0));
    const [task1, task2] = [asyncio.create_task(acquire), asyncio.create_task(acquire)];
    await sleep(0);
    task1.cancel();
    await asyncio.wait_for(task2, 1);
  },

  async test_ordered_queue() {
    const limiter = new CapacityLimiter(1);
    const [results, event] = [[] as number[], new asyncio.Event()];
    const append = async (status: asyncio.TaskStatus<void>, x: number) => {
      status.started();
      await async_with(limiter, async () => {
        await event.wait();
        results.push(x);
      });
    };
    await async_with(new TaskGroup(), async (group) => {
      for (const i of [0, 1, 2]) await group.start(append, i);
      event.set();
    });
    assertEquals(results, [0, 1, 2]);
  },

  async test_increase_tokens_lets_others_acquire() {
    const limiter = new CapacityLimiter(1);
    const entered: number[] = [];
    const go_on = new asyncio.Event();
    const worker = (index: number) => () =>
      async_with(limiter, async () => {
        entered.push(index);
        await go_on.wait();
      });
    await async_with(new TaskGroup(), async (group) => {
      group.create_task(worker(0));
      group.create_task(worker(1));
      await all_blocked();
      assertEquals(entered, [0]);
      limiter.total_tokens = 3;
      group.create_task(worker(2));
      await all_blocked();
      assertEquals(entered, [0, 1, 2]);
      go_on.set();
    });
  },

  async test_acquire_cancelled() {
    const limiter = new CapacityLimiter(1);
    const [entered1, entered2] = [new asyncio.Event(), new asyncio.Event()];
    const borrower = async (status: asyncio.TaskStatus<CancelScope>, event: asyncio.Event) => {
      await async_with(new CancelScope(), async (scope) => {
        status.started(scope);
        await async_with(limiter, async () => {
          event.set();
          await sleep(0);
        });
      });
    };
    await async_with(new TaskGroup(), async (group) => {
      await async_with(limiter, async () => {
        const scope = await group.start(borrower, entered1);
        await group.start(borrower, entered2);
        scope.cancel();
      });
      await asyncio.wait_for(entered2.wait(), 0.1);
    });
    assert(!entered1.is_set());
  },

  async test_acquire_nowait() {
    const limiter = new CapacityLimiter(1);
    limiter.acquire_nowait();
    const errors = await errors_of(async_with(new TaskGroup(), async (group) => {
      group.create_task(() => Promise.resolve(limiter.acquire_nowait()));
      await Promise.resolve();
    }));
    assert(errors.length === 1 && errors[0] instanceof WouldBlock);
  },

  async test_acquire_on_behalf_of_nowait() {
    const limiter = new CapacityLimiter(1);
    limiter.acquire_on_behalf_of_nowait({});
    assertThrows(() => limiter.acquire_on_behalf_of_nowait({}), WouldBlock);
    await Promise.resolve();
  },

  async test_nowait_acquire_after_release_does_not_oversubscribe() {
    const limiter = new CapacityLimiter(1);
    limiter.acquire_on_behalf_of_nowait("A");
    await async_with(new TaskGroup(), async (group) => {
      group.create_task(limiter.acquire_on_behalf_of("B"));
      await all_blocked();
      assertEquals(limiter.statistics().tasks_waiting, 1);
      limiter.release_on_behalf_of("A");
      assertThrows(() => limiter.acquire_on_behalf_of_nowait("X"), WouldBlock);
    });
    assertEquals(limiter.statistics().borrowers, ["B"]);
    limiter.release_on_behalf_of("B");
    assertEquals(limiter.available_tokens, 1);
  },
};

for (const [name, test] of Object.entries(TESTS)) {
  Deno.test(`CapacityLimiter as AnyIO's: ${name}`, () => run(test));
}
