/** A crawl that many processes share: any of them may be killed, and others may join. */

import type { Redis } from "ioredis";
import * as asyncio from "../../../mod.ts";
import { close, connect } from "../../distributed/redis.ts";
import { Client } from "../client.ts";
import { check_start, is_wanted } from "../crawl.ts";
import { MySQLStorage } from "../mysql_storage.ts";
import type { Options } from "../options.ts";
import type { Outcome, Target } from "../page.ts";
import type { Progress } from "../progress.ts";
import { Robots } from "../robots.ts";
import { Statistics } from "../statistics.ts";
import { shown_database, type Storage } from "../storage.ts";
import { reason, UserError } from "../user_error.ts";
import { disallowed, type Visit, visit } from "../visit.ts";
import { ClusterFrontier, type Visited } from "./frontier.ts";
import { ClusterLimits } from "./limits.ts";
import { ClusterStorage } from "./storage.ts";

/** More visits than requests: while some wait for their host's turn or for the database, others ask. */
const VISITS_PER_REQUEST = 2;

/** Seconds between two looks at the whole. */
const BETWEEN_LOOKS = 0.5;

/** So many URLs are remembered as known, so that most links need not be looked for in the database. */
const REMEMBERED = 500_000;

/** The parts of a crawl that need its name. */
interface Parts {
  readonly frontier: ClusterFrontier;
  readonly limits: ClusterLimits;
  readonly client: Client;
  readonly robots: Robots;
}

export class ClusterCrawl {
  readonly statistics = new Statistics();
  readonly #options: Options;
  readonly #storage: ClusterStorage;
  readonly #database: string;
  readonly #progress: Progress;
  readonly #redis: Redis;
  /** The transactions that are under way. */
  readonly #saving = new Set<asyncio.Task<UserError | null>>();
  /** URLs that are in the database for certain. */
  readonly #known = new Set<string>();
  #has_begun = false;
  #waiting = 0;

  private constructor(options: Options, storage: MySQLStorage, progress: Progress, redis: Redis) {
    this.#options = options;
    this.#database = shown_database(options.database);
    this.#storage = new ClusterStorage(storage, this.#database);
    this.#progress = progress;
    this.#redis = redis;
  }

  /**
   * Makes a crawl whose processes meet in Redis.
   *
   * @throws {UserError} if that cannot be reached
   */
  static async open(
    url: string,
    options: Options,
    storage: Storage,
    progress: Progress,
  ): Promise<ClusterCrawl> {
    if (!(storage instanceof MySQLStorage)) throw new TypeError("a cluster needs MySQLStorage");
    const redis = await connect(url).catch((error) => {
      throw new UserError(reason(error));
    });
    return new ClusterCrawl(options, storage, progress, redis);
  }

  /** Returns whether there is anything in the database. */
  get has_begun(): boolean {
    return this.#has_begun;
  }

  /** How many URLs waited when this process ended. */
  get waiting(): number {
    return this.#waiting;
  }

  /**
   * Crawls with the others until nothing waits or there are enough pages.
   *
   * @throws {UserError} if it cannot begin or join; or if it cannot store
   */
  async run(): Promise<void> {
    try {
      const { start, resume } = this.#options;
      const first = await this.#storage.first_page();
      if (first === null && resume) {
        throw new UserError(`Cannot go on as there is no crawl in ${this.#database}`);
      }
      if (first !== null && first !== start) {
        throw new UserError(`Cannot go on as the crawl in ${this.#database} began at ${first}`);
      }
      const visit = first === null ? await this.#visit_start() : null;
      await using frontier = new ClusterFrontier(this.#redis, await this.#storage.name());
      if (first !== null && !resume && await frontier.processes() === 0) {
        throw new UserError(
          `Cannot begin as there is a crawl in ${this.#database}: --resume goes on with it`,
        );
      }
      this.#has_begun = first !== null;
      await this.#take_part(frontier, visit);
    } finally {
      await close(this.#redis);
    }
  }

  /** Visits the start page: a crawl begins only if it is there. */
  async #visit_start(): Promise<Visit> {
    const name = `crawl-start-${crypto.randomUUID()}`;
    const { client, robots } = this.#parts(name);
    const target = { url: this.#options.start, depth: 0, redirects: 0 };
    const objection = await robots.objection(target.url);
    const first = objection !== null
      ? disallowed(target, objection)
      : visit(target, await client.get(target.url));
    check_start(this.#options, first.page);
    await this.#storage.prepare().catch((error) => {
      throw new UserError(`Cannot write to the database ${this.#database}: ${reason(error)}`);
    });
    return first;
  }

  #parts(name: string): Omit<Parts, "frontier"> {
    const { concurrency, delay } = this.#options;
    const limits = new ClusterLimits(this.#redis, name, concurrency, delay);
    const client = new Client(this.#options, limits);
    return { limits, client, robots: new Robots(client, limits) };
  }

  async #take_part(frontier: ClusterFrontier, first: Visit | null): Promise<void> {
    const parts = { frontier, ...this.#parts(await this.#storage.name()) };
    try {
      await frontier.touch();
      if (first !== null) await this.#store(parts, first);
      await this.#visit_all(parts);
    } finally {
      if (this.#saving.size > 0) {
        this.#progress.finish(this.#saving.size);
        await asyncio.wait(this.#saving);
      }
      await frontier.leave();
      const outcomes = await this.#storage.outcomes();
      this.statistics.fetched_before = fetched(outcomes) - this.statistics.fetched_now;
      this.#waiting = await this.#storage.waiting();
    }
  }

  async #visit_all(parts: Parts): Promise<void> {
    const loop = asyncio.get_running_loop();
    await using closing = new AsyncDisposableStack();
    try {
      await asyncio.async_with(new asyncio.TaskGroup(), async (group) => {
        const make = (target: Target, has_turn: boolean) =>
          new Promise<Visited>((resolve, reject) => {
            // BullMQ's promises belong to no loop.
            loop.call_soon_threadsafe(() => {
              try {
                const work = () => this.#visit(parts, target, has_turn);
                const task = group.create_task(work, { name: `visit ${target.url}` });
                task.add_done_callback(() => {
                  if (task.cancelled()) reject(new Error("this process ends"));
                  else if (task.exception() !== null) reject(task.exception());
                  else resolve(task.result());
                });
              } catch (error) {
                // The group has ended: another process makes the visit.
                reject(error);
              }
            });
          });
        const visits = this.#options.concurrency * VISITS_PER_REQUEST;
        const worker = closing.use(parts.frontier.serve(visits, make));
        await this.#watch(parts);
        // It takes no more, and what it visits is stored.
        await worker[Symbol.asyncDispose]();
      });
    } catch (error) {
      // One is enough: when the database fails, it does so for all visits.
      throw error instanceof asyncio.ExceptionGroup ? error.exceptions[0] : error;
    }
  }

  /** Says how far all are; ends when nothing waits or there are enough pages. */
  async #watch({ frontier }: Parts): Promise<void> {
    const { max_pages } = this.#options;
    const begun = performance.now();
    let before: number | null = null;
    for (;;) {
      const processes = await frontier.touch();
      const size = await frontier.size();
      let outcomes = await frontier.outcomes();
      if (outcomes === null) {
        outcomes = await this.#storage.outcomes();
        await frontier.set_outcomes(outcomes);
      }
      const all = fetched(outcomes);
      before ??= all;
      const seconds = (performance.now() - begun) / 1000;
      const pages_per_second = (all - before) / Math.max(seconds, BETWEEN_LOOKS);
      const known = Math.min(all + size, max_pages);
      this.#progress.update(
        { fetched: all, outcomes, seconds, pages_per_second, processes },
        known,
      );
      if (all >= max_pages) return;
      // What a process had stored when it was killed may not have come into the queue.
      if (size === 0 && !await this.#refill(frontier)) return;
      await asyncio.sleep(BETWEEN_LOOKS);
    }
  }

  /** Puts what waits in the database into the queue; returns whether there was anything. */
  async #refill(frontier: ClusterFrontier): Promise<boolean> {
    let is_any = false;
    for await (const targets of this.#storage.frontier()) {
      is_any = true;
      await frontier.add(targets);
    }
    return is_any;
  }

  async #visit(parts: Parts, target: Target, has_turn: boolean): Promise<Visited> {
    const { limits, robots, client } = parts;
    if (await this.#storage.has_page(target.url)) return null;
    const objection = await robots.objection(target.url);
    if (objection !== null) {
      await this.#store(parts, disallowed(target, objection));
      return null;
    }
    const wait = await limits.reserve(new URL(target.url).host, has_turn);
    if (wait > 0) return { again_in: wait };
    await this.#store(parts, visit(target, await client.get(target.url)));
    return null;
  }

  /** Stores a visit; who waits for that may be cancelled, and it is finished all the same. */
  async #store(parts: Parts, visit: Visit): Promise<void> {
    const saving = asyncio.create_task(() => this.#save(parts, visit), {
      name: `save ${visit.page.url}`,
    });
    this.#saving.add(saving);
    saving.add_done_callback(() => this.#saving.delete(saving));
    const failure = await asyncio.shield(saving);
    if (failure !== null) throw failure;
  }

  async #save({ frontier }: Parts, { page, targets }: Visit): Promise<UserError | null> {
    const found = targets.filter(({ url }) =>
      is_wanted(this.#options, url) && !this.#known.has(url)
    );
    try {
      const added = await this.#storage.save(page, found);
      this.#has_begun = true;
      this.#remember([page, ...found].map(({ url }) => url));
      if (added === null) return null;
      this.statistics.add(page);
      await frontier.count(page.outcome);
      await frontier.add(added);
    } catch (error) {
      return new UserError(`Cannot store ${page.url}: ${reason(error)}`, 1);
    }
    return null;
  }

  #remember(urls: readonly string[]): void {
    if (this.#known.size > REMEMBERED) this.#known.clear();
    for (const url of urls) this.#known.add(url);
  }
}

function fetched({ page, redirect, error }: Record<Outcome, number>): number {
  return page + redirect + error;
}
