/** The crawler as a program: what it prints, and how it ends. */

import { assertEquals, assertMatch } from "@std/assert";
import { Site } from "../site/serve.ts";
import { USAGE } from "../options.ts";
import { Directory } from "./crawls.ts";
import { execute } from "./program.ts";
import { stored } from "./stored.ts";

Deno.test("a crawl prints a summary of what is in the database", async () => {
  await using site = new Site({ articles: 40, seed: 2 });
  await using directory = new Directory();
  const { database } = directory;
  const crawl = (...args: string[]) =>
    execute(site.url, "--delay", "0", "--backoff", "0.01", "--database", database, ...args);
  const first = await crawl("--max-pages", "15");
  assertEquals([first.code, first.stderr], [0, ""]);
  const second = await crawl("--resume");
  assertEquals([second.code, second.stderr], [0, ""]);
  const { pages } = await stored(database);
  const fetched = [...pages.values()].filter(({ outcome }) => outcome !== "disallowed").length;
  assertMatch(second.stdout, new RegExp(`stored in all +│ +${fetched} `));
  assertMatch(second.stdout, /waiting +│ +0 /);
  const again = await crawl();
  assertEquals([again.code, again.stdout], [2, ""]);
  assertMatch(again.stderr, /^Cannot begin as there is a crawl in sqlite:.*: --resume .*\n$/);
});

Deno.test("a slow crawl says from time to time how far it is", async () => {
  await using site = new Site({ articles: 40, seed: 2 });
  const { code, progress, stderr } = await execute(
    ...[site.url, "--delay", "0.1", "--max-pages", "15", "--database", "sqlite::memory:"],
  );
  assertEquals([code, stderr], [0, ""]);
  assertMatch(progress, /^(\d+\/15 pages, \d+\.\d pages\/s, \d errors?\n)+$/);
});

Deno.test("help is given, and what cannot be done is said in one line", async () => {
  await using directory = new Directory();
  const nowhere = `sqlite:${directory.path}/no/such/directory/crawl.db`;
  await using site = new Site({ articles: 5 });
  const [help, bad, refused] = await Promise.all([
    execute("--help"),
    execute("--delay", "soon", site.url),
    execute(site.url, "--delay", "0", "--database", nowhere),
  ]);
  assertEquals([help.code, help.stdout, help.stderr], [0, `${USAGE}\n`, ""]);
  assertEquals([bad.code, bad.stdout], [2, ""]);
  assertMatch(bad.stderr, /^Cannot crawl as --delay must be seconds, .*: received 'soon'\n$/);
  assertEquals([refused.code, refused.stdout], [2, ""]);
  assertMatch(refused.stderr, /^Cannot write to the database sqlite:.*: unable to open .*\n$/);
  assertEquals(directory.files(), []);
});
