/** The store of a crawl on many machines: the tables of any crawl, and a row with its name in Redis. */

import type { MySQLStorage } from "../mysql_storage.ts";
import { add_page, add_rows } from "../mysql_storage.ts";
import type { Outcome, Page, Target } from "../page.ts";
import { randomUUID } from "node:crypto";

/** How many targets are read at a time. */
const BATCH = 10_000;

export class ClusterStorage {
  readonly #storage: MySQLStorage;

  constructor(storage: MySQLStorage) {
    this.#storage = storage;
  }

  /** Returns the URL of the first page; `null` if there is no crawl. */
  async first_page(): Promise<string | null> {
    if (!await this.#storage.has_crawl()) return null;
    const [row] = await this.#storage.rows("SELECT url FROM pages ORDER BY id LIMIT 1");
    return row?.["url"] ?? null;
  }

  /** Prepares an empty database for a crawl. */
  async prepare(): Promise<void> {
    await this.#storage.prepare();
  }

  /** Returns the name of the crawl, which is the same for all processes. */
  async name(): Promise<string> {
    await this.#storage.rows(
      "CREATE TABLE IF NOT EXISTS cluster (one TINYINT PRIMARY KEY, name CHAR(42) NOT NULL)",
    );
    await this.#storage.rows("INSERT IGNORE INTO cluster VALUES (1, ?)", [`crawl-${randomUUID()}`]);
    const [row] = await this.#storage.rows("SELECT name FROM cluster");
    return row?.["name"];
  }

  /** Returns whether a URL was visited. */
  async has_page(url: string): Promise<boolean> {
    return (await this.#storage.rows("SELECT 1 FROM pages WHERE url = ?", [url])).length > 0;
  }

  /**
   * Stores a page, its links and what was found on it, and takes it off the frontier, in one transaction.
   *
   * @returns what was found and was not visited; `null` if the page was stored by another process
   */
  async save(page: Page, found: readonly Target[]): Promise<readonly Target[] | null> {
    // In one order, so that few transactions wait for each other in a circle.
    const sorted = [...found].sort((a, b) => a.url < b.url ? -1 : 1);
    try {
      return await this.#storage.transaction(async (connection) => {
        await add_page(connection, page);
        const targets = sorted.map(({ url, depth, redirects }) => [url, depth, redirects]);
        await add_rows(connection, "IGNORE INTO frontier (url, depth, redirects)", targets);
        // After the insertion, which has waited for transactions that take the same URL off: this sees their pages.
        const urls = [page.url, ...sorted.map(({ url }) => url)];
        const [rows] = await connection.query("SELECT url FROM pages WHERE url IN (?)", [urls]);
        const visited = new Set((rows as { url: string }[]).map(({ url }) => url));
        await connection.query("DELETE FROM frontier WHERE url IN (?)", [[...visited]]);
        return found.filter(({ url }) => !visited.has(url));
      });
    } catch (error) {
      if (is_duplicate(error)) return null;
      throw error;
    }
  }

  /** Gives what waits for its visit, some at a time. */
  async *frontier(): AsyncGenerator<Target[], void, void> {
    for (let last = 0;;) {
      const rows = await this.#storage.rows(
        "SELECT place, url, depth, redirects FROM frontier WHERE place > ? ORDER BY place LIMIT ?",
        [last, BATCH],
      );
      if (rows.length === 0) return;
      last = rows.at(-1)?.["place"];
      yield rows.map(({ url, depth, redirects }) => ({ url, depth, redirects }));
    }
  }

  /** Returns how many targets wait for their visit. */
  async waiting(): Promise<number> {
    const [row] = await this.#storage.rows("SELECT count(*) AS waiting FROM frontier");
    return Number(row?.["waiting"]);
  }

  /** Returns how many pages there are, by outcome. */
  async outcomes(): Promise<Record<Outcome, number>> {
    const rows = await this.#storage.rows(
      "SELECT outcome, count(*) AS pages FROM pages GROUP BY outcome",
    );
    const found = Object.fromEntries(rows.map(({ outcome, pages }) => [outcome, Number(pages)]));
    return { page: 0, redirect: 0, error: 0, disallowed: 0, ...found };
  }
}

function is_duplicate(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ER_DUP_ENTRY";
}
