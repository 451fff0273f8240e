/** The crawl: workers that take URLs off the frontier, visit them, and put there what they find. */

import * as asyncio from "../../mod.ts";
import { Client } from "./client.ts";
import { Frontier } from "./frontier.ts";
import { Limits } from "./limits.ts";
import type { Options } from "./options.ts";
import type { Page, Target } from "./page.ts";
import type { Progress } from "./progress.ts";
import { Robots } from "./robots.ts";
import { Statistics } from "./statistics.ts";
import { shown_database, type Storage, type StoredCrawl } from "./storage.ts";
import { reason, UserError } from "./user_error.ts";
import { disallowed, type Visit, visit } from "./visit.ts";

/** More workers than requests: while some wait for their host's turn or for the database, others ask. */
const WORKERS_PER_REQUEST = 2;

export class Crawl {
  readonly statistics = new Statistics();
  readonly #options: Options;
  readonly #storage: Storage;
  /** The database as messages call it. */
  readonly #database: string;
  readonly #progress: Progress;
  readonly #client: Client;
  readonly #robots: Robots;
  #frontier = new Frontier();
  /** The transactions that are under way. */
  readonly #saving = new Set<asyncio.Task<UserError | null>>();
  /** How many more visits may begin. */
  #left: number;
  #has_begun = false;

  constructor(options: Options, storage: Storage, progress: Progress) {
    this.#options = options;
    this.#storage = storage;
    this.#database = shown_database(options.database);
    this.#progress = progress;
    const limits = new Limits(options.concurrency, options.delay);
    this.#client = new Client(options, limits);
    this.#robots = new Robots(this.#client, limits);
    this.#left = options.max_pages;
  }

  /** Returns whether there is anything in the database. */
  get has_begun(): boolean {
    return this.#has_begun;
  }

  /** How many URLs are known and not visited. */
  get waiting(): number {
    return this.#frontier.size;
  }

  /**
   * Crawls until nothing waits or there are enough pages.
   *
   * @throws {UserError} if it cannot begin, and nothing has been stored; or if it cannot store
   */
  async run(): Promise<void> {
    try {
      await this.#claim();
      await (this.#options.resume ? this.#resume() : this.#begin());
      await this.#visit_all();
    } finally {
      if (this.#saving.size > 0) {
        this.#progress.finish(this.#saving.size);
        await asyncio.wait(this.#saving);
      }
    }
  }

  async #visit_all(): Promise<void> {
    try {
      await asyncio.async_with(new asyncio.TaskGroup(), async (group) => {
        for (let n = 1; n <= this.#options.concurrency * WORKERS_PER_REQUEST; n++) {
          group.create_task(() => this.#work(), { name: `worker ${n}` });
        }
        await this.#frontier.join();
        this.#frontier.close();
      });
    } catch (error) {
      // One is enough: when the database fails, it does so for all workers.
      throw error instanceof asyncio.ExceptionGroup ? error.exceptions[0] : error;
    }
  }

  /** Visits the start page: a crawl begins only if it is there. */
  async #begin(): Promise<void> {
    const { start } = this.#options;
    if (await this.#load() !== null) {
      throw new UserError(
        `Cannot begin as there is a crawl in ${this.#database}: --resume goes on with it`,
      );
    }
    const [target] = this.#frontier.claim([{ url: start, depth: 0, redirects: 0 }]);
    const first = await this.#visit(target!);
    if (first === null) throw new UserError(`Cannot begin at ${start}: no page is wanted`);
    check_start(this.#options, first.page);
    await this.#storage.prepare().catch((error) => {
      throw new UserError(`Cannot write to the database ${this.#database}: ${reason(error)}`);
    });
    await this.#store(first);
  }

  async #resume(): Promise<void> {
    const { start, max_pages } = this.#options;
    const stored = await this.#load();
    if (stored === null) {
      throw new UserError(`Cannot go on as there is no crawl in ${this.#database}`);
    }
    const { visited, fetched, waiting } = stored;
    if (visited[0] !== start) {
      throw new UserError(`Cannot go on as the crawl in ${this.#database} began at ${visited[0]}`);
    }
    this.#frontier = new Frontier(visited, waiting);
    this.#left = Math.max(0, max_pages - fetched);
    this.statistics.fetched_before = fetched;
    this.#has_begun = true;
  }

  async #claim(): Promise<void> {
    const is_claimed = await this.#storage.claim().catch((error) => {
      throw new UserError(`Cannot write to the database ${this.#database}: ${reason(error)}`);
    });
    if (!is_claimed) {
      throw new UserError(`Cannot begin as another crawler is at work in ${this.#database}`);
    }
  }

  async #load(): Promise<StoredCrawl | null> {
    try {
      return await this.#storage.load();
    } catch (error) {
      throw new UserError(`Cannot read the database ${this.#database}: ${reason(error)}`);
    }
  }

  async #work(): Promise<void> {
    for await (const target of this.#frontier) {
      const visit = await this.#visit(target);
      if (visit === null) this.#frontier.close();
      else await this.#store(visit);
      this.#frontier.done();
    }
  }

  /** Visits a URL; `null` if there are enough pages. */
  async #visit(target: Target): Promise<Visit | null> {
    const objection = await this.#robots.objection(target.url);
    if (objection !== null) return disallowed(target, objection);
    if (this.#left === 0) return null;
    this.#left--;
    return visit(target, await this.#client.get(target.url));
  }

  /**
   * Stores a visit, and only then lets others visit where it leads.
   *
   * A transaction is a task of its own: who waits for it may be cancelled, and it is finished all the same.
   */
  async #store({ page, targets }: Visit): Promise<void> {
    const found = this.#frontier.claim(targets.filter(({ url }) => is_wanted(this.#options, url)));
    const saving = asyncio.create_task(() => this.#save(page, found), { name: `save ${page.url}` });
    this.#saving.add(saving);
    saving.add_done_callback(() => this.#saving.delete(saving));
    const failure = await asyncio.shield(saving);
    if (failure !== null) throw failure;
    this.#frontier.add(found);
  }

  /** Gives what went wrong: when the database fails, many do so together, and one line is enough. */
  async #save(page: Page, found: readonly Target[]): Promise<UserError | null> {
    try {
      await this.#storage.save(page, found);
    } catch (error) {
      return new UserError(`Cannot store ${page.url}: ${reason(error)}`, 1);
    }
    this.#frontier.visited();
    this.statistics.add(page);
    this.#has_begun = true;
    const known = this.statistics.fetched + this.waiting;
    this.#progress.update(this.statistics, Math.min(known, this.#options.max_pages));
    return null;
  }
}

/** Returns whether a URL is to be visited. */
export function is_wanted({ same_host, start }: Options, url: string): boolean {
  return !same_host || new URL(url).host === new URL(start).host;
}

/** Throws a `UserError` if nothing can come of a start page. */
export function check_start(options: Options, { outcome, problem, location }: Page): void {
  const { start, same_host } = options;
  if (outcome === "error" || outcome === "disallowed") {
    throw new UserError(`Cannot begin at ${start}: ${problem}`);
  }
  if (same_host && location && !is_wanted(options, location)) {
    throw new UserError(
      `Cannot begin at ${start}: it leads to ${location}, and --same-host keeps away from there`,
    );
  }
}
