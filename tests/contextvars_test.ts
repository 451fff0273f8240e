/** Context variables: contexts, tokens, and who sees what was set. */

import { assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import * as asyncio from "../mod.ts";
import { check_context } from "../src/core/contextvars.ts";
import { repr } from "../src/internal/format_helpers.ts";
import { run_plain as run } from "./virtual_time.ts";

/** Calls `fn` where no variable is set, and where what it sets is gone afterwards. */
const in_new_context = (fn: () => void) => () => new asyncio.Context().run(fn);

Deno.test(
  "a variable without a value gives the fallback, else the default, else throws",
  in_new_context(() => {
    const bare = new asyncio.ContextVar<number>("bare");
    const with_default = new asyncio.ContextVar("with_default", { default: 1 });
    assertThrows(() => bare.get(), asyncio.LookupError, "<ContextVar name='bare'>");
    assertEquals([bare.get(5), with_default.get(), with_default.get(5)], [5, 1, 5]);
    assertEquals(bare.get(null), null);
    assertEquals(bare.get(undefined), undefined);
    assertEquals(new asyncio.ContextVar("u", { default: undefined }).get(), undefined);
    bare.set(0);
    assertEquals(bare.get(5), 0);
  }),
);

Deno.test(
  "a token gives the old value back, once",
  in_new_context(() => {
    const variable = new asyncio.ContextVar<number | undefined>("variable");
    const first = variable.set(1);
    const second = variable.set(2);
    assertStrictEquals(first.var, variable);
    assertStrictEquals(first.old_value, asyncio.Token.MISSING);
    assertEquals(second.old_value, 1);
    variable.reset(second);
    assertEquals(variable.get(), 1);
    variable.reset(first);
    assertEquals(variable.get(-1), -1);
    assertThrows(
      () => variable.reset(first),
      asyncio.RuntimeError,
      "<Token used var=<ContextVar name='variable'>> has already been used once",
    );
    variable.set(undefined);
    assertEquals(variable.get(-1), undefined);
  }),
);

Deno.test(
  "a token is refused by another variable, another context, and what is no token by all",
  in_new_context(() => {
    const variable = new asyncio.ContextVar<number>("variable");
    const other = new asyncio.ContextVar<number>("other");
    const token = variable.set(1);
    assertThrows(
      () => other.reset(token),
      asyncio.ValueError,
      "<Token var=<ContextVar name='variable'>> was created by a different ContextVar",
    );
    assertThrows(
      () => asyncio.copy_context().run(() => variable.reset(token)),
      asyncio.ValueError,
      "was created in a different Context",
    );
    assertThrows(
      () => variable.reset(3 as never),
      TypeError,
      "expected an instance of Token, got 3",
    );
    variable.reset(token);
  }),
);

Deno.test(
  "using a token undoes the set at the end of the block, also after an error",
  in_new_context(() => {
    const variable = new asyncio.ContextVar("variable", { default: "outside" });
    {
      using token = variable.set("inside");
      assertEquals([variable.get(), token.old_value], ["inside", asyncio.Token.MISSING]);
    }
    assertEquals(variable.get(), "outside");
    assertThrows(
      () => {
        using _ = variable.set("inside");
        throw new Error("out");
      },
      Error,
      "out",
    );
    assertEquals(variable.get(), "outside");
    assertThrows(
      () => {
        using token = variable.set("inside");
        variable.reset(token);
      },
      asyncio.RuntimeError,
      "has already been used once",
    );
  }),
);

Deno.test(
  "a copy of a context keeps what was set before, and neither sees what the other sets later",
  in_new_context(() => {
    const variable = new asyncio.ContextVar<number>("variable");
    variable.set(1);
    const copy = asyncio.copy_context();
    const copy_of_copy = copy.copy();
    variable.set(2);
    copy.run(() => variable.set(3));
    assertEquals([variable.get(), copy.get(variable), copy_of_copy.get(variable)], [2, 3, 1]);
  }),
);

Deno.test(
  "a context is a mapping of its variables",
  in_new_context(() => {
    const a = new asyncio.ContextVar<number>("a");
    const b = new asyncio.ContextVar("b", { default: 1 });
    a.set(5);
    const context = asyncio.copy_context();
    assertEquals([context.has(a), context.has(b), context.size], [true, false, 1]);
    assertEquals([context.get(a), context.get(b), context.get(b, 7)], [5, null, 7]);
    assertStrictEquals([...context][0], a);
    assertEquals([...context.values()], [5]);
    assertStrictEquals([...context.keys()][0], a);
    assertEquals([...context.items()].map(([variable, value]) => [variable.name, value]), [[
      "a",
      5,
    ]]);
    assertThrows(
      () => context.has(3 as never),
      TypeError,
      "a ContextVar key was expected, got 3",
    );
    assertEquals(new asyncio.Context().size, 0);
  }),
);

Deno.test("run passes arguments, the result and the error", () => {
  const context = new asyncio.Context();
  assertEquals(context.run((a: number, b: string) => [a, b], 1, "x"), [1, "x"]);
  assertThrows(() =>
    context.run(() => {
      throw new RangeError("out");
    }), RangeError);
  assertEquals(context.run(() => 3), 3);
});

Deno.test("contexts nest, but none may be entered twice at the same time", () => {
  const variable = new asyncio.ContextVar("variable", { default: 0 });
  const [outer, inner] = [new asyncio.Context(), new asyncio.Context()];
  const seen = outer.run(() => {
    variable.set(1);
    const deep = inner.run(() => {
      variable.set(2);
      assertThrows(
        () => outer.run(() => {}),
        asyncio.RuntimeError,
        "cannot enter context: <Context object> is already entered",
      );
      return variable.get();
    });
    return [deep, variable.get()];
  });
  assertEquals([...seen, variable.get()], [2, 1, 0]);
});

Deno.test("ContextVar: a name must be a string, and options must be known", () => {
  for (const name of [3, null, undefined, {}]) {
    const text = "context variable name must be a string";
    assertThrows(() => new asyncio.ContextVar(name as never), TypeError, text);
  }
  assertThrows(() => new asyncio.ContextVar("x", { defualt: 1 } as never), TypeError, "'defualt'");
});

Deno.test("ContextVar.name, Token.var, Token.old_value: they cannot be assigned to", () => {
  const variable = new asyncio.ContextVar("x", { default: 1 });
  const token = asyncio.copy_context().run(() => variable.set(2));
  for (const [object, key] of [[variable, "name"], [token, "var"], [token, "old_value"]] as const) {
    assertThrows(() => Reflect.apply(assign, null, [object, key]), TypeError);
  }
  assertEquals([variable.name, token.var, token.old_value], ["x", variable, asyncio.Token.MISSING]);
});

function assign(object: Record<string, unknown>, key: string): void {
  object[key] = "other";
}

Deno.test("Context.get, has: a key that is no variable", () => {
  const context = asyncio.copy_context();
  for (const key of ["x", 5, null, undefined, { name: "x" }]) {
    const text = `a ContextVar key was expected, got ${repr(key)}`;
    assertThrows(() => context.get(key as never), TypeError, text);
    assertThrows(() => context.get(key as never, 1), TypeError, text);
    assertThrows(() => context.has(key as never), TypeError, text);
  }
});

Deno.test("Context.run: what is no function is refused, and the context is not entered", () => {
  const context = asyncio.copy_context();
  assertThrows(() => context.run(5 as never), TypeError, "number is not a function");
  assertEquals(context.run(() => 1), 1);
});

Deno.test("Token: only a variable makes one", () => {
  assertThrows(
    () => new (asyncio.Token as unknown as new () => unknown)(),
    asyncio.RuntimeError,
    "Tokens can only be created by ContextVars",
  );
});

Deno.test("check_context: what is no Context is refused with the function's name", () => {
  check_context("create_task", asyncio.copy_context());
  for (const value of [{}, { user: "x" }, 5, "x", null, undefined]) {
    assertThrows(
      () => check_context("create_task", value),
      TypeError,
      `Cannot call create_task(): context must be a Context: received ${repr(value)}`,
    );
  }
});

Deno.test(
  "repr is CPython's, without addresses",
  in_new_context(() => {
    const variable = new asyncio.ContextVar("variable", { default: "x" });
    assertEquals(String(variable), "<ContextVar name='variable' default='x'>");
    assertEquals(
      String(variable.set("y")),
      "<Token var=<ContextVar name='variable' default='x'>>",
    );
    assertEquals(Deno.inspect(new asyncio.ContextVar("bare")), "<ContextVar name='bare'>");
    assertEquals(Deno.inspect(new asyncio.Context()), "<Context object>");
  }),
);

Deno.test("a task runs in a copy of its creator's context, as it was at the creation", () =>
  run(async () => {
    const variable = new asyncio.ContextVar("variable", { default: 0 });
    variable.set(1);
    const task = asyncio.create_task(async () => {
      const at_start = variable.get();
      variable.set(10);
      await asyncio.sleep(0);
      return [at_start, variable.get()];
    });
    variable.set(2);
    assertEquals(await task, [1, 10]);
    assertEquals(variable.get(), 2);
    assertEquals(task.get_context().get(variable), 10);
  }));

Deno.test("many tasks at once each keep their own value across every kind of await", () =>
  run(async () => {
    const variable = new asyncio.ContextVar<number>("variable");
    const inner = async () => {
      await asyncio.sleep(0);
      await Promise.resolve();
      return variable.get();
    };
    const work = (id: number) => async () => {
      variable.set(id);
      await asyncio.sleep(1);
      const seen = [variable.get()];
      await new Promise((resolve) => setTimeout(resolve, id % 3));
      seen.push(variable.get(), await inner(), ...await Promise.all([inner(), inner()]));
      return new Set(seen);
    };
    const results = await asyncio.gather(Array.from({ length: 20 }, (_, id) => work(id)));
    assertEquals(results, results.map((_, id) => new Set([id])));
  }));

Deno.test("a generator's task keeps its own values, too", () =>
  run(async () => {
    const variable = new asyncio.ContextVar<number>("variable", { default: -1 });
    const work = (id: number) =>
      function* () {
        variable.set(id);
        yield* asyncio.sleep(1);
        return variable.get();
      };
    assertEquals(await asyncio.gather(work(1), work(2)), [1, 2]);
    assertEquals(variable.get(), -1);
  }));

Deno.test("what an awaited coroutine sets is seen by who awaits it; what a task sets is not", () =>
  run(async () => {
    const variable = new asyncio.ContextVar("variable", { default: "none" });
    const set = asyncio.coroutine(async (value: string) => {
      await asyncio.sleep(0);
      variable.set(value);
    });
    await set("coroutine");
    assertEquals(variable.get(), "coroutine");
    await asyncio.create_task(set("task"));
    await asyncio.gather(set("gather"));
    assertEquals(variable.get(), "coroutine");
    await asyncio.wait_for(set("wait_for"), 1);
    assertEquals(variable.get(), "wait_for");
    await asyncio.async_with(asyncio.timeout(1), () => set("timeout"));
    assertEquals(variable.get(), "timeout");
  }));

Deno.test("a task can be given a context, which it then changes", () =>
  run(async () => {
    const variable = new asyncio.ContextVar("variable", { default: 0 });
    const context = asyncio.copy_context();
    const task = asyncio.create_task(async () => {
      variable.set(1);
      await asyncio.sleep(0);
      variable.set(variable.get() + 1);
      assertThrows(() => context.run(() => {}), asyncio.RuntimeError, "already entered");
    }, { context });
    assertStrictEquals(task.get_context(), context);
    await task;
    assertEquals([context.get(variable), variable.get()], [2, 0]);
    const next = asyncio.create_task(async () => await asyncio.sleep(0, variable.get()), {
      context,
    });
    assertEquals(await next, 2);
  }));

Deno.test("a context stays entered only while its code runs", () =>
  run(async () => {
    const variable = new asyncio.ContextVar("variable", { default: 0 });
    const context = new asyncio.Context();
    const task = asyncio.create_task(async () => {
      await asyncio.sleep(1);
      return variable.get();
    }, { context });
    await asyncio.sleep(0);
    context.run(() => variable.set(4));
    assertEquals(await task, 4);
  }));

Deno.test("callbacks run in a copy of the context that scheduled them, or in the given one", () =>
  run(async () => {
    const variable = new asyncio.ContextVar("variable", { default: "none" });
    const loop = asyncio.get_running_loop();
    const given = new asyncio.Context();
    given.run(() => variable.set("given"));
    const seen: string[] = [];
    const look = (how: string) => {
      seen.push(`${how} ${variable.get()}`);
      variable.set("from a callback");
    };
    variable.set("scheduled");
    loop.call_soon(look, "soon");
    loop.call_later(1, look, "later");
    const handle = loop.call_soon(look, "soon", { context: given });
    loop.call_at(2, look, "at", { context: given });
    variable.set("afterwards");
    await asyncio.sleep(3);
    assertStrictEquals(handle.get_context(), given);
    assertEquals(seen, [
      "soon scheduled",
      "soon given",
      "later scheduled",
      "at from a callback",
    ]);
    assertEquals(variable.get(), "afterwards");
  }));

Deno.test("gather's coroutines each get a copy of the context", () =>
  run(async () => {
    const variable = new asyncio.ContextVar("variable", { default: 0 });
    const add = async () => {
      variable.set(variable.get() + 1);
      await asyncio.sleep(0);
      return variable.get();
    };
    assertEquals(await asyncio.gather(add, add, add), [1, 1, 1]);
  }));

Deno.test("what run()'s main sets does not leak out of run()", async () => {
  const variable = new asyncio.ContextVar("variable", { default: "outside" });
  await run(() => variable.set("inside"));
  assertEquals(variable.get(), "outside");
});

Deno.test("an error leaves a value that was set in a task as it is", () =>
  run(async () => {
    const variable = new asyncio.ContextVar("variable", { default: 0 });
    const fail = async () => {
      variable.set(1);
      await asyncio.sleep(0);
      throw new Error("bad");
    };
    await assertRejects(async () => await fail(), Error, "bad");
    assertEquals(variable.get(), 1);
  }));

Deno.test("ten thousand copies of a context of ten thousand variables can be made", () =>
  in_new_context(() => {
    const variables = Array.from({ length: 10_000 }, (_, i) => new asyncio.ContextVar(`v${i}`));
    variables.forEach((variable, i) => variable.set(i));
    const copies = Array.from({ length: 10_000 }, () => asyncio.copy_context());
    assertEquals(copies[9_999]!.get(variables[5]!), 5);
  })());
