/**
 * The iterator that the tools return.
 *
 * All tools are lazy. Callbacks may be synchronous or return something to be awaited; they run in the task and
 * the context of the caller. A tool owns its sources: when it ends, fails, is cancelled or is left early,
 * it closes all that are not finished, the last one first, and is finished then. If closing fails, too, an
 * iterator throws the latest error. What must outlive a tool is lent to it by `borrow()`.
 *
 * @module
 */

import { type Coroutine, FunctionCoroutine } from "../core/coroutines.ts";
import { RuntimeError } from "../core/exceptions.ts";
import { Inspectable } from "../internal/format_helpers.ts";
import { close_all, END, type Source, type Step } from "./sources.ts";

/**
 * The iterator that a tool returns, for one consumer at a time.
 *
 * When it is left, by `break`, an error, a cancellation, `return()`, `aclose()` or the end of an
 * `await using` block, it closes its sources. As with Python's asynchronous generators, it cannot be
 * closed while a `next()` is in progress: cancel that.
 *
 * @category Iterating
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { alist, amap } from "@pythonic/asyncio/itertools";
 * import { assertEquals } from "@std/assert";
 *
 * await using squares = amap((n) => n * n, [1, 2, 3]);
 * assertEquals(await asyncio.anext(squares), 1);
 * assertEquals(await alist(squares), [4, 9]);
 * ```
 */
export class ToolIterator<T> extends Inspectable implements AsyncIterableIterator<T> {
  readonly #name: string;
  readonly #advance: () => Promise<Step<T>>;
  readonly #close: () => Promise<void>;
  #running = false;
  #finished = false;

  /** @internal */
  constructor(name: string, close: () => Promise<void>, advance: () => Promise<Step<T>>) {
    super();
    this.#name = name;
    this.#close = close;
    this.#advance = advance;
  }

  /**
   * Returns the next value.
   *
   * @throws {RuntimeError} if a call of `next()` or `return()` is in progress
   */
  async next(): Promise<IteratorResult<T, undefined>> {
    this.#begin("anext");
    let result: Step<T> = END;
    try {
      if (!this.#finished) result = await this.#advance();
    } finally {
      try {
        if (result.done) await this.#end();
      } finally {
        this.#running = false;
      }
    }
    return result;
  }

  /**
   * Closes the sources and ends the iteration. `for await` calls it when it is left.
   *
   * @throws {RuntimeError} if a call of `next()` or `return()` is in progress
   */
  async return(): Promise<IteratorResult<T, undefined>> {
    this.#begin("aclose");
    try {
      await this.#end();
    } finally {
      this.#running = false;
    }
    return END;
  }

  /** Does what `return()` does, when it is awaited: the method of Python's asynchronous generators. */
  aclose(): Coroutine<void> {
    return new FunctionCoroutine("aclose", async () => {
      await this.return();
    });
  }

  #begin(method: string): void {
    if (this.#running) {
      throw new RuntimeError(`${method}(): asynchronous generator is already running`);
    }
    this.#running = true;
  }

  async #end(): Promise<void> {
    if (this.#finished) return;
    this.#finished = true;
    await this.#close();
  }

  /** Returns the iterator itself. */
  [Symbol.asyncIterator](): this {
    return this;
  }

  /** Closes the sources, at the end of a block with `await using`. */
  [Symbol.asyncDispose](): Coroutine<void> {
    return this.aclose();
  }

  /** Python's `repr`. */
  override toString(): string {
    return `<${this.#name} object>`;
  }
}

export function tool<T>(
  name: string,
  sources: readonly Source<unknown>[],
  advance: () => Promise<Step<T>>,
): ToolIterator<T> {
  return new ToolIterator(name, () => close_all(sources), advance);
}

export function some<T>(value: T): Step<T> {
  return { done: false, value };
}
