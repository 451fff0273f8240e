/**
 * A deterministic host: its timers, immediates and clocks are the global ones from the moment this
 * module is loaded, so it is imported before the library, which takes what it finds.
 *
 * Each callback runs in a turn of the real host of its own, when the microtask queue has run dry. Time
 * jumps to the next timer when no immediate is left.
 */

import { AsyncResource } from "node:async_hooks";
import { workerData } from "node:worker_threads";
import process from "node:process";
import { Random } from "../conformance/random.ts";

const real_immediate = globalThis.setImmediate;

const has_async_context = (workerData as { async_context?: boolean } | null)?.async_context ?? true;
const { getBuiltinModule } = process as { getBuiltinModule?: (name: string) => unknown };

/** A program that keeps the host busy for more callbacks than this makes no progress. */
const MAX_CALLBACKS = 20_000;

interface Job {
  readonly id: number;
  readonly when: number;
  readonly interval: number | null;
  /** Of the programs themselves, which may leave it behind. */
  readonly scripted: boolean;
  readonly call: () => void;
}

/** Why `drive()` came back. */
export type Ending = "done" | "idle" | "no progress";

function bound(call: () => void): () => void {
  if (!has_async_context) return call;
  const resource = new AsyncResource("border");
  return () => resource.runInAsyncScope(call);
}

class FakeHost {
  /** Milliseconds since the program began. */
  now = 0;
  /** Whether the time of day goes on with every look at it, as on a busy machine. */
  busy = false;
  #date = 0;
  #ids = 0;
  #random = new Random(0);
  #immediates: Job[] = [];
  #timers: Job[] = [];

  /** Begins a program with nothing left of the one before. */
  reset(seed: number, busy: boolean): void {
    this.#random = new Random(seed);
    this.now = this.#date = 0;
    this.busy = busy;
    this.#immediates = [];
    this.#timers = [];
  }

  /** The time of day, in milliseconds. */
  date(): number {
    if (this.busy && this.#random.chance(0.3)) this.#date++;
    return Math.floor(this.now) + this.#date;
  }

  /** Adds a timer; equal times fire in the order in which they were added. */
  set_timer(
    call: () => void,
    milliseconds: number,
    { interval = false, scripted = true } = {},
  ): number {
    const delay = Math.max(milliseconds, 1);
    const job = {
      id: ++this.#ids,
      when: this.now + (scripted ? milliseconds : delay),
      interval: interval ? delay : null,
      scripted,
      call: bound(call),
    };
    this.#insert(job);
    return job.id;
  }

  #insert(job: Job): void {
    const later = this.#timers.findIndex(({ when }) => when > job.when);
    if (later < 0) this.#timers.push(job);
    else this.#timers.splice(later, 0, job);
  }

  /** Adds a callback for the next turn. */
  set_immediate(call: () => void, { scripted = true } = {}): number {
    const id = ++this.#ids;
    this.#immediates.push({ id, when: this.now, interval: null, scripted, call: bound(call) });
    return id;
  }

  /** Takes back a timer or an immediate. */
  clear(id: unknown): void {
    const is_other = (job: Job) => job.id !== id;
    if (this.#timers.some((job) => job.id === id)) this.#timers = this.#timers.filter(is_other);
    else this.#immediates = this.#immediates.filter(is_other);
  }

  /** Runs what is asked for the next turns, without any time passing. */
  run_immediates(): Promise<Ending> {
    return this.drive(() => this.#immediates.length === 0);
  }

  /** How many timers and immediates of the library are left. */
  left_behind(): number {
    return [...this.#immediates, ...this.#timers].filter(({ scripted }) => !scripted).length;
  }

  #next(): Job | undefined {
    const [timer] = this.#timers;
    if (this.#immediates.length > 0) {
      // Which of them comes first is not the same on all hosts, nor always the same on one.
      const timer_first = timer !== undefined && timer.when <= this.now && this.#random.chance(0.3);
      if (!timer_first) return this.#immediates.shift();
    }
    // An interval of the far future only keeps the host alive.
    if (timer === undefined || timer.when - this.now > 2 ** 30) return undefined;
    this.#timers.shift();
    this.now = Math.max(this.now, timer.when);
    if (timer.interval !== null) this.#insert({ ...timer, when: timer.when + timer.interval });
    return timer;
  }

  /** Runs callbacks until `is_done`, nothing is left to run, or there is no end to them. */
  drive(is_done: () => boolean): Promise<Ending> {
    return new Promise((resolve) => {
      let callbacks = 0;
      const turn = () => {
        if (is_done()) return resolve("done");
        if (++callbacks > MAX_CALLBACKS) return resolve("no progress");
        const job = this.#next();
        if (job === undefined) return resolve("idle");
        real_immediate(turn);
        job.call();
      };
      real_immediate(turn);
    });
  }

  /** Replaces the timers and clocks, and takes away where else the host has them. */
  install(): void {
    // Deno's contexts are found without a built-in module.
    if (!has_async_context && "Deno" in globalThis) {
      Reflect.get(Deno, Reflect.get(Deno, "internal")).core = undefined;
    }
    Object.assign(process, {
      getBuiltinModule: !has_async_context || getBuiltinModule === undefined
        ? undefined
        : (name: string) => /timers|perf_hooks/.test(name) ? undefined : getBuiltinModule(name),
    });
    const own = { scripted: false };
    Object.assign(globalThis, {
      setTimeout: (call: () => void, milliseconds = 0) => this.set_timer(call, milliseconds, own),
      setInterval: (call: () => void, milliseconds = 0) =>
        this.set_timer(call, milliseconds, { ...own, interval: true }),
      setImmediate: (call: () => void) => this.set_immediate(call, own),
      clearTimeout: (id: unknown) => this.clear(id),
      clearInterval: (id: unknown) => this.clear(id),
      clearImmediate: (id: unknown) => this.clear(id),
    });
    const clock = { now: () => this.now };
    Object.defineProperty(globalThis, "performance", { value: clock, configurable: true });
    Date.now = () => this.date();
  }
}

/** The host of this process or worker. */
export const host = new FakeHost();
host.install();

/** Whether the library finds an asynchronous context here. */
export const async_context: boolean = has_async_context;
