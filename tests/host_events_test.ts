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
