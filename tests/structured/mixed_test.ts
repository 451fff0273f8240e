/** Scopes, timeouts, groups and tasks inside each other, as programs have them. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import * as asyncio from "../../mod.ts";
import {
  CancelScope,
  CapacityLimiter,
  fail_after,
  move_on_after,
  open_channel,
  retry,
} from "../../structured.ts";
import { all_blocked, errors_of, now, run } from "./clock.ts";

const { async_with, create_task, sleep, TaskGroup, timeout, TimeoutError } = asyncio;

/** How an awaitable ends: its value, or the name of its error. */
async function end_of(awaitable: PromiseLike<unknown>): Promise<unknown> {
  try {
    return await awaitable;
  } catch (error) {
    return (error as Error).name;
  }
}

Deno.test("move_on_after in the tasks of a TaskGroup in a timeout(): each limit ends what is its own", () =>
  run(async () => {
    const log: string[] = [];
    /** A job that is given up, one that ends, and one that only the timeout ends. */
    const job = (name: string, seconds: number, limit: number) => async () => {
      const scope = move_on_after(limit);
      try {
        await async_with(scope, () => sleep(seconds));
        log.push(`${name} ${scope.cancelled_caught ? "given up" : "done"} ${now()}`);
      } catch (error) {
        log.push(`${name} ${(error as Error).name} ${now()}`);
        throw error;
      }
    };
    await assertRejects(
      async () =>
        await async_with(timeout(3), () =>
          async_with(new TaskGroup(), async (group) => {
            group.create_task(job("slow", 60, 1));
            group.create_task(job("quick", 2, 5));
            group.create_task(job("endless", 60, 60));
            await sleep(0);
          })),
      TimeoutError,
    );
    assertEquals(log, ["slow given up 1", "quick done 2", "endless CancelledError 3"]);
    assertEquals([now(), asyncio.current_task()?.cancelling()], [3, 0]);
  }));

Deno.test("fail_after: expiring in the turn of a cancellation from outside, the task is cancelled", () =>
  run(async () => {
    for (const is_first of [true, false]) {
      const start = now();
      const cancel = () =>
        asyncio.get_running_loop().call_at(start + 1, () => task.cancel("outer"));
      const task: asyncio.Task<unknown> = create_task(async () => {
        await async_with(fail_after(1), async () => {
          if (!is_first) cancel();
          await sleep(60);
        });
      });
      if (is_first) cancel();
      assertEquals(await end_of(task), "CancelledError");
      assertEquals([task.cancelling(), now() - start], [1, 1]);
    }
  }));

Deno.test("fail_after: expiring in the turn in which an outer scope is cancelled, the outer one ends the code", () =>
  run(async () => {
    for (const level of [false, true]) {
      const start = now();
      const outer = new CancelScope({ deadline: start + 1, level });
      const inner = fail_after(1, { level });
      let after = "not reached";
      await async_with(outer, async () => {
        await async_with(inner, () => sleep(60)).catch((error) => {
          after = (error as Error).name;
          throw error;
        });
      });
      assertEquals([after, outer.cancelled_caught, now() - start], ["CancelledError", true, 1]);
      assertEquals(asyncio.current_task()?.cancelling(), 0);
    }
  }));

Deno.test("fail_after in a shield: expiring while a cancellation is kept off, it is a TimeoutError", () =>
  run(async () => {
    const log: unknown[] = [];
    const task = create_task(async () => {
      try {
        await sleep(60);
      } finally {
        log.push(await end_of(async_with(fail_after(2, { shield: true }), () => sleep(60))), now());
      }
    });
    await sleep(1);
    task.cancel();
    await sleep(1);
    task.cancel();
    assertEquals(await end_of(task), "CancelledError");
    assertEquals([log, task.cancelling()], [["TimeoutError", 3], 2]);
  }));

Deno.test("CancelScope.level: loops that swallow every error end with their last round", () =>
  run(async () => {
    const scope = new CancelScope({ deadline: 1, level: true });
    const rounds = { polls: 0, groups: 0, timeouts: 0 };
    await async_with(scope, async () => {
      while (rounds.polls < 5) {
        try {
          await sleep(10);
        } catch {
          rounds.polls++;
        }
      }
      while (rounds.groups < 5) {
        try {
          await async_with(new TaskGroup(), async (group) => {
            group.create_task(() => sleep(10));
            await sleep(10);
          });
        } catch {
          rounds.groups++;
        }
      }
      while (rounds.timeouts < 5) {
        try {
          await async_with(timeout(5), () => sleep(10));
        } catch {
          rounds.timeouts++;
        }
      }
      await sleep(0);
    });
    assertEquals(rounds, { polls: 5, groups: 5, timeouts: 5 });
    assertEquals([scope.cancelled_caught, now()], [true, 1]);
    assertEquals(asyncio.current_task()?.cancelling(), 0);
  }));

Deno.test("CancelScope.level: other tasks run while code in it swallows errors", () =>
  run(async () => {
    let ticks = 0;
    const ticker = create_task(async () => {
      for (; ticks < 100; ticks++) await sleep(0);
    });
    await async_with(new CancelScope({ deadline: 1, level: true }), async () => {
      await sleep(10).catch(() => {});
      while (ticks < 100) await sleep(10).catch(() => {});
    });
    await ticker;
    assertEquals(now(), 1);
  }));

Deno.test("move_on_after, gather, wait_for and channels in each other: nothing is left waiting", () =>
  run(async () => {
    const [sender, receiver] = open_channel<number>();
    const results: unknown = await async_with(move_on_after(5), () =>
      asyncio.gather(
        asyncio.wait_for(async_with(move_on_after(1), () => receiver.receive()), 3),
        end_of(asyncio.wait_for(async_with(move_on_after(3), () => receiver.receive()), 2)),
        end_of(async_with(fail_after(4), () => receiver.receive())),
      ));
    assertEquals(results, [undefined, "TimeoutError", "TimeoutError"]);
    assertEquals(receiver.statistics().tasks_waiting_receive, 0);
    assertEquals([now(), asyncio.current_task()?.cancelling()], [4, 0]);
    sender.close();
  }));

Deno.test("retry in a limiter in a scope: a scope that ends releases the token", () =>
  run(async () => {
    const limiter = new CapacityLimiter(1);
    let attempts = 0;
    const work = () =>
      async_with(limiter, () =>
        retry(async () => {
          attempts++;
          await sleep(1);
          throw new Error("again");
        }, { attempts: Infinity, delay: 1, factor: 1 }));
    await async_with(move_on_after(4.5), work);
    assertEquals([attempts, limiter.borrowed_tokens, now()], [3, 0, 4.5]);
    await async_with(move_on_after(1.5), work);
    assertEquals([attempts, limiter.borrowed_tokens, now()], [4, 0, 6]);
  }));

Deno.test("TaskGroup: an error of a task goes beside the end of a scope around the group", () =>
  run(async () => {
    const scope = move_on_after(1);
    const errors = await errors_of(
      async_with(scope, () =>
        async_with(new TaskGroup(), async (group) => {
          group.create_task(async () => {
            await sleep(60).catch(() => {
              throw new TypeError("clean-up");
            });
          });
          await sleep(60);
        })),
    );
    assertEquals(errors.map(String), ["TypeError: clean-up"]);
    assertEquals([scope.cancelled_caught, asyncio.current_task()?.cancelling()], [false, 0]);
  }));

Deno.test("CancelScope: task.cancel() in a group's task ends that task, its scopes stay out of it", () =>
  run(async () => {
    const scope = move_on_after(10);
    await async_with(new TaskGroup(), async (group) => {
      const task = group.create_task(() => async_with(scope, () => sleep(60)));
      await all_blocked();
      task.cancel();
      await asyncio.wait([task]);
      assert(task.cancelled());
    });
    assertEquals([scope.cancel_called, now()], [false, 0]);
  }));
