/** The library with the host: signals, streams, native promises. */

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import * as asyncio from "../mod.ts";
import { VirtualClockEventLoop } from "../testing.ts";

const virtual = () => new VirtualClockEventLoop();

Deno.test("run() is ended by a signal: main is cancelled, and the reason thrown", async () => {
  const controller = new AbortController();
  const log: string[] = [];
  const main = async () => {
    asyncio.get_running_loop().call_later(0.001, () => controller.abort("enough"));
    try {
      await asyncio.sleep(3600);
    } finally {
      log.push("cleaned up");
    }
  };
  const reason = await asyncio.run(main, { signal: controller.signal }).catch((error) => error);
  assertEquals([reason, log], ["enough", ["cleaned up"]]);
});

Deno.test("run() with an aborted signal does not begin", async () => {
  let begun = false;
  const main = async () => {
    begun = true;
    await asyncio.sleep(0);
  };
  await assertRejects(() => asyncio.run(main, { signal: AbortSignal.abort() }), DOMException);
  assertEquals(begun, false);
});

Deno.test("run() with a signal that is not aborted is as without", async () => {
  const { signal } = new AbortController();
  assertEquals(await asyncio.run(asyncio.sleep(0, 5), { signal }), 5);
});

Deno.test("wait_for() takes a signal beside its timeout", () =>
  asyncio.run(async () => {
    const controller = new AbortController();
    asyncio.get_running_loop().call_later(1, () => controller.abort(new Error("stop")));
    const task = asyncio.create_task(asyncio.sleep(60));
    await assertRejects(
      async () => await asyncio.wait_for(task, 10, { signal: controller.signal }),
      Error,
      "stop",
    );
    assert(task.cancelled());
    assertEquals((asyncio.current_task() as asyncio.Task<unknown>).cancelling(), 0);
    const { signal } = new AbortController();
    await assertRejects(
      async () => await asyncio.wait_for(asyncio.sleep(60), 1, { signal }),
      asyncio.TimeoutError,
    );
  }, { loop_factory: virtual }));

Deno.test("a cancellation from outside leaves an aborted_by block as one", () =>
  asyncio.run(async () => {
    const { signal } = new AbortController();
    const task = asyncio.create_task(
      asyncio.async_with(asyncio.aborted_by(signal), () => asyncio.sleep(60)),
    );
    await asyncio.sleep(1);
    task.cancel("outside");
    await asyncio.wait([task]);
    assert(task.cancelled());
  }, { loop_factory: virtual }));

Deno.test("a block that ends before its signal is aborted hears nothing of it", () =>
  asyncio.run(async () => {
    const controller = new AbortController();
    const scope = asyncio.aborted_by(controller.signal);
    assertEquals(await asyncio.async_with(scope, () => asyncio.sleep(1, "done")), "done");
    controller.abort();
    await asyncio.sleep(1);
    assertEquals(scope.aborted(), false);
    await assertRejects(
      async () => await asyncio.async_with(scope, () => asyncio.sleep(1)),
      asyncio.RuntimeError,
      "already been entered",
    );
  }, { loop_factory: virtual }));

Deno.test("what is no signal is refused", async () => {
  assertThrows(
    () => asyncio.aborted_by({} as AbortSignal),
    TypeError,
    "signal must be an AbortSignal",
  );
  await assertRejects(
    () => asyncio.run(() => asyncio.sleep(0), { signal: {} as AbortSignal }),
    TypeError,
    "Cannot run main: signal must be an AbortSignal: received {}",
  );
});

Deno.test("run: main that another cancellation ends as well is cancelled, not aborted", async () => {
  const controller = new AbortController();
  const main = async () => {
    const task = asyncio.current_task() as asyncio.Task<unknown>;
    asyncio.get_running_loop().call_soon(() => {
      task.cancel();
      controller.abort("stop");
    });
    await asyncio.sleep(60);
  };
  await assertRejects(
    () => asyncio.run(main, { loop_factory: virtual, signal: controller.signal }),
    asyncio.CancelledError,
  );
});

Deno.test("run: main that aborts its own signal is ended at its next wait", async () => {
  const controller = new AbortController();
  const log: string[] = [];
  const main = async () => {
    controller.abort("stop");
    log.push("aborted");
    await asyncio.sleep(60);
    log.push("not reached");
  };
  const run = asyncio.run(main, { loop_factory: virtual, signal: controller.signal });
  assertEquals(await run.catch((error) => error), "stop");
  assertEquals(log, ["aborted"]);
});

Deno.test("a queue is a stream's source, and a stream a queue's", () =>
  asyncio.run(async () => {
    const queue = new asyncio.Queue<number>(2);
    const filler = asyncio.create_task(async () => {
      const stream = ReadableStream.from([1, 2, 3, 4]);
      for await (const chunk of stream) await queue.put(chunk);
      queue.shutdown();
    });
    const doubled = ReadableStream.from(queue).pipeThrough(
      new TransformStream<number, number>({
        transform: (chunk, controller) => controller.enqueue(chunk * 2),
      }),
    );
    assertEquals(await Array.fromAsync(doubled), [2, 4, 6, 8]);
    await filler;
  }));

Deno.test("promise combinators take everything that can be awaited, and are cancelled with the task", () =>
  asyncio.run(async () => {
    const future = asyncio.get_running_loop().create_future<string>();
    future.set_result("future");
    assertEquals(
      await Promise.all([
        future,
        asyncio.sleep(1, "nap"),
        asyncio.create_task(asyncio.sleep(2, "task")),
      ]),
      ["future", "nap", "task"],
    );
    assertEquals(await Promise.race([asyncio.sleep(5, "slow"), asyncio.sleep(1, "fast")]), "fast");
    assertEquals(
      await Promise.any([Promise.reject(new Error("no")), asyncio.sleep(1, "any")]),
      "any",
    );
    const settled = await Promise.allSettled([
      asyncio.wait_for(asyncio.sleep(5), 1),
      asyncio.sleep(0, 1),
    ]);
    assertEquals(settled.map(({ status }) => status), ["rejected", "fulfilled"]);
    const log: string[] = [];
    const part = async (name: string) => {
      try {
        await asyncio.sleep(60);
      } finally {
        log.push(name);
      }
    };
    const task = asyncio.create_task(() => Promise.all([part("a"), part("b")]));
    await asyncio.sleep(1);
    task.cancel();
    await asyncio.wait([task]);
    assertEquals([task.cancelled(), log], [true, ["a", "b"]]);
  }, { loop_factory: virtual }));
