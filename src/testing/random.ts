/**
 * Random numbers from a seed: the same on every host.
 *
 * @module
 */

/** Makes a function that returns numbers from 0 to less than 1: Mulberry32. */
export function make_random(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Returns the seed of one of many runs. */
export function seed_of_run(seed: number, run: number): number {
  let mixed = Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(run + 1, 0xc2b2ae35);
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x7feb352d);
  return (mixed ^ (mixed >>> 15)) >>> 0;
}

/** Draws what a network leaves to chance. */
export interface Draws {
  /** A number from 0 to 1. */
  fraction(): number;
  /** True with a chance. */
  happens(chance: number): boolean;
  /** A whole number below a count; 0 is the plain one. */
  below(count: number): number;
}

/** Draws by a seed. */
export function draw_from(seed: number): Draws {
  const random = make_random(seed);
  return {
    fraction: random,
    happens: (chance) => random() < chance,
    below: (count) => Math.floor(random() * count),
  };
}
