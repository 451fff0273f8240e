/**
 * A semaphore of bare promises, first come first served; a lock when its value is 1.
 *
 * @module
 */

interface Waiter {
  readonly enter: () => void;
  next: Waiter | null;
}

/** Lets `value` holders in at once. */
export class BareSemaphore {
  // How many more may enter now.
  #free: number;
  // Those who wait, as a linked list: a long array is slow to shift.
  #first: Waiter | null = null;
  #last: Waiter | null = null;

  constructor(value: number) {
    this.#free = value;
  }

  /** Enters; the promise, if there is one, is for a place. */
  acquire(): Promise<void> | void {
    if (this.#free > 0) {
      this.#free--;
      return;
    }
    return new Promise<void>((enter) => {
      const waiter: Waiter = { enter, next: null };
      if (this.#last === null) this.#first = waiter;
      else this.#last.next = waiter;
      this.#last = waiter;
    });
  }

  /** Leaves: the place goes to the first who waits. */
  release(): void {
    const waiter = this.#first;
    if (waiter === null) {
      this.#free++;
      return;
    }
    this.#first = waiter.next;
    if (waiter.next === null) this.#last = null;
    waiter.enter();
  }
}
