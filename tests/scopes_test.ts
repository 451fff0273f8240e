/** Scopes: which code a cancellation reaches, where native combinators and promises are beside it. */

import { assertEquals, assertRejects } from "@std/assert";
import * as asyncio from "../mod.ts";
import { run } from "./virtual_time.ts";

/** A native promise that is fulfilled when the microtask queue has run dry. */
const native = <T>(value: T): Promise<T> =>
  new Promise((resolve) => setTimeout(() => resolve(value), 0));

/** What becomes of a wait: its value, or the name of its error. */
async function outcome(wait: PromiseLike<unknown>): Promise<unknown> {
  try {
    return await wait;
  } catch (error) {
    return (error as Error).name;
  }
}

Deno.test("timeout: a task that has lost a race in its task goes on", () =>
  run(async () => {
    const shared = asyncio.create_task(asyncio.sleep(3, "shared"));
    const reader = async () => {
      await Promise.race([shared, asyncio.sleep(0)]);
      await asyncio.async_with(asyncio.timeout(1), () => asyncio.sleep(60));
    };
    assertEquals(await outcome(asyncio.create_task(reader)), "TimeoutError");
    assertEquals(await shared, "shared");
  }));

Deno.test("Task.cancel: a task that has lost a race goes on, whichever wait of the race began first", () =>
  run(async () => {
    const races: ((shared: PromiseLike<unknown>) => PromiseLike<unknown>[])[] = [
      (shared) => [shared, asyncio.sleep(0)],
      (shared) => [asyncio.sleep(0), shared],
      (shared) => [asyncio.sleep(0), (async () => await shared)()],
    ];
    for (const race of races) {
      const shared = asyncio.create_task(asyncio.sleep(3, "shared"));
      const task = asyncio.create_task(async () => {
        await Promise.race(race(shared));
        await asyncio.sleep(60);
      });
      await asyncio.sleep(1);
      task.cancel();
      assertEquals(await outcome(task), "CancelledError");
      assertEquals(await shared, "shared");
    }
  }));

Deno.test("timeout: a wait that has lost a race in its block is cancelled, and the code that awaits it is told", () =>
  run(async () => {
    const queue = new asyncio.Queue<number>();
    let loser: unknown;
    await outcome(asyncio.async_with(asyncio.timeout(1), async () => {
      const get = outcome(queue.get()).then((value) => loser = value);
      await Promise.race([get, asyncio.sleep(0)]);
      await asyncio.sleep(60);
    }));
    await asyncio.sleep(0);
    assertEquals(loser, "CancelledError");
    queue.put_nowait(1);
    assertEquals(await queue.get(), 1);
  }));

Deno.test("Task.cancel: what a race of the task has left behind does not use the cancellation up", () =>
  run(async () => {
    const log: unknown[] = [];
    const stop = new asyncio.Event();
    const work = Promise.withResolvers<string>();
    const task = asyncio.create_task(async () => {
      await Promise.race([stop.wait(), asyncio.sleep(0)]);
      log.push(await work.promise);
      log.push(await outcome(asyncio.sleep(1)));
    });
    await asyncio.sleep(1);
    task.cancel();
    setTimeout(() => work.resolve("native"), 0);
    await asyncio.wait([task]);
    assertEquals(log, ["native", "CancelledError"]);
  }));

Deno.test("Task.cancel: what a race has left behind does not use it up, though the native promise settles in the next callback of the host", () =>
  asyncio.run(async () => {
    const log: unknown[] = [];
    const stop = new asyncio.Event();
    const work = Promise.withResolvers<string>();
    const task = asyncio.create_task(async () => {
      await Promise.race([stop.wait(), asyncio.sleep(0)]);
      log.push(await work.promise);
      log.push(await outcome(asyncio.sleep(0.001)));
    });
    await asyncio.sleep(0.001);
    // Two timers that are due together: no turn of the host comes between them.
    asyncio.get_running_loop().call_later(0.01, () => task.cancel());
    setTimeout(() => {
      const busy_until = Date.now() + 30;
      while (Date.now() < busy_until);
    }, 1);
    setTimeout(() => work.resolve("native"), 20);
    await asyncio.wait([task]);
    assertEquals(log, ["native", "CancelledError"]);
  }));

Deno.test("Task.cancel: what a loser that had been given its value has taken is not thrown a second time", () =>
  run(async () => {
    const log: unknown[] = [];
    const task = asyncio.create_task(async () => {
      await Promise.race([asyncio.sleep(0), asyncio.from_promise(Promise.resolve("the loser's"))]);
      task.cancel();
      const aborted = (signal: AbortSignal) =>
        new Promise((_, reject) => signal.addEventListener("abort", reject));
      const parts = [asyncio.from_promise(aborted), asyncio.sleep(1, "slept")];
      log.push(...(await Promise.allSettled(parts)).map(({ status }) => status));
      log.push(await outcome(asyncio.sleep(1, "slept")));
    });
    await asyncio.wait([task]);
    assertEquals(log, ["rejected", "fulfilled", "slept"]);
  }));

Deno.test("Task.uncancel: by the block that has asked for it, a loser that was woken before is cancelled still", () =>
  run(async () => {
    const queue = new asyncio.Queue<number>();
    let loser: unknown = "waits";
    const task = asyncio.create_task(() =>
      asyncio.async_with(asyncio.timeout(0), async () => {
        const get = outcome(queue.get()).then((value) => loser = value);
        await Promise.race([get, asyncio.sleep(0)]);
      })
    );
    asyncio.get_running_loop().call_soon(() => {
      queue.put_nowait(1); // wakes the loser
      queue.get_nowait();
    });
    await asyncio.wait([task]);
    await asyncio.sleep(0);
    assertEquals([(task.exception() as Error).name, loser], ["TimeoutError", "CancelledError"]);
  }));

Deno.test("Task.uncancel: from outside, takes back what a task that was woken would be thrown", () =>
  run(async () => {
    const future = asyncio.get_running_loop().create_future<string>();
    const task = asyncio.create_task(async () => await future);
    await asyncio.sleep(0);
    future.set_result("a value");
    task.cancel();
    assertEquals(task.uncancel(), 0);
    assertEquals(await task, "a value");
  }));

Deno.test("wait_for: limits of branches that pass in one moment end their own branches", () =>
  run(async () => {
    const load = (seconds: number) => asyncio.wait_for(asyncio.sleep(seconds, seconds), 2);
    const task = asyncio.current_task() as asyncio.Task<unknown>;
    const branches = await Promise.all([load(1), load(5), load(5)].map(outcome));
    assertEquals(branches, [1, "TimeoutError", "TimeoutError"]);
    assertEquals(task.cancelling(), 0);
  }));

Deno.test("wait_for: the limit of a branch that has lost a race passes without effect", () =>
  run(async () => {
    await Promise.race([outcome(asyncio.wait_for(asyncio.sleep(60), 2)), asyncio.sleep(1)]);
    assertEquals(await asyncio.sleep(3, "undisturbed"), "undisturbed");
  }));

Deno.test("TaskGroup: one that fails beside another leaves it alone", () =>
  run(async () => {
    const fails = asyncio.async_with(new asyncio.TaskGroup(), async (group) => {
      group.create_task(() => Promise.reject(new Error("a child")));
      await asyncio.sleep(60);
    });
    const works = asyncio.async_with(new asyncio.TaskGroup(), () => asyncio.sleep(1, "works"));
    assertEquals(await Promise.all([outcome(fails), works]), ["ExceptionGroup", "works"]);
  }));

Deno.test("timeout: a call that began before the block is no part of it", () =>
  run(async () => {
    const call = (async () => await asyncio.sleep(3, "before"))();
    const block = asyncio.async_with(asyncio.timeout(1), () => asyncio.sleep(60));
    assertEquals(await outcome(block), "TimeoutError");
    assertEquals(await call, "before");
  }));

Deno.test("aborted_by: a signal ends its own branch", () =>
  run(async () => {
    const controller = new AbortController();
    asyncio.get_running_loop().call_later(1, () => controller.abort(new RangeError("aborted")));
    const branches = [controller.signal, new AbortController().signal].map((signal) =>
      outcome(asyncio.async_with(asyncio.aborted_by(signal), () => asyncio.sleep(2, "ended")))
    );
    assertEquals(await Promise.all(branches), ["RangeError", "ended"]);
  }));

Deno.test("timeout, wait_for, TaskGroup: a cancellation that finds only a native promise is thrown at the end", async () => {
  const late = () => new Promise((resolve) => setTimeout(resolve, 20, "late"));
  await asyncio.run(async () => {
    assertEquals(
      await outcome(asyncio.async_with(asyncio.timeout(0.001), late)),
      "TimeoutError",
    );
    assertEquals(await outcome(asyncio.wait_for(async () => await late(), 0.001)), "TimeoutError");
    const group = asyncio.async_with(new asyncio.TaskGroup(), async (group) => {
      group.create_task(() => Promise.reject(new Error("a child")));
      await late();
    });
    assertEquals(await outcome(group), "ExceptionGroup");
    const task = asyncio.create_task(late as () => Promise<unknown>);
    await asyncio.sleep(0);
    task.cancel();
    await asyncio.wait([task]);
    assertEquals(task.cancelled(), true);
  });
});

Deno.test("timeout: a cancellation that was pending before the block is not taken for its limit", () =>
  asyncio.run(async () => {
    const task = asyncio.create_task(async () => {
      await native("resumed");
      await asyncio.async_with(asyncio.timeout(-1), () => asyncio.sleep(60));
    });
    await asyncio.sleep(0);
    task.cancel();
    await asyncio.wait([task]);
    assertEquals(task.cancelled(), true);
  }));

Deno.test("call_soon: an async callback belongs to no task, before and after its first await", () =>
  run(async () => {
    const log: unknown[] = [];
    const callback = async () => {
      log.push(asyncio.current_task());
      await asyncio.sleep(2);
      log.push(asyncio.current_task());
    };
    const block = asyncio.async_with(asyncio.timeout(1), async () => {
      asyncio.get_running_loop().call_soon(() => void callback());
      await asyncio.sleep(60);
    });
    await assertRejects(async () => await block, asyncio.TimeoutError);
    await asyncio.sleep(2);
    assertEquals(log, [null, null]);
  }));

Deno.test("Lock.acquire: code that has outlived its task takes a lock of the same loop", () =>
  run(async () => {
    const lock = new asyncio.Lock();
    const log: string[] = [];
    await asyncio.create_task(async () => {
      await null;
      void (async () => {
        await asyncio.sleep(1);
        await asyncio.async_with(lock, () => Promise.resolve(log.push("locked")));
      })();
    });
    await lock.acquire();
    await asyncio.sleep(2);
    lock.release();
    await asyncio.sleep(0);
    await asyncio.sleep(0);
    assertEquals([log, lock.locked()], [["locked"], false]);
  }));

Deno.test("timeout: in code that has outlived its task, what a branch waits for is cancelled with its block", () =>
  run(async () => {
    const log: unknown[] = [];
    const signals: AbortSignal[] = [];
    const work = (signal: AbortSignal) => {
      signals.push(signal);
      return new Promise((_, reject) => {
        signal.addEventListener("abort", () => reject(signal.reason));
      });
    };
    const outlives = async () => {
      await asyncio.sleep(1);
      const block = asyncio.async_with(asyncio.timeout(2), async () => {
        // The first branch is older than the second, which has been resumed since.
        await Promise.all([
          asyncio.from_promise(work),
          asyncio.sleep(1).then(() => asyncio.sleep(60)),
        ]);
      });
      log.push(await outcome(block));
    };
    await asyncio.create_task(() => Promise.resolve(void outlives()));
    await asyncio.sleep(5);
    assertEquals([log, signals.map(({ aborted }) => aborted)], [["TimeoutError"], [true]]);
  }));

Deno.test("gather: what is gathered is cancelled if a cancellation is thrown before the wait begins", async () => {
  const log: unknown[] = [];
  const aborted = (signal: AbortSignal) =>
    new Promise((resolve) => signal.addEventListener("abort", () => resolve("a value")));
  await run(async () => {
    // Of errors that nothing has retrieved, too.
    asyncio.get_running_loop().set_exception_handler((_, { message }) => log.push(message));
    const task = asyncio.create_task(async () => {
      log.push(await asyncio.from_promise(aborted));
      await asyncio.gather(() => Promise.resolve(log.push("never begins")));
    });
    await asyncio.sleep(1);
    task.cancel();
    await asyncio.wait([task]);
    log.push(task.cancelled());
    await asyncio.sleep(1);
  });
  assertEquals(log, ["a value", true]);
});

Deno.test("timeout: in code that goes on when its task ends, a limit that has just passed is not silent", () =>
  run(async () => {
    const log: unknown[] = [];
    const work = Promise.withResolvers<string>();
    await asyncio.create_task(async () => {
      void outcome(asyncio.async_with(asyncio.timeout(1), () => work.promise))
        .then((value) => log.push(value));
      await asyncio.sleep(2);
    });
    work.resolve("late");
    await asyncio.sleep(1);
    assertEquals(log, ["TimeoutError"]);
  }));

Deno.test("timeout, aborted_by: one that began in a block that has ended since takes no cancellation from outside for its own", async () => {
  for (const kind of ["timeout", "aborted_by"]) {
    await run(async () => {
      const controller = new AbortController();
      const limited = () =>
        kind === "timeout"
          ? asyncio.async_with(asyncio.timeout(2), () => asyncio.sleep(60))
          : asyncio.async_with(asyncio.aborted_by(controller.signal), () => asyncio.sleep(60));
      let beside: Promise<unknown> | undefined;
      const clean_up = async () => {
        await outcome(asyncio.sleep(60));
        await limited();
      };
      const task = asyncio.create_task(async () => {
        await outcome(asyncio.async_with(asyncio.timeout(1), async () => {
          beside = outcome(clean_up());
          await asyncio.sleep(60);
        }));
        await asyncio.sleep(60);
      });
      await asyncio.sleep(3);
      asyncio.get_running_loop().call_soon(() => controller.abort());
      task.cancel();
      assertEquals(await beside, "CancelledError");
    });
  }
});

Deno.test("from_promise: the cancellation that it leaves to the next await is not used up by the clean-up of a loser", async () => {
  const losers = [
    () => asyncio.wait_for(asyncio.sleep(60), 30),
    () => asyncio.async_with(new asyncio.TaskGroup(), () => asyncio.sleep(60)),
    async () => {
      await outcome(asyncio.sleep(60));
      await asyncio.sleep(0);
    },
  ];
  for (const loser of losers) {
    await run(async () => {
      const work = Promise.withResolvers<string>();
      const seen: unknown[] = [];
      const task = asyncio.create_task(async () => {
        await Promise.race([asyncio.sleep(0), outcome(loser())]);
        seen.push(await asyncio.from_promise(() => work.promise));
        seen.push(await outcome(asyncio.sleep(1)));
      });
      await asyncio.sleep(1);
      task.cancel();
      await asyncio.sleep(1);
      work.resolve("value");
      await task;
      assertEquals(seen, ["value", "CancelledError"]);
    });
  }
});

Deno.test("from_promise: the cancellation that it leaves to the next await is not used up by a block beside it", () =>
  run(async () => {
    const work = Promise.withResolvers<string>();
    const seen: unknown[] = [];
    const task = asyncio.create_task(async () => {
      const limited = asyncio.async_with(asyncio.timeout(30), () => asyncio.sleep(60));
      await Promise.allSettled([limited, asyncio.from_promise(() => work.promise)]);
      seen.push(await outcome(asyncio.sleep(1)));
    });
    await asyncio.sleep(1);
    task.cancel();
    await asyncio.sleep(1);
    work.resolve("value");
    await task;
    assertEquals(seen, ["CancelledError"]);
  }));

Deno.test("Task.cancel: called by a branch of its own, it is thrown once into the code that waits for several branches", () =>
  run(async () => {
    const log: string[] = [];
    const event = new asyncio.Event();
    event.set();
    const task: asyncio.Task<void> = asyncio.create_task(async () => {
      try {
        await asyncio.sleep(0);
        await Promise.all([
          (async () => {
            await asyncio.sleep(1);
            task.cancel();
          })(),
          // What need not wait makes the waits before it older ones.
          Promise.all([asyncio.sleep(1), event.wait(), asyncio.sleep(1)]),
        ]);
      } finally {
        await asyncio.sleep(1);
        log.push("cleaned up");
      }
    });
    await asyncio.wait([task]);
    assertEquals([task.cancelled(), log], [true, ["cleaned up"]]);
  }));
