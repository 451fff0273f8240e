/** Queues: order, waiting, cancellation at every moment, `join`, `shutdown`, comparison of priorities. */

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import * as asyncio from "../mod.ts";

const run = <T>(main: () => Promise<T>): Promise<T> =>
  asyncio.run(main, { loop_factory: () => new asyncio.VirtualClockEventLoop() });

async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await asyncio.sleep(0);
}

function filled<Q extends asyncio.Queue<unknown>>(queue: Q, items: Iterable<unknown>): Q {
  for (const item of items) queue.put_nowait(item);
  return queue;
}

function drain<T>(queue: asyncio.Queue<T>): T[] {
  return Array.from({ length: queue.qsize() }, () => queue.get_nowait());
}

Deno.test("Queue, LifoQueue, PriorityQueue: get_nowait() removes the oldest, newest, smallest item", () => {
  const items = [3, 1, 2];
  assertEquals(drain(filled(new asyncio.Queue<number>(), items)), [3, 1, 2]);
  assertEquals(drain(filled(new asyncio.LifoQueue<number>(), items)), [2, 1, 3]);
  assertEquals(drain(filled(new asyncio.PriorityQueue<number>(), items)), [1, 2, 3]);
});

Deno.test("Queue.qsize, empty, full: follow the number of items and maxsize", () => {
  const queue = new asyncio.Queue<string>(2);
  assertEquals([queue.maxsize, queue.qsize(), queue.size], [2, 0, 0]);
  assertEquals([queue.empty(), queue.full()], [true, false]);
  filled(queue, ["a", "b"]);
  assertEquals([queue.qsize(), queue.size], [2, 2]);
  assertEquals([queue.empty(), queue.full()], [false, true]);
  assertThrows(() => queue.put_nowait("c"), asyncio.QueueFull);
  drain(queue);
  assertThrows(() => queue.get_nowait(), asyncio.QueueEmpty);
});

Deno.test("Queue: a maxsize of zero or less sets no limit, a fraction is exceeded by the next integer", () => {
  for (const maxsize of [0, -1, -0.5]) {
    assertEquals(filled(new asyncio.Queue(maxsize), Array(100).keys()).full(), false);
  }
  const queue = filled(new asyncio.Queue(1.5), [1]);
  assertEquals(queue.full(), false);
  assertEquals(filled(queue, [2]).full(), true);
  assertThrows(() => new asyncio.Queue("2" as never), TypeError);
});

Deno.test("Queue.put_nowait: items may be any value, undefined and null included", () => {
  const items = [undefined, null, 0, "", false, NaN];
  assertEquals(drain(filled(new asyncio.Queue<unknown>(), items)), items);
});

Deno.test("Queue.get, Queue.put: waiters are served in the order in which they began to wait", () =>
  run(async () => {
    const queue = new asyncio.Queue<number>(1);
    const log: string[] = [];
    const get = async (name: string) => log.push(`${name} got ${await queue.get()}`);
    const put = async (item: number) => {
      await queue.put(item);
      log.push(`put ${item}`);
    };
    const getters = ["a", "b", "c"].map((name) => asyncio.create_task(() => get(name)));
    await turns(1);
    const putters = [1, 2, 3].map((item) => asyncio.create_task(() => put(item)));
    await asyncio.wait([...getters, ...putters]);
    assertEquals(log.filter((line) => line.includes("got")), ["a got 1", "b got 2", "c got 3"]);
    assertEquals(log.filter((line) => line.includes("put")), ["put 1", "put 2", "put 3"]);
  }));

Deno.test("Queue.get_nowait: may take an item for which a getter has been woken", () =>
  run(async () => {
    const queue = new asyncio.Queue<number>();
    const getter = asyncio.create_task(queue.get());
    await turns(1);
    queue.put_nowait(1);
    assertEquals(queue.get_nowait(), 1);
    await turns(2);
    assertEquals(getter.done(), false);
    queue.put_nowait(2);
    assertEquals(await getter, 2);
  }));

Deno.test("Queue.get: a getter that is cancelled after its wake-up passes it on", () =>
  run(async () => {
    const queue = new asyncio.Queue<string>();
    const getters = [1, 2].map(() => asyncio.create_task(queue.get()));
    await turns(1);
    queue.put_nowait("item");
    getters[0].cancel();
    await turns(3);
    assert(getters[0].cancelled());
    assertEquals(getters[1].result(), "item");
  }));

Deno.test("Queue.put: a putter that is cancelled after its wake-up passes it on", () =>
  run(async () => {
    const queue = filled(new asyncio.Queue<number>(1), [0]);
    const putters = [1, 2].map((item) => asyncio.create_task(queue.put(item)));
    await turns(1);
    assertEquals(queue.get_nowait(), 0);
    putters[0].cancel();
    await turns(3);
    assert(putters[0].cancelled());
    assertEquals(drain(queue), [2]);
  }));

Deno.test("Queue: no item is lost or doubled by a cancellation of any task at any moment", async () => {
  const ITEMS = [0, 1, 2, 3, 4, 5];
  for (let victim = 0; victim < 4; victim++) {
    for (let moment = 0; moment < 14; moment++) {
      await run(async () => {
        const queue = new asyncio.Queue<number>(1);
        const put: number[] = [];
        const got: number[] = [];
        const produce = (items: number[]) => async () => {
          for (const item of items) {
            await queue.put(item);
            put.push(item);
          }
        };
        const consume = async () => {
          for (;;) got.push(await queue.get());
        };
        const tasks = [produce(ITEMS.slice(0, 3)), produce(ITEMS.slice(3)), consume, consume]
          .map((fn) => asyncio.create_task(fn));
        await turns(moment);
        tasks[victim].cancel();
        await turns(40);
        assertEquals(got.toSorted(), put.toSorted());
        if (victim > 1) assertEquals(got.toSorted(), ITEMS);
        else assert(got.length >= 3);
        tasks.forEach((task) => task.cancel());
      });
    }
  }
});

Deno.test("Queue.get: takes no item if it times out", () =>
  run(async () => {
    const queue = new asyncio.Queue<number>();
    await assertRejects(
      async () => await asyncio.wait_for(queue.get(), 1),
      asyncio.TimeoutError,
    );
    queue.put_nowait(1);
    assertEquals(queue.qsize(), 1);
  }));

Deno.test("Queue.join: waits until task_done() was called for each item", () =>
  run(async () => {
    const queue = filled(new asyncio.Queue<number>(), [1, 2]);
    const joined = asyncio.create_task(queue.join());
    queue.get_nowait();
    queue.task_done();
    await turns(2);
    assertEquals(joined.done(), false);
    queue.get_nowait();
    await turns(2);
    assertEquals(joined.done(), false, "taken, not done");
    queue.task_done();
    await joined;
    await queue.join();
    queue.put_nowait(3);
    const again = asyncio.create_task(queue.join());
    await turns(2);
    assertEquals(again.done(), false);
    again.cancel();
  }));

Deno.test("Queue.join: returns at once if no item was added", () =>
  run(async () => {
    await new asyncio.Queue().join();
  }));

Deno.test("Queue.task_done: throws if it is called more often than items were added", () => {
  const queue = filled(new asyncio.Queue<number>(), [1]);
  queue.task_done();
  assertThrows(() => queue.task_done(), asyncio.ValueError, "task_done() called too many times");
});

Deno.test("Queue.shutdown: put() throws, get() drains what is left", () =>
  run(async () => {
    const queue = filled(new asyncio.Queue<number>(3), [1, 2]);
    queue.shutdown();
    queue.shutdown();
    assertThrows(() => queue.put_nowait(3), asyncio.QueueShutDown);
    await assertRejects(async () => await queue.put(3), asyncio.QueueShutDown);
    assertEquals(await queue.get(), 1);
    assertEquals(queue.get_nowait(), 2);
    await assertRejects(async () => await queue.get(), asyncio.QueueShutDown);
    assertThrows(() => queue.get_nowait(), asyncio.QueueShutDown);
    const joined = asyncio.create_task(queue.join());
    await turns(2);
    assertEquals(joined.done(), false, "two items are not done");
    queue.task_done();
    queue.task_done();
    await joined;
  }));

Deno.test("Queue.shutdown: wakes blocked getters", () =>
  run(async () => {
    const queue = new asyncio.Queue<number>();
    const getters = [1, 2].map(() => asyncio.create_task(queue.get()));
    await turns(1);
    queue.shutdown();
    const results: unknown[] = await asyncio.gather(getters, { return_exceptions: true });
    assert(results.every((error) => error instanceof asyncio.QueueShutDown));
  }));

Deno.test("Queue.shutdown: wakes blocked putters, whose items are not added", () =>
  run(async () => {
    const queue = filled(new asyncio.Queue<number>(1), [0]);
    const putters = [1, 2].map((item) => asyncio.create_task(queue.put(item)));
    await turns(1);
    queue.shutdown();
    const results: unknown[] = await asyncio.gather(putters, { return_exceptions: true });
    assert(results.every((error) => error instanceof asyncio.QueueShutDown));
    assertEquals(drain(queue), [0]);
  }));

Deno.test("Queue.shutdown: immediate, it drops the items and ends join()", () =>
  run(async () => {
    const queue = filled(new asyncio.Queue<number>(2), [1, 2]);
    const putter = asyncio.create_task(queue.put(3));
    const joined = asyncio.create_task(queue.join());
    await turns(1);
    queue.shutdown(true);
    await assertRejects(async () => await putter, asyncio.QueueShutDown);
    await joined;
    assertEquals(queue.qsize(), 0);
    assertThrows(() => queue.get_nowait(), asyncio.QueueShutDown);
    assertThrows(() => queue.task_done(), asyncio.ValueError);
  }));

Deno.test("Queue.shutdown: immediate, join() still waits for items that were taken", () =>
  run(async () => {
    const queue = filled(new asyncio.Queue<number>(), [1, 2]);
    queue.get_nowait();
    queue.shutdown(true);
    const joined = asyncio.create_task(queue.join());
    await turns(2);
    assertEquals(joined.done(), false);
    queue.task_done();
    await joined;
  }));

Deno.test("Queue.shutdown: can be repeated with immediate", () =>
  run(async () => {
    const queue = filled(new asyncio.Queue<number>(), [1]);
    queue.shutdown();
    queue.shutdown(true);
    await assertRejects(async () => await queue.get(), asyncio.QueueShutDown);
    await queue.join();
  }));

Deno.test("Queue.shutdown: loses no item for which a getter has been woken", () =>
  run(async () => {
    const queue = new asyncio.Queue<string>();
    const getters = [1, 2].map(() => asyncio.create_task(queue.get()));
    await turns(1);
    queue.put_nowait("item");
    queue.shutdown();
    const results: unknown[] = await asyncio.gather(getters, { return_exceptions: true });
    assertEquals(results[0], "item");
    assert(results[1] instanceof asyncio.QueueShutDown);
  }));

Deno.test("Queue iteration: takes items until the queue is shut down and empty", () =>
  run(async () => {
    const queue = new asyncio.LifoQueue<number>();
    const seen: number[] = [];
    const reader = asyncio.create_task(async () => {
      for await (const item of queue) seen.push(item);
    });
    await turns(1);
    queue.put_nowait(1);
    await turns(2);
    filled(queue, [2, 3]).shutdown();
    await reader;
    assertEquals(seen, [1, 3, 2]);
  }));

Deno.test("Queue iteration: break leaves the other items", () =>
  run(async () => {
    const queue = filled(new asyncio.Queue<number>(), [1, 2]);
    for await (const item of queue) {
      assertEquals(item, 1);
      break;
    }
    assertEquals(queue.get_nowait(), 2);
  }));

Deno.test("Queue iteration: a cancelled task loses no item", () =>
  run(async () => {
    const queue = new asyncio.Queue<number>();
    const reader = asyncio.create_task(async () => {
      for await (const _ of queue) assert(false, "no item is read");
    });
    await turns(1);
    reader.cancel();
    await asyncio.wait([reader]);
    assert(reader.cancelled());
    queue.put_nowait(1);
    assertEquals(queue.qsize(), 1);
  }));

Deno.test("PriorityQueue: compares numbers, strings, and arrays element by element, as Python does", () => {
  const sorted = (items: unknown[]) => drain(filled(new asyncio.PriorityQueue<unknown>(), items));
  assertEquals(sorted([2n, 1.5, true, false]), [false, true, 1.5, 2n]);
  assertEquals(sorted(["b", "B", "a", ""]), ["", "B", "a", "b"]);
  assertEquals(sorted([[2, "a"], [1, "b"], [1, "a"], [1]]), [[1], [1, "a"], [1, "b"], [2, "a"]]);
  assertEquals(sorted([[[1, 2], 1], [[1], 2]]), [[[1], 2], [[1, 2], 1]]);
  assertEquals(sorted([[1, 1], [true, 0], [1n, 2]]), [[true, 0], [1, 1], [1n, 2]]);
});

Deno.test("PriorityQueue.put_nowait: throws a TypeError for items that cannot be compared, and adds nothing", () => {
  for (const [a, b] of [[1, "a"], [{}, {}], [null, 0], [[1, {}], [1, {}]], [[1], 1]]) {
    const queue = filled(new asyncio.PriorityQueue<unknown>(), [a]);
    assertThrows(() => queue.put_nowait(b), TypeError, "'<' not supported between");
    assertEquals(queue.qsize(), 1);
    assertEquals(queue.get_nowait(), a);
  }
});

Deno.test("PriorityQueue: elements after the first difference of two arrays are not compared", () => {
  const job = {};
  const queue = filled(new asyncio.PriorityQueue<unknown>(), [[1, job, 2], [1, job, 1], [0, null]]);
  assertEquals(drain(queue), [[0, null], [1, job, 1], [1, job, 2]]);
});

Deno.test("PriorityQueue: equal items come in the order of CPython's heapq", () => {
  const compare = ([a]: [number, string], [b]: [number, string]) => a - b;
  const queue = new asyncio.PriorityQueue<[number, string]>(0, { compare });
  for (const name of "abcdefg") queue.put_nowait([1, name]);
  assertEquals(drain(queue).map(([, name]) => name).join(""), "acfgebd");
});

Deno.test("PriorityQueue: compare replaces the comparison", () => {
  const compare = (a: string, b: string) => b.length - a.length;
  const queue = new asyncio.PriorityQueue<string>(0, { compare });
  assertEquals(drain(filled(queue, ["a", "ccc", "bb"])), ["ccc", "bb", "a"]);
  assertThrows(
    () => new asyncio.PriorityQueue(0, { key: compare } as never),
    TypeError,
    "'key'",
  );
});

Deno.test("Queue.toString: shows the items, the waiters and the state", () =>
  run(async () => {
    const queue = filled(new asyncio.Queue<unknown>(2), [1, "two"]);
    assertEquals(String(queue), "<Queue maxsize=2 _queue=[1, 'two'] tasks=2>");
    const putter = asyncio.create_task(queue.put(null));
    const empty = new asyncio.LifoQueue();
    const getter = asyncio.create_task(empty.get());
    await turns(1);
    assertEquals(String(queue), "<Queue maxsize=2 _queue=[1, 'two'] _putters[1] tasks=2>");
    assertEquals(Deno.inspect(empty), "<LifoQueue maxsize=0 _getters[1]>");
    putter.cancel();
    getter.cancel();
    empty.shutdown();
    assertEquals(String(empty), "<LifoQueue maxsize=0 shutdown>");
  }));

Deno.test("Queue.get: throws if it has to wait and the queue is bound to a different loop", async () => {
  const queue = new asyncio.Queue<number>(1);
  const use = async () => {
    await queue.put(1);
    await queue.get();
    await asyncio.wait_for(queue.get(), 1);
  };
  await assertRejects(() => run(use), asyncio.TimeoutError);
  await assertRejects(() => run(use), asyncio.RuntimeError, "is bound to a different event loop");
});

Deno.test("Queue.get: 50,000 of 100,000 waiters can be cancelled, in any order", () =>
  run(async () => {
    const queue = new asyncio.Queue<number>();
    const tasks = Array.from({ length: 100_000 }, () => asyncio.create_task(queue.get()));
    await turns(1);
    for (let i = 75_000; i-- > 25_000;) tasks[i].cancel();
    await turns(2);
    assertEquals(tasks.filter((task) => task.cancelled()).length, 50_000);
    queue.put_nowait(1);
    await turns(1);
    assertEquals(tasks[0].result(), 1);
  }));
