/** The parts of the crawler, each for itself. */

import { assert, assertEquals, assertThrows } from "@std/assert";
import { Buffer } from "node:buffer";
import * as asyncio from "../../../mod.ts";
import { VirtualClockEventLoop } from "../../../testing.ts";
import { Client } from "../client.ts";
import { Frontier } from "../frontier.ts";
import { Limits } from "../limits.ts";
import { asks_for_help, parse_options, USAGE } from "../options.ts";
import { parse_page } from "../parsing.ts";
import { Robots } from "../robots.ts";
import { canonical } from "../urls.ts";
import { UserError } from "../user_error.ts";
import { options } from "./crawls.ts";

const loop_factory = () => new VirtualClockEventLoop();

Deno.test("the defaults of the options are those of the usage", () => {
  assertEquals(parse_options(["http://example.com"]), {
    start: "http://example.com/",
    concurrency: 3,
    delay: 1,
    max_pages: Infinity,
    same_host: false,
    timeout: 30,
    retries: 2,
    backoff: 1,
    max_size: 5_000_000,
    database: "sqlite:crawl.db",
    cluster: null,
    resume: false,
  });
  for (const shown of ["(3)", "(1)", "(no limit)", "(30)", "(2)", "(5000000)", "crawl.db"]) {
    assert(USAGE.includes(shown), shown);
  }
  assert(asks_for_help(["-h"]) && asks_for_help(["x", "--help"]) && !asks_for_help(["x"]));
});

Deno.test("a bad command line is one line that says what is wrong", async (t) => {
  const start = "http://example.com";
  const bad: [args: string[], line: string][] = [
    [[], "Cannot crawl as one START_URL is needed: received none"],
    [[start, start], "Cannot crawl as one START_URL is needed: received 2"],
    [["example"], "Cannot crawl as START_URL must be an http or https URL: received 'example'"],
    [
      ["ftp://x"],
      "Cannot crawl as START_URL must be an http or https URL: received 'ftp://x'",
    ],
    [
      [start, "--concurrency", "0"],
      "Cannot crawl as --concurrency must be a whole number from 1 on: received '0'",
    ],
    [
      [start, "--max-pages", "ten"],
      "Cannot crawl as --max-pages must be a whole number from 1 on: received 'ten'",
    ],
    [
      [start, "--delay=-1"],
      "Cannot crawl as --delay must be seconds, from 0 to 86400: received '-1'",
    ],
    [
      [start, "--timeout", "0"],
      "Cannot crawl as --timeout must be seconds, from 0.001 to 86400: received '0'",
    ],
    [
      [start, "--database", "postgres://x"],
      "Cannot crawl as --database must be sqlite:FILE or mysql://…: received 'postgres://x'",
    ],
    [
      [start, "--cluster", "x", "--database", "mysql://x/y"],
      "Cannot crawl as --cluster must be redis://…: received 'x'",
    ],
    [
      [start, "--cluster", "redis://x"],
      "Cannot crawl as --cluster needs --database mysql://…: received 'sqlite:crawl.db'",
    ],
  ];
  for (const [args, line] of bad) {
    await t.step(args.join(" ") || "nothing", () => {
      const error = assertThrows(() => parse_options(args), UserError);
      assertEquals([error.message, error.exit_code], [line, 2]);
    });
  }
  await t.step("an unknown option", () => {
    const { message } = assertThrows(() => parse_options([start, "--frob"]), UserError);
    assert(/^Cannot crawl: Unknown option '--frob'[^\n]*$/.test(message), message);
  });
});

Deno.test("a URL has one canonical form", async (t) => {
  const base = "http://example.com/a/b?c";
  const forms: [href: string, expected: string | null][] = [
    ["#top", base],
    ["", base],
    ["../d/./e", "http://example.com/d/e"],
    ["//EXAMPLE.com:80/%7Euser/%e4%2f", "http://example.com/~user/%E4%2F"],
    ["http://user:secret@example.com/#x", "http://example.com/"],
    ["?q=%41%26", "http://example.com/a/b?q=A%26"],
    ["https://bücher.example/ä", "https://xn--bcher-kva.example/%C3%A4"],
    ["mailto:x@example.com", null],
    ["javascript:void(0)", null],
    ["http://[", null],
    [`/${"x".repeat(2000)}`, null],
  ];
  for (const [href, expected] of forms) {
    await t.step(href.slice(0, 40) || "nothing", () => {
      const url = canonical(href, base);
      assertEquals(url, expected);
      if (url !== null) assertEquals(canonical(url), url);
    });
  }
});

function page(html: string | Uint8Array, charset: string | null = null) {
  return parse_page("http://example.com/a/", {
    status: 200,
    location: null,
    content_type: "text/html",
    charset,
    retry_after: null,
    body: Buffer.from(html),
  });
}

Deno.test("a page has a title, and each of its links once", () => {
  assertEquals(
    page(`<title>\n Rain &amp;\n sun </title><a href="b">1</a><a href="/a/b#x">2</a><a>3</a>
      <a href="c" rel="external nofollow">4</a><a href="mailto:x@y.example">5</a>`),
    { title: "Rain & sun", links: ["http://example.com/a/b"] },
  );
  assertEquals(page(""), { title: null, links: [] });
  assertEquals(page("<svg><title>drawing</title></svg><title>Page</title>").title, "Page");
  assertEquals(page(`<script>"<a href=x>"</script><!-- <a href=y> -->`).links, []);
});

Deno.test("a page may say what its links are relative to, and that they are not to be followed", () => {
  assertEquals(page(`<base href="//other.example/x/"><a href=y>`).links, [
    "http://other.example/x/y",
  ]);
  assertEquals(page(`<meta name="robots" content="noindex, NOFOLLOW"><a href=y>`).links, []);
});

Deno.test("a character set is taken from the BOM, the server, the page, or is UTF-8", () => {
  const e_acute = Uint8Array.of(0xe9);
  const title = (charset: string | null, ...parts: (string | Uint8Array)[]) =>
    page(Buffer.concat(parts.map((part) => Buffer.from(part))), charset).title;
  assertEquals(title(null, "<title>é</title>"), "é");
  assertEquals(title("latin1", "<title>", e_acute, "</title>"), "é");
  assertEquals(title(null, "<meta charset=latin1><title>", e_acute, "</title>"), "é");
  assertEquals(title("windows-1251", "<meta charset=latin1><title>", e_acute, "</title>"), "й");
  assertEquals(title("latin1", "\ufeff<title>é</title>"), "é");
  assertEquals(title("no-such-charset", "<title>é</title>"), "é");
});

const target = (url: string) => ({ url, depth: 0, redirects: 0 });

Deno.test("the frontier gives each URL once, and ends when all is done", () =>
  asyncio.run(async () => {
    const frontier = new Frontier(["http://seen"], [target("http://a")]);
    const urls = ["http://seen", "http://a", "http://b", "http://b"];
    const found = frontier.claim(urls.map(target));
    assertEquals(found.map(({ url }) => url), ["http://b"]);
    frontier.add(found);
    assertEquals(frontier.size, 2);
    const visited: string[] = [];
    const worker = asyncio.create_task(async () => {
      for await (const { url } of frontier) {
        visited.push(url);
        frontier.visited();
        frontier.done();
      }
    });
    await frontier.join();
    frontier.close();
    await worker;
    frontier.add(frontier.claim([target("http://c")]));
    assertEquals([visited, frontier.size], [["http://a", "http://b"], 1]);
  }, { loop_factory }));

Deno.test("the frontier gives hosts their turns", () =>
  asyncio.run(async () => {
    const add = (...urls: string[]) =>
      frontier.add(frontier.claim(urls.map((url) => target(`http://${url}`))));
    const take = async (count: number) => {
      const taken: string[] = [];
      for await (const { url } of frontier) {
        taken.push(url.replace("http://", ""));
        if (taken.length === count) break;
      }
      return taken.join(" ");
    };
    const frontier = new Frontier();
    add("a/1", "a/2", "a/3", "b/1", "b/2");
    assertEquals(await take(3), "a/1 b/1 a/2");
    // Who comes later is not behind the rounds that are over, nor before the one that is on.
    add("c/1", "c/2", "a/4");
    assertEquals(await take(5), "b/2 c/1 a/3 c/2 a/4");
  }, { loop_factory }));

Deno.test("requests to one host begin a delay apart; other hosts do not wait for it", () =>
  asyncio.run(async () => {
    const limits = new Limits(1, 2);
    const begun: [host: string, time: number][] = [];
    const request = async (host: string) => {
      using _ = await limits.begin(host);
      begun.push([host, asyncio.get_running_loop().time()]);
    };
    await asyncio.gather(
      ["a", "a", "a", "b", "b"].map((host) => asyncio.create_task(() => request(host))),
    );
    assertEquals(begun, [["a", 0], ["b", 0], ["a", 2], ["b", 2], ["a", 4]]);
  }, { loop_factory }));

Deno.test("there are so many requests at a time at most", () =>
  asyncio.run(async () => {
    const limits = new Limits(2, 0);
    let active = 0;
    let most = 0;
    const request = async () => {
      using _ = await limits.begin("a");
      most = Math.max(most, ++active);
      await asyncio.sleep(1);
      active--;
    };
    await asyncio.gather(Array.from({ length: 5 }, () => asyncio.create_task(request)));
    assertEquals([most, asyncio.get_running_loop().time()], [2, 3]);
  }, { loop_factory }));

Deno.test("a host that asks for it is left alone, for once or always", () =>
  asyncio.run(async () => {
    const loop = asyncio.get_running_loop();
    const limits = new Limits(2, 1);
    const begun: number[] = [];
    const request = async () => {
      using _ = await limits.begin("a");
      begun.push(loop.time());
    };
    await request();
    limits.pause("a", 10);
    await request();
    limits.slow_down("a", 5);
    await request();
    await request();
    limits.slow_down("a", 0.1);
    await request();
    assertEquals(begun, [0, 10, 15, 20, 25]);
  }, { loop_factory }));

Deno.test("a cancelled wait for a turn leaves the turn and the permit to the next", () =>
  asyncio.run(async () => {
    const limits = new Limits(1, 2);
    const first = await limits.begin("a");
    const waiting = ["a", "a", "b"].map((host) =>
      asyncio.create_task(async () => {
        using _ = await limits.begin(host);
        return asyncio.get_running_loop().time();
      })
    );
    await asyncio.sleep(1);
    waiting[0]!.cancel();
    first[Symbol.dispose]();
    const ends = await asyncio.gather(waiting, { return_exceptions: true });
    assert(ends[0] instanceof asyncio.CancelledError);
    assertEquals(ends.slice(1), [2, 1]);
  }, { loop_factory }));

/** A server that answers what it is told to, and remembers when it was asked for what. */
class Answers implements AsyncDisposable {
  readonly url: string;
  readonly asked: [path: string, time: number][] = [];
  readonly #server: Deno.HttpServer<Deno.NetAddr>;

  constructor(answer: (path: string, asked_before: number) => Response) {
    this.#server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, (request) => {
      const { pathname } = new URL(request.url);
      const before = this.asked.filter(([path]) => path === pathname).length;
      this.asked.push([pathname, performance.now() / 1000]);
      return answer(pathname, before);
    });
    this.url = `http://127.0.0.1:${this.#server.addr.port}/`;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#server.shutdown();
  }
}

function tools(start: string) {
  const limits = new Limits(2, 0);
  const client = new Client(options(start, { retries: 2 }), limits);
  return { client, robots: new Robots(client, limits) };
}

Deno.test("what may pass is asked for again, what may not is not", async () => {
  await using server = new Answers((path, before) => {
    if (path === "/recovers" && before < 2) return new Response(null, { status: 503 });
    return new Response(null, { status: path === "/fails" ? 500 : path === "/gone" ? 410 : 200 });
  });
  await asyncio.run(async () => {
    const { client } = tools(server.url);
    const get = async (path: string) => {
      const { answer, attempts } = await client.get(server.url + path);
      return [answer?.status, attempts];
    };
    assertEquals(await get("recovers"), [200, 3]);
    assertEquals(await get("fails"), [500, 3]);
    assertEquals(await get("gone"), [410, 1]);
  });
});

Deno.test("Retry-After is honoured, for all of the host", async () => {
  await using server = new Answers((path, before) =>
    path === "/limited" && before === 0
      ? new Response(null, { status: 429, headers: { "retry-after": "1" } })
      : new Response()
  );
  await asyncio.run(async () => {
    const { client } = tools(server.url);
    const limited = asyncio.create_task(() => client.get(`${server.url}limited`));
    while (server.asked.length === 0) await asyncio.sleep(0.001);
    await asyncio.sleep(0.05);
    await client.get(`${server.url}other`);
    assertEquals((await limited).attempts, 2);
  });
  const [[, first] = ["", NaN], ...rest] = server.asked;
  assertEquals(rest.map(([path]) => path).sort(), ["/limited", "/other"]);
  for (const [path, time] of rest) assert(time - first >= 0.99, `${path} ${time - first}`);
});

Deno.test("a server that wants to be left alone for long is not waited for", async () => {
  const date = new Date(Date.now() + 3_600_000).toUTCString();
  await using server = new Answers(() =>
    new Response(null, { status: 503, headers: { "retry-after": date } })
  );
  await asyncio.run(async () => {
    const { answer, attempts } = await tools(server.url).client.get(server.url);
    assertEquals([answer?.status, attempts], [503, 1]);
    const retry_after = answer?.retry_after ?? 0;
    assert(retry_after > 3590 && retry_after <= 3600, `${retry_after}`);
  });
});

Deno.test("robots.txt is asked for once, and obeyed", async () => {
  const text = "User-agent: *\nDisallow: /\n\nUser-agent: asyncio-crawler\nDisallow: /private/\n" +
    "Allow: /private/*.html\n";
  await using server = new Answers(() => new Response(text));
  await asyncio.run(async () => {
    const { robots } = tools(server.url);
    const objections = await asyncio.gather(
      ["", "private/", "private/a.html", "private/a.txt"].map((path) =>
        asyncio.create_task(() => robots.objection(server.url + path))
      ),
    );
    const objection = "robots.txt does not allow it";
    assertEquals(objections, [null, objection, null, objection]);
  });
  assertEquals(server.asked.map(([path]) => path), ["/robots.txt"]);
});

Deno.test("a site without robots.txt allows all, one that cannot give it allows nothing", async () => {
  let response = () => new Response(null, { status: 404 });
  await using server = new Answers((path) =>
    path === "/robots.txt" ? response() : new Response("User-agent: *\nDisallow: /")
  );
  const objection = () => asyncio.run(() => tools(server.url).robots.objection(`${server.url}x`));
  assertEquals(await objection(), null);
  response = () => new Response(null, { status: 500 });
  assertEquals(await objection(), "robots.txt could not be read: status 500");
  response = () => new Response(null, { status: 301, headers: { location: "/elsewhere.txt" } });
  assertEquals(await objection(), "robots.txt does not allow it");
  response = () => new Response(null, { status: 302, headers: { location: "/robots.txt" } });
  assertEquals(await objection(), null);
});

Deno.test("a crawl delay of robots.txt is kept", async () => {
  await using server = new Answers(() => new Response("User-agent: *\nCrawl-delay: 0.3"));
  await asyncio.run(async () => {
    const { client, robots } = tools(server.url);
    await robots.objection(server.url);
    await client.get(`${server.url}a`);
    await client.get(`${server.url}b`);
  });
  const times = server.asked.map(([, time]) => time);
  for (const n of [1, 2]) assert(times[n]! - times[n - 1]! >= 0.29, `${times[n]! - times[n - 1]!}`);
});
