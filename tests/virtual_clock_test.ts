/** The virtual clock: jumps of time, patience with the host, deadlocks and what is said of them. */

import { assert, assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import * as asyncio from "../mod.ts";
import { DeadlockError, VirtualClockEventLoop } from "../testing.ts";
import { now } from "./virtual_time.ts";

const run = <T>(main: asyncio.CoroutineLike<T>): Promise<T> =>
  asyncio.run(main, { loop_factory: () => new VirtualClockEventLoop() });

const host_timer = (milliseconds: number) =>
  new Promise<string>((resolve) => setTimeout(resolve, milliseconds, "from the host"));

async function deadlock_message(main: asyncio.CoroutineLike<unknown>): Promise<string> {
  const error = await assertRejects(() => run(main), DeadlockError);
  assert(error instanceof asyncio.RuntimeError);
  return error.message;
}

Deno.test("time starts at 0 and passes only while everybody waits", () =>
  run(async () => {
    assertEquals(now(), 0);
    for (let i = 0; i < 100; i++) await asyncio.sleep(0);
    assertEquals(now(), 0);
    await asyncio.sleep(3600);
    assertEquals(now(), 3600);
    await asyncio.sleep(0.25);
    assertEquals(now(), 3600.25);
  }));

Deno.test("a thousand years can be slept through", () =>
  run(async () => {
    await asyncio.sleep(1000 * 365 * 86_400);
    assertEquals(now(), 1000 * 365 * 86_400);
  }));

Deno.test("sleepers wake in the order of their times", () =>
  run(async () => {
    const log: string[] = [];
    const nap = (delay: number) => async () => {
      await asyncio.sleep(delay);
      log.push(`${delay} at ${now()}`);
    };
    await asyncio.gather(nap(3), nap(1), nap(2));
    assertEquals(log, ["1 at 1", "2 at 2", "3 at 3"]);
  }));

Deno.test("time never goes back: an overdue timer runs now", () =>
  run(async () => {
    await asyncio.sleep(5);
    const called = asyncio.get_running_loop().create_future<number>();
    asyncio.get_running_loop().call_at(1, () => called.set_result(now()));
    assertEquals(await called, 5);
  }));

Deno.test("each loop has a clock of its own", async () => {
  const times = await Promise.all([10, 20].map((delay) =>
    run(async () => {
      await asyncio.sleep(delay);
      return now();
    })
  ));
  assertEquals(times, [10, 20]);
});

Deno.test("what the host settles soon comes before time jumps", () =>
  run(async () => {
    const sleeper = asyncio.create_task(asyncio.sleep(3600));
    assertEquals(await host_timer(2), "from the host");
    assertEquals(now(), 0);
    assertEquals(await asyncio.wait_for(host_timer(2), 10), "from the host");
    assertEquals(now(), 0);
    sleeper.cancel();
  }));

Deno.test("time jumps past a host that takes too long", () =>
  run(async () => {
    const never = new Promise<never>(() => {});
    await assertRejects(async () => await asyncio.wait_for(never, 10), asyncio.TimeoutError);
    assertEquals(now(), 10);
  }));

Deno.test("waiting for the host alone is no deadlock", async () => {
  assertEquals(await run(() => host_timer(40)), "from the host");
});

Deno.test("a deadlock names every waiting task and what it waits on", async () => {
  const message = await deadlock_message(async () => {
    const lock = new asyncio.Lock();
    await lock.acquire();
    asyncio.create_task(lock.acquire(), { name: "locker" });
    const reader = asyncio.create_task(async function read() {
      await new asyncio.Queue().get();
    }, { name: "reader" });
    asyncio.current_task()?.set_name("main");
    await reader;
  });
  const lines = message.split("\n");
  assertEquals(lines[0], "No task can be resumed and no timer is set:");
  assertMatch(`${lines[1]}`, /^ {2}main \(.*\) waits on task reader$/);
  assertEquals(lines.slice(2), [
    "  locker (Lock.acquire()) waits on Lock.acquire()",
    "  reader (read()) waits on Queue.get()",
  ]);
});

Deno.test("a deadlock tells of futures and of several things at once", async () => {
  const message = await deadlock_message(async () => {
    const event = new asyncio.Event();
    const future = new asyncio.Future<void>();
    await Promise.all([event.wait(), future]);
  });
  assertMatch(message, /waits on Event\.wait\(\) and <Future pending.*>$/);
});

Deno.test("after a deadlock tasks are cancelled and clean up", async () => {
  const log: string[] = [];
  await deadlock_message(async () => {
    try {
      await new asyncio.Event().wait();
    } catch (error) {
      log.push(String(error));
      throw error;
    } finally {
      await asyncio.sleep(1);
      log.push("cleaned up");
    }
  });
  assertEquals(log, ["CancelledError", "cleaned up"]);
});

Deno.test("tasks that wait for each other are a deadlock", async () => {
  const message = await deadlock_message(async () => {
    const tasks: asyncio.Task<unknown>[] = [];
    tasks.push(asyncio.create_task(async () => await tasks[1], { name: "one" }));
    tasks.push(asyncio.create_task(async () => await tasks[0], { name: "two" }));
    await asyncio.wait(tasks);
  });
  assertMatch(message, /one .* waits on task two/);
  assertMatch(message, /two .* waits on task one/);
});

Deno.test("a deadlock is an error of run_forever too, and the loop goes on after it", async () => {
  const loop = new VirtualClockEventLoop();
  await assertRejects(() => loop.run_forever(), DeadlockError);
  assertEquals(await loop.run_until_complete(asyncio.sleep(1, "fine")), "fine");
  loop.close();
});

Deno.test("VirtualClockEventLoop: before a deadlock the host has time to settle what the tasks wait for", async () => {
  const main = async (milliseconds: number) => {
    const ready = new asyncio.Event();
    const timer = setTimeout(() => ready.set(), milliseconds);
    try {
      await ready.wait();
    } finally {
      clearTimeout(timer);
    }
    return now();
  };
  assertEquals(await run(() => main(5)), 0);
  const hasty = () => new VirtualClockEventLoop({ patience: 0 });
  const hopeless = () => asyncio.run(() => main(600_000), { loop_factory: hasty });
  await assertRejects(hopeless, DeadlockError);
});

Deno.test("VirtualClockEventLoop: with patience without limit time never jumps past the host", () =>
  asyncio.run(async () => {
    const sleeper = asyncio.create_task(asyncio.sleep(3600));
    assertEquals(await asyncio.wait_for(host_timer(50), 10), "from the host");
    assertEquals(now(), 0);
    await sleeper;
    assertEquals(now(), 3600);
  }, { loop_factory: () => new VirtualClockEventLoop({ patience: Infinity }) }));

Deno.test("VirtualClockEventLoop: a patience that is no length of time is refused", () => {
  const make = (patience: unknown) => () =>
    Reflect.construct(VirtualClockEventLoop, [{ patience }]);
  assertThrows(make("1"), TypeError, "patience must be a number of seconds: received '1'");
  for (const wrong of [-1, NaN]) assertThrows(make(wrong), asyncio.ValueError, "at least 0");
});

Deno.test("VirtualClockEventLoop: what is no network is refused", () => {
  for (const network of ["host", {}, 1]) {
    assertThrows(
      () => new VirtualClockEventLoop({ network } as never),
      TypeError,
      "network must be a VirtualNetwork",
    );
  }
});

/** A loop, and a log of when its timers of these times are called. */
function with_timers(...times: number[]): { loop: VirtualClockEventLoop; log: unknown[] } {
  const loop = new VirtualClockEventLoop();
  const log: unknown[] = [];
  for (const time of times) loop.call_at(time, () => log.push([time, loop.time()]));
  return { loop, log };
}

Deno.test("VirtualClockEventLoop.advance: runs what becomes due, each at its time, and no more", async () => {
  const { loop, log } = with_timers(3, 1, 2, 2.5, 9);
  await loop.advance(2);
  assertEquals([log, loop.time()], [[[1, 1], [2, 2]], 2]);
  await loop.advance(0);
  await loop.advance(0.25);
  assertEquals([log.length, loop.time()], [2, 2.25]);
  await loop.advance(5);
  assertEquals([log.length, loop.time()], [4, 7.25]);
  loop.close();
});

Deno.test("VirtualClockEventLoop.advance: what follows from it runs before the promise settles", async () => {
  const { loop, log } = with_timers();
  loop.create_task(async () => {
    await asyncio.sleep(1);
    log.push(await new Promise((resolve) => resolve("native")));
    await asyncio.sleep(0);
    asyncio.create_task(async () => {
      await asyncio.sleep(1);
      log.push("child");
    });
  });
  await loop.advance(2);
  assertEquals(log, ["native", "child"]);
  loop.close();
});

Deno.test("VirtualClockEventLoop.advance: a task resumes after all others of the same time", () =>
  run(async () => {
    const loop = asyncio.get_running_loop() as VirtualClockEventLoop;
    const log: string[] = [];
    const nap = (name: string, ...delays: number[]) => async () => {
      for (const delay of delays) await asyncio.sleep(delay);
      log.push(name);
    };
    const tasks = [nap("before", 1), nap("at", 1, 1), nap("after", 3)].map((f) =>
      asyncio.create_task(f)
    );
    await loop.advance(2);
    assertEquals([log, loop.time()], [["before", "at"], 2]);
    await Promise.all([loop.advance(1).then(() => log.push("later")), loop.advance(0.5)]);
    await asyncio.gather(tasks);
    assertEquals([log, loop.time()], [["before", "at", "after", "later"], 3]);
  }));

Deno.test("VirtualClockEventLoop.advance: moves a loop that runs in the background, and past the host", async () => {
  const { loop, log } = with_timers();
  const never = new Promise<never>(() => {});
  const task = loop.create_task(async () => {
    await asyncio.wait_for(never, 10).catch((error) =>
      log.push(`${(error as Error).name} at ${loop.time()}`)
    );
  });
  await loop.advance(9);
  assertEquals(log, []);
  await loop.advance(1);
  assertEquals(log, ["TimeoutError at 10"]);
  assert(task.done());
  loop.call_later(4, () => log.push("later"));
  const running = loop.run_forever();
  await loop.advance(5);
  loop.stop();
  await running;
  assertEquals([log[1], loop.time()], ["later", 15]);
  loop.close();
});

Deno.test("VirtualClockEventLoop.advance: one that is cancelled moves nothing", () =>
  run(async () => {
    const loop = asyncio.get_running_loop() as VirtualClockEventLoop;
    await assertRejects(() => asyncio.wait_for(() => loop.advance(60), 1), asyncio.TimeoutError);
    await asyncio.sleep(1);
    assertEquals(loop.time(), 2);
  }));

Deno.test("VirtualClockEventLoop.advance: a length of time that cannot pass is refused", async () => {
  const loop = new VirtualClockEventLoop();
  await assertRejects(() => loop.advance("1" as never), TypeError, "received '1'");
  for (const wrong of [-1, NaN, Infinity]) {
    await assertRejects(() => loop.advance(wrong), asyncio.ValueError);
  }
  loop.close();
  await assertRejects(() => loop.advance(1), asyncio.RuntimeError, "closed");
});
