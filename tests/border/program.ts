/** Programs as data: what the generator makes, the interpreter runs, the printer shows. */

/** How a native promise settles. */
export interface Native {
  /** By a timer of the host, a timer of the loop, after turns of the host, in a microtask, or not at all. */
  by: "host" | "loop" | "turns" | "microtask" | "never";
  /** After how many ticks, or turns. */
  after: number;
  fails: boolean;
}

/** What a function given to `from_promise()` does when its signal is aborted. */
export type OnAbort = "reason" | "own error" | "fulfil" | "ignore";

export type Combinator = "all" | "race" | "any" | "allSettled";

/** What can be awaited. */
export type Wait =
  | { wait: "sleep"; ticks: number }
  | { wait: "get"; queue: number }
  | { wait: "put"; queue: number }
  | { wait: "event"; event: number }
  | { wait: "join"; task: number; shield: boolean }
  | { wait: "native"; native: Native }
  | {
    wait: "from_promise";
    native: Native;
    function: boolean;
    on_abort: OnAbort;
    /** How many ticks after the abort that happens. */
    late: number;
    abandon: boolean;
  }
  | { wait: Combinator; of: Wait[] }
  | { wait: "gather"; bodies: Statement[][] }
  /** `wait_for()` of one thing. */
  | { wait: "limited"; ticks: number; of: "sleep" | "get" | "event"; after: number }
  /** Of an async function, or of a coroutine function, whose call begins when it is awaited. */
  | { wait: "call"; lazy: boolean; body: Statement[] }
  | { wait: "held"; slot: number };

export type Statement =
  | { do: "await"; wait: Wait }
  | { do: "timeout"; ticks: number; at: boolean; body: Statement[] }
  | { do: "wait_for"; ticks: number; body: Statement[] }
  | { do: "aborted_by"; ticks: number; by: "host" | "loop"; body: Statement[] }
  | { do: "group"; children: Statement[][]; body: Statement[] }
  | { do: "lock"; lock: number; async_with: boolean; body: Statement[] }
  | { do: "semaphore"; semaphore: number; async_with: boolean; body: Statement[] }
  | {
    do: "try";
    catches: "nothing" | "errors" | "everything";
    uncancels: boolean;
    body: Statement[];
    clean_up: Statement[];
  }
  | { do: "hold"; slot: number; body: Statement[] }
  | { do: "forget"; body: Statement[] }
  | { do: "throw"; what: "error" | "null" | "undefined" }
  | { do: "cancel"; task: number; times: number }
  | { do: "cancel_self" }
  | { do: "set"; event: number }
  | {
    do: "callback";
    by: "call_soon" | "call_later" | "host" | "interval";
    ticks: number;
    body: Statement[];
  };

export type Kind = Statement["do"];

/** A cancellation from outside: by a timer of the loop or of the host. */
export interface Cancel {
  at: number;
  task: number;
  times: number;
  by: "host" | "loop";
}

export interface Program {
  tasks: Statement[][];
  cancels: Cancel[];
  /** When each event is set, in ticks; `null` is never. */
  events: (number | null)[];
  queues: { maxsize: number; puts: number[] }[];
  /** Their values. */
  semaphores: number[];
  locks: number;
  /** Decides the order in which the host does what it may do in any order. */
  host_seed: number;
  /** Whether the host's turns interrupt what is ready in the loop, as on a busy machine. */
  busy: boolean;
  virtual_clock: boolean;
  /** Whether the loop is watched, which must not change anything. */
  mode: "plain" | "debug" | "traced";
  /** After how many ticks main ends, whatever is left then; `null` if it waits for all of it. */
  main_ends: number | null;
}

/** Whether an awaitable is a native promise of several others. */
export function is_combinator(wait: Wait): wait is Wait & { wait: Combinator } {
  return "of" in wait && wait.wait !== "limited";
}

/** The lists of statements directly inside of an awaitable. */
function* blocks_of_wait(wait: Wait): Generator<Statement[]> {
  if (wait.wait === "call") yield wait.body;
  if (wait.wait === "gather") yield* wait.bodies;
  if (is_combinator(wait)) { for (const part of wait.of) yield* blocks_of_wait(part); }
}

/** The lists of statements directly inside of a statement. */
export function* blocks_of(statement: Statement): Generator<Statement[]> {
  if (statement.do === "await") yield* blocks_of_wait(statement.wait);
  if ("body" in statement) yield statement.body;
  if (statement.do === "group") yield* statement.children;
  if (statement.do === "try") yield statement.clean_up;
}

/** All lists of statements, outer ones first. */
export function* all_blocks(program: Program): Generator<Statement[]> {
  function* inside(block: Statement[]): Generator<Statement[]> {
    yield block;
    for (const statement of block) for (const inner of blocks_of(statement)) yield* inside(inner);
  }
  for (const task of program.tasks) yield* inside(task);
}

/** All statements, in the order of the text. */
export function* all_statements(program: Program): Generator<Statement> {
  for (const block of all_blocks(program)) yield* block;
}
