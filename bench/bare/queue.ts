/**
 * A bounded queue of bare promises: what a queue costs that knows neither tasks nor cancellation.
 *
 * @module
 */

/** A first-in first-out queue for one producer and one consumer. */
export class BareQueue<T> {
  readonly #maxsize: number;
  // The items, beginning at #head: shift() of a long array costs its length.
  #items: T[] = [];
  #head = 0;
  // The consumer that waits for an item.
  #getter: ((item: T) => void) | null = null;
  // The producer that waits for room.
  #putter: (() => void) | null = null;

  constructor(maxsize: number) {
    this.#maxsize = maxsize;
  }

  /** Adds an item; the promise, if there is one, is for room. */
  put(item: T): Promise<void> | void {
    const getter = this.#getter;
    if (getter !== null) {
      this.#getter = null;
      getter(item);
      return;
    }
    this.#items.push(item);
    if (this.#items.length - this.#head >= this.#maxsize) {
      return new Promise<void>((resolve) => {
        this.#putter = resolve;
      });
    }
  }

  /** Takes an item; the promise, if there is one, is for an item. */
  get(): Promise<T> | T {
    if (this.#head === this.#items.length) {
      return new Promise<T>((resolve) => {
        this.#getter = resolve;
      });
    }
    const item = this.#items[this.#head++] as T;
    if (this.#head === this.#items.length) {
      this.#items = [];
      this.#head = 0;
    }
    const putter = this.#putter;
    if (putter !== null) {
      this.#putter = null;
      putter();
    }
    return item;
  }
}

/** Passes `size` numbers from one async function to another, awaiting only what there is to wait for. */
export async function pass_items(queue: BareQueue<number>, size: number): Promise<number> {
  const produce = async () => {
    for (let item = 0; item < size; item++) {
      const room = queue.put(item);
      if (room !== undefined) await room;
    }
  };
  const consume = async () => {
    for (let taken = 0; taken < size; taken++) {
      const item = queue.get();
      if (typeof item !== "number") await item;
    }
  };
  await Promise.all([produce(), consume()]);
  return size;
}
