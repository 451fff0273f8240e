/** Waiting for several things: gather, wait, wait_for, as_completed, shield, sleep, ensure_future. */

import { assert, assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import * as asyncio from "../mod.ts";
import { VirtualClockEventLoop } from "../testing.ts";
import { now, run_plain as run } from "./virtual_time.ts";

const nap = <T>(delay: number, value: T) => asyncio.create_task(asyncio.sleep(delay, value));

const bad = asyncio.coroutine(async (delay: number): Promise<never> => {
  await asyncio.sleep(delay);
  throw new asyncio.ValueError(`bad ${delay}`);
});

/** Ends well although it is cancelled. */
const stubborn = async () => {
  try {
    await asyncio.sleep(100);
  } catch {
    await asyncio.sleep(0);
  }
  return "kept";
};

const cancelled = async (awaitable: PromiseLike<unknown>): Promise<unknown[]> =>
  (await assertRejects(async () => await awaitable, asyncio.CancelledError)).args;

const NOT_AWAITABLE = "An asyncio.Future, a coroutine or an awaitable is required";

// gather

Deno.test("gather gives the results in the order of its arguments", () =>
  run(async () => {
    const results = await asyncio.gather(nap(3, "a"), () =>
      Promise.resolve(1), asyncio.sleep(1, [2]));
    assertEquals(results, ["a", 1, [2]]);
    assertEquals(now(), 3);
  }));

Deno.test("gather takes one iterable as well, and of nothing it is done at once", () =>
  run(async () => {
    assertEquals(await asyncio.gather([asyncio.sleep(1, 1), nap(2, 2)]), [1, 2]);
    assertEquals(await asyncio.gather(new Set([nap(1, 1)])), [1]);
    for (const empty of [asyncio.gather(), asyncio.gather([])]) {
      assertEquals([empty.done(), await empty], [true, []]);
    }
  }));

Deno.test("gather runs a future or coroutine that is given twice once, a function twice", () =>
  run(async () => {
    let calls = 0;
    const count = async () => await asyncio.sleep(0, ++calls);
    const once = asyncio.coroutine(count)();
    assertEquals(await asyncio.gather(once, once), [1, 1]);
    assertEquals(await asyncio.gather(count, count), [2, 3]);
    const task = nap(1, "t");
    assertEquals(await asyncio.gather(task, task), ["t", "t"]);
  }));

Deno.test("gather throws the first error at once and the others go on", () =>
  run(async () => {
    const slow = nap(5, "slow");
    const gathered = asyncio.gather(slow, bad(2), bad(1));
    await assertRejects(async () => await gathered, asyncio.ValueError, "bad 1");
    assertEquals([now(), slow.done()], [1, false]);
    assertEquals(gathered.cancel(), false);
    assertEquals(await slow, "slow");
  }));

Deno.test("gather with return_exceptions gives errors as results", () =>
  run(async () => {
    const cancelled = nap(1, "never");
    cancelled.cancel("why");
    const [ok, error, end] = await asyncio.gather(nap(2, "ok"), bad(1), cancelled, {
      return_exceptions: true,
    });
    assertEquals(ok, "ok");
    assert(error as unknown instanceof asyncio.ValueError);
    assert(end as unknown instanceof asyncio.CancelledError);
  }));

Deno.test("a cancelled gather cancels its children and is done when they are", () =>
  run(async () => {
    const children = [nap(5, 1), nap(5, 2)];
    const gathered = asyncio.gather(children);
    await asyncio.sleep(0);
    assertEquals([gathered.cancel("stop"), gathered.done()], [true, false]);
    assertEquals(await cancelled(gathered), ["stop"]);
    assertEquals(children.map((child) => child.cancelled()), [true, true]);
    assertEquals(String(gathered), "<_GatheringFuture finished exception=CancelledError('stop')>");
  }));

Deno.test("a task that awaits a gather passes its cancellation on to the children", () =>
  run(async () => {
    const log: string[] = [];
    const child = (name: string) => async () => {
      try {
        await asyncio.sleep(9);
      } finally {
        log.push(name);
      }
    };
    const task = asyncio.create_task(async () => await asyncio.gather(child("a"), child("b")));
    await asyncio.sleep(1);
    task.cancel("outer");
    assertEquals(await cancelled(task), ["outer"]);
    assertEquals(log, ["a", "b"]);
  }));

Deno.test("a cancelled child fails a gather, the others go on", () =>
  run(async () => {
    const [victim, other] = [nap(5, 1), nap(5, 2)];
    const gathered = asyncio.gather(victim, other);
    await asyncio.sleep(0);
    victim.cancel("child");
    assertEquals(await cancelled(gathered), ["child"]);
    assertEquals([gathered.cancelled(), other.done()], [false, false]);
    await other;
  }));

Deno.test("a cancelled gather ends in cancellation whatever its children make of it", () =>
  run(async () => {
    for (const options of [{ return_exceptions: false }, { return_exceptions: true }]) {
      const gathered = asyncio.gather([stubborn, stubborn], options);
      await asyncio.sleep(0);
      gathered.cancel("ignored");
      await cancelled(gathered);
    }
    const done = new asyncio.Future<number>();
    done.set_result(1);
    const finished = asyncio.gather(done);
    assertEquals(finished.cancel(), false);
    assertEquals(await finished, [1]);
  }));

Deno.test("an error after gather has failed is not reported as lost", async () => {
  const told: unknown[] = [];
  await run(async () => {
    asyncio.get_running_loop().set_exception_handler((_, context) => told.push(context.message));
    await assertRejects(async () => await asyncio.gather(bad(1), bad(2)), Error, "bad 1");
    await asyncio.sleep(5);
  });
  assertEquals(told, []);
});

Deno.test("gather: what stands before a refused argument runs, and its error is not reported", () =>
  run(async () => {
    const reports: unknown[] = [];
    const loop = asyncio.get_running_loop();
    loop.set_exception_handler((_, context) => reports.push(context));
    const ran: string[] = [];
    const work = async () => {
      ran.push("work");
      await asyncio.sleep(1);
      throw new Error("of work");
    };
    assertThrows(() => asyncio.gather(asyncio.sleep(1), work, 3 as never), TypeError);
    await asyncio.sleep(2);
    assertEquals([ran, reports, asyncio.all_tasks().size], [["work"], [], 1]);
  }));

Deno.test("gather refuses what cannot be awaited, and options it does not have", () =>
  run(() => {
    assertThrows(() => asyncio.gather(3 as never), TypeError, NOT_AWAITABLE);
    assertThrows(() => asyncio.gather({ return_exception: true } as never), TypeError);
    assertThrows(() => asyncio.gather([], { return_exception: true } as never), TypeError);
  }));

Deno.test("gather refuses futures of different loops", async () => {
  const other = new VirtualClockEventLoop();
  await run(() => {
    const futures = [new asyncio.Future<void>(), new asyncio.Future<void>({ loop: other })];
    assertThrows(
      () => asyncio.gather(futures),
      asyncio.ValueError,
      "The future belongs to a different loop than the one specified as the loop argument",
    );
  });
  other.close();
});

// wait

Deno.test("wait returns when the first is done, has failed, or all are done", () =>
  run(async () => {
    const tasks: asyncio.Task<unknown>[] = [nap(1, 1), asyncio.create_task(bad(2)), nap(3, 3)];
    const counts = async (options: Parameters<typeof asyncio.wait>[1]) => {
      const [done, pending] = await asyncio.wait(tasks, options);
      return [done.size, pending.size, now()];
    };
    assertEquals(await counts({ return_when: asyncio.FIRST_COMPLETED }), [1, 2, 1]);
    assertEquals(await counts({ return_when: asyncio.FIRST_EXCEPTION }), [2, 1, 2]);
    assertEquals(await counts({}), [3, 0, 3]);
    assertEquals(await counts({ timeout: 0 }), [3, 0, 3]);
  }));

Deno.test("a cancelled task is no exception to wait", () =>
  run(async () => {
    const [victim, other] = [nap(3, 1), nap(1, 2)];
    victim.cancel();
    const [done] = await asyncio.wait([victim, other], { return_when: asyncio.FIRST_EXCEPTION });
    assertEquals([done.size, now()], [2, 1]);
  }));

Deno.test("wait keeps the order of its argument, and counts a task given twice once", () =>
  run(async () => {
    const [a, b, c] = [nap(3, "a"), nap(1, "b"), nap(9, "c")];
    const [done, pending] = await asyncio.wait([a, b, a, c], { timeout: 5 });
    assertEquals([[...done], [...pending]], [[a, b], [c]]);
    assertEquals(now(), 5);
    c.cancel();
  }));

Deno.test("a wait that is cancelled or runs out of time cancels nothing", () =>
  run(async () => {
    const task = nap(9, "kept");
    const waiting = asyncio.create_task(asyncio.wait([task]));
    await asyncio.sleep(0);
    waiting.cancel("wait");
    assertEquals(await cancelled(waiting), ["wait"]);
    const [done] = await asyncio.wait([task], { timeout: 1 });
    assertEquals([done.size, task.done(), String(task).includes("_on_completion")], [
      0,
      false,
      false,
    ]);
    assertEquals(await task, "kept");
  }));

Deno.test("wait refuses coroutines, an empty set, one future and a wrong return_when", () =>
  run(async () => {
    const coroutine = asyncio.sleep(1);
    const failures: [() => asyncio.Coroutine<unknown>, new (message?: string) => Error, string][] =
      [
        [() => asyncio.wait([]), asyncio.ValueError, "Set of Tasks/Futures is empty."],
        [
          () => asyncio.wait([coroutine] as never),
          TypeError,
          "Passing coroutines is forbidden, use tasks explicitly.",
        ],
        [
          () => asyncio.wait([async () => {}] as never),
          TypeError,
          "Passing coroutines is forbidden, use tasks explicitly.",
        ],
        [
          () => asyncio.wait(new asyncio.Future() as never),
          TypeError,
          "expect a list of futures, not Future",
        ],
        [() => asyncio.wait(3 as never), TypeError, "number"],
        [() => asyncio.wait([Promise.resolve()] as never), TypeError, "futures or tasks"],
        [
          () => asyncio.wait([new asyncio.Future()], { return_when: "SOME" as never }),
          asyncio.ValueError,
          "Invalid return_when value: SOME",
        ],
      ];
    for (const [wait, kind, message] of failures) {
      await assertRejects(async () => await wait(), kind, message);
    }
    assertThrows(() => asyncio.wait([], { time_out: 1 } as never), TypeError, "'time_out'");
    coroutine.close();
  }));

// wait_for

Deno.test("wait_for gives the result in time, without a limit too", () =>
  run(async () => {
    assertEquals(await asyncio.wait_for(asyncio.sleep(1, "a"), 2), "a");
    assertEquals(await asyncio.wait_for(nap(1, "b"), 2), "b");
    assertEquals(await asyncio.wait_for(asyncio.sleep(1e6, "c"), null), "c");
    await assertRejects(async () => await asyncio.wait_for(bad(1), 5), asyncio.ValueError);
    await assertRejects(
      async () => await asyncio.wait_for(Promise.reject(new Error("no")), 5),
      Error,
      "no",
    );
  }));

Deno.test("wait_for cancels what takes too long, and the cause tells", () =>
  run(async () => {
    for (const limit of [2, 0, -1]) {
      for (const awaitable of [nap(5, 1), new asyncio.Future<number>()]) {
        const error = await assertRejects(
          async () => await asyncio.wait_for(awaitable, limit),
          asyncio.TimeoutError,
        );
        assert(error.cause instanceof asyncio.CancelledError);
        assert(awaitable.cancelled());
      }
    }
    assertEquals(now(), 4);
  }));

Deno.test("wait_for with no time gives what is done already, and starts what is not", () =>
  run(async () => {
    const done = new asyncio.Future<string>();
    done.set_result("done");
    assertEquals(await asyncio.wait_for(done, 0), "done");
    assertEquals(await asyncio.wait_for(done, -1), "done");
    const log: string[] = [];
    const work = asyncio.coroutine(async () => {
      log.push("ran");
      await asyncio.sleep(0);
    });
    await assertRejects(async () => await asyncio.wait_for(work(), 0), asyncio.TimeoutError);
    assertEquals(log, []);
  }));

Deno.test("wait_for waits for the cancelled one to end, and takes an answer it still gives", () =>
  run(async () => {
    const slow = async () => {
      try {
        await asyncio.sleep(100);
      } finally {
        await asyncio.sleep(3);
      }
    };
    await assertRejects(async () => await asyncio.wait_for(slow, 1), asyncio.TimeoutError);
    assertEquals(now(), 4);
    assertEquals(await asyncio.wait_for(stubborn, 1), "kept");
    const broken = async () => {
      try {
        await asyncio.sleep(100);
      } finally {
        // deno-lint-ignore no-unsafe-finally -- this is what the test is about
        throw new RangeError("cleanup");
      }
    };
    await assertRejects(async () => await asyncio.wait_for(broken, 1), RangeError, "cleanup");
  }));

Deno.test("a cancelled wait_for cancels what it waits for; a cancelled inner one cancels it", () =>
  run(async () => {
    const inner = nap(9, 1);
    const outer = asyncio.create_task(asyncio.wait_for(inner, 5));
    await asyncio.sleep(0);
    outer.cancel("out");
    assertEquals(await cancelled(outer), ["out"]);
    assert(inner.cancelled());
    const second = nap(9, 1);
    const waiting = asyncio.create_task(asyncio.wait_for(second, 5));
    await asyncio.sleep(0);
    second.cancel("in");
    assertEquals(await cancelled(waiting), ["in"]);
  }));

Deno.test("what wait_for does not start as a task runs in the caller's task", () =>
  run(async () => {
    const here = asyncio.current_task();
    const same = async () => {
      await asyncio.sleep(0);
      return asyncio.current_task() === here;
    };
    assertEquals(await asyncio.wait_for(same, 1), true);
  }));

Deno.test("a shielded task survives the end of wait_for's time", () =>
  run(async () => {
    const task = nap(3, "saved");
    await assertRejects(
      async () => await asyncio.wait_for(asyncio.shield(task), 1),
      asyncio.TimeoutError,
    );
    assertEquals([task.done(), await task], [false, "saved"]);
  }));

Deno.test("wait_for of a promise lets it go on", () =>
  run(async () => {
    const { promise, resolve } = Promise.withResolvers<string>();
    await assertRejects(async () => await asyncio.wait_for(promise, 0.001), asyncio.TimeoutError);
    resolve("late");
    assertEquals(await promise, "late");
  }));

Deno.test("wait_for refuses wrong arguments", () =>
  run(async () => {
    assertThrows(() => asyncio.wait_for(asyncio.sleep(1), "x" as never), TypeError, "'x'");
    await assertRejects(async () => await asyncio.wait_for(3 as never, 1), TypeError);
  }));

// as_completed

Deno.test("wait_for: a result that comes before the limit is given, and nothing is cancelled", () =>
  run(async () => {
    const loop = asyncio.get_running_loop();
    const future = loop.create_future<string>();
    loop.call_later(0.1, () => future.set_result("in time"));
    assertEquals(await asyncio.wait_for(future, 0.2), "in time");
    assertEquals([loop.time(), future.cancelled()], [0.1, false]);
  }));

for (const timeout of [0, 0.01]) {
  Deno.test(`wait_for: with a limit of ${timeout} it waits for the clean-up of a task that runs`, () =>
    run(async () => {
      let has_cleaned_up = false;
      const task = asyncio.create_task(async () => {
        try {
          await asyncio.sleep(10);
        } finally {
          await asyncio.sleep(1);
          has_cleaned_up = true;
        }
      });
      await asyncio.sleep(0.01);
      const error = await assertRejects(
        async () => await asyncio.wait_for(task, timeout),
        asyncio.TimeoutError,
      );
      assert(error.cause instanceof asyncio.CancelledError);
      assertEquals([has_cleaned_up, task.cancelled()], [true, true]);
    }));
}

Deno.test("wait_for: an error of the clean-up is what is thrown", () =>
  run(async () => {
    const task = asyncio.create_task(async () => {
      try {
        await asyncio.sleep(10);
      } finally {
        // deno-lint-ignore no-unsafe-finally -- that is what is shown
        throw new RangeError("the clean-up fails");
      }
    });
    await assertRejects(async () => await asyncio.wait_for(task, 0.01), RangeError, "clean-up");
  }));

Deno.test("wait_for: gives the result of a task that refuses its limit and then the caller's cancellation", () =>
  run(async () => {
    const task = asyncio.create_task(async () => {
      for (let refused = 0; refused < 2; refused++) {
        await asyncio.sleep(0.3).catch((error: unknown) => {
          assert(error instanceof asyncio.CancelledError);
        });
      }
      await asyncio.sleep(0.3);
      return 42;
    });
    const waiting = asyncio.create_task(asyncio.wait_for(task, 0.1));
    await asyncio.sleep(0.2);
    waiting.cancel();
    assertEquals([await waiting, await task], [42, 42]);
  }));

for (const timeout of [null, 60]) {
  Deno.test(`wait_for: cancelled, it cancels what it waits for, with a limit of ${timeout}`, () =>
    run(async () => {
      const loop = asyncio.get_running_loop();
      const task = asyncio.create_task(async () => await loop.create_future());
      const waiting = asyncio.create_task(asyncio.wait_for(task, timeout));
      loop.call_soon(() => waiting.cancel());
      await asyncio.wait([waiting]);
      assertEquals([waiting.cancelled(), task.cancelled()], [true, true]);
    }));
}

Deno.test("as_completed gives results in the order in which they come", () =>
  run(async () => {
    const make = () => [asyncio.sleep(3, "c"), asyncio.sleep(1, "a"), nap(2, "b")];
    const plain: string[] = [];
    for (const next of asyncio.as_completed(make())) plain.push(await next);
    const futures: string[] = [];
    for await (const future of asyncio.as_completed(make())) futures.push(future.result());
    assertEquals([plain, futures], [["a", "b", "c"], ["a", "b", "c"]]);
    assertEquals(now(), 6);
  }));

Deno.test("for await gives the very tasks", () =>
  run(async () => {
    const tasks = [nap(2, 2n), nap(1, 1n)];
    const seen: asyncio.Future<bigint>[] = [];
    for await (const task of asyncio.as_completed(tasks)) seen.push(task);
    assertEquals(seen.length, 2);
    assertStrictEquals(seen[0], tasks[1]);
    assertStrictEquals(seen[1], tasks[0]);
  }));

Deno.test("after the time of as_completed each that is left is a TimeoutError", () =>
  run(async () => {
    const tasks = [nap(1, "a"), nap(5, "b"), nap(6, "c")];
    const seen: unknown[] = [];
    for (const next of asyncio.as_completed(tasks, { timeout: 2 })) {
      seen.push(await next.catch(String));
    }
    const too_late = "TimeoutError: timed out after 2 s, 2 of 3 not done";
    assertEquals(seen, ["a", too_late, too_late]);
    assertEquals([now(), tasks[1]!.done()], [2, false]);
    await assertRejects(async () => {
      for await (const _ of asyncio.as_completed(tasks, { timeout: 1 })) seen.push("done");
    }, asyncio.TimeoutError);
    assertEquals(seen.slice(3), ["done"]);
    await asyncio.gather(tasks);
  }));

Deno.test("errors come out of as_completed where they are awaited", () =>
  run(async () => {
    const seen: unknown[] = [];
    for (const next of asyncio.as_completed([bad(1), asyncio.sleep(2, "ok")])) {
      try {
        seen.push(await next);
      } catch (error) {
        seen.push(String(error));
      }
    }
    assertEquals(seen, ["ValueError: bad 1", "ok"]);
  }));

Deno.test("iteration over as_completed can be left and taken up again", () =>
  run(async () => {
    const iterator = asyncio.as_completed([asyncio.sleep(1, "a"), asyncio.sleep(2, "b")]);
    const seen: string[] = [];
    for (const next of iterator) {
      seen.push(await next);
      break;
    }
    for (const next of iterator) seen.push(await next);
    assertEquals(seen, ["a", "b"]);
  }));

Deno.test("as_completed counts the same coroutine once, and nothing ends at once", () =>
  run(async () => {
    const one = asyncio.sleep(1, "one");
    assertEquals([...asyncio.as_completed([])].length, 0);
    for await (const _ of asyncio.as_completed([])) throw new Error("unreachable");
    assertEquals(await asyncio.gather([...asyncio.as_completed([one, one])]), ["one"]);
  }));

Deno.test("as_completed refuses what is not an iterable of awaitables", () =>
  run(() => {
    const coroutine = asyncio.sleep(1);
    for (const wrong of [new asyncio.Future(), coroutine, 3, null]) {
      assertThrows(
        () => asyncio.as_completed(wrong as never),
        TypeError,
        "expects an iterable of awaitables",
      );
    }
    coroutine.close();
    assertThrows(() => asyncio.as_completed([3] as never), TypeError, NOT_AWAITABLE);
    assertThrows(() => asyncio.as_completed([], { limit: 1 } as never), TypeError, "'limit'");
  }));

// shield

Deno.test("cancelling a shield does not cancel what is shielded", () =>
  run(async () => {
    const inner = nap(3, "kept");
    const direct = asyncio.shield(inner);
    direct.cancel();
    assert(direct.cancelled());
    const task = asyncio.create_task(async () => await asyncio.shield(inner));
    await asyncio.sleep(1);
    task.cancel("out");
    assertEquals(await cancelled(task), ["out"]);
    assertEquals([inner.done(), await inner], [false, "kept"]);
  }));

Deno.test("a shield has the outcome of what is shielded, its cancellation too", () =>
  run(async () => {
    assertEquals(await asyncio.shield(asyncio.sleep(1, "ok")), "ok");
    assertEquals(await asyncio.shield(Promise.resolve("promise")), "promise");
    await assertRejects(async () => await asyncio.shield(bad(1)), asyncio.ValueError);
    const inner = nap(3, 1);
    const outer = asyncio.shield(inner);
    inner.cancel();
    await cancelled(outer);
    assert(outer.cancelled());
    const done = new asyncio.Future<number>();
    done.set_result(1);
    assertStrictEquals(asyncio.shield(done), done);
    assertThrows(() => asyncio.shield(3 as never), TypeError, NOT_AWAITABLE);
  }));

Deno.test("an error of a shielded task that nobody waits for any more is reported", () =>
  run(async () => {
    const told: unknown[] = [];
    asyncio.get_running_loop().set_exception_handler((_, { message, exception, future }) => {
      told.push(message, String(exception), future === inner);
    });
    const inner = asyncio.create_task(bad(1));
    const outer = asyncio.shield(inner);
    await asyncio.sleep(0);
    outer.cancel();
    await asyncio.sleep(2);
    assertEquals(told, [
      "ValueError exception in shielded future",
      "ValueError: bad 1",
      true,
    ]);
  }));

Deno.test("shield: an error of a promise is reported once, however many waits for it have been given up", () =>
  run(async () => {
    const told: unknown[] = [];
    asyncio.get_running_loop().set_exception_handler((_, { message }) => told.push(message));
    const { promise, reject } = Promise.withResolvers<void>();
    for (let i = 0; i < 5; i++) {
      const outer = asyncio.shield(promise);
      await asyncio.sleep(0);
      outer.cancel();
      await cancelled(outer);
    }
    const waits = asyncio.create_task(async () => await asyncio.shield(promise));
    await asyncio.sleep(0);
    reject(new TypeError("bad"));
    await assertRejects(async () => await waits, TypeError, "bad");
    assertEquals(told, ["TypeError exception in shielded future"]);
  }));

// sleep

Deno.test("sleep ends exactly when its time has come, and gives its result", () =>
  run(async () => {
    assertEquals(await asyncio.sleep(1.5, "r"), "r");
    assertEquals(now(), 1.5);
    assertEquals(await asyncio.sleep(-1, "past"), "past");
    assertEquals(await asyncio.sleep(0), undefined);
    assertEquals(now(), 1.5);
    await asyncio.sleep(1e9);
    assertEquals(now(), 1_000_000_001.5);
  }));

Deno.test("sleep refuses what is no time", () =>
  run(async () => {
    await assertRejects(
      async () => await asyncio.sleep(NaN),
      asyncio.ValueError,
      "Invalid delay: NaN (not a number)",
    );
    assertThrows(() => asyncio.sleep("1" as never), TypeError, "'1'");
    assertThrows(() => asyncio.sleep(undefined as never), TypeError, "undefined");
  }));

Deno.test("sleep(0) lets everything that is ready run once", () =>
  run(async () => {
    const log: string[] = [];
    const loop = asyncio.get_running_loop();
    loop.call_soon(() => {
      log.push("soon");
      loop.call_soon(() => log.push("sooner or later"));
    });
    await asyncio.sleep(0);
    log.push("here");
    await asyncio.sleep(0);
    assertEquals(log, ["soon", "here", "sooner or later"]);
  }));

Deno.test("a cancelled sleep leaves no timer behind", () =>
  run(async () => {
    const task = nap(1000, "never");
    await asyncio.sleep(0);
    task.cancel();
    await cancelled(task);
    await asyncio.sleep(1);
    assertEquals(now(), 1);
  }));

// ensure_future

Deno.test("ensure_future gives futures back, and makes tasks and futures of the rest", () =>
  run(async () => {
    const future = new asyncio.Future<number>();
    assertStrictEquals(asyncio.ensure_future(future), future);
    const task = asyncio.ensure_future(async () => await asyncio.sleep(0, 1));
    assert(task instanceof asyncio.Task);
    const wrapped = asyncio.ensure_future(Promise.resolve(2));
    assert(wrapped instanceof asyncio.Future && !(wrapped instanceof asyncio.Task));
    assertEquals([await task, await wrapped], [1, 2]);
    assertThrows(() => asyncio.ensure_future(3 as never), TypeError, NOT_AWAITABLE);
    assertThrows(
      () => asyncio.ensure_future(future, { lop: 1 } as never),
      TypeError,
      "'lop'",
    );
  }));

Deno.test("ensure_future refuses a future of another loop than the given one", async () => {
  const other = new VirtualClockEventLoop();
  await run(() => {
    assertThrows(
      () => asyncio.ensure_future(new asyncio.Future(), { loop: other }),
      asyncio.ValueError,
      "The future belongs to a different loop",
    );
  });
  other.close();
});
