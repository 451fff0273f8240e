/** Crawls that many processes share, of which some are killed and others join. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import * as asyncio from "../../../mod.ts";
import { connect } from "../../distributed/redis.ts";
import { has_redis, RedisServer } from "../../distributed/tests/redis_server.ts";
import { SeededRandom } from "../../seed/support/seeded_random.ts";
import { ClusterLimits } from "../cluster/limits.ts";
import { Site } from "../site/serve.ts";
import { whole_crawl } from "./interruptions.ts";
import { has_mariadb, MariaDB } from "./mariadb.ts";
import { execute, Program } from "./program.ts";
import { assert_consistent, type Stored, stored } from "./stored.ts";

const SITE = { articles: 300, seed: 3 } as const;

/** How many crawls lose a third of their processes: `deno test -A … -- --kills 40 --seed 100`. */
const KILLS = number_of("kills", 1);
const FIRST_SEED = number_of("seed", 5);

function number_of(option: string, by_default: number): number {
  const at = Deno.args.indexOf(`--${option}`);
  return at < 0 ? by_default : Number(Deno.args[at + 1]);
}

const is_complete = has_redis && has_mariadb;

if (!is_complete) {
  console.log(
    "No tests of a cluster: this machine has no mariadb-server or redis-server (apt-get install them).",
  );
}

/** What a crawl has stored, in the end: everything once, as one process alone does it. */
function assert_whole(now: Stored, whole: Stored): void {
  assert_consistent(now, whole);
  assertEquals(now.frontier, []);
  assertEquals([...now.pages.keys()].sort(), [...whole.pages.keys()].sort());
}

Deno.test({ name: "crawl --cluster", ignore: !is_complete }, async (t) => {
  await using mariadb = await MariaDB.start();
  await using redis = await RedisServer.start();
  const whole = await whole_crawl(SITE);
  const start = (site: Site, database: string, ...args: string[]) =>
    new Program(
      ...[site.url, "--delay", "0", "--backoff", "0.01", "--database", database],
      ...["--cluster", redis.url, ...args],
    );

  /** One begins, and the others join as soon as there is a crawl. */
  const start_some = async (site: Site, database: string, count: number, ...args: string[]) => {
    const first = start(site, database, ...args);
    await first.until(site.asked(5));
    const others = Array.from(
      { length: count - 1 },
      () => start(site, database, "--resume", ...args),
    );
    return [first, ...others];
  };

  await t.step("processes that are started together share a crawl", async () => {
    await using site = new Site(SITE);
    const database = await mariadb.new_database();
    // It takes some seconds at least, so that none comes when it is over.
    const programs = [1, 2, 3].map(() => start(site, database, "--delay", "0.02"));
    const ends = await Promise.all(programs.map(({ outcome }) => outcome));
    for (const { code, stderr } of ends) assertEquals([code, stderr], [0, ""]);
    const now = await stored(database);
    assert_whole(now, whole);
    const fetched = [...now.pages.values()].filter(({ outcome }) =>
      outcome !== "disallowed"
    ).length;
    let pages = 0;
    for (const { stdout } of ends) {
      assertMatch(stdout, /waiting +│ +0 /);
      const own = Number(stdout.match(/ pages +│ +(\d+) /)?.[1]);
      assert(own > 0, "a process has done nothing");
      pages += own;
      const all = Number(stdout.match(/stored in all +│ +(\d+) /)?.[1] ?? fetched);
      assertEquals(all, fetched);
    }
    assertEquals(pages, [...now.pages.values()].filter(({ outcome }) => outcome === "page").length);
    const [{ progress }] = ends as [typeof ends[0]];
    assertMatch(progress, /^(\d+\/\d+ pages, \d+\.\d pages\/s, \d+ errors?, \d process(es)?\n)+$/);
  });

  for (let seed = FIRST_SEED; seed < FIRST_SEED + KILLS; seed++) {
    await t.step(
      `kill -9 of a third in mid-crawl, others join: nothing is lost or doubled (seed ${seed})`,
      async () => {
        const random = new SeededRandom(seed);
        await using site = new Site(SITE);
        const database = await mariadb.new_database();
        const args = ["--delay", "0.04", "--timeout", "120"];
        const first = start(site, database, ...args);
        await first.until(site.asked(5));
        const programs = [first];
        {
          // However slowly the others start, they are in time.
          using _ = site.hold();
          for (let n = 1; n < 6; n++) programs.push(start(site, database, "--resume", ...args));
          await first.says(", 6 processes");
        }
        const victims = [0, 1].map((n) => programs.splice(random.randint(0, 5 - n), 1)[0]!);
        for (const victim of victims) {
          await victim.until(site.asked(random.randint(5, 60)));
          // The crawl does not end while what it has stored is read.
          using _ = site.hold();
          victim.kill("SIGKILL");
          assertEquals((await victim.outcome).signal, "SIGKILL");
          assert((await stored(database)).pages.size < whole.pages.size, "killed too late");
        }
        programs.push(start(site, database, "--resume"));
        for (const { code, stderr } of await Promise.all(programs.map(({ outcome }) => outcome))) {
          assertEquals([code, stderr], [0, ""]);
        }
        assert_whole(await stored(database), whole);
      },
    );
  }

  await t.step("all are killed, Redis forgets everything: --resume goes on", async () => {
    await using site = new Site(SITE);
    const database = await mariadb.new_database();
    const programs = [start(site, database), start(site, database)];
    await programs[0]!.until(site.asked(100));
    for (const program of programs) program.kill("SIGKILL");
    await Promise.all(programs.map(({ outcome }) => outcome));
    assert_consistent(await stored(database), whole);
    await redis.flush();
    const refused = await start(site, database).outcome;
    assertEquals(refused.code, 2);
    assertMatch(refused.stderr, /^Cannot begin as there is a crawl in .*: --resume .*\n$/);
    const resumed = [start(site, database, "--resume"), start(site, database, "--resume")];
    for (const { code, stderr } of await Promise.all(resumed.map(({ outcome }) => outcome))) {
      assertEquals([code, stderr], [0, ""]);
    }
    assert_whole(await stored(database), whole);
  });

  await t.step("Ctrl-C of one leaves its visits to the others at once", async () => {
    await using site = new Site(SITE);
    const database = await mariadb.new_database();
    const programs = await start_some(site, database, 2, "--delay", "0.02");
    await programs[0]!.says(", 2 processes");
    programs[0]!.kill("SIGINT");
    const [stopped, other] = await Promise.all(programs.map(({ outcome }) => outcome));
    assertEquals(stopped!.code, 130);
    assertEquals([other!.code, other!.stderr], [0, ""]);
    assert_whole(await stored(database), whole);
  });

  await t.step("--max-pages counts the pages of all", async () => {
    await using site = new Site(SITE);
    const database = await mariadb.new_database();
    const programs = await start_some(site, database, 2, "--max-pages", "60");
    for (const { code, stderr } of await Promise.all(programs.map(({ outcome }) => outcome))) {
      assertEquals([code, stderr], [0, ""]);
    }
    const now = await stored(database);
    assert_consistent(now, whole);
    assert(now.pages.size >= 60 && now.pages.size < 200, `${now.pages.size} pages`);
  });

  await t.step("what cannot be is one line", async () => {
    const database = await mariadb.new_database();
    const url = "http://127.0.0.1:1/";
    const [sqlite, nowhere, none] = await Promise.all([
      execute(url, "--cluster", redis.url),
      execute(url, "--cluster", "redis://:secret@127.0.0.1:1", "--database", database),
      execute(url, "--cluster", redis.url, "--database", database, "--resume"),
    ]);
    assertEquals([sqlite.code, nowhere.code, none.code], [2, 2, 2]);
    assertMatch(sqlite.stderr, /^Cannot crawl as --cluster needs --database mysql:.*\n$/);
    assertMatch(nowhere.stderr, /^Cannot reach redis:\/\/127.0.0.1:1: .*ECONNREFUSED.*\n$/);
    assertMatch(none.stderr, /^Cannot go on as there is no crawl in .*\n$/);
  });
});

Deno.test({ name: "ClusterLimits", ignore: !has_redis }, async (t) => {
  await using server = await RedisServer.start();

  /** Runs a test with the limits of several processes, which share a clock in Redis. */
  const limited = (
    delay: number,
    body: (limits: ClusterLimits[]) => Promise<void>,
  ) =>
    asyncio.run(async () => {
      const redis = await connect(server.url);
      try {
        await redis.flushall();
        await body([1, 2, 3].map(() => new ClusterLimits(redis, "crawl", 5, delay)));
      } finally {
        redis.disconnect();
      }
    });

  await t.step(
    "begin: requests of all processes to a host are apart, those to others are not",
    async () => {
      await limited(0.05, async (limits) => {
        const begun = performance.now();
        const times: number[] = [];
        const request = async (some: ClusterLimits, host: string) => {
          using _ = await some.begin(host);
          if (host === "a") times.push(performance.now());
        };
        const hosts = ["a", "a", "a", "b", "c"];
        await asyncio.gather(
          limits.flatMap((some) => hosts.map((host) => () => request(some, host))),
        );
        assertEquals(times.length, 9);
        // Redis counts whole milliseconds.
        assert(performance.now() - begun >= 8 * 50 - 1);
      });
    },
  );

  await t.step("pause and slow_down: they hold for all processes", async () => {
    await limited(0, async ([first, second, third]) => {
      const begun = performance.now();
      await first!.pause("a", 0.1);
      (await second!.begin("a"))[Symbol.dispose]();
      assert(performance.now() - begun >= 99);
      await second!.slow_down("a", 0.1);
      for (const each of [first!, third!]) (await each.begin("a"))[Symbol.dispose]();
      assert(performance.now() - begun >= 298);
    });
  });

  await t.step(
    "reserve: a visit that would wait long goes back into the queue until its turn",
    async () => {
      await limited(1, async ([first, second]) => {
        const waits = [];
        for (const each of [first!, second!, first!, second!]) {
          waits.push(await each.reserve("a", false));
        }
        assertEquals(waits.slice(0, 2), [0, 0]);
        assert(waits[2]! > 1500 && waits[2]! <= 2000, `${waits[2]}`);
        assert(waits[3]! > 2500 && waits[3]! <= 3000, `${waits[3]}`);
        assertEquals(await second!.reserve("a", true), 0);
        await first!.pause("a", 60);
        assert(await second!.reserve("a", true) > 50_000);
      });
    },
  );
});
