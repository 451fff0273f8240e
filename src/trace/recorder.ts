/**
 * Records the tasks of a loop: their events as they happen.
 *
 * @module
 */

import { Suspension } from "../core/suspensions.ts";
import type { AbstractEventLoop } from "../core/events.ts";
import { CancelledError } from "../core/exceptions.ts";
import { repr } from "../internal/format_helpers.ts";
import { CANCELLED, FAILED, FINISHED, ForeignFuture, type Future } from "../core/futures.ts";
import { Task } from "../core/tasks.ts";
import { Await } from "../core/awaits.ts";
import type { Continuation, Runnable, Waitable } from "../core/contracts.ts";
import { set_observer, type TaskObserver } from "../core/recording.ts";
import { NOT_STARTED } from "../core/steps.ts";
import { running_or_ended_task, save_turn } from "../core/current.ts";

type AnyTask = Task<unknown>;

/**
 * The fields of every event of a trace.
 *
 * @category Tracing
 */
export interface TraceEventBase {
  /** When it happened, in seconds of the loop's clock. */
  time: number;
  /** Whose event it is: tasks are numbered from 1 in the order in which the recorder met them. */
  task: number;
}

/**
 * A task was made.
 *
 * @category Tracing
 */
export interface TaskCreated extends TraceEventBase {
  /** The kind of the event. */
  kind: "created";
  /** The name of the task. */
  name: string;
  /** The name of its coroutine. */
  coroutine: string;
  /** The task that made it; `null` if none did. */
  parent: number | null;
  /** Its loop: loops are numbered from 1. */
  loop: number;
  /** The name of its loop's class. */
  loop_class: string;
}

/**
 * A task got another name.
 *
 * @category Tracing
 */
export interface TaskRenamed extends TraceEventBase {
  /** The kind of the event. */
  kind: "renamed";
  /** The new name. */
  name: string;
}

/**
 * A task's first step began.
 *
 * @category Tracing
 */
export interface TaskStarted extends TraceEventBase {
  /** The kind of the event. */
  kind: "started";
}

/**
 * A task began to wait. After `Promise.all` and the like it waits for several things.
 *
 * @category Tracing
 */
export interface TaskWaits extends TraceEventBase {
  /** The kind of the event. */
  kind: "waits";
  /** The number of the wait: waits are numbered from 1. */
  wait: number;
  /** On what: `sleep 0.5`, `Lock.acquire`, `task fetcher`, `its turn`, `a foreign promise`, … */
  on: string;
}

/**
 * A task was woken: what it waited on is done or was cancelled, and it is in the ready queue.
 *
 * @category Tracing
 */
export interface TaskWoken extends TraceEventBase {
  /** The kind of the event. */
  kind: "woken";
  /** The number of the wait. */
  wait: number;
  /** The task that did it; `null` for a timer or something from outside of the loop. */
  by: number | null;
}

/**
 * A task resumes after a wait.
 *
 * @category Tracing
 */
export interface TaskResumed extends TraceEventBase {
  /** The kind of the event. */
  kind: "resumed";
  /** The number of the wait that is over. */
  wait: number;
}

/**
 * A call of `cancel()` requested the end of a task.
 *
 * @category Tracing
 */
export interface CancelRequested extends TraceEventBase {
  /** The kind of the event. */
  kind: "cancel requested";
  /** The task that did it; `null` for a timer or something from outside of the loop. */
  by: number | null;
}

/**
 * The cancellation is delivered: a `CancelledError` is thrown into the task.
 *
 * @category Tracing
 */
export interface CancelDelivered extends TraceEventBase {
  /** The kind of the event. */
  kind: "cancel delivered";
}

/**
 * A task ended.
 *
 * @category Tracing
 */
export interface TaskEnded extends TraceEventBase {
  /** The kind of the event. */
  kind: "ended";
  /** How. */
  outcome: "result" | "error" | "cancelled";
  /** The `repr` of the result or the error; long ones are shortened. Empty for a cancelled task. */
  value: string;
}

/**
 * An event that a {@linkcode TraceRecorder} records.
 *
 * @category Tracing
 */
export type TraceEvent =
  | TaskCreated
  | TaskRenamed
  | TaskStarted
  | TaskWaits
  | TaskWoken
  | TaskResumed
  | CancelRequested
  | CancelDelivered
  | TaskEnded;

interface Wait {
  readonly number: number;
  woken: boolean;
}

// The facts that the recorder knows of a task.
interface Known {
  readonly number: number;
  readonly task: AnyTask;
  name: string;
  started: boolean;
  // When its present step began.
  step_began: number;
  // The foreign wait, which ends without the loop's help.
  elsewhere: number | null;
  cancel_requested: boolean;
}

/**
 * Records what the tasks of a loop do: when they are made, start, wait and on what, which task wakes
 * them, when they are cancelled, and how they end.
 *
 * Give it to a loop, or by `set_default_trace()` to all that are made. The events are plain objects:
 * they can be filtered, compared in tests, sent to a worker or saved as JSON. `format_trace_json()`
 * and `format_trace_svg()` make of them what tracing tools open, and pictures.
 *
 * The recorder keeps all its events: for a program that runs for days, `clear()` them at times.
 *
 * @category Tracing
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { VirtualClockEventLoop } from "@pythonic/asyncio/testing";
 * import { TraceRecorder } from "@pythonic/asyncio/trace";
 * import { assertEquals } from "@std/assert";
 *
 * const trace = new TraceRecorder();
 * const loop_factory = () => new VirtualClockEventLoop({ trace });
 * await asyncio.run(() => asyncio.sleep(0.5, "slept"), { loop_factory });
 *
 * const main = trace.events.filter((event) => event.task === 1);
 * assertEquals(main.map(({ time, kind }) => `${time} ${kind}`), [
 *   "0 created",
 *   "0 started",
 *   "0 waits",
 *   "0.5 woken",
 *   "0.5 resumed",
 *   "0.5 ended",
 * ]);
 * ```
 */
export class TraceRecorder {
  /** The events so far, in order. */
  readonly events: TraceEvent[] = [];

  /** Makes a recorder without events. */
  constructor() {
    set_observer(this, new EventWriter(this.events));
  }

  /** Forgets what happened so far. Tasks and waits keep their numbers. */
  clear(): void {
    this.events.length = 0;
  }
}

/** Writes what it observes as events. */
class EventWriter implements TaskObserver {
  readonly #events: TraceEvent[];
  #tasks_met = 0;
  #waits_met = 0;
  readonly #loops = new Map<AbstractEventLoop, number>();
  readonly #known = new WeakMap<AnyTask, Known>();
  readonly #waits = new WeakMap<Continuation, Wait>();
  // Which task had something scheduled that is no step of a task: a callback.
  readonly #causes = new WeakMap<Runnable, number>();
  // While a loop runs something: the task by which, or by whose callback, it does so.
  #loop_runs = false;
  #cause: number | null = null;

  constructor(events: TraceEvent[]) {
    this.#events = events;
  }

  created(task: AnyTask): void {
    const loop = task.get_loop();
    if (!this.#loops.has(loop)) this.#loops.set(loop, this.#loops.size + 1);
    const parent = this.#current();
    const name = task.get_name();
    const number = ++this.#tasks_met;
    this.#known.set(task, {
      number,
      task,
      name,
      started: false,
      step_began: loop.time(),
      elsewhere: null,
      cancel_requested: false,
    });
    this.#events.push({
      kind: "created",
      time: loop.time(),
      task: number,
      name,
      coroutine: task["_coroutine_name"],
      parent,
      loop: this.#loops.get(loop) as number,
      loop_class: loop.constructor.name,
    });
  }

  begin_run(runnable: Runnable): void {
    this.#loop_runs = true;
    const known = this.#known_of(runnable);
    this.#cause = known?.number ?? this.#causes.get(runnable) ?? null;
    if (known !== null && !known.task.done()) this.#continue(known, runnable as Continuation);
  }

  end_run(): void {
    this.#loop_runs = false;
    this.#cause = null;
  }

  scheduled(runnable: Runnable): void {
    const known = this.#known_of(runnable);
    const by = this.#current();
    if (known === null) {
      if (by !== null) this.#causes.set(runnable, by);
      return;
    }
    const continuation = runnable as Continuation;
    const wait = this.#waits.get(continuation);
    if (wait === undefined || wait.woken) return;
    wait.woken = true;
    this.#events.push({
      kind: "woken",
      time: known.task.get_loop().time(),
      task: known.number,
      wait: wait.number,
      by: by === known.number || continuation._waiting instanceof ForeignFuture ? null : by,
    });
  }

  waits(task: AnyTask, continuation: Continuation): void {
    const known = this.#known.get(task);
    if (known === undefined) return;
    this.#is_running(known);
    const waiting = continuation._waiting;
    if (
      known.cancel_requested && !is_to_be_cancelled(task, continuation) && !was_cancelled(waiting)
    ) {
      this.#deliver_cancel(known); // it was pending, and has been thrown at an await that did not begin
    }
    const time = task.get_loop().time();
    const number = ++this.#waits_met;
    this.#waits.set(continuation, { number, woken: waiting === null });
    const on = describe(continuation, known.step_began, time);
    this.#events.push({ kind: "waits", time, task: known.number, wait: number, on });
  }

  waits_elsewhere(task: AnyTask): void {
    const known = this.#known.get(task);
    if (known === undefined) return;
    this.#is_running(known);
    known.elsewhere = ++this.#waits_met;
    this.#events.push({
      kind: "waits",
      time: task.get_loop().time(),
      task: known.number,
      wait: known.elsewhere,
      on: "a foreign promise",
    });
  }

  cancel_requested(task: AnyTask): void {
    const known = this.#known.get(task);
    if (known === undefined) return;
    const by = this.#current();
    known.cancel_requested = true;
    this.#events.push({
      kind: "cancel requested",
      time: task.get_loop().time(),
      task: known.number,
      by,
    });
  }

  ended(task: AnyTask, state: number, value: unknown): void {
    const known = this.#known.get(task);
    if (known === undefined) return;
    this.#is_running(known);
    if (known.cancel_requested && state === CANCELLED) this.#deliver_cancel(known);
    this.#events.push({
      kind: "ended",
      time: task.get_loop().time(),
      task: known.number,
      outcome: state === FINISHED ? "result" : state === FAILED ? "error" : "cancelled",
      value: state === CANCELLED ? "" : repr(value ?? null, true),
    });
  }

  // The task whose step a runnable is; null for a callback.
  #known_of(runnable: Runnable): Known | null {
    const task = runnable instanceof Task
      ? runnable
      : runnable instanceof Await
      ? runnable._task as AnyTask | null
      : null;
    return task === null ? null : this.#known.get(task) ?? null;
  }

  // The task that does what is being done now, itself or by a callback.
  #current(): number | null {
    const turn = save_turn();
    const is_entered = turn.loop !== undefined;
    // While the loop runs something that it has not entered, the host's context is any task's.
    const task =
      (is_entered
        ? turn.scope?._owner ?? null
        : this.#loop_runs
        ? null
        : running_or_ended_task()) as
          | AnyTask
          | null;
    const known = task === null ? undefined : this.#known.get(task);
    if (known === undefined) return this.#cause;
    if (!known.task.done()) this.#is_running(known);
    return known.number;
  }

  // A step of a task begins, by the loop.
  #continue(known: Known, continuation: Continuation): void {
    const { task } = known;
    const is_cancelled = known.cancel_requested &&
      (is_to_be_cancelled(task, continuation) || was_cancelled(continuation._waiting));
    const wait = this.#waits.get(continuation);
    if (wait === undefined) this.#is_running(known);
    else {
      this.#waits.delete(continuation);
      this.#resumed(known, wait.number);
    }
    if (is_cancelled) this.#deliver_cancel(known);
  }

  // A task is seen to run: it may have begun, resumed or got another name without the loop's help.
  #is_running(known: Known): void {
    const { task, number } = known;
    if (known.elsewhere !== null) {
      this.#resumed(known, known.elsewhere);
      known.elsewhere = null;
    }
    if (!known.started) {
      known.started = true;
      known.step_began = task.get_loop().time();
      this.#events.push({ kind: "started", time: known.step_began, task: number });
    }
    const name = task.get_name();
    if (name !== known.name) {
      known.name = name;
      this.#events.push({ kind: "renamed", time: task.get_loop().time(), task: number, name });
    }
  }

  #resumed(known: Known, wait: number): void {
    known.step_began = known.task.get_loop().time();
    this.#events.push({ kind: "resumed", time: known.step_began, task: known.number, wait });
  }

  #deliver_cancel(known: Known): void {
    known.cancel_requested = false;
    const time = known.task.get_loop().time();
    this.#events.push({ kind: "cancel delivered", time, task: known.number });
  }
}

/** Returns whether a cancellation is to be thrown into a continuation at its resumption. */
function is_to_be_cancelled(task: Task<unknown>, continuation: Continuation): boolean {
  return task["_cancellation_state"]?.is_marked(continuation) ||
    (task["_step"] === NOT_STARTED && task["_is_cancel_pending"]);
}

function was_cancelled(waiting: Waitable | null): boolean {
  if (waiting instanceof Suspension) return waiting["_was_cancelled"]();
  if (waiting === null) return false;
  const future = waiting as unknown as Future<unknown>;
  return future["_state"] === CANCELLED ||
    (future["_state"] === FAILED && future["_value"] instanceof CancelledError);
}

function describe(continuation: Continuation, step_began: number, now: number): string {
  const waiting = continuation._waiting;
  if (waiting === null) return "its turn";
  if (waiting instanceof Suspension) {
    return typeof waiting["_subject"] === "number"
      ? `${waiting.name} ${delay_of(Number(waiting["_when"]), step_began, now)}`
      : waiting.name;
  }
  if (waiting instanceof Task) return `task ${waiting.get_name()}`;
  if (waiting._children !== undefined) return "gather";
  if (waiting instanceof ForeignFuture) return "a foreign promise";
  return (continuation instanceof Await ? continuation._coroutine_name() : null) ?? "a future";
}

// The delay that a sleep was given lies between two times, as the clock has advanced since: it is most
// likely the shortest decimal fraction there.
function delay_of(when: number, step_began: number, now: number): number {
  const rounding = 1e-9;
  const least = when - now - rounding;
  const most = when - step_began + rounding;
  for (let unit = 1; unit < 1e9; unit *= 10) {
    const fraction = Math.ceil(least * unit) / unit;
    if (fraction <= most) return fraction;
  }
  return most;
}
