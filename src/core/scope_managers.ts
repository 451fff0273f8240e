/**
 * What the context managers that can cancel their block have in common.
 *
 * @module
 */

import { Inspectable } from "../internal/format_helpers.ts";
import type { Scope } from "./contracts.ts";
import { type Coroutine, instant, Suspension } from "./coroutines.ts";
import { running_scope } from "./current.ts";
import { as_cancelled_error, is_cancellation } from "./cancellation.ts";
import type { Task } from "./tasks.ts";

export type AnyTask = Task<unknown>;

/** What has left a block. */
export interface Failure {
  readonly error: unknown;
}

/** A context manager that can cancel the block that it is entered for, and nothing around it. */
export abstract class ScopeManager extends Inspectable {
  // The scope of the block that `async_with()` is about to enter it for.
  #offered: Scope | null = null;
  #thrown: Failure | null = null;

  /** @internal Offers it the scope of a block; entered by hand it takes the current scope. */
  _offer(scope: Scope): void {
    this.#offered = scope;
  }

  /** Begins the block. */
  __aenter__(): Coroutine<this> {
    return new Suspension(ENTER, this, null) as Coroutine<unknown> as Coroutine<this>;
  }

  /** @internal */
  _enter_offered(): this {
    const scope = this.#offered ?? running_scope();
    this.#offered = null;
    this._enter(scope);
    return this;
  }

  /** @internal Tells it that the block ends by throwing something that looks like no error: `null`. */
  _note_thrown(error: unknown): void {
    this.#thrown = { error };
  }

  /** @internal What has left the block, if anything has: an error, one cancellation, `null` if that was thrown. */
  protected _failure_of(error: unknown): Failure | null {
    const thrown = this.#thrown;
    this.#thrown = null;
    if (error === null || error === undefined) return thrown;
    return { error: is_cancellation(error) ? as_cancelled_error(error) : error };
  }

  /** @internal Begins a block in a scope; `null` where code runs in no task. */
  abstract _enter(scope: Scope | null): void;
}

const ENTER = /* @__PURE__ */ instant(
  "__aenter__",
  (manager: ScopeManager, _: null) => manager._enter_offered(),
);

/** Takes back the request for cancellation that a block has made; returns how many are left, seen from it. */
export function take_back(scope: Scope): number {
  const task = scope._owner as AnyTask;
  const left = task.uncancel();
  const state = task._cancellation_state;
  state?.forget(scope);
  return left - (state?.requests_outside(scope) ?? 0);
}
