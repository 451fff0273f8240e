/** Whole crawls into SQLite: of the generated site, and of one that does what it should not. */

import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import type { Options } from "../options.ts";
import { Site } from "../site/serve.ts";
import { UserError } from "../user_error.ts";
import { crawl, Directory, options } from "./crawls.ts";
import { HostileSite } from "./hostile_site.ts";
import { assert_consistent, stored } from "./stored.ts";
import { FullStorage } from "./watched_storage.ts";

/** Has somebody else told what the console is told, until the end of the block. */
function replace_console_error(report: typeof console.error): Disposable {
  const original = console.error;
  console.error = report;
  return { [Symbol.dispose]: () => console.error = original };
}

Deno.test("a crawl visits each page of a site once", async () => {
  await using site = new Site({ articles: 150, seed: 5 });
  await using directory = new Directory();
  const { database } = directory;
  const { statistics, waiting } = await crawl(options(site.url, { database }));
  const all = await stored(database);
  assert_consistent(all, all);
  assertEquals([waiting, all.frontier], [0, []]);
  for (let number = 1; number <= 150; number++) {
    assert(all.pages.has(`/${number}/`), `article ${number} is missing`);
  }
  const visits = [...all.pages.values()];
  const count = (outcome: string) => visits.filter((page) => page.outcome === outcome).length;
  for (const outcome of ["page", "redirect", "error", "disallowed"] as const) {
    assertEquals(count(outcome), statistics.outcomes[outcome]);
    assert(count(outcome) > 0, `no ${outcome}`);
  }
  for (const { path, outcome, status } of visits) {
    const requests = site.requests.get(path) ?? 0;
    if (outcome === "disallowed") assertEquals(requests, 0, path);
    else if (status === 500) assertEquals(requests, 3, path);
    else assert(requests === 1 || requests === 2, `${path} was asked for ${requests} times`);
  }
});

Deno.test("titles are read in every encoding, and in broken HTML", async () => {
  await using site = new Site({ articles: 150, seed: 5 });
  await using directory = new Directory();
  const { database } = directory;
  await crawl(options(site.url, { database }));
  const { pages } = await stored(database);
  const titles = [...pages.values()].map(({ path, title }) => [title, path.slice(1, -1)]);
  for (const word of ["Article", "Été", "Статья", "記事", "文章"]) {
    const some = titles.filter(([title]) => title?.startsWith(`${word} `));
    assert(some.length > 0, `no title begins with ${word}`);
    for (const [title, number] of some) assert(title?.startsWith(`${word} ${number}`), `${title}`);
  }
  assert(titles.some(([title]) => title?.endsWith("& more")));
});

Deno.test("loops of redirects end, and endless ones are cut off", async () => {
  await using site = new Site();
  await using directory = new Directory();
  const { database } = directory;
  await crawl(options(`${site.url}loop/1/a/`, { database }));
  const { pages } = await stored(database);
  assertEquals(
    [...pages.values()].map(({ path, outcome, location }) => [path, outcome, location]),
    [["/loop/1/a/", "redirect", "/loop/1/b/"], ["/loop/1/b/", "redirect", "/loop/1/a/"]],
  );
  await using other = new Directory();
  await crawl(options(`${site.url}endless/1/1/`, { database: other.database }));
  const visits = [...(await stored(other.database)).pages.values()];
  assertEquals(visits.length, 11);
  assertEquals(visits.at(-1)?.problem, "more than 10 redirects in a row");
});

Deno.test("a crawl ends after so many pages, and goes on for more", async () => {
  await using site = new Site({ articles: 150, seed: 5 });
  await using directory = new Directory();
  const { database } = directory;
  const first = await crawl(options(site.url, { database, max_pages: 20 }));
  assertEquals(first.statistics.fetched, 20);
  const before = await stored(database);
  assertEquals(before.frontier.length, first.waiting);
  const requests = new Map(site.requests);
  const second = await crawl(options(site.url, { database, max_pages: 50, resume: true }));
  assertEquals([second.statistics.fetched, second.statistics.fetched_now], [50, 30]);
  for (const path of before.pages.keys()) {
    assertEquals(site.requests.get(path), requests.get(path), path);
  }
  const third = await crawl(options(site.url, { database, max_pages: 50, resume: true }));
  assertEquals(third.statistics.fetched_now, 0);
});

/** What a crawl of a hostile site says of each page: its title, or the problem with it. */
async function results_of(site: HostileSite, changes: Partial<Options>) {
  await using directory = new Directory();
  const { database } = directory;
  await crawl(options(site.url, { ...changes, database }));
  const { pages } = await stored(database);
  return Object.fromEntries(
    [...pages.values()].map(({ path, title, problem }) => [path, title ?? problem]),
  );
}

Deno.test("a server that lies or hangs up is recorded, and does not stop the crawl", async () => {
  await using site = new HostileSite(
    ...["/drops", "/drops-once", "/promises-more", "/promises-less", "/breaks-chunk", "/too-large"],
  );
  assertEquals(await results_of(site, { retries: 1, max_size: 100_000 }), {
    "/": null,
    "/drops": "connection closed before message completed",
    "/drops-once": "Fine",
    "/promises-more": "error reading a body from connection",
    "/promises-less": "Fine",
    "/breaks-chunk": "error reading a body from connection",
    "/too-large": "the body is larger than 100000 bytes",
  });
  const { requests } = site;
  assertEquals([requests.get("/drops"), requests.get("/too-large")], [2, 1]);
});

Deno.test("an answer that never comes, or never ends, is given up", async () => {
  await using site = new HostileSite("/never-answers", "/never-ends");
  assertEquals(await results_of(site, { retries: 0, timeout: 1 }), {
    "/": null,
    "/never-answers": "no whole answer within 1 s",
    "/never-ends": "no whole answer within 1 s",
  });
});

Deno.test("--same-host leaves other hosts alone", async () => {
  await using there = new Site({ articles: 5 });
  const visited: string[] = [];
  await using here = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, (request) => {
    visited.push(new URL(request.url).pathname);
    const text = `<a href="${there.url}1/">there</a> <a href="/away">away</a>`;
    return request.url.endsWith("/away")
      ? Response.redirect(there.url)
      : new Response(text, { headers: { "content-type": "text/html" } });
  });
  await using directory = new Directory();
  const start = `http://127.0.0.1:${here.addr.port}/`;
  await crawl(options(start, { database: directory.database, same_host: true }));
  assertEquals(visited, ["/robots.txt", "/", "/away"]);
  assertEquals(there.requests.size, 0);
  await assertRejects(
    () => crawl(options(`${start}away`, { database: "sqlite::memory:", same_host: true })),
    UserError,
    `leads to ${there.url}, and --same-host keeps away from there`,
  );
});

Deno.test("what cannot begin leaves no file", async (t) => {
  await using site = new Site({ articles: 5 });
  await using directory = new Directory();
  const { database } = directory;
  const refused = async (start: string, message: string) => {
    await assertRejects(() => crawl(options(start, { database, retries: 0 })), UserError, message);
    assertEquals(directory.files(), []);
  };
  await t.step("a page that is not there", () => refused(`${site.url}nowhere`, "status 404"));
  await t.step(
    "a page that may not be read",
    () => refused(`${site.url}private/1/`, "robots.txt does not allow it"),
  );
  await t.step("a server that is not there", async () => {
    const nobody = new Site();
    await nobody[Symbol.asyncDispose]();
    await refused(nobody.url, "Connection refused");
  });
  await t.step("a crawl that never was", async () => {
    await assertRejects(
      () => crawl(options(site.url, { database, resume: true })),
      UserError,
      "there is no crawl in",
    );
  });
  assertEquals(directory.files(), []);
});

Deno.test("a crawl is not begun over another, nor gone on with from elsewhere", async () => {
  await using site = new Site({ articles: 5 });
  await using directory = new Directory();
  const { database } = directory;
  await crawl(options(site.url, { database }));
  assertEquals(directory.files(), ["crawl.db"]);
  const before = await stored(database);
  await assertRejects(() => crawl(options(site.url, { database })), UserError, "there is a crawl");
  await assertRejects(
    () => crawl(options(`${site.url}2/`, { database, resume: true })),
    UserError,
    `began at ${site.url}`,
  );
  assertEquals(await stored(database), before);
});

Deno.test("a file that is no database is refused, and left as it was", async () => {
  await using directory = new Directory();
  const file = `${directory.path}/notes.txt`;
  const text = "not a database ".repeat(100);
  await Deno.writeTextFile(file, text);
  await assertRejects(
    () => crawl(options("http://127.0.0.1:1/", { database: `sqlite:${file}` })),
    UserError,
    "file is not a database",
  );
  assertEquals(await Deno.readTextFile(file), text);
  assertEquals(directory.files(), ["notes.txt"]);
});

Deno.test("a database of something else is refused, and left as it was", async () => {
  await using directory = new Directory();
  const file = `${directory.path}/notes.db`;
  {
    using database = new DatabaseSync(file);
    database.exec("CREATE TABLE pages (text)");
  }
  const before = await Deno.readFile(file);
  const refused = (resume: boolean) =>
    assertRejects(
      () => crawl(options("http://127.0.0.1:1/", { database: `sqlite:${file}`, resume })),
      UserError,
      "it has a table 'pages' that is no crawl's",
    );
  await refused(false);
  await refused(true);
  assertEquals(await Deno.readFile(file), before);
});

Deno.test("a database that fails in the middle is one error, and what is stored stays", async () => {
  await using site = new Site({ articles: 150, seed: 5 });
  await using directory = new Directory();
  const { database } = directory;
  const reports: unknown[] = [];
  using _ = replace_console_error((...args) => reports.push(args));
  const error = await assertRejects(
    () =>
      crawl(options(site.url, { database }), {
        watch_storage: (storage) => new FullStorage(storage, 20),
      }),
    UserError,
  );
  assertMatch(error.message, /^Cannot store http:\S+: the disk is full$/);
  assertEquals([error.exit_code, reports], [1, []]);
  const { pages, frontier } = await stored(database);
  assertEquals(pages.size, 20);
  await crawl(options(site.url, { database, resume: true }));
  const all = await stored(database);
  for (const path of [...pages.keys(), ...frontier]) assert(all.pages.has(path), path);
});
