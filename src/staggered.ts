/**
 * A race whose runners start one after the other.
 *
 * @module
 */

import {
  call_and_wait,
  type Coroutine,
  type CoroutineFunction,
  library_coroutine,
} from "./core/coroutines.ts";
import { type AbstractEventLoop, check_loop, get_running_loop } from "./core/events.ts";
import { cancel_each, is_cancelled_error } from "./core/cancellation.ts";
import {
  type CancelledError,
  ExceptionGroup,
  leaves_the_loop,
  TimeoutError,
} from "./core/exceptions.ts";
import { is_iterable, is_plain_object, repr, type_name } from "./internal/format_helpers.ts";
import { pass_on_cancellation } from "./core/block_requests.ts";
import type { Scope } from "./core/contracts.ts";
import { running_scope, running_task } from "./core/current.ts";
import { type Future, Listener } from "./core/futures.ts";
import { Event } from "./locks.ts";
import { check_options, keyword_or_positional } from "./internal/options.ts";
import { repeat_wait } from "./internal/repeated_waits.ts";
import type { AnyTask } from "./core/scope_managers.ts";
import { NamedError } from "./internal/error_kinds.ts";
import { current_task, type Task } from "./core/tasks.ts";
import { wait_for } from "./waiting.ts";

class AssertionError extends NamedError {
  /** @internal */
  static override get name(): string {
    return "AssertionError";
  }
}

/**
 * The result of `staggered_race()`: the winner's result and index, `null` if there is no winner, and the errors.
 *
 * @category Waiting
 */
export type RaceResult<T> = [
  winner_result: T | null,
  winner_index: number | null,
  exceptions: unknown[],
];

/**
 * The options of {@linkcode staggered_race}.
 *
 * @category Waiting
 */
export interface RaceOptions {
  /** The loop; the running one by default. */
  readonly loop?: AbstractEventLoop | null;
}

/**
 * Starts functions one after the other and returns the result of the first that succeeds.
 *
 * The next one starts when the previous one has failed, or after `delay`. When one succeeds, the others are
 * cancelled and waited for. A function that waits for a native promise cannot be interrupted: if it
 * succeeds all the same, its result is dropped and its error is a `CancelledError`. Cancelled, the race
 * cancels all functions and waits for them.
 *
 * See {@link https://github.com/python/cpython/blob/3.14/Lib/asyncio/staggered.py Python's staggered_race}.
 *
 * @param coro_fns async functions (or `function*`) without parameters
 * @param delay the time in seconds after which the next one starts; `null` to wait until one has failed. By
 * name, beside the options: `{ delay, loop }`
 * @param options `loop`, the running one by default
 * @returns a coroutine of the winner's result and index, or twice `null`, and the list of the errors of the
 * functions that were started, in which that of the winner is `null`
 * @throws {TypeError} if the functions are not iterable, the delay is neither a number nor `null`, or an option is unknown
 * or of a wrong type
 * @throws {ExceptionGroup} if a function succeeds although it has been cancelled
 * @category Waiting
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * const [result, index] = await asyncio.staggered_race([
 *   () => asyncio.sleep(60, "slow"),
 *   () => asyncio.sleep(0.001, "quick"),
 * ], 0.002);
 * assertEquals([result, index], ["quick", 1]);
 * ```
 */
export function staggered_race<T>(
  coro_fns: Iterable<CoroutineFunction<T>>,
  delay: number | null | RaceOptions & { readonly delay: number | null },
  options: RaceOptions = {},
): Coroutine<RaceResult<T>> {
  check_options("staggered_race", options, ["loop"]);
  const seconds = keyword_or_positional<"delay", number | null>(
    "staggered_race",
    "delay",
    delay,
    ["loop"],
  );
  if (seconds !== null && typeof seconds !== "number") {
    throw new TypeError(
      `Cannot call staggered_race(): delay must be a number of seconds or null: received ${
        repr(seconds)
      }`,
    );
  }
  const { loop = null } = is_plain_object(delay) ? delay as RaceOptions : options;
  if (loop !== null) check_loop("staggered_race", loop);
  if (!is_iterable(coro_fns)) {
    throw new TypeError(`'${type_name(coro_fns)}' object is not iterable`);
  }
  return library_coroutine("staggered_race", race(coro_fns, seconds, loop));
}

function* race<T>(
  coro_fns: Iterable<CoroutineFunction<T>>,
  delay: number | null,
  given_loop: AbstractEventLoop | null,
): Generator<unknown, RaceResult<T>, unknown> {
  const loop = given_loop ?? get_running_loop();
  const parent = running_task();
  const starters = coro_fns[Symbol.iterator]();
  const exceptions: unknown[] = [];
  const running = new Set<Task<void>>();
  const unexpected: unknown[] = [];
  let winner: { result: T; index: number } | null = null;
  let all_done: Future<void> | null = null;

  const start_next = (previous_failed: Event | null): void => {
    const may_start = new Event();
    const task = loop.create_task(run_one(may_start, previous_failed));
    running.add(task);
    task["_add_listener"](
      new Listener(
        (task) => {
          running.delete(task as Task<void>);
          if (running.size === 0 && all_done !== null && !all_done.done()) all_done.set_result();
          if (!task.cancelled() && task.exception() !== null) unexpected.push(task.exception());
        },
        "staggered_race.<locals>.task_done()",
        parent,
      ),
    );
    may_start.set();
  };

  function* run_one(
    may_start: Event,
    previous_failed: Event | null,
  ): Generator<unknown, void, unknown> {
    yield* may_start.wait();
    if (previous_failed !== null) {
      try {
        yield* wait_for(previous_failed.wait(), delay);
      } catch (error) {
        if (!(error instanceof TimeoutError)) throw error;
      }
    }
    const next = starters.next();
    if (next.done) return;
    const index = exceptions.length;
    const failed = new Event();
    exceptions.push(null);
    start_next(failed);
    try {
      const result = yield* call_and_wait(next.value);
      if (winner !== null) {
        // A native promise has kept the cancellation from being thrown before; it is thrown here.
        const task = current_task(loop);
        if (task?.["_cancellation_state"]?.is_pending_from_outside(task["_owner"])) yield null;
        throw new AssertionError();
      }
      winner = { result, index };
    } catch (error) {
      if (leaves_the_loop(error) || error instanceof AssertionError) throw error;
      exceptions[index] = error;
      failed.set(); // the next one need not wait
      return;
    }
    const self = current_task(loop);
    cancel_each(running, (task) => task !== self && task.cancel());
  }

  start_next(null);
  let cancellation: CancelledError | null = null;
  while (running.size > 0) {
    all_done = loop.create_future<void>();
    if (cancellation !== null) repeat_wait(all_done);
    try {
      yield* all_done;
    } catch (error) {
      if (!is_cancelled_error(error)) throw error;
      cancellation = error;
      cancel_each(running, (task) => task.cancel(...error.args));
      pass_on_cancellation(running_scope() as Scope, running as Set<AnyTask>, false);
    }
    all_done = null;
  }
  if (unexpected.length > 0) throw new ExceptionGroup("staggered race failed", unexpected);
  if (cancellation !== null) throw cancellation;
  const won = winner as { result: T; index: number } | null;
  return [won?.result ?? null, won?.index ?? null, exceptions];
}
