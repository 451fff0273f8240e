/** A test's own time: a clock and timers in the place of the host's, which go on only when told. */

interface Timer {
  due: number;
  callback: () => void;
}

export class FakeTime {
  /** The fake time of day, in milliseconds. */
  now: number;

  readonly #timers = new Map<number, Timer>();
  #last_id = 0;
  readonly #replaced = [
    this.#replace(globalThis, "setTimeout", this.#set.bind(this)),
    this.#replace(globalThis, "clearTimeout", (id: number) => void this.#timers.delete(id)),
    this.#replace(globalThis, "setInterval", this.#set.bind(this)),
    this.#replace(globalThis, "clearInterval", (id: number) => void this.#timers.delete(id)),
    this.#replace(Date, "now", () => this.now),
  ];

  constructor(start: number) {
    this.now = start;
  }

  #replace(holder: object, name: string, value: unknown): () => void {
    const original = Object.getOwnPropertyDescriptor(holder, name) ?? {};
    Object.defineProperty(holder, name, { value, configurable: true, writable: true });
    return () => Object.defineProperty(holder, name, original);
  }

  #set(callback: () => void, delay = 0): number {
    this.#timers.set(++this.#last_id, { due: this.now + Math.floor(delay), callback });
    return this.#last_id;
  }

  /** Returns whether anything waits. */
  has_timers(): boolean {
    return this.#timers.size > 0;
  }

  /** Calls what waits for the next moment at which anything is due, as if it were now. */
  fire(): void {
    const [id, timer] = [...this.#timers].sort(([, a], [, b]) => a.due - b.due)[0]!;
    this.#timers.delete(id);
    timer.callback();
  }

  /** Goes to the next moment at which anything is due; returns false if there is none. */
  next(): boolean {
    if (this.#timers.size === 0) return false;
    this.now = Math.max(this.now, Math.min(...[...this.#timers.values()].map(({ due }) => due)));
    this.fire();
    return true;
  }

  /** Goes on by so many milliseconds, through all that is due meanwhile. */
  tick(milliseconds: number): void {
    const end = this.now + milliseconds;
    while ([...this.#timers.values()].some(({ due }) => due <= end)) this.next();
    this.now = end;
  }

  /** Puts the host's clock and timers back. */
  [Symbol.dispose](): void {
    for (const put_back of this.#replaced) put_back();
  }
}
