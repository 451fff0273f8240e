/**
 * The measuring half of a worker: warms a batch up, runs it for a while, prints one JSON line.
 *
 * Runs on Deno, Node.js and Bun. The main program gives the job as the last argument.
 *
 * @module
 */

import process from "node:process";

/** Runs `size` much of a workload; resolves to the number of operations that were. */
export type Batch = (size: number) => Promise<number>;

/** Starts `size` idle tasks; resolves, once all sleep, to what keeps them. */
export type Idle = (size: number) => Promise<unknown>;

/** The workload that measures memory and not time. */
export const MEMORY_WORKLOAD = "W11";

/** What a contestant can do: a batch for each workload by its name, except for W11's. */
export type Batches = Readonly<Record<string, Batch>>;

/** What the main program asks of a worker. */
export interface Job {
  readonly workload: string;
  readonly size: number;
  readonly warm_up_size: number;
  readonly idle_ms: number;
  readonly warm_up_ms: number;
  readonly measure_ms: number;
}

/** What a worker answers: nanoseconds, or bytes, per operation. */
export interface Answer {
  readonly per_operation: number;
}

declare const gc: (() => void) | undefined;
declare const Bun: { gc(force: boolean): void } | undefined;

/** Does the job given on the command line, prints the answer and ends the process. */
export async function measure(batches: Batches, idle?: Idle): Promise<never> {
  const job: Job = JSON.parse(process.argv.at(-1) ?? "");
  const per_operation = job.workload === MEMORY_WORKLOAD
    ? await bytes_per_task(job, idle)
    : await nanoseconds_per_operation(job, batches[job.workload]);
  const answer: Answer = { per_operation };
  console.log(JSON.stringify(answer));
  process.exit(0);
}

/** Returns the number of operations; throws unless what they did is as expected. */
export function checked(operations: number, result: number, expected: number): number {
  if (result !== expected) {
    throw new Error(`Cannot measure: the result must be ${expected}: received ${result}`);
  }
  return operations;
}

async function nanoseconds_per_operation(job: Job, batch: Batch | undefined): Promise<number> {
  if (batch === undefined) throw new TypeError(`Cannot measure: no workload ${job.workload}`);
  await warm_up(job, batch);
  let operations = 0;
  let spent_ms = 0;
  do {
    const began = performance.now();
    operations += await batch(job.size);
    spent_ms += performance.now() - began - job.idle_ms;
  } while (spent_ms < job.measure_ms);
  return spent_ms * 1e6 / operations;
}

const FEWEST_IDLE = 10_000;

// First with small batches, by which the code is compiled; then, where they do not take too long, with
// whole ones, by which the heap grows to what it will be.
async function warm_up({ size, warm_up_size, warm_up_ms }: Job, batch: Batch): Promise<void> {
  let took = 0;
  for (const until = performance.now() + warm_up_ms; performance.now() < until;) {
    const began = performance.now();
    await batch(warm_up_size);
    took = performance.now() - began;
  }
  if (took * size / warm_up_size > warm_up_ms) return;
  for (const until = performance.now() + warm_up_ms; performance.now() < until;) await batch(size);
}

async function bytes_per_task(job: Job, idle: Idle | undefined): Promise<number> {
  if (idle === undefined) throw new TypeError("Cannot measure: no idle tasks");
  const kept: unknown[] = [await idle(job.warm_up_size)];
  // A few tasks would be lost in what else comes and goes.
  const batches = Math.ceil(FEWEST_IDLE / job.size);
  const before = collected_heap();
  for (let batch = 0; batch < batches; batch++) kept.push(await idle(job.size));
  const bytes = collected_heap() - before;
  return kept.length === 1 + batches ? bytes / (batches * job.size) : NaN;
}

function collected_heap(): number {
  if (typeof Bun !== "undefined") Bun.gc(true);
  else if (typeof gc !== "undefined") gc();
  else throw new TypeError("Cannot measure memory: start the worker with --expose-gc");
  return process.memoryUsage().heapUsed;
}
