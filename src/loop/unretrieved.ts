/**
 * Errors of futures that nothing has retrieved, and their report.
 *
 * @module
 */

import type { AbstractEventLoop, ExceptionContext } from "../core/events.ts";
import { describe_task } from "../core/awaits.ts";
import { Context } from "../core/contextvars.ts";
import { with_context } from "../core/current.ts";
import type { Future } from "../core/futures.ts";
import { Task } from "../core/tasks.ts";
import { make_reference, type Reference, watch_collection } from "../host/collection.ts";
import { at_exit } from "../host/exit.ts";
import { copy_thrown, is_object } from "./error_copies.ts";
import { create_macrotasks, type Macrotasks } from "../host/macrotask.ts";

interface Entry {
  readonly owner: Unretrieved;
  readonly future: Reference<Future<unknown>>;
  readonly error: Reference<object> | null;
  readonly context: ExceptionContext;
  /** Makes the context variables' context of a task; `null` for other futures. */
  readonly variables: (() => Context) | null;
}

const collected = watch_collection<Entry>((entry) => entry.owner._report(entry));

// Those with something to report; read when the program ends.
const all = new Set<Unretrieved>();
let turns: Macrotasks | null = null;
let is_turn_requested = false;

/**
 * The futures of a loop whose errors nothing has retrieved.
 *
 * Most errors are retrieved within the same turn of the host, so futures are only kept until the next
 * one; then the garbage collector reports those that can never be retrieved. What is left is reported
 * when the loop is closed, and when the program ends.
 */
export class Unretrieved {
  readonly #loop: AbstractEventLoop;
  readonly #recent = new Set<Future<unknown>>();
  readonly #entries = new Set<Entry>();
  readonly #entry_of = new WeakMap<Future<unknown>, Entry>();

  constructor(loop: AbstractEventLoop) {
    this.#loop = loop;
  }

  /** Notes a future whose error is not retrieved yet. */
  add(future: Future<unknown>): void {
    this.#recent.add(future);
    all.add(this);
    // A turn of its own: the loop may be idle.
    if (is_turn_requested) return;
    is_turn_requested = true;
    if (turns === null) at_exit(report_all);
    (turns ??= create_macrotasks(weaken_all)).request();
  }

  /** Forgets a future: its error is retrieved. */
  delete(future: Future<unknown>): void {
    if (!this.#recent.delete(future)) {
      const entry = this.#entry_of.get(future);
      if (entry === undefined) return;
      this.#entries.delete(entry);
      this.#entry_of.delete(future);
      collected.unregister(future);
    }
    this.#forget_if_empty();
  }

  #forget_if_empty(): void {
    if (this.#recent.size === 0 && this.#entries.size === 0) all.delete(this);
  }

  /** Releases the futures noted so far. */
  weaken(): void {
    for (const future of this.#recent) {
      const entry = make_entry(this, future);
      this.#entries.add(entry);
      this.#entry_of.set(future, entry);
      collected.register(future, entry, future);
    }
    this.#recent.clear();
  }

  /** Reports all that are left. */
  report(): void {
    this.weaken();
    for (const entry of [...this.#entries]) {
      const future = entry.future.deref();
      if (future !== undefined) {
        entry.context.future = future;
        entry.context.exception = future["_value"];
        future["_mark_retrieved"]();
      }
      this._report(entry);
    }
  }

  /** @internal */
  _report(entry: Entry): void {
    this.#entries.delete(entry);
    this.#forget_if_empty();
    const error = entry.error?.deref();
    if (error !== undefined) entry.context.exception = error;
    const report = () => this.#loop.call_exception_handler(entry.context);
    if (entry.variables === null) report();
    else with_context(entry.variables(), report, []);
  }
}

function weaken_all(): void {
  is_turn_requested = false;
  for (const unretrieved of all) unretrieved.weaken();
}

function report_all(): void {
  for (const unretrieved of [...all]) unretrieved.report();
}

function make_entry(owner: Unretrieved, future: Future<unknown>): Entry {
  const error = future["_value"];
  const context: ExceptionContext = {
    message: `${future.constructor.name} exception was never retrieved`,
    exception: copy_thrown(error),
  };
  if (future instanceof Task) context.description = describe_task(future["_owner"]);
  if (future["_source_traceback"] !== undefined) {
    context.source_traceback = String(future["_source_traceback"]);
  }
  return {
    owner,
    future: make_reference(future),
    error: is_object(error) ? make_reference(error) : null,
    context,
    variables: future instanceof Task ? note_variables(future.get_context()) : null,
  };
}

/** Notes the values of a context, objects weakly: one may lead to the task. What was collected by then is left out. */
function note_variables(context: Context): () => Context {
  const noted = Array.from(context.items(), ([variable, value]) => ({
    variable,
    value: is_object(value) ? make_reference(value) : { deref: () => value },
  }));
  return () => {
    const copy = new Context();
    for (const entry of noted) {
      const value = entry.value.deref();
      if (value !== undefined) copy["_store"](entry.variable, value);
    }
    return copy;
  };
}
