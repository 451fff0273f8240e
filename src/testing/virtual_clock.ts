/**
 * A loop whose time does not pass but jumps: for tests.
 *
 * @module
 */

import { EventLoop, type EventLoopOptions } from "../loop/base_events.ts";
import { DeadlockError } from "../core/exceptions.ts";
import { check_options } from "../internal/options.ts";
import { describe_waits } from "../loop/waits.ts";

// How long, in real seconds, the host is given to settle what it is asked for before time jumps.
const PATIENCE = 0.02;

/**
 * What a {@linkcode VirtualClockEventLoop} may be made with.
 *
 * @category Testing
 */
export type VirtualClockOptions = Omit<EventLoopOptions, "time">;

/**
 * An event loop on a virtual clock: when nothing is ready, time jumps to the next timer.
 *
 * An hour's sleep takes microseconds, and what happens in which order is always the same. The clock
 * starts at 0. A program that can make no progress throws a {@linkcode DeadlockError} that names
 * every waiting task and what it waits on. While a task waits for something foreign (a promise of
 * the host), the host is given some milliseconds before time jumps; then that is no deadlock either.
 *
 * @category Testing
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { VirtualClockEventLoop } from "@pythonic/asyncio/testing";
 * import { assertEquals } from "@std/assert";
 *
 * const loop_factory = () => new VirtualClockEventLoop();
 * const elapsed = await asyncio.run(async () => {
 *   await asyncio.sleep(3600);
 *   return asyncio.get_running_loop().time();
 * }, { loop_factory });
 * assertEquals(elapsed, 3600);
 * ```
 */
export class VirtualClockEventLoop extends EventLoop {
  /** @internal */
  static override get name(): string {
    return "VirtualClockEventLoop";
  }

  #now = 0;
  // Since something last happened: whether the microtask queue has run dry, and whether the host has
  // had its time.
  #ran_dry = false;
  #was_patient = false;
  #seen_activity = 0;

  /** @internal As CPython's clock: times that differ by less are the same. */
  protected override readonly _clock_resolution = 1e-9;

  /**
   * Makes a loop whose time is 0.
   *
   * @param options `trace`, what records its tasks
   */
  constructor(options: VirtualClockOptions = {}) {
    check_options("VirtualClockEventLoop", options, ["trace"]);
    super(options);
  }

  /** The virtual time, in seconds. */
  override time(): number {
    return this.#now;
  }

  /** @internal */
  protected override _wait_for_work(): boolean {
    if (this._activity !== this.#seen_activity) {
      this.#seen_activity = this._activity;
      this.#ran_dry = this.#was_patient = false;
    }
    // A task that awaits several things may still go on in a microtask, though one of them waits.
    if (!this.#ran_dry) {
      this.#ran_dry = true;
      this._look_again();
      return false;
    }
    if (this._has_foreign_waits() && !this.#was_patient) {
      this.#was_patient = true;
      this._wake_after(PATIENCE, 0);
      return false;
    }
    const when = this._next_timer();
    if (when !== null) {
      if (when > this.#now) this.#now = when;
      return true;
    }
    if (this._has_foreign_waits() || !this._is_run()) return false;
    throw new DeadlockError(
      `No task can go on and no timer is set:\n${describe_waits(this._tasks())}`,
    );
  }
}
