/**
 * CPython's own tests of the loop (`Lib/test/test_asyncio/test_base_events.py`, `test_events.py`), as far as they
 * make sense here and `tests/base_events_test.ts` and `tests/events_test.ts` have none like them.
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
import { console_of } from "../console.ts";
import { cancellation_of, record_reports, run, run_briefly, with_loop } from "./loops.ts";

function zero_error(future?: asyncio.Future<boolean>): void {
  future?.set_result(true);
  throw new RangeError("division by zero");
}

// Callbacks and timers

Deno.test("loop.call_soon: gives a Handle, and its arguments to the callback", () =>
  with_loop(async (loop) => {
    const seen: unknown[] = [];
    const handle = loop.call_soon(
      (word: string, number: number) => {
        seen.push(word, number);
        loop.stop();
      },
      "hello",
      5,
    );
    assert(handle instanceof asyncio.Handle && !(handle instanceof asyncio.TimerHandle));
    await loop.run_forever();
    assertEquals(seen, ["hello", 5]);
  }));

Deno.test("loop.call_later, loop.call_at: give a TimerHandle, and refuse a time that is none", () =>
  with_loop((loop) => {
    const handle = loop.call_later(10, () => {});
    assert(handle instanceof asyncio.TimerHandle);
    assertEquals([handle.when(), loop.call_at(5, () => {}).when()], [10, 5]);
    for (const wrong of [null, undefined, "1"]) {
      assertThrows(() => loop.call_later(wrong as never, () => {}), TypeError);
      assertThrows(() => loop.call_at(wrong as never, () => {}), TypeError);
    }
    return Promise.resolve();
  }));

Deno.test("loop.call_later: of negative delays the longest is first", () =>
  with_loop(async (loop) => {
    const calls: string[] = [];
    loop.call_later(-1, (name: string) => calls.push(name), "a");
    loop.call_later(-2, (name: string) => calls.push(name), "b");
    await run_briefly(loop);
    assertEquals(calls, ["b", "a"]);
  }));

Deno.test("loop.call_at: a callback that a timer schedules runs in the next iteration", () =>
  with_loop(async (loop) => {
    const log: string[] = [];
    loop.call_at(-1, () => {
      log.push("timer");
      loop.call_soon(() => log.push("callback"));
      loop.stop();
    });
    await loop.run_forever();
    assertEquals(log, ["timer"]);
    await run_briefly(loop);
    assertEquals(log, ["timer", "callback"]);
  }));

Deno.test("TimerHandle.cancel: of many timers only those run which were not cancelled, whenever that was", () =>
  with_loop(async (loop) => {
    const ran: string[] = [];
    const timers = (delay: number, count: number, name: string) =>
      Array.from({ length: count }, () => loop.call_later(delay, () => ran.push(name)));
    const cancel = (handles: asyncio.TimerHandle[]) => handles.forEach((handle) => handle.cancel());
    timers(3000, 1, "blocks");
    cancel(timers(3600, 2, "cancelled behind"));
    cancel(timers(100, 2, "cancelled at the head"));
    await run_briefly(loop);
    timers(3600, 49, "kept");
    cancel(timers(3600, 51, "cancelled, enough to be removed"));
    await run_briefly(loop);
    assertEquals(ran, []);
    await loop.run_until_complete(asyncio.sleep(4000));
    assertEquals(ran, ["blocks", ...Array.from({ length: 49 }, () => "kept")]);
  }));

Deno.test("Handle.toString: of a cancelled one without a callback, of a timer with its time", () =>
  with_loop((loop) => {
    function noop() {}
    const handle = loop.call_soon(noop);
    const timer = loop.call_at(123, noop);
    assertEquals([String(handle), String(timer)], [
      "<Handle noop()>",
      "<TimerHandle when=123 noop()>",
    ]);
    for (let time = 0; time < 2; time++) {
      handle.cancel();
      timer.cancel();
      assertEquals([handle.cancelled(), timer.cancelled()], [true, true]);
      assertEquals([String(handle), String(timer)], [
        "<Handle cancelled>",
        "<TimerHandle cancelled when=123>",
      ]);
    }
    return Promise.resolve();
  }));

Deno.test("loop.call_soon, loop.call_soon_threadsafe, loop.call_later, loop.call_at, loop.run_in_executor: debug mode refuses coroutines and what is no function", () =>
  with_loop(async (loop) => {
    loop.set_debug(true);
    const coroutine = asyncio.sleep(1);
    for (const wrong of [async () => {}, coroutine, 1]) {
      const callback = wrong as () => void;
      assertThrows(() => loop.call_soon(callback), TypeError);
      assertThrows(() => loop.call_soon_threadsafe(callback), TypeError);
      assertThrows(() => loop.call_later(60, callback), TypeError);
      assertThrows(() => loop.call_at(loop.time() + 60, callback), TypeError);
      await assertRejects(async () => await loop.run_in_executor(null, callback), TypeError);
    }
    assertThrows(() => loop.call_soon(1 as never), TypeError, "a function was expected");
    coroutine.close();
  }));

Deno.test("loop.set_debug: is what get_debug() gives, and what new loops have not", () =>
  with_loop((loop) => {
    assertEquals(loop.get_debug(), false);
    loop.set_debug(true);
    assertEquals(loop.get_debug(), true);
    loop.set_debug(false);
    assertEquals(loop.get_debug(), false);
    return Promise.resolve();
  }));

Deno.test("loop.slow_callback_duration: of 0 each callback and each step of a task is slow", async () => {
  const lines = await console_of(
    "warn",
    () =>
      with_loop(async (loop) => {
        loop.set_debug(true);
        loop.slow_callback_duration = 0;
        loop.call_soon(function stop_loop() {
          loop.stop();
        });
        await loop.run_forever();
        loop.create_task(
          asyncio.coroutine(async function stop_loop_coro() {
            await Promise.resolve(loop.stop());
          })(),
        );
        await loop.run_forever();
      }),
  );
  assertMatch(`${lines[0]}`, /^Executing <Handle.*stop_loop.*> took .* seconds$/);
  assert(
    lines.some((line) => /^Executing <Task.*stop_loop_coro.*> took .* seconds$/.test(line)),
    lines.join("\n"),
  );
});

// Running

Deno.test("loop.run_until_complete: refuses what cannot be awaited, and a future of another loop", () =>
  with_loop(async (loop) => {
    await assertRejects(async () => await loop.run_until_complete("blah" as never), TypeError);
    const other = new VirtualClockEventLoop();
    const future = loop.create_future<void>();
    await assertRejects(async () => await other.run_until_complete(future), asyncio.ValueError);
    other.close();
  }));

Deno.test("loop.run_until_complete: inside of a running loop is an error, and so is another loop", () =>
  with_loop(async (loop) => {
    const other = new VirtualClockEventLoop();
    const is_running = "This event loop is already running";
    const inner = async () => {
      assert(loop.is_running());
      await loop.run_until_complete(asyncio.sleep(0));
    };
    await assertRejects(
      async () => await loop.run_until_complete(inner),
      asyncio.RuntimeError,
      is_running,
    );
    const outer = async () => {
      const running = asyncio.get_running_loop();
      await assertRejects(
        async () => await other.run_forever(),
        asyncio.RuntimeError,
        "Cannot run the event loop while another loop is running",
      );
      assertStrictEquals(asyncio.get_running_loop(), running);
    };
    await loop.run_until_complete(outer);
    other.close();
  }));

Deno.test("loop.run_until_complete: a loop that an exception has left can be used again", () =>
  with_loop(async (loop) => {
    const slow = asyncio.coroutine(async (delay: number) => await asyncio.sleep(delay));
    loop.call_soon(() => {
      throw new asyncio.KeyboardInterrupt();
    });
    await assertRejects(
      async () => await loop.run_until_complete(slow(0.1)),
      asyncio.KeyboardInterrupt,
    );
    // The first future, which is done at 0.1, does not end the second run.
    await loop.run_until_complete(slow(0.2));
    assertEquals(loop.time(), 0.2);
  }));

Deno.test("loop.run_until_complete: a KeyboardInterrupt of the task is not reported, and stops nothing later", () =>
  with_loop(async (loop) => {
    const reports = record_reports(loop);
    const interrupted = asyncio.coroutine(async () => {
      await Promise.reject(new asyncio.KeyboardInterrupt());
    });
    const immediately = asyncio.coroutine(function* () {
      throw new asyncio.KeyboardInterrupt();
    });
    for (const work of [interrupted, immediately]) {
      await assertRejects(
        async () => await loop.run_until_complete<unknown>(work()),
        asyncio.KeyboardInterrupt,
      );
      let is_called = false;
      loop.call_soon(() =>
        loop.call_soon(() => {
          is_called = true;
          loop.stop();
        })
      );
      await loop.run_forever();
      assertEquals(is_called, true);
    }
    loop.close();
    assertEquals(reports, []);
  }));

Deno.test("loop.run_until_complete: a task that stops the loop and waits is not complete", () =>
  with_loop(async (loop) => {
    await assertRejects(
      async () =>
        await loop.run_until_complete(async () => {
          loop.stop();
          await asyncio.sleep(0.1);
        }),
      asyncio.RuntimeError,
      "Event loop stopped before Future completed.",
    );
  }));

Deno.test("loop.run_forever: stop() by a callback ends it after one iteration, each time", () =>
  with_loop(async (loop) => {
    let count = 0;
    loop.call_soon(() => count++);
    for (let time = 1; time < 3; time++) {
      loop.call_soon(() => loop.stop());
      await loop.run_forever();
      assertEquals(count, 1);
    }
  }));

Deno.test("loop.close: inside of the running loop is an error, and the loop stays open", () =>
  with_loop(async (loop) => {
    await assertRejects(
      async () => await loop.run_until_complete(async () => await Promise.resolve(loop.close())),
      asyncio.RuntimeError,
      "Cannot close a running event loop",
    );
    assertEquals(loop.is_closed(), false);
  }));

Deno.test("loop.close: futures can still be made, and no handler of a signal be added", async () => {
  const loop = new VirtualClockEventLoop();
  loop.close();
  const future = loop.create_future<void>();
  await assertRejects(
    async () => await loop.run_until_complete(future),
    asyncio.RuntimeError,
    "Event loop is closed",
  );
  assertThrows(() => loop.add_signal_handler("SIGTERM", () => {}), asyncio.RuntimeError);
});

Deno.test("loop.close: what an executor still does is not given to a closed loop", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const loop = new asyncio.EventLoop();
  const reports = record_reports(loop);
  const work = loop.run_in_executor(null, () => promise);
  await run_briefly(loop);
  work.cancel();
  await run_briefly(loop);
  loop.close();
  resolve();
  await promise;
  assertEquals([work.cancelled(), reports], [true, []]);
});

Deno.test("loop.shutdown_default_executor: after its timeout it warns and goes on", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const lines = await console_of(
    "warn",
    () =>
      with_loop(async (loop) => {
        loop.set_default_executor({
          submit: (fn, ...args) => Promise.resolve(fn(...args)) as never,
          shutdown: () => promise,
        });
        await loop.run_until_complete(loop.shutdown_default_executor(0.01));
        assertEquals(loop.time(), 0.01);
      }),
  );
  resolve();
  assertEquals(lines.length, 1);
  assertMatch(
    lines[0]!,
    /The executor did not finish its work within 0\.01 seconds/,
  );
});

Deno.test("get_event_loop: the running loop, or the one that is set", () =>
  with_loop(async (loop) => {
    assertThrows(() => asyncio.get_running_loop(), asyncio.RuntimeError, "no running");
    await loop.run_until_complete(function* () {
      assertStrictEquals(asyncio.get_event_loop(), loop);
      assertStrictEquals(asyncio.get_running_loop(), loop);
    });
    asyncio.set_event_loop(loop);
    try {
      assertStrictEquals(asyncio.get_event_loop(), loop);
    } finally {
      asyncio.set_event_loop(null);
    }
    assert(asyncio.get_event_loop() !== loop);
    assertThrows(() => asyncio.get_running_loop(), asyncio.RuntimeError, "no running");
    assertThrows(() => asyncio.set_event_loop({} as never), TypeError);
  }));

Deno.test("new_event_loop: is new each time, and is not the current one", () => {
  const [first, second] = [asyncio.new_event_loop(), asyncio.new_event_loop()];
  assert(first !== second && asyncio.get_event_loop() !== first);
  assert(first instanceof asyncio.EventLoop);
  first.close();
  second.close();
});

// Errors

for (
  const schedule of [
    (loop: asyncio.EventLoop, future: asyncio.Future<boolean>) =>
      loop.call_soon(zero_error, future),
    (loop: asyncio.EventLoop, future: asyncio.Future<boolean>) =>
      loop.call_later(0.01, zero_error, future),
  ]
) {
  const name = /call_\w+/.exec(String(schedule))?.[0];
  Deno.test(`loop.default_exception_handler: writes what a callback of ${name} throws, and the loop goes on`, async () => {
    const lines = await console_of("error", () =>
      with_loop(async (loop) => {
        const future = loop.create_future<boolean>();
        schedule(loop, future);
        future.add_done_callback(() => loop.stop());
        await loop.run_forever();
        assertEquals(future.result(), true);
      }));
    assertEquals(lines.length, 1);
    assertMatch(lines[0]!, /^Exception in callback.*zero[^]*RangeError: division by zero/);
  });
}

Deno.test("loop.set_exception_handler: a handler gets the loop, the error and the handle; null resets it", async () => {
  const reports: [unknown, asyncio.ExceptionContext][] = [];
  const lines = await console_of("error", () =>
    with_loop(async (loop) => {
      loop.set_debug(true);
      assertThrows(
        () => loop.set_exception_handler("spam" as never),
        TypeError,
        "A function or null is expected",
      );
      loop.set_exception_handler((...report) => reports.push(report));
      const handle = loop.call_soon(zero_error);
      await run_briefly(loop);
      loop.set_exception_handler(null);
      loop.call_soon(zero_error);
      await run_briefly(loop);
      assertEquals(reports.length, 1);
      const [told_loop, context] = reports[0]!;
      assertStrictEquals(told_loop, loop);
      assertStrictEquals(context.handle, handle);
      assert(context.exception instanceof RangeError);
      assertMatch(`${context.message}`, /^Exception in callback.*zero_error/);
      assertEquals(Object.keys(context).toSorted(), [
        "exception",
        "handle",
        "message",
        "source_traceback",
      ]);
    }));
  assertEquals(lines.length, 1);
  assertMatch(lines[0]!, /Exception in callback.*zero/);
});

Deno.test("loop.default_exception_handler: one of a subclass that throws is written, and so is the handler's own error", async () => {
  const told: asyncio.ExceptionContext[] = [];
  class Broken extends VirtualClockEventLoop {
    override default_exception_handler(context: asyncio.ExceptionContext): void {
      told.push(context);
      throw new asyncio.ValueError("spam");
    }
  }
  const loop = new Broken();
  const fail = async () => {
    loop.call_soon(zero_error);
    await run_briefly(loop);
  };
  const by_default = await console_of("error", fail);
  assertEquals(by_default.length, 1);
  assertMatch(by_default[0]!, /^Exception in default exception handler[^]*ValueError: spam/);
  loop.set_exception_handler(() => {
    throw new asyncio.ValueError("ham");
  });
  const by_both = await console_of("error", fail);
  loop.close();
  assertEquals(by_both.length, 1);
  assertMatch(
    by_both[0]!,
    /^Exception in default exception handler while handling an unexpected error in custom exception handler/,
  );
  assertEquals(told.length, 2);
  const original = told[1]!["context"] as asyncio.ExceptionContext;
  assert(
    original.exception instanceof RangeError && told[1]!.exception instanceof asyncio.ValueError,
  );
});

// Tasks

Deno.test("loop.set_task_factory: what is no function is refused, and changes nothing", () =>
  with_loop((loop) => {
    assertThrows(
      () => loop.set_task_factory(1 as never),
      TypeError,
      "task factory must be a function or null",
    );
    assertEquals(loop.get_task_factory(), null);
    return Promise.resolve();
  }));

Deno.test("loop.set_task_factory: makes tasks of a class of one's own, with their names", () =>
  with_loop(async (loop) => {
    class MyTask<T> extends asyncio.Task<T> {}
    loop.set_task_factory((loop, coro, options) => new MyTask(coro, { ...options, loop }));
    const mine = loop.create_task(asyncio.sleep(0), { name: "test_task" });
    assertEquals([mine instanceof MyTask, mine.get_name()], [true, "test_task"]);
    loop.set_task_factory(null);
    const usual = loop.create_task(asyncio.sleep(0), { name: "usual" });
    assertEquals([usual instanceof MyTask, usual.get_name()], [false, "usual"]);
    await loop.run_until_complete(asyncio.gather(mine, usual));
  }));

Deno.test("loop.create_task: one of a subclass makes the tasks of ensure_future(), gather() and the like", async () => {
  class MyTask<T> extends asyncio.Task<T> {}
  class MyLoop extends VirtualClockEventLoop {
    override create_task<T>(
      coro: asyncio.CoroutineLike<T>,
      options: asyncio.TaskOptions = {},
    ): asyncio.Task<T> {
      return new MyTask(coro, { ...options, loop: this });
    }
  }
  const loop = new MyLoop();
  const task = asyncio.ensure_future(asyncio.sleep(0), { loop });
  assert(task instanceof MyTask);
  const seen = await loop.run_until_complete(async () => {
    const current = asyncio.current_task();
    const is_mine = () => Promise.resolve(asyncio.current_task() instanceof MyTask);
    const shielded = await asyncio.shield(is_mine);
    const completed: boolean[] = [];
    for (const next of asyncio.as_completed([is_mine])) completed.push(await next);
    const grouped = await asyncio.async_with(new asyncio.TaskGroup(), async (group) => {
      return await group.create_task(is_mine);
    });
    return [
      current instanceof MyTask,
      asyncio.create_task(asyncio.sleep(0)) instanceof MyTask,
      shielded,
      ...completed,
      ...await asyncio.gather(is_mine),
      grouped,
    ];
  });
  loop.close();
  assertEquals(seen, [true, true, true, true, true, true]);
});

Deno.test("ensure_future: on a closed loop the coroutine is closed", async () => {
  const loop = new VirtualClockEventLoop();
  loop.close();
  const coroutine = asyncio.sleep(0);
  assertThrows(() => asyncio.ensure_future(coroutine, { loop }), asyncio.RuntimeError);
  await assertRejects(async () => await coroutine, asyncio.RuntimeError, "cannot reuse");
});

Deno.test("Task.cancel: of a task in a call of the loop's own leaves nothing behind", () =>
  run(async () => {
    const loop = asyncio.get_running_loop();
    const waits = loop.create_task(async () => await loop.create_future<void>());
    loop.call_soon(() => waits.cancel());
    assertEquals(await cancellation_of(waits), []);
    assertEquals(asyncio.all_tasks().size, 1);
  }));

Deno.test("sleep: of tiny delays takes no more iterations than they need", async () => {
  let iterations = 0;
  await with_loop(async (loop) => {
    const count = () => {
      iterations++;
      if (is_sleeping) loop.call_later(1e-3, count);
    };
    let is_sleeping = true;
    loop.call_soon(count);
    await loop.run_until_complete(async () => {
      for (const delay of [1e-2, 1e-4, 1e-6, 1e-8, 1e-10]) await asyncio.sleep(delay);
    });
    is_sleeping = false;
    assertEquals(loop.time(), 1e-2 + 1e-4 + 1e-6 + 1e-8 + 1e-10);
  });
  assert(iterations <= 12, `${iterations}`);
});
