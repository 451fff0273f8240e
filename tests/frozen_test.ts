/** Hosts whose intrinsics are frozen, as by `node --frozen-intrinsics` and by SES. */

import { assertEquals } from "@std/assert";
import { child } from "./child.ts";

const FREEZE = `
  for (const intrinsic of [Object, Function, Array, Promise, Map, Set, Symbol, Error, TypeError, RangeError, AggregateError]) {
    Object.freeze(intrinsic);
    Object.freeze(intrinsic.prototype);
  }`;

async function run_frozen(program: string): Promise<string[]> {
  const { stdout, stderr } = await child(`${FREEZE}${program}`);
  return [...stdout, ...stderr];
}

Deno.test("Task.cancel, wait_for, TaskGroup: cancellation works with frozen intrinsics", async () => {
  const lines = await run_frozen(`
    const outcome = (work) => asyncio.run(work).then(String, String);
    console.log(await outcome(() => asyncio.wait_for(asyncio.sleep(60), 0.001)));
    console.log(await outcome(() => asyncio.async_with(new asyncio.TaskGroup(), async (group) => {
      group.create_task(async () => { throw new Error("x"); });
      await asyncio.sleep(60);
    })));
    console.log(await outcome(async () => {
      const task = asyncio.create_task(asyncio.sleep(60));
      task.cancel("enough");
      await task;
    }));
  `);
  assertEquals(lines.map((line) => line.replace(/^TimeoutError.*/, "TimeoutError")), [
    "TimeoutError",
    "ExceptionGroup: unhandled errors in a TaskGroup (1 sub-exception)",
    "CancelledError: enough",
  ]);
});

Deno.test("errors: names and subclasses work with frozen intrinsics", async () => {
  const lines = await run_frozen(`
    class Assigned extends asyncio.RuntimeError {
      constructor(message) {
        super(message);
        this.name = "Changed";
      }
    }
    const group = new asyncio.ExceptionGroup("m", [new Assigned("a"), new asyncio.ValueError("b")]);
    console.log(String(group.split(Assigned)[0].exceptions[0]));
    console.log(String(group.split(Assigned)[1].exceptions[0]));
  `);
  assertEquals(lines, ["Changed: a", "ValueError: b"]);
});

Deno.test("TaskGroup, ExceptionGroup: work if a program has frozen the library's classes before it uses them", async () => {
  const { stdout, stderr } = await child(`
    for (const value of Object.values(asyncio)) {
      if (typeof value !== "function") continue;
      for (let type = value; type !== Function.prototype; type = Object.getPrototypeOf(type)) {
        Object.freeze(type);
        if (type.prototype !== undefined) Object.freeze(type.prototype);
      }
    }
    const failed = asyncio.run(() => asyncio.async_with(new asyncio.TaskGroup(), async (group) => {
      group.create_task(async () => { throw new Error("x"); });
      await asyncio.sleep(60);
    }));
    const group = await failed.catch((error) => error);
    console.log(group instanceof asyncio.ExceptionGroup, String(group.exceptions));
    console.log(await asyncio.run(async () => {
      const task = asyncio.create_task(asyncio.sleep(60));
      await asyncio.sleep(0);
      task.cancel();
      await asyncio.wait([task]);
      return task.cancelled();
    }));
  `);
  assertEquals([...stdout, ...stderr], ["true Error: x", "true"]);
});
