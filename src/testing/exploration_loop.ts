/**
 * A loop on a virtual clock whose order of events comes from decisions.
 *
 * The base class sees one iteration at a time: what is scheduled is kept here until the iteration begins.
 *
 * @module
 */

import { Await } from "../core/awaits.ts";
import { type Arrivals, NOTHING, type Runnable, type Timed } from "../core/contracts.ts";
import { running_task } from "../core/current.ts";
import { RuntimeError } from "../core/exceptions.ts";
import { NOT_STARTED } from "../core/steps.ts";
import { Suspension } from "../core/suspensions.ts";
import { Task } from "../core/tasks.ts";
import { heapify, heappop, heappush } from "../internal/heapq.ts";
import { type Executor, Handle } from "../core/events.ts";
import { describe_waits } from "../loop/waits.ts";
import type { TraceRecorder } from "../trace/recorder.ts";
import { type Decisions, seconds_text } from "./decisions.ts";
import type { VirtualNetwork } from "./network.ts";
import { RESOLUTION, SimulatedEventLoop } from "./simulated_loop.ts";

type AnyTask = Task<unknown>;

/** The conditions of an exploration, with all defaults filled in; times in seconds. */
export interface Conditions {
  /** How late a timer or a packet may be, and how long the code between two waits may take. */
  readonly jitter: number;
  /** How long a native promise or a worker may take. */
  readonly delay: number;
  /** True if the order among all that is ready varies. */
  readonly strict: boolean;
  /** How many callbacks and steps a run may take. */
  readonly max_steps: number;
  /** How long the host is waited for, in seconds of its time, before time jumps past its promises. */
  readonly patience: number;
  /** True if tasks are cancelled. */
  readonly cancels: boolean;
  /** Returns whether a task may be cancelled. */
  readonly may_cancel: (task: AnyTask) => boolean;
  /** True if calls of `from_promise()` fail. */
  readonly fails: boolean;
  /** Makes the error with which they do. */
  readonly make_error: () => unknown;
  /** How much later slow promises and workers come, in seconds; 0 if none does. */
  readonly slow_by: number;
}

/** An event of the world that has not come yet, and comes between two times. */
interface Coming extends Timed {
  readonly until: number;
  readonly actor: object;
  readonly runnable: Runnable;
}

const earlier = (a: Timed, b: Timed): boolean => a._when < b._when;

// Of CPython, as in the base class: when cancelled timers leave the heap.
const MIN_SCHEDULED_TIMERS = 100;
const MIN_CANCELLED_FRACTION = 0.5;

/** Timers as such are kept in the heap; their cancellation is seen by their own fields. */
class ComingTimer implements Coming {
  constructor(
    readonly runnable: Timed,
    readonly _when: number,
    readonly until: number,
    readonly actor: object,
  ) {}

  get _cancelled(): boolean {
    return this.runnable._cancelled;
  }

  get _scheduled(): boolean {
    return this.runnable._scheduled;
  }

  set _scheduled(value: boolean) {
    this.runnable._scheduled = value;
  }

  _run(): void {}
}

/** The outcome of a native promise or a worker. */
class ComingOutcome implements Coming {
  readonly _cancelled = false;
  _scheduled = true;

  constructor(
    readonly _when: number,
    readonly until: number,
    readonly actor: object,
    private readonly arrive: () => void,
  ) {}

  get runnable(): Runnable {
    return this;
  }

  _run(): void {
    this.arrive();
  }
}

/** Calls functions in this thread: when each begins is decided. */
class DecidedExecutor implements Executor {
  readonly #arrivals: Arrivals;

  constructor(arrivals: Arrivals) {
    this.#arrivals = arrivals;
  }

  submit<A extends unknown[], R>(fn: (...args: A) => R, ...args: A): Promise<Awaited<R>> {
    return new Promise((resolve, reject) => {
      this.#arrivals.hold({}, false, () => {
        try {
          resolve(fn(...args) as Awaited<R>);
        } catch (error) {
          reject(error);
        }
      });
    });
  }

  shutdown(): void {}
}

/** The task that a runnable is a step of, or itself. */
function actor_of(runnable: Runnable): object {
  if (runnable instanceof Await) return runnable._task ?? runnable;
  return runnable;
}

function describe_runnable(runnable: Runnable, actor: object): string {
  const of = actor instanceof Task ? ` of ${actor.get_name()}` : "";
  if (runnable instanceof Task || runnable instanceof Await) return `the step${of}`;
  if (runnable instanceof Suspension) return `${runnable.name}()${of}`;
  if (runnable instanceof ComingOutcome) return `the outcome of a promise`;
  return runnable instanceof Handle ? `a callback${of}` : `a timer${of}`;
}

// Names that the library gives count all tasks of the program; here those of the run.
const GIVEN_NAME = /^Task-\d+$/;

/** The loop of one run of an exploration. */
export class ExplorationEventLoop extends SimulatedEventLoop implements Arrivals {
  /** @internal */
  static override get name(): string {
    return "ExplorationEventLoop";
  }

  /** @internal */
  protected override readonly _network: VirtualNetwork;
  /** @internal */
  protected override readonly _arrivals: Arrivals = this;
  /** The number of callbacks and steps so far. */
  steps = 0;
  /** The checks that are made after each iteration. */
  readonly invariants: (() => void)[] = [];
  /** The task of the program itself, which is not cancelled. */
  main: AnyTask | null = null;
  readonly #decisions: Decisions;
  readonly #conditions: Conditions;
  #pending: Runnable[] = [];
  #events: Coming[] = [];
  #cancelled = 0;
  // Until when the code that became ready last may take.
  #busy_until = 0;
  #is_idle = false;
  #tasks_made = 0;
  // The options of a decision about the order, with their actors, and what is ready first.
  readonly #options: number[] = [];
  readonly #actors: object[] = [];
  #first: Runnable | undefined;
  // Of what was ready when the iteration began, if each step is chosen.
  #left_in_iteration = 0;

  constructor(
    decisions: Decisions,
    conditions: Conditions,
    network: VirtualNetwork,
    trace: TraceRecorder | null,
  ) {
    super({ trace });
    this.#decisions = decisions;
    this.#conditions = conditions;
    this.#busy_until = conditions.jitter;
    this._network = network;
    network["_add_loop"](this);
    this.set_default_executor(new DecidedExecutor(this));
  }

  override close(): void {
    super.close();
    this.#pending = [];
    this.#events = [];
  }

  /** @internal */
  protected override _schedule(runnable: Runnable): void {
    if (this.is_closed()) return super._schedule(runnable);
    if (this._is_gone(runnable)) return;
    this._observer?.scheduled(runnable);
    this.#pending.push(runnable);
    this._activity++;
    this.#wake();
  }

  #wake(): void {
    if (!this.#is_idle) return;
    this.#is_idle = false;
    this._look_again();
  }

  /** @internal */
  protected override _schedule_timer(timer: Timed): void {
    if (Number.isNaN(timer._when)) return this._schedule(timer);
    if (this.is_closed()) return super._schedule_timer(timer);
    this._network["_note_timer"](timer);
    timer._scheduled = true;
    const { _when: when } = timer;
    const until = Math.max(when, this._now) + this.#conditions.jitter;
    this.#add(new ComingTimer(timer, when, until, running_task() ?? timer));
  }

  #add(event: Coming): void {
    heappush(this.#events, event, earlier);
    this._activity++;
    this.#wake();
  }

  /** @internal */
  protected override _timer_cancelled(timer: Timed): void {
    if (timer._scheduled) this.#cancelled++;
  }

  /** @internal */
  hold(waiter: object, may_fail: boolean, arrive: (failure: unknown) => void): void {
    if (this.is_closed()) return;
    const { delay, slow_by, fails, make_error } = this.#conditions;
    // It has settled: nothing of the host is waited for any more.
    this._forget_foreign(waiter);
    const late = slow_by > 0 && this.#fault("slow", `a promise comes ${slow_by} s later`)
      ? slow_by
      : 0;
    const failure = may_fail && fails && this.#fault("fail", "a promise fails")
      ? make_error()
      : NOTHING;
    const from = this._now + late;
    this.#add(new ComingOutcome(from, from + delay, waiter, () => arrive(failure)));
  }

  #fault(kind: "slow" | "fail", text: string): boolean {
    return this.#decisions.choose(
      kind,
      2,
      NO_ACTORS,
      null,
      () => `${text}, at ${seconds_text(this._now)}`,
    ) > 0;
  }

  /** @internal */
  protected override _register_task(task: AnyTask): void {
    if (!this._is_gone(task) && GIVEN_NAME.test(task.get_name())) {
      task.set_name(`Task-${++this.#tasks_made}`);
    }
    super._register_task(task);
  }

  /** @internal */
  protected override _wait_for_work(): boolean {
    if (this.#pending.length === 0) {
      if (!this.#ready_to_jump()) return false;
    }
    this.#check();
    if (this.#conditions.cancels && this.main?.done() === false) this.#cancel_a_task();
    if (this.#conditions.strict) this.#begin_strictly();
    else this.#begin_iteration();
    return true;
  }

  // Nothing is ready: true if nothing more can become so before an event comes.
  #ready_to_jump(): boolean {
    if (!this._is_still()) {
      if (this._has_foreign_waits()) this._look_again();
      else this._look_again_before_host();
      return false;
    }
    this.#drop_cancelled();
    const any_event = this.#events.length > 0;
    if (!any_event && !this._is_run()) return this.#fall_asleep();
    const { patience } = this.#conditions;
    if (patience > 0 && this._has_foreign_waits() && !this._was_patient) {
      this._was_patient = true;
      this._wake_after(patience, 0);
      return this.#fall_asleep();
    }
    if (any_event) return true;
    throw this._deadlock(
      this._has_foreign_waits()
        ? "\nThe host is not waited for: what is foreign must settle by the program itself, or be given patience"
        : "",
    );
  }

  #fall_asleep(): false {
    this.#is_idle = true;
    return false;
  }

  #check(): void {
    for (const check of this.invariants) check();
    const { max_steps } = this.#conditions;
    if (this.steps <= max_steps) return;
    throw new RuntimeError(
      `The program did not end within ${max_steps} steps:\n${describe_waits(this._tasks())}`,
    );
  }

  #cancel_a_task(): void {
    const { may_cancel } = this.#conditions;
    const tasks = this._tasks().filter((task) =>
      task !== this.main && task["_step"] !== NOT_STARTED && may_cancel(task)
    );
    const name = (choice: number) => (tasks[choice - 1] as AnyTask).get_name();
    const choice = this.#decisions.choose(
      "cancel",
      tasks.length + 1,
      NO_ACTORS,
      null,
      (choice) => `${name(choice)} is cancelled, at ${seconds_text(this._now)}`,
    );
    if (choice > 0) (tasks[choice - 1] as AnyTask).cancel();
  }

  // All that is ready, in order, and events; in the plain order those that are due. Most of the time of an
  // exploration is spent here, so nothing is allocated.
  #begin_iteration(): void {
    const ready = this.#pending;
    const count = ready.length;
    for (let i = 0; i < count; i++) super._schedule(ready[i] as Runnable);
    this.steps += count;
    let any = count > 0;
    this.#first = ready[0];
    ready.length = 0;
    const options = this.#options;
    const actors = this.#actors;
    for (;;) {
      if (this.#cancelled > 0) this.#drop_cancelled();
      const events = this.#events;
      const next = events[0];
      if (next === undefined) return;
      if (events.length === 1 && !any) {
        this.#first = this.#take(0, any);
        any = true;
        continue;
      }
      const is_due = next._when < this._now + RESOLUTION;
      const until = this.#next_until(any);
      if (any && !is_due && next._when > until) return;
      // Number 0 is the next event if it is due or nothing is ready, else to begin.
      const is_next_plain = is_due || !any;
      options.length = actors.length = 0;
      options.push(is_next_plain ? 0 : BEGIN);
      actors.push(is_next_plain ? next.actor : PROGRAM);
      if (any && is_due) {
        options.push(BEGIN);
        actors.push(PROGRAM);
      }
      for (let index = is_next_plain ? 1 : 0; index < events.length; index++) {
        const event = events[index] as Coming;
        if (event._when > until || event._cancelled) continue;
        options.push(index);
        actors.push(event.actor);
      }
      const choice = this.#decisions.choose(
        "order",
        options.length,
        actors,
        null,
        this.#describe_choice,
      );
      const index = options[choice] as number;
      if (index === BEGIN) return;
      const taken = this.#take(index, any);
      this.#first ??= taken;
      any = true;
    }
  }

  readonly #describe_choice = (choice: number): string => {
    const name = (option: number): string => {
      const event = this.#events[option];
      if (event !== undefined) return describe_runnable(event.runnable, event.actor);
      const first = this.#first;
      return first === undefined ? "what is ready" : describe_runnable(first, actor_of(first));
    };
    const [plain, chosen] = [this.#options[0] as number, this.#options[choice] as number];
    if (chosen !== BEGIN) {
      return `${name(chosen)} comes before ${name(plain)}, at ${seconds_text(this._now)}`;
    }
    return `${name(plain)} comes later, at ${seconds_text(this._now)}`;
  };

  // Until when the next event must come: none may become later than it can be.
  #next_until(any_ready: boolean): number {
    const events = this.#events;
    let until = any_ready ? this.#busy_until : Infinity;
    for (let index = 0; index < events.length; index++) {
      const event = events[index] as Coming;
      if (event.until < until && !event._cancelled) until = event.until;
    }
    return until;
  }

  // Lets an event come.
  #take(index: number, any_ready: boolean): Runnable {
    const event = this.#remove(index);
    this._jump(event._when);
    if (!any_ready) this.#busy_until = this._now + this.#conditions.jitter;
    this.steps++;
    super._schedule(event.runnable);
    return event.runnable;
  }

  #remove(index: number): Coming {
    const events = this.#events;
    const event = events[index] as Coming;
    event._scheduled = false;
    if (index === 0) heappop(events, earlier);
    else {
      const last = events.pop() as Coming;
      if (index < events.length) {
        events[index] = last;
        heapify(events, earlier);
      }
    }
    return event;
  }

  // One of all that is ready and of the events. In the plain order what is due comes after what is ready.
  #begin_strictly(): void {
    const ready = this.#pending;
    this.#drop_cancelled();
    const events = this.#events;
    const any = ready.length > 0;
    const is_due = events.length > 0 && (events[0] as Coming)._when < this._now + RESOLUTION;
    let is_event_plain = !any;
    if (any && this.#left_in_iteration <= 0) {
      if (is_due) is_event_plain = true;
      else this.#left_in_iteration = ready.length;
    }
    // Those that are ready are numbered from 0, events below that.
    const options: number[] = is_event_plain && events.length > 0 ? [-1] : [];
    for (let index = 0; index < ready.length; index++) options.push(index);
    const until = this.#next_until(any);
    for (let index = is_event_plain ? 1 : 0; index < events.length; index++) {
      const event = events[index] as Coming;
      if (event._when <= until && !event._cancelled) options.push(-1 - index);
    }
    if (options.length === 0) return;
    const actors = options.map((option) =>
      option < 0 ? (events[-1 - option] as Coming).actor : actor_of(ready[option] as Runnable)
    );
    const name = (choice: number): string => {
      const option = options[choice] as number;
      const runnable = option < 0 ? (events[-1 - option] as Coming).runnable : ready[option];
      return describe_runnable(runnable as Runnable, actors[choice] as object);
    };
    const choice = this.#decisions.choose(
      "order",
      options.length,
      actors,
      null,
      (choice) => `${name(choice)} comes before ${name(0)}, at ${seconds_text(this._now)}`,
    );
    const option = options[choice] as number;
    if (option < 0) {
      this.#take(-1 - option, any);
      return;
    }
    this.#left_in_iteration--;
    const [runnable] = ready.splice(option, 1);
    this.steps++;
    super._schedule(runnable as Runnable);
  }

  #drop_cancelled(): void {
    const events = this.#events;
    if (
      events.length > MIN_SCHEDULED_TIMERS &&
      this.#cancelled / events.length > MIN_CANCELLED_FRACTION
    ) {
      this.#events = events.filter((event) => {
        if (event._cancelled) event._scheduled = false;
        return !event._cancelled;
      });
      heapify(this.#events, earlier);
      this.#cancelled = 0;
      return;
    }
    while (events.length > 0 && (events[0] as Coming)._cancelled) {
      this.#cancelled--;
      heappop(events, earlier)._scheduled = false;
    }
  }
}

// Stands for the iteration that is ready to begin among the indices of events, and is its actor.
const BEGIN = -1;
const PROGRAM: object = {};
const NO_ACTORS: readonly object[] = [];
