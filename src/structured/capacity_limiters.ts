/**
 * Limits of how many borrowers work at the same time.
 *
 * @module
 */

import type { Coroutine } from "../core/coroutines.ts";
import { type Operation, Suspension } from "../core/suspensions.ts";
import { running_task } from "../core/current.ts";
import { RuntimeError, ValueError } from "../core/exceptions.ts";
import { WaitQueue } from "../core/wait_queue.ts";
import { repr } from "../internal/format_helpers.ts";
import { keyword_or_positional } from "../internal/options.ts";
import { Acquirable, Permit } from "../locks.ts";
import { WouldBlock } from "./resource_errors.ts";
import { first_waiting, take_first, waiting_in } from "./waiters.ts";

/**
 * The state of a {@linkcode CapacityLimiter}, by AnyIO's names.
 *
 * @category Limits
 */
export interface CapacityLimiterStatistics {
  /** The number of tokens that are borrowed. */
  readonly borrowed_tokens: number;
  /** The number of tokens. */
  readonly total_tokens: number;
  /** The borrowers that hold one, in the order in which they borrowed it. */
  readonly borrowers: readonly unknown[];
  /** The number of calls that wait for a token. */
  readonly tasks_waiting: number;
}

/** One call that borrows a token; the borrower of `acquire()` is known when it begins. */
interface Loan {
  borrower: unknown;
  readonly is_of_task: boolean;
  is_granted: boolean;
}

const ACQUIRE: Operation<Permit, CapacityLimiter, Loan> = {
  name: "CapacityLimiter.acquire",
  advance(wait, thrown, value) {
    const limiter = wait["_subject"];
    const loan = wait["_argument"];
    if (!wait["_has_waited"]) {
      if (thrown) return wait["_raise"](value);
      if (loan.is_of_task) loan.borrower = current_borrower();
      if (!limiter["_try_borrow"](loan.borrower)) return limiter["_waiters"].wait(wait, limiter);
    } else {
      limiter["_waiters"].remove(wait);
      const error = wait["_error_of_wait"](thrown, value);
      if (error !== null) {
        // A token that was being handed to this borrower goes to the next one.
        if (loan.is_granted) limiter.release_on_behalf_of(loan.borrower);
        return wait["_raise"](error);
      }
      if (!loan.is_granted) return wait["_raise"](already_holding());
    }
    const { borrower } = loan;
    return wait["_return"](new Permit({ release: () => limiter.release_on_behalf_of(borrower) }));
  },
};

function current_borrower(): unknown {
  const task = running_task();
  if (task !== null) return task;
  throw new RuntimeError(
    "Cannot acquire a CapacityLimiter's token: code outside of tasks is no borrower; use " +
      "acquire_on_behalf_of(borrower)",
  );
}

/**
 * Limits how many borrowers do something at the same time: each holds one token of a number that can be changed.
 *
 * In contrast to a `Semaphore` it knows the borrowers: each holds one at most, and only its own is
 * released. By `acquire()` the borrower is the current task; `acquire_on_behalf_of()` names another: a job, a
 * connection.
 *
 * It is fair: borrowers get tokens in the order of their calls, and none overtakes one that waits. A
 * cancelled wait takes no token; one that was being handed over goes to the next borrower.
 *
 * It follows {@link https://anyio.readthedocs.io/en/stable/api.html#anyio.CapacityLimiter AnyIO's CapacityLimiter}.
 *
 * @category Limits
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { CapacityLimiter } from "@pythonic/asyncio/structured";
 * import { assertEquals } from "@std/assert";
 *
 * await asyncio.run(async () => {
 *   const limiter = new CapacityLimiter(2);
 *   let most = 0;
 *   const work = () =>
 *     asyncio.async_with(limiter, async () => {
 *       most = Math.max(most, limiter.borrowed_tokens);
 *       await asyncio.sleep(0.001);
 *     });
 *   await asyncio.async_with(new asyncio.TaskGroup(), async (group) => {
 *     for (let job = 0; job < 5; job++) group.create_task(work);
 *   });
 *   assertEquals(most, 2);
 * });
 * ```
 */
export class CapacityLimiter extends Acquirable {
  /** @internal */
  protected readonly _waiters: WaitQueue = new WaitQueue();
  readonly #borrowers = new Set<unknown>();
  #total: number;

  /**
   * Makes a limiter.
   *
   * @param total_tokens the number of tokens, an integer of 0 or more, or `Infinity`. By name: `{ total_tokens }`
   * @throws {TypeError} if it is neither an integer nor `Infinity`
   * @throws {ValueError} if it is negative
   */
  constructor(total_tokens: number | { readonly total_tokens: number }) {
    super();
    this.#total = check_total(
      keyword_or_positional<"total_tokens", number>(
        "CapacityLimiter",
        "total_tokens",
        total_tokens,
      ),
    );
  }

  /**
   * The number of tokens, which can be changed while they are in use.
   *
   * More tokens go to the waiters. With less, no borrower loses its token: the next are lent when enough have been
   * released.
   */
  get total_tokens(): number {
    return this.#total;
  }

  /**
   * Sets the number of tokens.
   *
   * @param total an integer of 0 or more, or `Infinity`
   * @throws {TypeError} if it is neither an integer nor `Infinity`
   * @throws {ValueError} if it is negative
   */
  set total_tokens(total: number) {
    this.#total = check_total(total);
    this.#lend();
  }

  /** The number of tokens that are borrowed. */
  get borrowed_tokens(): number {
    return this.#borrowers.size;
  }

  /** The number of tokens that are not; negative if the total was lowered below what is borrowed. */
  get available_tokens(): number {
    return this.#total - this.#borrowers.size;
  }

  /**
   * Borrows a token for the current task, and waits for one.
   *
   * Cancelled, it takes none.
   *
   * @returns a coroutine of a {@linkcode Permit}, which releases the token of this task
   * @throws {RuntimeError} if the task holds a token already, or the caller is in no task
   */
  override acquire(): Coroutine<Permit> {
    return new Suspension(ACQUIRE, this as CapacityLimiter, {
      borrower: null,
      is_of_task: true,
      is_granted: false,
    });
  }

  /**
   * Borrows a token for the current task at once.
   *
   * @throws {WouldBlock} if there is none, or others wait for one
   * @throws {RuntimeError} if the task holds a token already, or the caller is in no task
   */
  acquire_nowait(): void {
    this.acquire_on_behalf_of_nowait(current_borrower());
  }

  /**
   * Borrows a token for another borrower than the current task, and waits for one.
   *
   * Cancelled, it takes none.
   *
   * @param borrower any value, which is compared as a key of a `Map`
   * @returns a coroutine of a {@linkcode Permit}, which releases the borrower's token
   * @throws {RuntimeError} if the borrower holds a token already
   */
  acquire_on_behalf_of(borrower: unknown): Coroutine<Permit> {
    return new Suspension(ACQUIRE, this as CapacityLimiter, {
      borrower,
      is_of_task: false,
      is_granted: false,
    });
  }

  /**
   * Borrows a token for another borrower at once.
   *
   * @param borrower any value, which is compared as a key of a `Map`
   * @throws {WouldBlock} if there is none, or others wait for one
   * @throws {RuntimeError} if the borrower holds a token already
   */
  acquire_on_behalf_of_nowait(borrower: unknown): void {
    if (!this._try_borrow(borrower)) throw new WouldBlock("there is no token");
  }

  /**
   * Releases the token of the current task, and wakes the first waiter.
   *
   * @throws {RuntimeError} if the task holds none
   */
  override release(): void {
    this.release_on_behalf_of(running_task());
  }

  /**
   * Releases the token of a borrower, and wakes the first waiter.
   *
   * @param borrower the value with which it was acquired
   * @throws {RuntimeError} if it holds none
   */
  release_on_behalf_of(borrower: unknown): void {
    if (!this.#borrowers.delete(borrower)) {
      throw new RuntimeError("this borrower isn't holding any of this CapacityLimiter's tokens");
    }
    this.#lend();
  }

  /** Returns the state of the limiter. */
  statistics(): CapacityLimiterStatistics {
    return {
      borrowed_tokens: this.#borrowers.size,
      total_tokens: this.#total,
      borrowers: [...this.#borrowers],
      tasks_waiting: waiting_in(this._waiters).length,
    };
  }

  /** @internal Borrows a token if the borrower need not wait for it; returns whether it did. */
  protected _try_borrow(borrower: unknown): boolean {
    if (this.#borrowers.has(borrower)) throw already_holding();
    if (first_waiting(this._waiters) !== null || this.available_tokens < 1) return false;
    this.#borrowers.add(borrower);
    return true;
  }

  // Hands the tokens that are free to the waiters.
  #lend(): void {
    while (this.available_tokens >= 1) {
      const waiter = take_first(this._waiters);
      if (waiter === null) return;
      const loan = waiter["_argument"] as Loan;
      // Of two calls for one borrower, the second is refused.
      loan.is_granted = !this.#borrowers.has(loan.borrower);
      this.#borrowers.add(loan.borrower);
      waiter["_wake"]();
    }
  }

  /** The limiter's state. */
  override toString(): string {
    return `<CapacityLimiter [borrowed:${this.#borrowers.size}/${this.#total}]>`;
  }
}

function already_holding(): RuntimeError {
  return new RuntimeError("this borrower is already holding one of this CapacityLimiter's tokens");
}

function check_total(total: unknown): number {
  if (typeof total !== "number" || !(Number.isInteger(total) || Math.abs(total) === Infinity)) {
    throw new TypeError(
      `Cannot set total_tokens: it must be an integer or Infinity: received ${repr(total)}`,
    );
  }
  if (total < 0) throw new ValueError("total_tokens must be >= 0");
  return total;
}
