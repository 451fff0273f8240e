/**
 * The default executor of a loop.
 *
 * @module
 */

import { RuntimeError, TimeoutError } from "../core/exceptions.ts";
import { wrap_future } from "../core/futures.ts";
import { create_macrotasks } from "../host/macrotask.ts";
import { repr } from "../internal/format_helpers.ts";
import { wait_for } from "../waiting.ts";
import type { Executor } from "../core/events.ts";
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
  shut_down(limit: number | null): Generator<unknown, void, unknown> {
    return wait_until_shut_down(this.#take(), limit);
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
  limit: number | null,
): Generator<unknown, void, unknown> {
  if (executor === null) return;
  const ended = executor.shutdown({ wait: true });
  if (ended === undefined) return;
  try {
    yield* wait_for(wrap_future(ended), limit);
  } catch (error) {
    if (!(error instanceof TimeoutError)) throw error;
    console.warn(`The executor did not finish its work within ${limit} seconds.`);
    executor.shutdown({ wait: false });
  }
}
