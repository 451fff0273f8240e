/**
 * CPython's own tests of timeouts (`Lib/test/test_asyncio/test_timeouts.py`, `test_waitfor.py`), as far as they make
 * sense here and `tests/timeouts_test.ts` and `tests/waiting_test.ts` have none like them.
 */

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import * as asyncio from "../../mod.ts";
import { BusyLoop, cancellation_of, run, without_task } from "./loops.ts";
import { now } from "../virtual_time.ts";

const { async_with, CancelledError, sleep, timeout, timeout_at, TimeoutError, wait_for } = asyncio;

/** Runs for 0.2 seconds, whoever cancels it. */
const stubborn = async () => {
  const end = now() + 0.2;
  while (now() < end) {
    try {
      await sleep(end - now());
    } catch {
      // goes on
    }
  }
  return now();
};

Deno.test("timeout: nested ones of the same time are both expired, and the outer is thrown", () =>
  run(async () => {
    let inner_error: unknown;
    const deadline = now() + 0.01;
    const [outer, inner] = [timeout_at(deadline), timeout_at(deadline)];
    await assertRejects(async () => {
      await async_with(outer, async () => {
        try {
          await async_with(inner, () => sleep(10));
        } catch (error) {
          inner_error = error;
          throw error;
        }
      });
    }, TimeoutError);
    assert(inner_error instanceof CancelledError);
    assertEquals([outer.expired(), inner.expired(), outer.when()], [true, true, deadline]);
  }));

for (const delay of [0, -11]) {
  Deno.test(`timeout: of ${delay} seconds stops a sleep of 0 seconds, too`, () =>
    run(async () => {
      const started = now();
      const limit = timeout(delay);
      await assertRejects(async () => await async_with(limit, () => sleep(0)), TimeoutError);
      assertEquals([limit.expired(), now()], [true, started]);
      assert(limit.when() as number <= started);
    }));
}

Deno.test("timeout: an error of the block is thrown as it is, and the limit has not expired", () =>
  run(async () => {
    const limit = timeout(0.01);
    await assertRejects(
      async () => await async_with(limit, () => Promise.reject(new ReferenceError("foreign"))),
      ReferenceError,
    );
    assertEquals([limit.expired(), asyncio.current_task()?.cancelling()], [false, 0]);
    await sleep(1);
  }));

Deno.test("timeout: its cause is the CancelledError, which has none", () =>
  run(async () => {
    const error = await assertRejects(
      async () =>
        await async_with(timeout(0.01), async () => {
          try {
            throw new RangeError("division by zero");
          } finally {
            await sleep(1);
          }
        }),
      TimeoutError,
    );
    assert(error.cause instanceof CancelledError);
    assertEquals(error.cause.cause, undefined);
  }));

Deno.test("timeout: an error of nested clean-ups goes before it", () =>
  run(async () => {
    const block = async_with(timeout(0.01), async () => {
      try {
        try {
          throw new TypeError("first");
        } finally {
          await sleep(1);
        }
      } finally {
        // deno-lint-ignore no-unsafe-finally -- that is what is tested
        throw new RangeError("last");
      }
    });
    await assertRejects(async () => await block, RangeError, "last");
    assertEquals(asyncio.current_task()?.cancelling(), 0);
  }));

Deno.test("timeout: a task that cancels itself before the limit is cancelled", () =>
  run(async () => {
    const limit = timeout(10);
    const task = asyncio.create_task(() =>
      async_with(limit, async () => {
        asyncio.current_task()?.cancel();
        await sleep(10);
      })
    );
    assertEquals([await cancellation_of(task), limit.expired(), now()], [[], false, 0]);
  }));

Deno.test("timeout: the task that has caught it is not cancelled", () =>
  run(async () => {
    const task = asyncio.create_task(async () => {
      await assertRejects(
        async () => await async_with(timeout(0.001), () => sleep(10)),
        TimeoutError,
      );
    });
    await task;
    assertEquals([task.cancelled(), task.done(), task.cancelling()], [false, true, 0]);
  }));

Deno.test("timeout: of two that pass while the loop is busy the outer one is thrown, and each where it is the only one", async () => {
  const loop = new BusyLoop();
  await asyncio.run(async () => {
    const seen: string[] = [];
    const noted = async (text: string, passes_on: boolean, work: () => Promise<unknown>) => {
      try {
        await work();
      } catch (error) {
        seen.push(`${text}: ${(error as Error).name}`);
        if (passes_on) throw error;
      }
    };
    const limited = (limit: number, body: () => Promise<void>) => async () =>
      await async_with(timeout(limit), body);
    const busy = (seconds: number) => async () => {
      loop.compute(seconds);
      await sleep(1);
    };
    // The outer one is the earlier, and passes with the inner one.
    await noted(
      "outer",
      false,
      limited(0.002, async () => {
        await noted("inner", true, limited(0.1, busy(0.2)));
        await sleep(1);
      }),
    );
    assertEquals(seen.splice(0), ["inner: CancelledError", "outer: TimeoutError"]);
    // The inner one is the earlier, and the outer one stops what comes after it.
    const started = now();
    await noted(
      "outer",
      false,
      limited(0.1, async () => {
        await noted("inner", false, limited(0.01, busy(0.05)));
        await noted("after", true, async () => await sleep(10));
      }),
    );
    assertEquals(seen, ["inner: TimeoutError", "after: CancelledError", "outer: TimeoutError"]);
    assert(now() - started < 1);
  }, { loop_factory: () => loop });
});

Deno.test("Timeout.reschedule: by another task, to a later time and to none", () =>
  run(async () => {
    const future = new asyncio.Future<asyncio.Timeout>();
    const first = now() + 10;
    const task = asyncio.create_task(() =>
      async_with(timeout_at(first), async (limit) => {
        future.set_result(limit);
        await sleep(50);
      })
    );
    const limit = await future;
    const seen = [limit.when()];
    for (const when of [first + 20, null]) {
      limit.reschedule(when);
      seen.push(limit.when());
    }
    assertEquals(seen, [first, first + 20, null]);
    await sleep(40);
    task.cancel();
    assertEquals([await cancellation_of(task), limit.expired()], [[], false]);
  }));

Deno.test("Timeout.toString: active, expired, finished and without a limit", () =>
  run(async () => {
    const without = timeout(null);
    const seen = [await async_with(without, (limit) => Promise.resolve(String(limit)))];
    const late = timeout(0.01);
    await assertRejects(async () => await async_with(late, () => sleep(10)), TimeoutError);
    seen.push(String(without), String(late));
    assertEquals(seen, [
      "<Timeout [active] when=null>",
      "<Timeout [finished]>",
      "<Timeout [expired]>",
    ]);
  }));

Deno.test("timeout: one in the clean-up of another has a cause of its own", () =>
  run(async () => {
    const errors: Error[] = [];
    errors.push(
      await assertRejects(async () => {
        await async_with(timeout(0.01), async () => {
          try {
            await sleep(1);
          } finally {
            errors.push(
              await assertRejects(async () => {
                await async_with(timeout(0.01), () => sleep(10));
              }, TimeoutError),
            );
          }
        });
      }, TimeoutError),
    );
    const causes = errors.map((error) => error.cause as Error);
    assertEquals(causes.map((cause) => cause instanceof CancelledError), [true, true]);
    assertEquals([new Set(causes).size, ...causes.map((cause) => cause.cause)], [
      2,
      undefined,
      undefined,
    ]);
  }));

Deno.test("timeout: in the clean-up of a cancelled task both a limit and a cancellation work", () =>
  run(async () => {
    const cancel = () => asyncio.current_task()?.cancel();
    const cleans_up = async (clean_up: () => Promise<void>) => {
      cancel();
      try {
        await sleep(1);
      } catch {
        await clean_up();
      }
      return asyncio.current_task()?.cancelling();
    };
    const limited = asyncio.create_task(() =>
      cleans_up(async () => {
        await assertRejects(async () => {
          await async_with(timeout(0), () => sleep(1));
        }, TimeoutError);
      })
    );
    const cancelled = asyncio.create_task(() =>
      cleans_up(async () => {
        await assertRejects(async () => {
          await async_with(timeout(1), async () => {
            cancel();
            await sleep(2);
          });
        }, CancelledError);
      })
    );
    assertEquals([await limited, await cancelled], [1, 2]);
  }));

Deno.test("timeout: is entered once, by a task, and changed only while it is active", () =>
  run(async () => {
    const again = (limit: asyncio.Timeout) =>
      assertRejects(
        async () => await async_with(limit, () => Promise.resolve()),
        asyncio.RuntimeError,
        "has already been entered",
      );
    const refuses = (limit: asyncio.Timeout, state: string) =>
      assertThrows(() => limit.reschedule(0.02), asyncio.RuntimeError, state);
    const limit = timeout(0.01);
    refuses(limit, "has not been entered");
    await async_with(limit, async () => void await again(limit));
    await again(limit);
    refuses(limit, "finished");
    const late = timeout(0.01);
    await assertRejects(async () => await async_with(late, () => sleep(1)), TimeoutError);
    refuses(late, "expired");
    const expiring = timeout(0.01);
    await async_with(expiring, async () => {
      await assertRejects(async () => await sleep(1), CancelledError);
      refuses(expiring, "expiring");
    });
    const outside = timeout(0.01);
    const error = await without_task(() => outside.__aenter__());
    assert(error.includes("task"), error);
    refuses(outside, "has not been entered");
  }));

Deno.test("timeout: a group in it whose task fails during the cancellation throws a group of that error", () =>
  run(async () => {
    const error = await assertRejects(
      async () =>
        await async_with(timeout(0.01), () =>
          async_with(new asyncio.TaskGroup(), async (group) => {
            group.create_task(async () => {
              try {
                await sleep(2);
              } finally {
                // deno-lint-ignore no-unsafe-finally -- that is what is tested
                throw new RangeError("in the clean-up");
              }
            });
            await sleep(1);
          })),
      asyncio.ExceptionGroup,
    );
    assertEquals(error.exceptions.map(String), ["RangeError: in the clean-up"]);
    assertEquals(asyncio.current_task()?.cancelling(), 0);
  }));

// wait_for

Deno.test("wait_for: waits for a coroutine that refuses to be cancelled, by the caller and by the limit", () =>
  run(async () => {
    const waiting = asyncio.create_task(wait_for(stubborn, 0.4));
    await sleep(0);
    waiting.cancel();
    await asyncio.wait([waiting]);
    assertEquals([now(), waiting.cancelled()], [0.2, false]);
    assertEquals(await wait_for(stubborn, 0.1), 0.4);
  }));

for (const limit of [0, -1]) {
  Deno.test(`wait_for: with a limit of ${limit} cancels a task that runs, and waits for it`, () =>
    run(async () => {
      const started = new asyncio.Future<void>();
      let is_running = false;
      const task = asyncio.create_task(async () => {
        is_running = true;
        started.set_result();
        try {
          await sleep(10);
        } finally {
          is_running = false;
        }
        return "done";
      });
      await started;
      await assertRejects(async () => await wait_for(task, limit), TimeoutError);
      assertEquals([task.done(), task.cancelled(), is_running], [true, true, false]);
    }));
}

Deno.test("wait_for: a result that comes in the next iteration is given, and one made of the cancellation", () =>
  run(async () => {
    const loop = asyncio.get_running_loop();
    const future = loop.create_future<string>();
    const waiting = wait_for(future, 0.2);
    loop.call_soon(() => future.set_result("ok"));
    assertEquals(await waiting, "ok");
    const makes_1 = async () => {
      await assertRejects(async () => await sleep(1), CancelledError);
      return 1;
    };
    assertEquals(await wait_for(makes_1, 0.01), 1);
  }));

Deno.test("wait_for: a task that ends in the iteration in which the caller is cancelled keeps its result", () =>
  run(async () => {
    const inner = asyncio.create_task(() => Promise.resolve("done"));
    let reached_end = false;
    const task = asyncio.create_task(async () => {
      await wait_for(inner, 100);
      await sleep(1);
      reached_end = true;
    });
    await sleep(0);
    task.cancel();
    assertEquals(await cancellation_of(task), []);
    assertEquals([inner.done(), await inner, reached_end], [true, "done", false]);
  }));

Deno.test("wait_for: a shielded task survives a limit of 0 seconds, and has no limit with null", () =>
  run(async () => {
    const task = asyncio.create_task(sleep(0.01, "done"));
    const shield = asyncio.shield(task);
    await assertRejects(async () => await wait_for(shield, 0), TimeoutError);
    assertEquals([task.done(), task.cancelled(), shield.cancelled()], [false, false, true]);
    await sleep(0.1);
    assertEquals([task.done(), task.result()], [true, "done"]);
    const other = asyncio.create_task(sleep(0.1, "done"));
    assertEquals([await wait_for(asyncio.shield(other), null), other.done()], ["done", true]);
  }));
