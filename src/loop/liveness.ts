/**
 * Keeps the program alive as long as something can wake its loop, and no longer.
 *
 * What the loop waits for keeps a host alive by itself: its timers, sockets, native promises with work behind them.
 * When nothing does, the host ends the program in its own way, as one that awaits a promise which nothing settles.
 *
 * @module
 */

import { name_if_stuck, name_stuck } from "../host/exit.ts";
import {
  end_interrupts,
  interrupts_alone_are_pending,
  interrupts_keep_alive,
} from "../host/signals.ts";
import { do_not_wait_for, host_timers, keep_alive } from "../host/timers.ts";
import type { AbstractEventLoop } from "../core/events.ts";
import { describe_waits } from "./waits.ts";

// While a module awaits run() at its top level, Deno is queried for other things that it waits for: after so many
// milliseconds, then after twice as many each time.
const FIRST_PAUSE = 50;
const LAST_PAUSE = 60_000;

/** The part of a loop by which its program stays alive. */
export class Liveness {
  readonly #loop: AbstractEventLoop;
  readonly #is_resting: () => boolean;
  #handlers = 0;
  #let_end: (() => void) | null = null;
  #forget: (() => void) | null = null;
  #timer: unknown = null;
  #delay = FIRST_PAUSE;

  /** @param is_resting returns whether nothing is ready and no timer is set */
  constructor(loop: AbstractEventLoop, is_resting: () => boolean) {
    this.#loop = loop;
    this.#is_resting = is_resting;
  }

  /** Begins a run. */
  begin(): void {
    this.#forget = name_if_stuck(() =>
      "Cannot run main to its end: nothing is left that could wake its tasks:\n" +
      describe_waits(this.#loop["_tasks"]())
    );
    this.#delay = FIRST_PAUSE;
    this.#hold();
  }

  /** Ends the run. */
  end(): void {
    this.#forget?.();
    this.#forget = null;
    this.#let_end?.();
    this.#let_end = null;
    if (this.#timer !== null) host_timers.clear(this.#timer);
    this.#timer = null;
  }

  /** Notes how many handlers of signals the loop has: they can wake it, and do not keep each host alive. */
  set_handlers(count: number): void {
    this.#handlers = count;
    if (this.#forget !== null) this.#hold();
  }

  #hold(): void {
    if (this.#handlers > 0) this.#let_end ??= keep_alive();
    else {
      this.#let_end?.();
      this.#let_end = null;
    }
  }

  /** Notes that nothing is ready and no timer is set. */
  rest(): void {
    // A timer that is not waited for delays the end of a program on Deno all the same.
    if (!interrupts_keep_alive() || this.#timer !== null || this.#forget === null) return;
    this.#timer = host_timers.set(() => {
      this.#timer = null;
      if (this.#handlers > 0 || !this.#is_resting()) return;
      if (interrupts_alone_are_pending()) {
        name_stuck();
        end_interrupts();
        return;
      }
      this.#delay = Math.min(this.#delay * 2, LAST_PAUSE);
      this.rest();
    }, this.#delay);
    do_not_wait_for(this.#timer);
  }
}
