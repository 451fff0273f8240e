/** A worker: takes calls off a BullMQ queue, makes them as tasks of the loop, and sends back what comes of them. */

import { type Job, UnrecoverableError, Worker } from "bullmq";
import type { Redis } from "ioredis";
import * as asyncio from "../../mod.ts";
import { type CallData, cancel_channel, cancel_key, DEFAULT_QUEUE } from "./calls.ts";
import { JOB } from "./current_job.ts";
import { close, close_worker, connect } from "./redis.ts";
import { decode, encode, encode_error } from "./values.ts";

/** How a worker is made. */
export interface QueueWorkerOptions {
  /** The name of the queue in Redis; `calls` by default. */
  readonly queue?: string;
  /** How many calls it makes at the same time; 1 by default. */
  readonly concurrency?: number;
  /** Makes the calls elsewhere: a pool of threads for work that computes. */
  readonly pool?: asyncio.ModuleExecutor;
  /** The seconds after which the calls of a worker that died, or hangs, are given to others; 30 by default. */
  readonly lock?: number;
}

/** A call may be begun by so many workers that die: it is hardly the call's fault if a machine is turned off. */
const MOST_DEATHS = 10;

/** The seconds for which an idle worker waits in Redis, and that a retry may come too late. */
const LONGEST_BLOCK = 1;

export class QueueWorker implements AsyncDisposable {
  readonly #module: object;
  readonly #queue: string;
  readonly #pool: asyncio.ModuleExecutor | null;
  readonly #loop = asyncio.get_running_loop();
  readonly #redis: Redis;
  readonly #subscriber: Redis;
  readonly #worker: Worker<CallData, string>;
  /** The calls that run, by their ids. */
  readonly #running = new Map<string, asyncio.Task<string>>();

  private constructor(
    module: object,
    options: QueueWorkerOptions,
    redis: Redis,
    subscriber: Redis,
  ) {
    const { queue = DEFAULT_QUEUE, concurrency = 1, lock = 30, pool = null } = options;
    this.#module = module;
    this.#queue = queue;
    this.#pool = pool;
    this.#redis = redis;
    this.#subscriber = subscriber;
    subscriber.on("message", (_, id: string) => this.#running.get(id)?.cancel());
    // What was published while the connection was lost is read from its key.
    subscriber.on("ready", () => {
      for (const id of this.#running.keys()) void this.#cancel_if_marked(id);
    });
    this.#worker = new Worker<CallData, string>(queue, (job) => this.#take(job), {
      connection: redis,
      concurrency,
      lockDuration: lock * 1000,
      stalledInterval: lock * 1000,
      maxStalledCount: MOST_DEATHS,
      drainDelay: LONGEST_BLOCK,
    });
    this.#worker.on("error", (error) => console.error(`${error.name}: ${error.message}`));
  }

  /**
   * Starts to serve the exports of a module.
   *
   * @throws {Error} if Redis cannot be reached
   */
  static async start(
    module: object,
    url: string,
    options: QueueWorkerOptions = {},
  ): Promise<QueueWorker> {
    const redis = await connect(url);
    const subscriber = redis.duplicate();
    subscriber.on("error", () => {});
    await subscriber.subscribe(cancel_channel(options.queue ?? DEFAULT_QUEUE));
    return new QueueWorker(module, options, redis, subscriber);
  }

  /** Returns how many calls run. */
  get running(): number {
    return this.#running.size;
  }

  /** Takes no more calls, and waits for those that run. */
  async close(): Promise<void> {
    await close_worker(this.#worker);
    await close(this.#subscriber);
    await close(this.#redis);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Makes a call as a task; BullMQ is told of its end. */
  #take(job: Job<CallData, string>): Promise<string> {
    const id = job.id as string;
    return new Promise((resolve, reject) => {
      // BullMQ's promises belong to no loop.
      this.#loop.call_soon_threadsafe(() => {
        const task = this.#loop.create_task(() => this.#call(job), { name: `${job.name} ${id}` });
        this.#running.set(id, task);
        void this.#cancel_if_marked(id);
        task.add_done_callback(() => {
          this.#running.delete(id);
          if (task.cancelled()) {
            const error = new UnrecoverableError(encode_error(new asyncio.CancelledError()));
            this.#redis.del(cancel_key(this.#queue, id)).then(() => reject(error), reject);
          } else {
            const error = task.exception();
            if (error === null) resolve(task.result());
            else reject(error);
          }
        });
      });
    });
  }

  async #call(job: Job<CallData, string>): Promise<string> {
    const { name, data: { args, time_limit } } = job;
    let made: unknown;
    try {
      made = decode(args);
    } catch (error) {
      throw new UnrecoverableError(encode_error(error));
    }
    const fn: unknown = Object.hasOwn(this.#module, name) && Reflect.get(this.#module, name);
    if (typeof fn !== "function") {
      const error = new TypeError(`Cannot call ${name}(): the workers' module does not export it`);
      throw new UnrecoverableError(encode_error(error));
    }
    JOB.set({
      id: job.id as string,
      attempt: job.attemptsMade + 1,
      report_progress: (value) => job.updateProgress(encode(value, "progress")),
    });
    try {
      const result = await asyncio.async_with(asyncio.timeout(time_limit), async () => {
        const values = made as unknown[];
        if (this.#pool === null) return await fn(...values);
        return await this.#loop.run_in_executor(this.#pool, name, ...values);
      });
      return encode(result, `the result of ${name}()`);
    } catch (error) {
      if (error instanceof asyncio.CancelledError) throw error;
      throw new Error(encode_error(error));
    }
  }

  async #cancel_if_marked(id: string): Promise<void> {
    const mark = await this.#redis.get(cancel_key(this.#queue, id)).catch(() => null);
    if (mark !== null) this.#running.get(id)?.cancel();
  }
}
