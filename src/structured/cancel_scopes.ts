/**
 * Cancel scopes: blocks of code that can be cancelled on their own.
 *
 * @module
 */

import {
  request_cancellation,
  type Requests,
  requests_around,
  take_back_own,
} from "../core/block_requests.ts";
import { cancel_because, CancellationReason, is_cancellation } from "../core/cancellation.ts";
import type { Scope, Timed } from "../core/contracts.ts";
import type { Coroutine } from "../core/coroutines.ts";
import { instant, Suspension } from "../core/suspensions.ts";
import { enter_scope, leave_scope, running_scope } from "../core/current.ts";
import { RuntimeError, ValueError } from "../core/exceptions.ts";
import { type AnyTask, ScopeManager } from "../core/scope_managers.ts";
import { repr } from "../internal/format_helpers.ts";
import { check_options } from "../internal/options.ts";
import { check_object } from "../internal/unbound.ts";
import { type AbstractEventLoop, get_running_loop } from "../core/events.ts";
import { Deadline } from "../timeouts.ts";
import { end_block, policy_of } from "./cancel_scope_policies.ts";

/**
 * The options of a {@linkcode CancelScope}.
 *
 * @category Cancel scopes
 */
export interface CancelScopeOptions {
  /** When the scope is cancelled, as a time of the loop's clock in seconds; `Infinity`, the default, is never. */
  deadline?: number;
  /** True if no cancellation from outside reaches the block; false by default. */
  shield?: boolean;
  /** True if, once the scope is cancelled, every wait in it throws, not only one; false by default. */
  level?: boolean;
}

// The cancel scopes of blocks that are being run.
const cancel_scopes = new WeakMap<Scope, CancelScope>();

type State = "created" | "active" | "ended";

/**
 * A block of code that can be cancelled on its own: `async_with(new CancelScope(), async (scope) => …)`.
 *
 * `cancel()`, or the deadline, cancels what the block waits for, the blocks inside it included. The
 * {@linkcode CancelledError} runs the block's `finally` blocks and ends at the scope: `async_with()`
 * resolves to `undefined`. A cancellation from outside, and any other error, leaves the block.
 *
 * - **Shielded**, the block is not reached by what is cancelled around it: scopes, timeouts, groups, the task.
 *   Such a cancellation stays pending, and is thrown at the first wait after the block; by the end of the block if
 *   another branch of the task, of a `Promise.all`, has been thrown it. For clean-ups, with a deadline of their own.
 * - **Edge-triggered**, as by `task.cancel()`, a cancellation is thrown once. **Level-triggered** (`level: true`),
 *   every wait of the block throws until the block ends, so that code which swallows the error cannot stay; so does
 *   every wait of the tasks of groups in it. An await that need not wait does not throw. A shielded scope inside
 *   can wait all the same.
 *
 * A scope is used once. One that is cancelled before it is entered cancels its block at its first wait.
 *
 * It follows {@link https://anyio.readthedocs.io/en/stable/api.html#anyio.CancelScope AnyIO's CancelScope}.
 *
 * @category Cancel scopes
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { CancelScope } from "@pythonic/asyncio/structured";
 * import { assertEquals } from "@std/assert";
 *
 * await asyncio.run(async () => {
 *   const scope = new CancelScope();
 *   asyncio.get_running_loop().call_later(0.001, () => scope.cancel("enough"));
 *   await asyncio.async_with(scope, () => asyncio.sleep(60));
 *   assertEquals(scope.cancelled_caught, true);
 * });
 * ```
 */
export class CancelScope extends ScopeManager {
  readonly #is_level: boolean;
  #deadline: number;
  #shield: boolean;
  #state: State = "created";
  #scope: Scope | null = null;
  // Entered by `__aenter__()`: the scope is that of the code which called it.
  #is_by_hand = false;
  #timer: Deadline<CancelScope> | null = null;
  // The requests for cancellation when the block began, of which its code knew.
  #requests: Requests = null;
  #cancel_called = false;
  #is_requested = false;
  #is_late = false;
  #cancelled_caught = false;
  #reason: string | undefined = undefined;

  /**
   * Makes a scope.
   *
   * @param options `deadline` (a time of the loop's clock in seconds, `Infinity` by default), `shield` and
   * `level` (both false by default)
   * @throws {TypeError} if an option is unknown or of a wrong type
   * @throws {ValueError} if the deadline is `NaN`
   */
  constructor(options: CancelScopeOptions = {}) {
    super();
    check_options("CancelScope", options, ["deadline", "shield", "level"]);
    this.#deadline = check_deadline(options.deadline ?? Infinity);
    this.#shield = check_flag("shield", options.shield ?? false);
    this.#is_level = check_flag("level", options.level ?? false);
  }

  /**
   * When the scope is cancelled, as a time of the loop's clock in seconds; `Infinity` if it never is.
   *
   * It can be set at any time. Set to a time that is past while the block is run, it cancels the scope at
   * once; a scope that has been cancelled stays cancelled.
   */
  get deadline(): number {
    return this.#deadline;
  }

  /**
   * Moves the deadline.
   *
   * @param when a time of the loop's clock in seconds, `Infinity` for never
   * @throws {TypeError} if it is not a number
   * @throws {ValueError} if it is `NaN`
   */
  set deadline(when: number) {
    this.#deadline = check_deadline(when);
    if (this.#state === "active") this.#set_timer();
  }

  /**
   * True if no cancellation from outside reaches the block.
   *
   * It can be set at any time. Set to false, it lets in at once what was cancelled outside in the meantime.
   */
  get shield(): boolean {
    return this.#shield;
  }

  /**
   * Shields the block, or no longer.
   *
   * What it lets in reaches the waits of the block alone; other branches of the task have been thrown it.
   *
   * @param shield whether no cancellation from outside reaches the block
   * @throws {TypeError} if it is not a boolean
   * @throws {RuntimeError} if the scope was entered by hand, and so has no block of its own
   */
  set shield(shield: boolean) {
    if (check_flag("shield", shield) === this.#shield) return;
    if (this.#state === "active") {
      const scope = this.#block_of_its_own();
      const policy = policy_of(scope._owner as unknown as AnyTask);
      if (shield) policy.shield(scope);
      else policy.unshield(scope);
    }
    this.#shield = shield;
  }

  /** True if the scope has been cancelled, by `cancel()` or by its deadline. */
  get cancel_called(): boolean {
    return this.#cancel_called;
  }

  /** True if the scope's own cancellation has ended the block. */
  get cancelled_caught(): boolean {
    return this.#cancelled_caught;
  }

  /**
   * Cancels the scope: what its block waits for, and the blocks inside it that are not shielded.
   *
   * The second call does nothing, nor does one after the end of the block. Called by code of the block itself, it
   * is thrown at the next await that has to wait.
   *
   * @param reason the message of the {@linkcode CancelledError}
   */
  cancel(reason?: string): void {
    check_object(this instanceof CancelScope, "cancel");
    if (this.#cancel_called || this.#state === "ended") return;
    this.#cancel_called = true;
    this.#reason = reason;
    this.#stop_timer();
    if (this.#state === "active") this.#request();
  }

  /** @internal */
  protected override _enter(scope: Scope | null): void {
    if (this.#state !== "created") {
      throw new RuntimeError("Each CancelScope may only be used for a single block");
    }
    if (scope === null) throw new RuntimeError("CancelScope should be used inside a task");
    this.#is_by_hand = scope === running_scope();
    if (this.#is_by_hand) this.#refuse_by_hand();
    this.#state = "active";
    this.#scope = scope;
    this.#requests = requests_known_in(scope);
    cancel_scopes.set(scope, this);
    if (this.#shield) policy_of(scope._owner as unknown as AnyTask).shield(scope);
    // A cancellation of the block at its entry comes from its own code, also where a native promise has resumed that.
    const outer = enter_scope(scope);
    try {
      if (this.#cancel_called) this.#request();
      else this.#set_timer();
    } finally {
      leave_scope(outer);
    }
  }

  /**
   * Ends the block, with the error that left it or `null`; true if that was the scope's own cancellation.
   *
   * @throws {RuntimeError} if the block has not begun or has ended, or began in another task
   */
  override __aexit__(error: unknown): Coroutine<void> {
    return new Suspension(EXIT, this, error) as Coroutine<unknown> as Coroutine<void>;
  }

  /** @internal */
  protected override get _has_own_exit(): boolean {
    return this.__aexit__ === CancelScope.prototype.__aexit__;
  }

  /** @internal Ends the block; returns whether its error is swallowed. */
  protected _leave(error: unknown): boolean {
    const scope = this.#scope;
    if (scope === null || this.#state !== "active") {
      throw new RuntimeError("This cancel scope is not active");
    }
    if (running_scope()?._owner !== scope._owner) {
      throw new RuntimeError(
        "Attempted to exit cancel scope in a different task than it was entered in",
      );
    }
    this.#state = "ended";
    this.#stop_timer();
    cancel_scopes.delete(scope);
    const around = this.#shield ? null : this.#requests;
    this.#cancelled_caught = this.#is_requested && take_back_own(scope, around) &&
      is_cancellation(error);
    end_block(scope, error);
    if (this.#cancelled_caught) this._caught(error, this.#is_late);
    return this.#cancelled_caught;
  }

  /** @internal The scope's own cancellation has ended the block: requested by its deadline or by `cancel()`. */
  protected _caught(_error: unknown, _is_late: boolean): void {}

  #refuse_by_hand(): void {
    if (!this.#shield && !this.#is_level) return;
    throw new RuntimeError(
      "Cannot enter a shielded or level-triggered CancelScope: it needs a block of its own: received a call " +
        "of __aenter__() by hand; write async_with(scope, body)",
    );
  }

  #block_of_its_own(): Scope {
    const scope = this.#scope as Scope;
    if (this.#is_by_hand) {
      throw new RuntimeError(
        "Cannot shield a CancelScope: it has no block of its own: received one that was entered by hand",
      );
    }
    return scope;
  }

  #request(): void {
    const scope = this.#scope as Scope;
    this.#is_requested = true;
    const reason = new CancellationReason("cancelled by a CancelScope: its cancel() was called");
    cancel_because(reason, () => request_cancellation(scope, this.#reason));
    if (!this.#is_level) return;
    policy_of(scope._owner as unknown as AnyTask).keep_cancelling(scope, this.#reason ?? reason);
  }

  #set_timer(): void {
    this.#stop_timer();
    if (this.#cancel_called || this.#deadline === Infinity) return;
    const loop = (this.#scope as Scope)._loop as unknown as AbstractEventLoop;
    if (this.#deadline <= loop.time()) {
      this.#expire();
      return;
    }
    this.#timer = new Deadline<CancelScope>(
      loop,
      this.#deadline,
      "CancelScope.deadline",
      (scope) => scope.#expire(),
      this,
    );
    loop["_schedule_timer"](this.#timer as unknown as Timed);
  }

  #stop_timer(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }

  #expire(): void {
    this.#timer = null;
    this.#is_late = true;
    this.cancel("deadline exceeded");
  }

  /** The scope's state: `<CancelScope [active] deadline=3 shield=true>`. */
  override toString(): string {
    const info = [`[${this.#state}]`];
    if (this.#deadline !== Infinity) info.push(`deadline=${repr(this.#deadline)}`);
    if (this.#shield) info.push("shield=true");
    if (this.#is_level) info.push("level=true");
    if (this.#cancel_called) info.push("cancel_called=true");
    return `<${this.constructor.name} ${info.join(" ")}>`;
  }
}

const EXIT = /* @__PURE__ */ instant(
  "CancelScope.__aexit__",
  (scope: CancelScope, error: unknown) => scope["_leave"](error),
);

/** The requests for cancellation around a block that its code knows of: those that are pending are still to be thrown. */
function requests_known_in(scope: Scope): Requests {
  const state = (scope._owner as unknown as AnyTask)["_cancellation_state"];
  const known = requests_around(scope);
  for (const [around, requests] of known ?? []) {
    if (state?.is_pending(around)) known?.set(around, requests - 1);
  }
  return known;
}

function check_deadline(when: unknown): number {
  if (typeof when !== "number") {
    throw new TypeError(
      `Cannot set a deadline: it must be a number of seconds: received ${repr(when)}`,
    );
  }
  if (Number.isNaN(when)) {
    throw new ValueError("Cannot set a deadline: it is no time: received NaN");
  }
  return when;
}

function check_flag(name: string, value: unknown): boolean {
  if (typeof value === "boolean") return value;
  throw new TypeError(
    `Cannot set ${name} of a CancelScope: it must be true or false: received ${repr(value)}`,
  );
}

/**
 * Returns the nearest deadline of the cancel scopes around the code now running, up to the first shielded one.
 *
 * The deadlines of `timeout()`, and of scopes in other tasks, are not among them.
 *
 * @returns a time of the loop's clock in seconds; `Infinity` without any, `-Infinity` if a scope has been cancelled
 * @throws {RuntimeError} if no loop runs the calling code
 * @category Cancel scopes
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { current_effective_deadline, move_on_at } from "@pythonic/asyncio/structured";
 * import { assertEquals } from "@std/assert";
 *
 * await asyncio.run(async () => {
 *   const soon = asyncio.get_running_loop().time() + 1;
 *   const seen = await asyncio.async_with(move_on_at(soon), async () => current_effective_deadline());
 *   assertEquals([seen, current_effective_deadline()], [soon, Infinity]);
 * });
 * ```
 */
export function current_effective_deadline(): number {
  get_running_loop();
  let deadline = Infinity;
  for (let at = running_scope(); at !== null; at = at._parent) {
    const scope = cancel_scopes.get(at);
    if (scope === undefined) continue;
    if (scope.cancel_called) return -Infinity;
    deadline = Math.min(deadline, scope.deadline);
    if (scope.shield) break;
  }
  return deadline;
}
