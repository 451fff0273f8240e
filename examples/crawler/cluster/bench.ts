/**
 * Pages a second of 1, 2 and 4 processes that crawl the generated site together, beside one alone with SQLite.
 *
 * ```sh
 * deno task crawl:cluster --articles 1000
 * ```
 */

import mysql from "mysql2/promise";
import { DatabaseSync } from "node:sqlite";
import { parseArgs } from "node:util";
import { RedisServer } from "../../distributed/tests/redis_server.ts";
import { parsed, whole_number } from "../../seed/support/command_line.ts";
import { Site } from "../site/serve.ts";
import { Directory } from "../tests/crawls.ts";
import { MariaDB } from "../tests/mariadb.ts";
import { Program } from "../tests/program.ts";

const articles = parsed(() => {
  const { values } = parseArgs({ options: { articles: { type: "string", default: "1000" } } });
  return whole_number("--articles", values.articles, 1);
});

/** When pages were stored, the first and the last. */
const TIMES =
  "SELECT count(*) AS pages, min(fetched_at) AS first, max(fetched_at) AS last FROM pages";

interface Times {
  readonly pages: number;
  readonly first: Date | string;
  readonly last: Date | string;
}

/** Crawls the site with so many processes; returns pages a second, from the first page on. */
async function measure(
  database: string,
  args: readonly string[],
  processes: number,
  times: () => Promise<Times> | Times,
): Promise<string> {
  await using site = new Site({ articles, waits: false });
  const options = ["--delay", "0", "--concurrency", "8", "--backoff", "0.01"];
  const start = (...more: string[]) =>
    new Program(site.url, ...options, "--database", database, ...args, ...more);
  const programs = [start()];
  if (processes > 1) await programs[0]!.until(site.asked(5));
  for (let n = 1; n < processes; n++) programs.push(start("--resume"));
  for (const { code, stderr } of await Promise.all(programs.map(({ outcome }) => outcome))) {
    if (code !== 0) throw new Error(`exit code ${code}: ${stderr}`);
  }
  const { pages, first, last } = await times();
  const seconds = (new Date(last).getTime() - new Date(first).getTime()) / 1000;
  return `${(pages / seconds).toFixed(0)} pages a second (${pages} in ${seconds.toFixed(1)} s)`;
}

async function with_sqlite(): Promise<string> {
  await using directory = new Directory();
  return await measure(directory.database, [], 1, () => {
    using database = new DatabaseSync(directory.database.replace("sqlite:", ""));
    return database.prepare(TIMES).get() as unknown as Times;
  });
}

async function with_mariadb(mariadb: MariaDB, args: readonly string[], processes: number) {
  const url = await mariadb.new_database();
  return await measure(url, args, processes, async () => {
    const connection = await mysql.createConnection(url);
    const [rows] = await connection.query<mysql.RowDataPacket[]>(TIMES);
    await connection.end();
    return rows[0] as Times;
  });
}

await using mariadb = await MariaDB.start();
await using redis = await RedisServer.start();
console.log(
  `${navigator.hardwareConcurrency} processors, which the site, Redis and MariaDB use, too`,
);
console.log(`alone, SQLite:  ${await with_sqlite()}`);
console.log(`alone, MariaDB: ${await with_mariadb(mariadb, [], 1)}`);
for (const count of [1, 2, 4]) {
  const before = await redis.processor_time();
  const result = await with_mariadb(mariadb, ["--cluster", redis.url], count);
  const used = await redis.processor_time() - before;
  console.log(`cluster of ${count}:   ${result}; ${used.toFixed(1)} s of Redis' processor`);
}
