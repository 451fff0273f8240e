/**
 * A semaphore for the floor's loop, first come, first served; a lock when its value is 1.
 *
 * @module
 */

import type { Lazy } from "./loop.ts";
import { Waiter, Waiters } from "./waiters.ts";

/** Lets `value` holders in at once. */
export class Semaphore {
  /** @internal */
  free: number;
  /** @internal */
  readonly waiters: Waiters<Acquire> = new Waiters<Acquire>();

  constructor(value: number) {
    this.free = value;
  }

  acquire(): Lazy<void> {
    return new Acquire(this);
  }

  /** Gives the place to the first waiter. */
  release(): void {
    const waiter = this.waiters.shift();
    if (waiter === null) this.free++;
    else waiter.wake();
  }
}

class Acquire extends Waiter<void> {
  declare private readonly semaphore: Semaphore;

  constructor(semaphore: Semaphore) {
    super();
    this.semaphore = semaphore;
  }

  protected override begin(): boolean {
    const { semaphore } = this;
    if (semaphore.free === 0) {
      semaphore.waiters.push(this);
      return false;
    }
    semaphore.free--;
    return true;
  }

  protected override leave(): void {
    this.semaphore.waiters.remove(this);
  }
}
