/**
 * Where on a picture a time is.
 *
 * @module
 */

import type { LoopLine } from "./timeline.ts";

/** A number of pixels, without more digits than can be seen. */
export function rounded(pixels: number): number {
  return Math.round(pixels * 10) / 10;
}

/** The axis that all loops share: each begins at its left end. */
export class Scale {
  /** Where the axis begins and how long it is, in pixels. */
  readonly left: number;
  readonly width: number;
  /** How long the longest loop lasts. */
  readonly lasts: number;
  readonly #starts: ReadonlyMap<number, number>;

  constructor(loops: readonly LoopLine[], left: number, width: number) {
    this.left = left;
    this.width = width;
    this.lasts = Math.max(0, ...loops.map(({ start, end }) => end - start));
    this.#starts = new Map(loops.map(({ number, start }) => [number, start]));
  }

  /** The time since the first event of a loop. */
  since_start(loop: number, time: number): number {
    return time - (this.#starts.get(loop) ?? 0);
  }

  /** Where a time after the beginning is, in pixels. */
  place(time: number): number {
    return this.lasts === 0 ? this.left : this.left + this.width * time / this.lasts;
  }

  /** Where a time of a loop is, in pixels. */
  x(loop: number, time: number): number {
    return this.place(this.since_start(loop, time));
  }
}
