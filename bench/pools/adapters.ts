/** Other pools as executors of the library: what came out, as JSON. */

import { Piscina } from "piscina";
import { Tinypool } from "tinypool";
import workerpool from "workerpool";
import { piscina_executor } from "../../examples/pools/piscina.ts";
import { tinypool_executor } from "../../examples/pools/tinypool.ts";
import { workerpool_executor } from "../../examples/pools/workerpool.ts";
import * as asyncio from "../../mod.ts";
import type * as work from "./work.ts";

type Work = typeof work;

const place = (file: string) => new URL(`./${file}.mjs`, import.meta.url);
const filename = place("piscina_worker").href;
const workers = { minThreads: 1, maxThreads: 1 };

const executors: Readonly<Record<string, () => asyncio.ModuleExecutor<Work>>> = {
  piscina: () => piscina_executor(new Piscina({ filename, ...workers })),
  tinypool: () => tinypool_executor(new Tinypool({ filename, ...workers })),
  workerpool: () =>
    workerpool_executor(workerpool.pool(place("workerpool_worker").pathname, {
      maxWorkers: 1,
      workerType: "thread",
    })),
};

async function use(executor: asyncio.ModuleExecutor<Work>): Promise<unknown[]> {
  const loop = asyncio.get_running_loop();
  const outcome: unknown[] = [
    await loop.run_in_executor(executor, "size", new Uint8Array(5)),
    await loop.run_in_executor(executor, "count", 3),
  ];
  const endless = loop.run_in_executor(executor, "count", Infinity);
  outcome.push(
    await asyncio.wait_for(endless, 0.2).catch((error) => (error as Error).name),
    await loop.run_in_executor(executor, "size", new Uint8Array(6)),
    await loop.run_in_executor(executor, "missing" as "count", 1).catch((error) =>
      (error as Error).name
    ),
  );
  await executor.shutdown({ cancel_futures: true });
  return outcome;
}

const outcomes: Record<string, unknown> = {};
for (const [name, make] of Object.entries(executors)) {
  outcomes[name] = await asyncio.run(() => use(make()));
}
console.log(JSON.stringify(outcomes));
