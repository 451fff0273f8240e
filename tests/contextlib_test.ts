// deno-lint-ignore-file require-await -- blocks and managers are async functions
/** `asynccontextmanager`, `AsyncExitStack`, `nullcontext`, `suppress`, and what else `async_with` takes. */

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import * as asyncio from "../mod.ts";
import { VirtualClockEventLoop } from "../testing.ts";

function test(name: string, main: () => Promise<void>): void {
  Deno.test(name, () => asyncio.run(main, { loop_factory: () => new VirtualClockEventLoop() }));
}

async function thrown_by(work: () => PromiseLike<unknown>): Promise<unknown> {
  try {
    await work();
  } catch (error) {
    return error;
  }
  throw new Error("nothing was thrown");
}

function group_of(error: unknown): asyncio.BaseExceptionGroup {
  if (error instanceof asyncio.BaseExceptionGroup) return error;
  throw error;
}

const time = (): number => asyncio.get_running_loop().time();

/** A manager of both kinds of generators, which notes what happens. */
function both(): {
  kind: string;
  log: unknown[];
  make: () => asyncio.AsyncContextManager<unknown>;
}[] {
  const log_of_async: unknown[] = [];
  const log_of_generator: unknown[] = [];
  return [
    {
      kind: "async function*",
      log: log_of_async,
      make: asyncio.asynccontextmanager(async function* () {
        await asyncio.sleep(1);
        log_of_async.push("enter");
        try {
          yield "value";
          log_of_async.push("returned");
        } catch (error) {
          log_of_async.push(error);
          throw error;
        } finally {
          await asyncio.sleep(1);
          log_of_async.push("exit");
        }
      }),
    },
    {
      kind: "function*",
      log: log_of_generator,
      make: asyncio.asynccontextmanager(function* () {
        yield* asyncio.sleep(1);
        log_of_generator.push("enter");
        try {
          yield "value";
          log_of_generator.push("returned");
        } catch (error) {
          log_of_generator.push(error);
          throw error;
        } finally {
          yield* asyncio.sleep(1);
          log_of_generator.push("exit");
        }
      }),
    },
  ];
}

test("asynccontextmanager: the block gets what is yielded, and its result is the result", async () => {
  for (const { kind, log, make } of both()) {
    const result = await asyncio.async_with(make(), async (value) => {
      log.push(value);
      await asyncio.sleep(1);
      return 42;
    });
    assertEquals([kind, result, ...log], [kind, 42, "enter", "value", "returned", "exit"]);
  }
});

test("asynccontextmanager: an error of the block is thrown at the yield and stays that error", async () => {
  for (const { kind, log, make } of both()) {
    const error = new TypeError("block");
    const thrown = await thrown_by(() => asyncio.async_with(make(), () => Promise.reject(error)));
    assert(thrown === error, kind);
    assertEquals(log, ["enter", error, "exit"]);
  }
});

test("asynccontextmanager: a generator that catches the error and returns swallows it", async () => {
  const swallowing = [
    asyncio.asynccontextmanager(async function* () {
      try {
        yield;
      } catch {
        await asyncio.sleep(1);
      }
    }),
    asyncio.asynccontextmanager(function* () {
      try {
        yield;
      } catch {
        yield* asyncio.sleep(1);
      }
    }),
  ];
  for (const make of swallowing) {
    const block = () => Promise.reject(new TypeError("block"));
    assertEquals(await asyncio.async_with(make(), block), undefined);
  }
});

test("asynccontextmanager: another error of the generator takes the place of the block's", async () => {
  const make = asyncio.asynccontextmanager(async function* () {
    try {
      yield;
    } catch (cause) {
      throw new RangeError("exit", { cause });
    }
  });
  const error = await assertRejects(
    async () => await asyncio.async_with(make(), () => Promise.reject(new TypeError("block"))),
    RangeError,
    "exit",
  );
  assert(error.cause instanceof TypeError);
});

test("asynccontextmanager: a cancellation is thrown at the yield, and the manager may wait", async () => {
  for (const { kind, log, make } of both()) {
    const task = asyncio.create_task(asyncio.async_with(make(), () => asyncio.sleep(60)));
    await asyncio.sleep(5);
    task.cancel("enough");
    await asyncio.wait([task]);
    assert(task.cancelled(), kind);
    assertEquals(log.length, 3);
    assertEquals([log[0], String(log[1]), log[2]], ["enter", "CancelledError: enough", "exit"]);
  }
});

test("asynccontextmanager: a generator that swallows a cancellation leaves the task uncancelled", async () => {
  const make = asyncio.asynccontextmanager(async function* () {
    try {
      yield;
    } catch (error) {
      if (!(error instanceof asyncio.CancelledError)) throw error;
    }
  });
  const task = asyncio.create_task(async () => {
    await asyncio.async_with(make(), () => asyncio.sleep(60));
    return asyncio.current_task()?.cancelling();
  });
  await asyncio.sleep(1);
  task.cancel();
  assertEquals(await task, 1);
});

test("asynccontextmanager: cancelled while it is being entered, its block does not run", async () => {
  for (const { kind, log, make } of both()) {
    let ran = false;
    const task = asyncio.create_task(asyncio.async_with(make(), () => {
      ran = true;
      return Promise.resolve();
    }));
    await asyncio.sleep(0.5);
    task.cancel();
    await asyncio.wait([task]);
    assertEquals([kind, task.cancelled(), ran, log.length], [kind, true, false, 0]);
  }
});

test("asynccontextmanager: cancelled while it is being left, the cancellation is thrown", async () => {
  for (const { kind, log, make } of both()) {
    const task = asyncio.create_task(
      asyncio.async_with(make(), () => Promise.reject(new TypeError("block"))),
    );
    await asyncio.sleep(1.5);
    task.cancel();
    await asyncio.wait([task]);
    assertEquals([kind, task.cancelled(), log.includes("exit")], [kind, true, false]);
  }
});

test("asynccontextmanager: a generator must yield once", async () => {
  const never = [
    asyncio.asynccontextmanager(async function* () {}),
    asyncio.asynccontextmanager(function* () {}),
  ];
  for (const make of never) {
    await assertRejects(
      async () => await asyncio.async_with(make(), () => Promise.resolve()),
      asyncio.RuntimeError,
      "generator didn't yield",
    );
  }
  const closed: string[] = [];
  const twice = [
    asyncio.asynccontextmanager(async function* () {
      try {
        yield 1;
        yield 2;
      } finally {
        closed.push("async");
      }
    }),
    asyncio.asynccontextmanager(function* () {
      try {
        yield 1;
        yield 2;
      } finally {
        closed.push("generator");
      }
    }),
  ];
  for (const make of twice) {
    await assertRejects(
      async () => await asyncio.async_with(make(), () => Promise.resolve()),
      asyncio.RuntimeError,
      "generator didn't stop",
    );
  }
  assertEquals(closed, ["async", "generator"]);
  const after_error = asyncio.asynccontextmanager(async function* () {
    try {
      yield 1;
    } catch {
      yield 2;
    }
  });
  await assertRejects(
    async () => await asyncio.async_with(after_error(), () => Promise.reject(new Error("block"))),
    asyncio.RuntimeError,
    "generator didn't stop after athrow()",
  );
});

test("asynccontextmanager: a StopAsyncIteration of the block leaves it as it is", async () => {
  const make = asyncio.asynccontextmanager(async function* () {
    yield;
  });
  const error = new asyncio.StopAsyncIteration("spam");
  assert(await thrown_by(() => asyncio.async_with(make(), () => Promise.reject(error))) === error);
  const converts = asyncio.asynccontextmanager(async function* () {
    try {
      yield;
    } catch (cause) {
      throw new asyncio.RuntimeError("issue", { cause });
    }
  });
  const thrown = await thrown_by(() =>
    asyncio.async_with(converts(), () => Promise.reject(new TypeError("block")))
  );
  assertEquals(String(thrown), "RuntimeError: issue");
});

test("asynccontextmanager: in a function* a bare yield is for the block, yield* sleep(0) is not", async () => {
  const log: string[] = [];
  const make = asyncio.asynccontextmanager(function* () {
    log.push("a");
    yield* asyncio.sleep(0);
    yield* nested();
    log.push("b");
    yield;
    yield* asyncio.sleep(0);
    log.push("d");
  });
  const nested = asyncio.coroutine(function* () {
    yield* asyncio.sleep(0);
    yield;
  });
  await asyncio.async_with(make(), async (value) => {
    await Promise.resolve();
    assertEquals(value, undefined);
    log.push("c");
  });
  assertEquals(log, ["a", "b", "c", "d"]);
});

test("asynccontextmanager: a function* waits for futures, and may yield one for its block", async () => {
  const ready = asyncio.get_running_loop().create_future<string>();
  const given = asyncio.get_running_loop().create_future<string>();
  const failed = asyncio.get_running_loop().create_future<string>();
  const make = asyncio.asynccontextmanager<[], asyncio.Future<string>>(function* () {
    assertEquals(yield* ready, "ready");
    try {
      yield* failed;
    } catch (error) {
      assertEquals(String(error), "TypeError: failed");
    }
    yield given;
  });
  asyncio.get_running_loop().call_later(1, () => ready.set_result("ready"));
  asyncio.get_running_loop().call_later(2, () => failed.set_exception(new TypeError("failed")));
  const value = await asyncio.async_with(make(), (future) => Promise.resolve([future]));
  assert(value[0] === given);
  assertEquals(time(), 2);
});

test("asynccontextmanager: keeps this, the arguments and the name of its function", async () => {
  class Pool {
    readonly name = "pool";
    connection = asyncio.asynccontextmanager(this.open);
    async *open(number: number, suffix = "!") {
      yield `${this.name} ${number}${suffix}`;
    }
  }
  const pool = new Pool();
  assertEquals(await asyncio.async_with(pool.connection(3), async (text) => text), "pool 3!");
  assertEquals([pool.connection.name, pool.connection.length], ["open", 1]);
  assertEquals(String(pool.connection(1)), "<context manager open>");
});

test("asynccontextmanager: a manager is entered once", async () => {
  for (const { make } of both()) {
    const manager = make();
    await asyncio.async_with(manager, () => Promise.resolve());
    await assertRejects(
      async () => await asyncio.async_with(manager, () => Promise.resolve()),
      asyncio.RuntimeError,
      "Cannot enter a context manager again",
    );
  }
});

test("asynccontextmanager: refuses what is no generator function", async () => {
  assertThrows(() => asyncio.asynccontextmanager(1 as never), TypeError, "received 1");
  const make = asyncio.asynccontextmanager((async () => {}) as never);
  assertThrows(make, TypeError, "must be an async function* or a function*");
  await Promise.resolve();
});

/** A manager that notes how it is left. */
function recorder(log: unknown[], name: string, swallows = false) {
  return {
    __aenter__: () => asyncio.sleep(0, name),
    __aexit__: (error: unknown) => {
      log.push(error === null ? name : `${name}: ${error}`);
      return asyncio.sleep(0, swallows);
    },
  };
}

test("AsyncExitStack: leaves everything in reverse order", async () => {
  const log: unknown[] = [];
  const stack = new asyncio.AsyncExitStack();
  const result = await asyncio.async_with(stack, async (entered) => {
    assert(entered === stack);
    assertEquals(await stack.enter_async_context(recorder(log, "one")), "one");
    stack.callback((...args: unknown[]) => log.push(args), 1, "a");
    stack.push_async_callback(async (name: string) => {
      await asyncio.sleep(1);
      log.push(name);
    }, "async callback");
    stack.push_async_callback(function* () {
      log.push(yield* asyncio.sleep(1, "generator callback"));
    });
    stack.push((error) => void log.push(["push", error]));
    stack.push_async_exit(async (error) => void log.push(["push_async_exit", error]));
    stack.push_async_exit(recorder(log, "two"));
    assertEquals(String(stack), "<AsyncExitStack [7]>");
    return 42;
  });
  assertEquals(result, 42);
  assertEquals(log, [
    "two",
    ["push_async_exit", null],
    ["push", null],
    "generator callback",
    "async callback",
    [1, "a"],
    "one",
  ]);
});

test("AsyncExitStack: its methods return what they are given", async () => {
  await asyncio.async_with(new asyncio.AsyncExitStack(), async (stack) => {
    const callback = () => {};
    const work = async () => {};
    const disposable = { [Symbol.dispose]() {} };
    assert(stack.callback(callback) === callback);
    assert(stack.push(callback) === callback);
    assert(stack.push(disposable) === disposable);
    assert(stack.push_async_callback(work) === work);
    assert(stack.push_async_exit(work) === work);
    assert(stack.enter_context(disposable) === disposable);
    assert(await stack.enter_async_context(disposable) === disposable);
  });
});

test("AsyncExitStack: each gets the error that leaves, and a true result swallows it", async () => {
  const log: unknown[] = [];
  const result = await asyncio.async_with(new asyncio.AsyncExitStack(), async (stack) => {
    await stack.enter_async_context(recorder(log, "outer"));
    await stack.enter_async_context(recorder(log, "swallows", true));
    stack.callback(() => true);
    await stack.enter_async_context(recorder(log, "inner"));
    throw new TypeError("block");
  });
  assertEquals(result, undefined);
  assertEquals(log, ["inner: TypeError: block", "swallows: TypeError: block", "outer"]);
});

test("AsyncExitStack: an error of an exit takes the place of the earlier one", async () => {
  const log: unknown[] = [];
  await assertRejects(
    async () =>
      await asyncio.async_with(new asyncio.AsyncExitStack(), async (stack) => {
        await stack.enter_async_context(recorder(log, "outer"));
        stack.push_async_exit(() => Promise.reject(new RangeError("exit")));
        await stack.enter_async_context(recorder(log, "inner"));
        throw new TypeError("block");
      }),
    RangeError,
    "exit",
  );
  assertEquals(log, ["inner: TypeError: block", "outer: RangeError: exit"]);
});

test("AsyncExitStack: an error of an exit can be swallowed by an outer one", async () => {
  const log: unknown[] = [];
  const result = await asyncio.async_with(new asyncio.AsyncExitStack(), async (stack) => {
    stack.push((error) => error instanceof RangeError);
    stack.callback(() => {
      throw new RangeError("exit");
    });
    await stack.enter_async_context(recorder(log, "inner"));
    return 42;
  });
  // As in CPython, the block itself had no error.
  assertEquals([result, ...log], [42, "inner"]);
});

test("AsyncExitStack: the very error of the block is thrown, null too", async () => {
  for (const error of [new TypeError("block"), "text", null, undefined]) {
    const thrown = await thrown_by(() =>
      asyncio.async_with(new asyncio.AsyncExitStack(), async (stack) => {
        await stack.enter_async_context(recorder([], "inner"));
        throw error;
      })
    );
    assert(thrown === error);
  }
});

test("AsyncExitStack.enter_async_context: what cannot be entered is not left", async () => {
  const log: unknown[] = [];
  const broken: asyncio.AsyncContextManager<null> = {
    __aenter__: () => Promise.reject(new RangeError("enter")),
    __aexit__: () => Promise.resolve(log.push("never")),
  };
  await assertRejects(
    async () =>
      await asyncio.async_with(new asyncio.AsyncExitStack(), async (stack) => {
        await stack.enter_async_context(recorder(log, "outer"));
        await stack.enter_async_context(broken);
      }),
    RangeError,
  );
  assertEquals(log, ["outer: RangeError: enter"]);
});

test("AsyncExitStack.enter_async_context: cancelled while it waits, the manager is not left", async () => {
  const log: unknown[] = [];
  const slow = { ...recorder(log, "slow"), __aenter__: () => asyncio.sleep(60) };
  const task = asyncio.create_task(
    asyncio.async_with(new asyncio.AsyncExitStack(), async (stack) => {
      await stack.enter_async_context(recorder(log, "outer"));
      await stack.enter_async_context(slow);
    }),
  );
  await asyncio.sleep(1);
  task.cancel();
  await asyncio.wait([task]);
  assert(task.cancelled());
  assertEquals(log, ["outer: CancelledError"]);
});

test("AsyncExitStack: an exit that is cancelled passes the cancellation to the next", async () => {
  const log: unknown[] = [];
  const task = asyncio.create_task(
    asyncio.async_with(new asyncio.AsyncExitStack(), async (stack) => {
      await stack.enter_async_context(recorder(log, "outer"));
      stack.push_async_callback(() => asyncio.sleep(60));
      await stack.enter_async_context(recorder(log, "inner"));
    }),
  );
  await asyncio.sleep(1);
  task.cancel();
  await asyncio.wait([task]);
  assert(task.cancelled());
  assertEquals(log, ["inner", "outer: CancelledError"]);
});

test("AsyncExitStack: a block that is cancelled leaves everything, and exits may wait", async () => {
  const log: unknown[] = [];
  const task = asyncio.create_task(
    asyncio.async_with(new asyncio.AsyncExitStack(), async (stack) => {
      stack.push_async_callback(async () => {
        await asyncio.sleep(2);
        log.push(time());
      });
      await stack.enter_async_context(recorder(log, "inner"));
      await asyncio.sleep(60);
    }),
  );
  await asyncio.sleep(1);
  task.cancel();
  await asyncio.wait([task]);
  assert(task.cancelled());
  assertEquals(log, ["inner: CancelledError", 3]);
});

test("AsyncExitStack.pop_all: moves everything to a stack that is closed later", async () => {
  const log: unknown[] = [];
  class Stack extends asyncio.AsyncExitStack {}
  const kept = await asyncio.async_with(new Stack(), async (stack) => {
    await stack.enter_async_context(recorder(log, "one"));
    await stack.enter_async_context(recorder(log, "two"));
    return (stack as Stack).pop_all();
  });
  assert(kept instanceof Stack);
  assertEquals(log, []);
  await kept.aclose();
  assertEquals(log, ["two", "one"]);
  await kept.aclose();
  assertEquals(log, ["two", "one"]);
});

test("AsyncExitStack.pop_all: a timeout that was moved cancels the code around the block", async () => {
  const task = asyncio.create_task(async () => {
    const kept = await asyncio.async_with(new asyncio.AsyncExitStack(), async (stack) => {
      await stack.enter_async_context(asyncio.timeout(5));
      return stack.pop_all();
    });
    const error = await thrown_by(() => asyncio.sleep(60));
    assert(error instanceof asyncio.CancelledError);
    assertEquals(time(), 5);
    await assertRejects(async () => await kept.__aexit__(error), asyncio.TimeoutError);
    assertEquals(asyncio.current_task()?.cancelling(), 0);
    await asyncio.sleep(1);
    return "done";
  });
  assertEquals(await task, "done");
});

test("AsyncExitStack: timeout() and TaskGroup cancel the stack's block and nothing around it", async () => {
  const log: unknown[] = [];
  const block = async () => {
    await asyncio.async_with(new asyncio.AsyncExitStack(), async (stack) => {
      const group = await stack.enter_async_context(new asyncio.TaskGroup());
      group.create_task(asyncio.sleep(60)).add_done_callback((task) => log.push(task.cancelled()));
      await stack.enter_async_context(asyncio.timeout(5));
      await asyncio.sleep(60);
    });
  };
  const [outcome, other] = await Promise.allSettled([block(), asyncio.sleep(10, "other")]);
  assertEquals(other, { status: "fulfilled", value: "other" });
  const [error] = group_of((outcome as PromiseRejectedResult).reason).exceptions;
  assertEquals(String(error).split(" after")[0], "TimeoutError: timed out");
  assertEquals(log, [true]);
  assertEquals([time(), asyncio.current_task()?.cancelling()], [10, 0]);
});

test("AsyncExitStack: a failing task of its TaskGroup cancels the block, and a timeout inside keeps its own", async () => {
  const error = await thrown_by(() =>
    asyncio.async_with(new asyncio.AsyncExitStack(), async (stack) => {
      const group = await stack.enter_async_context(new asyncio.TaskGroup());
      await stack.enter_async_context(asyncio.timeout(5));
      group.create_task(async () => {
        await asyncio.sleep(1);
        throw new TypeError("task");
      });
      await asyncio.sleep(60);
    })
  );
  assertEquals(group_of(error).exceptions.map(String), ["TypeError: task"]);
  assertEquals([time(), asyncio.current_task()?.cancelling()], [1, 0]);
});

test("AsyncExitStack: entered by hand, as by an object that is itself a context manager", async () => {
  const log: unknown[] = [];
  class Server implements asyncio.AsyncContextManager<Server> {
    readonly stack = new asyncio.AsyncExitStack();
    async __aenter__() {
      await this.stack.__aenter__();
      await this.stack.enter_async_context(recorder(log, "inner"));
      return this;
    }
    async __aexit__(error: unknown) {
      return await this.stack.__aexit__(error);
    }
  }
  await assertRejects(
    async () => await asyncio.async_with(new Server(), () => Promise.reject(new TypeError("x"))),
    TypeError,
  );
  assertEquals(log, ["inner: TypeError: x"]);
});

test("AsyncExitStack: await using leaves everything", async () => {
  const log: unknown[] = [];
  {
    await using stack = new asyncio.AsyncExitStack();
    await stack.enter_async_context(recorder(log, "one"));
    stack.callback(() => log.push("two"));
  }
  assertEquals(log, ["two", "one"]);
});

test("AsyncExitStack: many exits do not exhaust the stack", async () => {
  let count = 0;
  await asyncio.async_with(new asyncio.AsyncExitStack(), async (stack) => {
    for (let n = 0; n < 20_000; n++) {
      stack.push_async_callback(async () => void count++);
    }
    await Promise.resolve();
  });
  assertEquals(count, 20_000);
});

test("AsyncExitStack: refuses what cannot be an exit", async () => {
  await asyncio.async_with(new asyncio.AsyncExitStack(), async (stack) => {
    assertThrows(() => stack.enter_async_context({} as never), TypeError, "asynchronous context");
    assertThrows(() => stack.enter_context({} as never), TypeError, "context manager protocol");
    assertThrows(() => stack.push({} as never), TypeError);
    assertThrows(() => stack.push_async_exit({} as never), TypeError, "__aexit__()");
    assertThrows(() => stack.callback(1 as never), TypeError, "received 1");
    assertThrows(() => stack.push_async_callback(1 as never), TypeError, "received 1");
    await Promise.resolve();
  });
  for (const method of ["push", "callback"] as const) {
    await assertRejects(
      async () =>
        await asyncio.async_with(new asyncio.AsyncExitStack(), async (stack) => {
          const add: (callback: () => unknown) => unknown = stack[method].bind(stack);
          add(async () => {});
          await Promise.resolve();
        }),
      TypeError,
      "push_async_callback()",
    );
  }
});

test("nullcontext: passes its value, again and again", async () => {
  const manager = asyncio.nullcontext("value");
  for (let n = 0; n < 2; n++) {
    assertEquals(await asyncio.async_with(manager, async (value) => value), "value");
  }
  assertEquals(await asyncio.async_with(asyncio.nullcontext(), async (value) => value), undefined);
  await assertRejects(
    async () => await asyncio.async_with(manager, () => Promise.reject(new TypeError("block"))),
    TypeError,
  );
  assertEquals(String(manager), "<nullcontext 'value'>");
});

const fails = (error: unknown) => () => Promise.reject(error);

test("suppress: swallows errors of its classes and subclasses, and no others", async () => {
  class Narrow extends TypeError {}
  const manager = asyncio.suppress(TypeError, RangeError);
  assertEquals(await asyncio.async_with(manager, fails(new Narrow())), undefined);
  assertEquals(await asyncio.async_with(manager, fails(new RangeError())), undefined);
  assertEquals(await asyncio.async_with(manager, async () => 1), 1);
  await assertRejects(async () => await asyncio.async_with(manager, fails(new Error("no"))), Error);
  await assertRejects(
    async () => await asyncio.async_with(asyncio.suppress(), fails(new TypeError("no"))),
    TypeError,
  );
  assertEquals(String(manager), "<suppress TypeError, RangeError>");
});

test("suppress: of a group only the errors of its classes are swallowed", async () => {
  const manager = asyncio.suppress(TypeError);
  const types = new asyncio.ExceptionGroup("all", [new TypeError("a"), new TypeError("b")]);
  assertEquals(await asyncio.async_with(manager, fails(types)), undefined);
  const mixed = new asyncio.ExceptionGroup("mixed", [new TypeError("a"), new RangeError("b")]);
  const rest = await thrown_by(() => asyncio.async_with(manager, fails(mixed)));
  assertEquals([group_of(rest).message, group_of(rest).exceptions.map(String)], ["mixed", [
    "RangeError: b",
  ]]);
});

test("suppress: Error stands for Exception, of which a cancellation is none", async () => {
  const cancelled = new asyncio.CancelledError();
  const by_error = () => asyncio.async_with(asyncio.suppress(Error), fails(cancelled));
  assert(await thrown_by(by_error) === cancelled);
  for (const kind of [asyncio.CancelledError, asyncio.BaseException]) {
    assertEquals(await asyncio.async_with(asyncio.suppress(kind), fails(cancelled)), undefined);
  }
  const group = new asyncio.BaseExceptionGroup("both", [new TypeError("a"), cancelled]);
  const rest = await thrown_by(() => asyncio.async_with(asyncio.suppress(Error), fails(group)));
  assertEquals(group_of(rest).exceptions, [cancelled]);
});

test("suppress: refuses what is no class of errors", async () => {
  assertThrows(() => asyncio.suppress(1 as never), TypeError, "received 1");
  assertThrows(() => asyncio.suppress(Date as never), TypeError, "classes of errors");
  await Promise.resolve();
});

test("async_with: disposes of an object at the end of the block, and passes it", async () => {
  const log: string[] = [];
  const sync = { [Symbol.dispose]: () => void log.push("sync") };
  const async = {
    [Symbol.dispose]: () => void log.push("never"),
    async [Symbol.asyncDispose]() {
      await asyncio.sleep(1);
      log.push("async");
      return true;
    },
  };
  assert(await asyncio.async_with(sync, async (value) => value) === sync);
  assert(await asyncio.async_with(async, async (value) => value) === async);
  assertEquals(log, ["sync", "async"]);
  // Its result swallows nothing.
  await assertRejects(
    async () => await asyncio.async_with(async, fails(new TypeError())),
    TypeError,
  );
  const broken = {
    [Symbol.dispose]() {
      throw new RangeError("dispose");
    },
  };
  await assertRejects(
    async () => await asyncio.async_with(broken, fails(new TypeError("block"))),
    RangeError,
    "dispose",
  );
});

test("async_with: an object's own __aenter__ comes before its dispose", async () => {
  const log: unknown[] = [];
  const manager = { ...recorder(log, "manager"), [Symbol.dispose]: () => void log.push("dispose") };
  assertEquals(await asyncio.async_with(manager, async (value) => value), "manager");
  assertEquals(log, ["manager"]);
});

for (const { kind, log, make } of both()) {
  test(`asynccontextmanager: of an ${kind}: null and undefined that the block throws are thrown at the yield`, async () => {
    const ways: ((body: () => Promise<void>) => PromiseLike<unknown>)[] = [
      (body) => asyncio.async_with(make(), body),
      (body) =>
        asyncio.async_with(new asyncio.AsyncExitStack(), async (stack) => {
          await stack.enter_async_context(make());
          await body();
        }),
    ];
    for (const thrown of [null, undefined]) {
      for (const way of ways) {
        log.length = 0;
        assertEquals(
          await thrown_by(() =>
            way(async () => {
              throw thrown;
            })
          ),
          thrown,
        );
        assert(!log.includes("returned"), `the generator resumed as if nothing was thrown: ${log}`);
        log.length = 0;
        await way(async () => {});
        assert(log.includes("returned"));
      }
    }
  });
}

test("AsyncExitStack.callback, push_async_callback, to_thread: a method without its object is refused where it is given", async () => {
  const event = new asyncio.Event();
  const stack = new asyncio.AsyncExitStack();
  const loose = event.set as (this: void) => void;
  const loose_wait = event.wait as (this: void) => PromiseLike<unknown>;
  for (
    const [name, give] of [
      ["set", () => stack.callback(loose)],
      ["wait", () => stack.push_async_callback(loose_wait)],
      ["set", () => asyncio.to_thread(loose)],
    ] as const
  ) {
    assertThrows(give, TypeError, `write () => x.${name}()`);
  }
  stack.callback(() => event.set());
  await stack.aclose();
  assert(event.is_set());
});
