/** What holds of a loop that follows a test's fake time, whoever has made the fake. */

import { assertEquals, assertRejects } from "@std/assert";
import * as asyncio from "../../mod.ts";

/** The part of `FakeTime` of `@std/testing` that a loop has to do with. */
export interface FakedTime extends Disposable {
  readonly now: number;
  tick(milliseconds: number): void;
  next(): boolean;
}

// The host's own, whatever stands in its place later.
const { setTimeout: set_host_timeout } = globalThis;

/** More turns of the host than any of the tests need. */
const MAX_TURNS = 5000;

/** Waits, in real time, until the loop has got so far. */
export async function until(condition: () => boolean): Promise<void> {
  for (let turn = 0; turn < MAX_TURNS; turn++) {
    if (condition()) return;
    await new Promise<void>((resolve) => set_host_timeout(resolve, 1));
  }
  throw new Error(`never true: ${condition}`);
}

/** Fake time starts at a time of day at which tenths of seconds are no exact numbers. */
export const START = 1_763_848_123_457;

/** Registers the tests for one kind of fake. */
export function test_following(kind: string, make_time: () => FakedTime): void {
  const test = (name: string, body: (time: FakedTime) => Promise<void>) =>
    Deno.test(`${kind}: ${name}`, async () => {
      using time = make_time();
      await body(time);
    });

  /** Starts a program on a loop that follows the time. */
  const start = <T>(time: FakedTime, main: () => Promise<T>): Promise<T> =>
    asyncio.run(main, {
      loop_factory: () => new asyncio.EventLoop({ time: () => time.now / 1000 }),
    });

  test("a sleep of an hour ends after the hour and not before", async (time) => {
    const log: string[] = [];
    const ended = start(time, async () => {
      log.push("sleeps");
      await asyncio.sleep(3600);
      log.push("awake");
      return time.now - START;
    });
    await until(() => log.length === 1);
    time.tick(3_599_999);
    for (let turn = 0; turn < 3; turn++) {
      await new Promise<void>((resolve) => set_host_timeout(resolve));
    }
    assertEquals(log, ["sleeps"]);
    time.tick(1);
    assertEquals(await ended, 3_600_000);
  });

  test("each sleep takes its milliseconds exactly", async (time) => {
    const delays = Array.from({ length: 50 }, (_, index) => (index + 1) * 10);
    const woken: number[] = [];
    let asleep = 0;
    const ended = start(time, async () => {
      await asyncio.gather(delays.map((delay) => async () => {
        asleep++;
        await asyncio.sleep(delay / 1000);
        woken.push(time.now - START);
      }));
    });
    await until(() => asleep === delays.length);
    for (const delay of delays) {
      await until(() => woken.length === delay / 10 - 1);
      time.tick(10);
    }
    await ended;
    assertEquals(woken, delays);
  });

  test("callbacks come one after the other, each at its time, within one tick", async (time) => {
    const calls: string[] = [];
    const ended = start(time, async () => {
      const loop = asyncio.get_running_loop();
      const all_called = new asyncio.Event();
      const call = (name: string) => calls.push(`${name} ${time.now - START}`);
      loop.call_later(0.3, () => {
        call("third");
        all_called.set();
      });
      loop.call_later(0.1, call, "first");
      loop.call_at(loop.time() + 0.2, call, "second");
      loop.call_later(0.25, call, "cancelled").cancel();
      calls.push("set");
      await all_called.wait();
    });
    await until(() => calls.length === 1);
    time.tick(1000);
    await ended;
    assertEquals(calls, ["set", "first 100", "second 200", "third 300"]);
  });

  test("a timeout strikes and a queue is waited for", async (time) => {
    const log: string[] = [];
    const ended = start(time, async () => {
      const queue = new asyncio.Queue<string>();
      asyncio.get_running_loop().call_later(5, () => queue.put_nowait("an item"));
      log.push("waits");
      await assertRejects(() => asyncio.wait_for(queue.get(), 2), asyncio.TimeoutError);
      log.push(`timed out at ${time.now - START}`);
      return await queue.get();
    });
    await until(() => log.length === 1);
    time.tick(2000);
    await until(() => log.length === 2);
    time.tick(3000);
    assertEquals(await ended, "an item");
    assertEquals(log, ["waits", "timed out at 2000"]);
  });

  test("more than a host's timer can hold is waited for", async (time) => {
    const month = 31 * 24 * 3600;
    const log: string[] = [];
    const ended = start(time, async () => {
      log.push("sleeps");
      await asyncio.sleep(month);
      return time.now - START;
    });
    await until(() => log.length === 1);
    time.tick(month * 1000);
    assertEquals(await ended, month * 1000);
  });

  test("nothing else is left to the fake timers", async (time) => {
    const event = new asyncio.Event();
    const log: string[] = [];
    const ended = start(time, async () => {
      log.push("waits");
      await event.wait();
    });
    await until(() => log.length === 1);
    assertEquals(time.next(), false);
    event.set();
    await ended;
    assertEquals(time.next(), false);
  });

  test("a task that never rests lets the host have its turns", async (time) => {
    let told = false;
    set_host_timeout(() => told = true);
    await start(time, async () => {
      while (!told) await asyncio.sleep(0);
    });
  });

  test("other loops keep real time", async (time) => {
    const loop = new asyncio.EventLoop();
    const began = loop.time();
    await loop.run_until_complete(asyncio.sleep(0.002));
    assertEquals(loop.time() - began >= 0.002, true);
    loop.close();
    await asyncio.sleep(0.002);
    assertEquals(time.now, START);
  });
}
