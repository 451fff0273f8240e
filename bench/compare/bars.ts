/**
 * Draws panels of bars on a logarithmic scale as an SVG that is readable on light and on dark.
 *
 * @module
 */

import { escaped } from "../../src/trace/text.ts";
import { bytes, nanoseconds } from "./units.ts";

/** What a bar stands for, which is its colour. */
export type Kind = "ours" | "floor" | "python" | "peer";

/** One bar. */
export interface Bar {
  readonly name: string;
  readonly figure: number;
  readonly kind: Kind;
}

/** Bars under a title, on one scale. */
export interface Panel {
  readonly title: string;
  readonly bars: readonly Bar[];
  readonly scale: Scale;
}

/** From which figure to which the bars reach, where lines are drawn, and how figures are written. */
export interface Scale {
  readonly from: number;
  readonly to: number;
  readonly ticks: readonly number[];
  readonly text: (figure: number) => string;
}

/** Nanoseconds, up to a millisecond. */
export const TIME: Scale = {
  from: 1,
  to: 1e6,
  ticks: [10, 100, 1e3, 1e4, 1e5],
  text: nanoseconds,
};

/** Bytes, up to 100 kB. */
export const MEMORY: Scale = { from: 100, to: 1e5, ticks: [1e3, 1e4], text: bytes };

const MARGIN = 20;
const HEAD = 52;
const COLUMN = 470;
const NAMES = 124;
const BARS = 264;
const TITLE = 20;
const ROW = 15;
const AXIS = 26;

const STYLE = `
  text { font: 11px system-ui, sans-serif; fill: #1f2328; }
  .heading { font-size: 16px; font-weight: 600; }
  .title { font-weight: 600; }
  .faint { fill: #656d76; }
  .page { fill: #ffffff; }
  .tick { stroke: #d8dee4; }
  .ours { fill: #0a7d4f; }
  .python { fill: #c77700; }
  .floor { fill: #8c959f; }
  .peer { fill: #5b8def; }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3; }
    .faint { fill: #9198a1; }
    .page { fill: #0d1117; }
    .tick { stroke: #30363d; }
    .ours { fill: #2fbf82; }
    .python { fill: #e3a33c; }
    .floor { fill: #6e7681; }
    .peer { fill: #4d7fd6; }
  }
`;

/** Draws the panels that have bars, in two columns. */
export function bars_svg(heading: string, panels: readonly Panel[]): string {
  const columns = two_columns(panels.filter(({ bars }) => bars.length > 0));
  const height = HEAD + Math.max(...columns.map(total_height)) + MARGIN;
  const width = 2 * COLUMN + 3 * MARGIN;
  const drawn = columns.flatMap((column, index) =>
    draw_column(column, MARGIN + index * (COLUMN + MARGIN))
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img">
<title>${escaped(heading)}</title>
<style>${STYLE}</style>
<rect class="page" width="${width}" height="${height}"/>
<text class="heading" x="${MARGIN}" y="26">${escaped(heading)}</text>
<text class="faint" x="${MARGIN}" y="42">logarithmic: each line is ten times the one before; shorter is better</text>
${drawn.join("\n")}
</svg>
`;
}

function two_columns(panels: readonly Panel[]): Panel[][] {
  const half = total_height(panels) / 2;
  let height = 0;
  const left: Panel[] = [];
  const right: Panel[] = [];
  for (const panel of panels) {
    (height + height_of(panel) / 2 <= half ? left : right).push(panel);
    height += height_of(panel);
  }
  return [left, right];
}

function height_of({ bars }: Panel): number {
  return TITLE + bars.length * ROW + AXIS;
}

function total_height(panels: readonly Panel[]): number {
  return panels.reduce((sum, panel) => sum + height_of(panel), 0);
}

function draw_column(panels: readonly Panel[], x: number): string[] {
  let y = HEAD;
  return panels.map((panel) => {
    const drawn = draw_panel(panel, x, y);
    y += height_of(panel);
    return drawn;
  });
}

function draw_panel({ title, bars, scale }: Panel, x: number, y: number): string {
  const first_row = y + TITLE;
  const end = first_row + bars.length * ROW;
  const start = x + NAMES;
  const parts = [`<text class="title" x="${x}" y="${y + 14}">${escaped(title)}</text>`];
  for (const tick of scale.ticks) {
    const at = start + length_of(tick, scale);
    const text = scale.text(tick).replace(/\.0+ /, " ");
    parts.push(
      `<line class="tick" x1="${at}" x2="${at}" y1="${first_row}" y2="${end}"/>`,
      `<text class="faint" x="${at}" y="${end + 12}" text-anchor="middle">${text}</text>`,
    );
  }
  bars.forEach(({ name, figure, kind }, row) => {
    const top = first_row + row * ROW;
    const length = length_of(figure, scale);
    const base = top + 11;
    const shape = `x="${start}" y="${top + 2}" width="${length}" height="11"`;
    parts.push(
      `<text x="${start - 6}" y="${base}" text-anchor="end">${escaped(name)}</text>`,
      `<rect class="${kind}" ${shape}/>`,
      `<text x="${start + length + 5}" y="${base}">${scale.text(figure)}</text>`,
    );
  });
  return parts.join("\n");
}

function length_of(figure: number, { from, to }: Scale): number {
  const share = Math.log(figure / from) / Math.log(to / from);
  return Math.round(BARS * Math.min(1, Math.max(0.004, share)) * 10) / 10;
}
