/** What the page and the worker that runs a program say to each other. */

import type { TraceEvent } from "../../trace.ts";

/** Runs a program; a worker runs one. */
export interface Request {
  readonly source: string;
  /** The files that it may import, by the names that it imports them by. */
  readonly modules: Readonly<Record<string, string>>;
  /** True if loops that the program does not make itself are on the virtual clock. */
  readonly virtual: boolean;
}

/** The program has written to its console. */
export interface Output {
  readonly kind: "output";
  readonly is_error: boolean;
  readonly text: string;
}

/** Its tasks have done something more. */
export interface Events {
  readonly kind: "events";
  readonly events: readonly TraceEvent[];
}

/** It has ended. */
export interface Ended {
  readonly kind: "ended";
  readonly error: ProgramError | null;
}

/** What ended a program before its time. */
export interface ProgramError {
  readonly message: string;
  /** The line of the program, from 1; `null` if it is not known. */
  readonly line: number | null;
}

export type Report = Output | Events | Ended;
