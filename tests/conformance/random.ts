/**
 * The random numbers of the conformance suite: SplitMix32, a 32-bit counter whose steps are scrambled.
 * The same seed gives the same programs on every host, which is all that is asked of it.
 */

/** A seeded source of random choices. */
export class Random {
  /** The counter; every draw adds the golden ratio to it. */
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** A whole number from 0 to 2^32 - 1. */
  next(): number {
    this.#state = (this.#state + 0x9e3779b9) >>> 0;
    let z = this.#state;
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    return (z ^ (z >>> 15)) >>> 0;
  }

  /** A whole number from `low` to `high`, both included. */
  between(low: number, high: number): number {
    return low + this.next() % (high - low + 1);
  }

  /** True with the given probability. */
  chance(probability: number): boolean {
    return this.next() < probability * 2 ** 32;
  }

  /** One of the choices; a choice that stands twice is twice as likely. */
  pick<T>(choices: readonly T[]): T {
    return choices[this.next() % choices.length] as T;
  }

  /** One of the keys of a table of weights. */
  weighted<K extends string>(weights: ReadonlyMap<K, number>): K {
    let total = 0;
    for (const weight of weights.values()) total += weight;
    let left = this.next() / 2 ** 32 * total;
    let last: K | undefined;
    for (const [key, weight] of weights) {
      last = key;
      left -= weight;
      if (left < 0) break;
    }
    if (last === undefined) throw new RangeError("Cannot choose from an empty table of weights");
    return last;
  }
}
