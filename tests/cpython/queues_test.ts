/**
 * CPython's own tests of queues (`Lib/test/test_asyncio/test_queues.py`) that `tests/queues_test.ts` has none like:
 * races of cancellations, producers beside consumers, and shutting down each kind of queue.
 */

import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import * as asyncio from "../../mod.ts";
import { cancellation_of, run } from "./loops.ts";

const { create_task, LifoQueue, PriorityQueue, Queue, QueueShutDown, sleep } = asyncio;

const turn = () => sleep(0);

Deno.test("Queue.get, Queue.put: a task waits until a timer has put or taken an item", () =>
  run(async () => {
    const loop = asyncio.get_running_loop();
    const queue = new Queue<number>(1);
    const log: string[] = [];
    const getter = create_task(async () => {
      log.push("gets");
      return await queue.get();
    });
    await turn();
    loop.call_later(0.01, () => queue.put_nowait(1));
    assertEquals([log, getter.done(), await getter, loop.time()], [["gets"], false, 1, 0.01]);
    loop.call_later(0.01, () => queue.get_nowait());
    await queue.put(1);
    await queue.put(2);
    assertEquals([loop.time(), queue.qsize()], [0.02, 1]);
  }));

Deno.test("Queue.get: one that is cancelled before there is an item leaves it to the next", () =>
  run(async () => {
    const queue = new Queue<string>();
    const [first, second] = [create_task(queue.get()), create_task(queue.get())];
    await turn();
    first.cancel();
    await turn();
    assertEquals(first.done(), true);
    await queue.put("a");
    await turn();
    assertEquals(await second, "a");
  }));

Deno.test("Queue.get: one of three that is cancelled when there are two items leaves both to the others", () =>
  run(async () => {
    const queue = new Queue<number>();
    const readers = [1, 2, 3].map(() => create_task(queue.get()));
    await turn();
    queue.put_nowait(1);
    queue.put_nowait(2);
    readers[0]!.cancel();
    assertEquals(await cancellation_of(readers[0]!), []);
    const items = await asyncio.gather(readers.slice(1));
    assertEquals(items.toSorted(), [1, 2]);
  }));

Deno.test("Queue.get, Queue.put: cancelled after the wake-up, a second call gets or adds the same item", () =>
  run(async () => {
    const queue = new Queue<number>();
    const reader = create_task(queue.get());
    await turn();
    queue.put_nowait(1);
    queue.put_nowait(2);
    reader.cancel();
    await cancellation_of(reader);
    assertEquals(await queue.get(), 1);

    const full = new Queue<number>(1);
    full.put_nowait(1);
    const writer = create_task(full.put(2));
    await turn();
    assertEquals(full.get_nowait(), 1);
    writer.cancel();
    await cancellation_of(writer);
    await full.put(2);
    assertEquals([full.get_nowait(), full.qsize(), String(full)], [
      2,
      0,
      "<Queue maxsize=1 tasks=2>",
    ]);
  }));

Deno.test("Queue.put: putters that wait are served in order, without the one that was cancelled", () =>
  run(async () => {
    const queue = new Queue<string>(1);
    const [a, b, x] = ["a", "b", "X"].map((item) => create_task(queue.put(item))) as [
      asyncio.Task<void>,
      asyncio.Task<void>,
      asyncio.Task<void>,
    ];
    await turn();
    assertEquals([a.done(), b.done()], [true, false]);
    x.cancel();
    await turn();
    assertEquals([x.done(), queue.get_nowait()], [true, "a"]);
    await turn();
    assertEquals([queue.get_nowait(), String(queue)], ["b", "<Queue maxsize=1 tasks=2>"]);
    await b;
  }));

Deno.test("Queue: producers and consumers of a small queue come to their ends", () =>
  run(async () => {
    const queue = new Queue<number>(1);
    const taken: number[] = [];
    await asyncio.async_with(new asyncio.TaskGroup(), (group) => {
      group.create_task(async () => {
        for (let item = 0; item < 5; item++) await queue.put(item);
      });
      group.create_task(async () => {
        for (let count = 0; count < 5; count++) taken.push(await queue.get());
      });
      return Promise.resolve();
    });
    assertEquals(taken, [0, 1, 2, 3, 4]);
    const small = new Queue<number>(2);
    await asyncio.async_with(new asyncio.TaskGroup(), (group) => {
      group.create_task(async () => {
        await turn();
        for (let left = small.qsize(); left > 0; left--) small.get_nowait();
      });
      for (let item = 0; item < 4; item++) group.create_task(small.put(item));
      return Promise.resolve();
    });
    assertEquals(small.qsize(), 2);
  }));

Deno.test("Queue.put: a fractional maxsize is exceeded by one item", () =>
  run(async () => {
    const queue = new Queue<number>(1.3);
    await queue.put(1);
    queue.put_nowait(2);
    assertEquals(queue.full(), true);
    assertThrows(() => queue.put_nowait(3), asyncio.QueueFull);
  }));

const KINDS = { Queue, LifoQueue, PriorityQueue };

for (const [name, Kind] of Object.entries(KINDS)) {
  /** Asserts that the queue takes nothing, and gives nothing. */
  const assert_shut_down = async (queue: asyncio.Queue<string>) => {
    await assertRejects(async () => await queue.put("data"), QueueShutDown);
    assertThrows(() => queue.put_nowait("data"), QueueShutDown);
    await assertRejects(async () => await queue.get(), QueueShutDown);
    assertThrows(() => queue.get_nowait(), QueueShutDown);
  };
  const too_often = (queue: asyncio.Queue<string>) =>
    assertThrows(() => queue.task_done(), asyncio.ValueError);

  Deno.test(`${name}.join: resumes when as many tasks are done as there were items, and not before`, () =>
    run(async () => {
      const queue = new Kind<number>();
      too_often(queue as asyncio.Queue<never>);
      for (let item = 0; item < 100; item++) queue.put_nowait(item);
      let sum = 0;
      let is_running = true;
      const worker = async () => {
        while (is_running) {
          sum += await queue.get();
          queue.task_done();
        }
      };
      const workers = [create_task(worker), create_task(worker)];
      await queue.join();
      await queue.join();
      assertEquals(sum, 4950);
      is_running = false;
      for (const _ of workers) queue.put_nowait(0);
      await asyncio.gather(workers);
    }));

  Deno.test(`${name}.shutdown: of an empty queue ends what waits for an item`, () =>
    run(async () => {
      const queue = new Kind<string>();
      const getter = create_task(queue.get());
      await turn();
      queue.shutdown();
      assertEquals([queue.qsize(), String(queue)], [0, `<${name} maxsize=0 shutdown>`]);
      await queue.join();
      await turn();
      assertEquals(getter.done(), true);
      await assertRejects(async () => await getter, QueueShutDown);
      await assert_shut_down(queue);
    }));

  Deno.test(`${name}.shutdown: of a full queue ends what waits to put, and leaves the items`, () =>
    run(async () => {
      const queue = new Kind<string>(1);
      queue.put_nowait("data");
      const joined = create_task(queue.join());
      const putter = create_task(queue.put("data2"));
      await turn();
      assertEquals(putter.done(), false);
      queue.shutdown();
      await turn();
      await assertRejects(async () => await putter, QueueShutDown);
      assertEquals(await queue.get(), "data");
      await turn();
      assertEquals(joined.done(), false);
      await assert_shut_down(queue);
      queue.task_done();
      await turn();
      assertEquals(joined.done(), true);
      too_often(queue);
    }));

  for (const taken of [0, 1]) {
    Deno.test(`${name}.shutdown: immediate, with ${taken} items that are being handled`, () =>
      run(async () => {
        const queue = new Kind<string>();
        for (let count = 0; count <= taken; count++) queue.put_nowait("data");
        const joined = create_task(queue.join());
        for (let count = 0; count < taken; count++) assertEquals(await queue.get(), "data");
        queue.shutdown(true);
        assertEquals(queue.qsize(), 0);
        await turn();
        assertEquals(joined.done(), taken === 0);
        await assert_shut_down(queue);
        for (let count = 0; count < taken; count++) queue.task_done();
        too_often(queue);
        await turn();
        assertEquals(joined.done(), true);
      }));
  }
}
