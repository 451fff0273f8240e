/**
 * The base of the loops for tests: a simulated clock, and programs that are connected by a network in memory.
 *
 * @module
 */

import { DeadlockError } from "../core/exceptions.ts";
import type { Runnable } from "../core/contracts.ts";
import type { Future } from "../core/futures.ts";
import type { Task } from "../core/tasks.ts";
import { DefaultEventLoop } from "../loop/base_events.ts";
import { describe_waits } from "../loop/waits.ts";
import type { VirtualNetwork } from "./network.ts";

/** As CPython's clock: times that differ by less are the same. */
export const RESOLUTION = 1e-9;

/**
 * The base of loops with a simulated clock, such as {@linkcode VirtualClockEventLoop}.
 *
 * @category Testing
 */
export abstract class SimulatedEventLoop extends DefaultEventLoop {
  /** @internal The virtual time, in seconds. */
  protected _now = 0;
  /** @internal Whether the host has had its time since something last happened. */
  protected _was_patient = false;
  #ran_dry = false;
  #seen_activity = 0;

  /** @internal */
  protected override readonly _network: VirtualNetwork | null = null;
  /** @internal */
  protected override readonly _clock_resolution = RESOLUTION;

  /** The virtual time, in seconds. */
  override time(): number {
    return this._now;
  }

  /** @internal */
  protected override _note_unretrieved(future: Future<unknown>): void {
    if (this._network?.["_is_abandoned"](future)) future.exception();
    else super._note_unretrieved(future);
  }

  /** @internal Returns whether something belongs to a program of the network that is gone. */
  protected _is_gone(runnable: object): boolean {
    return this._network?.["_is_gone"](runnable as Runnable) ?? false;
  }

  /** @internal */
  protected override _register_task(task: Task<unknown>): void {
    if (!this._is_gone(task)) super._register_task(task);
  }

  /** @internal */
  protected override _unregister_task(task: Task<unknown>, state: number, value: unknown): void {
    if (!this._is_gone(task)) super._unregister_task(task, state, value);
  }

  /** @internal Returns whether this was called before since something last happened; if not, the loop is to look again. */
  protected _is_still(): boolean {
    if (this._activity !== this.#seen_activity) {
      this.#seen_activity = this._activity;
      this.#ran_dry = this._was_patient = false;
    }
    const is_still = this.#ran_dry;
    this.#ran_dry = true;
    return is_still;
  }

  /** @internal Moves the time forward to a later one. */
  protected _jump(when: number): void {
    if (when > this._now) this._now = when;
  }

  /** @internal Returns the error of a program that can make no progress. */
  protected _deadlock(hint = ""): DeadlockError {
    return new DeadlockError(
      `No task can be resumed and no timer is set:\n${describe_waits(this._tasks())}${hint}`,
    );
  }
}
