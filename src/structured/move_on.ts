/**
 * Time limits that end a block without an error.
 *
 * @module
 */

import { check_options } from "../internal/options.ts";
import { get_running_loop } from "../core/events.ts";
import { CancelScope, type CancelScopeOptions } from "./cancel_scopes.ts";
import { check_seconds } from "./seconds.ts";

/**
 * The options of `move_on_after()`, `move_on_at()`, `fail_after()` and `fail_at()`.
 *
 * @category Cancel scopes
 */
export type TimeLimitOptions = Omit<CancelScopeOptions, "deadline">;

/** The names of {@linkcode TimeLimitOptions}. */
export const TIME_LIMIT_OPTIONS = ["shield", "level"];

/**
 * Limits the time of a block; when it is over, the block is cancelled and the program continues after it.
 *
 * `async_with()` resolves to `undefined` then, and the scope's `cancelled_caught` is true. Cancellations from
 * outside leave the block.
 *
 * It follows {@link https://anyio.readthedocs.io/en/stable/api.html#anyio.move_on_after AnyIO's move_on_after}.
 *
 * @param delay how long, in seconds, from this call on; `null` for no limit
 * @param options `shield`, `level`, both false by default, as of {@linkcode CancelScope}
 * @returns a scope for `async_with()`
 * @throws {RuntimeError} if no loop runs the calling code
 * @throws {TypeError} if the delay is no number
 * @category Cancel scopes
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { move_on_after } from "@pythonic/asyncio/structured";
 * import { assertEquals } from "@std/assert";
 *
 * await asyncio.run(async () => {
 *   const scope = move_on_after(0.001);
 *   await asyncio.async_with(scope, () => asyncio.sleep(60));
 *   assertEquals(scope.cancelled_caught, true);
 * });
 * ```
 */
export function move_on_after(delay: number | null, options: TimeLimitOptions = {}): CancelScope {
  check_options("move_on_after", options, TIME_LIMIT_OPTIONS);
  const seconds = check_seconds("move_on_after", "delay", delay);
  const now = get_running_loop().time();
  return new CancelScope({ ...options, deadline: now + seconds });
}

/**
 * Limits a block to a point in time; then the block is cancelled and the program continues after it.
 *
 * It follows {@link https://anyio.readthedocs.io/en/stable/api.html#anyio.move_on_at AnyIO's move_on_at}.
 *
 * @param when a time of the loop's clock, in seconds; `null` for no limit
 * @param options `shield`, `level`, both false by default, as of {@linkcode CancelScope}
 * @returns a scope for `async_with()`
 * @throws {TypeError} if the time is no number
 * @category Cancel scopes
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { move_on_at } from "@pythonic/asyncio/structured";
 * import { assertEquals } from "@std/assert";
 *
 * await asyncio.run(async () => {
 *   const scope = move_on_at(asyncio.get_running_loop().time() + 0.001);
 *   await asyncio.async_with(scope, () => asyncio.sleep(60));
 *   assertEquals(scope.cancelled_caught, true);
 * });
 * ```
 */
export function move_on_at(when: number | null, options: TimeLimitOptions = {}): CancelScope {
  check_options("move_on_at", options, TIME_LIMIT_OPTIONS);
  return new CancelScope({ ...options, deadline: check_seconds("move_on_at", "when", when) });
}
