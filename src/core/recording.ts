/**
 * By what a loop has its tasks recorded. A loop without a recorder only reads one field.
 *
 * @module
 */

import type { Continuation, Runnable } from "./contracts.ts";
import type { Task } from "./tasks.ts";

/** Observes what the tasks of a loop do, as it happens. */
export interface TaskObserver {
  /** A task has been made. */
  created(task: Task<unknown>): void;
  /** The loop is about to run something. */
  begin_run(runnable: Runnable): void;
  /** The loop has run it. */
  end_run(): void;
  /** Something is put in the loop's ready queue. */
  scheduled(runnable: Runnable): void;
  /** One of a task's continuations begins to wait. */
  waits(task: Task<unknown>, continuation: Continuation): void;
  /** A task begins a foreign wait. */
  waits_elsewhere(task: Task<unknown>): void;
  /** The cancellation of a task is requested. */
  cancel_requested(task: Task<unknown>): void;
  /** A task has ended: with a state and a value of a future. */
  ended(task: Task<unknown>, state: number, value: unknown): void;
}

/**
 * A recorder as its user sees it; {@linkcode TraceRecorder} is one.
 *
 * @category Traces
 */
export interface Recorder {
  /** The events so far, in order. */
  readonly events: readonly unknown[];
  /** Forgets what happened so far. */
  clear(): void;
}

const observers = new WeakMap<Recorder, TaskObserver>();
let default_recorder: Recorder | null = null;

/** Sets the observer by which a recorder records. */
export function set_observer(recorder: Recorder, observer: TaskObserver): void {
  observers.set(recorder, observer);
}

/**
 * Returns the observer of a recorder, by default of the one that `set_default_trace()` has set; `null` if
 * there is none.
 *
 * @throws {TypeError} if it is no recorder
 */
export function observer_of(recorder: Recorder | null | undefined): TaskObserver | null {
  const given = recorder === undefined ? default_recorder : recorder;
  if (given === null) return null;
  const observer = observers.get(given);
  if (observer === undefined) {
    throw new TypeError("Cannot record the tasks of a loop: trace must be a TraceRecorder");
  }
  return observer;
}

/**
 * Sets the recorder of the tasks of all loops that are made from now on without the option `trace`.
 *
 * By it a tool sees what a program does that makes its loops itself: `deno task trace` is one.
 *
 * @param recorder the recorder; `null`, as in the beginning, for none
 * @throws {TypeError} if it is no recorder
 * @category Tracing
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { set_default_trace, TraceRecorder } from "@pythonic/asyncio/trace";
 * import { assertEquals } from "@std/assert";
 *
 * const recorder = new TraceRecorder();
 * set_default_trace(recorder);
 * await asyncio.run(asyncio.sleep(0.001));
 * set_default_trace(null);
 * assertEquals(recorder.events[0]?.kind, "created");
 * ```
 */
export function set_default_trace(recorder: Recorder | null): void {
  observer_of(recorder);
  default_recorder = recorder;
}
