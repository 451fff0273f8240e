/**
 * Awaits: what `then` makes of a future or a coroutine that has to wait.
 *
 * An await has the functions that resume the code which awaits, stands in its place among the waiters,
 * and is itself the promise that `then` returns.
 *
 * @module
 */

import {
  has_async_context,
  keep_context,
  type KeptContext,
  run_in,
} from "../host/async_context.ts";
import {
  type LoopCore,
  NOTHING,
  type OpenAwait,
  type Scope,
  type TaskCore,
  type Waitable,
} from "./contracts.ts";
import { repr } from "../internal/format_helpers.ts";
import { debug_loops, enter, leave, report_if_uncaught, running_scope } from "./current.ts";
import {
  as_error,
  Cancellation,
  is_cancelled_error,
  make_cancelled_error,
} from "./cancellation.ts";
import type { CancelledError } from "./exceptions.ts";
import { conclude_sole, leave_to_code } from "./cancellation_state.ts";
import { add_frames, origin_of_await } from "./origins.ts";
import { innermost, next_moment, note_settled, remove_open_await, this_moment } from "./scopes.ts";
import { CLOSED, origin_of } from "./unawaited.ts";

const RESOLVED: Promise<undefined> = Promise.resolve(undefined);

type Settler = ((value: never) => unknown) | ((error: unknown) => unknown);

/** Calls a function that `then` was given at once, and returns what `then` returns. */
export function settle_now(settle: Settler, value: unknown): Promise<unknown> {
  try {
    const result = (settle as (value: unknown) => unknown)(value);
    // The resolving functions of an `await` return nothing; only a direct caller's may.
    return result === undefined ? RESOLVED : Promise.resolve(result);
  } catch (error) {
    return Promise.reject(error);
  }
}

class Deferred {
  readonly promise: Promise<unknown>;
  declare resolve: (outcome: unknown) => void;

  constructor() {
    this.promise = new Promise((resolve) => this.resolve = resolve);
  }
}

/** One await of native code, or one direct call of `then`. */
export abstract class Await implements OpenAwait {
  /** @internal */
  declare _waiting: Waitable | null;
  /** @internal */
  declare _scope: Scope;
  /** @internal */
  declare _begun: number;
  /** @internal */
  declare _older: OpenAwait | null;
  /** @internal */
  declare _newer: OpenAwait | null;
  declare private readonly _on_fulfilled: (value: never) => unknown;
  declare private readonly _on_rejected: (error: unknown) => unknown;
  // The outcome for direct callers of `then`: a promise once resumed, a deferred if requested before.
  declare private _outcome: Promise<unknown> | Deferred | null;

  constructor(
    scope: Scope,
    resolve: (value: never) => unknown,
    reject: (error: unknown) => unknown,
  ) {
    this._waiting = null;
    this._scope = scope;
    this._begun = 0;
    this._older = null;
    this._newer = null;
    this._on_fulfilled = resolve;
    this._on_rejected = reject;
    this._outcome = null;
  }

  /** @internal The task that awaits, or `null` outside of any. */
  get _task(): TaskCore | null {
    return this._scope._owner;
  }

  /** @internal Run by the loop: what it waited on is done, or its next step is due. */
  _run(): void {
    const task = this._scope._owner;
    if (task !== null && !task.done()) this._continue(task._resume(this));
    else this._continue_outside();
  }

  private _continue_outside(): void {
    if (this._begun === 0) return;
    const { _loop: loop } = this._scope;
    loop._loose_moment = next_moment();
    note_settled(innermost(this._scope), this._begun);
    loop._watch_microtasks();
    const state = this._scope._owner?._cancellation_state ?? null;
    const marked = state?.take_mark(this);
    const thrown = marked_outside.delete(this) ? marked ?? NO_MESSAGE : marked;
    const waiting = this._waiting;
    conclude_sole(this);
    this._leave_outside();
    // Of blocks of the code, which may still cancel it.
    if (thrown === undefined) this._continue(NOTHING);
    else if (!(thrown instanceof Cancellation)) this._continue(thrown);
    else this._continue(waiting?._cancellation() ?? make_cancelled_error(thrown.message));
  }

  private _leave_outside(): void {
    this._waiting = null;
    this._begun = 0;
    const task = this._scope._owner;
    if (task !== null) remove_open_await(task, this);
  }

  /** @internal Cancels the await of code that belongs to no task any more. */
  _cancel_outside(): PromiseLike<unknown> | null {
    const waitable = this._waiting;
    if (waitable === null) return null;
    cancelled_outside.add(this);
    const is_waiting = waitable._is_waiting();
    // Tasks are cancelled themselves, and may take their time.
    if (is_waiting && "_step" in waitable) return null;
    const delivery = {
      scope: innermost(this._scope),
      cancellation: NO_MESSAGE,
      by_itself: false,
      thrown_at: -1,
      is_known: false,
    };
    if (waitable._is_owned) {
      if (!waitable._cancel_for(delivery)) marked_outside.add(this);
      return waitable._ending?.() ?? null;
    }
    if (!is_waiting) {
      if (!leave_to_code(this, delivery)) marked_outside.add(this);
      return null;
    }
    waitable._remove_waiter(this);
    this._leave_outside();
    this._scope._loop._loose_moment = next_moment(); // its clean-up may wait
    this._continue(make_cancelled_error(undefined));
    return null;
  }

  /** @internal Returns whether no user code runs at once when it is resumed. */
  get _only_resumes(): boolean {
    return true;
  }

  /** @internal The name of the coroutine that is awaited; `null` for a future. */
  _coroutine_name(): string | null {
    return null;
  }

  /** @internal Resumes, with an error instead if there is one. */
  protected abstract _continue(error: unknown): void;

  /** @internal Resumes the code that awaits with a value. */
  protected _resolve(value: unknown): void {
    this._settle(this._on_fulfilled, value);
  }

  /** @internal Resumes the code that awaits with an error. */
  protected _reject(error: unknown): void {
    if (cancelled_outside.has(this) && is_cancelled_error(error)) {
      // The code may have been left running, so that nothing handles the rejection of its promise.
      report_if_uncaught(error, this._scope._loop, { message: describe_loose(this) });
    }
    this._settle(this._on_rejected, error);
  }

  private _settle(settle: Settler, value: unknown): void {
    const { _scope: scope } = this;
    const task = scope._owner;
    if (task !== null && !task.done()) scope._loop._begin_step(task, innermost(scope));
    const outcome = settle_now(settle, value);
    if (this._outcome instanceof Deferred) this._outcome.resolve(outcome);
    else this._outcome = outcome;
  }

  private _promise(): Promise<unknown> {
    const outcome = this._outcome ??= new Deferred();
    return outcome instanceof Deferred ? outcome.promise : outcome;
  }

  then(
    on_fulfilled?: ((value: unknown) => unknown) | null,
    on_rejected?: ((error: unknown) => unknown) | null,
  ): Promise<unknown> {
    return this._promise().then(on_fulfilled, on_rejected);
  }

  catch(on_rejected?: ((error: unknown) => unknown) | null): Promise<unknown> {
    return this._promise().catch(on_rejected);
  }

  finally(on_finally?: (() => void) | null): Promise<unknown> {
    return this._promise().finally(on_finally);
  }
}

const NO_MESSAGE = new Cancellation(undefined);

// The awaits of code that belonged to no task any more when the run of its loop ended.
const cancelled_outside = new WeakSet<Await>();

// Those of them that had been woken: they are resumed with the error.
const marked_outside = new WeakSet<Await>();

function describe_loose(waiting: Await): string {
  const task = waiting._task;
  const made_in = task === null ? "outside of tasks" : `in ${describe_task(task)}`;
  const name = waiting._coroutine_name();
  const on = name === null ? "a future" : `${name}()`;
  return `A call made ${made_in} and not awaited still waited on ${on} when the run of its loop ended: ` +
    "it was cancelled";
}

/** Returns the error of an await that begins too late: the run of the loop to which the code belongs is over. */
export function refuse_await(loop: LoopCore): CancelledError {
  const error = make_cancelled_error(undefined);
  // Nothing may await the call.
  report_if_uncaught(error, loop, {
    message: "A call began to wait when the run of its loop had ended: it was cancelled",
  });
  return error;
}

/** Returns the name of a task with that of its coroutine. */
export function describe_task(task: TaskCore): string {
  const name = task._coroutine_name;
  return `task ${repr(task.get_name())}${name && ` of ${name}()`}`;
}

/** The part of a future that an await of it uses. */
export interface Settled extends Waitable {
  /** @internal */
  readonly _has_result: boolean;
  /** @internal */
  readonly _value: unknown;
  /** @internal The error of a future that failed or was cancelled; it counts as retrieved. */
  _error(): unknown;
}

/** An await of a future. */
export class FutureAwait extends Await {
  declare private readonly _future: Settled;

  constructor(
    scope: Scope,
    future: Settled,
    resolve: (value: never) => unknown,
    reject: (error: unknown) => unknown,
  ) {
    super(scope, resolve, reject);
    this._future = future;
    this._waiting = future;
    this._begun = this_moment();
  }

  /** @internal */
  protected override _continue(error: unknown): void {
    const future = this._future;
    if (error === NOTHING && future._has_result) {
      this._resolve(future._value);
      return;
    }
    const thrown = error === NOTHING ? future._error() : error;
    const task = this._task;
    if (debug_loops > 0 && task !== null) {
      add_frames(thrown, origin_of_await(this), `awaited by ${describe_task(task)}:`);
    }
    this._reject(thrown);
  }
}

// The state of a coroutine when it returns control.
export const SUSPENDED = 0;
export const RETURNED = 1;
export const RAISED = 2;

/** Waits for something, or has ended. */
export type Outcome = typeof SUSPENDED | typeof RETURNED | typeof RAISED;

/** The part of a coroutine that the awaits and the tasks that run it use. */
export interface Steps {
  readonly name: string;
  /** @internal One of the phases in `unawaited.ts`. */
  _phase: number;
  /** @internal The value that it returned or raised, once it has. */
  _value: unknown;
  /** @internal The value that it waits on, when it is suspended. */
  readonly _yielded: unknown;
  /** @internal */
  _advance(thrown: boolean, value: unknown): Outcome;
  /** @internal Returns whether user code may run when it is resumed, in the host's context in which it waits. */
  _needs_context(): boolean;
}

/** Runs a coroutine up to the next thing that it waits on, or to its end; returns which of them. */
export function advance(coroutine: Steps, thrown: boolean, value: unknown): Outcome {
  try {
    return coroutine._advance(thrown, value);
  } catch (error) {
    coroutine._phase = CLOSED;
    coroutine._value = error;
    return RAISED;
  }
}

/**
 * Returns the error that a coroutine has raised, as user code gets it; in debug mode its stack continues with where
 * the coroutine was made.
 */
export function error_of(coroutine: Steps): unknown {
  const error = as_error(coroutine._value);
  if (debug_loops > 0) add_frames(error, origin_of(coroutine));
  return error;
}

/** The value that a coroutine yields while a native promise of its own task's code is in progress. */
export class NativeCall {
  /** The promise; when it settles the coroutine is resumed at once, in the step that settled it. */
  readonly promise: Promise<unknown>;
  /** The scope of its code, on hosts without a context that carries it. */
  readonly scope: Scope | null;

  constructor(promise: Promise<unknown>) {
    this.promise = promise;
    this.scope = has_async_context ? null : running_scope();
  }
}

/** The value that a block that is a scope yields when a coroutine of the library waits in it. */
export class BlockWait {
  /** The value that the coroutine of the library yielded. */
  readonly yielded: unknown;
  /** The innermost scope. */
  readonly scope: Scope;

  constructor(yielded: unknown, scope: Scope) {
    this.yielded = yielded;
    this.scope = scope;
  }
}

const resume = (awaiting: CoroutineAwait, error: unknown): void => awaiting._go_on(error);

/** An await of a coroutine that had to wait. */
export class CoroutineAwait extends Await {
  /** @internal The coroutine that is awaited. */
  declare readonly _coroutine: Steps;
  // The host's context in which it waits, if user code is resumed there; else `NOTHING`.
  declare private _kept: KeptContext | typeof NOTHING;

  constructor(
    scope: Scope,
    coroutine: Steps,
    resolve: (value: never) => unknown,
    reject: (error: unknown) => unknown,
  ) {
    super(scope, resolve, reject);
    this._coroutine = coroutine;
    this._kept = NOTHING;
  }

  /** @internal */
  override get _only_resumes(): boolean {
    return this._kept === NOTHING;
  }

  /** @internal */
  override _coroutine_name(): string {
    return this._coroutine.name;
  }

  /** @internal */
  protected override _continue(error: unknown): void {
    const kept = this._kept;
    this._kept = NOTHING;
    if (kept === NOTHING) this._go_on(error);
    else run_in(kept, resume, this, error);
  }

  /** @internal */
  _go_on(error: unknown): void {
    this._advance(error !== NOTHING, error);
  }

  private _advance(thrown: boolean, value: unknown): void {
    const coroutine = this._coroutine;
    enter(this._scope._loop as LoopCore, this._scope, undefined);
    const outcome = advance(coroutine, thrown, value);
    leave();
    if (outcome === SUSPENDED) this._suspend();
    else if (outcome === RETURNED) this._resolve(coroutine._value);
    else this._reject(error_of(coroutine));
  }

  /** @internal */
  _suspend(): void {
    const coroutine = this._coroutine;
    const yielded = coroutine._yielded;
    const task = this._scope._owner as TaskCore;
    if (yielded === coroutine) {
      // A wait of the library, which is its own waitable.
      if (this._scope._ended) this._scope = innermost(this._scope);
      task._suspend(this, yielded as unknown as Waitable);
    } else if (yielded instanceof NativeCall) {
      // Its code runs in this step, and the coroutine is resumed where it ends.
      this._scope._loop._begin_step(task, yielded.scope ?? this._scope);
      yielded.promise.then(
        (value) => this._advance(false, value),
        (error) => this._advance(true, error),
      );
    } else {
      if (coroutine._needs_context()) this._kept = keep_context();
      task._suspend_on_yielded(this, yielded);
    }
  }
}
