/**
 * This crawler beside a straightforward one in Python, doing the same work on the same machine in one run.
 *
 * ```sh
 * deno task crawl:compare --articles 2000 --concurrency 8 --rounds 3
 * ```
 *
 * Prints whether both found the same pages, and how many pages a second. The exit code is 1 if they did not.
 */

import Table from "cli-table3";
import { DatabaseSync } from "node:sqlite";
import { parseArgs } from "node:util";
import { parsed, whole_number } from "../../seed/support/command_line.ts";
import { Site } from "../site/serve.ts";
import { reason } from "../user_error.ts";

/** What a crawl came to. */
interface Result {
  readonly seconds: number;
  /** What is the same whoever crawls, a line a page. */
  readonly pages: ReadonlySet<string>;
}

interface Work {
  readonly articles: number;
  readonly seed: number;
  readonly concurrency: number;
}

interface Contestant {
  readonly name: string;
  /** The program that crawls into a database; it prints how many seconds that took. */
  command(start: string, database: string, concurrency: number): Deno.Command;
}

const file = (name: string) => new URL(name, import.meta.url).pathname;

const CONTESTANTS: readonly [ours: Contestant, python: Contestant] = [
  {
    name: "this crawler",
    command: (start, database, concurrency) =>
      new Deno.Command(Deno.execPath(), {
        args: [
          ...["run", "--quiet", "--no-prompt", "--allow-net=127.0.0.1"],
          ...["--allow-read", "--allow-write", file("timed.ts"), start],
          ...["--database", `sqlite:${database}`, "--concurrency", String(concurrency)],
          ...["--delay", "0", "--backoff", "0.01"],
        ],
      }),
  },
  {
    name: "Python",
    command: (start, database, concurrency) =>
      new Deno.Command("python3", {
        args: [file("crawler.py"), start, database, String(concurrency)],
      }),
  },
];

/** Lets a program crawl a new site, so that nobody profits from what others asked before. */
async function measure(contestant: Contestant, work: Work): Promise<Result> {
  const directory = await Deno.makeTempDir({ prefix: "crawler-compare-" });
  try {
    await using site = new Site({ ...work, waits: false });
    const database = `${directory}/crawl.db`;
    const command = contestant.command(site.url, database, work.concurrency);
    const { success, stdout, stderr } = await command.output();
    const decoder = new TextDecoder();
    if (!success) throw new Error(`${contestant.name} failed: ${decoder.decode(stderr)}`);
    return { seconds: Number(decoder.decode(stdout)), pages: read_pages(database, site.url) };
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

/** Every page with its links, without the address of the site. */
function read_pages(database: string, start: string): Set<string> {
  using connection = new DatabaseSync(database, { readOnly: true });
  const rows = connection.prepare(`
    SELECT url, outcome, status, title, location,
      (SELECT group_concat(target, ' ') FROM
        (SELECT target FROM links WHERE page = id ORDER BY target)) AS links
    FROM pages`).all();
  return new Set(rows.map((row) => JSON.stringify(row).replaceAll(start, "/")));
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
}

/** What the first found and the second did not, a few of it. */
function tell_difference(first: Result, second: Result, name: string): boolean {
  const missed = [...first.pages.difference(second.pages)];
  for (const page of missed.slice(0, 5)) console.log(`${name} does not have ${page}`);
  return missed.length > 0;
}

const work = parsed(() => {
  const { values } = parseArgs({
    options: {
      articles: { type: "string", default: "2000" },
      concurrency: { type: "string", default: "8" },
      rounds: { type: "string", default: "3" },
      seed: { type: "string", default: "1" },
    },
  });
  return {
    articles: whole_number("--articles", values.articles, 1),
    concurrency: whole_number("--concurrency", values.concurrency, 1),
    rounds: whole_number("--rounds", values.rounds, 1),
    seed: whole_number("--seed", values.seed),
  };
});

const [ours, python] = CONTESTANTS;
const rounds: [ours: Result, python: Result][] = [];
try {
  for (let round = 0; round < work.rounds; round++) {
    rounds.push([await measure(ours, work), await measure(python, work)]);
  }
} catch (error) {
  console.error(`Cannot compare: ${reason(error)}`);
  Deno.exit(2);
}
const [our_result, python_result] = rounds[0]!;
const pages = our_result.pages.size;
const speeds = CONTESTANTS.map((_, n) => median(rounds.map((round) => pages / round[n]!.seconds)));
const table = new Table({
  head: ["", "pages", "pages per second", "ratio"],
  style: { head: [], border: [], compact: true },
  colAligns: ["left", "right", "right", "right"],
});
for (const [n, { name }] of CONTESTANTS.entries()) {
  const ratio = (speeds[n]! / speeds[1]!).toFixed(2);
  table.push([name, rounds[0]![n]!.pages.size, speeds[n]!.toFixed(0), ratio]);
}
console.log(table.toString());
const differ = [
  tell_difference(our_result, python_result, python.name),
  tell_difference(python_result, our_result, ours.name),
].some(Boolean);
console.log(differ ? "The pages differ." : "Both found the same pages, with the same links.");
if (differ) Deno.exit(1);
