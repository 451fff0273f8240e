/**
 * Timeouts: a block of code that is cancelled when its time is over.
 *
 * @module
 */

import {
  cancel_block,
  type Requests,
  requests_around,
  take_back_own,
} from "./core/block_requests.ts";
import { type AnyTask, ScopeManager } from "./core/scope_managers.ts";
import { CancellationState } from "./core/cancellation_state.ts";
import type { LoopCore, Runnable, Scope, Timed, Waitable } from "./core/contracts.ts";
import { live_await } from "./core/open_awaits.ts";
import { Suspension } from "./core/suspensions.ts";
import { add_origin, type Origin, origin_of_call } from "./core/origins.ts";
import { FOREIGN } from "./core/steps.ts";
import { Task } from "./core/tasks.ts";
import { enter, leave } from "./core/current.ts";
import { type AbstractEventLoop, get_running_loop } from "./core/events.ts";
import {
  as_cancelled_error,
  cancel_because,
  is_cancellation,
  without_frames,
} from "./core/cancellation.ts";
import { RuntimeError, TimeoutError } from "./core/exceptions.ts";
import { repr } from "./internal/format_helpers.ts";
import { keyword_or_positional } from "./internal/options.ts";

/** Calls a function of the library at a time, without what a handle of the user's needs. */
export class Deadline<S> {
  protected _cancelled: boolean;
  protected _scheduled: boolean;
  protected readonly _when: number;
  /** The name of the function, for reports. */
  readonly label: string;
  private readonly _loop: AbstractEventLoop;
  private readonly _call: (subject: S) => void;
  private readonly _subject: S;

  constructor(
    loop: AbstractEventLoop,
    when: number,
    label: string,
    call: (subject: S) => void,
    subject: S,
  ) {
    this._cancelled = false;
    this._scheduled = false;
    this._when = when;
    this.label = label;
    this._loop = loop;
    this._call = call;
    this._subject = subject;
  }

  protected _run(): void {
    if (this._cancelled) return;
    // The host's context in which the loop runs it may be that of any task, which it is no code of.
    enter(this._loop as unknown as LoopCore, null, undefined);
    try {
      this._call(this._subject);
    } finally {
      leave();
    }
  }

  /** Cancels the call. */
  cancel(): void {
    if (!this._cancelled) this._loop["_timer_cancelled"](this as unknown as Timed);
    this._cancelled = true;
  }
}

/** Makes the error of a time limit that is over; in debug mode its stack shows where the limit was set. */
export function make_timeout_error(
  text: string,
  origin: Origin,
  cancellation?: unknown,
): TimeoutError {
  const options = cancellation === undefined
    ? undefined
    : { cause: as_cancelled_error(cancellation) };
  return add_origin(
    without_frames(() => new TimeoutError(`timed out ${text}`, options)),
    origin,
  );
}

/** Returns a time in seconds as text, without the noise of its last digits. */
export function format_seconds(seconds: number): string {
  return `${Number(seconds.toPrecision(6))} s`;
}

/** Returns what code of a scope waits for: `", waiting for Queue.get()"`. */
function describe_wait(scope: Scope): string {
  const task = scope._owner as unknown as AnyTask;
  const state = task["_cancellation_state"] ??= new CancellationState();
  const open = live_await(scope, state.open_awaits);
  const waiting = open?._waiting ?? null;
  if (waiting instanceof Task) return `, waiting for task ${repr(waiting.get_name())}`;
  if (waiting !== null) return `, waiting for ${name_of_wait(open as InCoroutine, waiting)}`;
  return task["_step"] === FOREIGN ? ", waiting for a native promise" : "";
}

/** A coroutine, by the fields that one kind or another has. */
interface AnyCoroutine {
  readonly name: string;
  readonly _delegate?: AnyCoroutine | null;
  readonly _inner?: AnyCoroutine | null;
}

/** An await of a coroutine, or a task that waits in its own. */
interface InCoroutine {
  readonly _coroutine?: AnyCoroutine;
  readonly _own_coroutine?: AnyCoroutine | null;
}

const METHOD = /^\w+\.\w+$/;

// That of a method of the library, `Barrier.wait`, says more than what it waits for in turn.
function name_of_wait(open: InCoroutine, waiting: Waitable): string {
  if (waiting._children !== undefined) return "gather()";
  let name = "";
  let coroutine = open._coroutine ?? open._own_coroutine ?? null;
  for (; coroutine !== null; coroutine = coroutine._delegate ?? coroutine._inner ?? null) {
    name = coroutine.name;
    if (METHOD.test(name)) break;
  }
  if (waiting instanceof Suspension && !METHOD.test(name)) name = waiting.name;
  return name === "" ? "a future" : `${name}()`;
}

type State = "created" | "active" | "expiring" | "expired" | "finished";

/**
 * A deadline for a block of code; `timeout()` and `timeout_at()` make it, `async_with()` enters it.
 *
 * When the time is over the task is cancelled, and the cancellation leaves the block as a
 * {@linkcode TimeoutError}. A cancellation from outside stays one.
 *
 * See {@link https://docs.python.org/3/library/asyncio-task.html#asyncio.Timeout Python's Timeout}.
 *
 * @category Structure
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { assert } from "@std/assert";
 *
 * const limit = asyncio.timeout_at(null);
 * const work = asyncio.async_with(limit, async () => {
 *   limit.reschedule(asyncio.get_running_loop().time() + 0.001);
 *   await asyncio.sleep(60);
 * });
 * await asyncio.run(work).catch((error) => assert(error instanceof asyncio.TimeoutError));
 * assert(limit.expired());
 * ```
 */
export class Timeout extends ScopeManager {
  /** @internal */
  declare private _state: State;
  /** @internal */
  declare private _when: number | null;
  /** @internal */
  declare private _deadline: Deadline<Timeout> | null;
  /** @internal */
  declare private _scope: Scope | null;
  /** @internal The requests for cancellation that reached the block when it began. */
  declare private _requests: Requests;
  /** @internal The text of its error, once the time is over. */
  declare private _text: string;
  /** @internal The time in seconds that the block has, if its deadline was given as one. */
  declare protected _delay: number | null;
  /** @internal Where it was made. */
  declare protected _origin: Origin;
  /**
   * Not there: `await using` passes no error that leaves its block to a timeout, so that a cancellation could not
   * become a `TimeoutError`. It is entered by `async_with()`.
   */
  declare readonly [Symbol.asyncDispose]?: never;

  /**
   * Makes a timeout.
   *
   * @param when a time of the loop's clock, in seconds; `null` is never
   * @throws {TypeError} if it is no number
   */
  constructor(when: number | null) {
    super();
    if (when !== null && typeof when !== "number") {
      throw new TypeError(
        `Cannot set a timeout: it must be a number of seconds or null: received ${repr(when)}`,
      );
    }
    this._state = "created";
    this._when = when;
    this._deadline = null;
    this._scope = null;
    this._requests = null;
    this._text = "";
    this._delay = null;
    this._origin = origin_of_call(new.target);
  }

  /** The deadline, as a time of the loop's clock in seconds; `null` if there is none. */
  when(): number | null {
    return this._when;
  }

  /**
   * Moves the deadline.
   *
   * @param when a time of the loop's clock in seconds, `null` for never
   * @throws {RuntimeError} unless the block is being run and has not expired
   */
  reschedule(this: object, when: number | null): void;
  reschedule(when: number | null): void {
    if (this._state !== "active") {
      if (this._state === "created") throw new RuntimeError("Timeout has not been entered");
      throw new RuntimeError(`Cannot change state of ${this._state} Timeout`);
    }
    if (when !== this._when) this._delay = null;
    this._when = when;
    this._deadline?.cancel();
    if (when === null) {
      this._deadline = null;
      return;
    }
    const loop = get_running_loop();
    this._deadline = new Deadline<Timeout>(
      loop,
      when,
      "Timeout._on_timeout()",
      end_block,
      this,
    );
    if (when <= loop["_last_time"]()) loop["_schedule"](this._deadline as unknown as Runnable);
    else loop["_schedule_timer"](this._deadline as unknown as Timed);
  }

  /** Returns whether the time was over before the block ended. */
  expired(): boolean {
    return this._state === "expiring" || this._state === "expired";
  }

  /** @internal */
  protected override _enter(scope: Scope | null): void {
    if (this._state !== "created") throw new RuntimeError("Timeout has already been entered");
    if (scope === null) throw new RuntimeError("Timeout should be used inside a task");
    this._state = "active";
    this._scope = scope;
    this._requests = requests_around(scope);
    this.reschedule(this._when);
  }

  /** @internal */
  protected override _exit(error: unknown): void {
    this._deadline?.cancel();
    this._deadline = null;
    if (this._state === "expiring") {
      this._state = "expired";
      if (take_back_own(this._scope as Scope, this._requests) && is_cancellation(error)) {
        throw make_timeout_error(this._text, this._origin, error);
      }
    } else if (this._state === "active") {
      this._state = "finished";
    }
  }

  /** @internal */
  private _on_timeout(): void {
    const scope = this._scope as Scope;
    this._text =
      (this._delay !== null
        ? `after ${format_seconds(this._delay)}`
        : `at ${format_seconds(this._when as number)} of the loop's clock`) + describe_wait(scope);
    cancel_because(
      `cancelled by a timeout: timed out ${this._text}`,
      () => cancel_block(scope),
    );
    this._state = "expiring";
    this._deadline = null;
  }

  /** Python's `repr`. */
  override toString(): string {
    const when = this._when === null ? null : Math.round(this._when * 1000) / 1000;
    return `<Timeout [${this._state}]${this._state === "active" ? ` when=${when}` : ""}>`;
  }
}

const end_block = (limit: Timeout): void => limit["_on_timeout"]();

/**
 * Limits the time of a block of code: `async_with(timeout(10), async () => …)`.
 *
 * When the time is over the task is cancelled, and the block throws a {@linkcode TimeoutError} whose
 * `cause` is that cancellation. Its message says how long the limit was and, where that has a name, what
 * the block waited for.
 *
 * See {@link https://docs.python.org/3/library/asyncio-task.html#asyncio.timeout Python's timeout}.
 *
 * @param delay how long, in seconds; `null` for no limit (one may be set by `reschedule`). By name: `{ delay }`
 * @returns a context manager for `async_with()`
 * @throws {RuntimeError} if no loop runs the calling code
 * @throws {TypeError} if the delay is no number
 * @category Structure
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { assertRejects } from "@std/assert";
 *
 * const main = () => asyncio.async_with(asyncio.timeout(0.001), () => asyncio.sleep(60));
 * await assertRejects(() => asyncio.run(main), asyncio.TimeoutError);
 * ```
 */
export function timeout(delay: number | null | { readonly delay: number | null }): Timeout {
  const seconds = keyword_or_positional<"delay", number | null>("timeout", "delay", delay);
  if (seconds !== null && typeof seconds !== "number") {
    throw new TypeError(
      `Cannot call timeout(): delay must be a number of seconds or null: received ${repr(seconds)}`,
    );
  }
  const now = get_running_loop().time();
  const limit = new Timeout(seconds === null ? null : now + seconds);
  limit["_delay"] = seconds;
  return limit;
}

/**
 * Limits a block of code to a point in time: `async_with(timeout_at(when), async () => …)`.
 *
 * See {@link https://docs.python.org/3/library/asyncio-task.html#asyncio.timeout_at Python's timeout_at}.
 *
 * @param when a time of the loop's clock, in seconds; `null` for no limit. By name: `{ when }`
 * @returns a context manager for `async_with()`
 * @throws {TypeError} if the time is no number
 * @category Structure
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { assertRejects } from "@std/assert";
 *
 * await assertRejects(
 *   () =>
 *     asyncio.run(() => {
 *       const deadline = asyncio.get_running_loop().time() + 0.001;
 *       return asyncio.async_with(asyncio.timeout_at(deadline), () => asyncio.sleep(60));
 *     }),
 *   asyncio.TimeoutError,
 * );
 * ```
 */
export function timeout_at(when: number | null | { readonly when: number | null }): Timeout {
  const time = keyword_or_positional<"when", number | null>("timeout_at", "when", when);
  return new Timeout(time as number | null);
}
