/**
 * Jobs a second through one Redis: an executor, and 1, 2 and 4 workers in processes of their own.
 *
 * ```sh
 * deno task bench:jobs --jobs 20000
 * ```
 */

import { parseArgs } from "node:util";
import * as asyncio from "../../mod.ts";
import { parsed, whole_number } from "../seed/support/command_line.ts";
import { QueueExecutor } from "./queue_executor.ts";
import { RedisServer } from "./tests/redis_server.ts";
import { WorkerProgram } from "./tests/worker_program.ts";
import type * as work from "./work.ts";

/** Calls that wait or run at the same time. */
const WINDOW = 1000;

/** Calls at the same time in each worker. */
const CONCURRENCY = "50";

const jobs = parsed(() => {
  const { values } = parseArgs({ options: { jobs: { type: "string", default: "20000" } } });
  return whole_number("--jobs", values.jobs, 1);
});

/** Makes so many empty calls; returns how many a second. */
async function measure(executor: QueueExecutor<typeof work>, count: number): Promise<number> {
  const loop = asyncio.get_running_loop();
  const begun = performance.now();
  let left = count;
  const caller = async () => {
    while (left-- > 0) await loop.run_in_executor(executor, "echo", 1);
  };
  await asyncio.gather(Array.from({ length: WINDOW }, () => caller));
  return count * 1000 / (performance.now() - begun);
}

/** Makes calls one after the other; returns the milliseconds that the median one takes. */
async function latency(executor: QueueExecutor<typeof work>): Promise<number> {
  const times: number[] = [];
  for (let n = 0; n < 300; n++) {
    const begun = performance.now();
    await executor.submit("echo", 1);
    times.push(performance.now() - begun);
  }
  return times.sort((a, b) => a - b)[times.length >> 1]!;
}

await asyncio.run(async () => {
  await using redis = await RedisServer.start();
  console.log(`${navigator.hardwareConcurrency} processors, ${jobs} empty calls`);
  for (const count of [1, 2, 4]) {
    const workers = Array.from(
      { length: count },
      () => new WorkerProgram("--queue", redis.url, "--concurrency", CONCURRENCY),
    );
    await Promise.all(workers.map((worker) => worker.says("Serves")));
    {
      await using executor = new QueueExecutor<typeof work>(redis.url);
      await measure(executor, Math.min(jobs, 1000));
      const before = await redis.processor_time();
      const rate = await measure(executor, jobs);
      const used = (await redis.processor_time() - before) * 1000 / jobs;
      const alone = await latency(executor);
      console.log(
        `workers: ${count}, jobs a second: ${rate.toFixed(0)}, ` +
          `Redis' processor for each: ${used.toFixed(2)} ms, one alone takes ${
            alone.toFixed(1)
          } ms`,
      );
    }
    for (const worker of workers) worker.kill("SIGTERM");
    await Promise.all(workers.map(({ outcome }) => outcome));
  }
});
