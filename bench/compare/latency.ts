/**
 * Latency under load: how late host timers and HTTP requests on loopback are served beside busy tasks.
 *
 * ```sh
 * deno run -A bench/compare/latency.ts
 * ```
 *
 * @module
 */

import { deno_command, run_worker, WorkerFailed } from "./child.ts";
import { markdown_table } from "./table.ts";
import type { Delays } from "./workers/latency.ts";

/** What was measured beside how many busy tasks. */
export interface Latency {
  readonly busy_tasks: number;
  readonly delays: Delays;
}

const LOADS = [0, 100, 10_000];

/** Measures beside no task, some and many, each in a process of its own, up to the first that does not answer. */
export async function measure_latency(tell: (text: string) => void): Promise<Latency[]> {
  const rows: Latency[] = [];
  for (const busy_tasks of LOADS) {
    tell(`latency: ${busy_tasks} busy tasks`);
    const command = [...deno_command("latency.ts"), String(busy_tasks)];
    try {
      rows.push({ busy_tasks, delays: JSON.parse(await run_worker(command)) });
    } catch (error) {
      if (!(error instanceof WorkerFailed)) throw error;
      console.error(`latency beside ${busy_tasks} busy tasks failed: ${error.message}`);
      break;
    }
  }
  return rows;
}

/** A table of the medians and the 99th percentiles. */
export function latency_table(rows: readonly Latency[]): string {
  return markdown_table(
    ["busy tasks", "timer late, median", "timer late, p99", "HTTP request, median", "HTTP, p99"],
    rows.map(({ busy_tasks, delays }) => [
      busy_tasks.toLocaleString("en-US"),
      ...[delays.timer, delays.http].flatMap((taken) => [
        milliseconds(percentile(taken, 50)),
        milliseconds(percentile(taken, 99)),
      ]),
    ]),
  );
}

function percentile(figures: readonly number[], percent: number): number {
  const sorted = figures.toSorted((one, other) => one - other);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * percent / 100))]!;
}

function milliseconds(figure: number): string {
  return `${figure.toFixed(2)} ms`;
}

if (import.meta.main) console.log(latency_table(await measure_latency(console.error)));
