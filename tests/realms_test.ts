// deno-lint-ignore-file require-await -- async functions are what is given
/** Errors of another realm: under Jest, and in `node:vm`, the errors of the host are no instances of this realm's `Error`. */

import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { runInNewContext } from "node:vm";
import * as asyncio from "../mod.ts";
import { retry } from "../structured.ts";
import { is_cancellation } from "../src/core/cancellation.ts";
import { is_error } from "../src/internal/error_kinds.ts";
import { repr } from "../src/internal/format_helpers.ts";
import { translate_error } from "../src/os_errors.ts";
import { run } from "./virtual_time.ts";

const make = (code: string) => runInNewContext(code);

Deno.test("is_error: errors of any realm, and nothing else", () => {
  for (const error of [new Error(), new RangeError(), make("new TypeError('a')")]) {
    assertEquals(is_error(error), true);
  }
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  for (const value of [null, undefined, "Error", {}, Error, { message: "a", stack: "" }, proxy]) {
    assertEquals(is_error(value), false);
  }
});

Deno.test("Task: cancellations in an AggregateError of another realm end it as cancelled", () =>
  run(async () => {
    const any = make("(awaitables) => Promise.any(awaitables)") as typeof Promise.any;
    const task = asyncio.create_task(() => any([asyncio.sleep(60), asyncio.sleep(60)]));
    await asyncio.sleep(0);
    task.cancel();
    await asyncio.wait([task]);
    assertEquals(task.cancelled(), true);
    await assertRejects(
      async () => await asyncio.wait_for(() => any([asyncio.sleep(60), asyncio.sleep(60)]), 1),
      asyncio.TimeoutError,
    );
    assertEquals(is_cancellation(make("new AggregateError([new Error('a')])")), false);
    assertEquals(is_cancellation(make("new AggregateError([])")), false);
  }));

Deno.test("Task: an error of another realm is shown, and has a stack", () =>
  run(async () => {
    const fail = make("(async () => { throw new TypeError('of another realm'); })");
    const task = asyncio.create_task(fail);
    await asyncio.wait([task]);
    assertEquals(repr(task.exception()), "TypeError('of another realm')");
    assertEquals(task.get_stack().length > 0, true);
    assertMatch(String(task), /exception=TypeError\('of another realm'\)/);
  }));

Deno.test("Task.get_stack: a stack that is no text has no frames", () =>
  run(async () => {
    for (const stack of [[{}, {}], null, 5, undefined]) {
      const task = asyncio.create_task(async () => {
        throw Object.defineProperty(new Error("a"), "stack", { value: stack });
      });
      await asyncio.wait([task]);
      task.exception();
      assertEquals(task.get_stack(), []);
    }
  }));

Deno.test("OSError: made of an error of the host, whatever its realm", () => {
  const refused = make(
    "Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED', syscall: 'connect' })",
  );
  const translated = translate_error(refused);
  assertEquals(translated instanceof asyncio.ConnectionRefusedError, true);
  assertEquals((translated as Error).cause, refused);
});

Deno.test("classes of errors may be of another realm: retry(), split(), suppress(), set_exception()", () =>
  run(async () => {
    const Busy = make("(class Busy extends Error {})") as ErrorConstructor;
    let attempts = 0;
    const work = async () => {
      if (++attempts < 3) throw new Busy("busy");
      return attempts;
    };
    assertEquals(await retry(work, { attempts: 5, delay: 0, retry_on: Busy }), 3);
    const group = new asyncio.ExceptionGroup("both", [new Busy("busy"), new Error("other")]);
    const [match, rest] = group.split(Busy);
    assertEquals([match?.exceptions.length, rest?.exceptions.length], [1, 1]);
    await asyncio.async_with(asyncio.suppress(Busy), () => Promise.reject(new Busy("busy")));
    const future = asyncio.get_running_loop().create_future<void>();
    future.set_exception(Busy);
    assertEquals(future.exception() instanceof Busy, true);
  }));
