/**
 * A bounded queue for the floor's loop: an item is handed to the first waiter.
 *
 * @module
 */

import { Deque } from "../../src/internal/deque.ts";
import type { Lazy } from "./loop.ts";
import { Waiter, Waiters } from "./waiters.ts";

/** A first-in, first-out queue of at most `maxsize` items. */
export class Queue<T> {
  /** @internal */
  readonly maxsize: number;
  /** @internal */
  readonly items: Deque<T> = new Deque();
  /** @internal */
  readonly getters: Waiters<Get<T>> = new Waiters<Get<T>>();
  /** @internal */
  readonly putters: Waiters<Put<T>> = new Waiters<Put<T>>();

  constructor(maxsize: number) {
    this.maxsize = maxsize;
  }

  put(item: T): Lazy<void> {
    return new Put(this, item);
  }

  get(): Lazy<T> {
    return new Get(this);
  }
}

class Put<T> extends Waiter<void> {
  declare private readonly queue: Queue<T>;
  declare readonly item: T;

  constructor(queue: Queue<T>, item: T) {
    super();
    this.queue = queue;
    this.item = item;
  }

  protected override begin(): boolean {
    const { queue, item } = this;
    const getter = queue.getters.shift();
    if (getter !== null) getter.wake(item);
    else if (queue.items.length < queue.maxsize) queue.items.push(item);
    else {
      queue.putters.push(this);
      return false;
    }
    return true;
  }

  protected override leave(): void {
    this.queue.putters.remove(this);
  }
}

class Get<T> extends Waiter<T> {
  declare private readonly queue: Queue<T>;

  constructor(queue: Queue<T>) {
    super();
    this.queue = queue;
  }

  protected override begin(): boolean {
    const { queue } = this;
    if (queue.items.length === 0) {
      queue.getters.push(this);
      return false;
    }
    this.value = queue.items.shift();
    const putter = queue.putters.shift();
    if (putter !== null) {
      queue.items.push(putter.item);
      putter.wake();
    }
    return true;
  }

  protected override leave(): void {
    this.queue.getters.remove(this);
  }
}
