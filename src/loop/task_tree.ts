/**
 * The tasks of loops as a tree: which task awaits which, what each runs, what it waits on and for how long.
 *
 * @module
 */

import { running_loop } from "../core/current.ts";
import { RuntimeError } from "../core/exceptions.ts";
import { check_options } from "../internal/options.ts";
import type { AbstractEventLoop } from "../core/events.ts";

/** A task as JSON can carry it. */
export interface TaskInfo {
  /** Numbers the tasks of all loops from 0. */
  readonly number: number;
  readonly name: string;
  /** The functions that it is in, outermost first. */
  readonly stack: readonly string[];
  /** The things that it waits on; none if it runs or is ready to. */
  readonly waits_on: readonly string[];
  /** How many seconds it has waited; `null` if it does not wait. */
  readonly waited: number | null;
  /** The numbers of the tasks that await it. */
  readonly awaited_by: readonly number[];
}

/** A coroutine, by the fields that all of its kinds have in part. */
interface AnyCoroutine {
  readonly name: string;
  readonly _yielded?: unknown;
  readonly _delegate?: AnyCoroutine | null;
  readonly _inner?: AnyCoroutine | null;
}

interface AnyWait {
  readonly _begun: number;
  readonly _waiting: unknown;
  readonly _coroutine?: AnyCoroutine;
  readonly _older?: AnyWait | null;
}

interface AnyTask extends AnyWait {
  get_name(): string;
  readonly _step: number;
  readonly _active: number;
  readonly _resumed: number;
  readonly _coroutine_name: string;
  readonly _own_coroutine: AnyCoroutine | null;
  readonly _newest: AnyWait | null;
  _all_waiters(): readonly { _scope?: { _owner: unknown }; owner?: unknown }[];
}

/** A loop, by what {@linkcode collect_tasks} uses of it. */
export interface AnyLoop {
  _tasks(): readonly unknown[];
  _waited_since(moment: number): number;
}

/**
 * Collects what is known of the tasks of loops.
 *
 * It uses nothing outside of itself: its source is sent to other processes, which need not contain it.
 */
export function collect_tasks(loops: Iterable<AnyLoop>): TaskInfo[] {
  const FOREIGN = 3;
  const found = [...loops].flatMap((loop) =>
    (loop._tasks() as AnyTask[]).map((task) => ({ task, loop }))
  );
  const numbers = new Map<unknown, number>(found.map(({ task }, index) => [task, index]));

  // A block wraps what is yielded in it.
  const yielded_by = ({ _yielded: yielded }: AnyCoroutine): unknown =>
    typeof yielded === "object" && yielded !== null && "yielded" in yielded && "scope" in yielded
      ? yielded.yielded
      : yielded;
  const inner_of = (coroutine: AnyCoroutine) => coroutine._delegate ?? coroutine._inner ?? null;
  function delegates(coroutine: AnyCoroutine): string[] {
    const names: string[] = [];
    const yielded = yielded_by(coroutine);
    let inner = inner_of(coroutine);
    while (inner !== null && yielded_by(inner) === yielded) {
      if (inner.name !== "") names.push(inner.name);
      inner = inner_of(inner);
    }
    return names;
  }
  function open_awaits(task: AnyTask): AnyWait[] {
    const all: AnyWait[] = task._begun > 0 ? [task] : [];
    for (let open = task._newest; open !== null; open = open._older ?? null) {
      if (open._begun > 0) all.push(open);
    }
    return all;
  }
  function describe(waiting: unknown): string {
    if (waiting === null) return "its next step";
    if (numbers.has(waiting)) return `task ${(waiting as AnyTask).get_name()}`;
    const { _operation: operation, _subject: subject } = waiting as {
      _operation?: { name: string };
      _subject?: unknown;
    };
    if ("_children" in (waiting as object)) return "gather";
    if (operation === undefined) return String(waiting).replace(/ cb=\[.*/, ">");
    return operation.name === "sleep" ? `sleep(${subject})` : operation.name;
  }

  return found.map(({ task, loop }, number) => {
    const awaits = open_awaits(task);
    const is_foreign = task._step === FOREIGN;
    const own = task._own_coroutine;
    const stack = [task._coroutine_name, ...own === null ? [] : delegates(own)];
    const newest = is_foreign ? undefined : awaits.find((open) => open !== task);
    const awaited = newest?._coroutine;
    if (awaited !== undefined) stack.push(awaited.name, ...delegates(awaited));
    const began = is_foreign
      ? Math.max(task._active, task._resumed)
      : Math.max(0, ...awaits.map(({ _begun: begun }) => begun));
    const awaited_by = new Set<number>();
    for (const waiter of task._all_waiters()) {
      const owner = waiter.owner as { _awaiting_task?: unknown } | null | undefined;
      for (const other of [waiter._scope?._owner, owner, owner?._awaiting_task]) {
        const other_number = numbers.get(other);
        if (other_number !== undefined) awaited_by.add(other_number);
      }
    }
    return {
      number,
      name: task.get_name(),
      stack: stack.filter((name) => name !== ""),
      waits_on: is_foreign
        ? ["a native promise"]
        : awaits.map(({ _waiting: waiting }) => describe(waiting)),
      waited: began > 0 ? loop._waited_since(began) / 1000 : null,
      awaited_by: [...awaited_by],
    };
  });
}

/** Returns a time as text of at most three digits. */
function format_time(seconds: number): string {
  if (seconds >= 3600) return `${Number((seconds / 3600).toPrecision(3))} h`;
  if (seconds >= 60) return `${Number((seconds / 60).toPrecision(3))} min`;
  return `${Number(seconds.toFixed(seconds < 10 ? 1 : 0))} s`;
}

function describe_wait({ waits_on, waited }: TaskInfo): string {
  if (waits_on.length === 0) return "";
  return `waits on ${waits_on.join(" and ")} for ${format_time(waited ?? 0)}`;
}

/** A node of the tree: a task, a function that it is in, or what it waits on. */
interface TreeNode {
  readonly label: string;
  readonly children: TreeNode[];
}

/** Returns the lines of a tree of tasks: below each task are the functions that it is in and the tasks that it awaits. */
export function format_tree(tasks: readonly TaskInfo[]): string {
  const children = (task: TaskInfo) =>
    tasks.filter((other) => other.awaited_by.includes(task.number));
  const shown = new Set<number>();
  function node_of(task: TaskInfo, path: readonly number[]): TreeNode {
    shown.add(task.number);
    const node: TreeNode = { label: `(T) ${task.name}`, children: [] };
    if (path.includes(task.number)) {
      return { label: `${node.label}, which waits for itself`, children: [] };
    }
    let innermost = node;
    for (const label of task.stack) {
      const inner: TreeNode = { label, children: [] };
      innermost.children.push(inner);
      innermost = inner;
    }
    const awaited = children(task).map((other) => node_of(other, [...path, task.number]));
    // The tasks below say what it waits on.
    const wait = awaited.length > 0 ? "" : describe_wait(task);
    if (wait !== "") innermost.children.push({ label: wait, children: [] });
    innermost.children.push(...awaited);
    return node;
  }
  const roots = tasks.filter(({ awaited_by }) => awaited_by.length === 0).map((task) =>
    node_of(task, [])
  );
  // Those that wait for each other have no root.
  for (const task of tasks) if (!shown.has(task.number)) roots.push(node_of(task, []));
  return roots.flatMap((root) => lines_of(root, "", true)).join("\n");
}

function lines_of({ label, children }: TreeNode, before: string, is_last: boolean): string[] {
  const below = before + (is_last ? "    " : "│   ");
  return [
    `${before}${is_last ? "└── " : "├── "}${label}`,
    ...children.flatMap((child, index) => lines_of(child, below, index === children.length - 1)),
  ];
}

/** Returns a table of tasks, a line each. */
export function format_table(tasks: readonly TaskInfo[]): string {
  const rows = [
    ["task", "coroutine stack", "waits on", "for", "awaited by"],
    ...tasks.map((task) => [
      task.name,
      [...task.stack].reverse().join(" -> "),
      task.waits_on.join(" and "),
      task.waited === null ? "" : format_time(task.waited),
      task.awaited_by.map((number) => tasks[number]!.name).join(", "),
    ]),
  ];
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows.map((row) =>
    row.map((cell, column) => cell.padEnd(widths[column]!)).join("  ").trimEnd()
  ).join("\n");
}

/**
 * The options of {@linkcode format_all_tasks} and {@linkcode print_all_tasks}.
 *
 * @category Debugging
 */
export interface AllTasksOptions {
  /** The loop; the one that runs the caller by default. */
  loop?: AbstractEventLoop | null;
}

/**
 * Returns the tasks of a loop as a tree: below each task are the functions that it is in, what it waits on and for how
 * long, and the tasks that it awaits.
 *
 * It is the picture that `python -m asyncio pstree PID` gives, and `deno task pstree PID` of another process.
 *
 * @param options `loop`, the running one by default
 * @returns the lines
 * @throws {RuntimeError} if there is no loop and none runs the caller
 * @category Debugging
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * await asyncio.run(async function main() {
 *   const task = asyncio.create_task(asyncio.sleep(5), { name: "nap" });
 *   await asyncio.sleep(0);
 *   const tree = asyncio.format_all_tasks();
 *   assertEquals(tree.split("\n").slice(-3), [
 *     "└── (T) nap",
 *     "    └── sleep",
 *     "        └── waits on sleep(5) for 0 s",
 *   ]);
 *   task.cancel();
 * });
 * ```
 */
export function format_all_tasks(options: AllTasksOptions = {}): string {
  check_options("format_all_tasks", options, ["loop"]);
  const loop = options.loop ?? running_loop();
  if (loop === null) throw new RuntimeError("no running event loop");
  return format_tree(collect_tasks([loop as unknown as AnyLoop]));
}

/**
 * Prints what {@linkcode format_all_tasks} returns.
 *
 * As the handler of a signal it shows what a running program does, in one line:
 * `asyncio.get_running_loop().add_signal_handler("SIGUSR2", asyncio.print_all_tasks)`.
 *
 * @param options `file`, to which it is written by its method `write`, the console's error stream by default; `loop`,
 * the running one by default
 * @throws {RuntimeError} if there is no loop and none runs the caller
 * @category Debugging
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { assert } from "@std/assert";
 *
 * let text = "";
 * await asyncio.run(async function main() {
 *   asyncio.print_all_tasks({ file: { write: (part) => text += part } });
 * });
 * assert(text.includes("main"));
 * ```
 */
export function print_all_tasks(
  options: AllTasksOptions & { file?: { write(text: string): unknown } | null } = {},
): void {
  check_options("print_all_tasks", options, ["file", "loop"]);
  const { file = null, loop = null } = options;
  const text = format_all_tasks({ loop });
  if (file === null) console.error(text);
  else file.write(`${text}\n`);
}
