/** Coroutines: lazy, used once, of async functions and generators alike, and what counts as what. */

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import * as asyncio from "../mod.ts";
import { VirtualClockEventLoop } from "../testing.ts";
import { run_plain as run } from "./virtual_time.ts";

const double = asyncio.coroutine(async (n: number) => {
  await asyncio.sleep(0);
  return n * 2;
});

const triple = asyncio.coroutine(function* (n: number) {
  yield* asyncio.sleep(0);
  return n * 3;
});

/** Every form in which a coroutine that gives 7 can be handed over. */
const forms: [string, () => asyncio.CoroutineLike<number>][] = [
  ["a Coroutine of an async function", () => asyncio.coroutine(() => Promise.resolve(7))()],
  ["a Coroutine of a generator function", () => triple(7 / 3)],
  ["a library coroutine", () => asyncio.sleep(0, 7)],
  ["an async function", () => async () => await asyncio.sleep(0, 7)],
  ["a function that returns a promise", () => () => Promise.resolve(7)],
  ["a function that returns a Coroutine", () => () => asyncio.sleep(1, 7)],
  ["a function that returns a Future", () => () => asyncio.shield(asyncio.sleep(1, 7))],
  ["a function that returns a generator", () => () => seven()],
  ["a generator function", () => seven],
  ["a generator object", () => seven()],
];

function* seven(): Generator<unknown, number, unknown> {
  return yield* asyncio.sleep(0, 7);
}

/** Everywhere an awaitable is taken. */
const takers: [string, (form: asyncio.CoroutineLike<number>) => PromiseLike<unknown>][] = [
  ["create_task", (form) => asyncio.create_task(form)],
  ["ensure_future", (form) => asyncio.ensure_future(form)],
  ["gather", (form) => asyncio.gather(form).then(([n]) => n)],
  ["wait_for", (form) => asyncio.wait_for(form, 5)],
  ["wait_for without limit", (form) => asyncio.wait_for(form, null)],
  ["shield", (form) => asyncio.shield(form)],
  ["as_completed", (form) => [...asyncio.as_completed([form])][0]!],
  [
    "TaskGroup",
    (form) =>
      asyncio.async_with(new asyncio.TaskGroup(), async (group) => await group.create_task(form)),
  ],
  ["Task", (form) => new asyncio.Task(form)],
  ["a task with eager start", (form) => asyncio.create_task(form, { eager_start: true })],
];

for (const [name, make] of forms) {
  Deno.test(`${name} is taken wherever an awaitable is`, async () => {
    await run(async () => {
      for (const [taker, take] of takers) {
        assertEquals(Math.round(await take(make()) as number), 7, taker);
      }
    });
    const loop_factory = () => new VirtualClockEventLoop();
    assertEquals(Math.round(await asyncio.run(make(), { loop_factory })), 7, "run");
  });
}

Deno.test("a coroutine does nothing before it is awaited", () =>
  run(async () => {
    const log: string[] = [];
    const work = asyncio.coroutine(async () => {
      log.push("runs");
      await asyncio.sleep(0);
    });
    const never = work();
    const later = work();
    await asyncio.sleep(1);
    assertEquals(log, []);
    await later;
    assertEquals(log, ["runs"]);
    never.close();
  }));

Deno.test("a coroutine runs in the task that awaits it and does not yield by itself", () =>
  run(async () => {
    const log: string[] = [];
    const here = asyncio.current_task();
    asyncio.get_running_loop().call_soon(() => log.push("callback"));
    // Not the task itself is returned: a promise of a task waits for the task.
    const is_here = () => asyncio.current_task() === here;
    const in_async = asyncio.coroutine(async () => [is_here(), await Promise.resolve(), is_here()]);
    const in_generator = asyncio.coroutine(function* () {
      return [is_here(), yield* in_async()];
    });
    assertEquals(await in_generator(), [true, [true, undefined, true]]);
    assertEquals(log, []);
  }));

Deno.test("a coroutine is used once, however it was used", () =>
  run(async () => {
    const uses: ((c: asyncio.Coroutine<number>) => unknown)[] = [
      async (c) => await c,
      (c) => asyncio.create_task(c),
      (c) => c.close(),
      (c) => asyncio.gather(c),
    ];
    for (const make of [double, triple, (n: number) => asyncio.sleep(0, n)]) {
      for (const use of uses) {
        const coroutine = make(1);
        await use(coroutine);
        for (const again of [async () => await coroutine, () => asyncio.create_task(coroutine)]) {
          await assertRejects(
            async () => await again(),
            asyncio.RuntimeError,
            "cannot reuse already awaited coroutine",
          );
        }
      }
    }
  }));

Deno.test("two tasks cannot share a coroutine that runs", () =>
  run(async () => {
    const shared = asyncio.sleep(1, "slept");
    const tasks = [1, 2].map(() => asyncio.create_task(async () => await shared));
    const [first, second] = await asyncio.gather(tasks, { return_exceptions: true });
    assertEquals(first, "slept");
    assert(second instanceof asyncio.RuntimeError);
  }));

Deno.test("async functions and generators nest in each other, values and errors go through", () =>
  run(async () => {
    const bottom = asyncio.coroutine(async (n: number) => {
      await asyncio.sleep(1);
      if (n < 0) throw new asyncio.ValueError("negative");
      return n;
    });
    const middle = asyncio.coroutine(function* (n: number) {
      try {
        return (yield* bottom(n)) + (yield* double(n));
      } catch (error) {
        throw new Error("middle", { cause: error });
      }
    });
    const top = async (n: number) => (await middle(n)) + 1;
    assertEquals(await top(2), 7);
    const error = await assertRejects(() => top(-1), Error, "middle");
    assert(error.cause instanceof asyncio.ValueError);
  }));

Deno.test("cancellation reaches the innermost generator, and its finally blocks run", () =>
  run(async () => {
    const log: string[] = [];
    const level = (depth: number): asyncio.Coroutine<void> =>
      asyncio.coroutine(function* () {
        try {
          yield* depth === 0 ? asyncio.sleep(9) : level(depth - 1);
        } finally {
          log.push(`finally ${depth}`);
          yield* asyncio.sleep(1);
        }
      })();
    const task = asyncio.create_task(level(2));
    await asyncio.sleep(0);
    task.cancel();
    await assertRejects(async () => await task, asyncio.CancelledError);
    assertEquals(log, ["finally 0", "finally 1", "finally 2"]);
    assertEquals(asyncio.get_running_loop().time(), 3);
  }));

Deno.test("a generator coroutine can be driven by hand", () => {
  const log: unknown[] = [];
  const work = asyncio.coroutine(function* (start: number): Generator<unknown, string, unknown> {
    try {
      log.push(yield start);
      log.push(yield start + 1);
    } catch (error) {
      log.push(String(error));
    }
    return "end";
  });
  const coroutine = work(5);
  assertEquals(coroutine.send(), { done: false, value: 5 });
  assertEquals(coroutine.send("a"), { done: false, value: 6 });
  assertEquals(coroutine.throw(new Error("b")), { done: true, value: "end" });
  assertEquals(log, ["a", "Error: b"]);
  assertThrows(() => coroutine.send(), asyncio.RuntimeError, "cannot reuse");
});

Deno.test("Coroutine.send: refuses a value before the coroutine has started, as CPython does", () => {
  const coroutine = asyncio.coroutine(function* (): Generator<unknown, unknown, unknown> {
    return yield "first";
  })();
  assertThrows(
    () => coroutine.send(5),
    TypeError,
    "can't send non-None value to a just-started coroutine",
  );
  assertEquals(coroutine.send(null), { done: false, value: "first" });
  assertEquals(coroutine.send(5), { done: true, value: 5 });
});

Deno.test("an error thrown into a coroutine that has not started comes out, and ends it", () => {
  const log: string[] = [];
  const work = asyncio.coroutine(function* () {
    log.push("ran");
    yield;
  });
  const coroutine = work();
  assertThrows(() => coroutine.throw(new RangeError("in")), RangeError, "in");
  assertThrows(() => coroutine.send(), asyncio.RuntimeError, "cannot reuse");
  assertEquals(log, []);
});

Deno.test("close runs the finally blocks of a started generator, and nothing of one that is not", () => {
  const log: string[] = [];
  const work = asyncio.coroutine(function* () {
    try {
      yield;
    } finally {
      log.push("finally");
    }
  });
  const unstarted = work();
  unstarted.close();
  const started = work();
  started.send();
  started.close();
  started.close();
  assertEquals(log, ["finally"]);
  assertThrows(() => started.send(), asyncio.RuntimeError, "cannot reuse");
});

Deno.test("Coroutine.close: throws if the generator yields while it is closed, as CPython does", () => {
  const clean_up = asyncio.coroutine(function* () {
    yield* asyncio.sleep(0);
  });
  const work = asyncio.coroutine(function* () {
    try {
      yield;
    } finally {
      yield* clean_up();
    }
  });
  const coroutine = work();
  coroutine.send();
  assertThrows(
    () => coroutine.close(),
    asyncio.RuntimeError,
    "coroutine ignored GeneratorExit",
  );
  assertThrows(() => coroutine.send(), asyncio.RuntimeError, "cannot reuse");
});

Deno.test("then, catch and finally start a coroutine, as a promise's", () =>
  run(async () => {
    const fail = asyncio.coroutine(async () => {
      await asyncio.sleep(0);
      throw new Error("bad");
    });
    assertEquals(await double(2).then((n) => n + 1), 5);
    assertEquals(await double(2).then(), 4);
    assertEquals(await triple(2).finally(() => {}), 6);
    assertEquals(await fail().catch((error) => String(error)), "Error: bad");
    assertEquals(await fail().then(() => "", (error) => String(error)), "Error: bad");
    await assertRejects(() => fail().finally(() => {}), Error, "bad");
    assertEquals(await Promise.all([double(1), triple(1), asyncio.sleep(1, "s")]), [2, 3, "s"]);
  }));

Deno.test("outside of any loop a coroutine runs on the default loop", async () => {
  assertEquals(await double(4), 8);
  assertEquals(await triple(4), 12);
  assertEquals(await asyncio.sleep(0.001, "rested"), "rested");
});

Deno.test("coroutine() keeps this, arguments, name and length", () =>
  run(async () => {
    class Account {
      balance = 10;
      deposit = asyncio.coroutine(async function deposit(this: Account, n: number, _m: number) {
        await asyncio.sleep(0);
        return this.balance += n;
      });
    }
    const account = new Account();
    assertEquals(await account.deposit(5, 0), 15);
    assertEquals([account.deposit.name, account.deposit.length], ["deposit", 2]);
    assertEquals(String(account.deposit(1, 0)), "<coroutine object deposit>");
    assertEquals(Deno.inspect(asyncio.sleep(1)), "<coroutine object sleep>");
  }));

Deno.test("coroutine() and functions that return nothing to await give clear errors", () =>
  run(async () => {
    assertThrows(
      () => asyncio.coroutine(3 as never),
      TypeError,
      "Cannot call coroutine(): fn must be a function: received 3",
    );
    function plain() {
      return 5;
    }
    await assertRejects(
      async () => await asyncio.create_task(plain as never),
      TypeError,
      "a coroutine function was expected, but plain() returned 5",
    );
    await assertRejects(
      async () => await asyncio.coroutine(plain as never)(),
      TypeError,
      "plain() returned 5",
    );
  }));

Deno.test("an error thrown before the first await of a plain function fails the await", () =>
  run(async () => {
    const broken = asyncio.coroutine((): Promise<number> => {
      throw new RangeError("at once");
    });
    await assertRejects(async () => await broken(), RangeError, "at once");
    await assertRejects(async () => await asyncio.create_task(broken()), RangeError, "at once");
  }));

Deno.test("what is a coroutine, what is a coroutine function, what can be awaited", () =>
  run(() => {
    const of = (value: unknown) => [
      asyncio.iscoroutine(value),
      asyncio.iscoroutinefunction(value),
      asyncio.isawaitable(value),
    ];
    const unused = [double(1), asyncio.sleep(0)];
    for (const coroutine of unused) {
      assertEquals(of(coroutine), [true, false, true]);
      coroutine.close();
    }
    assertEquals(of(double), [false, true, false]);
    assertEquals(of(triple), [false, true, false]);
    assertEquals(of(async () => {}), [false, true, false]);
    assertEquals(of(function* () {}), [false, false, false]);
    assertEquals(of(seven()), [false, false, false]);
    assertEquals(of(() => {}), [false, false, false]);
    assertEquals(of(async function* () {}), [false, false, false]);
    assertEquals(of(new asyncio.Future()), [false, false, true]);
    assertEquals(of(Promise.resolve()), [false, false, true]);
    assertEquals(of({ then() {} }), [false, false, true]);
    for (const value of [null, undefined, 3, "text", {}]) {
      assertEquals(of(value), [false, false, false]);
    }
  }));

Deno.test("a bare yield gives the others a turn", () =>
  run(async () => {
    const log: string[] = [];
    const work = (name: string) =>
      function* () {
        for (let i = 0; i < 2; i++) {
          log.push(`${name}${i}`);
          yield;
        }
      };
    await asyncio.gather(work("a"), work("b"));
    assertEquals(log, ["a0", "b0", "a1", "b1"]);
  }));

Deno.test("a bare yield gives nothing, whoever runs the generator", () =>
  run(async () => {
    const given: unknown[] = [];
    const work = asyncio.coroutine(function* () {
      given.push(yield);
      given.push(yield null);
    });
    await asyncio.create_task(work());
    await work();
    await Promise.all([work(), work()]);
    await asyncio.create_task(function* () {
      yield* work();
    });
    assertEquals(given, Array(10).fill(undefined));
  }));

Deno.test("a yield of what cannot be waited on fails the task with the reason", () =>
  run(async () => {
    const future = new asyncio.Future<void>();
    const failure = async (value: unknown) => {
      const task = asyncio.create_task(
        function* work() {
          yield value;
        },
        { name: "T" },
      );
      return (await assertRejects(async () => await task, asyncio.RuntimeError)).message;
    };
    const shown = "<Task pending name='T' coro=<work()> cb=[Task.task_wakeup()]>";
    assertEquals(await failure(3), "Task got bad yield: 3");
    assertEquals(
      await failure(future),
      `yield was used instead of yield from in task ${shown} with <Future pending>`,
    );
    assert(
      (await failure(seven())).startsWith(
        `yield was used instead of yield from for generator in task ${shown} with `,
      ),
    );
  }));

Deno.test("such a failure can be caught by the generator, which goes on", () =>
  run(async () => {
    const task = asyncio.create_task(function* () {
      try {
        yield 3;
      } catch {
        yield* asyncio.sleep(1);
      }
      return "recovered";
    });
    assertEquals(await task, "recovered");
  }));

Deno.test("two thousand returns through async functions are one step", () =>
  run(async () => {
    const log: string[] = [];
    const deep = async (depth: number): Promise<number> =>
      depth === 0 ? 0 : 1 + await deep(depth - 1);
    const task = asyncio.create_task(async () => {
      log.push(`depth ${await deep(2000)}`);
    });
    asyncio.get_running_loop().call_soon(() => log.push("callback"));
    await task;
    assertEquals(log, ["depth 2000", "callback"]);
  }));
