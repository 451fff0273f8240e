/** The crawler as a program: what it prints, and how it ends. */

import { assertEquals, assertMatch } from "@std/assert";
import { Site } from "../site/serve.ts";
import { USAGE } from "../options.ts";
import { Directory } from "./crawls.ts";
import { execute, Program } from "./program.ts";
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
  assertMatch(refused.stderr, /^Cannot write to the database sqlite:.*: No such file .*\n$/);
  assertEquals(directory.files(), []);
});

Deno.test("of two crawlers on one database the second says that the first is at work", async () => {
  await using directory = new Directory();
  const { database } = directory;
  await using site = new Site({ articles: 40, seed: 2 });
  const args = [site.url, "--max-pages", "5", "--database", database];
  // It has asked for robots.txt and waits for its next turn until it is killed.
  const first = new Program(...args, "--delay", "80000");
  await first.until(site.asked(1));
  for (const more of [[], ["--resume"]]) {
    const second = await execute(...args, ...more);
    assertEquals([second.code, second.stdout], [2, ""]);
    assertEquals(second.stderr, `Cannot begin as another crawler is at work in ${database}\n`);
  }
  // The lock of a program that is killed ends with it, although its file stays.
  first.kill("SIGKILL");
  await first.outcome;
  const third = await execute(...args, "--delay", "0");
  assertEquals([third.code, third.stderr], [0, ""]);
  assertEquals(directory.files(), ["crawl.db"]);
});
