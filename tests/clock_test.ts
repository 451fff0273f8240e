/** A loop on a clock that it is given. */

import { install } from "@sinonjs/fake-timers";
import { assertEquals, assertThrows } from "@std/assert";
import * as asyncio from "../mod.ts";
import { FakeTime } from "./clock/fake_time.ts";
import { type FakedTime, START, test_following, until } from "./clock/following.ts";

/** A fake time of a library that many tests use. */
function sinon_time(): FakedTime {
  const clock = install({
    now: START,
    toFake: ["Date", "setTimeout", "clearTimeout", "setInterval", "clearInterval"],
  });
  return {
    get now() {
      return clock.now;
    },
    tick: (milliseconds) => clock.tick(milliseconds),
    next() {
      const is_waited_for = clock.countTimers() > 0;
      clock.next();
      return is_waited_for;
    },
    [Symbol.dispose]: () => clock.uninstall(),
  };
}

test_following("a time made by hand", () => new FakeTime(START));
test_following("@sinonjs/fake-timers", sinon_time);

/** Runs a body beside a loop with a clock in seconds that only the body moves. */
async function beside_loop(
  body: (loop: asyncio.EventLoop, host: FakeTime, clock: { now: number }) => Promise<void>,
): Promise<void> {
  using host = new FakeTime(START);
  const clock = { now: 10 };
  const loop = new asyncio.EventLoop({ time: () => clock.now });
  const ended = loop.run_forever();
  await body(loop, host, clock);
  loop.stop();
  await ended;
  loop.close();
}

Deno.test("the loop's time is what the clock gives", () => {
  const loop = new asyncio.EventLoop({ time: () => 12.5 });
  assertEquals(loop.time(), 12.5);
  assertEquals(loop.call_later(1.25, () => {}).when(), 13.75);
  loop.close();
});

Deno.test("a clock that stands still makes timers late, and the loop asks again", () =>
  beside_loop(async (loop, host, clock) => {
    const calls: number[] = [];
    loop.call_later(1, () => calls.push(clock.now));
    for (const now of [10, 10, 10.5]) {
      clock.now = now;
      await until(() => host.has_timers());
      host.fire();
    }
    assertEquals(calls, []);
    clock.now = 11;
    host.fire();
    assertEquals(calls, [11]);
  }));

Deno.test("what a clock has jumped over is called at once, in the order of its times", () =>
  beside_loop(async (loop, _host, clock) => {
    const calls: string[] = [];
    loop.call_later(2, () => calls.push("second"));
    loop.call_later(1, () => calls.push("first"));
    loop.call_later(9, () => calls.push("too early"));
    clock.now = 15;
    loop.call_soon_threadsafe(() => calls.push("soon"));
    await until(() => calls.length === 3);
    assertEquals(calls, ["soon", "first", "second"]);
  }));

Deno.test("a clock that goes back makes timers late by as much", () =>
  beside_loop(async (loop, host, clock) => {
    const calls: number[] = [];
    loop.call_later(1, () => calls.push(clock.now));
    await until(() => host.has_timers());
    clock.now = 5;
    host.fire();
    assertEquals(calls, []);
    const before = host.now;
    host.next();
    assertEquals(host.now - before, 6000);
    clock.now = 11;
    host.fire();
    assertEquals(calls, [11]);
  }));

Deno.test("times that differ by less than a microsecond are the same", () =>
  beside_loop(async (loop, _host, clock) => {
    const calls: string[] = [];
    loop.call_at(11 + 4e-7, () => calls.push("a breath later"));
    loop.call_at(11 + 4e-6, () => calls.push("later"));
    clock.now = 11;
    loop.call_soon(() => calls.push("soon"));
    await until(() => calls.length === 2);
    assertEquals(calls, ["soon", "a breath later"]);
  }));

Deno.test("the host is never asked to wake the loop at once, over and over", () =>
  beside_loop(async (loop, host, clock) => {
    const calls: number[] = [];
    clock.now = 0;
    loop.call_at(1e-6, () => calls.push(clock.now));
    await until(() => host.has_timers());
    host.tick(5);
    assertEquals(calls, []);
    clock.now = 1e-6;
    host.fire();
    assertEquals(calls, [1e-6]);
  }));

Deno.test("a fake time that ends while the default loop sleeps does not hold it up", async () => {
  const faked = new FakeTime(START);
  const nap = asyncio.create_task(asyncio.sleep(0.01, "slept"));
  await until(() => true);
  faked[Symbol.dispose]();
  assertEquals(await nap, "slept");
});

Deno.test("a clock that is no function, or gives no time, is refused", () => {
  assertThrows(
    () => Reflect.construct(asyncio.EventLoop, [{ time: 5 }]),
    TypeError,
    "Cannot call EventLoop(): time must be a function: received 5",
  );
  assertThrows(
    () => Reflect.construct(asyncio.EventLoop, [{ clock: () => 5 }]),
    TypeError,
    "EventLoop() got an unexpected option 'clock'; it has time",
  );
  const loop = new asyncio.EventLoop({ time: () => NaN });
  assertThrows(
    () => loop.call_later(1, () => {}),
    TypeError,
    "Cannot tell the time: time() must return a number of seconds: received NaN",
  );
  loop.close();
});
