/**
 * Maps the moments of `core/scopes.ts` to times of the host, as exactly as tools show how long a task waits.
 *
 * @module
 */

// Times nearer than this to the last one, in milliseconds, are taken for it.
const RESOLUTION = 50;

// With more entries than this every second one of the older half is dropped.
const MAX_ENTRIES = 1024;

/** Times of the host at which a loop had reached moments. */
export class MomentLog {
  #moments: number[] = [];
  #times: number[] = [];

  /** Notes that a moment has been reached at a time of the host's clock, in milliseconds. */
  note(moment: number, time: number): void {
    const last = this.#times.length - 1;
    if (last >= 0 && time - this.#times[last]! < RESOLUTION) {
      this.#moments[last] = moment;
      return;
    }
    this.#moments.push(moment);
    this.#times.push(time);
    if (last + 2 > MAX_ENTRIES) this.#thin_out();
  }

  #thin_out(): void {
    const keep = (_: number, index: number) => index > MAX_ENTRIES / 2 || index % 2 === 0;
    this.#moments = this.#moments.filter(keep);
    this.#times = this.#times.filter(keep);
  }

  /** Returns for how many milliseconds a wait that began at a moment has lasted, to some fifty. */
  since(moment: number, now: number): number {
    let [low, high] = [0, this.#moments.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#moments[middle]! < moment) low = middle + 1;
      else high = middle;
    }
    return low < this.#times.length ? Math.max(0, now - this.#times[low]!) : 0;
  }
}
