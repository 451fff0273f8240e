/** The parts of `node:perf_hooks` and `node:timers/promises` that the programs use, on a virtual clock. */

/** The time now, in milliseconds. */
let now = 0;

/** Moves the clock on by `seconds`. */
export function advance(seconds: number): void {
  now += seconds * 1000;
}

/** Stands for `performance` of `node:perf_hooks`. */
export const performance = {
  /** The time in milliseconds; two looks at a real clock never show the same time. */
  now(): number {
    advance(1e-6);
    return now;
  },
};

/** Stands for `setTimeout` of `node:timers/promises`: takes no time. */
export function setTimeout(delay: number): Promise<void> {
  advance(delay / 1000);
  return Promise.resolve();
}
