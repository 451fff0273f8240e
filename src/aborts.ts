/**
 * AbortSignals of the host that end a block of code.
 *
 * @module
 */

import { type Coroutine, instant, Suspension } from "./core/coroutines.ts";
import { CancelledError, RuntimeError } from "./core/exceptions.ts";
import { repr } from "./internal/format_helpers.ts";
import type { Task } from "./core/tasks.ts";
import { running_task } from "./core/current.ts";

/**
 * A block of code that a signal ends; `aborted_by()` makes it, `async_with()` enters it.
 *
 * @category Host
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * const controller = new AbortController();
 * const scope = asyncio.aborted_by(controller.signal);
 * await asyncio.async_with(scope, async () => {
 *   controller.abort("enough");
 *   await asyncio.sleep(60);
 * }).catch(() => {});
 * assertEquals(scope.aborted(), true);
 * ```
 */
export class AbortScope {
  readonly #signal: AbortSignal;
  #task: Task<unknown> | null = null;
  // How many cancellations of the task were under way when the block began.
  #cancelling = 0;
  #aborted = false;

  /** @internal Made by `aborted_by()`. */
  constructor(signal: AbortSignal) {
    this.#signal = signal;
  }

  readonly #on_abort = (): void => {
    this.#aborted = true;
    this.#task?.cancel();
  };

  /** Whether the signal has ended the block. */
  aborted(): boolean {
    return this.#aborted;
  }

  /** Begins the block. */
  __aenter__(): Coroutine<this> {
    return new Suspension(ENTER, this, null) as Coroutine<unknown> as Coroutine<this>;
  }

  /** @internal */
  _enter(): this {
    if (this.#task !== null) throw new RuntimeError("AbortScope has already been entered");
    this.#signal.throwIfAborted();
    const task = running_task();
    if (task === null) throw new RuntimeError("AbortScope should be used inside a task");
    this.#task = task;
    this.#cancelling = task.cancelling();
    this.#signal.addEventListener("abort", this.#on_abort, { once: true });
    return this;
  }

  /** Ends the block, with the error that left it or `null`. */
  __aexit__(error: unknown): Coroutine<void> {
    return new Suspension(EXIT, this, error);
  }

  /** @internal */
  _exit(error: unknown): void {
    this.#signal.removeEventListener("abort", this.#on_abort);
    if (!this.#aborted) return;
    const task = this.#task as Task<unknown>;
    if (task.uncancel() <= this.#cancelling && error instanceof CancelledError) {
      throw this.#signal.reason;
    }
  }
}

const ENTER = /* @__PURE__ */ instant(
  "AbortScope.__aenter__",
  (scope: AbortScope, _: null) => scope._enter(),
);

const EXIT = /* @__PURE__ */ instant(
  "AbortScope.__aexit__",
  (scope: AbortScope, error: unknown) => scope._exit(error),
);

/**
 * Ends a block of code when a signal is aborted: `async_with(aborted_by(signal), async () => …)`.
 *
 * The task is cancelled, `finally` blocks run, and the block throws the signal's reason. A
 * cancellation from elsewhere stays one. It is the counterpart of {@linkcode Task.signal}.
 *
 * @param signal the signal; if it is aborted already, the block is not begun
 * @returns a context manager
 * @throws {TypeError} if it is no signal
 * @category Host
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * const controller = new AbortController();
 * setTimeout(() => controller.abort("enough"), 1);
 * const reason = await asyncio.async_with(
 *   asyncio.aborted_by(controller.signal),
 *   () => asyncio.sleep(60),
 * ).catch((error) => error);
 * assertEquals(reason, "enough");
 * ```
 */
export function aborted_by(signal: AbortSignal): AbortScope {
  if (typeof (signal as AbortSignal | null)?.addEventListener !== "function") {
    throw new TypeError(`aborted_by() expects an AbortSignal, received ${repr(signal)}`);
  }
  return new AbortScope(signal);
}
