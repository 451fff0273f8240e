/**
 * Python's `async with`.
 *
 * @module
 */

import {
  type Coroutine,
  FunctionCoroutine,
  library_coroutine,
  PromisedCoroutine,
  wait_on,
} from "./coroutines.ts";
import { repr } from "./format_helpers.ts";
import { running_loop } from "./turn.ts";

/**
 * What `async_with()` can enter: Python's asynchronous context manager.
 *
 * See {@link https://docs.python.org/3/reference/datamodel.html#asynchronous-context-managers Python's asynchronous context managers}.
 *
 * @category Structure
 */
export interface AsyncContextManager<T> {
  /** Called at the start of the block; what it gives is given to the block. */
  __aenter__(): PromiseLike<T>;
  /** Called at the end of the block, with the error that left it or `null`; a true result swallows the error. */
  __aexit__(error: unknown): PromiseLike<unknown>;
  /** @internal Set where the manager runs loops itself, so that outside of all loops its block must not be run by one. */
  readonly _runs_loops?: true;
}

/**
 * Runs a block of code inside a context manager: Python's `async with`.
 *
 * The manager's `__aexit__` is called however the block ends, also when it is cancelled.
 *
 * See {@link https://docs.python.org/3/reference/compound_stmts.html#the-async-with-statement Python's async with}.
 *
 * @param manager a `TaskGroup`, `timeout()`, lock, … or any {@linkcode AsyncContextManager}
 * @param body the block: an async function (or `function*`) that is given what the manager gives
 * @returns what the block returns; `undefined` if the manager swallowed the block's error
 * @throws what the block throws, unless the manager swallows or replaces it
 * @throws {TypeError} if the manager cannot be entered, or the body is no function
 * @category Structure
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * const lock = new asyncio.Lock();
 * const seen = await asyncio.async_with(lock, async () => lock.locked());
 * assertEquals([seen, lock.locked()], [true, false]);
 * ```
 */
export function async_with<T, R>(
  manager: AsyncContextManager<T>,
  body: (value: T) => PromiseLike<R> | Generator<unknown, R, unknown>,
): Coroutine<R> {
  if (
    typeof manager?.__aenter__ !== "function" || typeof manager.__aexit__ !== "function"
  ) {
    throw new TypeError(
      `${repr(manager)} does not support the asynchronous context manager protocol`,
    );
  }
  if (typeof body !== "function") {
    throw new TypeError(`async_with() expects a function as its body, received ${repr(body)}`);
  }
  return manager._runs_loops && running_loop() === null
    ? new PromisedCoroutine("async_with", () => run_block_outside(manager, body))
    : library_coroutine("async_with", run_block(manager, body));
}

async function run_block_outside<T, R>(
  manager: AsyncContextManager<T>,
  body: (value: T) => PromiseLike<R> | Generator<unknown, R, unknown>,
): Promise<R> {
  const value = await manager.__aenter__();
  let result: R;
  try {
    result = await (body(value) as PromiseLike<R>);
  } catch (error) {
    if (await manager.__aexit__(error)) return undefined as R;
    throw error;
  }
  await manager.__aexit__(null);
  return result;
}

function* run_block<T, R>(
  manager: AsyncContextManager<T>,
  body: (value: T) => PromiseLike<R> | Generator<unknown, R, unknown>,
): Generator<unknown, R, unknown> {
  const value = yield* wait_on(manager.__aenter__());
  let result: R;
  try {
    result = yield* new FunctionCoroutine(body.name, () => body(value));
  } catch (error) {
    if (yield* wait_on(manager.__aexit__(error))) return undefined as R;
    throw error;
  }
  yield* wait_on(manager.__aexit__(null));
  return result;
}
