/**
 * Minutes of work of many tasks, compressed on the virtual clock: the heap stays flat, and no task, no
 * timer and no memory is left at the end. Prints what it measured; exit code 1 if it is not so.
 *
 * `deno run -A --v8-flags=--expose-gc tests/soak/soak.ts --tasks 10000 --seconds 600`
 */

import { assert, assertEquals } from "@std/assert";
import { parseArgs } from "node:util";
import { read_command_line, whole_number } from "../../scripts/command_line.ts";
import * as asyncio from "../../mod.ts";
import { VirtualClockEventLoop } from "../../testing.ts";
import { Work } from "./work.ts";

/** How often the heap is measured; the first time is when the work is in full swing. */
const SAMPLES = 10;

/** What the heap may grow from the first measurement to the last: code and caches of the engine. */
const GROWTH = 1.05;
const SLACK = 2e6;

type Tell = (line: string) => void;

interface Outcome {
  work: Work;
  /** The heap at work, in bytes, from one tenth of the time to the end. */
  samples: number[];
}

/** A loop that tells of its timers. */
class ObservedLoop extends VirtualClockEventLoop {
  next_timer(): number | null {
    return this._next_timer();
  }
}

const collect_garbage = (globalThis as { gc?: () => void }).gc;

function heap(): number {
  if (collect_garbage === undefined) throw new Error("run it with --v8-flags=--expose-gc");
  collect_garbage();
  return Deno.memoryUsage().heapUsed;
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}

async function soak(
  loop: ObservedLoop,
  count: number,
  seconds: number,
  tell: Tell,
): Promise<Outcome> {
  const work = new Work(count);
  const tasks = Array.from({ length: count }, () => asyncio.create_task(() => work.run()));
  const samples: number[] = [];
  for (let sample = 0; sample < SAMPLES; sample++) {
    await asyncio.sleep(seconds / SAMPLES);
    samples.push(heap());
    const living = asyncio.all_tasks().size;
    tell(`${loop.time().toFixed(0)} s: ${living} tasks, heap ${megabytes(samples[sample]!)}`);
  }
  for (const task of tasks) task.cancel();
  for (const task of tasks) {
    await asyncio.wait([task]);
    assert(task.cancelled(), `${task}`);
  }
  // Tasks that a cancelled one had started end by themselves.
  await asyncio.sleep(2);
  assertEquals(asyncio.all_tasks().size, 1);
  assertEquals(loop.next_timer(), null);
  return { work, samples };
}

function run(count: number, seconds: number, tell: Tell): Promise<Outcome> {
  const loop = new ObservedLoop();
  return asyncio.run(() => soak(loop, count, seconds, tell), { loop_factory: () => loop });
}

/** The heap in the next turn of the host: until then it holds what was awaited last. */
async function heap_after_all(): Promise<number> {
  await new Promise((resolve) => setTimeout(resolve, 0));
  return heap();
}

async function main(count: number, seconds: number): Promise<void> {
  // The first run leaves compiled code, and tables of the engine as large as the most tasks asked for.
  await run(count, seconds / 10, () => {});
  const before = await heap_after_all();
  const start = performance.now();
  const { work: { counts, sample }, samples } = await run(count, seconds, console.log);
  const took = ((performance.now() - start) / 1000).toFixed(1);
  const after = await heap_after_all();
  const growth = samples[SAMPLES - 1]! / samples[0]!;
  const held = sample.filter((task) => task.deref() !== undefined).length;
  console.log(`the heap grew by ${((growth - 1) * 100).toFixed(1)} % while the tasks worked`);
  console.log(`heap before ${megabytes(before)}, after ${megabytes(after)}`);
  console.log([...counts].sort().map(([name, times]) => `${times} ${name}`).join(", "));
  console.log(`${held} of ${sample.length} ended tasks are still held`);
  console.log(`${count} tasks, ${seconds} s in ${took} s`);
  assertEquals(held, 0);
  assert(samples[SAMPLES - 1]! < samples[0]! * GROWTH + SLACK, "the heap is not flat");
  assert(after - before < SLACK, "memory is held when all is over");
}

const { tasks, seconds } = read_command_line("soak", () => {
  const { values } = parseArgs({
    options: {
      tasks: { type: "string", default: "10000" },
      seconds: { type: "string", default: "600" },
    },
  });
  return {
    tasks: whole_number("tasks", values.tasks, 1),
    seconds: whole_number("seconds", values.seconds, 1),
  };
});
await main(tasks, seconds);
