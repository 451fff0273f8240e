/** The job in which a function runs, for what it has to know of it. */

import { ContextVar } from "../../mod.ts";

/** A call that a worker has taken from the queue. */
export interface CurrentJob {
  /** The same for each attempt, and for each call with the same key. */
  readonly id: string;
  /** The number of the attempt, from 1 on. */
  readonly attempt: number;
  /** Sends a value to the callers. */
  report_progress(value: unknown): Promise<void>;
}

/** Holds the job in the worker's tasks. */
export const JOB = new ContextVar<CurrentJob | null>("distributed job", { default: null });

/** Returns the job in which the caller runs; `null` outside of a worker. */
export function current_job(): CurrentJob | null {
  return JOB.get();
}

/** Sends a value to the callers of the current job; does nothing outside of a worker. */
export async function report_progress(value: unknown): Promise<void> {
  await JOB.get()?.report_progress(value);
}
