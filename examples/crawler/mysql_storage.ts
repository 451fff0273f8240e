/** A crawl in MySQL or MariaDB, through a pool of connections. */

import mysql from "mysql2/promise";
import { setTimeout as pause } from "node:timers/promises";
import type { Page, Target } from "./page.ts";
import type { Row, Storage, StoredCrawl } from "./storage.ts";
import { has_crawl } from "./tables.ts";

/** A canonical URL is ASCII, and as long as an index can hold. */
const URL_TYPE = "VARCHAR(2000) CHARACTER SET ascii COLLATE ascii_bin";

/** The frontier comes first: `has_crawl()` relies on it. */
const SCHEMA = [
  `CREATE TABLE IF NOT EXISTS frontier (
    place BIGINT PRIMARY KEY AUTO_INCREMENT,
    url ${URL_TYPE} NOT NULL UNIQUE,
    depth INT NOT NULL,
    redirects INT NOT NULL
  ) ENGINE = InnoDB`,
  `CREATE TABLE IF NOT EXISTS pages (
    id BIGINT PRIMARY KEY AUTO_INCREMENT,
    url ${URL_TYPE} NOT NULL UNIQUE,
    depth INT NOT NULL,
    outcome VARCHAR(20) NOT NULL,
    status SMALLINT,
    content_type TEXT,
    title TEXT,
    size BIGINT NOT NULL,
    location TEXT,
    problem TEXT,
    attempts INT NOT NULL,
    fetched_at DATETIME(3) NOT NULL,
    seconds DOUBLE NOT NULL
  ) ENGINE = InnoDB, DEFAULT CHARSET = utf8mb4`,
  `CREATE TABLE IF NOT EXISTS links (
    page BIGINT NOT NULL REFERENCES pages (id),
    target ${URL_TYPE} NOT NULL,
    PRIMARY KEY (page, target)
  ) ENGINE = InnoDB`,
];

/** Waits for what a crawl that was killed a moment ago has sent and the server has not finished. */
const SETTLED = "LOCK IN SHARE MODE";

/** The milliseconds that a connection may take: of all that many processes want at the same time the last waits long. */
const CONNECT_TIMEOUT = 60_000;

/** How often a transaction is tried that the server undoes in favour of others. */
const ATTEMPTS = 20;

/** The milliseconds before that, at most; longer each time. */
const LONGEST_PAUSE = 10;

/** A crawl's own lock in the server, whose names are the same in all databases. */
const LOCK = "CONCAT('crawl ', MD5(DATABASE()))";

/** The seconds for which a server may keep the lock of a crawl that was killed a moment ago. */
const LOCK_TIMEOUT = 3;

/** The seconds of silence after which the server ends the connection that holds the lock: the most there are. */
const LONGEST_SILENCE = 2_147_483;

const ROWS_AT_A_TIME = 1000;

/** What a column of text holds, in characters of up to four bytes. */
const LONGEST_TEXT = 16_000;

export class MySQLStorage implements Storage {
  readonly #url: string;
  readonly #pool: mysql.Pool;
  /** The connection that holds the lock. */
  #holder: mysql.Connection | null = null;

  private constructor(url: string, pool: mysql.Pool) {
    this.#url = url;
    this.#pool = pool;
  }

  /** Connects to a server; throws what it says if it cannot. */
  static async open(url: string, connections: number): Promise<MySQLStorage> {
    const pool = mysql.createPool({
      uri: url,
      connectionLimit: connections,
      charset: "utf8mb4",
      timezone: "Z",
      connectTimeout: CONNECT_TIMEOUT,
    });
    try {
      await pool.query("DO 0");
    } catch (error) {
      await pool.end();
      throw error;
    }
    return new MySQLStorage(url, pool);
  }

  async claim(): Promise<boolean> {
    if (this.#holder !== null) return true;
    const connection = await mysql.createConnection(this.#url);
    // The next transaction says what is wrong with the server.
    connection.on("error", () => {});
    try {
      await connection.query("SET SESSION wait_timeout = ?", [LONGEST_SILENCE]);
      const [rows] = await connection.query<mysql.RowDataPacket[]>(
        `SELECT GET_LOCK(${LOCK}, ?) AS held`,
        [LOCK_TIMEOUT],
      );
      if (rows[0]?.["held"] === 1) this.#holder = connection;
    } finally {
      if (this.#holder === null) await connection.end();
    }
    return this.#holder !== null;
  }

  /** The rows of a statement. */
  async rows(sql: string, values: unknown[] = []): Promise<mysql.RowDataPacket[]> {
    const [rows] = await this.#pool.query<mysql.RowDataPacket[]>(sql, values);
    return rows;
  }

  async load(): Promise<StoredCrawl | null> {
    if (!await this.has_crawl()) return null;
    const pages = await this.rows(`SELECT url, outcome FROM pages ORDER BY id ${SETTLED}`);
    if (pages.length === 0) return null;
    const waiting = await this.rows(
      `SELECT url, depth, redirects FROM frontier ORDER BY place ${SETTLED}`,
    );
    return {
      visited: pages.map(({ url }) => url),
      fetched: pages.filter(({ outcome }) => outcome !== "disallowed").length,
      waiting: waiting.map(({ url, depth, redirects }) => ({ url, depth, redirects })),
    };
  }

  /** Returns whether the tables of a crawl are there. */
  async has_crawl(): Promise<boolean> {
    const tables = await this.rows("SHOW TABLES");
    return has_crawl(tables.flatMap((row) => Object.values(row)));
  }

  async prepare(): Promise<void> {
    for (const table of SCHEMA) await this.#pool.query(table);
  }

  async save(page: Page, found: readonly Target[]): Promise<void> {
    await this.transaction((connection) => write(connection, page, found));
  }

  /** Does work in a transaction, again if the server undoes it in favour of others. */
  async transaction<T>(work: (connection: mysql.PoolConnection) => Promise<T>): Promise<T> {
    for (let attempt = 1;; attempt++) {
      try {
        return await this.#transaction(work);
      } catch (error) {
        if (attempt === ATTEMPTS || !is_undone(error)) throw error;
        await pause(Math.random() * attempt * LONGEST_PAUSE);
      }
    }
  }

  async #transaction<T>(work: (connection: mysql.PoolConnection) => Promise<T>): Promise<T> {
    const connection = await this.#pool.getConnection();
    try {
      // Nothing is read that others may change: without locks on gaps, few get into each other's way.
      await connection.query("SET TRANSACTION ISOLATION LEVEL READ COMMITTED");
      await connection.beginTransaction();
      const result = await work(connection);
      await connection.commit();
      connection.release();
      return result;
    } catch (error) {
      // What the server has begun it undoes when the connection is gone.
      connection.destroy();
      throw error;
    }
  }

  async first_rows(count: number): Promise<Row[]> {
    const rows = await this.rows(
      `SELECT id, url, outcome, status, title,
        (SELECT count(*) FROM links WHERE page = id) AS links FROM pages ORDER BY id LIMIT ?`,
      [count],
    );
    return rows.map(({ id, url, outcome, status, title, links }) => (
      { id, url, outcome, status, title, links }
    ));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pool.end();
    await this.#holder?.end();
  }
}

async function write(
  connection: mysql.PoolConnection,
  page: Page,
  found: readonly Target[],
): Promise<void> {
  await add_page(connection, page);
  await connection.query("DELETE FROM frontier WHERE url = ?", [page.url]);
  await add_rows(
    connection,
    "INTO frontier (url, depth, redirects)",
    found.map(({ url, depth, redirects }) => [url, depth, redirects]),
  );
}

/** Adds a page and its links. */
export async function add_page(
  connection: mysql.PoolConnection,
  { links, ...page }: Page,
): Promise<void> {
  const [{ insertId }] = await connection.query<mysql.ResultSetHeader>("INSERT INTO pages SET ?", {
    ...page,
    title: page.title?.slice(0, LONGEST_TEXT),
    location: page.location?.slice(0, LONGEST_TEXT),
  });
  await add_rows(connection, "INTO links (page, target)", links.map((link) => [insertId, link]));
}

/** Adds rows `INTO` a table, so many at a time that a statement is not too large for the server. */
export async function add_rows(
  connection: mysql.PoolConnection,
  into: string,
  rows: readonly (string | number)[][],
): Promise<void> {
  for (let first = 0; first < rows.length; first += ROWS_AT_A_TIME) {
    const some = rows.slice(first, first + ROWS_AT_A_TIME);
    await connection.query(`INSERT ${into} VALUES ?`, [some]);
  }
}

/**
 * Whether the server has undone a transaction in favour of another: then it may be tried again. A process that is paused
 * within a transaction has others wait too long for its locks.
 */
function is_undone(error: unknown): boolean {
  return error instanceof Error && "code" in error &&
    (error.code === "ER_LOCK_DEADLOCK" || error.code === "ER_LOCK_WAIT_TIMEOUT");
}
