/**
 * Cost as work grows: time per task of what a program does with many tasks, from a hundred of them to a million.
 *
 * ```sh
 * deno run -A bench/compare/growth.ts                     # --rounds 3 --only "spawn,queue waiters"
 * ```
 *
 * @module
 */

import { parseArgs } from "node:util";
import { entries_of, read_command_line, whole_number } from "../../scripts/command_line.ts";
import { type Bar, bars_svg, MEMORY, type Panel, TIME } from "./bars.ts";
import { deno_command, run_job, WorkerFailed } from "./child.ts";
import { MEMORY_WORKLOAD } from "./measure.ts";
import { markdown_table } from "./table.ts";
import { bytes, nanoseconds } from "./units.ts";

/** Time, or memory, per task by the number of tasks; `null` where it could not be measured. */
export interface Growth extends Kind {
  readonly figures: readonly (number | null)[];
}

/** Something that a program does with many tasks. */
interface Kind {
  readonly title: string;
  readonly is_memory?: boolean;
  /** The workload of the floor, if it is measured: what grows there is the host's doing. */
  readonly of_floor?: string;
  /** How many times the cheapest size the dearest may cost. */
  readonly goal?: number;
}

/** How many tasks there are. */
const SIZES = [1e2, 1e3, 1e4, 1e5, 1e6];

const KINDS: readonly Kind[] = [
  { title: "spawn", goal: 2 },
  { title: "gather", goal: 2 },
  { title: "timers", goal: 3 },
  { title: "cancel", goal: 3 },
  { title: "queue waiters", goal: 3 },
  { title: "cancelled queue waiters", goal: 3 },
  { title: "lock waiters", goal: 3 },
  { title: "locked() of cancelled waiters", goal: 3 },
  { title: "limits in one task", goal: 3 },
  { title: "blocks of one signal", goal: 3 },
  { title: "as_completed", goal: 3 },
  { title: "wait", goal: 2 },
  { title: "TaskGroup", goal: 2 },
  { title: "shields of one future", goal: 3 },
  { title: "remove_done_callback", goal: 3 },
  { title: "gather on the floor", of_floor: "W3" },
  { title: "cancel on the floor", of_floor: "W9" },
  { title: "memory per idle task", is_memory: true, goal: 2 },
];

const WARM_UP_SIZE = 1_000;
const WARM_UP_MS = 100;
const MEASURE_MS = 200;
// A batch that would take longer, at what the size before it costs, is not begun.
const LONGEST_NS = 20e9;
// Larger ones are measured once: their batches take long, so that noise averages out.
const LARGEST_OF_ALL_ROUNDS = 1e4;

/** Measures every kind at every size, each in a process of its own; `tell` hears what is being measured. */
export async function measure_growth(
  tell: (text: string) => void,
  { rounds = 2, only = null }: { rounds?: number; only?: readonly string[] | null } = {},
): Promise<Growth[]> {
  const kinds = KINDS.filter(({ title }) => only?.includes(title) ?? true);
  const samples = kinds.map(() => SIZES.map((): (number | null)[] => []));
  for (let round = 0; round < rounds; round++) {
    for (const [index, kind] of kinds.entries()) {
      for (const [place, size] of SIZES.entries()) {
        if (round > 0 && size > LARGEST_OF_ALL_ROUNDS) continue;
        tell(`growth: ${kind.title}, ${size}`);
        const before = place === 0 ? 0 : samples[index]![place - 1]!.at(-1)!;
        const is_hopeless = before === null || (!kind.is_memory && before * size > LONGEST_NS);
        samples[index]![place]!.push(is_hopeless ? null : await measure_size(kind, size));
      }
    }
  }
  return kinds.map((kind, index) => ({ ...kind, figures: samples[index]!.map(lower_median) }));
}

function lower_median(samples: readonly (number | null)[]): number | null {
  const known = samples.filter((sample) => sample !== null).sort((a, b) => a - b);
  return known[(known.length - 1) >> 1] ?? null;
}

/** A table with a column for each number of tasks, how much the dearest is above the cheapest, and the goal. */
export function growth_table(rows: readonly Growth[]): string {
  return markdown_table(
    ["per task", ...SIZES.map(size_text), "dearest / cheapest", "goal"],
    rows.map(({ title, is_memory, goal, figures }) => [
      title,
      ...figures.map((figure) => figure === null ? "" : (is_memory ? bytes : nanoseconds)(figure)),
      spread(figures),
      goal === undefined ? "" : goal.toFixed(1),
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

async function measure_size(
  { title, is_memory, of_floor }: Kind,
  size: number,
): Promise<number | null> {
  const job = {
    workload: is_memory ? MEMORY_WORKLOAD : of_floor ?? title,
    size,
    warm_up_size: Math.min(size, WARM_UP_SIZE),
    idle_ms: 0,
    warm_up_ms: WARM_UP_MS,
    measure_ms: MEASURE_MS,
  };
  try {
    const worker = of_floor === undefined ? "growth.ts" : "floor.ts";
    return await run_job(deno_command(worker, "--max-old-space-size=4096"), job);
  } catch (error) {
    if (!(error instanceof WorkerFailed)) throw error;
    console.error(`${title} of ${size} failed: ${error.message}`);
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

function read_options() {
  const { values } = parseArgs({
    args: Deno.args,
    options: { rounds: { type: "string", default: "3" }, only: { type: "string" } },
  });
  const titles = KINDS.map(({ title }) => title);
  return {
    rounds: whole_number("rounds", values.rounds, 1),
    only: values.only === undefined ? null : entries_of("only", values.only, titles),
  };
}

if (import.meta.main) {
  const options = read_command_line("growth", read_options);
  console.log(growth_table(await measure_growth(() => {}, options)));
}
