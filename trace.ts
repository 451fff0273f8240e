/**
 * Recording what tasks do, to see it: a {@linkcode TraceRecorder} notes when tasks start, wait, are woken
 * and end; {@linkcode format_trace_svg} draws it, {@linkcode format_trace_json} writes it for Perfetto.
 *
 * ```ts
 * import { create_task, EventLoop, run, sleep } from "@pythonic/asyncio";
 * import { format_trace_svg, TraceRecorder } from "@pythonic/asyncio/trace";
 *
 * const trace = new TraceRecorder();
 * await run(() => create_task(sleep(0.01), { name: "sleeper" }), {
 *   loop_factory: () => new EventLoop({ trace }),
 * });
 * console.log(format_trace_svg(trace.events).startsWith("<svg")); // true
 * ```
 *
 * @module
 */

export { type Recorder, set_default_trace } from "./src/core/recording.ts";
export {
  type CancelDelivered,
  type CancelRequested,
  type TaskCreated,
  type TaskEnded,
  type TaskRenamed,
  type TaskResumed,
  type TaskStarted,
  type TaskWaits,
  type TaskWoken,
  type TraceEvent,
  type TraceEventBase,
  TraceRecorder,
} from "./src/trace/recorder.ts";
export { format_trace_json } from "./src/trace/json.ts";
export { format_trace_svg, type TraceSVGOptions } from "./src/trace/svg.ts";
