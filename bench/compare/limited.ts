/**
 * W6 and W7 for whatever runs functions with at most so many at once.
 *
 * @module
 */

import type { Batches } from "./measure.ts";

/** Runs the function when there is room. */
export type Limiter = (work: () => Promise<void>) => Promise<unknown>;

/** The batches of a contestant that makes a limiter from the number of functions that may run at once. */
export function limited_batches(make: (at_once: number) => Limiter): Batches {
  const switched = Promise.resolve();
  const work = async () => {
    await switched;
  };
  return {
    async W6(size) {
      const limit = make(10);
      await Promise.all(Array.from({ length: size }, () => limit(work)));
      return size;
    },

    async W7(size) {
      const limit = make(1);
      const task = async () => {
        for (let done = 0; done < size; done++) await limit(work);
      };
      await Promise.all(Array.from({ length: 100 }, task));
      return 100 * size;
    },
  };
}
