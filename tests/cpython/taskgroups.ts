/**
 * CPython's own tests of task groups (`Lib/test/test_asyncio/test_taskgroups.py`), as far as they make sense here, for
 * tasks that start in the next iteration and for eager ones.
 */

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import * as asyncio from "../../mod.ts";
import { without_task } from "./loops.ts";

const { async_with, CancelledError, create_task, sleep, TaskGroup } = asyncio;

class MyError extends Error {
  override name = "MyError";
}
class MyBaseError extends asyncio.BaseException {
  override name = "MyBaseError";
}

const returns = async <T>(delay: number, value: T): Promise<T> => {
  await sleep(delay);
  return value;
};

const throws = async (delay: number, error: Error = new RangeError("division by zero")) => {
  await sleep(delay);
  throw error;
};

/** Sleeps, and notes how it is cancelled. */
const noted = async (log: string[], text: string, delay = 10) => {
  try {
    await sleep(delay);
  } catch (error) {
    if (error instanceof CancelledError) log.push(text);
    throw error;
  }
};

/** Throws when it is cancelled. */
const fails_at_the_end = async (error: Error = new RangeError("of the clean-up")) => {
  try {
    await sleep(10);
  } finally {
    // deno-lint-ignore no-unsafe-finally -- that is what is tested
    throw error;
  }
};

/** The names of the errors of a group, those of groups in it in brackets. */
async function names_of(
  awaitable: PromiseLike<unknown>,
  kind: typeof asyncio.BaseExceptionGroup = asyncio.ExceptionGroup,
): Promise<string> {
  const names = (group: asyncio.BaseExceptionGroup): string =>
    [
      ...new Set(
        group.exceptions.map((error) =>
          error instanceof asyncio.BaseExceptionGroup ? `[${names(error)}]` : (error as Error).name
        ),
      ),
    ].toSorted().join(" ");
  const error = await assertRejects(async () => await awaitable, asyncio.BaseExceptionGroup);
  assert(error instanceof kind);
  return names(error);
}

/** The task of `work`, which is cancelled after a tenth of a second; in an array, since it is a thenable. */
async function cancelled_early(work: () => Promise<unknown>): Promise<[asyncio.Task<unknown>]> {
  const task = create_task(work);
  await sleep(0.1);
  assertEquals(task.done(), false);
  task.cancel();
  await asyncio.wait([task]);
  return [task];
}

/** The tests by their names. */
export const TASK_GROUP_TESTS: Readonly<Record<string, () => Promise<void>>> = {
  async "TaskGroup: waits for tasks of different lengths, made before and after a sleep"() {
    const results = await async_with(new TaskGroup(), async (group) => {
      const first = group.create_task(() => returns(0.1, 42));
      const second = group.create_task(() => returns(0.2, 11));
      await sleep(0.15);
      return [first, second, group.create_task(() => returns(0.2, 12))];
    });
    assertEquals(results.map((task) => task.result()), [42, 11, 12]);
  },

  async "TaskGroup: goes on if one of its tasks is cancelled alone"() {
    const [first, second] = await async_with(new TaskGroup(), async (group) => {
      const cancelled = group.create_task(() => returns(1, 42));
      await sleep(0.15);
      cancelled.cancel();
      return [cancelled, group.create_task(() => returns(0.2, 11))] as const;
    });
    assertEquals([first.cancelled(), second.result()], [true, 11]);
  },

  async "TaskGroup: an error of a task cancels the other tasks, and what follows the block does not run"() {
    const log: string[] = [];
    const runner = create_task(async () => {
      await async_with(new TaskGroup(), (group) => {
        group.create_task(() => throws(0.1));
        group.create_task(() => noted(log, "task", 1));
        return Promise.resolve();
      });
      log.push("after the block");
    });
    assertEquals([await names_of(runner), log], ["RangeError", ["task"]]);
  },

  async "TaskGroup: errors of several tasks cancel the block and come together"() {
    const log: string[] = [];
    const runner = create_task(async () => {
      await async_with(new TaskGroup(), async (group) => {
        for (let count = 0; count < 3; count++) group.create_task(() => throws(0.1));
        group.create_task(() => noted(log, "task", 5));
        await noted(log, "block");
      });
      log.push("after the block");
    });
    const error = await assertRejects(async () => await runner, asyncio.ExceptionGroup);
    assertEquals(error.exceptions.length, 3);
    assertEquals(log.toSorted(), ["block", "task"]);
  },

  async "TaskGroup: cancelled from outside, it cancels its tasks, while it waits and in the block"() {
    for (const in_block of [false, true]) {
      const log: string[] = [];
      const [task] = await cancelled_early(() =>
        async_with(new TaskGroup(), async (group) => {
          for (let count = 0; count < 5; count++) group.create_task(() => noted(log, "task", 5));
          if (in_block) await noted(log, "block");
        })
      );
      const expected = Array.from({ length: 5 }, () => "task");
      if (in_block) expected.unshift("block");
      assertEquals([task.cancelled(), log], [true, expected]);
    }
  },

  async "TaskGroup: errors that a cancellation brings about go before it"() {
    const [task] = await cancelled_early(() =>
      async_with(new TaskGroup(), async (group) => {
        for (let count = 0; count < 5; count++) group.create_task(() => fails_at_the_end());
        await sleep(10);
      })
    );
    assertEquals(await names_of(task), "RangeError");
  },

  async "TaskGroup: an error of the block cancels its tasks, whether or not they have begun"() {
    for (const delay of [0.1, null]) {
      const tasks: asyncio.Task<unknown>[] = [];
      const block = async_with(new TaskGroup(), async (group) => {
        tasks.push(group.create_task(() => returns(1, 42)));
        tasks.push(group.create_task(() => returns(2, 11)));
        if (delay !== null) await sleep(delay);
        throw new RangeError("of the block");
      });
      assertEquals(await names_of(block), "RangeError");
      assertEquals(tasks.map((task) => task.cancelled()), [true, true]);
    }
  },

  async "TaskGroup: cancelled with errors in an inner group, the outer one has a group of them"() {
    for (const has_task of [false, true]) {
      const [task] = await cancelled_early(() =>
        async_with(new TaskGroup(), async (outer) => {
          if (has_task) outer.create_task(sleep(10));
          await async_with(new TaskGroup(), async (inner) => {
            for (let count = 0; count < 5; count++) inner.create_task(() => fails_at_the_end());
            await sleep(10);
          });
        })
      );
      assertEquals(await names_of(task), "[RangeError]");
    }
  },

  async "TaskGroup: an error of the outer group ends the inner one, one of the inner is in a group of its own"() {
    const nested = (outer_delay: number, inner_delay: number) =>
      async_with(new TaskGroup(), async (outer) => {
        outer.create_task(() => throws(outer_delay));
        await async_with(new TaskGroup(), (inner) => {
          inner.create_task(() => throws(inner_delay));
          return Promise.resolve();
        });
      });
    assertEquals(await names_of(nested(0.1, 10)), "RangeError");
    assertEquals(await names_of(nested(10, 0.1)), "[RangeError]");
  },

  async "TaskGroup: an error that comes during the clean-up of a cancelled block is thrown"() {
    const block = () =>
      async_with(new TaskGroup(), async (group) => {
        group.create_task(() => throws(0.3));
        try {
          await sleep(10);
        } catch (error) {
          await sleep(0.5);
          throw error;
        }
      });
    for (const work of [block, async () => await create_task(block)]) {
      const [task] = await cancelled_early(work);
      assertEquals(await names_of(task), "RangeError");
    }
  },

  async "TaskGroup: without tasks, a cancelled block stays cancelled, unless it throws something else"() {
    const log: string[] = [];
    const [plain] = await cancelled_early(() =>
      async_with(new TaskGroup(), () => noted(log, "block"))
    );
    assertEquals([plain.cancelled(), log], [true, ["block"]]);
    const [other] = await cancelled_early(() =>
      async_with(new TaskGroup(), () => fails_at_the_end(new MyError()))
    );
    assertEquals(await names_of(other), "MyError");
  },

  async "TaskGroup: the errors of a task and of the block that it has cancelled come together"() {
    const both = (error: Error) =>
      async_with(new TaskGroup(), async (group) => {
        group.create_task(() => throws(0.1));
        await fails_at_the_end(error);
      });
    assertEquals(await names_of(create_task(() => both(new MyError()))), "MyError RangeError");
    const base = create_task(() => both(new MyBaseError()));
    assertEquals(await names_of(base, asyncio.BaseExceptionGroup), "MyBaseError RangeError");
    await assertRejects(
      async () => await both(new asyncio.KeyboardInterrupt()),
      asyncio.KeyboardInterrupt,
    );
  },

  async "TaskGroup: a base exception of a task and an error of the block make a group of base exceptions"() {
    const block = async_with(new TaskGroup(), async (group) => {
      group.create_task(() => throws(0.1, new MyBaseError()));
      await fails_at_the_end(new TypeError("of the block"));
    });
    assertEquals(await names_of(block, asyncio.BaseExceptionGroup), "MyBaseError TypeError");
  },

  async "TaskGroup: forgets the tasks that are done"() {
    const counts: string[] = [];
    await async_with(new TaskGroup(), async (group) => {
      const count = () => counts.push(/tasks=(\d+)/.exec(String(group))?.[1] ?? "0");
      for (let number = 0; number < 10; number++) {
        await sleep(0.1);
        group.create_task(sleep(0.25));
        if (number === 5) count();
      }
      await sleep(1.35);
      count();
    });
    assertEquals(counts, ["3", "0"]);
  },

  async "TaskGroup.create_task: by its own tasks, when the block has ended, and without an end"() {
    const ended: number[] = [];
    await async_with(new TaskGroup(), (group) => {
      group.create_task(async () => {
        await sleep(0.1);
        for (const delay of [0.1, 0.2]) {
          group.create_task(async () => void ended.push(await returns(delay, delay)));
        }
      });
      return Promise.resolve();
    });
    assertEquals(ended, [0.1, 0.2]);

    let heads = 0;
    const hydra = async (group: asyncio.TaskGroup): Promise<void> => {
      heads++;
      await sleep(0.01);
      group.create_task(() => hydra(group));
      group.create_task(() => hydra(group));
    };
    const hercules = async () => {
      while (heads < 10) await sleep(0.015);
      throw new RangeError("the end");
    };
    const fight = async_with(new TaskGroup(), (group) => {
      group.create_task(() => hydra(group));
      group.create_task(hercules);
      return Promise.resolve();
    });
    assertEquals(await names_of(fight), "RangeError");
    assert(heads >= 10 && heads < 40, `${heads}`);
  },

  async "TaskGroup.create_task: the name is that of the current task, from its first step on"() {
    const names: (string | undefined)[] = [];
    await async_with(new TaskGroup(), (group) => {
      const work = () => Promise.resolve(names.push(asyncio.current_task()?.get_name()));
      const task = group.create_task(work, { name: "example name" });
      assertEquals(task.get_name(), "example name");
      return Promise.resolve();
    });
    assertEquals(names, ["example name"]);
  },

  async "TaskGroup.create_task: tasks run in the context that they are given"() {
    const variable = new asyncio.ContextVar<number>("variable");
    const context = asyncio.copy_context();
    const seen = [context.get(variable, null)];
    await async_with(new TaskGroup(), async (group) => {
      for (const value of [1, 2]) {
        await group.create_task(async () => {
          await sleep(0);
          variable.set(value);
        }, { context });
        seen.push(context.get(variable, null));
      }
    });
    assertEquals(seen, [null, 1, 2]);
  },

  async "TaskGroup.create_task: is refused after the failure of a task"() {
    let is_refused = false;
    const block = async_with(new TaskGroup(), (group) => {
      group.create_task(() => throws(0.001));
      group.create_task(async () => {
        try {
          await sleep(1);
        } catch {
          assertThrows(() => group.create_task(() => throws(0)), asyncio.RuntimeError);
          is_refused = true;
        }
      });
      return Promise.resolve();
    });
    assertEquals([await names_of(block), is_refused], ["RangeError", true]);
  },

  async "TaskGroup.create_task: by a task whose child fails at once, both are cancelled"() {
    let is_cancelled = false;
    const block = async_with(new TaskGroup(), (group) => {
      group.create_task(async () => {
        group.create_task(() => Promise.reject(new MyError("the third task fails")));
        await assertRejects(async () => {
          for (let turn = 0; turn < 4; turn++) await sleep(0);
        }, CancelledError);
        is_cancelled = true;
      });
      return Promise.resolve();
    });
    assertEquals([await names_of(block), is_cancelled], ["MyError", true]);
  },

  async "TaskGroup: an exit of a manager that throws because of the group's cancellation adds its error"() {
    const database = asyncio.asynccontextmanager(async function* () {
      try {
        yield;
      } finally {
        // deno-lint-ignore no-unsafe-finally -- that is what is tested
        throw new MyError("of the exit");
      }
    });
    const main = async () => {
      const error = await assertRejects(
        async () =>
          await async_with(new TaskGroup(), (group) =>
            async_with(database(), async () => {
              group.create_task(() => Promise.reject(new MyError("of the task")));
              await sleep(1);
            })),
        asyncio.ExceptionGroup,
      );
      return [error.exceptions.length, asyncio.current_task()?.cancelling()];
    };
    assertEquals(await create_task(main), [2, 0]);
  },

  async "TaskGroup: is entered once, and not while it is open"() {
    const group = new TaskGroup();
    const enter = () =>
      assertRejects(
        async () => await async_with(group, () => Promise.resolve()),
        asyncio.RuntimeError,
        "has already been entered",
      );
    await async_with(group, async () => void await enter());
    await enter();
  },

  async "TaskGroup.create_task: outside of the block is refused, and the coroutine is closed"() {
    const group = new TaskGroup();
    for (const reason of ["has not been entered", "is finished"]) {
      const coroutine = sleep(0);
      assertThrows(() => group.create_task(coroutine), asyncio.RuntimeError, reason);
      await assertRejects(async () => await coroutine, asyncio.RuntimeError, "cannot reuse");
      if (reason === "has not been entered") await async_with(group, () => Promise.resolve());
    }
  },

  async "TaskGroup: needs a task that enters it"() {
    const group = new TaskGroup();
    const error = await without_task(() => group.__aenter__());
    assert(error.includes("parent task"), error);
    const coroutine = sleep(0);
    assertThrows(() => group.create_task(coroutine), asyncio.RuntimeError, "has not been entered");
  },

  async "TaskGroup: leaves no request for a cancellation behind, nor the cancellation itself"() {
    const current = asyncio.current_task();
    for (const delay of [0, null]) {
      const fail = delay === null
        ? () => Promise.reject(new asyncio.RuntimeError("at once"))
        : () => throws(delay, new asyncio.RuntimeError("later"));
      const block = async_with(new TaskGroup(), (group) => {
        group.create_task(fail);
        return Promise.resolve();
      });
      assertEquals(await names_of(block), "RuntimeError");
      assertEquals(current?.cancelling(), 0);
      await sleep(0);
    }
  },

  async "TaskGroup: nested ones that both fail each take back their own request"() {
    const seen: (number | undefined)[] = [];
    const cancelling = () => asyncio.current_task()?.cancelling();
    const block = async_with(new TaskGroup(), async (outer) => {
      const inner_block = async_with(new TaskGroup(), (inner) => {
        inner.create_task(() => throws(0, new asyncio.RuntimeError("inner")));
        outer.create_task(() => throws(0, new asyncio.ValueError("outer")));
        return Promise.resolve();
      });
      assertEquals(await names_of(inner_block), "RuntimeError");
      seen.push(cancelling());
    });
    assertEquals(await names_of(block), "ValueError");
    assertEquals([...seen, cancelling()], [1, 0]);
  },

  async "TaskGroup: an error and a cancellation from outside: the error is thrown, and the next wait cancelled"() {
    const event = new asyncio.Event();
    const seen: unknown[] = [];
    const inner = create_task(async () => {
      const cancelling = () => asyncio.current_task()?.cancelling();
      const block = async_with(new TaskGroup(), async (group) => {
        group.create_task(async () => {
          event.set();
          await sleep(0);
          throw new asyncio.RuntimeError("of the task");
        });
        await sleep(1);
        seen.push("unreachable");
      });
      seen.push(await names_of(block), cancelling());
      await sleep(1);
      seen.push("unreachable");
    });
    await event.wait();
    seen.push(inner.cancelling());
    inner.cancel();
    seen.push(inner.cancelling());
    await assertRejects(async () => await inner, CancelledError);
    assertEquals([inner.cancelled(), seen], [true, [0, 1, "RuntimeError", 1]]);
  },
};
