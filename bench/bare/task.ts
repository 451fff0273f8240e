/**
 * The least a task costs where code after any await must know its task: one `AsyncLocalStorage.run`.
 *
 * @module
 */

import { AsyncLocalStorage } from "node:async_hooks";

const current = new AsyncLocalStorage<object>();

/** Starts `body` with a current task of its own. */
export function bare_task<T>(body: () => Promise<T>): Promise<T> {
  return current.run({}, body);
}
