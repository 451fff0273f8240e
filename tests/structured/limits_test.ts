/** What limits: capacity beyond AnyIO's tests, readers and writers, rates. */

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import * as asyncio from "../../mod.ts";
import { CapacityLimiter, Notifier, RateLimiter, RWLock } from "../../structured.ts";
import { all_blocked, now, run } from "./clock.ts";

const { async_with, create_task, sleep } = asyncio;

Deno.test("CapacityLimiter.total_tokens: lowered while in use, it takes no token away", () =>
  run(async () => {
    const limiter = new CapacityLimiter(3);
    for (const borrower of ["a", "b", "c"]) limiter.acquire_on_behalf_of_nowait(borrower);
    limiter.total_tokens = 1;
    assertEquals(limiter.available_tokens, -2);
    const waiting = create_task(limiter.acquire_on_behalf_of("d"));
    for (const borrower of ["a", "b"]) {
      limiter.release_on_behalf_of(borrower);
      await all_blocked();
      assertEquals(waiting.done(), false);
    }
    limiter.release_on_behalf_of("c");
    await waiting;
    assertThrows(() => limiter.total_tokens = 0.5, TypeError);
    assertEquals(limiter.statistics().borrowers, ["d"]);
  }));

Deno.test("CapacityLimiter.acquire: a token handed to a cancelled borrower goes to the next", () =>
  run(async () => {
    const limiter = new CapacityLimiter(1);
    limiter.acquire_on_behalf_of_nowait("a");
    const borrow = (borrower: string) => create_task(limiter.acquire_on_behalf_of(borrower));
    const [b, c] = [borrow("b"), borrow("c")];
    await all_blocked();
    limiter.release_on_behalf_of("a");
    b.cancel();
    await c;
    assertEquals(limiter.statistics().borrowers, ["c"]);
  }));

Deno.test("CapacityLimiter.acquire_on_behalf_of: of two calls for one borrower the second is refused", () =>
  run(async () => {
    const limiter = new CapacityLimiter(1);
    limiter.acquire_on_behalf_of_nowait("a");
    const calls = [1, 2].map(() => create_task(limiter.acquire_on_behalf_of("b")));
    await all_blocked();
    limiter.release_on_behalf_of("a");
    limiter.total_tokens = 2;
    const [first, second] = calls;
    await first;
    await assertRejects(async () => await second, asyncio.RuntimeError, "already holding");
    assertEquals(limiter.available_tokens, 1);
  }));

Deno.test("CapacityLimiter.acquire: its permit releases the token of the borrower, once", () =>
  run(async () => {
    const limiter = new CapacityLimiter(1);
    const permit = await create_task(() => limiter.acquire());
    assertEquals(limiter.borrowed_tokens, 1);
    permit[Symbol.dispose]();
    permit[Symbol.dispose]();
    assertEquals(limiter.borrowed_tokens, 0);
  }));

Deno.test("RWLock: readers share, a writer is alone, and the order is that of the calls", () =>
  run(async () => {
    const lock = new RWLock();
    const log: string[] = [];
    const hold = (side: asyncio.Acquirable, name: string) =>
      create_task(() =>
        async_with(side, async () => {
          log.push(`${name} at ${now()}`);
          await sleep(1);
        })
      );
    const { reading, writing } = { reading: lock.reading(), writing: lock.writing() };
    await asyncio.wait([
      hold(reading, "r1"),
      hold(reading, "r2"),
      hold(writing, "w1"),
      hold(reading, "r3"),
      hold(writing, "w2"),
      hold(reading, "r4"),
      hold(reading, "r5"),
    ]);
    assertEquals(log, [
      "r1 at 0",
      "r2 at 0",
      "w1 at 1",
      "r3 at 2",
      "w2 at 3",
      "r4 at 4",
      "r5 at 4",
    ]);
    assertEquals(String(lock), "<RWLock [unlocked]>");
  }));

Deno.test("RWLock: readers behind a cancelled writer get in at once", () =>
  run(async () => {
    const lock = new RWLock();
    using _ = await lock.reading().acquire();
    const writer = create_task(lock.writing().acquire());
    const reader = create_task(lock.reading().acquire());
    await all_blocked();
    assertEquals(reader.done(), false);
    writer.cancel();
    await asyncio.wait_for(reader, 1);
    assertEquals(lock.readers, 2);
  }));

Deno.test("RWLock: what was handed to a cancelled writer goes to the next", () =>
  run(async () => {
    const lock = new RWLock();
    const held = await lock.writing().acquire();
    const write = () => create_task(lock.writing().acquire());
    const [first, second] = [write(), write()];
    await all_blocked();
    held[Symbol.dispose]();
    first.cancel();
    await second;
    assertEquals(String(lock), "<RWLock [writing]>");
  }));

Deno.test("RWLock.release: without a holder is an error", () => {
  const lock = new RWLock();
  assertThrows(() => lock.reading().release(), asyncio.RuntimeError, "no reader holds it");
  assertThrows(() => lock.writing().release(), asyncio.RuntimeError, "no writer holds it");
});

Deno.test("RateLimiter.acquire: a burst, and then as it leaks", () =>
  run(async () => {
    const limiter = new RateLimiter(4, 8);
    const times: number[] = [];
    for (let call = 0; call < 8; call++) {
      await limiter.acquire();
      times.push(now());
    }
    assertEquals(times, [0, 0, 0, 0, 2, 4, 6, 8]);
    assert(!limiter.has_capacity());
    await sleep(6);
    assertEquals([limiter.has_capacity(3), limiter.has_capacity(3.5)], [true, false]);
  }));

Deno.test("RateLimiter.acquire: a large amount is not overtaken, and a cancelled one takes nothing", () =>
  run(async () => {
    const limiter = new RateLimiter(4, 4);
    await limiter.acquire(4);
    const log: string[] = [];
    const take = (amount: number) =>
      create_task(async () => {
        await limiter.acquire(amount);
        log.push(`${amount} at ${now()}`);
      });
    const [large, small] = [take(3), take(1)];
    const cancelled = create_task(() => limiter.acquire(4));
    const last = take(2);
    await sleep(1);
    cancelled.cancel();
    await asyncio.wait([large, small, last, cancelled]);
    assertEquals(log, ["3 at 3", "1 at 4", "2 at 6"]);
  }));

Deno.test("RateLimiter.acquire: cancelled first in line, the next gets room as early as it can", () =>
  run(async () => {
    const limiter = new RateLimiter(4, 4);
    await limiter.acquire(4);
    const first = create_task(() => limiter.acquire(4));
    const second = create_task(() => limiter.acquire(1));
    await sleep(2);
    first.cancel();
    await second;
    assertEquals(now(), 2);
  }));

Deno.test("RateLimiter.acquire: a wait that ends by an error thrown into it frees no room", () =>
  run(async () => {
    const limiter = new RateLimiter(1, 10);
    await limiter.acquire();
    const waiting = limiter.acquire();
    waiting.send(undefined);
    assertThrows(() => waiting.throw(new Error("enough")), Error, "enough");
    assertEquals(limiter.has_capacity(), false);
  }));

Deno.test("RateLimiter: many fractions add up, by the loop's clock", () =>
  run(async () => {
    const limiter = new RateLimiter({ max_rate: 3, time_period: 1 });
    for (let call = 0; call < 3003; call++) await async_with(limiter, async () => {});
    assert(Math.abs(now() - 1000) < 1e-6, `${now()}`);
  }));

Deno.test("RateLimiter: one that was used on a loop whose clock was later", async () => {
  const limiter = new RateLimiter(1, 10);
  await run(async () => {
    await sleep(1000);
    await limiter.acquire();
  });
  await run(async () => {
    await limiter.acquire();
    assertEquals(now(), 10);
  });
});

Deno.test("RateLimiter.has_capacity: takes its amount by name, and a number alone", () =>
  run(async () => {
    const limiter = new RateLimiter(2, 10);
    await limiter.acquire({ amount: 1.5 });
    assertEquals([limiter.has_capacity({ amount: 0.5 }), limiter.has_capacity(1)], [true, false]);
    assertThrows(() => limiter.has_capacity("1" as never), TypeError);
  }));

Deno.test("RateLimiter: refuses what never passes or makes no sense", () => {
  const limiter = new RateLimiter(4);
  assertEquals(limiter.time_period, 60);
  assertThrows(() => limiter.acquire(5), asyncio.ValueError, "maximum capacity 4");
  assertThrows(() => limiter.acquire(-1), asyncio.ValueError);
  assertThrows(() => limiter.acquire("1" as never), TypeError);
  assertThrows(() => new RateLimiter(0), asyncio.ValueError);
  assertThrows(() => new RateLimiter(1, Infinity), asyncio.ValueError);
});

Deno.test("Notifier.notify: wakes one after the other; without a waiter one is kept, not more", () =>
  run(async () => {
    const notifier = new Notifier();
    const log: string[] = [];
    const wait = (name: string) =>
      create_task(async () => {
        await notifier.wait();
        log.push(name);
      });
    const tasks = ["a", "b"].map(wait);
    await all_blocked();
    assertEquals(String(notifier), "<Notifier [empty, waiters:2]>");
    notifier.notify();
    await all_blocked();
    assertEquals(log, ["a"]);
    for (let times = 0; times < 3; times++) notifier.notify();
    assertEquals(String(notifier), "<Notifier [notified]>");
    await asyncio.wait(tasks);
    await notifier.wait();
    const waiting = wait("c");
    await all_blocked();
    assertEquals([log, waiting.done()], [["a", "b"], false]);
    waiting.cancel();
  }));

Deno.test("Notifier.notify_all: wakes those that wait, and keeps nothing", () =>
  run(async () => {
    const notifier = new Notifier();
    const tasks = [1, 2, 3].map(() => create_task(notifier.wait()));
    await all_blocked();
    notifier.notify_all();
    await asyncio.wait(tasks);
    const late = create_task(notifier.wait());
    await all_blocked();
    assertEquals(late.done(), false);
    late.cancel();
  }));

Deno.test("Notifier.wait: cancelled when notified, it passes the notification on, or back", () =>
  run(async () => {
    const notifier = new Notifier();
    const [one, other] = [create_task(notifier.wait()), create_task(notifier.wait())];
    await all_blocked();
    notifier.notify();
    one.cancel();
    await other;
    assertEquals([one.cancelled(), String(notifier)], [true, "<Notifier [empty]>"]);
    const last = create_task(notifier.wait());
    await all_blocked();
    notifier.notify();
    last.cancel();
    await asyncio.wait([last]);
    assertEquals(String(notifier), "<Notifier [notified]>");
    const of_all = create_task(notifier.wait());
    await of_all;
    const cancelled = create_task(notifier.wait());
    await all_blocked();
    notifier.notify_all();
    cancelled.cancel();
    await asyncio.wait([cancelled]);
    assertEquals(String(notifier), "<Notifier [empty]>");
  }));
