/**
 * CPython's own tests of tasks (`Lib/test/test_asyncio/test_tasks.py`), as far as they make sense here and
 * `tests/tasks_test.ts` has none like them. README.md says what is left out.
 */

// deno-lint-ignore-file require-yield -- coroutines that end in one step

import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import * as asyncio from "../../mod.ts";
import { VirtualClockEventLoop } from "../../testing.ts";
import { cancellation_of, record_reports, run, run_briefly, with_loop } from "./loops.ts";

/** What `cancel()` is given, and what the error has of it. */
const MESSAGES: readonly [given: [] | [unknown], args: unknown[]][] = [
  [[], []],
  [[null], []],
  [["my message"], ["my message"]],
  [[5], [5]],
];

const self = () => asyncio.current_task() as asyncio.Task<unknown>;

const a_day = asyncio.coroutine(async function a_day() {
  await asyncio.sleep(86400);
});

// Making tasks

Deno.test("Task: belongs to the loop it is given, whichever that is", () =>
  with_loop(async (loop) => {
    const work = asyncio.coroutine(async () => await Promise.resolve("ok"));
    const other = new VirtualClockEventLoop();
    for (const owner of [loop, other]) {
      const task = new asyncio.Task(work(), { loop: owner });
      assertStrictEquals(task.get_loop(), owner);
      assertEquals(await owner.run_until_complete(task), "ok");
      assertEquals([task.done(), task.result()], [true, "ok"]);
    }
    other.close();
  }));

Deno.test("Task: is a Future, and its subclass takes the same arguments", () =>
  with_loop(async (loop) => {
    class Named<T> extends asyncio.Task<T> {
      override get_name() {
        return `named ${super.get_name()}`;
      }
    }
    const task = new Named(asyncio.sleep(1, "slept"), { loop, name: "T" });
    assert(task instanceof asyncio.Future && asyncio.isfuture(task));
    assertEquals([task.get_name(), await loop.run_until_complete(task)], ["named T", "slept"]);
  }));

Deno.test("Task: subclasses of futures can be awaited, and are cancelled by their own cancel()", () =>
  with_loop(async (loop) => {
    const calls: unknown[] = [];
    class NotedFuture<T> extends asyncio.Future<T> {
      override cancel(msg?: unknown) {
        calls.push(msg);
        return super.cancel(msg);
      }
    }
    const future = new NotedFuture<string>({ loop });
    const wait = asyncio.coroutine(async () => await future);
    loop.call_soon(() => future.set_result("spam"));
    assertEquals(await loop.run_until_complete(new asyncio.Task(wait(), { loop })), "spam");
    const pending = new NotedFuture<string>({ loop });
    for (
      const waits of [
        asyncio.coroutine(async () => await pending)(),
        asyncio.coroutine(function* () {
          yield* new NotedFuture<string>({ loop });
        })(),
      ]
    ) {
      const task = loop.create_task<unknown>(waits);
      await run_briefly(loop);
      task.cancel("why");
      assertEquals(await cancellation_of(loop.run_until_complete(task)), ["why"]);
    }
    assertEquals([calls, pending.cancelled()], [["why", "why"], true]);
  }));

Deno.test("create_task: refuses each time what is no coroutine", () =>
  with_loop((loop) => {
    for (let time = 0; time < 2; time++) {
      assertThrows(() => loop.create_task(123 as never), TypeError, "expected, got 123");
      assertThrows(
        () => new asyncio.Task(123 as never, { loop }),
        TypeError,
        "a coroutine was expected, got 123",
      );
    }
    return Promise.resolve();
  }));

Deno.test("create_task: runs an object that is tagged as a generator, as compilers make them", () =>
  with_loop(async (loop) => {
    for (let time = 0; time < 2; time++) {
      const by_hand = {
        next: () => ({ done: true, value: 42 }),
        return: (value: number) => ({ done: true, value }),
        throw: (error: unknown) => {
          throw error;
        },
        [Symbol.iterator]: () => by_hand,
        [Symbol.toStringTag]: "Generator",
      };
      const task = loop.create_task(by_hand as unknown as Generator<unknown, number, unknown>);
      assertEquals(await loop.run_until_complete(task), 42);
    }
  }));

Deno.test("create_task: a hundred tasks that end at once are all collected by gather()", () =>
  run(async () => {
    const tasks = Array.from({ length: 100 }, (_, n) =>
      asyncio.create_task(function* () {
        return n;
      }));
    assertEquals(await asyncio.gather(tasks), Array.from({ length: 100 }, (_, n) => n));
  }));

Deno.test("Task.get_name: numbers rise, in the order of creation", () =>
  with_loop(async (loop) => {
    const tasks = [loop.create_task(asyncio.sleep(0)), loop.create_task(asyncio.sleep(0))];
    const [first, second] = tasks.map((task) => {
      const [, number] = /^<Task pending name='Task-(\d+)'/.exec(String(task)) ?? [];
      return Number(number);
    }) as [number, number];
    assert(first < second, `${first} ${second}`);
    await loop.run_until_complete(asyncio.gather(tasks));
  }));

Deno.test("Task.set_name: large numbers and containers become strings", () =>
  with_loop(async (loop) => {
    const task = loop.create_task(asyncio.sleep(0), { name: 987654321 as never });
    assertEquals(task.get_name(), "987654321");
    task.set_name(123456789 as never);
    assertEquals(task.get_name(), "123456789");
    await loop.run_until_complete(task);
  }));

Deno.test("Task.toString: a task that was cancelled before its first step is cancelling, then cancelled", () =>
  with_loop(async (loop) => {
    class Dummy {
      static call() {}
    }
    const task = loop.create_task(
      function* notmuch() {
        yield;
        return "abc";
      },
      { name: "T" },
    );
    task.add_done_callback(Dummy.call);
    assertEquals(String(task), "<Task pending name='T' coro=<notmuch()> cb=[call()]>");
    task.cancel();
    assertEquals(String(task), "<Task cancelling name='T' coro=<notmuch()> cb=[call()]>");
    await cancellation_of(loop.run_until_complete(task));
    assertEquals(String(task), "<Task cancelled name='T' coro=<notmuch()>>");
    const finished = loop.create_task(
      function* notmuch() {
        return "abc";
      },
      { name: "T" },
    );
    await loop.run_until_complete(finished);
    assertEquals(String(finished), "<Task finished name='T' coro=<notmuch()> result='abc'>");
  }));

Deno.test("Task.get_coro, Task.get_context: are there still when the task is done", () =>
  with_loop(async (loop) => {
    const coro = asyncio.sleep(0);
    const context = asyncio.copy_context();
    const task = new asyncio.Task(coro, { loop, context });
    await loop.run_until_complete(task);
    assertStrictEquals(task.get_coro(), coro);
    assertStrictEquals(task.get_context(), context);
  }));

Deno.test("Task.exception: has a stack that names the function which threw", () =>
  run(async () => {
    const task = asyncio.create_task(async function culprit() {
      await Promise.resolve();
      throw new RangeError("deep");
    });
    await asyncio.wait([task]);
    assertMatch(String((task.exception() as Error).stack), /culprit/);
  }));

// What a task waits for

Deno.test("Task: awaiting a future of another loop is an error that names both", () =>
  with_loop(async (loop) => {
    const other = new VirtualClockEventLoop();
    const future = other.create_future<void>();
    for (
      const wait of [
        asyncio.coroutine(async () => await future),
        asyncio.coroutine(function* () {
          yield* future;
        }),
      ]
    ) {
      const error = await assertRejects(
        async () => await loop.run_until_complete(wait()),
        asyncio.RuntimeError,
      );
      assertMatch(error.message, /Task .* got Future .* attached/);
    }
    other.close();
  }));

Deno.test("Task: what a function* returns is the result, a future, too", () =>
  with_loop(async (loop) => {
    const future = loop.create_future<string>();
    const returns = loop.create_task(function* () {
      return future;
    });
    const sets = loop.create_task(function* () {
      future.set_result("test");
    });
    await loop.run_until_complete(sets);
    assertStrictEquals(returns.result(), future);
    assertEquals(sets.result(), undefined);
  }));

Deno.test("current_task: tasks that wake each other each see themselves", () =>
  with_loop(async (loop) => {
    assertEquals(asyncio.current_task(loop), null);
    const [first_future, second_future] = [
      loop.create_future<boolean>(),
      loop.create_future<boolean>(),
    ];
    const seen: boolean[] = [];
    const first: asyncio.Task<void> = loop.create_task(async () => {
      seen.push(asyncio.current_task() === first, asyncio.current_task(loop) === first);
      await first_future;
      seen.push(asyncio.current_task() === first);
      second_future.set_result(true);
    });
    const second: asyncio.Task<void> = loop.create_task(async () => {
      seen.push(asyncio.current_task() === second);
      first_future.set_result(true);
      await second_future;
      seen.push(asyncio.current_task() === second, asyncio.current_task(null) === second);
    });
    await loop.run_until_complete(asyncio.wait([first, second]));
    assertEquals(seen, [true, true, true, true, true, true]);
    assertEquals(asyncio.current_task(loop), null);
  }));

// Cancellation

for (const [given, args] of MESSAGES) {
  const shown = given.length === 0 ? "no message" : `the message ${JSON.stringify(given[0])}`;

  Deno.test(`Task.cancel: result() and exception() throw it with ${shown}`, () =>
    with_loop(async (loop) => {
      for (const ask of ["result", "exception"] as const) {
        for (const has_started of [true, false]) {
          const outer = loop.create_task(async () => {
            const task = asyncio.create_task(a_day());
            if (has_started) await asyncio.sleep(0);
            task.cancel(...given);
            await asyncio.wait([task]);
            task[ask]();
          });
          assertEquals(await cancellation_of(loop.run_until_complete(outer)), args);
        }
      }
    }));

  Deno.test(`gather: a task that waits for one of return_exceptions is cancelled with ${shown}`, () =>
    with_loop(async (loop) => {
      const main = async () => {
        const polls = asyncio.create_task(async () => {
          for (let time = 0; time < 1; time += 0.05) {
            await asyncio.gather(asyncio.sleep(0.05), { return_exceptions: true });
          }
        });
        await asyncio.sleep(0.2);
        polls.cancel(...given);
        await polls;
      };
      assertEquals(await cancellation_of(loop.run_until_complete(main)), args);
    }));
}

Deno.test("Task.cancel: what is thrown from the cancellation has it as its cause", () =>
  run(async () => {
    const started = asyncio.get_running_loop().create_future<void>();
    const outer = asyncio.create_task(async () => {
      const inner = asyncio.create_task(async () => {
        started.set_result();
        await asyncio.sleep(10);
      });
      await started;
      asyncio.get_running_loop().call_soon(() => inner.cancel("msg"));
      try {
        await inner;
      } catch (error) {
        throw new asyncio.ValueError("cancelled", { cause: error });
      }
    });
    const error = await assertRejects(async () => await outer, asyncio.ValueError, "cancelled");
    assert(error.cause instanceof asyncio.CancelledError);
    assertEquals([error.cause.args, error.cause.cause], [["msg"], undefined]);
  }));

Deno.test("Task.cancel: true each time while the task is not done, and cancelling() counts", () =>
  with_loop(async (loop) => {
    const task = loop.create_task(asyncio.sleep(10));
    assertEquals([task.cancelling(), /cancelling/.test(String(task))], [0, false]);
    assertEquals([task.cancel(), task.cancelling(), task.cancel()], [true, 1, true]);
    assert(String(task).includes(" cancelling "));
    await cancellation_of(loop.run_until_complete(task));
    assertEquals([task.cancelled(), task.cancel(), loop.time()], [true, false, 0]);
  }));

Deno.test("Task.cancel: called by a callback after the first step it stops the sleep at once", () =>
  with_loop(async (loop) => {
    const task = loop.create_task(async () => {
      await asyncio.sleep(10);
      return 12;
    });
    loop.call_soon(() => task.cancel());
    await cancellation_of(loop.run_until_complete(task));
    assertEquals([task.done(), task.cancelled(), task.cancel(), loop.time()], [
      true,
      true,
      false,
      0,
    ]);
  }));

Deno.test("Task.cancel: between two bare yields it comes at the second", () =>
  with_loop(async (loop) => {
    const steps: number[] = [];
    const task = loop.create_task(function* () {
      steps.push(1);
      yield;
      steps.push(2);
      yield;
      return 12;
    });
    loop.call_soon(() => task.cancel());
    await cancellation_of(loop.run_until_complete(task));
    assertEquals([steps, task.cancelled(), task.cancel()], [[1], true, false]);
  }));

Deno.test("Task.cancel: a future that was cancelled just before makes no difference", () =>
  with_loop(async (loop) => {
    for (const also_task of [false, true]) {
      const future = loop.create_future<void>();
      const task = loop.create_task(async () => {
        await future;
        return 12;
      });
      await run_briefly(loop);
      future.cancel();
      if (also_task) task.cancel();
      await cancellation_of(loop.run_until_complete(task));
      assertEquals([future.cancelled(), task.cancelled(), task.done()], [true, true, true]);
    }
  }));

Deno.test("Task.cancel: cancels the future at once, and code that catches it goes on", () =>
  with_loop(async (loop) => {
    const [first, second, third] = [
      loop.create_future<void>(),
      loop.create_future<void>(),
      loop.create_future<number>(),
    ];
    const catches = loop.create_task(async () => {
      await first;
      try {
        await second;
      } catch {
        return await third;
      }
      return 0;
    });
    await run_briefly(loop);
    first.set_result();
    await run_briefly(loop);
    catches.cancel();
    assertEquals(second.cancelled(), true);
    await run_briefly(loop);
    assertEquals([catches.done(), third.done()], [false, false]);
    third.set_result(42);
    assertEquals(await loop.run_until_complete(catches), 42);
    assertEquals([third.cancelled(), catches.cancelled(), catches.cancelling()], [false, false, 1]);
  }));

Deno.test("Task.cancel: of the current task stops its next wait at once, or its end", () =>
  with_loop(async (loop) => {
    const waits = async () => {
      self().cancel();
      await asyncio.sleep(100);
      return 12;
    };
    const returns = async () => {
      await Promise.resolve(self().cancel());
      return 12;
    };
    for (const work of [waits, returns]) {
      const task = loop.create_task(work);
      assertEquals(task.cancelled(), false);
      await cancellation_of(loop.run_until_complete(task));
      assertEquals([task.done(), task.cancelled(), task.cancel()], [true, true, false]);
    }
    assertEquals(loop.time(), 0);
  }));

Deno.test("Task.cancel: of the current task reaches what the task waits for next, and what that waits for", () =>
  with_loop(async (loop) => {
    const future = loop.create_future<void>();
    let nested: asyncio.Task<void> | undefined;
    const task = loop.create_task(async () => {
      nested = asyncio.create_task(async () => await future);
      await asyncio.sleep(0);
      self().cancel();
      await nested;
    });
    await cancellation_of(loop.run_until_complete(task));
    assertEquals([task.cancelled(), nested?.cancelled(), future.cancelled()], [true, true, true]);
  }));

Deno.test("Task.cancel: reaches through a coroutine that is awaited, and may be caught outside of it", () =>
  with_loop(async (loop) => {
    const future = loop.create_future<void>();
    const log: string[] = [];
    const inner = asyncio.coroutine(async () => {
      try {
        await future;
      } catch (error) {
        log.push("inner");
        throw error;
      }
    });
    const outer = loop.create_task(async () => {
      try {
        await inner();
      } catch {
        log.push("outer");
      }
    });
    await run_briefly(loop);
    outer.cancel();
    await loop.run_until_complete(outer);
    assertEquals([log, future.cancelled(), outer.cancelled()], [["inner", "outer"], true, false]);
  }));

Deno.test("Task.cancel: the error that a task ends with instead leaves the loop if it is a KeyboardInterrupt", () =>
  with_loop(async (loop) => {
    const interrupt = new asyncio.KeyboardInterrupt();
    const task = loop.create_task(async () => {
      try {
        await asyncio.sleep(10);
      } catch {
        throw interrupt;
      }
    });
    await run_briefly(loop);
    task.cancel();
    assertEquals(task.done(), false);
    await assertRejects(() => run_briefly(loop), asyncio.KeyboardInterrupt);
    assertEquals([task.done(), task.cancelled()], [true, false]);
    assertStrictEquals(task.exception(), interrupt);
  }));

Deno.test("Task.cancel: called late on a task that has failed, its error is not reported", () =>
  with_loop(async (loop) => {
    const reports = record_reports(loop);
    await loop.run_until_complete(async () => {
      const task = asyncio.create_task(() => Promise.reject(new TypeError("of the task")));
      await asyncio.sleep(0.05);
      assertEquals(task.cancel(), false);
    });
    loop.close();
    assertEquals(reports, []);
  }));

Deno.test("Task.uncancel: the task goes on, is no longer cancelling, and can be cancelled again", () =>
  with_loop(async (loop) => {
    const task = loop.create_task(async () => {
      try {
        await asyncio.sleep(10);
      } catch {
        self().uncancel();
        await asyncio.sleep(10);
      }
    });
    const states = () => [task.cancelling(), / cancelling /.test(String(task)), task.cancelled()];
    await loop.run_until_complete(asyncio.sleep(0.01));
    assertEquals([task.cancel(), ...states()], [true, 1, true, false]);
    await loop.run_until_complete(asyncio.sleep(0.01));
    assertEquals(states(), [0, false, false]);
    assertEquals([task.cancel(), ...states()], [true, 1, true, false]);
    await cancellation_of(loop.run_until_complete(task));
    assertEquals([task.cancelled(), task.done()], [true, true]);
    assertEquals([task.uncancel(), task.cancelled(), task.done()], [0, true, true]);
  }));

Deno.test("Task.uncancel: takes back a cancellation that came when the wait was over", () =>
  with_loop(async (loop) => {
    for (
      const wait of [
        (future: asyncio.Future<void>) =>
          asyncio.coroutine(async () => {
            await future;
            return 42;
          })(),
        (future: asyncio.Future<void>) =>
          asyncio.coroutine(function* () {
            yield* future;
            return 42;
          })(),
      ]
    ) {
      const future = loop.create_future<void>();
      const task = loop.create_task<number>(wait(future));
      await loop.run_until_complete(asyncio.sleep(0));
      future.set_result();
      task.cancel();
      assertEquals([task.cancelling(), task.uncancel()], [1, 0]);
      assertEquals(await loop.run_until_complete(task), 42);
    }
  }));

Deno.test("Task.uncancel: is enough to write a time limit by hand", () =>
  with_loop(async (loop) => {
    const limited = (seconds: number, limit: number) => async () => {
      const log: string[] = [];
      const task = self();
      let is_over = false;
      const timer = loop.call_later(limit, () => {
        is_over = true;
        task.cancel();
      });
      try {
        await asyncio.sleep(seconds);
        log.push("the block has ended");
      } catch (error) {
        if (!(error instanceof asyncio.CancelledError && is_over && task.uncancel() === 0)) {
          throw error;
        }
        log.push("timed out");
      } finally {
        timer.cancel();
      }
      await asyncio.sleep(0);
      log.push(`goes on, ${task.cancelling()} requests`);
      return log;
    };
    const late = loop.create_task(limited(10, 0.1));
    assertEquals(await loop.run_until_complete(late), ["timed out", "goes on, 0 requests"]);
    const early = loop.create_task(limited(0, 10));
    const in_time = ["the block has ended", "goes on, 0 requests"];
    assertEquals(await loop.run_until_complete(early), in_time);
    assertEquals([late.cancelling(), early.cancelling(), loop.time()], [0, 0, 0.1]);
  }));

Deno.test("loop.stop: in a task, the task goes on when the loop runs again", () =>
  with_loop(async (loop) => {
    let rounds = 0;
    const task = loop.create_task(async () => {
      while (rounds < 10) {
        await asyncio.sleep(0.125);
        rounds += 1;
        if (rounds === 2) loop.stop();
      }
    });
    const error = await assertRejects(
      () => loop.run_until_complete(task),
      asyncio.RuntimeError,
    );
    assertEquals(error.message, "Event loop stopped before Future completed.");
    assertEquals([task.done(), rounds, loop.time()], [false, 2, 0.25]);
    task.cancel();
    await cancellation_of(loop.run_until_complete(task));
    assertEquals(rounds, 2);
  }));

// Contexts

Deno.test("Task: what it sets in its context its creator does not see", () =>
  run(async () => {
    const variable = new asyncio.ContextVar<string>("variable", { default: "nope" });
    assertEquals(variable.get(), "nope");
    const task = asyncio.create_task(async () => {
      await asyncio.sleep(0.01);
      assertEquals(variable.get(), "nope");
      variable.set("something else");
    });
    variable.set("yes");
    await task;
    assertEquals(variable.get(), "yes");
  }));

Deno.test("Future.add_done_callback: what a callback sets the task that added it does not see", () =>
  run(async () => {
    const variable = new asyncio.ContextVar<string>("variable", { default: "nope" });
    const loop = asyncio.get_running_loop();
    for (let round = 0; round < 2; round++) {
      const future = loop.create_future<null>();
      future.add_done_callback(() => variable.set("something else"));
      variable.set(`yes${round}`);
      loop.call_soon(() => future.set_result(null));
      await future;
      assertEquals(variable.get(), `yes${round}`);
      for (let inner = 0; inner < 3; inner++) {
        variable.set(`yes${inner}-${round}`);
        await asyncio.sleep(0.001);
        assertEquals(variable.get(), `yes${inner}-${round}`);
      }
    }
  }));

Deno.test("Task: a hundred tasks each have a context of their own", () =>
  run(async () => {
    const variable = new asyncio.ContextVar<number>("variable", { default: -1 });
    await asyncio.gather(Array.from({ length: 100 }, (_, number) => async () => {
      for (let round = 0; round < 10; round++) {
        variable.set(number + round);
        await asyncio.sleep(((number * 7 + round * 3) % 50) / 1000);
        assertEquals(variable.get(), number + round);
      }
    }));
    assertEquals(variable.get(), -1);
  }));

const MAKERS = {
  "new Task": (coro, options) => new asyncio.Task(coro, options),
  "create_task": (coro, options) => asyncio.create_task(coro, options),
  "loop.create_task": (coro, options) => asyncio.get_running_loop().create_task(coro, options),
} satisfies Record<
  string,
  (coro: asyncio.Coroutine<void>, options: { context: asyncio.Context }) => asyncio.Task<void>
>;

for (const [name, make] of Object.entries(MAKERS)) {
  Deno.test(`${name}: runs in the context that it is given, one after the other`, () =>
    run(async () => {
      const variable = new asyncio.ContextVar<number>("variable");
      const sets = asyncio.coroutine(async (value: number) => {
        await asyncio.sleep(0);
        variable.set(value);
      });
      const context = asyncio.copy_context();
      const seen = [context.get(variable, null)];
      for (const value of [1, 2]) {
        await make(sets(value), { context });
        seen.push(context.get(variable, null));
      }
      assertEquals(seen, [null, 1, 2]);
    }));
}

Deno.test("Task: eager_start runs the first step in the constructor, false leaves it to the loop", () =>
  run(async () => {
    let name: string | undefined;
    const work = asyncio.coroutine(function* () {
      name = self().get_name();
    });
    const loop = asyncio.get_running_loop();
    const lazy = new asyncio.Task(work(), { loop, eager_start: false, name: "example" });
    assertEquals([lazy.done(), name], [false, undefined]);
    await lazy;
    assertEquals(name, "example");
    const eager = new asyncio.Task(work(), { loop, eager_start: true, name: "eager" });
    assertEquals([eager.done(), name], [true, "eager"]);
    await eager;
  }));
