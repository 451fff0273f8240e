/**
 * The loop, the scope and the context of the code that runs now.
 *
 * While a loop calls something synchronously it has *entered* it, which this module records. Code that a
 * promise has resumed runs with no loop on the stack; then the host's asynchronous context carries the
 * scope. Where the host has none, the scope of the step in progress is taken.
 *
 * @module
 */

import { context_value, has_async_context } from "../host/async_context.ts";
import { is_innermost } from "../host/copies.ts";
import { if_uncaught } from "../host/exit.ts";
import type { ContextCore, LoopCore, Scope, TaskCore } from "./contracts.ts";

// Plain module variables, read and written at every step: `undefined` is "nothing is entered".
let entered_loop: LoopCore | undefined;
let entered_scope: Scope | null = null;
let entered_context: ContextCore | undefined;
let stepping_scope: Scope | null = null;
// The scopes of code that is on the stack below a task that is being started eagerly.
const scopes_below: Scope[] = [];

/** The state that {@linkcode enter} replaced, to be restored by {@linkcode restore_turn}. */
export interface Turn {
  loop: LoopCore | undefined;
  scope: Scope | null;
  context: ContextCore | undefined;
}

/** Marks that a loop runs code of a scope (or of none: a plain callback) in a context, the task's by default. */
export function enter(loop: LoopCore, scope: Scope | null, context: ContextCore | undefined): void {
  entered_loop = loop;
  entered_scope = scope;
  entered_context = context;
}

/** Marks that the loop has control back from what it had entered at the bottom of the stack. */
export function leave(): void {
  entered_loop = undefined;
  entered_scope = null;
  entered_context = undefined;
}

/** Enters the scope of a block; returns what {@linkcode leave_scope} is to restore. */
export function enter_scope(scope: Scope): Scope | null | undefined {
  const outer = entered_loop === undefined ? undefined : entered_scope;
  entered_loop ??= scope._loop;
  entered_scope = scope;
  return outer;
}

/** Restores the scope around a block. */
export function leave_scope(outer: Scope | null | undefined): void {
  if (outer === undefined) entered_loop = undefined;
  entered_scope = outer ?? null;
}

/** Returns whether the code now running was resumed by a promise, and has entered nothing since. */
export function is_nothing_entered(): boolean {
  return entered_loop === undefined && entered_context === undefined;
}

/**
 * Passes an error, which is about to be thrown, to a loop's exception handler if it was thrown in a
 * callback of the host that does not catch it, in place of ending the program.
 */
export function report_if_uncaught(
  exception: Error,
  loop: LoopCore,
  context: Record<string, unknown> = {},
): void {
  if_uncaught(exception, () =>
    loop.call_exception_handler({
      message: "Exception in a callback of the host",
      exception,
      ...context,
    }));
}

/** Returns what is entered at present, to be restored after something is entered on top of it. */
export function save_turn(): Turn {
  return { loop: entered_loop, scope: entered_scope, context: entered_context };
}

/** Restores what was entered. */
export function restore_turn(turn: Turn): void {
  entered_loop = turn.loop;
  entered_scope = turn.scope;
  entered_context = turn.context;
}

/** Calls `fn` with another context variables' context, in the same loop and scope. */
export function with_context<A extends unknown[], R>(
  context: ContextCore,
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

/** Notes the scope whose step continues outside of the loop's stack, for hosts without a context. */
export function set_stepping_scope(scope: Scope | null): void {
  if (!has_async_context) stepping_scope = scope;
}

/** The innermost scope of the code that a promise has resumed, ended ones and ended tasks left out. */
function resumed_scope(): Scope | null {
  let scope = has_async_context ? context_value() as Scope | undefined ?? null : stepping_scope;
  while (scope !== null && scope._ended) scope = scope._parent;
  return scope;
}

/** The innermost scope of the code now running, if that belongs to a task; else `null`. */
export function running_scope(): Scope | null {
  return entered_loop !== undefined
    ? scope_of_task(entered_scope)
    : is_innermost()
    ? scope_of_task(resumed_scope())
    : null;
}

function scope_of_task(scope: Scope | null): Scope | null {
  if (scope === null) return null;
  const task = scope._owner;
  return task === null || task.done() ? null : scope;
}

/** The task to which the code now running belongs, even if it has ended, or `null`. */
export function running_or_ended_task(): TaskCore | null {
  return (entered_loop !== undefined ? entered_scope : resumed_scope())?._owner ?? null;
}

/** The innermost scope of the code now running, if that has outlived its task; else `null`. */
export function scope_of_ended_task(): Scope | null {
  const scope = entered_loop !== undefined ? entered_scope : resumed_scope();
  return scope?._owner?.done() ? scope : null;
}

/** The task to which the code now running belongs, or `null`. */
export function running_task(): TaskCore | null {
  return running_scope()?._owner ?? null;
}

/** The loop by which the code now running runs, or `null`; code of an ended task keeps the loop. */
export function running_loop(): LoopCore | null {
  return entered_loop ?? resumed_scope()?._loop ?? null;
}

/** The context variables' context of the code now running, or `null` outside of everything. */
export function running_context(): ContextCore | null {
  if (entered_context !== undefined) return entered_context;
  // Code that another copy of the library runs inside of a task has the task's context, too.
  const scope = scope_of_task(entered_loop !== undefined ? entered_scope : resumed_scope());
  return scope?._owner?.get_context() ?? null;
}

/** Calls a function that starts a task on top of the code now running. */
export function start_on_top(fn: () => void): void {
  const turn = save_turn();
  const below = running_scope();
  if (below !== null) scopes_below.push(below);
  try {
    fn();
  } finally {
    if (below !== null) scopes_below.pop();
    restore_turn(turn);
  }
}

/** How many tasks are being started on top of each other. */
export function eager_depth(): number {
  return scopes_below.length;
}

/**
 * Returns whether code of a task runs now, in a step of the task. The host's context alone does not show it: callbacks
 * of the host have it, too.
 */
export function runs_now(task: TaskCore, has_open_step: boolean): boolean {
  const scope = entered_loop !== undefined ? entered_scope : has_open_step ? resumed_scope() : null;
  return scope?._owner === task || scopes_below.some((below) => below._owner === task);
}
