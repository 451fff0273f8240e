/**
 * Calls of a module's exports in other threads: Python's `ThreadPoolExecutor` and `ProcessPoolExecutor`.
 *
 * @module
 */

import { BrokenExecutor, ConcurrentFuture } from "./core/concurrent_futures.ts";
import { share_values } from "./core/contextvars.ts";
import { type Coroutine, library_coroutine } from "./core/coroutines.ts";
import { RuntimeError, ValueError } from "./core/exceptions.ts";
import type {
  ExportItem,
  ExportName,
  ExportParameters,
  ExportResult,
  ModuleExecutor,
  UntypedModule,
} from "./core/executors.ts";
import { wrap_future } from "./core/futures.ts";
import { type HostWorker, parallelism, start_worker } from "./host/workers.ts";
import { is_error } from "./internal/error_kinds.ts";
import { Inspectable, repr } from "./internal/format_helpers.ts";
import { check_options } from "./internal/options.ts";
import { QueueFull } from "./queues.ts";
import { take_transfers } from "./transfers.ts";
import { type Described, revive } from "./worker_errors.ts";
import { chunks_of, map_in_order } from "./worker_map.ts";

/**
 * Options of a {@linkcode WorkerPoolExecutor}.
 *
 * @typeParam M the type of the module
 * @category Executors
 */
export interface WorkerPoolOptions<M extends object = UntypedModule> {
  /** How many workers there are at most; by default as many as the machine runs threads at a time. */
  max_workers?: number;
  /** After how many calls a worker is replaced by a new one; never by default. */
  max_tasks_per_child?: number | null;
  /** The name of an export that each new worker calls before its first call. */
  initializer?: ExportName<M> | null;
  /** The arguments of the initializer. */
  initargs?: readonly unknown[];
  /** How many calls may wait for a worker, before `submit()` throws {@linkcode QueueFull}; no limit by default. */
  max_queued?: number;
}

/**
 * Options of {@linkcode WorkerPoolExecutor.map}.
 *
 * @category Executors
 */
export interface WorkerMapOptions {
  /** How many items a worker gets at a time, 1 by default; more are worth it if a call takes microseconds. */
  chunksize?: number;
  /** How many chunks are under way at most; twice the number of workers by default. */
  buffersize?: number;
}

const OPTIONS = ["max_workers", "max_tasks_per_child", "initializer", "initargs", "max_queued"];

// Items that a worker may send before the caller has taken the first of them.
const STREAM_ROOM = 16;

type Variables = readonly (readonly [name: string, value: unknown])[] | null;

/** A call: its place in the queue, and what its worker sends. */
class Call {
  previous: Call | null = null;
  next: Call | null = null;
  is_queued = false;
  worker: PoolWorker | null = null;
  readonly future: ConcurrentFuture<unknown> = new ConcurrentFuture();

  constructor(
    readonly kind: "call" | "map" | "stream",
    readonly name: string,
    public args: readonly unknown[],
    public variables: Variables,
    readonly on_item: ((item: unknown) => void) | null,
  ) {}
}

/** A queue that a call can leave from any place in constant time. */
class CallQueue {
  #first: Call | null = null;
  #last: Call | null = null;
  length = 0;

  push(call: Call): void {
    call.is_queued = true;
    call.previous = this.#last;
    if (this.#last === null) this.#first = call;
    else this.#last.next = call;
    this.#last = call;
    this.length++;
  }

  remove(call: Call): void {
    if (call.previous === null) this.#first = call.next;
    else call.previous.next = call.next;
    if (call.next === null) this.#last = call.previous;
    else call.next.previous = call.previous;
    call.previous = call.next = null;
    call.is_queued = false;
    this.length--;
  }

  shift(): Call | null {
    const call = this.#first;
    if (call !== null) this.remove(call);
    return call;
  }
}

/**
 * A worker of a pool.
 *
 * | event                                   | from           | to       |
 * | --------------------------------------- | -------------- | -------- |
 * | it has loaded the module                | starting       | idle     |
 * | it gets a call                          | idle           | busy     |
 * | its call has ended                      | busy           | idle     |
 * | it is ended: cancelled, used up, closed | any            | ending   |
 * | the host says that it has ended         | any            | (removed) |
 */
class PoolWorker {
  state: "starting" | "idle" | "busy" | "ending" = "starting";
  call: Call | null = null;
  calls = 0;
  host: HostWorker | null = null;
}

/**
 * Calls the exports of a module by name, in workers: threads with their own memory, several at the same time.
 *
 * It is Python's `ThreadPoolExecutor` and `ProcessPoolExecutor` in one. Arguments and results are copied as by
 * `structuredClone()`, or moved if {@linkcode transfer} marks them. Errors come back with the name of
 * their class, message, stack, cause and properties; standard ones and the library's own are instances of their classes.
 * The values of context variables travel with a call, as far as they can be copied: in the worker variables of the
 * same names have them. A worker makes one call at a time.
 *
 * A worker is started when a call finds none that is idle, up to `max_workers`. It does not keep the
 * program alive unless it makes a call. Cancelling the future of a call that waits takes it out of the
 * queue; cancelling that of a running one ends its worker, so that the processor is free at once, and another one is
 * started when needed. A worker that throws outside of a call, exits, runs out of memory or cannot load the
 * module fails its call with {@linkcode BrokenExecutor} and is replaced. On Bun, which does not
 * limit the memory of a worker, running out of it ends the program.
 *
 * The host loads the module itself: Deno, Bun and Node.js 22.18 and newer take TypeScript, others JavaScript.
 * Deno asks for the permission to read it. A page whose content security policy forbids `blob:` workers cannot use a pool.
 *
 * See {@link https://docs.python.org/3/library/concurrent.futures.html#processpoolexecutor Python's ProcessPoolExecutor}.
 *
 * @typeParam M the type of the module: `typeof work`, with `import type * as work from "./work.ts"`
 * @category Executors
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * // Mostly it is a file: new WorkerPoolExecutor<typeof work>(new URL("./work.ts", import.meta.url))
 * const work = "data:text/javascript,export const add = (a, b) => a + b";
 * interface Work {
 *   add(a: number, b: number): number;
 * }
 * await asyncio.run(async () => {
 *   await using pool = new asyncio.WorkerPoolExecutor<Work>(work, { max_workers: 1 });
 *   const loop = asyncio.get_running_loop();
 *   assertEquals(await loop.run_in_executor(pool, "add", 1, 2), 3);
 * });
 * ```
 */
export class WorkerPoolExecutor<M extends object = UntypedModule> extends Inspectable
  implements ModuleExecutor<M>, AsyncDisposable, Disposable {
  /** Never there: by its type a call is checked against the module. */
  declare readonly module_type?: M;
  /** How many workers there are at most. */
  readonly max_workers: number;
  readonly #url: string;
  readonly #max_tasks: number;
  readonly #max_queued: number;
  readonly #initializer: string | null;
  readonly #initargs: readonly unknown[];
  readonly #queue = new CallQueue();
  readonly #workers = new Set<PoolWorker>();
  readonly #idle: PoolWorker[] = [];
  #starting = 0;
  #running = 0;
  #is_shut = false;
  // The futures of ready() and shutdown().
  readonly #wait_for_room = new Set<ConcurrentFuture<void>>();
  readonly #wait_for_end: (() => void)[] = [];

  /**
   * Makes a pool; no worker is started yet.
   *
   * @param module the URL of the module: `new URL("./work.ts", import.meta.url)`
   * @param options `max_workers`, `max_tasks_per_child`, `initializer` with `initargs`, `max_queued`
   * @throws {TypeError} if it is no absolute URL, an option is unknown or of a wrong type
   * @throws {ValueError} if a number is too small
   */
  constructor(module: URL | string, options: WorkerPoolOptions<M> = {}) {
    super();
    check_options("WorkerPoolExecutor", options, OPTIONS);
    const { max_workers, max_tasks_per_child, initializer, initargs, max_queued } = options;
    this.#url = absolute_url(module);
    this.max_workers = at_least(1, "max_workers", max_workers ?? parallelism());
    this.#max_tasks = at_least(1, "max_tasks_per_child", max_tasks_per_child ?? Infinity);
    this.#max_queued = at_least(0, "max_queued", max_queued ?? Infinity);
    if (initializer !== undefined && initializer !== null && typeof initializer !== "string") {
      throw refusal("initializer must be the name of an export", initializer);
    }
    this.#initializer = initializer ?? null;
    this.#initargs = initargs ?? [];
  }

  /** How many workers there are, those that are being started or ended included. */
  get workers(): number {
    return this.#workers.size;
  }

  /** How many calls are under way in workers. */
  get running(): number {
    return this.#running;
  }

  /** How many calls wait for a worker. */
  get queued(): number {
    return this.#queue.length;
  }

  /**
   * Calls an export in a worker.
   *
   * The arguments are copied when the call gets its worker. Cancelled while it waits, the call is never made;
   * cancelled while it runs, it ends with its worker.
   *
   * @param name the name of the export
   * @param args its arguments
   * @returns a promise of what it returns that can be inspected and cancelled from anywhere; in a task await
   * `loop.run_in_executor(pool, name, ...args)`, which a cancellation of the task cancels
   * @throws {RuntimeError} if the pool is shut down
   * @throws {QueueFull} if `max_queued` calls wait already
   * @throws {TypeError} if the name is no string
   */
  submit<N extends ExportName<M>>(
    name: N,
    ...args: ExportParameters<M, N>
  ): ConcurrentFuture<ExportResult<M, N>> {
    return this.#add("call", name, args, null).future as ConcurrentFuture<ExportResult<M, N>>;
  }

  /** Returns whether `submit()` would throw {@linkcode QueueFull}. */
  full(): boolean {
    return this.#queue.length + this.#running >= this.max_workers + this.#max_queued;
  }

  /**
   * Waits until a call can be submitted: `while (pool.full()) await pool.ready();`.
   *
   * All waiters are woken when there is room, so that one which shares the pool with others looks again. Cancelling it has no effect on the pool.
   *
   * @returns a coroutine
   * @throws {RuntimeError} if the pool is shut down meanwhile
   */
  ready(): Coroutine<void> {
    return library_coroutine("ready", this.#wait_until_ready());
  }

  *#wait_until_ready(): Generator<unknown, void, unknown> {
    if (!this.full() || this.#is_shut) return;
    const room = new ConcurrentFuture<void>();
    this.#wait_for_room.add(room);
    try {
      yield* wrap_future(room);
    } finally {
      this.#wait_for_room.delete(room);
    }
  }

  /**
   * Calls an export with each item of an iterable, and gives the results in the order of the items.
   *
   * The items are taken as they are needed: `buffersize` chunks of them are under way at most. An error of a call is thrown in
   * the place of its result, one of the iterable after the results before it. Then, after a `break` and
   * when it is cancelled the other calls are cancelled and the iterable is closed.
   *
   * @param name the name of the export, which takes one argument
   * @param iterable the items, or an AsyncIterable of them
   * @param options `chunksize`, how many items a worker gets at a time; `buffersize`, how many chunks are under way
   * @returns an async generator of the results
   * @throws {TypeError} if it is not iterable, or an option is unknown
   * @throws {ValueError} if a number is too small
   */
  map<N extends ExportName<M>>(
    name: N,
    iterable: Iterable<ExportParameters<M, N>[0]> | AsyncIterable<ExportParameters<M, N>[0]>,
    options: WorkerMapOptions = {},
  ): AsyncGenerator<ExportResult<M, N>, void, undefined> {
    check_options("map", options, ["chunksize", "buffersize"]);
    const size = at_least(1, "chunksize", options.chunksize ?? 1);
    const limit = at_least(1, "buffersize", options.buffersize ?? 2 * this.max_workers);
    check_name(name);
    const start = (items: unknown[]) => this.#add("map", name, items, null, true).future;
    const results = map_in_order(start, chunks_of(iterable, size), limit);
    return results as AsyncGenerator<ExportResult<M, N>, void, undefined>;
  }

  /**
   * Calls an export that is a generator, or returns an iterable, and gives its items as they are made: results in
   * parts, or the progress of a long call.
   *
   * The worker is a few items ahead and then waits for the caller. After a `break` its generator is closed, so that its
   * `finally` runs, and waited for; cancelling the wait ends the worker.
   *
   * @param name the name of the export
   * @param args its arguments
   * @returns an async generator of the items
   * @throws {RuntimeError} if the pool is shut down
   * @throws {QueueFull} if `max_queued` calls wait already
   */
  async *stream<N extends ExportName<M>>(
    name: N,
    ...args: ExportParameters<M, N>
  ): AsyncGenerator<ExportItem<M, N>, void, undefined> {
    const items: unknown[] = [];
    let wake: ConcurrentFuture<void> | null = null;
    const call = this.#add("stream", name, args, (item) => {
      items.push(item);
      wake?.["_set_result"](undefined);
    });
    call.future.add_done_callback(() => wake?.["_set_result"](undefined));
    let taken = 0;
    let is_over = false;
    try {
      for (;;) {
        while (items.length > 0) {
          if (++taken * 2 >= STREAM_ROOM) {
            call.worker?.host?.post(["more", taken], undefined);
            taken = 0;
          }
          yield items.shift() as ExportItem<M, N>;
        }
        if (call.future.done()) break;
        wake = new ConcurrentFuture();
        await wrap_future(wake);
        wake = null;
      }
      is_over = true;
      call.future.result();
    } catch (error) {
      if (!is_over) call.future.cancel();
      is_over = true;
      throw error;
    } finally {
      if (!is_over && !call.future.done()) {
        if (call.worker === null) call.future.cancel();
        else call.worker.host?.post(["stop"], undefined);
        if (!call.future.done()) await wrap_future(call.future);
      }
    }
  }

  /**
   * Shuts the pool down: it takes no more calls, and its workers end when those that it has are done.
   *
   * @param options `wait`: whether the promise settles when all workers have ended, as by default, or at once;
   * `cancel_futures`: whether calls that wait for a worker are cancelled
   * @throws {TypeError} if an option is unknown
   */
  shutdown(options: { wait?: boolean; cancel_futures?: boolean } = {}): Promise<void> {
    check_options("shutdown", options, ["wait", "cancel_futures"]);
    const { wait = true, cancel_futures = false } = options;
    this.#is_shut = true;
    if (cancel_futures) this.#cancel_queued();
    this.#wake_for_room();
    this.#end_unneeded();
    if (!wait || this.#is_over()) return Promise.resolve();
    return new Promise((resolve) => this.#wait_for_end.push(resolve));
  }

  /**
   * Shuts the pool down and ends its workers, whatever they do: calls that wait are cancelled, running ones throw
   * {@linkcode BrokenExecutor}.
   *
   * @returns a promise that settles when all workers have ended
   */
  terminate_workers(): Promise<void> {
    this.#is_shut = true;
    this.#cancel_queued();
    for (const worker of this.#workers) {
      const { call } = worker;
      this.#end(worker);
      if (call !== null) fail(call, "the workers of the pool were terminated");
    }
    return this.shutdown();
  }

  /** Shuts the pool down without waiting: `using`. Calls that were submitted are still made. */
  [Symbol.dispose](): void {
    void this.shutdown({ wait: false });
  }

  /** Shuts the pool down and waits until its calls are done and its workers have ended: `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.shutdown();
  }

  /** Returns a description with the numbers of workers and calls. */
  override toString(): string {
    const state = this.#is_shut ? " shut down" : "";
    return `<WorkerPoolExecutor ${
      repr(this.#url)
    }${state} workers=${this.workers}/${this.max_workers}` +
      ` running=${this.running} queued=${this.queued}>`;
  }

  #add(
    kind: Call["kind"],
    name: string,
    args: readonly unknown[],
    on_item: Call["on_item"],
    is_unlimited = false,
  ): Call {
    check_name(name);
    if (this.#is_shut) throw new RuntimeError("cannot schedule new futures after shutdown");
    if (!is_unlimited && this.full()) {
      throw new QueueFull(
        `Cannot submit ${name}(): ${this.#max_queued} calls wait for a worker already`,
      );
    }
    const call = new Call(kind, name, args, variables_to_send(), on_item);
    call.future.add_done_callback((future) => {
      if (future.cancelled()) this.#cancelled(call);
    });
    this.#queue.push(call);
    this.#dispatch();
    return call;
  }

  /** Gives the calls that wait to idle workers, and starts workers for those that are left. */
  #dispatch(): void {
    while (this.#queue.length > 0) {
      const worker = this.#idle.pop();
      if (worker === undefined) break;
      this.#run(worker, this.#queue.shift() as Call);
    }
    while (this.#starting < this.#queue.length && this.#workers.size < this.max_workers) {
      this.#start();
    }
    this.#wake_for_room();
  }

  #start(): void {
    const worker = new PoolWorker();
    const host = start_worker({
      on_message: (message) => this.#on_message(worker, message as Message),
      on_exit: (failure, code) => this.#on_exit(worker, failure, code),
    });
    if (host === null) {
      const call = this.#queue.shift();
      if (call !== null) fail(call, "this host has no workers");
      return;
    }
    worker.host = host;
    this.#workers.add(worker);
    this.#starting++;
    try {
      host.post(["load", this.#url, this.#initializer, this.#initargs], undefined);
    } catch (error) {
      this.#fail_to_start(worker, "the arguments of the initializer cannot be cloned", error);
    }
  }

  #run(worker: PoolWorker, call: Call): void {
    const host = worker.host as HostWorker;
    const error = send(host, call);
    if (error !== null) {
      this.#idle.push(worker);
      call.future["_set_exception"](error);
      return;
    }
    worker.state = "busy";
    worker.call = call;
    worker.calls++;
    call.worker = worker;
    call.args = [];
    this.#running++;
    host.keep_alive(true);
  }

  #on_message(worker: PoolWorker, message: Message): void {
    if (worker.state === "ending") return;
    const { call } = worker;
    switch (message[0]) {
      case "ready":
        this.#starting--;
        this.#make_idle(worker);
        return;
      case "unready":
        this.#fail_to_start(worker, "its worker could not load the module", revive(message[1]));
        return;
      case "item":
        call?.on_item?.(message[1]);
        return;
    }
    if (call === null) return;
    this.#take_call(worker);
    this.#make_idle(worker);
    switch (message[0]) {
      case "result":
        call.future["_set_result"](message[1]);
        break;
      case "error":
        call.future["_set_exception"](revive(message[1]));
        break;
      case "results": {
        const [, values, failure] = message;
        const error = failure === null ? null : { thrown: revive(failure) };
        call.future["_set_result"]({ values, error });
        break;
      }
    }
  }

  #take_call(worker: PoolWorker): void {
    if (worker.call === null) return;
    worker.call.worker = null;
    worker.call = null;
    this.#running--;
  }

  #make_idle(worker: PoolWorker): void {
    if (worker.calls >= this.#max_tasks) {
      this.#end(worker);
      return;
    }
    worker.state = "idle";
    this.#idle.push(worker);
    this.#dispatch();
    if (worker.state === "idle") worker.host?.keep_alive(false);
    this.#end_unneeded();
  }

  #fail_to_start(worker: PoolWorker, why: string, cause: unknown): void {
    this.#end(worker);
    const call = this.#queue.shift();
    if (call !== null) fail(call, why, cause);
  }

  #cancelled(call: Call): void {
    if (call.is_queued) {
      this.#queue.remove(call);
      call.args = [];
      this.#wake_for_room();
      this.#end_unneeded();
    } else if (call.worker !== null) {
      this.#end(call.worker);
    }
  }

  #cancel_queued(): void {
    for (let call = this.#queue.shift(); call !== null; call = this.#queue.shift()) {
      call.future.cancel();
    }
  }

  /** Ends a worker; it has its place in the pool until the host says that it has ended. */
  #end(worker: PoolWorker): void {
    if (worker.state === "ending") return;
    this.#leave_state(worker);
    worker.host?.keep_alive(true);
    worker.host?.terminate();
  }

  #on_exit(worker: PoolWorker, failure: unknown, code: number | null): void {
    const { state, call } = worker;
    this.#leave_state(worker);
    this.#workers.delete(worker);
    const how = failure === undefined
      ? code === null ? "its worker ended" : `its worker ended with exit code ${code}`
      : "its worker was ended by an error";
    if (call !== null) fail(call, how, failure);
    else if (state === "starting") {
      const first = this.#queue.shift();
      if (first !== null) fail(first, `${how}, before it had loaded the module`, failure);
    } else if (state === "idle" && failure !== undefined) {
      console.error(`A worker of ${this} that made no call was ended by an error\n`, failure);
    }
    this.#dispatch();
    this.#end_unneeded();
  }

  #leave_state(worker: PoolWorker): void {
    if (worker.state === "starting") this.#starting--;
    if (worker.state === "idle") this.#idle.splice(this.#idle.indexOf(worker), 1);
    this.#take_call(worker);
    worker.state = "ending";
  }

  /** Ends the workers that a pool which is shut down needs no more. */
  #end_unneeded(): void {
    if (!this.#is_shut || this.#queue.length > 0) return;
    for (const worker of this.#workers) {
      if (worker.state !== "busy") this.#end(worker);
    }
    if (this.#is_over()) { for (const resolve of this.#wait_for_end.splice(0)) resolve(); }
  }

  #is_over(): boolean {
    return this.#workers.size === 0 && this.#queue.length === 0;
  }

  #wake_for_room(): void {
    if (this.#wait_for_room.size === 0) return;
    if (this.full() && !this.#is_shut) return;
    for (const room of this.#wait_for_room) room["_set_result"](undefined);
  }
}

type Message =
  | readonly ["ready"]
  | readonly ["unready", Described]
  | readonly ["item", unknown]
  | readonly ["result", unknown]
  | readonly ["error", Described]
  | readonly ["results", readonly unknown[], Described | null];

function fail(call: Call, why: string, cause?: unknown): void {
  const options = cause === undefined ? {} : { cause };
  const text = is_error(cause) ? `${why}: ${cause.name}: ${cause.message}` : why;
  call.future["_set_exception"](new BrokenExecutor(`Cannot call ${call.name}(): ${text}`, options));
}

/** Sends a call to a worker; returns the error if that cannot be done. */
function send(host: HostWorker, call: Call): TypeError | null {
  const post = () => {
    const { kind, name, args, variables } = call;
    host.post([kind, name, args, variables, STREAM_ROOM], take_transfers(args));
  };
  try {
    post();
    return null;
  } catch (error) {
    // The value of a context variable may have changed since it was found to be cloneable.
    if (call.variables !== null && call.args.every(can_clone)) {
      call.variables = call.variables.filter(([, value]) => can_clone(value));
      try {
        post();
        return null;
      } catch {
        // The first error says why.
      }
    }
    return unsendable(call, error);
  }
}

function unsendable({ name, args }: Call, cause: unknown): TypeError {
  const index = args.findIndex((arg) => !can_clone(arg));
  const what = index < 0
    ? `its arguments cannot be sent: received ${repr(args)}`
    : `argument ${index + 1} cannot be cloned: received ${repr(args[index])}`;
  return new TypeError(`Cannot call ${name}() in a worker: ${what}`, { cause });
}

function can_clone(value: unknown): boolean {
  if (typeof value === "function" || typeof value === "symbol") return false;
  if (typeof value !== "object" || value === null) return true;
  try {
    structuredClone(value);
    return true;
  } catch {
    return false;
  }
}

const sendable_variables = new WeakMap<object, Variables>();

/** The values of the current context that can be cloned; looked for once for each set of values. */
function variables_to_send(): Variables {
  const values = share_values();
  if (values.size === 0) return null;
  let variables = sendable_variables.get(values);
  if (variables === undefined) {
    const all = [...values].map(([{ name }, value]) => [name, value] as const);
    variables = all.filter(([, value]) => can_clone(value));
    sendable_variables.set(values, variables);
  }
  return variables;
}

function refusal(why: string, received: unknown): TypeError {
  return new TypeError(`Cannot use a WorkerPoolExecutor: ${why}: received ${repr(received)}`);
}

function check_name(name: unknown): void {
  if (typeof name === "string") return;
  const why = typeof name === "function"
    ? "a function cannot be sent to another thread, give the name of an export"
    : "the name of an export is expected";
  throw refusal(why, name);
}

function absolute_url(module: URL | string): string {
  if (module instanceof URL) return module.href;
  if (typeof module === "string" && URL.canParse(module)) return new URL(module).href;
  throw refusal(
    'the absolute URL of a module is expected, as new URL("./work.ts", import.meta.url)',
    module,
  );
}

function at_least(least: number, name: string, value: unknown): number {
  if (value !== Infinity && !Number.isInteger(value)) {
    throw refusal(`${name} must be an integer`, value);
  }
  if (value as number >= least) return value as number;
  throw new ValueError(
    `Cannot use a WorkerPoolExecutor: ${name} must be at least ${least}: received ${value}`,
  );
}
