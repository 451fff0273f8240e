/** The errors: their families, names and messages; exception groups and how they are taken apart and shown. */

import { assert, assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import * as asyncio from "../mod.ts";

const { BaseExceptionGroup, CancelledError, ExceptionGroup } = asyncio;

/** A group as nested arrays of what its exceptions are. */
function shape(error: unknown): unknown {
  if (!(error instanceof BaseExceptionGroup)) return error === null ? null : String(error);
  return [error.message, ...error.exceptions.map(shape)];
}

const nested = () =>
  new ExceptionGroup("outer", [
    new TypeError("a"),
    new ExceptionGroup("inner", [new TypeError("b"), new RangeError("c")]),
    new RangeError("d"),
  ]);

Deno.test("cancellation and interrupt are base exceptions, the others are not", () => {
  for (const error of [new CancelledError(), new asyncio.KeyboardInterrupt()]) {
    assert(error instanceof asyncio.BaseException && error instanceof Error);
  }
  for (const kind of [asyncio.TimeoutError, asyncio.InvalidStateError, asyncio.RuntimeError]) {
    const error: Error = new kind("message");
    assert(error instanceof Error && !(error instanceof asyncio.BaseException));
  }
  assert(new asyncio.ValueError() instanceof RangeError);
  assert(new asyncio.BrokenBarrierError() instanceof asyncio.RuntimeError);
  assert(new asyncio.DeadlockError() instanceof asyncio.RuntimeError);
});

Deno.test("errors have the name of their class, also those derived from them", () => {
  class Stop extends CancelledError {}
  assertEquals(String(new Stop("now")), "Stop: now");
  assertEquals(String(new asyncio.TimeoutError()), "TimeoutError");
  assertEquals(String(new asyncio.QueueShutDown("closed")), "QueueShutDown: closed");
  assertEquals(new asyncio.StopAsyncIteration().name, "StopAsyncIteration");
});

Deno.test("a base exception keeps its arguments", () => {
  const data = { reason: 1 };
  assertEquals(new CancelledError().args, []);
  assertEquals(new CancelledError().message, "");
  assertEquals(new CancelledError(data, 2).args, [data, 2]);
  assertEquals(new CancelledError(5).message, "5");
});

Deno.test("a cancellation that the library makes is an error as any other", async () => {
  for (
    const [args, message] of [
      [[], ""],
      [["enough"], "enough"],
      [[""], ""],
      [[5], "5"],
    ] as const
  ) {
    const task = asyncio.create_task(asyncio.sleep(60));
    task.cancel(...args);
    const error = await assertRejects(async () => await task, CancelledError);
    assertEquals(error.args, [...args]);
    assertEquals(error.message, message);
    assertEquals(String(error), message === "" ? "CancelledError" : `CancelledError: ${message}`);
    assert(
      error instanceof asyncio.BaseException &&
        Object.prototype.toString.call(error) === "[object Error]",
    );
    assertEquals(structuredClone(error).message, message);
  }
});

Deno.test("the errors of streams know what was read", () => {
  const partial = new Uint8Array([1, 2]);
  const incomplete = new asyncio.IncompleteReadError(partial, 8);
  assertEquals(incomplete.message, "2 bytes read on a total of 8 expected bytes");
  assertEquals([incomplete.partial, incomplete.expected], [partial, 8]);
  assertEquals(
    new asyncio.IncompleteReadError(partial, null).message,
    "2 bytes read on a total of undefined expected bytes",
  );
  assertEquals(new asyncio.LimitOverrunError("too long", 9).consumed, 9);
});

Deno.test("a group has a message and at least one exception", () => {
  const errors = [new TypeError("a"), "thrown string"];
  const group = new ExceptionGroup("message", errors);
  assert(group instanceof AggregateError && group instanceof BaseExceptionGroup);
  assertEquals([group.message, group.exceptions, group.errors], ["message", errors, errors]);
  assertThrows(() => new ExceptionGroup("none", []), asyncio.ValueError, "non-empty sequence");
  assertThrows(() => new ExceptionGroup(1 as never, errors), TypeError, "must be a string");
});

Deno.test("a base group of ordinary errors only is an ordinary group", () => {
  assert(new BaseExceptionGroup("m", [new TypeError()]) instanceof ExceptionGroup);
  const mixed = new BaseExceptionGroup("m", [new TypeError(), new CancelledError()]);
  assert(!(mixed instanceof ExceptionGroup));
  assertEquals(mixed.name, "BaseExceptionGroup");
  assertThrows(
    () => new ExceptionGroup("m", [new CancelledError()]),
    TypeError,
    "Cannot nest BaseExceptions in an ExceptionGroup",
  );
  assertThrows(() => new ExceptionGroup("m", [mixed]), TypeError);
});

Deno.test("split takes a class, several, or a predicate, and keeps the shape", () => {
  const types = ["outer", "TypeError: a", ["inner", "TypeError: b"]];
  const ranges = ["outer", ["inner", "RangeError: c"], "RangeError: d"];
  assertEquals(nested().split(TypeError).map(shape), [types, ranges]);
  assertEquals(nested().split([RangeError, SyntaxError]).map(shape), [ranges, types]);
  assertEquals(
    nested().split((error: Error) => error.message === "c").map(shape),
    [
      ["outer", ["inner", "RangeError: c"]],
      ["outer", "TypeError: a", ["inner", "TypeError: b"], "RangeError: d"],
    ],
  );
});

Deno.test("a group that is selected whole is itself, one that is not is null", () => {
  const group = nested();
  const [all, none] = group.split(Error);
  assert(all === group && none === null);
  const [nothing, rest] = group.split(SyntaxError);
  assertEquals(nothing, null);
  assertEquals(shape(rest), shape(group));
  assert(group.subgroup(ExceptionGroup) === group);
  assertEquals(group.subgroup(SyntaxError), null);
  assertEquals(shape(group.subgroup(RangeError)), shape(group.split(RangeError)[0]));
});

Deno.test("a predicate is asked about inner groups too, and takes them whole", () => {
  const inner = (error: Error) => error instanceof BaseExceptionGroup && error.message === "inner";
  assertEquals(nested().split(inner).map(shape), [
    ["outer", ["inner", "TypeError: b", "RangeError: c"]],
    ["outer", "TypeError: a", "RangeError: d"],
  ]);
});

Deno.test("the parts of a split keep the cause and are ordinary groups if they can be", () => {
  const group = new BaseExceptionGroup("m", [new TypeError("a"), new CancelledError()]);
  group.cause = new Error("cause");
  const [cancelled, rest] = group.split(CancelledError);
  assert(cancelled?.cause === group.cause && rest?.cause === group.cause);
  assert(!(cancelled instanceof ExceptionGroup) && rest instanceof ExceptionGroup);
});

Deno.test("derive makes the parts of a group of one's own kind", () => {
  class Numbered extends ExceptionGroup {
    constructor(message: string, exceptions: Iterable<unknown>, readonly code: number) {
      super(message, exceptions);
    }
    override derive(exceptions: Iterable<unknown>): Numbered {
      return new Numbered(this.message, exceptions, this.code);
    }
  }
  const [types, rest] = new Numbered("m", [new TypeError("a"), new RangeError("b")], 7)
    .split(TypeError);
  assert(types instanceof Numbered && rest instanceof Numbered);
  assertEquals([types, rest].map((part) => (part as Numbered).code), [7, 7]);
});

Deno.test("what is no condition is a type error", () => {
  for (const condition of [1, "TypeError", null, [TypeError, 1]]) {
    assertThrows(
      () => nested().split(condition as never),
      TypeError,
      "expected an exception type, an array of exception types, or a function (other than a class)",
    );
  }
});

Deno.test("a group is shown as a tree with its causes", () => {
  const group = nested();
  assertEquals(String(group), "ExceptionGroup: outer (3 sub-exceptions)");
  assertEquals(
    String(new ExceptionGroup("m", [new Error()])),
    "ExceptionGroup: m (1 sub-exception)",
  );
  group.cause = new SyntaxError("cause");
  const shown = Deno.inspect(group).split("\n").filter((line) => !/^[│ ]*at /.test(line));
  assertEquals(shown, [
    "ExceptionGroup: outer (3 sub-exceptions)",
    "├─ TypeError: a",
    "├─ ExceptionGroup: inner (2 sub-exceptions)",
    "│  ├─ TypeError: b",
    "│  └─ RangeError: c",
    "└─ RangeError: d",
    "Caused by: SyntaxError: cause",
  ]);
  assertMatch(Deno.inspect(group), /exceptions_test\.ts/);
});
