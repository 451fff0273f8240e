/**
 * Iterators that several tools read one after the other: closing a tool closes what it owns, and it does not own
 * what it has borrowed.
 *
 * @module
 */

import type { AsyncContextManager } from "../context_managers.ts";
import { type Coroutine, FunctionCoroutine } from "../core/coroutines.ts";
import { RuntimeError } from "../core/exceptions.ts";
import { Inspectable, type_name } from "../internal/format_helpers.ts";
import { type AnyIterable, END, open, type Source, type Step } from "./sources.ts";

/**
 * An iterator that passes on the items of another one, which it never closes.
 *
 * @category Iterating
 */
export interface BorrowedIterator<T> extends AsyncIterableIterator<T> {
  /** Ends this iterator, if it was made by {@linkcode borrow}; the one that is borrowed continues where it is. */
  return(): Promise<IteratorResult<T, undefined>>;
}

class Loan<T> extends Inspectable implements BorrowedIterator<T> {
  readonly #next: () => Promise<Step<T>>;
  readonly #ends_when_left: boolean;
  #has_ended = false;

  constructor(next: () => Promise<Step<T>>, ends_when_left: boolean) {
    super();
    this.#next = next;
    this.#ends_when_left = ends_when_left;
  }

  async next(): Promise<IteratorResult<T, undefined>> {
    return this.#has_ended ? END : await this.#next();
  }

  return(): Promise<IteratorResult<T, undefined>> {
    if (this.#ends_when_left) this.end();
    return Promise.resolve(END);
  }

  end(): void {
    this.#has_ended = true;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  override toString(): string {
    return "<borrow object>";
  }
}

/**
 * Lends an iterator to a tool, which then does not close it.
 *
 * Each tool owns its source and closes it when it ends. Of a borrowed one only the loan ends: the next tool gets
 * the items that follow.
 *
 * @param iterator an iterator or generator, asynchronous or not
 * @returns an asynchronous iterator of the same items
 * @throws {TypeError} if it is no iterator; {@linkcode scoped_iter} takes any iterable
 * @category Iterating
 *
 * @example
 * ```ts
 * import { aislice, alist, borrow } from "@pythonic/asyncio/itertools";
 * import { assertEquals } from "@std/assert";
 *
 * async function* count() {
 *   for (let n = 1;; n++) yield n;
 * }
 * const numbers = count();
 * assertEquals(await alist(aislice(borrow(numbers), 3)), [1, 2, 3]);
 * assertEquals(await alist(aislice(borrow(numbers), 3)), [4, 5, 6]);
 * await numbers.return();
 * ```
 */
export function borrow<T>(
  iterator:
    | { next(): PromiseLike<IteratorResult<T, unknown>> }
    | Iterator<T | PromiseLike<T>, unknown, undefined>,
): BorrowedIterator<Awaited<T>> {
  if (typeof iterator?.next !== "function") {
    throw new TypeError(
      `Cannot borrow an iterator: it must have a method next(): received '${
        type_name(iterator)
      }' object`,
    );
  }
  const is_async = Symbol.asyncIterator in iterator || !(Symbol.iterator in iterator);
  const method = is_async ? Symbol.asyncIterator : Symbol.iterator;
  const source = open({ [method]: () => iterator } as unknown as AnyIterable<unknown>);
  return new Loan(() => source.next() as Promise<Step<Awaited<T>>>, true);
}

/**
 * The context manager that {@linkcode scoped_iter} returns. Iterated, it gives the items, again and again from
 * where the last loop was left.
 *
 * @category Iterating
 */
export interface ScopedIterator<T>
  extends AsyncContextManager<BorrowedIterator<T>>, AsyncDisposable, AsyncIterable<T> {
  /** Returns the iterator that is lent for the block. */
  [Symbol.asyncIterator](): BorrowedIterator<T>;
}

class ScopedIter<T> implements ScopedIterator<T> {
  readonly #source: Source<T>;
  readonly #borrowed: Loan<T>;
  #is_entered = false;

  constructor(iterable: AnyIterable<T>) {
    const source = open(iterable);
    this.#source = source;
    this.#borrowed = new Loan(() => source.next(), false);
  }

  __aenter__(): Coroutine<BorrowedIterator<T>> {
    return new FunctionCoroutine(
      "scoped_iter.__aenter__",
      () => Promise.resolve(this.#enter()),
    );
  }

  #enter(): BorrowedIterator<T> {
    if (this.#is_entered) {
      throw new RuntimeError(
        "Cannot enter scoped_iter() again: it lends its iterator for one block",
      );
    }
    this.#is_entered = true;
    return this.#borrowed;
  }

  __aexit__(_error: unknown): Coroutine<void> {
    return new FunctionCoroutine("scoped_iter.__aexit__", async () => {
      this.#borrowed.end();
      await this.#source.return();
    });
  }

  [Symbol.asyncIterator](): BorrowedIterator<T> {
    return this.#borrowed;
  }

  [Symbol.asyncDispose](): Coroutine<void> {
    return this.__aexit__(null);
  }
}

/**
 * Lends the iterator of an iterable for a block, and closes it at the block's end.
 *
 * Inside the block, tools and loops that are left do not close it: each continues where the one before it was
 * left. The block is one of `async_with()`, which passes it the iterator, or that of an `await using` declaration;
 * entering it a second time throws a `RuntimeError`.
 *
 * @param iterable an iterable, asynchronous or not
 * @returns a context manager, an `AsyncDisposable`, and an iterable itself
 * @throws {TypeError} if it is not iterable
 * @category Iterating
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { aislice, alist, scoped_iter } from "@pythonic/asyncio/itertools";
 * import { assertEquals } from "@std/assert";
 *
 * await asyncio.async_with(scoped_iter("abcde"), async (letters) => {
 *   assertEquals(await alist(aislice(letters, 2)), ["a", "b"]);
 *   assertEquals(await alist(letters), ["c", "d", "e"]);
 * });
 * ```
 */
export function scoped_iter<T>(iterable: AnyIterable<T>): ScopedIterator<T> {
  return new ScopedIter(iterable);
}
