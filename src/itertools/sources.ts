/**
 * Sources: the iterables that the tools take, and how they are read and closed.
 *
 * @module
 */

import { check_result } from "../async_generators.ts";
import { isawaitable } from "../core/coroutines.ts";
import { ValueError } from "../core/exceptions.ts";
import { type_name } from "../internal/format_helpers.ts";

/**
 * A source of the tools: an asynchronous iterable, or a synchronous one of values or awaitables.
 *
 * @category Iterating
 */
export type AnyIterable<T> = AsyncIterable<T> | Iterable<T | PromiseLike<T>>;

/**
 * The type of the items that `for await` takes from an iterable.
 *
 * @category Iterating
 */
export type Item<S> = S extends AsyncIterable<infer T> ? T
  : S extends Iterable<infer T> ? Awaited<T>
  : never;

/**
 * The types of the items that `for await` takes from each of several iterables.
 *
 * @category Iterating
 */
export type Items<S extends readonly AnyIterable<unknown>[]> = {
  -readonly [K in keyof S]: Item<S[K]>;
};

export type MaybeAwaitable<T> = T | PromiseLike<T>;

export type Step<T> = IteratorResult<T, undefined>;

export const END: IteratorReturnResult<undefined> = { done: true, value: undefined };

type AnyIterator<T> =
  | AsyncIterator<T, unknown, undefined>
  | Iterator<MaybeAwaitable<T>, unknown, undefined>;

/** The iterator of a source, and whether it still has to be closed. */
export class Source<T> implements AsyncIterableIterator<T> {
  readonly #iterator: AnyIterator<T>;
  readonly #is_async: boolean;
  #is_finished = false;
  #is_waiting = false;
  // The result of the iterator's return() that interrupt() has called.
  #closing: PromiseLike<unknown> | null = null;

  constructor(iterable: AnyIterable<T>) {
    const { [Symbol.asyncIterator]: async_iterator, [Symbol.iterator]: iterator } = Object(
      iterable,
    ) as Partial<AsyncIterable<T> & Iterable<MaybeAwaitable<T>>>;
    this.#is_async = typeof async_iterator === "function";
    if (async_iterator !== undefined && this.#is_async) {
      this.#iterator = async_iterator.call(iterable);
    } else if (typeof iterator === "function" && !isawaitable(iterable)) {
      // A coroutine has an iterator, too, for `yield*`.
      this.#iterator = iterator.call(iterable);
    } else {
      throw new TypeError(`'${type_name(iterable)}' object is not iterable`);
    }
  }

  async next(): Promise<Step<T>> {
    if (this.#is_finished) return END;
    // An iterator that throws has finished by itself.
    this.#is_finished = true;
    this.#is_waiting = true;
    try {
      const next = this.#iterator.next();
      const result = check_result(this.#is_async ? await next : next) as IteratorResult<T>;
      if (result.done) return END;
      const { value } = result;
      if (this.#is_async || !isawaitable(value)) {
        this.#is_finished = this.#closing !== null;
        return { done: false, value };
      }
      return await this.#await_value(value);
    } finally {
      this.#is_waiting = false;
    }
  }

  // As `for await`, it closes a synchronous iterator whose value is rejected.
  async #await_value(awaitable: unknown): Promise<Step<T>> {
    let failed = true;
    try {
      const value = await (awaitable as PromiseLike<T>);
      failed = false;
      this.#is_finished = this.#closing !== null;
      return { done: false, value };
    } finally {
      if (failed && this.#closing === null) this.#iterator.return?.();
    }
  }

  async return(): Promise<Step<T>> {
    if (this.#closing !== null) {
      await this.#closing;
    } else if (!this.#is_finished) {
      this.#is_finished = true;
      await this.#iterator.return?.();
    }
    return END;
  }

  /**
   * Ends a call of `next()` in another task that is cancelled, if the iterator can do that.
   *
   * It need not wait for something that can be cancelled: one that waits for events of the host ends by its
   * `return()`. Iterators with Python's `aclose()` refuse that while they are in use.
   */
  interrupt(): void {
    if (!this.#is_waiting || this.#closing !== null || "aclose" in this.#iterator) return;
    this.#closing = close_now(this.#iterator);
    this.#closing.then(null, () => {}); // return() throws its error
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}

async function close_now(iterator: AnyIterator<unknown>): Promise<void> {
  await iterator.return?.();
}

export function open<T>(iterable: AnyIterable<T>): Source<T> {
  return new Source(iterable);
}

export function open_all(iterables: readonly AnyIterable<unknown>[]): Source<unknown>[] {
  return iterables.map((iterable) => open(iterable));
}

// As the ends of nested blocks: the last one first, each of them, and the latest error is thrown.
export async function close_all(sources: readonly Source<unknown>[]): Promise<void> {
  let failure: { error: unknown } | null = null;
  for (let i = sources.length - 1; i >= 0; i--) {
    try {
      await sources[i]?.return();
    } catch (error) {
      failure = { error };
    }
  }
  if (failure !== null) throw failure.error;
}

/**
 * The options of {@linkcode azip} and {@linkcode amap}.
 *
 * @category Iterating
 */
export interface ZipOptions {
  /** If true, sources of different numbers of items are an error; false by default. */
  strict?: boolean;
}

/**
 * Takes an item of each source, one after the other; returns `null` when one has ended.
 *
 * @param sources the sources
 * @param strict the name of the function for which all must end together; `null` if they need not
 */
export async function next_items(
  sources: readonly Source<unknown>[],
  strict: string | null,
): Promise<unknown[] | null> {
  const items: unknown[] = [];
  for (const source of sources) {
    const result = await source.next();
    if (result.done) {
      if (strict !== null) await check_all_ended(sources, items.length, strict);
      return null;
    }
    items.push(result.value);
  }
  return items;
}

async function check_all_ended(
  sources: readonly Source<unknown>[],
  ended: number,
  name: string,
): Promise<void> {
  const others = (count: number) => count === 1 ? "argument 1" : `arguments 1-${count}`;
  if (ended > 0) {
    throw new ValueError(`${name}() argument ${ended + 1} is shorter than ${others(ended)}`);
  }
  for (let i = 1; i < sources.length; i++) {
    if (!(await sources[i]?.next())?.done) {
      throw new ValueError(`${name}() argument ${i + 1} is longer than ${others(i)}`);
    }
  }
}
