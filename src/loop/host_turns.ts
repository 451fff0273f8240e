/**
 * Turns of the host: how long a loop works before its host polls timers and I/O.
 *
 * @module
 */

import { create_macrotasks, type Macrotasks, TURNS_TO_IO } from "../host/macrotask.ts";
import { has_requests, host_date } from "../host/timers.ts";
import { MomentLog } from "./moments.ts";

// How many callbacks run at most between two readings of the clock by which the host gets a turn.
const MAX_UNCHECKED = 16;

/** Requests turns of the host, and measures the slices of work between them, of a millisecond each. */
export class HostTurns {
  readonly #macrotasks: Macrotasks;
  #is_requested = false;
  // How many more turns the host gets before the loop continues.
  #left = 0;
  #slice_began = 0;
  #unchecked = 1;
  #until_check = 1;
  readonly #moments = new MomentLog();
  /** The host's time of day in milliseconds, as it was last read: once in a few callbacks. */
  date = 0;

  constructor(on_turn: () => void) {
    this.#macrotasks = create_macrotasks(() => {
      this.#is_requested = false;
      on_turn();
    });
  }

  /** Requests a turn: the callback is called when the microtask queue has run dry. */
  request(): void {
    if (!this.#is_requested || has_requests) {
      this.#is_requested = true;
      this.#macrotasks.request();
    }
  }

  /** Cancels the request, if there is one. */
  cancel(): void {
    if (!this.#is_requested) return;
    this.#is_requested = false;
    this.#macrotasks.cancel();
  }

  /** Begins a slice. */
  begin_slice(): void {
    this.#slice_began = this.date = host_date();
  }

  /** Begins a slice whose first callbacks run whatever time they take. */
  begin_unchecked_slice(): void {
    this.begin_slice();
    this.#until_check = MAX_UNCHECKED;
  }

  /** Counts a callback that is about to run; returns whether the host must get its turns before. */
  is_due(): boolean {
    return --this.#until_check <= 0 && this.#slice_is_over();
  }

  #slice_is_over(): boolean {
    this.date = host_date();
    if (this.date - this.#slice_began >= 1) {
      this.#until_check = this.#unchecked = 1;
      return true;
    }
    this.#until_check = this.#unchecked = Math.min(this.#unchecked * 2, MAX_UNCHECKED);
    return false;
  }

  /** Notes that the loop has reached a moment. */
  note_moment(moment: number): void {
    this.#moments.note(moment, host_date());
  }

  /** Returns for how many milliseconds a wait that began at a moment has lasted, to some fifty. */
  waited_since(moment: number): number {
    return this.#moments.since(moment, host_date());
  }

  /** Gives the host as many turns as it needs to poll its I/O. */
  give(): void {
    this.#left = TURNS_TO_IO;
    this.request();
  }

  /** Counts a turn that the host has had; returns whether it gets another one before the loop continues. */
  gives_another(): boolean {
    if (--this.#left <= 0) return false;
    this.request();
    return true;
  }

  /** Gives the host no more turns than the one that is requested. */
  stop_giving(): void {
    this.#left = 0;
  }
}
