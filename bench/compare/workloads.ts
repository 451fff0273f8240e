/**
 * The workloads of the comparison: what one operation of each is, how much of it is run at once, and the goal.
 *
 * @module
 */

import { MEMORY_WORKLOAD } from "./measure.ts";

/** One workload, the same for every contestant. */
export interface Workload {
  /** Its short name, as the command line takes it. */
  readonly id: string;
  /** A few words for tables and pictures. */
  readonly title: string;
  /** What is run, and so what one operation is. */
  readonly operation: string;
  /** How big one batch is; what it counts depends on the workload. */
  readonly size: number;
  /** The size of the batches that warm the contestant up. */
  readonly warm_up_size: number;
  /** Milliseconds of a batch in which nothing is to do, subtracted from its time. */
  readonly idle_ms: number;
  /** How many times the floor's figure the library's may be. */
  readonly goal: number;
}

/** Sleeps last 1 to this many milliseconds in W8. */
export const LONGEST_SLEEP_MS = 50;

/** Every workload, in the order of the table. */
export const WORKLOADS: readonly Workload[] = [
  {
    id: "W1",
    title: "switch",
    operation: "one task, `sleep(0)`",
    size: 10_000,
    warm_up_size: 5_000,
    idle_ms: 0,
    goal: 1.4,
  },
  {
    id: "W2",
    title: "spawn",
    operation: "create a task of an empty async function, await it",
    size: 5_000,
    warm_up_size: 2_000,
    idle_ms: 0,
    goal: 1.7,
  },
  {
    id: "W3",
    title: "gather",
    operation: "gather of 100,000 empty tasks, per task",
    size: 100_000,
    warm_up_size: 5_000,
    idle_ms: 0,
    goal: 1.8,
  },
  {
    id: "W4",
    title: "queue, maxsize 100",
    operation: "one producer, one consumer, per item",
    size: 20_000,
    warm_up_size: 5_000,
    idle_ms: 0,
    goal: 1.15,
  },
  {
    id: "W5",
    title: "queue, maxsize 1",
    operation: "one producer, one consumer, per item",
    size: 10_000,
    warm_up_size: 5_000,
    idle_ms: 0,
    goal: 1.5,
  },
  {
    id: "W6",
    title: "semaphore",
    operation: "10,000 tasks through `Semaphore(10)`, one switch inside, per task",
    size: 10_000,
    warm_up_size: 2_000,
    idle_ms: 0,
    goal: 1.8,
  },
  {
    id: "W7",
    title: "lock",
    operation: "100 tasks, each 1,000 times acquire, switch, release of one lock, per round",
    size: 1_000,
    warm_up_size: 50,
    idle_ms: 0,
    goal: 1.6,
  },
  {
    id: "W8",
    title: "timers",
    operation: "100,000 concurrent sleeps of 1 to 50 ms, time over 50 ms, per sleep",
    size: 100_000,
    warm_up_size: 10_000,
    idle_ms: LONGEST_SLEEP_MS,
    goal: 2.5,
  },
  {
    id: "W9",
    title: "cancel",
    operation: "start 50,000 sleeping tasks, cancel all, await all, per task",
    size: 50_000,
    warm_up_size: 5_000,
    idle_ms: 0,
    goal: 3,
  },
  {
    id: "W10",
    title: "timeout",
    operation: "`timeout(10)` around one switch",
    size: 5_000,
    warm_up_size: 2_000,
    idle_ms: 0,
    goal: 1.8,
  },
  {
    id: "W11",
    title: "memory",
    operation: "heap per idle sleeping task, 100,000 of them",
    size: 100_000,
    warm_up_size: 1_000,
    idle_ms: 0,
    goal: 1.6,
  },
  {
    id: "W12",
    title: "tree gather",
    operation: "recursive gather of a binary tree of depth 14, per node",
    size: 14,
    warm_up_size: 10,
    idle_ms: 0,
    goal: 3,
  },
];

/** Returns whether the workload measures bytes and not time. */
export function measures_memory(workload: Workload): boolean {
  return workload.id === MEMORY_WORKLOAD;
}
