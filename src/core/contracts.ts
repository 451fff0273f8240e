/**
 * The interfaces by which the parts of the core use each other. This module imports nothing.
 *
 * @module
 */

/** An entry of a loop's ready queue: the loop runs it once. */
export interface Runnable {
  /** The name of its function in the report of an error, if it has one. */
  readonly label?: string;
  /** @internal */
  _run(): void;
}

/** A runnable with a time: an entry of a loop's heap of timers, dropped if it is cancelled. */
export interface Timed extends Runnable {
  /** @internal */
  _cancelled: boolean;
  /** @internal */
  _when: number;
  /** @internal */
  _scheduled: boolean;
}

/** Decides when the outcomes of native promises arrive at a loop: for a loop that explores. */
export interface Arrivals {
  /**
   * Takes an outcome that is there.
   *
   * @param waiter the wait for it, which the loop has noted as foreign
   * @param may_fail true if it may be replaced by an error
   * @param arrive is to be called once, with the error in its place or `NOTHING`
   */
  hold(waiter: object, may_fail: boolean, arrive: (failure: unknown) => void): void;
}

/** The part of a loop that the core uses. */
export interface LoopCore {
  /** Returns whether it is closed. */
  is_closed(): boolean;
  /** Makes a task of a coroutine, and returns it. */
  create_task(coroutine: never): unknown;
  /** @internal Decides when the outcomes of native promises arrive; `null` if they arrive at once. */
  readonly _arrivals: Arrivals | null;
  /** @internal Forgets a wait for something of the host. */
  _forget_foreign(wait: object): void;
  /** @internal Has it work by itself, without `run()`. */
  _ensure_ambient(): void;
  /** @internal Notes that a timer which it has is cancelled. */
  _timer_cancelled(timer: Timed): void;
  /** Reports an error that nothing handles. */
  call_exception_handler(context: Record<string, unknown>): void;
  /** @internal The moment at which the microtask queue was last seen to have run dry. */
  readonly _dry_moment: number;
  /** @internal The moment at which code that belongs to no task was last resumed by the library. */
  _loose_moment: number;
  /** @internal When a cancellation was last left to such code: its next await throws it. */
  _left_moment: number;
  /** @internal Returns whether code that belongs to no task is too late to begin an await: the loop is being shut down. */
  _refuses_await(): boolean;
  /** @internal Puts something in the ready queue. */
  _schedule(runnable: Runnable): void;
  /** @internal A step of this task continues outside of the loop's stack. */
  _begin_step(task: TaskCore, scope: Scope): void;
  /** @internal A step of this task has suspended: one of its continuations waits. */
  _end_step(task: TaskCore, continuation: Continuation): void;
  /** @internal Notes that a task has ended while awaits of its code are open. */
  _note_loose_awaits(task: TaskCore): void;
  /** @internal Has the loop notified when the microtask queue has run dry. */
  _watch_microtasks(): void;
}

/** The part of a future that the core uses. */
export interface FutureCore<T> extends PromiseLike<T> {
  /** Returns whether it has an outcome. */
  done(): boolean;
  /** Returns whether it is cancelled. */
  cancelled(): boolean;
  /** Returns the result, or throws. */
  result(): T;
  /** Cancels it; false if it is done. */
  cancel(message?: unknown): boolean;
  /** Calls a function when it is done. */
  add_done_callback(callback: () => void): void;
}

/** The part of a task that the core uses. */
export interface TaskCore extends Scope {
  /** @internal A state of the step protocol, see `core/steps.ts`. */
  _step: number;
  /** @internal The newest of its open awaits. */
  _newest: OpenAwait | null;
  /** @internal Made at the first `cancel()`. */
  _cancellation_state: CancellationStateCore | null;
  /** @internal The name of the function that it runs. */
  readonly _coroutine_name: string;
  /** Returns its name. */
  get_name(): string;
  /** Returns whether it is done. */
  done(): boolean;
  /** The number of requests for cancellation that have not been taken back. */
  cancelling(): number;
  /** Returns the context in which it runs. */
  get_context(): ContextCore;
  /** @internal Notes that a continuation runs now; returns the error to throw into it, or `NOTHING`. */
  _resume(continuation: Continuation): unknown;
  /** @internal Suspends a continuation on something that waits. */
  _suspend(continuation: Continuation, waitable: Waitable): void;
  /** @internal Suspends a continuation on what its coroutine yielded. */
  _suspend_on_yielded(continuation: Continuation, yielded: unknown): void;
}

/** The part of a task's cancellation state that the core uses. */
export interface CancellationStateCore {
  /** Leaves a cancellation pending. */
  add_pending(delivery: DeliveryCore): void;
  /** Notes a cancellation that an await has been rejected with. */
  add_thrown(delivery: DeliveryCore): void;
  /** @internal Takes what is to be thrown into a continuation at its resumption. */
  take_mark(continuation: Continuation): unknown;
  /** @internal Takes the cancellations that are pending for code of a scope; returns the latest that is due, or `null`. */
  take_pending(scope: Scope, must_wait: boolean): DeliveryCore | null;
  /** @internal The message of the latest cancellation that could not be thrown at once. */
  message: unknown;
}

/** The requests for cancellation that the blocks of a task have made and not taken back. */
export interface BlockRequestsCore {
  /** How many there are. */
  readonly count: number;
  /** Returns how many are of a block. */
  of(block: Scope): number;
  /** Counts one of a block. */
  add(block: Scope): void;
  /** Takes one of several of a block out of account. */
  take_back(block: Scope): void;
  /** Takes all of a block out of account. */
  forget(block: Scope): void;
}

/**
 * The extent of code that a cancellation reaches: a task, or a block inside it whose context manager
 * can cancel it.
 */
export interface Scope {
  /** @internal */
  readonly _loop: LoopCore;
  /** @internal The task to which the scope belongs; `null` for code that belongs to a loop alone. */
  readonly _owner: TaskCore | null;
  /** @internal The scope around it; `null` for a task. */
  readonly _parent: Scope | null;
  /** @internal The moment at which it began; for a block only. */
  readonly _begun: number;
  /** @internal The moment at which its own code was last resumed. */
  _resumed: number;
  /** @internal The moment at which an await last began in it. */
  _active: number;
  /** @internal True if it is a block that has ended. */
  readonly _ended: boolean;
  /** @internal True while it is a block that no cancellation of the code around it reaches. */
  _is_shielded?: boolean;
}

/** A cancellation on its way to the code of a scope. */
export interface DeliveryCore {
  readonly scope: Scope;
  readonly cancellation: { readonly message: unknown };
  /** True if the task's own running code requested it. */
  by_itself: boolean;
  /** The moment at which an await that it was delivered to was rejected; -1 before that. */
  thrown_at: number;
  /** True once the code has certainly got it. */
  is_known: boolean;
}

/** Something that a continuation can wait on: a future, or a coroutine of the library that is its own future. */
export interface Waitable {
  /** @internal */
  readonly _loop: LoopCore;
  /** @internal Returns whether it has just been yielded by `yield*`, and not by a plain `yield`. */
  _is_offered(): boolean;
  /** @internal Schedules a runnable when this is done. */
  _add_waiter(waiter: Runnable): void;
  /** @internal The cancellation that it ended with, or `null`. */
  _cancellation(): Error | null;
  /** @internal Passes a cancellation on to it; false if it is done. */
  _cancel_for(delivery: DeliveryCore): boolean;
  /** @internal True if it may return a value although it has been cancelled. */
  readonly _may_fulfil: boolean;
  /** @internal True if it has exactly one waiter, so that an older await may cancel it. */
  readonly _is_owned: boolean;
  /** @internal Returns whether it is not done. */
  _is_waiting(): boolean;
  /** @internal A promise of its end, if a cancellation does not end it. */
  _ending?(): PromiseLike<unknown> | null;
  /** @internal The futures whose ends end it: of `gather()`. */
  readonly _children?: readonly Waitable[];
  /** @internal Removes a waiter; for what may have several. */
  _remove_waiter(waiter: Runnable): void;
}

/** A context of context variables. */
export interface ContextCore {
  /** Calls a function in this context. */
  run<A extends unknown[], R>(callable: (...args: A) => R, ...args: A): R;
}

/** Suspended code of a task: it is resumed in a step when what it waits on is done. */
export interface Continuation extends Runnable {
  /** @internal The waitable that is waited on; `null` when it only waits for its next step, or does not wait. */
  _waiting: Waitable | null;
  /** @internal The scope in which it waits. */
  _scope: Scope;
  /** @internal The moment at which it began to wait; 0 while it does not. */
  _begun: number;
}

/** The continuation of an await of native code, of which a task may have several at a time. */
export interface OpenAwait extends Continuation {
  /** @internal Its neighbours among the task's open awaits. */
  _older: OpenAwait | null;
  /** @internal */
  _newer: OpenAwait | null;
  /** @internal Cancels it when the code belongs to no task any more; a promise if it ends later. */
  _cancel_outside(): PromiseLike<unknown> | null;
}

/**
 * A function that is passed the reason of a rejection. Its parameter may have a narrower type, such as `Error`, as
 * with a promise; without one it is `unknown`.
 *
 * @category Coroutines
 */
export type OnRejected<R> = {
  // A method's parameters are compared both ways.
  on_rejected(reason: unknown): R | PromiseLike<R>;
}["on_rejected"];

/** Stands for "no error" where an error may be any value. */
export const NOTHING: unique symbol = Symbol("nothing");
