/**
 * Traces as pictures: a timeline of tasks.
 *
 * @module
 */

import { ValueError } from "../core/exceptions.ts";
import { repr } from "../internal/format_helpers.ts";
import { check_options } from "../internal/options.ts";
import type { TraceEvent } from "./recorder.ts";
import { draw_crowd } from "./crowd.ts";
import { arrow, draw_legend } from "./legend.ts";
import { BAR, describe_task, draw_row, label_of } from "./rows.ts";
import { rounded, Scale } from "./scale.ts";
import { ROOT, style_sheet } from "./style.ts";
import { counted, escaped, fitting, number_text, seconds_text, ticks, width_of } from "./text.ts";
import { make_timeline, type TaskLine, type Timeline } from "./timeline.ts";

/**
 * How a timeline is drawn.
 *
 * @category Tracing
 */
export interface TraceSVGOptions {
  /** The title; by default how many tasks there are and how long they took. */
  title?: string | null;
  /** The width of the picture in pixels, at least 320; 960 by default. */
  width?: number;
  /** How many tasks have a row of their own, 60 by default; of the others only the number is drawn. */
  max_rows?: number;
}

// In pixels.
const MIN_WIDTH = 320;
const MARGIN = 16;
const HEAD = 44;
const ROW = 24;
const AXIS = 24;
const LOOP_HEAD = 24;
const CROWD = 120;
const TICK = 90;
// Names take at most this part of the width.
const NAMES = 0.3;
// More arrows than this hide what they explain.
const MAX_WAKE_UPS = 400;

/**
 * Draws a trace as a timeline: an SVG picture with a row for each task, its states over time,
 * cancellations, ends, and arrows from the task that wakes another to that.
 *
 * Times count from the first event of a loop. If no time passes at all, as in a program on a virtual
 * clock that never sleeps, the events are drawn in their order. The picture follows its reader's
 * preference for light or dark. With more tasks than `max_rows` the picture shows the first ones, and
 * over them how many tasks there are at each time and in which state.
 *
 * @param events what a `TraceRecorder` has written down
 * @param options `title`, `width`, `max_rows`
 * @returns the text of an SVG file, or of an element of a page
 * @throws {TypeError} if the events are not an array, or an option is unknown or of a wrong type
 * @throws {ValueError} if it is narrower than 320 pixels, or `max_rows` is negative
 * @category Tracing
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { VirtualClockEventLoop } from "@pythonic/asyncio/testing";
 * import { format_trace_svg, TraceRecorder } from "@pythonic/asyncio/trace";
 * import { assertStringIncludes } from "@std/assert";
 *
 * const trace = new TraceRecorder();
 * const loop_factory = () => new VirtualClockEventLoop({ trace });
 * await asyncio.run(() => asyncio.sleep(2), { loop_factory });
 *
 * assertStringIncludes(format_trace_svg(trace.events), "sleep 2");
 * ```
 */
export function format_trace_svg(
  events: readonly TraceEvent[],
  options: TraceSVGOptions = {},
): string {
  check_options("format_trace_svg", options, ["title", "width", "max_rows"]);
  const { title = null, width = 960, max_rows = 60 } = options;
  if (title !== null && typeof title !== "string") {
    throw new TypeError(`Cannot draw a timeline: title must be a string: received ${repr(title)}`);
  }
  check_least("width", width, MIN_WIDTH);
  check_least("max_rows", max_rows, 0);
  const timed = make_timeline(events);
  const in_time = timed.loops.some(({ start, end }) => end > start);
  // Without time the order of the events stands in for it.
  const timeline = in_time ? timed : make_timeline(events, (_, last) => Math.max(0, last + 1));
  return new Picture(timeline, in_time, title ?? summary(timed), width, max_rows).draw();
}

function check_least(name: string, value: unknown, least: number): void {
  if (typeof value !== "number") {
    throw new TypeError(
      `Cannot draw a timeline: ${name} must be a number: received ${repr(value)}`,
    );
  }
  if (value >= least) return;
  throw new ValueError(
    `Cannot draw a timeline: ${name} must be at least ${least}: received ${value}`,
  );
}

function summary({ tasks, loops }: Timeline): string {
  const lasts = Math.max(0, ...loops.map(({ start, end }) => end - start));
  return tasks.length === 0
    ? "No tasks"
    : `${counted(tasks.length, "task")} in ${seconds_text(lasts)}`;
}

class Picture {
  readonly #timeline: Timeline;
  readonly #in_time: boolean;
  readonly #title: string;
  readonly #width: number;
  readonly #scale: Scale;
  // The tasks that have a row, and where its middle is.
  readonly #shown: readonly TaskLine[];
  readonly #middles = new Map<number, number>();
  // The loop of each task.
  readonly #loops: ReadonlyMap<number, number>;
  readonly #draws_wake_ups: boolean;
  #y = HEAD;

  constructor(
    timeline: Timeline,
    in_time: boolean,
    title: string,
    width: number,
    max_rows: number,
  ) {
    this.#timeline = timeline;
    this.#in_time = in_time;
    this.#title = title;
    this.#width = width;
    this.#loops = new Map(timeline.tasks.map(({ number, loop }) => [number, loop]));
    this.#shown = timeline.tasks.slice(0, max_rows);
    this.#draws_wake_ups = timeline.wake_ups.length <= MAX_WAKE_UPS;
    const names = Math.max(40, ...this.#shown.map((task) => width_of(label_of(task))));
    const left = MARGIN + Math.min(names, width * NAMES) + 12;
    this.#scale = new Scale(timeline.loops, left, width - left - MARGIN);
  }

  draw(): string {
    const { tasks } = this.#timeline;
    const parts: string[] = [];
    if (this.#shown.length < tasks.length) parts.push(this.#draw_crowd());
    const top = this.#y;
    const rows = this.#draw_rows();
    const axis = tasks.length === 0 ? "" : this.#draw_axis(top, this.#y);
    const legend = draw_legend(
      this.#timeline,
      this.#draws_wake_ups,
      MARGIN,
      this.#y,
      this.#width - 2 * MARGIN,
    );
    this.#y += legend.height;
    const height = rounded(this.#y + MARGIN / 2);
    const size = `viewBox="0 0 ${this.#width} ${height}" width="${this.#width}" height="${height}"`;
    const heading = fitting(this.#title, this.#width - 2 * MARGIN, 13.5);
    return `<svg xmlns="http://www.w3.org/2000/svg" class="${ROOT}" ${size} role="img">
<title>${escaped(this.#title)}</title>
<style>${style_sheet()}</style>
<rect class="page" width="100%" height="100%"/>
<text class="heading" x="${MARGIN}" y="26">${escaped(heading)}</text>
${[...parts, axis, ...rows, legend.drawn].join("\n")}
</svg>
`;
  }

  #draw_crowd(): string {
    const { tasks, loops } = this.#timeline;
    const top = this.#y;
    const { drawn, most } = draw_crowd(tasks, this.#scale, top, CROWD);
    this.#y += CROWD + 16;
    const edge = this.#scale.left - 8;
    const all = counted(tasks.length, "task");
    const note = `All ${all}${loops.length > 1 ? " of all loops" : ""} are above; below, ` +
      `the first ${this.#shown.length}.`;
    const text = `<text class="faint" x="${MARGIN}" y="${this.#y + 4}">${
      fitting(note, this.#width - 2 * MARGIN)
    }</text>`;
    this.#y += 20;
    return [
      drawn,
      `<text class="faint" x="${edge}" y="${top + 10}" text-anchor="end">${
        number_text(most)
      }</text>`,
      `<text class="faint" x="${edge}" y="${top + CROWD}" text-anchor="end">0</text>`,
      text,
    ].join("\n");
  }

  #draw_rows(): string[] {
    const { loops, wake_ups } = this.#timeline;
    const heads: string[] = [];
    for (const { number, loop_class } of loops) {
      if (loops.length > 1) {
        const text = `${loop_class} ${number}`;
        heads.push(`<text class="faint" x="${MARGIN}" y="${this.#y + 16}">${escaped(text)}</text>`);
        this.#y += LOOP_HEAD;
      }
      for (const task of this.#shown.filter(({ loop }) => loop === number)) {
        this.#middles.set(task.number, this.#y + ROW / 2);
        this.#y += ROW;
      }
    }
    const wakes = this.#draws_wake_ups
      ? wake_ups.map(({ from, time, to, to_step }) =>
        this.#draw_link(
          from,
          to,
          (x, y1, y2) => arrow(x(from, time), y1, x(to, to_step ?? time), y2),
        )
      )
      : [];
    return [
      ...heads,
      ...this.#shown.map((task) => this.#draw_birth(task)),
      ...this.#shown.map((task) => this.#draw_task(task)),
      ...wakes,
    ].filter((part) => part !== "");
  }

  #draw_task(task: TaskLine): string {
    const middle = this.#middles.get(task.number) ?? 0;
    const label = fitting(label_of(task), this.#scale.left - MARGIN - 10);
    return `<g class="task" data-task="${task.number}">
<title>${escaped(describe_task(task))}</title>
<text x="${MARGIN}" y="${middle + 4}">${escaped(label)}</text>
${draw_row(task, this.#scale, middle, this.#in_time)}
</g>`;
  }

  // A line from the task that made this one.
  #draw_birth({ number, parent, created }: TaskLine): string {
    if (parent === null) return "";
    return this.#draw_link(parent, number, (x, y1, y2) => {
      const place = rounded(x(number, created));
      return `<path class="birth" d="M${place},${y1}V${y2}"/>`;
    });
  }

  // Something between the bars of two tasks, if both have one.
  #draw_link(
    from: number,
    to: number,
    draw: (x: (task: number, time: number) => number, y1: number, y2: number) => string,
  ): string {
    const start = this.#middles.get(from);
    const end = this.#middles.get(to);
    if (start === undefined || end === undefined || start === end) return "";
    const half = BAR / 2 * Math.sign(end - start);
    const x = (task: number, time: number) => this.#scale.x(this.#loops.get(task) ?? 0, time);
    return draw(x, start + half, end - half);
  }

  #draw_axis(top: number, bottom: number): string {
    const scale = this.#scale;
    const lines = ticks(scale.lasts, scale.width / TICK).map((tick) => {
      const x = rounded(scale.place(tick));
      const text = this.#in_time ? seconds_text(tick) : String(tick);
      const room = this.#width - MARGIN / 2 - x;
      const anchor = width_of(text) / 2 > room ? "end" : "middle";
      return `<line class="grid" x1="${x}" x2="${x}" y1="${top}" y2="${bottom + 4}"/>` +
        `<text class="faint" x="${x}" y="${bottom + 16}" text-anchor="${anchor}">${text}</text>`;
    });
    this.#y += AXIS;
    if (!this.#in_time) {
      const note = "No time passed: the numbers count what happened.";
      lines.push(`<text class="faint" x="${MARGIN}" y="${this.#y + 12}">${note}</text>`);
      this.#y += 20;
    }
    return lines.join("\n");
  }
}
