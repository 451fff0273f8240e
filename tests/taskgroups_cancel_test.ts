/** `TaskGroup.cancel()`, as in CPython's main branch, and `TaskGroup.start()`, as in AnyIO. */

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import * as asyncio from "../mod.ts";
import { now, run } from "./virtual_time.ts";

const { async_with, sleep, TaskGroup } = asyncio;

async function errors_of(awaitable: PromiseLike<unknown>): Promise<string[]> {
  const group: asyncio.BaseExceptionGroup = await assertRejects(
    async () => await awaitable,
    asyncio.BaseExceptionGroup,
  );
  return group.exceptions.map(String);
}

Deno.test("TaskGroup.cancel: ends the tasks and the block without an error", () =>
  run(async () => {
    const log: string[] = [];
    const result = await async_with(new TaskGroup(), async (group) => {
      group.create_task(() => sleep(60).catch((error) => log.push(`task: ${error}`)));
      await sleep(1);
      group.cancel("enough");
      await sleep(60).catch((error) => {
        log.push(`block: ${error}`);
        throw error;
      });
    });
    assertEquals(result, undefined);
    assertEquals(log, ["task: CancelledError: enough", "block: CancelledError: enough"]);
    assertEquals([now(), asyncio.current_task()?.cancelling()], [1, 0]);
    await sleep(0);
  }));

Deno.test("TaskGroup.cancel: by a task, and while the group waits at its end", () =>
  run(async () => {
    await async_with(new TaskGroup(), async (group) => {
      group.create_task(sleep(60));
      group.create_task(async () => {
        await sleep(1);
        group.cancel();
        group.cancel();
      });
      await sleep(0);
    });
    assertEquals(now(), 1);
    await sleep(0);
  }));

Deno.test("TaskGroup.cancel: a block that ends by itself keeps its result", () =>
  run(async () => {
    const result = await async_with(new TaskGroup(), (group) => {
      group.cancel();
      return Promise.resolve("result");
    });
    assertEquals([result, asyncio.current_task()?.cancelling()], ["result", 0]);
    await sleep(0);
  }));

Deno.test("TaskGroup.cancel: before the block is entered, it cancels on entry", () =>
  run(async () => {
    const group = new TaskGroup();
    group.cancel({ msg: "early" });
    let message = "";
    await async_with(group, async () => {
      assertThrows(() => group.create_task(sleep(0)), asyncio.RuntimeError, "is shutting down");
      await sleep(60).catch((error) => {
        message = (error as Error).message;
        throw error;
      });
    });
    assertEquals([message, now()], ["early", 0]);
    group.cancel(); // it has ended
    await sleep(0);
  }));

Deno.test("TaskGroup.cancel: errors of tasks and block come all the same", () =>
  run(async () => {
    const errors = await errors_of(async_with(new TaskGroup(), async (group) => {
      group.create_task(() =>
        sleep(60).finally(() => {
          throw new TypeError("task");
        })
      );
      await sleep(0);
      group.cancel();
      await sleep(60).finally(() => {
        throw new RangeError("block");
      });
    }));
    assertEquals(errors, ["TypeError: task", "RangeError: block"]);
    assertEquals(asyncio.current_task()?.cancelling(), 0);
  }));

Deno.test("TaskGroup.cancel: a cancellation from outside stays one, whichever comes first", () =>
  run(async () => {
    for (const first of ["group", "task"]) {
      const group = new TaskGroup();
      const task = asyncio.create_task(async () => {
        await async_with(group, async () => {
          group.create_task(() => sleep(60).finally(() => sleep(1)));
          await sleep(60);
        });
        throw new Error("the cancellation is lost");
      });
      await sleep(1);
      if (first === "group") {
        group.cancel();
        await sleep(0.5);
        task.cancel();
      } else {
        task.cancel();
        group.cancel();
      }
      await asyncio.wait([task]);
      assert(task.cancelled(), first);
      assertEquals(task.cancelling(), 1);
    }
  }));

Deno.test("TaskGroup.cancel: a task that is started eagerly and cancels the group is cancelled", () =>
  run(async () => {
    let ended = false;
    await async_with(new TaskGroup(), async (group) => {
      group.create_task(function* () {
        group.cancel();
        try {
          yield* sleep(60);
        } finally {
          ended = true;
        }
      }, { eager_start: true });
      await sleep(60);
    });
    assertEquals([ended, now()], [true, 0]);
  }));

Deno.test("TaskGroup.start: resolves to what the task reports, and the task runs on in the group", () =>
  run(async () => {
    const log: string[] = [];
    const serve = async (status: asyncio.TaskStatus<string>, port: number) => {
      await sleep(1);
      status.started(`listens on ${port}`);
      log.push("started");
      await sleep(1);
      log.push("ended");
    };
    await async_with(new TaskGroup(), async (group) => {
      assertEquals(await group.start(serve, 80), "listens on 80");
      assertEquals([log, now()], [["started"], 1]);
    });
    assertEquals(log, ["started", "ended"]);
  }));

Deno.test("TaskGroup.start: works with function*, and in a function*", () =>
  run(async () => {
    const task = asyncio.create_task(function* () {
      return yield* async_with(new TaskGroup(), function* (group) {
        return yield* group.start(function* (status: asyncio.TaskStatus<number>) {
          yield* sleep(1);
          status.started(7);
        });
      });
    });
    assertEquals(await task, 7);
  }));

Deno.test("TaskGroup.start: an error before the start is thrown there alone", () =>
  run(async () => {
    await async_with(new TaskGroup(), async (group) => {
      const other = group.create_task(sleep(5, "other"));
      await assertRejects(
        async () =>
          await group.start(async () => {
            await sleep(1);
            throw new TypeError("no port");
          }),
        TypeError,
        "no port",
      );
      assertEquals(await other, "other");
    });
  }));

Deno.test("TaskGroup.start: an error after the start is one of the group", () =>
  run(async () => {
    const errors = await errors_of(async_with(new TaskGroup(), async (group) => {
      await group.start(async (status: asyncio.TaskStatus<void>) => {
        status.started();
        await sleep(1);
        throw new TypeError("crashed");
      });
      await sleep(60);
    }));
    assertEquals([errors, now()], [["TypeError: crashed"], 1]);
  }));

Deno.test("TaskGroup.start: a task that ends without a report, or reports twice, is an error", () =>
  run(async () => {
    await async_with(new TaskGroup(), async (group) => {
      await assertRejects(
        async () => await group.start(async () => {}),
        asyncio.RuntimeError,
        "Child exited without calling task_status.started()",
      );
    });
    const errors = await errors_of(async_with(new TaskGroup(), async (group) => {
      await group.start((status: asyncio.TaskStatus<void>) => {
        status.started();
        return Promise.resolve(status.started());
      });
    }));
    assertEquals(errors, ["RuntimeError: called 'started' twice on the same task status"]);
  }));

Deno.test("TaskGroup.start: cancelled, it cancels the task and waits for its end", () =>
  run(async () => {
    const log: string[] = [];
    const task = asyncio.create_task(async () => {
      await async_with(new TaskGroup(), async (group) => {
        await group.start(async () => {
          try {
            await sleep(60);
          } finally {
            await sleep(2);
            log.push(`cleaned up at ${now()}`);
          }
        });
      });
    });
    await sleep(1);
    task.cancel("outer");
    await sleep(1);
    task.cancel("again");
    await assertRejects(async () => await task, asyncio.CancelledError);
    assertEquals(log, ["cleaned up at 3"]);
  }));

Deno.test("TaskGroup.start: an error of the clean-up of a cancelled start is not lost", () =>
  run(async () => {
    const errors = await errors_of(async_with(new TaskGroup(), async (group) => {
      asyncio.get_running_loop().call_later(1, () => group.cancel());
      await group.start(() =>
        sleep(60).finally(() => {
          throw new TypeError("clean-up");
        })
      );
    }));
    assertEquals(errors, ["TypeError: clean-up"]);
  }));

Deno.test("TaskGroup.start: is refused by a group that takes no tasks", () =>
  run(async () => {
    await assertRejects(
      async () => await new TaskGroup().start(async () => {}),
      asyncio.RuntimeError,
      "has not been entered",
    );
  }));

Deno.test("TaskGroup.start: refuses what is no function at once", () =>
  run(async () => {
    await async_with(new TaskGroup(), async (group) => {
      const begun = (async () => await sleep(1))();
      assertThrows(
        () => group.start(begun as never),
        TypeError,
        "Cannot start a task: fn must be a function: received <Promise object>",
      );
      await begun;
    });
  }));
