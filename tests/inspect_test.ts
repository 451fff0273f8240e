/** What a person sees of the library's objects: in Deno's console, in Node.js's, and as a string. */

import { inspect } from "node:util";
import { assertEquals } from "@std/assert";
import * as asyncio from "../mod.ts";
import { VirtualClockEventLoop } from "../testing.ts";

const loop = new VirtualClockEventLoop();
const variable = new asyncio.ContextVar("level", { default: 1 });
const context = new asyncio.Context();
const token = context.run(() => variable.set(2));
const handle = loop.call_soon(function work() {});
const timer = loop.call_later(5, function later() {});
loop.close();
timer.cancel();

const shown: [unknown, string][] = [
  [new asyncio.Lock(), "<Lock [unlocked]>"],
  [new asyncio.Event(), "<Event [unset]>"],
  [new asyncio.Condition(), "<Condition [unlocked]>"],
  [new asyncio.Semaphore(2), "<Semaphore [unlocked, value:2]>"],
  [new asyncio.BoundedSemaphore(2), "<BoundedSemaphore [unlocked, value:2]>"],
  [new asyncio.Barrier(3), "<Barrier [filling, waiters:0/3]>"],
  [new asyncio.Queue(2), "<Queue maxsize=2>"],
  [new asyncio.PriorityQueue(), "<PriorityQueue maxsize=0>"],
  [new asyncio.LifoQueue(), "<LifoQueue maxsize=0>"],
  [new asyncio.Future({ loop }), "<Future pending>"],
  [new asyncio.ConcurrentFuture(), "<Future pending>"],
  [asyncio.sleep(1), "<coroutine object sleep>"],
  [new asyncio.TaskGroup(), "<TaskGroup>"],
  [new asyncio.Timeout(null), "<Timeout [created]>"],
  [loop, "<VirtualClockEventLoop running=false closed=true debug=false>"],
  [handle, "<Handle work()>"],
  [timer, "<TimerHandle cancelled when=5>"],
  [variable, "<ContextVar name='level' default=1>"],
  [context, "<Context object>"],
  [token, "<Token var=<ContextVar name='level' default=1>>"],
];

for (const [value, text] of shown) {
  Deno.test(`${text} is shown so everywhere`, () => {
    assertEquals([String(value), Deno.inspect(value), inspect(value)], [text, text, text]);
  });
}

Deno.test("promise-like things name themselves in Object.prototype.toString", () => {
  const names = [new asyncio.Future({ loop }), asyncio.sleep(1), new asyncio.ConcurrentFuture()]
    .map((value) => Object.prototype.toString.call(value));
  assertEquals(names, ["[object Future]", "[object Coroutine]", "[object ConcurrentFuture]"]);
});

Deno.test("an exception group is shown as a tree in both consoles", () => {
  const inner = new asyncio.ExceptionGroup("inner", [new RangeError("low")]);
  const group = new asyncio.ExceptionGroup("outer", [new TypeError("a"), inner]);
  group.cause = new Error("why");
  for (const text of [Deno.inspect(group), inspect(group)]) {
    const heads = text.split("\n").filter((line) => !/^[│ ]*at /.test(line.replace(/^[│ ]+/, "")));
    assertEquals(heads[0], "ExceptionGroup: outer (2 sub-exceptions)");
    assertEquals(heads.filter((line) => /[├└]─/.test(line)).length, 3);
    assertEquals(heads.some((line) => line.startsWith("Caused by: Error: why")), true);
  }
});

Deno.test("the stack of an error keeps the async frames of the user's code, across tasks too", async () => {
  async function innermost(): Promise<void> {
    await asyncio.sleep(0);
    throw new Error("deep");
  }
  async function between(): Promise<void> {
    await innermost();
  }
  for (const main of [between, () => asyncio.create_task(between), () => asyncio.shield(between)]) {
    const error: Error = await asyncio.run(main).catch((error) => error);
    // Frames of the host may be between, where it calls back from code of its own.
    const frames = (error.stack ?? "").split("\n").filter((line) =>
      line.includes("inspect_test.ts")
    )
      .map((line) => line.trim());
    assertEquals(frames[0]!.startsWith("at innermost ("), true, error.stack);
    assertEquals(frames[1]!.startsWith("at async between ("), true, error.stack);
  }
});

Deno.test("a timeout's cause is the cancellation by which it ended the work", async () => {
  const error = await asyncio.run(asyncio.wait_for(asyncio.sleep(60), 0.001)).catch((e) => e);
  assertEquals([error.name, error.cause.name], ["TimeoutError", "CancelledError"]);
});
