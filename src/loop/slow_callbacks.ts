/**
 * Warnings of debug mode: callbacks and steps that keep the loop from its other work.
 *
 * @module
 */

import type { Runnable } from "../core/contracts.ts";
import { Task } from "../core/tasks.ts";
import { Handle } from "../core/events.ts";

/** Measures how long the loop takes for one entry of its ready queue at a time. */
export class SlowCallbacks {
  #running: Runnable | null = null;
  #began = 0;
  // When the call on the stack returned: microtasks may continue the step.
  #returned = 0;

  /** Begins to measure a callback or a step, at a time of the loop's clock. */
  begin(runnable: Runnable, time: number): void {
    this.#running = runnable;
    this.#began = time;
  }

  /** Notes the time at which the callback, or the first call of the step, has returned. */
  note_returned(time: number): void {
    this.#returned = time;
  }

  /** Ends the measurement at the time at which the call returned: what comes later is no work of the step. */
  end_at_return(limit: number): void {
    this.end(this.#returned, limit);
  }

  /** Ends the measurement at a time, if there is one, and warns if it took as long as `limit` in seconds. */
  end(time: number, limit: number): void {
    const runnable = this.#running;
    if (runnable === null) return;
    this.#running = null;
    const took = time - this.#began;
    if (took < limit) return;
    const what = runnable instanceof Handle || runnable instanceof Task
      ? String(runnable)
      : "a step of a task";
    console.warn(`Executing ${what} took ${took.toFixed(3)} seconds`);
  }
}
