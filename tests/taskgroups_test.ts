/** Task groups: waiting for all, errors, cancellation from inside and outside, mistakes. */

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import * as asyncio from "../mod.ts";
import { run } from "./virtual_time.ts";

const { async_with, sleep, TaskGroup } = asyncio;

async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await sleep(0);
}

async function fail(error: unknown, delay = 0): Promise<never> {
  await sleep(delay);
  throw error;
}

/** The errors of the group that an awaitable throws. */
async function errors_of(awaitable: PromiseLike<unknown>): Promise<unknown[]> {
  const group: asyncio.BaseExceptionGroup = await assertRejects(
    async () => await awaitable,
    asyncio.BaseExceptionGroup,
    "unhandled errors in a TaskGroup",
  );
  return group.exceptions;
}

const names = (errors: unknown[]) => errors.map(String);

Deno.test("a group waits for all its tasks and gives what its block returns", () =>
  run(async () => {
    const log: string[] = [];
    const result = await async_with(new TaskGroup(), (group) => {
      for (const delay of [2, 1]) {
        group.create_task(() => sleep(delay).then(() => log.push(`${delay}`)));
      }
      log.push("block done");
      return Promise.resolve("result");
    });
    assertEquals(result, "result");
    assertEquals(log, ["block done", "1", "2"]);
  }));

Deno.test("a group without tasks ends at once", () =>
  run(async () => {
    assertEquals(await async_with(new TaskGroup(), () => Promise.resolve(1)), 1);
  }));

Deno.test("a task of a group may make more tasks, also while the block is over", () =>
  run(async () => {
    const log: string[] = [];
    await async_with(new TaskGroup(), (group) => {
      group.create_task(async () => {
        await sleep(1);
        group.create_task(() => sleep(1).then(() => log.push("grandchild")));
        log.push("child");
      });
      return Promise.resolve();
    });
    assertEquals(log, ["child", "grandchild"]);
  }));

Deno.test("an error of a task cancels the others and the block", () =>
  run(async () => {
    const log: string[] = [];
    const errors = await errors_of(async_with(new TaskGroup(), async (group) => {
      group.create_task(() => sleep(60).finally(() => log.push("other")));
      group.create_task(() => fail(new TypeError("one")));
      await sleep(60).finally(() => log.push("block"));
    }));
    assertEquals(names(errors), ["TypeError: one"]);
    assertEquals(log.toSorted(), ["block", "other"]);
    assertEquals(asyncio.current_task()?.cancelling(), 0);
    await sleep(0);
  }));

Deno.test("an error while the group waits at its end cancels the others", () =>
  run(async () => {
    const errors = await errors_of(async_with(new TaskGroup(), (group) => {
      group.create_task(sleep(60));
      group.create_task(() => fail(new TypeError("late"), 1));
      return Promise.resolve();
    }));
    assertEquals(names(errors), ["TypeError: late"]);
    assertEquals(asyncio.get_running_loop().time(), 1);
    assertEquals(asyncio.current_task()?.cancelling(), 0);
  }));

Deno.test("errors that tasks throw while they are cancelled are added", () =>
  run(async () => {
    const errors = await errors_of(async_with(new TaskGroup(), async (group) => {
      group.create_task(async () => {
        await sleep(60).catch(() => fail(new RangeError("cleanup")));
      });
      group.create_task(() => fail(new TypeError("first")));
      await sleep(60).catch(() => fail(new SyntaxError("block")));
    }));
    assertEquals(names(errors), [
      "TypeError: first",
      "RangeError: cleanup",
      "SyntaxError: block",
    ]);
  }));

Deno.test("an error of the block cancels the tasks and comes in a group", () =>
  run(async () => {
    let task: asyncio.Task<void> | undefined;
    const errors = await errors_of(async_with(new TaskGroup(), async (group) => {
      task = group.create_task(sleep(60));
      await sleep(0);
      throw new TypeError("block");
    }));
    assertEquals(names(errors), ["TypeError: block"]);
    assert(task?.cancelled());
  }));

Deno.test("a task that is cancelled by itself is no error", () =>
  run(async () => {
    await async_with(new TaskGroup(), (group) => {
      group.create_task(sleep(60)).cancel();
      group.create_task(() => fail(new asyncio.CancelledError()));
      return Promise.resolve();
    });
  }));

Deno.test("a cancellation from outside cancels the tasks and stays a cancellation", () =>
  run(async () => {
    const log: string[] = [];
    const outer = asyncio.create_task(() =>
      async_with(new TaskGroup(), async (group) => {
        for (const i of [1, 2, 3]) {
          group.create_task(() => sleep(60).finally(() => log.push(`${i}`)));
        }
        await sleep(0);
      }).then(() => {})
    );
    await turns(4);
    outer.cancel("enough");
    await assertRejects(async () => await outer, asyncio.CancelledError, "enough");
    assertEquals(log, ["1", "2", "3"]);
    assert(outer.cancelled());
    assertEquals(outer.cancelling(), 1);
  }));

Deno.test("a cancellation in the block cancels the tasks", () =>
  run(async () => {
    const tasks: asyncio.Task<void>[] = [];
    const outer = asyncio.create_task(async () => {
      await async_with(new TaskGroup(), async (group) => {
        tasks.push(group.create_task(sleep(60)));
        await sleep(60);
      });
    });
    await turns(2);
    outer.cancel();
    await asyncio.wait([outer]);
    assert(outer.cancelled() && tasks[0]!.cancelled());
  }));

Deno.test("errors that a cancellation from outside brings about go before it", () =>
  run(async () => {
    let after = "";
    const outer = asyncio.create_task(async () => {
      const errors = await errors_of(async_with(new TaskGroup(), async (group) => {
        group.create_task(() => sleep(60).catch(() => fail(new TypeError("cleanup"))));
        await sleep(60);
      }));
      assertEquals(names(errors), ["TypeError: cleanup"]);
      assertEquals(asyncio.current_task()?.cancelling(), 1);
      try {
        await sleep(0);
      } catch (error) {
        after = String(error);
      }
    });
    await turns(2);
    outer.cancel();
    await asyncio.wait([outer]);
    assertEquals(after, "CancelledError");
    assertEquals(outer.exception(), null);
  }));

Deno.test("a second cancellation while the tasks are being cancelled changes nothing for them", () =>
  run(async () => {
    const log: string[] = [];
    const outer = asyncio.create_task(async () => {
      await async_with(new TaskGroup(), async (group) => {
        group.create_task(async () => {
          try {
            await sleep(60);
          } finally {
            await sleep(5);
            log.push("cleaned up");
          }
        });
        await sleep(60);
      });
    });
    await turns(2);
    outer.cancel("first");
    await turns(3);
    outer.cancel("second");
    await assertRejects(async () => await outer, asyncio.CancelledError, "first");
    assertEquals(log, ["cleaned up"]);
  }));

Deno.test("a task that refuses its cancellation is waited for", () =>
  run(async () => {
    const errors = await errors_of(async_with(new TaskGroup(), async (group) => {
      group.create_task(async () => {
        await sleep(60).catch(() => {});
        await sleep(10);
      });
      await sleep(0);
      throw new TypeError("block");
    }));
    assertEquals(errors.length, 1);
    assertEquals(asyncio.get_running_loop().time(), 10);
  }));

Deno.test("an error in an inner group comes as a group in the outer one's", () =>
  run(async () => {
    const errors = await errors_of(async_with(new TaskGroup(), async () => {
      await async_with(new TaskGroup(), async (inner) => {
        inner.create_task(() => fail(new TypeError("deep")));
        await sleep(60);
      });
    }));
    const [inner] = errors;
    assertEquals(errors.length, 1);
    assert(inner instanceof asyncio.ExceptionGroup);
    assertEquals(names((inner as asyncio.ExceptionGroup).exceptions), ["TypeError: deep"]);
  }));

Deno.test("an error of the outer group cancels an inner one and its tasks", () =>
  run(async () => {
    const log: string[] = [];
    const errors = await errors_of(async_with(new TaskGroup(), async (outer) => {
      outer.create_task(() => fail(new TypeError("outer"), 1));
      await async_with(new TaskGroup(), async (inner) => {
        inner.create_task(() => sleep(60).finally(() => log.push("inner task")));
        await sleep(60).finally(() => log.push("inner block"));
      });
    }));
    assertEquals(names(errors), ["TypeError: outer"]);
    assertEquals(log.toSorted(), ["inner block", "inner task"]);
    assertEquals(asyncio.current_task()?.cancelling(), 0);
  }));

Deno.test("KeyboardInterrupt in a task goes before all other errors", async () => {
  const log: string[] = [];
  const main = async () => {
    await async_with(new TaskGroup(), async (group) => {
      group.create_task(() => sleep(60).finally(() => log.push("other")));
      group.create_task(() => fail(new asyncio.KeyboardInterrupt()));
      await sleep(60);
    });
  };
  await assertRejects(() => run(main), asyncio.KeyboardInterrupt);
  assertEquals(log, ["other"]);
});

Deno.test("any other base exception comes in a group of base exceptions", () =>
  run(async () => {
    class Fatal extends asyncio.BaseException {}
    const group = await assertRejects(async () => {
      await async_with(new TaskGroup(), (group) => {
        group.create_task(() => fail(new Fatal()));
        return Promise.resolve();
      });
    }, asyncio.BaseExceptionGroup);
    assert(!(group instanceof asyncio.ExceptionGroup));
    assertEquals(names(group.exceptions), ["Fatal"]);
  }));

Deno.test("a group inside a timeout: the tasks are cancelled and the timeout is what is thrown", () =>
  run(async () => {
    let task: asyncio.Task<void> | undefined;
    await assertRejects(async () => {
      await async_with(asyncio.timeout(5), () =>
        async_with(new TaskGroup(), (group) => {
          task = group.create_task(sleep(60));
          return Promise.resolve();
        }));
    }, asyncio.TimeoutError);
    assert(task?.cancelled());
    assertEquals(asyncio.current_task()?.cancelling(), 0);
  }));

Deno.test("a timeout inside of a group's task fails the group", () =>
  run(async () => {
    const errors = await errors_of(async_with(new TaskGroup(), (group) => {
      group.create_task(() => async_with(asyncio.timeout(1), () => sleep(60)));
      return Promise.resolve();
    }));
    assert(errors[0] instanceof asyncio.TimeoutError);
  }));

Deno.test("tasks are made in an open group only, and a refused coroutine is closed", () =>
  run(async () => {
    const group = new TaskGroup();
    const refuses = async (reason: string) => {
      const coroutine = sleep(0);
      assertThrows(() => group.create_task(coroutine), asyncio.RuntimeError, reason);
      await assertRejects(async () => await coroutine, asyncio.RuntimeError, "cannot reuse");
    };
    await refuses("has not been entered");
    const errors = await errors_of(async_with(group, async () => {
      group.create_task(() => fail(new TypeError("task")));
      await sleep(60).catch(() => refuses("is shutting down"));
    }));
    assertEquals(names(errors), ["TypeError: task"]);
    await refuses("is finished");
  }));

Deno.test("a group is entered once, and by a task", () =>
  run(async () => {
    const group = new TaskGroup();
    await async_with(group, () => Promise.resolve());
    await assertRejects(
      async () => await async_with(group, () => Promise.resolve()),
      asyncio.RuntimeError,
      "has already been entered",
    );
  }));

Deno.test("tasks of a group have names and contexts as create_task gives them", () =>
  run(async () => {
    const variable = new asyncio.ContextVar<string>("variable", { default: "unset" });
    const context = asyncio.copy_context();
    context.run(() => variable.set("in context"));
    await async_with(new TaskGroup(), async (group) => {
      const task = group.create_task(() => Promise.resolve(variable.get()), {
        name: "mine",
        context,
      });
      assertEquals(task.get_name(), "mine");
      assertEquals(await task, "in context");
      assertThrows(() => group.create_task(sleep(0), { nam: "x" } as never), TypeError, "'nam'");
    });
  }));

Deno.test("an eager task of a group that fails at once fails the group", () =>
  run(async () => {
    const errors = await errors_of(async_with(new TaskGroup(), async (group) => {
      // deno-lint-ignore require-yield -- ends before its first wait
      const eager = function* (): Generator<unknown, void, unknown> {
        throw new TypeError("eager");
      };
      const task = group.create_task(eager, { eager_start: true });
      assert(task.done());
      await sleep(60);
    }));
    assertEquals(names(errors), ["TypeError: eager"]);
  }));

Deno.test("a group is shown with its state", () =>
  run(async () => {
    const group = new TaskGroup();
    assertEquals(String(group), "<TaskGroup>");
    await async_with(group, (group) => {
      assertEquals(String(group), "<TaskGroup entered>");
      group.create_task(sleep(1));
      group.create_task(sleep(1));
      assertEquals(Deno.inspect(group), "<TaskGroup tasks=2 entered>");
      return Promise.resolve();
    });
  }));
