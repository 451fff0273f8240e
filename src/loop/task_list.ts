/**
 * The tasks of a loop that are not done.
 *
 * @module
 */

import type { Task } from "../core/tasks.ts";

type AnyTask = Task<unknown>;

/** A linked list, whose links are fields of the tasks. */
export class TaskList {
  #first: AnyTask | null = null;
  #last: AnyTask | null = null;

  /** Adds a task at the end. */
  add(task: AnyTask): void {
    const last = this.#last;
    task["_previous_task"] = last;
    if (last === null) this.#first = task;
    else last["_next_task"] = task;
    this.#last = task;
  }

  /** Takes a task out. */
  delete(task: AnyTask): void {
    const previous = task["_previous_task"];
    const next = task["_next_task"];
    if (previous === null) this.#first = next;
    else previous["_next_task"] = next;
    if (next === null) this.#last = previous;
    else next["_previous_task"] = previous;
    task["_previous_task"] = task["_next_task"] = null;
  }

  /** Returns the tasks in the order of their creation. */
  to_array(): AnyTask[] {
    const tasks: AnyTask[] = [];
    for (let task = this.#first; task !== null; task = task["_next_task"]) tasks.push(task);
    return tasks;
  }
}
