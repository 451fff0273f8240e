/** What is noted while a program runs, for the oracle to judge. */

import type { OnAbort, Wait } from "./program.ts";
import type { Task, Timeout } from "../../mod.ts";

export type AnyTask = Task<unknown>;

/** A moment: `at` counts what happened, `time` is in ticks. */
export interface Moment {
  at: number;
  time: number;
}

/** How a piece of code ended. */
export interface Outcome extends Moment {
  failed: boolean;
  /** The value or the error. */
  value: unknown;
  /** Whether the error is a cancellation. */
  cancelled: boolean;
}

/** A task. */
export interface TaskRecord {
  name: string;
  task: AnyTask | null;
  root: Scope;
  /** The code of its body; null until it starts. */
  flow: Flow | null;
  body: Outcome | null;
  /** The block of the group that it is a child of. */
  group: Scope | null;
  /** The await that made it, by `gather()`. */
  gathered_by: Leaf | null;
  uncancels: Moment[];
}

export type ScopeKind = "task" | "timeout" | "wait_for" | "aborted_by" | "group";

/** The extent of code that a cancellation reaches. */
export interface Scope {
  name: string;
  kind: ScopeKind;
  task: TaskRecord | null;
  /** The scopes around it, outermost first, itself last. */
  chain: readonly Scope[];
  begun: Moment | null;
  /** The requests that the code knew when it began. */
  known: ReadonlySet<string>;
  /** Of a limit, in ticks. */
  deadline: number | null;
  timeout: Timeout | null;
  aborted: Moment | null;
  reason: unknown;
  children: TaskRecord[];
  /** Those of the children that have failed, as they did so. */
  errors: { error: unknown }[];
  body: Outcome | null;
  /** What the code knew when the body ended. */
  known_at_end: ReadonlySet<string>;
  seen_at_end: ReadonlySet<string>;
  result: Outcome | null;
}

/** A line of code: a call of an async function, with what it awaits at once. */
export interface Flow {
  name: string;
  /** `null` of what the loop calls, and of what is detached. */
  task: TaskRecord | null;
  chain: readonly Scope[];
  /** The tags of the cancellations that this code has seen, or something that it waited for may have. */
  known: Set<string>;
  /** Those of which it has certainly seen the error. */
  seen: Set<string>;
  /** Whether its call has begun: a coroutine may be refused. */
  has_begun: boolean;
  outcome: Outcome | null;
  /** When a native promise was last waited for, of which the library knows nothing. */
  waited_natively: Moment | null;
  /** Whether nothing awaits the call at once, or one that it is made in. */
  is_aside: boolean;
  /** The await that the call is a part of. */
  awaited_by: Pending | null;
}

/** What a part of an await is, and what it is made of. */
export interface Part {
  wait: Wait["wait"];
  leaf: Leaf | null;
  flow: Flow | null;
  task: TaskRecord | null;
  parts: Part[];
}

/** An await in progress, with all that it is made of. */
export interface Pending {
  flow: Flow;
  /** Whether a native promise is part of it, which the library knows nothing of. */
  has_native: boolean;
  part: Part;
  leaves: Leaf[];
  flows: Flow[];
  tasks: TaskRecord[];
  over: Moment | null;
  has_failed: boolean;
}

/** The await of one thing of the library's. */
export interface Leaf {
  name: string;
  kind: Wait["wait"] | "acquire" | "shield";
  flow: Flow;
  chain: readonly Scope[];
  pending: Pending;
  /** The requests that the code knew when it began. */
  known: ReadonlySet<string>;
  seen: ReadonlySet<string>;
  begun: Moment | null;
  outcome: Outcome | null;
  tags: readonly string[];
  /** Of a sleep, in ticks. */
  ticks: number | null;
  /** Of an event, a queue, a lock or a semaphore. */
  index: number | null;
  /** The task that is awaited. */
  task: TaskRecord | null;
  /** Of a `wait_for()` without code of its own. */
  limit: Scope | null;
  /** Of `from_promise()`. */
  operation: Operation | null;
}

/** A native operation behind `from_promise()`. */
export interface Operation {
  function: boolean;
  on_abort: OnAbort;
  late: number;
  abandon: boolean;
  /** Whether nothing settles it but its abort. */
  never: boolean;
  called: boolean;
  aborted: Moment | null;
  reason: unknown;
  settled: Outcome | null;
}

/** A call of `Task.cancel()` on a task that was not done. */
export interface Request extends Moment {
  tag: string;
  task: TaskRecord;
  /** By whom: the program, an await of the task, or the library. */
  by: "program" | "await" | "library" | "end of run";
  /** What it was for: one of these. */
  scopes: readonly Scope[];
  /** Those of the scopes that may have asked for it. */
  causes: readonly Scope[];
  /** Those for which a group may have asked, in the place of what came from outside while it waited. */
  renewed: readonly Scope[];
  /** What the body's code knew. */
  known: ReadonlySet<string>;
  /** Whether code of the task itself made it. */
  by_itself: boolean;
}

/** A broken invariant. */
export interface Violation {
  invariant: string;
  detail: string;
}
