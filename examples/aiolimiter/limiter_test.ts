// The tests of aiolimiter, in the order of the package: where they set the time of the loop by hand, these run
// on the virtual clock, and ask when something happened.

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import * as asyncio from "../../mod.ts";
import { VirtualClockEventLoop } from "../../testing.ts";
import { AsyncLimiter } from "./limiter.ts";

const run = <T>(main: () => Promise<T>): Promise<T> =>
  asyncio.run(main, { loop_factory: () => new VirtualClockEventLoop() });

/** The times at which tasks are done, in their order. */
async function times_of(tasks: readonly asyncio.Task<unknown>[]): Promise<number[]> {
  const times: number[] = [];
  for (const task of tasks) {
    task.add_done_callback(() => times.push(asyncio.get_running_loop().time()));
  }
  await asyncio.wait(tasks);
  await asyncio.sleep(0);
  return times;
}

Deno.test("AsyncLimiter: has its attributes, and refuses what is not positive", () => {
  const { max_rate, time_period } = new AsyncLimiter(42, 81);
  assertEquals([max_rate, time_period, new AsyncLimiter(1).time_period], [42, 81, 60]);
  for (const [rate, period] of [[0, 1], [-1, 1], [1, 0], [1, -1], [NaN, 1]] as const) {
    assertThrows(() => new AsyncLimiter(rate, period), asyncio.ValueError, "must be positive");
  }
});

Deno.test("AsyncLimiter.has_capacity: says what could be acquired now", () =>
  run(async () => {
    const limiter = new AsyncLimiter(1);
    assertEquals([limiter.has_capacity(), limiter.has_capacity(42)], [true, false]);
    await limiter.acquire();
    assertEquals(limiter.has_capacity(), false);
    await asyncio.sleep(30);
    assertEquals([limiter.has_capacity(0.5), limiter.has_capacity()], [true, false]);
    await asyncio.sleep(30);
    assertEquals(limiter.has_capacity(), true);
  }));

Deno.test("AsyncLimiter.acquire: refuses more than the bucket holds", () =>
  run(async () => {
    const limiter = new AsyncLimiter(1);
    await assertRejects(
      async () => await limiter.acquire(42),
      asyncio.ValueError,
      "Can't acquire more than the maximum capacity",
    );
    assert(limiter.has_capacity());
  }));

const uses: Record<string, (limiter: AsyncLimiter) => PromiseLike<void>> = {
  acquire: (limiter) => limiter.acquire(),
  async_with: (limiter) => asyncio.async_with(limiter, async () => {}),
};

for (const [name, use] of Object.entries(uses)) {
  Deno.test(`AsyncLimiter, ${name}: a burst at first, then one every two seconds`, () =>
    run(async () => {
      const limiter = new AsyncLimiter(5, 10);
      const tasks = Array.from({ length: 10 }, () => asyncio.create_task(() => use(limiter)));
      assertEquals(await times_of(tasks), [0, 0, 0, 0, 0, 2, 4, 6, 8, 10]);
    }));
}

Deno.test("AsyncLimiter.acquire: waits for the time in which there is room", () =>
  run(async () => {
    const limiter = new AsyncLimiter(3, 3);
    await limiter.acquire(1);
    assertEquals(await times_of([asyncio.create_task(limiter.acquire(3))]), [1]);
  }));

Deno.test("AsyncLimiter.acquire: a smaller amount passes a larger one, which waits longer", () =>
  run(async () => {
    const limiter = new AsyncLimiter(3, 3);
    await limiter.acquire(1);
    const large = asyncio.create_task(limiter.acquire(3));
    await asyncio.sleep(0);
    await limiter.acquire(1);
    assertEquals(asyncio.get_running_loop().time(), 0);
    assertEquals(await times_of([large]), [2]);
  }));

Deno.test("AsyncLimiter.acquire: cancelled, it takes nothing", () =>
  run(async () => {
    const limiter = new AsyncLimiter(3, 3);
    await limiter.acquire(1);
    const [first, second] = [limiter.acquire(3), limiter.acquire(3)].map((call) =>
      asyncio.create_task(call)
    ) as [asyncio.Task<void>, asyncio.Task<void>];
    await asyncio.sleep(0);
    first.cancel();
    assertEquals(await times_of([second]), [1]);
    assert(first.cancelled());
  }));

Deno.test("AsyncLimiter: warns when it is used on another loop, and begins empty", async () => {
  const limiter = new AsyncLimiter(1, 1);
  const use = () => run(async () => await limiter.acquire());
  const warnings: string[] = [];
  const { warn } = console;
  console.warn = (text: string) => warnings.push(text);
  try {
    await use();
    assertEquals(warnings, []);
    await use();
  } finally {
    console.warn = warn;
  }
  assertEquals(warnings.length, 1);
  assert(warnings[0]?.includes("re-used across loops"));
});
