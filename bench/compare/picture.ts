/**
 * The picture of a comparison: bars per workload.
 *
 * @module
 */

import { bars_svg, type Kind, MEMORY, TIME } from "./bars.ts";
import type { Contestant } from "./contestants.ts";
import type { Figures } from "./rounds.ts";
import { measures_memory, type Workload } from "./workloads.ts";

/** Draws the figures as an SVG. */
export function to_svg(
  figures: Figures,
  workloads: readonly Workload[],
  contestants: readonly Contestant[],
): string {
  const panels = workloads.map((workload) => ({
    title: `${workload.id} ${workload.title}`,
    scale: measures_memory(workload) ? MEMORY : TIME,
    bars: contestants.flatMap(({ id, title }) => {
      const figure = figures.get(workload.id)?.get(id)?.value;
      return figure === undefined ? [] : [{ name: title, figure, kind: kind_of(id) }];
    }),
  }));
  return bars_svg("Time per operation (W11: memory per task)", panels);
}

function kind_of(id: string): Kind {
  if (id.startsWith("library")) return "ours";
  if (id === "cpython" || id === "uvloop") return "python";
  return id.startsWith("floor") ? "floor" : "peer";
}
