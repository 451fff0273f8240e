/**
 * Finds tasks that have been cancelled and do not end, and reports them.
 *
 * The host's time decides nothing but when the report is made. A report is made once for a task.
 *
 * @module
 */

import { describe_task } from "../core/awaits.ts";
import type { Waitable } from "../core/contracts.ts";
import { Suspension } from "../core/suspensions.ts";
import { FOREIGN, NOT_STARTED } from "../core/steps.ts";
import { Task } from "../core/tasks.ts";
import { do_not_wait_for, host_timers } from "../host/timers.ts";
import type { AbstractEventLoop } from "../core/events.ts";
import { describe_waitable } from "./waits.ts";

type AnyTask = Task<unknown>;

/** A task is reported after at least this time and at most twice as long, in milliseconds. */
const PERIOD = 3000;

/** The tasks of a loop that have been cancelled and have not ended. */
export class SlowCancellations {
  readonly #loop: AbstractEventLoop;
  // Those that had been cancelled when the present period began.
  #older = new WeakSet<AnyTask>();
  #any_noted = false;
  readonly #reported = new WeakSet<AnyTask>();
  #timer: unknown = null;

  constructor(loop: AbstractEventLoop) {
    this.#loop = loop;
  }

  /** Notes that a task is being cancelled. */
  note(task: AnyTask): void {
    this.#any_noted = true;
    if (this.#timer !== null) return;
    this.#older.add(task);
    if (this.#loop.is_running()) this.watch();
  }

  /** Watches what is noted: a run is in progress. */
  watch(): void {
    if (this.#timer !== null || !this.#any_noted) return;
    this.#timer = host_timers.set(() => this.#end_period(), PERIOD);
    do_not_wait_for(this.#timer);
  }

  /** Forgets all that are noted: the run is over. */
  clear(): void {
    if (this.#timer !== null) host_timers.clear(this.#timer);
    this.#timer = null;
    this.#any_noted = false;
    this.#older = new WeakSet();
  }

  #end_period(): void {
    const older = this.#older;
    this.#timer = null;
    this.#any_noted = false;
    this.#older = new WeakSet();
    for (const task of this.#loop["_tasks"]()) {
      if (task.cancelling() === 0 || this.#reported.has(task)) continue;
      if (older.has(task) && this.#report(task)) continue;
      this.#older.add(task);
      this.#any_noted = true;
    }
    this.watch();
  }

  #report(task: AnyTask): boolean {
    const message = describe(task);
    if (message === null) return false;
    this.#reported.add(task);
    this.#loop.call_exception_handler({ message, task });
    return true;
  }
}

/** Returns what keeps a task that has been cancelled from its end, and what would help; `null` if nothing of its own does. */
function describe(task: AnyTask): string | null {
  const name = describe_task(task["_owner"]);
  if (task["_step"] === FOREIGN && task["_cancellation_state"]?.any_pending) {
    return `Cannot cancel ${name}: it waits for a native promise, which a cancellation does not reach; write ` +
      "await from_promise(promise), or from_promise((signal) => …) for work that can be stopped";
  }
  const waits = task["_waits_on"]();
  for (const wait of waits) {
    const obstacle = wait instanceof Suspension ? wait["_obstacle"]() : null;
    if (obstacle !== null) return `Cannot cancel ${name}: ${obstacle}`;
  }
  if (
    task["_step"] === NOT_STARTED || task["_is_cancel_pending"] || waits.some(is_being_cancelled)
  ) {
    return null;
  }
  const what = waits.length > 0 ? waits.map(describe_waitable).join(" and ") : "a native promise";
  return `${name} was cancelled and has not ended: its code continued after the CancelledError, and waits on ${what}`;
}

// It has been cancelled with the task: the code has not been resumed.
function is_being_cancelled(wait: Waitable): boolean {
  return !wait._is_waiting() ||
    (wait._children ?? [wait]).some((each) => each instanceof Task && each.cancelling() > 0);
}
