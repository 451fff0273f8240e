import { assertEquals, assertRejects } from "@std/assert";
import * as asyncio from "../../mod.ts";
import { Cancelled, gather, run, settled, Task, turn } from "./loop.ts";
import { Queue } from "./queue.ts";
import { Semaphore } from "./semaphore.ts";
import { sleep, timeout } from "./timers.ts";

interface Primitives {
  turn(): PromiseLike<void>;
  gather(bodies: (() => Promise<void>)[]): PromiseLike<unknown>;
  queue(maxsize: number): { put(item: number): PromiseLike<void>; get(): PromiseLike<number> };
  semaphore(value: number): { acquire(): PromiseLike<unknown>; release(): void };
}

const FLOOR = {
  turn,
  gather,
  queue: (maxsize: number) => new Queue<number>(maxsize),
  semaphore: (value: number) => new Semaphore(value),
} as unknown as Primitives;

const LIBRARY: Primitives = {
  turn: () => asyncio.sleep(0),
  gather: (bodies) => asyncio.gather(bodies),
  queue: (maxsize) => new asyncio.Queue<number>(maxsize),
  semaphore: (value) => new asyncio.Semaphore(value),
};

/** Runs a program on the floor and on the library, which must do the same things in the same order. */
async function assert_same(
  program: (on: Primitives, note: (event: string) => void) => Promise<void>,
): Promise<void> {
  const on_floor: string[] = [];
  await run(() => program(FLOOR, (event) => on_floor.push(event)));
  const on_library: string[] = [];
  await asyncio.run(() => program(LIBRARY, (event) => on_library.push(event)));
  assertEquals(on_floor, on_library);
}

Deno.test("floor: tasks take turns, however deep they wait", () =>
  assert_same(async (on, note) => {
    const deep = async (depth: number): Promise<void> => {
      if (depth > 0) await deep(depth - 1);
      else await on.turn();
    };
    const work = (name: string, depth: number) => async () => {
      for (let round = 0; round < 3; round++) {
        note(`${name} ${round}`);
        await deep(depth);
      }
    };
    await on.gather([work("a", 9), work("b", 0), work("c", 3)]);
    note("end");
  }));

Deno.test("floor: a queue passes items in the order of the library's", async () => {
  for (const maxsize of [1, 3]) {
    await assert_same(async (on, note) => {
      const queue = on.queue(maxsize);
      await on.gather([
        async () => {
          for (let item = 0; item < 9; item++) await queue.put(item);
        },
        async () => {
          for (let taken = 0; taken < 9; taken++) note(`taken ${await queue.get()}`);
        },
      ]);
    });
  }
});

Deno.test("floor: a semaphore is entered in the order of the library's", () =>
  assert_same(async (on, note) => {
    const gate = on.semaphore(2);
    const work = (name: string) => async () => {
      await gate.acquire();
      note(`in ${name}`);
      await on.turn();
      note(`out ${name}`);
      gate.release();
    };
    await on.gather(["a", "b", "c", "d", "e"].map(work));
  }));

Deno.test("floor: each kind of wait can be cancelled, and what it waited at goes on", () =>
  run(async () => {
    const queue = new Queue<number>(1);
    const gate = new Semaphore(0);
    const never = new Task(() => new Queue<number>(1).get());
    const tasks = [
      new Task(() => gate.acquire()),
      new Task(() => queue.get()),
      new Task(() => sleep(3_600_000)),
      new Task(async () => await never),
      new Task(async () => await gather([() => new Queue<number>(1).get()])),
      new Task(() => turn()),
    ];
    const others = [new Task(() => gate.acquire()), new Task(() => queue.get())];
    await turn();
    for (const task of tasks) task.cancel();
    assertEquals(
      await settled(tasks),
      new Array(tasks.length - 1).fill(new Cancelled()).concat(undefined),
    );
    gate.release();
    await queue.put(7);
    assertEquals(await settled(others), [undefined, 7]);
    never.cancel();
    assertEquals(await settled([never]), [new Cancelled()]);
  }));

Deno.test("floor: a task that is cancelled before it begins does not begin", () =>
  run(async () => {
    const task = new Task(() => Promise.reject(new Error("begun")));
    task.cancel();
    assertEquals(await settled([task]), [new Cancelled()]);
    assertEquals(await settled([task]), [new Cancelled()]);
  }));

Deno.test("floor: a cancellation after a wait is over is thrown at the next one, and no item is lost", () =>
  run(async () => {
    const queue = new Queue<number>(1);
    const taken: number[] = [];
    const task = new Task(async () => {
      taken.push(await queue.get());
      await turn();
    });
    await turn();
    await queue.put(1);
    task.cancel();
    assertEquals(await settled([task]), [new Cancelled()]);
    assertEquals(taken, [1]);
  }));

Deno.test("floor: a gather rejects with the first error", () =>
  assertRejects(
    () => run(async () => await gather([() => turn(), () => Promise.reject(new Error("first"))])),
    Error,
    "first",
  ));

Deno.test("floor: sleeps end in the order of their times, beside tasks that are busy, too", () =>
  run(async () => {
    const order: number[] = [];
    let is_over = false;
    const busy = new Task(async () => {
      while (!is_over) await turn();
    });
    await gather([5, 1, 3, 2, 4].map((milliseconds) => async () => {
      await sleep(milliseconds);
      order.push(milliseconds);
    }));
    is_over = true;
    await busy;
    assertEquals(order, [1, 2, 3, 4, 5]);
    await sleep(1);
  }));

Deno.test("floor: of many timers those that are cancelled do not fire", () =>
  run(async () => {
    const ended: number[] = [];
    const tasks = Array.from({ length: 500 }, (_, index) =>
      new Task(async () => {
        await sleep(index % 7 === 0 ? 1 + index % 5 : 3_600_000);
        ended.push(index);
      }));
    await turn();
    for (const [index, task] of tasks.entries()) if (index % 7 !== 0) task.cancel();
    await settled(tasks);
    assertEquals(ended.length, 72);
    assertEquals(ended.every((index) => index % 7 === 0), true);
  }));

Deno.test("floor: a timeout cancels its block once it is over, and not after its end", () =>
  run(async () => {
    await assertRejects(() => timeout(1, () => sleep(3_600_000)), Error, "timed out");
    const task = new Task(() => timeout(3_600_000, () => sleep(3_600_000)));
    await turn();
    task.cancel();
    assertEquals(await settled([task]), [new Cancelled()]);
    assertEquals(await timeout(1, () => Promise.resolve(7)), 7);
    await sleep(5);
  }));
