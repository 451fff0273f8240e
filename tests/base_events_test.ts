/** The event loop: order of callbacks and timers, running and stopping, errors, debug mode, the host's turn. */

import { assert, assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import * as asyncio from "../mod.ts";
import { VirtualClockEventLoop } from "../testing.ts";
import { console_of } from "./console.ts";

/** Runs `body` with a loop that is closed at the end; the loop does not run yet. */
async function with_loop<L extends asyncio.EventLoop>(
  loop: L,
  body: (loop: L) => Promise<void>,
): Promise<void> {
  try {
    await body(loop);
  } finally {
    loop.close();
  }
}

const real = (body: (loop: asyncio.EventLoop) => Promise<void>) =>
  with_loop(new asyncio.EventLoop(), body);
const virtual = (body: (loop: VirtualClockEventLoop) => Promise<void>) =>
  with_loop(new VirtualClockEventLoop(), body);

/** Keeps what a loop's exception handler is told. */
function record_errors(loop: asyncio.EventLoop): asyncio.ExceptionContext[] {
  const contexts: asyncio.ExceptionContext[] = [];
  loop.set_exception_handler((_, context) => contexts.push(context));
  return contexts;
}

const run_until_idle = async (loop: asyncio.EventLoop) => {
  loop.call_soon(() => loop.call_soon(() => loop.stop()));
  await loop.run_forever();
};

Deno.test("callbacks run in the order in which they were scheduled, with their arguments", () =>
  virtual(async (loop) => {
    const log: unknown[] = [];
    loop.call_soon((...args: unknown[]) => log.push(args), 1, "two");
    loop.call_soon_threadsafe(() => log.push("threadsafe"));
    loop.call_soon(() => log.push("last"));
    await run_until_idle(loop);
    assertEquals(log, [[1, "two"], "threadsafe", "last"]);
  }));

Deno.test("an iteration runs what was ready when it began, no more", () =>
  virtual(async (loop) => {
    const log: string[] = [];
    loop.call_soon(() => {
      log.push("a");
      loop.call_soon(() => log.push("c"));
      loop.stop();
    });
    loop.call_soon(() => log.push("b"));
    await loop.run_forever();
    assertEquals(log, ["a", "b"]);
    loop.stop();
    await loop.run_forever();
    assertEquals(log, ["a", "b", "c"]);
  }));

Deno.test("timers that are due run after what was ready before", () =>
  virtual(async (loop) => {
    const log: string[] = [];
    loop.call_later(0, () => log.push("timer"));
    loop.call_soon(() => log.push("soon"));
    loop.call_later(-1, () => log.push("overdue"));
    await run_until_idle(loop);
    assertEquals(log, ["soon", "overdue", "timer"]);
  }));

Deno.test("timers of the same time run in the order of CPython's heapq", () =>
  virtual(async (loop) => {
    const log: string[] = [];
    for (const name of "abcdefgh") loop.call_at(1, () => log.push(name));
    loop.call_at(2, () => loop.stop());
    await loop.run_forever();
    assertEquals(log.join(""), "acgfhbde");
  }));

Deno.test("a cancelled callback is not called, and a cancelled timer does not hold up the clock", () =>
  virtual(async (loop) => {
    const log: string[] = [];
    const handle = loop.call_soon(() => log.push("soon"));
    const timer = loop.call_later(5, () => log.push("timer"));
    loop.call_later(1, () => timer.cancel());
    loop.call_later(10, () => loop.stop());
    handle.cancel();
    handle.cancel();
    await loop.run_forever();
    assertEquals(log, []);
    assertEquals([handle.cancelled(), timer.cancelled()], [true, true]);
    assertEquals(loop.time(), 10);
  }));

Deno.test("most of many timers cancelled: the others keep their order", () =>
  virtual(async (loop) => {
    const log: number[] = [];
    const timers = Array.from(
      { length: 400 },
      (_, i) => loop.call_at((i * 7919) % 400, () => log.push((i * 7919) % 400)),
    );
    timers.forEach((timer, i) => i % 4 !== 0 && timer.cancel());
    loop.call_at(1000, () => loop.stop());
    await loop.run_forever();
    assertEquals(log.length, 100);
    assertEquals(log, log.toSorted((a, b) => a - b));
  }));

Deno.test("100,000 timers can be set and cancelled", () =>
  virtual(async (loop) => {
    const log: number[] = [];
    for (let i = 0; i < 100_000; i++) loop.call_at(i % 1000, () => log.push(i)).cancel();
    await run_until_idle(loop);
    assertEquals(log, []);
  }));

Deno.test("stop() before a run ends it after one iteration", () =>
  virtual(async (loop) => {
    let calls = 0;
    loop.call_soon(() => calls++);
    loop.stop();
    await loop.run_forever();
    assertEquals([calls, loop.is_running()], [1, false]);
  }));

Deno.test("run_until_complete gives the result, throws the error or the cancellation", () =>
  virtual(async (loop) => {
    assertEquals(await loop.run_until_complete(asyncio.sleep(1, "result")), "result");
    assertEquals(await loop.run_until_complete(() => Promise.resolve(2)), 2);
    const done = loop.create_future<number>();
    done.set_result(3);
    assertEquals(await loop.run_until_complete(done), 3);
    const failed = loop.create_future<never>();
    failed.set_exception(new TypeError("failed"));
    await assertRejects(() => loop.run_until_complete(failed), TypeError, "failed");
    const cancelled = loop.create_future<never>();
    cancelled.cancel();
    await assertRejects(() => loop.run_until_complete(cancelled), asyncio.CancelledError);
  }));

Deno.test("a stop() before the future is done is an error of run_until_complete", () =>
  virtual(async (loop) => {
    const task = loop.create_task(asyncio.sleep(10, "late"));
    loop.call_later(1, () => loop.stop());
    await assertRejects(
      () => loop.run_until_complete(task),
      asyncio.RuntimeError,
      "Event loop stopped before Future completed.",
    );
    assertEquals(await loop.run_until_complete(task), "late");
  }));

Deno.test("the loop stops one iteration after its future is done", () =>
  virtual(async (loop) => {
    const log: string[] = [];
    const future = loop.create_future<void>();
    loop.call_soon(() => {
      future.set_result();
      loop.call_soon(() => {
        log.push("same iteration as the stop");
        loop.call_soon(() => log.push("too late"));
      });
    });
    await loop.run_until_complete(future);
    assertEquals(log, ["same iteration as the stop"]);
  }));

Deno.test("a running loop is not run again, closed, or run inside of another", () =>
  real(async (loop) => {
    const other = new asyncio.EventLoop();
    await loop.run_until_complete(async () => {
      assert(loop.is_running());
      await assertRejects(() => loop.run_forever(), asyncio.RuntimeError, "already running");
      await assertRejects(() => other.run_forever(), asyncio.RuntimeError, "another loop");
      assertThrows(() => loop.close(), asyncio.RuntimeError, "Cannot close a running event loop");
    });
    other.close();
    assertEquals(loop.is_running(), false);
  }));

Deno.test("a closed loop refuses everything, and closing twice is fine", async () => {
  const loop = new asyncio.EventLoop();
  loop.close();
  loop.close();
  assert(loop.is_closed());
  const refusals = [
    () => loop.call_soon(() => {}),
    () => loop.call_soon_threadsafe(() => {}),
    () => loop.call_later(1, () => {}),
    () => loop.call_at(1, () => {}),
    () => loop.create_task(asyncio.sleep(0)),
    () => loop.run_in_executor(null, () => {}),
  ];
  for (const refusal of refusals) {
    assertThrows(refusal, asyncio.RuntimeError, "Event loop is closed");
  }
  await assertRejects(() => loop.run_forever(), asyncio.RuntimeError, "Event loop is closed");
  const coroutine = asyncio.sleep(0);
  await assertRejects(() => loop.run_until_complete(coroutine), asyncio.RuntimeError);
  await assertRejects(async () => await coroutine, asyncio.RuntimeError, "cannot reuse");
});

Deno.test("create_task, Task: a coroutine that a closed loop refuses is closed", async () => {
  const loop = new asyncio.EventLoop();
  loop.close();
  const makers = [
    (coro: asyncio.Coroutine<null>) => loop.create_task(coro),
    (coro: asyncio.Coroutine<null>) => loop.create_task(coro, { name: "named" }),
    (coro: asyncio.Coroutine<null>) => new asyncio.Task(coro, { loop }),
  ];
  for (const make of makers) {
    const coroutine = asyncio.sleep(0, null);
    assertThrows(() => make(coroutine), asyncio.RuntimeError, "Event loop is closed");
    await assertRejects(async () => await coroutine, asyncio.RuntimeError, "cannot reuse");
  }
  assertEquals(asyncio.all_tasks(loop).size, 0);
});

Deno.test("closing a loop drops what was scheduled", async () => {
  const loop = new asyncio.EventLoop();
  loop.call_soon(() => assert(false));
  loop.call_later(0, () => assert(false));
  loop.close();
  await new Promise((resolve) => setTimeout(resolve, 2));
});

Deno.test("two loops run side by side", async () => {
  const log: string[] = [];
  const program = (name: string) => async () => {
    const loop = asyncio.get_running_loop();
    for (let i = 0; i < 3; i++) {
      await asyncio.sleep(0.001);
      assert(asyncio.get_running_loop() === loop);
      log.push(name);
    }
    return name;
  };
  const names = await Promise.all([asyncio.run(program("a")), asyncio.run(program("b"))]);
  assertEquals(names, ["a", "b"]);
  assertEquals(log.toSorted(), ["a", "a", "a", "b", "b", "b"]);
});

Deno.test("wrong arguments are type errors that name the method", () =>
  virtual((loop) => {
    assertThrows(() => loop.call_soon(1 as never), TypeError, "call_soon()");
    assertThrows(() => loop.call_later("1" as never, () => {}), TypeError, "call_later()");
    assertThrows(() => loop.call_at(null as never, () => {}), TypeError, "call_at()");
    assertThrows(() => loop.set_task_factory(1 as never), TypeError);
    assertThrows(() => loop.set_exception_handler(1 as never), TypeError);
    return Promise.resolve();
  }));

Deno.test("a callback runs in the context it was scheduled in, or in the one it is given", () =>
  virtual(async (loop) => {
    const variable = new asyncio.ContextVar<string>("variable", { default: "unset" });
    const log: string[] = [];
    const context = asyncio.copy_context();
    context.run(() => {
      variable.set("inside");
      loop.call_soon(() => log.push(variable.get()));
    });
    loop.call_soon(() => log.push(variable.get()));
    loop.call_later(1, (name: string) => log.push(name + variable.get()), "timer ", { context });
    loop.call_later(2, () => loop.stop());
    await loop.run_forever();
    assertEquals(log, ["inside", "unset", "timer inside"]);
  }));

Deno.test("an error in a callback goes to the exception handler, and the loop goes on", () =>
  virtual(async (loop) => {
    const contexts = record_errors(loop);
    const error = new TypeError("oops");
    const handle = loop.call_soon(function broken() {
      throw error;
    });
    await run_until_idle(loop);
    assertEquals(contexts.length, 1);
    assertEquals(contexts[0]!.message, "Exception in callback broken()");
    assert(contexts[0]!.exception === error && contexts[0]!.handle === handle);
  }));

Deno.test("KeyboardInterrupt in a callback leaves the run; the loop can be run again", () =>
  virtual(async (loop) => {
    loop.call_soon(() => {
      throw new asyncio.KeyboardInterrupt();
    });
    let later = false;
    loop.call_soon(() => later = true);
    await assertRejects(() => loop.run_forever(), asyncio.KeyboardInterrupt);
    await run_until_idle(loop);
    assert(later);
  }));

Deno.test("without a handler errors are written to the console", () =>
  virtual(async (loop) => {
    const lines = await console_of("error", async () => {
      loop.call_soon(function broken() {
        throw new TypeError("oops");
      });
      await run_until_idle(loop);
      loop.call_exception_handler({ message: "told", b: [1], a: "x" });
      loop.call_exception_handler({});
    });
    const written = lines.join("\n");
    assertMatch(written, /^Exception in callback broken\(\)\nhandle: <Handle broken\(\)>\n/);
    assertMatch(written, /TypeError: oops/);
    assertMatch(written, /told\na: 'x'\nb: \[1\]\nUnhandled exception in event loop$/);
  }));

Deno.test("an error in the exception handler is reported with what it was told", () =>
  virtual(async (loop) => {
    loop.set_exception_handler(() => {
      throw new RangeError("handler");
    });
    const lines = await console_of("error", () => {
      loop.call_exception_handler({ message: "told" });
      return Promise.resolve();
    });
    const written = lines.join("\n");
    assertMatch(written, /^Unhandled error in exception handler\ncontext: \{message: 'told'\}/);
    assertMatch(written, /RangeError: handler/);
  }));

Deno.test("a handler is what get_exception_handler gives until it is reset", () =>
  virtual((loop) => {
    const handler = () => {};
    assertEquals(loop.get_exception_handler(), null);
    loop.set_exception_handler(handler);
    assertEquals(loop.get_exception_handler(), handler);
    loop.set_exception_handler(null);
    assertEquals(loop.get_exception_handler(), null);
    return Promise.resolve();
  }));

Deno.test("errors nobody has looked at are reported when the loop is closed", async () => {
  const loop = new VirtualClockEventLoop();
  const contexts = record_errors(loop);
  const fail = () => Promise.reject(new TypeError("lost"));
  const lost = loop.create_task(fail);
  const seen = loop.create_task(fail);
  loop.create_future().set_exception(new RangeError("future"));
  await run_until_idle(loop);
  await loop.run_until_complete(asyncio.sleep(1));
  assert(seen.exception() instanceof TypeError);
  loop.close();
  assertEquals(contexts.map(({ message }) => message).toSorted(), [
    "Future exception was never retrieved",
    "Task exception was never retrieved",
  ]);
  const about = contexts.find(({ message }) => message?.startsWith("Task"));
  assert(about?.future === lost && about.exception instanceof TypeError);
});

Deno.test("an error that somebody awaits, asks for or cancels away is not reported", async () => {
  const loop = new VirtualClockEventLoop();
  const contexts = record_errors(loop);
  await loop.run_until_complete(async () => {
    const failed = () => {
      const future = loop.create_future<never>();
      future.set_exception(new TypeError("seen"));
      return future;
    };
    await assertRejects(async () => await failed(), TypeError);
    assertThrows(() => failed().result(), TypeError);
    failed().exception();
    failed().cancel();
  });
  loop.close();
  assertEquals(contexts, []);
});

Deno.test("debug mode warns of slow callbacks and slow steps", async () => {
  let now = 0;
  const spin = () => {
    now += 0.125;
  };
  const lines = await console_of(
    "warn",
    () =>
      with_loop(new asyncio.EventLoop({ time: () => now }), async (loop) => {
        loop.set_debug(true);
        loop.call_soon(spin);
        await loop.run_until_complete(async () => {
          await asyncio.sleep(0);
          spin();
        });
      }),
  );
  const [callback, step, ...more] = lines;
  assertMatch(`${callback}`, /^Executing <Handle spin\(\).*> took 0\.125 seconds$/);
  assertMatch(`${step}`, /^Executing .+ took 0\.125 seconds$/);
  assertEquals(more, []);
});

Deno.test("debug mode refuses coroutine functions as callbacks", () =>
  virtual((loop) => {
    const work = async () => {};
    assertEquals(loop.get_debug(), false);
    loop.call_soon(work).cancel();
    loop.set_debug(true);
    for (const callback of [work, asyncio.coroutine(function* () {})]) {
      assertThrows(() => loop.call_soon(callback), TypeError, "coroutines cannot be used");
      assertThrows(() => loop.call_later(1, callback), TypeError, "with call_later()");
    }
    return Promise.resolve();
  }));

Deno.test("debug mode tells where the thing was made that failed", () =>
  virtual(async (loop) => {
    loop.set_debug(true);
    const contexts = record_errors(loop);
    loop.call_soon(() => {
      throw new TypeError("oops");
    });
    await run_until_idle(loop);
    assertMatch(String(contexts[0]!.source_traceback), /base_events_test\.ts/);
  }));

Deno.test("the host's timers are served while tasks spin on sleep(0)", async () => {
  let served = false;
  setTimeout(() => served = true, 0);
  await asyncio.run(async () => {
    const deadline = performance.now() + 1000;
    while (!served && performance.now() < deadline) await asyncio.sleep(0);
  });
  assert(served);
});

Deno.test("callbacks that schedule themselves do not starve the host", () =>
  real(async (loop) => {
    let calls = 0;
    const again = () => {
      calls++;
      loop.call_soon(again);
    };
    loop.call_soon(again);
    // The host's timers come, and the callbacks went on meanwhile, however slow the machine is.
    const on_timer = () => {
      if (calls > 10) loop.stop();
      else setTimeout(on_timer, 1);
    };
    setTimeout(on_timer, 1);
    await loop.run_forever();
  }));

Deno.test("a task that awaits a foreign promise does not hold up the others", async () => {
  const log: string[] = [];
  await asyncio.run(async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const foreign = asyncio.create_task(async () => {
      await promise;
      log.push("foreign");
      await asyncio.sleep(0);
      assertEquals(asyncio.current_task(), foreign);
    });
    for (let i = 0; i < 2; i++) {
      await asyncio.sleep(0.001);
      log.push("tick");
    }
    setTimeout(resolve, 0);
    await foreign;
  });
  assertEquals(log, ["tick", "tick", "foreign"]);
});

Deno.test("a sleep never ends early by the loop's clock", () =>
  real((loop) =>
    loop.run_until_complete(async () => {
      for (const delay of [0.0001, 0.0015, 0.002, 0.0033]) {
        const started = loop.time();
        await asyncio.sleep(delay);
        assert(loop.time() - started >= delay);
      }
    })
  ));

Deno.test("a delay beyond the host's longest timer does not end at once", () =>
  real(async (loop) => {
    const timers = [2 ** 31 / 1000, 1e9, Infinity].map((delay) =>
      loop.call_later(delay, () => assert(false))
    );
    await loop.run_until_complete(asyncio.sleep(0.003));
    timers.forEach((timer) => timer.cancel());
  }));

Deno.test("call_soon_threadsafe from the host wakes a sleeping loop", () =>
  real(async (loop) => {
    setTimeout(() => loop.call_soon_threadsafe(() => loop.stop()), 1);
    await loop.run_forever();
  }));

Deno.test("run_in_executor gives the function's result or error, not at once", () =>
  real((loop) =>
    loop.run_until_complete(async () => {
      const future = loop.run_in_executor(null, (a: number, b: number) => a + b, 1, 2);
      assertEquals(future.done(), false);
      assertEquals(await future, 3);
      await assertRejects(async () =>
        await loop.run_in_executor(null, () => {
          throw new TypeError("in executor");
        }), TypeError);
      await loop.shutdown_default_executor();
      assertThrows(
        () => loop.run_in_executor(null, () => {}),
        asyncio.RuntimeError,
        "Executor shutdown has been called",
      );
    })
  ));

Deno.test("run_in_executor: runs the function in the context that is given last", () =>
  real((loop) =>
    loop.run_until_complete(async () => {
      const variable = new asyncio.ContextVar("variable", { default: 0 });
      const context = asyncio.copy_context();
      context.run(() => variable.set(5));
      const read = (...args: unknown[]) => [variable.get(), ...args];
      assertEquals(await loop.run_in_executor(null, read, 1, { context }), [5, 1]);
      assertEquals(await loop.run_in_executor(null, read, 1), [0, 1]);
      assertThrows(
        () => loop.run_in_executor(null, () => {}, { context: {} as asyncio.Context }),
        TypeError,
        "context",
      );
      const calls: unknown[][] = [];
      const executor = {
        submit: <A extends unknown[], R>(fn: (...args: A) => R, ...args: A) => {
          calls.push(args);
          return Promise.resolve(fn(...args));
        },
        shutdown: () => {},
      };
      assertEquals(await loop.run_in_executor(executor, read, 2, { context }), [5, 2]);
      assertEquals(calls, [[2]]);
    })
  ));

Deno.test("an executor of one's own is used, and shut down", () =>
  real(async (loop) => {
    const log: string[] = [];
    const executor: asyncio.Executor = {
      submit: (fn, ...args) => {
        log.push("submit");
        return Promise.resolve(fn(...args)) as never;
      },
      shutdown: (options) => void log.push(`shutdown ${options?.wait}`),
    };
    loop.set_default_executor(executor);
    assertEquals(await loop.run_until_complete(loop.run_in_executor(null, () => 1)), 1);
    await loop.run_until_complete(loop.shutdown_default_executor());
    assertEquals(log, ["submit", "shutdown true"]);
    assertThrows(() => loop.set_default_executor({} as never), TypeError);
  }));

Deno.test("a task factory makes the tasks", () =>
  virtual(async (loop) => {
    const made: asyncio.Task<unknown>[] = [];
    const factory: asyncio.TaskFactory = (loop, coro, options) => {
      const task = new asyncio.Task(coro, { ...options, loop });
      made.push(task as asyncio.Task<unknown>);
      return task;
    };
    loop.set_task_factory(factory);
    assertEquals(loop.get_task_factory(), factory);
    const task = loop.create_task(asyncio.sleep(0, 1), { name: "made" });
    assertEquals(await loop.run_until_complete(task), 1);
    assertEquals(made.map((task) => task.get_name()), ["made"]);
    loop.set_task_factory(null);
    assertEquals(loop.get_task_factory(), null);
  }));

Deno.test("a signal's callback runs in the loop's turn, until it is removed", () =>
  real(async (loop) => {
    const log: string[] = [];
    const send = () => Deno.kill(Deno.pid, "SIGUSR1");
    loop.add_signal_handler("SIGUSR1", () => log.push("replaced"));
    loop.add_signal_handler("SIGUSR1", (name: string) => {
      log.push(name);
      loop.stop();
    }, "signal");
    loop.call_soon(send);
    await loop.run_forever();
    assertEquals(log, ["signal"]);
    assertEquals(loop.remove_signal_handler("SIGUSR1"), true);
    assertEquals(loop.remove_signal_handler("SIGUSR1"), false);
  }));

Deno.test("a signal's callback is a plain function, and the signal one that can be caught", () =>
  real((loop) => {
    assertThrows(() => loop.add_signal_handler("SIGUSR1", async () => {}), TypeError);
    assertThrows(() => loop.add_signal_handler(10 as never, () => {}), TypeError);
    assertThrows(() => loop.add_signal_handler("usr1", () => {}), asyncio.ValueError);
    assertThrows(
      () => loop.add_signal_handler("SIGTREM", () => {}),
      asyncio.ValueError,
      "invalid signal name 'SIGTREM'",
    );
    assertThrows(() => loop.add_signal_handler("SIGKILL", () => {}), asyncio.RuntimeError);
    return Promise.resolve();
  }));

Deno.test("tasks that wait for each other in a ring are reported by name", async () => {
  const loop = new asyncio.EventLoop();
  const contexts = record_errors(loop);
  const tasks: asyncio.Task<unknown>[] = [];
  await loop.run_until_complete(async () => {
    tasks.push(asyncio.create_task(async () => await tasks[1], { name: "one" }));
    tasks.push(asyncio.create_task(async () => await tasks[0], { name: "two" }));
    const reported = setInterval(() => {
      if (contexts.length === 0) return;
      clearInterval(reported);
      tasks[0]!.cancel();
    }, 1);
    await asyncio.wait(tasks);
  });
  loop.close();
  assertEquals(contexts.length, 1);
  assertMatch(contexts[0]!.message ?? "", /^Tasks wait for each other.*: one -> two -> one$/);
});

Deno.test("a loop is shown with its state", () =>
  virtual((loop) => {
    const shown = "<VirtualClockEventLoop running=false closed=false debug=false>";
    assertEquals([String(loop), Deno.inspect(loop)], [shown, shown]);
    return Promise.resolve();
  }));
