/** What debug mode tells of mistakes, each with the place in the user's code. */

import { assert, assertEquals } from "@std/assert";
import * as asyncio from "../mod.ts";
import { child } from "./child.ts";

/** Runs a program in debug mode and gives what it warned of, but for a slow machine. */
async function warnings_of(main: () => PromiseLike<unknown>): Promise<string[]> {
  const warnings: string[] = [];
  const { warn } = console;
  console.warn = (...args: unknown[]) => warnings.push(args.join(" "));
  const never_slow = async () => {
    asyncio.get_running_loop().slow_callback_duration = Infinity;
    await main();
  };
  try {
    await asyncio.run(never_slow, { debug: true });
  } finally {
    console.warn = warn;
  }
  return warnings;
}

Deno.test("a cancellation that a catch swallows is reported, with the place that made the task", async () => {
  const [warning = "", ...more] = await warnings_of(async () => {
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
    const work = asyncio.coroutine(async function forgotten() {});
    await asyncio.run(async () => {
      (() => { work(); work().close(); asyncio.create_task(work()); })();
      const { warn } = console;
      let is_reported = false;
      console.warn = (text) => {
        warn(text);
        is_reported ||= text.includes("never awaited");
      };
      for (let i = 0; i < 1000 && !is_reported; i++) {
        await new Promise((resolve) => setTimeout(resolve, 1));
        globalThis.gc();
      }
    }, { debug: true });
  `;
  const text = (await child(program, { collects: true })).stderr.join("\n");
  assertEquals(text.split("was never awaited").length, 2, text);
  assert(text.includes("coroutine 'forgotten' was never awaited\nCoroutine created at"), text);
});

/** Runs a program in debug mode, which fails. */
async function error_of(main: () => PromiseLike<unknown>): Promise<Error> {
  return await asyncio.run(main, { debug: true }).then(() => {
    throw new Error("it did not fail");
  }, (error) => error);
}

/** The functions of this file in an error's stack, innermost first. */
function functions_of({ stack = "" }: Error): string[] {
  return stack.split("\n").filter((line) => line.includes("debug_test.ts"))
    .map((line) => line.match(/at (?:async )?(?:\w+\.)*(\w+) \(/)?.[1] ?? "");
}

const { TimeoutError, ExceptionGroup, CancelledError, sleep } = asyncio;

Deno.test("wait_for, timeout, timeout_at, as_completed: the stack of a TimeoutError shows where the limit was set", async () => {
  const programs: Record<string, () => PromiseLike<unknown>> = {
    async with_wait_for() {
      await asyncio.wait_for(sleep(60), 0.001);
    },
    async without_time() {
      await asyncio.wait_for(sleep(60), 0);
    },
    async with_signal() {
      await asyncio.wait_for(sleep(60), 0.001, { signal: new AbortController().signal });
    },
    async with_timeout() {
      await asyncio.async_with(asyncio.timeout(0.001), () => sleep(60));
    },
    async with_timeout_at() {
      const when = asyncio.get_running_loop().time() + 0.001;
      await asyncio.async_with(asyncio.timeout_at(when), () => sleep(60));
    },
    async with_as_completed() {
      for (const next of asyncio.as_completed([sleep(60)], { timeout: 0.001 })) await next;
    },
  };
  for (const [name, program] of Object.entries(programs)) {
    const error = await error_of(program);
    assert(error instanceof TimeoutError);
    assertEquals(functions_of(error)[0], name);
    assert(error.stack?.startsWith(`TimeoutError: ${error.message}\n`), error.stack);
    assert(!error.stack?.includes("/src/"), error.stack);
  }
});

Deno.test("TaskGroup: the stack of its group of errors shows where it was made", async () => {
  const error = await error_of(async function with_group() {
    await asyncio.async_with(new asyncio.TaskGroup(), async (group) => {
      group.create_task(() => Promise.reject(new Error("failed")));
      await sleep(0);
    });
  });
  assert(error instanceof ExceptionGroup);
  assertEquals(functions_of(error), ["with_group"]);
});

Deno.test("CancelledError: its stack shows where the coroutine was made that was waited for", async () => {
  const kinds: Record<string, () => PromiseLike<unknown>> = {
    async in_sleep() {
      await sleep(60);
    },
    async in_wait() {
      await asyncio.wait([asyncio.create_task(() => sleep(60))]);
    },
  };
  for (const [name, work] of Object.entries(kinds)) {
    const error = await error_of(async () => {
      const task = asyncio.create_task(work);
      await sleep(0);
      await sleep(0);
      task.cancel();
      await task;
    });
    assert(error instanceof CancelledError);
    assertEquals(functions_of(error), [name]);
  }
});

Deno.test("wait_for: without debug mode nothing is noted of where it was called", async () => {
  const error: Error = await asyncio.run(() => asyncio.wait_for(sleep(60), 0.001))
    .then(() => new Error(), (error) => error);
  assertEquals(functions_of(error), []);
});
