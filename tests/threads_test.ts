import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import * as asyncio from "../mod.ts";
import { VirtualClockEventLoop } from "../testing.ts";

/** Waits until a condition holds, a turn of the host at a time. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 1));
}

/** Runs a loop beside the calling code while a body uses it. */
async function beside(body: (loop: asyncio.AbstractEventLoop) => Promise<void>): Promise<void> {
  const loop = asyncio.new_event_loop();
  loop.set_exception_handler(() => {});
  const running = loop.run_forever();
  try {
    await body(loop);
  } finally {
    loop.call_soon_threadsafe(() => loop.stop());
    await running;
    loop.close();
  }
}

Deno.test("a coroutine is handed to a loop, and its result comes back", () =>
  beside(async (loop) => {
    const work = async () => {
      await asyncio.sleep(0.001);
      return asyncio.get_running_loop() === loop;
    };
    const result = asyncio.run_coroutine_threadsafe(work, loop);
    assertEquals([result.done(), String(result)], [false, "<Future pending>"]);
    assertThrows(() => result.result(), asyncio.InvalidStateError);
    assertEquals(await result, true);
    assertEquals([result.done(), result.result(), result.exception()], [true, true, null]);
    assertEquals(result.cancel(), false);
  }));

Deno.test("its error comes back too", () =>
  beside(async (loop) => {
    const fail = async () => {
      await asyncio.sleep(0);
      throw new RangeError("bad");
    };
    const result = asyncio.run_coroutine_threadsafe(fail, loop);
    assertThrows(() => result.exception(), asyncio.InvalidStateError, "Exception is not set.");
    await assertRejects(async () => await result, RangeError, "bad");
    assertEquals(await result.catch(() => "caught"), "caught");
    let ended = false;
    await result.finally(() => ended = true).catch(() => {});
    assertEquals(ended, true);
    assertThrows(() => result.result(), RangeError, "bad");
    assert(result.exception() instanceof RangeError);
    assertEquals(String(result), "<Future finished raised RangeError('bad')>");
  }));

Deno.test("cancelling it cancels the task, and a cancelled task cancels it", () =>
  beside(async (loop) => {
    const log: string[] = [];
    const work = async () => {
      log.push("started");
      try {
        await asyncio.sleep(60);
      } finally {
        log.push("cancelled");
      }
    };
    const result = asyncio.run_coroutine_threadsafe(work, loop);
    await until(() => log.length === 1);
    assertEquals([result.cancel(), result.cancel(), result.cancelled()], [true, true, true]);
    await until(() => log.length === 2);
    assertEquals(log, ["started", "cancelled"]);
    await assertRejects(async () => await result, asyncio.CancelledError);

    const itself = async () => {
      (asyncio.current_task() as asyncio.Task<unknown>).cancel();
      await asyncio.sleep(0);
    };
    const other = asyncio.run_coroutine_threadsafe(itself, loop);
    await assertRejects(async () => await other, asyncio.CancelledError);
    assertEquals([other.cancelled(), other.cancel()], [true, true]);
  }));

Deno.test("one that is cancelled before its turn never starts", () =>
  beside(async (loop) => {
    let started = false;
    const result = asyncio.run_coroutine_threadsafe(async () => {
      started = true;
      await asyncio.sleep(0);
    }, loop);
    result.cancel();
    await new Promise((resolve) => setTimeout(resolve, 2));
    assertEquals(started, false);
  }));

Deno.test("callbacks are called at once, and their errors hurt nobody", () =>
  beside(async (loop) => {
    const log: unknown[] = [];
    const error = console.error;
    console.error = (...args: unknown[]) => log.push(args[0]);
    try {
      const result = asyncio.run_coroutine_threadsafe(asyncio.sleep(0, 1), loop);
      result.add_done_callback(() => {
        throw new Error("ignored");
      });
      result.add_done_callback((future) => log.push(future.result()));
      await result;
      result.add_done_callback(() => log.push("late"));
    } finally {
      console.error = error;
    }
    assertEquals(log, ["exception calling callback for <Future finished>\n", 1, "late"]);
    assertThrows(
      () => asyncio.run_coroutine_threadsafe(asyncio.sleep(0), loop).add_done_callback(1 as never),
      TypeError,
    );
  }));

Deno.test("what is no coroutine is refused, and so is a closed loop", () => {
  const loop = asyncio.new_event_loop();
  assertThrows(
    () => asyncio.run_coroutine_threadsafe(Promise.resolve() as never, loop),
    TypeError,
    "A coroutine object is required",
  );
  loop.close();
  assertThrows(
    () => asyncio.run_coroutine_threadsafe(asyncio.sleep(0), loop),
    asyncio.RuntimeError,
    "closed",
  );
});

Deno.test("a task of one loop waits for work of another, and cancels it", () =>
  beside(async (other) => {
    await asyncio.run(async () => {
      const result = asyncio.run_coroutine_threadsafe(asyncio.sleep(60), other);
      await assertRejects(
        async () => await asyncio.wait_for(asyncio.wrap_future(result), 0.002),
        asyncio.TimeoutError,
      );
      assert(result.cancelled());
    });
  }));

Deno.test("a Worker hands work to a loop by messages", () =>
  beside(async (loop) => {
    const code = `onmessage = ({ data }) => postMessage(data + 1);`;
    const url = URL.createObjectURL(new Blob([code], { type: "text/javascript" }));
    const worker = new Worker(url, { type: "module" });
    const received = new asyncio.Queue<number>();
    worker.onmessage = ({ data }) => loop.call_soon_threadsafe(() => received.put_nowait(data));
    worker.postMessage(41);
    assertEquals(await asyncio.run_coroutine_threadsafe(received.get(), loop), 42);
    worker.terminate();
    URL.revokeObjectURL(url);
  }));

Deno.test("to_thread calls a function in the caller's context and gives its result or error", () =>
  asyncio.run(async () => {
    const user = new asyncio.ContextVar("user", { default: "nobody" });
    user.set("ada");
    assertEquals(
      await asyncio.to_thread((greeting: string) => `${greeting} ${user.get()}`, "hi"),
      "hi ada",
    );
    await assertRejects(
      async () =>
        await asyncio.to_thread(() => {
          throw new RangeError("bad");
        }),
      RangeError,
    );
    assertThrows(() => asyncio.to_thread(1 as never), TypeError);
  }));

Deno.test("an executor that does not end in time is told not to wait", async () => {
  const log: unknown[] = [];
  const { warn } = console;
  console.warn = (...args: unknown[]) => log.push(args.join(" "));
  try {
    await asyncio.run(async () => {
      const loop = asyncio.get_running_loop();
      loop.set_default_executor({
        submit: async (fn, ...args) => await fn(...args),
        shutdown: (options) => {
          log.push(options?.wait);
          return options?.wait ? new Promise<void>(() => {}) : undefined;
        },
      });
      await loop.shutdown_default_executor(0.001);
      assertThrows(() => loop.run_in_executor(null, () => 1), asyncio.RuntimeError, "shutdown");
    });
  } finally {
    console.warn = warn;
  }
  assertEquals(log, [true, "The executor did not finish its work within 0.001 seconds.", false]);
});

Deno.test("shutdown_default_executor: a cancellation at the end of its time is thrown, not taken for the time", () =>
  asyncio.run(async () => {
    const loop = asyncio.get_running_loop();
    const log: unknown[] = [];
    loop.set_default_executor({
      submit: async (fn, ...args) => await fn(...args),
      shutdown: (options) => {
        log.push(options?.wait);
        return options?.wait ? new Promise<void>(() => {}) : undefined;
      },
    });
    const task = asyncio.create_task(loop.shutdown_default_executor(1));
    await asyncio.sleep(0);
    loop.call_at(loop.time() + 1, () => task.cancel());
    await assertRejects(async () => await task, asyncio.CancelledError);
    assertEquals(log, [true]);
  }, { loop_factory: () => new VirtualClockEventLoop() }));

Deno.test("to_thread uses the executor that is set, and the loop ends it", async () => {
  const log: string[] = [];
  const executor: asyncio.Executor = {
    submit: async (fn, ...args) => {
      log.push("submitted");
      return await fn(...args);
    },
    shutdown: async (options) => {
      await Promise.resolve();
      log.push(`shut down ${options?.wait}`);
    },
  };
  await asyncio.run(async () => {
    asyncio.get_running_loop().set_default_executor(executor);
    assertEquals(await asyncio.to_thread(() => 5), 5);
  });
  assertEquals(log, ["submitted", "shut down true"]);
});
