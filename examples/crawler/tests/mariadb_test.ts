/** Crawls into a real MariaDB: what holds for SQLite holds there. */

import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import mysql from "mysql2/promise";
import { Buffer } from "node:buffer";
import { setTimeout as pause } from "node:timers/promises";
import { open_storage } from "../storage.ts";
import { Site } from "../site/serve.ts";
import { visit } from "../visit.ts";
import { crawl, options } from "./crawls.ts";
import { cancel_at_random, kill_in_the_middle, SITE, whole_crawl } from "./interruptions.ts";
import { has_mariadb, MariaDB } from "./mariadb.ts";
import { execute, Program } from "./program.ts";
import { assert_consistent, stored } from "./stored.ts";

/** A visit to a page that links to others. */
function visited(url: string, links: readonly string[]) {
  const list = links.map((link) => `<a href="${link}">`).join("");
  return visit({ url, depth: 0, redirects: 0 }, {
    answer: {
      status: 200,
      location: null,
      content_type: "text/html",
      charset: null,
      retry_after: null,
      body: Buffer.from(list),
    },
    problem: null,
    attempts: 1,
    seconds: 0,
  });
}

/** Ctrl-C in a crawl whose transactions wait for the database, which they do until the end of the scope. */
async function interrupted(
  program: Program,
  mariadb: MariaDB,
  database: string,
): Promise<AsyncDisposable> {
  await using scope = new AsyncDisposableStack();
  scope.use(await mariadb.lock(database));
  await program.until(mariadb.waits_for_lock());
  program.kill("SIGINT");
  await program.says("; Ctrl-C ends it at once.");
  return scope.move();
}

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
    assertEquals([first?.id, first?.url, first?.title], [1, site.url, "Contents, page 1"]);
  });

  await t.step("a transaction that has waited too long for a lock is made again", async () => {
    const database = await mariadb.new_database();
    await mariadb.execute("SET GLOBAL innodb_lock_wait_timeout = 1");
    await using storage = await open_storage(database, 1);
    await mariadb.execute("SET GLOBAL innodb_lock_wait_timeout = DEFAULT");
    await storage.prepare();
    const { page, targets } = visited("http://example.com/", ["/a"]);
    const blocking = await mysql.createConnection(database);
    try {
      await blocking.beginTransaction();
      await blocking.query("INSERT INTO frontier (url, depth, redirects) VALUES (?, 1, 0)", [
        targets[0]!.url,
      ]);
      const waits = async () =>
        Number(
          (await mariadb.execute("SHOW GLOBAL STATUS LIKE 'Innodb_row_lock_waits'"))[0]!["Value"],
        );
      const before = await waits();
      const saved = storage.save(page, targets);
      while (await waits() < before + 2) await pause(20);
      await blocking.rollback();
      await saved;
    } finally {
      await blocking.end();
    }
    assertEquals((await stored(database)).frontier, ["/a"]);
  });

  await t.step("many transactions at a time do not stand in each other's way", async () => {
    const database = await mariadb.new_database();
    await using storage = await open_storage(database, 40);
    await storage.prepare();
    // Each visit finds two URLs, which are scattered among all others and visited in the next wave.
    const scattered = (n: number) => `http://example.com/${n * 7919 % 10_007}/`;
    let first = 1;
    for (let wave = 0; wave < 9; wave++, first *= 2) {
      const visits = Array.from({ length: first }, (_, index) => first + index);
      await Promise.all(visits.map((n) => {
        const urls = [scattered(2 * n), scattered(2 * n + 1)];
        const { page, targets } = visited(scattered(n), urls);
        return storage.save(page, targets);
      }));
    }
    const { pages, frontier } = await stored(database);
    assertEquals([pages.size, frontier.length], [first - 1, first]);
  });

  await t.step("a database that fails in the middle is one line", async () => {
    await using site = new Site(SITE);
    const database = await mariadb.new_database();
    const program = new Program(site.url, "--delay", "0.01", "--database", database);
    await program.until(site.asked(10));
    await mariadb.execute(`DROP TABLE ${new URL(database).pathname.slice(1)}.links`);
    const { code, stderr } = await program.outcome;
    assertEquals(code, 1);
    assertMatch(stderr, /^(Finishing .*\n)?Cannot store http:\S+: Table '.*' doesn't exist\n$/);
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

  await t.step("of two crawlers the second says that the first is at work", async () => {
    const database = await mariadb.new_database();
    await using site = new Site(SITE);
    const args = [site.url, "--max-pages", "3", "--database", database];
    // It has asked for robots.txt and waits for its next turn until it is killed.
    const first = new Program(...args, "--delay", "80000");
    await first.until(site.asked(1));
    const second = await execute(...args);
    assertEquals([second.code, second.stdout], [2, ""]);
    assertMatch(second.stderr, /^Cannot begin as another crawler is at work in mysql:\S+\n$/);
    // Another database of the same server has a lock of its own.
    const elsewhere = [site.url, "--delay", "0", "--database", await mariadb.new_database()];
    assertEquals((await execute(...elsewhere, "--max-pages", "3")).code, 0);
    first.kill("SIGKILL");
    await first.outcome;
    assertEquals((await execute(...args, "--delay", "0")).code, 0);
  });

  await t.step("Ctrl-C lets the transactions finish", async () => {
    const database = await mariadb.new_database();
    await using site = new Site(SITE);
    const program = new Program(site.url, "--delay", "0", "--database", database);
    await program.until(site.asked(10));
    {
      await using _ = await interrupted(program, mariadb, database);
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
      await using _ = await interrupted(program, mariadb, database);
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
