/** src/host: what differs between Deno, Node.js, Bun and browsers. */

import type process from "node:process";
import { assert, assertEquals, assertFalse } from "@std/assert";
import {
  agree,
  type Contexts,
  contexts_of_frames,
  contexts_of_storage,
  frames_of_deno,
  frames_of_node,
} from "../src/host/async_context.ts";
import { create_macrotasks, type TurnSource } from "../src/host/macrotask.ts";

const a_millisecond = () => new Promise((resolve) => setTimeout(resolve, 1));

async function check_macrotasks(source?: TurnSource): Promise<void> {
  const log: string[] = [];
  const macrotasks = create_macrotasks(() => log.push("turn"), source);
  const until_length = async (length: number) => {
    while (log.length < length) await a_millisecond();
    for (let i = 0; i < 5; i++) await a_millisecond(); // nothing more comes
    assertEquals(log.length, length);
  };
  macrotasks.request();
  Promise.resolve().then(() => log.push("microtask"));
  await until_length(2);
  assertEquals(log, ["microtask", "turn"]);
  macrotasks.request();
  await until_length(3);
  macrotasks.request();
  macrotasks.cancel();
  await until_length(3);
  macrotasks.request();
  await until_length(4);
  macrotasks.cancel();
}

const SOURCES: Record<string, TurnSource | undefined> = {
  "the host's own means": undefined,
  "messages": { immediates: undefined, MessageChannel },
  "timers": { immediates: undefined, MessageChannel: undefined },
};

for (const [name, source] of Object.entries(SOURCES)) {
  Deno.test(`create_macrotasks: a turn by ${name} comes after the microtasks, once for each request`, () =>
    check_macrotasks(source));
}

// The two ways to a context: every host that has one has the first, Deno has both.
const hooks = (globalThis as { process?: typeof process }).process
  ?.getBuiltinModule?.("node:async_hooks");
const deno: object = (globalThis as { Deno?: object }).Deno ?? {};
const core: Core | undefined = Reflect.get(deno, Reflect.get(deno, "internal"))?.core;

type Core = Parameters<typeof frames_of_deno>[0];

function test_contexts(name: string, make: (() => Contexts) | null): void {
  Deno.test({
    name: `a context by ${name} stays with a flow of code, and so do the user's own variables`,
    ignore: hooks === undefined || make === null,
    fn: async () => {
      const contexts = make!();
      assert(agree(contexts, hooks!));
      const variable = new hooks!.AsyncLocalStorage<string>();
      const seen: unknown[] = [];
      const see = (when: string) => seen.push([when, contexts.value(), variable.getStore()]);
      const flow = async (when: string) => {
        see(when);
        await null;
        see(`${when}, later`);
      };
      const outside = contexts.keep();
      const kept = variable.run(
        "theirs",
        () => contexts.run_as(contexts.keep(), "ours", () => contexts.keep(), null, undefined),
      );
      await Promise.all([
        contexts.run_in(kept, flow, "kept", undefined),
        contexts.run_as(kept, "another", flow, "anew", undefined),
        contexts.run_as(outside, "single", flow, "alone", undefined),
      ]);
      see("outside");
      assertEquals(seen, [
        ["kept", "ours", "theirs"],
        ["anew", "another", "theirs"],
        ["alone", "single", undefined],
        ["kept, later", "ours", "theirs"],
        ["anew, later", "another", "theirs"],
        ["alone, later", "single", undefined],
        ["outside", undefined, undefined],
      ]);
    },
  });
}

test_contexts("AsyncLocalStorage", () => contexts_of_storage(hooks!));
test_contexts(
  "Deno's frames",
  core === undefined ? null : () => contexts_of_frames(frames_of_deno(core)),
);
const node_frames = hooks === undefined ? null : frames_of_node(hooks);
test_contexts(
  "Node.js's frames",
  node_frames === null ? null : () => contexts_of_frames(node_frames),
);

Deno.test({
  name: "looking for Node.js's frames leaves that of the code as it was",
  ignore: node_frames === null,
  fn: () => {
    // Not even an entry for a variable without a value: each task would have a copy of the frame.
    const before = node_frames!.current();
    frames_of_node(hooks!);
    assertEquals(node_frames!.current(), before);
  },
});

Deno.test({
  name: "frames that do not go with the host's AsyncLocalStorage are found out",
  ignore: hooks === undefined,
  fn: () => {
    let frame: ReturnType<Core["getAsyncContext"]>;
    const contexts = contexts_of_frames(frames_of_deno({
      getAsyncContext: () => frame,
      setAsyncContext: (value) => frame = value,
    }));
    assertFalse(agree(contexts, hooks!));
  },
});
