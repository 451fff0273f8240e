/**
 * Cost as work grows: time per task of what a program does with many tasks, from a hundred of them to a million.
 *
 * ```sh
 * deno run -A bench/compare/growth.ts
 * ```
 *
 * @module
 */

import { type Bar, bars_svg, MEMORY, type Panel, TIME } from "./bars.ts";
import { deno_command, run_job, WorkerFailed } from "./child.ts";
import { MEMORY_WORKLOAD } from "./measure.ts";
import { markdown_table } from "./table.ts";
import { bytes, nanoseconds } from "./units.ts";

/** Time, or memory, per task by the number of tasks; `null` where it could not be measured. */
export interface Growth {
  readonly title: string;
  readonly is_memory: boolean;
  readonly figures: readonly (number | null)[];
}

/** How many tasks there are. */
export const SIZES = [1e2, 1e3, 1e4, 1e5, 1e6];

const KINDS = [
  "spawn",
  "gather",
  "timers",
  "cancel",
  "queue waiters",
  "cancelled queue waiters",
  "lock waiters",
  "as_completed",
  "wait",
  "TaskGroup",
];

const MEMORY_TITLE = "memory per idle task";
const WARM_UP_SIZE = 1_000;
const WARM_UP_MS = 100;
const MEASURE_MS = 200;
// A batch that would take longer, at what the size before it costs, is not begun.
const LONGEST_NS = 20e9;

/** Measures every kind at every size, each in a process of its own; `tell` hears what is being measured. */
export async function measure_growth(tell: (text: string) => void): Promise<Growth[]> {
  const rows: Growth[] = [];
  for (const title of [...KINDS, MEMORY_TITLE]) {
    const is_memory = title === MEMORY_TITLE;
    const figures: (number | null)[] = [];
    for (const size of SIZES) {
      tell(`growth: ${title}, ${size}`);
      const before = figures.at(-1);
      const hopeless = before === null || (!is_memory && (before ?? 0) * size > LONGEST_NS);
      const workload = is_memory ? MEMORY_WORKLOAD : title;
      figures.push(hopeless ? null : await measure_size(workload, size));
    }
    rows.push({ title, is_memory, figures });
  }
  return rows;
}

/** A table with a column for each number of tasks, and how much the dearest is above the cheapest. */
export function growth_table(rows: readonly Growth[]): string {
  return markdown_table(
    ["per task", ...SIZES.map(size_text), "dearest / cheapest"],
    rows.map(({ title, is_memory, figures }) => [
      title,
      ...figures.map((figure) => figure === null ? "" : (is_memory ? bytes : nanoseconds)(figure)),
      spread(figures),
    ]),
  );
}

/** The same as a picture. */
export function growth_svg(rows: readonly Growth[]): string {
  const panels = rows.map(({ title, is_memory, figures }): Panel => ({
    title,
    scale: is_memory ? MEMORY : TIME,
    bars: figures.flatMap((figure, index): Bar[] =>
      figure === null ? [] : [{ name: size_text(SIZES[index]!), figure, kind: "ours" }]
    ),
  }));
  return bars_svg("Cost per task as tasks grow", panels);
}

async function measure_size(workload: string, size: number): Promise<number | null> {
  const job = {
    workload,
    size,
    warm_up_size: Math.min(size, WARM_UP_SIZE),
    idle_ms: 0,
    warm_up_ms: WARM_UP_MS,
    measure_ms: MEASURE_MS,
  };
  try {
    return await run_job(deno_command("growth.ts", "--max-old-space-size=4096"), job);
  } catch (error) {
    if (!(error instanceof WorkerFailed)) throw error;
    console.error(`${workload} of ${size} failed: ${error.message}`);
    return null;
  }
}

function spread(figures: readonly (number | null)[]): string {
  const known = figures.filter((figure) => figure !== null);
  return known.length < 2 ? "" : (Math.max(...known) / Math.min(...known)).toFixed(1);
}

function size_text(size: number): string {
  return size.toLocaleString("en-US");
}

if (import.meta.main) {
  const rows = await measure_growth(console.error);
  console.log(growth_table(rows));
}
