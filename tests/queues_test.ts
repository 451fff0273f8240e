/** Queues: order, waiting, cancellation at every moment, `join`, `shutdown`, comparison of priorities. */

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import * as asyncio from "../mod.ts";
import { run } from "./virtual_time.ts";

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
    getters[0]?.cancel();
    await turns(3);
    assert(getters[0]?.cancelled());
    assertEquals(getters[1]?.result(), "item");
  }));

Deno.test("Queue.put: a putter that is cancelled after its wake-up passes it on", () =>
  run(async () => {
    const queue = filled(new asyncio.Queue<number>(1), [0]);
    const putters = [1, 2].map((item) => asyncio.create_task(queue.put(item)));
    await turns(1);
    assertEquals(queue.get_nowait(), 0);
    putters[0]?.cancel();
    await turns(3);
    assert(putters[0]?.cancelled());
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
        tasks[victim]?.cancel();
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
    for (const task of tasks.slice(25_000, 75_000).reverse()) task.cancel();
    await turns(2);
    assertEquals(tasks.filter((task) => task.cancelled()).length, 50_000);
    queue.put_nowait(1);
    await turns(1);
    assertEquals(tasks[0]?.result(), 1);
  }));

/** Waits until a task is done, and says how it ended. */
async function ending(work: PromiseLike<unknown>): Promise<string> {
  try {
    return String(await work);
  } catch (error) {
    return (error as Error).constructor.name;
  }
}

class SetQueue extends asyncio.Queue<unknown> {
  declare protected _queue: Set<unknown>;

  protected override _init(_maxsize: number): void {
    this._queue = new Set();
  }

  protected override _put(item: unknown): void {
    this._queue.add(item);
  }

  protected override _get(): unknown {
    const [first] = this._queue;
    this._queue.delete(first);
    return first;
  }
}

Deno.test("Queue._init, _put, _get: a subclass stores items in its own way", () =>
  run(async () => {
    const queue = new SetQueue(2);
    filled(queue, ["a", "a"]);
    assertEquals([queue.qsize(), queue.full(), queue.empty()], [1, false, false]);
    assertEquals(String(queue), "<SetQueue maxsize=2 _queue=['a'] tasks=2>");
    await queue.put("b");
    const putter = asyncio.create_task(queue.put("c"));
    await turns(1);
    assertEquals(await queue.get(), "a");
    await putter;
    assertEquals(drain(queue), ["b", "c"]);
    filled(queue, ["d"]);
    queue.shutdown(true);
    assertEquals(String(queue), "<SetQueue maxsize=2 tasks=4 shutdown>");
  }));

Deno.test("Queue._init: is called once by the constructor, with maxsize", () => {
  const calls: number[] = [];
  class Noting extends asyncio.Queue<number> {
    protected override _init(maxsize: number): void {
      calls.push(maxsize);
      super._init(maxsize);
    }
  }
  filled(new Noting(3), [1]);
  filled(new Noting({ maxsize: 4 }), [1]);
  assertEquals(calls, [3, 4]);
});

Deno.test("Queue._format: is what toString() shows", () => {
  class Short extends asyncio.Queue<number> {
    protected override _format(): string {
      return `${this.qsize()} of ${this.maxsize}`;
    }
  }
  assertEquals(String(filled(new Short(3), [1])), "<Short 1 of 3>");
});

Deno.test("Queue.put, get: call overridden put_nowait(), get_nowait(), full() and empty()", () =>
  run(async () => {
    const calls: string[] = [];
    class Noting extends asyncio.Queue<number> {
      override put_nowait(item: number): void {
        calls.push(`put ${item}`);
        super.put_nowait(item);
      }
      override get_nowait(): number {
        calls.push("get");
        return super.get_nowait();
      }
      override full(): boolean {
        calls.push("full");
        return super.full();
      }
      override empty(): boolean {
        calls.push("empty");
        return super.empty();
      }
    }
    const queue = new Noting();
    await queue.put(1);
    assertEquals(calls.splice(0), ["full", "put 1", "full"]);
    await queue.get();
    assertEquals(calls.splice(0), ["empty", "get", "empty"]);
  }));

Deno.test("Queue.put: if put_nowait() throws, the next putter is woken", () =>
  run(async () => {
    class Choosy extends asyncio.Queue<number> {
      protected override _put(item: number): void {
        if (item < 0) throw new RangeError("negative");
        super._put(item);
      }
    }
    const queue = filled(new Choosy(1), [0]);
    const putters = [-1, -2, 3].map((item) => asyncio.create_task(queue.put(item)));
    await turns(1);
    assertEquals(queue.get_nowait(), 0);
    assertEquals(await Promise.all(putters.map(ending)), [
      "RangeError",
      "RangeError",
      "undefined",
    ]);
    assertEquals(String(queue), "<Choosy maxsize=1 _queue=[3] tasks=2>");
  }));

Deno.test("Queue.get: if get_nowait() throws, the next getter is woken", () =>
  run(async () => {
    class Failing extends asyncio.Queue<number> {
      failures = 2;
      protected override _get(): number {
        if (this.failures-- > 0) throw new RangeError("get");
        return super._get();
      }
    }
    const queue = new Failing();
    const getters = [1, 2, 3].map(() => asyncio.create_task(queue.get()));
    await turns(1);
    queue.put_nowait(7);
    assertEquals(await Promise.all(getters.map(ending)), ["RangeError", "RangeError", "7"]);
    assertEquals(String(queue), "<Failing maxsize=0 tasks=1>");
  }));

Deno.test("Queue.put_nowait: an item counts if _put() throws after it was stored", () =>
  run(async () => {
    class Late extends asyncio.Queue<number> {
      protected override _put(item: number): void {
        super._put(item);
        throw new RangeError("late");
      }
    }
    const queue = new Late();
    const getter = asyncio.create_task(queue.get());
    await turns(1);
    assertThrows(() => queue.put_nowait(1), RangeError);
    assertEquals(await getter, 1);
    queue.task_done();
    await queue.join();
  }));

Deno.test("Queue.get_nowait: a putter is woken if _get() throws after it has removed an item", () =>
  run(async () => {
    class Late extends asyncio.Queue<number> {
      protected override _get(): number {
        super._get();
        throw new RangeError("late");
      }
    }
    const queue = filled(new Late(1), [1]);
    const putter = asyncio.create_task(queue.put(2));
    await turns(1);
    assertThrows(() => queue.get_nowait(), RangeError);
    await putter;
    assertEquals(queue.qsize(), 1);
  }));

Deno.test("Queue.shutdown: wakes the waiters if _get() throws", () =>
  run(async () => {
    class Failing extends asyncio.Queue<number> {
      protected override _get(): number {
        throw new RangeError("get");
      }
    }
    const queue = filled(new Failing(1), [1]);
    const putter = asyncio.create_task(queue.put(2));
    await turns(1);
    assertThrows(() => queue.shutdown(true), RangeError);
    assertEquals(await ending(putter), "QueueShutDown");
  }));

Deno.test("PriorityQueue: a comparison that throws in the middle loses no item and no wake-up", () =>
  run(async () => {
    let broken = false;
    const compare = (a: number, b: number) => {
      if (broken) throw new RangeError("compare");
      return a - b;
    };
    const queue = filled(new asyncio.PriorityQueue({ maxsize: 3, compare }), [3, 1, 2]);
    const putters = [0, 4].map((item) => asyncio.create_task(queue.put(item)));
    await turns(1);
    broken = true;
    assertThrows(() => queue.get_nowait(), RangeError);
    assertEquals(queue.qsize(), 3);
    broken = false;
    assertEquals(queue.get_nowait(), 1);
    broken = true;
    assertEquals(await ending(putters[0] as PromiseLike<unknown>), "RangeError");
    assertEquals(await ending(putters[1] as PromiseLike<unknown>), "RangeError");
    broken = false;
    assertEquals(String(queue), "<PriorityQueue maxsize=3 _queue=[2, 3] tasks=3>");
    assertEquals(drain(queue), [2, 3]);
  }));

Deno.test("PriorityQueue: refuses a compare() that is not a function or returns no number", () => {
  assertThrows(
    () => new asyncio.PriorityQueue(0, { compare: 5 } as never),
    TypeError,
    "received 5",
  );
  const compare = (() => Promise.resolve(1)) as never;
  const queue = filled(new asyncio.PriorityQueue(0, { compare }), [1]);
  assertThrows(() => queue.put_nowait(2), TypeError, "must return a number");
  assertEquals(queue.qsize(), 1);
});

Deno.test("Queue: takes maxsize, and shutdown() takes immediate, by name", () => {
  assertEquals(new asyncio.Queue({ maxsize: 2 }).maxsize, 2);
  assertEquals(new asyncio.LifoQueue({ maxsize: 2 }).maxsize, 2);
  const compare = (a: number, b: number) => b - a;
  const queue = filled(new asyncio.PriorityQueue({ maxsize: 3, compare }), [1, 3]);
  assertEquals([queue.maxsize, queue.get_nowait()], [3, 3]);
  queue.shutdown({ immediate: false });
  assertEquals(queue.qsize(), 1);
  queue.shutdown({ immediate: true });
  assertEquals(queue.qsize(), 0);
  assertThrows(() => queue.shutdown({ now: true } as never), TypeError, "'now'");
  assertThrows(() => new asyncio.LifoQueue({ size: 2 } as never), TypeError, "LifoQueue() got");
  for (const wrong of ["2", null, NaN, 2n]) {
    assertThrows(() => new asyncio.Queue(wrong as never), TypeError, "must be a number");
  }
  assertEquals(filled(new asyncio.Queue(Infinity), [1, 2]).full(), false);
});

Deno.test("Queue iteration: gives tasks, promises and undefined as they are", () =>
  run(async () => {
    const rejected = Promise.reject(new Error("item"));
    rejected.catch(() => {});
    const task = asyncio.create_task(asyncio.sleep(60));
    const items = [task, rejected, undefined, null, { then: () => {} }];
    const queue = filled(new asyncio.Queue<unknown>(), items);
    queue.shutdown();
    const seen: unknown[] = [];
    for await (const item of queue) seen.push(item);
    assert(seen.length === items.length && seen.every((item, i) => item === items[i]));
    task.cancel();
  }));

Deno.test("Queue iteration: return() ends a next() in progress, which takes no item", () =>
  run(async () => {
    const queue = new asyncio.Queue<string>();
    const iterator = queue[Symbol.asyncIterator]();
    const pending = [iterator.next(), iterator.next()];
    await turns(1);
    assertEquals(await iterator.return(), { done: true, value: undefined });
    queue.put_nowait("item");
    assertEquals(await Promise.all(pending), Array(2).fill({ done: true, value: undefined }));
    assertEquals((await iterator.next()).done, true);
    assertEquals(drain(queue), ["item"]);
  }));

Deno.test("Queue iteration: a next() that is ended after its wake-up passes it on", () =>
  run(async () => {
    const queue = new asyncio.Queue<string>();
    const iterator = queue[Symbol.asyncIterator]();
    const pending = iterator.next();
    const getter = asyncio.create_task(queue.get());
    await turns(1);
    queue.put_nowait("item");
    await iterator.return();
    assertEquals((await pending).done, true);
    assertEquals(await asyncio.wait_for(getter, 1), "item");
  }));

Deno.test("Queue iteration: throw() ends a next() in progress and throws its error", () =>
  run(async () => {
    const queue = new asyncio.Queue<string>();
    const iterator = queue[Symbol.asyncIterator]();
    const pending = iterator.next();
    await assertRejects(() => iterator.throw(new RangeError("mine")), RangeError, "mine");
    assertEquals((await pending).done, true);
    assertEquals((await iterator.next()).done, true);
    assertEquals(String(queue), "<Queue maxsize=0>");
  }));

Deno.test("Queue iteration: calls of next() are served in order, also if others take items", () =>
  run(async () => {
    const queue = new asyncio.Queue<number>();
    const iterator = queue[Symbol.asyncIterator]();
    const order: string[] = [];
    const call = (name: string) =>
      iterator.next().then(({ value }) => order.push(`${name}${value}`));
    const calls = [call("a"), call("b")];
    await turns(1);
    queue.put_nowait(1);
    calls.push(call("c")); // does not overtake the one that is woken
    assertEquals(queue.get_nowait(), 1);
    await turns(2);
    filled(queue, [2, 3, 4]);
    await Promise.all(calls);
    assertEquals(order, ["a2", "b3", "c4"]);
  }));

Deno.test("Queue iteration: a next() takes an item that is there, but does not overtake one before it", () =>
  run(async () => {
    const queue = new asyncio.Queue<number>();
    const iterator = queue[Symbol.asyncIterator]();
    queue.put_nowait(1);
    const first = iterator.next();
    assertEquals(queue.qsize(), 0);
    const second = iterator.next(); // waits
    queue.put_nowait(2);
    const third = iterator.next();
    queue.put_nowait(3);
    assertEquals((await third).value, 3);
    assertEquals([(await first).value, (await second).value], [1, 2]);
  }));

Deno.test("Queue iteration: a cancellation during a native wait is thrown by next(), which takes no item", () =>
  run(async () => {
    const queue = new asyncio.Queue<number>();
    filled(queue, [1, 2, 3]);
    const taken: number[] = [];
    let settle = () => {};
    const task = asyncio.create_task(async () => {
      for await (const item of queue) {
        taken.push(item);
        await new Promise<void>((resolve) => settle = resolve);
      }
    });
    await turns(2);
    task.cancel();
    settle();
    assertEquals(await ending(task), "CancelledError");
    assertEquals([taken, drain(queue)], [[1], [2, 3]]);
  }));

Deno.test("Queue iteration: what a subclass's own _get() throws is thrown by next(), also if an item is there", () =>
  run(async () => {
    class Failing extends asyncio.Queue<number> {
      protected override _get(): number {
        const item = super._get();
        if (item === 2) throw new RangeError("mine");
        return item;
      }
    }
    const queue = new Failing();
    filled(queue, [1, 2, 3]);
    const iterator = queue[Symbol.asyncIterator]();
    assertEquals((await iterator.next()).value, 1);
    await assertRejects(() => iterator.next(), RangeError, "mine");
    assertEquals((await iterator.next()).value, 3);
  }));

Deno.test("Queue iteration: a next() that is cancelled takes no item, and the iteration can be continued", () =>
  run(async () => {
    const queue = new asyncio.Queue<number>();
    const iterator = queue[Symbol.asyncIterator]();
    const limited = asyncio.create_task(asyncio.wait_for(asyncio.anext(iterator), 1));
    await turns(2);
    const next = iterator.next(); // waits behind it
    assertEquals(await ending(limited), "TimeoutError");
    filled(queue, [1, 2]);
    assertEquals([(await next).value, await asyncio.anext(iterator)], [1, 2]);
  }));

Deno.test("Queue iteration: shutdown() ends every next() in progress", () =>
  run(async () => {
    const queue = new asyncio.Queue<number>();
    const iterator = queue[Symbol.asyncIterator]();
    const pending = [1, 2, 3].map(() => iterator.next());
    await turns(1);
    queue.put_nowait(1);
    queue.shutdown();
    assertEquals((await Promise.all(pending)).map(({ value, done }) => done ? "end" : value), [
      1,
      "end",
      "end",
    ]);
    assertEquals(
      await ending(queue[Symbol.asyncIterator]().next().then(({ done }) => done)),
      "true",
    );
  }));

Deno.test("Queue iteration: a result of next() can be awaited again, and forgotten", async () => {
  const queue = new asyncio.Queue<number>();
  await run(async () => {
    const iterator = queue[Symbol.asyncIterator]();
    const pending = iterator.next();
    assertEquals(await Promise.race([pending, asyncio.sleep(1, "late")]), "late");
    queue.put_nowait(1);
    assertEquals([(await pending).value, (await pending).value], [1, 1]);
    const forgetful = asyncio.create_task(async () => {
      void iterator.next();
      await asyncio.sleep(60);
    });
    await turns(1);
    forgetful.cancel();
    await asyncio.wait([forgetful]);
    filled(queue, [2]);
  });
  assertEquals(drain(queue), [2]);
});

Deno.test("Queue iteration: uses an overridden get()", () =>
  run(async () => {
    class Noting extends asyncio.Queue<number> {
      calls = 0;
      override get() {
        this.calls++;
        return super.get();
      }
    }
    const queue = filled(new Noting(), [1, 2]);
    queue.shutdown();
    assertEquals(await Array.fromAsync(queue), [1, 2]);
    assertEquals(queue.calls, 3);
  }));

Deno.test("Queue iteration: await using and aclosing() end it", () =>
  run(async () => {
    const queue = new asyncio.Queue<number>();
    const pending: Promise<IteratorResult<number, void>>[] = [];
    {
      await using iterator = queue[Symbol.asyncIterator]();
      pending.push(iterator.next());
    }
    await asyncio.async_with(asyncio.aclosing(asyncio.aiter(queue)), (iterator) => {
      pending.push(iterator.next());
      return Promise.resolve();
    });
    assertEquals((await Promise.all(pending)).map(({ done }) => done), [true, true]);
    assertEquals(String(queue), "<Queue maxsize=0>");
  }));

Deno.test("Queue iteration: no item is lost if an iteration is left or cancelled at any moment", async () => {
  const ITEMS = [0, 1, 2, 3, 4, 5, 6, 7];
  for (const how of ["return", "throw", "cancel"] as const) {
    for (let moment = 0; moment < 14; moment++) {
      await run(async () => {
        const queue = new asyncio.Queue<number>(1);
        const got: number[] = [];
        const iterators = [queue, queue, queue].map((queue) => queue[Symbol.asyncIterator]());
        const read = (iterator: AsyncIterator<number, void>) => async () => {
          for (;;) {
            const result = await iterator.next();
            if (result.done) return;
            got.push(result.value);
          }
        };
        const readers = iterators.map((iterator) => asyncio.create_task(read(iterator)));
        const second = asyncio.create_task(read(iterators[0] as AsyncIterator<number, void>));
        const producer = asyncio.create_task(async () => {
          for (const item of ITEMS) await queue.put(item);
          queue.shutdown();
        });
        await turns(moment);
        if (how === "cancel") readers[0]?.cancel();
        else if (how === "return") await iterators[0]?.return();
        else await ending(iterators[0]?.throw(new RangeError()) as PromiseLike<unknown>);
        await asyncio.wait([...readers, second, producer], { timeout: 10 });
        assertEquals([producer.done(), got.toSorted()], [true, ITEMS], `${how} at ${moment}`);
        assert(readers.every((task) => task.done()) && second.done());
      });
    }
  }
});
