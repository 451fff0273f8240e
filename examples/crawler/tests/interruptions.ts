/** Crawls that are stopped in the middle, again and again: what must hold, whichever the database is. */

import { assert, assertEquals } from "@std/assert";
import { Site, type SiteOptions } from "../site/serve.ts";
import { SILENT } from "../progress.ts";
import { SeededRandom } from "../../seed/support/seeded_random.ts";
import { crawl, Directory, options, type Watch } from "./crawls.ts";
import { execute, Program } from "./program.ts";
import { assert_consistent, type Stored, stored } from "./stored.ts";
import { WatchedStorage } from "./watched_storage.ts";

export const SITE = { articles: 60, seed: 3 } as const;

/** More stops than that are not needed: each lets a crawl do something. */
const MOST_STOPS = 12;

/** What a crawl that nobody stops stores. */
export async function whole_crawl(which: SiteOptions = SITE): Promise<Stored> {
  await using site = new Site(which);
  await using directory = new Directory();
  await crawl(options(site.url, { database: directory.database }));
  return await stored(directory.database);
}

/** Requests may be made again for the pages that were not stored, and for no others. */
class Ledger {
  readonly #site: Site;
  /** How often each page had been asked for when it was first found in the database. */
  readonly #settled = new Map<string, number>();

  constructor(site: Site) {
    this.#site = site;
  }

  check({ pages }: Stored): void {
    for (const path of pages.keys()) {
      const asked = this.#site.requests.get(path) ?? 0;
      assertEquals(asked, this.#settled.get(path) ?? asked, `${path} was fetched again`);
      this.#settled.set(path, asked);
    }
  }
}

/** Cancels a crawl at moments drawn from a seed, then lets it end: nothing is lost, nothing done twice. */
export async function cancel_at_random(
  database: string,
  seed: number,
  whole: Stored,
): Promise<void> {
  const random = new SeededRandom(seed);
  await using site = new Site(SITE);
  const ledger = new Ledger(site);
  let resume = false;
  for (let stop = 0; stop < MOST_STOPS; stop++) {
    const controller = new AbortController();
    const watch = stop_at(random, controller);
    const end = await crawl(options(site.url, { database, resume }), watch).catch((error) => error);
    watch.cleared();
    const now = await stored(database);
    assert_consistent(now, whole);
    ledger.check(now);
    resume = now.pages.size > 0;
    if (!controller.signal.aborted) break;
    assertEquals(end, controller.signal.reason);
  }
  await crawl(options(site.url, { database, resume }));
  const all = await stored(database);
  ledger.check(all);
  assertEquals(all.pages, whole.pages);
}

/** Aborts at a moment that is drawn: when a transaction has begun, between two visits, or at any time. */
function stop_at(random: SeededRandom, controller: AbortController): Watch & { cleared(): void } {
  const abort = () => controller.abort(new Error("stopped by the test"));
  let left = random.randint(1, 25);
  const count_down = () => {
    if (--left === 0) abort();
  };
  const { signal } = controller;
  const moment = random.randint(0, 2);
  if (moment === 0) {
    return {
      signal,
      watch_storage: (storage) => new WatchedStorage(storage, count_down),
      cleared() {},
    };
  }
  if (moment === 1) {
    return { signal, progress: { ...SILENT, update: count_down }, cleared() {} };
  }
  const timer = setTimeout(abort, random.randint(0, 100));
  return { signal, cleared: () => clearTimeout(timer) };
}

/** Kills the program again and again, then lets it end: nothing is lost, nothing stored twice. */
export async function kill_in_the_middle(
  database: string,
  moments: readonly number[],
  whole: Stored,
): Promise<void> {
  await using site = new Site(SITE);
  const ledger = new Ledger(site);
  const args = [site.url, "--delay", "0", "--backoff", "0.01", "--database", database];
  for (const [kills, requests] of moments.entries()) {
    const program = new Program(...args, ...(kills === 0 ? [] : ["--resume"]));
    await kill_after(program, site, requests);
    const now = await stored(database);
    assert_consistent(now, whole);
    ledger.check(now);
    assert(now.pages.size > 0, "killed before it stored anything");
  }
  const { code, stderr } = await execute(...args, "--resume");
  assertEquals([code, stderr], [0, ""]);
  const all = await stored(database);
  ledger.check(all);
  assertEquals(all.pages, whole.pages);
}

/** Kills a program when it has made so many requests more. */
async function kill_after(program: Program, site: Site, requests: number): Promise<void> {
  await program.until(site.asked(requests));
  program.kill("SIGKILL");
  assertEquals((await program.outcome).signal, "SIGKILL");
}
