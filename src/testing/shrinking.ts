/**
 * Shrinking: finds fewer deviations with which a run still fails.
 *
 * @module
 */

import type { DecisionKind, Deviation, Lengths } from "./decisions.ts";
import { make_random } from "./random.ts";

/** The result of a run with some deviations. */
export interface Attempt {
  /** True if it fails alike. */
  readonly fails: boolean;
  /** The deviations that were of effect. */
  readonly deviations: readonly Deviation[];
  /** How many decisions of each kind it had. */
  readonly made: Lengths;
  /** How many steps and callbacks it had. */
  readonly steps: number;
}

// How many runs are made at most.
const MAX_ATTEMPTS = 600;

// How many steps those have together at most: programs with many are shrunk less.
const MAX_STEPS = 300_000;

// How many deviations sampled runs have at most, and how many there are of each number.
const MAX_SAMPLED = 6;
const SAMPLES = 30;

// The greatest choice that is tried where none was found.
const MAX_CHOICE = 3;

/**
 * Finds deviations of which none can be left out: none at all or a single one if that is enough, as far as
 * the allowed number of runs shows it.
 */
export async function shrink(
  found: readonly Deviation[],
  run: (deviations: readonly Deviation[]) => Promise<Attempt>,
): Promise<readonly Deviation[]> {
  const plain = await run([]);
  if (plain.fails) return [];
  const most = Math.min(MAX_ATTEMPTS, Math.ceil(MAX_STEPS / Math.max(plain.steps, 1)));
  const shrinking = new Shrinking(found, run);
  await shrinking.leave_out_kinds();
  await shrinking.leave_out_parts(most / 2);
  await shrinking.try_singles(plain.made, most * 3 / 4);
  await shrinking.sample(plain.made, most);
  await shrinking.leave_out_parts(most);
  return shrinking.best;
}

class Shrinking {
  best: readonly Deviation[];
  readonly #run: (deviations: readonly Deviation[]) => Promise<Attempt>;
  #attempts = 0;

  constructor(
    found: readonly Deviation[],
    run: (deviations: readonly Deviation[]) => Promise<Attempt>,
  ) {
    this.best = found;
    this.#run = run;
  }

  async #attempt(deviations: readonly Deviation[]): Promise<boolean> {
    this.#attempts++;
    const made = await this.#run(deviations);
    if (!made.fails || made.deviations.length >= this.best.length) return false;
    this.best = made.deviations;
    return true;
  }

  /** Leaves out all of one kind. */
  async leave_out_kinds(): Promise<void> {
    for (const kind of new Set(this.best.map(({ kind }) => kind))) {
      await this.#attempt(this.best.filter((deviation) => deviation.kind === kind));
      await this.#attempt(this.best.filter((deviation) => deviation.kind !== kind));
    }
  }

  /** Leaves out ever smaller parts: Zeller's ddmin, from the end, since what comes last shifts nothing. */
  async leave_out_parts(most_attempts: number): Promise<void> {
    let parts = 2;
    while (this.best.length > 1 && this.#attempts < most_attempts) {
      const all = this.best;
      const size = Math.ceil(all.length / parts);
      let shorter = false;
      for (let end = all.length; end > 0 && !shorter; end -= size) {
        if (this.#attempts >= most_attempts) return;
        shorter = await this.#attempt([
          ...all.slice(0, Math.max(end - size, 0)),
          ...all.slice(end),
        ]);
      }
      if (shorter) parts = Math.max(parts - 1, 2);
      else if (size === 1) return;
      else parts = Math.min(parts * 2, all.length);
    }
  }

  /** Tries every other deviation alone. */
  async try_singles(made: Lengths, most_attempts: number): Promise<void> {
    for (const [kind, count] of Object.entries(made) as [DecisionKind, number][]) {
      for (let index = 0; index < count; index++) {
        for (let choice = 1; choice <= MAX_CHOICE; choice++) {
          if (this.best.length <= 1 || this.#attempts >= most_attempts) return;
          await this.#attempt([{ kind, index, choice }]);
        }
      }
    }
  }

  /** Tries a few deviations anywhere, which may be fewer than what is left. */
  async sample(made: Lengths, most_attempts: number): Promise<void> {
    const random = make_random(this.best.length);
    const below = (count: number) => Math.floor(random() * count);
    const kinds = (Object.keys(made) as DecisionKind[]).filter((kind) => made[kind] > 0);
    for (let size = 2; size < this.best.length && size <= MAX_SAMPLED; size++) {
      for (let sample = 0; sample < SAMPLES && size < this.best.length; sample++) {
        if (this.#attempts >= most_attempts) return;
        const drawn = Array.from({ length: size }, (): Deviation => {
          const kind = kinds[below(kinds.length)] as DecisionKind;
          return { kind, index: below(made[kind]), choice: 1 + below(MAX_CHOICE) };
        });
        await this.#attempt(drawn);
      }
    }
  }
}
