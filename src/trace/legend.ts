/**
 * The meaning of the colours and signs of a picture: of those that are in it.
 *
 * @module
 */

import { BAR, cancel_mark, end_mark } from "./rows.ts";
import { rounded } from "./scale.ts";
import { width_of } from "./text.ts";
import type { State, Timeline } from "./timeline.ts";

/** How high a line of the legend is, in pixels. */
const LEGEND_LINE = 20;

const STATES: readonly [State, string][] = [
  ["running", "runs"],
  ["ready", "waits for its turn"],
  ["sleeping", "sleeps"],
  ["waiting", "waits for another"],
  ["foreign", "waits for the host"],
];

const ENDS = [["result", "result"], ["error", "error"], ["cancelled", "cancelled"]] as const;

interface Entry {
  readonly text: string;
  readonly sign: (x: number, y: number) => string;
}

function entries({ tasks, wake_ups }: Timeline, wakes_drawn: boolean): Entry[] {
  const spans = tasks.flatMap((task) => task.spans);
  const states = new Set(
    spans.filter(({ state, start, end }) => end > start || state === "running")
      .map(({ state }) => state),
  );
  const outcomes = new Set(tasks.map(({ outcome }) => outcome));
  const marks = new Set(tasks.flatMap((task) => task.marks).map(({ kind }) => kind));
  const all: Entry[] = [];
  for (const [state, text] of STATES) {
    if (!states.has(state)) continue;
    const sign = (x: number, y: number) =>
      `<rect class="${state}" x="${rounded(x)}" y="${y - 5}" width="14" height="10"/>`;
    all.push({ text, sign });
  }
  if (wakes_drawn && wake_ups.length > 0) {
    all.push({ text: "wakes", sign: (x, y) => arrow(x + 7, y - 6, x + 7, y + 6) });
  }
  if (marks.has("cancel requested")) {
    const sign = (x: number, y: number) => cancel_mark(true, x + 7, y + BAR / 2);
    all.push({ text: "cancel() called", sign });
  }
  if (marks.has("cancel delivered")) {
    const sign = (x: number, y: number) => cancel_mark(false, x + 7, y + BAR / 2);
    all.push({ text: "CancelledError thrown", sign });
  }
  for (const [outcome, text] of ENDS) {
    if (outcomes.has(outcome)) all.push({ text, sign: (x, y) => end_mark(outcome, x + 7, y) });
  }
  return all;
}

/** A line with a tip at its end. */
export function arrow(x1: number, y1: number, x2: number, y2: number): string {
  const base = y2 - 5 * Math.sign(y2 - y1);
  const tip = `${rounded(x2 - 3)},${base} ${rounded(x2 + 3)},${base} ${rounded(x2)},${y2}`;
  return `<path class="wake" d="M${rounded(x1)},${y1}L${rounded(x2)},${base}"/>` +
    `<polygon class="tip" points="${tip}"/>`;
}

/** Draws the legend in as many lines as it takes; returns its height. */
export function draw_legend(
  timeline: Timeline,
  wakes_drawn: boolean,
  left: number,
  top: number,
  width: number,
): { drawn: string; height: number } {
  const drawn: string[] = [];
  let x = left;
  let y = top + LEGEND_LINE / 2;
  for (const { text, sign } of entries(timeline, wakes_drawn)) {
    const needed = 20 + width_of(text);
    if (x > left && x + needed > left + width) {
      x = left;
      y += LEGEND_LINE;
    }
    drawn.push(
      sign(x, y),
      `<text class="faint" x="${rounded(x + 20)}" y="${y + 4}">${text}</text>`,
    );
    x += needed + 16;
  }
  return { drawn: drawn.join("\n"), height: y + LEGEND_LINE / 2 - top };
}
