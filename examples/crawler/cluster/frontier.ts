/** The frontier of a crawl on many machines: a BullMQ queue with a job for each URL. */

import { DelayedError, type Job, Queue, Worker } from "bullmq";
import type { Redis } from "ioredis";
import { createHash, randomUUID } from "node:crypto";
import { close_worker } from "../../distributed/redis.ts";
import type { Outcome, Target } from "../page.ts";

/** A target as BullMQ keeps it. */
interface TargetData extends Target {
  /** True if it has gone back into the queue until its host's turn. */
  readonly has_turn?: boolean;
}

/** What a visit comes to: it is done, or is to be made after so many milliseconds. */
export type Visited = { readonly again_in: number } | null;

/** The milliseconds after which the visits of a process that died are given to others. */
const LOCK = 3000;

/** More than will ever be counted. */
const ANY_NUMBER = 1e9;

/** The milliseconds for which a process that says nothing counts as alive. */
const ALIVE = 10_000;

/** The seconds for which the counts of a crawl that nobody goes on with are kept. */
const KEPT = 86_400;

const TOUCH = `local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if ARGV[1] ~= '' then redis.call('ZADD', KEYS[1], now, ARGV[1]) end
redis.call('ZREMRANGEBYSCORE', KEYS[1], 0, now - ${ALIVE})
redis.call('PEXPIRE', KEYS[1], ${ALIVE})
return redis.call('ZCARD', KEYS[1])`;

export class ClusterFrontier implements AsyncDisposable {
  readonly #redis: Redis;
  readonly #queue: Queue<TargetData>;
  readonly #processes: string;
  readonly #outcomes: string;
  readonly #me = randomUUID();

  /** Makes the frontier of the crawl with a name. */
  constructor(redis: Redis, name: string) {
    this.#redis = redis;
    this.#processes = `${name}:processes`;
    this.#outcomes = `${name}:outcomes`;
    this.#queue = new Queue(name, {
      connection: redis,
      // Nobody listens to events.
      streams: { events: { maxLen: 100 } },
    });
    this.#queue.on("error", () => {});
  }

  /** Lets targets wait for their visit; those that wait already are not added. */
  async add(targets: readonly Target[]): Promise<void> {
    await this.#queue.addBulk(targets.map((data) => ({
      name: "visit",
      data,
      opts: {
        jobId: createHash("sha256").update(data.url).digest("base64url"),
        removeOnComplete: true,
        removeOnFail: true,
        // A visit that a process has begun and not finished is made by another, however often.
        attempts: ANY_NUMBER,
      },
    })));
  }

  /** How many targets wait or are being visited. */
  async size(): Promise<number> {
    return await this.#queue.getJobCountByTypes("waiting", "active", "delayed", "paused");
  }

  /** Has targets visited, so many at the same time, until the worker is closed. */
  serve(
    concurrency: number,
    visit: (target: Target, has_turn: boolean) => Promise<Visited>,
  ): AsyncDisposable {
    const process = async (job: Job<TargetData>, token?: string) => {
      const { has_turn = false, ...target } = job.data;
      const visited = await visit(target, has_turn);
      if (visited === null) return;
      await job.updateData({ ...target, has_turn: true });
      await job.moveToDelayed(Date.now() + visited.again_in, token);
      throw new DelayedError();
    };
    const worker = new Worker<TargetData>(this.#queue.name, process, {
      connection: this.#redis,
      concurrency,
      lockDuration: LOCK,
      stalledInterval: LOCK,
      maxStalledCount: ANY_NUMBER,
      drainDelay: 1,
    });
    // A lost connection is made anew.
    worker.on("error", () => {});
    return { [Symbol.asyncDispose]: () => close_worker(worker) };
  }

  /** Says that this process is alive, and returns how many are. */
  async touch(): Promise<number> {
    return Number(await this.#redis.eval(TOUCH, 1, this.#processes, this.#me));
  }

  /** Returns how many processes are alive. */
  async processes(): Promise<number> {
    return Number(await this.#redis.eval(TOUCH, 1, this.#processes, ""));
  }

  /** Says that this process ends. */
  async leave(): Promise<void> {
    await this.#redis.zrem(this.#processes, this.#me);
  }

  /** Counts a page that was stored. */
  async count(outcome: Outcome): Promise<void> {
    await this.#redis.hincrby(this.#outcomes, outcome, 1);
  }

  /** Returns how many pages have been stored, by outcome; `null` if Redis does not know. */
  async outcomes(): Promise<Record<Outcome, number> | null> {
    const { page, redirect, error, disallowed } = await this.#redis.hgetall(this.#outcomes);
    if (page === undefined) return null;
    return {
      page: Number(page),
      redirect: Number(redirect ?? 0),
      error: Number(error ?? 0),
      disallowed: Number(disallowed ?? 0),
    };
  }

  /** Sets how many pages have been stored. */
  async set_outcomes(outcomes: Record<Outcome, number>): Promise<void> {
    await this.#redis.hset(this.#outcomes, outcomes);
    await this.#redis.expire(this.#outcomes, KEPT);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#queue.close();
  }
}
