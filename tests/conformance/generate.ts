/**
 * Makes random programs: the same profile and seed give the same program.
 *
 * Bodies are made from the last to the first, because a body may only use bodies of a higher number;
 * each has a cost, the statements that it and all that it starts can run, and none may cost too much.
 */

import { type Primitive, type Profile, type ProfileName, PROFILES } from "./profiles.ts";
import type {
  Action,
  Body,
  ErrorKind,
  ExceptKind,
  Fields,
  Form,
  GeneratorPlan,
  Item,
  Kind,
  Message,
  Program,
  ReturnWhen,
  RunnerRun,
  Shared,
  Statement,
} from "./program.ts";
import { Random } from "./random.ts";

/** The most statements that the main body, or any other, may run with all that it starts. */
const MAIN_BUDGET = 250;
const BODY_BUDGET = 60;

/** Blocks within blocks end here. */
const MAX_NESTING = 3;

const FORMS: readonly Form[] = [
  "async",
  "async",
  "async",
  "async coroutine",
  "generator",
  "generator",
  "generator coroutine",
];

/** Many ties; and sums that differ in the last digit alone (0.1 + 0.2 and 0.3). */
const DELAYS = [0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 3, -1, 0.5, 0.5, 1.5, 0.1, 0.2, 0.3] as const;

const ERROR_KINDS: readonly ErrorKind[] = [
  "ValueError",
  "RuntimeError",
  "AppError",
  "AppError",
  "AppBaseError",
  "CancelledError",
];

const GENERATOR_ERROR_KINDS: readonly ErrorKind[] = [...ERROR_KINDS, "StopAsyncIteration"];

const EXCEPT_KINDS: readonly ExceptKind[] = [
  "CancelledError",
  "CancelledError",
  "CancelledError",
  "Exception",
  "Exception",
  "BaseException",
  "BaseException",
  "AppError",
  "ValueError",
  "RuntimeError",
];

/** Kinds that hold blocks: not made where nesting ends. */
const NESTING: ReadonlySet<Kind> = new Set<Kind>([
  "try",
  "loop",
  "group",
  "timeout",
  "timeout_at",
  "semaphore_with",
  "lock_with",
  "condition_with",
  "barrier_with",
  "generator_closing",
]);

/** What `except` clauses name in profiles that have the primitives that raise it. */
const PROFILE_EXCEPT_KINDS: readonly [Kind, ExceptKind][] = [
  ["barrier_wait", "BrokenBarrierError"],
  ["group", "ExceptionGroup"],
  ["future_new", "InvalidStateError"],
  ["generator_next", "StopAsyncIteration"],
  ["queue_get_nowait", "QueueEmpty"],
  ["queue_put_nowait", "QueueFull"],
  ["queue_shutdown", "QueueShutDown"],
  ["timeout", "TimeoutError"],
  ["wait_for", "TimeoutError"],
];

/** Where a statement is made. */
interface Place {
  nesting: number;
  /** How often the statement runs, because of the loops around it. */
  times: number;
  /** True if an `except` block is around it, and a `finally` block. */
  handling: boolean;
  finalizing: boolean;
  /** True if a condition is held: a task that enters it again waits for ever. */
  holding: boolean;
}

function maybe<T>(random: Random, probability: number, value: T): T | null {
  return random.chance(probability) ? value : null;
}

/** What is made for one kind of statement: its fields, or null where it has no place. */
type Makers = { [K in Kind]: (maker: BodyMaker, place: Place) => Fields[K] | null };

/** A message: mostly none, sometimes a number, which becomes text. */
function message(random: Random): { message?: Message } {
  if (random.chance(0.6)) return {};
  return { message: random.pick<Message>(["stop", "enough", 7]) };
}

const MAKERS: Makers = {
  log: (maker) => ({ value: maker.random.between(0, 9) }),
  spawn: (maker, place) => maker.usable(place),
  join: ({ random }) => ({ task: random.between(0, 9) }),
  join_self: () => ({}),
  sleep: ({ random }) => {
    const delay = random.pick(DELAYS);
    return random.chance(0.3) ? { delay, value: random.between(0, 9) } : { delay };
  },
  gather: (maker, place) => ({
    items: Array.from({ length: maker.random.between(0, 4) }, () => maker.item(place)),
    return_exceptions: maker.random.chance(0.4),
  }),
  spawn_eager: (maker, place) => maker.usable(place),
  wait: ({ random }) => ({
    tasks: Array.from({ length: random.between(1, 4) }, () => random.between(0, 9)),
    timeout: maybe(random, 0.4, random.pick(DELAYS)),
    return_when: random.pick<ReturnWhen>([
      "ALL_COMPLETED",
      "FIRST_COMPLETED",
      "FIRST_EXCEPTION",
    ]),
  }),
  wait_for: (maker, place) => ({
    item: maker.item(place),
    timeout: maybe(maker.random, 0.9, maker.random.pick(DELAYS)),
  }),
  shield: (maker, place) => ({ item: maker.item(place) }),
  as_completed: (maker, place) => ({
    items: Array.from({ length: maker.random.between(0, 4) }, () => maker.item(place)),
    timeout: maybe(maker.random, 0.3, maker.random.pick(DELAYS)),
    style: maker.random.pick<"plain" | "async">(["plain", "async"]),
  }),
  staggered_race: (maker, place) => ({
    bodies: Array.from({ length: maker.random.between(0, 4) }, () => maker.usable(place))
      .flatMap((target) => target?.body ?? []),
    delay: maybe(maker.random, 0.7, maker.random.pick(DELAYS)),
  }),
  all_tasks: () => ({}),
  cancel: ({ random }) => ({ task: random.between(0, 11), ...message(random) }),
  cancelling: ({ random }) => ({ task: random.between(0, 9) }),
  uncancel: () => ({}),
  call: (maker, place) => {
    const target = maker.usable(place);
    return target && { ...target, depth: maker.random.between(1, 6) };
  },
  done_future: ({ random }) => ({ value: random.between(0, 9) }),
  raise: ({ random }) => ({ error: random.pick(ERROR_KINDS), ...message(random) }),
  reraise: (_, place) => place.handling ? {} : null,
  return: ({ random }, place) => place.finalizing ? null : { value: random.between(10, 99) },
  loop: (maker, place) => {
    const count = maker.random.between(2, 3);
    return { count, block: maker.block({ ...place, times: place.times * count }, 3) };
  },
  try: (maker, place) => {
    const { random } = maker;
    const block = maker.block(place, 3);
    const handlers = Array.from({ length: random.pick([0, 1, 1, 1, 2]) }, () => ({
      catches: random.pick(maker.except_kinds),
      block: maker.block({ ...place, handling: true }, 2),
    }));
    const otherwise = handlers.length > 0 && random.chance(0.3) ? maker.block(place, 2) : [];
    const last = handlers.length === 0 || random.chance(0.4)
      ? maker.block({ ...place, finalizing: true }, 2)
      : [];
    return { block, handlers, otherwise, finally: last };
  },
  group: (maker, place) => {
    const target = maker.usable(place);
    const first: Statement[] = target
      ? [{ id: maker.next_id(), do: "group_spawn", group: 0, ...target }]
      : [];
    return { block: [...first, ...maker.block(place, 3)] };
  },
  group_spawn: (maker, place) => {
    const target = maker.usable(place);
    return target && { ...target, group: maker.random.pick([0, 0, 0, 1, 2]) };
  },
  timeout: (maker, place) => ({
    delay: maybe(maker.random, 0.9, maker.random.pick(DELAYS)),
    block: maker.block(place, 3),
  }),
  timeout_at: (maker, place) => ({
    when: maker.random.between(0, 4),
    block: maker.block(place, 3),
  }),
  timeout_reschedule: ({ random }) => ({
    timeout: random.pick([0, 0, 0, 1, 2]),
    delay: maybe(random, 0.8, random.pick(DELAYS)),
  }),
  timeout_state: ({ random }) => ({ timeout: random.pick([0, 0, 0, 1, 2]) }),
  queue_put: (maker) => ({ ...maker.queue(), item: maker.random.between(0, 99) }),
  queue_get: (maker) => maker.queue(),
  queue_put_nowait: (maker) => ({ ...maker.queue(), item: maker.random.between(0, 99) }),
  queue_get_nowait: (maker) => maker.queue(),
  queue_task_done: (maker) => maker.queue(),
  queue_join: (maker) => maker.queue(),
  queue_shutdown: (maker) => ({ ...maker.queue(), immediate: maker.random.chance(0.5) }),
  semaphore_acquire: (maker) => maker.semaphore(),
  semaphore_release: (maker) => maker.semaphore(),
  semaphore_with: (maker, place) => ({ ...maker.semaphore(), block: maker.block(place, 3) }),
  lock_acquire: (maker) => ({ lock: maker.one("locks") }),
  lock_release: (maker) => ({ lock: maker.one("locks") }),
  lock_with: (maker, place) => ({ lock: maker.one("locks"), block: maker.block(place, 3) }),
  event_wait: (maker) => ({ event: maker.one("events") }),
  event_set: (maker) => ({ event: maker.one("events") }),
  event_clear: (maker) => ({ event: maker.one("events") }),
  condition_acquire: (maker) => ({ condition: maker.one("conditions") }),
  condition_release: (maker) => ({ condition: maker.one("conditions") }),
  condition_with: (maker, place) => {
    const { random } = maker;
    if (place.holding && random.chance(0.95)) return null;
    const condition = maker.one("conditions");
    // Mostly what a condition is held for, on the one that is held.
    const first = random.chance(0.75)
      ? [random.pick<Statement>([
        { id: maker.next_id(), do: "condition_wait", condition },
        { id: maker.next_id(), do: "condition_wait", condition },
        {
          id: maker.next_id(),
          do: "condition_wait_for",
          condition,
          remainder: random.between(0, 2),
        },
        { id: maker.next_id(), do: "condition_notify", condition, count: random.between(1, 2) },
        { id: maker.next_id(), do: "condition_notify_all", condition },
        { id: maker.next_id(), do: "condition_notify_all", condition },
      ])]
      : [];
    return { condition, block: [...first, ...maker.block({ ...place, holding: true }, 2)] };
  },
  condition_wait: (maker) => ({ condition: maker.one("conditions") }),
  condition_wait_for: (maker) => ({
    condition: maker.one("conditions"),
    remainder: maker.random.between(0, 2),
  }),
  condition_notify: (maker) => ({
    condition: maker.one("conditions"),
    count: maker.random.between(1, 2),
  }),
  condition_notify_all: (maker) => ({ condition: maker.one("conditions") }),
  barrier_wait: (maker) => ({ barrier: maker.one("barriers") }),
  barrier_with: (maker, place) => ({
    barrier: maker.one("barriers"),
    block: maker.block(place, 2),
  }),
  barrier_reset: (maker) => ({ barrier: maker.one("barriers") }),
  barrier_abort: (maker) => ({ barrier: maker.one("barriers") }),
  call_soon: (maker) => ({ action: maker.action() }),
  call_later: (maker) => ({ delay: maker.random.pick(DELAYS), action: maker.action() }),
  call_at: (maker) => ({ when: maker.random.between(0, 5), action: maker.action() }),
  timers: ({ random }, place) => {
    // Not in loops: a hundred timers are enough for the heap to be made anew.
    if (place.times > 1) return null;
    return {
      count: random.between(60, 140),
      spread: random.between(1, 5),
      keep: random.between(1, 5),
    };
  },
  handle_cancel: ({ random }) => ({ handle: random.between(0, 4) }),
  future_new: (maker) => ({ future: maker.one("futures") }),
  future_wait: (maker) => ({ future: maker.one("futures") }),
  future_set_result: (maker) => ({
    future: maker.one("futures"),
    value: maker.random.between(0, 9),
  }),
  future_set_exception: (maker) => ({
    future: maker.one("futures"),
    error: maker.random.pick(ERROR_KINDS),
  }),
  future_cancel: (maker) => ({ future: maker.one("futures"), ...message(maker.random) }),
  future_result: (maker) => ({ future: maker.one("futures") }),
  future_add_callback: (maker) => ({ future: maker.one("futures"), action: maker.action() }),
  task_add_callback: (maker) => ({ task: maker.random.between(0, 9), action: maker.action() }),
  remove_callback: ({ random }) => ({ callback: random.between(0, 4) }),
  variable_get: (maker) => ({ variable: maker.one("variables") }),
  variable_set: (maker) => ({
    variable: maker.one("variables"),
    value: maker.random.between(1, 9),
  }),
  variable_reset: ({ random }) => ({ token: random.pick([0, 0, 0, 1, 2]) }),
  generator_new: (maker) => maker.generator(),
  generator_next: (maker) =>
    maker.random.chance(0.3)
      ? { ...maker.generator(), default: maker.random.between(200, 209) }
      : maker.generator(),
  generator_send: (maker) => ({ ...maker.generator(), value: maker.random.between(0, 9) }),
  generator_throw: (maker) => ({
    ...maker.generator(),
    error: maker.random.pick(GENERATOR_ERROR_KINDS),
  }),
  generator_close: (maker) => maker.generator(),
  generator_for: (maker) => {
    const { generator } = maker.generator();
    const rounds = maybe(maker.random, 0.7, maker.random.between(1, 3));
    return { generator, rounds: generator === 0 ? rounds : null };
  },
  generator_closing: (maker, place) => ({ ...maker.generator(), block: maker.block(place, 3) }),
};

/** A union with a field left out of each of its members. */
type DistributedOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;

/** Numbers the statements of a program. */
class Ids {
  #last = 0;

  next(): number {
    return ++this.#last;
  }
}

/** Makes one body. */
class BodyMaker {
  readonly random: Random;
  /** The statements that this body can run, with all that it starts. */
  cost = 0;
  readonly except_kinds: readonly ExceptKind[];
  readonly #number: number;
  readonly #profile: Profile;
  readonly #weights: ReadonlyMap<Kind, number>;
  readonly #ids: Ids;
  readonly #budget: number;
  /** What each body costs; those of a higher number are known. */
  readonly #costs: readonly number[];

  constructor(
    number: number,
    { random, profile, ids, costs }: {
      random: Random;
      profile: Profile;
      ids: Ids;
      costs: readonly number[];
    },
  ) {
    this.random = random;
    this.#number = number;
    this.#profile = profile;
    this.#weights = new Map(Object.entries(profile.weights) as [Kind, number][]);
    this.#ids = ids;
    this.except_kinds = [
      ...EXCEPT_KINDS,
      ...PROFILE_EXCEPT_KINDS.flatMap(([kind, error]) => kind in profile.weights ? [error] : []),
    ];
    this.#costs = costs;
    this.#budget = number === 0 ? MAIN_BUDGET : BODY_BUDGET;
  }

  body(): Body {
    const place = {
      nesting: 0,
      times: 1,
      handling: false,
      finalizing: false,
      holding: false,
    };
    const first: Statement[] = [];
    if (this.#number === 0) {
      if (this.#profile.notifier) {
        first.push({ id: this.#ids.next(), do: "spawn", body: this.#costs.length - 1 });
      }
      // The main task starts a few others, or little would happen.
      for (let left = this.random.between(3, 5); left > 0; left--) {
        const target = this.usable(place);
        if (target) first.push({ id: this.#ids.next(), do: "spawn", ...target });
      }
    }
    return {
      form: this.random.pick(this.#profile.forms ?? FORMS),
      block: [...first, ...this.block(place, 9)],
    };
  }

  /** A body that notifies the first condition once a second, whatever happens to it. */
  notifier(): Body {
    const say = (fields: DistributedOmit<Statement, "id">): Statement => ({
      id: this.#ids.next(),
      ...fields,
    });
    const notify = say({ do: "condition_notify_all", condition: 0 });
    const attempt = say({
      do: "try",
      block: [
        say({ do: "sleep", delay: 1 }),
        say({ do: "condition_with", condition: 0, block: [notify] }),
      ],
      handlers: [{ catches: "CancelledError", block: [] }],
      otherwise: [],
      finally: [],
    });
    const count = 8;
    this.cost = count * 4;
    return {
      form: this.random.pick(this.#profile.forms ?? FORMS),
      block: [say({ do: "loop", count, block: [attempt] })],
    };
  }

  block(outer: Place, most: number): Statement[] {
    const place = { ...outer, nesting: outer.nesting + 1 };
    const statements: Statement[] = [];
    for (let left = this.random.between(1, most); left > 0; left--) {
      const statement = this.#statement(place);
      statements.push(statement);
      if (statement.do === "return" || statement.do === "raise" || statement.do === "reraise") {
        break;
      }
    }
    return statements;
  }

  /** A body that can be started here without costing too much. */
  usable(place: Place): { body: number } | null {
    const target = this.random.between(this.#number + 1, this.#costs.length);
    const cost = (this.#costs[target] ?? Infinity) * place.times;
    if (this.cost + cost > this.#budget) return null;
    this.cost += cost;
    return { body: target };
  }

  item(place: Place): Item {
    const { random } = this;
    const target = random.chance(0.5) ? this.usable(place) : null;
    if (target) return target;
    if (this.#profile.queues && random.chance(0.2)) return { get: this.one("queues") };
    return random.chance(0.6)
      ? { task: random.between(0, 9) }
      : { sleep: random.pick(DELAYS), value: random.between(0, 9) };
  }

  action(): Action {
    const { random } = this;
    const actions: Action[] = [
      { act: "log", value: random.between(0, 9) },
      { act: "raise", error: random.pick(ERROR_KINDS) },
      { act: "cancel", task: random.between(0, 11) },
      { act: "call_soon", value: random.between(0, 9) },
    ];
    if (this.#profile.futures) {
      const [one, other] = [this.one("futures"), this.one("futures")];
      actions.push({ act: "set_result", future: one, value: random.between(0, 9) });
      actions.push({ act: "set_exception", future: other, error: random.pick(ERROR_KINDS) });
    }
    if (this.#profile.variables) {
      const variable = this.one("variables");
      actions.push({ act: "variable_get", variable });
      actions.push({ act: "variable_set", variable, value: random.between(1, 9) });
    }
    return random.pick(actions);
  }

  /** The number of one of the shared primitives. */
  one(primitive: Primitive): number {
    return this.random.between(0, (this.#profile[primitive] ?? 1) - 1);
  }

  queue(): { queue: number } {
    return { queue: this.one("queues") };
  }

  semaphore(): { semaphore: number } {
    return { semaphore: this.one("semaphores") };
  }

  generator(): { generator: number } {
    return { generator: this.one("generators") };
  }

  next_id(): number {
    return this.#ids.next();
  }

  #statement(place: Place): Statement {
    for (;;) {
      const kind = this.random.weighted(this.#weights);
      if (NESTING.has(kind) && place.nesting > MAX_NESTING) continue;
      const id = this.#ids.next();
      const fields = MAKERS[kind](this, place);
      if (fields === null) continue;
      this.cost += place.times;
      return { id, do: kind, ...fields } as Statement;
    }
  }
}

function generator_plan(random: Random, index: number): GeneratorPlan {
  return {
    yields: Array.from({ length: random.between(0, 4) }, () => ({
      delay: maybe(random, 0.6, random.pick(DELAYS)),
      value: random.between(0, 9),
    })),
    raises: maybe(random, 0.15, random.pick(GENERATOR_ERROR_KINDS)),
    // Not BaseException: Python throws a GeneratorExit to close a generator, JavaScript nothing.
    catches: maybe(random, 0.4, random.pick<ExceptKind>(["CancelledError", "Exception"])),
    cleanup: maybe(random, 0.5, random.pick(DELAYS)),
    // Not the first one, which may be left early: `break` does not mind a generator that goes on.
    stubborn: index > 0 && random.chance(0.25),
  };
}

function shared(profile: Profile, random: Random): Shared {
  const several = <T>(primitive: Primitive, make: (index: number) => T): T[] =>
    Array.from({ length: profile[primitive] ?? 0 }, (_, index) => make(index));
  return {
    queues: several("queues", () => ({
      kind: random.pick(profile.queue_kinds ?? ["Queue"]),
      maxsize: random.pick([0, 1, 1, 2, 3]),
    })),
    semaphores: several("semaphores", () => ({
      value: random.pick([0, 1, 1, 2]),
      bounded: random.chance(0.4),
    })),
    locks: profile.locks ?? 0,
    events: profile.events ?? 0,
    conditions: profile.conditions ?? 0,
    barriers: several("barriers", () => random.pick([1, 2, 2, 3])),
    futures: profile.futures ?? 0,
    variables: profile.variables ?? 0,
    generators: several("generators", (index) => generator_plan(random, index)),
  };
}

/** What a runner runs: the first body, and some others, which find what was left behind. */
function runner_runs(random: Random, bodies: number): RunnerRun[] {
  const later = Array.from({ length: random.between(1, 3) }, () => random.between(0, bodies - 1));
  return [0, ...later].map((body) => ({ body, own_context: random.chance(0.2) }));
}

/** The program of a profile and a seed. */
export function generate(name: ProfileName, seed: number): Program {
  const profile: Profile = PROFILES[name];
  const random = new Random(seed);
  const count = random.between(4, 7);
  const ids = new Ids();
  const costs: number[] = [];
  const bodies: Body[] = [];
  for (let number = count - 1; number >= 0; number--) {
    const maker = new BodyMaker(number, { random, profile, ids, costs });
    bodies[number] = profile.notifier && number === count - 1 ? maker.notifier() : maker.body();
    costs[number] = maker.cost;
  }
  return {
    shared: shared(profile, random),
    bodies,
    finish: random.pick(["cancel", "cancel", "wait"]),
    ...(profile.runner ? { runs: runner_runs(random, count) } : {}),
  };
}
