import { assert, assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import * as asyncio from "../mod.ts";
import type * as work from "./workers/work.ts";

type Work = typeof work;

const file = import.meta.url.endsWith(".ts") ? "work.ts" : "work.mjs";
const WORK = new URL(`./workers/${file}`, import.meta.url);

function make_pool(options: asyncio.WorkerPoolOptions<Work> = {}) {
  return new asyncio.WorkerPoolExecutor<Work>(WORK, { max_workers: 1, ...options });
}

/** Runs a body in a task with a pool, which is shut down at its end and must then have nothing left. */
async function with_pool(
  options: asyncio.WorkerPoolOptions<Work>,
  body: (
    pool: asyncio.WorkerPoolExecutor<Work>,
    loop: asyncio.AbstractEventLoop,
  ) => Promise<void>,
): Promise<void> {
  const pool = make_pool(options);
  await asyncio.run(async () => {
    try {
      await body(pool, asyncio.get_running_loop());
    } finally {
      await pool.shutdown({ cancel_futures: true });
    }
  });
  assertEquals([pool.workers, pool.running, pool.queued], [0, 0, 0]);
}

/** The caller's side of a call of `gate` or `spin`. */
class Gate {
  readonly port: MessagePort;
  readonly started: Promise<void>;
  readonly #own: MessagePort;

  constructor() {
    const { port1, port2 } = new MessageChannel();
    this.port = asyncio.transfer(port2);
    this.#own = port1;
    this.started = new Promise((resolve) => port1.onmessage = () => resolve());
  }

  open(value: unknown): void {
    this.#own.postMessage(value);
  }

  [Symbol.dispose](): void {
    this.#own.close();
  }
}

Deno.test("WorkerPoolExecutor.submit: calls exports by name, with checked types", () =>
  with_pool({}, async (pool, loop) => {
    const sum: number = await loop.run_in_executor(pool, "add", 1, 2);
    const doubled: number = await loop.run_in_executor(pool, "double", 4);
    assertEquals([sum, doubled], [3, 8]);
    assertEquals(await pool.submit("add", 3, 4), 7);
    // @ts-expect-error: a string is no number
    assertEquals(await pool.submit("add", "a", 1), "a1");
    // @ts-expect-error: it is not exported
    const unknown = () => pool.submit("ad", 1, 2);
    await assertRejects(async () => await unknown(), TypeError, "received 'ad'");
    // @ts-expect-error: it is no function
    const constant = () => pool.submit("not_a_function");
    await assertRejects(async () => await constant(), TypeError, "exports no such function");
    const map = new Map([["a", [new Date(1), /x/g, 2n]]]);
    assertEquals(await pool.submit("echo", map), map);
  }));

Deno.test("WorkerPoolExecutor.submit: a function is refused, and what is no name", async () => {
  await using pool = make_pool();
  assertThrows(() => pool.submit((() => 1) as never), TypeError, "a function cannot be sent");
  assertThrows(() => pool.submit(5 as never), TypeError, "received 5");
  await asyncio.run(async () => {
    await asyncio.sleep(0);
    assertThrows(
      () => asyncio.get_running_loop().run_in_executor(pool as never, () => 1),
      TypeError,
      "a function cannot be sent",
    );
  });
});

Deno.test("WorkerPoolExecutor: what it is made with is checked", () => {
  const make = (module: unknown, options: object = {}) => () =>
    new asyncio.WorkerPoolExecutor(module as URL, options);
  assertThrows(make("./work.ts"), TypeError, "import.meta.url");
  assertThrows(make(WORK, { max_worker: 1 }), TypeError, "max_worker");
  assertThrows(make(WORK, { max_workers: 0 }), asyncio.ValueError, "max_workers");
  assertThrows(make(WORK, { max_workers: 1.5 }), TypeError, "max_workers");
  assertThrows(make(WORK, { max_tasks_per_child: 0 }), asyncio.ValueError, "max_tasks_per_child");
  assertThrows(make(WORK, { max_queued: -1 }), asyncio.ValueError, "max_queued");
  assertThrows(make(WORK, { initializer: () => {} }), TypeError, "initializer");
  const pool = new asyncio.WorkerPoolExecutor(WORK);
  assert(pool.max_workers >= 1);
  assert(/^<WorkerPoolExecutor '.*' workers=0\/\d+ running=0 queued=0>$/.test(String(pool)));
});

Deno.test("WorkerPoolExecutor: calls run at the same time, in up to max_workers workers", () =>
  with_pool({ max_workers: 2 }, async (pool) => {
    using first = new Gate();
    using second = new Gate();
    const calls = [pool.submit("gate", first.port), pool.submit("gate", second.port)];
    await Promise.all([first.started, second.started]);
    assertEquals([pool.workers, pool.running], [2, 2]);
    const third = pool.submit("add", 1, 1);
    assertEquals([pool.workers, pool.queued, third.done()], [2, 1, false]);
    second.open("b");
    assertEquals([await calls[1], await third], ["b", 2]);
    first.open("a");
    assertEquals(await calls[0], "a");
    assertEquals([pool.workers, pool.running], [2, 0]);
  }));

Deno.test("WorkerPoolExecutor: an idle worker is used again, and no other one started", () =>
  with_pool({ max_workers: 4 }, async (pool) => {
    const ids = new Set<string>();
    for (let n = 0; n < 5; n++) ids.add(await pool.submit("worker"));
    assertEquals([ids.size, pool.workers], [1, 1]);
  }));

Deno.test("WorkerPoolExecutor: max_tasks_per_child replaces a worker", () =>
  with_pool({ max_tasks_per_child: 2 }, async (pool) => {
    const ids: string[] = [];
    for (let n = 0; n < 5; n++) ids.push(await pool.submit("worker"));
    assertEquals([ids[0] === ids[1], ids[2] === ids[3], new Set(ids).size], [true, true, 3]);
    assert(pool.workers <= 1);
  }));

Deno.test("WorkerPoolExecutor: each worker calls the initializer first", () =>
  with_pool({
    initializer: "setup",
    initargs: ["a", { b: 1 }],
    max_tasks_per_child: 1,
  }, async (pool) => {
    for (let n = 0; n < 2; n++) {
      assertEquals(await pool.submit("initial_arguments"), ["a", { b: 1 }]);
    }
  }));

Deno.test("WorkerPoolExecutor: an initializer that fails breaks the call, with its error as cause", () =>
  with_pool({ initializer: "broken_setup" }, async (pool) => {
    for (let n = 0; n < 2; n++) {
      const error = await assertRejects(
        async () => await pool.submit("nothing"),
        asyncio.BrokenExecutor,
        "ValueError: no such model",
      );
      assert(error.cause instanceof asyncio.ValueError);
    }
  }));

Deno.test("BrokenExecutor: the module cannot be loaded", async () => {
  for (
    const [module, cause] of [
      [new URL("./workers/missing.ts", import.meta.url), Error],
      ["data:text/javascript,throw new RangeError('at load')", RangeError],
      ["data:text/javascript,const", Error],
    ] as const
  ) {
    await using pool = new asyncio.WorkerPoolExecutor(module, { max_workers: 2 });
    const calls = [pool.submit("a"), pool.submit("b"), pool.submit("c")];
    for (const call of calls) {
      const error = await assertRejects(async () => await call, asyncio.BrokenExecutor, "load");
      assert(error.cause instanceof cause, String(error.cause));
    }
  }
});

Deno.test("BrokenExecutor: a worker exits in a call; the pool goes on", () =>
  with_pool({}, async (pool) => {
    const broken = pool.submit("quit", 3);
    const waiting = pool.submit("add", 1, 2);
    const error = await assertRejects(async () => await broken, asyncio.BrokenExecutor, "quit()");
    assert(/its worker ended( with exit code 3)?$/.test(error.message), error.message);
    assertEquals(await waiting, 3);
  }));

for (const name of ["crash", "reject_unseen"] as const) {
  Deno.test(`BrokenExecutor: a worker ends by an error outside of a call: ${name}`, () =>
    with_pool({ max_workers: 2 }, async (pool) => {
      using gate = new Gate();
      const other = pool.submit("gate", gate.port);
      await gate.started;
      const error = await assertRejects(
        async () => await pool.submit(name),
        asyncio.BrokenExecutor,
      );
      assert(/crashed|unseen/.test(String(error.cause)), String(error.cause));
      gate.open("unharmed");
      assertEquals(await other, "unharmed");
      assertEquals(await pool.submit("add", 1, 2), 3);
    }));
}

Deno.test("WorkerPoolExecutor.submit: cancelling a running call ends its worker, which is replaced", () =>
  with_pool({}, async (pool, loop) => {
    const before = await pool.submit("worker");
    using gate = new Gate();
    const call = loop.run_in_executor(pool, "spin", gate.port);
    await gate.started;
    const next = pool.submit("worker");
    assertEquals(call.cancel(), true);
    await assertRejects(async () => await call, asyncio.CancelledError);
    assert(await next !== before);
    assertEquals(pool.workers, 1);
  }));

Deno.test("WorkerPoolExecutor.submit: a time limit ends a call that never gives control back", () =>
  with_pool({}, async (pool, loop) => {
    await pool.submit("nothing");
    using gate = new Gate();
    await assertRejects(
      async () => await asyncio.wait_for(loop.run_in_executor(pool, "spin", gate.port), 0.05),
      asyncio.TimeoutError,
    );
    assertEquals(await pool.submit("add", 1, 2), 3);
  }));

Deno.test("WorkerPoolExecutor.submit: a call that is cancelled while it waits never runs", () =>
  with_pool({}, async (pool) => {
    using gate = new Gate();
    const first = pool.submit("gate", gate.port);
    await gate.started;
    const calls = ["a", "b", "c"].map((value) => pool.submit("note", value));
    assertEquals([calls[1]?.cancel(), calls[1]?.cancelled(), pool.queued], [true, true, 2]);
    gate.open("go on");
    await first;
    await Promise.all([calls[0], calls[2]]);
    assertEquals(await pool.submit("notes"), ["a", "c"]);
  }));

Deno.test("WorkerPoolExecutor.submit: cancelling the only call while its worker starts", () =>
  with_pool({}, async (pool) => {
    assertEquals(pool.submit("add", 1, 2).cancel(), true);
    assertEquals(await pool.submit("add", 3, 4), 7);
    assertEquals(pool.workers, 1);
  }));

Deno.test("WorkerPoolExecutor: an argument that cannot be cloned is named", () =>
  with_pool({}, async (pool) => {
    const error = await assertRejects(
      async () => await pool.submit("add", 1, (() => 2) as never),
      TypeError,
      "Cannot call add() in a worker: argument 2 cannot be cloned: received ",
    );
    assert(error.cause !== undefined);
    assertEquals(await pool.submit("add", 1, 2), 3);
  }));

Deno.test("WorkerPoolExecutor: a result that cannot be cloned is a TypeError", () =>
  with_pool({}, async (pool) => {
    await assertRejects(
      async () => await pool.submit("make_function"),
      TypeError,
      "Cannot send the result of make_function() to its caller: it cannot be cloned",
    );
    await assertRejects(
      async () => await pool.submit("count_slowly", 1),
      TypeError,
      "stream() gives the items",
    );
    assertEquals(await pool.submit("add", 1, 2), 3);
  }));

/** What the call `fail(kind)` throws, which must be of a class. */
async function thrown_by<E>(
  pool: asyncio.WorkerPoolExecutor<Work>,
  kind: string,
  kind_of_error: new (...args: never[]) => E,
): Promise<E> {
  try {
    await pool.submit("fail", kind);
  } catch (error) {
    if (error instanceof kind_of_error) return error;
    throw error;
  }
  throw new Error("it throws nothing");
}

Deno.test("WorkerPoolExecutor: errors come back whole", () =>
  with_pool({}, async (pool) => {
    const parse = await thrown_by(pool, "parse", SyntaxError);
    assertEquals([parse.name, parse.message, { ...parse }], [
      "ParseError",
      "unexpected }",
      { line: 7 },
    ]);
    assert(parse.stack?.includes("fail"), parse.stack);

    const timeout = await thrown_by(pool, "timeout", asyncio.TimeoutError);
    assertEquals([timeout.name, String(timeout)], ["TimeoutError", "TimeoutError: too slow"]);

    const file = await thrown_by(pool, "file", asyncio.FileNotFoundError);
    assert(file instanceof asyncio.OSError);
    assert(!((file as Error) instanceof asyncio.PermissionError));
    assertEquals(
      [file.name, file.errno, file.message],
      ["FileNotFoundError", 2, "[Errno 2] No such file or directory: 'a.txt'"],
    );

    const group = await thrown_by(pool, "group", asyncio.ExceptionGroup);
    assert(group.exceptions[0] instanceof TypeError);
    assert(group.exceptions[1] instanceof asyncio.QueueFull);
    assertEquals(group.subgroup(TypeError)?.exceptions.length, 1);

    const aggregate = await thrown_by(pool, "aggregate", AggregateError);
    assert(!((aggregate as Error) instanceof asyncio.ExceptionGroup));
    assert(aggregate.errors[0] instanceof URIError);
    assertEquals([aggregate.message, aggregate.errors[1]], ["both", "two"]);

    const abort = await thrown_by(pool, "abort", DOMException);
    assertEquals([abort.name, abort.message, abort.code], ["AbortError", "stopped", 20]);

    const outer = await thrown_by(pool, "cause", Error) as Error & { code: number; self: unknown };
    assertEquals([outer.cause instanceof asyncio.LookupError, String(outer.cause)], [
      true,
      "LookupError: inner",
    ]);
    assertEquals([outer.code, "fn" in outer], [5, false]);
    assertStrictEquals(outer.self, outer);

    for (const [kind, thrown] of [["text", "only text"], ["function", "() => 1"]] as const) {
      const error = await pool.submit("fail", kind).catch((error) => error);
      assertEquals(String(error).replaceAll(" ", ""), thrown.replaceAll(" ", ""));
    }
  }));

Deno.test("WorkerPoolExecutor: a CancelledError of the export is that, and cancels nothing else", () =>
  with_pool({}, async (pool) => {
    const call = pool.submit("fail", "cancelled");
    const error = await assertRejects(async () => await call, asyncio.CancelledError, "why");
    assertEquals(error.args, ["why", 1]);
    assertEquals(call.cancelled(), false);
    assertEquals(await pool.submit("add", 1, 2), 3);
  }));

Deno.test("transfer: an argument and a result are moved", () =>
  with_pool({}, async (pool) => {
    const bytes = new Uint8Array(1_000_000).fill(1);
    assertEquals(await pool.submit("size", bytes), 1_000_000);
    assertEquals(bytes.length, 1_000_000);
    const back = await pool.submit("send_back", asyncio.transfer(bytes));
    assertEquals([bytes.length, back.length, back[999_999]], [0, 1_000_000, 1]);
    assertEquals(await pool.submit("size_left"), 0);
    const inner = new Uint8Array(5);
    const image = asyncio.transfer({ width: 5, inner }, [inner.buffer]);
    assertEquals(await pool.submit("echo", image), { width: 5, inner: new Uint8Array(5) });
    assertEquals(inner.length, 0);
  }));

Deno.test("transfer: what cannot be moved is refused", () => {
  assertThrows(() => asyncio.transfer(1 as never), TypeError, "received 1");
  assertThrows(() => asyncio.transfer({ a: 1 }), TypeError, "it is not transferable");
});

Deno.test("WorkerPoolExecutor: context variables have their values in the worker, in each call anew", () =>
  with_pool({}, async (pool, loop) => {
    const user = new asyncio.ContextVar<string>("user");
    const handler = new asyncio.ContextVar<() => void>("handler");
    assertEquals(await loop.run_in_executor(pool, "get_user"), "nobody");
    handler.set(() => {});
    const token = user.set("ada");
    assertEquals(await loop.run_in_executor(pool, "get_user"), "ada");
    assertEquals(await loop.run_in_executor(pool, "get_user_later"), "ada");
    user.reset(token);
    assertEquals(await loop.run_in_executor(pool, "get_user"), "nobody");
  }));

Deno.test("to_thread: a name is called in the default pool, with the context", async () => {
  const pool = make_pool();
  const user = new asyncio.ContextVar<string>("user");
  await asyncio.run(async () => {
    const loop = asyncio.get_running_loop();
    loop.set_default_executor(pool);
    const sum: number = await asyncio.to_thread<Work["add"]>("add", 1, 2);
    assertEquals(sum, 3);
    const doubled: number = await loop.run_in_executor<Work["double"]>(null, "double", 2);
    assertEquals(doubled, 4);
    user.set("grace");
    assertEquals(await asyncio.to_thread("get_user"), "grace");
    await assertRejects(async () => await asyncio.to_thread(() => 1), TypeError, "a function");
  });
  assertEquals(pool.workers, 0);
  assertThrows(() => pool.submit("add", 1, 2), asyncio.RuntimeError, "after shutdown");
});

Deno.test("to_thread: without a pool a name is refused, and a function runs here", async () => {
  await asyncio.run(async () => {
    assertEquals(await asyncio.to_thread(() => 1), 1);
    await assertRejects(
      async () => await asyncio.to_thread("add", 1, 2),
      TypeError,
      "set_default_executor() gives it a WorkerPoolExecutor",
    );
    assertThrows(
      () => asyncio.to_thread(1 as never),
      TypeError,
      "func must be a function: received 1",
    );
  });
});

Deno.test("run_in_executor: cancelling the future calls the promise's cancel()", async () => {
  await asyncio.run(async () => {
    let cancelled = 0;
    const executor: asyncio.ModuleExecutor<Work> = {
      submit: () => Object.assign(new Promise<never>(() => {}), { cancel: () => ++cancelled }),
      shutdown() {},
    };
    const future = asyncio.get_running_loop().run_in_executor(executor, "add", 1, 2);
    await asyncio.sleep(0);
    future.cancel();
    await asyncio.sleep(0);
    assertEquals([future.cancelled(), cancelled], [true, 1]);
  });
});

Deno.test("WorkerPoolExecutor.submit: max_queued limits the queue, and ready() waits for room", () =>
  with_pool({ max_queued: 1 }, async (pool) => {
    using gate = new Gate();
    const first = pool.submit("gate", gate.port);
    await gate.started;
    const second = pool.submit("note", 2);
    assertEquals([pool.full(), pool.queued], [true, 1]);
    assertThrows(() => pool.submit("note", 3), asyncio.QueueFull, "1 calls wait");
    const waiting = asyncio.create_task(pool.ready());
    const given_up = asyncio.create_task(pool.ready());
    await asyncio.sleep(0);
    given_up.cancel();
    assertEquals(waiting.done(), false);
    second.cancel();
    await waiting;
    assertEquals(pool.full(), false);
    const third = pool.submit("note", 3);
    gate.open("go on");
    await first;
    await third;
    await pool.ready();
    assertEquals(await pool.submit("notes"), [3]);
  }));

Deno.test("WorkerPoolExecutor.submit: producers that wait for room keep to the limit, and lose no call", () =>
  with_pool({ max_workers: 2, max_queued: 3 }, async (pool) => {
    let most = 0;
    const results: number[] = [];
    const produce = async (from: number) => {
      for (let n = from; n < from + 20; n++) {
        while (pool.full()) await pool.ready();
        const call = pool.submit("add", n, 0);
        call.add_done_callback((call) => results.push(call.result()));
        most = Math.max(most, pool.queued);
      }
    };
    await asyncio.gather(() => produce(0), () => produce(20), () => produce(40));
    await pool.shutdown();
    assertEquals(results.sort((a, b) => a - b), Array.from({ length: 60 }, (_, n) => n));
    assert(most <= 5, String(most));
  }));

Deno.test("WorkerPoolExecutor.shutdown: waits for the calls there are, and takes no more", () =>
  with_pool({}, async (pool) => {
    const calls = [pool.submit("add", 1, 1), pool.submit("add", 2, 2)];
    const ended = pool.shutdown();
    assertThrows(() => pool.submit("add", 3, 3), asyncio.RuntimeError, "after shutdown");
    await ended;
    assertEquals(calls.map((call) => call.result()), [2, 4]);
    assertEquals([pool.workers, String(pool).includes("shut down")], [0, true]);
    await pool.shutdown();
  }));

Deno.test("WorkerPoolExecutor.shutdown: cancel_futures cancels what waits, and lets the rest end", () =>
  with_pool({}, async (pool, loop) => {
    using gate = new Gate();
    const running = pool.submit("gate", gate.port);
    await gate.started;
    const waiting = pool.submit("add", 1, 1);
    const in_loop = loop.run_in_executor(pool, "add", 1, 1);
    const ended = pool.shutdown({ cancel_futures: true });
    assertEquals([running.done(), waiting.cancelled()], [false, true]);
    await assertRejects(async () => await in_loop, asyncio.CancelledError);
    assertEquals(in_loop.cancelled(), true);
    gate.open("done");
    await ended;
    assertEquals(running.result(), "done");
  }));

Deno.test("WorkerPoolExecutor.shutdown: without wait it returns at once", () =>
  with_pool({}, async (pool) => {
    const call = pool.submit("add", 1, 1);
    await pool.shutdown({ wait: false });
    assertEquals(call.done(), false);
    assertEquals(await call, 2);
    assertThrows(() => pool.shutdown({ now: true } as never), TypeError, "now");
  }));

Deno.test("WorkerPoolExecutor.terminate_workers: ends calls that never end", () =>
  with_pool({}, async (pool) => {
    using gate = new Gate();
    const running = pool.submit("spin", gate.port);
    await gate.started;
    const waiting = pool.submit("add", 1, 1);
    await pool.terminate_workers();
    await assertRejects(async () => await running, asyncio.BrokenExecutor, "terminated");
    assertEquals([waiting.cancelled(), pool.workers], [true, 0]);
  }));

Deno.test("WorkerPoolExecutor: `using` and `await using` shut it down", async () => {
  let call: asyncio.ConcurrentFuture<number>;
  let other: asyncio.WorkerPoolExecutor<Work>;
  {
    await using pool = make_pool();
    call = pool.submit("add", 1, 2);
    {
      using inner = make_pool();
      other = inner;
      other.submit("nothing");
    }
    assertThrows(() => other.submit("nothing"), asyncio.RuntimeError);
  }
  assertEquals(call.result(), 3);
  await other.shutdown();
  assertEquals(other.workers, 0);
});

Deno.test("WorkerPoolExecutor.map: results come in order, and items are taken as they are needed", () =>
  with_pool({ max_workers: 2 }, async (pool) => {
    let taken = 0;
    const numbers = function* () {
      for (let n = 0; n < 20; n++) {
        taken = n + 1;
        yield n;
      }
    };
    for (const chunksize of [1, 3, 50]) {
      const results: number[] = [];
      let ahead = 0;
      for await (const result of pool.map("double", numbers(), { chunksize, buffersize: 3 })) {
        results.push(result);
        ahead = Math.max(ahead, taken - results.length);
      }
      assertEquals(results, Array.from({ length: 20 }, (_, n) => n * 2));
      assert(ahead <= 3 * chunksize, `${ahead} ahead with chunks of ${chunksize}`);
    }
  }));

Deno.test("WorkerPoolExecutor.map: takes an AsyncIterable, and gives results before its next item", () =>
  with_pool({}, async (pool) => {
    const queue = new asyncio.Queue<number>();
    const results = pool.map("double", queue);
    queue.put_nowait(1);
    assertEquals(await results.next(), { done: false, value: 2 });
    queue.put_nowait(2);
    queue.put_nowait(3);
    queue.shutdown();
    assertEquals(await asyncio.wait_for(Array.fromAsync(results), 30), [4, 6]);
  }));

Deno.test("WorkerPoolExecutor.map: an error is thrown in its place, and the rest is cancelled", () =>
  with_pool({ max_workers: 2 }, async (pool) => {
    for (const chunksize of [1, 2, 10]) {
      const results: number[] = [];
      const read = async () => {
        for await (const result of pool.map("double", [1, 2, -3, 4, -5], { chunksize })) {
          results.push(result);
        }
      };
      await assertRejects(read, RangeError, "negative: -3");
      assertEquals(results, [2, 4]);
    }
    assertEquals(pool.queued, 0);
  }));

Deno.test("WorkerPoolExecutor.map: an error of the iterable comes after the results before it", () =>
  with_pool({}, async (pool) => {
    const sync = function* () {
      yield 1;
      yield 2;
      throw new EvalError("source");
    };
    const asynchronous = async function* () {
      yield* sync();
      await asyncio.sleep(0);
    };
    for (const source of [sync, asynchronous]) {
      for (const chunksize of [1, 5]) {
        const results: number[] = [];
        const read = async () => {
          for await (const result of pool.map("double", source(), { chunksize })) {
            results.push(result);
          }
        };
        await assertRejects(read, EvalError, "source");
        assertEquals(results, [2, 4]);
      }
    }
  }));

Deno.test("WorkerPoolExecutor.map: a break closes the iterable and cancels what is under way", () =>
  with_pool({}, async (pool) => {
    let closed = 0;
    const source = function* () {
      try {
        for (let n = 0;; n++) yield n;
      } finally {
        closed++;
      }
    };
    for await (const result of pool.map("double", source())) {
      if (result === 4) break;
    }
    assertEquals([closed, pool.queued], [1, 0]);
    assertEquals(await pool.submit("add", 1, 2), 3);
  }));

Deno.test("WorkerPoolExecutor.map: a task that is cancelled in it ends the running call", () =>
  with_pool({}, async (pool) => {
    using gate = new Gate();
    const task = asyncio.create_task(() => Array.fromAsync(pool.map("spin", [gate.port])));
    await gate.started;
    task.cancel();
    await assertRejects(async () => await task, asyncio.CancelledError);
    assertEquals(await pool.submit("add", 1, 2), 3);
  }));

Deno.test("WorkerPoolExecutor.map: a result that cannot be cloned, and transferred items", () =>
  with_pool({}, async (pool) => {
    await assertRejects(
      () => Array.fromAsync(pool.map("make_function", [1, 2] as never, { chunksize: 2 })),
      TypeError,
      "Cannot send the result of make_function()",
    );
    const items = [new Uint8Array(3), new Uint8Array(4)];
    const results = await Array.fromAsync(
      pool.map("send_back", items.map((item) => asyncio.transfer(item)), { chunksize: 2 }),
    );
    assertEquals([items.map((item) => item.length), results.map((result) => result.length)], [
      [0, 0],
      [3, 4],
    ]);
    assertThrows(() => pool.map("double", 5 as never), TypeError, "it is not iterable");
    assertThrows(() => pool.map("double", [], { size: 1 } as never), TypeError, "size");
  }));

Deno.test("WorkerPoolExecutor.stream: gives the items of generators and iterables", () =>
  with_pool({}, async (pool) => {
    const numbers: number[] = await Array.fromAsync(pool.stream("count", 0, 100));
    assertEquals(numbers, Array.from({ length: 100 }, (_, n) => n));
    assertEquals(await Array.fromAsync(pool.stream("echo", ["a", "b"])), ["a", "b"]);
    await assertRejects(
      () => Array.fromAsync(pool.stream("add", 1, 2)),
      TypeError,
      "it is not iterable",
    );
    const seen: number[] = [];
    const read = async () => {
      for await (const n of pool.stream("count_slowly", 50)) seen.push(n);
    };
    await assertRejects(read, RangeError, "no more");
    assertEquals(seen.length, 50);
  }));

Deno.test("WorkerPoolExecutor.stream: the worker waits for its caller, and a break closes the generator", () =>
  with_pool({}, async (pool) => {
    for await (const n of pool.stream("count_slowly", 1000)) {
      if (n === 3) break;
    }
    const made = await pool.submit("notes");
    assert(made.length < 40, `${made.length} items were made for 4`);
    for await (const n of pool.stream("count", 0, 1_000_000)) {
      if (n === 3) break;
    }
    assertEquals((await pool.submit("notes")).at(-1), "closed");
  }));

Deno.test("WorkerPoolExecutor.stream: cancelling the task ends the worker", () =>
  with_pool({}, async (pool) => {
    const seen = new asyncio.Queue<string>();
    const task = asyncio.create_task(async () => {
      for await (const item of pool.stream("endless")) seen.put_nowait(item);
    });
    assertEquals(await seen.get(), "first");
    task.cancel();
    await assertRejects(async () => await task, asyncio.CancelledError);
    assertEquals(await pool.submit("add", 1, 2), 3);
    assertEquals(pool.workers, 1);
  }));

/** Lets the host run for a turn. */
function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

Deno.test("WorkerPoolExecutor: with random cancellations each call settles once and nothing leaks", async () => {
  const steps = fc.array(
    fc.oneof(
      { weight: 5, arbitrary: fc.record({ do: fc.constant("add" as const) }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constant("spin" as const) }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constant("quit" as const) }) },
      { weight: 4, arbitrary: fc.record({ do: fc.constant("cancel" as const), at: fc.nat() }) },
      { weight: 3, arbitrary: fc.record({ do: fc.constant("turn" as const) }) },
    ),
    { maxLength: 40 },
  );
  await fc.assert(
    fc.asyncProperty(steps, fc.integer({ min: 1, max: 2 }), async (steps, max_workers) => {
      const pool = make_pool({ max_workers });
      const gates: Gate[] = [];
      const calls: {
        kind: string;
        future: asyncio.ConcurrentFuture<unknown>;
        settled: number;
        expected: unknown;
      }[] = [];
      const submit = <T>(kind: string, added: asyncio.ConcurrentFuture<T>, expected?: T) => {
        const future = added as unknown as asyncio.ConcurrentFuture<unknown>;
        const call = { kind, future, settled: 0, expected };
        future.add_done_callback(() => call.settled++);
        calls.push(call);
      };
      for (const [index, step] of steps.entries()) {
        if (step.do === "add") submit("add", pool.submit("add", index, 1), index + 1);
        else if (step.do === "quit") submit("quit", pool.submit("quit", 1));
        else if (step.do === "spin") {
          const gate = new Gate();
          gates.push(gate);
          submit("spin", pool.submit("spin", gate.port));
        } else if (step.do === "turn") await turn();
        else calls[step.at % calls.length]?.future.cancel();
        assert(pool.workers <= max_workers);
        assert(pool.running <= max_workers);
      }
      for (const { kind, future } of calls) if (kind === "spin") future.cancel();
      await pool.shutdown();
      for (const { kind, future, settled, expected } of calls) {
        assertEquals(settled, 1);
        if (future.cancelled()) continue;
        if (kind === "add") assertEquals(future.result(), expected);
        else assert(future.exception() instanceof asyncio.BrokenExecutor, kind);
      }
      assertEquals([pool.workers, pool.running, pool.queued], [0, 0, 0]);
      for (const gate of gates) gate[Symbol.dispose]();
    }),
    { numRuns: 12 },
  );
});
