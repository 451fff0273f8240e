/**
 * Native work as a part of a task: awaited so that a cancellation reaches it.
 *
 * @module
 */

import { type Coroutine, isawaitable } from "./core/coroutines.ts";
import { type Operation, Suspension } from "./core/suspensions.ts";
import type { Outcome } from "./core/awaits.ts";
import { leave_pending, note_thrown } from "./core/cancellation_state.ts";
import { is_cancelled_error, make_cancelled_error } from "./core/cancellation.ts";
import type { CancelledError } from "./core/exceptions.ts";
import { type DeliveryCore, NOTHING } from "./core/contracts.ts";
import { repr } from "./internal/format_helpers.ts";
import { check_options } from "./internal/options.ts";
import { listen, type SettlementListener, stop_listening } from "./internal/settlements.ts";
import { get_running_loop } from "./core/events.ts";

/**
 * Native work that `from_promise()` takes: a promise, or a function that is given an `AbortSignal`.
 *
 * @category Native promises
 */
export type NativeWork<T> = PromiseLike<T> | ((signal: AbortSignal) => PromiseLike<T> | T);

/**
 * Options of `from_promise()`.
 *
 * @category Native promises
 */
export interface FromPromiseOptions {
  /** True if a cancellation does not wait until the work has stopped; false by default. */
  abandon_on_cancel?: boolean;
}

type Wait = Suspension<unknown, null, Work>;

/** The work of one call of `from_promise()`. */
class Work implements SettlementListener {
  readonly given: NativeWork<unknown>;
  readonly abandons: boolean;
  promise: PromiseLike<unknown> | null = null;
  controller: AbortController | null = null;
  /** The error of the cancellation that aborted it. */
  error: CancelledError | null = null;
  /** The cancellations that it has taken. */
  readonly deliveries: DeliveryCore[] = [];
  outcome: { readonly is_fulfilled: boolean; readonly value: unknown } | null = null;
  #wait: Wait | null = null;

  constructor(given: NativeWork<unknown>, abandons: boolean) {
    this.given = given;
    this.abandons = abandons;
  }

  /** Starts the work; returns the value given, or the function's result. */
  start(): unknown {
    if (typeof this.given !== "function") return this.given;
    this.controller = new AbortController();
    return this.given(this.controller.signal);
  }

  listen(wait: Wait, promise: PromiseLike<unknown>): void {
    this.#wait = wait;
    this.promise = promise;
    listen(promise, this);
  }

  stop_listening(): void {
    if (this.promise !== null) stop_listening(this.promise, this);
    this.#wait = null;
  }

  abort(message: unknown): void {
    if (this.error !== null) return;
    this.error = make_cancelled_error(message);
    this.controller?.abort(this.error);
  }

  _settled(is_fulfilled: boolean, value: unknown): void {
    const arrivals = this.#wait?.["_loop"]["_arrivals"] ?? null;
    if (arrivals === null) this.#arrive(is_fulfilled, value);
    else {
      arrivals.hold(this.#wait as Wait, true, (failure) => {
        if (failure === NOTHING) this.#arrive(is_fulfilled, value);
        else this.#arrive(false, failure);
      });
    }
  }

  #arrive(is_fulfilled: boolean, value: unknown): void {
    const wait = this.#wait;
    if (wait === null || !wait["_is_waiting"]() || wait["_loop"].is_closed()) return;
    this.outcome = { is_fulfilled, value };
    wait["_wake"]();
  }
}

const FROM_PROMISE: Operation<unknown, null, Work> = {
  name: "from_promise",
  calls_user_code: true,
  advance(wait, thrown, value): Outcome {
    const work = wait["_argument"];
    if (!wait["_has_waited"]) {
      if (thrown) return wait["_raise"](value);
      const loop = get_running_loop();
      const promise = work.start();
      if (!isawaitable(promise)) return wait["_return"](promise);
      loop["_note_foreign"](wait);
      work.listen(wait, promise);
      return wait["_wait"](loop);
    }
    wait["_loop"]._forget_foreign(wait);
    work.stop_listening();
    const { error, outcome } = work;
    if (outcome !== null && outcome.is_fulfilled && !thrown) {
      work.deliveries.forEach(leave_pending);
      return wait["_return"](outcome.value);
    }
    const ended = wait["_error_of_wait"](thrown, value);
    if (outcome === null || thrown) {
      if (outcome !== null && is_cancelled_error(ended)) ended.cause ??= outcome.value;
      return wait["_raise"](ended ?? error ?? make_cancelled_error(undefined));
    }
    if (error === null) return wait["_raise"](outcome.value);
    if (outcome.value !== error && error.cause === undefined) error.cause = outcome.value;
    work.deliveries.forEach(note_thrown);
    return wait["_raise"](error);
  },
  cancel(wait, delivery) {
    const work = wait["_argument"];
    const { message } = delivery.cancellation;
    if (work.outcome !== null) {
      // It is to be resumed with a value, which must not be lost, or with the cancellation that it has taken.
      if (!work.outcome.is_fulfilled) return work.error !== null;
      work.deliveries.push(delivery);
      return true;
    }
    if (work.controller === null) return wait.cancel(message);
    work.deliveries.push(delivery);
    work.abort(message);
    if (work.abandons) wait.cancel(message);
    return true;
  },
  may_fulfil: (wait) => {
    const { given, abandons, outcome } = wait["_argument"];
    return outcome === null ? typeof given === "function" && !abandons : outcome.is_fulfilled;
  },
  ending: (wait) => wait["_is_waiting"]() ? wait["_argument"].promise : null,
  obstacle: (wait) =>
    wait["_argument"].error === null
      ? null
      : "the work of its from_promise() has not stopped since its signal was aborted; with " +
        "{ abandon_on_cancel: true } it is not waited for",
};

/**
 * Waits for native work such that a cancellation reaches it: `await from_promise((signal) => fetch(url, { signal }))`.
 *
 * With a function, a cancellation aborts the signal, with the {@linkcode CancelledError} as its reason, and
 * waits until the work has settled. If the work is rejected then, with whatever error, the `CancelledError` is
 * thrown, with that error as its `cause`; if it is fulfilled, its value is returned, and the cancellation is
 * thrown at the next await: nothing is lost. With a promise, whose work cannot be stopped, a cancellation stops
 * the wait at once; others may still wait for the promise.
 *
 * It is a lazy coroutine: the function is called when it is awaited or made a task, in the task and the context
 * that awaits it.
 *
 * @param work a promise, or a function `(signal) => promise`
 * @param options `abandon_on_cancel`: whether a cancellation does not wait until the work has settled, false by default
 * @returns a coroutine of the value of the promise
 * @throws {TypeError} if `work` is neither a promise nor a function
 * @throws {CancelledError} if it is cancelled
 * @throws the error with which the promise is rejected
 * @category Native promises
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { assert } from "@std/assert";
 *
 * // As `fetch` does: rejects when the signal is aborted.
 * const download = (signal: AbortSignal) =>
 *   new Promise<string>((_, reject) => {
 *     signal.addEventListener("abort", () => reject(signal.reason));
 *   });
 * const task = asyncio.create_task(() => asyncio.from_promise(download));
 * await asyncio.sleep(0);
 * task.cancel();
 * await asyncio.wait([task]);
 * assert(task.cancelled());
 * ```
 */
export function from_promise<T>(
  work: NativeWork<T>,
  options: FromPromiseOptions = {},
): Coroutine<T> {
  check_options("from_promise", options, ["abandon_on_cancel"]);
  if (typeof work !== "function" && !isawaitable(work)) {
    throw new TypeError(
      `Cannot wait for native work: a promise or a function is expected: received ${repr(work)}`,
    );
  }
  const argument = new Work(work, options.abandon_on_cancel ?? false);
  return new Suspension(FROM_PROMISE, null, argument) as Coroutine<unknown> as Coroutine<T>;
}
