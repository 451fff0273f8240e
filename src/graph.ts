/**
 * The call graph: what each task runs, and which tasks await it.
 *
 * It is made of what tasks, futures and their waiters hold anyway when it is requested.
 *
 * @module
 */

import type { Continuation, Scope, Waitable } from "./core/contracts.ts";
import { BlockWait, CoroutineAwait, type Steps } from "./core/awaits.ts";
import { DelegatingCoroutine, GeneratorCoroutine } from "./core/coroutines.ts";
import { running_loop, running_task } from "./core/current.ts";
import { RuntimeError } from "./core/exceptions.ts";
import { Future, Listener } from "./core/futures.ts";
import { origin_of_await } from "./core/origins.ts";
import { live_await } from "./core/open_awaits.ts";
import { Task } from "./core/tasks.ts";
import { origin_of } from "./core/unawaited.ts";
import { extract_stack, is_plain_object, repr } from "./internal/format_helpers.ts";
import { check_options } from "./internal/options.ts";
import { parse_frames, type StackFrame } from "./internal/stack_frames.ts";

type AnyFuture = Future<unknown>;
type AnyTask = Task<unknown>;

/**
 * A function in the call stack of a {@linkcode FutureCallGraph}.
 *
 * See {@link https://docs.python.org/3/library/asyncio-graph.html Python's FrameCallGraphEntry}.
 *
 * @category Debugging
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * await asyncio.run(async () => {
 *   const task = asyncio.create_task(async function work() {
 *     await asyncio.sleep(1);
 *   });
 *   await asyncio.sleep(0);
 *   const graph = asyncio.capture_call_graph(task);
 *   assertEquals(graph?.call_stack.map(({ name }) => name), ["sleep", "work"]);
 *   task.cancel();
 * });
 * ```
 */
export class FrameCallGraphEntry {
  /** The name of the function; `<lambda>` if it has none. */
  readonly name: string;
  /** The file in which the function stands; `null` where it is not known, as it is in debug mode. */
  readonly file: string | null;
  /** The line at which the function stands, from 1; `null` where it is not known. */
  readonly line: number | null;
  /** True if it is a coroutine, which may wait. */
  readonly is_async: boolean;

  /** @internal */
  constructor(name: string, is_async: boolean, place: StackFrame | null) {
    this.name = name;
    this.file = place?.file ?? null;
    this.line = place?.line ?? null;
    this.is_async = is_async;
  }
}

/**
 * A future with its call stack and the futures that await it.
 *
 * See {@link https://docs.python.org/3/library/asyncio-graph.html Python's FutureCallGraph}.
 *
 * @category Debugging
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * const future = new asyncio.Future<string>();
 * const graph = asyncio.capture_call_graph(future);
 * assertEquals([graph?.future, graph?.call_stack, graph?.awaited_by], [future, [], []]);
 * ```
 */
export class FutureCallGraph {
  /** The future or task. */
  readonly future: Future<unknown>;
  /** The functions that a task is in, the innermost first; empty for a future that is no task, and one that is done. */
  readonly call_stack: readonly FrameCallGraphEntry[];
  /** The graphs of those that await it, in the order in which they began to. */
  readonly awaited_by: readonly FutureCallGraph[];

  /** @internal */
  constructor(
    future: Future<unknown>,
    call_stack: readonly FrameCallGraphEntry[],
    awaited_by: readonly FutureCallGraph[],
  ) {
    this.future = future;
    this.call_stack = call_stack;
    this.awaited_by = awaited_by;
  }
}

/**
 * The options of {@linkcode capture_call_graph} and {@linkcode format_call_graph}.
 *
 * @category Debugging
 */
export interface CallGraphOptions {
  /**
   * How many frames of the current task's stack are left out, that of the called function included;
   * 1 by default. It counts for the current task alone.
   */
  depth?: number;
  /**
   * How many entries of each call stack are kept at most: the outermost of a number above 0, the
   * innermost of one below. With 0 there are none; `null`, the default, keeps all.
   */
  limit?: number | null;
}

/**
 * The options of {@linkcode print_call_graph}.
 *
 * @category Debugging
 */
export interface PrintCallGraphOptions extends CallGraphOptions {
  /** The receiver of the text, by its method `write`; the console by default. */
  file?: { write(text: string): unknown } | null;
}

type FutureOrOptions<O> = Future<unknown> | O | null;

/** Splits a first argument, which may be the options. */
function split_arguments<O extends object>(
  name: string,
  first: FutureOrOptions<O>,
  options: O,
  known: readonly string[],
): [future: Future<unknown> | null, options: O] {
  const all = is_plain_object(first) ? first as O : options;
  check_options(name, all, known);
  if (all === first || first === null) return [null, all];
  if (!(first instanceof Future)) {
    throw new TypeError(
      `${repr(first)} object does not appear to be compatible with asyncio.Future`,
    );
  }
  return [first, all];
}

const OPTIONS = ["depth", "limit"];

/**
 * Captures the call graph of the current task or of a future: its call stack, and that of all that await it.
 *
 * The stack of the current task is that of the call. Of other tasks there are the coroutines that they are in and,
 * in debug mode, the native async functions between, with files and lines. A task that awaits several
 * things at a time shows the one which it began last. See {@link print_call_graph} for how it is printed.
 *
 * See {@link https://docs.python.org/3/library/asyncio-graph.html#asyncio.capture_call_graph Python's capture_call_graph}.
 *
 * @param future the future or task; the current task by default. The options may stand in its place
 * @param options `depth`, `limit`
 * @returns the graph; `null` without a future where no task runs
 * @throws {RuntimeError} if there is no future and no loop runs the caller
 * @throws {TypeError} if it is no future
 * @category Debugging
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * async function work() {
 *   const graph = asyncio.capture_call_graph();
 *   assertEquals(graph?.awaited_by.map(({ future }) => String(future).split(" ")[0]), ["<Task"]);
 * }
 * await asyncio.run(async () => {
 *   await asyncio.create_task(work);
 * });
 * ```
 */
export function capture_call_graph(
  future: Future<unknown> | CallGraphOptions | null = null,
  options: CallGraphOptions = {},
): FutureCallGraph | null {
  const [asked, all] = split_arguments("capture_call_graph", future, options, OPTIONS);
  return capture(asked, all, capture_call_graph);
}

/** Captures a graph; `caller` is the function of this module that was called. */
function capture(
  asked: AnyFuture | null,
  { depth = 1, limit = null }: CallGraphOptions,
  caller: object,
): FutureCallGraph | null {
  const current = running_task() as AnyTask | null;
  if (asked === null && current === null && running_loop() === null) {
    throw new RuntimeError(
      "capture_call_graph() is called outside of a running event loop and no *future* to " +
        "introspect was provided",
    );
  }
  const future = asked ?? current;
  if (future === null) return null;
  if (future !== current) return build_graph(future, limit, []);
  const stack = limit === 0 ? [] : current_stack(current, caller).slice(Math.max(depth - 1, 0));
  return new FutureCallGraph(future, limited(stack, limit), graphs_of_awaiting(future, limit, []));
}

function build_graph(
  future: AnyFuture,
  limit: number | null,
  inner: readonly AnyFuture[],
): FutureCallGraph {
  const stack = limit === 0 || !(future instanceof Task) ? [] : suspended_stack(future);
  return new FutureCallGraph(
    future,
    limited(stack, limit),
    graphs_of_awaiting(future, limit, inner),
  );
}

function graphs_of_awaiting(
  future: AnyFuture,
  limit: number | null,
  inner: readonly AnyFuture[],
): FutureCallGraph[] {
  const path = [...inner, future];
  // Tasks that wait for each other end the path.
  return [...awaiting(future)].filter((other) => !path.includes(other))
    .map((other) => build_graph(other, limit, path));
}

function limited(
  stack: FrameCallGraphEntry[],
  limit: number | null,
): FrameCallGraphEntry[] {
  if (limit === null) return stack;
  return limit > 0 ? stack.slice(-limit) : stack.slice(0, -limit);
}

// The waiters that future_add_to_awaited_by() has recorded.
const recorded = /* @__PURE__ */ new WeakMap<AnyFuture, Set<AnyFuture>>();

/** Returns the futures that await one: the tasks that wait for it, and what has been recorded. */
function awaiting(future: AnyFuture): Set<AnyFuture> {
  const found = new Set<AnyFuture>();
  for (const waiter of future["_all_waiters"]()) {
    const task = waiter instanceof Listener
      ? task_behind(waiter.owner)
      : (waiter as Partial<Continuation>)._scope?._owner;
    if (task instanceof Task) found.add(task);
  }
  if (future.done()) {
    // Its waiters have been scheduled, and have not resumed.
    for (const task of future["_loop"]["_tasks"]()) {
      if (task["_waits_on"]().includes(future as unknown as Waitable)) found.add(task);
    }
  }
  for (const other of recorded.get(future) ?? []) found.add(other);
  return found;
}

/** The task for which a listener listens: `wait()`, `gather()`, `shield()` or a group of the task. */
function task_behind(owner: unknown): unknown {
  if (owner instanceof Task) return owner;
  return (owner as { _awaiting_task?: unknown } | null | undefined)?._awaiting_task;
}

/**
 * Records that a future is awaited by another, for code that waits for futures in a way of its own.
 *
 * What waits by `await`, `yield*`, `gather()`, `wait()`, `shield()` and task groups need not be recorded.
 *
 * See {@link https://docs.python.org/3/library/asyncio-graph.html#asyncio.future_add_to_awaited_by Python's future_add_to_awaited_by}.
 *
 * @param future the future that is awaited
 * @param waiter the future, mostly a task, that awaits it; nothing is done unless both are futures of this library
 * @category Debugging
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * const [inner, outer] = [new asyncio.Future(), new asyncio.Future()];
 * asyncio.future_add_to_awaited_by(inner, outer);
 * assertEquals(asyncio.capture_call_graph(inner)?.awaited_by[0]?.future, outer);
 * ```
 */
export function future_add_to_awaited_by(
  future: Future<unknown>,
  waiter: Future<unknown>,
): void {
  if (!(future instanceof Future && waiter instanceof Future)) return;
  const known = recorded.get(future);
  if (known === undefined) recorded.set(future, new Set([waiter]));
  else known.add(waiter);
}

/**
 * Takes back what {@linkcode future_add_to_awaited_by} has recorded; what the library knows itself stays.
 *
 * See {@link https://docs.python.org/3/library/asyncio-graph.html#asyncio.future_discard_from_awaited_by Python's future_discard_from_awaited_by}.
 *
 * @param future the future that was awaited
 * @param waiter the future that awaited it
 * @category Debugging
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * const [inner, outer] = [new asyncio.Future(), new asyncio.Future()];
 * asyncio.future_add_to_awaited_by(inner, outer);
 * asyncio.future_discard_from_awaited_by(inner, outer);
 * assertEquals(asyncio.capture_call_graph(inner)?.awaited_by, []);
 * ```
 */
export function future_discard_from_awaited_by(
  future: Future<unknown>,
  waiter: Future<unknown>,
): void {
  recorded.get(future)?.delete(waiter);
}

/** The frames of the call, up to the task's coroutine. */
function current_stack(task: AnyTask, caller: object): FrameCallGraphEntry[] {
  // Below it is the code that has started the task eagerly.
  const frames = parse_frames(extract_stack(caller, /\b_start_eagerly\b/));
  const resumed = frames.findIndex(({ is_async }) => is_async) - 1;
  const stack = frames.map((frame, index) =>
    new FrameCallGraphEntry(frame.name, frame.is_async || index === resumed, frame)
  );
  const name = task["_coroutine_name"];
  if (name === "") return stack;
  const last = stack.at(-1);
  if (last?.name !== name) stack.push(new FrameCallGraphEntry(name, true, null));
  else stack[stack.length - 1] = new FrameCallGraphEntry(name, true, frames.at(-1) ?? null);
  return stack;
}

/** The coroutines that a task is in, the innermost first, with what debug mode has noted of native code between. */
function suspended_stack(task: AnyTask): FrameCallGraphEntry[] {
  if (task.done()) return [];
  const waiting = live_await(task as unknown as Scope);
  const own = task["_own_coroutine"];
  const chain = own === null ? [] : delegates(own as unknown as Steps);
  const frames: StackFrame[] = [];
  if (waiting instanceof CoroutineAwait) {
    for (const coroutine of [waiting._coroutine, ...delegates(waiting._coroutine)]) {
      chain.push(coroutine);
    }
  } else if (waiting !== null) {
    frames.push(...parse_frames(String(origin_of_await(waiting) ?? "")));
  }
  // From the outside: each coroutine was made by code of the one around it.
  const around: Around[] = [
    { name: task["_coroutine_name"], has_native_code: true },
    ...chain.map((coroutine) => ({
      name: coroutine.name,
      has_native_code: !(coroutine instanceof GeneratorCoroutine),
    })),
  ];
  const origins = [...chain.map((coroutine) => frames_of_origin(coroutine)), frames];
  const stack = around.flatMap((outer, index) =>
    entries_of(outer, around.slice(0, index), origins[index]!).reverse()
  );
  return stack.reverse().filter(({ name }) => name !== "");
}

interface Around {
  readonly name: string;
  readonly has_native_code: boolean;
}

function frames_of_origin(coroutine: Steps): StackFrame[] {
  return parse_frames(String(origin_of(coroutine) ?? ""));
}

/** A coroutine and the native async functions that it is in, innermost first, from where the next one was made. */
function entries_of(
  { name, has_native_code }: Around,
  around: readonly Around[],
  frames: readonly StackFrame[],
): FrameCallGraphEntry[] {
  const own = frames.map((frame) => frame.name).lastIndexOf(name);
  // Of a coroutine of the library the stack has no frame: what is further out belongs to those around it.
  const end = own >= 0
    ? own
    : frames.findIndex((frame) => around.some((outer) => outer.name === frame.name));
  const inside = !has_native_code ? [] : end < 0 ? frames : frames.slice(0, end);
  return [
    ...inside.map((frame) => new FrameCallGraphEntry(frame.name, true, frame)),
    new FrameCallGraphEntry(name, true, frames[own] ?? null),
  ];
}

/** The coroutines in which a suspended coroutine waits, outermost first. */
function delegates(coroutine: Steps): Steps[] {
  const inside: Steps[] = [];
  const yielded = innermost_yielded(coroutine);
  let inner = delegate_of(coroutine);
  // A listener left over from an earlier wait does not wait for the same future.
  while (inner !== null && innermost_yielded(inner) === yielded) {
    inside.push(inner);
    inner = delegate_of(inner);
  }
  return inside;
}

function delegate_of(coroutine: Steps): Steps | null {
  if (coroutine instanceof GeneratorCoroutine) {
    return coroutine["_delegate"] as unknown as Steps | null;
  }
  return coroutine instanceof DelegatingCoroutine
    ? coroutine["_inner"] as unknown as Steps | null
    : null;
}

function innermost_yielded({ _yielded: yielded }: Steps): unknown {
  return yielded instanceof BlockWait ? yielded.yielded : yielded;
}

/**
 * Returns the call graph of the current task or of a future as text, in Python's form without addresses.
 *
 * See {@link https://docs.python.org/3/library/asyncio-graph.html#asyncio.format_call_graph Python's format_call_graph}.
 *
 * @param future the future or task; the current task by default. The options may stand in its place
 * @param options `depth`, `limit`
 * @returns the text; empty where no task runs
 * @throws {RuntimeError} if there is no future and no loop runs the caller
 * @throws {TypeError} if it is no future
 * @category Debugging
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * await asyncio.run(async () => {
 *   const task = asyncio.create_task(asyncio.sleep(1), { name: "nap" });
 *   await asyncio.sleep(0);
 *   assertEquals(
 *     asyncio.format_call_graph(task),
 *     "* Task(name='nap')\n  + Call stack:\n  |   async sleep()",
 *   );
 *   task.cancel();
 * });
 * ```
 */
export function format_call_graph(
  future: Future<unknown> | CallGraphOptions | null = null,
  options: CallGraphOptions = {},
): string {
  const [asked, all] = split_arguments("format_call_graph", future, options, OPTIONS);
  return format(capture(asked, all, format_call_graph));
}

function format(graph: FutureCallGraph | null): string {
  return graph === null ? "" : lines_of(graph).join("\n");
}

function lines_of({ future, call_stack, awaited_by }: FutureCallGraph): string[] {
  const lines = [
    future instanceof Task ? `* Task(name=${repr(future.get_name())})` : "* Future()",
  ];
  if (call_stack.length > 0) lines.push("  + Call stack:");
  for (const { name, file, line, is_async } of call_stack) {
    const place = file === null ? "" : `File ${repr(file)}, line ${line}, in `;
    lines.push(`  |   ${place}${is_async ? "async " : ""}${name}()`);
  }
  if (awaited_by.length > 0) lines.push("  + Awaited by:");
  for (const other of awaited_by) lines.push(...lines_of(other).map((line) => `    ${line}`));
  return lines;
}

/**
 * Prints the call graph of the current task or of a future.
 *
 * See {@link https://docs.python.org/3/library/asyncio-graph.html#asyncio.print_call_graph Python's print_call_graph}.
 *
 * @param future the future or task; the current task by default. The options may stand in its place
 * @param options `file`, to which it is written, the console by default; `depth`, `limit`
 * @throws {RuntimeError} if there is no future and no loop runs the caller
 * @throws {TypeError} if it is no future
 * @category Debugging
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * const written: string[] = [];
 * const file = { write: (text: string) => written.push(text) };
 * asyncio.print_call_graph(new asyncio.Future(), { file });
 * assertEquals(written, ["* Future()\n"]);
 * ```
 */
export function print_call_graph(
  future: Future<unknown> | PrintCallGraphOptions | null = null,
  options: PrintCallGraphOptions = {},
): void {
  const [asked, all] = split_arguments("print_call_graph", future, options, ["file", ...OPTIONS]);
  const text = format(capture(asked, all, print_call_graph));
  if (all.file) all.file.write(`${text}\n`);
  else console.log(text);
}
