/**
 * Synchronisation primitives.
 *
 * All are fair: who waits first is woken first. A wait can be cancelled at any moment; a permit or a
 * wake-up that was on its way to it goes to the next who waits.
 *
 * @module
 */

import {
  type Coroutine,
  instant,
  library_coroutine,
  type Operation,
  Suspension,
} from "./core/coroutines.ts";
import { is_cancellation } from "./core/cancellation.ts";
import { BrokenBarrierError, CancelledError, RuntimeError, ValueError } from "./core/exceptions.ts";
import { repr } from "./internal/format_helpers.ts";
import { LoopBound } from "./core/mixins.ts";
import { Waiters } from "./core/waiters.ts";

/** What can be acquired and released. */
interface Releasable {
  release(): void;
}

/**
 * What `acquire()` gives: it releases what was acquired, once.
 *
 * It is a `Disposable`: `using _ = await lock.acquire();` releases at the end of the block.
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

  /** Releases what was acquired; a second time it does nothing. */
  [Symbol.dispose](): void {
    const primitive = this.#primitive;
    this.#primitive = null;
    primitive?.release();
  }
}

/**
 * A primitive that `async_with()` acquires and releases.
 *
 * @category Synchronisation
 */
export abstract class Acquirable extends LoopBound {
  /** Acquires it, waiting as long as it takes. */
  abstract acquire(): Coroutine<Permit>;
  /** Releases it. */
  abstract release(): void;

  /** Acquires it, for `async_with()`. */
  abstract __aenter__(): Coroutine<null>;

  /** Releases it, for `async_with()`. */
  __aexit__(_error: unknown): Coroutine<void> {
    return new Suspension(RELEASE, this, null);
  }
}

const RELEASE = /* @__PURE__ */ instant(
  "__aexit__",
  (primitive: Releasable, _: null) => primitive.release(),
);

/** Gives a permit, if that is its argument; `null` to a block that `async_with()` runs. */
const ACQUIRE_LOCK: Operation<Permit | null, Lock, boolean> = {
  name: "Lock.acquire",
  advance(wait, thrown, value) {
    const lock = wait._subject;
    if (!wait._has_waited) {
      if (thrown) return wait._raise(value);
      if (!lock._try_acquire()) return lock._waiters.wait(wait, lock);
    } else {
      lock._waiters.remove(wait);
      const error = wait._error_of_wait(thrown, value);
      if (error !== null) {
        if (is_cancellation(error) && !lock.locked()) lock._wake_first();
        return wait._raise(error);
      }
      lock._set_locked();
    }
    return wait._return(wait._argument ? new Permit(lock) : null);
  },
};

/**
 * A lock: one task at a time holds it.
 *
 * Tasks get it in the order in which they asked. A cancelled `acquire()` leaves the lock as it was.
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
  readonly _waiters: Waiters = new Waiters();
  #locked = false;

  /** Whether somebody holds the lock. */
  locked(): boolean {
    return this.#locked;
  }

  /**
   * Waits until the lock is free and takes it. Cancelled, it leaves the lock as it was.
   *
   * @returns a {@linkcode Permit}, by which it can be released
   */
  override acquire(): Coroutine<Permit> {
    return new Suspension(ACQUIRE_LOCK, this, true) as Coroutine<Permit>;
  }

  /** Waits for the lock and takes it, for `async_with()`. */
  override __aenter__(): Coroutine<null> {
    return new Suspension(ACQUIRE_LOCK, this, false) as Coroutine<null>;
  }

  /**
   * Gives the lock back; the first who waits gets it.
   *
   * @throws {RuntimeError} if nobody holds it
   */
  override release(): void {
    if (!this.#locked) throw new RuntimeError("Lock is not acquired.");
    this.#locked = false;
    this._wake_first();
  }

  /** @internal Takes the lock if it is free and nobody waits who has not been cancelled. */
  _try_acquire(): boolean {
    if (this.#locked || this._waiters.any_not_cancelled()) return false;
    return this.#locked = true;
  }

  /** @internal */
  _set_locked(): void {
    this.#locked = true;
  }

  /** @internal */
  _wake_first(): void {
    this._waiters.first?._wake();
  }

  /** Python's `repr`. */
  override toString(): string {
    return format(this, this.#locked ? "locked" : "unlocked", this._waiters);
  }
}

function format(primitive: object, state: string, waiters: Waiters): string {
  const waiting = waiters.length > 0 ? `, waiters:${waiters.length}` : "";
  return `<${primitive.constructor.name} [${state}${waiting}]>`;
}

const WAIT_FOR_EVENT: Operation<true, Event, null> = {
  name: "Event.wait",
  advance(wait, thrown, value) {
    const event = wait._subject;
    if (!wait._has_waited) {
      if (thrown) return wait._raise(value);
      if (!event.is_set()) return event._waiters.wait(wait, event);
    } else {
      event._waiters.remove(wait);
      const error = wait._error_of_wait(thrown, value);
      if (error !== null) return wait._raise(error);
    }
    return wait._return(true);
  },
};

/**
 * A flag that tasks can wait for.
 *
 * `set()` wakes all who wait, in the order in which they came.
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
  readonly _waiters: Waiters = new Waiters();
  #value = false;

  /** Whether the flag is set. */
  is_set(): boolean {
    return this.#value;
  }

  /** Sets the flag and wakes all who wait for it. */
  set(): void {
    if (this.#value) return;
    this.#value = true;
    while (this._waiters.wake_next()) { /* all of them */ }
  }

  /** Clears the flag: who waits from now on waits for the next `set()`. */
  clear(): void {
    this.#value = false;
  }

  /** Waits until the flag is set; resolves to true. Cancelled, it leaves the event as it is. */
  wait(): Coroutine<true> {
    return new Suspension(WAIT_FOR_EVENT, this, null);
  }

  /** Python's `repr`. */
  override toString(): string {
    return format(this, this.#value ? "set" : "unset", this._waiters);
  }
}

/** Gives a permit, if that is its argument; `null` to a block that `async_with()` runs. */
const ACQUIRE_SEMAPHORE: Operation<Permit | null, Semaphore, boolean> = {
  name: "Semaphore.acquire",
  advance(wait, thrown, value) {
    const semaphore = wait._subject;
    if (!wait._has_waited) {
      if (thrown) return wait._raise(value);
      if (semaphore.locked()) return semaphore._waiters.wait(wait, semaphore);
      semaphore._take();
    } else {
      semaphore._waiters.remove(wait);
      const error = wait._error_of_wait(thrown, value);
      // A permit that was on its way here goes back, and on to the next.
      if (is_cancellation(error) && !wait._was_cancelled()) semaphore._give_back();
      semaphore._pass_on();
      if (error !== null) return wait._raise(error);
    }
    return wait._return(wait._argument ? new Permit(semaphore) : null);
  },
};

/**
 * A counter of permits: so many tasks at a time.
 *
 * Tasks get permits in the order in which they asked; who comes later does not overtake. A
 * cancelled `acquire()` loses no permit.
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
  readonly _waiters: Waiters = new Waiters();
  #value: number;

  /**
   * Makes a semaphore.
   *
   * @param value how many permits there are; 1 by default
   * @throws {ValueError} if the number is below zero
   * @throws {TypeError} if it is no number
   */
  constructor(value: number = 1) {
    super();
    if (typeof value !== "number" || Number.isNaN(value)) {
      throw new TypeError(`the value of a semaphore must be a number, received ${repr(value)}`);
    }
    if (value < 0) throw new ValueError("Semaphore initial value must be >= 0");
    this.#value = value;
  }

  /** Whether `acquire()` would have to wait. */
  locked(): boolean {
    return this.#value === 0 || this._waiters.any_not_cancelled();
  }

  /**
   * Waits for a permit and takes it. Cancelled, it takes none.
   *
   * @returns a {@linkcode Permit}, by which it can be given back
   */
  override acquire(): Coroutine<Permit> {
    return new Suspension(ACQUIRE_SEMAPHORE, this, true) as Coroutine<Permit>;
  }

  /** Waits for a permit and takes it, for `async_with()`. */
  override __aenter__(): Coroutine<null> {
    return new Suspension(ACQUIRE_SEMAPHORE, this, false) as Coroutine<null>;
  }

  /** Gives a permit back; the first who waits gets it. */
  override release(): void {
    this.#value++;
    this._pass_one_on();
  }

  /** @internal */
  protected get _permits(): number {
    return this.#value;
  }

  /** @internal */
  _take(): void {
    this.#value--;
  }

  /** @internal */
  _give_back(): void {
    this.#value++;
  }

  /** @internal Gives a permit to the first who still waits. */
  _pass_one_on(): boolean {
    if (!this._waiters.wake_next()) return false;
    this.#value--;
    return true;
  }

  /** @internal Gives all free permits to those who wait. */
  _pass_on(): void {
    while (this.#value > 0 && this._pass_one_on()) { /* as many as there are */ }
  }

  /** Python's `repr`. */
  override toString(): string {
    const state = this.locked() ? "locked" : `unlocked, value:${this.#value}`;
    return format(this, state, this._waiters);
  }
}

/**
 * A semaphore that cannot be released more often than it was acquired.
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
   * @param value how many permits there are, and never more; 1 by default
   * @throws {TypeError} if it is no number
   * @throws {ValueError} if it is below zero
   */
  constructor(value: number = 1) {
    super(value);
    this.#bound = value;
  }

  /**
   * Gives a permit back; the first who waits gets it.
   *
   * @throws {ValueError} if all permits are there already
   */
  override release(): void {
    if (this._permits >= this.#bound) {
      throw new ValueError("BoundedSemaphore released too many times");
    }
    super.release();
  }
}

const WAIT_FOR_NOTIFICATION: Operation<void, Condition, null> = {
  name: "Condition.wait",
  advance(wait, thrown, value) {
    const condition = wait._subject;
    if (!wait._has_waited) {
      if (thrown) return wait._raise(value);
      return condition._waiters.wait(wait, condition);
    }
    condition._waiters.remove(wait);
    const error = wait._error_of_wait(thrown, value);
    return error === null ? wait._return(undefined) : wait._raise(error);
  },
};

/**
 * A lock with a place to wait for news: tasks that hold the lock wait for a notification by others.
 *
 * `notify()` wakes in the order in which tasks came to wait. A task that is cancelled gets the lock
 * back before its `CancelledError` is thrown, and passes a notification on that was meant for it.
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
  readonly _waiters: Waiters = new Waiters();
  readonly #lock: Lock;

  /**
   * Makes a condition.
   *
   * @param lock the lock; one of its own by default
   */
  constructor(lock: Lock | null = null) {
    super();
    this.#lock = lock ?? new Lock();
  }

  /** Whether somebody holds the lock. */
  locked(): boolean {
    return this.#lock.locked();
  }

  /**
   * Waits until the lock is free and takes it. Cancelled, it leaves the lock as it was.
   *
   * @returns a {@linkcode Permit}, by which the lock can be released
   */
  override acquire(): Coroutine<Permit> {
    return this.#lock.acquire();
  }

  /** Waits for the lock and takes it, for `async_with()`. */
  override __aenter__(): Coroutine<null> {
    return this.#lock.__aenter__();
  }

  /**
   * Gives the lock back.
   *
   * @throws {RuntimeError} if nobody holds it
   */
  override release(): void {
    this.#lock.release();
  }

  /**
   * Gives the lock back, waits for a notification, and takes the lock again; resolves to true.
   *
   * Cancelled, it takes the lock again before it throws, and passes on a notification that it had.
   *
   * @throws {RuntimeError} if nobody holds the lock
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
    // The lock is taken again whatever happens; of several cancellations the latest is thrown.
    for (;;) {
      try {
        yield* this.acquire();
        break;
      } catch (error) {
        failure = { error };
        if (!(error instanceof CancelledError)) break;
      }
    }
    if (failure === null) return true;
    // A notification that this task has had goes to the next.
    this.#notify(1);
    throw failure.error;
  }

  /**
   * Waits until a predicate holds; it is asked after every notification.
   *
   * It can be cancelled as `wait()`.
   *
   * @param predicate a function; the wait ends when what it returns is true
   * @returns the last value of the predicate
   */
  wait_for<T>(predicate: () => T): Coroutine<T> {
    return library_coroutine("Condition.wait_for", this.#wait_for(predicate));
  }

  *#wait_for<T>(predicate: () => T): Generator<unknown, T, unknown> {
    let result = predicate();
    while (!result) {
      yield* this.wait();
      result = predicate();
    }
    return result;
  }

  /**
   * Wakes tasks that wait, in the order in which they came; they go on when they get the lock.
   *
   * @param n how many at most, 1 by default
   * @throws {RuntimeError} if nobody holds the lock
   */
  notify(n: number = 1): void {
    if (!this.locked()) throw new RuntimeError("cannot notify on un-acquired lock");
    this.#notify(n);
  }

  #notify(n: number): void {
    for (let woken = 0; woken < n && this._waiters.wake_next(); woken++) { /* the next */ }
  }

  /**
   * Wakes all tasks that wait.
   *
   * @throws {RuntimeError} if nobody holds the lock
   */
  notify_all(): void {
    this.notify(this._waiters.length);
  }

  /** Python's `repr`. */
  override toString(): string {
    return format(this, this.locked() ? "locked" : "unlocked", this._waiters);
  }
}

const LEAVE_BARRIER = /* @__PURE__ */ instant("Barrier.__aexit__", (_: Barrier, _none: null) => {});

type BarrierState = "filling" | "draining" | "resetting" | "broken";

/**
 * A place where tasks wait for each other until so many have come.
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
  // How many tasks are inside.
  #count = 0;

  /**
   * Makes a barrier.
   *
   * @param parties how many tasks it takes to pass
   * @throws {ValueError} if the number is below one
   * @throws {TypeError} if it is no number
   */
  constructor(parties: number) {
    super();
    if (typeof parties !== "number" || Number.isNaN(parties)) {
      throw new TypeError(`the parties of a barrier must be a number, received ${repr(parties)}`);
    }
    if (parties < 1) throw new ValueError("parties must be >= 1");
    this.#parties = parties;
  }

  /** How many tasks it takes to pass. */
  get parties(): number {
    return this.#parties;
  }

  /** How many tasks wait now. */
  get n_waiting(): number {
    return this.#state === "filling" ? this.#count : 0;
  }

  /** Whether the barrier is broken. */
  get broken(): boolean {
    return this.#state === "broken";
  }

  /**
   * Waits until as many tasks wait as there are parties.
   *
   * A task that is cancelled leaves; the others go on waiting for one more.
   *
   * @returns the task's place in the order of arrival, from 0
   * @throws {BrokenBarrierError} if the barrier is broken or reset while the task waits
   */
  wait(): Coroutine<number> {
    return library_coroutine("Barrier.wait", this.#wait());
  }

  /** Waits as `wait()`, for `async_with()`. */
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
    // Until those of the round before have left.
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

  /** Makes the barrier as new; tasks that wait get a {@linkcode BrokenBarrierError}. */
  reset(): Coroutine<void> {
    return this.#change("Barrier.reset", () => {
      this.#state = this.#count > 0 ? "resetting" : "filling";
    });
  }

  /** Breaks the barrier: tasks that wait, or come later, get a {@linkcode BrokenBarrierError}. */
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
    const waiting = this.broken ? "" : `, waiters:${this.n_waiting}/${this.#parties}`;
    return `<${this.constructor.name} [${this.#state}${waiting}]>`;
  }
}
