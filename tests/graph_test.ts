/** The call graph: beside CPython's of the same programs, recorded by scripts/record_graphs.ts. */

import { assert, assertEquals, assertThrows } from "@std/assert";
import * as asyncio from "../mod.ts";
import { VirtualClockEventLoop } from "../testing.ts";
import { child } from "./child.ts";
import { ASYNC, GENERATORS, type Show } from "./graph/programs.ts";

type Walked = [label: string, call_stack: string[], awaited_by: Walked[]];

interface Shown {
  graph: Walked;
  /** `null` where CPython's has functions of its own, or several that await in an arbitrary order. */
  text: string | null;
}

const EXPECTED: Record<string, Shown[]> = JSON.parse(
  await Deno.readTextFile(new URL("./graph/expected.json", import.meta.url)),
);

/** The name of a function without its class, as Python's `co_name`. */
const bare = (name: string) => name.replace(/^.*\./, "");

function label(future: asyncio.Future<unknown>): string {
  if (!(future instanceof asyncio.Task)) return "F";
  const name = future.get_name();
  return name.includes("-") ? "T" : `T ${name}`;
}

// What CPython has no function for: the blocks of async_with() and their bodies.
const IN_BLOCK = ["async_with", "<lambda>"];

function walk({ future, call_stack, awaited_by }: asyncio.FutureCallGraph): Walked {
  return [
    label(future),
    call_stack.map(({ name }) => bare(name)).filter((name) => !IN_BLOCK.includes(name)),
    awaited_by.map(walk).sort((one, other) => one[0] < other[0] ? -1 : 1),
  ];
}

function text_of(text: string): string {
  return text.replaceAll(/File '[^']*', line \d+, in /g, "").replaceAll(/\w+\.(?=\w+\(\))/g, "")
    .replaceAll(/'Task-\d+'/g, "'Task'").split("\n")
    .filter((line) => !IN_BLOCK.some((name) => line.includes(`${name}()`))).join("\n");
}

async function check(name: string, program: (show: Show) => Promise<void>, debug: boolean) {
  const shown: Shown[] = [];
  function show(future: asyncio.Future<unknown> | null = null, { depth = 1, ...options } = {}) {
    const all = { ...options, depth: depth + 1 };
    const graph = asyncio.capture_call_graph(future, all);
    shown.push({
      graph: walk(graph as asyncio.FutureCallGraph),
      text: text_of(asyncio.format_call_graph(future, all)),
    });
  }
  const main = asyncio.coroutine(program);
  await asyncio.run(main(show), { debug, loop_factory: () => new VirtualClockEventLoop() });
  const expected = EXPECTED[name] ?? [];
  assertEquals(shown.map(({ graph }) => graph), expected.map(({ graph }) => graph));
  expected.forEach(({ text }, index) => {
    if (text !== null) assertEquals(shown[index]?.text, text);
  });
}

for (const [name, program] of Object.entries(ASYNC)) {
  Deno.test(`capture_call_graph, format_call_graph: ${name}, as CPython's, of async functions in debug mode`, async () => {
    await check(name, program, true);
  });
}

for (const [name, program] of Object.entries(GENERATORS)) {
  for (const debug of [false, true]) {
    Deno.test(`capture_call_graph, format_call_graph: ${name}, as CPython's, of generators${debug ? " in debug mode" : ""}`, async () => {
      await check(name, program, debug);
    });
  }
}

function names_of(graph: asyncio.FutureCallGraph | null): string[] {
  return graph?.call_stack.map(({ name }) => name) ?? [];
}

Deno.test("capture_call_graph: without debug mode a suspended async function shows the task's function and what it awaits", async () => {
  await asyncio.run(async () => {
    async function inner() {
      await asyncio.sleep(10);
    }
    const task = asyncio.create_task(async function outer() {
      await inner();
    });
    await asyncio.sleep(0);
    assertEquals(names_of(asyncio.capture_call_graph(task)), ["sleep", "outer"]);
    task.cancel();
  }, { debug: false });
});

/** The file and the line in which an error was made. */
function place_of({ stack = "" }: Error): { file: string | null; line: number } {
  const [, file = null, line] = stack.match(/([^\s(]*graph_test\.[^:]*):(\d+):\d+/) ?? [];
  return { file, line: Number(line) };
}

Deno.test("capture_call_graph: debug mode gives files and lines of suspended functions", async () => {
  await asyncio.run(async () => {
    const places: ReturnType<typeof place_of>[] = [];
    async function inner(_: unknown) {
      await asyncio.sleep(10, places.unshift(place_of(new Error())));
    }
    async function outer() {
      await inner(places.unshift(place_of(new Error())));
    }
    const task = asyncio.create_task(outer);
    await asyncio.sleep(0);
    const stack = asyncio.capture_call_graph(task)?.call_stack ?? [];
    assertEquals(stack.map(({ name }) => name), ["sleep", "inner", "outer"]);
    assertEquals(stack.map(({ file, line }) => ({ file, line })), [
      { file: null, line: null },
      ...places,
    ]);
    assert(
      asyncio.format_call_graph(task).includes(
        `File '${places[0]?.file}', line ${places[0]?.line}, in async inner()`,
      ),
    );
    task.cancel();
  }, { debug: true });
});

Deno.test("capture_call_graph: the current task's stack ends where it has been started eagerly", async () => {
  await asyncio.run(async function main() {
    let names: string[] = [];
    const work = async function begun_eagerly() {
      names = names_of(asyncio.capture_call_graph());
      await asyncio.sleep(0);
    };
    await asyncio.create_task(work, { eager_start: true });
    assertEquals(names, ["begun_eagerly"]);
  });
});

Deno.test("capture_call_graph: the current task's stack has what called the caller", async () => {
  await asyncio.run(async function main() {
    let names: string[] = [];
    function inside() {
      names = names_of(asyncio.capture_call_graph());
    }
    function outside() {
      inside();
      return names.length;
    }
    await asyncio.create_task(async function caller() {
      outside();
      await asyncio.sleep(0);
    });
    // In a bundle the library's own functions follow.
    assertEquals(names.slice(0, 3), ["inside", "outside", "caller"]);
  });
});

Deno.test("capture_call_graph: a task that awaits several things shows what it has begun last", async () => {
  await asyncio.run(async () => {
    const task = asyncio.create_task(async function both() {
      await Promise.all([asyncio.sleep(10), new asyncio.Queue().get()]);
    });
    await asyncio.sleep(0);
    assertEquals(names_of(asyncio.capture_call_graph(task)), ["Queue.get", "both"]);
    task.cancel();
  });
});

Deno.test("capture_call_graph: a task that waits for a native promise, and one that is done", async () => {
  await asyncio.run(async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
    const task = asyncio.create_task(async function foreign() {
      await Promise.race([asyncio.sleep(0), promise]);
      begin();
      await promise;
    });
    await begun;
    await new Promise((resolve) => setTimeout(resolve, 0));
    assertEquals(names_of(asyncio.capture_call_graph(task)), ["foreign"]);
    resolve();
    await task;
    assertEquals(names_of(asyncio.capture_call_graph(task)), []);
    assertEquals(asyncio.format_call_graph(task).split("\n").length, 1);
  });
});

Deno.test("capture_call_graph: a generator shows what it waits in now, not what it waited in before", async () => {
  await asyncio.run(async () => {
    const inner = asyncio.coroutine(function* inner() {
      yield* asyncio.sleep(0);
    });
    const future = new asyncio.Future<void>();
    const outer = asyncio.coroutine(function* outer() {
      yield* inner();
      yield* future;
    });
    const task = asyncio.create_task(outer());
    await asyncio.sleep(0);
    assertEquals(names_of(asyncio.capture_call_graph(task)), ["sleep", "inner", "outer"]);
    await asyncio.sleep(0);
    await asyncio.sleep(0);
    assertEquals(names_of(asyncio.capture_call_graph(task)), ["outer"]);
    future.set_result();
    await task;
  });
});

Deno.test("capture_call_graph: staggered_race awaits the tasks that it has started", async () => {
  await asyncio.run(async function main() {
    let awaited_by: asyncio.FutureCallGraph[] = [];
    await asyncio.staggered_race([async () => {
      await asyncio.sleep(0);
      awaited_by = [...asyncio.capture_call_graph()?.awaited_by ?? []];
    }], null);
    assertEquals(awaited_by.map(({ future }) => future), [asyncio.current_task()!]);
  });
});

Deno.test("capture_call_graph: tasks that wait for each other end the graph", async () => {
  await asyncio.run(async () => {
    const tasks: asyncio.Task<void>[] = [];
    const wait_for_other = (index: number) => async () => {
      await tasks[index];
    };
    tasks.push(
      asyncio.create_task(wait_for_other(1), { name: "a" }),
      asyncio.create_task(wait_for_other(0), { name: "b" }),
    );
    await asyncio.sleep(0);
    const graph = asyncio.capture_call_graph(tasks[0]);
    assertEquals(graph?.awaited_by.map(({ future }) => future), [tasks[1]!]);
    assertEquals(graph?.awaited_by[0]?.awaited_by, []);
    for (const task of tasks) task.cancel();
  });
});

Deno.test("capture_call_graph: no task, no loop, no future", async () => {
  assertThrows(
    () => asyncio.capture_call_graph(),
    asyncio.RuntimeError,
    "capture_call_graph() is called outside of a running event loop and no *future* to introspect was provided",
  );
  assertThrows(
    () => asyncio.capture_call_graph(Promise.resolve() as never),
    TypeError,
    "object does not appear to be compatible with asyncio.Future",
  );
  assertThrows(
    () => asyncio.capture_call_graph({ limits: 1 } as never),
    TypeError,
    "capture_call_graph() got an unexpected option 'limits'",
  );
  await asyncio.run(async () => {
    const result = new asyncio.Future<unknown>();
    asyncio.get_running_loop().call_soon(() => {
      result.set_result([asyncio.capture_call_graph(), asyncio.format_call_graph()]);
    });
    assertEquals(await result, [null, ""]);
  });
});

Deno.test("print_call_graph: writes to a file, by default to the console", async () => {
  const written: string[] = [];
  const future = new asyncio.Future<void>();
  asyncio.print_call_graph(future, { file: { write: (text) => written.push(text) } });
  assertEquals(written, ["* Future()\n"]);
  const { stdout } = await child(`
    await asyncio.run(async function main() {
      asyncio.print_call_graph({ limit: 0 });
    });`);
  assertEquals(stdout.map((line) => line.replace(/\d+/, "1")), ["* Task(name='Task-1')"]);
});
