/**
 * Runs the contestants round-robin, each workload in a process of its own, and takes medians.
 *
 * @module
 */

import { run_job, WorkerFailed } from "./child.ts";
import type { Contestant, Runner } from "./contestants.ts";
import type { Job } from "./measure.ts";
import { measures_memory, type Workload } from "./workloads.ts";

/** A contestant that this machine can run. */
export interface Ready {
  readonly contestant: Contestant;
  readonly runner: Runner;
}

/** What was measured of a contestant at a workload. */
export interface Figure {
  /** Nanoseconds, or bytes, per operation: the median of the rounds. */
  readonly value: number;
  /**
   * The median of the rounds' ratios to the contestant's floor; `null` if that was not measured. A machine may
   * be slow for a while: within a round it is so for both.
   */
  readonly ratio: number | null;
}

/** The figures by workload, then by contestant. */
export type Figures = ReadonlyMap<string, ReadonlyMap<string, Figure>>;

// After a third of it, locks and timers of the library are still up to twice as slow on V8 as they will be.
const WARM_UP_MS = 300;
const MEASURE_MS = 200;

/** Measures everything `rounds` times, interleaved; `tell` hears what is being measured. */
export async function measure_all(
  ready: readonly Ready[],
  workloads: readonly Workload[],
  rounds: number,
  tell: (text: string) => void,
): Promise<Figures> {
  const samples = new Map(workloads.map(({ id }) => [id, new Map<string, number[]>()]));
  const failed = new Set<string>();
  for (let round = 0; round < rounds; round++) {
    for (const workload of workloads) {
      for (const { contestant, runner } of rotated(ready, round)) {
        const name = `${contestant.id} ${workload.id}`;
        if (failed.has(name) || !takes_part(contestant, workload, round)) continue;
        tell(`round ${round + 1} of ${rounds}: ${name}`);
        try {
          const figure = await run_job(runner.command, job_of(contestant, workload));
          add_sample(samples.get(workload.id), contestant.id, figure);
        } catch (error) {
          if (!(error instanceof WorkerFailed)) throw error;
          failed.add(name);
          console.error(`${name} failed: ${error.message}`);
        }
      }
    }
  }
  return medians(samples, ready);
}

function takes_part(contestant: Contestant, workload: Workload, round: number): boolean {
  return round < (contestant.rounds ?? Infinity) &&
    (contestant.workloads?.includes(workload.id) ?? true);
}

// Whoever comes first in one round comes last in another.
function rotated<T>(list: readonly T[], by: number): T[] {
  const start = by % Math.max(1, list.length);
  return [...list.slice(start), ...list.slice(0, start)];
}

function job_of(contestant: Contestant, workload: Workload): Job {
  const size = contestant.sizes?.[workload.id] ?? workload.size;
  return {
    workload: workload.id,
    size,
    warm_up_size: Math.min(size, workload.warm_up_size),
    idle_ms: workload.idle_ms,
    warm_up_ms: WARM_UP_MS,
    measure_ms: measures_memory(workload) ? 0 : MEASURE_MS,
  };
}

function add_sample(
  samples: Map<string, number[]> | undefined,
  contestant: string,
  figure: number,
): void {
  const taken = samples?.get(contestant);
  if (taken === undefined) samples?.set(contestant, [figure]);
  else taken.push(figure);
}

function medians(
  samples: ReadonlyMap<string, ReadonlyMap<string, readonly number[]>>,
  ready: readonly Ready[],
): Figures {
  const floors = new Map(ready.map(({ contestant: { id, floor } }) => [id, floor]));
  return new Map([...samples].map(([workload, row]) => [
    workload,
    new Map([...row].map(([contestant, taken]) => [
      contestant,
      figure_of(taken, row.get(floors.get(contestant) ?? "")),
    ])),
  ]));
}

// Who fails in one round takes no part in later ones.
function figure_of(taken: readonly number[], floor: readonly number[] = []): Figure {
  const ratios = taken.slice(0, floor.length).map((sample, round) => sample / floor[round]!);
  return { value: median(taken), ratio: ratios.length === 0 ? null : median(ratios) };
}

function median(figures: readonly number[]): number {
  const sorted = figures.toSorted((one, other) => one - other);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
