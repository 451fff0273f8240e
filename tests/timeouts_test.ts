/** Timeouts: expiry, rescheduling, nesting, cancellations from outside, mistakes. */

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import * as asyncio from "../mod.ts";
import { now, run } from "./virtual_time.ts";

const { async_with, sleep, timeout, timeout_at } = asyncio;

const cancelling = () => asyncio.current_task()?.cancelling();

Deno.test("a block that ends in time is left alone", () =>
  run(async () => {
    const limit = timeout(5);
    assertEquals(await async_with(limit, () => sleep(1, "result")), "result");
    assertEquals([limit.expired(), limit.when(), now()], [false, 5, 1]);
    await sleep(60);
  }));

Deno.test("a block that takes too long is cancelled, and a TimeoutError leaves it", () =>
  run(async () => {
    const limit = timeout(5);
    let inside: unknown;
    const error = await assertRejects(async () => {
      await async_with(limit, async () => {
        await sleep(60).catch((error) => {
          inside = error;
          throw error;
        });
      });
    }, asyncio.TimeoutError);
    assert(inside instanceof asyncio.CancelledError);
    assert(error.cause === inside);
    assertEquals([limit.expired(), now(), cancelling()], [true, 5, 0]);
    await sleep(1);
  }));

Deno.test("a deadline is a time of the loop's clock", () =>
  run(async () => {
    await sleep(10);
    const limit = timeout_at(12);
    await assertRejects(async () => await async_with(limit, () => sleep(60)), asyncio.TimeoutError);
    assertEquals([now(), limit.when()], [12, 12]);
  }));

Deno.test("no limit is no limit", () =>
  run(async () => {
    for (const limit of [timeout(null), timeout_at(null)]) {
      await async_with(limit, () => sleep(1e6));
      assertEquals([limit.when(), limit.expired()], [null, false]);
    }
  }));

Deno.test("a deadline in the past stops the block at its first wait, not before", () =>
  run(async () => {
    for (const limit of [timeout(0), timeout(-1), timeout_at(-5)]) {
      let began = false;
      await assertRejects(async () => {
        await async_with(limit, async () => {
          began = true;
          await sleep(60);
        });
      }, asyncio.TimeoutError);
      assert(began && limit.expired());
    }
    assertEquals(now(), 0);
  }));

Deno.test("a block that never waits is not stopped by a deadline in the past", () =>
  run(async () => {
    const limit = timeout(0);
    assertEquals(await async_with(limit, () => Promise.resolve("done")), "done");
    assertEquals(limit.expired(), false);
  }));

Deno.test("an error of the block goes before the timeout", () =>
  run(async () => {
    const limit = timeout(1);
    await assertRejects(
      async () => {
        await async_with(limit, async () => {
          await sleep(60).catch(() => {
            throw new TypeError("cleanup");
          });
        });
      },
      TypeError,
      "cleanup",
    );
    assertEquals([limit.expired(), cancelling()], [true, 0]);
  }));

Deno.test("a block that swallows its cancellation has no timeout, but has expired", () =>
  run(async () => {
    const limit = timeout(1);
    const result = await async_with(limit, () => sleep(60, "").catch(() => "swallowed"));
    assertEquals([result, limit.expired(), cancelling()], ["swallowed", true, 0]);
    await sleep(1);
  }));

Deno.test("a deadline is moved, taken away and set", () =>
  run(async () => {
    await async_with(timeout(1), async (limit) => {
      limit.reschedule(10);
      await sleep(5);
      limit.reschedule(null);
      await sleep(50);
      limit.reschedule(now() + 3);
      assertEquals(limit.when(), 58);
      await assertRejects(async () => await sleep(60), asyncio.CancelledError);
    });
    assertEquals(now(), 58);
  }));

Deno.test("a deadline that is moved to the past expires at the next wait", () =>
  run(async () => {
    await sleep(5);
    await assertRejects(async () => {
      await async_with(timeout(60), async (limit) => {
        limit.reschedule(1);
        await sleep(10);
      });
    }, asyncio.TimeoutError);
    assertEquals(now(), 5);
  }));

Deno.test("of nested timeouts the earlier one is thrown", () =>
  run(async () => {
    const outer = timeout(2);
    const inner = timeout(1);
    await assertRejects(async () => {
      await async_with(outer, () => async_with(inner, () => sleep(60)));
    }, asyncio.TimeoutError);
    assertEquals([inner.expired(), outer.expired(), now()], [true, false, 1]);
    const short = timeout(1);
    const long = timeout(2);
    await assertRejects(async () => {
      await async_with(short, () => async_with(long, () => sleep(60)));
    }, asyncio.TimeoutError);
    assertEquals([long.expired(), short.expired(), cancelling()], [false, true, 0]);
  }));

Deno.test("nested timeouts of the same time both expire, and the outer one is thrown", () =>
  run(async () => {
    const outer = timeout(1);
    const inner = timeout(1);
    let leaves_inner: unknown;
    await assertRejects(async () => {
      await async_with(outer, async () => {
        await async_with(inner, () => sleep(60)).catch((error) => {
          leaves_inner = error;
          throw error;
        });
      });
    }, asyncio.TimeoutError);
    assertEquals([outer.expired(), inner.expired(), cancelling()], [true, true, 0]);
    assert(leaves_inner instanceof asyncio.CancelledError);
  }));

Deno.test("a cancellation from outside stays one", () =>
  run(async () => {
    const limit = timeout(10);
    const task = asyncio.create_task(async () => {
      await async_with(limit, () => sleep(60));
    });
    await sleep(1);
    task.cancel("enough");
    await assertRejects(async () => await task, asyncio.CancelledError, "enough");
    assertEquals([limit.expired(), now()], [false, 1]);
  }));

Deno.test("a cancellation from outside at the moment of expiry stays one", () =>
  run(async () => {
    const limit = timeout(1);
    const task = asyncio.create_task(async () => {
      await async_with(limit, () => sleep(60));
    });
    await sleep(0);
    asyncio.get_running_loop().call_at(1, () => task.cancel("from outside"));
    await asyncio.wait([task]);
    assert(task.cancelled());
    assertEquals(task.cancelling(), 1);
  }));

Deno.test("a task that was cancelled before and goes on can use a timeout", () =>
  run(async () => {
    const task = asyncio.create_task(async () => {
      await sleep(60).catch(() => {});
      await assertRejects(
        async () => await async_with(timeout(1), () => sleep(60)),
        asyncio.TimeoutError,
      );
      return cancelling();
    });
    await sleep(0);
    task.cancel();
    assertEquals(await task, 1);
  }));

Deno.test("a timeout is entered once, by a task, and moved only while it is active", async () => {
  await run(async () => {
    const limit = timeout(1);
    assertThrows(() => limit.reschedule(2), asyncio.RuntimeError, "has not been entered");
    await async_with(limit, () => Promise.resolve());
    assertThrows(
      () => limit.reschedule(2),
      asyncio.RuntimeError,
      "Cannot change state of finished Timeout",
    );
    await assertRejects(
      async () => await async_with(limit, () => Promise.resolve()),
      asyncio.RuntimeError,
      "Timeout has already been entered",
    );
    const expired = timeout(1);
    await async_with(expired, async () => {
      await sleep(60).catch(() => {});
      assertThrows(
        () => expired.reschedule(100),
        asyncio.RuntimeError,
        "Cannot change state of expiring Timeout",
      );
    });
  });
  assertThrows(() => timeout(1), asyncio.RuntimeError, "no running event loop");
  assertThrows(() => timeout_at("1" as never), TypeError);
});

Deno.test("a timeout is shown with its state", () =>
  run(async () => {
    const limit = timeout(1.23456);
    assertEquals(String(limit), "<Timeout [created]>");
    await async_with(limit, async () => {
      assertEquals(Deno.inspect(limit), "<Timeout [active] when=1.235>");
      await sleep(60).catch(() => {});
      assertEquals(String(limit), "<Timeout [expiring]>");
    });
    assertEquals(String(limit), "<Timeout [expired]>");
  }));

/** The message of the error that an awaitable fails with. */
async function message_of(awaitable: PromiseLike<unknown>): Promise<string> {
  try {
    await awaitable;
    return "no error";
  } catch (error) {
    return (error as Error).message;
  }
}

Deno.test("timeout, wait_for: the message says the limit and what was waited for", () =>
  run(async () => {
    const { wait_for } = asyncio;
    const begun = now();
    const queue = new asyncio.Queue();
    const task = asyncio.create_task(sleep(60), { name: "nap" });
    const seen = [
      await message_of(async_with(timeout_at(begun + 2.5), () => sleep(60))),
      await message_of(async_with(timeout(0.1 + 0.2), () => queue.get())),
      await message_of(wait_for(task, 1)),
      await message_of(wait_for(new asyncio.Future(), 1)),
      await message_of(wait_for(sleep(60), 0)),
      await message_of(async_with(timeout(0), () => sleep(60))),
      await message_of(wait_for(async () => {
        await async_with(timeout(50), async () => {
          await Promise.all([queue.get(), sleep(60)]);
        });
      }, 10)),
    ];
    assertEquals(seen, [
      `timed out at ${begun + 2.5} s of the loop's clock, waiting for sleep()`,
      "timed out after 0.3 s, waiting for Queue.get()",
      "timed out after 1 s, waiting for task 'nap'",
      "timed out after 1 s, waiting for a future",
      "timed out after 0 s",
      "timed out after 0 s, waiting for sleep()",
      "timed out after 10 s, waiting for sleep()",
    ]);
  }));

Deno.test("timeout: the message names a wait for a native promise", async () => {
  const seen = await asyncio.run(() =>
    message_of(asyncio.wait_for(async () => {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }, 0.001))
  );
  assertEquals(seen, "timed out after 0.001 s, waiting for a native promise");
});

Deno.test("Timeout.reschedule: the message says the new deadline", () =>
  run(async () => {
    const limit = timeout(1);
    const when = now() + 3;
    const seen = await message_of(async_with(limit, async () => {
      limit.reschedule(when);
      await sleep(60);
    }));
    assertEquals(seen, `timed out at ${when} s of the loop's clock, waiting for sleep()`);
  }));
