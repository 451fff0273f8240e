/** Caches of calls that are awaited, and calls that share one run. */

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  cache,
  cached_property,
  type CachedFunction,
  lru_cache,
  single_flight,
} from "../functools.ts";
import * as asyncio from "../mod.ts";
import { CancelScope } from "../structured.ts";
import { VirtualClockEventLoop } from "../testing.ts";

function test(name: string, main: () => Promise<void>): void {
  Deno.test(name, () => asyncio.run(main, { loop_factory: () => new VirtualClockEventLoop() }));
}

/** A function that notes its calls and takes a second. */
function noting<A extends unknown[]>(): { fn: (...args: A) => Promise<number>; calls: A[] } {
  const calls: A[] = [];
  return {
    fn: async (...args: A) => await asyncio.sleep(1, calls.push(args)),
    calls,
  };
}

test("lru_cache: keeps the results that were used last", async () => {
  const { fn, calls } = noting<[string]>();
  const cached = lru_cache({ maxsize: 2 })(fn);
  assertEquals(await cached("a"), 1);
  assertEquals(await cached("b"), 2);
  assertEquals(await cached("a"), 1);
  assertEquals(await cached("c"), 3); // in the place of "b"
  assertEquals(await cached("a"), 1);
  assertEquals(await cached("b"), 4);
  assertEquals(calls.length, 4);
  assertEquals(cached.cache_info(), { hits: 2, misses: 4, maxsize: 2, currsize: 2 });
});

test("lru_cache: without options keeps 128 results, null keeps all, 0 none", async () => {
  const { fn } = noting<[number]>();
  const info = async (cached: ReturnType<typeof lru_cache<[number], number>>) => {
    for (let n = 0; n < 130; n++) await cached(n);
    await cached(129);
    return cached.cache_info();
  };
  assertEquals(await info(lru_cache(fn)), { hits: 1, misses: 130, maxsize: 128, currsize: 128 });
  for (const decorator of [lru_cache(), lru_cache({})]) {
    assertEquals(decorator(fn).cache_parameters(), { maxsize: 128, typed: true });
  }
  for (const cached of [lru_cache(null)(fn), lru_cache({ maxsize: null })(fn), cache(fn)]) {
    assertEquals(await info(cached), { hits: 1, misses: 130, maxsize: null, currsize: 130 });
  }
  for (const size of [0, -5]) {
    assertEquals(await info(lru_cache(size)(fn)), {
      hits: 0,
      misses: 131,
      maxsize: 0,
      currsize: 0,
    });
  }
});

test("lru_cache: which arguments are equal", async () => {
  const { fn, calls } = noting<unknown[]>();
  const cached = cache(fn);
  const [object, when, symbol] = [new Map(), new Date(5), Symbol("a")];
  const different: unknown[][] = [
    [],
    [undefined],
    [null],
    [1],
    ["1"],
    [1n],
    [true],
    [1, 2],
    ["1,2"],
    [[1, 2]],
    [[1], 2],
    [["1,2"]],
    [NaN],
    [{}],
    [{ a: 1 }],
    [{ a: 1, b: [2] }],
    [object],
    [new Map()],
    [when],
    [symbol],
    [Symbol("a")],
    [fn],
  ];
  for (const args of different) await cached(...args);
  assertEquals(calls.length, different.length);
  const again: unknown[][] = [
    [-0 + 1],
    [[1, 2]],
    [{ b: [2], a: 1 }],
    [object],
    [new Date(5)],
    [symbol],
    [NaN],
    [fn],
  ];
  for (const args of again) await cached(...args);
  assertEquals(calls.length, different.length);
});

test("lru_cache: calls are lazy, and a hit does not wait", async () => {
  const { fn, calls } = noting<[string]>();
  const cached = lru_cache(fn);
  const call = cached("a");
  assert(asyncio.iscoroutine(call) && asyncio.iscoroutinefunction(cached));
  await asyncio.sleep(5);
  assertEquals(calls, []);
  await call;
  const other = asyncio.create_task(asyncio.sleep(0));
  await cached("a");
  assert(!other.done());
});

test("lru_cache: an error or a cancellation is not kept", async () => {
  let calls = 0;
  const cached = lru_cache(async (fails: boolean) => {
    calls++;
    await asyncio.sleep(1);
    if (fails) throw new TypeError("no");
    return calls;
  });
  for (let n = 0; n < 2; n++) await assertRejects(async () => await cached(true), TypeError);
  const task = asyncio.create_task(cached(false));
  await asyncio.sleep(0.5);
  task.cancel();
  await asyncio.wait([task]);
  assertEquals(cached.cache_info().currsize, 0);
  assertEquals(await cached(false), 4);
});

test("lru_cache: calls at the same time run each, and the first result is kept", async () => {
  const { fn, calls } = noting<[string]>();
  const cached = lru_cache(fn);
  assertEquals(await asyncio.gather(cached("a"), cached("a")), [1, 2]);
  assertEquals(await cached("a"), 1);
  assertEquals([calls.length, cached.cache_info().misses], [2, 2]);
});

test("lru_cache: cache_clear, cache_discard, __wrapped__", async () => {
  const { fn, calls } = noting<[string]>();
  const cached = lru_cache(fn);
  await asyncio.gather(cached("a"), cached("b"));
  cached.cache_discard("a");
  cached.cache_discard("never");
  assertEquals(cached.cache_info().currsize, 1);
  await cached("b");
  assertEquals(calls.length, 2);
  cached.cache_clear();
  assertEquals(cached.cache_info(), { hits: 0, misses: 0, maxsize: 128, currsize: 0 });
  assert(cached.__wrapped__ === fn);
});

test("lru_cache: decorates methods, of which each object has its own results", async () => {
  class Pages {
    loads = 0;
    constructor(readonly prefix: string) {}
    @lru_cache
    async load(name: string) {
      await asyncio.sleep(1);
      this.loads++;
      return this.prefix + name;
    }
    @lru_cache({ maxsize: 1 })
    async latest(name: string) {
      return await asyncio.sleep(1, this.prefix + name);
    }
  }
  const [one, two] = [new Pages("one "), new Pages("two ")];
  assertEquals(await one.load("a"), "one a");
  assertEquals(await two.load("a"), "two a");
  assertEquals(await one.load("a"), "one a");
  assertEquals([one.loads, two.loads], [1, 1]);
  assertEquals(one.load.name, "load");
  const load = one.load as unknown as CachedFunction<[string], string>;
  load.cache_discard.call(one, "a");
  assertEquals([await one.load("a"), await two.load("a")], ["one a", "two a"]);
  assertEquals([one.loads, two.loads], [2, 1]);
  assertEquals(await asyncio.create_task(one.latest("b") as asyncio.Coroutine<string>), "one b");
});

test("lru_cache: refuses what is no function and no size", async () => {
  assertThrows(() => lru_cache("a" as never), TypeError, "maxsize must be an integer or null");
  assertThrows(() => lru_cache(1.5), TypeError, "received 1.5");
  assertThrows(
    () => lru_cache({ max_size: 1 } as never),
    TypeError,
    "unexpected option 'max_size'",
  );
  assertThrows(() => lru_cache(2)(1 as never), TypeError, "it must be a function: received 1");
  assertThrows(() => single_flight(1 as never), TypeError, "it must be a function: received 1");
  assertThrows(
    () => cached_property((() => {}) as never, { kind: "method" } as never),
    TypeError,
    "decorates a getter",
  );
  await assertRejects(async () => await lru_cache((() => 1) as never)(), TypeError);
});

test("single_flight: calls at the same time share a run, later ones do not", async () => {
  const { fn, calls } = noting<[string]>();
  const shared = single_flight(fn);
  assertEquals(await asyncio.gather(shared("a"), shared("a"), shared("b")), [1, 1, 2]);
  assertEquals(await shared("a"), 3);
  assertEquals(calls, [["a"], ["b"], ["a"]]);
});

test("single_flight: a caller that is cancelled leaves the run to the others", async () => {
  const { fn, calls } = noting<[]>();
  const shared = single_flight(fn);
  const [first, second] = [asyncio.create_task(shared()), asyncio.create_task(shared())];
  await asyncio.sleep(0.5);
  first.cancel();
  await asyncio.wait([first]);
  assert(first.cancelled());
  assertEquals(await second, 1);
  assertEquals([calls.length, asyncio.get_running_loop().time()], [1, 1]);
});

test("single_flight: when all callers are cancelled the run is, and its end is waited for", async () => {
  const log: string[] = [];
  const shared = single_flight(async () => {
    try {
      await asyncio.sleep(60);
    } finally {
      await asyncio.sleep(1);
      log.push("ended");
    }
  });
  const tasks = [asyncio.create_task(shared()), asyncio.create_task(shared())];
  await asyncio.sleep(5);
  for (const task of tasks) task.cancel();
  await asyncio.sleep(0.5);
  // It is being cancelled: a new call does not join it.
  const late = asyncio.create_task(shared());
  tasks[1]?.cancel();
  await asyncio.wait(tasks);
  assertEquals([tasks.every((task) => task.cancelled()), log], [true, ["ended"]]);
  assert(!late.done());
  late.cancel();
  await asyncio.wait([late]);
  assertEquals(asyncio.all_tasks().size, 1);
});

test("single_flight: in a scope that cancels every wait, the end of the run is waited for", async () => {
  const log: string[] = [];
  const shared = single_flight(async () => {
    try {
      await asyncio.sleep(10);
    } finally {
      await asyncio.sleep(1).catch(() => log.push("clean-up cancelled"));
      log.push("ended");
    }
  });
  const scope = new CancelScope({ level: true, deadline: 2 });
  await asyncio.async_with(scope, () => shared());
  assertEquals([scope.cancelled_caught, log], [true, ["clean-up cancelled", "ended"]]);
});

test("single_flight: each caller gets the error of the run", async () => {
  const error = new TypeError("no");
  const shared = single_flight(async () => {
    await asyncio.sleep(1);
    throw error;
  });
  const both = await asyncio.gather(shared(), shared(), { return_exceptions: true });
  assert(both.every((found) => (found as unknown) === error));
});

test("single_flight: with lru_cache, a memo that survives the cancellation of a caller", async () => {
  const { fn, calls } = noting<[string]>();
  const memo = lru_cache(single_flight(fn));
  const first = asyncio.create_task(memo("a"));
  const second = asyncio.create_task(memo("a"));
  await asyncio.sleep(0.5);
  first.cancel();
  assertEquals([await second, await memo("a"), calls.length], [1, 1, 1]);
});

class Resource {
  loads = 0;
  fails = false;
  @cached_property
  get data(): Promise<string> {
    return this.#load();
  }
  @cached_property
  get #secret(): Promise<number> {
    return asyncio.sleep(1, ++this.loads);
  }
  async #load(): Promise<string> {
    this.loads++;
    await asyncio.sleep(1);
    if (this.fails) throw new TypeError("no");
    return `data ${this.loads}`;
  }
  reveal(): Promise<number> {
    return this.#secret;
  }
}

test("cached_property: is computed once for each object, when it is first awaited", async () => {
  const [one, two] = [new Resource(), new Resource()];
  const [data, again] = [one.data, one.data];
  await asyncio.sleep(5);
  assertEquals([one.loads, await data, await again], [0, "data 1", "data 1"]);
  assertEquals([await one.data, await one.data, one.loads], ["data 1", "data 1", 1]);
  assertEquals([await two.data, two.loads], ["data 1", 1]);
  assertEquals([await one.reveal(), await one.reveal()], [2, 2]);
});

test("cached_property: delete has it computed anew", async () => {
  const resource = new Resource();
  await resource.data;
  delete (resource as { data?: unknown }).data;
  assertEquals(await resource.data, "data 2");
});

test("cached_property: is shared at the same time, and survives the cancellation of one", async () => {
  const resource = new Resource();
  const [first, second] = [
    asyncio.create_task(resource.data as never),
    asyncio.create_task(
      async () => await resource.data,
    ),
  ];
  await asyncio.sleep(0.5);
  first.cancel();
  assertEquals([await second, resource.loads], ["data 1", 1]);
  await asyncio.wait([first]);
});

test("cached_property: an error is not kept", async () => {
  const resource = new Resource();
  resource.fails = true;
  await assertRejects(async () => await resource.data, TypeError);
  resource.fails = false;
  assertEquals(await resource.data, "data 2");
});
