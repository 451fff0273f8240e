/** Where a crawl is kept: what a database has to do, whichever it is. */

import { MySQLStorage } from "./mysql_storage.ts";
import type { Page, Target } from "./page.ts";
import { SQLiteStorage } from "./sqlite_storage.ts";
import { reason, UserError } from "./user_error.ts";

/** A crawl that is in a database. */
export interface StoredCrawl {
  /** Every URL that was visited, in order. */
  readonly visited: readonly string[];
  /** How many of them count as pages: those that were fetched. */
  readonly fetched: number;
  /** What waits for its visit, in order. */
  readonly waiting: readonly Target[];
}

/** A row of the table of pages, as far as it is shown. */
export interface Row {
  readonly id: number;
  readonly url: string;
  readonly outcome: string;
  readonly status: number | null;
  readonly title: string | null;
  readonly links: number;
}

/** A database of pages, their links and the frontier. */
export interface Storage extends AsyncDisposable {
  /**
   * Makes this program the only one that crawls into the database, until the storage is disposed of or the
   * program ends, however it ends. Returns `false` if another one is.
   */
  claim(): Promise<boolean>;
  /** The crawl that is in the database; `null` if there is none. Changes nothing. */
  load(): Promise<StoredCrawl | null>;
  /** Prepares an empty database for a crawl. */
  prepare(): Promise<void>;
  /**
   * Stores a page, its links and what was found on it, and takes it off the frontier: all of it in one
   * transaction. When the promise is fulfilled it is on the disk.
   */
  save(page: Page, found: readonly Target[]): Promise<void>;
  /** The first so many pages. */
  first_rows(count: number): Promise<Row[]>;
  /** Ends all connections. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** Opens the database of an URL, for so many transactions at the same time. Creates nothing in it yet. */
export async function open_storage(url: string, connections: number): Promise<Storage> {
  try {
    return url.startsWith("mysql:")
      ? await MySQLStorage.open(url, connections)
      : SQLiteStorage.open(url.replace("sqlite:", ""));
  } catch (error) {
    throw new UserError(`Cannot open the database ${shown_database(url)}: ${reason(error)}`);
  }
}

/** The URL of a database as it is shown: without the password. */
export function shown_database(url: string): string {
  return url.replace(/(?<=:\/\/[^/@]*):[^/]*(?=@)/, "");
}
