/**
 * Programs in debug mode, beside the same in normal mode: debug mode is to take at most five times as long.
 *
 * The programs do nothing but what the library does, in which debug mode costs most.
 *
 * @module
 */

import {
  async_with,
  coroutine,
  create_task,
  Future,
  gather,
  get_running_loop,
  Lock,
  Queue,
  run,
  sleep,
  TaskGroup,
  timeout,
  wait_for,
} from "../mod.ts";

type Steps<T> = Generator<unknown, T, unknown>;

const repeat = <T>(times: number, value: T): T[] => Array.from({ length: times }, () => value);

const fibonacci = coroutine(function* (n: number): Steps<number> {
  return n < 2 ? n : (yield* fibonacci(n - 1)) + (yield* fibonacci(n - 2));
});

const switches = coroutine(function* (): Steps<void> {
  for (let done = 0; done < 500; done++) yield* sleep(0);
});

const pause = coroutine(async () => await sleep(0));

const PROGRAMS: Readonly<Record<string, () => PromiseLike<unknown>>> = {
  "1,000 switches": async () => {
    for (let done = 0; done < 1_000; done++) await sleep(0);
  },
  "1,000 tasks": () => gather(repeat(1_000, () => sleep(0))),
  "300 tasks in groups of three": async () => {
    for (let done = 0; done < 100; done++) {
      await async_with(new TaskGroup(), async (group) => {
        for (const work of repeat(3, () => sleep(0))) await group.create_task(work);
      });
    }
  },
  "1,000 items through a queue": async () => {
    const queue = new Queue<number>(10);
    await gather(async () => {
      for (let item = 0; item < 1_000; item++) await queue.put(item);
    }, async () => {
      for (let item = 0; item < 1_000; item++) await queue.get();
    });
  },
  "500 times a lock that ten tasks want": async () => {
    const lock = new Lock();
    await gather(repeat(10, async () => {
      for (let done = 0; done < 50; done++) {
        using _ = await lock.acquire();
        await sleep(0);
      }
    }));
  },
  "500 futures": async () => {
    for (let done = 0; done < 500; done++) {
      const future = new Future<void>();
      get_running_loop().call_soon(() => future.set_result());
      await future;
    }
  },
  "500 timeouts": async () => {
    for (let done = 0; done < 500; done++) await async_with(timeout(10), () => sleep(0));
  },
  "500 lazy coroutines": async () => {
    for (let done = 0; done < 500; done++) await pause();
  },
  "5,000 calls of a function*": () => create_task(fibonacci(17)),
  "1,000 switches of function*": () => gather(switches(), switches()),
  "300 tasks that fail": () =>
    gather(
      repeat(300, async () => {
        await sleep(0);
        throw new Error("failed");
      }),
      { return_exceptions: true },
    ),
  "300 time limits that pass": () =>
    gather(repeat(300, () => wait_for(sleep(1), 0)), { return_exceptions: true }),
  "100 tasks with 20 kB of JSON each": async () => {
    const text = JSON.stringify(Array.from({ length: 800 }, (_, id) => ({ id, name: `n${id}` })));
    await gather(repeat(100, async () => {
      JSON.parse(text);
      await sleep(0);
    }));
  },
};

for (const [group, main] of Object.entries(PROGRAMS)) {
  for (const debug of [false, true]) {
    Deno.bench({
      name: debug ? "debug mode" : "normal mode",
      group,
      baseline: !debug,
      async fn() {
        await run(main, { debug });
      },
    });
  }
}
