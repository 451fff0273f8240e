/**
 * Whose turn is it: the loop, the task and the context in which the code now running runs.
 *
 * While a loop calls something synchronously it has *entered* it, and this module knows. Code that a
 * promise resumed runs with no loop on the stack; then the host's asynchronous context tells the task.
 * Where the host has none, the task whose step is in progress is taken.
 *
 * @module
 */

import { context_value, has_async_context } from "../host/async_context.ts";
import type { Context } from "./contextvars.ts";
import { if_uncaught } from "../host/exit.ts";
import type { AbstractEventLoop, ExceptionContext } from "../loop/events.ts";
import type { Task } from "./tasks.ts";

type AnyTask = Task<unknown>;

// Plain module variables, read and written at every step: `undefined` is "nothing is entered".
let entered_loop: AbstractEventLoop | undefined;
let entered_task: AnyTask | null = null;
let entered_context: Context | undefined;
let stepping_task: AnyTask | null = null;

/** What {@linkcode enter} replaced, to be put back by {@linkcode leave}. */
export interface Turn {
  loop: AbstractEventLoop | undefined;
  task: AnyTask | null;
  context: Context | undefined;
}

/**
 * Marks that the loop now runs code of `task` (or of no task: a plain callback) in `context`, that of
 * the task by default.
 */
export function enter(
  loop: AbstractEventLoop,
  task: AnyTask | null,
  context: Context | undefined,
): void {
  entered_loop = loop;
  entered_task = task;
  entered_context = context;
}

/** Marks that the loop has got control back from what it had entered at the bottom of the stack. */
export function leave(): void {
  entered_loop = undefined;
  entered_task = null;
  entered_context = undefined;
}

/** Whether the code now running was resumed by a promise, and has entered nothing since. */
export function is_nothing_entered(): boolean {
  return entered_loop === undefined && entered_context === undefined;
}

/**
 * Gives an error, which is about to be thrown, to a loop's exception handler if it was thrown in a
 * callback of the host that does not catch it, in place of ending the program.
 */
export function report_if_uncaught(
  exception: Error,
  loop: AbstractEventLoop,
  context: ExceptionContext = {},
): void {
  if_uncaught(exception, () =>
    loop.call_exception_handler({
      message: "Exception in a callback of the host",
      exception,
      ...context,
    }));
}

/** The present turn, to be restored after something is entered on top of it. */
export function save_turn(): Turn {
  return { loop: entered_loop, task: entered_task, context: entered_context };
}

/** Puts back a turn that was saved. */
export function restore_turn(turn: Turn): void {
  entered_loop = turn.loop;
  entered_task = turn.task;
  entered_context = turn.context;
}

/** Calls `fn` with another context variables' context, in the same loop and task. */
export function with_context<A extends unknown[], R>(
  context: Context,
  fn: (...args: A) => R,
  args: A,
): R {
  const outer = entered_context;
  entered_context = context;
  try {
    return fn(...args);
  } finally {
    entered_context = outer;
  }
}

/** How many loops are in debug mode: then coroutines note where they are made. */
export let debug_loops = 0;

/** Adds to the number of loops in debug mode. */
export function count_debug_loops(change: number): void {
  debug_loops += change;
}

/** Notes the task whose step goes on outside of the loop's stack, for hosts without a context. */
export function set_stepping_task(task: AnyTask | null): void {
  if (!has_async_context) stepping_task = task;
}

function resumed_task(): AnyTask | null {
  const task = has_async_context ? context_value() as AnyTask | undefined : stepping_task;
  return task === undefined || task === null || task.done() ? null : task;
}

/** The task to which the code now running belongs, or `null`. */
export function running_task(): AnyTask | null {
  return entered_loop !== undefined ? entered_task : resumed_task();
}

/** The loop by which the code now running runs, or `null`. */
export function running_loop(): AbstractEventLoop | null {
  return entered_loop ?? resumed_task()?.get_loop() ?? null;
}

/** The context variables' context of the code now running, or `null` outside of everything. */
export function running_context(): Context | null {
  return entered_context ?? running_task()?.get_context() ?? null;
}
