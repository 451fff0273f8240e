/** `detached()`: calls that belong to the loop and to no task. */

import { assertEquals, assertThrows } from "@std/assert";
import * as asyncio from "../mod.ts";
import { run } from "./virtual_time.ts";

Deno.test("detached: a call belongs to no task, and no cancellation of the one that makes it reaches it", () =>
  run(async () => {
    const log: unknown[] = [];
    const task = asyncio.create_task(async () => {
      const call = asyncio.detached(async () => {
        log.push(asyncio.current_task());
        log.push(await asyncio.sleep(2, "slept"), asyncio.current_task());
      });
      void call();
      await asyncio.sleep(60);
    });
    await asyncio.sleep(1);
    task.cancel();
    await asyncio.wait([task]);
    await asyncio.sleep(2);
    assertEquals(log, [null, "slept", null]);
  }));

Deno.test("detached: an interval that a task has set loses no item when time limits of the task pass", () =>
  run(async () => {
    const queue = new asyncio.Queue<number>(1);
    let item = 0;
    const loop = asyncio.get_running_loop();
    const put = asyncio.detached(async () => await queue.put(item++));
    const tick = () => {
      if (item < 5) loop.call_later(1, tick);
      void put();
    };
    loop.call_later(1, tick);
    for (let i = 0; i < 4; i++) {
      await asyncio.async_with(asyncio.timeout(1.5), () => asyncio.sleep(60)).catch(() => {});
    }
    const items = [];
    while (items.length < item) items.push(await queue.get());
    assertEquals(items.toSorted(), [...items.keys()]);
  }));

Deno.test("detached: an error of a call goes to the loop's exception handler, a cancellation does not", () =>
  run(async () => {
    const messages: string[] = [];
    asyncio.get_running_loop().set_exception_handler((_, { message, exception }) => {
      messages.push(`${message}: ${exception}`);
    });
    const fails = asyncio.detached(async function poll() {
      await asyncio.sleep(0);
      throw new Error("no connection");
    });
    fails().catch(() => {});
    const is_cancelled = asyncio.detached(() => Promise.reject(new asyncio.CancelledError()));
    is_cancelled().catch(() => {});
    await asyncio.sleep(1);
    assertEquals(messages, ["Exception in detached call of poll(): Error: no connection"]);
  }));

Deno.test("detached: runs in the context in which it was called, with the arguments, `this` and the result", () =>
  run(async () => {
    const name = new asyncio.ContextVar<string>("name");
    name.set("made here");
    const calls = asyncio.detached(function (this: unknown, ...rest: number[]) {
      return [this, rest, name.get()];
    });
    name.set("set later");
    const object = { calls };
    assertEquals(object.calls(1, 2), [object, [1, 2], "made here"]);
    await asyncio.sleep(0);
  }));

Deno.test("detached: what is no function is refused", () => {
  assertThrows(() => asyncio.detached(5 as never), TypeError, "received 5");
});
