/**
 * Open awaits by code of ended tasks and of none.
 *
 * @module
 */

import type { Await, FutureAwait } from "../core/awaits.ts";
import { CancellationState, type WaitNotes } from "../core/cancellation_state.ts";
import type { Continuation, OpenAwait, TaskCore } from "../core/contracts.ts";
import { next_moment, open_awaits } from "../core/scopes.ts";
import { Task } from "../core/tasks.ts";

type Holder = FutureAwait | Task<unknown>;

// Below this number, those that are over are not searched for.
const MIN_SEARCHED = 100;

// As many of the latest are held, so that what a short program runs does not depend on the garbage collector.
const MAX_HELD = 1000;

/**
 * The branches of a task that the end of the run cancels while several awaits of its code are open. A branch is one of
 * those awaits, the code that it resumes, and the waits that this code begins.
 */
class Branches implements WaitNotes {
  readonly #task: Task<unknown>;
  // The await with which the branch of a wait began.
  readonly #branch_of = new WeakMap<Continuation, Continuation>();
  // The branch that runs until the microtask queue runs dry; `undefined` if that is not known.
  #running: Continuation | undefined;
  #resumed = 0;
  // The branch with which the task ended; null before.
  #last: { readonly branch: Continuation | undefined } | null = null;

  constructor(task: Task<unknown>, awaits: readonly Continuation[]) {
    this.#task = task;
    for (const open of awaits) this.#branch_of.set(open, open);
  }

  note_resumed(continuation: Continuation): void {
    this.#running = this.#branch_of.get(continuation);
    this.#resumed = next_moment();
  }

  note_wait(continuation: Continuation): void {
    const branch = this.#branch();
    if (branch !== undefined) this.#branch_of.set(continuation, branch);
  }

  /** Notes that the task has ended. */
  note_end(): void {
    this.#last ??= { branch: this.#branch() };
  }

  /** Returns whether an await is part of a clean-up: its branch was cancelled, and is not the one that ended the task. */
  cleans_up(open: Await): boolean {
    const last = this.#last?.branch;
    const branch = this.#branch_of.get(open);
    // A task that has swallowed its cancellation may have begun anything.
    if (last === undefined || branch === undefined) return this.#task.cancelled();
    return branch !== last;
  }

  #branch(): Continuation | undefined {
    return this.#resumed > this.#task["_loop"]["_dry_moment"] ? this.#running : undefined;
  }
}

/**
 * The loose awaits of a loop, referred to weakly but for the latest, since such a wait may never end: what waits for a
 * future that nothing else refers to can be collected, and its code is then not resumed any more.
 */
export class LooseAwaits {
  readonly #holders = new Set<WeakRef<Holder>>();
  #held: Holder[] = [];
  // Those that have been cancelled; null before.
  #cancelled: WeakSet<Task<unknown>> | null = null;
  // Tasks that the end of the run cancels, and beside whose own code other code of theirs waits.
  readonly #cleaning_up = new Map<Task<unknown>, Branches>();
  // The size at which those that are over are next searched for.
  #limit = MIN_SEARCHED;

  /** Adds an await, or the ended task whose code has open awaits. */
  add(holder: Holder): void {
    if (holder instanceof Task) this.#cleaning_up.get(holder)?.note_end();
    if (typeof WeakRef === "undefined") return;
    if (this.#held.length >= MAX_HELD) this.#held = this.#held.filter(is_open).slice(-MAX_HELD / 2);
    this.#held.push(holder);
    if (this.#holders.size >= this.#limit) {
      for (const reference of this.#holders) {
        const held = reference.deref();
        if (held === undefined || !is_open(held)) this.#holders.delete(reference);
      }
      this.#limit = 2 * this.#holders.size + MIN_SEARCHED;
    }
    this.#holders.add(new WeakRef(holder));
  }

  /**
   * Cancels all; returns promises of those that end later, `null` if there are none.
   *
   * Code is cancelled once: a later call reaches only what tasks have left running that ended since; if other code is
   * about to be resumed there is an empty list. If such a task
   * was cancelled by the end of the run while several awaits of its code were open, all of them were, and what other
   * branches of its code than its own still wait for are their clean-ups.
   *
   * @param tasks what is about to be cancelled, too
   */
  cancel(tasks?: ReadonlySet<Task<unknown>>): PromiseLike<unknown>[] | null {
    const is_first = this.#cancelled === null;
    const cancelled = this.#cancelled ??= new WeakSet();
    const cleaning_up = this.#cleaning_up;
    let any = cleaning_up.size > 0;
    const endings: PromiseLike<unknown>[] = [];
    const open_still: Holder[] = [];
    const cancel = (open: OpenAwait): void => {
      const ending = open._cancel_outside();
      if (ending !== null) endings.push(ending);
    };
    for (const reference of this.#holders) {
      const held = reference.deref();
      if (held === undefined || !is_open(held)) continue;
      open_still.push(held);
      if (held instanceof Task ? cancelled.has(held) : !is_first) {
        any ||= awaits_of(held).some(is_to_be_resumed);
        continue;
      }
      any = true;
      if (held instanceof Task) {
        cancelled.add(held);
        const branches = cleaning_up.get(held);
        for (const open of awaits_of(held)) {
          if (branches?.cleans_up(open)) endings.push(open.then());
          else cancel(open);
        }
      } else cancel(held);
    }
    this.clear();
    open_still.forEach((held) => this.add(held));
    cleaning_up.clear();
    for (const task of tasks ?? []) {
      const awaits = open_awaits(task as unknown as TaskCore);
      if (awaits.length <= 1) continue;
      const branches = new Branches(task, awaits);
      cleaning_up.set(task, branches);
      (task["_cancellation_state"] ??= new CancellationState()).waits = branches;
    }
    return any ? endings : null;
  }

  /** Forgets all. */
  clear(): void {
    this.#holders.clear();
    this.#held = [];
  }
}

function awaits_of(held: Holder): Await[] {
  return held instanceof Task ? open_awaits(held as unknown as TaskCore) as Await[] : [held];
}

function is_to_be_resumed({ _waiting: waiting }: Await): boolean {
  return waiting !== null && !waiting._is_waiting();
}

function is_open(held: Holder): boolean {
  return held instanceof Task ? held["_newest"] !== null : held._waiting !== null;
}
