/** Python's protocol of asynchronous generators. What is expected is what CPython 3.14 does. */

import { strict as assert } from "node:assert";
import * as asyncio from "../mod.ts";
import { alist } from "../itertools.ts";
import { VirtualClockEventLoop } from "../testing.ts";

const loop_factory = () => new VirtualClockEventLoop();

function test(name: string, main: () => Promise<void>): void {
  Deno.test(name, () => asyncio.run(main, { loop_factory }));
}

/** What an awaitable comes to: its value, or its error as Python shows it. */
async function outcome(awaitable: PromiseLike<unknown>): Promise<unknown> {
  try {
    return await awaitable;
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return error.message === "" ? error.name : `${error.name}: ${error.message}`;
  }
}

const log: unknown[] = [];

function logged(): unknown[] {
  return log.splice(0);
}

const pair = asyncio.async_generator(async function* pair(): AsyncGenerator<number, void, number> {
  try {
    log.push(yield 1);
    log.push(yield 2);
  } finally {
    log.push("finally");
  }
});

const slow = asyncio.async_generator(async function* slow() {
  try {
    await asyncio.sleep(1);
    yield 1;
    await asyncio.sleep(1);
    yield 2;
  } finally {
    log.push("finally");
  }
});

const stubborn = asyncio.async_generator(async function* stubborn() {
  try {
    yield 1;
  } finally {
    yield 2;
  }
});

test("AsyncGeneratorObject.asend: gives a value to the yield and returns the next one", async () => {
  const generator = pair();
  assert.equal(await generator.asend(null), 1);
  assert.equal(await generator.asend(5), 2);
  assert.equal(await outcome(generator.asend(6)), "StopAsyncIteration");
  assert.deepEqual(logged(), [5, 6, "finally"]);
});

test("AsyncGeneratorObject: finished, asend() throws StopAsyncIteration, athrow() and aclose() do nothing", async () => {
  const generator = pair();
  await alist(generator);
  assert.equal(await outcome(generator.asend(7)), "StopAsyncIteration");
  assert.equal(await outcome(generator.__anext__()), "StopAsyncIteration");
  assert.equal(await generator.athrow(new Error("lost")), null);
  assert.equal(await generator.aclose(), undefined);
  logged();
});

test("AsyncGeneratorObject.asend: takes no value before the generator has started", async () => {
  const generator = pair();
  const refused = "TypeError: can't send non-None value to a just-started async generator";
  assert.equal(await outcome(generator.asend(5)), refused);
  assert.equal(generator.ag_running, false);
  assert.equal(await generator.asend(), 1);
  await generator.aclose();
  logged();
});

test("AsyncGeneratorObject.athrow: throws at the yield and returns what is yielded next", async () => {
  const patient = asyncio.async_generator(async function* () {
    try {
      yield 1;
    } catch (error) {
      yield error;
    }
  });
  const generator = patient();
  await generator.asend();
  const error = new RangeError("x");
  assert.equal(await generator.athrow(error), error);
  assert.equal(await outcome(generator.athrow(asyncio.ValueError)), "ValueError");
  assert.equal(await outcome(generator.asend()), "StopAsyncIteration");
});

test("AsyncGeneratorObject.athrow: ends a generator that has not started", async () => {
  const generator = pair();
  assert.equal(await outcome(generator.athrow(new Error("x"))), "Error: x");
  assert.equal(await outcome(generator.asend()), "StopAsyncIteration");
  assert.deepEqual(logged(), []);
});

test("AsyncGeneratorObject.aclose: runs finally blocks, and nothing of a generator that has not started", async () => {
  await pair().aclose();
  assert.deepEqual(logged(), []);
  const generator = pair();
  await generator.asend();
  await generator.aclose();
  assert.deepEqual(logged(), ["finally"]);
  assert.equal(await outcome(generator.asend()), "StopAsyncIteration");
});

test("AsyncGeneratorObject.aclose: throws if the generator yields, once", async () => {
  const generator = stubborn();
  await generator.asend();
  const ignored = "RuntimeError: async generator ignored GeneratorExit";
  assert.equal(await outcome(generator.aclose()), ignored);
  assert.equal(await outcome(generator.aclose()), "StopAsyncIteration");
  assert.equal(await outcome(generator.athrow(new Error("x"))), "StopAsyncIteration");
  assert.equal(await outcome(generator.asend()), "StopAsyncIteration");
  assert.equal(await generator.aclose(), undefined);
});

test("AsyncGeneratorObject.asend: a StopAsyncIteration of the body becomes a RuntimeError", async () => {
  const cause = new asyncio.StopAsyncIteration("mine");
  const wrong = asyncio.async_generator(async function* () {
    yield 1;
    throw cause;
  });
  const raised = { name: "RuntimeError", message: "async generator raised StopAsyncIteration" };
  const generator = wrong();
  await generator.asend();
  await assert.rejects(async () => await generator.asend(), { ...raised, cause });
  const other = wrong();
  await other.asend();
  await assert.rejects(async () => await other.athrow(cause), { ...raised, cause });
});

test("AsyncGeneratorObject: refuses every other use while it is in use", async () => {
  const generator = slow();
  const task = asyncio.create_task(generator.asend());
  await asyncio.sleep(0);
  assert.equal(generator.ag_running, true);
  const running = "asynchronous generator is already running";
  assert.equal(await outcome(generator.asend()), `RuntimeError: anext(): ${running}`);
  assert.equal(await outcome(generator.next()), `RuntimeError: anext(): ${running}`);
  assert.equal(await outcome(generator.athrow(new Error())), `RuntimeError: athrow(): ${running}`);
  assert.equal(await outcome(generator.aclose()), `RuntimeError: aclose(): ${running}`);
  assert.equal(await task, 1);
  assert.equal(generator.ag_running, false);
  await generator.aclose();
  logged();
});

test("AsyncGeneratorObject.asend, aclose: do nothing until they are awaited, which they can be once", async () => {
  const generator = pair();
  const late = generator.asend(5);
  const first = generator.asend();
  assert.equal(await first, 1);
  assert.equal(await late, 2);
  const reused = (what: string) => `RuntimeError: cannot reuse already awaited ${what}`;
  assert.equal(await outcome(late), reused("__anext__()/asend()"));
  const close = generator.aclose();
  await close;
  assert.equal(await outcome(close), reused("aclose()/athrow()"));
  assert.deepEqual(logged(), [5, "finally"]);
});

test("AsyncGeneratorObject.asend: the body runs in the task and the context of the caller", async () => {
  const variable = new asyncio.ContextVar<string>("who");
  const observe = asyncio.async_generator(async function* () {
    for (;;) {
      await asyncio.sleep(0);
      yield `${asyncio.current_task()?.get_name()} ${variable.get()}`;
    }
  });
  const generator = observe();
  const ask = (name: string) =>
    asyncio.create_task(async () => {
      variable.set(name.toUpperCase());
      return await generator.asend();
    }, { name });
  assert.equal(await ask("a"), "a A");
  assert.equal(await ask("b"), "b B");
  variable.set("X");
  assert.equal(await asyncio.create_task(generator.asend(), { name: "direct" }), "direct X");
  await generator.aclose();
});

test("AsyncGeneratorObject.asend: a cancellation is thrown into the generator where it waits", async () => {
  const generator = slow();
  const task = asyncio.create_task(async () => await generator.asend());
  await asyncio.sleep(0.5);
  task.cancel("why");
  await assert.rejects(async () => await task, { name: "CancelledError", message: "why" });
  assert.deepEqual(logged(), ["finally"]);
  assert.equal(await outcome(generator.asend()), "StopAsyncIteration");
});

test("AsyncGeneratorObject.__anext__: is cancelled by wait_for()", async () => {
  const generator = slow();
  assert.equal(
    await outcome(asyncio.wait_for(generator.__anext__(), 0.5)),
    "TimeoutError: timed out after 0.5 s, waiting for sleep()",
  );
  assert.deepEqual(logged(), ["finally"]);
});

test("AsyncGeneratorObject.next: does not go through the loop if it need not wait", async () => {
  const order: unknown[] = [];
  asyncio.get_running_loop().call_soon(() => order.push("callback"));
  for await (const value of pair()) order.push(value);
  assert.deepEqual(order, [1, 2]);
  logged();
});

test("AsyncGeneratorObject.return: for await calls it when it is left", async () => {
  for await (const value of pair()) {
    assert.equal(value, 1);
    break;
  }
  assert.deepEqual(logged(), ["finally"]);
});

test("AsyncGeneratorObject.next, return, throw: work as those of a native generator", async () => {
  const generator = pair();
  assert.deepEqual(await generator.next(), { done: false, value: 1 });
  assert.deepEqual(await generator.return(), { done: true, value: undefined });
  assert.deepEqual(await generator.next(), { done: true, value: undefined });
  assert.equal(await outcome(generator.throw(new Error("x"))), "Error: x");
  assert.deepEqual(logged(), ["finally"]);
});

test("AsyncGeneratorObject.asend: can be awaited by yield*", async () => {
  const main = asyncio.coroutine(function* () {
    const generator = slow();
    const values = [yield* generator.asend(), yield* asyncio.anext(generator)];
    yield* generator.aclose();
    return values;
  });
  assert.deepEqual(await asyncio.create_task(main()), [1, 2]);
  assert.deepEqual(logged(), ["finally"]);
});

test("AsyncGeneratorObject: await using closes it", async () => {
  {
    await using generator = pair();
    await generator.asend();
  }
  assert.deepEqual(logged(), ["finally"]);
});

Deno.test("run: closes async generators that are not finished, and reports their errors", async () => {
  const reports: asyncio.ExceptionContext[] = [];
  const kept: unknown[] = [];
  await asyncio.run(async () => {
    asyncio.get_running_loop().set_exception_handler((_, context) => reports.push(context));
    for (const generator of [pair(), stubborn(), slow()]) {
      kept.push(generator);
      await generator.asend();
    }
    await alist(pair());
    logged();
  }, { loop_factory });
  assert.deepEqual(logged(), ["finally", "finally"]);
  assert.deepEqual(reports.map(({ message, exception }) => [message, String(exception)]), [[
    "an error occurred during closing of asynchronous generator <async_generator object stubborn>",
    "RuntimeError: async generator ignored GeneratorExit",
  ]]);
});

test("async_generator: keeps the name, the parameters and `this`; toString() shows the name", async () => {
  const maker = {
    step: 2,
    count: asyncio.async_generator(async function* (this: { step: number }, to: number) {
      for (let n = 0; n < to; n += this.step) yield n;
    }),
  };
  assert.deepEqual(await alist(maker.count(5)), [0, 2, 4]);
  assert.equal(maker.count.length, 1);
  assert.equal(String(pair()), "<async_generator object pair>");
  assert.equal(Deno.inspect(pair()), "<async_generator object pair>");
});

Deno.test("async_generator: refuses what is not a generator function", () => {
  assert.throws(() => asyncio.async_generator(5 as never), {
    name: "TypeError",
    message: "Cannot make a generator function: it must be an async function*: received 5",
  });
  const wrong = asyncio.async_generator((async () => {}) as never);
  assert.throws(() => wrong(), TypeError);
});

test("anext: returns the next value, or a default, or throws StopAsyncIteration", async () => {
  const generator = pair();
  assert.equal(await asyncio.anext(generator), 1);
  assert.equal(await asyncio.anext(generator, 9), 2);
  assert.equal(await asyncio.anext(generator, 9), 9);
  assert.equal(await asyncio.anext(generator, undefined), undefined);
  assert.equal(await outcome(asyncio.anext(generator)), "StopAsyncIteration");
  logged();
});

test("aiter, anext: refuse what is not asynchronous", async () => {
  assert.throws(() => asyncio.aiter([1] as never), {
    message: "'Array' object is not an async iterable",
  });
  assert.throws(() => asyncio.anext([1].values() as never), TypeError);
  assert.throws(() => asyncio.anext([1] as never), {
    message: "'Array' object is not an async iterator",
  });
  assert.throws(() => asyncio.aiter(null as never), TypeError);
  const generator = pair();
  assert.equal(asyncio.aiter(generator), generator);
  await generator.aclose();
});

test("aclosing: closes at the end of a block, with its error or without", async () => {
  const error = new Error("block");
  const block = asyncio.async_with(asyncio.aclosing(pair()), async (generator) => {
    await generator.asend();
    throw error;
  });
  await assert.rejects(async () => await block, error);
  assert.deepEqual(logged(), ["finally"]);
  async function* native() {
    try {
      yield 1;
    } finally {
      log.push("native");
    }
  }
  {
    await using closing = asyncio.aclosing(native());
    await closing.thing.next();
  }
  assert.deepEqual(logged(), ["native"]);
  assert.throws(() => asyncio.aclosing({} as never), TypeError);
});

test("closing: closes at the end of a block", async () => {
  const thing = { close: () => log.push("closed") };
  await asyncio.async_with(asyncio.closing(thing), async (given) => {
    assert.equal(given, thing);
    await asyncio.sleep(0);
  });
  {
    using closing = asyncio.closing(thing);
    assert.equal(closing.thing, thing);
  }
  assert.deepEqual(logged(), ["closed", "closed"]);
  assert.throws(() => asyncio.closing({} as never), TypeError);
});

test("anext, asend: can be awaited once, with CPython's text, also while they are awaited", async () => {
  const reused = "RuntimeError: cannot reuse already awaited __anext__()/asend()";
  for (
    const use of [
      asyncio.anext(pair()),
      asyncio.anext(pair(), 9),
      pair().asend(),
      pair().__anext__(),
    ]
  ) {
    assert.equal(await use, 1);
    for (let i = 0; i < 2; i++) assert.equal(await outcome(use), reused);
  }
  const failing = asyncio.async_generator(
    async function* (): AsyncGenerator<number, void, undefined> {
      yield await Promise.reject(new RangeError("x"));
    },
  )().asend();
  assert.equal(await outcome(failing), "RangeError: x");
  assert.equal(await outcome(failing), reused);
  const generator = slow();
  for (const use of [generator.asend(), asyncio.anext(generator), asyncio.anext(generator, 9)]) {
    const task = asyncio.create_task(async () => await use);
    await asyncio.sleep(0);
    assert.equal(await outcome(use), reused);
    await task;
  }
  await generator.aclose();
  logged();
});

test("anext: of a generator in use is refused, and refused again as already awaited", async () => {
  const generator = slow();
  const task = asyncio.create_task(asyncio.anext(generator));
  await asyncio.sleep(0);
  for (const use of [asyncio.anext(generator), asyncio.anext(generator, 9)]) {
    assert.equal(
      await outcome(use),
      "RuntimeError: anext(): asynchronous generator is already running",
    );
    assert.equal(
      await outcome(use),
      "RuntimeError: cannot reuse already awaited __anext__()/asend()",
    );
  }
  assert.equal(await task, 1);
  await generator.aclose();
  logged();
});

test("anext: a result of next() that is not an object is a TypeError, as in for await", async () => {
  for (const wrong of ["no result", null, undefined]) {
    const iterator = { next: () => Promise.resolve(wrong) } as never;
    const text = `Iterator result ${
      wrong === "no result" ? "'no result'" : wrong
    } is not an object`;
    assert.equal(await outcome(asyncio.anext(iterator)), `TypeError: ${text}`);
    assert.equal(await outcome(asyncio.anext(iterator, 9)), `TypeError: ${text}`);
  }
});

test("aiter: refuses an iterable whose iterator is none", () => {
  const iterable = { [Symbol.asyncIterator]: () => 5 };
  assert.throws(() => asyncio.aiter(iterable as never), {
    name: "TypeError",
    message: "aiter() returned not an async iterator of type 'number'",
  });
  return Promise.resolve();
});

test("AsyncGeneratorObject.athrow: throws null, and an instance of Error for the class", async () => {
  const generator = async_echo();
  await generator.asend();
  assert.equal(await generator.athrow(null), null);
  assert.ok(await generator.athrow(Error) instanceof Error);
  await generator.aclose();
});

const async_echo = asyncio.async_generator(async function* () {
  let caught: unknown;
  for (;;) {
    try {
      yield caught;
    } catch (error) {
      caught = error;
    }
  }
});

Deno.test("run: the report of an async generator that fails while it is closed has that generator", async () => {
  const reports: asyncio.ExceptionContext[] = [];
  const failing = asyncio.async_generator(async function* (thrown: unknown) {
    try {
      yield 1;
    } finally {
      // deno-lint-ignore no-unsafe-finally -- what is tested
      throw thrown;
    }
  });
  const generators = [failing(new RangeError("closing")), failing("text"), failing(null)];
  await asyncio.run(async () => {
    asyncio.get_running_loop().set_exception_handler((_, context) => reports.push(context));
    for (const generator of generators) await asyncio.anext(generator);
  }, { loop_factory });
  assert.deepEqual(reports.map(({ asyncgen }) => generators.indexOf(asyncgen as never)), [0, 1, 2]);
  assert.deepEqual(reports.map(({ exception }) => String(exception)), [
    "RangeError: closing",
    "text",
    "null",
  ]);
});
