/**
 * The workers of the host: `node:worker_threads`, which Node.js, Bun and Deno have and which tell of a
 * worker's end, or else the `Worker` of browsers.
 *
 * @module
 */

import { builtin_module } from "./process.ts";
import { host_timers } from "./timers.ts";
import { WORKER_PROGRAM } from "./worker_program.ts";

/** The listener of a worker. */
export interface WorkerListener {
  /** The worker has sent a message. */
  on_message(message: unknown): void;
  /**
   * The worker has ended, by itself or because it was ended.
   *
   * @param failure the error that ended it; `undefined` if there was none
   * @param code its exit code; `null` if the host has none
   */
  on_exit(failure: unknown, code: number | null): void;
}

/** A worker that runs {@linkcode WORKER_PROGRAM}. */
export interface HostWorker {
  /** Sends a message; throws what the host throws if it cannot be cloned. */
  post(message: unknown, transfers: Transferable[] | undefined): void;
  /** Ends the worker, whatever it does; `on_exit` is called later. */
  terminate(): void;
  /** Sets whether the worker keeps the program alive, where the host leaves that open. */
  keep_alive(is_kept: boolean): void;
}

interface Thread {
  postMessage(message: unknown, transfers?: readonly Transferable[]): void;
  terminate(): PromiseLike<number>;
  on(event: string, listener: (value: never) => void): unknown;
  ref(): void;
  unref(): void;
}

interface ThreadOptions {
  readonly eval: true;
  readonly resourceLimits?: { readonly maxOldGenerationSizeMb: number };
}

interface ThreadsModule {
  readonly Worker?: new (source: string, options: ThreadOptions) => Thread;
}

interface V8Module {
  getHeapStatistics?(): { readonly heap_size_limit: number };
}

const IS_DENO = "Deno" in globalThis;

/** How long after the last answer a busy worker of Deno is asked whether it has run out of memory, in milliseconds. */
const BETWEEN_CHECKS = 500;

/** Without a limit of its own a worker of Deno that runs out of memory ends the program; Node.js has one by default. */
function thread_options(): ThreadOptions {
  const bytes = IS_DENO
    ? builtin_module<V8Module>("node:v8")?.getHeapStatistics?.().heap_size_limit
    : undefined;
  if (bytes === undefined) return { eval: true };
  return { eval: true, resourceLimits: { maxOldGenerationSizeMb: Math.ceil(bytes / 2 ** 20) } };
}

class ThreadWorker implements HostWorker {
  readonly #thread: Thread;
  #check_timer: unknown = null;
  #is_checked = false;
  #is_asked = false;

  constructor(threads: Required<ThreadsModule>, listener: WorkerListener) {
    let failure: unknown = undefined;
    this.#thread = new threads.Worker(WORKER_PROGRAM, thread_options());
    this.#thread.on("message", (message) => {
      if (Array.isArray(message) && message[0] === "alive") {
        this.#is_asked = false;
        this.#check_later();
      } else listener.on_message(message);
    });
    this.#thread.on("messageerror", (error) => {
      failure ??= error;
      this.terminate();
    });
    this.#thread.on("error", (error) => failure ??= error);
    this.#thread.on("exit", (code) => {
      this.#check(false);
      listener.on_exit(failure, code);
    });
    this.#check(true);
  }

  // Deno 2.9 does not tell of all workers that have used up their memory: some only stop.
  #check(is_checked: boolean): void {
    if (!IS_DENO) return;
    this.#is_checked = is_checked;
    if (is_checked) this.#check_later();
    else if (this.#check_timer !== null) {
      host_timers.clear(this.#check_timer);
      this.#check_timer = null;
    }
  }

  #check_later(): void {
    if (!this.#is_checked || this.#is_asked || this.#check_timer !== null) return;
    this.#check_timer = host_timers.set(() => {
      this.#check_timer = null;
      this.#is_asked = true;
      this.post(["check"], undefined);
    }, BETWEEN_CHECKS);
  }

  post(message: unknown, transfers: Transferable[] | undefined): void {
    this.#thread.postMessage(message, transfers);
  }

  terminate(): void {
    void this.#thread.terminate();
  }

  keep_alive(is_kept: boolean): void {
    if (is_kept) this.#thread.ref();
    else this.#thread.unref();
    this.#check(is_kept);
  }
}

let program_url: string | null = null;

class PageWorker implements HostWorker {
  readonly #worker: Worker;
  readonly #listener: WorkerListener;
  #is_over = false;

  constructor(listener: WorkerListener) {
    this.#listener = listener;
    program_url ??= URL.createObjectURL(new Blob([WORKER_PROGRAM], { type: "text/javascript" }));
    this.#worker = new Worker(program_url, { type: "module" });
    this.#worker.onmessage = ({ data }) => {
      if (Array.isArray(data) && data[0] === "exit") this.#end(undefined);
      else if (!this.#is_over) listener.on_message(data);
    };
    this.#worker.onmessageerror = () => this.#end(new Error("a message could not be read"));
    // An uncaught error leaves the worker of a page alive, other hosts end it.
    this.#worker.onerror = (event) => {
      event.preventDefault();
      this.#end(event.error ?? new Error(event.message ?? "the worker could not be started"));
    };
  }

  #end(failure: unknown): void {
    if (this.#is_over) return;
    this.#is_over = true;
    this.#worker.terminate();
    queueMicrotask(() => this.#listener.on_exit(failure, null));
  }

  post(message: unknown, transfers: Transferable[] | undefined): void {
    this.#worker.postMessage(message, transfers ?? []);
  }

  terminate(): void {
    this.#end(undefined);
  }

  keep_alive(): void {}
}

/** Starts a worker; returns `null` if the host has none. */
export function start_worker(listener: WorkerListener): HostWorker | null {
  const { Worker: ThreadClass } = builtin_module<ThreadsModule>("node:worker_threads") ?? {};
  if (ThreadClass !== undefined) return new ThreadWorker({ Worker: ThreadClass }, listener);
  return typeof Worker === "function" ? new PageWorker(listener) : null;
}

interface OSModule {
  availableParallelism?(): number;
}

/** Returns how many threads can run at the same time. */
export function parallelism(): number {
  const { navigator } = globalThis as { navigator?: { hardwareConcurrency?: number } };
  return builtin_module<OSModule>("node:os")?.availableParallelism?.() ??
    navigator?.hardwareConcurrency ?? 1;
}
