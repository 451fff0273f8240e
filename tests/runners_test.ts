/** `run()` and `Runner`: results, cleaning up, nesting, errors nobody retrieved. */

import { assert, assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import * as asyncio from "../mod.ts";
import { DeadlockError, VirtualClockEventLoop } from "../testing.ts";
import { console_of } from "./console.ts";

const loop_factory = () => new VirtualClockEventLoop();
const run = <T>(main: asyncio.CoroutineLike<T> | asyncio.Future<T>): Promise<T> =>
  asyncio.run(main, { loop_factory });

/** A factory of loops whose exception handler keeps what it is told. */
function recording(): { loop_factory: () => asyncio.EventLoop; messages: string[] } {
  const messages: string[] = [];
  return {
    messages,
    loop_factory: () => {
      const loop = new VirtualClockEventLoop();
      loop.set_exception_handler((_, { message, exception }) =>
        messages.push(`${message}: ${exception}`)
      );
      return loop;
    },
  };
}

Deno.test("run: refuses signals that this host does not have", async () => {
  for (const signal of ["SIGTREM", "term"]) {
    await assertRejects(
      () => asyncio.run(asyncio.sleep(0), { signals: ["SIGINT", signal] }),
      asyncio.ValueError,
      `invalid signal name '${signal}'`,
    );
  }
});

Deno.test("run: takes a coroutine in any form, or a future", async () => {
  assertEquals(await run(asyncio.sleep(1, "coroutine")), "coroutine");
  assertEquals(await run(() => Promise.resolve("async function")), "async function");
  const generator = function* () {
    return yield* asyncio.sleep(1, "generator");
  };
  assertEquals(await run(generator), "generator");
  assertEquals(await run(generator()), "generator");
  const loop = loop_factory();
  const future = loop.create_future<string>();
  loop.call_later(1, () => future.set_result("future"));
  assertEquals(await asyncio.run(future, { loop_factory: () => loop }), "future");
  await assertRejects(() => run(5 as never), TypeError);
});

Deno.test("run, Runner.run: a native promise is refused, and its own error is not reported beside", async () => {
  const main = async () => {
    await Promise.resolve();
    asyncio.get_running_loop();
  };
  const refused =
    "instead of run(main()) write run(main), instead of run(main(x)) run(() => main(x))";
  await assertRejects(() => run(main() as never), TypeError, refused);
  await using runner = new asyncio.Runner({ loop_factory });
  await assertRejects(() => runner.run(main() as never), TypeError, refused);
  assertEquals(await runner.run(asyncio.sleep(1, "still works")), "still works");
});

Deno.test("run_until_complete: takes a native promise", async () => {
  const loop = asyncio.new_event_loop();
  assertEquals(await loop.run_until_complete(Promise.resolve("promise")), "promise");
  loop.close();
});

/** A task that refuses to end, so that closing the loop fails with a DeadlockError. */
const stubborn = async () => {
  await asyncio.sleep(60).catch(() => {});
  await new asyncio.Event().wait();
};

Deno.test("run: an error while closing does not hide main's error, and is reported", async () => {
  const { loop_factory, messages } = recording();
  let loop: asyncio.AbstractEventLoop | undefined;
  const main = async () => {
    loop = asyncio.get_running_loop();
    asyncio.create_task(stubborn);
    await asyncio.sleep(1);
    throw new TypeError("main");
  };
  await assertRejects(() => asyncio.run(main, { loop_factory }), TypeError, "main");
  assertEquals(messages.length, 1);
  assertMatch(
    messages[0] ?? "",
    /^unhandled exception during asyncio\.run\(\) shutdown: DeadlockError/,
  );
  assert(loop?.is_closed());
  messages.length = 0;
  const runner = new asyncio.Runner({ loop_factory });
  await assertRejects(() => asyncio.async_with(runner, () => runner.run(main)), TypeError, "main");
  assertEquals(messages.length, 1);
  assert(loop?.is_closed());
});

Deno.test("run: an error while closing is thrown if main has none, and the loop is closed", async () => {
  let loop: asyncio.AbstractEventLoop | undefined;
  const main = async () => {
    loop = asyncio.get_running_loop();
    asyncio.create_task(stubborn);
    await asyncio.sleep(1);
  };
  await assertRejects(() => run(main), DeadlockError);
  assert(loop?.is_closed());
});

Deno.test("Runner.close: cancels tasks, then closes generators, then shuts the executor down", async () => {
  const log: string[] = [];
  const numbers = asyncio.async_generator(async function* () {
    try {
      yield 1;
    } finally {
      log.push("generator");
    }
  });
  await run(async () => {
    asyncio.get_running_loop().set_default_executor({
      submit: async (fn, ...args) => await fn(...args),
      shutdown: (options) => void log.push(`executor ${options?.wait}`),
    });
    await asyncio.anext(numbers());
    asyncio.create_task(() => asyncio.sleep(60).finally(() => log.push("task")));
    await asyncio.sleep(0);
  });
  assertEquals(log, ["task", "generator", "executor true"]);
});

Deno.test("run throws what main throws, and closes its loop", async () => {
  let loop: asyncio.AbstractEventLoop | undefined;
  const main = async () => {
    loop = asyncio.get_running_loop();
    await asyncio.sleep(1);
    throw new TypeError("main");
  };
  await assertRejects(() => run(main), TypeError, "main");
  assert(loop?.is_closed());
});

Deno.test("run inside run is an error, and its coroutine is closed", () =>
  run(async () => {
    const inner = asyncio.sleep(0);
    await assertRejects(
      () => asyncio.run(inner),
      asyncio.RuntimeError,
      "asyncio.run() cannot be called from a running event loop",
    );
    await assertRejects(async () => await inner, asyncio.RuntimeError, "cannot reuse");
  }));

Deno.test("run refuses unknown options by name", async () => {
  await assertRejects(
    () => asyncio.run(asyncio.sleep(0), { deubg: true } as never),
    TypeError,
    "'deubg'",
  );
  assertThrows(() => new asyncio.Runner({ loop: null } as never), TypeError, "'loop'");
});

Deno.test("debug is given to the loop", async () => {
  const debug = () => Promise.resolve(asyncio.get_running_loop().get_debug());
  assertEquals(await asyncio.run(debug, { debug: true }), true);
  assertEquals(await asyncio.run(debug, { debug: false }), false);
  assertEquals(await asyncio.run(debug), false);
});

Deno.test("tasks that are left are cancelled and waited for", async () => {
  const log: string[] = [];
  await run(async () => {
    for (const name of ["a", "b"]) {
      asyncio.create_task(async () => {
        try {
          await asyncio.sleep(60);
        } catch (error) {
          log.push(`${name} ${error}`);
          throw error;
        } finally {
          await asyncio.sleep(1);
          log.push(`${name} cleaned up`);
        }
      });
    }
    await asyncio.sleep(0);
    log.push("main done");
  });
  assertEquals(log, [
    "main done",
    "a CancelledError",
    "b CancelledError",
    "a cleaned up",
    "b cleaned up",
  ]);
});

Deno.test("tasks that are left are cancelled also when main throws", async () => {
  let cleaned_up = false;
  const main = async () => {
    asyncio.create_task(() => asyncio.sleep(60).finally(() => cleaned_up = true));
    await asyncio.sleep(0);
    throw new TypeError("main");
  };
  await assertRejects(() => run(main), TypeError);
  assert(cleaned_up);
});

Deno.test("errors that tasks throw while they are cancelled at the end are reported", async () => {
  const { loop_factory, messages } = recording();
  await asyncio.run(async () => {
    asyncio.create_task(async () => {
      await asyncio.sleep(60).finally(() => {
        throw new TypeError("cleanup");
      });
    });
    await asyncio.sleep(0);
  }, { loop_factory });
  assertEquals(messages, [
    "unhandled exception during asyncio.run() shutdown: TypeError: cleanup",
  ]);
});

Deno.test("errors that nobody retrieved are reported when run ends", async () => {
  const { loop_factory, messages } = recording();
  await asyncio.run(async () => {
    asyncio.create_task(() => Promise.reject(new TypeError("lost")));
    await asyncio.sleep(1);
    await asyncio.sleep(1);
  }, { loop_factory });
  assertEquals(messages, ["Task exception was never retrieved: TypeError: lost"]);
});

Deno.test("main's own error is thrown, not reported", async () => {
  const { loop_factory, messages } = recording();
  await assertRejects(
    () => asyncio.run(() => Promise.reject(new TypeError("main")), { loop_factory }),
    TypeError,
  );
  assertEquals(messages, []);
});

Deno.test("asynchronous generators that were started are closed at the end", async () => {
  const log: string[] = [];
  const numbers = asyncio.async_generator(async function* () {
    try {
      yield 1;
      yield 2;
    } finally {
      log.push("closed");
    }
  });
  await run(async () => {
    log.push(String(await asyncio.anext(numbers())));
  });
  assertEquals(log, ["1", "closed"]);
});

Deno.test("a main that is cancelled from inside throws the cancellation", async () => {
  const main = async () => {
    asyncio.current_task()?.cancel("myself");
    await asyncio.sleep(0);
  };
  await assertRejects(() => run(main), asyncio.CancelledError, "myself");
});

Deno.test("a runner runs several mains on one loop and in one context", async () => {
  const variable = new asyncio.ContextVar<number>("variable", { default: 0 });
  const count = () => Promise.resolve(variable.set(variable.get() + 1)).then(() => variable.get());
  const runner = new asyncio.Runner({ loop_factory });
  const loop = runner.get_loop();
  assertEquals([await runner.run(count), await runner.run(count)], [1, 2]);
  assertEquals(await runner.run(count, { context: asyncio.copy_context() }), 1);
  assert(await runner.run(() => Promise.resolve(asyncio.get_running_loop())) === loop);
  assertEquals(variable.get(), 0);
  await runner.close();
});

Deno.test("a task of one main goes on in the next", async () => {
  await using runner = new asyncio.Runner({ loop_factory });
  const task = await runner.run(() =>
    Promise.resolve([asyncio.create_task(asyncio.sleep(1, "later"))])
  );
  assertEquals(await runner.run(async () => await task[0]), "later");
});

Deno.test("a closed runner does nothing any more, and closing twice is fine", async () => {
  const runner = new asyncio.Runner({ loop_factory });
  const loop = runner.get_loop();
  await runner.close();
  await runner.close();
  assert(loop.is_closed());
  assertThrows(() => runner.get_loop(), asyncio.RuntimeError, "Runner is closed");
  await assertRejects(() => runner.run(asyncio.sleep(0)), asyncio.RuntimeError, "Runner is closed");
});

Deno.test("a runner that was never used is closed without a loop", async () => {
  let made = 0;
  const runner = new asyncio.Runner({
    loop_factory: () => {
      made++;
      return new asyncio.EventLoop();
    },
  });
  await runner.close();
  assertEquals(made, 0);
});

Deno.test("async_with at top level runs a runner, and not on the default loop", async () => {
  let loop: asyncio.AbstractEventLoop | undefined;
  const result = await asyncio.async_with(new asyncio.Runner({ loop_factory }), async (runner) => {
    loop = runner.get_loop();
    return await runner.run(asyncio.sleep(3600, "an hour later"));
  });
  assertEquals(result, "an hour later");
  assert(loop?.is_closed());
});

Deno.test("a runner inside a running loop is an error", () =>
  run(async () => {
    const runner = new asyncio.Runner();
    await assertRejects(
      () => runner.run(asyncio.sleep(0)),
      asyncio.RuntimeError,
      "Runner.run() cannot be called from a running event loop",
    );
  }));

Deno.test("KeyboardInterrupt that main throws leaves run after the cleaning up, unreported", async () => {
  const { loop_factory, messages } = recording();
  const log: string[] = [];
  const main = async () => {
    asyncio.create_task(() => asyncio.sleep(60).finally(() => log.push("task")));
    await asyncio.sleep(0);
    throw new asyncio.KeyboardInterrupt();
  };
  await assertRejects(() => asyncio.run(main, { loop_factory }), asyncio.KeyboardInterrupt);
  assertEquals(log, ["task"]);
  assertEquals(messages, []);
});

Deno.test("run: a KeyboardInterrupt of a task that passes through main is not reported beside being thrown", async () => {
  const { loop_factory, messages } = recording();
  const main = async () => {
    await asyncio.gather(
      () => Promise.reject(new asyncio.KeyboardInterrupt("stop")),
      asyncio.sleep(1),
    );
  };
  await assertRejects(() => asyncio.run(main, { loop_factory }), asyncio.KeyboardInterrupt, "stop");
  // Main's own error is never retrieved, in CPython either.
  assertEquals(messages, ["Task exception was never retrieved: KeyboardInterrupt: stop"]);
});

Deno.test("an error that is lost is written to the console by default", async () => {
  const lines = await console_of("error", () =>
    run(async () => {
      asyncio.create_task(() => Promise.reject(new TypeError("lost")), { name: "loser" });
      await asyncio.sleep(1);
    }));
  assertEquals(lines.length, 1);
  assertMatch(`${lines[0]}`, /^Task exception was never retrieved: task 'loser' of <lambda>\(\)\n/);
  assertMatch(`${lines[0]}`, /TypeError: lost/);
});

Deno.test("a loop factory makes the loops of all who bring none, until it is taken back", async () => {
  class Marked extends VirtualClockEventLoop {}
  const loop_of_run = (options?: asyncio.RunOptions) =>
    asyncio.run(() => Promise.resolve(asyncio.get_running_loop()), options);
  asyncio.set_loop_factory(() => new Marked());
  try {
    assert(await loop_of_run() instanceof Marked);
    assert(asyncio.new_event_loop() instanceof Marked);
    await using runner = new asyncio.Runner();
    assert(runner.get_loop() instanceof Marked);
    const loop_factory = () => new asyncio.EventLoop();
    assert(!(await loop_of_run({ loop_factory }) instanceof Marked));
  } finally {
    asyncio.set_loop_factory(null);
  }
  assert(!(await loop_of_run() instanceof Marked));
});

/** An async function that waits, and whose clean-up waits twice. */
async function wait_and_clean_up(wait: PromiseLike<unknown>, log: string[]): Promise<void> {
  try {
    await wait;
  } catch (error) {
    log.push((error as Error).name);
  } finally {
    await asyncio.sleep(1);
    await asyncio.sleep(1);
    log.push("cleaned up");
  }
}

for (
  const [name, make_wait] of [
    ["a coroutine", () => asyncio.sleep(60)],
    ["a future", () => asyncio.get_running_loop().create_future()],
  ] as [string, () => PromiseLike<unknown>][]
) {
  Deno.test(`run: code of a cancelled task beside its own, which waits for ${name}, cleans up to its end`, async () => {
    const log: string[] = [];
    await run(async () => {
      asyncio.create_task(async () => {
        void wait_and_clean_up(make_wait(), log);
        await asyncio.sleep(60);
      });
      await asyncio.sleep(0);
    });
    assertEquals(log, ["CancelledError", "cleaned up"]);
  });

  Deno.test(`run: code that has outlived its task and waits for ${name} cleans up to its end`, async () => {
    const log: string[] = [];
    await run(async () => {
      await asyncio.create_task(() => Promise.resolve(void wait_and_clean_up(make_wait(), log)));
    });
    assertEquals(log, ["CancelledError", "cleaned up"]);
  });

  Deno.test(`run: a detached call that waits for ${name} cleans up to its end`, async () => {
    const log: string[] = [];
    await run(async () => {
      void asyncio.detached(() => wait_and_clean_up(make_wait(), log))();
      await asyncio.sleep(0);
    });
    assertEquals(log, ["CancelledError", "cleaned up"]);
  });

  Deno.test(`run: a call that the clean-up of a cancelled task begins, and that waits for ${name}, is cancelled`, async () => {
    const log: string[] = [];
    await run(async () => {
      asyncio.create_task(async () => {
        try {
          await asyncio.sleep(60);
        } finally {
          void wait_and_clean_up(make_wait(), log);
        }
      });
      await asyncio.sleep(0);
    });
    assertEquals(log, ["CancelledError", "cleaned up"]);
  });
}

Deno.test("run: a call beside a task's own code cleans up to its end though the task ends with its value", async () => {
  const log: string[] = [];
  await run(async () => {
    asyncio.create_task(async () => {
      void wait_and_clean_up(asyncio.sleep(60), log);
      // Work that ends all the same when it is aborted: the call has taken the cancellation.
      await asyncio.from_promise((signal) =>
        new Promise((resolve) => signal.addEventListener("abort", () => resolve(asyncio.sleep(1))))
      );
    });
    await asyncio.sleep(0);
  });
  assertEquals(log, ["CancelledError", "cleaned up"]);
});

Deno.test("run: what a task begins that swallows its cancellation is cancelled, and a call beside it cleans up to its end", async () => {
  const log: string[] = [];
  await run(async () => {
    asyncio.create_task(async () => {
      void wait_and_clean_up(asyncio.sleep(60), log);
      try {
        await asyncio.sleep(60);
      } catch {
        void name_of_error(asyncio.get_running_loop().create_future(), log);
      }
    });
    await asyncio.sleep(0);
  });
  assertEquals(log, ["CancelledError", "CancelledError", "cleaned up"]);
});

Deno.test("run: a call that a task has left running when its own code ends with main cleans up to its end", async () => {
  const log: string[] = [];
  await run(async () => {
    asyncio.create_task(async () => {
      void wait_and_clean_up(asyncio.sleep(60), log);
      // As where functions return to each other.
      for (let left = 100; left > 0; left--) await Promise.resolve();
    });
    await asyncio.sleep(0);
  });
  assertEquals(log, ["CancelledError", "cleaned up"]);
});

Deno.test("create_task, TaskGroup.create_task: the error of a native promise that is refused is not reported beside", async () => {
  const refused = "instead of create_task(work(x)) write create_task(() => work(x))";
  const work = () => Promise.reject(new RangeError("of the work"));
  await run(async () => {
    assertThrows(() => asyncio.create_task(work() as never), TypeError, refused);
    const group = asyncio.async_with(new asyncio.TaskGroup(), async (group) => {
      await asyncio.sleep(1);
      group.create_task(work() as never);
    });
    const error = await assertRejects(async () => await group, asyncio.ExceptionGroup);
    assertMatch(`${error.exceptions}`, /^TypeError: a coroutine was expected/);
    // A rejection that is not handled fails the test.
    await new Promise((resolve) => setTimeout(resolve, 0));
  });
});

async function name_of_error(wait: PromiseLike<unknown>, log: unknown[]): Promise<void> {
  try {
    await wait;
  } catch (error) {
    log.push((error as Error).name);
  }
}

Deno.test("run: a call left running whose clean-up begins blocks one after the other runs to its end", async () => {
  for (let hops = 0; hops < 6; hops++) {
    const log: unknown[] = [];
    // As where functions return to each other.
    const hop = async () => {
      for (let left = hops; left > 0; left--) await Promise.resolve();
    };
    const call = async () => {
      await name_of_error(asyncio.get_running_loop().create_future(), log);
      for (let blocks = 0; blocks < 3; blocks++) {
        const block = asyncio.async_with(asyncio.timeout(0), () => asyncio.sleep(1).finally(hop));
        await name_of_error(block, log);
        await hop();
      }
      log.push("end");
    };
    await run(async () => {
      asyncio.create_task(() => Promise.resolve(void call()));
      await asyncio.sleep(1);
    });
    assertEquals(log, ["CancelledError", "TimeoutError", "TimeoutError", "TimeoutError", "end"]);
  }
});

for (const kind of ["of an ended task", "that is detached"]) {
  Deno.test(`run: a call ${kind} is cancelled though its wait has just ended, and no item is lost`, async () => {
    const make_waits: ((queue: asyncio.Queue<string>) => () => PromiseLike<string>)[] = [
      (queue) => () => queue.get(),
      (queue) => {
        const future = asyncio.get_running_loop().create_future<string>();
        asyncio.create_task(async () => future.set_result(await queue.get()));
        return () => future;
      },
      (queue) => () => asyncio.from_promise(() => new Promise((resolve) => resolve(queue.get()))),
    ];
    // The moment at which the wait ends: some iterations before the last one.
    for (let iterations = 0; iterations < 4; iterations++) {
      for (const make_wait of make_waits) {
        const log: unknown[] = [];
        let loop!: VirtualClockEventLoop;
        const queue = new asyncio.Queue<string>();
        await asyncio.run(async () => {
          const wait = make_wait(queue);
          const work = async () => {
            log.push(await wait());
            await wait_and_clean_up(asyncio.sleep(60), log as string[]);
          };
          const call = () => void work().catch(() => {});
          if (kind === "that is detached") asyncio.detached(call)();
          else asyncio.create_task(() => Promise.resolve(call()));
          await asyncio.sleep(1);
          queue.put_nowait("item");
          for (let left = iterations; left > 0; left--) await asyncio.sleep(0);
        }, { loop_factory: () => loop = new VirtualClockEventLoop() });
        const [first, ...rest] = log;
        assertEquals(rest, first === "item" ? ["CancelledError", "cleaned up"] : []);
        assertEquals(loop.time(), first === "item" ? 3 : 1);
      }
    }
  });
}

Deno.test("run: a callback that a clean-up at the end has scheduled is cancelled when it waits", async () => {
  const log: string[] = [];
  const callback = async () => {
    try {
      await asyncio.from_promise(() => Promise.reject(new Error("never begun")));
    } catch (error) {
      log.push((error as Error).name);
    }
  };
  await run(async () => {
    const clean_up = async () => {
      try {
        await asyncio.sleep(60);
      } catch {
        asyncio.get_running_loop().call_soon(() => void callback());
      }
    };
    await asyncio.create_task(() => Promise.resolve(void clean_up()));
  });
  assertEquals(log, ["CancelledError"]);
});

Deno.test("run: a wait that begins too late is reported if nothing catches its cancellation", async () => {
  const { loop_factory, messages } = recording();
  await asyncio.run(async () => {
    const loop = asyncio.get_running_loop();
    asyncio.create_task(async () => {
      try {
        await asyncio.sleep(60);
      } finally {
        loop.call_soon(() => void (async () => await asyncio.sleep(1))());
      }
    });
    await asyncio.sleep(0);
  }, { loop_factory });
  // The host looks for rejections that nothing handles when the microtask queue has run dry.
  await new Promise((resolve) => setTimeout(resolve, 0));
  assertEquals(messages, [
    "A call began to wait when the run of its loop had ended: it was cancelled: CancelledError",
  ]);
});
