/** A small generator of random numbers: the same seed gives the same numbers, in Python too. */
export class SeededRandom {
  /** The last number drawn, from 1 to 2147483646. */
  #state: number;

  /** A generator that starts from `seed`, a whole number from 0. */
  constructor(seed: number) {
    this.#state = seed % 2147483646 + 1;
  }

  /** A whole number from `low` to `high`, both included. */
  randint(low: number, high: number): number {
    this.#state = this.#state * 48271 % 2147483647;
    return low + this.#state % (high - low + 1);
  }
}
