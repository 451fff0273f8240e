/** What debug mode tells of mistakes, each with the place in the user's code. */

import { assert, assertEquals } from "@std/assert";
import * as asyncio from "../mod.ts";

/** Runs a program in debug mode and gives what it warned of. */
async function warnings_of(main: () => PromiseLike<unknown>): Promise<string[]> {
  const warnings: string[] = [];
  const { warn } = console;
  console.warn = (...args: unknown[]) => warnings.push(args.join(" "));
  try {
    await asyncio.run(main, { debug: true });
  } finally {
    console.warn = warn;
  }
  return warnings;
}

Deno.test("a cancellation that a catch swallows is reported, with the place that made the task", async () => {
  const [warning, ...more] = await warnings_of(async () => {
    const task = asyncio.create_task(async function stubborn() {
      await asyncio.sleep(60).catch(() => {});
    });
    await asyncio.sleep(0);
    task.cancel();
    await task;
  });
  assert(warning.includes("coro=<stubborn()>"));
  assert(warning.includes("has swallowed it"));
  assert(/Task created at .*\n\s+at .*debug_test\.ts/.test(warning), warning);
  assertEquals(more, []);
});

Deno.test("a timeout that is over, and an uncancelled task, swallow nothing", async () => {
  const warnings = await warnings_of(async () => {
    await asyncio.wait_for(asyncio.sleep(60), 0.001).catch(() => {});
    const task = asyncio.create_task(async () => {
      try {
        await asyncio.sleep(60);
      } catch {
        asyncio.current_task()?.uncancel();
      }
    });
    await asyncio.sleep(0);
    task.cancel();
    await task;
  });
  assertEquals(warnings, []);
});

Deno.test("a coroutine that is never awaited is reported when it is collected", async () => {
  const program = `
    import * as asyncio from ${JSON.stringify(new URL("../mod.ts", import.meta.url).href)};
    const work = asyncio.coroutine(async function forgotten() {});
    await asyncio.run(async () => {
      (() => { work(); work().close(); asyncio.create_task(work()); })();
      for (let i = 0; i < 5; i++) {
        await new Promise((resolve) => setTimeout(resolve, 1));
        globalThis.gc();
      }
    }, { debug: true });
  `;
  const { stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", "--v8-flags=--expose-gc", program],
    env: { NO_COLOR: "1" },
  }).output();
  const text = new TextDecoder().decode(stderr);
  assertEquals(text.split("was never awaited").length, 2, text);
  assert(text.includes("coroutine 'forgotten' was never awaited\nCoroutine created at"), text);
});
