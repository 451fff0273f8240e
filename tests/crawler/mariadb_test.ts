/** Crawls into a real MariaDB: what holds for SQLite holds there. */

import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { open_storage } from "../../examples/crawler/storage.ts";
import { Site } from "../../examples/crawler/site/serve.ts";
import { crawl, options } from "./crawls.ts";
import { cancel_at_random, kill_in_the_middle, SITE, whole_crawl } from "./interruptions.ts";
import { has_mariadb, MariaDB } from "./mariadb.ts";
import { execute, Program } from "./program.ts";
import { assert_consistent, stored } from "./stored.ts";

if (!has_mariadb) {
  console.log("No tests with MariaDB: this machine has no mariadb-server (apt-get install it).");
}

Deno.test({ name: "with MariaDB", ignore: !has_mariadb }, async (t) => {
  await using mariadb = await MariaDB.start();
  const whole = await whole_crawl();

  await t.step("a crawl stores there what it stores in SQLite", async () => {
    await using site = new Site(SITE);
    const database = await mariadb.new_database();
    await crawl(options(site.url, { database }));
    assertEquals(await stored(database), whole);
    await using storage = await open_storage(database, 1);
    const [first] = await storage.first_rows(1);
    assertEquals([first.id, first.url, first.title], [1, site.url, "Contents, page 1"]);
  });

  await t.step("cancelled at any moments, it loses nothing and does nothing twice", async () => {
    for (let seed = 1; seed <= 8; seed++) {
      await cancel_at_random(await mariadb.new_database(), seed, whole);
    }
    assertEquals(await mariadb.transactions(), 0);
  });

  await t.step("killed at any moments, it loses nothing and stores nothing twice", async () => {
    await kill_in_the_middle(await mariadb.new_database(), [9, 31, 4], whole);
  });

  await t.step("Ctrl-C lets the transactions finish", async () => {
    const database = await mariadb.new_database();
    await using site = new Site(SITE);
    const program = new Program(site.url, "--delay", "0", "--database", database);
    await program.until(site.asked(10));
    {
      await using _ = await mariadb.lock(database);
      await program.until(mariadb.waits_for_lock());
      program.kill("SIGINT");
      await program.says("; Ctrl-C ends it at once.");
    }
    const { code, stdout, stderr } = await program.outcome;
    assertEquals(code, 130);
    assertMatch(stderr, /^Finishing \d+ transactions?; Ctrl-C ends it at once.\nStopped.\n$/);
    const now = await stored(database);
    assert_consistent(now, whole);
    assertMatch(stdout, new RegExp(`waiting +│ +${now.frontier.length} `));
  });

  await t.step("a second Ctrl-C does not wait for them", async () => {
    const database = await mariadb.new_database();
    await using site = new Site(SITE);
    const program = new Program(site.url, "--delay", "0", "--database", database);
    await program.until(site.asked(10));
    {
      await using _ = await mariadb.lock(database);
      await program.until(mariadb.waits_for_lock());
      program.kill("SIGINT");
      await program.says("; Ctrl-C ends it at once.");
      program.kill("SIGINT");
      const { code, stdout } = await program.outcome;
      assertEquals([code, stdout], [130, ""]);
    }
    assert_consistent(await stored(database), whole);
  });

  await t.step("a refused database is one line, without the password", async () => {
    const database = (await mariadb.new_database()).replace("root@", "nobody:secret@");
    const { code, stdout, stderr } = await execute("http://127.0.0.1:1/", "--database", database);
    assertEquals([code, stdout], [2, ""]);
    assertMatch(stderr, /^Cannot open the database mysql:\/\/nobody@\S+: Access denied.*\n$/);
    assertEquals(stderr.includes("secret"), false);
  });

  await t.step("a crawl that cannot begin leaves nothing", async () => {
    const database = await mariadb.new_database();
    await using site = new Site(SITE);
    await assertRejects(() => crawl(options(`${site.url}nowhere`, { database })));
    assertEquals((await stored(database)).pages.size, 0);
  });
});
