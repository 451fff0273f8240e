/**
 * Synchronisation primitives.
 *
 * All are fair: waiters are woken in the order in which they began to wait. A wait can be cancelled at
 * any moment; a permit or a wake-up that was being delivered to it is passed on to the next waiter.
 *
 * Calls that CPython makes by `self.` are virtual here, too: a subclass that overrides `acquire()` is
 * entered by its own. The usual case, in which nothing is overridden, is recognised and takes no detour.
 *
 * @module
 */

import {
  Coroutine,
  is_generator,
  isawaitable,
  library_coroutine,
  wait_on,
} from "./core/coroutines.ts";
import { instant, type Operation, Suspension } from "./core/suspensions.ts";
import { is_cancellation, is_cancelled_error } from "./core/cancellation.ts";
import { BrokenBarrierError, RuntimeError, ValueError } from "./core/exceptions.ts";
import { LoopBound } from "./core/mixins.ts";
import { WaitQueue } from "./core/wait_queue.ts";
import { repr } from "./internal/format_helpers.ts";
import { check_function } from "./internal/functions.ts";
import { number_argument } from "./internal/numbers.ts";
import { keyword_or_positional } from "./internal/options.ts";
import { repeat_wait } from "./internal/repeated_waits.ts";
import { check_object } from "./internal/unbound.ts";

interface Releasable {
  release(): void;
}

/**
 * Releases what was acquired, once: the result of `acquire()`.
 *
 * It is a `Disposable`: `using _ = await lock.acquire();` releases at the end of the block, by the
 * `release()` of the primitive.
 *
 * @category Synchronisation
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * const lock = new asyncio.Lock();
 * {
 *   using _ = await lock.acquire();
 *   assertEquals(lock.locked(), true);
 * }
 * assertEquals(lock.locked(), false);
 * ```
 */
export class Permit implements Disposable {
  #primitive: Releasable | null;

  /** @internal Made by `acquire()`. */
  constructor(primitive: Releasable) {
    this.#primitive = primitive;
  }

  /** Calls the primitive's `release()`; does nothing the second time. */
  [Symbol.dispose](): void {
    const primitive = this.#primitive;
    this.#primitive = null;
    primitive?.release();
  }
}

/**
 * A primitive that `async_with()` acquires and releases, by its methods `acquire()` and `release()`.
 *
 * @category Synchronisation
 */
export abstract class Acquirable extends LoopBound {
  /** Acquires the primitive, and waits for it if need be. */
  abstract acquire(): Coroutine<Permit>;
  /** Releases the primitive. */
  abstract release(): void;

  /** Calls and awaits `acquire()`, for `async_with()`. */
  __aenter__(): Coroutine<null> {
    return library_coroutine("__aenter__", enter(this));
  }

  /** Calls `release()`, for `async_with()`. */
  __aexit__(_error: unknown): Coroutine<void> {
    return new Suspension(RELEASE, this, null);
  }

  /** @internal Returns whether `__aexit__` is not overridden, and so does not wait. */
  protected get _exits_at_once(): boolean {
    return this.__aexit__ === Acquirable.prototype.__aexit__;
  }

  /** @internal Ends the block. */
  protected _exit(_error: unknown): void {
    this.release();
  }
}

const RELEASE = /* @__PURE__ */ instant(
  "__aexit__",
  (primitive: Releasable, _: null) => primitive.release(),
);

function* enter(primitive: Acquirable): Generator<unknown, null, unknown> {
  yield* wait_on(primitive.acquire());
  return null;
}

/** Returns a permit, if that is its argument; `null` for a block of `async_with()`. */
const ACQUIRE_LOCK: Operation<Permit | null, Lock, boolean> = {
  name: "Lock.acquire",
  advance(wait, thrown, value) {
    const lock = wait["_subject"];
    if (!wait["_has_waited"]) {
      if (thrown) return wait["_raise"](value);
      if (!lock["_try_acquire"]()) return lock["_waiters"].wait(wait, lock);
    } else {
      lock["_waiters"].remove(wait);
      const error = wait["_error_of_wait"](thrown, value);
      if (error !== null) {
        if (is_cancellation(error) && !lock["_is_locked"]) lock["_wake_first"]();
        return wait["_raise"](error);
      }
      lock["_is_locked"] = true;
    }
    return wait["_return"](wait["_argument"] ? new Permit(lock) : null);
  },
};

/**
 * A mutual exclusion lock: at most one task holds it.
 *
 * It is fair: waiters acquire it in the order in which they called `acquire()`. A cancelled `acquire()`
 * leaves the lock as it was; if the lock was being passed to it, the next waiter acquires it.
 *
 * See {@link https://docs.python.org/3/library/asyncio-sync.html#asyncio.Lock Python's Lock}.
 *
 * @category Synchronisation
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * const lock = new asyncio.Lock();
 * let balance = 10;
 * const withdraw = (amount: number) =>
 *   asyncio.async_with(lock, async () => {
 *     const read = balance;
 *     await asyncio.sleep(0.001);
 *     balance = read - amount;
 *   });
 * await asyncio.run(() => asyncio.gather(withdraw(3), withdraw(4)));
 * assertEquals(balance, 3);
 * ```
 */
export class Lock extends Acquirable {
  /** @internal */
  static override get name(): string {
    return "Lock";
  }

  /** @internal */
  protected readonly _waiters: WaitQueue = new WaitQueue();
  /** @internal */
  protected _is_locked = false;

  /** Returns whether the lock is held. */
  locked(): boolean {
    return this._is_locked;
  }

  /**
   * Acquires the lock, and waits until it is released if it is held.
   *
   * Cancelled, it leaves the lock as it was.
   *
   * @returns a coroutine of a {@linkcode Permit}, which can release the lock
   * @throws {RuntimeError} if it has to wait and the lock is bound to a different loop
   */
  override acquire(): Coroutine<Permit> {
    return new Suspension(ACQUIRE_LOCK, this, true) as Coroutine<Permit>;
  }

  /** Calls and awaits `acquire()`, for `async_with()`. */
  override __aenter__(): Coroutine<null> {
    return this.acquire === Lock.prototype.acquire
      ? new Suspension(ACQUIRE_LOCK, this, false) as Coroutine<null>
      : super.__aenter__();
  }

  /**
   * Releases the lock and wakes the first waiter.
   *
   * @throws {RuntimeError} if the lock is not held
   */
  override release(this: object): void;
  override release(): void {
    check_object(this instanceof Lock, "release");
    if (!this._is_locked) throw new RuntimeError("Lock is not acquired.");
    this._is_locked = false;
    this._wake_first();
  }

  /** @internal Acquires the lock if it is free and every waiter has been cancelled. */
  protected _try_acquire(): boolean {
    if (this._is_locked || this._waiters.any_not_cancelled()) return false;
    return this._is_locked = true;
  }

  /** @internal */
  protected _wake_first(): void {
    this._waiters.first?.["_wake"]();
  }

  /** Python's `repr`. */
  override toString(): string {
    return format(this, this._is_locked ? "locked" : "unlocked", this._waiters);
  }
}

function format(primitive: object, state: string, waiters: WaitQueue): string {
  const waiting = waiters.length > 0 ? `, waiters:${waiters.length}` : "";
  return `<${primitive.constructor.name} [${state}${waiting}]>`;
}

const WAIT_FOR_EVENT: Operation<true, Event, null> = {
  name: "Event.wait",
  advance(wait, thrown, value) {
    const event = wait["_subject"];
    if (!wait["_has_waited"]) {
      if (thrown) return wait["_raise"](value);
      if (!event["_value"]) return event["_waiters"].wait(wait, event);
    } else {
      event["_waiters"].remove(wait);
      const error = wait["_error_of_wait"](thrown, value);
      if (error !== null) return wait["_raise"](error);
    }
    return wait["_return"](true);
  },
};

/**
 * A flag that tasks can wait for.
 *
 * `set()` wakes all waiters, in the order in which they began to wait. A cancelled `wait()` leaves the
 * event as it was.
 *
 * See {@link https://docs.python.org/3/library/asyncio-sync.html#asyncio.Event Python's Event}.
 *
 * @category Synchronisation
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * await asyncio.run(async () => {
 *   const ready = new asyncio.Event();
 *   const waiter = asyncio.create_task(ready.wait());
 *   ready.set();
 *   assertEquals(await waiter, true);
 * });
 * ```
 */
export class Event extends LoopBound {
  /** @internal */
  static override get name(): string {
    return "Event";
  }

  /** @internal */
  protected readonly _waiters: WaitQueue = new WaitQueue();
  /** @internal */
  protected _value = false;

  /** Returns whether the flag is set. */
  is_set(): boolean {
    return this._value;
  }

  /** Sets the flag and wakes all waiters. */
  set(this: object): void;
  set(): void {
    check_object(this instanceof Event, "set");
    if (this._value) return;
    this._value = true;
    while (this._waiters.wake_next()) { /* all of them */ }
  }

  /** Clears the flag: calls of `wait()` from now on wait for the next `set()`. */
  clear(this: object): void;
  clear(): void {
    check_object(this instanceof Event, "clear");
    this._value = false;
  }

  /**
   * Waits until the flag is set; returns at once if it is.
   *
   * As in CPython it does not call `is_set()`. Cancelled, it leaves the event as it was.
   *
   * @returns a coroutine of `true`
   * @throws {RuntimeError} if it has to wait and the event is bound to a different loop
   */
  wait(): Coroutine<true> {
    return new Suspension(WAIT_FOR_EVENT, this, null);
  }

  /** Python's `repr`. */
  override toString(): string {
    return format(this, this._value ? "set" : "unset", this._waiters);
  }
}

/** Returns a permit, if that is its argument; `null` for a block of `async_with()`. */
const ACQUIRE_SEMAPHORE: Operation<Permit | null, Semaphore, boolean> = {
  name: "Semaphore.acquire",
  advance(wait, thrown, value) {
    const semaphore = wait["_subject"];
    if (!wait["_has_waited"]) {
      if (thrown) return wait["_raise"](value);
      if (semaphore.locked()) return semaphore["_waiters"].wait(wait, semaphore);
      semaphore["_value"]--;
    } else {
      semaphore["_waiters"].remove(wait);
      const error = wait["_error_of_wait"](thrown, value);
      // A permit that was being passed to this waiter is returned, and passed on to the next one.
      if (is_cancellation(error) && !wait["_was_cancelled"]()) semaphore["_value"]++;
      semaphore["_pass_on"]();
      if (error !== null) return wait["_raise"](error);
    }
    return wait["_return"](wait["_argument"] ? new Permit(semaphore) : null);
  },
};

/**
 * A counter of permits, which limits how many tasks do something at the same time.
 *
 * It is fair: waiters get permits in the order in which they called `acquire()`, and later callers do not
 * overtake them. A cancelled `acquire()` takes no permit; one that was being passed to it goes to the
 * next waiter.
 *
 * See {@link https://docs.python.org/3/library/asyncio-sync.html#asyncio.Semaphore Python's Semaphore}.
 *
 * @category Synchronisation
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * const limit = new asyncio.Semaphore(2);
 * let active = 0;
 * let most = 0;
 * const work = () =>
 *   asyncio.async_with(limit, async () => {
 *     most = Math.max(most, ++active);
 *     await asyncio.sleep(0.001);
 *     active--;
 *   });
 * await asyncio.run(() => asyncio.gather(work(), work(), work(), work()));
 * assertEquals(most, 2);
 * ```
 */
export class Semaphore extends Acquirable {
  /** @internal */
  static override get name(): string {
    return "Semaphore";
  }

  /** @internal */
  protected readonly _waiters: WaitQueue = new WaitQueue();
  /** @internal */
  protected _value: number;

  /**
   * Makes a semaphore.
   *
   * @param value the number of permits, 1 by default; `Infinity` sets no limit. By name: `{ value }`
   * @throws {ValueError} if it is below zero or a fraction
   * @throws {TypeError} if it is not a number
   */
  constructor(value: number | { readonly value?: number } = 1) {
    super();
    this._value = initial_permits(new.target.name, value);
  }

  /** Returns whether `acquire()` would have to wait: there is no permit, or others wait for one. */
  locked(): boolean {
    return this._value === 0 || this._waiters.any_not_cancelled();
  }

  /**
   * Acquires a permit, and waits for one while `locked()` is true.
   *
   * Cancelled, it takes none.
   *
   * @returns a coroutine of a {@linkcode Permit}, which can release it
   * @throws {RuntimeError} if it has to wait and the semaphore is bound to a different loop
   */
  override acquire(): Coroutine<Permit> {
    return new Suspension(ACQUIRE_SEMAPHORE, this, true) as Coroutine<Permit>;
  }

  /** Calls and awaits `acquire()`, for `async_with()`. */
  override __aenter__(): Coroutine<null> {
    return this.acquire === Semaphore.prototype.acquire
      ? new Suspension(ACQUIRE_SEMAPHORE, this, false) as Coroutine<null>
      : super.__aenter__();
  }

  /** Returns a permit and wakes the first waiter. */
  override release(this: object): void;
  override release(): void {
    check_object(this instanceof Semaphore, "release");
    this._value++;
    this._pass_one_on();
  }

  /** @internal Passes a permit to the first waiter that still waits. */
  protected _pass_one_on(): boolean {
    if (!this._waiters.wake_next()) return false;
    this._value--;
    return true;
  }

  /** @internal Passes all free permits to waiters. */
  protected _pass_on(): void {
    while (this._value > 0 && this._pass_one_on()) { /* as many as there are */ }
  }

  /** Python's `repr`. */
  override toString(): string {
    const state = this.locked() ? "locked" : `unlocked, value:${this._value}`;
    return format(this, state, this._waiters);
  }
}

function initial_permits(name: string, given: number | { readonly value?: number }): number {
  const value = number_argument(name, "value", given, 1);
  if (value < 0) throw new ValueError("Semaphore initial value must be >= 0");
  // CPython takes a fraction, which never becomes zero: no limit at all.
  if (!Number.isInteger(value) && value !== Infinity) {
    throw new ValueError(
      `Cannot call ${name}(): value must be an integer or Infinity: received ${value}`,
    );
  }
  return value;
}

/**
 * A semaphore that cannot be released more often than it was acquired.
 *
 * Its fairness and its behaviour under cancellation are those of {@linkcode Semaphore}.
 *
 * See {@link https://docs.python.org/3/library/asyncio-sync.html#asyncio.BoundedSemaphore Python's BoundedSemaphore}.
 *
 * @category Synchronisation
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { assertThrows } from "@std/assert";
 *
 * const limit = new asyncio.BoundedSemaphore(2);
 * assertThrows(() => limit.release(), asyncio.ValueError);
 * ```
 */
export class BoundedSemaphore extends Semaphore {
  /** @internal */
  static override get name(): string {
    return "BoundedSemaphore";
  }

  readonly #bound: number;

  /**
   * Makes a semaphore.
   *
   * @param value the number of permits, which is also their maximum; 1 by default. By name: `{ value }`
   * @throws {ValueError} if it is below zero or a fraction
   * @throws {TypeError} if it is not a number
   */
  constructor(value: number | { readonly value?: number } = 1) {
    super(value);
    this.#bound = this._value;
  }

  /**
   * Returns a permit and wakes the first waiter.
   *
   * @throws {ValueError} if no permit is taken
   */
  override release(this: object): void;
  override release(): void {
    check_object(this instanceof BoundedSemaphore, "release");
    if (this._value >= this.#bound) {
      throw new ValueError("BoundedSemaphore released too many times");
    }
    super.release();
  }
}

const WAIT_FOR_NOTIFICATION: Operation<void, Condition, null> = {
  name: "Condition.wait",
  advance(wait, thrown, value) {
    const condition = wait["_subject"];
    if (!wait["_has_waited"]) {
      if (thrown) return wait["_raise"](value);
      return condition["_waiters"].wait(wait, condition);
    }
    condition["_waiters"].remove(wait);
    const error = wait["_error_of_wait"](thrown, value);
    return error === null ? wait["_return"](undefined) : wait["_raise"](error);
  },
};

/**
 * The lock of a {@linkcode Condition}: a {@linkcode Lock}, or any object with these methods.
 *
 * @category Synchronisation
 */
export interface LockLike {
  /** Acquires the lock, and waits for it if need be; its result is not used. */
  acquire(): PromiseLike<unknown>;
  /** Releases the lock. */
  release(): void;
  /** Returns whether the lock is held. */
  locked(): boolean;
}

function is_lock(value: unknown): value is LockLike {
  const { acquire, release, locked } = Object(value) as { [K in keyof LockLike]?: unknown };
  return typeof acquire === "function" && typeof release === "function" &&
    typeof locked === "function";
}

function* acquire_for(condition: Condition, lock: LockLike): Generator<unknown, Permit, unknown> {
  yield* wait_on(lock.acquire());
  return new Permit(condition);
}

/**
 * A condition variable: tasks that hold its lock wait until others notify them.
 *
 * It is fair: `notify()` wakes waiters in the order in which they began to wait. A cancelled `wait()`
 * acquires the lock again before its `CancelledError` is thrown, and passes on a notification that it
 * has received.
 *
 * See {@link https://docs.python.org/3/library/asyncio-sync.html#asyncio.Condition Python's Condition}.
 *
 * @category Synchronisation
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * await asyncio.run(async () => {
 *   const condition = new asyncio.Condition();
 *   const stock: string[] = [];
 *   const buyer = asyncio.create_task(asyncio.async_with(condition, async () => {
 *     await condition.wait_for(() => stock.length > 0);
 *     return stock.pop();
 *   }));
 *   await asyncio.sleep(0);
 *   await asyncio.async_with(condition, async () => {
 *     stock.push("tea");
 *     condition.notify();
 *   });
 *   assertEquals(await buyer, "tea");
 * });
 * ```
 */
export class Condition extends Acquirable {
  /** @internal */
  static override get name(): string {
    return "Condition";
  }

  /** @internal */
  protected readonly _waiters: WaitQueue = new WaitQueue();
  readonly #lock: LockLike;

  /**
   * Makes a condition.
   *
   * @param lock a lock, or any object with `acquire()`, `release()` and `locked()`; by default a new
   * `Lock`. By name: `{ lock }`
   * @throws {TypeError} if it has not these methods
   */
  constructor(lock: LockLike | { readonly lock?: LockLike | null } | null = null) {
    super();
    const given = is_lock(lock)
      ? lock
      : keyword_or_positional<"lock", LockLike | null>("Condition", "lock", lock);
    if (given !== null && given !== undefined && !is_lock(given)) {
      throw new TypeError(
        "Cannot call Condition(): lock must have the methods acquire(), release() and locked(): " +
          `received ${repr(given)}`,
      );
    }
    this.#lock = given ?? new Lock();
  }

  /** Returns whether the lock is held. */
  locked(): boolean {
    return this.#lock.locked();
  }

  /**
   * Acquires the lock, by its `acquire()`.
   *
   * Cancelled, it leaves the lock as it was.
   *
   * @returns a coroutine of a {@linkcode Permit}, which can release the lock
   */
  override acquire(): Coroutine<Permit> {
    const lock = this.#lock;
    return lock instanceof Acquirable
      ? (lock as Acquirable).acquire()
      : library_coroutine("Condition.acquire", acquire_for(this, lock));
  }

  /** Calls and awaits `acquire()`, for `async_with()`. */
  override __aenter__(): Coroutine<null> {
    const lock = this.#lock;
    return this.acquire === Condition.prototype.acquire && lock instanceof Lock &&
        lock.acquire === Lock.prototype.acquire
      ? new Suspension(ACQUIRE_LOCK, lock, false) as Coroutine<null>
      : super.__aenter__();
  }

  /**
   * Releases the lock, by its `release()`.
   *
   * @throws {RuntimeError} if the lock is not held
   */
  override release(this: object): void;
  override release(): void {
    check_object(this instanceof Condition, "release");
    this.#lock.release();
  }

  /**
   * Releases the lock, waits for a notification, and acquires the lock again.
   *
   * Cancelled, it acquires the lock again before it throws, and passes on a notification that it has
   * received.
   *
   * @returns a coroutine of `true`
   * @throws {RuntimeError} if the lock is not held, or the condition is bound to a different loop
   */
  wait(): Coroutine<true> {
    return library_coroutine("Condition.wait", this.#wait());
  }

  *#wait(): Generator<unknown, true, unknown> {
    if (!this.locked()) throw new RuntimeError("cannot wait on un-acquired lock");
    this._get_loop();
    this.release();
    let failure: { error: unknown } | null = null;
    try {
      yield* new Suspension(WAIT_FOR_NOTIFICATION, this, null);
    } catch (error) {
      failure = { error };
    }
    // The lock is acquired again whatever happens; of several cancellations the latest is thrown.
    for (;;) {
      const acquiring = this.acquire();
      if (failure !== null) repeat_wait(acquiring);
      try {
        yield* wait_on(acquiring);
        break;
      } catch (error) {
        failure = { error };
        if (!is_cancelled_error(error)) break;
      }
    }
    if (failure === null) return true;
    // This waiter may have received a notification, of which it makes no use.
    this.#notify(1);
    throw failure.error;
  }

  /**
   * Waits until a predicate returns a true value; calls it first at once, then after each notification.
   *
   * The predicate runs in the task that waits, with the lock held. It may throw: then the lock is held,
   * and a notification that the task has received is passed on to the next waiter. Cancelled, it behaves
   * as `wait()`.
   *
   * @param predicate a function that returns its result at once; a promise is always true and refused
   * @returns a coroutine of the last result of the predicate
   * @throws {TypeError} if the predicate is not a function, or returns something to be awaited
   * @throws {RuntimeError} if it has to wait and the lock is not held
   */
  wait_for<T>(
    predicate:
      & (() => T)
      & (unknown extends T ? unknown
        : [Extract<T, PromiseLike<unknown>>] extends [never] ? unknown
        : "return what is true now, not a promise"),
  ): Coroutine<T> {
    check_function("wait_for", "predicate", predicate);
    return library_coroutine("Condition.wait_for", this.#wait_for(predicate));
  }

  *#wait_for<T>(predicate: () => T): Generator<unknown, T, unknown> {
    let result = evaluate(predicate);
    while (!result) {
      yield* wait_on(this.wait());
      try {
        result = evaluate(predicate);
      } catch (error) {
        // CPython loses the notification here: the next waiter would never be woken.
        this.#notify(1);
        throw error;
      }
    }
    return result;
  }

  /**
   * Wakes waiters, in the order in which they began to wait; they resume when they have the lock.
   *
   * @param n the maximal number of waiters to wake, 1 by default. By name: `{ n }`
   * @throws {RuntimeError} if the lock is not held
   * @throws {TypeError} if `n` is not a number
   */
  notify(this: object, n?: number | { readonly n?: number }): void;
  notify(n: number | { readonly n?: number } = 1): void {
    check_object(this instanceof Condition, "notify");
    const count = number_argument("notify", "n", n, 1);
    if (!this.locked()) throw new RuntimeError("cannot notify on un-acquired lock");
    this.#notify(count);
  }

  #notify(n: number): void {
    for (let woken = 0; woken < n && this._waiters.wake_next(); woken++) { /* the next */ }
  }

  /**
   * Wakes all waiters.
   *
   * @throws {RuntimeError} if the lock is not held
   */
  notify_all(this: object): void;
  notify_all(): void {
    check_object(this instanceof Condition, "notify_all");
    this.notify(this._waiters.length);
  }

  /** Python's `repr`. */
  override toString(): string {
    return format(this, this.locked() ? "locked" : "unlocked", this._waiters);
  }
}

function evaluate<T>(predicate: () => T): T {
  const result = predicate();
  if (!isawaitable(result) && !is_generator(result)) return result;
  // Its error has no other recipient than this one.
  if (result instanceof Coroutine) result.close();
  else if (result instanceof Promise) result.catch(() => {});
  throw new TypeError(
    "Cannot wait for a predicate that returns something to be awaited, which is always true: write " +
      `\`while (!(await predicate())) await condition.wait();\`: received ${repr(result)}`,
  );
}

const LEAVE_BARRIER = /* @__PURE__ */ instant("Barrier.__aexit__", (_: Barrier, _none: null) => {});

type BarrierState = "filling" | "draining" | "resetting" | "broken";

/**
 * A barrier: tasks wait at it until a given number of them do, then all resume.
 *
 * It can be used again and again; a task that arrives while the tasks of the previous round leave waits
 * for the next round. A task that is cancelled leaves, and the others wait for one more.
 *
 * See {@link https://docs.python.org/3/library/asyncio-sync.html#asyncio.Barrier Python's Barrier}.
 *
 * @category Synchronisation
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * await asyncio.run(async () => {
 *   const barrier = new asyncio.Barrier(3);
 *   const places = await asyncio.gather(barrier.wait(), barrier.wait(), barrier.wait());
 *   assertEquals(places.toSorted(), [0, 1, 2]);
 * });
 * ```
 */
export class Barrier extends LoopBound {
  /** @internal */
  static override get name(): string {
    return "Barrier";
  }

  readonly #condition = new Condition();
  readonly #parties: number;
  #state: BarrierState = "filling";
  // The number of tasks inside: those that wait, and those that have been released and not left yet.
  #count = 0;

  /**
   * Makes a barrier.
   *
   * @param parties the number of tasks that it takes to pass. By name: `{ parties }`
   * @throws {ValueError} if it is below one or not an integer
   * @throws {TypeError} if it is not a number
   */
  constructor(parties: number | { readonly parties: number }) {
    super();
    const count = number_argument("Barrier", "parties", parties, undefined);
    if (count < 1) throw new ValueError("parties must be >= 1");
    if (!Number.isInteger(count)) {
      throw new ValueError(`Cannot call Barrier(): parties must be an integer: received ${count}`);
    }
    this.#parties = count;
  }

  /** The number of tasks that it takes to pass. */
  get parties(): number {
    return this.#parties;
  }

  /** The number of tasks that wait. */
  get n_waiting(): number {
    return this.#state === "filling" ? this.#count : 0;
  }

  /** True if the barrier was aborted and not reset since. */
  get broken(): boolean {
    return this.#state === "broken";
  }

  /**
   * Waits until as many tasks wait as there are parties.
   *
   * Cancelled, the task leaves; the others wait for one more.
   *
   * @returns a coroutine of the task's index in the order of arrival, from 0
   * @throws {BrokenBarrierError} if the barrier is broken, or is aborted or reset while the task waits
   */
  wait(): Coroutine<number> {
    return library_coroutine("Barrier.wait", this.#wait());
  }

  /** Calls `wait()`, for `async_with()`; the block is given the index. */
  __aenter__(): Coroutine<number> {
    return this.wait();
  }

  /** Does nothing. */
  __aexit__(_error: unknown): Coroutine<void> {
    return new Suspension(LEAVE_BARRIER, this, null);
  }

  *#holding_lock<T>(body: () => Generator<unknown, T, unknown>): Generator<unknown, T, unknown> {
    yield* this.#condition.acquire();
    try {
      return yield* body();
    } finally {
      this.#condition.release();
    }
  }

  *#wait(): Generator<unknown, number, unknown> {
    return yield* this.#holding_lock(() => this.#arrive());
  }

  *#arrive(): Generator<unknown, number, unknown> {
    // Until the tasks of the previous round have left.
    yield* this.#condition.wait_for(() =>
      this.#state !== "draining" && this.#state !== "resetting"
    );
    if (this.broken) throw new BrokenBarrierError("Barrier aborted");
    try {
      const index = this.#count++;
      if (index + 1 === this.#parties) {
        this.#state = "draining";
        this.#condition.notify_all();
      } else {
        yield* this.#condition.wait_for(() => this.#state !== "filling");
        if (this.broken || this.#state as BarrierState === "resetting") {
          throw new BrokenBarrierError("Abort or reset of barrier");
        }
      }
      return index;
    } finally {
      this.#count--;
      this.#leave();
    }
  }

  #leave(): void {
    if (this.#count > 0) return;
    if (this.#state === "resetting" || this.#state === "draining") this.#state = "filling";
    this.#condition.notify_all();
  }

  /**
   * Returns the barrier to its initial state; waiters get a {@linkcode BrokenBarrierError}.
   *
   * It acquires the barrier's lock; cancelled while it waits for that, it changes nothing.
   */
  reset(): Coroutine<void> {
    return this.#change("Barrier.reset", () => {
      this.#state = this.#count > 0 ? "resetting" : "filling";
    });
  }

  /**
   * Breaks the barrier: waiters and later callers of `wait()` get a {@linkcode BrokenBarrierError}.
   *
   * It acquires the barrier's lock; cancelled while it waits for that, it changes nothing.
   */
  abort(): Coroutine<void> {
    return this.#change("Barrier.abort", () => {
      this.#state = "broken";
    });
  }

  #change(name: string, change: () => void): Coroutine<void> {
    // deno-lint-ignore require-yield -- runs while the lock is held
    const body = function* (this: Barrier): Generator<unknown, void, unknown> {
      change();
      this.#condition.notify_all();
    };
    return library_coroutine(name, this.#holding_lock(() => body.call(this)));
  }

  /** Python's `repr`. */
  override toString(): string {
    const waiting = this.broken ? "" : `, waiters:${this.n_waiting}/${this.parties}`;
    return `<${this.constructor.name} [${this.#state}${waiting}]>`;
  }
}
