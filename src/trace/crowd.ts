/**
 * How many tasks there are at each time, and in which state: for traces with more tasks than rows.
 *
 * @module
 */

import { rounded, type Scale } from "./scale.ts";
import type { State, TaskLine } from "./timeline.ts";

// From the bottom to the top.
const LAYERS: readonly State[] = ["running", "ready", "waiting", "foreign", "sleeping"];

/** The numbers of tasks over time, as areas on top of each other; and the largest number. */
export function draw_crowd(
  tasks: readonly TaskLine[],
  scale: Scale,
  top: number,
  height: number,
): { drawn: string; most: number } {
  const columns = Math.floor(scale.width) + 1;
  // Counted is what a task does at the time of a column, not all that it does in its width.
  const column = (loop: number, time: number) => Math.ceil(scale.x(loop, time) - scale.left);
  const counts = LAYERS.map(() => new Int32Array(columns + 1));
  for (const { loop, spans } of tasks) {
    for (const { state, start, end } of spans) {
      const layer = counts[LAYERS.indexOf(state)]!;
      layer[column(loop, start)]!++;
      layer[column(loop, end)]!--;
    }
  }
  const sums = new Int32Array(columns);
  const edges = counts.map((changes) => {
    let count = 0;
    return sums.map((below, index) => sums[index] = below + (count += changes[index]!));
  });
  const most = Math.max(1, ...sums);
  const y = (count: number) => rounded(top + height * (1 - count / most));
  const areas = edges.map((upper, layer) => {
    const lower = layer === 0 ? new Int32Array(columns) : edges[layer - 1]!;
    const above = outline(upper, scale.left, y);
    const below = outline(lower, scale.left, y).reverse();
    return `<path class="${LAYERS[layer]}" d="M${above.concat(below).join("L")}Z"/>`;
  });
  return { drawn: areas.join("\n"), most };
}

// The corners of a line of steps.
function outline(heights: Int32Array, left: number, y: (count: number) => number): string[] {
  const points: string[] = [];
  heights.forEach((height, index) => {
    if (index === 0 || height !== heights[index - 1]) {
      if (index > 0) points.push(`${rounded(left + index)},${y(heights[index - 1]!)}`);
      points.push(`${rounded(left + index)},${y(height)}`);
    }
  });
  points.push(`${rounded(left + heights.length)},${y(heights[heights.length - 1]!)}`);
  return points;
}
