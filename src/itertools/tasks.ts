/**
 * The end of the tasks that read sources.
 *
 * @module
 */

import { wait_for_end } from "../cancel_and_wait.ts";
import { is_cancelled_error } from "../core/cancellation.ts";
import { library_coroutine } from "../core/coroutines.ts";
import type { CancelledError } from "../core/exceptions.ts";
import type { Task } from "../core/tasks.ts";
import type { Source } from "./sources.ts";

// Cancels tasks that wait for sources, and waits for their ends, also if it is cancelled meanwhile.
export async function cancel_all(
  tasks: Iterable<Task<unknown>>,
  sources: readonly Source<unknown>[],
): Promise<void> {
  const pending = [...tasks].filter((task) => !task.done());
  for (const task of pending) task.cancel();
  for (const source of sources) source.interrupt();
  let cancellation: CancelledError | null = null;
  for (const task of pending) {
    while (!task.done()) {
      try {
        await library_coroutine("cancel_all", wait_for_end(task));
      } catch (error) {
        if (!is_cancelled_error(error)) throw error;
        cancellation = error;
      }
    }
  }
  if (cancellation !== null) throw cancellation;
}

export function first_error(tasks: Iterable<Task<unknown>>): { error: unknown } | null {
  let first: { error: unknown } | null = null;
  for (const task of tasks) {
    try {
      task.result();
    } catch (error) {
      if (!is_cancelled_error(error)) first ??= { error };
    }
  }
  return first;
}
