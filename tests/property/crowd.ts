/** Runs the tasks of a random program, cancels them, and tells when nothing moves any more. */

import { assert, assertEquals } from "@std/assert";
import * as asyncio from "../../mod.ts";
import { all_timers, pause } from "./pauses.ts";
import type { Program, Step } from "./program.ts";

/** What the tasks do, and what must be true of it. */
export interface Scenario {
  step(step: Step, crowd: Crowd): Promise<void>;
  /** Nothing moves any more: nobody may wait who need not. */
  check_calm(crowd: Crowd): void;
  /** No task is left: nothing may be missing, nothing there twice. */
  check_end(): Promise<void> | void;
}

/** So many turns of the loop without any change are calm. */
const CALM = 20;

/** After so many looks it will never be calm. */
const PATIENCE = 3000;

/** Returns whether this is a way to end for a step in a world of cancellations. */
function is_expected(error: unknown): boolean {
  return error instanceof asyncio.CancelledError || error instanceof asyncio.TimeoutError;
}

export class Crowd {
  readonly #scenario: Scenario;
  readonly #is_honest: boolean;
  readonly #tasks: asyncio.Task<void>[];
  /** The tasks that wait for the primitive, and may do so for ever. */
  readonly #waiting = new Set<asyncio.Task<unknown> | null>();
  /** How often each task was cancelled. */
  readonly #cancelled = new Map<asyncio.Task<unknown>, number>();
  #closing = false;

  private constructor(program: Program, scenario: Scenario, is_honest: boolean) {
    this.#scenario = scenario;
    this.#is_honest = is_honest;
    this.#tasks = program.tasks.map((steps) => asyncio.create_task(() => this.#run(steps)));
  }

  /**
   * Runs a program from its start to its end, with all checks.
   *
   * @param is_honest whether steps swallow no cancellation: one that a step has not thrown comes at the next wait
   */
  static async run(program: Program, scenario: Scenario, is_honest = false): Promise<void> {
    const crowd = new Crowd(program, scenario, is_honest);
    for (const { after, task } of program.cancellations) {
      for (const name of after) await pause(name);
      crowd.#cancel(task);
    }
    await crowd.#calm();
    scenario.check_calm(crowd);
    await crowd.#close();
    await scenario.check_end();
    assertEquals([...asyncio.all_tasks()], [asyncio.current_task()]);
    await all_timers();
  }

  /** How many tasks wait for the primitive. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** How often a task was cancelled. */
  cancellations_of(task: asyncio.Task<unknown>): number {
    return this.#cancelled.get(task) ?? 0;
  }

  /**
   * Waits for the primitive in the way that the step says; `got` is told what came of it even where
   * the task is cancelled in the same moment.
   */
  async wait<T>(
    { timeout, beside }: Step,
    operation: () => asyncio.Coroutine<T>,
    got: (value: T) => void,
  ): Promise<void> {
    if (timeout !== null) {
      got(await asyncio.wait_for(operation(), timeout));
      return;
    }
    const getting = this.#get(operation, got);
    if (beside === null) {
      await getting;
      return;
    }
    for (const result of await Promise.allSettled([getting, pause(beside)])) {
      if (result.status === "rejected") throw result.reason;
    }
  }

  async #get<T>(operation: () => asyncio.Coroutine<T>, got: (value: T) => void): Promise<void> {
    const task = asyncio.current_task();
    this.#waiting.add(task);
    try {
      got(await operation());
    } finally {
      this.#waiting.delete(task);
    }
  }

  /** One task: a cancellation ends its step, not the task. */
  async #run(steps: readonly Step[]): Promise<void> {
    for (const step of steps) {
      if (this.#closing) return;
      try {
        await pause(step.before);
        const task = asyncio.current_task() as asyncio.Task<unknown>;
        const cancelled = this.cancellations_of(task);
        await this.#scenario.step(step, this);
        if (this.#is_honest && this.cancellations_of(task) > cancelled) {
          await asyncio.sleep(0);
          assert(false, "a cancellation is lost");
        }
        if (step.cancels !== null) this.#cancel(step.cancels);
      } catch (error) {
        if (!is_expected(error)) throw error;
      }
    }
  }

  #cancel(task: number): void {
    this.#cancel_task(this.#tasks[task % this.#tasks.length]!);
  }

  #cancel_task(task: asyncio.Task<unknown>): void {
    if (task.cancel()) this.#cancelled.set(task, this.cancellations_of(task) + 1);
  }

  async #calm(): Promise<void> {
    let looks = 0;
    for (let turns = 0; turns < CALM; turns++) {
      assert(++looks < PATIENCE, "a task neither ends nor waits where it may");
      await asyncio.sleep(0);
      if (this.#tasks.some((task) => !task.done() && !this.#waiting.has(task))) {
        turns = 0;
        await asyncio.sleep(0.0005);
      }
    }
  }

  async #close(): Promise<void> {
    this.#closing = true;
    for (const task of this.#tasks) this.#cancel_task(task);
    await asyncio.wait(this.#tasks);
    for (const task of this.#tasks) {
      assert(task.cancelled() || task.exception() === null, `${task}`);
    }
  }
}
