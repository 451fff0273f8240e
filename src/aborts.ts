/**
 * AbortSignals of the host that end a block of code.
 *
 * @module
 */

import {
  cancel_block,
  type Requests,
  requests_around,
  take_back_own,
} from "./core/block_requests.ts";
import type { Scope } from "./core/contracts.ts";
import { cancel_each, is_cancellation } from "./core/cancellation.ts";
import { RuntimeError } from "./core/exceptions.ts";
import { cancel_by_signal, check_abort_signal, ScopeManager } from "./core/scope_managers.ts";

/** The one listener of a signal for all blocks that it ends: hosts search all of a signal to remove one. */
class BlocksOfSignal {
  readonly #signal: AbortSignal;
  readonly #blocks = new Set<() => void>();

  constructor(signal: AbortSignal) {
    this.#signal = signal;
    signal.addEventListener("abort", this.#on_abort, { once: true });
  }

  readonly #on_abort = (): void => cancel_each(this.#blocks, (on_abort) => on_abort());

  add(on_abort: () => void): void {
    this.#blocks.add(on_abort);
  }

  delete(on_abort: () => void): void {
    this.#blocks.delete(on_abort);
    if (this.#blocks.size > 0) return;
    this.#signal.removeEventListener("abort", this.#on_abort);
    blocks_of.delete(this.#signal);
  }
}

const blocks_of = new WeakMap<AbortSignal, BlocksOfSignal>();

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
export class AbortScope extends ScopeManager {
  readonly #signal: AbortSignal;
  #scope: Scope | null = null;
  // The requests for cancellation that reached the block when it began.
  #requests: Requests = null;
  #aborted = false;

  /** @internal Made by `aborted_by()`. */
  constructor(signal: AbortSignal) {
    super();
    this.#signal = signal;
  }

  readonly #on_abort = (): void => {
    this.#aborted = true;
    cancel_by_signal(this.#scope as Scope, this.#signal, cancel_block);
  };

  /** Returns whether the signal has cancelled the block. */
  aborted(): boolean {
    return this.#aborted;
  }

  /** @internal */
  protected override _enter(scope: Scope | null): void {
    if (this.#scope !== null) throw new RuntimeError("AbortScope has already been entered");
    this.#signal.throwIfAborted();
    if (scope === null) throw new RuntimeError("AbortScope should be used inside a task");
    this.#scope = scope;
    this.#requests = requests_around(scope);
    let blocks = blocks_of.get(this.#signal);
    if (blocks === undefined) {
      blocks = new BlocksOfSignal(this.#signal);
      blocks_of.set(this.#signal, blocks);
    }
    blocks.add(this.#on_abort);
  }

  /** @internal */
  protected override _exit(error: unknown): void {
    blocks_of.get(this.#signal)?.delete(this.#on_abort);
    if (!this.#aborted) return;
    if (take_back_own(this.#scope as Scope, this.#requests) && is_cancellation(error)) {
      throw this.#signal.reason;
    }
  }
}

/**
 * Ends a block of code when a signal is aborted: `async_with(aborted_by(signal), async () => …)`.
 *
 * The task is cancelled, `finally` blocks run, and the block throws the signal's reason. A
 * cancellation that the signal did not cause remains a `CancelledError`.
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
  return new AbortScope(check_abort_signal("end a block by a signal", signal));
}
