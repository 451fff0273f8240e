/** Options and parameters that may be named. */

import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { runInNewContext } from "node:vm";
import * as asyncio from "../mod.ts";
import { azip } from "../itertools.ts";
import { is_plain_object } from "../src/internal/format_helpers.ts";
import { keyword_or_positional, keyword_or_value } from "../src/internal/options.ts";
import { run } from "./virtual_time.ts";

Deno.test("is_plain_object: object literals of any realm, and nothing else", () => {
  class Mine {}
  for (const value of [{}, { a: 1 }, Object.create(null), runInNewContext("({ a: 1 })")]) {
    assertEquals(is_plain_object(value), true);
  }
  for (
    const value of [
      null,
      undefined,
      1,
      "a",
      [],
      () => {},
      new Mine(),
      new Date(),
      new Map(),
      Promise.resolve(),
      Object.create({ a: 1 }),
      runInNewContext("[]"),
      runInNewContext("new Date()"),
      runInNewContext("new (class {})()"),
      runInNewContext("(function* () {})()"),
    ]
  ) {
    assertEquals(is_plain_object(value), false);
  }
});

Deno.test("create_task, gather: options of another realm are options", async () => {
  await asyncio.run(async () => {
    const task = asyncio.create_task(asyncio.sleep(0), runInNewContext("({ name: 'n' })"));
    assertEquals(task.get_name(), "n");
    await task;
    const options = runInNewContext("({ return_exceptions: true })");
    const results: unknown[] = await asyncio.gather(() => Promise.reject("bad"), options);
    assertEquals(results, ["bad"]);
    await assertRejects(
      async () => await asyncio.create_task(asyncio.sleep(0), runInNewContext("({ nam: 'n' })")),
      TypeError,
      "create_task() got an unexpected option 'nam'",
    );
  });
});

Deno.test("gather: an empty object literal is options", async () => {
  await asyncio.run(async () => {
    assertEquals(await asyncio.gather(asyncio.sleep(0, 1), asyncio.sleep(0, 2), {}), [1, 2]);
    assertEquals(await asyncio.gather({}), []);
  });
});

Deno.test("gather, azip: an unknown option is named", async () => {
  await asyncio.run(async () => {
    await asyncio.sleep(0);
    assertThrows(
      () => asyncio.gather(async () => {}, { return_exception: true } as never),
      TypeError,
      "gather() got an unexpected option 'return_exception'; it has return_exceptions",
    );
    assertThrows(
      () => azip([1], { stric: true } as never),
      TypeError,
      "azip() got an unexpected option 'stric'; it has strict",
    );
  });
});

Deno.test("gather, azip: an object literal that is awaited or iterated is no options", async () => {
  await asyncio.run(async () => {
    const thenable = { then: (resolve: (value: number) => void) => resolve(3) };
    assertEquals(await asyncio.gather(asyncio.sleep(0, 1), thenable as never), [1, 3]);
    const iterable = {
      *[Symbol.iterator]() {
        yield 1;
      },
    };
    assertEquals(await Array.fromAsync(azip([2], iterable)), [[2, 1]]);
  });
});

Deno.test("keyword_or_positional: the value by position, by name, or left out", () => {
  const maxsize = (value?: unknown, others?: string[]) =>
    keyword_or_positional("Queue", "maxsize", value, others);
  assertEquals(maxsize(2), 2);
  assertEquals(maxsize({ maxsize: 2 }), 2);
  assertEquals(maxsize(runInNewContext("({ maxsize: 2 })")), 2);
  assertEquals(maxsize(), undefined);
  assertEquals(maxsize({}), undefined);
  assertEquals(maxsize(null), null);
  assertEquals(maxsize({ maxsize: 2, compare: null }, ["compare"]), 2);
});

Deno.test("keyword_or_positional: an unknown option is named", () => {
  assertThrows(
    () => keyword_or_positional("Queue", "maxsize", { max_size: 2 } as never),
    TypeError,
    "Queue() got an unexpected option 'max_size'; it has maxsize",
  );
});

Deno.test("keyword_or_value: only an object literal with that sole key names the parameter", () => {
  for (const value of [undefined, null, "x", 5, {}, { reason: 1 }, { msg: 1, reason: 1 }]) {
    assertEquals(keyword_or_value<unknown>("msg", value), value);
  }
  assertEquals(keyword_or_value<unknown>("msg", { msg: "x" }), "x");
  assertEquals(keyword_or_value<unknown>("msg", { msg: undefined }), undefined);
});

/** Runs a program on the virtual clock. */
Deno.test("wait_for: the time limit may be named, with a signal beside it", () =>
  run(async () => {
    assertEquals(await asyncio.wait_for(asyncio.sleep(1, "in time"), { timeout: 2 }), "in time");
    assertEquals(await asyncio.wait_for(asyncio.sleep(1, "ever"), { timeout: null }), "ever");
    const start = asyncio.get_running_loop().time();
    await assertRejects(
      async () => await asyncio.wait_for(asyncio.sleep(60), { timeout: 2 }),
      asyncio.TimeoutError,
      "timed out after 2 s, waiting for sleep()",
    );
    assertEquals(asyncio.get_running_loop().time(), start + 2);
    const signal = AbortSignal.abort(new RangeError("aborted"));
    await assertRejects(
      async () => await asyncio.wait_for(asyncio.sleep(60), { timeout: 2, signal }),
      RangeError,
      "aborted",
    );
  }));

Deno.test("wait_for, timeout, timeout_at, Queue, Semaphore, shutdown: an unknown name is refused", () =>
  run(async () => {
    const work = async () => {};
    const refused: [call: () => unknown, message: string][] = [
      [
        () => asyncio.wait_for(work, { timout: 1 } as never),
        "wait_for() got an unexpected option 'timout'",
      ],
      [() => asyncio.wait_for(work, {} as never), "received undefined"],
      [() => asyncio.wait_for(work, 1, { timeout: 1 } as never), "unexpected option 'timeout'"],
      [
        () => asyncio.timeout({ seconds: 1 } as never),
        "timeout() got an unexpected option 'seconds'",
      ],
      [() => asyncio.timeout_at({ at: 1 } as never), "timeout_at() got an unexpected option 'at'"],
      [
        () => new asyncio.Queue({ max_size: 1 } as never),
        "Queue() got an unexpected option 'max_size'",
      ],
      [
        () => new asyncio.LifoQueue({ max: 1 } as never),
        "LifoQueue() got an unexpected option 'max'",
      ],
      [() => new asyncio.PriorityQueue({ max: 1 } as never), "unexpected option 'max'"],
      [() => new asyncio.Semaphore({ permits: 1 } as never), "unexpected option 'permits'"],
      [() => new asyncio.BoundedSemaphore({ permits: 1 } as never), "unexpected option 'permits'"],
      [() => new asyncio.Queue().shutdown({ now: true } as never), "unexpected option 'now'"],
    ];
    for (const [call, message] of refused) assertThrows(call, TypeError, message);
    await asyncio.sleep(0);
  }));

Deno.test("timeout, timeout_at: the time may be named", () =>
  run(async () => {
    assertEquals(asyncio.timeout({ delay: 3 }).when(), asyncio.get_running_loop().time() + 3);
    assertEquals(asyncio.timeout({ delay: null }).when(), null);
    assertEquals(asyncio.timeout_at({ when: 7 }).when(), 7);
    await asyncio.sleep(0);
  }));

Deno.test("Future.cancel, Task.cancel: the message may be named", () =>
  run(async () => {
    const future = asyncio.get_running_loop().create_future<void>();
    assertEquals(future.cancel({ msg: "future" }), true);
    await assertRejects(async () => await future, asyncio.CancelledError, "future");
    const cases: [message: unknown, args: unknown[]][] = [
      ["plain", ["plain"]],
      [{ msg: "named" }, ["named"]],
      [{ msg: null }, []],
      [undefined, []],
      // Any value is a message.
      [{ other: 1 }, [{ other: 1 }]],
      [{ msg: 1, other: 1 }, [{ msg: 1, other: 1 }]],
    ];
    for (const [message, args] of cases) {
      const task = asyncio.create_task(asyncio.sleep(60));
      await asyncio.sleep(0);
      task.cancel(message);
      const error = await assertRejects(async () => await task, asyncio.CancelledError);
      assertEquals((error as asyncio.CancelledError).args, args);
    }
  }));
