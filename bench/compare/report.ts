/**
 * The tables of a comparison, in Markdown.
 *
 * @module
 */

import type { Contestant } from "./contestants.ts";
import { type Figure, type Figures, type Ready, REFERENCE } from "./rounds.ts";
import { markdown_table } from "./table.ts";
import { bytes, nanoseconds } from "./units.ts";
import { measures_memory, type Workload } from "./workloads.ts";

const LIBRARY = "library";
// The first table's columns; everyone else is in the second one, beside the library.
const MAIN = [LIBRARY, "library-bun", "library-node", "floor", REFERENCE, "uvloop"];

/** The figures, their ratios to CPython's and the goals; then the peers beside the library; then what ran. */
export function to_markdown(
  figures: Figures,
  workloads: readonly Workload[],
  ready: readonly Ready[],
): string {
  const contestants = ready.map(({ contestant }) => contestant);
  const main = contestants.filter(({ id }) => MAIN.includes(id));
  const peers = contestants.filter(({ id }) => id === LIBRARY || !MAIN.includes(id));
  const parts: string[] = [];
  if (main.length > 0) parts.push(goals_table(figures, workloads, main));
  if (peers.some(({ id }) => id !== LIBRARY)) parts.push(peers_table(figures, workloads, peers));
  parts.push(runners_list(ready), ...smaller_batches(contestants, workloads));
  return parts.join("\n");
}

function goals_table(
  figures: Figures,
  workloads: readonly Workload[],
  contestants: readonly Contestant[],
): string {
  return markdown_table(
    ["", "workload", ...contestants.map(({ title }) => title), "goal", "reached"],
    workloads.map((workload) => [
      workload.id,
      workload.title,
      ...contestants.map(({ id }) => cell(figures, workload, id)),
      goal_text(workload),
      reached(figures, workload),
    ]),
    2,
  );
}

function peers_table(
  figures: Figures,
  workloads: readonly Workload[],
  contestants: readonly Contestant[],
): string {
  return markdown_table(
    ["", "workload", ...contestants.map(({ title }) => title)],
    workloads.map((workload) => [
      workload.id,
      workload.title,
      ...contestants.map(({ id }) => figure_text(figures.get(workload.id)?.get(id), workload)),
    ]),
    2,
  );
}

function cell(figures: Figures, workload: Workload, contestant: string): string {
  const figure = figures.get(workload.id)?.get(contestant);
  const text = figure_text(figure, workload);
  if (contestant === REFERENCE || measures_memory(workload)) return text;
  const ratio = figure?.ratio ?? null;
  return ratio === null ? text : `${text} (${short(ratio)})`;
}

function figure_text(figure: Figure | undefined, workload: Workload): string {
  if (figure === undefined) return "";
  return measures_memory(workload) ? bytes(figure.value) : nanoseconds(figure.value);
}

function goal_text({ goal }: Workload): string {
  return "bytes" in goal ? bytes(goal.bytes) : String(goal.ratio);
}

function reached(figures: Figures, workload: Workload): string {
  const { goal } = workload;
  const figure = figures.get(workload.id)?.get(LIBRARY);
  const measured = "bytes" in goal ? figure?.value : figure?.ratio;
  if (measured === undefined || measured === null) return "";
  return measured <= ("bytes" in goal ? goal.bytes : goal.ratio) ? "yes" : "**no**";
}

function short(ratio: number): string {
  return ratio >= 10 ? ratio.toFixed(0) : ratio.toPrecision(2);
}

function runners_list(ready: readonly Ready[]): string {
  const versions = ready.map(({ runner }) => runner.version);
  return `Run on ${[...new Set(versions)].join("; ")}.\n`;
}

function smaller_batches(
  contestants: readonly Contestant[],
  workloads: readonly Workload[],
): string[] {
  const measured = new Set(workloads.map(({ id }) => id));
  return contestants.flatMap(({ title, sizes = {} }) => {
    const smaller = Object.keys(sizes).filter((id) => measured.has(id));
    if (smaller.length === 0) return [];
    return [`${title} runs smaller batches of ${smaller.join(", ")}: full ones take too long.\n`];
  });
}
