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
import { type AbstractEventLoop, get_running_loop } from "./loop/events.ts";
import {
  CancelledError,
  ExceptionGroup,
  leaves_the_loop,
  TimeoutError,
} from "./core/exceptions.ts";
import { repr } from "./internal/format_helpers.ts";
import type { Future } from "./core/futures.ts";
import { Event } from "./locks.ts";
import { NamedError } from "./internal/error_kinds.ts";
import { check_options } from "./internal/options.ts";
import { current_task, type Task } from "./core/tasks.ts";
import { wait_for } from "./waiting.ts";

class AssertionError extends NamedError {
  /** @internal */
  static override get name(): string {
    return "AssertionError";
  }
}

/**
 * What `staggered_race()` gives: the winner's result and index, `null` if nobody won, and the errors.
 *
 * @category Waiting
 */
export type RaceResult<T> = [
  winner_result: T | null,
  winner_index: number | null,
  exceptions: unknown[],
];

/**
 * Starts functions one after the other and gives the result of the first that succeeds.
 *
 * The next one starts when the one before has failed, or has had its time. The others are cancelled
 * when one has won, and all of them when who waits is cancelled.
 *
 * See {@link https://github.com/python/cpython/blob/3.14/Lib/asyncio/staggered.py Python's staggered_race}.
 *
 * @param coro_fns async functions (or `function*`) without parameters
 * @param delay how long one has, in seconds, before the next starts; `null` to wait until it fails
 * @param options `loop`, the running one by default
 * @returns the winner's result and index, or twice `null`, and a list of errors in which that of a winner is `null`
 * @throws {TypeError} if the delay is no number
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
  delay: number | null,
  options: { loop?: AbstractEventLoop | null } = {},
): Coroutine<RaceResult<T>> {
  check_options("staggered_race", options, ["loop"]);
  if (delay !== null && typeof delay !== "number") {
    throw new TypeError(
      `staggered_race() expects a number of seconds or null as delay, received ${repr(delay)}`,
    );
  }
  return library_coroutine("staggered_race", race(coro_fns, delay, options.loop ?? null));
}

function* race<T>(
  coro_fns: Iterable<CoroutineFunction<T>>,
  delay: number | null,
  given_loop: AbstractEventLoop | null,
): Generator<unknown, RaceResult<T>, unknown> {
  const loop = given_loop ?? get_running_loop();
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
    task._add_done_callback((task) => {
      running.delete(task as Task<void>);
      if (running.size === 0 && all_done !== null && !all_done.done()) all_done.set_result();
      if (!task.cancelled() && task.exception() !== null) unexpected.push(task.exception());
    }, "staggered_race.<locals>.task_done()");
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
      // One that was cancelled, as it had lost, must not succeed.
      if (winner !== null) throw new AssertionError();
      winner = { result, index };
    } catch (error) {
      if (leaves_the_loop(error) || error instanceof AssertionError) throw error;
      exceptions[index] = error;
      failed.set(); // the next one need not wait
      return;
    }
    const self = current_task(loop);
    for (const task of running) {
      if (task !== self) task.cancel();
    }
  }

  start_next(null);
  let cancellation: CancelledError | null = null;
  while (running.size > 0) {
    all_done = loop.create_future<void>();
    try {
      yield* all_done;
    } catch (error) {
      if (!(error instanceof CancelledError)) throw error;
      cancellation = error;
      for (const task of running) task.cancel(...error.args);
    }
    all_done = null;
  }
  if (unexpected.length > 0) throw new ExceptionGroup("staggered race failed", unexpected);
  if (cancellation !== null) throw cancellation;
  const won = winner as { result: T; index: number } | null;
  return [won?.result ?? null, won?.index ?? null, exceptions];
}
