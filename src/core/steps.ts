/**
 * The step protocol: by which a loop runs one step of one task at a time, though native async functions
 * are resumed by promises.
 *
 * | event                                                        | from                   | to          |
 * | ------------------------------------------------------------ | ---------------------- | ----------- |
 * | the loop runs the task's first step                           | not started            | suspended   |
 * | a call of native code returned a pending promise              | suspended              | open        |
 * | the loop resumed an await                                     | suspended              | open        |
 * | an await of the library began                                 | open, foreign          | suspended   |
 * | the microtask queue ran dry, an await of the library is live  | open                   | suspended   |
 * | the microtask queue ran dry, none is live                     | open                   | foreign     |
 * | an await of the library that need not wait settled            | foreign                | foreign     |
 * | the promise of the call settled                               | open, foreign          | done        |
 *
 * The invariant: while code of a task is on the stack it is what `current.ts` has entered,
 * and at most one task is; the loop runs nothing while a step is open; a task that is foreign waits for
 * nothing that the library knows. "Done" is the state of the task as a future.
 *
 * @module
 */

import { NOTHING, type Scope, type TaskCore } from "./contracts.ts";
import { is_nothing_entered } from "./current.ts";
import { make_cancelled_error } from "./cancellation.ts";
import { live_await } from "./open_awaits.ts";
import { next_moment, this_moment } from "./scopes.ts";

/** Its first step has not been run. */
export const NOT_STARTED = 0;
/** It waits for something of the library, or its code is on the stack. */
export const SUSPENDED = 1;
/** Its code runs in microtasks: the loop waits until it suspends. */
export const OPEN = 2;
/** It waits for a native promise. */
export const FOREIGN = 3;

/** The steps of a loop's tasks that are open, and what waits for something of the host. */
export class Steps {
  /** The task whose open step began last; `null` if none is open. */
  open: TaskCore | null = null;
  // Hardly ever any: a promise of the host may resume one task while the step of another is open.
  readonly #below: TaskCore[] = [];
  // The tasks that are foreign; not in a set, in which a task that comes and goes leaves a longer and longer chain.
  #foreign_tasks = 0;
  readonly #foreign_waits = new Set<object>();

  /** Opens a step of a task; false if it is open already. */
  begin(task: TaskCore): boolean {
    if (task._step === OPEN) return false;
    if (task._step === FOREIGN) this.#foreign_tasks--;
    task._step = OPEN;
    if (this.open !== null) this.#below.push(this.open);
    this.open = task;
    return true;
  }

  /** Ends the step of a task; true if it was the last one open. */
  end(task: TaskCore): boolean {
    if (task._step === OPEN) {
      const below = this.#below;
      task._step = SUSPENDED;
      if (this.open === task) this.open = below.length > 0 ? below.pop() as TaskCore : null;
      else below.splice(below.indexOf(task), 1);
      return this.open === null;
    }
    if (task._step === FOREIGN) {
      task._step = SUSPENDED;
      this.#foreign_tasks--;
    }
    return false;
  }

  /** Ends all open steps, since the microtask queue has run dry; returns the tasks that became foreign. */
  run_dry(): readonly TaskCore[] {
    if (this.open === null) return NONE;
    const foreign: TaskCore[] = [];
    for (const task of [...this.#below, this.open]) {
      task._step = live_await(task) !== null ? SUSPENDED : FOREIGN;
      if (task._step === FOREIGN) {
        this.#foreign_tasks++;
        foreign.push(task);
      }
    }
    this.#below.length = 0;
    this.open = null;
    return foreign;
  }

  /** Returns whether any wait for something of the host is in progress. */
  get any_foreign(): boolean {
    return this.#foreign_tasks > 0 || this.#foreign_waits.size > 0;
  }

  /** Notes a wait for something of the host. */
  add_foreign(wait: object): void {
    this.#foreign_waits.add(wait);
  }

  /** Forgets a wait for something of the host. */
  delete_foreign(wait: object): void {
    this.#foreign_waits.delete(wait);
  }

  /** Forgets everything: the loop is closed. */
  clear(): void {
    this.open = null;
    this.#below.length = 0;
    this.#foreign_tasks = 0;
    this.#foreign_waits.clear();
  }
}

const NONE: readonly TaskCore[] = [];

/**
 * Begins an await of native code in a scope of a task; returns the pending cancellation that is thrown
 * before it begins, or `NOTHING`.
 */
export function begin_await(task: TaskCore, scope: Scope): unknown {
  const loop = scope._loop;
  if (task._step !== OPEN && is_nothing_entered()) {
    // Outside of a step: if the microtask queue has run dry since the code began its last await, or was
    // resumed, a native promise has resumed it.
    const dry = loop._dry_moment;
    if (scope._active < dry && scope._resumed < dry) scope._resumed = next_moment();
    loop._watch_microtasks();
  }
  scope._active = this_moment();
  const due = task._cancellation_state?.take_pending(scope, false) ?? null;
  if (due === null) return NOTHING;
  scope._resumed = next_moment();
  return make_cancelled_error(due.cancellation.message);
}
