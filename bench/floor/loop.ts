/**
 * The smallest loop over lazy thenables that does what a loop of tasks has to: first in, first out, one step at a
 * time, with waits that can be cancelled. No options, contexts, names, watchdog, or turns for the host.
 *
 * A step ends when the task's code awaits a {@linkcode Wait} that has to wait, or when it ends. Code of a task
 * awaits nothing else. Fields are set in constructors: initializers of a class that extends another are slow.
 *
 * @module
 */

import { Deque } from "../../src/internal/deque.ts";

/** What a cancelled wait rejects with: no error, which would take a microsecond or two for its stack. */
export class Cancelled {}

/** What can be awaited: a promise, or a wait or task of this loop. */
export interface Lazy<T> {
  then(resolve: (value: T) => unknown, reject: (error: unknown) => unknown): void;
}

interface Runnable {
  run(): void;
}

const ready = new Deque<Runnable>();
let is_open = false;
let is_running = false;
let steps = 0;
let current: Task<unknown>;
let serve_timers: (is_idle: boolean) => boolean = () => false;

/** Has a function called when nothing is ready, and once in 64 steps; it returns whether it has woken a wait. */
export function use_timers(serve: (is_idle: boolean) => boolean): void {
  serve_timers = serve;
}

/** Returns the task whose step is open. */
export function current_task(): Task<unknown> {
  return current;
}

/** Ends the open step, and runs what is ready until one of it opens a step. */
export function end_step(): void {
  is_open = false;
  if (is_running) return;
  is_running = true;
  while (!is_open && (ready.length > 0 || serve_timers(true))) {
    if ((++steps & 63) === 0) serve_timers(false);
    is_open = true;
    ready.shift().run();
  }
  is_running = false;
}

const CREATED = 0;
const WAITING = 1;
const OVER = 2;
const STOPPED = 3;

/** One wait of a task, which begins when it is awaited. */
export abstract class Wait<T> implements Lazy<T> {
  declare private state: number;
  declare private task: Task<unknown> | null;
  declare private resolve: ((value: never) => unknown) | null;
  declare private reject: ((error: unknown) => unknown) | null;
  declare protected value: unknown;

  constructor() {
    this.state = CREATED;
    this.task = null;
    this.resolve = null;
    this.reject = null;
    this.value = undefined;
  }

  /** Begins; true if there is nothing to wait for, and `value` is the result. */
  protected abstract begin(): boolean;

  /** Leaves the list that it is in, as it is cancelled. */
  protected leave(): void {}

  then(resolve: (value: T) => unknown, reject: (error: unknown) => unknown): void {
    const task = current;
    if (task.take_cancellation()) return void reject(new Cancelled());
    if (this.begin()) return void resolve(this.value as T);
    if (this.state === CREATED) this.state = WAITING;
    this.task = task;
    this.resolve = resolve;
    this.reject = reject;
    task.waiting = this;
    end_step();
  }

  /** Returns whether it has begun and is neither over nor cancelled. */
  get is_waiting(): boolean {
    return this.state === WAITING;
  }

  /** Ends the wait. */
  wake(value?: T): void {
    if (this.state > WAITING) return;
    this.state = OVER;
    this.value = value;
    ready.push(this);
  }

  /** Is told of the end of a task that it waits for. */
  task_done(_task: Task<unknown>): void {
    this.wake();
  }

  /** Cancels the wait; false if it is over. */
  cancel(): boolean {
    if (this.state > WAITING) return false;
    this.state = STOPPED;
    this.leave();
    ready.push(this);
    return true;
  }

  run(): void {
    const task = this.task!;
    current = task;
    task.waiting = null;
    if (this.state === STOPPED) this.reject!(new Cancelled());
    else this.settle(this.resolve! as (value: T) => unknown, this.reject!);
  }

  protected settle(resolve: (value: T) => unknown, _reject: (error: unknown) => unknown): void {
    resolve(this.value as T);
  }
}

class Turn extends Wait<void> {
  protected override begin(): boolean {
    this.wake();
    return false;
  }
}

/** Lets all that is ready run once. */
export function turn(): Lazy<void> {
  return new Turn();
}

const PENDING = 0;
const FULFILLED = 1;
const REJECTED = 2;

/** An async function that runs beside others. */
export class Task<T> implements Lazy<T> {
  // The function; once it has been called, its result or error.
  private value: unknown;
  private outcome: number = PENDING;
  private is_cancelled: boolean = false;
  private waiter: Wait<unknown> | Wait<unknown>[] | null = null;
  waiting: Wait<unknown> | null = null;

  constructor(body: () => Lazy<T>) {
    this.value = body;
    ready.push(this);
  }

  run(): void {
    current = this;
    const body = this.value as () => Lazy<T>;
    this.value = undefined;
    if (this.take_cancellation()) reject(new Cancelled());
    else body().then(fulfill, reject);
  }

  /** Cancels what the task waits for, or else its next wait. */
  cancel(): void {
    if (this.outcome === PENDING) this.is_cancelled = !(this.waiting?.cancel() ?? false);
  }

  take_cancellation(): boolean {
    const { is_cancelled } = this;
    if (is_cancelled) this.is_cancelled = false;
    return is_cancelled;
  }

  finish(outcome: number, value: unknown): void {
    this.outcome = outcome;
    this.value = value;
    const waiter = this.waiter;
    this.waiter = null;
    if (Array.isArray(waiter)) { for (const one of waiter) one.task_done(this); }
    else waiter?.task_done(this);
    end_step();
  }

  /** Wakes a wait when the task is done; true if it is. */
  add_waiter(wait: Wait<unknown>): boolean {
    if (this.outcome !== PENDING) return true;
    if (this.waiter === null) this.waiter = wait;
    else if (Array.isArray(this.waiter)) this.waiter.push(wait);
    else this.waiter = [this.waiter, wait];
    return false;
  }

  /** Returns whether it has failed or was cancelled; then `result` is the error. */
  get has_failed(): boolean {
    return this.outcome === REJECTED;
  }

  get result(): unknown {
    return this.value;
  }

  then(resolve: (value: T) => unknown, reject: (error: unknown) => unknown): void {
    if (this.outcome === FULFILLED) resolve(this.value as T);
    else if (this.outcome === REJECTED) reject(this.value);
    else new Join(this).then(resolve, reject);
  }
}

// The task of a step that ends is the current one.
const fulfill = (value: unknown) => current.finish(FULFILLED, value);
const reject = (error: unknown) => current.finish(REJECTED, error);

/** Waits for a task. */
class Join<T> extends Wait<T> {
  declare private readonly child: Task<T>;

  constructor(child: Task<T>) {
    super();
    this.child = child;
  }

  protected override begin(): boolean {
    return this.child.add_waiter(this);
  }

  protected override settle(
    resolve: (value: T) => unknown,
    reject: (error: unknown) => unknown,
  ): void {
    if (this.child.has_failed) reject(this.child.result);
    else resolve(this.child.result as T);
  }
}

/** Runs async functions as tasks; its result is that of each, in order. */
class Gather<T> extends Wait<T[]> {
  declare private readonly tasks: readonly Task<T>[];
  declare private readonly stops_at_error: boolean;
  declare private left: number;
  declare private failed: Task<T> | null;

  constructor(tasks: readonly Task<T>[], stops_at_error: boolean) {
    super();
    this.tasks = tasks;
    this.stops_at_error = stops_at_error;
    this.left = 0;
    this.failed = null;
  }

  protected override begin(): boolean {
    for (const task of this.tasks) if (!task.add_waiter(this)) this.left++;
    if (this.left === 0) this.value = this.results();
    return this.left === 0;
  }

  private results(): T[] {
    return this.tasks.map((task) => task.result as T);
  }

  override task_done(task: Task<T>): void {
    if (this.failed === null && task.has_failed && this.stops_at_error) {
      this.failed = task;
      this.wake();
    } else if (--this.left === 0) this.wake();
  }

  protected override leave(): void {
    for (const task of this.tasks) task.cancel();
  }

  protected override settle(
    resolve: (value: T[]) => unknown,
    reject: (error: unknown) => unknown,
  ): void {
    if (this.failed !== null) reject(this.failed.result);
    else resolve(this.results());
  }
}

/** Runs async functions as tasks; resolves to their results, or rejects with the first error. */
export function gather<T>(bodies: readonly (() => Lazy<T>)[]): Lazy<T[]> {
  return new Gather(bodies.map((body) => new Task(body)), true);
}

/** Waits until tasks are done, and resolves to their results and errors. */
export function settled(tasks: readonly Task<unknown>[]): Lazy<unknown[]> {
  return new Gather(tasks, false);
}

/** Runs an async function as the first task, until it is done. */
export function run<T>(main: () => Lazy<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    new Task(async () => {
      try {
        resolve(await main());
      } catch (error) {
        reject(error);
      }
    });
    if (!is_open) end_step();
  });
}
