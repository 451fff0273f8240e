/**
 * Finds cancellations that do not reach a task, since it is in a foreign wait, and reports them.
 *
 * The host's time decides nothing but when the report is made. A report is made once for a task.
 *
 * @module
 */

import { describe_task } from "../core/awaits.ts";
import { Suspension } from "../core/suspensions.ts";
import { FOREIGN } from "../core/steps.ts";
import type { Task } from "../core/tasks.ts";
import { make_reference, type Reference } from "../host/collection.ts";
import { host_timers } from "../host/timers.ts";
import type { AbstractEventLoop } from "../core/events.ts";

type AnyTask = Task<unknown>;

/** A task is reported after at least this time and at most twice as long, in milliseconds. */
const PERIOD = 3000;

/** The tasks of a loop that have been cancelled where a cancellation does not reach them. */
export class SlowCancellations {
  readonly #loop: AbstractEventLoop;
  // Noted before the present period began, and in it.
  #older: Reference<AnyTask>[] = [];
  #recent: Reference<AnyTask>[] = [];
  // Those that are noted.
  #known = new WeakSet<AnyTask>();
  readonly #reported = new WeakSet<AnyTask>();
  #timer: unknown = null;

  constructor(loop: AbstractEventLoop) {
    this.#loop = loop;
  }

  /** Notes a task that has been cancelled and not been reached. */
  add(task: AnyTask): void {
    if (this.#known.has(task)) return;
    this.#known.add(task);
    (this.#timer === null ? this.#older : this.#recent).push(make_reference(task));
    if (this.#loop.is_running()) this.watch();
  }

  /** Watches what is noted: a run is in progress. */
  watch(): void {
    if (this.#timer === null && this.#older.length > 0) this.#begin_period();
  }

  /** Forgets all that are noted: the run is over. */
  clear(): void {
    if (this.#timer !== null) host_timers.clear(this.#timer);
    this.#timer = null;
    this.#older = [];
    this.#recent = [];
    this.#known = new WeakSet();
  }

  #begin_period(): void {
    this.#timer = host_timers.set(() => this.#end_period(), PERIOD);
  }

  #end_period(): void {
    const over = this.#older;
    this.#older = this.#recent;
    this.#recent = [];
    this.#timer = null;
    this.watch();
    for (const reference of over) {
      const task = reference.deref();
      if (task === undefined) continue;
      this.#known.delete(task);
      if (!this.#reported.has(task)) this.#report(task);
    }
  }

  #report(task: AnyTask): void {
    const obstacle = obstacle_of(task);
    if (obstacle === null) return;
    this.#reported.add(task);
    this.#loop.call_exception_handler({
      message: `Cannot cancel ${describe_task(task["_owner"])}: ${obstacle}`,
      task,
    });
  }
}

/** Returns what keeps a cancellation from a task, and what would help; `null` if nothing does. */
function obstacle_of(task: AnyTask): string | null {
  if (task.done()) return null;
  if (task["_step"] === FOREIGN && task["_cancellation_state"]?.any_pending) {
    return "it waits for a native promise, which a cancellation does not reach; write " +
      "await from_promise(promise), or from_promise((signal) => …) for work that can be stopped";
  }
  for (const wait of task["_waits_on"]()) {
    const obstacle = wait instanceof Suspension ? wait["_obstacle"]() : null;
    if (obstacle !== null) return obstacle;
  }
  return null;
}
