/** What a crawl has left in its database, read anew, and what must be true of it at any time. */

import { assert, assertEquals } from "@std/assert";
import mysql from "mysql2/promise";
import { existsSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";

/** A page, without what differs from run to run: times, order, the port of the site. */
interface StoredPage {
  readonly path: string;
  readonly outcome: string;
  readonly status: number | null;
  readonly title: string | null;
  readonly location: string | null;
  readonly problem: string | null;
  readonly links: readonly string[];
}

export interface Stored {
  readonly pages: ReadonlyMap<string, StoredPage>;
  readonly frontier: readonly string[];
}

type Cells = Record<string, unknown>;

type Tables = [pages: Cells[], links: Cells[], frontier: Cells[]];

const PAGES = "SELECT id, url, outcome, status, title, location, problem FROM pages";
const LINKS = "SELECT page, target FROM links";
const FRONTIER = "SELECT url FROM frontier";

/** Reads a database; nobody has a transaction open in it. */
export async function stored(database: string): Promise<Stored> {
  const [pages, links, frontier] = database.startsWith("mysql:")
    ? await from_mysql(database)
    : from_sqlite(database.replace("sqlite:", ""));
  const links_of = new Map<unknown, string[]>();
  for (const { page, target } of links) {
    links_of.set(page, [...links_of.get(page) ?? [], path(target) ?? ""]);
  }
  return {
    pages: new Map(pages.map((row) => {
      const page = {
        path: path(row["url"]) ?? "",
        outcome: String(row["outcome"]),
        status: row["status"] === null ? null : Number(row["status"]),
        title: row["title"] === null ? null : String(row["title"]),
        location: path(row["location"]),
        problem: row["problem"] === null ? null : String(row["problem"]),
        links: (links_of.get(row["id"]) ?? []).sort(),
      };
      return [page.path, page];
    })),
    frontier: frontier.map(({ url }) => path(url) ?? ""),
  };
}

function from_sqlite(file: string): Tables {
  if (!existsSync(file)) return [[], [], []];
  const database = new DatabaseSync(file);
  try {
    // Refused at once if a transaction is open.
    database.exec("PRAGMA busy_timeout = 0");
    database.exec("BEGIN IMMEDIATE");
    const rows = (sql: string) => database.prepare(sql).all();
    const tables: Tables = [rows(PAGES), rows(LINKS), rows(FRONTIER)];
    database.exec("ROLLBACK");
    return tables;
  } finally {
    database.close();
  }
}

async function from_mysql(url: string): Promise<Tables> {
  const connection = await mysql.createConnection(url);
  try {
    const [tables] = await connection.query<mysql.RowDataPacket[]>("SHOW TABLES");
    if (tables.length < 3) return [[], [], []];
    const rows = async (sql: string) =>
      (await connection.query<mysql.RowDataPacket[]>(`${sql} LOCK IN SHARE MODE`))[0];
    return [await rows(PAGES), await rows(LINKS), await rows(FRONTIER)];
  } finally {
    await connection.end();
  }
}

function path(url: unknown): string | null {
  if (url === null) return null;
  const { pathname, search } = new URL(String(url));
  return pathname + search;
}

/** What is true at every moment: stored pages are whole, and nothing that was found is lost. */
export function assert_consistent({ pages, frontier }: Stored, whole: Stored): void {
  const waiting = new Set(frontier);
  assertEquals(waiting.size, frontier.length);
  for (const page of pages.values()) {
    assertEquals(page, whole.pages.get(page.path));
    assert(!waiting.has(page.path), `${page.path} was visited and waits`);
    const leads_to = page.location === null || page.outcome !== "redirect"
      ? page.links
      : [page.location];
    for (const target of leads_to) {
      assert(pages.has(target) || waiting.has(target), `${page.path} leads to ${target}, lost`);
    }
  }
}
