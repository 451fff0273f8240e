/** An executor whose calls are made by workers on any machine, through a BullMQ queue in Redis. */

import { Job, Queue, QueueEvents } from "bullmq";
import type { Redis } from "ioredis";
import {
  BrokenExecutor,
  CancelledError,
  type ExportName,
  type ExportParameters,
  type ExportResult,
  type ModuleExecutor,
  RuntimeError,
  type UntypedModule,
  ValueError,
} from "../../mod.ts";
import { type CallData, cancel_channel, cancel_key, DEFAULT_QUEUE, id_of_key } from "./calls.ts";
import { close, connect } from "./redis.ts";
import { decode, encode, type ErrorClass } from "./values.ts";

/** How calls are made. */
export interface CallOptions {
  /** Calls with the same key are one: made once, and all get its result. */
  readonly key?: string;
  /** How often a call that failed is made again; 0 by default. */
  readonly retries?: number;
  /** The seconds before that, which double each time; 1 by default. */
  readonly backoff?: number;
  /** The seconds that each attempt may take. */
  readonly time_limit?: number;
  /** Called with each value that the function reports. */
  readonly on_progress?: (value: unknown) => void;
}

/** How an executor is made. */
export interface QueueExecutorOptions extends CallOptions {
  /** The name of the queue in Redis; `calls` by default. */
  readonly queue?: string;
  /** The seconds for which the result of a call with a key is kept; a day by default. */
  readonly keep?: number;
  /** The seconds between two looks for calls that have ended and whose events were lost; 15 by default. */
  readonly look_every?: number;
  /** Classes of errors besides the standard ones and the library's, to make them anew. */
  readonly errors?: readonly ErrorClass[];
}

/** The result of a call; a promise that can be cancelled. */
export type QueueCall<T> = Promise<T> & {
  /** Cancels the call, whether it waits or runs; returns false if it has ended. */
  cancel(): boolean;
};

/** A call that has not ended, for one of its callers. */
interface Pending {
  readonly id: string;
  readonly name: string;
  readonly options: CallOptions;
  readonly ended: Promise<unknown>;
  /** True if its job is in the queue. */
  is_added: boolean;
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

/** What an executor has open once the first call was submitted. */
interface Connections {
  readonly redis: Redis;
  readonly queue: Queue<CallData, string>;
  readonly events: QueueEvents;
}

/** The seconds for which the result of a call without a key is kept, for a caller that lost its connection. */
const KEEP_UNKEYED = 3600;
const KEEP_KEYED = 86_400;
/** The events that are kept: a caller that is behind by more finds its results by looking for them. */
const KEPT_EVENTS = 100_000;
/** How many calls are looked for at a time. */
const LOOKED_FOR = 1000;
/** The milliseconds for which a cancellation is kept for the worker that runs the call. */
const KEEP_CANCELLATION = 86_400_000;

/**
 * Submits calls by name to the workers of a queue.
 *
 * A call is made at least once: again if its worker dies. A key makes that safe for the caller, who may submit it as
 * often as it likes, and gives the function an id by which to make its effects once.
 */
export class QueueExecutor<M extends object = UntypedModule>
  implements ModuleExecutor<M>, AsyncDisposable {
  declare readonly module_type?: M;

  readonly #url: string;
  readonly #options: QueueExecutorOptions;
  /** The name of the queue. */
  readonly queue: string;
  #connections: Promise<Connections> | null = null;
  /** The calls of each id; several have the same key. */
  readonly #pending = new Map<string, Set<Pending>>();
  /** Work in Redis that nobody awaits but `shutdown()`. */
  readonly #background = new Set<Promise<unknown>>();
  #timer: ReturnType<typeof setInterval> | undefined;
  #is_shut = false;

  /** Makes an executor for a Redis server; it connects at the first call. */
  constructor(url: string, options: QueueExecutorOptions = {}) {
    this.#url = url;
    this.#options = options;
    this.queue = options.queue ?? DEFAULT_QUEUE;
  }

  /** Returns an executor of the same queue whose calls have other options. */
  with(options: CallOptions): Pick<QueueExecutor<M>, "submit"> & ModuleExecutor<M> {
    return {
      submit: (name, ...args) => this.#submit(name, args, { ...this.#options, ...options }),
      shutdown: (how) => this.shutdown(how),
    };
  }

  /**
   * Calls an export of the workers' module.
   *
   * @param name the name of the export
   * @param args its arguments; what `values.ts` can encode
   * @returns a promise of its result. It is rejected with the function's own error, with a `CancelledError` if the call
   * is cancelled, a `TimeoutError` if the last attempt took too long, a `BrokenExecutor` if the queue gave it up
   * @throws {TypeError} if an argument cannot be sent
   * @throws {RuntimeError} after `shutdown()`
   */
  submit<N extends ExportName<M>>(
    name: N,
    ...args: ExportParameters<M, N>
  ): QueueCall<ExportResult<M, N>> {
    return this.#submit(name, args, this.#options);
  }

  /**
   * Takes no more calls.
   *
   * @param options `cancel_futures`: whether those that no worker has begun are cancelled; `wait: false`: whether not to
   * wait for the others
   */
  async shutdown({ wait = true, cancel_futures = false } = {}): Promise<void> {
    this.#is_shut = true;
    const ended = this.#end(cancel_futures);
    if (wait) await ended;
    else ended.catch(() => {});
  }

  /** Takes no more calls, and waits for those that there are. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.shutdown();
  }

  #submit<T>(name: string, args: readonly unknown[], options: CallOptions): QueueCall<T> {
    if (this.#is_shut) throw new RuntimeError("cannot schedule new futures after shutdown");
    const data = { args: encode(args, `${name}()`), time_limit: options.time_limit ?? null };
    const id = options.key === undefined ? crypto.randomUUID() : id_of_key(options.key);
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const pending: Pending = {
      id,
      name,
      options,
      ended: promise,
      is_added: false,
      resolve: resolve as Pending["resolve"],
      reject,
    };
    const others = this.#pending.get(id);
    if (others === undefined) this.#pending.set(id, new Set([pending]));
    else others.add(pending);
    const added = this.#add(pending, data);
    added.then(
      () => pending.is_added = true,
      (error) => this.#settle([pending], () => reject(error)),
    );
    this.#in_background(added);
    const cancel = () => {
      if (!this.#pending.get(id)?.has(pending)) return false;
      this.#settle([pending], () => reject(new CancelledError()));
      this.#in_background(added.then(() => this.#cancel(id)));
      return true;
    };
    return Object.assign(promise, { cancel });
  }

  async #add({ id, name, options }: Pending, data: CallData): Promise<void> {
    const { queue, redis } = await this.#open();
    const { key, retries = 0, backoff = 1 } = options;
    if (key !== undefined) {
      const earlier = await Job.fromId<CallData, string>(queue, id);
      if (earlier !== undefined) return await this.#join(earlier, name, data, key);
      await redis.del(cancel_key(this.queue, id));
    }
    const keep = key === undefined ? KEEP_UNKEYED : this.#options.keep ?? KEEP_KEYED;
    await queue.add(name, data, {
      jobId: id,
      attempts: retries + 1,
      backoff: { type: "exponential", delay: backoff * 1000 },
      removeOnComplete: { age: keep },
      removeOnFail: { age: keep },
    });
    if (key === undefined) return;
    // Another caller may have been first by a moment: then BullMQ has added nothing.
    const added = await Job.fromId<CallData, string>(queue, id);
    if (added !== undefined) check_same(added, name, data, key);
  }

  /** Takes part in a call that has been submitted before; has it made again if it has failed. */
  async #join(
    job: Job<CallData, string>,
    name: string,
    data: CallData,
    key: string,
  ): Promise<void> {
    check_same(job, name, data, key);
    const id = job.id as string;
    if (await job.isCompleted()) {
      const { returnvalue } = await this.#read(id) ?? job;
      this.#completed(id, returnvalue);
    } else if (await job.isFailed()) {
      const { redis } = await this.#open();
      await redis.del(cancel_key(this.queue, id));
      await retry(job);
    }
  }

  async #read(id: string): Promise<Job<CallData, string> | undefined> {
    const { queue } = await this.#open();
    return await Job.fromId<CallData, string>(queue, id);
  }

  #open(): Promise<Connections> {
    return this.#connections ??= this.#connect();
  }

  async #connect(): Promise<Connections> {
    const redis = await connect(this.#url).catch((error) => {
      this.#connections = null;
      throw new BrokenExecutor(error.message, { cause: error });
    });
    // From now on: an event that comes before the connection listens is not missed.
    const [seconds, microseconds] = await redis.time();
    const since = `${Number(seconds) * 1000 + Math.floor(Number(microseconds) / 1000)}-0`;
    const queue = new Queue<CallData, string>(this.queue, {
      connection: redis,
      streams: { events: { maxLen: KEPT_EVENTS } },
    });
    const events = new QueueEvents(this.queue, {
      connection: redis.duplicate(),
      lastEventId: since,
    });
    // A lost connection is made anew, and what was missed is read then.
    queue.on("error", () => {});
    events.on("error", () => {});
    events.on("completed", ({ jobId, returnvalue }) => this.#completed(jobId, returnvalue));
    events.on("failed", ({ jobId, failedReason }) => this.#failed(jobId, failedReason));
    events.on("removed", ({ jobId }) => this.#removed(jobId));
    events.on("progress", ({ jobId, data }) => this.#progressed(jobId, data));
    this.#timer = setInterval(
      () => this.#in_background(this.#look()),
      (this.#options.look_every ?? 15) * 1000,
    );
    return { redis, queue, events };
  }

  #calls(id: string): Pending[] {
    return [...this.#pending.get(id) ?? []];
  }

  /** Takes calls off the pending ones, and settles each. */
  #settle(calls: readonly Pending[], settle: (call: Pending) => void): void {
    for (const call of calls) {
      const others = this.#pending.get(call.id);
      if (others?.delete(call) && others.size === 0) this.#pending.delete(call.id);
      settle(call);
    }
  }

  #completed(id: string, result: string): void {
    this.#settle(this.#calls(id), (call) => {
      try {
        call.resolve(decode(result, this.#options.errors));
      } catch (error) {
        call.reject(error);
      }
    });
  }

  #failed(id: string, reason: string): void {
    const [call] = this.#calls(id);
    if (call === undefined) return;
    // With a key it may be an event of an earlier call, which failed before this one was submitted.
    if (call.options.key !== undefined) this.#in_background(this.#look_for(id));
    else this.#reject(id, reason);
  }

  #reject(id: string, reason: string): void {
    this.#settle(this.#calls(id), ({ name, reject }) => {
      try {
        reject(decode(reason, this.#options.errors));
      } catch {
        reject(new BrokenExecutor(`Cannot call ${name}(): ${reason}`));
      }
    });
  }

  #removed(id: string): void {
    this.#settle(this.#calls(id), ({ reject }) => reject(new CancelledError()));
  }

  #progressed(id: string, data: unknown): void {
    if (typeof data !== "string") return;
    for (const { name, options } of this.#calls(id)) {
      try {
        options.on_progress?.(decode(data, this.#options.errors));
      } catch (error) {
        console.error(`on_progress of ${name}() threw`, error);
      }
    }
  }

  /** Settles a call whose job has ended. */
  async #look_for(id: string): Promise<void> {
    const state = await (await this.#read(id))?.getState();
    // Read after the state is known, so that it has the result.
    const job = await this.#read(id);
    if (job === undefined) this.#reject(id, "its job is no longer in the queue");
    else if (state === "completed") this.#completed(id, job.returnvalue);
    else if (state === "failed") this.#reject(id, job.failedReason);
  }

  /** Looks for the calls that have not been looked for the longest. */
  async #look(): Promise<void> {
    for (const [id, calls] of [...this.#pending].slice(0, LOOKED_FOR)) {
      if (this.#pending.get(id) !== calls || [...calls].some(({ is_added }) => !is_added)) continue;
      this.#pending.delete(id);
      this.#pending.set(id, calls);
      await this.#look_for(id);
    }
  }

  /** Cancels a job: takes it out of the queue, or has its worker cancel it. */
  async #cancel(id: string): Promise<void> {
    const { queue, redis } = await this.#open();
    // First the mark, so that a worker that takes the job in this moment finds it.
    const key = cancel_key(this.queue, id);
    await redis.set(key, "1", "PX", KEEP_CANCELLATION);
    if (await queue.remove(id) === 1) await redis.del(key);
    else await redis.publish(cancel_channel(this.queue), id);
  }

  #in_background(work: Promise<unknown>): void {
    const settled = work.catch(() => {}).finally(() => this.#background.delete(settled));
    this.#background.add(settled);
  }

  async #end(cancel_waiting: boolean): Promise<void> {
    if (this.#connections === null) return;
    const { queue, events, redis } = await this.#open();
    if (cancel_waiting) {
      await Promise.all(this.#background);
      for (const id of this.#pending.keys()) {
        if (await queue.remove(id) === 1) this.#removed(id);
      }
    }
    while (this.#pending.size > 0 || this.#background.size > 0) {
      const calls = [...this.#pending.values()].flatMap((some) => [...some]);
      await Promise.allSettled([...this.#background, ...calls.map(({ ended }) => ended)]);
    }
    clearInterval(this.#timer);
    this.#connections = null;
    await events.close();
    await queue.close();
    await close(redis);
  }
}

function check_same(job: Job<CallData>, name: string, { args }: CallData, key: string): void {
  if (job.name === name && job.data.args === args) return;
  throw new ValueError(
    `Cannot call ${name}() with the key '${key}': it belongs to another call, of ${job.name}()`,
  );
}

/** Makes a failed job wait anew, unless another caller has done so in the meantime. */
async function retry(job: Job<CallData, string>): Promise<void> {
  try {
    await job.retry("failed", { resetAttemptsMade: true, resetAttemptsStarted: true });
  } catch (error) {
    if (await job.isFailed()) throw error;
  }
}
