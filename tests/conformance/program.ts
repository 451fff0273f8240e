/**
 * What a random program is: shared primitives and numbered task bodies, each a list of statements.
 * Plain JSON, so that the same program is run by CPython, run by this library, shrunk and stored.
 *
 * A body spawns, calls and awaits only bodies of a higher number, and waits only for tasks that run
 * such bodies: programs end, and no two tasks wait for each other (CPython answers the cancellation
 * of such a ring with a `RecursionError`).
 */

/** How a body is written in TypeScript; Python has one way for all. */
export type Form = "async" | "async coroutine" | "generator" | "generator coroutine";

export type ErrorKind =
  | "ValueError"
  | "RuntimeError"
  | "AppError"
  | "AppBaseError"
  | "CancelledError"
  | "StopAsyncIteration";

/** What an `except` clause names. */
export type ExceptKind =
  | ErrorKind
  | "Exception"
  | "BaseException"
  | "BrokenBarrierError"
  | "ExceptionGroup"
  | "InvalidStateError"
  | "QueueEmpty"
  | "QueueFull"
  | "QueueShutDown"
  | "TimeoutError";

/** A message given to `cancel()` or to an error; numbers show how a message becomes text. */
export type Message = string | number;

/** Something to wait for: a body not yet started, a task, a library coroutine. */
export type Item =
  | { body: number }
  | { task: number }
  | { sleep: number; value: number }
  | { get: number };

/** What a callback does. */
export type Action =
  | { act: "log"; value: number }
  | { act: "raise"; error: ErrorKind }
  | { act: "cancel"; task: number }
  | { act: "set_result"; future: number; value: number }
  | { act: "set_exception"; future: number; error: ErrorKind }
  | { act: "call_soon"; value: number }
  | { act: "variable_get"; variable: number }
  | { act: "variable_set"; variable: number; value: number };

export interface Handler {
  catches: ExceptKind;
  block: Statement[];
}

type Nothing = Record<never, never>;

/**
 * Every kind of statement with its fields.
 *
 * `task`, `group`, `timeout`, `handle`, `callback` and `token` count those known when the statement
 * runs, around the corner where there are fewer; all but `task` count from the newest.
 */
export interface Fields {
  log: { value: number };
  spawn: { body: number };
  spawn_eager: { body: number };
  join: { task: number };
  join_self: Nothing;
  sleep: { delay: number; value?: number };
  gather: { items: Item[]; return_exceptions: boolean };
  wait: { tasks: number[]; timeout: number | null; return_when: ReturnWhen };
  wait_for: { item: Item; timeout: number | null };
  shield: { item: Item };
  as_completed: { items: Item[]; timeout: number | null; style: "plain" | "async" };
  staggered_race: { bodies: number[]; delay: number | null };
  all_tasks: Nothing;
  cancel: { task: number; message?: Message };
  cancelling: { task: number };
  uncancel: Nothing;
  call: { body: number; depth: number };
  done_future: { value: number };
  raise: { error: ErrorKind; message?: Message };
  reraise: Nothing;
  return: { value: number };
  loop: { count: number; block: Statement[] };
  try: {
    block: Statement[];
    handlers: Handler[];
    otherwise: Statement[];
    finally: Statement[];
  };
  group: { block: Statement[] };
  group_spawn: { group: number; body: number };
  timeout: { delay: number | null; block: Statement[] };
  timeout_at: { when: number; block: Statement[] };
  timeout_reschedule: { timeout: number; delay: number | null };
  timeout_state: { timeout: number };
  queue_put: { queue: number; item: number };
  queue_get: { queue: number };
  queue_put_nowait: { queue: number; item: number };
  queue_get_nowait: { queue: number };
  queue_task_done: { queue: number };
  queue_join: { queue: number };
  queue_shutdown: { queue: number; immediate: boolean };
  semaphore_acquire: { semaphore: number };
  semaphore_release: { semaphore: number };
  semaphore_with: { semaphore: number; block: Statement[] };
  lock_acquire: { lock: number };
  lock_release: { lock: number };
  lock_with: { lock: number; block: Statement[] };
  event_wait: { event: number };
  event_set: { event: number };
  event_clear: { event: number };
  condition_acquire: { condition: number };
  condition_release: { condition: number };
  condition_with: { condition: number; block: Statement[] };
  condition_wait: { condition: number };
  /** Waits until the notifications so far, modulo 3, leave the remainder. */
  condition_wait_for: { condition: number; remainder: number };
  condition_notify: { condition: number; count: number };
  condition_notify_all: { condition: number };
  barrier_wait: { barrier: number };
  barrier_with: { barrier: number; block: Statement[] };
  barrier_reset: { barrier: number };
  barrier_abort: { barrier: number };
  call_soon: { action: Action };
  call_later: { delay: number; action: Action };
  call_at: { when: number; action: Action };
  /** As many timers, at `spread` different times; one of `keep` is not cancelled at once. */
  timers: { count: number; spread: number; keep: number };
  handle_cancel: { handle: number };
  future_new: { future: number };
  future_wait: { future: number };
  future_set_result: { future: number; value: number };
  future_set_exception: { future: number; error: ErrorKind };
  future_cancel: { future: number; message?: Message };
  future_result: { future: number };
  future_add_callback: { future: number; action: Action };
  task_add_callback: { task: number; action: Action };
  remove_callback: { callback: number };
  variable_get: { variable: number };
  variable_set: { variable: number; value: number };
  variable_reset: { token: number };
  /** Puts a new generator of the same plan in the place of this one. */
  generator_new: { generator: number };
  /** `anext()`, with a default or without. */
  generator_next: { generator: number; default?: number };
  generator_send: { generator: number; value: number };
  generator_throw: { generator: number; error: ErrorKind };
  generator_close: { generator: number };
  /** Iterates to the end, or closes the generator after so many rounds, as `break` does here. */
  generator_for: { generator: number; rounds: number | null };
  generator_closing: { generator: number; block: Statement[] };
}

export type ReturnWhen = "ALL_COMPLETED" | "FIRST_COMPLETED" | "FIRST_EXCEPTION";

export type Kind = keyof Fields;

/** A statement of one kind; `id` is unique in its program and kept while the program shrinks. */
export type StatementOf<K extends Kind> = { id: number; do: K } & Fields[K];

export type Statement = { [K in Kind]: StatementOf<K> }[Kind];

export interface Body {
  form: Form;
  block: Statement[];
}

export type QueueKind = "Queue" | "PriorityQueue" | "LifoQueue";

/** An async generator: what it yields, and how it meets errors and its end. */
export interface GeneratorPlan {
  /** Each value comes after a sleep, or at once. */
  yields: { delay: number | null; value: number }[];
  /** What it raises after the last value. */
  raises: ErrorKind | null;
  /** The error that it catches, to yield one value more. */
  catches: ExceptKind | null;
  /** How long it sleeps in its `finally`. */
  cleanup: number | null;
  /** True if it yields in its `finally`, which is an error when it is closed. */
  stubborn: boolean;
}

/** The primitives that all tasks of a program share. */
export interface Shared {
  queues: { kind: QueueKind; maxsize: number }[];
  semaphores: { value: number; bounded: boolean }[];
  locks: number;
  events: number;
  conditions: number;
  /** The parties of each barrier. */
  barriers: number[];
  futures: number;
  variables: number;
  generators: GeneratorPlan[];
}

/** One call of `Runner.run()`. */
export interface RunnerRun {
  /** The body of the main task. */
  body: number;
  /** True if it gets a context of its own, in the place of the runner's. */
  own_context: boolean;
}

export interface Program {
  shared: Shared;
  /** The main task runs the first. */
  bodies: Body[];
  /** What becomes of the tasks that outlive the main task: all are waited for, cancelled or not. */
  finish: "cancel" | "wait";
  /** Where a `Runner` runs the program: the main tasks, one after the other; then it is closed. */
  runs?: RunnerRun[];
}

/** One thing that happened: virtual time, task, statement and what came of it. */
export type Event = [time: number, task: string, statement: number, what: string];

export type Trace = Event[];

/** What the last event of a trace says of a program that was given up since it did not end. */
export const HANGS = "hangs";

/** Real seconds after which a program is given up. */
export const PATIENCE = 5;

/** Returns whether the program of a trace was given up. */
export function hangs(trace: Trace): boolean {
  return trace.at(-1)?.[3] === HANGS;
}

/** The blocks inside a statement. */
export function blocks_of(statement: Statement): Statement[][] {
  switch (statement.do) {
    case "try":
      return [
        statement.block,
        ...statement.handlers.map((handler) => handler.block),
        statement.otherwise,
        statement.finally,
      ];
    default:
      return "block" in statement ? [statement.block] : [];
  }
}

/** All statements of a program with the number of their body, outer before inner. */
export function* statements_of(program: Program): Generator<[Statement, number]> {
  function* walk(block: Statement[], body: number): Generator<[Statement, number]> {
    for (const statement of block) {
      yield [statement, body];
      for (const inner of blocks_of(statement)) yield* walk(inner, body);
    }
  }
  for (const [index, body] of program.bodies.entries()) yield* walk(body.block, index);
}
