/** A crawl in a file: SQLite, which is built in. */

import { existsSync } from "node:fs";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { setImmediate } from "node:timers";
import { FileLock } from "./file_lock.ts";
import type { Page, Target } from "./page.ts";
import type { Row, Storage, StoredCrawl } from "./storage.ts";
import { has_crawl } from "./tables.ts";

/** The frontier comes first: `has_crawl()` relies on it. */
const SCHEMA = `
  CREATE TABLE IF NOT EXISTS frontier (
    place INTEGER PRIMARY KEY AUTOINCREMENT,
    url TEXT NOT NULL UNIQUE,
    depth INTEGER NOT NULL,
    redirects INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS pages (
    id INTEGER PRIMARY KEY,
    url TEXT NOT NULL UNIQUE,
    depth INTEGER NOT NULL,
    outcome TEXT NOT NULL,
    status INTEGER,
    content_type TEXT,
    title TEXT,
    size INTEGER NOT NULL,
    location TEXT,
    problem TEXT,
    attempts INTEGER NOT NULL,
    fetched_at TEXT NOT NULL,
    seconds REAL NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS links (
    page INTEGER NOT NULL REFERENCES pages,
    target TEXT NOT NULL,
    PRIMARY KEY (page, target)
  ) STRICT, WITHOUT ROWID;`;

const ADD_PAGE =
  `INSERT INTO pages (url, depth, outcome, status, content_type, title, size, location,
  problem, attempts, fetched_at, seconds) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;
const ADD_LINK = "INSERT INTO links (page, target) VALUES (?, ?)";
const ADD_TARGET = "INSERT INTO frontier (url, depth, redirects) VALUES (?, ?, ?)";
const TAKE_OFF = "DELETE FROM frontier WHERE url = ?";
const TABLES = "SELECT name FROM sqlite_schema WHERE type = 'table'";
const ALL_PAGES = "SELECT url, outcome FROM pages ORDER BY id";
const FRONTIER = "SELECT url, depth, redirects FROM frontier ORDER BY place";
const FIRST_ROWS = `SELECT id, url, outcome, status, title,
  (SELECT count(*) FROM links WHERE page = id) AS links FROM pages ORDER BY id LIMIT ?`;

/** A visit that is to be stored, and who waits for that. */
interface Visit {
  readonly page: Page;
  readonly found: readonly Target[];
  resolve(): void;
  reject(error: unknown): void;
}

/** A database in memory, which ends with the program. */
const IN_MEMORY = ":memory:";

export class SQLiteStorage implements Storage {
  readonly #file: string;
  #database: DatabaseSync | null = null;
  #lock: FileLock | null = null;
  /** Statements that have been prepared, by their text. */
  readonly #statements = new Map<string, StatementSync>();
  /** What waits for the next transaction. */
  #visits: Visit[] = [];

  private constructor(file: string) {
    this.#file = file;
  }

  /** Opens a file, if there is one. */
  static open(file: string): SQLiteStorage {
    const storage = new SQLiteStorage(file);
    if (file !== IN_MEMORY && existsSync(file)) storage.#connect();
    return storage;
  }

  #connect(): DatabaseSync {
    if (this.#database === null) {
      this.#database = new DatabaseSync(this.#file);
      // A commit is on the disk when it is done.
      this.#database.exec("PRAGMA synchronous = FULL");
    }
    return this.#database;
  }

  #statement(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#connect().prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }

  // deno-lint-ignore require-await -- its errors are the promise's
  async claim(): Promise<boolean> {
    if (this.#file === IN_MEMORY) return true;
    this.#lock ??= FileLock.try_acquire(`${this.#file}-lock`);
    return this.#lock !== null;
  }

  // deno-lint-ignore require-await -- its errors are the promise's
  async load(): Promise<StoredCrawl | null> {
    if (this.#database === null) return null;
    const tables = this.#statement(TABLES).all().map(({ name }) => String(name));
    if (!has_crawl(tables)) return null;
    const visited: string[] = [];
    let fetched = 0;
    for (const { url, outcome } of this.#statement(ALL_PAGES).iterate()) {
      visited.push(String(url));
      if (outcome !== "disallowed") fetched++;
    }
    const waiting = this.#statement(FRONTIER).all().map(({ url, depth, redirects }) => ({
      url: String(url),
      depth: Number(depth),
      redirects: Number(redirects),
    }));
    return visited.length === 0 ? null : { visited, fetched, waiting };
  }

  // deno-lint-ignore require-await -- its errors are the promise's
  async prepare(): Promise<void> {
    // Others can read while the crawl goes on; the file remembers it.
    this.#connect().exec("PRAGMA journal_mode = WAL");
    this.#transaction(() => this.#connect().exec(SCHEMA));
  }

  save(page: Page, found: readonly Target[]): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#visits.push({ page, found, resolve, reject });
      if (this.#visits.length === 1) setImmediate(() => this.#save_all());
    });
  }

  /** Visits that end in the same turn of the host share a transaction: the disk is waited for once. */
  #save_all(): void {
    const visits = this.#visits;
    this.#visits = [];
    try {
      this.#transaction(() => visits.forEach(({ page, found }) => this.#write(page, found)));
      for (const { resolve } of visits) resolve();
    } catch (error) {
      for (const { reject } of visits) reject(error);
    }
  }

  #write(page: Page, found: readonly Target[]): void {
    const { lastInsertRowid } = this.#statement(ADD_PAGE).run(
      page.url,
      page.depth,
      page.outcome,
      page.status,
      page.content_type,
      page.title,
      page.size,
      page.location,
      page.problem,
      page.attempts,
      page.fetched_at.toISOString(),
      page.seconds,
    );
    for (const link of page.links) this.#statement(ADD_LINK).run(lastInsertRowid, link);
    this.#statement(TAKE_OFF).run(page.url);
    for (const { url, depth, redirects } of found) {
      this.#statement(ADD_TARGET).run(url, depth, redirects);
    }
  }

  #transaction(work: () => void): void {
    const database = this.#connect();
    database.exec("BEGIN IMMEDIATE");
    try {
      work();
      database.exec("COMMIT");
    } catch (error) {
      database.exec("ROLLBACK");
      throw error;
    }
  }

  // deno-lint-ignore require-await -- its errors are the promise's
  async first_rows(count: number): Promise<Row[]> {
    return this.#statement(FIRST_ROWS).all(count).map((row) => ({
      id: Number(row["id"]),
      url: String(row["url"]),
      outcome: String(row["outcome"]),
      status: row["status"] === null ? null : Number(row["status"]),
      title: row["title"] === null ? null : String(row["title"]),
      links: Number(row["links"]),
    }));
  }

  // deno-lint-ignore require-await -- its errors are the promise's
  async [Symbol.asyncDispose](): Promise<void> {
    this.#statements.clear();
    this.#database?.close();
    this.#database = null;
    this.#lock?.[Symbol.dispose]();
    this.#lock = null;
  }
}
