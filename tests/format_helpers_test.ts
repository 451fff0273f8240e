/** How values, callbacks and classes are shown. */

import { assert, assertEquals } from "@std/assert";
import * as asyncio from "../mod.ts";
import { VirtualClockEventLoop } from "../testing.ts";
import {
  deno_inspect,
  extract_stack,
  format_callback,
  format_place,
  Inspectable,
  is_class,
  make_inspectable,
  node_inspect,
  repr,
  type_name,
} from "../src/internal/format_helpers.ts";

Deno.test("repr of plain values is Python's, with JavaScript's constants", () => {
  const shown: [unknown, string][] = [
    [null, "null"],
    [undefined, "undefined"],
    [true, "true"],
    [1, "1"],
    [1.5, "1.5"],
    [-0, "-0"],
    [NaN, "NaN"],
    [10n, "10n"],
    [Symbol("s"), "Symbol(s)"],
    ["text", "'text'"],
    [[1, "a", [null]], "[1, 'a', [null]]"],
    [new Set([1, "a"]), "{1, 'a'}"],
    [new Map<unknown, unknown>([["k", 1]]), "{'k': 1}"],
    [{ a: 1, b: "x" }, "{a: 1, b: 'x'}"],
    [Object.create(null), "{}"],
    [function work() {}, "<function work>"],
    [class Work {}, "<class 'Work'>"],
    [Map, "<class 'Map'>"],
    [() => {}, "<function <lambda>>"],
    [new Date(0), "<Date object>"],
  ];
  for (const [value, text] of shown) assertEquals(repr(value), text);
});

Deno.test("a string is quoted as Python quotes it", () => {
  assertEquals(repr("it's"), `"it's"`);
  assertEquals(repr(`say "hi"`), `'say "hi"'`);
  assertEquals(repr(`it's "both"`), `'it\\'s "both"'`);
  assertEquals(repr("a\nb\tc\rd\\e"), `'a\\nb\\tc\\rd\\\\e'`);
  assertEquals(repr("\0\x1b\x7f"), `'\\x00\\x1b\\x7f'`);
  assertEquals(repr("čaj 🍵"), "'čaj 🍵'");
  assertEquals(
    repr("\x80\xa0\xad\u200b\u2028\u{e0001}"),
    "'\\x80\\xa0\\xad\\u200b\\u2028\\U000e0001'",
  );
  assertEquals(repr(String.fromCharCode(0xd800)), "'\\ud800'");
});

Deno.test("errors are shown by their class and message", () => {
  class Mine extends RangeError {}
  assertEquals(repr(new Error()), "Error()");
  assertEquals(repr(new TypeError("no")), "TypeError('no')");
  assertEquals(repr(new Mine("no")), "Mine('no')");
  assertEquals(repr(new asyncio.CancelledError("stop")), "CancelledError('stop')");
  assertEquals(
    repr(new asyncio.ExceptionGroup("two", [new Error("a"), new TypeError()])),
    "ExceptionGroup('two', [Error('a'), TypeError()])",
  );
});

Deno.test("repr: a base exception is shown with its arguments, as in Python", () => {
  assertEquals(repr(new asyncio.CancelledError()), "CancelledError()");
  assertEquals(repr(new asyncio.CancelledError("")), "CancelledError('')");
  assertEquals(repr(new asyncio.CancelledError(7)), "CancelledError(7)");
  assertEquals(repr(new asyncio.CancelledError("a", [1])), "CancelledError('a', [1])");
  const error: asyncio.BaseException = new asyncio.KeyboardInterrupt([]);
  (error.args[0] as unknown[]).push(error);
  assertEquals(repr(error), "KeyboardInterrupt([KeyboardInterrupt(...)])");
});

// The expected texts are those of CPython 3.14.
Deno.test("repr: limits of each kind of value, as in reprlib", () => {
  const entries = (count: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, index) => [`k${index}`, index]));
  class Shown extends Inspectable {
    override toString(): string {
      return `<${"abcdefghijklmnopqrstuvwxyz".repeat(2)}>`;
    }
  }
  const shown: [unknown, string][] = [
    ["\n".repeat(20), "'\\n\\n\\n\\n\\n\\n...n\\n\\n\\n\\n\\n\\n'"],
    ["a'b".repeat(12), `"a'ba'ba'ba'b...ba'ba'ba'ba'b"`],
    ["é🍵".repeat(20), "'é🍵é🍵é🍵é🍵é🍵é🍵...🍵é🍵é🍵é🍵é🍵é🍵é🍵'"],
    [10n ** 39n, `1${"0".repeat(39)}n`],
    [-(10n ** 40n), "-10000000000000000...0000000000000000000n"],
    [new Set([1, 2, 3, 4, 5, 6, 7]), "{1, 2, 3, 4, 5, 6, ...}"],
    [entries(4), "{k0: 0, k1: 1, k2: 2, k3: 3}"],
    [entries(5), "{k0: 0, k1: 1, k2: 2, k3: 3, ...}"],
    [[[[[[[[1]]]]]]], "[[[[[[[...]]]]]]]"],
    [[[[[[[[]]]]]]], "[[[[[[[]]]]]]]"],
    [new Shown(), "<abcdefghijkl...nopqrstuvwxyz>"],
    [["x".repeat(40)], "['xxxxxxxxxxxx...xxxxxxxxxxxxx']"],
    [new RangeError("x".repeat(40)), `RangeError('${"x".repeat(40)}')`],
    [1.5, "1.5"],
  ];
  for (const [value, text] of shown) assertEquals(repr(value, true), text);
});

Deno.test("limited repr shortens as reprlib does", () => {
  assertEquals(repr("x".repeat(28), true), `'${"x".repeat(28)}'`);
  assertEquals(repr("x".repeat(29), true), `'${"x".repeat(12)}...${"x".repeat(13)}'`);
  assertEquals(repr([1, 2, 3, 4, 5, 6], true), "[1, 2, 3, 4, 5, 6]");
  assertEquals(repr([1, 2, 3, 4, 5, 6, 7], true), "[1, 2, 3, 4, 5, 6, ...]");
  assertEquals(repr([1, 2, 3, 4, 5, 6, 7]), "[1, 2, 3, 4, 5, 6, 7]");
});

Deno.test("a value that holds itself is shown without end of neither text nor stack", () => {
  const list: unknown[] = [1];
  list.push(list);
  assertEquals(repr(list), "[1, [...]]");
  const table: Record<string, unknown> = {};
  table["self"] = table;
  assertEquals(repr(table), "{self: {...}}");
  const map = new Map<string, unknown>();
  map.set("self", map);
  assertEquals(repr(map), "{'self': {...}}");
});

Deno.test("library objects show their own repr inside of others, and in consoles", () => {
  const queue = new asyncio.Queue<number>(2);
  queue.put_nowait(1);
  assertEquals(repr([queue]), "[<Queue maxsize=2 _queue=[1] tasks=1>]");
  assertEquals(Deno.inspect(queue), String(queue));
  const methods = queue as unknown as Record<symbol, () => string>;
  assertEquals(methods[deno_inspect]!(), String(queue));
  assertEquals(methods[node_inspect]!(), String(queue));
});

Deno.test("a callback is shown as a call", () => {
  function work() {}
  assertEquals(format_callback(work), "work()");
  assertEquals(format_callback(work.bind(null)), "work()");
  assertEquals(format_callback(() => {}), "<lambda>()");
  assertEquals(
    format_callback(work, [1, "a".repeat(50)]),
    "work(1, 'aaaaaaaaaaaa...aaaaaaaaaaaaa')",
  );
});

Deno.test("type names are those of a value's class", () => {
  const named = [null, undefined, 1, "a", [], {}, new Map(), Object.create(null)].map(type_name);
  assertEquals(named, [
    "null",
    "undefined",
    "number",
    "string",
    "Array",
    "Object",
    "Map",
    "object",
  ]);
});

Deno.test("a stack is where the caller is, without the message", () => {
  function caller() {
    return extract_stack(caller);
  }
  const [first = ""] = caller().split("\n");
  assert(first.includes("format_helpers_test.ts"), first);
});

Deno.test("format_place: the file and the line of the first frame, as V8 and as other engines write it", () => {
  assertEquals(
    format_place("    at f (file:///a/c.ts:7:3)\n    at g (x.ts:1:1)"),
    "file:///a/c.ts:7",
  );
  assertEquals(format_place("    at file:///a/c.ts:7:3"), "file:///a/c.ts:7");
  assertEquals(format_place("f@http://host:80/c.js:7:3"), "http://host:80/c.js:7");
  assertEquals(format_place("    at <anonymous>"), "at <anonymous>");
});

Deno.test("is_class: classes and built-in constructors, but no function", () => {
  for (const value of [class {}, Map, Error, asyncio.Task]) assert(is_class(value));
  for (const value of [function () {}, () => {}, async () => {}, function* () {}, {}, null]) {
    assert(!is_class(value));
  }
});

Deno.test("Inspectable, make_inspectable: the text in consoles and in JSON", () => {
  class Derived extends Inspectable {
    override toString(): string {
      return "<Shown>";
    }
  }
  class Given {
    toString(): string {
      return "<Shown>";
    }
  }
  make_inspectable(Given);
  for (const shown of [new Derived(), new Given()]) {
    assertEquals(JSON.stringify({ shown }), '{"shown":"<Shown>"}');
    const methods = shown as unknown as Record<symbol, () => string>;
    assertEquals([methods[deno_inspect]!(), methods[node_inspect]!()], ["<Shown>", "<Shown>"]);
    assertEquals(Object.keys(shown), []);
    const seen: string[] = [];
    for (const key in shown) seen.push(key);
    assertEquals(seen, []);
  }
});

Deno.test("JSON.stringify: primitives, handles and context variables are their repr", () => {
  const variable = new asyncio.ContextVar("level");
  const loop = new VirtualClockEventLoop();
  const objects = [
    new asyncio.Queue(),
    new asyncio.Lock(),
    new asyncio.ConcurrentFuture(),
    loop.call_soon(() => {}),
    loop.call_later(1, () => {}),
    variable,
    asyncio.copy_context(),
    asyncio.copy_context().run(() => variable.set(1)),
  ];
  loop.close();
  for (const object of objects) {
    assertEquals(JSON.stringify(object), JSON.stringify(String(object)));
  }
});

Deno.test("JSON.stringify: tasks, futures, coroutines and managers are their repr", () =>
  asyncio.run(async () => {
    const task = asyncio.create_task(asyncio.sleep(1), { name: "t" });
    const coroutine = asyncio.sleep(1, null);
    const objects = [
      task,
      asyncio.gather(task),
      coroutine,
      new asyncio.TaskGroup(),
      asyncio.timeout(1),
      asyncio.get_running_loop(),
    ];
    for (const object of objects) {
      assertEquals(JSON.stringify({ object }), `{"object":${JSON.stringify(String(object))}}`);
    }
    assertEquals(
      JSON.stringify(task),
      `"<Task pending name='t' coro=<sleep()> cb=[gather.<locals>._done_callback()]>"`,
    );
    coroutine.close();
    await task;
  }, { loop_factory: () => new VirtualClockEventLoop() }));

Deno.test("Task, Handle: functions whose name is no string can be run and shown", async () => {
  await asyncio.run(async () => {
    for (const value of [undefined, null, 5, {}]) {
      const named = <F extends object>(fn: F): F => Object.defineProperty(fn, "name", { value });
      const shown = value ? String(value) : "<lambda>";
      const task = asyncio.create_task(named(() => asyncio.sleep(0)), { name: "T" });
      assertEquals(String(task), `<Task pending name='T' coro=<${shown}()>>`);
      await asyncio.wait_for(task, 1);
      const handle = asyncio.get_running_loop().call_soon(named(() => {}));
      assertEquals(String(handle), `<Handle ${shown}()>`);
      assertEquals(repr(named(() => {})), `<function ${shown}>`);
      assertEquals(await asyncio.gather(named(() => asyncio.sleep(0, 1))), [1]);
    }
  });
});
