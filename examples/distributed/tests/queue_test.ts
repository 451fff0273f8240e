/** Calls through a real Redis: what the executor promises. */

import { assert, assertEquals, assertInstanceOf, assertRejects, assertThrows } from "@std/assert";
import { Queue } from "bullmq";
import { setTimeout as pause } from "node:timers/promises";
import * as asyncio from "../../../mod.ts";
import { current_job, report_progress } from "../current_job.ts";
import { QueueExecutor, type QueueExecutorOptions } from "../queue_executor.ts";
import { QueueWorker, type QueueWorkerOptions } from "../queue_worker.ts";
import { connect } from "../redis.ts";
import * as work from "../work.ts";
import { has_redis, RedisServer } from "./redis_server.ts";
import { WorkerProgram } from "./worker_program.ts";

/** An event between a test and the functions that its worker runs in the same program. */
function make_event() {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { happened: promise, set: () => resolve() };
}

/** Fulfilled when so many calls wait in a queue. */
async function waiting({ url }: RedisServer, name: string, count: number): Promise<void> {
  const client = await connect(url);
  const queue = new Queue(name, { connection: client });
  while (await queue.getWaitingCount() !== count) await pause(5);
  await queue.close();
  client.disconnect();
}

/** Runs a test in a loop, with an executor and a worker of a queue of its own. */
async function served<M extends object>(
  { url }: RedisServer,
  module: M,
  body: (executor: QueueExecutor<M>, worker: QueueWorker) => Promise<void>,
  options: QueueExecutorOptions & QueueWorkerOptions = {},
): Promise<void> {
  const queue = crypto.randomUUID();
  await asyncio.run(async () => {
    await using worker = await QueueWorker.start(module, url, {
      concurrency: 4,
      ...options,
      queue,
    });
    await using executor = new QueueExecutor<M>(url, { ...options, queue });
    await body(executor, worker);
  });
}

if (!has_redis) {
  console.log("No tests with Redis: this machine has no redis-server (apt-get install it).");
}

Deno.test({ name: "QueueExecutor, with Redis", ignore: !has_redis }, async (t) => {
  await using redis = await RedisServer.start();

  await t.step("run_in_executor: results come back whole, in any order", async () => {
    await served(redis, work, async (executor) => {
      const loop = asyncio.get_running_loop();
      const numbers = [10, 100, 1000, 10_000];
      const calls = numbers.map((below) => loop.run_in_executor(executor, "count_primes", below));
      const found: number[] = await asyncio.gather(calls);
      assertEquals(found, [4, 25, 168, 1229]);
      const values = [new Map([["a", new Date(5)]]), undefined, new Uint8Array([1]), 1n];
      assertEquals(await executor.submit("echo", ...values), values);
    });
  });

  await t.step("a worker that is closed while it still connects loses no error", async () => {
    await asyncio.run(async () => {
      for (let n = 0; n < 20; n++) {
        const worker = await QueueWorker.start(work, redis.url, { queue: "closed" });
        await pause(n / 2);
        await worker.close();
      }
    });
  });

  await t.step("submit: an error has its class, message, properties, stack and cause", async () => {
    await served(redis, work, async (executor) => {
      const error = await assertRejects(() => executor.submit("charge", 9), work.Refused);
      assertEquals([error.message, error.code], ["refused with code 1", 1]);
      assertInstanceOf(error.cause, RangeError);
      assert(error.stack?.includes("work.ts"));
    }, { errors: [work.Refused] });
  });

  await t.step("submit: what cannot be sent, or is not exported, is a TypeError", async () => {
    await served(redis, { make: () => () => 1 }, async (executor) => {
      await assertRejects(() => executor.submit("make"), TypeError, "the result of make()");
      const untyped = executor as unknown as QueueExecutor;
      assertThrows(() => untyped.submit("make", () => 1), TypeError, "Cannot send make()");
      await assertRejects(() => untyped.submit("toString"), TypeError, "does not export it");
    });
  });

  await t.step("submit: a call that fails is made again, later each time", async () => {
    await served(redis, work, async (executor) => {
      const patient = executor.with({ retries: 3, backoff: 0.01 });
      assertEquals(await patient.submit("charge", 2), 3);
      await assertRejects(async () => await patient.submit("charge", 9), asyncio.ValueError, "4");
    });
  });

  await t.step("submit: a time limit cancels the attempt", async () => {
    let cancelled = 0;
    const module = {
      async hang() {
        try {
          await asyncio.sleep(3600);
        } finally {
          cancelled++;
        }
      },
    };
    await served(redis, module, async (executor) => {
      const limited = executor.with({ time_limit: 0.05, retries: 1, backoff: 0.01 });
      await assertRejects(async () => await limited.submit("hang"), asyncio.TimeoutError);
      assertEquals(cancelled, 2);
    });
  });

  await t.step("submit: progress comes back, in order and before the result", async () => {
    await served(redis, work, async (executor) => {
      const seen: unknown[] = [];
      const on_progress = (value: unknown) => seen.push(value);
      await executor.with({ on_progress }).submit("render", 3, 0);
      assertEquals(seen, [{ done: 1, of: 3 }, { done: 2, of: 3 }, { done: 3, of: 3 }]);
    });
    assertEquals(current_job(), null);
    await report_progress("nobody listens");
  });

  await t.step("cancel: a call that waits is taken out and never made", async () => {
    const [begun, go] = [make_event(), make_event()];
    const made: number[] = [];
    const module = {
      async step(number: number) {
        made.push(number);
        begun.set();
        await go.happened;
      },
    };
    await served(redis, module, async (executor) => {
      const first = executor.submit("step", 1);
      await begun.happened;
      const second = executor.submit("step", 2);
      const third = executor.submit("step", 3);
      assertEquals(second.cancel(), true);
      assertEquals(second.cancel(), false);
      await assertRejects(() => second, asyncio.CancelledError);
      await waiting(redis, executor.queue, 1);
      go.set();
      await Promise.all([first, third]);
      assertEquals(made, [1, 3]);
    }, { concurrency: 1 });
  });

  await t.step(
    "cancel: a call that runs is cancelled in its worker, its signal aborted",
    async () => {
      const [begun, aborted] = [make_event(), make_event()];
      const module = {
        async wait() {
          await asyncio.from_promise((signal) => {
            begun.set();
            return new Promise((_, reject) => {
              signal.addEventListener("abort", () => {
                aborted.set();
                reject(signal.reason);
              });
            });
          });
        },
      };
      await served(redis, module, async (executor, worker) => {
        const loop = asyncio.get_running_loop();
        const future = loop.run_in_executor(executor, "wait");
        await begun.happened;
        future.cancel();
        await assertRejects(async () => await future, asyncio.CancelledError);
        await aborted.happened;
        await worker.close();
        assertEquals(worker.running, 0);
      });
    },
  );

  await t.step("key: a call that is done is not made again, one that failed is", async () => {
    const made: string[] = [];
    const module = {
      pay(what: string, is_good: boolean) {
        made.push(what);
        if (!is_good && made.length < 3) throw new RangeError(`not ${what}`);
        return `${what}, as ${current_job()?.id}`;
      },
    };
    await served(redis, module, async (executor) => {
      const keyed = (key: string) => executor.with({ key });
      const twice = [keyed("a:1"), keyed("a:1")].map((each) => each.submit("pay", "a", true));
      assertEquals(await Promise.all(twice), ["a, as key-a%3A1", "a, as key-a%3A1"]);
      assertEquals(await keyed("a:1").submit("pay", "a", true), "a, as key-a%3A1");
      assertEquals(made, ["a"]);
      await assertRejects(async () => await keyed("b").submit("pay", "b", false), RangeError);
      assertEquals(await keyed("b").submit("pay", "b", false), "b, as key-b");
      assertEquals(made, ["a", "b", "b"]);
      const other = async () => await keyed("b").submit("pay", "c", false);
      await assertRejects(other, asyncio.ValueError, "belongs to another call");
    });
  });

  await t.step("key: a call that was cancelled can be submitted again", async () => {
    const begun = make_event();
    let is_first = true;
    const module = {
      async slow() {
        if (!is_first) return "done";
        is_first = false;
        begun.set();
        return await asyncio.sleep(3600, "never");
      },
    };
    await served(redis, module, async (executor) => {
      const keyed = executor.with({ key: "once" });
      const call = keyed.submit("slow");
      await begun.happened;
      call.cancel();
      await assertRejects(() => call, asyncio.CancelledError);
      // The worker's own end of it decides: until then the two callers share the cancelled job.
      let result: unknown;
      while (result === undefined) {
        result = await Promise.resolve(keyed.submit("slow")).catch((error) => {
          assertInstanceOf(error, asyncio.CancelledError);
        });
      }
      assertEquals(result, "done");
    });
  });

  await t.step("shutdown: cancel_futures cancels what waits, what runs ends", async () => {
    const [begun, go] = [make_event(), make_event()];
    const module = {
      async step(number: number) {
        begun.set();
        await go.happened;
        return number;
      },
    };
    await served(redis, module, async (executor) => {
      const first = executor.submit("step", 1);
      await begun.happened;
      const second = assertRejects(() => executor.submit("step", 2), asyncio.CancelledError);
      const ended = executor.shutdown({ cancel_futures: true });
      assertThrows(() => executor.submit("step", 3), asyncio.RuntimeError, "after shutdown");
      await second;
      go.set();
      await ended;
      assertEquals(await first, 1);
    }, { concurrency: 1 });
  });

  await t.step("submit: a call whose event was lost has its result all the same", async () => {
    await served(redis, work, async (executor) => {
      await executor.submit("echo", 0);
      // The executor reads an event with the last of all ids: those of today come before it.
      const client = await connect(redis.url);
      const stream = `bull:${executor.queue}:events`;
      const seen = make_event();
      const on_progress = () => seen.set();
      const first = executor.with({ on_progress }).submit("render", 1, 0.2);
      const id = "9999999999999-0";
      await client.xadd(stream, id, "event", "progress", "jobId", "other", "data", "0");
      await client.del(stream);
      assertEquals(await first, "1 frames");
      assertEquals(await executor.submit("echo", 1), [1]);
      client.disconnect();
    }, { look_every: 0.1 });
  });

  await t.step("a Redis that cannot be reached is a BrokenExecutor", async () => {
    const executor = new QueueExecutor<typeof work>("redis://:secret@127.0.0.1:1");
    const error = await assertRejects(() => executor.submit("echo"), asyncio.BrokenExecutor);
    assert(
      /^Cannot reach redis:\/\/127.0.0.1:1: .*ECONNREFUSED/.test(error.message),
      error.message,
    );
    await executor.shutdown();
  });

  await t.step(
    "worker: a pool makes the calls in threads, and ends the thread of a cancelled one",
    async () => {
      await asyncio.run(async () => {
        const module = new URL("../../pools/work.ts", import.meta.url);
        await using pool = new asyncio.WorkerPoolExecutor(module, { max_workers: 2 });
        const pool_work = await import("../../pools/work.ts");
        await served_by_pool(redis, pool_work, pool);
      });
    },
  );
});

async function served_by_pool<M extends object>(
  { url }: RedisServer,
  module: M,
  pool: asyncio.WorkerPoolExecutor,
): Promise<void> {
  const queue = crypto.randomUUID();
  await using _ = await QueueWorker.start(module, url, { queue, pool, concurrency: 2 });
  await using executor = new QueueExecutor(url, { queue });
  const endless = executor.with({ time_limit: 0.2 });
  const late = assertRejects(
    async () => await endless.submit("loop_forever"),
    asyncio.TimeoutError,
  );
  assertEquals(await executor.submit("count_primes", 1000), 168);
  await late;
}

Deno.test({ name: "deno task worker, with Redis", ignore: !has_redis }, async (t) => {
  await using redis = await RedisServer.start();
  const start = (...args: string[]) => new WorkerProgram("--queue", redis.url, ...args);

  await t.step("SIGTERM: it finishes what it has begun and leaves the rest", async () => {
    const worker = start("--concurrency", "2", "--name", "polite");
    await worker.says("Serves");
    await asyncio.run(async () => {
      await using executor = new QueueExecutor<typeof work>(redis.url, { queue: "polite" });
      const begun = make_event();
      const watched = executor.with({ on_progress: () => begun.set() });
      const calls = [watched.submit("render", 4, 0.1), watched.submit("render", 4, 0.1)];
      await begun.happened;
      const left = executor.submit("echo", "left");
      worker.kill("SIGTERM");
      assertEquals(await asyncio.gather(calls), ["4 frames", "4 frames"]);
      const { code, stderr } = await worker.outcome;
      assertEquals(code, 0, stderr);
      const next = start("--name", "polite");
      assertEquals(await left, ["left"]);
      next.kill("SIGTERM");
      assertEquals((await next.outcome).code, 0);
    });
  });

  await t.step("a second SIGTERM ends it at once, and another takes its calls over", async () => {
    const args = ["--name", "impolite", "--lock", "1"];
    const worker = start(...args);
    await worker.says("Serves");
    await asyncio.run(async () => {
      await using executor = new QueueExecutor<typeof work>(redis.url, { queue: "impolite" });
      const begun = make_event();
      const call = executor.with({ on_progress: () => begun.set() }).submit("render", 20, 0.1);
      await begun.happened;
      worker.kill("SIGTERM");
      await worker.says("Finishing 1 call");
      worker.kill("SIGTERM");
      assertEquals((await worker.outcome).code, 143);
      const next = start(...args);
      assertEquals(await call, "20 frames");
      next.kill("SIGTERM");
      assertEquals((await next.outcome).code, 0);
    });
  });

  await t.step("kill -9 of workers: every call is made", async () => {
    const args = ["--name", "killed", "--lock", "1", "--concurrency", "4"];
    const workers = [start(...args), start(...args), start(...args)];
    await Promise.all(workers.map((worker) => worker.says("Serves")));
    await asyncio.run(async () => {
      await using executor = new QueueExecutor<typeof work>(redis.url, { queue: "killed" });
      let ended = 0;
      const calls = Array.from({ length: 60 }, async () => {
        const result = await executor.submit("render", 2, 0.02);
        ended++;
        if (ended === 10) workers[0]!.kill("SIGKILL");
        if (ended === 25) workers[1]!.kill("SIGKILL");
        return result;
      });
      assertEquals(await Promise.all(calls), Array(60).fill("2 frames"));
    });
    workers[2]!.kill("SIGTERM");
    const codes = await Promise.all(workers.map(async ({ outcome }) => (await outcome).signal));
    assertEquals(codes, ["SIGKILL", "SIGKILL", null]);
  });

  await t.step("what cannot be is one line", async () => {
    const [none, refused] = [
      new WorkerProgram(),
      new WorkerProgram("--queue", "redis://:x@127.0.0.1:1"),
    ];
    const { code, stderr } = await none.outcome;
    assertEquals([code, stderr], [2, "Bad command line: --queue must be redis://…: received ''\n"]);
    const end = await refused.outcome;
    assertEquals(end.code, 2);
    assert(/^Cannot reach redis:\/\/127.0.0.1:1: .*\n$/.test(end.stderr), end.stderr);
  });

  await t.step("nothing waits in the queues", async () => {
    for (const name of ["polite", "impolite", "killed"]) await waiting(redis, name, 0);
  });
});
