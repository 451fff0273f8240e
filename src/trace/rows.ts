/**
 * One task as a row of a picture.
 *
 * @module
 */

import { rounded, type Scale } from "./scale.ts";
import { escaped, fitting, seconds_text, width_of } from "./text.ts";
import type { Span, State, TaskLine } from "./timeline.ts";

/** How high the bar of a task is, in pixels. */
export const BAR = 14;

// A step is drawn at least so wide, and what is narrower than a part of a pixel is not drawn twice.
const MIN_STEP = 1.5;
const NARROW = 0.6;
// Wide enough to be pointed at.
const WIDE = 3;

const STATE_TEXTS: Readonly<Record<State, string>> = {
  running: "runs",
  ready: "ready, waits for its turn",
  sleeping: "waits",
  waiting: "waits",
  foreign: "waits",
};

/** Returns the label before the bar of a task: its name, and that of its coroutine if it tells more. */
export function label_of({ name, coroutine }: TaskLine): string {
  return /^Task-\d+$/.test(name) && coroutine !== "<lambda>" ? `${name} ${coroutine}` : name;
}

/** Returns the text that is shown when a task is pointed at. */
export function describe_task({ name, coroutine, outcome, value }: TaskLine): string {
  const end = outcome === null
    ? "did not end"
    : outcome === "cancelled"
    ? "was cancelled"
    : `ended with the ${outcome} ${value}`;
  return `${name}: ${coroutine}(), ${end}`;
}

/** Draws the states, cancellations and end of a task; `middle` is the height of its bar's middle. */
export function draw_row(task: TaskLine, scale: Scale, middle: number, in_time: boolean): string {
  return [
    ...draw_spans(task, scale, middle, in_time),
    ...task.marks.map(({ kind, time }) =>
      cancel_mark(kind === "cancel requested", scale.x(task.loop, time), middle)
    ),
    ...draw_end(task, scale, middle),
  ].join("\n");
}

// Steps come last: on a virtual clock they take no time, and lie between two waits.
function draw_spans(task: TaskLine, scale: Scale, middle: number, in_time: boolean): string[] {
  const waits: string[] = [];
  const steps: string[] = [];
  const texts_end = error_text(task, scale)?.start ?? Infinity;
  let waits_drawn_to = -Infinity;
  let steps_drawn_to = -Infinity;
  for (const span of task.spans) {
    const x = scale.x(task.loop, span.start);
    const end = scale.x(task.loop, span.end);
    if (span.state === "running") {
      if (end < steps_drawn_to + NARROW) continue;
      steps_drawn_to = Math.max(end, x + MIN_STEP);
      steps.push(draw_bar(span, task, scale, { x, end: steps_drawn_to, middle, in_time }));
    } else if (span.end > span.start && end >= waits_drawn_to + NARROW) {
      waits_drawn_to = end;
      waits.push(draw_bar(span, task, scale, { x, end, middle, in_time }));
      const text = fitting(span.on, Math.min(end - 4, texts_end) - x - 4, 11);
      if (text === "") continue;
      const place = `x="${rounded(x + 4)}" y="${middle + 4}"`;
      waits.push(`<text class="inside" ${place}>${escaped(text)}</text>`);
    }
  }
  return waits.concat(steps);
}

interface Place {
  readonly x: number;
  readonly end: number;
  readonly middle: number;
  readonly in_time: boolean;
}

function draw_bar(
  { state, on, start, end }: Span,
  { loop }: TaskLine,
  scale: Scale,
  place: Place,
): string {
  const { x, middle, in_time } = place;
  const width = place.end - x;
  const shape = `class="${state}" x="${rounded(x)}" y="${middle - BAR / 2}" ` +
    `width="${Math.max(0.1, rounded(width))}" height="${BAR}"`;
  if (width < WIDE) return `<rect ${shape}/>`;
  const what = on === "" ? STATE_TEXTS[state] : `${STATE_TEXTS[state]}: ${on}`;
  const when = in_time
    ? `, from ${seconds_text(scale.since_start(loop, start))} to ` +
      seconds_text(scale.since_start(loop, end))
    : "";
  return `<rect ${shape}><title>${escaped(what + when)}</title></rect>`;
}

/** A triangle over the bar: open for a request, filled when it is delivered. */
export function cancel_mark(is_request: boolean, x: number, middle: number): string {
  const top = middle - BAR / 2 - 3;
  const points = `${rounded(x - 4)},${top} ${rounded(x + 4)},${top} ${rounded(x)},${top + 7}`;
  return `<polygon class="${is_request ? "request" : "cancel"}" points="${points}"/>`;
}

/** How a task ended: a circle, a square or a cross. */
export function end_mark(outcome: NonNullable<TaskLine["outcome"]>, x: number, y: number): string {
  const at = rounded(x);
  if (outcome === "result") return `<circle class="running" cx="${at}" cy="${y}" r="3.5"/>`;
  if (outcome === "cancelled") {
    return `<rect class="cancel" x="${rounded(x - 3.5)}" y="${y - 3.5}" width="7" height="7"/>`;
  }
  return `<path class="failed" d="M${rounded(x - 4)},${y - 4}l8,8m0,-8l-8,8"/>`;
}

function draw_end(task: TaskLine, scale: Scale, middle: number): string[] {
  const { loop, end, outcome } = task;
  if (outcome === null) return [];
  const mark = end_mark(outcome, scale.x(loop, end), middle);
  const label = error_text(task, scale);
  if (label === null) return [mark];
  const place = `x="${rounded(label.start)}" y="${middle + 4}"`;
  return [mark, `<text class="inside halo error" ${place}>${escaped(label.text)}</text>`];
}

// The text of the error that a task ended with: beside the end, where there is more room.
function error_text(
  { loop, end, outcome, value }: TaskLine,
  scale: Scale,
): { text: string; start: number } | null {
  if (outcome !== "error") return null;
  const x = scale.x(loop, end);
  const right = scale.left + scale.width - x - 8;
  const left = x - scale.left - 8;
  if (width_of(value, 11) <= right || right > left) {
    return { text: fitting(value, right, 11), start: x + 8 };
  }
  const text = fitting(value, left, 11);
  return { text, start: x - 8 - width_of(text, 11) };
}
