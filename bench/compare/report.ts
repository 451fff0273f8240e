/**
 * The tables of a comparison, in Markdown.
 *
 * @module
 */

import type { Contestant } from "./contestants.ts";
import type { Figure, Figures, Ready } from "./rounds.ts";
import { markdown_table } from "./table.ts";
import { bytes, nanoseconds } from "./units.ts";
import { measures_memory, type Workload } from "./workloads.ts";

// Beside the library on each host in the first table; everyone else is in the second one.
const PYTHON = ["cpython", "uvloop"];

/** Floor and library on each host and the goals; then everyone else beside the library; then what ran. */
export function to_markdown(
  figures: Figures,
  workloads: readonly Workload[],
  ready: readonly Ready[],
): string {
  const contestants = ready.map(({ contestant }) => contestant);
  const floors = contestants.map(({ floor }) => floor);
  const is_main = ({ id, floor }: Contestant) =>
    floor !== undefined || floors.includes(id) || PYTHON.includes(id);
  const peers = contestants.filter((contestant) => !is_main(contestant));
  const parts: string[] = [];
  if (contestants.some(is_main)) parts.push(goals_table(figures, workloads, contestants));
  if (peers.length > 0) {
    const first = contestants.find(({ floor }) => floor !== undefined);
    parts.push(peers_table(figures, workloads, first === undefined ? peers : [first, ...peers]));
  }
  parts.push(runners_list(ready), ...smaller_batches(contestants, workloads));
  return parts.join("\n");
}

function goals_table(
  figures: Figures,
  workloads: readonly Workload[],
  contestants: readonly Contestant[],
): string {
  const libraries = contestants.filter(({ floor }) => floor !== undefined);
  const python = contestants.filter(({ id }) => PYTHON.includes(id));
  return markdown_table(
    [
      "",
      "workload",
      ...libraries.map(({ title }) => title.replace("asyncio on ", "floor / library on ")),
      ...python.map(({ title }) => title),
      "goal",
      "reached on",
    ],
    workloads.map((workload) => [
      workload.id,
      workload.title,
      ...libraries.map((library) => both(figures, workload, library)),
      ...python.map(({ id }) => figure_text(figures.get(workload.id)?.get(id), workload)),
      String(workload.goal),
      libraries.filter((library) => reaches(figures, workload, library))
        .map(({ title }) => title.replace("asyncio on ", "")).join(", "),
    ]),
    2,
  );
}

function both(figures: Figures, workload: Workload, { id, floor }: Contestant): string {
  const row = figures.get(workload.id);
  const figure = row?.get(id);
  const text = `${figure_text(row?.get(floor!), workload)} / ${figure_text(figure, workload)}`;
  return figure === undefined || figure.ratio === null ? text : `${text} = ${short(figure.ratio)}`;
}

function reaches(figures: Figures, workload: Workload, library: Contestant): boolean {
  const ratio = figures.get(workload.id)?.get(library.id)?.ratio ?? Infinity;
  return library.has_goals === true && ratio <= workload.goal;
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

function figure_text(figure: Figure | undefined, workload: Workload): string {
  if (figure === undefined) return "";
  return measures_memory(workload) ? bytes(figure.value) : nanoseconds(figure.value);
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
