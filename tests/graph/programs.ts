/** The programs of programs.py, with async functions and, those in which tasks are suspended, with generators. */

import * as asyncio from "../../mod.ts";
import type { CallGraphOptions, Future, Task } from "../../mod.ts";

const { coroutine, create_task, gather, sleep } = asyncio;

/** Notes a graph: of a future, by default of the current task. */
export type Show = (future?: Future<unknown> | null, options?: CallGraphOptions) => void;

type Program = (show: Show) => Promise<void>;

const LIMITS = [null, 0, 1, 2, 9, -1, -2, -9];

export const ASYNC: Readonly<Record<string, Program>> = {
  async group(show) {
    const look = () => show(null, { depth: 2 });
    async function deep() {
      await sleep(0);
      look();
    }
    async function middle() {
      await deep();
    }
    async function root() {
      await middle();
    }
    async function waiter(task: Task<void>) {
      await task;
    }
    const waiting = coroutine(waiter);
    const tasks = new asyncio.TaskGroup();
    await asyncio.async_with(tasks, () => {
      const task = tasks.create_task(root, { name: "root" });
      tasks.create_task(waiting(task), { name: "first" });
      tasks.create_task(waiting(task), { name: "second" });
      return Promise.resolve();
    });
  },

  async gathered(show) {
    async function deep() {
      await sleep(0);
      show();
    }
    async function branch() {
      await sleep(0);
      await deep();
    }
    async function other() {
      await sleep(0);
    }
    async function main() {
      await gather(branch, other);
    }
    await main();
  },

  async gathered_twice(show) {
    async function leaf() {
      await sleep(0);
      show();
    }
    await gather(gather(leaf));
  },

  async gathered_not_awaited(show) {
    async function leaf() {
      await sleep(0);
    }
    const task = create_task(leaf, { name: "leaf" });
    const all = gather(task);
    show(task);
    await all;
  },

  async shielded(show) {
    async function deep() {
      await sleep(0);
      show();
    }
    async function branch() {
      await sleep(0);
      await deep();
    }
    async function main() {
      await asyncio.shield(branch);
    }
    await main();
  },

  async limited(show) {
    async function inner() {
      await sleep(10);
    }
    async function outer() {
      await asyncio.async_with(asyncio.timeout(1), inner);
    }
    const waiter = coroutine(async function waiter(task: Task<void>) {
      await asyncio.wait_for(task, 5);
    });
    const task = create_task(outer, { name: "outer" });
    const waiting = create_task(waiter(task), { name: "waiter" });
    await sleep(0);
    await sleep(0);
    show(task);
    waiting.cancel();
  },

  async waited(show) {
    async function leaf() {
      await sleep(0);
      await sleep(0);
      show();
    }
    async function main(task: Task<void>) {
      await asyncio.wait([task]);
    }
    await main(create_task(leaf, { name: "leaf" }));
  },

  async awaited(show) {
    async function leaf() {
      await sleep(0);
      show();
    }
    async function main() {
      await create_task(leaf, { name: "leaf" });
    }
    await main();
  },

  async future(show) {
    async function inner(future: Future<void>) {
      await future;
    }
    const one = coroutine(async function one(future: Future<void>) {
      await inner(future);
    });
    const two = coroutine(async function two(future: Future<void>) {
      await future;
    });
    const future = new asyncio.Future<void>();
    const first = create_task(one(future), { name: "one" });
    const second = create_task(two(future), { name: "two" });
    for (let turn = 0; turn < 3; turn++) await sleep(0);
    show(future);
    future.set_result();
    show(future);
    await first;
    await second;
    show(future);
  },

  // deno-lint-ignore require-await -- as the others
  async recorded(show) {
    const future = new asyncio.Future();
    const other = new asyncio.Future();
    asyncio.future_add_to_awaited_by(future, other);
    show(future);
    asyncio.future_discard_from_awaited_by(future, other);
    show(future);
  },

  async not_started(show) {
    async function work() {}
    const task = create_task(work, { name: "work" });
    show(task);
    await task;
  },

  async limits(show) {
    async function inner() {
      await sleep(10);
    }
    async function middle() {
      await inner();
    }
    async function outer() {
      await middle();
    }
    const waiter = coroutine(async function waiter(task: Task<void>) {
      await task;
    });
    const task = create_task(outer, { name: "outer" });
    create_task(waiter(task), { name: "waiting" });
    await sleep(0);
    await sleep(0);
    for (const limit of LIMITS) show(task, { limit });
    task.cancel();
  },

  async limits_of_current(show) {
    async function inner() {
      await sleep(0);
      for (const limit of LIMITS) show(null, { limit });
    }
    async function middle() {
      await inner();
    }
    async function outer() {
      await middle();
    }
    await create_task(outer, { name: "outer" });
  },

  async depths(show) {
    function third() {
      for (const depth of [1, 2, 3]) show(null, { depth });
    }
    function second() {
      third();
    }
    async function first() {
      await sleep(0);
      second();
    }
    await create_task(first, { name: "first" });
  },

  async queue(show) {
    const items = new asyncio.Queue();
    const lock = new asyncio.Lock();
    async function take() {
      await asyncio.async_with(lock, () => items.get());
    }
    async function locked() {
      await lock.acquire();
    }
    const tasks = [
      create_task(take, { name: "take" }),
      create_task(locked, { name: "locked" }),
    ];
    await sleep(0);
    await sleep(0);
    for (const task of tasks) {
      show(task);
      task.cancel();
    }
  },
};

export const GENERATORS: Readonly<Record<string, Program>> = {
  async limited(show) {
    const inner = coroutine(function* inner() {
      yield* sleep(10);
    });
    const outer = coroutine(function* outer() {
      yield* asyncio.async_with(asyncio.timeout(1), function* () {
        yield* inner();
      });
    });
    const waiter = coroutine(function* waiter(task: Task<void>) {
      yield* asyncio.wait_for(task, 5);
    });
    const task = create_task(outer(), { name: "outer" });
    const waiting = create_task(waiter(task), { name: "waiter" });
    await sleep(0);
    await sleep(0);
    show(task);
    waiting.cancel();
  },

  async future(show) {
    const inner = coroutine(function* inner(future: Future<void>) {
      yield* future;
    });
    const one = coroutine(function* one(future: Future<void>) {
      yield* inner(future);
    });
    const two = coroutine(function* two(future: Future<void>) {
      yield* future;
    });
    const future = new asyncio.Future<void>();
    const first = create_task(one(future), { name: "one" });
    const second = create_task(two(future), { name: "two" });
    for (let turn = 0; turn < 3; turn++) await sleep(0);
    show(future);
    future.set_result();
    show(future);
    await first;
    await second;
    show(future);
  },

  async limits(show) {
    const inner = coroutine(function* inner() {
      yield* sleep(10);
    });
    const middle = coroutine(function* middle() {
      yield* inner();
    });
    const outer = coroutine(function* outer() {
      yield* middle();
    });
    const waiter = coroutine(function* waiter(task: Task<void>) {
      yield* task;
    });
    const task = create_task(outer(), { name: "outer" });
    create_task(waiter(task), { name: "waiting" });
    await sleep(0);
    await sleep(0);
    for (const limit of LIMITS) show(task, { limit });
    task.cancel();
  },

  async queue(show) {
    const items = new asyncio.Queue();
    const lock = new asyncio.Lock();
    const take = coroutine(function* take() {
      yield* lock.acquire();
      yield* items.get();
    });
    const locked = coroutine(function* locked() {
      yield* lock.acquire();
    });
    const tasks = [
      create_task(take(), { name: "take" }),
      create_task(locked(), { name: "locked" }),
    ];
    await sleep(0);
    await sleep(0);
    for (const task of tasks) {
      show(task);
      task.cancel();
    }
  },
};
