/** Measures the pools on Node.js, in turns, and writes what came out as JSON. */

import { Piscina } from "piscina";
import { Tinypool } from "tinypool";
import workerpool from "workerpool";
import { once } from "node:events";
import process from "node:process";
import { Worker } from "node:worker_threads";
import * as asyncio from "../../mod.ts";
import type * as work from "./work.ts";

const ROUNDS = Number(process.argv[2]);
const CALLS = 300;
const CPU_ROUNDS = 60_000_000;
const BUFFERS = 20;
const MEGABYTES = 10;

const place = (file: string) => new URL(`./${file}.mjs`, import.meta.url);

function median(values: number[]): number {
  return values.sort((a, b) => a - b)[values.length >> 1] ?? NaN;
}

async function seconds(run: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await run();
  return (performance.now() - start) / 1000;
}

/** Measures each of several things once a round, and gives the medians. */
async function medians<K extends string>(
  rounds: number,
  contestants: Readonly<Record<K, () => Promise<number>>>,
): Promise<Record<K, number>> {
  const found = new Map<K, number[]>();
  const names = Object.keys(contestants) as K[];
  for (let round = 0; round < rounds; round++) {
    // Another one is the first in each round.
    for (let n = 0; n < names.length; n++) {
      const name = names[(round + n) % names.length] as K;
      const times = found.get(name) ?? [];
      times.push(await contestants[name]());
      found.set(name, times);
    }
  }
  return Object.fromEntries([...found].map(([name, times]) => [name, median(times)])) as Record<
    K,
    number
  >;
}

const pool = new asyncio.WorkerPoolExecutor<typeof work>(place("work"), { max_workers: 1 });
const filename = place("piscina_worker").href;
const piscina = new Piscina({ filename, minThreads: 1, maxThreads: 1 });
const tinypool = new Tinypool({ filename, minThreads: 1, maxThreads: 1 });
const other = workerpool.pool(place("workerpool_worker").pathname, {
  maxWorkers: 1,
  workerType: "thread",
});

const empty: Readonly<Record<string, () => PromiseLike<unknown>>> = {
  WorkerPoolExecutor: () => pool.submit("nothing"),
  piscina: () => piscina.run({ name: "nothing", args: [] }),
  tinypool: () => tinypool.run({ name: "nothing", args: [] }),
  workerpool: () => other.exec("nothing", []),
};

const one_by_one = (call: () => PromiseLike<unknown>) => () =>
  seconds(async () => {
    for (let n = 0; n < CALLS; n++) await call();
  });
const together = (call: () => PromiseLike<unknown>) => () =>
  seconds(() => Promise.all(Array.from({ length: CALLS }, call)));

function each(measure: (call: () => PromiseLike<unknown>) => () => Promise<number>) {
  return Object.fromEntries(Object.entries(empty).map(([name, call]) => [name, measure(call)]));
}

for (const warm_up of Object.values(each(together))) await warm_up();
const calls = {
  "one after the other": await medians(ROUNDS, each(one_by_one)),
  "all at once": await medians(ROUNDS, each(together)),
};
await Promise.all([piscina.destroy(), tinypool.destroy(), other.terminate(true)]);

const two = new asyncio.WorkerPoolExecutor<typeof work>(place("work"), { max_workers: 2 });
await Promise.all([two.submit("count", CPU_ROUNDS), two.submit("count", CPU_ROUNDS)]);
// What the machine itself makes of two threads: the figure to compare with where others use it, too.
const plain = [1, 2].map(() =>
  new Worker(
    `const { parentPort } = require("node:worker_threads");
    const work = import(${JSON.stringify(place("work").href)});
    parentPort.on("message", async (n) => parentPort.postMessage((await work).count(n)));`,
    { eval: true },
  )
);
const count_plainly = (worker: Worker) => {
  const done = once(worker, "message");
  worker.postMessage(CPU_ROUNDS);
  return done;
};
await Promise.all(plain.map(count_plainly));
const busy = await medians(ROUNDS, {
  plain_one: () => seconds(() => Promise.all(plain.slice(1).map(count_plainly))),
  plain_two: () => seconds(() => Promise.all(plain.map(count_plainly))),
  one: () => seconds(() => two.submit("count", CPU_ROUNDS).then()),
  two: () =>
    seconds(() => Promise.all([two.submit("count", CPU_ROUNDS), two.submit("count", CPU_ROUNDS)])),
});
await two.shutdown();
await Promise.all(plain.map((worker) => worker.terminate()));

const fill = () =>
  Array.from({ length: BUFFERS }, () => new Uint8Array(MEGABYTES * 1_000_000).fill(1));
const moved = await medians(Math.min(ROUNDS, 5), {
  transferred: () => {
    const buffers = fill();
    return seconds(async () => {
      for (const bytes of buffers) await pool.submit("size", asyncio.transfer(bytes));
    });
  },
  copied: () => {
    const buffers = fill();
    return seconds(async () => {
      for (const bytes of buffers) await pool.submit("size", bytes);
    });
  },
});
await pool.shutdown();

const per_call = (times: Record<string, number>) =>
  Object.fromEntries(Object.entries(times).map(([name, time]) => [name, time / CALLS]));
const rate = (time: number) => BUFFERS * MEGABYTES / time;
console.log(JSON.stringify({
  calls: Object.fromEntries(Object.entries(calls).map(([how, times]) => [how, per_call(times)])),
  busy,
  moved: { transferred: rate(moved.transferred), copied: rate(moved.copied) },
}));
