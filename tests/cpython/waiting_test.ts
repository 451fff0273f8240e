/**
 * CPython's own tests of waiting for several things (`test_tasks.py`, `test_waitfor.py`), as far as they make
 * sense here and `tests/waiting_test.ts` has none like them.
 */

// deno-lint-ignore-file require-yield -- coroutines that end in one step

import { assert, assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import * as asyncio from "../../mod.ts";
import { VirtualClockEventLoop } from "../../testing.ts";
import {
  BusyLoop,
  cancellation_of,
  record_reports,
  run,
  run_briefly,
  run_until_idle,
  with_loop,
} from "./loops.ts";

const returns = asyncio.coroutine(<T>(value: T) => Promise.resolve(value));

const futures = <T>(loop: asyncio.EventLoop, count: number): asyncio.Future<T>[] =>
  Array.from({ length: count }, () => loop.create_future<T>());

/** The two kinds of coroutines that wait for a future. */
const WAITS: Record<string, (future: asyncio.Future<number>) => asyncio.Awaitable<number>> = {
  "futures": (future) => future,
  "async functions": (future) => asyncio.coroutine(async () => await future)(),
  "generators": (future) =>
    asyncio.coroutine(function* () {
      return yield* future;
    })(),
};

// ensure_future

Deno.test("ensure_future: gives a future or task back, with its own loop named or none", () =>
  with_loop(async (loop) => {
    const future = loop.create_future<string>();
    future.set_result("ko");
    const task = loop.create_task(returns("ok"));
    const other = new VirtualClockEventLoop();
    for (const [made, result] of [[future, "ko"], [task, "ok"]] as const) {
      assertStrictEquals(asyncio.ensure_future(made), made);
      assertStrictEquals(asyncio.ensure_future(made, { loop }), made);
      assertEquals(await loop.run_until_complete(made), result);
      assertThrows(
        () => asyncio.ensure_future(made, { loop: other }),
        asyncio.ValueError,
        "The future belongs to a different loop than the one specified as the loop argument",
      );
    }
    other.close();
  }));

Deno.test("ensure_future: makes a task on the loop it is given, on the running, or on the set one", () =>
  with_loop(async (loop) => {
    const given = asyncio.ensure_future(returns("ok"), { loop });
    assertStrictEquals(given.get_loop(), loop);
    assertEquals(await loop.run_until_complete(given), "ok");
    const box: asyncio.Future<string>[] = [];
    await loop.run_until_complete(
      asyncio.coroutine(function* () {
        box.push(asyncio.ensure_future(returns("ok")));
      })(),
    );
    assertStrictEquals(box[0]!.get_loop(), loop);
    assertEquals(await loop.run_until_complete(box[0]!), "ok");
    asyncio.set_event_loop(loop);
    try {
      const set = asyncio.ensure_future(returns("ok"));
      assertStrictEquals(set.get_loop(), loop);
      assertEquals(await loop.run_until_complete(set), "ok");
    } finally {
      asyncio.set_event_loop(null);
    }
  }));

Deno.test("ensure_future: takes any object that can be awaited", () =>
  with_loop(async (loop) => {
    class Awaitable<T> {
      constructor(readonly coro: asyncio.Coroutine<T>) {}
      then: PromiseLike<T>["then"] = (...callbacks) => this.coro.then(...callbacks);
    }
    const future = asyncio.ensure_future(new Awaitable(asyncio.sleep(0, "ok")), { loop });
    assertEquals(await loop.run_until_complete(future), "ok");
    assertEquals([future.done(), future.result()], [true, "ok"]);
    assertThrows(() => asyncio.ensure_future("ok" as never), TypeError);
  }));

// wait

Deno.test("wait: a second time, of tasks that are done, takes no time", () =>
  with_loop(async (loop) => {
    const [a, b] = [
      loop.create_task(asyncio.sleep(0.1)),
      loop.create_task(asyncio.sleep(0.15)),
    ] as const;
    const waits = async () => {
      const [done, pending] = await asyncio.wait([b, a]);
      return [done.has(a), done.has(b), done.size, pending.size];
    };
    for (let time = 0; time < 2; time++) {
      assertEquals(await loop.run_until_complete(waits), [true, true, 2, 0]);
      assertEquals(loop.time(), 0.15);
    }
  }));

Deno.test("wait: a task that is done, and whose callbacks have not been called yet, is among the done", () =>
  with_loop(async (loop) => {
    const turns = asyncio.coroutine(async (count: number) => {
      for (let turn = 0; turn < count; turn++) await asyncio.sleep(0);
    });
    const [a, b] = [loop.create_task(turns(1)), loop.create_task(turns(2))];
    const waiting = loop.create_task(
      asyncio.wait([b, a], { return_when: asyncio.FIRST_COMPLETED }),
    );
    const [done, pending] = await loop.run_until_complete(waiting);
    assertEquals([done.has(a), done.has(b), pending.size], [true, true, 0]);
    assertEquals([a.result(), b.result()], [undefined, undefined]);
  }));

for (const when of [0, 0.01]) {
  Deno.test(`wait: FIRST_EXCEPTION ends with an error after ${when} seconds, and leaves the others`, () =>
    with_loop(async (loop) => {
      const slow = loop.create_task(asyncio.sleep(10));
      const failing = loop.create_task(async () => {
        if (when > 0) await asyncio.sleep(when);
        throw new RangeError("err");
      });
      const waiting = asyncio.wait([failing, slow], { return_when: asyncio.FIRST_EXCEPTION });
      const [done, pending] = await loop.run_until_complete(waiting);
      assertEquals([done.has(failing), done.size, pending.has(slow), loop.time()], [
        true,
        1,
        true,
        when,
      ]);
      await loop.run_until_complete(asyncio.wait([slow, failing]));
      assert(failing.exception() instanceof RangeError);
    }));
}

Deno.test("wait: ALL_COMPLETED gives a failed task among the done", () =>
  with_loop(async (loop) => {
    const slept = loop.create_task(asyncio.sleep(0.1));
    const failed = loop.create_task(async () => {
      await asyncio.sleep(0.15);
      throw new RangeError("really");
    });
    const failures = async () => {
      const [done, pending] = await asyncio.wait([failed, slept]);
      return [done.size, pending.size, [...done].filter((task) => task.exception()).length];
    };
    for (let time = 0; time < 2; time++) {
      assertEquals(await loop.run_until_complete(failures), [2, 0, 1]);
      assertEquals(loop.time(), 0.15);
    }
  }));

Deno.test("wait: a task that ends at the very time of the limit is done", () =>
  with_loop(async (loop) => {
    const [a, b] = [
      loop.create_task(asyncio.sleep(0.1)),
      loop.create_task(asyncio.sleep(0.15)),
    ] as const;
    const [done, pending] = await loop.run_until_complete(asyncio.wait([b, a], { timeout: 0.1 }));
    assertEquals([[...done], [...pending], loop.time()], [[a], [b], 0.1]);
    await loop.run_until_complete(asyncio.wait([a, b]));
  }));

Deno.test("wait: takes an iterator and a generator that makes the tasks", () =>
  run(async () => {
    function* tasks() {
      for (let n = 0; n < 10; n++) yield asyncio.create_task(returns(n));
    }
    for (const given of [tasks(), [...tasks()].values()]) {
      const [done, pending] = await asyncio.wait(given);
      assertEquals([done.size, pending.size], [10, 0]);
    }
  }));

/** Cancels a task that waits for a coroutine, and checks that the coroutine goes on. */
function check_inner_goes_on(
  wait: (inner: () => Promise<void>) => PromiseLike<unknown>,
): Promise<void> {
  return with_loop(async (loop) => {
    const waiter = loop.create_future<void>();
    const proof: string[] = [];
    const outer = loop.create_task(async () => {
      await wait(async () => {
        await waiter;
        proof.push("inner");
      });
      proof.push("outer");
    });
    await run_briefly(loop);
    outer.cancel();
    await cancellation_of(loop.run_until_complete(outer));
    waiter.set_result();
    await run_briefly(loop);
    assertEquals(proof, ["inner"]);
  });
}

Deno.test("wait: cancelled, it leaves the task running", () =>
  check_inner_goes_on((inner) => asyncio.wait([asyncio.create_task(inner)])));

// as_completed

const BY = {
  "for": async <T>(awaitables: Iterable<asyncio.Coroutine<T> | asyncio.Future<T>>, most = 99) => {
    const iterator = asyncio.as_completed(awaitables);
    const values: T[] = [];
    for (const next of iterator) {
      values.push(await next);
      if (values.length === most) break;
    }
    for (const next of iterator) values.push(await next);
    return values;
  },
  "for await": async <T>(
    awaitables: Iterable<asyncio.Coroutine<T> | asyncio.Future<T>>,
    most = 99,
  ) => {
    const iterator = asyncio.as_completed(awaitables);
    const values: T[] = [];
    for await (const next of iterator) {
      values.push(await next);
      if (values.length === most) break;
    }
    for await (const next of iterator) values.push(await next);
    return values;
  },
};

for (const [name, iterate] of Object.entries(BY)) {
  Deno.test(`as_completed: by ${name}, several that end at the same time come before later ones`, () =>
    run(async () => {
      const sleeps = [asyncio.sleep(0.01, "b"), asyncio.sleep(0.15, "c"), asyncio.sleep(0.01, "a")];
      assertEquals(await iterate(sleeps), ["b", "a", "c"]);
      assertEquals(asyncio.get_running_loop().time(), 0.15);
    }));

  Deno.test(`as_completed: by ${name}, a coroutine that is given twice comes once`, () =>
    run(async () => {
      const ham = returns("ham");
      assertEquals((await iterate([ham, ham, returns("spam")])).toSorted(), ["ham", "spam"]);
    }));

  Deno.test(`as_completed: by ${name}, iteration that was left is taken up again`, () =>
    run(async () => {
      const works = [returns(0), returns(1), returns(2), returns(3)];
      assertEquals((await iterate(works, 2)).toSorted(), [0, 1, 2, 3]);
    }));
}

Deno.test("as_completed: for await gives tasks that were given, and no coroutine", () =>
  run(async () => {
    const [a, c] = [returns("a"), returns("c")];
    const [b, d] = [asyncio.create_task(returns("b")), asyncio.create_task(returns("d"))];
    const seen = new Set<unknown>();
    for await (const next of asyncio.as_completed([a, b, c, d]) as AsyncIterable<unknown>) {
      seen.add(next);
    }
    assertEquals([seen.size, ...[a, b, c, d].map((given) => seen.has(given))], [
      4,
      false,
      true,
      false,
      true,
    ]);
  }));

Deno.test("as_completed: a limit that passes while a value is handled is noticed at the next", async () => {
  const plain = async (loop: BusyLoop, tasks: asyncio.Task<string>[]) => {
    const values: unknown[] = [];
    for (const next of asyncio.as_completed(tasks, { timeout: 0.12 })) {
      try {
        values.push(await next);
      } catch (error) {
        values.push((error as Error).name);
      }
      loop.compute(0.1);
    }
    return values;
  };
  const native = async (loop: BusyLoop, tasks: asyncio.Task<string>[]) => {
    const values: unknown[] = [];
    try {
      for await (const next of asyncio.as_completed(tasks, { timeout: 0.12 })) {
        values.push(await next);
        loop.compute(0.1);
      }
    } catch (error) {
      values.push((error as Error).name);
    }
    return values;
  };
  for (const iterate of [plain, native]) {
    const loop = new BusyLoop();
    await asyncio.run(async () => {
      const tasks = [0.1, 0.15].map((delay) => loop.create_task(asyncio.sleep(delay, `${delay}`)));
      assertEquals(await iterate(loop, tasks), ["0.1", "TimeoutError"]);
      await asyncio.wait(tasks);
    }, { loop_factory: () => loop });
  }
});

Deno.test("as_completed: a limit that is not reached leaves no timer", () =>
  with_loop(async (loop) => {
    await loop.run_until_complete(async () => {
      for (const next of asyncio.as_completed([asyncio.sleep(0.01, "a")], { timeout: 1 })) {
        assertEquals(await next, "a");
      }
      const iterator = asyncio.as_completed([asyncio.sleep(0.01, "a")], { timeout: 1 });
      for await (const next of iterator as AsyncIterable<unknown>) assertEquals(await next, "a");
    });
    assertEquals(loop.time(), 0.02);
    await assertRejects(() => loop.run_forever(), Error);
    assertEquals(loop.time(), 0.02);
  }));

Deno.test("as_completed: what is awaited first gives what is done first, whichever it is", () =>
  run(async () => {
    const now = () => asyncio.get_running_loop().time();
    const waits = [...asyncio.as_completed([asyncio.sleep(0.05, "a"), asyncio.sleep(0.1, "b")])];
    assertEquals(waits.length, 2);
    assertEquals([await waits[1], now()], ["a", 0.05]);
    assertEquals([await waits[0], now()], ["b", 0.1]);
  }));

Deno.test("as_completed: what it gives can be awaited at the same time", () =>
  run(async () => {
    const sleeps = () => [asyncio.sleep(0.05, "a"), asyncio.sleep(0.05, "b")];
    const of_futures: PromiseLike<string>[] = [];
    // The cast: where several `for await` have one type, TypeScript takes the futures for their values.
    for await (const future of asyncio.as_completed(sleeps()) as AsyncIterable<unknown>) {
      of_futures.push(future as asyncio.Future<string>);
    }
    for (const waits of [[...asyncio.as_completed(sleeps())], of_futures]) {
      assertEquals(waits.length, 2);
      const [done] = await asyncio.wait(waits.map((wait) => asyncio.ensure_future(wait)));
      assertEquals([...done].map((future) => future.result()).toSorted(), ["a", "b"]);
    }
  }));

// shield

Deno.test("shield: has the result and the very error of what it shields, in the next iteration", () =>
  with_loop(async (loop) => {
    const [well, badly] = futures<number>(loop, 2) as [
      asyncio.Future<number>,
      asyncio.Future<number>,
    ];
    const [outer, failing] = [asyncio.shield(well), asyncio.shield(badly)];
    well.set_result(42);
    assertEquals(await loop.run_until_complete(outer), 42);
    const error = new asyncio.RuntimeError("expected");
    badly.set_exception(error);
    await run_briefly(loop);
    assertStrictEquals(failing.exception(), error);
    badly.exception();
  }));

Deno.test("shield: is cancelled if what it shields is, and not the other way round", () =>
  with_loop(async (loop) => {
    const inner = loop.create_future<void>();
    const first = asyncio.shield(inner);
    await run_briefly(loop);
    first.cancel();
    await run_briefly(loop);
    assertEquals([first.cancelled(), inner.done()], [true, false]);
    const second = asyncio.shield(inner);
    inner.cancel();
    await run_briefly(loop);
    assertEquals([second.cancelled(), inner.cancelled()], [true, true]);
  }));

Deno.test("shield: after its cancellation only an error is reported, and once for several shields", () =>
  with_loop(async (loop) => {
    const reports = record_reports(loop);
    const shield_and_cancel = async (inner: asyncio.Future<number>) => {
      const outer = asyncio.shield(inner);
      await run_briefly(loop);
      outer.cancel();
      await run_briefly(loop);
    };
    const [well, once, twice] = futures<number>(loop, 3) as [
      asyncio.Future<number>,
      asyncio.Future<number>,
      asyncio.Future<number>,
    ];
    await shield_and_cancel(well);
    well.set_result(1);
    await run_briefly(loop);
    assertEquals(reports, []);
    await shield_and_cancel(once);
    once.set_exception(new Error("foo"));
    await run_briefly(loop);
    assertEquals(reports.length, 1);
    await shield_and_cancel(twice);
    await shield_and_cancel(twice);
    twice.set_exception(new Error("foo"));
    await run_briefly(loop);
    assertEquals(reports.length, 2);
  }));

Deno.test("shield: a task that waits for it is cancelled, and the coroutine in it goes on", () =>
  check_inner_goes_on((inner) => asyncio.shield(inner)));

Deno.test("shield: of a gather() that goes on, and a gather() of shields that is cancelled", () =>
  with_loop(async (loop) => {
    const children = futures<number>(loop, 2);
    const gathered = asyncio.gather(children);
    const shielded = asyncio.shield(gathered);
    await run_briefly(loop);
    shielded.cancel();
    await run_briefly(loop);
    assert(shielded.cancelled());
    children.forEach((child, index) => child.set_result(index));
    await run_briefly(loop);
    assertEquals(gathered.result(), [0, 1]);

    const others = futures<number>(loop, 2);
    const shields = others.map((child) => asyncio.shield(child));
    const parent = asyncio.gather(shields);
    await run_briefly(loop);
    parent.cancel();
    await run_briefly(loop);
    assert(parent.exception() instanceof asyncio.CancelledError);
    assertEquals(shields.map((shield) => shield.cancelled()), [true, true]);
    others.forEach((child) => child.set_result(1));
    await run_briefly(loop);
    assertEquals(others.map((child) => child.result()), [1, 1]);
  }));

Deno.test("shield: its task belongs to the running loop, or to the one that is set", () =>
  with_loop(async (loop) => {
    const box: asyncio.Future<number>[] = [];
    await loop.run_until_complete(
      asyncio.coroutine(function* () {
        box.push(asyncio.shield(returns(42)));
      })(),
    );
    asyncio.set_event_loop(loop);
    try {
      box.push(asyncio.shield(returns(42)));
    } finally {
      asyncio.set_event_loop(null);
    }
    for (const outer of box) {
      assertStrictEquals(outer.get_loop(), loop);
      assertEquals(await loop.run_until_complete(outer), 42);
    }
  }));

// gather

for (const [name, wait] of Object.entries(WAITS)) {
  /** In an array, since an async function would await the future that it returns. */
  const gather_on = async (
    loop: asyncio.EventLoop,
    awaited: asyncio.Future<number>[],
    options: { return_exceptions?: boolean } = {},
  ): Promise<[asyncio.Future<unknown[]>]> => {
    const box: asyncio.Future<unknown[]>[] = [];
    await loop.run_until_complete(
      asyncio.coroutine(function* () {
        box.push(asyncio.gather(awaited.map(wait), options));
      })(),
    );
    return [box[0]!];
  };

  for (const options of [{}, { return_exceptions: false }, { return_exceptions: true }]) {
    Deno.test(`gather: of ${name}, is done with the last, with ${JSON.stringify(options)}`, () =>
      with_loop(async (loop) => {
        const [a, b, c] = futures<number>(loop, 3) as [
          asyncio.Future<number>,
          asyncio.Future<number>,
          asyncio.Future<number>,
        ];
        const [gathered] = await gather_on(loop, [a, b, c], options);
        const calls: unknown[] = [];
        gathered.add_done_callback((future) => calls.push(future));
        b.set_result(1);
        a.set_result(2);
        await run_until_idle(loop);
        assertEquals([calls, gathered.done()], [[], false]);
        c.set_result(3);
        await run_until_idle(loop);
        assertEquals(calls.length, 1);
        assertStrictEquals(calls[0], gathered);
        assertEquals(gathered.result(), [2, 1, 3]);
      }));
  }

  Deno.test(`gather: of ${name}, fails with the first error, and what comes later does nothing`, () =>
    with_loop(async (loop) => {
      const [a, b, c, d, e] = futures<number>(loop, 5) as [
        asyncio.Future<number>,
        asyncio.Future<number>,
        asyncio.Future<number>,
        asyncio.Future<number>,
        asyncio.Future<number>,
      ];
      const reports = record_reports(loop);
      const [gathered] = await gather_on(loop, [a, b, c, d, e]);
      let calls = 0;
      gathered.add_done_callback(() => calls++);
      const error = new RangeError("first");
      a.set_result(1);
      b.set_exception(error);
      await run_until_idle(loop);
      assertEquals([gathered.done(), calls], [true, 1]);
      assertStrictEquals(gathered.exception(), error);
      c.set_result(3);
      d.cancel();
      e.set_exception(new asyncio.RuntimeError("late"));
      await run_until_idle(loop);
      loop.close();
      assertEquals([reports, calls], [[], 1]);
    }));

  Deno.test(`gather: of ${name}, return_exceptions gives errors and cancellations in their places`, () =>
    with_loop(async (loop) => {
      const awaited = futures<number>(loop, 6);
      const [a, b, c, d, e, f] = awaited as [
        asyncio.Future<number>,
        asyncio.Future<number>,
        asyncio.Future<number>,
        asyncio.Future<number>,
        asyncio.Future<number>,
        asyncio.Future<number>,
      ];
      const [gathered] = await gather_on(loop, awaited, { return_exceptions: true });
      let calls = 0;
      gathered.add_done_callback(() => calls++);
      const [first, second] = [new RangeError("first"), new asyncio.RuntimeError("second")];
      a.set_result(1);
      b.set_exception(first);
      c.cancel();
      await run_until_idle(loop);
      assertEquals([gathered.done(), calls], [false, 0]);
      d.set_result(3);
      e.cancel();
      f.set_exception(second);
      const results = await loop.run_until_complete(gathered);
      assert(results[2] instanceof asyncio.CancelledError);
      assert(results[4] instanceof asyncio.CancelledError);
      assertEquals([results[0], results[3], results.length, calls], [1, 3, 6, 1]);
      assertStrictEquals(results[1], first);
      assertStrictEquals(results[5], second);
    }));
}

Deno.test("gather: is failed by a child that is cancelled, and not cancelled", () =>
  with_loop(async (loop) => {
    const [a, b, c, d, e] = futures<number>(loop, 5) as [
      asyncio.Future<number>,
      asyncio.Future<number>,
      asyncio.Future<number>,
      asyncio.Future<number>,
      asyncio.Future<number>,
    ];
    const gathered = asyncio.gather(a, b, c, d, e);
    let calls = 0;
    gathered.add_done_callback(() => calls++);
    a.set_result(1);
    b.cancel();
    await run_until_idle(loop);
    assertEquals([gathered.done(), gathered.cancelled(), calls], [true, false, 1]);
    assert(gathered.exception() instanceof asyncio.CancelledError);
    c.set_result(3);
    d.cancel();
    e.set_exception(new asyncio.RuntimeError("late"));
    e.exception();
  }));

Deno.test("gather: of nothing is done on the running loop, and on the one that is set", () =>
  with_loop(async (loop) => {
    const box: asyncio.Future<unknown[]>[] = [];
    await loop.run_until_complete(
      asyncio.coroutine(function* () {
        box.push(asyncio.gather());
      })(),
    );
    asyncio.set_event_loop(loop);
    try {
      box.push(asyncio.gather(), asyncio.gather(returns("a"), returns("b")));
    } finally {
      asyncio.set_event_loop(null);
    }
    const results = [];
    for (const gathered of box) {
      assertStrictEquals(gathered.get_loop(), loop);
      results.push(await loop.run_until_complete(gathered));
    }
    assertEquals(results, [[], [], ["a", "b"]]);
  }));

Deno.test("gather: belongs to the loop of its futures, and refuses those of two", () =>
  with_loop(async (loop) => {
    const other = new VirtualClockEventLoop();
    const children = futures<number>(other, 3);
    for (let time = 0; time < 2; time++) {
      const gathered = asyncio.gather(children);
      assertStrictEquals(gathered.get_loop(), other);
      await run_until_idle(other);
      assertEquals(gathered.done(), false);
    }
    assertThrows(
      () => asyncio.gather(loop.create_future(), other.create_future()),
      asyncio.ValueError,
    );
    other.close();
  }));

Deno.test("gather: a coroutine that is given three times runs once and has three results", () =>
  run(async () => {
    const once = returns("abc");
    assertEquals(await asyncio.gather(once, once, returns("def"), once), [
      "abc",
      "abc",
      "def",
      "abc",
    ]);
  }));

Deno.test("gather: cancelled with the task that waits for it, it cancels its children and is done", () =>
  with_loop(async (loop) => {
    const waiter = loop.create_future<void>();
    const proof: string[] = [];
    const child = () =>
      loop.create_task(async () => {
        await waiter;
        proof.push("child");
      });
    const children = [child(), child()];
    const box: asyncio.Future<unknown>[] = [];
    const outer = loop.create_task(async () => {
      const gathered = asyncio.gather(children);
      box.push(gathered);
      await gathered;
      proof.push("outer");
    });
    await run_briefly(loop);
    assertEquals(outer.cancel(), true);
    await cancellation_of(loop.run_until_complete(outer));
    assertEquals([box[0]!.cancel(), waiter.cancelled()], [false, true]);
    assertEquals(children.map((task) => task.cancelled()), [true, true]);
    await run_briefly(loop);
    assertEquals(proof, []);
  }));

Deno.test("gather: cannot be cancelled any more when its children are done", () =>
  with_loop(async (loop) => {
    const future = loop.create_future<number>();
    const box: asyncio.Future<[number]>[] = [];
    await loop.run_until_complete(
      asyncio.coroutine(function* () {
        const gathered = asyncio.gather(async () => await future);
        box.push(asyncio.ensure_future(gathered));
      })(),
    );
    const gathered = box[0]!;
    const cancelled: boolean[] = [];
    // Called when the child has ended its last step, and before the gather() notices.
    future.add_done_callback(() => {
      cancelled.push(gathered.cancel());
    });
    future.set_result(42);
    assertEquals(await loop.run_until_complete(gathered), [42]);
    assertEquals([cancelled, gathered.cancelled()], [[false], false]);
  }));

Deno.test("gather: the error of a second child is not reported", () =>
  with_loop(async (loop) => {
    const reports = record_reports(loop);
    const [a, b] = futures<void>(loop, 2) as [asyncio.Future<void>, asyncio.Future<void>];
    const fails = asyncio.coroutine(async (future: asyncio.Future<void>) => {
      await future;
      throw new asyncio.RuntimeError("should not be ignored");
    });
    const outer = loop.create_task(async () => await asyncio.gather(fails(a), fails(b)));
    await run_briefly(loop);
    a.set_result();
    await run_briefly(loop);
    b.set_result();
    await run_briefly(loop);
    assert(outer.exception() instanceof asyncio.RuntimeError);
    loop.close();
    assertEquals(reports, []);
  }));

Deno.test("gather: refuses what cannot be awaited beside a coroutine, and nothing is reported", () =>
  with_loop(async (loop) => {
    const reports = record_reports(loop);
    await loop.run_until_complete(async () => {
      assertThrows(() => asyncio.gather(returns("abc"), {} as never, {}), TypeError);
      await asyncio.sleep(0);
    });
    assertEquals(reports, []);
  }));

// sleep

Deno.test("sleep: of 0 seconds lets what is ready run first, and gives its result", () =>
  run(async () => {
    let sum = 0;
    const add = (number: number) => sum += number;
    asyncio.get_running_loop().call_soon(add, 1);
    assertEquals(sum, 0);
    const ten = await asyncio.sleep(0, 10);
    assertEquals(sum, 1);
    assertEquals(add(ten), 11);
  }));

Deno.test("sleep: two halves take as long as the whole", () =>
  with_loop(async (loop) => {
    const task = loop.create_task(async () => {
      await asyncio.sleep(0.05);
      return await asyncio.sleep(0.05, "yeah");
    });
    assertEquals([await loop.run_until_complete(task), loop.time()], ["yeah", 0.1]);
  }));

Deno.test("sleep: a task that waits for a sleeping one sees it cancelled by a timer", () =>
  with_loop(async (loop) => {
    const doer = async () => {
      const sleeper = asyncio.create_task(asyncio.sleep(5000));
      loop.call_later(0.1, () => sleeper.cancel());
      try {
        await sleeper;
      } catch (error) {
        assert(error instanceof asyncio.CancelledError);
        return "cancelled";
      }
      return "slept in";
    };
    assertEquals([await loop.run_until_complete(doer), loop.time()], ["cancelled", 0.1]);
  }));
