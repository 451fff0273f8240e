/** What differs on a host without an asynchronous context, and what does not. */

import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import * as asyncio from "../../mod.ts";
import { VirtualClockEventLoop } from "../../testing.ts";
import { has_async_context } from "../../src/host/async_context.ts";

const loop_factory = () => new VirtualClockEventLoop();

/** A test that hangs fails after this many milliseconds. */
const TIME_LIMIT = 5000;

/** A test of a host without a context: the main task is given to it. */
function test(name: string, main: (task: asyncio.Task<unknown> | null) => Promise<void>): void {
  Deno.test({
    name,
    ignore: has_async_context,
    fn: async () => {
      const hang = Promise.withResolvers<never>();
      const timer = setTimeout(() => hang.reject(new Error(`"${name}" hangs`)), TIME_LIMIT);
      try {
        const run = asyncio.run(() => main(asyncio.current_task()), { loop_factory });
        await Promise.race([run, hang.promise]);
      } finally {
        clearTimeout(timer);
      }
    },
  });
}

// Long enough for the loop to have seen, in a turn of the host, that the task waits elsewhere.
const foreign = () => new Promise<void>((resolve) => setTimeout(resolve, 20));
const now = () => asyncio.get_running_loop().time();

test("after a foreign await there is no current task", async () => {
  await foreign();
  assertThrows(() => asyncio.current_task(), asyncio.RuntimeError, "no running event loop");
  assertThrows(() => asyncio.get_running_loop(), asyncio.RuntimeError, "no running event loop");
});

test("get_running_loop, current_task, all_tasks, timeout: after a native await the error names from_promise", async () => {
  await foreign();
  const calls = [
    () => asyncio.get_running_loop(),
    () => asyncio.current_task(),
    () => asyncio.all_tasks(),
    () => asyncio.timeout(1),
  ];
  for (const call of calls) {
    assertThrows(call, asyncio.RuntimeError, "write await from_promise(promise)");
  }
});

test("a foreign promise that is wrapped keeps the current task", async (task) => {
  await asyncio.ensure_future(foreign());
  assertEquals(asyncio.current_task(), task);
  await asyncio.wrap_future(foreign());
  assertEquals(asyncio.current_task(), task);
  await asyncio.wait_for(foreign(), 10);
  assertEquals(asyncio.current_task(), task);
});

test("after a foreign await what needs a task says so, and the rest works on the loop", async () => {
  const loop = asyncio.get_running_loop();
  await foreign();
  assertEquals(asyncio.get_event_loop(), loop);
  await asyncio.sleep(1);
  assertEquals(loop.time(), 1);
  const queue = new asyncio.Queue<number>();
  asyncio.create_task(async () => {
    await asyncio.sleep(1);
    await queue.put(7);
  });
  assertEquals(await queue.get(), 7);
  await assertRejects(
    async () => await asyncio.async_with(asyncio.timeout(1), () => foreign()),
    asyncio.RuntimeError,
  );
});

test("another task is never taken for the one that awaited a foreign promise", async () => {
  const other = asyncio.create_task(async () => {
    for (let i = 0; i < 50; i++) {
      await asyncio.sleep(0);
      await null;
    }
  });
  await foreign();
  for (let i = 0; i < 5; i++) {
    assertThrows(() => asyncio.current_task(), asyncio.RuntimeError);
    await null;
  }
  await other;
});

test("every await of the library keeps the current task", async (task) => {
  const lock = new asyncio.Lock();
  const event = new asyncio.Event();
  const queue = new asyncio.Queue<number>(1);
  const helper = asyncio.create_task(async () => {
    await asyncio.sleep(1);
    event.set();
    await queue.put(1);
  });
  const waits: (() => PromiseLike<unknown>)[] = [
    () => asyncio.sleep(0),
    () => event.wait(),
    () => queue.get(),
    () => lock.acquire(),
    () => helper,
    () => asyncio.gather(asyncio.sleep(1), async () => await null),
    () => asyncio.wait([asyncio.create_task(asyncio.sleep(1))]),
    () => asyncio.wait_for(asyncio.sleep(1), 2),
    () => asyncio.shield(asyncio.sleep(1)),
    () => asyncio.async_with(asyncio.timeout(5), () => asyncio.sleep(1)),
    () => asyncio.sleep(1).then(() => null),
  ];
  for (const wait of waits) {
    await wait();
    assertEquals(asyncio.current_task(), task, wait.toString());
    await null;
    assertEquals(asyncio.current_task(), task, wait.toString());
  }
});

test("Promise.all, race, any and allSettled of the library's awaitables keep it", async (task) => {
  const deep = async (depth: number): Promise<void> => {
    if (depth === 0) await asyncio.sleep(depth);
    else await deep(depth - 1);
    assertEquals(asyncio.current_task(), task);
  };
  await Promise.all([asyncio.sleep(1), asyncio.sleep(2), deep(0), deep(5)]);
  assertEquals(asyncio.current_task(), task);
  assertEquals(now(), 2);
  await Promise.race([asyncio.sleep(2), asyncio.sleep(1)]);
  assertEquals(asyncio.current_task(), task);
  await Promise.any([asyncio.sleep(2), asyncio.sleep(1)]);
  assertEquals(asyncio.current_task(), task);
  await Promise.allSettled([asyncio.sleep(2), asyncio.sleep(1)]);
  assertEquals(asyncio.current_task(), task);
});

test("a timeout reaches everything in a Promise.all", async () => {
  const event = new asyncio.Event();
  await assertRejects(
    async () =>
      await asyncio.async_with(
        asyncio.timeout(1),
        () => Promise.all([asyncio.sleep(0.5), event.wait()]),
      ),
    asyncio.TimeoutError,
  );
  assertEquals(now(), 1);
  assertEquals(asyncio.all_tasks().size, 1);
});

test("parts of a Promise.all take turns with other tasks", async () => {
  const order: string[] = [];
  const count = async (name: string) => {
    for (let i = 0; i < 3; i++) {
      order.push(`${name}${i}`);
      await asyncio.sleep(0);
    }
  };
  const other = asyncio.create_task(() => count("t"));
  await Promise.all([count("a"), count("b")]);
  await other;
  assertEquals(order, ["a0", "b0", "t0", "a1", "b1", "t1", "a2", "b2", "t2"]);
});
