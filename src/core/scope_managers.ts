/**
 * The base of the context managers that can cancel their block.
 *
 * @module
 */

import { is_in_other_loop } from "../host/copies.ts";
import { Inspectable, repr } from "../internal/format_helpers.ts";
import { check_options } from "../internal/options.ts";
import { note_methods } from "../internal/unbound.ts";
import type { Scope } from "./contracts.ts";
import type { Coroutine } from "./coroutines.ts";
import { instant, Suspension } from "./suspensions.ts";
import { running_loop, running_scope } from "./current.ts";
import { as_cancelled_error, cancel_because, is_cancellation } from "./cancellation.ts";
import type { Task } from "./tasks.ts";

export type AnyTask = Task<unknown>;

/** The error that has left a block. */
export interface Failure {
  readonly error: unknown;
}

/**
 * A context manager that can cancel the block that it is entered for, and nothing around it.
 *
 * @category Structure
 */
export abstract class ScopeManager extends Inspectable {
  /** @internal The scope of the block that `async_with()` is about to enter it for. */
  declare private _offered: Scope | null;
  /** @internal True if code of a loop that belongs to no task enters it by hand. */
  declare private _is_without_task: boolean;
  /** @internal */
  declare private _thrown: Failure | null;

  /** Makes a manager that has not been entered. */
  constructor() {
    super();
    if (arguments.length > 0) check_options(new.target.name, arguments[0], []);
    note_methods(new.target.prototype);
    this._offered = null;
    this._is_without_task = false;
    this._thrown = null;
  }

  /** @internal Returns whether `__aenter__` is not overridden. */
  protected get _has_own_enter(): boolean {
    return this.__aenter__ === ScopeManager.prototype.__aenter__;
  }

  /** @internal Returns whether `__aexit__` is not overridden by a subclass of the user. */
  protected get _has_own_exit(): boolean {
    return this._exits_at_once;
  }

  /** @internal Returns whether `__aexit__` is not overridden, and so does not wait. */
  protected get _exits_at_once(): boolean {
    return this.__aexit__ === ScopeManager.prototype.__aexit__;
  }

  /** @internal Offers it the scope of a block; entered by hand it takes the current scope. */
  protected _offer(scope: Scope): void {
    this._offered = scope;
  }

  /** Begins the block. */
  __aenter__(): Coroutine<this> {
    // An await of this coroutine there runs in a task made for it alone, which is no task of the block.
    this._is_without_task = this._offered === null && running_scope() === null &&
      (running_loop() !== null || is_in_other_loop());
    return new Suspension(ENTER, this, null) as Coroutine<unknown> as Coroutine<this>;
  }

  /** Ends the block, with the error that left it or `null`. */
  __aexit__(error: unknown): Coroutine<void> {
    return new Suspension(EXIT, this, error);
  }

  /** @internal Ends the block. */
  protected _exit(_error: unknown): void {}

  /** @internal */
  protected _enter_offered(): this {
    const scope = this._is_without_task ? null : this._offered ?? running_scope();
    this._offered = null;
    this._enter(scope);
    return this;
  }

  /** @internal Notes that the block ends by throwing a value that is no sign of an error: `null`. */
  protected _note_thrown(error: unknown): void {
    this._thrown = { error };
  }

  /** @internal Returns the error that has left the block, if any: an error, one cancellation, `null` if that was thrown. */
  protected _failure_of(error: unknown): Failure | null {
    const thrown = this._thrown;
    this._thrown = null;
    if (error === null || error === undefined) return thrown;
    return { error: is_cancellation(error) ? as_cancelled_error(error) : error };
  }

  /** @internal Begins a block in a scope; `null` where code runs in no task. */
  protected abstract _enter(scope: Scope | null): void;
}

const ENTER = /* @__PURE__ */ instant(
  "__aenter__",
  (manager: ScopeManager, _: null) => manager["_enter_offered"](),
);

const EXIT = /* @__PURE__ */ instant(
  "__aexit__",
  (manager: ScopeManager, error: unknown) => manager["_exit"](error),
);

/** Throws if a value is no signal; `doing` says what cannot be done then. */
export function check_abort_signal(doing: string, signal: AbortSignal): AbortSignal {
  if (typeof (signal as AbortSignal | null)?.addEventListener === "function") return signal;
  throw new TypeError(
    `Cannot ${doing}: signal must be an AbortSignal: received ${repr(signal)}`,
  );
}

/** Cancels a scope, by a function, since a signal was aborted. */
export function cancel_by_signal(
  scope: Scope,
  signal: AbortSignal,
  cancel: (scope: Scope) => void,
): void {
  try {
    cancel_because(`cancelled by a signal: ${repr(signal.reason)}`, () => cancel(scope));
  } catch (error) {
    // Of a `cancel()` of the program; thrown by a listener of the host it would end the process.
    const message = "Exception in callback of an AbortSignal";
    scope._loop.call_exception_handler({ message, exception: error });
  }
}
