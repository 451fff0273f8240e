/**
 * A loop whose time does not pass but jumps: for tests.
 *
 * @module
 */

import type { EventLoopOptions } from "../loop/base_events.ts";
import type { Runnable, Timed } from "../core/contracts.ts";
import { ValueError } from "../core/exceptions.ts";
import type { Future } from "../core/futures.ts";
import { repr } from "../internal/format_helpers.ts";
import { heappop, heappush } from "../internal/heapq.ts";
import type { VirtualNetwork } from "./network.ts";
import { check_options } from "../internal/options.ts";
import { RESOLUTION, SimulatedEventLoop } from "./simulated_loop.ts";

/**
 * The options of {@linkcode VirtualClockEventLoop}.
 *
 * @category Testing
 */
export interface VirtualClockOptions extends Omit<EventLoopOptions, "time"> {
  /**
   * How long, in seconds of the host's time, the loop waits for the host before time jumps past a
   * native promise that a task waits for, and before a {@linkcode DeadlockError}; 0.02 by default.
   *
   * With `Infinity` time never jumps past such a promise, however long it takes, and there is no
   * `DeadlockError`; a limit around a promise that never settles then never passes by itself.
   */
  patience?: number;
  /** The network that connects the loop's programs, in place of the host's sockets. */
  network?: VirtualNetwork | null;
}

const DEFAULT_PATIENCE = 0.02;

/** A call of `advance()` that is not done. */
interface Advance {
  readonly when: number;
  readonly done: Future<void>;
}

const earlier = (a: Advance, b: Advance): boolean => a.when < b.when;

/**
 * An event loop on a virtual clock: when nothing is ready, time jumps to the next timer.
 *
 * An hour's sleep takes microseconds, and what happens in which order is always the same. The clock
 * starts at 0. A program that can make no progress throws a {@linkcode DeadlockError} that names
 * every waiting task and what it waits on.
 *
 * Native promises take the host's time. While a task waits for one, the host is given `patience`
 * before time jumps. Where no timer is set, the loop waits for it without limit, and there is no
 * deadlock.
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
export class VirtualClockEventLoop extends SimulatedEventLoop {
  /** @internal */
  static override get name(): string {
    return "VirtualClockEventLoop";
  }

  readonly #patience: number;
  readonly #advances: Advance[] = [];

  /** @internal */
  protected override readonly _network: VirtualNetwork | null;

  /**
   * Makes a loop whose time is 0.
   *
   * @param options `patience`, how long the host is waited for, in seconds; `trace`, what records its tasks;
   * `network`, by which it connects
   * @throws {TypeError} if an option is unknown or of a wrong type
   * @throws {ValueError} if `patience` is negative or `NaN`
   */
  constructor(options: VirtualClockOptions = {}) {
    check_options("VirtualClockEventLoop", options, ["trace", "patience", "network"]);
    const { patience = DEFAULT_PATIENCE, network = null, ...loop_options } = options;
    super(loop_options);
    check_duration("make a VirtualClockEventLoop", "patience", patience);
    if (network !== null && typeof network["_add_loop"] !== "function") {
      throw new TypeError(
        `Cannot make a VirtualClockEventLoop: network must be a VirtualNetwork: received ${
          repr(network)
        }`,
      );
    }
    this.#patience = patience;
    this._network = network;
    network?.["_add_loop"](this);
  }

  /** @internal */
  protected override _schedule(runnable: Runnable): void {
    if (!this._is_gone(runnable)) super._schedule(runnable);
  }

  /** @internal */
  protected override _schedule_timer(timer: Timed): void {
    this._network?.["_note_timer"](timer);
    super._schedule_timer(timer);
  }

  /**
   * Moves the time forward by hand.
   *
   * All that becomes due on the way runs in order, each at its own time, and so does what follows from
   * it. The returned promise settles when nothing of it is left to run; the time has then advanced by
   * the requested amount. Native promises are not waited for. A loop that does not run is run until then, so that
   * its time stands still between the calls; in one that runs, time also jumps by itself as soon as all
   * tasks wait.
   *
   * @param seconds how far, at least 0
   * @returns a promise that settles when the time is reached
   * @throws {TypeError} if `seconds` is not a number
   * @throws {ValueError} if it is negative or not finite
   * @throws {RuntimeError} if the loop is closed, or if it does not run and another loop runs the caller
   *
   * @example
   * ```ts
   * import * as asyncio from "@pythonic/asyncio";
   * import { VirtualClockEventLoop } from "@pythonic/asyncio/testing";
   * import { assertEquals } from "@std/assert";
   *
   * const loop = new VirtualClockEventLoop();
   * const log: number[] = [];
   * loop.create_task(async () => {
   *   for (;;) {
   *     await asyncio.sleep(60);
   *     log.push(loop.time());
   *   }
   * });
   * await loop.advance(150);
   * assertEquals([log, loop.time()], [[60, 120], 150]);
   * await loop.advance(30);
   * assertEquals(log, [60, 120, 180]);
   * loop.close();
   * ```
   */
  async advance(seconds: number): Promise<void> {
    check_duration("advance the clock", "seconds", seconds);
    if (seconds === Infinity) {
      throw new ValueError("Cannot advance the clock: seconds must be finite: received Infinity");
    }
    const done = this.create_future<void>();
    heappush(this.#advances, { when: this._now + seconds, done }, earlier);
    try {
      if (this.is_running()) {
        this._look_again();
        await done;
      } else {
        await this.run_until_complete(done);
      }
    } finally {
      done.cancel();
    }
  }

  // The earliest call of advance() that still waits.
  #next_advance(): Advance | null {
    const advances = this.#advances;
    while (advances.length > 0) {
      const first = advances[0] as Advance;
      if (!first.done.done()) return first;
      heappop(advances, earlier);
    }
    return null;
  }

  /** @internal */
  protected override _wait_for_work(): boolean {
    // A task that awaits several things may still resume in a microtask, though one of them waits.
    if (!this._is_still()) {
      this._look_again();
      return false;
    }
    const timer = this._next_timer();
    const advance = this.#next_advance();
    if (advance !== null) {
      // Timers of the same time come first.
      const is_first = timer === null || timer >= advance.when + RESOLUTION;
      this._jump(is_first ? advance.when : timer);
      if (is_first) advance.done.set_result(undefined);
      return true;
    }
    const waits_for_host = this._has_foreign_waits();
    if (timer === null && (waits_for_host || !this._is_run())) return false;
    if ((timer === null || waits_for_host) && !this._was_patient) {
      // Not only promises: a callback of the host may settle what the tasks wait for.
      this._was_patient = true;
      if (this.#patience < Infinity) this._wake_after(this.#patience, 0);
      return false;
    }
    if (timer === null) throw this._deadlock();
    this._jump(timer);
    return true;
  }
}

function check_duration(what: string, name: string, value: unknown): void {
  if (typeof value !== "number") {
    throw new TypeError(
      `Cannot ${what}: ${name} must be a number of seconds: received ${repr(value)}`,
    );
  }
  if (!(value >= 0)) {
    throw new ValueError(`Cannot ${what}: ${name} must be at least 0: received ${value}`);
  }
}
