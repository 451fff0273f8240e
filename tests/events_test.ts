/** Handles, and which loop is whose: the running one, the set one, the thread's default one. */

import { assert, assertEquals, assertThrows } from "@std/assert";
import * as asyncio from "../mod.ts";
import { VirtualClockEventLoop } from "../testing.ts";

Deno.test("no loop runs at top level, and get_running_loop() says so", () => {
  assertThrows(() => asyncio.get_running_loop(), asyncio.RuntimeError, "no running event loop");
  assertThrows(() => asyncio.current_task(), asyncio.RuntimeError, "no running event loop");
  assertThrows(() => asyncio.all_tasks(), asyncio.RuntimeError, "no running event loop");
});

Deno.test("the default loop works at top level, without run()", async () => {
  const loop = asyncio.get_event_loop();
  assert(asyncio.get_event_loop() === loop);
  assertEquals(await asyncio.sleep(0.001, "slept"), "slept");
  const task = asyncio.create_task(() => Promise.resolve(asyncio.get_running_loop()));
  assert(await task === loop);
  assertEquals(await asyncio.gather(asyncio.sleep(0, 1), asyncio.sleep(0, 2)), [1, 2]);
  const order: string[] = [];
  loop.call_soon(() => order.push("soon"));
  await asyncio.sleep(0);
  assertEquals(order, ["soon"]);
  assertThrows(() => asyncio.get_running_loop(), asyncio.RuntimeError);
});

Deno.test("a default loop that was closed is replaced", async () => {
  const closed = asyncio.get_event_loop();
  closed.close();
  assert(asyncio.get_event_loop() !== closed);
  assertEquals(await asyncio.sleep(0, "works"), "works");
});

Deno.test("a run() uses a loop of its own, beside the default one", async () => {
  const default_loop = asyncio.get_event_loop();
  const loop = await asyncio.run(async () => {
    await asyncio.sleep(0);
    return await Promise.resolve(asyncio.get_event_loop());
  });
  assert(loop !== default_loop && loop.is_closed());
  assert(asyncio.get_event_loop() === default_loop);
});

Deno.test("a loop that was set is the current one, but the running one goes before", async () => {
  const loop = asyncio.new_event_loop();
  asyncio.set_event_loop(loop);
  try {
    assert(asyncio.get_event_loop() === loop);
    assert(new asyncio.Future().get_loop() === loop);
    await asyncio.run(() => {
      assert(asyncio.get_event_loop() !== loop);
      return Promise.resolve();
    });
  } finally {
    asyncio.set_event_loop(null);
    loop.close();
  }
  assert(asyncio.get_event_loop() !== loop);
});

Deno.test("inside a callback its loop runs, and no task does", async () => {
  const loop = new asyncio.EventLoop();
  const seen: unknown[] = [];
  loop.call_soon(() => {
    seen.push(asyncio.get_running_loop() === loop, asyncio.current_task());
    loop.stop();
  });
  await loop.run_forever();
  loop.close();
  assertEquals(seen, [true, null]);
});

Deno.test("the loop that runs a task is known after a foreign await", () =>
  asyncio.run(async () => {
    const loop = asyncio.get_running_loop();
    await new Promise((resolve) => setTimeout(resolve, 1));
    assert(asyncio.get_running_loop() === loop);
  }));

Deno.test("a timer handle knows its time", () => {
  const loop = new VirtualClockEventLoop();
  assertEquals(loop.call_at(7.5, () => {}).when(), 7.5);
  assertEquals(loop.call_later(2, () => {}).when(), 2);
  loop.close();
});

Deno.test("handles are shown with their callback and state", () => {
  const loop = new VirtualClockEventLoop();
  const handle = loop.call_soon(function ping() {});
  const timer = loop.call_at(3, function ring() {});
  assertEquals([String(handle), String(timer)], ["<Handle ping()>", "<TimerHandle when=3 ring()>"]);
  assertEquals(String(loop.call_soon(() => {})), "<Handle <lambda>()>");
  handle.cancel();
  timer.cancel();
  assertEquals(
    Deno.inspect([handle, timer]),
    "[ <Handle cancelled>, <TimerHandle cancelled when=3> ]",
  );
  loop.close();
});

// The expected texts are those of CPython 3.14, but that JavaScript does not know where a function is defined.
Deno.test("Handle.toString: arguments, the place and a cancelled callback in debug mode only", () => {
  const loop = new VirtualClockEventLoop();
  const report = (..._: unknown[]) => {};
  const text = (handle: asyncio.Handle) => String(handle).replace(/[^ ]*events_test.*:\d+/, "HERE");
  const quiet = loop.call_soon(report, 1, "a");
  assertEquals(text(quiet), "<Handle report()>");
  quiet.cancel();
  assertEquals(text(quiet), "<Handle cancelled>");
  loop.set_debug(true);
  const handle = loop.call_soon(report, 1, "a", null, [1, 2, 3, 4, 5, 6, 7], "x".repeat(50));
  const shown = "report(1, 'a', null, [1, 2, 3, 4, 5, 6, ...], 'xxxxxxxxxxxx...xxxxxxxxxxxxx')";
  assertEquals(text(handle), `<Handle ${shown} created at HERE>`);
  for (let i = 0; i < 2; i++) {
    handle.cancel();
    assertEquals(text(handle), `<Handle cancelled ${shown} created at HERE>`);
  }
  const timer = loop.call_at(5.5, report, 1);
  assertEquals(text(timer), "<TimerHandle when=5.5 report(1) created at HERE>");
  timer.cancel();
  assertEquals(text(timer), "<TimerHandle cancelled when=5.5 report(1) created at HERE>");
  loop.close();
});

Deno.test("Handle.toString: debug mode that is switched between creation and cancellation", () => {
  const loop = new VirtualClockEventLoop();
  const text = (handle: asyncio.Handle) => String(handle).replace(/[^ ]*events_test.*:\d+/, "HERE");
  function report() {}
  loop.set_debug(true);
  const made_in_debug = loop.call_later(100, report);
  loop.set_debug(false);
  assertEquals(text(made_in_debug), "<TimerHandle when=100 report() created at HERE>");
  made_in_debug.cancel();
  assertEquals(text(made_in_debug), "<TimerHandle cancelled when=100 created at HERE>");
  const made_without = loop.call_soon(report as never, 1);
  loop.set_debug(true);
  assertEquals(text(made_without), "<Handle report(1)>");
  made_without.cancel();
  loop.set_debug(false);
  assertEquals(text(made_without), "<Handle cancelled report(1)>");
  loop.close();
});

Deno.test("cancelling a handle that has run does nothing", async () => {
  const loop = new VirtualClockEventLoop();
  const handle = loop.call_soon(() => loop.stop());
  await loop.run_forever();
  handle.cancel();
  loop.close();
});

Deno.test("a handle gives the context of its callback", () => {
  const loop = new VirtualClockEventLoop();
  const context = asyncio.copy_context();
  assert(loop.call_soon(() => {}, { context }).get_context() === context);
  assert(loop.call_soon(() => {}).get_context() !== context);
  loop.close();
});

Deno.test("an object that only looks like options is an argument", async () => {
  const loop = new VirtualClockEventLoop();
  const seen: unknown[] = [];
  const context = asyncio.copy_context();
  loop.call_soon((arg: unknown) => seen.push(arg), { context: "mine" } as never);
  loop.call_soon((arg: unknown) => seen.push(arg), { context, more: 1 } as never);
  loop.call_soon(() => loop.stop());
  await loop.run_forever();
  loop.close();
  assertEquals(seen.length, 2);
  assertEquals(seen[0], { context: "mine" });
});
