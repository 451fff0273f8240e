/**
 * Results of many calls in the order of their items.
 *
 * @module
 */

import { ConcurrentFuture } from "./core/concurrent_futures.ts";
import { type Future, wrap_future } from "./core/futures.ts";
import { create_task, type Task } from "./core/tasks.ts";
import { is_iterable, repr } from "./internal/format_helpers.ts";

/** The results of a chunk, and the error that ended it. */
interface Chunk {
  readonly values: readonly unknown[];
  readonly error: { readonly thrown: unknown } | null;
}

/** Takes the items of an iterable in chunks; an error of the iterable comes after the items before it. */
export function chunks_of(
  iterable: Iterable<unknown> | AsyncIterable<unknown>,
  size: number,
): Iterator<unknown[]> | AsyncIterator<unknown[]> {
  if (Symbol.asyncIterator in Object(iterable)) {
    return async_chunks(iterable as AsyncIterable<unknown>, size);
  }
  if (!is_iterable(iterable)) {
    throw new TypeError(`Cannot map over a value: it is not iterable: received ${repr(iterable)}`);
  }
  return sync_chunks(iterable, size);
}

function* sync_chunks(iterable: Iterable<unknown>, size: number): Generator<unknown[]> {
  let chunk: unknown[] = [];
  let failure: { thrown: unknown } | null = null;
  try {
    for (const item of iterable) {
      if (chunk.push(item) === size) {
        yield chunk;
        chunk = [];
      }
    }
  } catch (thrown) {
    failure = { thrown };
  }
  if (chunk.length > 0) yield chunk;
  if (failure !== null) throw failure.thrown;
}

async function* async_chunks(
  iterable: AsyncIterable<unknown>,
  size: number,
): AsyncGenerator<unknown[]> {
  let chunk: unknown[] = [];
  let failure: { thrown: unknown } | null = null;
  try {
    for await (const item of iterable) {
      if (chunk.push(item) === size) {
        yield chunk;
        chunk = [];
      }
    }
  } catch (thrown) {
    failure = { thrown };
  }
  if (chunk.length > 0) yield chunk;
  if (failure !== null) throw failure.thrown;
}

type Step = IteratorResult<unknown[], unknown>;

/** The end of the chunks: with an error, or `null`. */
interface End {
  readonly error: { readonly thrown: unknown } | null;
}

/**
 * Gives the results of chunks in their order, with a limited number of them under way.
 *
 * @param start begins the work on a chunk
 */
export async function* map_in_order(
  start: (items: unknown[]) => ConcurrentFuture<unknown>,
  chunks: Iterator<unknown[]> | AsyncIterator<unknown[]>,
  limit: number,
): AsyncGenerator<unknown, void, undefined> {
  const pending: Future<Chunk>[] = [];
  let end: End | null = null;
  let next: Task<Step> | null = null;
  const take = ({ done, value }: Step): End | null => {
    if (done) return { error: null };
    pending.push(wrap_future(start(value)) as Future<Chunk>);
    return null;
  };
  try {
    while (end === null || pending.length > 0) {
      if (end === null && pending.length < limit && next === null) {
        if (Symbol.asyncIterator in chunks) {
          next = create_task(async () => await chunks.next());
        } else {
          end = attempt(() => take(chunks.next() as Step));
          continue;
        }
      }
      const [first] = pending;
      if (next !== null) {
        if (first !== undefined) await first_done(first, next);
        if (first === undefined || next.done()) {
          await settled(next);
          const task: Task<Step> = next;
          next = null;
          end = attempt(() => take(task.result()));
          continue;
        }
      }
      if (first === undefined) continue;
      const { values, error } = await first;
      pending.shift();
      yield* values;
      if (error !== null) throw error.thrown;
    }
    if (end.error !== null) throw end.error.thrown;
  } finally {
    for (const future of pending) future.cancel();
    if (next !== null) {
      next.cancel();
      await settled(next);
    }
    await chunks.return?.(undefined);
  }
}

function attempt(fn: () => End | null): End | null {
  try {
    return fn();
  } catch (thrown) {
    return { error: { thrown } };
  }
}

/** Waits until a future is done, and throws nothing of its own. */
async function settled(future: Future<unknown>): Promise<void> {
  if (!future.done()) await first_done(future, future);
}

/** Waits until one of two futures is done, and changes neither. */
async function first_done(one: Future<unknown>, other: Future<unknown>): Promise<void> {
  const woken = new ConcurrentFuture<void>();
  const wake = () => woken["_set_result"](undefined);
  one.add_done_callback(wake);
  other.add_done_callback(wake);
  try {
    await wrap_future(woken);
  } finally {
    one.remove_done_callback(wake);
    other.remove_done_callback(wake);
  }
}
