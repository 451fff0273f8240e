/**
 * A queue in a ring buffer: constant time at both ends, and no garbage per item.
 *
 * @module
 */

const SMALLEST = 16;

/** A first-in, first-out queue. It iterates from the oldest item to the newest. */
export class Deque<T> implements Iterable<T> {
  #slots: (T | undefined)[] = new Array(SMALLEST);
  #head = 0;
  #length = 0;

  /** The number of items. */
  get length(): number {
    return this.#length;
  }

  /** The oldest item of a queue that is not empty. */
  get first(): T {
    return this.#slots[this.#head] as T;
  }

  /** Adds an item at the end. */
  push(item: T): void {
    const slots = this.#slots;
    if (this.#length === slots.length) {
      this.#resize(slots.length * 2);
      this.#slots[this.#length++] = item;
    } else {
      slots[(this.#head + this.#length++) & (slots.length - 1)] = item;
    }
  }

  /** Removes and returns the oldest item of a queue that is not empty. */
  shift(): T {
    const slots = this.#slots;
    const item = slots[this.#head] as T;
    slots[this.#head] = undefined;
    this.#head = (this.#head + 1) & (slots.length - 1);
    this.#length--;
    // Releases the slots of a queue that was long once.
    if (slots.length > 4096 && this.#length < slots.length >> 3) this.#resize(slots.length >> 1);
    return item;
  }

  /** Removes all items. */
  clear(): void {
    this.#slots = new Array(SMALLEST);
    this.#head = 0;
    this.#length = 0;
  }

  *[Symbol.iterator](): IterableIterator<T> {
    for (let i = 0; i < this.#length; i++) {
      yield this.#slots[(this.#head + i) & (this.#slots.length - 1)] as T;
    }
  }

  #resize(capacity: number): void {
    const slots = new Array<T | undefined>(capacity);
    for (let i = 0; i < this.#length; i++) {
      slots[i] = this.#slots[(this.#head + i) & (this.#slots.length - 1)];
    }
    this.#slots = slots;
    this.#head = 0;
  }
}
