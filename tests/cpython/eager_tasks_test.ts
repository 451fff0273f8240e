/**
 * CPython's own tests of eager tasks and of `staggered_race()` (`test_eager_task_factory.py`, `test_staggered.py` in
 * `Lib/test/test_asyncio`), as far as they make sense here.
 */

// deno-lint-ignore-file require-yield -- coroutines that end in one step

import { assert, assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import * as asyncio from "../../mod.ts";
import { VirtualClockEventLoop } from "../../testing.ts";
import { cancellation_of, run } from "./loops.ts";

const { sleep, staggered_race } = asyncio;

class CountedTask<T> extends asyncio.Task<T> {}

const FACTORIES = {
  "eager_task_factory": [asyncio.eager_task_factory, asyncio.Task],
  "create_eager_task_factory": [asyncio.create_eager_task_factory(CountedTask), CountedTask],
} as const;

const make = <T>(coro: asyncio.CoroutineLike<T>, options: asyncio.TaskOptions = {}) =>
  asyncio.get_running_loop().create_task(coro, options);

const TESTS: Record<string, (Task: typeof asyncio.Task) => Promise<void>> = {
  async "makes the tasks of the loop"(Task) {
    const task = make(function* () {});
    assertEquals([task instanceof Task, task.done()], [true, true]);
    await task;
  },

  async "a future that the first step has settled is awaited afterwards"() {
    const future = new asyncio.Future<string>();
    const task = make(function* () {
      future.set_result("my message");
    });
    assertEquals([task.done(), await future], [true, "my message"]);
  },

  async "a coroutine that need not wait is done at once, and cannot be cancelled"() {
    const task = make(function* () {
      return "hello";
    });
    assertEquals([task.done(), task.cancel(), await task, task.cancelled()], [
      true,
      false,
      "hello",
      false,
    ]);
  },

  async "a coroutine that waits is done later, and can be cancelled where it waits"() {
    const waits = () =>
      make(function* () {
        yield* sleep(0.1);
        return "finished after blocking";
      });
    const task = waits();
    assertEquals([task.done(), await task, task.done()], [false, "finished after blocking", true]);
    const cancelled = waits();
    cancelled.cancel("cancellation message");
    assertEquals(cancelled.cancelling(), 1);
    assertEquals(await cancellation_of(cancelled), ["cancellation message"]);
  },

  async "the current task is the new one in its first step and after it"() {
    const seen: unknown[] = [];
    const task = make(function* () {
      seen.push(asyncio.current_task());
      yield* sleep(0.1);
      seen.push(asyncio.current_task());
    });
    assertStrictEquals(seen[0], task);
    await task;
    assertStrictEquals(seen[1], task);
  },

  async "all_tasks() has a task while it runs, and not when its first step was the last"() {
    let in_step = new Set<unknown>();
    const ends = make(function* () {
      in_step = asyncio.all_tasks();
    });
    assertEquals([in_step.has(ends), asyncio.all_tasks().has(ends)], [true, false]);
    const [first, second] = [new asyncio.Future<void>(), new asyncio.Future<void>()];
    const waits = make(function* () {
      in_step = asyncio.all_tasks();
      yield* first;
      second.set_result();
    });
    assertEquals([in_step.has(waits), asyncio.all_tasks().has(waits)], [true, true]);
    first.set_result();
    await second;
    assertEquals(asyncio.all_tasks().has(waits), false);
  },

  async "what the first step sets in its context its creator does not see"() {
    const variable = new asyncio.ContextVar<number>("variable", { default: 0 });
    const seen: number[] = [];
    variable.set(1);
    const task = make(function* () {
      seen.push(variable.get());
      variable.set(2);
      yield* sleep(0.1);
      seen.push(variable.get());
      variable.set(3);
    });
    assertEquals([seen, variable.get()], [[1], 1]);
    await task;
    assertEquals([seen, variable.get()], [[1, 2], 1]);
  },

  async "eager_start: false leaves the first step to the loop"() {
    const names: (string | undefined)[] = [];
    const work = async () =>
      void await Promise.resolve(names.push(asyncio.current_task()?.get_name()));
    const task = make(work, { eager_start: false, name: "example" });
    assertEquals([task.done(), names.length], [false, 0]);
    await task;
    assertEquals(names, ["example"]);
  },

  async "staggered_race() starts what comes after a failure and after its delay"() {
    const fails = async () => {
      await sleep(0);
      throw new asyncio.ValueError("no good");
    };
    const blocked = async () => await new asyncio.Future<string>();
    const [winner, index, errors] = await staggered_race(
      [blocked, () => sleep(1, "sleep1"), fails],
      0.25,
    );
    assertEquals([winner, index, errors[1]], ["sleep1", 1, null]);
    assert(errors[0] instanceof asyncio.CancelledError && errors[2] instanceof asyncio.ValueError);
    assertEquals(asyncio.get_running_loop().time(), 1.25);
  },

  async "staggered_race() without a delay tries one after the other"() {
    const fails = () => Promise.reject(new asyncio.ValueError("no good"));
    const [winner, index, errors] = await staggered_race(
      [fails, () => sleep(1, "sleep1"), () => sleep(0, "sleep0")],
      null,
    );
    assertEquals([winner, index, errors.length, errors[1]], ["sleep1", 1, 2, null]);
    assert(errors[0] instanceof asyncio.ValueError);
  },
};

for (const [factory_name, [factory, Task]] of Object.entries(FACTORIES)) {
  for (const [name, test] of Object.entries(TESTS)) {
    Deno.test(`${factory_name}: ${name}`, () =>
      asyncio.run(() => test(Task), {
        loop_factory: () => {
          const loop = new VirtualClockEventLoop();
          loop.set_task_factory(factory);
          return loop;
        },
      }));
  }
}

Deno.test("create_task: an eager task in a loop that does not run begins when it runs", async () => {
  const loop = new VirtualClockEventLoop();
  loop.set_task_factory(asyncio.eager_task_factory);
  let has_begun = false;
  const task = loop.create_task(function* () {
    has_begun = true;
  });
  assertEquals([task.done(), has_begun], [false, false]);
  await loop.run_until_complete(task);
  loop.close();
  assertEquals(has_begun, true);
});

// staggered_race

Deno.test("staggered_race: the one that is awake first wins, if others are woken by the same event", () =>
  run(async () => {
    const event = new asyncio.Event();
    const woken = (index: number) => async () => {
      await event.wait();
      return index;
    };
    const sets = async () => {
      event.set();
      await new asyncio.Event().wait();
      return -1;
    };
    const [winner, index, errors] = await staggered_race([woken(0), woken(1), sets], 0.1);
    assertEquals([winner, index, errors.length, errors[0]], [0, 0, 3, null]);
    assert(errors[1] instanceof asyncio.CancelledError);
    assert(errors[2] instanceof asyncio.CancelledError);
  }));

Deno.test("staggered_race: cancelled twice, it passes each cancellation on", () =>
  run(async () => {
    const log: string[] = [];
    const outer = asyncio.timeout(null);
    const inner = asyncio.timeout(null);
    const swallows = async (text: string) => {
      await sleep(0);
      try {
        await sleep(0);
      } catch (error) {
        assert(error instanceof asyncio.CancelledError);
        log.push(text);
      }
    };
    await assertRejects(async () => {
      await asyncio.async_with(outer, () =>
        asyncio.async_with(inner, async () => {
          try {
            await staggered_race([async () => {
              inner.reschedule(-1);
              await swallows("cancelled 1");
              outer.reschedule(-1);
              await swallows("cancelled 2");
            }], null);
          } catch (error) {
            if (error instanceof asyncio.CancelledError) log.push("cancelled 3");
            throw error;
          }
        }));
    }, asyncio.TimeoutError);
    assertEquals(log, ["cancelled 1", "cancelled 2", "cancelled 3"]);
  }));
