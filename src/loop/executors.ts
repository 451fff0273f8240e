/**
 * The default executor of a loop.
 *
 * @module
 */

import { is_cancelled_error } from "../core/cancellation.ts";
import { running_task } from "../core/current.ts";
import { RuntimeError } from "../core/exceptions.ts";
import { wrap_future } from "../core/futures.ts";
import { create_macrotasks } from "../host/macrotask.ts";
import { repr } from "../internal/format_helpers.ts";
import type { AbstractEventLoop, Executor } from "../core/events.ts";
import type { ModuleExecutor } from "../core/executors.ts";

/** An executor of functions, or one that calls exports by name. */
export type AnyExecutor = Executor | ModuleExecutor;

/** Runs functions one after the other in turns of this thread's host. */
class HostTurnExecutor implements Executor {
  submit<A extends unknown[], R>(fn: (...args: A) => R, ...args: A): Promise<Awaited<R>> {
    if (typeof fn === "string") {
      throw new TypeError(
        `Cannot call ${fn}() by name: the default executor takes functions, ` +
          `set_default_executor() gives it a WorkerPoolExecutor: received ${repr(fn)}`,
      );
    }
    return new Promise<Awaited<R>>((resolve, reject) => {
      create_macrotasks(() => {
        try {
          resolve(fn(...args) as Awaited<R>);
        } catch (error) {
          reject(error);
        }
      }).request();
    });
  }

  shutdown(): void {}
}

/** The executor that `run_in_executor(null, …)` uses: one that is set, else turns of this thread's host. */
export class DefaultExecutor {
  #executor: AnyExecutor | null = null;
  #is_shut_down = false;

  /**
   * Returns the executor.
   *
   * @throws {RuntimeError} if it has been shut down
   */
  get(): AnyExecutor {
    if (this.#is_shut_down) throw new RuntimeError("Executor shutdown has been called");
    return this.#executor ??= new HostTurnExecutor();
  }

  /**
   * Sets the executor.
   *
   * @throws {TypeError} if it has no method `submit`
   */
  set(executor: AnyExecutor): void {
    if (typeof executor?.submit !== "function") {
      throw new TypeError(`executor must have a method submit, got ${repr(executor)}`);
    }
    this.#executor = executor;
  }

  /** Accepts no more work, and returns a generator that waits for what there is: at most `limit` seconds. */
  shut_down(loop: AbstractEventLoop, limit: number | null): Generator<unknown, void, unknown> {
    return wait_until_shut_down(this.#take(), loop, limit);
  }

  /** Accepts no more work, and does not wait for what there is. */
  close(): void {
    this.#take()?.shutdown({ wait: false });
  }

  #take(): AnyExecutor | null {
    this.#is_shut_down = true;
    const executor = this.#executor;
    this.#executor = null;
    return executor;
  }
}

function* wait_until_shut_down(
  executor: AnyExecutor | null,
  loop: AbstractEventLoop,
  limit: number | null,
): Generator<unknown, void, unknown> {
  if (executor === null) return;
  const ended = executor.shutdown({ wait: true });
  if (ended === undefined) return;
  const future = wrap_future(ended, { loop });
  const requests = count_requests();
  let is_late = false;
  const timer = limit === null ? null : loop.call_later(limit, () => {
    if (!future.done()) is_late = future.cancel();
  });
  try {
    yield* future;
  } catch (error) {
    if (!is_late || !is_cancelled_error(error) || count_requests() > requests) throw error;
    console.warn(`The executor did not finish its work within ${limit} seconds.`);
    executor.shutdown({ wait: false });
  } finally {
    timer?.cancel();
  }
}

// The requests to cancel the task that waits.
function count_requests(): number {
  return running_task()?.cancelling() ?? 0;
}
