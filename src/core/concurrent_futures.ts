/**
 * Python's `concurrent.futures`: the result of work in another loop or thread, and its error.
 *
 * @module
 */

import type { OnRejected } from "./contracts.ts";
import { CancelledError, InvalidStateError, RuntimeError } from "./exceptions.ts";
import { Inspectable, repr } from "../internal/format_helpers.ts";

type State = "pending" | "cancelled" | "finished" | "failed";

/**
 * The result of work in another loop, as `run_coroutine_threadsafe()` returns it: a promise that any code can
 * inspect and cancel.
 *
 * Its callbacks are called synchronously when it settles, and belong to no loop.
 *
 * See {@link https://docs.python.org/3/library/concurrent.futures.html#future-objects Python's concurrent.futures.Future}.
 *
 * @category Host
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * const loop = asyncio.get_event_loop();
 * const future = asyncio.run_coroutine_threadsafe(asyncio.sleep(0.001, "done"), loop);
 * assertEquals(future.done(), false);
 * assertEquals(await future, "done");
 * assertEquals(future.result(), "done");
 * ```
 */
export class ConcurrentFuture<T = unknown> extends Inspectable implements Promise<T> {
  #state: State = "pending";
  #value: unknown = undefined;
  #callbacks: ((future: this) => unknown)[] = [];

  /** Returns whether it has a result or an error, or is cancelled. */
  done(): boolean {
    return this.#state !== "pending";
  }

  /** Returns whether it is cancelled. */
  cancelled(): boolean {
    return this.#state === "cancelled";
  }

  /**
   * Cancels it, and the task whose result it is.
   *
   * @returns false if it is done and was not cancelled
   */
  cancel(): boolean {
    if (this.#state === "cancelled") return true;
    if (this.#state !== "pending") return false;
    this.#settle("cancelled", undefined);
    return true;
  }

  /**
   * Returns the result. It does not wait; `await` does.
   *
   * @throws {InvalidStateError} if there is none yet
   * @throws {CancelledError} if the future is cancelled
   * @throws the error that the work ended with
   */
  result(): T {
    if (this.#state === "finished") return this.#value as T;
    throw this.#error("Result is not set.");
  }

  /**
   * Returns the error that the work ended with, or `null` if there is a result.
   *
   * @throws {InvalidStateError} if it is not done
   * @throws {CancelledError} if it is cancelled
   */
  exception(): unknown {
    if (this.#state === "finished") return null;
    if (this.#state === "failed") return this.#value;
    throw this.#error("Exception is not set.");
  }

  /**
   * Calls a function with the future when it is done; at once if it is done already.
   *
   * @param callback the function; if it throws, the error is written to the console
   * @throws {TypeError} if it is no function
   */
  add_done_callback(callback: (future: this) => unknown): void {
    if (typeof callback !== "function") {
      throw new TypeError(
        `a function was expected by add_done_callback(), got ${repr(callback)}`,
      );
    }
    if (this.#state === "pending") this.#callbacks.push(callback);
    else this.#call(callback);
  }

  /** Calls a function with the result or the error, as the `then` of a promise. */
  then<R1 = T, R2 = never>(
    on_fulfilled?: ((value: T) => R1 | PromiseLike<R1>) | null,
    on_rejected?: OnRejected<R2> | null,
  ): Promise<R1 | R2> {
    return new Promise<T>((resolve, reject) => {
      this.add_done_callback(() => {
        if (this.#state === "finished") resolve(this.#value as T);
        else reject(this.#error(""));
      });
    }).then(on_fulfilled, on_rejected);
  }

  /** As the `catch` of a promise. */
  catch<R = never>(on_rejected?: OnRejected<R> | null): Promise<T | R> {
    return this.then(null, on_rejected);
  }

  /** As the `finally` of a promise. */
  finally(on_finally?: (() => void) | null): Promise<T> {
    return this.then().finally(on_finally);
  }

  /** @internal */
  protected _set_result(value: T): void {
    if (this.#state === "pending") this.#settle("finished", value);
  }

  /** @internal */
  protected _set_exception(error: unknown): void {
    if (this.#state === "pending") this.#settle("failed", error);
  }

  #settle(state: State, value: unknown): void {
    this.#state = state;
    this.#value = value;
    const callbacks = this.#callbacks;
    this.#callbacks = [];
    for (const callback of callbacks) this.#call(callback);
  }

  #call(callback: (future: this) => unknown): void {
    try {
      callback(this);
    } catch (error) {
      console.error(`exception calling callback for ${this}\n`, error);
    }
  }

  #error(message: string): unknown {
    if (this.#state === "pending") return new InvalidStateError(message);
    return this.#state === "cancelled" ? new CancelledError() : this.#value;
  }

  /** The name of the class, for `Object.prototype.toString()`. */
  get [Symbol.toStringTag](): string {
    return "ConcurrentFuture";
  }

  /** Returns Python's `repr`. */
  override toString(): string {
    if (this.#state === "failed") return `<Future finished raised ${repr(this.#value)}>`;
    return `<Future ${this.#state}>`;
  }
}

/**
 * Signals that a call in an executor has no result because its worker has ended: it crashed, exited, ran out
 * of memory or could not be started.
 *
 * Its `cause` is the error that ended the worker, if there was one.
 *
 * See {@link https://docs.python.org/3/library/concurrent.futures.html#concurrent.futures.BrokenExecutor Python's BrokenExecutor}.
 *
 * @category Executors
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { assertRejects } from "@std/assert";
 *
 * await using pool = new asyncio.WorkerPoolExecutor("data:text/javascript,process.exit(3)");
 * await assertRejects(async () => await pool.submit("work"), asyncio.BrokenExecutor);
 * ```
 */
export class BrokenExecutor extends RuntimeError {
  /** @internal */
  static override get name(): string {
    return "BrokenExecutor";
  }
}
