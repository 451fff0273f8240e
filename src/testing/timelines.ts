/**
 * The timeline of a run of an exploration, and two of them side by side.
 *
 * @module
 */

import type { TraceEvent } from "../trace/recorder.ts";

/** A line that is no event of a task: a decision, or a note of the program. */
export interface Note {
  /** How many events there were before. */
  readonly after: number;
  readonly time: number;
  readonly text: string;
}

/** A line of a timeline. */
export interface Line {
  readonly time: number;
  readonly text: string;
}

// More lines than this are not compared with each other beyond where they first differ.
const MAX_COMPARED = 1000;
const MAX_SHOWN = 60;
const BEFORE_DIFFERENCE = 4;
const WIDTH = 46;

/** A line for each step of a task, and for each note. */
export function lines_of(events: readonly TraceEvent[], notes: readonly Note[]): Line[] {
  const names = new Map<number, string>();
  const lines: { time: number; text: string; task: number | null }[] = [];
  let noted = 0;
  const add_notes = (count: number) => {
    for (let note = notes[noted]; note !== undefined && note.after <= count; note = notes[noted]) {
      lines.push({ time: note.time, text: note.text, task: null });
      noted++;
    }
  };
  events.forEach((event, index) => {
    add_notes(index);
    const { time, task } = event;
    if (event.kind === "created" || event.kind === "renamed") names.set(task, event.name);
    const name = names.get(task) ?? `task ${task}`;
    const last = lines[lines.length - 1];
    const line = (text: string) => lines.push({ time, text: `${name} ${text}`, task });
    const more = (text: string) => {
      // The events that a step leads to stand behind it.
      if (last !== undefined && last.task === task && last.time === time) last.text += `, ${text}`;
      else line(text);
    };
    switch (event.kind) {
      case "created":
        lines.push({ time, text: `${name} is made: ${event.coroutine}()`, task: null });
        break;
      case "started":
        line("starts");
        break;
      case "resumed":
        line("resumes");
        break;
      case "waits":
        more(`waits on ${event.on}`);
        break;
      case "ended":
        more(event.outcome === "cancelled" ? "ends cancelled" : `ends: ${event.value}`);
        break;
      case "cancel requested":
        lines.push({ time, text: `${name} is to be cancelled`, task: null });
        break;
      case "cancel delivered":
        more("is cancelled");
        break;
      default:
    }
  });
  add_notes(Infinity);
  return lines.map(({ time, text }) => ({ time, text }));
}

/** Writes one timeline. */
export function format_timeline(lines: readonly Line[]): string {
  return lines.map(line_text).join("\n");
}

function line_text({ time, text }: Line): string {
  return `${time.toFixed(4).padStart(9)}  ${text}`;
}

type Row = readonly [plain: Line | null, failing: Line | null];

/** Writes two timelines side by side, from shortly before they part. */
export function format_beside(plain: readonly Line[], failing: readonly Line[]): string {
  const rows = align(plain, failing);
  let first = rows.findIndex(is_difference);
  if (first < 0) first = rows.length;
  const start = Math.max(0, first - BEFORE_DIFFERENCE);
  const shown = rows.slice(start, start + MAX_SHOWN);
  const text = [
    `  ${"the plain order".padEnd(WIDTH + 11)}   this run`,
    ...(start > 0 ? [`  (${start} lines that are the same)`] : []),
    ...shown.map(row_text),
  ];
  const left = rows.length - start - shown.length;
  if (left > 0) text.push(`  (${left} more lines)`);
  return text.join("\n");
}

function row_text([plain, failing]: Row): string {
  const left = plain === null ? "" : line_text(plain);
  const width = WIDTH + 11;
  const fitted = left.length > width ? `${left.slice(0, width - 1)}…` : left.padEnd(width);
  const mark = is_difference([plain, failing]) ? "|" : " ";
  return `  ${fitted} ${mark} ${failing === null ? "" : line_text(failing)}`.trimEnd();
}

function is_difference([plain, failing]: Row): boolean {
  return plain === null || failing === null || plain.text !== failing.text;
}

// By the longest common subsequence of their texts.
function align(plain: readonly Line[], failing: readonly Line[]): Row[] {
  let same = 0;
  const shorter = Math.min(plain.length, failing.length);
  while (same < shorter && plain[same]?.text === failing[same]?.text) same++;
  const rows: Row[] = [];
  for (let i = 0; i < same; i++) rows.push([plain[i] as Line, failing[i] as Line]);
  const a = plain.slice(same, same + MAX_COMPARED);
  const b = failing.slice(same, same + MAX_COMPARED);
  const lengths = common_lengths(a, b);
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    const [left, right] = [a[i] ?? null, b[j] ?? null];
    if (left !== null && right !== null && left.text === right.text) {
      rows.push([left, right]);
      i++;
      j++;
    } else if (
      right === null ||
      (left !== null && (lengths[i + 1]?.[j] ?? 0) >= (lengths[i]?.[j + 1] ?? 0))
    ) {
      rows.push([left, null]);
      i++;
    } else {
      rows.push([null, right]);
      j++;
    }
  }
  return rows;
}

function common_lengths(a: readonly Line[], b: readonly Line[]): Uint16Array[] {
  const lengths = Array.from({ length: a.length + 1 }, () => new Uint16Array(b.length + 1));
  for (let i = a.length - 1; i >= 0; i--) {
    const [row, below] = [lengths[i] as Uint16Array, lengths[i + 1] as Uint16Array];
    for (let j = b.length - 1; j >= 0; j--) {
      row[j] = a[i]?.text === b[j]?.text
        ? 1 + (below[j + 1] as number)
        : Math.max(below[j] as number, row[j + 1] as number);
    }
  }
  return lengths;
}
