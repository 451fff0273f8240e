/** Futures: their states, their callbacks, what `await`, `then` and `yield*` make of them, their repr. */

import { assert, assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import * as asyncio from "../mod.ts";
import { VirtualClockEventLoop } from "../testing.ts";
import { run_plain as run } from "./virtual_time.ts";

const future_of = <T>(value: T): asyncio.Future<T> => {
  const future = new asyncio.Future<T>();
  future.set_result(value);
  return future;
};

/** What the exception handler of the running loop is told from now on. */
function listen(): string[] {
  const told: string[] = [];
  asyncio.get_running_loop().set_exception_handler((_, { message, exception }) => {
    told.push(`${message}: ${exception}`);
  });
  return told;
}

Deno.test("a pending future is not done and has nothing to give", () =>
  run(() => {
    const future = new asyncio.Future<number>();
    assertEquals([future.done(), future.cancelled()], [false, false]);
    assertThrows(() => future.result(), asyncio.InvalidStateError, "Result is not set.");
    assertThrows(() => future.exception(), asyncio.InvalidStateError, "Exception is not set.");
  }));

Deno.test("a result is set once", () =>
  run(() => {
    const future = new asyncio.Future<number | undefined>();
    future.set_result(42);
    assertEquals([future.done(), future.cancelled()], [true, false]);
    assertEquals([future.result(), future.exception()], [42, null]);
    assertThrows(() => future.set_result(1), asyncio.InvalidStateError, "invalid state");
    assertThrows(() => future.set_exception(new Error()), asyncio.InvalidStateError);
    assertEquals(future.cancel(), false);
    assertEquals(future.result(), 42);
    assertEquals(future_of(undefined).result(), undefined);
  }));

Deno.test("an error that was set is thrown to everybody who asks, the very same one", () =>
  run(async () => {
    const future = new asyncio.Future<number>();
    const error = new RangeError("too far");
    future.set_exception(error);
    assertEquals([future.done(), future.cancelled()], [true, false]);
    assertStrictEquals(future.exception(), error);
    assertStrictEquals(assertThrows(() => future.result()), error);
    assertStrictEquals(await assertRejects(async () => await future), error);
    assertThrows(() => future.set_result(1), asyncio.InvalidStateError);
  }));

Deno.test("set_exception makes an error of a class, and keeps any other value as it is", () =>
  run(async () => {
    const future = new asyncio.Future<never>();
    future.set_exception(asyncio.QueueFull);
    assert(future.exception() instanceof asyncio.QueueFull);
    for (const thrown of ["text", 0, null, undefined]) {
      const odd = new asyncio.Future<never>();
      odd.set_exception(thrown);
      let caught: unknown = "nothing";
      try {
        await odd;
      } catch (error) {
        caught = error;
      }
      assertStrictEquals(caught, thrown);
      assertStrictEquals(odd.exception(), thrown);
    }
  }));

Deno.test("a cancelled future throws CancelledError with the message, each time", () =>
  run(async () => {
    const future = new asyncio.Future<number>();
    assertEquals(future.cancel("enough"), true);
    assertEquals([future.done(), future.cancelled()], [true, true]);
    assertEquals(future.cancel("more"), false);
    for (const ask of [() => future.result(), () => future.exception(), () => future.result()]) {
      const error = assertThrows(ask, asyncio.CancelledError, "enough");
      assertEquals(error.args, ["enough"]);
    }
    const error = await assertRejects(async () => await future, asyncio.CancelledError);
    assertEquals(error.args, ["enough"]);
    assertThrows(() => future.set_result(1), asyncio.InvalidStateError);
    assertThrows(() => future.set_exception(new Error()), asyncio.InvalidStateError);
  }));

Deno.test("a cancel message may be of any type, or missing", () =>
  run(() => {
    const args = (...message: [] | [unknown]) => {
      const future = new asyncio.Future<never>();
      future.cancel(...message);
      const error = assertThrows(() => future.result(), asyncio.CancelledError);
      return [error.args, error.message];
    };
    assertEquals(args(), [[], ""]);
    assertEquals(args(null), [[], ""]);
    assertEquals(args(5), [[5], "5"]);
    assertEquals(args(""), [[""], ""]);
    assertEquals(args(["a"]), [[["a"]], "a"]);
  }));

Deno.test("callbacks are called with the future, in order, in the loop's next round", () =>
  run(async () => {
    const future = new asyncio.Future<number>();
    const log: unknown[] = [];
    future.add_done_callback((done) => log.push("first", done === future));
    future.add_done_callback(() => log.push("second"));
    future.set_result(1);
    future.add_done_callback(() => log.push("late"));
    asyncio.get_running_loop().call_soon(() => log.push("soon"));
    log.push("here");
    await asyncio.sleep(0);
    assertEquals(log, ["here", "first", true, "second", "late", "soon"]);
  }));

Deno.test("callbacks come after those that cancel, too", () =>
  run(async () => {
    const future = new asyncio.Future<number>();
    const log: string[] = [];
    future.add_done_callback((done) => log.push(String(done.cancelled())));
    future.cancel();
    assertEquals(log, []);
    await asyncio.sleep(0);
    assertEquals(log, ["true"]);
  }));

Deno.test("remove_done_callback takes all of the same function away and counts them", () =>
  run(async () => {
    const future = new asyncio.Future<number>();
    const log: string[] = [];
    const a = () => log.push("a");
    const b = () => log.push("b");
    for (const callback of [a, b, a]) future.add_done_callback(callback);
    assertEquals(future.remove_done_callback(a), 2);
    assertEquals(future.remove_done_callback(a), 0);
    future.set_result(1);
    // What is scheduled already stays.
    assertEquals(future.remove_done_callback(b), 0);
    await asyncio.sleep(0);
    assertEquals(log, ["b"]);
  }));

for (const removed of [[0], [0, 1], [2], [1], [0, 1, 2]]) {
  Deno.test(`Future.remove_done_callback: of three, without ${removed}, the others are called`, () =>
    run(async () => {
      const future = asyncio.get_running_loop().create_future<string>();
      const log: number[] = [];
      const callbacks = [0, 1, 2].map((number) => () => log.push(number));
      for (const callback of callbacks) future.add_done_callback(callback);
      for (const number of removed) {
        assertEquals(future.remove_done_callback(callbacks[number]!), 1);
        assertEquals(future.remove_done_callback(callbacks[number]!), 0);
      }
      future.set_result("done");
      await asyncio.sleep(0);
      assertEquals(log, [0, 1, 2].filter((number) => !removed.includes(number)));
    }));
}

Deno.test("Future.remove_done_callback: of many, with awaits and others among them, the rest are called in order", () =>
  run(async () => {
    const future = asyncio.get_running_loop().create_future<number>();
    const log: (number | string)[] = [];
    const callbacks = Array.from({ length: 60 }, (_, number) => () => log.push(number));
    const expected: (number | string)[] = [];
    const awaits: asyncio.Task<void>[] = [];
    const add = (number: number) => future.add_done_callback(callbacks[number]!);
    for (let number = 0; number < 40; number++) {
      add(number);
      if (number % 8 === 0) {
        awaits.push(asyncio.create_task(async () => {
          await future;
          log.push(`await ${number}`);
        }));
        await asyncio.sleep(0);
      }
    }
    add(39);
    add(3);
    assertEquals(future.remove_done_callback(callbacks[3]!), 2);
    assertEquals(future.remove_done_callback(callbacks[39]!), 2);
    assertEquals(future.remove_done_callback(callbacks[41]!), 0);
    // A wait that is given up leaves, and those that come after the first search are found, too.
    await asyncio.wait([future], { timeout: 0 });
    for (let number = 40; number < 60; number++) add(number);
    add(3);
    for (let number = 0; number < 60; number++) {
      const times = number === 39 ? 0 : 1;
      if (number % 2 > 0) {
        assertEquals([number, future.remove_done_callback(callbacks[number]!)], [number, times]);
      } else expected.push(number);
    }
    assertEquals(future.remove_done_callback(undefined as never), 0);
    future.set_result(1);
    await asyncio.sleep(0);
    await asyncio.sleep(0);
    assertEquals(log.filter((entry) => typeof entry === "number"), expected);
    assertEquals(
      log.filter((entry) => typeof entry === "string"),
      ["await 0", "await 8", "await 16", "await 24", "await 32"],
    );
    await asyncio.gather(awaits);
  }));

Deno.test("Future.remove_done_callback: that of all of many leaves none", () =>
  run(async () => {
    const future = asyncio.get_running_loop().create_future<number>();
    let called = 0;
    const callback = () => called++;
    for (let count = 0; count < 40; count++) future.add_done_callback(callback);
    assertEquals(future.remove_done_callback(callback), 40);
    assertEquals(String(future), "<Future pending>");
    future.set_result(1);
    await asyncio.sleep(0);
    assertEquals(called, 0);
  }));

Deno.test("Future.remove_done_callback: inside a callback it comes too late for those that are scheduled", () =>
  run(async () => {
    const future = asyncio.get_running_loop().create_future<number>();
    const log: string[] = [];
    const other = () => log.push("other");
    future.add_done_callback(() => log.push(`removed ${future.remove_done_callback(other)}`));
    future.add_done_callback(other);
    future.add_done_callback(other);
    future.set_result(1);
    await asyncio.sleep(0);
    assertEquals(log, ["removed 0", "other", "other"]);
  }));

Deno.test("a callback that throws is reported and does not stop the others", () =>
  run(async () => {
    const told = listen();
    const future = new asyncio.Future<number>();
    const log: string[] = [];
    future.add_done_callback(function clumsy() {
      throw new Error("oops");
    });
    future.add_done_callback(() => log.push("next"));
    future.set_result(1);
    await asyncio.sleep(0);
    assertEquals(log, ["next"]);
    assertEquals(told, ["Exception in callback clumsy(): Error: oops"]);
  }));

Deno.test("a callback runs in the context in which it was added, or in the given one", () =>
  run(async () => {
    const variable = new asyncio.ContextVar("variable", { default: 0 });
    const given = asyncio.copy_context();
    given.run(() => variable.set(7));
    const future = new asyncio.Future<number>();
    const seen: number[] = [];
    const look = () => seen.push(variable.get());
    variable.set(1);
    future.add_done_callback(look);
    future.add_done_callback(look, { context: given });
    variable.set(2);
    future.set_result(0);
    future.add_done_callback(look);
    variable.set(3);
    await asyncio.sleep(0);
    assertEquals(seen, [1, 7, 2]);
  }));

Deno.test("wrong arguments are refused by name", () => {
  const loop = new VirtualClockEventLoop();
  const future = new asyncio.Future<number>({ loop });
  assertThrows(
    () => future.add_done_callback(3 as never),
    TypeError,
    "a callable object was expected by add_done_callback(), got 3",
  );
  assertThrows(() => future.add_done_callback(() => {}, { ctx: 1 } as never), TypeError, "'ctx'");
  assertThrows(() => new asyncio.Future({ lop: loop } as never), TypeError, "'lop'");
  assertThrows(() => new asyncio.Future(loop as never), TypeError, "options");
  assertThrows(() => asyncio.wrap_future(3 as never), TypeError);
  loop.close();
});

Deno.test("a future belongs to the given loop, else to the running one", async () => {
  const other = new VirtualClockEventLoop();
  await run(() => {
    const loop = asyncio.get_running_loop();
    assertStrictEquals(new asyncio.Future().get_loop(), loop);
    assertStrictEquals(loop.create_future().get_loop(), loop);
    assertStrictEquals(new asyncio.Future({ loop: other }).get_loop(), other);
  });
  other.close();
});

Deno.test("awaiting a future that is done does not let others run", () =>
  run(async () => {
    const log: string[] = [];
    asyncio.get_running_loop().call_soon(() => log.push("callback"));
    for (let i = 0; i < 100; i++) assertEquals(await future_of(i), i);
    assertEquals(log, []);
  }));

Deno.test("those who await a future go on in the order in which they came", () =>
  run(async () => {
    const future = new asyncio.Future<string>();
    const log: string[] = [];
    const wait = (name: string) => async () => log.push(`${name} ${await future}`);
    const tasks = ["a", "b", "c"].map((name) => asyncio.create_task(wait(name)));
    await asyncio.sleep(0);
    future.add_done_callback(() => log.push("callback"));
    future.set_result("ok");
    await asyncio.gather(tasks);
    assertEquals(log, ["a ok", "b ok", "c ok", "callback"]);
  }));

Deno.test("one task can await a future at several places at once", () =>
  run(async () => {
    const future = new asyncio.Future<number>();
    asyncio.get_running_loop().call_later(1, () => future.set_result(4));
    const twice = async () => (await future) * 2;
    assertEquals(await Promise.all([future, future, twice(), future.then((n) => n + 1)]), [
      4,
      4,
      8,
      5,
    ]);
  }));

Deno.test("then, catch and finally work as those of a promise", () =>
  run(async () => {
    const bad = () => {
      const future = new asyncio.Future<number>();
      future.set_exception(new Error("bad"));
      return future;
    };
    assertEquals(await future_of(1).then((n) => n + 1), 2);
    assertEquals(await future_of(1).then((n) => n + 1, () => 0), 2);
    assertEquals(await future_of(1).then(), 1);
    assertEquals(await future_of(1).then((n) => future_of(n + 5)), 6);
    assertEquals(await bad().then((n) => n, (error) => String(error)), "Error: bad");
    assertEquals(await bad().catch((error) => String(error)), "Error: bad");
    await assertRejects(() => bad().then((n) => n), Error, "bad");
    await assertRejects(async () => await bad().finally(() => {}), Error, "bad");
    assertEquals(await future_of(1).finally(() => 2), 1);
    assertEquals(await Promise.race([new asyncio.Future<number>(), future_of(3)]), 3);
    assertEquals((await Promise.allSettled([bad()]))[0].status, "rejected");
    await assertRejects(
      async () =>
        await future_of(1).then(() => {
          throw new Error("in then");
        }, null),
      Error,
      "in then",
    );
  }));

Deno.test("a value that is itself a promise is unwrapped by await, not by result()", () =>
  run(async () => {
    const inner = Promise.resolve("inner");
    const future = new asyncio.Future<Promise<string>>();
    future.set_result(inner);
    assertStrictEquals(future.result(), inner);
    assertEquals(await future, "inner");
  }));

Deno.test("yield* awaits a future in a generator", () =>
  run(async () => {
    const future = new asyncio.Future<number>();
    asyncio.get_running_loop().call_later(1, () => future.set_result(20));
    const sum = function* () {
      return (yield* future) + (yield* future_of(1));
    };
    assertEquals(await asyncio.create_task(sum), 21);
  }));

Deno.test("an iterator of a future gives the future itself, and must not be resumed too early", () =>
  run(() => {
    const future = new asyncio.Future<number>();
    const iterator = future[Symbol.iterator]();
    assertStrictEquals(iterator.next().value, future);
    assertThrows(() => iterator.next(), asyncio.RuntimeError, "await wasn't used with future");
    assertEquals(future_of(3)[Symbol.iterator]().next(), { done: true, value: 3 });
  }));

Deno.test("a future of another loop cannot be awaited", async () => {
  const other = new VirtualClockEventLoop();
  const foreign = new asyncio.Future<void>({ loop: other });
  await run(async () => {
    async function work() {
      await foreign;
    }
    const task = asyncio.create_task(work, { name: "T" });
    await assertRejects(
      async () => await task,
      asyncio.RuntimeError,
      "Task <Task pending name='T' coro=<work()> cb=[Task.task_wakeup()]> " +
        "got Future <Future pending> attached to a different loop",
    );
  });
  other.close();
});

Deno.test("an error that nobody looked at is reported at the latest when run() ends", async () => {
  let told: string[] = [];
  await run(async () => {
    told = listen();
    new asyncio.Future<void>().set_exception(new Error("lost"));
    await asyncio.sleep(1);
  });
  assertEquals(told, ["Future exception was never retrieved: Error: lost"]);
});

Deno.test("looking at an error in any way keeps it from being reported", async () => {
  let told: string[] = [];
  await run(async () => {
    told = listen();
    const looks: ((future: asyncio.Future<void>) => unknown)[] = [
      (future) => future.exception(),
      (future) => assertThrows(() => future.result()),
      (future) => assertRejects(async () => await future),
      (future) => future.catch(() => {}),
      (future) => future.cancel(),
      (future) => asyncio.gather(future, { return_exceptions: true }),
    ];
    for (const look of looks) {
      const future = new asyncio.Future<void>();
      future.set_exception(new Error("seen"));
      await look(future);
    }
  });
  assertEquals(told, []);
});

Deno.test("debug mode notes where a future was made, and its report tells", async () => {
  const traces: unknown[] = [];
  const loop = new VirtualClockEventLoop();
  loop.set_exception_handler((_, context) => traces.push(context.source_traceback));
  const main = async () => {
    new asyncio.Future<void>().set_exception(new Error("lost"));
    await asyncio.sleep(0);
  };
  await asyncio.run(main, { debug: true, loop_factory: () => loop });
  assertEquals(traces.length, 1);
  assert(String(traces[0]).includes("futures_test.ts"), String(traces[0]));
});

Deno.test("repr shows the state and the callbacks as CPython does", () =>
  run(() => {
    function first() {}
    function second() {}
    function third() {}
    const future = new asyncio.Future<unknown>();
    const shown = () => String(future);
    assertEquals(shown(), "<Future pending>");
    future.add_done_callback(first);
    assertEquals(shown(), "<Future pending cb=[first()]>");
    future.add_done_callback(second);
    assertEquals(shown(), "<Future pending cb=[first(), second()]>");
    future.add_done_callback(third);
    assertEquals(shown(), "<Future pending cb=[first(), <1 more>, third()]>");
    future.set_result([1, "a", null]);
    assertEquals(shown(), "<Future finished result=[1, 'a', null]>");
    assertEquals(`${Deno.inspect(future)}`, shown());
  }));

Deno.test("repr shortens a long result and ends in cycles", () =>
  run(() => {
    assertEquals(
      String(future_of("x".repeat(100))),
      "<Future finished result='xxxxxxxxxxxx...xxxxxxxxxxxxx'>",
    );
    const [a, b] = [new asyncio.Future<unknown>(), new asyncio.Future<unknown>()];
    a.set_result(b);
    b.set_result(a);
    assertEquals(String(a), "<Future finished result=<Future finished result=...>>");
    const failed = new asyncio.Future<never>();
    failed.set_exception(new asyncio.ValueError("x"));
    assertEquals(String(failed), "<Future finished exception=ValueError('x')>");
    failed.exception();
    const cancelled = new asyncio.Future<never>();
    cancelled.cancel("m");
    assertEquals(String(cancelled), "<Future cancelled>");
    class Mine<T> extends asyncio.Future<T> {}
    assertEquals(String(new Mine()), "<Mine pending>");
  }));

Deno.test("isfuture tells futures and tasks from all else", () =>
  run(async () => {
    const task = asyncio.create_task(asyncio.sleep(0));
    assert(asyncio.isfuture(new asyncio.Future()) && asyncio.isfuture(task));
    for (const other of [Promise.resolve(), asyncio.sleep(0), null, { then() {} }, 3]) {
      assertEquals(asyncio.isfuture(other), false);
    }
    await task;
  }));

Deno.test("wrap_future takes a promise's outcome over", () =>
  run(async () => {
    const future = new asyncio.Future<number>();
    assertStrictEquals(asyncio.wrap_future(future), future);
    future.cancel();
    const wrapped = asyncio.wrap_future(Promise.resolve(5));
    assertEquals([asyncio.isfuture(wrapped), wrapped.done()], [true, false]);
    assertEquals([await wrapped, wrapped.result()], [5, 5]);
    await assertRejects(
      async () => await asyncio.wrap_future(Promise.reject(new Error("no"))),
      Error,
      "no",
    );
    const thenable = { then: (resolve: (value: string) => void) => resolve("thenable") };
    assertEquals(await asyncio.wrap_future(thenable as PromiseLike<string>), "thenable");
  }));

Deno.test("a wrapped promise that settles after its future was cancelled changes nothing", () =>
  run(async () => {
    const { promise, reject } = Promise.withResolvers<void>();
    const future = asyncio.wrap_future(promise);
    assertEquals(future.cancel("late"), true);
    reject(new Error("nobody sees this"));
    await promise.catch(() => {});
    assertEquals(future.cancelled(), true);
  }));
