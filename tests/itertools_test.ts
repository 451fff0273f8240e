/** The tools over iterables: what they give, how lazy they are, and that they close their sources. */

import { strict as assert } from "node:assert";
import { EventEmitter, on } from "node:events";
import * as asyncio from "../mod.ts";
import {
  aaccumulate,
  aall,
  aany,
  abatched,
  achain,
  acompress,
  acycle,
  adict,
  adropwhile,
  aenumerate,
  afilter,
  afilterfalse,
  agroupby,
  aislice,
  alist,
  amap,
  amax,
  amerge,
  amerge_sorted,
  amin,
  anlargest,
  ansmallest,
  apairwise,
  areduce,
  aset,
  asorted,
  astarmap,
  asum,
  atakewhile,
  atee,
  azip,
  azip_longest,
  borrow,
  scoped_iter,
  type ToolIterator,
} from "../itertools.ts";
import { CancelScope } from "../structured.ts";
import { VirtualClockEventLoop } from "../testing.ts";

const loop_factory = () => new VirtualClockEventLoop();

function test(name: string, main: () => Promise<void>): void {
  Deno.test(name, () => asyncio.run(main, { loop_factory }));
}

/** Fails to compile unless the two types are the same. */
function same_type<A, B>(
  _: (<X>() => X extends A ? 1 : 2) extends (<X>() => X extends B ? 1 : 2) ? true : never,
): void {}

const closed: string[] = [];

function closures(): string[] {
  return closed.splice(0);
}

/** Gives 0, 1, 2, … with a pause before each, and notes when it is closed before its end. */
async function* count(name: string, pause = 0, end = Infinity): AsyncGenerator<number, void, void> {
  let finished = false;
  try {
    for (let n = 0; n < end; n++) {
      await asyncio.sleep(pause);
      yield n;
    }
    finished = true;
  } finally {
    if (!finished) closed.push(name);
  }
}

async function rejects(awaitable: PromiseLike<unknown>, name: string, message = ""): Promise<void> {
  await assert.rejects(async () => await awaitable, { name, message });
}

test("alist, aset, adict: take synchronous and asynchronous iterables", async () => {
  assert.deepEqual(await alist(count("", 1, 3)), [0, 1, 2]);
  assert.deepEqual(await alist([1, Promise.resolve(2), asyncio.sleep(1, 3)]), [1, 2, 3]);
  assert.deepEqual(await aset("abab"), new Set("ab"));
  assert.deepEqual(
    await adict([["a", 1], ["b", 2], ["a", 3]]),
    new Map([["a", 3], ["b", 2]]),
  );
});

test("alist: returns a lazy coroutine", async () => {
  const coroutine = alist(count("", 1, 2));
  assert.equal(asyncio.iscoroutine(coroutine), true);
  assert.deepEqual(await asyncio.create_task(coroutine), [0, 1]);
  await rejects(
    asyncio.wait_for(alist(count("endless", 1)), 3.5),
    "TimeoutError",
    "timed out after 3.5 s, waiting for sleep()",
  );
  assert.deepEqual(closures(), ["endless"]);
});

test("amap: calls functions of both kinds, with an item of each source", async () => {
  assert.deepEqual(await alist(amap((n) => n * 2, [1, 2])), [2, 4]);
  const add = async (a: number, b: string) => await asyncio.sleep(1, a + b);
  assert.deepEqual(await alist(amap(add, count("left"), "ab")), ["0a", "1b"]);
  assert.deepEqual(closures(), ["left"]);
  assert.throws(() => amap(...[(n: number) => n] as unknown as [() => 1, []]), TypeError);
});

test("afilter: yields what a function, or truth, selects", async () => {
  assert.deepEqual(await alist(afilter((n) => n > 1, [1, 2, 3])), [2, 3]);
  assert.deepEqual(await alist(afilter((n) => asyncio.sleep(0, n > 1), [1, 2, 3])), [2, 3]);
  assert.deepEqual(await alist(afilter(null, [0, 1, "", "a", null])), [1, "a"]);
});

test("aenumerate: counts from start", async () => {
  assert.deepEqual(await alist(aenumerate("ab")), [[0, "a"], [1, "b"]]);
  assert.deepEqual(await alist(aenumerate("a", -3)), [[-3, "a"]]);
  assert.throws(() => aenumerate("a", 0.5), TypeError);
});

test("azip: ends with the first source and closes the others", async () => {
  const zipped = azip(count("a"), count("b", 0, 2), count("c"));
  assert.deepEqual(await alist(zipped), [[0, 0, 0], [1, 1, 1]]);
  assert.deepEqual(closures(), ["c", "a"]);
  assert.deepEqual(await alist(azip()), []);
});

test("azip: strict, its error names the source of another length", async () => {
  const strict = { strict: true };
  assert.deepEqual(await alist(azip("ab", [1, 2], strict)), [["a", 1], ["b", 2]]);
  const of = (...lengths: number[]) =>
    alist(azip(...lengths.map((length) => Array(length).fill(0)), strict));
  await rejects(of(2, 1), "ValueError", "zip() argument 2 is shorter than argument 1");
  await rejects(of(1, 2), "ValueError", "zip() argument 2 is longer than argument 1");
  await rejects(of(2, 2, 1), "ValueError", "zip() argument 3 is shorter than arguments 1-2");
  await rejects(of(1, 1, 2), "ValueError", "zip() argument 3 is longer than arguments 1-2");
});

test("achain: yields source after source, and closes those that it has not reached", async () => {
  const second = count("second");
  await second.next();
  const chain = achain(count("", 0, 2), second, count("not started"));
  assert.deepEqual(await alist(aislice(chain, 3)), [0, 1, 1]);
  assert.deepEqual(closures(), ["second"]);
  assert.deepEqual(await alist(achain()), []);
});

test("aislice: yields the items that Python's islice does", async () => {
  const letters = "abcdefg";
  const slice = async (...range: [number | null] | [number | null, number | null, number?]) =>
    (await alist(aislice(letters, ...range))).join("");
  assert.equal(await slice(2), "ab");
  assert.equal(await slice(0), "");
  assert.equal(await slice(null), letters);
  assert.equal(await slice(2, 4), "cd");
  assert.equal(await slice(2, null), "cdefg");
  assert.equal(await slice(0, null, 3), "adg");
  assert.equal(await slice(5, 3), "");
  assert.equal(await slice(1, 6, 2), "bdf");
  for (const range of [[-1], [0.5], [-1, 2], [0, 2, 0], [0, 2, -1]] as [number][]) {
    assert.throws(() => aislice(letters, ...range), asyncio.ValueError);
  }
});

test("aislice: takes no more items than it needs, and closes its source", async () => {
  const start = asyncio.get_running_loop().time();
  assert.deepEqual(await alist(aislice(count("a", 1), 2)), [0, 1]);
  assert.equal(asyncio.get_running_loop().time() - start, 2);
  assert.deepEqual(closures(), ["a"]);
});

test("atakewhile, adropwhile: part a source in two", async () => {
  const small = (n: number) => asyncio.sleep(0, n < 2);
  assert.deepEqual(await alist(atakewhile(small, count("a"))), [0, 1]);
  assert.deepEqual(closures(), ["a"]);
  assert.deepEqual(await alist(adropwhile(small, [1, 2, 1])), [2, 1]);
});

test("abatched: yields full arrays and a rest", async () => {
  assert.deepEqual(await alist(abatched("abcde", 2)), [["a", "b"], ["c", "d"], ["e"]]);
  const strict = abatched("abc", 2, { strict: true });
  assert.deepEqual(await asyncio.anext(strict), ["a", "b"]);
  await rejects(asyncio.anext(strict), "ValueError", "batched(): incomplete batch");
  assert.throws(() => abatched("a", 0), { message: "n must be at least one" });
});

test("apairwise: yields neighbours", async () => {
  assert.deepEqual(await alist(apairwise([1, 2, 3])), [[1, 2], [2, 3]]);
  assert.deepEqual(await alist(apairwise([1])), []);
  assert.deepEqual(await alist(apairwise([])), []);
});

test("aaccumulate, areduce: begin with their initial values", async () => {
  const times = (a: number, b: number) => asyncio.sleep(0, a * b);
  assert.deepEqual(await alist(aaccumulate([1, 2, 3])), [1, 3, 6]);
  assert.deepEqual(await alist(aaccumulate(["a", "b"])), ["a", "ab"]);
  assert.deepEqual(await alist(aaccumulate([1, 2], null, { initial: 10 })), [10, 11, 13]);
  assert.deepEqual(await alist(aaccumulate([1, 2], { initial: 10 })), [10, 11, 13]);
  assert.throws(() => aaccumulate([1], { start: 1 } as never), /unexpected option 'start'/);
  assert.deepEqual(await alist(aaccumulate([2, 3], times)), [2, 6]);
  assert.deepEqual(await alist(aaccumulate([], times, { initial: 7 })), [7]);
  assert.equal(await areduce(times, [2, 3, 4]), 24);
  assert.equal(await areduce(times, [], 5), 5);
  assert.equal(await areduce((_, n) => n, [1], undefined as undefined | number), 1);
  await rejects(
    areduce(times, []),
    "TypeError",
    "reduce() of empty iterable with no initial value",
  );
});

test("asum: adds as Python does", async () => {
  assert.equal(await asum([]), 0);
  assert.equal(await asum([1, 2], 10), 13);
  assert.equal(await asum(Array(10).fill(0.1)), 1);
  assert.equal(await asum([1e16, 1, -1e16]), 1);
  assert.equal(await asum([Infinity, 1]), Infinity);
  assert.equal(await asum([1n, 2n], 0n), 3n);
  await rejects(
    asum(["a"] as never),
    "TypeError",
    "unsupported operand types for +: 'number' and 'string'",
  );
});

test("amin, amax: return the first of equal items, by key, or a default", async () => {
  assert.equal(await amin([3, 1, 2]), 1);
  assert.equal(await amax(count("", 1, 4)), 3);
  const key = ([name]: readonly [string, number]) => asyncio.sleep(0, name);
  assert.deepEqual(await amin([["b", 1], ["a", 2], ["a", 3]] as const, { key }), ["a", 2]);
  assert.deepEqual(await amax([["b", 1], ["b", 2]] as const, { key }), ["b", 1]);
  assert.deepEqual(await amax([[2, 1], [10, 0], [10]]), [10, 0]);
  assert.equal(await amin([], { default: null }), null);
  assert.equal(await amin([], { default: undefined }), undefined);
  await rejects(amin([]), "ValueError", "min() iterable argument is empty");
  await rejects(amax([]), "ValueError", "max() iterable argument is empty");
  await rejects(
    amin([1, "a"]),
    "TypeError",
    "'<' not supported between 'a' and 1",
  );
});

test("aany, aall: stop at the item that decides, and close the source", async () => {
  assert.equal(await aany(count("any", 1)), true);
  assert.equal(await aall(count("all", 1)), false);
  assert.deepEqual(closures(), ["any", "all"]);
  assert.equal(await aany([]), false);
  assert.equal(await aall([]), true);
});

/** Every tool that reads one source, over that source. */
const tools: Record<string, (source: AsyncIterable<number>) => ToolIterator<unknown>> = {
  aaccumulate: (source) => aaccumulate(source),
  abatched: (source) => abatched(source, 2),
  achain: (source) => achain(source),
  adropwhile: (source) => adropwhile(() => false, source),
  aenumerate: (source) => aenumerate(source),
  afilter: (source) => afilter(() => true, source),
  aislice: (source) => aislice(source, null),
  amap: (source) => amap((n) => n, source),
  amerge: (source) => amerge(source),
  apairwise: (source) => apairwise(source),
  atakewhile: (source) => atakewhile(() => true, source),
  atee: (source) => atee(source, 1)[0],
  azip: (source) => azip(source),
};

for (const [name, make] of Object.entries(tools)) {
  test(`${name}: closes its source when it is left`, async () => {
    for await (const _ of make(count("break", 1))) break;
    await assert.rejects(async () => {
      for await (const _ of make(count("throw", 1))) throw new Error();
    });
    const between = asyncio.create_task(async () => {
      for await (const _ of make(count("between", 1))) await asyncio.sleep(100);
    });
    const within = asyncio.create_task(async () => {
      for await (const _ of make(count("within", 10)));
    });
    await asyncio.sleep(5);
    between.cancel();
    await asyncio.wait([between]);
    within.cancel();
    await asyncio.wait([within]);
    assert.deepEqual([between.cancelled(), within.cancelled()], [true, true]);
    assert.deepEqual(closures(), ["break", "throw", "between", "within"]);
    assert.equal(asyncio.all_tasks().size, 1);
  });

  test(`${name}: closes a source that it has not read yet`, async () => {
    const source = count("started");
    await source.next();
    await make(source).return();
    await make(make(count("not started")) as ToolIterator<number>).aclose();
    assert.deepEqual(closures(), ["started"]);
  });

  test(`${name}: throws an error of its source, and is finished then`, async () => {
    const failing = make(amap(() => Promise.reject(new RangeError("x")), count("source")));
    await rejects(asyncio.anext(failing), "RangeError", "x");
    assert.equal(await asyncio.anext(failing, "none"), "none");
    assert.deepEqual(closures(), ["source"]);
  });
}

test("ToolIterator.next, aclose: throw while a next() is in progress", async () => {
  const tool = aenumerate(count("a", 1));
  const task = asyncio.create_task(asyncio.anext(tool));
  await asyncio.sleep(0);
  const running = "asynchronous generator is already running";
  await rejects(tool.next(), "RuntimeError", `anext(): ${running}`);
  await rejects(tool.aclose(), "RuntimeError", `aclose(): ${running}`);
  assert.deepEqual(await task, [0, 0]);
  await tool.aclose();
  assert.deepEqual(closures(), ["a"]);
});

test("ToolIterator.return: closes all sources and throws the latest error", async () => {
  const failing = (name: string): AsyncIterable<number> => ({
    [Symbol.asyncIterator]: () => ({
      next: () => Promise.resolve({ done: false, value: 0 }),
      return: () => {
        closed.push(name);
        return Promise.reject(new Error(name));
      },
    }),
  });
  const zipped = azip(failing("a"), failing("b"));
  await zipped.next();
  await rejects(zipped.return(), "Error", "a");
  assert.deepEqual(closures(), ["b", "a"]);
});

test("afilter: futures of an asynchronous source are passed on as they are", async () => {
  const naps = [2, 1].map((delay) => asyncio.create_task(asyncio.sleep(delay, delay)));
  const source = asyncio.as_completed<number, asyncio.Task<number>>(naps);
  const [first] = await alist(afilter((task) => task.result() === 1, source));
  assert.equal(first, naps[1]);
});

test("aenumerate, azip, afilter: refuse what is not iterable at once", async () => {
  assert.throws(() => aenumerate(5 as never), {
    name: "TypeError",
    message: "'number' object is not iterable",
  });
  assert.throws(() => azip([1], null as never), TypeError);
  const nap = asyncio.sleep(1);
  assert.throws(() => afilter(null, nap as never), TypeError);
  await nap;
});

test("aenumerate: closes a synchronous generator, also if a promise of it is rejected", async () => {
  function* values() {
    try {
      yield 1;
      yield Promise.reject(new RangeError("x"));
    } finally {
      closed.push("values");
    }
  }
  await rejects(alist(aenumerate(values())), "RangeError", "x");
  for await (const _ of aenumerate(values())) break;
  assert.deepEqual(closures(), ["values", "values"]);
});

test("atee: each iterator yields all items, at its own pace", async () => {
  const [a, b, c] = atee(count("source", 1, 3), 3);
  assert.deepEqual(await asyncio.anext(a), 0);
  assert.deepEqual(await asyncio.gather(alist(a), alist(b), alist(c)), [
    [1, 2],
    [0, 1, 2],
    [0, 1, 2],
  ]);
  assert.equal(asyncio.get_running_loop().time(), 3);
  assert.deepEqual(atee([], 0), []);
  assert.throws(() => atee([], -1 as number), { message: "n must be >= 0" });
});

test("atee: a cancelled iterator takes no item from the others", async () => {
  const [a, b] = atee(count("source", 2));
  const impatient = asyncio.create_task(asyncio.anext(a));
  await asyncio.sleep(1);
  impatient.cancel();
  await asyncio.wait([impatient]);
  assert.equal(await asyncio.anext(b), 0);
  assert.equal(asyncio.get_running_loop().time(), 2);
  assert.deepEqual(closures(), []);
  await b.aclose();
  assert.deepEqual(closures(), ["source"]);
});

test("atee: each iterator throws an error of the source", async () => {
  const [a, b] = atee(amap(() => Promise.reject(new RangeError("x")), [1]));
  await rejects(asyncio.anext(a), "RangeError", "x");
  await rejects(asyncio.anext(b), "RangeError", "x");
  assert.equal(await asyncio.anext(a, null), null);
});

test("amerge, atee: in a scope that cancels every wait, the end of their tasks is waited for", async () => {
  for (const read of [amerge, (source: AsyncIterable<number>) => atee(source, 1)[0]]) {
    let ended = false;
    const scope = new CancelScope({ level: true, deadline: asyncio.get_running_loop().time() + 2 });
    await asyncio.async_with(scope, async () => {
      for await (
        const _ of read(async function* () {
          try {
            yield 1;
            await asyncio.sleep(10);
          } finally {
            await asyncio.sleep(1);
            ended = true;
          }
        }())
      ) { /* none but the first */ }
    });
    assert.deepEqual([scope.cancelled_caught, ended], [true, true]);
  }
});

test("amerge: yields items in the order of their arrival", async () => {
  const merged = amerge(
    amap((n) => `slow ${n}`, count("", 3, 2)),
    amap((n) => `quick ${n}`, count("", 2, 3)),
    ["now"],
  );
  assert.deepEqual(
    await alist(merged),
    ["now", "quick 0", "slow 0", "quick 1", "slow 1", "quick 2"],
  );
  assert.equal(asyncio.all_tasks().size, 1);
  assert.deepEqual(await alist(amerge()), []);
});

test("amerge: a source is at most one item ahead", async () => {
  let made = 0;
  const merged = amerge(amap(() => ++made, count("a")));
  await asyncio.anext(merged);
  await asyncio.sleep(10);
  assert.equal(made, 2);
  await merged.aclose();
  assert.deepEqual(closures(), ["a"]);
});

test("amerge: an error of one source ends the others, after the items that came before", async () => {
  const fail = async () => {
    await asyncio.sleep(2.5);
    throw new RangeError("x");
  };
  const merged = amerge(count("other", 1), amap(fail, [1]));
  assert.deepEqual([await asyncio.anext(merged), await asyncio.anext(merged)], [0, 1]);
  await rejects(alist(merged), "RangeError", "x");
  assert.deepEqual(closures(), ["other"]);
  assert.equal(asyncio.all_tasks().size, 1);
});

test("amerge: waits until its sources are closed, also if it is cancelled again", async () => {
  async function* careful() {
    try {
      await asyncio.sleep(100);
      yield 1;
    } finally {
      await asyncio.sleep(10);
      closed.push("careful");
    }
  }
  const task = asyncio.create_task(alist(amerge(careful(), careful())));
  await asyncio.sleep(1);
  task.cancel();
  await asyncio.sleep(1);
  task.cancel();
  await asyncio.wait([task]);
  assert.equal(task.cancelled(), true);
  assert.equal(asyncio.get_running_loop().time(), 11);
  assert.deepEqual(closures(), ["careful", "careful"]);
});

test("amap, afilter, aislice: are lazy steps of a long chain", async () => {
  const squares = amap(
    ([index, n]) => index * n,
    aenumerate(afilter((n) => n % 2 === 1, count("source", 1))),
  );
  assert.deepEqual(await alist(aislice(squares, 3)), [0, 3, 10]);
  assert.equal(asyncio.get_running_loop().time(), 6);
  assert.deepEqual(closures(), ["source"]);
});

Deno.test("amap, azip, achain, atee: have exact types", () => {
  const mapped = amap((n, s) => [n, s] as const, [1], "a");
  const zipped = azip([1], "a", [Promise.resolve(true)]);
  const strict = azip([1], "a", { strict: true });
  const truthy = afilter(null, [1, null, "a"] as (number | null | string)[]);
  const strings = afilter((x): x is string => typeof x === "string", [1, "a"]);
  const chained = achain([1], "a");
  const tee = atee([1]);
  const total = areduce((text: string, n) => text + n, [1], "");
  same_type<typeof mapped, ToolIterator<readonly [number, string]>>(true);
  same_type<typeof zipped, ToolIterator<[number, string, boolean]>>(true);
  same_type<typeof strict, ToolIterator<[number, string]>>(true);
  same_type<typeof truthy, ToolIterator<number | string>>(true);
  same_type<typeof strings, ToolIterator<string>>(true);
  same_type<typeof chained, ToolIterator<number | string>>(true);
  same_type<typeof tee, [ToolIterator<number>, ToolIterator<number>]>(true);
  same_type<typeof total, asyncio.Coroutine<string>>(true);
});

test("afilter: does not await items if it has no function", async () => {
  const never = new Promise<number>(() => {});
  const queue = new asyncio.Queue<Promise<number>>();
  queue.put_nowait(never);
  const filtered = afilter(null, queue);
  const next = async () => [(await filtered.next()).value];
  assert.equal((await asyncio.wait_for(next, 1))[0], never);
});

test("alist: closes a synchronous generator if a promise of it is rejected or its wait is cancelled", async () => {
  function* values(name: string, promise: () => PromiseLike<unknown>) {
    try {
      yield promise();
    } finally {
      closed.push(name);
    }
  }
  await rejects(
    alist(values("rejected", () => Promise.reject(new RangeError("x")))),
    "RangeError",
    "x",
  );
  const waiting = asyncio.create_task(alist(values("cancelled", () => asyncio.sleep(60))));
  await asyncio.sleep(1);
  waiting.cancel();
  await asyncio.wait([waiting]);
  assert.deepEqual(closures(), ["rejected", "cancelled"]);
});

test("amap, alist: a result of next() that is not an object is a TypeError, as in for await", async () => {
  for (const wrong of ["text", null, undefined, 5]) {
    const source = { [Symbol.asyncIterator]: () => ({ next: () => Promise.resolve(wrong) }) };
    const text = `Iterator result ${
      typeof wrong === "string" ? `'${wrong}'` : wrong
    } is not an object`;
    await rejects(alist(source as never), "TypeError", text);
    await rejects(alist(amap((n) => n, source as never)), "TypeError", text);
  }
});

test("aenumerate, abatched, atee, asum: take their numbers by name", async () => {
  assert.deepEqual(await alist(aenumerate("a", { start: 3 })), [[3, "a"]]);
  assert.deepEqual(await alist(abatched("abc", { n: 2 })), [["a", "b"], ["c"]]);
  const strict = abatched("abc", { n: 2, strict: true });
  await rejects(alist(strict), "ValueError", "batched(): incomplete batch");
  assert.equal(atee("a", { n: 3 }).length, 3);
  assert.equal(await asum([1, 2], { start: 10 }), 13);
  assert.equal(await asum([1n], { start: 10n }), 11n);
  assert.throws(() => aenumerate("a", { begin: 3 } as never), TypeError);
  for (const wrong of [NaN, Infinity, "2", null, 1.5]) {
    assert.throws(() => aenumerate("a", wrong as never), TypeError);
    assert.throws(() => abatched("a", wrong as never), TypeError);
    assert.throws(() => atee("a", wrong as unknown as number), TypeError);
  }
});

test("azip: closes every source if one throws null or undefined", async () => {
  for (const thrown of [null, undefined]) {
    const failing = amap(() => Promise.reject(thrown), [1]);
    const zipped = azip(count("a"), failing, count("b"));
    let seen: unknown = "nothing";
    await alist(zipped).catch((error) => seen = error);
    assert.equal(seen, thrown);
    assert.deepEqual(closures(), ["a"]);
  }
});

test("ToolIterator.return: throws null if closing a source does", async () => {
  const source = {
    [Symbol.asyncIterator]: () => ({
      next: () => Promise.resolve({ done: false, value: 1 }),
      return: () => Promise.reject(null),
    }),
  };
  let seen: unknown = "nothing";
  await aenumerate(source).return().catch((error) => seen = error);
  assert.equal(seen, null);
});

test("amerge: throws null if a source does, and cancels the others", async () => {
  for (const thrown of [null, undefined]) {
    const failing = amap(() => Promise.reject(thrown), [1]);
    let seen: unknown = "nothing";
    await alist(amerge(count("other", 10), failing)).catch((error) => seen = error);
    assert.equal(seen, thrown);
    assert.deepEqual(closures(), ["other"]);
    assert.equal(asyncio.all_tasks().size, 1);
  }
});

test("amerge: throws the first error of closing its sources", async () => {
  async function* failing(name: string) {
    try {
      for (let n = 0;; n++) {
        await asyncio.sleep(1);
        yield n;
      }
    } finally {
      closed.push(name);
      // deno-lint-ignore no-unsafe-finally -- what is tested
      throw new RangeError(name);
    }
  }
  await assert.rejects(async () => {
    for await (const _ of amerge(failing("a"), failing("b"))) break;
  }, { name: "RangeError", message: "a" });
  assert.deepEqual(closures().toSorted(), ["a", "b"]);
});

test("amerge: can be left while a source yields although it was cancelled", async () => {
  async function* stubborn() {
    try {
      for (let n = 0;; n++) {
        await asyncio.sleep(n === 0 ? 1 : 100).catch(() => {});
        yield n;
      }
    } finally {
      closed.push("stubborn");
    }
  }
  for await (const _ of amerge(stubborn(), count("other", 10))) {
    await asyncio.sleep(5);
    break;
  }
  const left = asyncio.create_task(async () => {
    for await (const n of amerge(stubborn())) if (n === 0) await asyncio.sleep(5);
  });
  await asyncio.sleep(50);
  left.cancel();
  await asyncio.wait([left], { timeout: 10 });
  assert.equal(left.done(), true);
  assert.deepEqual(closures().toSorted(), ["other", "stubborn", "stubborn"]);
  assert.equal(asyncio.all_tasks().size, 1);
});

test("amerge: a queue loses no item for which its source waits when it is left", async () => {
  const [a, b] = [new asyncio.Queue<string>(), new asyncio.Queue<string>()];
  a.put_nowait("a");
  for await (const item of amerge(a, b)) {
    assert.equal(item, "a");
    break;
  }
  a.put_nowait("later");
  b.put_nowait("later");
  await asyncio.sleep(1);
  assert.deepEqual([a.qsize(), b.qsize(), asyncio.all_tasks().size], [1, 1, 1]);
});

test("atee: closes its source after a task of it was cancelled before its first step", async () => {
  const [a, b] = atee(count("source", 1));
  const reader = asyncio.create_task(asyncio.anext(a));
  await asyncio.sleep(0);
  for (const task of asyncio.all_tasks()) if (task.get_name() === "atee") task.cancel();
  assert.equal(await asyncio.wait_for(reader, 5), 0);
  assert.equal(await asyncio.anext(b), 0);
  await a.aclose();
  await b.aclose();
  assert.deepEqual(closures(), ["source"]);
});

Deno.test("amerge, atee: can be left while a source waits for events of the host", () =>
  asyncio.run(async () => {
    const emitter = new EventEmitter();
    const events = () => on(emitter, "data") as AsyncIterable<number[]>;
    const queue = new asyncio.Queue<number>();
    queue.put_nowait(1);
    for await (const item of amerge(events(), queue)) {
      assert.equal(item, 1);
      break;
    }
    const [reader] = atee(events(), 1);
    const task = asyncio.create_task(asyncio.anext(reader));
    await asyncio.sleep(0.001);
    task.cancel();
    await asyncio.wait([task]);
    assert.deepEqual([task.cancelled(), emitter.listenerCount("data")], [true, 0]);
    assert.equal(asyncio.all_tasks().size, 1);
  }));

test("aiter: with a sentinel, calls a function until it returns that", async () => {
  const values = [1, 2, 3, 0, 4];
  const take = () => asyncio.sleep(1, values.shift() as number);
  const items = asyncio.aiter(take, 0);
  assert.deepEqual(await alist(items), [1, 2, 3]);
  assert.equal(await asyncio.anext(items, "end"), "end");
  assert.deepEqual(values, [4]);
  assert.deepEqual(await alist(asyncio.aiter(() => values.shift(), undefined)), [4]);
  assert.throws(() => asyncio.aiter([] as never, 0), {
    name: "TypeError",
    message: /Cannot iterate up to a sentinel: .*: received \[\]/,
  });
  const failing = asyncio.aiter(() => Promise.reject(new RangeError("call")), 0);
  await rejects(asyncio.anext(failing), "RangeError", "call");
});

test("achain.from_iterable: reads sources one after the other, of either kind, and no further", async () => {
  const opened: string[] = [];
  async function* sources() {
    for (const name of ["a", "b", "c"]) {
      await asyncio.sleep(1);
      opened.push(name);
      yield count(name, 0, 2);
    }
  }
  assert.deepEqual(await alist(aislice(achain.from_iterable(sources()), 3)), [0, 1, 0]);
  assert.deepEqual([opened, closures()], [["a", "b"], ["b"]]);
  assert.deepEqual(await alist(achain.from_iterable([[1], "a", new Set([2])])), [1, "a", 2]);
  assert.deepEqual(await alist(achain.from_iterable([])), []);
});

test("achain.from_iterable: closes the source that is read and then their source", async () => {
  const log: string[] = [];
  async function* source(name: string) {
    try {
      yield 1;
      yield 2;
    } finally {
      log.push(name);
    }
  }
  async function* outer() {
    try {
      yield source("first");
      yield source("second");
    } finally {
      log.push("outer");
    }
  }
  const chained = achain.from_iterable(outer());
  assert.equal(await asyncio.anext(chained), 1);
  await chained.aclose();
  assert.deepEqual(log, ["first", "outer"]);
  await rejects(
    alist(achain.from_iterable([1] as never)),
    "TypeError",
    "'number' object is not iterable",
  );
});

test("acompress: yields the items whose selectors are true, until one source ends", async () => {
  assert.deepEqual(await alist(acompress("abcd", [1, 0, true, ""])), ["a", "c"]);
  assert.deepEqual(await alist(acompress(count("items"), [false, true])), [1]);
  assert.deepEqual(closures(), ["items"]);
  assert.deepEqual(await alist(acompress("ab", count("selectors", 0, 9))), ["b"]);
  assert.deepEqual(closures(), ["selectors"]);
});

test("acycle: repeats copies of the items, and ends if there are none", async () => {
  assert.deepEqual(await alist(aislice(acycle(count("", 1, 2)), 5)), [0, 1, 0, 1, 0]);
  assert.deepEqual(await alist(acycle([])), []);
  const once = acycle(count("left", 1));
  assert.equal(await asyncio.anext(once), 0);
  await once.aclose();
  assert.deepEqual(closures(), ["left"]);
});

test("afilterfalse: yields what a function, or truth, does not select", async () => {
  assert.deepEqual(await alist(afilterfalse((n) => n > 1, [1, 2, 3])), [1]);
  assert.deepEqual(await alist(afilterfalse((n) => asyncio.sleep(0, n > 1), [1, 2, 3])), [1]);
  assert.deepEqual(await alist(afilterfalse(null, [0, 1, "", "a", null])), [0, "", null]);
});

test("agroupby: groups consecutive items, by themselves or by a key of either kind", async () => {
  const runs = async <K, T>(groups: ToolIterator<[K, ToolIterator<T>]>) => {
    const found: [K, T[]][] = [];
    for await (const [key, group] of groups) found.push([key, await alist(group)]);
    return found;
  };
  assert.deepEqual(await runs(agroupby("aabccc")), [
    ["a", ["a", "a"]],
    ["b", ["b"]],
    ["c", ["c", "c", "c"]],
  ]);
  const half = async (n: number) => await asyncio.sleep(1, Math.floor(n / 2));
  assert.deepEqual(await runs(agroupby(count("", 0, 5), half)), [[0, [0, 1]], [1, [2, 3]], [2, [
    4,
  ]]]);
  const by_arrays = agroupby([1, 2, 3], { key: (n) => [n > 1] });
  assert.deepEqual(await runs(by_arrays), [[[false], [1]], [[true], [2, 3]]]);
  assert.deepEqual(await runs(agroupby([])), []);
  assert.throws(() => agroupby([], { ky: 1 } as never), /unexpected option 'ky'/);
});

test("agroupby: the next group skips what is left of the one before, whose iterator ends", async () => {
  const groups = agroupby("aaabb");
  const [, first] = await asyncio.anext(groups);
  assert.equal(await asyncio.anext(first), "a");
  const [key, second] = await asyncio.anext(groups);
  assert.equal(key, "b");
  assert.deepEqual(await alist(first), []);
  assert.deepEqual(await alist(second), ["b", "b"]);
  assert.equal(await asyncio.anext(groups, null), null);
  // A group that is left does not close the source.
  const numbers = agroupby(count("numbers"), () => "all");
  for await (const [, group] of numbers) {
    for await (const _ of group) break;
    assert.deepEqual(closures(), []);
    break;
  }
  assert.deepEqual(closures(), ["numbers"]);
});

test("agroupby: a group and the groups do not read at the same time", async () => {
  const groups = agroupby(count("slow", 1), () => 0);
  const [, group] = await asyncio.anext(groups);
  assert.equal(await asyncio.anext(group), 0);
  const reading = asyncio.create_task(asyncio.anext(group, "closed"));
  await asyncio.sleep(0);
  await rejects(
    asyncio.anext(groups),
    "RuntimeError",
    "anext(): asynchronous generator is already running",
  );
  // The groups have failed, and have closed the source when it was free.
  assert.equal(await reading, "closed");
  assert.equal(await asyncio.anext(group, "ended"), "ended");
  closures();
});

test("astarmap: calls functions of both kinds with the elements of each item", async () => {
  const power = (base: number, exponent: number) => base ** exponent;
  assert.deepEqual(await alist(astarmap(power, [[2, 5], [3, 2]])), [32, 9]);
  const slow = (a: string, b: number) => asyncio.sleep(1, a + b);
  assert.deepEqual(await alist(astarmap(slow, azip("ab", count("numbers")))), ["a0", "b1"]);
  assert.deepEqual(closures(), ["numbers"]);
});

test("azip_longest: goes on until the last source ends", async () => {
  assert.deepEqual(await alist(azip_longest("ab", count("", 0, 3))), [["a", 0], ["b", 1], [
    null,
    2,
  ]]);
  const filled = azip_longest([1], [2, 3], [], { fillvalue: 0 });
  assert.deepEqual(await alist(filled), [[1, 2, 0], [0, 3, 0]]);
  assert.deepEqual(await alist(azip_longest([1], [], { fillvalue: undefined })), [[1, undefined]]);
  assert.deepEqual(await alist(azip_longest()), []);
  assert.throws(() => azip_longest([], { fill: 0 } as never), /unexpected option 'fill'/);
  const types = () => azip_longest([1], "a");
  same_type<ToolIterator<[number | null, string | null]>, ReturnType<typeof types>>(true);
});

test("amap: strict, its error names the source of another length", async () => {
  const add = (a: number, b: number) => a + b;
  assert.deepEqual(await alist(amap(add, [1, 2], [3, 4], { strict: true })), [4, 6]);
  await rejects(
    alist(amap(add, [1, 2], [3], { strict: true })),
    "ValueError",
    "map() argument 2 is shorter than argument 1",
  );
  await rejects(
    alist(amap(add, [1], count("longer"), { strict: true })),
    "ValueError",
    "map() argument 2 is longer than argument 1",
  );
  assert.deepEqual(closures(), ["longer"]);
  assert.throws(() => amap(add, [1], [2], { strickt: true } as never), /unexpected option/);
});

test("asorted: sorts as Python does, keeping the order of equal items", async () => {
  assert.deepEqual(await asorted([10, 9, 1]), [1, 9, 10]);
  assert.deepEqual(await asorted(count("", 1, 3), { reverse: true }), [2, 1, 0]);
  const words = ["bb", "a", "cc", "d"];
  const key = (word: string) => asyncio.sleep(0, word.length);
  assert.deepEqual(await asorted(words, { key }), ["a", "d", "bb", "cc"]);
  assert.deepEqual(await asorted(words, { key, reverse: true }), ["bb", "cc", "a", "d"]);
  assert.deepEqual(await asorted([[2, "a"], [1, "b"], [1, "a"]]), [[1, "a"], [1, "b"], [2, "a"]]);
  assert.deepEqual(await asorted([]), []);
  assert.equal(asyncio.iscoroutine(asorted([1])), true);
  await rejects(asorted([1, "a"]), "TypeError", "'<' not supported between 'a' and 1");
  assert.throws(() => asorted([], { revers: true } as never), /unexpected option 'revers'/);
});

test("anlargest, ansmallest: take the first of the sorted items, and keep no more", async () => {
  const numbers = [3, 1, 4, 1, 5, 9, 2, 6];
  assert.deepEqual(await anlargest(3, numbers), [9, 6, 5]);
  assert.deepEqual(await ansmallest(3, count("", 1, 9)), [0, 1, 2]);
  assert.deepEqual(await ansmallest(99, [2, 1]), [1, 2]);
  const words = ["bb", "a", "cc", "d", "ee"];
  const key = (word: string) => asyncio.sleep(0, word.length);
  assert.deepEqual(await anlargest(2, words, { key }), ["bb", "cc"]);
  assert.deepEqual(await ansmallest(3, words, { key }), ["a", "d", "bb"]);
  for (const n of [0, -1]) {
    assert.deepEqual(await anlargest(n, numbers), []);
    assert.deepEqual(await ansmallest(n, numbers), []);
  }
  assert.throws(() => anlargest(1.5, []), TypeError);
  assert.throws(() => ansmallest(1, [], { ky: null } as never), /unexpected option 'ky'/);
  const random = Array.from({ length: 200 }, (_, n) => (n * 7919) % 101);
  const sorted = await asorted(random);
  assert.deepEqual(await ansmallest(50, random), sorted.slice(0, 50));
  assert.deepEqual(await anlargest(50, random), sorted.reverse().slice(0, 50));
});

test("amerge_sorted: merges sorted sources, of equal items those of the earlier source first", async () => {
  assert.deepEqual(await alist(amerge_sorted([1, 4, 7], count("", 1, 4), [])), [
    0,
    1,
    1,
    2,
    3,
    4,
    7,
  ]);
  const key = ([n]: [number, string]) => asyncio.sleep(0, n);
  const one: [number, string][] = [[1, "a"], [1, "b"], [2, "a"]];
  const two: [number, string][] = [[1, "c"], [2, "d"]];
  assert.deepEqual(
    (await alist(amerge_sorted(one, two, { key }))).map(([n, name]) => n + name),
    ["1a", "1b", "1c", "2a", "2d"],
  );
  assert.deepEqual(await alist(amerge_sorted([5, 3], [4, 3, 1], { reverse: true })), [
    5,
    4,
    3,
    3,
    1,
  ]);
  assert.deepEqual(await alist(amerge_sorted()), []);
  assert.throws(() => amerge_sorted([], { order: 1 } as never), /unexpected option 'order'/);
});

test("amerge_sorted: reads no more than it must, and closes its sources", async () => {
  let read = 0;
  function* numbers() {
    for (let n = 0;; n++) {
      read++;
      yield n;
    }
  }
  const merged = amerge_sorted(numbers(), count("other"));
  assert.equal(await asyncio.anext(merged), 0);
  assert.equal(read, 1);
  assert.equal(await asyncio.anext(merged), 0);
  assert.equal(read, 2);
  await merged.aclose();
  assert.deepEqual(closures(), ["other"]);
});

test("borrow: a tool does not close what it has borrowed", async () => {
  const numbers = count("numbers");
  assert.deepEqual(await alist(aislice(borrow(numbers), 3)), [0, 1, 2]);
  assert.deepEqual(await alist(aislice(borrow(numbers), 3)), [3, 4, 5]);
  assert.deepEqual(closures(), []);
  await numbers.return();
  assert.deepEqual(closures(), ["numbers"]);
  function* letters() {
    yield* "abcd";
  }
  const synchronous = letters();
  assert.deepEqual(await alist(aislice(borrow(synchronous), 2)), ["a", "b"]);
  assert.deepEqual([...synchronous], ["c", "d"]);
});

test("borrow: a loan that is left has ended, and the iterator has not", async () => {
  const numbers = count("numbers");
  const loan = borrow(numbers);
  for await (const _ of loan) break;
  assert.deepEqual(await alist(loan), []);
  assert.equal(await asyncio.anext(numbers), 1);
  await numbers.return();
  closures();
  assert.equal(String(loan), "<borrow object>");
  assert.throws(() => borrow([1] as never), {
    name: "TypeError",
    message: "Cannot borrow an iterator: it must have a method next(): received 'Array' object",
  });
});

test("scoped_iter: lends an iterator for a block and closes it at its end", async () => {
  const outside = await asyncio.async_with(scoped_iter(count("numbers")), async (numbers) => {
    for await (const _ of numbers) break;
    assert.deepEqual(await alist(aislice(numbers, 2)), [1, 2]);
    assert.deepEqual(await alist(aislice(numbers, 2)), [3, 4]);
    assert.deepEqual(closures(), []);
    return numbers;
  });
  assert.deepEqual(closures(), ["numbers"]);
  assert.deepEqual(await alist(outside), []);
  await rejects(
    asyncio.async_with(scoped_iter(count("failing")), async (numbers) => {
      await asyncio.anext(numbers);
      throw new TypeError("block");
    }),
    "TypeError",
    "block",
  );
  assert.deepEqual(closures(), ["failing"]);
  {
    await using numbers = scoped_iter(count("disposed"));
    for await (const _ of numbers) break;
    for await (const number of numbers) {
      assert.equal(number, 1);
      break;
    }
  }
  assert.deepEqual(closures(), ["disposed"]);
  assert.throws(() => scoped_iter(1 as never), TypeError);
});

test("scoped_iter: one scope in another ends first, and a scope is entered once", async () => {
  const numbers = count("numbers");
  const ended: unknown[] = [];
  const outer = scoped_iter(numbers);
  await asyncio.async_with(outer, async (lent) => {
    assert.equal(await asyncio.anext(lent), 0);
    const inner = await asyncio.async_with(scoped_iter(lent), async (lent_again) => {
      assert.deepEqual(await alist(aislice(lent_again, 1)), [1]);
      assert.equal(await asyncio.anext(lent), 2);
      await lent_again.return();
      assert.equal(await asyncio.anext(lent_again), 3);
      return lent_again;
    });
    ended.push(await asyncio.anext(inner, "ended"));
    assert.deepEqual([await asyncio.anext(lent), await asyncio.anext(numbers)], [4, 5]);
    const again = "Cannot enter scoped_iter() again: it lends its iterator for one block";
    await rejects(asyncio.async_with(outer, async () => {}), "RuntimeError", again);
    ended.push(lent);
  });
  assert.deepEqual(await alist(ended.pop() as AsyncIterable<number>), []);
  assert.deepEqual(ended, ["ended"]);
  assert.equal(await asyncio.anext(numbers, "closed"), "closed");
  assert.deepEqual(closures(), ["numbers"]);
});

test("scoped_iter: closes its iterator when the block is cancelled", async () => {
  const task = asyncio.create_task(
    asyncio.async_with(scoped_iter(count("cancelled", 1)), (numbers) => alist(numbers)),
  );
  await asyncio.sleep(2.5);
  task.cancel();
  await asyncio.wait([task]);
  assert.deepEqual([task.cancelled(), closures()], [true, ["cancelled"]]);
});

test("alist and all that take all items: cancelled, they close the source", async () => {
  async function* ones(name: string): AsyncGenerator<number> {
    try {
      for (;;) yield await asyncio.sleep(1, 1);
    } finally {
      await asyncio.sleep(0);
      closed.push(name);
    }
  }
  const consumers: Record<string, (source: AsyncIterable<number>) => asyncio.Coroutine<unknown>> = {
    alist,
    aset,
    asorted,
    asum: (source) => asum(source),
    amin: (source) => amin(source),
    amax: (source) => amax(source),
    aall,
    aany: (source) => aany(amap(() => false, source)),
    adict: (source) => adict(amap((n): [number, number] => [n, n], source)),
    areduce: (source) => areduce((total, n) => total + n, source),
    anlargest: (source) => anlargest(2, source),
    ansmallest: (source) => ansmallest(2, source),
  };
  closed.length = 0;
  for (const [name, consume] of Object.entries(consumers)) {
    const task = asyncio.create_task(consume(ones(name)));
    await asyncio.sleep(5);
    task.cancel();
    await asyncio.wait([task]);
    assert(task.cancelled());
  }
  assert.deepEqual(closed, Object.keys(consumers));
});

Deno.test("itertools: what is no function is refused by the call, and names the parameter", () => {
  const wrong = "square" as never;
  const calls: Record<string, () => unknown> = {
    "afilter(): fn": () => afilter(wrong, [1]),
    "afilterfalse(): fn": () => afilterfalse(undefined as never, [1]),
    "atakewhile(): predicate": () => atakewhile(wrong, [1]),
    "adropwhile(): predicate": () => adropwhile(wrong, [1]),
    "amap(): fn": () => amap(wrong, [1]),
    "astarmap(): fn": () => astarmap(wrong, [[1]]),
    "aaccumulate(): fn": () => aaccumulate([1], wrong),
    "areduce(): fn": () => areduce(wrong, [1]),
    "amin(): key": () => amin([1], { key: wrong }),
    "amax(): key": () => amax([1], { key: wrong }),
    "asorted(): key": () => asorted([1], { key: wrong }),
    "anlargest(): key": () => anlargest(1, [1], { key: wrong }),
    "ansmallest(): key": () => ansmallest(1, [1], { key: wrong }),
    "amerge_sorted(): key": () => amerge_sorted([1], { key: wrong }),
    "agroupby(): key": () => agroupby([1], wrong),
  };
  for (const [parameter, call] of Object.entries(calls)) {
    assert.throws(call, (error: unknown) => {
      assert(error instanceof TypeError);
      assert(error.message.startsWith(`Cannot call ${parameter} must be a function: received `));
      return true;
    });
  }
});
