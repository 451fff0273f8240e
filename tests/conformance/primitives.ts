/** The primitives that the tasks of one random program share, and the errors its statements name. */

import * as asyncio from "../../mod.ts";
import type { ErrorKind, ExceptKind, GeneratorPlan, QueueKind, Shared } from "./program.ts";

class AppError extends Error {}

class AppBaseError extends asyncio.BaseException {}

type Newable = new (...args: never[]) => object;

const RAISED: { [K in ErrorKind]: new (message?: string) => Error } = {
  AppBaseError,
  AppError,
  CancelledError: asyncio.CancelledError,
  RuntimeError: asyncio.RuntimeError,
  StopAsyncIteration: asyncio.StopAsyncIteration,
  ValueError: asyncio.ValueError,
};

const CAUGHT: { [K in Exclude<ExceptKind, "BaseException" | "Exception">]: Newable } = {
  ...RAISED,
  BrokenBarrierError: asyncio.BrokenBarrierError,
  ExceptionGroup: asyncio.ExceptionGroup,
  InvalidStateError: asyncio.InvalidStateError,
  QueueEmpty: asyncio.QueueEmpty,
  QueueFull: asyncio.QueueFull,
  QueueShutDown: asyncio.QueueShutDown,
  TimeoutError: asyncio.TimeoutError,
};

/** A new error of a kind. */
export function make_error(kind: ErrorKind, message?: string): Error {
  return message === undefined ? new RAISED[kind]() : new RAISED[kind](message);
}

/** Returns whether Python's `except kind` would catch the error. */
export function matches(error: unknown, kind: ExceptKind): boolean {
  if (kind === "BaseException") return true;
  if (kind === "Exception") {
    return !(error instanceof asyncio.BaseException) &&
      (!(error instanceof asyncio.BaseExceptionGroup) || error instanceof asyncio.ExceptionGroup);
  }
  return error instanceof CAUGHT[kind];
}

const QUEUES: { [K in QueueKind]: new (maxsize: number) => asyncio.Queue<number> } = {
  Queue: asyncio.Queue,
  PriorityQueue: asyncio.PriorityQueue,
  LifoQueue: asyncio.LifoQueue,
};

function several<T>(count: number, make: () => T): T[] {
  return Array.from({ length: count }, make);
}

/** Where a generator tells what happens in it. */
export type Witness = (what: string, ...values: unknown[]) => void;

/** The async generator of a plan. */
export const generate = asyncio.async_generator(
  async function* (
    plan: GeneratorPlan,
    index: number,
    tell: Witness,
  ): AsyncGenerator<number, void, number | undefined> {
    try {
      try {
        for (const { delay, value } of plan.yields) {
          if (delay !== null) await asyncio.sleep(delay);
          tell("sent", yield value);
        }
        if (plan.raises !== null) throw make_error(plan.raises);
      } catch (error) {
        if (plan.catches === null || !matches(error, plan.catches)) throw error;
        tell("except", error);
        yield 101 + index;
      }
    } finally {
      tell("finally");
      if (plan.cleanup !== null) await asyncio.sleep(plan.cleanup);
      if (plan.stubborn) yield 111 + index;
    }
  },
);

/** The primitives that a program declares. */
export class Primitives {
  readonly queues: asyncio.Queue<number>[];
  readonly semaphores: asyncio.Semaphore[];
  readonly locks: asyncio.Lock[];
  readonly events: asyncio.Event[];
  readonly conditions: asyncio.Condition[];
  readonly barriers: asyncio.Barrier[];
  readonly futures: asyncio.Future<unknown>[];
  readonly variables: asyncio.ContextVar<number>[];

  constructor(shared: Shared, loop: asyncio.EventLoop) {
    this.queues = shared.queues.map(({ kind, maxsize }) => new QUEUES[kind](maxsize));
    this.semaphores = shared.semaphores.map(({ value, bounded }) =>
      bounded ? new asyncio.BoundedSemaphore(value) : new asyncio.Semaphore(value)
    );
    this.locks = several(shared.locks, () => new asyncio.Lock());
    this.events = several(shared.events, () => new asyncio.Event());
    this.conditions = several(shared.conditions, () => new asyncio.Condition());
    this.barriers = shared.barriers.map((parties) => new asyncio.Barrier(parties));
    this.futures = several(shared.futures, () => loop.create_future<unknown>());
    this.variables = several(
      shared.variables,
      () => new asyncio.ContextVar<number>("variable", { default: 0 }),
    );
  }

  /** Those whose last state is compared. */
  compared(): object[] {
    return [
      ...this.queues,
      ...this.semaphores,
      ...this.locks,
      ...this.events,
      ...this.conditions,
      ...this.barriers,
    ];
  }
}
