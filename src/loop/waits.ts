/**
 * Finds tasks that wait for each other, and reports a deadlock.
 *
 * @module
 */

import { Suspension } from "../core/suspensions.ts";
import type { Waitable } from "../core/contracts.ts";
import { Task } from "../core/tasks.ts";
import type { AbstractEventLoop } from "../core/events.ts";

type AnyTask = Task<unknown>;

/** Describes a waitable in a few words. */
export function describe_waitable(waitable: Waitable): string {
  if (waitable instanceof Suspension) return `${waitable.name}()`;
  return waitable instanceof Task ? `task ${waitable.get_name()}` : String(waitable);
}

/** Describes what tasks wait on, a line each: the name, the coroutine, the waitables. */
export function describe_waits(tasks: Iterable<AnyTask>): string {
  const lines: string[] = [];
  for (const task of tasks) {
    const waits = task["_waits_on"]().map(describe_waitable);
    const what = waits.length > 0 ? waits.join(" and ") : "a native promise";
    lines.push(`  ${task.get_name()} (${task["_coroutine_name"]}()) waits on ${what}`);
  }
  return lines.join("\n");
}

function tasks_waited_on(task: AnyTask): AnyTask[] {
  return task["_waits_on"]().flatMap((waitable) => waitable._children ?? [waitable]).filter((
    waitable,
  ) => waitable instanceof Task) as AnyTask[];
}

/** Searches a loop's tasks, when nothing is ready, for some that wait for each other. */
export class CycleSearch {
  #next = 0;
  // The tasks of cycles that were found.
  readonly #found = new WeakSet<AnyTask>();

  /** When the next search may begin. */
  get next_time(): number {
    return this.#next;
  }

  /** Reports a cycle that has not been reported to the loop's exception handler. */
  run(loop: AbstractEventLoop): void {
    const start = loop.time();
    const cycle = find_cycle(loop["_tasks"]());
    // With many tasks a search is slow: it takes at most a hundredth of the time.
    const end = loop.time();
    this.#next = end + 100 * (end - start);
    if (cycle === null || cycle.every((task) => this.#found.has(task))) return;
    for (const task of cycle) this.#found.add(task);
    const names = [...cycle, cycle[0]!].map((task) => task.get_name()).join(" -> ");
    loop.call_exception_handler({
      message: `Tasks wait for each other, none can be resumed until one is cancelled: ${names}`,
      task: cycle[0]!,
    });
  }
}

/** Finds tasks of which each waits for the next and the last for the first; `null` if there are none. */
function find_cycle(tasks: Iterable<AnyTask>): AnyTask[] | null {
  const finished = new Set<AnyTask>();
  for (const start of tasks) {
    const path: AnyTask[] = [];
    const branches: AnyTask[][] = [[start]];
    while (branches.length > 0) {
      const next = branches[branches.length - 1]!.pop();
      if (next === undefined) {
        branches.pop();
        const left = path.pop();
        if (left !== undefined) finished.add(left);
      } else if (path.includes(next)) {
        return path.slice(path.indexOf(next));
      } else if (!finished.has(next) && !next.done()) {
        path.push(next);
        branches.push(tasks_waited_on(next));
      }
    }
  }
  return null;
}
