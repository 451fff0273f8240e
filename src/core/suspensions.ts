/**
 * Suspensions: the waits of the library itself.
 *
 * @module
 */

import { type Outcome, SUSPENDED } from "./awaits.ts";
import { Cancellation, make_cancelled_error } from "./cancellation.ts";
import type { DeliveryCore, LoopCore, OnRejected, Runnable } from "./contracts.ts";
import { Coroutine } from "./coroutines.ts";
import type { CancelledError } from "./exceptions.ts";
import { CLOSED, CREATED, note_made, type Unawaited } from "./unawaited.ts";

const NO_LOOP = null as unknown as LoopCore;

const IDLE = 0;
const WAITING = 1;
const WOKEN = 2;
const CANCELLED = 3;

/** A kind of operation of the library, such as `Queue.get`: its steps, shared by all its calls. */
export interface Operation<T, S, A> {
  /** The name of the function that was called. */
  readonly name: string;
  /** Implements {@linkcode Coroutine._advance}. */
  advance(wait: Suspension<T, S, A>, thrown: boolean, value: unknown): Outcome;
  /** Cancels a wait that must not end at once; true if the cancellation was taken. */
  cancel?(wait: Suspension<T, S, A>, delivery: DeliveryCore): boolean;
  /** Returns whether such a wait may return a value although it has been cancelled. */
  may_fulfil?(wait: Suspension<T, S, A>): boolean;
  /** The promise that has to settle before such a wait can end. */
  ending?(wait: Suspension<T, S, A>): PromiseLike<unknown> | null;
  /** Returns what keeps a wait from ending that has accepted a cancellation, and what would help; `null` if nothing does. */
  obstacle?(wait: Suspension<T, S, A>): string | null;
  /** True if it calls user code when it begins. */
  readonly calls_user_code?: boolean;
}

/**
 * A coroutine of the library that has one wait at a time and is its own waitable: the future
 * that CPython would make is part of it, its place in a list of waiters, and its timer.
 *
 * It is one class for all kinds of operations. A class for each would be clearer, but an engine makes
 * objects of many classes with a common base at a fifth of the speed.
 */
export class Suspension<T, S = unknown, A = unknown> extends Coroutine<T> {
  declare private readonly _operation: Operation<T, S, A>;
  /** @internal The subject of the operation: a lock, a queue, …, or how long a sleep is. */
  declare protected readonly _subject: S;
  /** @internal The argument of the operation. */
  declare protected readonly _argument: A;
  /** @internal */
  declare protected _loop: LoopCore;
  declare private _state: number;
  declare private _waiter: Runnable | null;
  /** @internal The list of waiters that it is in, with its neighbours there, or the time for which a sleep is scheduled. */
  declare protected _place: object | number | null;
  /** @internal */
  declare protected _previous: Suspension<unknown> | null;
  /** @internal */
  declare protected _next: Suspension<unknown> | null;
  /** @internal True while its timer is scheduled, if it is a sleep. */
  declare protected _scheduled: boolean;

  constructor(operation: Operation<T, S, A>, subject: S, argument: A) {
    super();
    this._phase = CREATED;
    this._value = undefined;
    this._operation = operation;
    this._subject = subject;
    this._argument = argument;
    this._loop = NO_LOOP;
    this._state = IDLE;
    this._waiter = null;
    this._place = null;
    this._previous = null;
    this._next = null;
    this._scheduled = false;
    note_made(this as unknown as Unawaited, Suspension);
  }

  override get name(): string {
    return this._operation.name;
  }

  /** @internal */
  protected override _advance(thrown: boolean, value: unknown): Outcome {
    return this._operation.advance(this, thrown, value);
  }

  /** @internal Begins to wait; what it returns is to be returned by `advance`. */
  protected _wait(loop: object): typeof SUSPENDED {
    this._loop = loop as LoopCore; // in the type of a loop its members are protected
    this._state = WAITING;
    return SUSPENDED;
  }

  /** @internal Lets all that is ready run once; what it returns is to be returned by `advance`. */
  protected _switch(): typeof SUSPENDED {
    this._state = WOKEN;
    return SUSPENDED;
  }

  /** @internal Returns whether the operation has begun to wait. */
  protected get _has_waited(): boolean {
    return this._state !== IDLE;
  }

  /** @internal Itself; `null` if it only lets others run. */
  protected override get _yielded(): unknown {
    return this._loop === NO_LOOP ? null : this;
  }

  /** @internal The time for which it is scheduled, if it is a sleep. */
  protected get _when(): number {
    return this._place as number;
  }

  /** @internal Returns whether a sleep has ended before its time. */
  protected get _cancelled(): boolean {
    return this._phase === CLOSED;
  }

  /** @internal */
  protected override _needs_context(): boolean {
    return this._operation.calls_user_code === true && !this._has_waited;
  }

  /** @internal Returns whether it waits and has been neither woken nor cancelled. */
  protected _is_waiting(): boolean {
    return this._state === WAITING;
  }

  /** @internal Returns whether it was cancelled while it waited. */
  protected _was_cancelled(): boolean {
    return this._state === CANCELLED;
  }

  /** @internal Returns the error that ends the wait: the one thrown into it, a cancellation, or `null`. */
  protected _error_of_wait(thrown: boolean, value: unknown): unknown {
    if (thrown) return value;
    return this._state === CANCELLED ? new Cancellation(this._value) : null;
  }

  /** @internal Ends the wait. */
  protected _wake(): void {
    if (this._state === WAITING) this._end_wait(WOKEN);
  }

  /** @internal Run by the loop when a sleep is over. */
  protected _run(): void {
    this._wake();
  }

  /** @internal */
  cancel(message?: unknown): boolean {
    if (this._state !== WAITING) return false;
    this._value = message ?? undefined;
    this._end_wait(CANCELLED);
    return true;
  }

  /** @internal */
  protected _cancel_for(delivery: DeliveryCore): boolean {
    const { _operation: operation } = this;
    if (operation.cancel === undefined) return this.cancel(delivery.cancellation.message);
    return operation.cancel(this, delivery);
  }

  /** @internal */
  protected get _may_fulfil(): boolean {
    return this._operation.may_fulfil?.(this) ?? false;
  }

  /** @internal A promise of its end, if a cancellation does not end it. */
  protected _ending(): PromiseLike<unknown> | null {
    return this._operation.ending?.(this) ?? null;
  }

  /** @internal Returns why a cancellation that it has accepted has not ended the wait; `null` for none. */
  protected _obstacle(): string | null {
    return this._state === WAITING ? this._operation.obstacle?.(this) ?? null : null;
  }

  /** @internal */
  protected get _is_owned(): boolean {
    return true;
  }

  /** @internal It has one waiter, which is cancelled with it. */
  protected _remove_waiter(): void {
    this._waiter = null;
  }

  private _end_wait(state: number): void {
    this._state = state;
    const waiter = this._waiter;
    if (waiter !== null) {
      this._waiter = null;
      this._loop._schedule(waiter);
    }
  }

  /** @internal */
  protected _is_offered(): boolean {
    return this._state === WAITING && this._waiter === null;
  }

  /** @internal */
  protected _add_waiter(waiter: Runnable): void {
    if (this._state === WAITING) this._waiter = waiter;
    else this._loop._schedule(waiter);
  }

  /** @internal */
  protected _cancellation(): CancelledError | null {
    return this._state === CANCELLED ? make_cancelled_error(this._value) : null;
  }

  /** @internal The `repr` of the future that it stands for. */
  protected _repr_waitable(): string {
    const state = ["pending", "pending", "finished result=null", "cancelled"][this._state];
    return `<Future ${state}${this._waiter === null ? "" : " cb=[Task.task_wakeup()]"}>`;
  }

  // The inherited method again, and last: an `await` searches the object and then each class, from its last method.
  /** @internal */
  override then<R1 = T, R2 = never>(
    on_fulfilled?: ((value: T) => R1 | PromiseLike<R1>) | null,
    on_rejected?: OnRejected<R2> | null,
  ): Promise<R1 | R2> {
    return typeof on_fulfilled === "function" && typeof on_rejected === "function"
      ? this._await(on_fulfilled, on_rejected) as Promise<R1 | R2>
      : super.then(on_fulfilled, on_rejected);
  }
}

/** A kind of operation that never has to wait: a function of the subject and the argument. */
export function instant<T, S, A>(
  name: string,
  call: (subject: S, argument: A) => T,
): Operation<T, S, A> {
  return {
    name,
    advance: (wait, thrown, value) =>
      thrown ? wait["_raise"](value) : wait["_return"](call(wait["_subject"], wait["_argument"])),
  };
}
