/**
 * Timelines of the tasks of a trace: in which state each was when, and which task woke which.
 *
 * @module
 */

import { repr } from "../internal/format_helpers.ts";
import type { TaskCreated, TaskEnded, TraceEvent } from "./recorder.ts";

/**
 * The state of a task for a while: its code runs; it is in the ready queue; it sleeps, waits
 * for something of this library, or is in a foreign wait.
 */
export type State = "running" | "ready" | "sleeping" | "waiting" | "foreign";

/** A task in one state, from one time to another. */
export interface Span {
  readonly state: State;
  readonly start: number;
  end: number;
  /** On what it waits; empty for the other states. */
  readonly on: string;
}

/** A cancellation on its way. */
export interface Mark {
  readonly kind: "cancel requested" | "cancel delivered";
  readonly time: number;
}

/** One task from its making to its end. */
export interface TaskLine {
  readonly number: number;
  name: string;
  readonly coroutine: string;
  readonly parent: number | null;
  readonly loop: number;
  readonly created: number;
  /** When it ended, or was seen last. */
  end: number;
  /** How it ended; `null` if it did not. */
  outcome: TaskEnded["outcome"] | null;
  /** The `repr` of its result or error. */
  value: string;
  readonly spans: Span[];
  readonly marks: Mark[];
}

/** A task wakes another one. */
export interface WakeUp {
  /** The number of the task that does it, and when the step began in which it does. */
  readonly from: number;
  readonly from_step: number;
  /** When it does it. */
  readonly time: number;
  /** The number of the task that is resumed, and when. */
  readonly to: number;
  to_step: number | null;
}

/** A loop, and when something happened on it. */
export interface LoopLine {
  readonly number: number;
  readonly loop_class: string;
  readonly start: number;
  end: number;
}

/** A whole trace. */
export interface Timeline {
  readonly loops: readonly LoopLine[];
  readonly tasks: readonly TaskLine[];
  readonly wake_ups: readonly WakeUp[];
}

// How run() cleans up: not what the program does.
const CLEAN_UP: ReadonlySet<string> = /* @__PURE__ */ new Set([
  "shutdown_asyncgens",
  "shutdown_default_executor",
]);

// The facts known of a task while its events are read.
interface Reading {
  readonly line: TaskLine;
  // The waits that are not over.
  readonly waits: Map<number, string>;
  readonly wake_ups: Map<number, WakeUp>;
  last_step: number;
}

/**
 * Puts the events of a trace together, task by task.
 *
 * @param events what a `TraceRecorder` has written down
 * @param clock what to take for the time of an event, from that and from what was taken for the
 * event before it on its loop: `-Infinity` for the first
 * @throws {TypeError} if the events are not an array
 */
export function make_timeline(
  events: readonly TraceEvent[],
  clock: (time: number, last: number) => number = (time) => time,
): Timeline {
  if (!Array.isArray(events)) {
    throw new TypeError(
      `Cannot read a trace: it must be the events of a TraceRecorder: received ${repr(events)}`,
    );
  }
  const loops = new Map<number, LoopLine>();
  const readings = new Map<number, Reading>();
  const wake_ups: WakeUp[] = [];
  for (const event of events) {
    if (event.kind === "created") {
      if (event.parent === null && CLEAN_UP.has(event.coroutine)) continue;
      const { loop: number, loop_class } = event;
      const start = clock(event.time, loops.get(number)?.end ?? -Infinity);
      if (!loops.has(number)) loops.set(number, { number, loop_class, start, end: start });
      readings.set(event.task, begin(event, start));
    }
    const reading = readings.get(event.task);
    const loop = loops.get(reading?.line.loop ?? 0);
    if (reading === undefined || loop === undefined) continue;
    const time = event.kind === "created" ? reading.line.created : clock(event.time, loop.end);
    loop.end = time;
    const waker = event.kind === "woken" && event.by !== null ? readings.get(event.by) : undefined;
    if (event.kind === "woken" && waker !== undefined) {
      const wake_up = {
        from: waker.line.number,
        from_step: waker.last_step,
        time,
        to: event.task,
        to_step: null,
      };
      wake_ups.push(wake_up);
      reading.wake_ups.set(event.wait, wake_up);
    }
    read(reading, event, time);
  }
  for (const { line } of readings.values()) {
    if (line.outcome === null) change(line, null, loops.get(line.loop)?.end ?? line.end);
  }
  return {
    loops: [...loops.values()],
    tasks: [...readings.values()].map(({ line }) => line),
    wake_ups,
  };
}

function begin(event: TaskCreated, time: number): Reading {
  const { task: number, name, coroutine, parent, loop } = event;
  const line: TaskLine = {
    number,
    name,
    coroutine,
    parent,
    loop,
    created: time,
    end: time,
    outcome: null,
    value: "",
    spans: [{ state: "ready", start: time, end: time, on: "" }],
    marks: [],
  };
  return { line, waits: new Map(), wake_ups: new Map(), last_step: time };
}

function read(reading: Reading, event: TraceEvent, time: number): void {
  const { line, waits } = reading;
  switch (event.kind) {
    case "created":
      return;
    case "renamed":
      line.name = event.name;
      return;
    case "cancel requested":
    case "cancel delivered":
      line.marks.push({ kind: event.kind, time });
      return;
    case "started":
      reading.last_step = time;
      change(line, "running", time);
      return;
    case "waits":
      waits.set(event.wait, event.on);
      if (event.on === "its turn") change(line, "ready", time);
      else change(line, state_of_wait(event.on), time, [...waits.values()].join(" and "));
      return;
    case "woken":
      waits.delete(event.wait);
      if (waits.size === 0) change(line, "ready", time);
      return;
    case "resumed": {
      waits.delete(event.wait);
      const wake_up = reading.wake_ups.get(event.wait);
      if (wake_up !== undefined) wake_up.to_step = time;
      reading.last_step = time;
      // With Promise.all and the like the task may wait for the others only, or run.
      if (waits.size === 0) change(line, "running", time);
      return;
    }
    case "ended":
      line.outcome = event.outcome;
      line.value = event.value;
      change(line, null, time);
  }
}

function state_of_wait(on: string): State {
  if (on.startsWith("sleep ")) return "sleeping";
  return on === "a foreign promise" ? "foreign" : "waiting";
}

// The present span ends; another one begins, unless the task has ended.
function change(line: TaskLine, state: State | null, time: number, on = ""): void {
  line.end = time;
  const last = line.spans[line.spans.length - 1]!;
  last.end = time;
  if (state !== null) line.spans.push({ state, start: time, end: time, on });
}
