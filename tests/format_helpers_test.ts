/** How values, callbacks and classes are shown. */

import { assert, assertEquals } from "@std/assert";
import * as asyncio from "../mod.ts";
import {
  deno_inspect,
  extract_stack,
  format_callback,
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
  table.self = table;
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
  assertEquals(methods[deno_inspect](), String(queue));
  assertEquals(methods[node_inspect](), String(queue));
});

Deno.test("a callback is shown as a call", () => {
  function work() {}
  assertEquals(format_callback(work), "work()");
  assertEquals(format_callback(work.bind(null)), "work()");
  assertEquals(format_callback(() => {}), "<lambda>()");
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
  const [first] = caller().split("\n");
  assert(first.includes("format_helpers_test.ts"), first);
});
