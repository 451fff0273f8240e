/** Two copies of the library in one process, as two versions in `node_modules` are. */

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import * as asyncio from "../mod.ts";
import { DeadlockError } from "../testing.ts";
import { is_cancellation } from "../src/core/cancellation.ts";
import { is_exception, leaves_the_loop } from "../src/core/exceptions.ts";

async function copy_folder(from: string, to: string): Promise<void> {
  await Deno.mkdir(to, { recursive: true });
  for await (const { name, isDirectory } of Deno.readDir(from)) {
    if (isDirectory) await copy_folder(`${from}/${name}`, `${to}/${name}`);
    else await Deno.copyFile(`${from}/${name}`, `${to}/${name}`);
  }
}

const ours = { ...asyncio, DeadlockError };

async function second_copy(): Promise<typeof ours> {
  const root = new URL("..", import.meta.url).pathname;
  const folder = await Deno.makeTempDir({ prefix: "asyncio_copy_" });
  try {
    await copy_folder(`${root}src`, `${folder}/src`);
    for (const name of ["mod", "testing"]) {
      await Deno.copyFile(`${root}${name}.ts`, `${folder}/${name}.ts`);
    }
    const { DeadlockError } = await import(`file://${folder}/testing.ts`);
    return { ...await import(`file://${folder}/mod.ts`), DeadlockError };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const copy = await second_copy();

const made: Record<string, (library: typeof ours) => Error> = {
  BaseException: (library) => new library.BaseException(),
  CancelledError: (library) => new library.CancelledError(),
  KeyboardInterrupt: (library) => new library.KeyboardInterrupt(),
  InvalidStateError: (library) => new library.InvalidStateError(),
  TimeoutError: (library) => new library.TimeoutError(),
  RuntimeError: (library) => new library.RuntimeError(),
  ValueError: (library) => new library.ValueError(),
  LookupError: (library) => new library.LookupError(),
  StopAsyncIteration: (library) => new library.StopAsyncIteration(),
  BrokenBarrierError: (library) => new library.BrokenBarrierError(),
  IncompleteReadError: (library) => new library.IncompleteReadError(new Uint8Array(), 1),
  LimitOverrunError: (library) => new library.LimitOverrunError("", 1),
  DeadlockError: (library) => new library.DeadlockError(),
  QueueEmpty: (library) => new library.QueueEmpty(),
  QueueFull: (library) => new library.QueueFull(),
  QueueShutDown: (library) => new library.QueueShutDown(),
  BaseExceptionGroup: (library) =>
    new library.BaseExceptionGroup("m", [new library.CancelledError()]),
  ExceptionGroup: (library) => new library.ExceptionGroup("m", [new Error()]),
};

type Classes = Record<string, new () => Error>;

Deno.test("instanceof: an error of another copy belongs to the classes that one of this copy belongs to", () => {
  assert(copy.CancelledError !== asyncio.CancelledError);
  const classes = ours as unknown as Classes;
  for (const make of Object.values(made)) {
    for (const name of Object.keys(made)) {
      assertEquals(
        make(copy) instanceof classes[name]!,
        make(ours) instanceof classes[name]!,
        `${make(copy).name} instanceof ${name}`,
      );
    }
  }
});

Deno.test("instanceof: subclasses of the user are ordinary classes", () => {
  class Mine extends asyncio.CancelledError {}
  class Own extends Mine {}
  for (const library of [asyncio, copy]) {
    assert(!(new library.CancelledError() instanceof Mine));
    assert(new Mine() instanceof library.CancelledError);
    assert(new Own() instanceof library.BaseException);
  }
  assert(new Own() instanceof Mine && !(new Mine() instanceof Own));
  class TimeoutError extends asyncio.RuntimeError {}
  assert(!(new TimeoutError() instanceof copy.TimeoutError));
  assert(!(new copy.TimeoutError() instanceof TimeoutError));
});

Deno.test("instanceof: what is no error of the library belongs to none of its classes", () => {
  const classes = ours as unknown as Classes;
  for (
    const value of [null, undefined, 1, "TimeoutError", {}, new Error(), new AggregateError([])]
  ) {
    for (const name of Object.keys(made)) assert(!((value as unknown) instanceof classes[name]!));
  }
});

Deno.test("is_exception, is_cancellation, leaves_the_loop: errors of another copy count as those of this copy", () => {
  for (const [name, make] of Object.entries(made)) {
    assertEquals(is_exception(make(copy)), is_exception(make(ours)), name);
    assertEquals(is_cancellation(make(copy)), is_cancellation(make(ours)), name);
    assertEquals(leaves_the_loop(make(copy)), leaves_the_loop(make(ours)), name);
  }
});

Deno.test("BaseExceptionGroup.split: groups and errors of another copy are taken apart", () => {
  const inner = new copy.ExceptionGroup("inner", [new copy.TimeoutError(), new TypeError()]);
  const [timeouts, rest] = new asyncio.ExceptionGroup("outer", [inner]).split(asyncio.TimeoutError);
  assertEquals(String(timeouts?.exceptions[0]), "ExceptionGroup: inner (1 sub-exception)");
  assertEquals(String(rest?.exceptions[0]), "ExceptionGroup: inner (1 sub-exception)");
});

// Waiting for what another copy has made. "theirs" is the copy, "mine" this one.

type Library = typeof ours;

/** Waits until everything that is ready in both copies has been done. */
async function settle(mine: Library, theirs: Library): Promise<void> {
  for (let i = 0; i < 3; i++) {
    await mine.sleep(0.001);
    await Promise.resolve(theirs.sleep(0));
  }
}

/** A coroutine of a library that never ends by itself, and notes how it ends. */
function endless(library: Library, log: string[]): asyncio.Coroutine<void> {
  return library.coroutine(async function endless() {
    log.push("started");
    try {
      await library.sleep(3600);
    } catch (error) {
      log.push(String(error));
      throw error;
    }
  })();
}

/** What may wait for a coroutine or a future, in each form that the library has. */
const WAITS: Record<string, (mine: Library, theirs: asyncio.Future<unknown>) => unknown> = {
  "await": (_, aw) => aw,
  "then": (_, aw) => aw.then((value) => value),
  "yield*": (mine, aw) =>
    mine.coroutine(function* () {
      return yield* aw;
    })(),
  "Promise.all": async (_, aw) => (await Promise.all([aw]))[0],
  create_task: (mine, aw) => mine.create_task(async () => await aw),
  ensure_future: (mine, aw) => mine.ensure_future(aw),
  gather: async (mine, aw) => (await mine.gather(aw))[0],
  wait_for: (mine, aw) => mine.wait_for(aw, 60),
  "wait_for with a signal": (mine, aw) =>
    mine.wait_for(aw, 60, { signal: new AbortController().signal }),
  timeout: (mine, aw) => mine.async_with(mine.timeout(60), async () => await aw),
  "a generator in a block": (mine, aw) =>
    mine.async_with(mine.timeout(60), function* () {
      return yield* aw;
    }),
  as_completed: async (mine, aw) => {
    for (const next of mine.as_completed([aw])) return await next;
  },
  wait: async (mine, aw) => {
    const [done] = await mine.wait([mine.ensure_future(aw)]);
    return [...done][0]!.result();
  },
  TaskGroup: (mine, aw) =>
    mine.async_with(new mine.TaskGroup(), async (group) => {
      return await group.create_task(async () => await aw);
    }),
};

// Neither shields nor waits by these cancel what they wait for.
const LETS_GO_ON = ["as_completed", "wait", "then", "Promise.all"];

for (const [direction, mine, theirs] of [["", ours, copy], [", reversed", copy, ours]] as const) {
  for (const [name, wait] of Object.entries(WAITS)) {
    Deno.test(`${name}: takes coroutines, tasks and futures of another copy${direction}`, async () => {
      const kinds: (() => asyncio.Coroutine<unknown> | asyncio.Future<unknown>)[] = [
        () => theirs.sleep(0.001, "value"),
        () => theirs.coroutine(async () => await theirs.sleep(0.001, "value"))(),
        () => theirs.create_task(theirs.sleep(0.001, "value")),
        () => {
          const future = new theirs.Future<string>();
          theirs.get_event_loop().call_later(0.001, () => future.set_result("value"));
          return future;
        },
      ];
      for (const make of kinds) {
        const seen = await mine.run(async () =>
          await (wait(mine, make() as asyncio.Future<unknown>) as Promise<unknown>)
        );
        assertEquals(seen, "value");
      }
    });

    Deno.test(`${name}: throws the error of a task of another copy${direction}`, async () => {
      const thrown = await mine.run(async () => {
        const task = theirs.create_task(async () => {
          await theirs.sleep(0.001);
          throw new theirs.ValueError("theirs");
        });
        try {
          await (wait(mine, task) as Promise<unknown>);
        } catch (error) {
          return error instanceof AggregateError ? error.errors[0] : error;
        }
      });
      assertEquals(String(thrown), "ValueError: theirs");
      assert(thrown instanceof mine.ValueError);
    });

    Deno.test(`${name}: a cancellation reaches a coroutine of another copy at once${direction}`, async () => {
      if (LETS_GO_ON.includes(name)) return;
      const log: string[] = [];
      await mine.run(async () => {
        const task = mine.create_task(async () => {
          await (wait(mine, endless(theirs, log) as never) as Promise<unknown>);
        });
        await settle(mine, theirs);
        task.cancel("enough");
        await mine.wait([task]);
        assert(task.cancelled());
      });
      assertEquals(log.length, 2);
      assertEquals(log[0], "started");
      assert(log[1]!.startsWith("CancelledError"), log[1]);
    });
  }

  Deno.test(`create_task, TaskGroup.create_task, gather, wait_for: take a coroutine of another copy that has not started${direction}`, async () => {
    const results = await mine.run(async () => {
      const task = mine.create_task(theirs.sleep(0.001, 1));
      assertEquals(task.get_coro()?.name, "sleep");
      const two = await mine.async_with(new mine.TaskGroup(), async (group) => {
        return await group.create_task(theirs.sleep(0.001, 2));
      });
      const work = theirs.coroutine(function* () {
        return yield* theirs.sleep(0, 3);
      });
      return [
        await task,
        two,
        ...await mine.gather(theirs.sleep(0, 0), work()),
        await mine.wait_for(theirs.sleep(0, 4), 0.5),
        await mine.run_coroutine_threadsafe(theirs.sleep(0, 5), mine.get_running_loop()),
      ];
    });
    assertEquals(results, [1, 2, 0, 3, 4, 5]);
  });

  Deno.test(`run: takes a coroutine and a future of another copy${direction}`, async () => {
    assertEquals(await mine.run(theirs.sleep(0.001, "main")), "main");
    assertEquals(await mine.run(theirs.create_task(theirs.sleep(0.001, "task"))), "task");
  });

  Deno.test(`Task.cancel: a task of another copy may refuse, and its result is not lost${direction}`, async () => {
    const seen = await mine.run(async () => {
      const stubborn = theirs.create_task(async () => {
        await theirs.sleep(60).catch(() => {});
        await theirs.sleep(0.001);
        return "refused";
      });
      const task = mine.create_task(async () => await stubborn);
      await settle(mine, theirs);
      task.cancel();
      return [await task, task.cancelling()];
    });
    assertEquals(seen, ["refused", 1]);
  });

  Deno.test(`timeout, wait_for: a limit cancels a coroutine of another copy${direction}`, async () => {
    const log: string[] = [];
    await mine.run(async () => {
      const limit = mine.timeout(null);
      const block = mine.create_task(mine.async_with(limit, () => endless(theirs, log)));
      await settle(mine, theirs);
      limit.reschedule(mine.get_running_loop().time());
      await assertRejects(async () => await block, mine.TimeoutError);
      assertEquals(log, ["started", "CancelledError"]);
      await assertRejects(
        async () => await mine.wait_for(endless(theirs, log), 0),
        mine.TimeoutError,
      );
    });
    assertEquals(log.length, 2);
  });

  Deno.test(`Task.cancel: a future of another copy that others wait for stays, if the await is older${direction}`, async () => {
    await mine.run(async () => {
      const future = new theirs.Future<void>();
      const log: string[] = [];
      const task = mine.create_task(async () => {
        // The losers of a race that is over: one is shared, the other the loser's alone.
        await Promise.race([future, endless(theirs, log), mine.sleep(0.001)]).catch(() => {});
        await mine.sleep(60);
      });
      await settle(mine, theirs);
      task.cancel();
      await mine.wait([task]);
      await settle(mine, theirs);
      assert(!future.done());
      assertEquals(log, ["started", "CancelledError"]);
      future.cancel();
    });
  });

  Deno.test(`gather: a future of another copy that is given twice is one${direction}`, async () => {
    await mine.run(async () => {
      const future = theirs.create_task(theirs.sleep(0.001, {}));
      const [one, other] = await mine.gather(future, future);
      assert(one === other);
      assert(mine.ensure_future(future) === mine.ensure_future(future));
    });
  });

  Deno.test(`TaskGroup: the body and the tasks of another copy's group may use this one${direction}`, async () => {
    const log: string[] = [];
    await mine.run(async () => {
      const queue = new mine.Queue<number>();
      await queue.put(0); // it is bound to this loop
      const group = theirs.async_with(new theirs.TaskGroup(), async (group) => {
        group.create_task(async () => {
          try {
            await mine.sleep(3600);
          } finally {
            log.push("child");
          }
        });
        assertEquals(mine.current_task(), null);
        await queue.put(await queue.get() + 1);
        await theirs.sleep(0.001);
        await mine.async_with(mine.timeout(60), async () => {
          assert(mine.current_task() !== null);
          await mine.sleep(0.001);
        });
        throw new Error("failed");
      });
      const error = await group.then(() => null, (error) => error);
      assert(error instanceof mine.ExceptionGroup);
      assertEquals(queue.get_nowait(), 1);
    });
    assertEquals(log, ["child"]);
  });

  Deno.test(`run: inside of a run of another copy the inner one's tasks are what is cancelled${direction}`, async () => {
    await mine.run(async () => {
      await theirs.run(async () => {
        const sleeper = theirs.create_task(async () => await mine.sleep(3600));
        await settle(mine, theirs);
        sleeper.cancel();
        await theirs.wait([sleeper]);
        assert(sleeper.cancelled());
      });
      assertEquals(mine.current_task()?.cancelling(), 0);
    });
  });

  Deno.test(`ContextVar: code of another copy's task has the values of the task around it${direction}`, async () => {
    const level = new mine.ContextVar("level", { default: 0 });
    await mine.run(async () => {
      level.set(1);
      await theirs.async_with(new theirs.TaskGroup(), async () => {
        await theirs.sleep(0);
        assertEquals(level.get(), 1);
      });
    });
  });

  Deno.test(`Future, Task, run, set_event_loop, ensure_future, run_coroutine_threadsafe: a loop of another copy is refused${direction}`, async () => {
    const loop = theirs.new_event_loop() as asyncio.AbstractEventLoop;
    const work = mine.sleep(0);
    const refused: (() => unknown)[] = [
      () => new mine.Future({ loop }),
      () => new mine.Task(async () => {}, { loop }),
      () => mine.wrap_future(Promise.resolve(), { loop }),
      () => mine.ensure_future(Promise.resolve(), { loop }),
      () => mine.set_event_loop(loop),
      () => mine.run_coroutine_threadsafe(work, loop),
      () => new mine.Runner({ loop_factory: () => loop }).get_loop(),
    ];
    for (const call of refused) {
      assertThrows(call, TypeError, "belongs to another copy of @pythonic/asyncio");
    }
    await assertRejects(
      () => mine.run(async () => {}, { loop_factory: () => loop }),
      TypeError,
      "belongs to another copy of @pythonic/asyncio",
    );
    work.close();
    loop.close();
  });

  Deno.test(`get_running_loop, timeout, TaskGroup: what needs a loop says that another copy's runs${direction}`, async () => {
    const text = "no running event loop: the loop that runs belongs to another copy";
    await theirs.run(async () => {
      assertThrows(() => mine.get_running_loop(), mine.RuntimeError, text);
      assertThrows(() => mine.timeout(1), mine.RuntimeError, text);
      await assertRejects(
        async () => await new mine.TaskGroup().__aenter__(),
        mine.RuntimeError,
        "cannot determine the parent task",
      );
      const task = theirs.create_task(theirs.sleep(0));
      await assertRejects(
        async () => await mine.wait([task as never]),
        TypeError,
        "Cannot wait for a future of another copy of @pythonic/asyncio: pass ensure_future(future)",
      );
      assertThrows(() => mine.create_task(task as never), TypeError, "use ensure_future()");
      await task;
    });
    assertThrows(() => mine.get_running_loop(), mine.RuntimeError, "no running event loop");
  });

  Deno.test(`TaskGroup.create_task: a coroutine of another copy that is refused is closed${direction}`, async () => {
    const work = theirs.sleep(0);
    assertThrows(() => new mine.TaskGroup().create_task(work), mine.RuntimeError);
    await assertRejects(async () => await work, theirs.RuntimeError, "cannot reuse");
  });

  Deno.test(`isfuture, iscoroutine: futures and coroutines of another copy are such${direction}`, () => {
    const work = theirs.sleep(0);
    assert(mine.iscoroutine(work) && !mine.isfuture(work));
    work.close();
    const future = new theirs.Future();
    assert(mine.isfuture(future) && !mine.iscoroutine(future));
  });
}

Deno.test("sleep: that of another copy lets others run in a function*, and is no yield for a block", async () => {
  await ours.run(async () => {
    const order: string[] = [];
    const turns = ours.coroutine(function* () {
      order.push("a");
      yield* copy.sleep(0);
      order.push("c");
    });
    const manager = ours.asynccontextmanager(function* () {
      yield* copy.sleep(0);
      yield "block";
    });
    const task = ours.create_task(turns());
    ours.create_task(async () => void await Promise.resolve(order.push("b")));
    await task;
    assertEquals(order, ["a", "b", "c"]);
    assertEquals(await ours.async_with(manager(), (value) => ours.sleep(0, value)), "block");
  });
});
