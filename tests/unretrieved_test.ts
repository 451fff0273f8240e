/** Errors of futures that nothing has retrieved: when they are reported, and how. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import * as asyncio from "../mod.ts";
import { child } from "./child.ts";

/** Collects garbage until the host has said so of all that a test counts; in vain at most some seconds. */
const COLLECT = `
  const collect = async (has_all) => {
    for (let i = 0; i < 1000 && !has_all(); i++) {
      await new Promise((done) => setTimeout(done, 5));
      gc();
    }
  };`;

const FAIL = `
  async function work() { throw new TypeError("lost"); }
  const task = asyncio.create_task(work);
  const failed = () => asyncio.wait([task]);`;

const ENDS: Record<string, string> = {
  "by itself": "",
  "in the same turn of the host":
    "await asyncio.sleep(0); await asyncio.sleep(0); process.exit(0);",
  "by Deno.exit()": "await failed(); Deno.exit(0);",
  "by process.exit()": "await failed(); process.exit(0);",
  "by an uncaught error": `await failed(); throw new Error("the end");`,
};

for (const [end, program] of Object.entries(ENDS)) {
  Deno.test(`create_task: an error that nothing retrieved is reported when the program ends ${end}`, async () => {
    const { stderr } = await child(FAIL + program);
    const said = stderr.join("\n");
    // Bun says the uncaught error before, and shows the code at its place.
    assertMatch(
      said,
      /^Task exception was never retrieved: task 'Task-1' of work\(\)\n[^]*TypeError: lost\n +at work/m,
    );
    assertEquals(said.split("never retrieved").length, 2);
  });
}

Deno.test("create_task: an error that is retrieved late is not reported", async () => {
  const { stderr, stdout } = await child(`
    const task = asyncio.create_task(async () => { throw new TypeError("found"); });
    await asyncio.wait([task]);
    await new Promise((done) => setTimeout(done, 20));
    console.log(String(task.exception()));`);
  assertEquals([stdout, stderr], [["TypeError: found"], []]);
});

Deno.test("create_task: errors are reported once the task is collected, whatever they refer to", async () => {
  const { stdout, stderr } = await child(
    `${COLLECT}
    const reported = [];
    asyncio.get_event_loop().set_exception_handler((_, { exception, message, description }) =>
      reported.push([message, description, exception]));
    class WorkError extends Error { name = "WorkError"; code = 7; }
    const failing = {
      plain: () => new WorkError("plain"),
      with_task: () => Object.assign(new WorkError("with_task"), { task: asyncio.current_task() }),
      with_cause: () => new WorkError("with_cause", { cause: new Error("why", { cause: asyncio.current_task() }) }),
      of_a_group: () => new asyncio.ExceptionGroup("of_a_group", [new WorkError("member")]),
      dom: () => new DOMException("dom", "AbortError"),
      object: () => ({ message: "object", task: asyncio.current_task() }),
      text: () => "text",
    };
    for (const [name, make] of Object.entries(failing)) {
      asyncio.create_task(async () => { throw make(); }, { name });
    }
    await collect(() => reported.length === Object.keys(failing).length);
    for (const [message, description, error] of reported.sort((a, b) => a[1] < b[1] ? -1 : 1)) {
      console.log(message, description, error?.constructor.name, error?.message ?? error, error?.code);
      if (error instanceof WorkError && !/WorkError: .*\\n +at /.test(error.stack)) console.log(error.stack);
      if (error.cause) console.log(error.cause.message, error.cause.cause);
      if (error.exceptions) console.log(error.exceptions[0] instanceof WorkError, error.exceptions[0].code);
    }`,
    { collects: true },
  );
  const task = (name: string) => `Task exception was never retrieved task '${name}' of <lambda>()`;
  assertEquals(stdout, [
    `${task("dom")} DOMException dom 20`,
    `${task("object")} Object object undefined`,
    `${task("of_a_group")} ExceptionGroup of_a_group undefined`,
    "true 7",
    `${task("plain")} WorkError plain 7`,
    `${task("text")} String text undefined`,
    `${task("with_cause")} WorkError with_cause 7`,
    "why undefined",
    `${task("with_task")} WorkError with_task 7`,
  ]);
  assertEquals(stderr, []);
});

Deno.test("EventLoop: what is reported on collection is reported with the values of the task's context variables", async () => {
  const { stdout } = await child(
    `${COLLECT}
    const id = new asyncio.ContextVar("id", { default: 0 });
    const user = new asyncio.ContextVar("user", { default: { name: "nobody" } });
    const own = new asyncio.ContextVar("own", { default: null });
    const ada = { name: "ada" };
    let is_reported = false;
    asyncio.get_event_loop().set_exception_handler((_, { exception }) => {
      console.log(String(exception), id.get(), user.get().name, own.get());
      is_reported = true;
    });
    asyncio.create_task(async () => {
      id.set(7);
      user.set(ada);
      own.set(asyncio.current_task()); // is collected all the same
      throw new RangeError("lost");
    });
    await collect(() => is_reported);
    console.log(id.get(), ada.name);`,
    { collects: true },
  );
  assertEquals(stdout, ["RangeError: lost 7 ada null", "0 ada"]);
});

Deno.test("Future.set_exception: an error on an idle loop is reported once the future is collected", async () => {
  const { stdout } = await child(
    `${COLLECT}
    let is_reported = false;
    asyncio.get_event_loop().set_exception_handler((_, { message, exception }) => {
      console.log(message, String(exception));
      is_reported = true;
    });
    (() => new asyncio.Future().set_exception(new RangeError("lost")))();
    await collect(() => is_reported);
    console.log("the program goes on");`,
    { collects: true },
  );
  assertEquals(stdout, [
    "Future exception was never retrieved RangeError: lost",
    "the program goes on",
  ]);
});

Deno.test("EventLoop: an error is reported where the host tells of no collection", async () => {
  const { stderr } = await child(
    FAIL,
    { before: "delete globalThis.FinalizationRegistry; delete globalThis.WeakRef;" },
  );
  assertMatch(
    stderr.join("\n"),
    /^Task exception was never retrieved: task 'Task-1' of work\(\)\n/,
  );
});

Deno.test("EventLoop.close: reports with the very error and the future", () => {
  const loop = new asyncio.EventLoop();
  const contexts: asyncio.ExceptionContext[] = [];
  loop.set_exception_handler((_, context) => contexts.push(context));
  const future = loop.create_future();
  const error = new RangeError("lost");
  future.set_exception(error);
  loop.close();
  assertEquals(contexts.length, 1);
  assert(contexts[0]!.exception === error && contexts[0]!.future === future);
  assertEquals(contexts[0]!.message, "Future exception was never retrieved");
});
