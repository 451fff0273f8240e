/** The random programs of the property tests: tasks of steps, and cancellations that come at any time. */

import fc from "fast-check";
import type { Pause } from "./pauses.ts";

/** One thing that a task does with the primitive; each scenario reads `what` in its own way. */
export interface Step {
  what: number;
  before: Pause;
  /** What the task waits for while it holds what it got. */
  inside: Pause;
  /** Seconds after which the task gives up waiting, `null` for never. */
  timeout: number | null;
  /** What the task waits for at the same time, if anything. */
  beside: Pause | null;
  /** The task that it cancels in the very turn in which the step ends, if any. */
  cancels: number | null;
}

export interface Cancellation {
  after: Pause[];
  task: number;
}

/** Where a task has a number, it counts the tasks around the corner. */
export interface Program {
  /** The size of the primitive: its permits, its parties, its places. */
  size: number;
  tasks: Step[][];
  cancellations: Cancellation[];
}

/** What programs may wait for. */
export interface Waits {
  pauses: readonly Pause[];
  /** True if a task waits for the primitive and a pause at the same time. */
  at_once: boolean;
}

function programs({ pauses, at_once }: Waits): fc.Arbitrary<Program> {
  const pause = fc.constantFrom(...pauses);
  const step: fc.Arbitrary<Step> = fc.record({
    what: fc.nat(7),
    before: pause,
    inside: pause,
    timeout: fc.oneof(
      { weight: 3, arbitrary: fc.constant(null) },
      { weight: 1, arbitrary: fc.constantFrom(0, 0.001, 0.002) },
    ),
    beside: at_once ? fc.option(pause, { freq: 3 }) : fc.constant(null),
    cancels: fc.option(fc.nat(5), { freq: 1 }),
  });
  return fc.record({
    size: fc.integer({ min: 1, max: 3 }),
    tasks: fc.array(fc.array(step, { minLength: 1, maxLength: 5 }), { minLength: 2, maxLength: 6 }),
    cancellations: fc.array(
      fc.record({ after: fc.array(pause, { maxLength: 2 }), task: fc.nat(5) }),
      { maxLength: 8 },
    ),
  });
}

/** Checks something of many random programs; the seed is fixed, so that a failure comes again. */
export async function check_programs(
  count: number,
  waits: Waits,
  check: (program: Program) => Promise<void>,
): Promise<void> {
  await fc.assert(fc.asyncProperty(programs(waits), check), { numRuns: count, seed: 1 });
}
