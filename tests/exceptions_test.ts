/** The errors: their families, names and messages; exception groups and how they are taken apart and shown. */

import { assert, assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import * as asyncio from "../mod.ts";
import { DeadlockError } from "../testing.ts";

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
  assert(new DeadlockError() instanceof asyncio.RuntimeError);
});

Deno.test("errors have the name of their class, also those derived from them", () => {
  class Stop extends CancelledError {}
  assertEquals(String(new Stop("now")), "Stop: now");
  assertEquals(String(new asyncio.TimeoutError()), "TimeoutError");
  assertEquals(String(new asyncio.QueueShutDown("closed")), "QueueShutDown: closed");
  assertEquals(new asyncio.StopAsyncIteration().name, "StopAsyncIteration");
});

Deno.test("errors: a subclass can set its name, by assignment or by a field", () => {
  class Assigned extends asyncio.RuntimeError {
    constructor(message: string) {
      super(message);
      this.name = "HttpError";
    }
  }
  class Field extends asyncio.ValueError {
    override name = "FieldError";
  }
  class Getter extends ExceptionGroup {
    override get name(): string {
      return "GetterError";
    }
  }
  assertEquals(String(new Assigned("404")), "HttpError: 404");
  assertEquals(String(new Field("x")), "FieldError: x");
  assertEquals(new Getter("m", [1]).name, "GetterError");
  const error = new asyncio.TimeoutError("late");
  error.name = "Changed";
  assertEquals(String(error), "Changed: late");
  assertEquals(new asyncio.TimeoutError().name, "TimeoutError");
  assert(new Field("x") instanceof asyncio.ValueError);
});

Deno.test("errors: the prototype of an error's own class has its name, where Bun looks for it", () => {
  class Mine extends asyncio.TimeoutError {}
  for (const error of [new Mine(), new asyncio.QueueEmpty(), new asyncio.ValueError(), nested()]) {
    const prototype = Object.getPrototypeOf(error);
    const { value, enumerable } = Object.getOwnPropertyDescriptor(prototype, "name") ?? {};
    assertEquals([value, enumerable], [error.constructor.name, false]);
    assertEquals(Object.keys(error), []);
  }
  assertEquals(Object.hasOwn(RangeError.prototype, "name"), true);
  assertEquals([RangeError.prototype.name, AggregateError.prototype.name], [
    "RangeError",
    "AggregateError",
  ]);
});

Deno.test("errors: the stack begins with the name and the message", () => {
  class Mine extends asyncio.RuntimeError {}
  assertMatch(new Mine("text").stack ?? "", /^Mine: text\n|^(?!Error)/);
  assertMatch(new asyncio.TimeoutError("late").stack ?? "", /^TimeoutError: late\n|^(?!Error)/);
});

Deno.test("errors: `cause` is kept", () => {
  const cause = new Error("cause");
  for (const kind of [asyncio.TimeoutError, asyncio.RuntimeError, asyncio.ValueError]) {
    assert(new kind("m", { cause }).cause === cause);
    assert(!Object.hasOwn(new kind("m"), "cause"));
  }
});

Deno.test("BaseException: an argument that cannot be made a string", () => {
  const argument = Object.create(null);
  const error = new CancelledError(argument);
  assertEquals([error.message, error.args], ["{}", [argument]]);
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

// The texts are those of CPython 3.14, with TypeScript's words for str, tuple and callable.
Deno.test("ExceptionGroup: wrong arguments", () => {
  const make = (...args: unknown[]) => () => new ExceptionGroup(...args as [string, unknown[]]);
  const no_string = "BaseExceptionGroup() argument 1 must be a string, not";
  assertThrows(make(7, [1]), TypeError, `${no_string} number`);
  assertThrows(make(null, [1]), TypeError, `${no_string} null`);
  for (const exceptions of [undefined, null, 7, "text", {}]) {
    assertThrows(
      make("m", exceptions),
      TypeError,
      "second argument (exceptions) must be a sequence",
    );
  }
  const empty = "second argument (exceptions) must be a non-empty sequence";
  assertThrows(make("m", []), asyncio.ValueError, empty);
});

Deno.test("ExceptionGroup: a subclass refuses base exceptions by its own name", () => {
  class Mine extends ExceptionGroup {}
  class MineOfAny extends BaseExceptionGroup {}
  const mixed = [new TypeError(), new CancelledError()];
  const group = new BaseExceptionGroup("m", mixed);
  for (const exceptions of [mixed, [group]]) {
    assertThrows(
      () => new Mine("m", exceptions),
      TypeError,
      "Cannot nest BaseExceptions in 'Mine'",
    );
  }
  assertEquals(new MineOfAny("m", mixed).name, "MineOfAny");
  assert(!(new MineOfAny("m", [new TypeError()]) instanceof ExceptionGroup));
});

Deno.test("BaseExceptionGroup.split, subgroup: derive() must return a group", () => {
  for (const derived of ["no group", null, undefined, new Error(), ExceptionGroup]) {
    class Mine extends ExceptionGroup {
      override derive(): never {
        return derived as never;
      }
    }
    const group = new Mine("m", [new TypeError("a"), new RangeError("b")]);
    const text = "derive must return an instance of BaseExceptionGroup";
    assertThrows(() => group.split(TypeError), TypeError, text);
    assertThrows(() => group.subgroup(TypeError), TypeError, text);
    assertThrows(() => group.split(SyntaxError), TypeError, text);
    assertEquals(group.split(Mine), [group, null]);
    assertEquals(group.subgroup(SyntaxError), null);
  }
});

Deno.test("BaseExceptionGroup.split: a predicate's answer is true as JavaScript takes it, and no promise", () => {
  const group = nested();
  assertEquals(group.split(() => 1 as never), [group, null]);
  assertEquals(group.split(() => "" as never)[0], null);
  assertThrows(
    () => group.split((() => Promise.resolve(false)) as never),
    TypeError,
    "Cannot select from an exception group: the condition must answer at once: received",
  );
  assertThrows(() =>
    group.split(() => {
      throw new SyntaxError("of the predicate");
    }), SyntaxError);
  assertEquals(group.split([]).map(shape), [null, shape(group)]);
});

Deno.test("what is no condition is a type error", () => {
  for (const condition of [1, "TypeError", null, undefined, [TypeError, 1], Object, Map, [Map]]) {
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

Deno.test("OSError: a TimeoutError counts as one, as in CPython", async () => {
  const late = new asyncio.TimeoutError("late");
  assert(late instanceof asyncio.OSError);
  assert(!(late instanceof asyncio.ConnectionError));
  assert(!(new asyncio.ValueError() instanceof asyncio.OSError));
  assert(!(new asyncio.OSError("no") instanceof asyncio.TimeoutError));
  const group = new asyncio.ExceptionGroup("several", [late, new TypeError("a")]);
  assertEquals(group.split(asyncio.OSError)[0]?.exceptions, [late]);
  await asyncio.async_with(asyncio.suppress(asyncio.OSError), () => Promise.reject(late));
});

Deno.test("errors: a structured clone keeps the message and the stack", () => {
  const errors: Error[] = [
    new asyncio.TimeoutError("late"),
    new CancelledError({ any: "value" }),
    new asyncio.KeyboardInterrupt(),
    new asyncio.ExceptionGroup("several", [new TypeError("a"), new asyncio.QueueFull("b")]),
    new asyncio.IncompleteReadError(new Uint8Array(2), 8),
    new asyncio.LimitOverrunError("too long", 64),
    new asyncio.OSError("no"),
    new asyncio.ValueError("value"),
    new asyncio.QueueShutDown(),
  ];
  for (const error of errors) {
    const clone = structuredClone(error);
    assert(clone instanceof Error);
    assertEquals([clone.message, clone.stack], [error.message, error.stack]);
  }
});

Deno.test("errors: a structured clone keeps the cause", () => {
  const clone = structuredClone(
    new asyncio.TimeoutError("late", { cause: new CancelledError("why") }),
  );
  assertEquals((clone.cause as Error).message, "why");
});

class Refuses extends Error {
  override get message(): string {
    throw new RangeError("message");
  }

  override get stack(): string {
    throw new RangeError("stack");
  }
}

class NeedsAnArgument extends Error {
  constructor(response: { status: string }) {
    super(response.status);
  }
}

/** Values that throw when they are looked at. */
function unreadable(): Record<string, unknown> {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  const throws = () => {
    throw new RangeError("trap");
  };
  const handler = { get: throws, has: throws, getPrototypeOf: throws, ownKeys: throws };
  return {
    "a revoked proxy": proxy,
    "a proxy whose handler throws": new Proxy({}, handler),
    "accessors that throw": new Refuses(),
    "a stack that is no text": Object.assign(new Error(), { stack: 5 }),
    "a class whose constructor needs an argument": NeedsAnArgument,
  };
}

for (const [name, value] of Object.entries(unreadable())) {
  Deno.test(`run: what is thrown may be ${name}`, async () => {
    const fails = async () => {
      await asyncio.sleep(0);
      throw value;
    };
    // The very value, wherever it passes through; `assertEquals` would look at it.
    const passes = async (work: () => PromiseLike<unknown>) => {
      let seen: unknown;
      await work().then(() => {}, (error) => {
        seen = error;
      });
      return seen === value;
    };
    const is_member = async (work: () => PromiseLike<unknown>) => {
      let seen: unknown;
      await work().then(() => {}, (error) => {
        seen = error;
      });
      return seen instanceof ExceptionGroup && seen.exceptions[0] === value;
    };
    for (const debug of [false, true]) {
      assert(await passes(() => asyncio.run(fails, { debug })));
      const reports: unknown[] = [];
      const seen = await asyncio.run(async () => {
        asyncio.get_running_loop().set_exception_handler((_, { exception }) => {
          reports.push(exception);
        });
        const group = new asyncio.TaskGroup();
        const controller = new AbortController();
        const results = [
          await passes(() => asyncio.create_task(fails)),
          await passes(() => asyncio.gather(fails, asyncio.sleep(0.001))),
          await passes(() => asyncio.shield(asyncio.create_task(fails))),
          await passes(() => asyncio.wait_for(fails, 1)),
          await passes(() => asyncio.from_promise(fails)),
          await is_member(() => asyncio.async_with(group, fails)),
          await is_member(() =>
            asyncio.async_with(new asyncio.TaskGroup(), async (group) => {
              group.create_task(fails);
              await asyncio.sleep(1);
            })
          ),
          await passes(() => {
            asyncio.get_running_loop().call_soon(() => controller.abort(value));
            const block = asyncio.aborted_by(controller.signal);
            return asyncio.async_with(block, () => asyncio.sleep(1));
          }),
        ];
        asyncio.get_running_loop().call_soon(() => {
          throw value;
        });
        asyncio.create_task(fails);
        await asyncio.sleep(0.001);
        const cancelled = asyncio.create_task(asyncio.sleep(1));
        await asyncio.sleep(0);
        cancelled.cancel(value);
        await asyncio.wait([cancelled]);
        results.push(cancelled.cancelled());
        return results;
      }, { debug });
      // A report of the callback, and one of the task that was never awaited: on its collection or at the run's end.
      const reported = reports.map((exception) => exception === value);
      assertEquals(
        [seen, reported],
        [seen.map(() => true), [true, true]],
        debug ? "in debug mode" : "",
      );
    }
  });

  Deno.test(`repr: a text of ${name}`, () => {
    const queue = new asyncio.Queue<unknown>();
    queue.put_nowait(value);
    assertMatch(String(queue), /^<Queue maxsize=0 _queue=\[.+\] tasks=1>$/);
    const future = new asyncio.Future<unknown>();
    future.set_result(value);
    assertMatch(String(future), /^<Future finished result=.+>$/);
    assert(!(value instanceof asyncio.BaseException));
  });
}
