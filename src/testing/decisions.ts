/**
 * The decisions of a run: each is a choice among a few options, of which number 0 is the plain one. A
 * run is known by those that deviate from it.
 *
 * @module
 */

import { ValueError } from "../core/exceptions.ts";
import { repr } from "../internal/format_helpers.ts";
import { make_random } from "./random.ts";

/** The decisions that faults are made by. */
export type FaultKind = "cancel" | "fail" | "slow";

/** The subject of a decision. */
export type DecisionKind = "order" | "draw" | "choice" | FaultKind;

/**
 * A strategy of {@linkcode explore}: `"random"` chooses each time with equal chances; `"pct"` is
 * probabilistic concurrency testing.
 *
 * @category Exploration
 */
export type ExplorationStrategy = "random" | "pct";

/** Chooses the decisions of a run. */
export interface Chooser {
  /**
   * Chooses one of `count` options, at least 2.
   *
   * @param actors for a decision about the order: the actor of each option
   * @param chance for a draw: the chance that it is not the plain one; `null` if all have the same
   */
  choose(
    kind: DecisionKind,
    count: number,
    actors: readonly object[],
    chance: number | null,
  ): number;
}

/**
 * A choice that deviates from the plain order. Decisions are numbered for each kind, so that one that is left
 * out leaves those of other kinds where they are.
 */
export interface Deviation {
  readonly kind: DecisionKind;
  readonly index: number;
  readonly choice: number;
}

/** The kinds by the letters that schedules have for them. */
const LETTERS: Readonly<Record<string, DecisionKind>> = {
  o: "order",
  d: "draw",
  w: "choice",
  c: "cancel",
  f: "fail",
  s: "slow",
};

/** Writes a deviation: `"o12.1"`. */
export function format_deviation({ kind, index, choice }: Deviation): string {
  const [letter] = Object.entries(LETTERS).find(([, each]) => each === kind) as [string, unknown];
  return `${letter}${index}.${choice}`;
}

/** A run in short: the seed of its random numbers, and the deviations. */
export interface ParsedSchedule {
  readonly seed: number;
  readonly deviations: readonly Deviation[];
}

/** Writes a schedule: `"7/o12.1,w40.2"`. */
export function format_schedule({ seed, deviations }: ParsedSchedule): string {
  return `${seed}/${deviations.map(format_deviation).join(",")}`;
}

/** Reads a schedule. */
export function parse_schedule(text: string): ParsedSchedule {
  const [, seed, list] = /^(\d+)\/((?:[a-z]\d+\.\d+(?:,[a-z]\d+\.\d+)*)?)$/.exec(text) ?? [];
  const entries = list === undefined || list === "" ? [] : list.split(",");
  const deviations = entries.flatMap((entry): Deviation[] => {
    const kind = LETTERS[entry[0] as string];
    const [index = "", choice = ""] = entry.slice(1).split(".");
    return kind === undefined ? [] : [{ kind, index: Number(index), choice: Number(choice) }];
  });
  if (seed === undefined || deviations.length < entries.length) {
    throw new ValueError(
      `Cannot replay a run: it is no schedule of an ExplorationError: received ${repr(text)}`,
    );
  }
  return { seed: Number(seed), deviations };
}

const NONE_MADE: Readonly<Record<DecisionKind, number>> = {
  order: 0,
  draw: 0,
  choice: 0,
  cancel: 0,
  fail: 0,
  slow: 0,
};

const KIND_NUMBERS: Readonly<Record<DecisionKind, number>> = {
  order: 1,
  draw: 2,
  choice: 3,
  cancel: 4,
  fail: 5,
  slow: 6,
};

/** The decisions of one run, as they are made. */
export class Decisions {
  /** How many were made. */
  count = 0;
  readonly deviations: Deviation[] = [];
  /** How many of each kind were made; the lengths of later runs are estimated by them. */
  readonly opportunities: Record<DecisionKind, number> = { ...NONE_MADE };
  readonly #chooser: Chooser;
  readonly #describe: ((deviation: Deviation, text: string) => void) | null;

  /** Makes the decisions of a run; `describe` is called with each deviation. */
  constructor(
    chooser: Chooser,
    describe: ((deviation: Deviation, text: string) => void) | null = null,
  ) {
    this.#chooser = chooser;
    this.#describe = describe;
  }

  /** Returns a number that is the same for the same deviations, and as good as never for others. */
  fingerprint(): number {
    let high = 0;
    let low = 0;
    for (const { kind, index, choice } of this.deviations) {
      const value = (index << 3) + KIND_NUMBERS[kind] + Math.imul(choice, 0x5bd1e995);
      high = Math.imul(high ^ value, 0x9e3779b1);
      high ^= high >>> 15;
      low = Math.imul(low ^ value ^ high, 0x85ebca6b);
      low ^= low >>> 13;
    }
    return (high >>> 0) * 2 ** 21 + (low >>> 11);
  }

  /** Chooses one of `count` options: 0 is the plain one. */
  choose(
    kind: DecisionKind,
    count: number,
    actors: readonly object[],
    chance: number | null,
    describe: (choice: number) => string,
  ): number {
    if (count < 2) return 0;
    this.count++;
    const index = this.opportunities[kind]++;
    const choice = this.#chooser.choose(kind, count, actors, chance);
    if (choice === 0) return 0;
    const deviation = { kind, index, choice };
    this.deviations.push(deviation);
    if (this.#describe !== null) this.#describe(deviation, describe(choice));
    return choice;
  }
}

/** Makes the decisions of a schedule, and the plain ones where it has none. */
export class Replay implements Chooser {
  readonly #choices: Readonly<Record<DecisionKind, Map<number, number>>> = {
    order: new Map(),
    draw: new Map(),
    choice: new Map(),
    cancel: new Map(),
    fail: new Map(),
    slow: new Map(),
  };
  readonly #made: Record<DecisionKind, number> = { ...NONE_MADE };

  /** Takes the deviations. */
  constructor(deviations: readonly Deviation[]) {
    for (const { kind, index, choice } of deviations) this.#choices[kind].set(index, choice);
  }

  choose(kind: DecisionKind, count: number): number {
    const choice = this.#choices[kind].get(this.#made[kind]++) ?? 0;
    return choice < count ? choice : 0;
  }
}

/** A time as a line of a report has it. */
export function seconds_text(seconds: number): string {
  return `${Number(seconds.toFixed(6))} s`;
}

/** How many faults of each kind a run has at most. */
export type FaultCounts = Readonly<Record<FaultKind, number>>;

/** The greatest numbers of opportunities in the runs before. */
export type Lengths = Readonly<Record<DecisionKind, number>>;

// Faults come at opportunities that are drawn before the run.
class FaultPoints {
  readonly #points: number[] = [];
  #index = 0;

  constructor(random: () => number, most: number, length: number) {
    const count = Math.floor(random() * (most + 1));
    for (let i = 0; i < count; i++) this.#points.push(Math.floor(random() * length));
  }

  is_next(): boolean {
    return this.#points.includes(this.#index++);
  }
}

const DRAW_RATES: readonly number[] = [0.02, 0.1, 0.3, 1];

abstract class Seeded implements Chooser {
  protected readonly random: () => number;
  readonly #points: Readonly<Record<FaultKind, FaultPoints>>;
  // Reports of runs in which little deviates are short; the other rates make enough runs that differ much.
  readonly #draw_rate: number;

  constructor(seed: number, faults: FaultCounts, lengths: Lengths) {
    const random = this.random = make_random(seed);
    this.#draw_rate = DRAW_RATES[Math.floor(random() * DRAW_RATES.length)] as number;
    const points = (kind: FaultKind) => new FaultPoints(random, faults[kind], lengths[kind]);
    this.#points = { cancel: points("cancel"), fail: points("fail"), slow: points("slow") };
  }

  choose(
    kind: DecisionKind,
    count: number,
    actors: readonly object[],
    chance: number | null,
  ): number {
    if (kind === "order") return this.order(count, actors);
    if (kind === "draw") {
      return this.random() < this.#draw_rate ? Math.floor(this.random() * count) : 0;
    }
    if (kind === "choice") {
      if (chance === null) return Math.floor(this.random() * count);
      return this.random() < chance ? this.#other(count) : 0;
    }
    return this.#points[kind].is_next() ? this.#other(count) : 0;
  }

  #other(count: number): number {
    return 1 + Math.floor(this.random() * (count - 1));
  }

  protected abstract order(count: number, actors: readonly object[]): number;
}

/** Each option has the same chance. */
export class UniformRandom extends Seeded {
  protected override order(count: number): number {
    return Math.floor(this.random() * count);
  }
}

/**
 * Probabilistic concurrency testing (Burckhardt et al., 2010): actors have random priorities, the one of
 * the highest goes first, and at `depth - 1` random decisions it becomes the one of the lowest. A fault
 * that needs `depth` orderings is found in a run with a chance of at least 1 / (actors * decisions ** (depth - 1)).
 */
export class Priorities extends Seeded {
  readonly #priorities = new Map<object, number>();
  readonly #change_points = new Set<number>();
  #index = 0;
  #lowest = 0;

  /** Draws the change points among the decisions of a run as long as those before. */
  constructor(seed: number, faults: FaultCounts, lengths: Lengths, depth: number) {
    super(seed, faults, lengths);
    for (let i = 1; i < depth; i++) {
      this.#change_points.add(Math.floor(this.random() * lengths.order));
    }
  }

  protected override order(count: number, actors: readonly object[]): number {
    let best = this.#best(count, actors);
    if (this.#change_points.has(this.#index++)) {
      this.#priorities.set(actors[best] as object, --this.#lowest);
      best = this.#best(count, actors);
    }
    return best;
  }

  #best(count: number, actors: readonly object[]): number {
    let best = 0;
    let highest = -Infinity;
    for (let i = 0; i < count; i++) {
      const priority = this.#priority_of(actors[i] as object);
      if (priority > highest) [best, highest] = [i, priority];
    }
    return best;
  }

  #priority_of(actor: object): number {
    let priority = this.#priorities.get(actor);
    if (priority === undefined) {
      priority = this.random();
      this.#priorities.set(actor, priority);
    }
    return priority;
  }
}
