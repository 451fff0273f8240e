/**
 * Shrinking: finds fewer deviations with which a run still fails.
 *
 * @module
 */

import type { Deviation } from "./decisions.ts";

/** The result of a run with some deviations. */
export interface Attempt {
  /** True if it fails alike. */
  readonly fails: boolean;
  /** The deviations that were of effect. */
  readonly deviations: readonly Deviation[];
  /** How many decisions it had. */
  readonly decisions: number;
}

// How many runs are made at most.
const MAX_ATTEMPTS = 600;

/**
 * Finds deviations of which none can be left out: none at all or a single one if that is enough, as far as
 * the allowed number of runs shows it.
 */
export async function shrink(
  found: readonly Deviation[],
  run: (deviations: readonly Deviation[]) => Promise<Attempt>,
): Promise<readonly Deviation[]> {
  let attempts = 0;
  let best = found;
  const attempt = async (deviations: readonly Deviation[]): Promise<boolean> => {
    attempts++;
    const made = await run(deviations);
    if (made.fails) best = made.deviations;
    return made.fails;
  };
  const plain = await run([]);
  if (plain.fails) return [];
  await leave_out(() => best, attempt, () => attempts >= MAX_ATTEMPTS / 2);
  // Another one alone may be enough.
  for (let decision = 0; best.length > 1 && decision < plain.decisions; decision++) {
    for (let choice = 1; choice <= 2 && best.length > 1; choice++) {
      if (attempts >= MAX_ATTEMPTS) return best;
      await attempt([[decision, choice]]);
    }
  }
  return best;
}

// Zeller's ddmin: ever smaller parts are left out.
async function leave_out(
  best: () => readonly Deviation[],
  attempt: (deviations: readonly Deviation[]) => Promise<boolean>,
  is_over: () => boolean,
): Promise<void> {
  let parts = 2;
  while (best().length > 1 && !is_over()) {
    const all = best();
    const size = Math.ceil(all.length / parts);
    let shorter = false;
    for (let start = 0; start < all.length && !shorter && !is_over(); start += size) {
      const rest = [...all.slice(0, start), ...all.slice(start + size)];
      shorter = await attempt(rest) && best().length < all.length;
    }
    if (shorter) parts = Math.max(parts - 1, 2);
    else if (size === 1) break;
    else parts = Math.min(parts * 2, all.length);
  }
}
