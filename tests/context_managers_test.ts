/** `async_with`: what it calls, in which order, and what becomes of results and errors. */

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import * as asyncio from "../mod.ts";
import { run } from "./virtual_time.ts";

/** A manager that keeps what happens to it. */
class Recorder implements asyncio.AsyncContextManager<string> {
  readonly log: unknown[] = [];
  constructor(readonly swallows = false) {}

  async __aenter__(): Promise<string> {
    await asyncio.sleep(1);
    this.log.push("enter");
    return "value";
  }

  async __aexit__(error: unknown): Promise<boolean> {
    await asyncio.sleep(1);
    this.log.push(error === null ? null : String(error));
    return this.swallows;
  }
}

Deno.test("the block gets what the manager gives, and its result is the result", () =>
  run(async () => {
    const manager = new Recorder();
    const result = await asyncio.async_with(manager, async (value) => {
      await asyncio.sleep(1);
      manager.log.push(value);
      return 42;
    });
    assertEquals(result, 42);
    assertEquals(manager.log, ["enter", "value", null]);
  }));

Deno.test("the manager gets the error of the block, which is thrown on", () =>
  run(async () => {
    const manager = new Recorder();
    const error = new TypeError("block");
    const thrown = await assertRejects(async () => {
      await asyncio.async_with(manager, () => Promise.reject(error));
    });
    assert(thrown === error);
    assertEquals(manager.log, ["enter", "TypeError: block"]);
  }));

Deno.test("a true result of the manager swallows the error", () =>
  run(async () => {
    const manager = new Recorder(true);
    const result = await asyncio.async_with(manager, () => Promise.reject(new TypeError("block")));
    assertEquals(result, undefined);
  }));

Deno.test("a true result changes nothing for a block without an error", () =>
  run(async () => {
    assertEquals(await asyncio.async_with(new Recorder(true), () => Promise.resolve(1)), 1);
  }));

Deno.test("a block that throws at once is left as one that rejects", () =>
  run(async () => {
    const manager = new Recorder();
    await assertRejects(async () => {
      await asyncio.async_with(manager, () => {
        throw new TypeError("at once");
      });
    }, TypeError);
    assertEquals(manager.log, ["enter", "TypeError: at once"]);
  }));

Deno.test("an error of the manager replaces that of the block", () =>
  run(async () => {
    const manager: asyncio.AsyncContextManager<null> = {
      __aenter__: () => Promise.resolve(null),
      __aexit__: () => Promise.reject(new RangeError("exit")),
    };
    const block = () => Promise.reject(new TypeError("block"));
    await assertRejects(
      async () => await asyncio.async_with(manager, block),
      RangeError,
      "exit",
    );
  }));

Deno.test("a manager that cannot be entered is not left, and the block does not run", () =>
  run(async () => {
    const manager: asyncio.AsyncContextManager<null> = {
      __aenter__: () => Promise.reject(new RangeError("enter")),
      __aexit__: () => Promise.reject(new Error("never called")),
    };
    await assertRejects(
      async () => await asyncio.async_with(manager, () => Promise.reject(new Error("never run"))),
      RangeError,
    );
  }));

Deno.test("a block that is cancelled leaves its manager, who may wait", () =>
  run(async () => {
    const manager = new Recorder();
    const task = asyncio.create_task(async () => {
      await asyncio.async_with(manager, () => asyncio.sleep(60));
    });
    await asyncio.sleep(5);
    task.cancel();
    await asyncio.wait([task]);
    assert(task.cancelled());
    assertEquals(manager.log, ["enter", "CancelledError"]);
    assertEquals(asyncio.get_running_loop().time(), 6);
  }));

Deno.test("the block may be a function*, a coroutine function or a plain function", () =>
  run(async () => {
    const manager = () => new Recorder();
    const generator = function* (value: string) {
      return value + (yield* asyncio.sleep(1, "!"));
    };
    assertEquals(await asyncio.async_with(manager(), generator), "value!");
    const factory = asyncio.coroutine(async (value: string) => await asyncio.sleep(1, value));
    assertEquals(await asyncio.async_with(manager(), factory), "value");
    assertEquals(await asyncio.async_with(manager(), () => asyncio.sleep(1, "slept")), "slept");
  }));

Deno.test("async_with is a coroutine: nothing happens before it is awaited", () =>
  run(async () => {
    const manager = new Recorder();
    const block = asyncio.async_with(manager, () => Promise.resolve(1));
    assert(asyncio.iscoroutine(block));
    await asyncio.sleep(10);
    assertEquals(manager.log, []);
    assertEquals(await asyncio.create_task(block), 1);
  }));

Deno.test("managers nest, and are left from the inside out", () =>
  run(async () => {
    const lock = new asyncio.Lock();
    const limit = new asyncio.Semaphore(1);
    await asyncio.async_with(lock, () =>
      asyncio.async_with(limit, () => {
        assert(lock.locked() && limit.locked());
        return Promise.resolve();
      }));
    assert(!lock.locked() && !limit.locked());
  }));

Deno.test("what is no manager, or no function, is a type error", () => {
  assertThrows(
    () => asyncio.async_with({} as never, () => Promise.resolve()),
    TypeError,
    "does not support the asynchronous context manager protocol",
  );
  assertThrows(
    () => asyncio.async_with(new Recorder(), 1 as never),
    TypeError,
    "body must be a function",
  );
});

Deno.test("TaskGroup, timeout, aborted_by: code of a loop that belongs to no task cannot enter them by hand", async () => {
  const seen: string[] = [];
  const enter_all = () => {
    for (
      const manager of [
        new asyncio.TaskGroup(),
        asyncio.timeout(1),
        asyncio.aborted_by(new AbortController().signal),
      ]
    ) {
      manager.__aenter__().then(
        () => seen.push(`${manager} is entered`),
        (error) => seen.push(String(error)),
      );
    }
  };
  await asyncio.run(async () => {
    asyncio.get_running_loop().call_soon(enter_all);
    await asyncio.sleep(0.001);
    await asyncio.sleep(0);
  });
  assertEquals(seen, [
    "RuntimeError: TaskGroup <TaskGroup> cannot determine the parent task",
    "RuntimeError: Timeout should be used inside a task",
    "RuntimeError: AbortScope should be used inside a task",
  ]);
});

Deno.test("timeout: a task enters it by hand, and it cancels that task", async () => {
  await asyncio.run(async () => {
    const limit = asyncio.timeout(0.001);
    await limit.__aenter__();
    const error = await asyncio.sleep(60).then(null, (error) => error);
    await assertRejects(async () => await limit.__aexit__(error), asyncio.TimeoutError);
  });
});
