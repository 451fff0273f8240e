/** Crawls into SQLite that are cancelled, killed, or stopped by Ctrl-C. */

import { assertEquals, assertMatch } from "@std/assert";
import { Site } from "../site/serve.ts";
import { Directory } from "./crawls.ts";
import { cancel_at_random, kill_in_the_middle, whole_crawl } from "./interruptions.ts";
import { Program } from "./program.ts";
import { stored } from "./stored.ts";

Deno.test("a crawl that is cancelled at any moments loses nothing and does nothing twice", async () => {
  const whole = await whole_crawl();
  for (let seed = 1; seed <= 15; seed++) {
    await using directory = new Directory();
    await cancel_at_random(directory.database, seed, whole);
    assertEquals(directory.files(), ["crawl.db"], `seed ${seed}`);
  }
});

Deno.test("a crawl that is killed at any moments loses nothing and stores nothing twice", async () => {
  await using directory = new Directory();
  await kill_in_the_middle(directory.database, [9, 31, 4], await whole_crawl());
});

Deno.test("Ctrl-C stops a crawl politely", async () => {
  await using site = new Site({ articles: 2000 });
  await using directory = new Directory();
  const { database } = directory;
  const program = new Program(site.url, "--delay", "0.02", "--database", database);
  await program.until(site.asked(20));
  program.kill("SIGINT");
  const { code, stdout, stderr } = await program.outcome;
  assertEquals([code, stderr], [130, "Stopped.\n"]);
  const { pages, frontier } = await stored(database);
  assertMatch(stdout, new RegExp(`waiting +│ +${frontier.length} `));
  assertEquals(directory.files(), ["crawl.db"]);
  for (const path of pages.keys()) assertEquals(site.requests.get(path), 1, path);
});
