/**
 * A side of the comparison, CPython or this library, in a worker of its own: programs in, traces out. A
 * program that never ends costs its worker, which is replaced, and is told from its trace.
 */

import { HANGS, hangs, PATIENCE, type Program, type Trace } from "./program.ts";

/** What a worker says when it has loaded; after that, a trace as JSON for each program, in order. */
export const READY = "ready";

/** What a worker is asked for: the programs are JSON, and `patience` is in seconds. */
export interface Request {
  readonly programs: readonly string[];
  readonly patience: number;
}

/** How long to wait for programs that hang. */
export interface Patience {
  /**
   * Seconds after which a program that waits for ever is given up; one that does not even let go of its
   * thread is given up after twice that.
   */
  readonly patience?: number;
  /** After so many programs that hang, the others are not run. */
  readonly most_hangs?: number;
}

interface Job extends Required<Patience>, PromiseWithResolvers<Trace[]> {
  readonly programs: readonly string[];
  readonly traces: Trace[];
}

/** Three show enough, and each takes its time. */
const MOST_HANGS = 3;

/** How often, in milliseconds, it is looked whether a worker makes progress. */
const WATCH_EVERY = 250;

/** A trace that says only how the program ended. */
function trace_of(end: string): Trace {
  return [[0, "loop", 0, end]];
}

export class Side implements Disposable {
  readonly #url: URL;
  readonly #jobs: Job[] = [];
  readonly #watch: ReturnType<typeof setInterval>;
  #worker: Worker;
  #is_ready = false;
  /** When something was last heard of the worker, in milliseconds. */
  #heard = 0;

  /** Starts the worker of a module. */
  constructor(url: URL) {
    this.#url = url;
    this.#worker = this.#start();
    this.#watch = setInterval(() => this.#look(), WATCH_EVERY);
  }

  /** The traces of the programs, in their order; fewer if too many hang. */
  run(
    programs: readonly Program[],
    { patience = PATIENCE, most_hangs = MOST_HANGS }: Patience = {},
  ): Promise<Trace[]> {
    const job: Job = {
      programs: programs.map((program) => JSON.stringify(program)),
      traces: [],
      patience,
      most_hangs,
      ...Promise.withResolvers<Trace[]>(),
    };
    this.#jobs.push(job);
    if (this.#is_ready && this.#jobs.length === 1) this.#ask();
    return job.promise;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#watch);
    this.#worker.terminate();
  }

  #start(): Worker {
    const worker = new Worker(this.#url, { type: "module" });
    this.#is_ready = false;
    worker.onmessage = ({ data }) => {
      this.#heard = performance.now();
      if (data !== READY) return this.#take(JSON.parse(data));
      this.#is_ready = true;
      this.#ask();
    };
    worker.onerror = (event) => {
      event.preventDefault();
      if (this.#is_ready) {
        this.#give_up(`its worker ended: ${event.message}`);
      } else {
        const error = new Error(`Cannot load ${this.#url}: ${event.message}`);
        for (const { reject } of this.#jobs.splice(0)) reject(error);
      }
    };
    return worker;
  }

  #replace(): void {
    this.#worker.terminate();
    this.#worker = this.#start();
  }

  /** Asks for what is left of the first job, if there is anything. */
  #ask(): void {
    for (let job = this.#jobs.at(0); job !== undefined; job = this.#jobs.at(0)) {
      const programs = job.programs.slice(job.traces.length);
      if (programs.length > 0 && job.traces.filter(hangs).length < job.most_hangs) {
        this.#heard = performance.now();
        this.#worker.postMessage({ programs, patience: job.patience } satisfies Request);
        return;
      }
      this.#jobs.shift();
      job.resolve(job.traces);
    }
  }

  #take(trace: Trace): void {
    const job = this.#jobs.at(0);
    if (job === undefined) return;
    job.traces.push(trace);
    if (hangs(trace)) this.#replace();
    else if (job.traces.length === job.programs.length) this.#ask();
  }

  #give_up(end: string): void {
    this.#replace();
    this.#jobs.at(0)?.traces.push(trace_of(end));
  }

  #look(): void {
    const job = this.#jobs.at(0);
    if (job === undefined || !this.#is_ready) return;
    if (performance.now() - this.#heard > 2 * job.patience * 1000) this.#give_up(HANGS);
  }
}
