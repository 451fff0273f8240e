/** Profiles: which statements and awaitables the random programs are made of, and how often. */

import type { Kind, Wait } from "./program.ts";

type Weights<K extends string> = Partial<Record<K, number>>;

/** What a program may be made of. */
export interface Profile {
  statements: Weights<Kind>;
  waits: Weights<Wait["wait"]>;
  /** Whether hosts without an asynchronous context can know whose code it is. */
  needs_context: boolean;
}

const WAITS: Weights<Wait["wait"]> = { sleep: 10, from_promise: 6, event: 2, call: 3, limited: 1 };

const COMBINATORS: Weights<Wait["wait"]> = { all: 3, race: 4, any: 2, allSettled: 1 };

const STATEMENTS: Weights<Kind> = {
  await: 14,
  timeout: 6,
  wait_for: 3,
  aborted_by: 3,
  try: 5,
  throw: 1,
  cancel: 1,
};

const SIDE: Weights<Kind> = { hold: 3, forget: 2 };

export const PROFILES = {
  /** What CPython can express: one line of code a task, waits of the library alone. */
  plain: {
    statements: { ...STATEMENTS, group: 4, cancel_self: 1, lock: 2, semaphore: 2, set: 1 },
    waits: { sleep: 10, event: 2, call: 3, limited: 2, join: 3, gather: 2, put: 2, get: 2 },
    needs_context: false,
  },
  /** One line of code a task; every native promise behind `from_promise()`. */
  lines: {
    statements: { ...STATEMENTS, group: 3, cancel_self: 1, lock: 1, semaphore: 1, set: 1 },
    waits: { ...WAITS, join: 2, gather: 1, put: 1, get: 1 },
    needs_context: false,
  },
  /** One line of code a task, which awaits native promises as they are. */
  natives: {
    statements: { ...STATEMENTS, group: 3, callback: 1 },
    waits: { ...WAITS, native: 12, join: 1 },
    needs_context: true,
  },
  /** Native promises in combinators, beside waits of the library. */
  races: {
    statements: { ...STATEMENTS, group: 1 },
    waits: { sleep: 10, event: 2, native: 7, ...COMBINATORS },
    needs_context: true,
  },
  /** Several branches in a task, with blocks of their own. */
  branches: {
    statements: { ...STATEMENTS, group: 2 },
    waits: { ...WAITS, ...COMBINATORS, call: 8 },
    needs_context: true,
  },
  /** Calls that begin before a block, or outlive their caller. */
  calls: {
    statements: { ...STATEMENTS, ...SIDE, set: 1 },
    waits: { ...WAITS, ...COMBINATORS, held: 6, call: 5 },
    needs_context: true,
  },
  /** Tasks that several await, with and without a shield. */
  shared: {
    statements: { ...STATEMENTS, group: 2, cancel: 4 },
    waits: { ...WAITS, ...COMBINATORS, join: 12, gather: 3 },
    needs_context: true,
  },
  /** Task groups. */
  groups: {
    statements: { ...STATEMENTS, group: 12, throw: 4 },
    waits: { ...WAITS, ...COMBINATORS, gather: 1 },
    needs_context: true,
  },
  /** Code of no task: intervals, callbacks of the loop and of the host. */
  callbacks: {
    statements: { ...STATEMENTS, callback: 8, set: 1 },
    waits: { ...WAITS, ...COMBINATORS, put: 3, get: 3 },
    needs_context: true,
  },
  /** Queues, locks, semaphores and events. */
  primitives: {
    statements: { ...STATEMENTS, ...SIDE, lock: 5, semaphore: 5, set: 2, callback: 2 },
    waits: { ...WAITS, ...COMBINATORS, put: 6, get: 6, event: 4, held: 2 },
    needs_context: true,
  },
  /** Code that outlives its task, in blocks of its own. */
  outlived: {
    statements: { await: 8, timeout: 8, aborted_by: 5, group: 1, try: 3, forget: 12, hold: 2 },
    waits: { ...WAITS, from_promise: 14, put: 2, get: 2, ...COMBINATORS, call: 5 },
    needs_context: true,
  },
  everything: {
    statements: {
      ...STATEMENTS,
      ...SIDE,
      group: 4,
      lock: 2,
      semaphore: 2,
      callback: 2,
      set: 1,
      cancel: 2,
      cancel_self: 1,
    },
    waits: { ...WAITS, ...COMBINATORS, join: 3, gather: 2, put: 2, get: 2, held: 4, call: 5 },
    needs_context: true,
  },
} as const satisfies Record<string, Profile>;

export type ProfileName = keyof typeof PROFILES;

export const PROFILE_NAMES = Object.keys(PROFILES) as ProfileName[];
