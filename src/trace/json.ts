/**
 * Traces as files that Perfetto and Chrome's tracing page open.
 *
 * @module
 */

import type { TraceEvent } from "./recorder.ts";
import { make_timeline, type Span, type TaskLine } from "./timeline.ts";

// Keeps apart events at the same time; the format counts in microseconds.
const NANOSECOND = 1e-9;

type JSONEvent = Record<string, unknown>;

/**
 * Writes a trace in the Trace Event Format, as JSON: <https://ui.perfetto.dev> and `chrome://tracing`
 * open it.
 *
 * Each loop is a process and each of its tasks a thread, whose slices are the task's steps and waits;
 * arrows lead from the step that wakes a task to the step in which that resumes. Times count from the
 * first event of the loop. What happens at the same time, as is usual on a virtual clock, is kept in
 * its order by a nanosecond.
 *
 * See {@link https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU the Trace Event Format}.
 *
 * @param events what a `TraceRecorder` has written down
 * @returns the text of a file
 * @throws {TypeError} if the events are not an array
 * @category Tracing
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { VirtualClockEventLoop } from "@pythonic/asyncio/testing";
 * import { format_trace_json, TraceRecorder } from "@pythonic/asyncio/trace";
 * import { assertEquals } from "@std/assert";
 *
 * const trace = new TraceRecorder();
 * const loop_factory = () => new VirtualClockEventLoop({ trace });
 * await asyncio.run(() => asyncio.sleep(2), { loop_factory });
 *
 * const { traceEvents } = JSON.parse(format_trace_json(trace.events));
 * const sleep = traceEvents.find((event: { name: string }) => event.name === "sleep 2");
 * assertEquals(Math.round(sleep.dur), 2_000_000);
 * ```
 */
export function format_trace_json(events: readonly TraceEvent[]): string {
  const { loops, tasks, wake_ups } = make_timeline(
    events,
    (time, last) => Math.max(time, last + NANOSECOND),
  );
  const start_of = new Map(loops.map(({ number, start }) => [number, start]));
  const loop_of = new Map(tasks.map(({ number, loop }) => [number, loop]));
  // In whole nanoseconds, so that a slice ends exactly where the next one begins.
  const nanoseconds = (task: number, time: number): number =>
    Math.round((time - (start_of.get(loop_of.get(task) ?? 0) ?? 0)) / NANOSECOND);
  const place = (task: number, time: number): JSONEvent => {
    return { pid: loop_of.get(task), tid: task, ts: nanoseconds(task, time) / 1000 };
  };

  const written: JSONEvent[] = loops.map(({ number, loop_class }) => ({
    name: "process_name",
    ph: "M",
    pid: number,
    args: { name: `${loop_class} ${number}` },
  }));
  for (const task of tasks) written.push(...name_of_thread(task));
  for (const task of tasks) {
    for (const span of task.spans) {
      const lasts = nanoseconds(task.number, span.end) - nanoseconds(task.number, span.start);
      if (lasts === 0) continue;
      const event = { ...slice(span, task), ...place(task.number, span.start) };
      written.push({ ...event, dur: lasts / 1000 });
    }
    for (const { kind, time } of task.marks) {
      written.push({ name: kind, cat: "cancel", ph: "i", s: "t", ...place(task.number, time) });
    }
  }
  wake_ups.forEach(({ from, from_step, to, to_step }, index) => {
    if (to_step === null) return;
    const flow = { name: "wakes", cat: "wake", id: index + 1 };
    written.push({ ...flow, ph: "s", ...place(from, from_step) });
    written.push({ ...flow, ph: "f", bp: "e", ...place(to, to_step) });
  });
  return `{"displayTimeUnit":"ms","traceEvents":[\n${
    written.map((event) => JSON.stringify(event)).join(",\n")
  }\n]}\n`;
}

function name_of_thread({ number, loop, name, coroutine }: TaskLine): JSONEvent[] {
  const thread = { ph: "M", pid: loop, tid: number };
  return [
    { name: "thread_name", ...thread, args: { name: `${name}: ${coroutine}()` } },
    { name: "thread_sort_index", ...thread, args: { sort_index: number } },
  ];
}

function slice({ state, on, end }: Span, task: TaskLine): JSONEvent {
  const event = { name: on || state, cat: state, ph: "X" };
  return task.outcome !== null && end === task.end
    ? { ...event, args: { [task.outcome]: task.value } }
    : event;
}
