/** Events of the host: targets, emitters, and that no listener stays behind. */

import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { EventEmitter } from "node:events";
import * as asyncio from "../mod.ts";

Deno.test("next_event: waits for an event of an EventTarget, from the call on", () =>
  asyncio.run(async () => {
    const target = new EventTarget();
    const ready = asyncio.next_event<CustomEvent<number>>(target, "ready");
    target.dispatchEvent(new CustomEvent("ready", { detail: 7 }));
    target.dispatchEvent(new CustomEvent("ready", { detail: 8 }));
    await asyncio.sleep(0);
    assertEquals((await ready).detail, 7);
  }));

Deno.test("next_event: resolves to the arguments of an emitter's event, and fails when it emits error", () =>
  asyncio.run(async () => {
    const emitter = new EventEmitter();
    const data = asyncio.next_event(emitter, "data");
    emitter.emit("data", 1, "two");
    assertEquals(await data, [1, "two"]);
    const failing = asyncio.next_event(emitter, "data");
    emitter.emit("error", new Error("broken"));
    await assertRejects(async () => await failing, Error, "broken");
    assertEquals([emitter.listenerCount("data"), emitter.listenerCount("error")], [0, 0]);
  }));

Deno.test("next_event: leaves no listener when it is cancelled", () =>
  asyncio.run(async () => {
    const emitter = new EventEmitter();
    const waiting = asyncio.next_event(emitter, "data");
    assertEquals([emitter.listenerCount("data"), emitter.listenerCount("error")], [1, 1]);
    await assertRejects(async () => await asyncio.wait_for(waiting, 0.001), asyncio.TimeoutError);
    assertEquals([emitter.listenerCount("data"), emitter.listenerCount("error")], [0, 0]);
  }));

Deno.test("next_event: refuses what is neither a target nor an emitter", () => {
  assertThrows(() => asyncio.next_event({} as EventTarget, "x"), TypeError, "received {}");
});

Deno.test("next_event: a cancelled task that awaits it leaves no listener", () =>
  asyncio.run(async () => {
    const emitter = new EventEmitter();
    const task = asyncio.create_task(async () => await asyncio.next_event(emitter, "data"));
    await asyncio.sleep(0);
    assertEquals(emitter.listenerCount("data"), 1);
    task.cancel();
    await asyncio.wait([task]);
    assertEquals([task.cancelled(), emitter.listenerCount("data")], [true, 0]);
    assertEquals(emitter.listenerCount("error"), 0);
  }));

Deno.test("next_event: an event after the loop has been closed removes the listeners", async () => {
  const emitter = new EventEmitter();
  const target = new EventTarget();
  let futures: asyncio.Future<unknown>[] = [];
  await asyncio.run(async () => {
    futures = [asyncio.next_event(emitter, "data"), asyncio.next_event(target, "data")];
    await asyncio.sleep(0);
  });
  emitter.emit("data");
  target.dispatchEvent(new Event("data"));
  assertEquals([emitter.listenerCount("data"), emitter.listenerCount("error")], [0, 0]);
  assertEquals(futures.length, 2);
});

Deno.test("next_event: error can be the awaited event, and may be emitted with any value", () =>
  asyncio.run(async () => {
    const emitter = new EventEmitter();
    const error = asyncio.next_event(emitter, "error");
    emitter.emit("error", null);
    assertEquals(await error, [null]);
    const failing = asyncio.next_event(emitter, "data");
    emitter.emit("error", undefined);
    let seen: unknown = "nothing";
    await failing.catch((error) => seen = error);
    assertEquals(seen, undefined);
  }));

Deno.test("next_event: waits for newListener of others", () =>
  asyncio.run(async () => {
    const emitter = new EventEmitter();
    const added = asyncio.next_event(emitter, "newListener");
    const listener = () => {};
    emitter.on("data", listener);
    assertEquals(await added, ["data", listener]);
  }));

Deno.test("next_event: takes an EventTarget of another realm, by its methods", () =>
  asyncio.run(async () => {
    const target = new EventTarget();
    const foreign = {
      addEventListener: target.addEventListener.bind(target),
      removeEventListener: target.removeEventListener.bind(target),
    } as EventTarget;
    const event = asyncio.next_event(foreign, "ready");
    target.dispatchEvent(new Event("ready"));
    assertEquals((await event).type, "ready");
    for (const wrong of [5, null, {}]) {
      assertThrows(() => asyncio.next_event(target, wrong as never), TypeError, "name must be");
    }
  }));
