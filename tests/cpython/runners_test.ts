/**
 * CPython's own tests of `run()`, of runners and of coroutines (`Lib/test/test_asyncio/test_runners.py`,
 * `test_pep492.py`, `test_threads.py`, `test_context.py`), as far as they make sense here and others have none like them.
 */

// deno-lint-ignore-file require-yield -- coroutines that end in one step

import { assert, assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import * as asyncio from "../../mod.ts";
import { VirtualClockEventLoop } from "../../testing.ts";

const { Runner } = asyncio;

/** Makes loops on the virtual clock, and keeps them. */
function kept_loops() {
  const loops: VirtualClockEventLoop[] = [];
  const loop_factory = () => {
    const loop = new VirtualClockEventLoop();
    loops.push(loop);
    return loop;
  };
  return { loops, loop_factory };
}

Deno.test("run: refuses what is no coroutine, before it makes a loop", async () => {
  const { loops, loop_factory } = kept_loops();
  for (const wrong of [1, "main", {}, null]) {
    await assertRejects(
      async () => await asyncio.run(wrong as never, { loop_factory }),
      TypeError,
    );
  }
  await using runner = new Runner({ loop_factory });
  await assertRejects(async () => await runner.run(123 as never), TypeError);
  assertEquals(loops.every((loop) => loop.is_closed() || loop === runner.get_loop()), true);
});

Deno.test("run: calls the loop factory once, and closes the loop when its generators are closed", async () => {
  const { loops, loop_factory } = kept_loops();
  let is_closed_at_the_end: boolean | undefined;
  const main = async () => {
    assertStrictEquals(asyncio.get_running_loop(), loops[0]!);
    const numbers = asyncio.async_generator(async function* () {
      try {
        yield 1;
        yield 2;
      } finally {
        is_closed_at_the_end = loops[0]!.is_closed();
      }
    })();
    return await asyncio.anext(numbers);
  };
  assertEquals(await asyncio.run(main, { loop_factory }), 1);
  assertEquals([loops.length, loops[0]!.is_closed(), is_closed_at_the_end], [1, true, false]);
});

Deno.test("run: by default and with the class EventLoop as its factory, the loop is an EventLoop", async () => {
  const main = () => Promise.resolve(asyncio.get_running_loop() instanceof asyncio.EventLoop);
  assertEquals(await asyncio.run(main), true);
  assertEquals(await asyncio.run(main, { loop_factory: () => new asyncio.EventLoop() }), true);
});

Deno.test("run: debug is that of the loop, on and off", async () => {
  const { loop_factory } = kept_loops();
  const main = () => Promise.resolve(asyncio.get_event_loop().get_debug());
  for (const debug of [true, false]) {
    assertEquals(await asyncio.run(main, { debug, loop_factory }), debug);
    await using runner = new Runner({ debug, loop_factory });
    assertEquals(runner.get_loop().get_debug(), debug);
  }
});

Deno.test("run: the errors of tasks that are left are reported with their task", async () => {
  const { loop_factory } = kept_loops();
  const reports: asyncio.ExceptionContext[] = [];
  const left: asyncio.Task<void>[] = [];
  const main = () => {
    asyncio.get_running_loop().set_exception_handler((_, report) => reports.push(report));
    left.push(asyncio.create_task(async () => {
      try {
        await asyncio.sleep(0.1);
      } catch {
        throw new RangeError("of the task");
      }
    }));
    return Promise.resolve(123);
  };
  const start = async () => {
    await asyncio.sleep(0);
    return 0;
  };
  assertEquals(
    await asyncio.run(async () => {
      const result = await main();
      await start();
      return result;
    }, { loop_factory }),
    123,
  );
  assertEquals([left[0]!.done(), reports.length], [true, 1]);
  assertStrictEquals(reports[0]!.task, left[0]);
  assert(reports[0]!.exception instanceof RangeError);
  assertEquals(reports[0]!.message, "unhandled exception during asyncio.run() shutdown");
});

Deno.test("run: a generator of a task that fails at the end is closed", async () => {
  const { loop_factory } = kept_loops();
  class FancyExit extends Error {}
  let is_closed = false;
  const fidget = asyncio.async_generator(async function* () {
    try {
      for (;;) {
        yield 1;
        await asyncio.sleep(1);
      }
    } finally {
      is_closed = true;
    }
  });
  const box: asyncio.Task<void>[] = [];
  const main = async () => {
    asyncio.get_running_loop().set_exception_handler(() => {});
    box.push(asyncio.create_task(async () => {
      const numbers = fidget();
      try {
        for (;;) await asyncio.anext(numbers);
      } catch {
        throw new RangeError("of the task");
      }
    }));
    await asyncio.sleep(0.5);
    throw new FancyExit();
  };
  await assertRejects(async () => await asyncio.run(main, { loop_factory }), FancyExit);
  assertEquals([box[0]!.done(), is_closed], [true, true]);
});

Deno.test("Runner.get_loop: after close() is an error, and so is everything else", async () => {
  const { loops, loop_factory } = kept_loops();
  const is_closed = "Runner is closed";
  const runner = new Runner({ loop_factory });
  assertEquals(
    await runner.run(async () => {
      await asyncio.sleep(0);
      return "done";
    }),
    "done",
  );
  for (let time = 0; time < 2; time++) {
    await runner.close();
    assertEquals([loops.length, loops[0]!.is_closed()], [1, true]);
    assertThrows(() => runner.get_loop(), asyncio.RuntimeError, is_closed);
    await assertRejects(
      async () => await runner.run(() => Promise.resolve()),
      asyncio.RuntimeError,
      is_closed,
    );
    await assertRejects(
      async () => await asyncio.async_with(runner, () => Promise.resolve()),
      asyncio.RuntimeError,
      is_closed,
    );
  }
});

Deno.test("Runner.run: takes a future of its loop, and whatever can be awaited", async () => {
  const { loop_factory } = kept_loops();
  await using runner = new Runner({ loop_factory });
  const future = runner.get_loop().create_future<string>();
  future.set_result("done");
  assertEquals(await runner.run(future), "done");
  assertEquals(await runner.run(asyncio.sleep(1, "slept")), "slept");
  assertEquals(
    await runner.run(function* () {
      return "generated";
    }),
    "generated",
  );
});

Deno.test("Runner.run: keeps one context from run to run", async () => {
  const { loop_factory } = kept_loops();
  const variable = new asyncio.ContextVar<number>("variable", { default: -1 });
  const exchange = (value: number) => async () => {
    const old = variable.get();
    await asyncio.sleep(0);
    variable.set(value);
    return old;
  };
  await using runner = new Runner({ loop_factory });
  assertEquals([await runner.run(exchange(1)), await runner.run(exchange(2))], [-1, 1]);
  const context = await runner.run(() => Promise.resolve(asyncio.copy_context()));
  assertEquals([context.get(variable), variable.get()], [2, -1]);
});

Deno.test("Runner.run, run: inside of a running loop are errors, and the coroutine is closed", async () => {
  const { loop_factory } = kept_loops();
  await using runner = new Runner({ loop_factory });
  const starts = {
    "Runner.run()": (coro: asyncio.Coroutine<void>) => runner.run(coro),
    "asyncio.run()": (coro: asyncio.Coroutine<void>) => asyncio.run(coro),
  };
  for (const [name, start] of Object.entries(starts)) {
    const coroutine = asyncio.sleep(0);
    await assertRejects(
      async () => await runner.run(async () => await start(coroutine)),
      asyncio.RuntimeError,
      `${name} cannot be called from a running event loop`,
    );
    coroutine.close();
  }
});

Deno.test("Runner.run: does not ask for the text of a result", async () => {
  const { loop_factory } = kept_loops();
  let count = 0;
  class Result {
    toString() {
      count++;
      return "result";
    }
    [Symbol.for("Deno.customInspect")]() {
      count++;
      return "result";
    }
    [Symbol.for("nodejs.util.inspect.custom")]() {
      count++;
      return "result";
    }
  }
  await using runner = new Runner({ loop_factory, debug: true });
  assert(await runner.run(() => Promise.resolve(new Result())) instanceof Result);
  assertEquals(count, 0);
});

// Coroutines

Deno.test("Lock, Condition, Semaphore, BoundedSemaphore: are held in a block, and are nothing to be awaited", async () => {
  const { loop_factory } = kept_loops();
  await asyncio.run(async () => {
    const primitives = [
      new asyncio.Lock(),
      new asyncio.Condition(),
      new asyncio.Semaphore(),
      new asyncio.BoundedSemaphore(),
    ];
    for (const primitive of primitives) {
      const states = [primitive.locked()];
      await asyncio.async_with(primitive, async () => {
        states.push(primitive.locked());
        await asyncio.sleep(0.01);
        states.push(primitive.locked());
      });
      assertEquals([...states, primitive.locked()], [false, true, true, false]);
      assertEquals(asyncio.isawaitable(primitive), false);
    }
  }, { loop_factory });
});

Deno.test("coroutine: awaits work with debug mode and without", async () => {
  const { loop_factory } = kept_loops();
  const bar = asyncio.coroutine(async () => await Promise.resolve("spam"));
  const foo = asyncio.coroutine(function* () {
    return yield* bar();
  });
  for (const debug of [false, true]) {
    assertEquals(await asyncio.run(foo(), { debug, loop_factory }), "spam");
  }
});

Deno.test("coroutine: a function that returns a generator of its own awaits it", async () => {
  const { loop_factory } = kept_loops();
  function* generator(): Generator<unknown, string, unknown> {
    return "spam";
  }
  const wrapped = asyncio.coroutine(() => generator());
  assertEquals(await asyncio.run(async () => await wrapped(), { loop_factory }), "spam");
});

Deno.test("iscoroutine, iscoroutinefunction: of functions, of their results and of generators", () => {
  async function native() {}
  function* generator() {}
  const lazy = asyncio.coroutine(native);
  const call = lazy();
  assertEquals([lazy, call, native, generator, generator(), () => {}].map(asyncio.iscoroutine), [
    false,
    true,
    false,
    false,
    false,
    false,
  ]);
  assertEquals([lazy, native, generator, () => {}, call].map(asyncio.iscoroutinefunction), [
    true,
    true,
    false,
    false,
    false,
  ]);
  call.close();
});

// to_thread

Deno.test("to_thread: gives what a function returns, with its arguments, or throws what it throws", async () => {
  await asyncio.run(async () => {
    assertEquals(await asyncio.to_thread((a: number, b: number) => a + b, 40, 2), 42);
    await assertRejects(
      async () =>
        await asyncio.to_thread(() => {
          throw new asyncio.RuntimeError("test");
        }),
      asyncio.RuntimeError,
      "test",
    );
  });
});

Deno.test("to_thread: the function runs once, in a copy of the caller's context", async () => {
  const variable = new asyncio.ContextVar<string>("variable");
  let calls = 0;
  await asyncio.run(async () => {
    variable.set("parrot");
    const seen = await asyncio.to_thread(() => {
      calls++;
      const value = variable.get();
      variable.set("changed");
      return value;
    });
    assertEquals([seen, variable.get(), calls], ["parrot", "parrot", 1]);
  });
});
