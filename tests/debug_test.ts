/** What debug mode tells of mistakes, each with the place in the user's code. */

import { assert, assertEquals } from "@std/assert";
import * as asyncio from "../mod.ts";
import { CancelScope } from "../structured.ts";
import { VirtualClockEventLoop } from "../testing.ts";
import { child } from "./child.ts";
import { console_of } from "./console.ts";

/** Runs a program in debug mode and gives what it warned of, but for a slow machine. */
function warnings_of(main: () => PromiseLike<unknown>): Promise<string[]> {
  const never_slow = async () => {
    asyncio.get_running_loop().slow_callback_duration = Infinity;
    await main();
  };
  return console_of("warn", () => asyncio.run(never_slow, { debug: true }));
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

// The lines above the parts of a stack that belong to other tasks.
const HEADING = /^ {2}(in|awaited by) task /m;

/** The functions of this file in an error's stack, as far as it is of the task that has thrown it, innermost first. */
function functions_of({ stack = "" }: Error): string[] {
  return stack.split(HEADING)[0]!.split("\n").filter((line) => line.includes("debug_test.ts"))
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

/** A stack without places, and with the names of functions of this file alone. */
function outline_of({ stack = "" }: Error): string[] {
  return stack.split("\n").filter((line) =>
    !line.includes(" at ") || line.includes("debug_test.ts")
  )
    .map((line) => line.replace(/ \(.*\)$/, "").replace(/at file:.*/, "at <lambda>"))
    .map((line) => line.replaceAll(/'Task-\d+'/g, "'Task'").trim());
}

Deno.test("Task: the stack of an error goes on with who awaits the task, and where each task was made", async () => {
  async function fetch_page() {
    await sleep(0);
    throw new Error("gone");
  }
  async function fetch_all() {
    await asyncio.gather(asyncio.create_task(fetch_page, { name: "page" }));
  }
  async function limited() {
    await asyncio.async_with(asyncio.timeout(1), fetch_all);
  }
  let thrown = new Error();
  await asyncio.run(async function main() {
    try {
      await asyncio.create_task(limited);
    } catch (error) {
      thrown = error as Error;
    }
  }, { debug: true });
  assertEquals(outline_of(thrown), [
    "Error: gone",
    "at fetch_page",
    "in task 'page' of fetch_page(), made at:",
    "at fetch_all",
    "at async limited",
    "awaited by task 'Task' of limited():",
    "at async fetch_all",
    "in task 'Task' of limited(), made at:",
    "at main",
    "awaited by task 'Task' of main():",
    "at async main",
  ]);
});

Deno.test("Task: a stack that many tasks pass on does not grow without end", async () => {
  const error = await error_of(async function main() {
    const shared = asyncio.create_task(async function shared() {
      await sleep(0);
      throw new Error("gone");
    });
    const waiting = Array.from({ length: 500 }, () => async () => await shared);
    await asyncio.gather(waiting, { return_exceptions: true });
    await shared;
  });
  assert((error.stack ?? "").length < 20_000);
});

Deno.test("Task: without debug mode the stack of an error is left as it is", async () => {
  let stack = "";
  const error: Error = await asyncio.run(async () => {
    await asyncio.create_task(async () => {
      await sleep(0);
      const error = new Error("gone");
      stack = error.stack ?? "";
      throw error;
    });
  }).then(() => new Error(), (error) => error);
  assertEquals(error.stack, stack);
});

const REASONS: Readonly<Record<string, [reason: string, main: () => PromiseLike<unknown>]>> = {
  "timeout": [
    "a timeout: timed out after 1 s, waiting for sleep()",
    () => asyncio.async_with(asyncio.timeout(1), caught),
  ],
  "wait_for": ["a timeout: timed out after 0 s", () => {
    const task = asyncio.create_task(caught);
    return sleep(0).then(() => asyncio.wait_for(task, 0));
  }],
  "TaskGroup, its block": [
    "a TaskGroup: task 'bad' has failed: Error('gone')",
    () =>
      asyncio.async_with(new asyncio.TaskGroup(), (group) => {
        group.create_task(() => Promise.reject(new Error("gone")), { name: "bad" });
        return caught();
      }),
  ],
  "TaskGroup, a task": [
    "a TaskGroup: its block has failed: Error('gone')",
    () =>
      asyncio.async_with(new asyncio.TaskGroup(), async (group) => {
        group.create_task(caught);
        await sleep(0);
        throw new Error("gone");
      }),
  ],
  "TaskGroup, cancelled": [
    "a TaskGroup: its block was cancelled",
    () =>
      asyncio.async_with(new asyncio.TaskGroup(), async (group) => {
        group.create_task(caught);
        await sleep(0);
        asyncio.current_task()?.cancel();
      }),
  ],
  "TaskGroup.cancel": [
    "a TaskGroup: its cancel() was called",
    () =>
      asyncio.async_with(new asyncio.TaskGroup(), async (group) => {
        group.create_task(caught);
        await sleep(0);
        group.cancel();
      }),
  ],
  "TaskGroup.cancel, of the block": [
    "a TaskGroup: its cancel() was called",
    () =>
      asyncio.async_with(new asyncio.TaskGroup(), async (group) => {
        asyncio.get_running_loop().call_soon(() => group.cancel());
        await caught();
      }),
  ],
  "TaskGroup.cancel, before a task is made": [
    "a TaskGroup: its cancel() was called",
    () =>
      asyncio.async_with(new asyncio.TaskGroup(), async (group) => {
        const first = () => {
          group.cancel();
          return caught();
        };
        group.create_task(first, { eager_start: true });
        await sleep(0);
      }),
  ],
  "CancelScope": ["a CancelScope: its cancel() was called", () => {
    const scope = new CancelScope();
    asyncio.get_running_loop().call_soon(() => scope.cancel());
    return asyncio.async_with(scope, caught);
  }],
  "CancelScope, at every wait of the tasks in it": [
    "a CancelScope: its cancel() was called",
    () => {
      const scope = new CancelScope({ level: true });
      return asyncio.async_with(
        scope,
        () =>
          asyncio.async_with(new asyncio.TaskGroup(), async (group) => {
            group.create_task(async () => {
              await sleep(60).catch(() => {});
              await caught();
            });
            await sleep(0);
            scope.cancel();
            await sleep(60);
          }),
      );
    },
  ],
  "aborted_by": ["a signal: 'enough'", () => {
    const controller = new AbortController();
    asyncio.get_running_loop().call_soon(() => controller.abort("enough"));
    return asyncio.async_with(asyncio.aborted_by(controller.signal), caught);
  }],
};

let seen: asyncio.CancelledError | null = null;

async function caught() {
  try {
    await sleep(60);
  } catch (error) {
    if (error instanceof CancelledError) seen = error;
    throw error;
  }
}

for (const [name, [reason, main]] of Object.entries(REASONS)) {
  Deno.test(`CancelledError: its stack says by what, its message and args are CPython's: ${name}`, async () => {
    seen = null;
    const loop_factory = () => new VirtualClockEventLoop();
    await asyncio.run(main, { loop_factory }).catch(() => {});
    const error = seen as asyncio.CancelledError | null;
    assertEquals(error?.stack?.split("\n")[0], `CancelledError: cancelled by ${reason}`);
    assertEquals([error?.message, error?.args, String(error)], ["", [], "CancelledError"]);
  });
}

Deno.test("CancelledError: the reason of a group reaches what its tasks wait for, a message goes before it", async () => {
  await asyncio.run(async () => {
    const inner = asyncio.create_task(caught);
    seen = null;
    await asyncio.async_with(new asyncio.TaskGroup(), async (group) => {
      group.create_task(async () => await asyncio.gather(inner));
      await sleep(0);
      await sleep(0);
      throw new Error("gone");
    }).catch(() => {});
    const error = seen as asyncio.CancelledError | null;
    assertEquals(
      error?.stack?.split("\n")[0],
      "CancelledError: cancelled by a TaskGroup: its block has failed: Error('gone')",
    );
    const messages: unknown[] = [];
    class Watched<T> extends asyncio.Task<T> {
      override cancel(message?: unknown): boolean {
        messages.push(message);
        return super.cancel("own");
      }
    }
    seen = null;
    const watched = new Watched(caught);
    await sleep(0);
    await asyncio.wait_for(watched, 0).catch(() => {});
    assertEquals(messages, [undefined]);
    assertEquals((seen as asyncio.CancelledError | null)?.args, ["own"]);
  });
});

Deno.test("TimeoutError: without debug mode no frames of the library stand in its stack", async () => {
  const error: Error = await asyncio.run(() => asyncio.wait_for(sleep(60), 0.001))
    .then(() => new Error(), (error) => error);
  assertEquals(error.stack, "TimeoutError: timed out after 0.001 s, waiting for sleep()");
});

const SHOW_DEBUG = `
  const show = async () => console.log(asyncio.get_running_loop().get_debug());
  await asyncio.run(show);
  await asyncio.run(show, { debug: false });
`;

Deno.test("run: ASYNCIO_DEBUG turns debug mode on, debug: false off", async () => {
  for (const [value, expected] of [["1", "true"], ["", "false"]]) {
    const before = `(await import("node:process")).default.env.ASYNCIO_DEBUG = "${value}";`;
    assertEquals((await child(SHOW_DEBUG, { before })).stdout, [expected, "false"]);
  }
});

Deno.test("run: without Deno's permission ASYNCIO_DEBUG is not asked for", async () => {
  const library = JSON.stringify(import.meta.resolve("../mod.ts"));
  const program = `import * as asyncio from ${library};${SHOW_DEBUG}`;
  const url = `data:text/javascript,${encodeURIComponent(program)}`;
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-check", "--no-prompt", "--allow-import", url],
    env: { ASYNCIO_DEBUG: "1" },
  }).output();
  assertEquals(new TextDecoder().decode(stdout), "false\nfalse\n");
});

const WAITS: Readonly<Record<string, () => PromiseLike<unknown>>> = {
  "Queue.join()": async () => {
    const queue = new asyncio.Queue();
    queue.put_nowait(1);
    await queue.join();
  },
  "Queue.put()": async () => {
    const queue = new asyncio.Queue(1);
    queue.put_nowait(1);
    await queue.put(2);
  },
  "Lock.acquire()": async () => {
    const lock = new asyncio.Lock();
    await lock.acquire();
    await asyncio.async_with(lock, async () => {});
  },
  "Semaphore.acquire()": () => new asyncio.Semaphore(0).acquire(),
  "Event.wait()": () => new asyncio.Event().wait(),
  "Condition.wait_for()": async () => {
    const condition = new asyncio.Condition();
    await condition.acquire();
    await condition.wait_for(() => false);
  },
  "Barrier.wait()": () => new asyncio.Barrier(2).wait(),
  "StreamReader.readexactly()": () => new asyncio.StreamReader().readexactly(1),
  "gather()": () => asyncio.gather(sleep(60)),
  "wait()": () => asyncio.wait([asyncio.create_task(sleep(60))]),
  "as_completed.__anext__()": async () => {
    for await (const _ of asyncio.as_completed([sleep(60)]));
  },
  "TaskGroup.__aexit__()": () =>
    asyncio.async_with(
      new asyncio.TaskGroup(),
      (group) => Promise.resolve(void group.create_task(sleep(60))),
    ),
  "task 'nap'": async () => await asyncio.create_task(sleep(60), { name: "nap" }),
  "a future": async () => await new asyncio.Future(),
  "from_promise()": () => asyncio.from_promise(new Promise(() => {})),
  "sleep()": () =>
    asyncio.coroutine(function* () {
      yield* sleep(60);
    })(),
};

for (const [name, wait] of Object.entries(WAITS)) {
  Deno.test(`TimeoutError: its message says what was waited for: ${name}`, async () => {
    for (
      const limited of [
        () => asyncio.wait_for(wait, 0.01),
        () => asyncio.async_with(asyncio.timeout(0.01), wait),
      ]
    ) {
      const error: Error = await asyncio.run(limited).then(() => new Error(), (error) => error);
      assertEquals(error.message, `timed out after 0.01 s, waiting for ${name}`);
    }
  });
}

Deno.test("run: in debug mode no frames of the library stand in an error's stack, and the wait does", async () => {
  const programs: Record<string, () => PromiseLike<unknown>> = {
    async waits_for_item() {
      const queue = new asyncio.Queue();
      asyncio.get_running_loop().call_soon(() => queue.shutdown());
      await queue.get();
    },
    async waits_for_others() {
      const barrier = new asyncio.Barrier(2);
      asyncio.get_running_loop().call_soon(() => void asyncio.create_task(barrier.abort()));
      await barrier.wait();
    },
    async reads() {
      const reader = new asyncio.StreamReader();
      asyncio.get_running_loop().call_soon(() => reader.feed_eof());
      await reader.readexactly(1);
    },
    async throws_itself() {
      await sleep(0);
      throw new Error("own");
    },
  };
  for (const [name, program] of Object.entries(programs)) {
    const error = await error_of(program);
    assertEquals(functions_of(error), [name]);
    assert(!error.stack?.includes("/src/"), error.stack);
  }
});
