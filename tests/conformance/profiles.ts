/**
 * Profiles: named tables that say which statements a random program is made of, and how often.
 * A new primitive is its kinds of statements (program.ts, generate.ts, compile.ts, interpreter.py,
 * print.ts) and a profile here.
 */

import type { Form, Kind, QueueKind } from "./program.ts";

/** What the tasks of a program share. */
export type Primitive =
  | "queues"
  | "semaphores"
  | "locks"
  | "events"
  | "conditions"
  | "barriers"
  | "futures"
  | "variables"
  | "generators";

/** How many of each primitive the tasks share, and: */
export interface Profile extends Partial<Record<Primitive, number>> {
  /** How likely each kind of statement is, in relation to the others. */
  weights: Partial<Record<Kind, number>>;
  /** How bodies are written, where not every form will do. */
  forms?: readonly Form[];
  /** The kinds of queues, where not all are plain ones. */
  queue_kinds?: readonly QueueKind[];
  /** True if one task keeps notifying the first condition, so that its waiters resume. */
  notifier?: boolean;
  /** True if a `Runner` runs several bodies, one after the other, and is closed. */
  runner?: boolean;
}

/** What every profile has, so that its primitives meet cancellations, errors and other tasks. */
const COMMON: Profile["weights"] = {
  log: 2,
  spawn: 8,
  join: 4,
  sleep: 8,
  cancel: 8,
  try: 11,
  loop: 2,
  call: 3,
  raise: 2,
  reraise: 12,
  return: 1,
};

const QUEUE: Profile["weights"] = {
  queue_put: 13,
  queue_get: 11,
  queue_put_nowait: 4,
  queue_get_nowait: 3,
  queue_task_done: 5,
  queue_join: 3,
};

const SEMAPHORE: Profile["weights"] = {
  semaphore_acquire: 8,
  semaphore_release: 8,
  semaphore_with: 10,
};

const FUTURES: Profile["weights"] = {
  future_new: 5,
  future_wait: 14,
  future_set_result: 6,
  future_set_exception: 3,
  future_cancel: 4,
  future_result: 2,
};

const VARIABLES: Profile["weights"] = { variable_get: 10, variable_set: 8, variable_reset: 4 };

const CALLBACKS: Profile["weights"] = {
  call_soon: 7,
  call_later: 7,
  call_at: 4,
  handle_cancel: 4,
  task_add_callback: 5,
  remove_callback: 3,
};

export const PROFILES = {
  tasks: {
    weights: { ...COMMON, spawn: 12, join: 12, join_self: 1, done_future: 3, return: 3 },
  },
  cancel: {
    weights: { ...COMMON, cancel: 20, cancelling: 3, uncancel: 3, try: 14, sleep: 12, gather: 4 },
  },
  calls: { weights: { ...COMMON, call: 25, try: 10, return: 4, done_future: 5, loop: 4 } },
  gather: { weights: { ...COMMON, gather: 25, return: 3, cancel: 10 } },
  queues: { weights: { ...COMMON, ...QUEUE }, queues: 2 },
  semaphores: { weights: { ...COMMON, ...SEMAPHORE }, semaphores: 2 },
  locks: { weights: { ...COMMON, lock_acquire: 6, lock_release: 6, lock_with: 14 }, locks: 2 },
  events: { weights: { ...COMMON, event_wait: 14, event_set: 8, event_clear: 5 }, events: 2 },
  conditions: {
    weights: {
      ...COMMON,
      condition_acquire: 1,
      condition_release: 3,
      condition_with: 26,
      timeout: 6,
      condition_wait: 2,
      condition_wait_for: 1,
      condition_notify: 4,
      condition_notify_all: 2,
    },
    conditions: 1,
    notifier: true,
  },
  barriers: {
    weights: {
      ...COMMON,
      barrier_wait: 18,
      barrier_with: 6,
      barrier_reset: 3,
      barrier_abort: 2,
    },
    barriers: 2,
  },
  queue_kinds: {
    weights: { ...COMMON, ...QUEUE, queue_shutdown: 4 },
    queues: 3,
    queue_kinds: ["Queue", "PriorityQueue", "LifoQueue"],
  },
  groups: {
    weights: { ...COMMON, group: 18, group_spawn: 12, cancelling: 2, uncancel: 1, raise: 4 },
  },
  timeouts: {
    weights: {
      ...COMMON,
      timeout: 16,
      timeout_at: 5,
      timeout_reschedule: 8,
      timeout_state: 5,
      sleep: 16,
      cancelling: 2,
      uncancel: 1,
    },
  },
  wait: { weights: { ...COMMON, wait: 20, return: 3, all_tasks: 2 } },
  wait_for: { weights: { ...COMMON, ...QUEUE, wait_for: 24 }, queues: 1 },
  as_completed: { weights: { ...COMMON, as_completed: 20 } },
  shield: { weights: { ...COMMON, shield: 20, cancel: 12 } },
  callbacks: {
    weights: { ...COMMON, ...CALLBACKS, ...FUTURES, future_add_callback: 6 },
    futures: 2,
  },
  futures: { weights: { ...COMMON, ...FUTURES }, futures: 3 },
  timers: { weights: { ...COMMON, ...CALLBACKS, timers: 8, sleep: 16 } },
  contexts: { weights: { ...COMMON, ...CALLBACKS, ...VARIABLES, gather: 4 }, variables: 2 },
  generators: {
    weights: {
      ...COMMON,
      generator_new: 5,
      generator_next: 12,
      generator_send: 5,
      generator_throw: 4,
      generator_close: 3,
      generator_for: 8,
      generator_closing: 4,
    },
    generators: 2,
  },
  staggered: { weights: { ...COMMON, staggered_race: 18, return: 4, raise: 4 } },
  eager: {
    weights: { ...COMMON, ...QUEUE, spawn_eager: 16, gather: 6, done_future: 3, all_tasks: 2 },
    forms: ["generator", "generator", "generator coroutine"],
    queues: 1,
  },
  runner: {
    weights: {
      ...COMMON,
      ...VARIABLES,
      spawn: 12,
      raise: 4,
      return: 3,
      all_tasks: 2,
      call_later: 3,
      group: 4,
      group_spawn: 4,
      generator_next: 4,
      generator_for: 2,
      event_wait: 4,
      event_set: 3,
    },
    events: 1,
    variables: 2,
    generators: 2,
    runner: true,
  },
  core: {
    weights: {
      ...COMMON,
      ...QUEUE,
      ...SEMAPHORE,
      gather: 8,
      join_self: 1,
      done_future: 2,
      cancelling: 1,
      uncancel: 1,
    },
    queues: 2,
    semaphores: 2,
  },
  everything: {
    weights: {
      ...COMMON,
      ...QUEUE,
      ...SEMAPHORE,
      ...CALLBACKS,
      ...FUTURES,
      ...VARIABLES,
      gather: 6,
      wait: 6,
      wait_for: 6,
      shield: 6,
      as_completed: 4,
      group: 8,
      group_spawn: 6,
      timeout: 8,
      timeout_reschedule: 3,
      lock_with: 6,
      event_wait: 4,
      event_set: 4,
      condition_with: 5,
      condition_notify: 3,
      barrier_wait: 3,
      queue_shutdown: 1,
      generator_next: 4,
      generator_for: 3,
      staggered_race: 3,
      cancelling: 1,
      uncancel: 1,
    },
    queues: 2,
    queue_kinds: ["Queue", "PriorityQueue", "LifoQueue"],
    semaphores: 1,
    locks: 1,
    events: 1,
    conditions: 1,
    barriers: 1,
    futures: 2,
    variables: 1,
    generators: 1,
  },
} as const satisfies Record<string, Profile>;

export type ProfileName = keyof typeof PROFILES;

export const PROFILE_NAMES = Object.keys(PROFILES) as ProfileName[];
