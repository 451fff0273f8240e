/**
 * The functions that wait: for a time, and for several things at once.
 *
 * @module
 */

import { aborted_by } from "./aborts.ts";
import { async_with } from "./context_managers.ts";
import {
  type Awaitable,
  type Coroutine,
  is_generator,
  isawaitable,
  iscoroutine,
  library_coroutine,
  to_coroutine,
} from "./core/coroutines.ts";
import { type Operation, Suspension } from "./core/suspensions.ts";
import type { TaskCore, Timed } from "./core/contracts.ts";
import {
  cancel_because,
  cancel_each,
  Cancellation,
  is_cancellation,
  is_cancelled_error,
  make_cancelled_error,
} from "./core/cancellation.ts";
import { cancel_with } from "./core/cancellation_state.ts";
import { type CancelledError, ValueError } from "./core/exceptions.ts";
import { CANCELLED, FAILED, FINISHED, Future, isfuture, Listener } from "./core/futures.ts";
import { running_loop, running_task } from "./core/current.ts";
import { type Origin, origin_of_call } from "./core/origins.ts";
import { OPEN } from "./core/steps.ts";
import { ensure_future, Task, to_future } from "./core/tasks.ts";
import { note_used } from "./core/unawaited.ts";
import { is_iterable, is_plain_object, repr, type_name } from "./internal/format_helpers.ts";
import { check_options, keyword_or_positional, split_options } from "./internal/options.ts";
import {
  type AbstractEventLoop,
  get_event_loop,
  get_running_loop,
  type Handle,
} from "./core/events.ts";
import { Queue } from "./queues.ts";
import { format_seconds, make_timeout_error, timeout } from "./timeouts.ts";

/** `sleep(0)`: it only lets others run. */
const SWITCH: Operation<unknown, null, unknown> = {
  name: "sleep",
  advance(wait, thrown, value) {
    if (thrown) return wait["_raise"](value);
    if (wait["_has_waited"]) return wait["_return"](wait["_argument"]);
    return wait["_switch"]();
  },
};

const SLEEP: Operation<unknown, number, unknown> = {
  name: "sleep",
  advance(sleep, thrown, value) {
    if (!sleep["_has_waited"]) {
      if (thrown) return sleep["_raise"](value);
      const delay = sleep["_subject"];
      if (Number.isNaN(delay)) throw new ValueError("Invalid delay: NaN (not a number)");
      const loop = get_running_loop();
      sleep["_place"] = loop.time() + delay;
      loop["_schedule_timer"](sleep as unknown as Timed);
      return sleep["_wait"](loop);
    }
    if (sleep["_scheduled"]) {
      sleep["_loop"]["_timer_cancelled"](sleep as unknown as Timed);
    }
    const error = sleep["_error_of_wait"](thrown, value);
    return error === null ? sleep["_return"](sleep["_argument"]) : sleep["_raise"](error);
  },
};

/**
 * Waits for a time.
 *
 * A delay of zero or less lets all that is ready run once. It never ends early by the loop's clock. Cancelled, it
 * ends at once, and its timer is removed.
 *
 * See {@link https://docs.python.org/3/library/asyncio-task.html#asyncio.sleep Python's sleep}.
 *
 * @param delay how long, in seconds
 * @param result what it resolves to; `undefined` by default
 * @throws {ValueError} if the delay is not a number
 * @throws {TypeError} if it is of another type
 * @category Waiting
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(await asyncio.sleep(0.001, "morning"), "morning");
 * ```
 */
export function sleep(delay: number): Coroutine<void>;
/** Waits for a time, then returns a result. */
export function sleep<T>(delay: number, result: T): Coroutine<T>;
export function sleep<T>(delay: number, result?: T): Coroutine<T | undefined> {
  if (typeof delay !== "number") {
    throw new TypeError(
      `Cannot call sleep(): delay must be a number of seconds: received ${repr(delay)}`,
    );
  }
  return (delay <= 0
    ? new Suspension(SWITCH, null, result)
    : new Suspension(SLEEP, delay, result)) as Coroutine<T | undefined>;
}

/**
 * The result of awaiting an {@linkcode Awaitable}.
 *
 * @category Waiting
 */
export type Result<A> = A extends Coroutine<infer T> ? T
  : A extends () => infer R ? R extends Generator<unknown, infer T, unknown> ? T : Awaited<R>
  : A extends Generator<unknown, infer T, unknown> ? T
  : Awaited<A>;

/**
 * The results of awaiting each of several awaitables.
 *
 * @category Waiting
 */
export type Results<A extends readonly unknown[]> = { -readonly [K in keyof A]: Result<A[K]> };

/**
 * The results of awaiting each of several awaitables, or the errors they fail with.
 *
 * It is taken to be an `Error`, though JavaScript lets anything be thrown.
 *
 * @category Waiting
 */
export type ResultsOrErrors<A extends readonly unknown[]> = {
  -readonly [K in keyof A]: Result<A[K]> | Error;
};

/** The future that `gather()` returns: cancelling it cancels what is gathered. */
class GatheringFuture<T> extends Future<T> {
  /** @internal CPython's name, which its repr shows. */
  static override get name(): string {
    return "_GatheringFuture";
  }

  /** @internal */
  declare protected readonly _children: Future<unknown>[];
  /** @internal */
  declare protected _cancel_requested: boolean;
  /** @internal */
  declare protected readonly _return_exceptions: boolean;
  /** @internal How many children are not done. */
  declare protected _unfinished: number;
  /** @internal The task that gathers. */
  declare protected readonly _awaiting_task: TaskCore | null;

  /** @internal */
  constructor(children: Future<unknown>[], return_exceptions: boolean, loop: AbstractEventLoop) {
    super(loop["_only_loop"]);
    this._children = children;
    this._cancel_requested = false;
    this._return_exceptions = return_exceptions;
    this._unfinished = 0;
    this._awaiting_task = running_task();
  }

  /** Cancels all that is gathered; the future itself is done when they are. */
  override cancel(message?: unknown): boolean {
    if (this.done()) return false;
    let cancelled = false;
    cancel_each(this._children, (child) => {
      if (cancel_with(child, message)) cancelled = this._cancel_requested = true;
    });
    return cancelled;
  }

  /** @internal What is gathered is not left running. */
  protected override _refuse_await(
    reject: (error: unknown) => unknown,
    error: CancelledError,
  ): Promise<unknown> {
    if (this.cancel(error.message || undefined)) {
      // The error of the await stands for the cancellation of what is gathered.
      this._add_done_callback(() => {
        if (is_cancelled_error(this._value)) this._mark_retrieved();
      }, "gather()");
    }
    return super._refuse_await(reject, error);
  }
}

/**
 * The options of `gather()`, after the awaitables.
 *
 * @category Waiting
 */
export interface GatherOptions {
  /** True if errors are returned as results; else the first one is thrown. */
  return_exceptions?: boolean;
}

// Checks whether a sole argument is many awaitables: iterable, and not itself awaitable.
function is_many(value: unknown): value is Iterable<Awaitable<unknown>> {
  return typeof value === "object" && is_iterable(value) && !isawaitable(value) &&
    !is_generator(value);
}

/**
 * Runs awaitables concurrently and returns their results in argument order.
 *
 * Coroutines are made tasks. The results come in the order of the arguments. The first error is
 * thrown at once and the others continue; with `return_exceptions` errors are results. Cancelling the
 * returned future cancels all that is gathered.
 *
 * See {@link https://docs.python.org/3/library/asyncio-task.html#asyncio.gather Python's gather}.
 *
 * @param aws the awaitables, or one iterable of them; last may come `{ return_exceptions }`
 * @param options `return_exceptions`: whether errors are results like others; false by default
 * @returns a future of the list of results
 * @category Waiting
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * const [a, b] = await asyncio.gather(asyncio.sleep(0.002, 1), asyncio.sleep(0.001, "two"));
 * assertEquals([a, b], [1, "two"]);
 * ```
 */
export function gather<T>(
  aws: Iterable<Awaitable<T>>,
  options?: { return_exceptions?: false },
): Future<T[]>;
/** Runs an iterable of awaitables at the same time; with options. */
export function gather<T>(
  aws: Iterable<Awaitable<T>>,
  options: GatherOptions,
): Future<(T | Error)[]>;
/** Runs awaitables concurrently. */
export function gather<A extends readonly Awaitable<unknown>[]>(...aws: A): Future<Results<A>>;
/** Runs awaitables concurrently. */
export function gather<A extends readonly Awaitable<unknown>[]>(
  ...args: [...aws: A, options: { return_exceptions?: false }]
): Future<Results<A>>;
/**
 * Runs awaitables concurrently; with options.
 *
 * @param args the awaitables, then `return_exceptions`
 */
export function gather<A extends readonly Awaitable<unknown>[]>(
  ...args: [...aws: A, options: GatherOptions]
): Future<ResultsOrErrors<A>>;
/** Runs an array of awaitables of several types at the same time. */
export function gather<const A extends readonly Awaitable<unknown>[]>(
  aws: A,
  options?: { return_exceptions?: false },
): Future<Results<A>>;
/** Runs an array of awaitables of several types at the same time; with options. */
export function gather<const A extends readonly Awaitable<unknown>[]>(
  aws: A,
  options: GatherOptions,
): Future<ResultsOrErrors<A>>;
export function gather(...args: unknown[]): Future<unknown> {
  const [positional, options] = split_options<GatherOptions>("gather", args, ["return_exceptions"]);
  const aws = positional.length === 1 && is_many(positional[0]) ? [...positional[0]] : positional;
  return gather_all(aws as readonly Awaitable<unknown>[], options?.return_exceptions ?? false);
}

function gather_all(
  aws: readonly Awaitable<unknown>[],
  return_exceptions: boolean,
): Future<unknown[]> {
  if (aws.length === 0) {
    const outer = get_event_loop().create_future<unknown[]>();
    outer.set_result([]);
    return outer;
  }
  const loop = running_loop() as AbstractEventLoop | null ?? future_loop(aws) ?? get_event_loop();
  const children = new Array<Future<unknown>>(aws.length);
  const outer = new GatheringFuture<unknown[]>(children, return_exceptions, loop);
  const listener = new Listener(child_done, "gather.<locals>._done_callback()", outer);
  // The same function given twice is two calls; the same future or coroutine is one.
  let future_of: Map<unknown, Future<unknown>> | null = null;
  let already_done: Future<unknown>[] | null = null;
  for (let index = 0; index < aws.length; index++) {
    const aw = aws[index]!;
    const is_call = typeof aw === "function";
    let child = is_call ? undefined : future_of?.get(aw);
    if (child === undefined) {
      try {
        child = to_future(aw, loop);
      } catch (error) {
        // As on CPython, those before it run, and their errors count as retrieved.
        outer.set_result([]);
        throw error;
      }
      if (!is_call) (future_of ??= new Map()).set(aw, child);
      outer["_unfinished"]++;
      if (child.done()) (already_done ??= []).push(child);
      else child["_add_listener"](listener);
    }
    children[index] = child;
  }
  // Only now, when all children are known: with eager tasks this may finish the whole.
  if (already_done !== null) { for (const child of already_done) child_done(child, outer); }
  return outer;
}

function child_done(child: Future<unknown>, outer: GatheringFuture<unknown[]>): void {
  outer["_unfinished"]--;
  if (outer.done()) {
    if (!child.cancelled()) child.exception();
    return;
  }
  if (!outer["_return_exceptions"] && child["_state"] !== FINISHED) {
    outer["_fail"](child["_error"]());
    return;
  }
  if (outer["_unfinished"] > 0) return;
  const results: unknown[] = [];
  for (const child of outer["_children"]) {
    results.push(
      child["_state"] === FINISHED
        ? child["_value"]
        : child["_state"] === CANCELLED
        ? make_cancelled_error(message_of(child))
        : child["_error"](),
    );
  }
  // The request for cancellation wins, whatever became of the children.
  const last = outer["_children"][outer["_children"].length - 1]!;
  if (outer["_cancel_requested"]) outer.set_exception(last["_make_cancelled_error"]());
  else outer.set_result(results);
}

function message_of(cancelled: Future<unknown>): unknown {
  const value = cancelled["_value"];
  return value instanceof Cancellation ? value.message ?? "" : "";
}

function future_loop(aws: readonly unknown[]): AbstractEventLoop | null {
  const future = aws.find((aw) => aw instanceof Future) as Future<unknown> | undefined;
  return future?.get_loop() ?? null;
}

/**
 * For `wait()`: return when the first is done.
 *
 * See {@link https://docs.python.org/3/library/asyncio-task.html#asyncio.FIRST_COMPLETED Python's FIRST_COMPLETED}.
 *
 * @category Waiting
 */
export const FIRST_COMPLETED = "FIRST_COMPLETED";
/**
 * For `wait()`: return when the first has failed, or all are done.
 *
 * See {@link https://docs.python.org/3/library/asyncio-task.html#asyncio.FIRST_EXCEPTION Python's FIRST_EXCEPTION}.
 *
 * @category Waiting
 */
export const FIRST_EXCEPTION = "FIRST_EXCEPTION";
/**
 * For `wait()`: return when all are done.
 *
 * See {@link https://docs.python.org/3/library/asyncio-task.html#asyncio.ALL_COMPLETED Python's ALL_COMPLETED}.
 *
 * @category Waiting
 */
export const ALL_COMPLETED = "ALL_COMPLETED";

/**
 * When `wait()` returns.
 *
 * @category Waiting
 */
export type ReturnWhen = typeof FIRST_COMPLETED | typeof FIRST_EXCEPTION | typeof ALL_COMPLETED;

/**
 * The options of `wait()`.
 *
 * @category Waiting
 */
export interface WaitOptions {
  /** How long to wait at most, in seconds; `null`, the default, is without limit. */
  timeout?: number | null;
  /** When to return, `ALL_COMPLETED` by default. */
  return_when?: ReturnWhen;
}

/**
 * Waits for futures or tasks, up to a condition or a time, and returns which are done.
 *
 * It throws no `TimeoutError` and cancels nothing, also when it is cancelled itself.
 *
 * See {@link https://docs.python.org/3/library/asyncio-task.html#asyncio.wait Python's wait}.
 *
 * @param fs futures or tasks, at least one
 * @param options `timeout` in seconds, `return_when`
 * @returns the set of those that are done and the set of those that are not
 * @throws {ValueError} if there is nothing to wait for, or `return_when` is none of the three
 * @throws {TypeError} if a coroutine or function is among them: make it a task first
 * @category Waiting
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * await asyncio.run(async () => {
 *   const fast = asyncio.create_task(asyncio.sleep(0.001));
 *   const slow = asyncio.create_task(asyncio.sleep(60));
 *   const [done, pending] = await asyncio.wait([fast, slow], { timeout: 0.02 });
 *   assertEquals([[...done], [...pending]], [[fast], [slow]]);
 *   slow.cancel();
 * });
 * ```
 */
export function wait<F extends Future<unknown>>(
  fs: Iterable<F>,
  options: WaitOptions = {},
): Coroutine<[done: Set<F>, pending: Set<F>]> {
  check_options("wait", options, ["timeout", "return_when"]);
  return library_coroutine("wait", wait_for_all(fs, options));
}

function* wait_for_all<F extends Future<unknown>>(
  fs: Iterable<F>,
  { timeout = null, return_when = ALL_COMPLETED }: WaitOptions,
): Generator<unknown, [Set<F>, Set<F>], unknown> {
  if (isawaitable(fs) || !is_iterable(fs)) {
    throw new TypeError(`expect a list of futures, not ${type_name(fs)}`);
  }
  const futures = new Set(fs);
  if (futures.size === 0) throw new ValueError("Set of Tasks/Futures is empty.");
  if (![FIRST_COMPLETED, FIRST_EXCEPTION, ALL_COMPLETED].includes(return_when)) {
    throw new ValueError(`Invalid return_when value: ${return_when}`);
  }
  for (const future of futures) {
    if (future instanceof Future) continue;
    throw new TypeError(
      to_coroutine(future) !== null
        ? "Passing coroutines is forbidden, use tasks explicitly."
        : isfuture(future)
        ? "Cannot wait for a future of another copy of @pythonic/asyncio: pass " +
          `ensure_future(future): received ${repr(future)}`
        : `Cannot call wait(): fs must be futures or tasks: received ${repr(future)}`,
    );
  }
  const loop = get_running_loop();
  const waiter = loop.create_future<void>();
  const release = () => {
    if (!waiter.done()) waiter.set_result();
  };
  const handle = timeout === null ? null : loop.call_later(timeout, release);
  let unfinished = futures.size;
  const on_completion = (future: Future<unknown>): void => {
    unfinished--;
    if (
      unfinished <= 0 || return_when === FIRST_COMPLETED ||
      (return_when === FIRST_EXCEPTION && future["_has_failed"] && retrieve(future))
    ) {
      handle?.cancel();
      release();
    }
  };
  const listener = new Listener(on_completion, "_wait.<locals>._on_completion()", running_task());
  for (const future of futures) future["_add_listener"](listener);
  try {
    yield* waiter;
  } finally {
    handle?.cancel();
    for (const future of futures) future["_remove_waiter"](listener as Listener<never>);
  }
  const done = new Set<F>();
  const pending = new Set<F>();
  for (const future of futures) (future.done() ? done : pending).add(future);
  return [done, pending];
}

/**
 * Waits for an awaitable, but not longer than a time.
 *
 * When the time is over the awaitable is cancelled; `shield()` keeps it from that. If the wait is
 * cancelled, so is the awaitable.
 *
 * See {@link https://docs.python.org/3/library/asyncio-task.html#asyncio.wait_for Python's wait_for}.
 *
 * @param aw a coroutine in any form, a future, a promise (whose work continues when it is too late)
 * @param timeout how long, in seconds; `null` is without limit. By name, with the options: `{ timeout, signal }`
 * @param options `signal`, an `AbortSignal` that ends the wait
 * @returns the result of the awaitable
 * @throws {TimeoutError} if the time is over
 * @throws the signal's reason if it is aborted; the awaitable is cancelled
 * @throws {TypeError} if the time is no number
 * @category Waiting
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { assertEquals, assertRejects } from "@std/assert";
 *
 * assertEquals(await asyncio.wait_for(asyncio.sleep(0, "quick"), 1), "quick");
 * await assertRejects(async () => {
 *   await asyncio.wait_for(asyncio.sleep(60), 0.001);
 * }, asyncio.TimeoutError);
 * ```
 */
export function wait_for<T>(
  aw: Awaitable<T>,
  timeout: number | null | { timeout: number | null; signal?: AbortSignal | null },
  options: { signal?: AbortSignal | null } = {},
): Coroutine<T> {
  const limit = keyword_or_positional<"timeout", number | null>("wait_for", "timeout", timeout, [
    "signal",
  ]);
  check_options("wait_for", options, ["signal"]);
  if (limit !== null && typeof limit !== "number") {
    throw new TypeError(
      `Cannot call wait_for(): timeout must be a number of seconds or null: received ${
        repr(limit)
      }`,
    );
  }
  const { signal } = is_plain_object(timeout) ? timeout : options;
  note_used(aw);
  const origin = origin_of_call(wait_for);
  return library_coroutine(
    "wait_for",
    signal ? wait_unless_aborted(aw, limit, origin, signal) : wait_for_one(aw, limit, origin),
  );
}

function* wait_unless_aborted<T>(
  aw: Awaitable<T>,
  limit: number | null,
  origin: Origin,
  signal: AbortSignal,
): Generator<unknown, T, unknown> {
  if (signal.aborted) {
    if (isfuture(aw)) {
      yield* cancel_and_wait(ensure_future(aw), `a signal: ${repr(signal.reason)}`);
    } else if (iscoroutine(aw)) aw.close();
    throw signal.reason;
  }
  return yield* async_with(aborted_by(signal), () => wait_for_one(aw, limit, origin));
}

function* wait_for_one<T>(
  aw: Awaitable<T>,
  limit: number | null,
  origin: Origin,
): Generator<unknown, T, unknown> {
  if (limit !== null && limit <= 0) {
    const future = ensure_future(aw);
    // An async function that need not wait is done a microtask after its eager start.
    if (future instanceof Task && future["_step"] === OPEN) yield null;
    if (future.done()) return future.result();
    yield* cancel_and_wait(future, `a timeout: timed out after ${format_seconds(limit)}`);
    try {
      return future.result();
    } catch (error) {
      if (is_cancellation(error)) {
        throw make_timeout_error(`after ${format_seconds(limit)}`, origin, error);
      }
      throw error;
    }
  }
  // A call that has not started runs in this very task; a promise could not be cancelled, so it is wrapped.
  const awaited = to_coroutine<T>(aw) ?? ensure_future(aw);
  const limited = timeout(limit);
  limited["_origin"] = origin;
  return yield* async_with(limited, function* () {
    return yield* awaited;
  });
}

// An error counts as retrieved when it decides when `wait()` returns.
function retrieve(failed: Future<unknown>): true {
  failed.exception();
  return true;
}

function* cancel_and_wait(
  future: Future<unknown>,
  by: string,
): Generator<unknown, void, unknown> {
  const waiter = get_running_loop().create_future<void>();
  const release = () => {
    if (!waiter.done()) waiter.set_result();
  };
  future["_add_done_callback"](release, "_release_waiter()");
  try {
    cancel_because(`cancelled by ${by}`, () => future.cancel());
    // Not the future itself is awaited, so that this wait can be cancelled for sure.
    yield* waiter;
  } finally {
    future.remove_done_callback(release);
  }
}

/**
 * The result of `as_completed()`: an iterator of awaitables, and an asynchronous iterator of futures.
 *
 * @category Waiting
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * await asyncio.run(async () => {
 *   const naps = [0.02, 0].map((delay) => asyncio.create_task(asyncio.sleep(delay)));
 *   const order: unknown[] = [];
 *   for await (const nap of asyncio.as_completed(naps)) order.push(nap);
 *   assertEquals(order, naps.toReversed());
 * });
 * ```
 */
export type AsCompletedIterator<T, F extends Future<T>> =
  // Twice the same, and no `AsyncIterator`: of one that yields thenables `for await` gives the awaited type, in
  // TypeScript 7 always, before it from the second loop on, but over a union.
  | {
    /** Iterates over coroutines: each waits for the next that is done and returns its result. */
    [Symbol.iterator](): Iterator<Coroutine<T>, undefined, void>;
    /** Iterates over the futures themselves, as they are done. */
    [Symbol.asyncIterator](): { next(): Promise<IteratorResult<F, undefined>> };
  }
  | {
    [Symbol.iterator](): Iterator<Coroutine<T>, undefined, void>;
    [Symbol.asyncIterator](): { next(): Promise<IteratorResult<F, undefined>> };
  };

class Completions<T, F extends Future<T>> {
  readonly #done = new Queue<F | null>();
  readonly #todo: Set<F>;
  readonly #count: number;
  #left: number;
  #handle: Handle | null = null;
  // The message of the error of those that are too late.
  #too_late = "";
  readonly #origin: Origin;

  constructor(aws: Iterable<Awaitable<T>>, timeout: number | null) {
    const loop = get_event_loop();
    const futures: F[] = [];
    for (const aw of unique(aws)) futures.push(to_future(aw, loop) as F);
    this.#origin = origin_of_call(as_completed);
    this.#todo = new Set(futures);
    this.#left = this.#count = this.#todo.size;
    const listener = new Listener(
      this.#on_completion as (future: Future<T>) => void,
      "_AsCompletedIterator._handle_completion()",
    );
    for (const future of this.#todo) future["_add_listener"](listener);
    if (this.#left > 0 && timeout !== null) {
      this.#handle = loop.call_later(timeout, () => this.#on_timeout(timeout));
    }
  }

  readonly #on_completion = (future: F): void => {
    if (!this.#todo.delete(future)) return; // too late
    this.#done.put_nowait(future);
    if (this.#todo.size === 0) this.#handle?.cancel();
  };

  #on_timeout(limit: number): void {
    this.#too_late = `after ${
      format_seconds(limit)
    }, ${this.#todo.size} of ${this.#count} not done`;
    for (const future of this.#todo) {
      future.remove_done_callback(this.#on_completion as (future: Future<T>) => unknown);
      this.#done.put_nowait(null);
    }
    this.#todo.clear();
  }

  *#next_done(): Generator<unknown, F, unknown> {
    const future = yield* this.#done.get();
    if (future === null) throw make_timeout_error(this.#too_late, this.#origin);
    return future;
  }

  *#next_result(): Generator<unknown, T, unknown> {
    return (yield* this.#next_done()).result();
  }

  *#next_entry(): Generator<unknown, IteratorResult<F, undefined>, unknown> {
    if (this.#left === 0) return { done: true, value: undefined };
    this.#left--;
    return { done: false, value: yield* this.#next_done() };
  }

  [Symbol.iterator](): Iterator<Coroutine<T>, undefined, void> {
    return {
      next: (): IteratorResult<Coroutine<T>, undefined> => {
        if (this.#left === 0) return { done: true, value: undefined };
        this.#left--;
        return { done: false, value: library_coroutine("_wait_for_one", this.#next_result()) };
      },
    };
  }

  [Symbol.asyncIterator](): { next(): Coroutine<IteratorResult<F, undefined>> } {
    return { next: () => library_coroutine("as_completed.__anext__", this.#next_entry()) };
  }
}

function unique<T>(aws: Iterable<Awaitable<T>>): Awaitable<T>[] {
  const seen = new Set<Awaitable<T>>();
  return [...aws].filter((aw) => {
    if (seen.has(aw) && typeof aw !== "function") return false;
    seen.add(aw);
    return true;
  });
}

/**
 * Runs awaitables concurrently and yields them in the order of their completion.
 *
 * `for (const next of as_completed(aws)) await next` yields the results; `for await` yields the tasks
 * and futures themselves, those made of coroutines included. A cancellation of the iterating task, like
 * leaving the iteration early, cancels none of them.
 *
 * See {@link https://docs.python.org/3/library/asyncio-task.html#asyncio.as_completed Python's as_completed}.
 *
 * @param aws an iterable of awaitables
 * @param options `timeout`, in seconds, after which a `TimeoutError` is thrown for each that is left
 * @returns an iterator of coroutines of the results, and an asynchronous iterator of futures
 * @throws {TypeError} if it is no iterable
 * @category Waiting
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * await asyncio.run(async () => {
 *   const results: string[] = [];
 *   const naps = [asyncio.sleep(0.02, "long"), asyncio.sleep(0.001, "short")];
 *   for (const next of asyncio.as_completed(naps)) results.push(await next);
 *   assertEquals(results, ["short", "long"]);
 * });
 * ```
 */
export function as_completed<T, F extends Future<T> = Future<T>>(
  aws: Iterable<F> | Iterable<Awaitable<T>>,
  options: { timeout?: number | null } = {},
): AsCompletedIterator<T, F> {
  check_options("as_completed", options, ["timeout"]);
  if (isawaitable(aws) || !is_iterable(aws)) {
    throw new TypeError(`expects an iterable of awaitables, not ${type_name(aws)}`);
  }
  return new Completions<T, F>(aws as Iterable<Awaitable<T>>, options.timeout ?? null);
}

/**
 * Waits for an awaitable and keeps cancellation from it.
 *
 * If the waiter is cancelled, the awaitable continues. If it then fails, the loop's exception handler
 * is called.
 *
 * See {@link https://docs.python.org/3/library/asyncio-task.html#asyncio.shield Python's shield}.
 *
 * @param aw a coroutine in any form, a future, a promise
 * @returns a future of the same outcome; cancelling it does not cancel the awaitable
 * @category Waiting
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * await asyncio.run(async () => {
 *   const save = asyncio.create_task(asyncio.sleep(0.002, "saved"));
 *   await asyncio.wait([asyncio.shield(save)], { timeout: 0.001 });
 *   assertEquals(await save, "saved");
 * });
 * ```
 */
export function shield<T>(aw: Awaitable<T>): Future<T> {
  const inner = ensure_future(aw);
  if (inner.done()) return inner;
  const loop = inner.get_loop();
  const outer = loop.create_future<T>();

  const on_inner_done = (inner: Future<T>): void => {
    if (outer.cancelled()) return;
    if (inner["_state"] === CANCELLED) outer.cancel();
    else if (inner["_state"] === FAILED) {
      outer["_check_pending"]();
      outer["_fail"](inner["_error"]());
    } else outer.set_result(inner.result());
  };
  const on_outer_done = (): void => {
    if (inner.done()) return;
    inner.remove_done_callback(on_inner_done);
    inner.remove_done_callback(report_shielded);
    if (aw instanceof Promise) {
      // One future of a loop reports the error of a promise, however many were made for it.
      if (reported_by.get(aw) === loop) {
        inner.cancel();
        return;
      }
      reported_by.set(aw, loop);
    }
    inner["_add_done_callback"](report_shielded, "_log_on_exception()");
  };
  inner["_add_listener"](
    new Listener(on_inner_done, "shield.<locals>._inner_done_callback()", running_task()),
  );
  outer["_add_done_callback"](on_outer_done, "shield.<locals>._outer_done_callback()");
  return outer;
}

// The native promises for which a shield was cancelled, and the loop that reports their errors.
const reported_by = new WeakMap<Promise<unknown>, AbstractEventLoop>();

function report_shielded(future: Future<unknown>): void {
  if (future["_state"] !== FAILED) return;
  const exception = future.exception();
  future.get_loop().call_exception_handler({
    message: `${type_name(exception)} exception in shielded future`,
    exception,
    future,
  });
}
