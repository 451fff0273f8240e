/** src/host: what differs between Deno, Node.js, Bun and browsers. */

import { assert, assertEquals } from "@std/assert";
import * as asyncio from "../mod.ts";
import { may_be_listened_to } from "../src/host/abort_signal.ts";
import { has_async_context, make_gate, run_with } from "../src/host/async_context.ts";
import { context_value } from "../src/host/async_context.ts";
import { create_macrotasks } from "../src/host/macrotask.ts";

/** Runs a body on a host that has no `setImmediate`, as browsers. */
async function without_set_immediate(body: () => Promise<void>): Promise<void> {
  const host = globalThis as { setImmediate?: unknown };
  const { setImmediate } = host;
  host.setImmediate = undefined;
  try {
    await body();
  } finally {
    host.setImmediate = setImmediate;
  }
}

/** Resolves after some turns of the host. */
const some_turns = () => new Promise((resolve) => setTimeout(resolve, 5));

function check_macrotasks(): Promise<void> {
  const log: string[] = [];
  const macrotasks = create_macrotasks(() => log.push("turn"));
  return (async () => {
    macrotasks.request();
    Promise.resolve().then(() => log.push("microtask"));
    await some_turns();
    assertEquals(log, ["microtask", "turn"]);
    macrotasks.request();
    await some_turns();
    assertEquals(log.length, 3);
    macrotasks.request();
    macrotasks.cancel();
    await some_turns();
    assertEquals(log.length, 3);
    macrotasks.request();
    await some_turns();
    macrotasks.cancel();
    assertEquals(log.length, 4);
  })();
}

Deno.test("a macrotask comes after the microtasks, once for each request", check_macrotasks);

Deno.test("so it does where there is no setImmediate", () =>
  without_set_immediate(check_macrotasks));

Deno.test("a loop runs where there is no setImmediate", () =>
  without_set_immediate(async () => {
    const results = await asyncio.run(async () => {
      await new Promise((resolve) => setTimeout(resolve, 1));
      return await asyncio.gather(asyncio.sleep(0, "a"), asyncio.sleep(0.001, "b"));
    });
    assertEquals(results, ["a", "b"]);
  }));

Deno.test({
  name: "a gate calls back in a microtask, in the context in which it was made",
  ignore: !has_async_context,
  fn: async () => {
    const seen: unknown[] = [];
    const note = (argument: string) => seen.push(context_value(), argument);
    const open = run_with("inside", () => make_gate(note), undefined);
    open("told");
    assertEquals(seen, []);
    await Promise.resolve();
    assertEquals(seen, ["inside", "told"]);
  },
});

Deno.test("it is seen whether anybody may listen to a signal", () => {
  const fresh = new AbortController();
  assertEquals(may_be_listened_to(fresh.signal), false);
  const listened_to = new AbortController();
  listened_to.signal.addEventListener("abort", () => {});
  assert(may_be_listened_to(listened_to.signal));
  const depended_on = new AbortController();
  const dependent = AbortSignal.any([depended_on.signal]);
  assert(may_be_listened_to(depended_on.signal));
  assertEquals(dependent.aborted, false);
});
