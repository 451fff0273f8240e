/**
 * CPython's own tests of futures (`Lib/test/test_asyncio/test_futures.py`, `test_futures2.py`), as far as they make
 * sense here and `tests/futures_test.ts` has none like them.
 */

// deno-lint-ignore-file require-yield -- coroutines that end in one step

import { assert, assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import * as asyncio from "../../mod.ts";
import { VirtualClockEventLoop } from "../../testing.ts";
import { record_reports, run, run_briefly, with_loop } from "./loops.ts";

const { Future, InvalidStateError } = asyncio;

Deno.test("isfuture: false of classes, of numbers and of what only looks like one", () =>
  with_loop((loop) => {
    const future = loop.create_future();
    assertEquals(asyncio.isfuture(future), true);
    const lookalike = { then() {}, done: () => false, result() {} };
    for (const other of [Future, asyncio.Task, 1, null, lookalike, Promise.resolve()]) {
      assertEquals(asyncio.isfuture(other), false);
    }
    return Promise.resolve();
  }));

Deno.test("Future: belongs to the running loop, or to the one that is set, and takes options alone", () =>
  with_loop(async (loop) => {
    const made: asyncio.Future<void>[] = [];
    await loop.run_until_complete(function* () {
      made.push(new Future());
    });
    asyncio.set_event_loop(loop);
    try {
      made.push(new Future());
    } finally {
      asyncio.set_event_loop(null);
    }
    assertEquals(made.map((future) => future.get_loop() === loop), [true, true]);
    assertThrows(() => new Future(42 as never), TypeError);
  }));

Deno.test("Future: once it has a result, an error or is cancelled nothing changes it", () =>
  with_loop((loop) => {
    const error = new asyncio.RuntimeError("error");
    const settle: Record<string, (future: asyncio.Future<number>) => void> = {
      result: (future) => future.set_result(42),
      error: (future) => future.set_exception(error),
      cancelled: (future) => assertEquals(future.cancel(), true),
    };
    for (const [kind, act] of Object.entries(settle)) {
      const future = loop.create_future<number>();
      assertEquals([future.done(), future.cancelled()], [false, false]);
      assertThrows(() => future.result(), InvalidStateError);
      assertThrows(() => future.exception(), InvalidStateError);
      act(future);
      assertEquals([future.done(), future.cancelled()], [true, kind === "cancelled"]);
      assertThrows(() => future.set_result(1), InvalidStateError);
      assertThrows(() => future.set_exception(error), InvalidStateError);
      assertThrows(() => future.set_exception(null as never), InvalidStateError);
      assertEquals(future.cancel(), false);
      if (kind === "result") assertEquals([future.result(), future.exception()], [42, null]);
      else if (kind === "error") {
        assertStrictEquals(future.exception(), error);
        assertThrows(() => future.result(), asyncio.RuntimeError);
      } else {
        assertThrows(() => future.result(), asyncio.CancelledError);
        assertThrows(() => future.exception(), asyncio.CancelledError);
      }
    }
    return Promise.resolve();
  }));

Deno.test("Future[Symbol.iterator]: a second yield* of a future that is done gives its result at once", () =>
  with_loop((loop) => {
    const future = loop.create_future<number>();
    function* steps(): Generator<unknown, void, unknown> {
      yield "A";
      yield ["B", yield* future];
      yield ["C", yield* future];
    }
    const generator = steps();
    assertEquals(generator.next().value, "A");
    assertStrictEquals(generator.next().value, future);
    future.set_result(42);
    assertEquals(generator.next().value, ["B", 42]);
    assertEquals(generator.next().value, ["C", 42]);
    return Promise.resolve();
  }));

Deno.test("Future[Symbol.iterator]: gives arrays as they are, and throws what is thrown into it", () =>
  with_loop((loop) => {
    const done = loop.create_future<number[]>();
    done.set_result([1, 2]);
    assertEquals(done[Symbol.iterator]().next(), { done: true, value: [1, 2] });
    const pending = loop.create_future<void>();
    const iterator = pending[Symbol.iterator]();
    iterator.next();
    assertThrows(() => iterator.throw(new RangeError("zebra")), RangeError, "zebra");
    assertThrows(
      () => {
        [...pending];
      },
      asyncio.RuntimeError,
      "await wasn't used",
    );
    return Promise.resolve();
  }));

Deno.test("Future.toString: of many callbacks shows the first, the last and how many more", () =>
  with_loop((loop) => {
    function first() {}
    function middle() {}
    function last() {}
    const future = loop.create_future<void>();
    future.add_done_callback(first);
    assertEquals(String(future), "<Future pending cb=[first()]>");
    future.add_done_callback(last);
    assertEquals(String(future), "<Future pending cb=[first(), last()]>");
    future.remove_done_callback(last);
    for (let count = 0; count < 8; count++) future.add_done_callback(middle);
    future.add_done_callback(last);
    assertEquals(String(future), "<Future pending cb=[first(), <8 more>, last()]>");
    future.cancel();
    assertEquals(String(future), "<Future cancelled>");
    return Promise.resolve();
  }));

Deno.test("Future: what nobody retrieves is reported of errors alone, unless it was cancelled after", () =>
  with_loop((loop) => {
    const reports = record_reports(loop);
    const make = () => loop.create_future<number>();
    make();
    make().set_result(42);
    const retrieved = make();
    retrieved.set_result(42);
    retrieved.result();
    const failed = () => {
      const future = make();
      future.set_exception(new asyncio.RuntimeError("boom"));
      return future;
    };
    failed().cancel();
    failed().exception();
    assertThrows(() => failed().result(), asyncio.RuntimeError, "boom");
    loop.close();
    assertEquals(reports, []);
    return Promise.resolve();
  }));

for (const debug of [false, true]) {
  Deno.test(`Future: an error that nobody retrieved is reported once, with debug mode ${debug}`, () =>
    with_loop(async (loop) => {
      loop.set_debug(debug);
      const reports = record_reports(loop);
      const error = new RangeError("out of memory");
      loop.create_future<void>().set_exception(error);
      await run_briefly(loop);
      loop.close();
      assertEquals(reports.map(({ message }) => message), ["Future exception was never retrieved"]);
      assertEquals((reports[0]!.exception as Error).message, error.message);
    }));
}

// Callbacks

const REMOVED: readonly [removed: readonly number[], left: readonly number[]][] = [
  [[0, 0], [17, 100]],
  [[0, 1, 0], [100]],
  [[2, 2], [42, 17]],
  [[], [42, 17, 100]],
];

for (const [removed, left] of REMOVED) {
  Deno.test(`Future.remove_done_callback: of three the callbacks ${JSON.stringify(removed)}`, () =>
    with_loop(async (loop) => {
      const bag: number[] = [];
      const callbacks = [42, 17, 100].map((thing) => () => bag.push(thing));
      for (const settle of ["result", "exception"] as const) {
        const future = loop.create_future<string>();
        callbacks.forEach((callback) => future.add_done_callback(callback));
        const seen = new Set<number>();
        for (const index of removed) {
          assertEquals(future.remove_done_callback(callbacks[index]!), seen.has(index) ? 0 : 1);
          seen.add(index);
        }
        if (settle === "result") future.set_result("foo");
        else future.set_exception(new asyncio.RuntimeError("foo"));
        assertEquals(bag, []);
        await run_briefly(loop);
        assertEquals(bag.splice(0), left);
        future.exception();
      }
    }));
}

Deno.test("Future.remove_done_callback: removes a callback as often as it was added, and no other", () =>
  with_loop(async (loop) => {
    const bag: number[] = [];
    const note = (thing: number) => () => bag.push(thing);
    const [first, second, third] = [note(1), note(2), note(3)];
    const future = loop.create_future<string>();
    future.add_done_callback(first);
    future.add_done_callback(second);
    assertEquals(future.remove_done_callback(second), 1);
    assertEquals(future.remove_done_callback(third), 0);
    future.add_done_callback(second);
    for (let count = 0; count < 5; count++) future.add_done_callback(first);
    assertEquals(future.remove_done_callback(first), 6);
    future.set_result("foo");
    await run_briefly(loop);
    assertEquals(bag, [2]);
  }));

Deno.test("Future.set_result: a loop whose call_soon() removes callbacks confuses nothing", async () => {
  class Loop extends VirtualClockEventLoop {
    override call_soon(...args: Parameters<asyncio.EventLoop["call_soon"]>): asyncio.Handle {
      for (const callback of callbacks) future.remove_done_callback(callback);
      return super.call_soon(...args);
    }
  }
  const loop = new Loop();
  const bag: number[] = [];
  const callbacks = [1, 2, 3].map((thing) => () => bag.push(thing));
  const future = new Future<string>({ loop });
  callbacks.forEach((callback) => future.add_done_callback(callback));
  future.set_result("boom");
  await run_briefly(loop);
  assertEquals([future.result(), future.remove_done_callback(callbacks[0]!)], ["boom", 0]);
  assertEquals(bag, [1, 2, 3]);
  loop.close();
});

// Errors of several awaits, and the contexts of handlers

Deno.test("Task: its error is the same at each await, and its stack does not grow", () =>
  run(async () => {
    const task = asyncio.create_task(() => Promise.reject(new TypeError("42")));
    const stacks = new Set<string | undefined>();
    for (let time = 0; time < 5; time++) {
      const error = await assertRejects(async () => await task, TypeError, "42");
      stacks.add(error.stack);
    }
    assertEquals(stacks.size, 1);
  }));

Deno.test("loop.set_exception_handler: the handler runs in the context of the callback that failed", () =>
  run(async () => {
    const name = new asyncio.ContextVar<string>("name", { default: "foo" });
    const seen: string[] = [];
    const loop = asyncio.get_running_loop();
    loop.set_exception_handler(() => seen.push(name.get()));
    loop.call_soon(() => {
      name.set("bar");
      throw new RangeError("of the callback");
    });
    await asyncio.sleep(0);
    assertEquals([seen, name.get()], [["bar"], "foo"]);
  }));

Deno.test("loop.set_exception_handler: the handler runs in the context of the task whose error is lost", () =>
  with_loop(async (loop) => {
    const name = new asyncio.ContextVar<string>("name", { default: "foo" });
    const seen: string[] = [];
    loop.set_exception_handler(() => seen.push(name.get()));
    loop.create_task(function* () {
      name.set("bar");
      throw new RangeError("of the task");
    });
    await run_briefly(loop);
    loop.close();
    assertEquals([seen, name.get()], [["bar"], "foo"]);
  }));

// wrap_future

Deno.test("wrap_future: gives a future back, and wraps a promise on the running loop or the one that is set", () =>
  with_loop(async (loop) => {
    const future = loop.create_future<void>();
    assertStrictEquals(asyncio.wrap_future(future), future);
    const made: asyncio.Future<string>[] = [];
    await loop.run_until_complete(function* () {
      made.push(asyncio.wrap_future(Promise.resolve("oi")));
    });
    asyncio.set_event_loop(loop);
    try {
      made.push(asyncio.wrap_future(Promise.resolve("oi")));
    } finally {
      asyncio.set_event_loop(null);
    }
    made.push(asyncio.wrap_future(Promise.resolve("oi"), { loop }));
    for (const wrapped of made) {
      assertEquals([asyncio.isfuture(wrapped), wrapped.get_loop() === loop], [true, true]);
      assertEquals(await loop.run_until_complete(wrapped), "oi");
    }
  }));

Deno.test("wrap_future: cancelled, it cancels the call that run_coroutine_threadsafe() has made", () =>
  with_loop(async (loop) => {
    const call = asyncio.run_coroutine_threadsafe(asyncio.sleep(10), loop);
    const wrapped = asyncio.wrap_future(call, { loop });
    await run_briefly(loop);
    wrapped.cancel();
    await run_briefly(loop);
    assertEquals([call.cancelled(), wrapped.cancelled()], [true, true]);
    await run_briefly(loop);
    assertEquals(asyncio.all_tasks(loop).size, 0);
  }));

Deno.test("wrap_future: cancelled when the call is done, it leaves the call its result", () =>
  with_loop(async (loop) => {
    const call = asyncio.run_coroutine_threadsafe(asyncio.sleep(0, 42), loop);
    const wrapped = asyncio.wrap_future(call, { loop });
    while (!call.done()) await run_briefly(loop);
    wrapped.cancel();
    await run_briefly(loop);
    assertEquals([call.cancelled(), await call], [false, 42]);
    assert(wrapped.done());
  }));

// run_coroutine_threadsafe

const add = asyncio.coroutine(async (a: number, b: number) => {
  await asyncio.sleep(0.05);
  return a + b;
});

Deno.test("run_coroutine_threadsafe: gives the result, the error or the cancellation of the coroutine", () =>
  with_loop(async (loop) => {
    const fails = asyncio.coroutine(async () => {
      await asyncio.sleep(0.05);
      throw new asyncio.RuntimeError("Fail!");
    });
    const cancels = asyncio.coroutine(async () => {
      await asyncio.sleep(0.05);
      asyncio.current_task(loop)?.cancel();
      await asyncio.sleep(0);
    });
    const calls = [add(1, 2), fails(), cancels()].map((coro) =>
      asyncio.run_coroutine_threadsafe<unknown>(coro, loop)
    );
    const outcomes = Promise.allSettled(calls);
    await loop.run_until_complete(asyncio.sleep(1));
    const [well, badly, stopped] = await outcomes;
    assertEquals(well, { status: "fulfilled", value: 3 });
    assert(badly?.status === "rejected" && badly.reason instanceof asyncio.RuntimeError);
    assert(stopped?.status === "rejected" && stopped.reason instanceof asyncio.CancelledError);
  }));

Deno.test("run_coroutine_threadsafe: an error of the task factory is the call's, and is reported", () =>
  with_loop(async (loop) => {
    const reports = record_reports(loop);
    const error = new ReferenceError("of the factory");
    loop.set_task_factory(() => {
      throw error;
    });
    const coroutine = add(1, 2);
    const call = asyncio.run_coroutine_threadsafe(coroutine, loop);
    const outcome = Promise.allSettled([call]);
    loop.call_soon(() => loop.call_soon(() => loop.stop()));
    await loop.run_forever();
    const [settled] = await outcome;
    assertStrictEquals((settled as PromiseRejectedResult).reason, error);
    assertEquals(reports.map(({ exception }) => exception), [error]);
    coroutine.close();
  }));

Deno.test("run_coroutine_threadsafe: cancelled, it cancels the task that was made for it", () =>
  with_loop(async (loop) => {
    const made: asyncio.Task<unknown>[] = [];
    loop.set_task_factory((loop, coro, options) => {
      const task = new asyncio.Task(coro, { ...options, loop });
      made.push(task);
      return task;
    });
    const box: { cancelled(): boolean }[] = [];
    await loop.run_until_complete(async () => {
      const call = asyncio.run_coroutine_threadsafe(asyncio.sleep(10), loop);
      box.push(call);
      await asyncio.sleep(0);
      call.cancel();
    });
    const sleeps = made.filter((task) => String(task).includes("sleep()"));
    await run_briefly(loop);
    assertEquals(sleeps.map((task) => task.cancelled()), [true]);
    assertEquals(box[0]!.cancelled(), true);
  }));
