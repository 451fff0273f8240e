/** The store of a crawl on many machines: the tables of any crawl, and a row with its name in Redis. */

import type { PoolConnection, RowDataPacket } from "mysql2/promise";
import type { MySQLStorage } from "../mysql_storage.ts";
import { add_page, add_rows } from "../mysql_storage.ts";
import type { Outcome, Page, Target } from "../page.ts";
import { reason, UserError } from "../user_error.ts";
import { randomUUID } from "node:crypto";

/** How many targets are read at a time. */
const BATCH = 10_000;

export class ClusterStorage {
  readonly #storage: MySQLStorage;

  readonly #database: string;

  /** Takes the storage and the name of its database. */
  constructor(storage: MySQLStorage, database: string) {
    this.#storage = storage;
    this.#database = database;
  }

  /** @throws {UserError} if the database does not answer */
  async #rows(sql: string, values: unknown[] = []): Promise<RowDataPacket[]> {
    return await this.#ask(this.#storage.rows(sql, values));
  }

  async #ask<T>(answer: Promise<T>): Promise<T> {
    try {
      return await answer;
    } catch (error) {
      throw new UserError(`Cannot read the database ${this.#database}: ${reason(error)}`);
    }
  }

  /** Returns the URL of the first page; `null` if there is no crawl. */
  async first_page(): Promise<string | null> {
    if (!await this.#ask(this.#storage.has_crawl())) return null;
    const [row] = await this.#rows("SELECT url FROM pages ORDER BY id LIMIT 1");
    return row?.["url"] ?? null;
  }

  /** Prepares an empty database for a crawl. */
  async prepare(): Promise<void> {
    await this.#storage.prepare();
  }

  /** Returns the name of the crawl, which is the same for all processes. */
  async name(): Promise<string> {
    await this.#rows(
      "CREATE TABLE IF NOT EXISTS cluster (one TINYINT PRIMARY KEY, name CHAR(42) NOT NULL)",
    );
    await this.#rows("INSERT IGNORE INTO cluster VALUES (1, ?)", [`crawl-${randomUUID()}`]);
    const [row] = await this.#rows("SELECT name FROM cluster");
    return row?.["name"];
  }

  /** Returns whether a URL was visited. */
  async has_page(url: string): Promise<boolean> {
    return (await this.#rows("SELECT 1 FROM pages WHERE url = ?", [url])).length > 0;
  }

  /**
   * Stores a page, its links and what was found on it, and takes it off the frontier, in one transaction.
   *
   * @returns what was found and was not known; `null` if the page was stored by another process
   */
  async save(page: Page, found: readonly Target[]): Promise<readonly Target[] | null> {
    try {
      return await this.#storage.transaction(async (connection) => {
        await add_page(connection, page);
        const urls = found.map(({ url }) => url);
        const known = await existing(connection, ["pages", "frontier"], urls);
        // What is known is not inserted: the lock on its row would meet that of its own visit in a circle.
        const unknown = found.filter(({ url }) => !known.has(url))
          .sort((a, b) => a.url < b.url ? -1 : 1);
        await add_rows(
          connection,
          "IGNORE INTO frontier (url, depth, redirects)",
          unknown.map(({ url, depth, redirects }) => [url, depth, redirects]),
        );
        // The insertion has waited for transactions that take the same URL off: now their pages are seen.
        const visited = await existing(connection, ["pages"], unknown.map(({ url }) => url));
        await connection.query("DELETE FROM frontier WHERE url IN (?)", [[page.url, ...visited]]);
        return unknown.filter(({ url }) => !visited.has(url));
      });
    } catch (error) {
      if (is_duplicate(error)) return null;
      throw error;
    }
  }

  /** Gives what waits for its visit, some at a time. */
  async *frontier(): AsyncGenerator<Target[], void, void> {
    for (let last = 0;;) {
      const rows = await this.#rows(
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
    const [row] = await this.#rows("SELECT count(*) AS waiting FROM frontier");
    return Number(row?.["waiting"]);
  }

  /** Returns how many pages there are, by outcome. */
  async outcomes(): Promise<Record<Outcome, number>> {
    const rows = await this.#rows(
      "SELECT outcome, count(*) AS pages FROM pages GROUP BY outcome",
    );
    const found = Object.fromEntries(rows.map(({ outcome, pages }) => [outcome, Number(pages)]));
    return { page: 0, redirect: 0, error: 0, disallowed: 0, ...found };
  }
}

/** Those of the URLs that are in one of the tables, as far as that is committed; locks nothing. */
async function existing(
  connection: PoolConnection,
  tables: readonly string[],
  urls: readonly string[],
): Promise<Set<string>> {
  const found = new Set<string>();
  if (urls.length === 0) return found;
  for (const table of tables) {
    const sql = `SELECT url FROM ${table} WHERE url IN (?)`;
    const [rows] = await connection.query<RowDataPacket[]>(sql, [urls]);
    for (const { url } of rows) found.add(url);
  }
  return found;
}

function is_duplicate(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ER_DUP_ENTRY";
}
