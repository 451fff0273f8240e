/**
 * Time limits that end a block with an error.
 *
 * @module
 */

import { add_origin, type Origin, origin_of_call } from "../core/origins.ts";
import { check_options } from "../internal/options.ts";
import { get_running_loop } from "../core/events.ts";
import { format_seconds, make_timeout_error } from "../timeouts.ts";
import { CancelScope } from "./cancel_scopes.ts";
import { TIME_LIMIT_OPTIONS, type TimeLimitOptions } from "./move_on.ts";
import { check_seconds } from "./seconds.ts";

/** A scope whose deadline throws. */
class FailScope extends CancelScope {
  /** @internal */
  static override get name(): string {
    return "CancelScope";
  }

  readonly #delay: number | null;
  readonly #first_deadline: number;
  readonly #origin: Origin = origin_of_call(FailScope);

  constructor(deadline: number, delay: number | null, options: TimeLimitOptions) {
    super({ ...options, deadline });
    this.#delay = delay;
    this.#first_deadline = deadline;
  }

  /** @internal */
  protected override _caught(error: unknown, is_late: boolean): void {
    if (!is_late) return;
    const text = this.#delay === null || this.deadline !== this.#first_deadline
      ? `at ${format_seconds(this.deadline)} of the loop's clock`
      : `after ${format_seconds(this.#delay)}`;
    throw add_origin(make_timeout_error(text, this.#origin, error), this.#origin);
  }
}

/**
 * Limits the time of a block; when it is over, the block is cancelled and a {@linkcode TimeoutError} is thrown.
 *
 * The scope's deadline can be moved while the block runs. A `cancel()` of the scope ends the block without an
 * error, and a cancellation from outside leaves it as one. Where none of this is needed, `timeout()` does the same.
 *
 * It follows {@link https://anyio.readthedocs.io/en/stable/api.html#anyio.fail_after AnyIO's fail_after}.
 *
 * @param delay how long, in seconds, from this call on; `null` for no limit
 * @param options `shield`, `level`, both false by default, as of {@linkcode CancelScope}
 * @returns a scope for `async_with()`, whose block throws the {@linkcode TimeoutError}
 * @throws {RuntimeError} if no loop runs the calling code
 * @throws {TypeError} if the delay is no number
 * @category Cancel scopes
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { fail_after } from "@pythonic/asyncio/structured";
 * import { assertRejects } from "@std/assert";
 *
 * const main = () => asyncio.async_with(fail_after(0.001), () => asyncio.sleep(60));
 * await assertRejects(() => asyncio.run(main), asyncio.TimeoutError);
 * ```
 */
export function fail_after(delay: number | null, options: TimeLimitOptions = {}): CancelScope {
  check_options("fail_after", options, TIME_LIMIT_OPTIONS);
  const seconds = check_seconds("fail_after", "delay", delay);
  return new FailScope(get_running_loop().time() + seconds, delay, options);
}

/**
 * Limits a block to a point in time; then the block is cancelled and a {@linkcode TimeoutError} is thrown.
 *
 * It follows {@link https://anyio.readthedocs.io/en/stable/api.html#anyio.fail_at AnyIO's fail_at}.
 *
 * @param when a time of the loop's clock, in seconds; `null` for no limit
 * @param options `shield`, `level`, both false by default, as of {@linkcode CancelScope}
 * @returns a scope for `async_with()`, whose block throws the {@linkcode TimeoutError}
 * @throws {TypeError} if the time is no number
 * @category Cancel scopes
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { fail_at } from "@pythonic/asyncio/structured";
 * import { assertRejects } from "@std/assert";
 *
 * const main = () => {
 *   const when = asyncio.get_running_loop().time() + 0.001;
 *   return asyncio.async_with(fail_at(when), () => asyncio.sleep(60));
 * };
 * await assertRejects(() => asyncio.run(main), asyncio.TimeoutError);
 * ```
 */
export function fail_at(when: number | null, options: TimeLimitOptions = {}): CancelScope {
  check_options("fail_at", options, TIME_LIMIT_OPTIONS);
  return new FailScope(check_seconds("fail_at", "when", when), null, options);
}
