/** A web site that is generated from a seed, served on loopback. */

import { Articles, redirect } from "./articles.ts";
import { html } from "./content.ts";

export interface SiteOptions {
  /** The port; 0 is any that is free. */
  readonly port?: number;
  /** How many articles there are. */
  readonly articles?: number;
  /** What the articles are made from. */
  readonly seed?: number;
  /** True if some articles are slow, or answered with `Retry-After`. */
  readonly waits?: boolean;
}

/** How many articles a page of the contents lists. */
const LISTED = 50;

const ROBOTS = "User-agent: *\nDisallow: /private/\n";

export class Site implements AsyncDisposable {
  /** Its start page. */
  readonly url: string;
  /** How often each path was asked for. */
  readonly requests = new Map<string, number>();
  /** Called at each request. */
  readonly #waiters = new Set<() => void>();
  /** Fulfilled when it answers; `null` if it does. */
  #held: Promise<void> | null = null;
  readonly #articles: Articles;
  readonly #server: Deno.HttpServer<Deno.NetAddr>;

  constructor({ port = 0, articles = 3000, seed = 1, waits = true }: SiteOptions = {}) {
    this.#articles = new Articles(articles, seed, waits);
    this.#server = Deno.serve(
      { port, hostname: "127.0.0.1", onListen: () => {} },
      (request) => this.#answer(new URL(request.url).pathname),
    );
    this.url = `http://127.0.0.1:${this.#server.addr.port}/`;
  }

  /** Fulfilled when the site has ended. */
  get finished(): Promise<void> {
    return this.#server.finished;
  }

  /** Fulfilled when so many more requests have come in. */
  asked(count: number): Promise<void> {
    return new Promise((resolve) => {
      let left = count;
      const waiter = () => {
        if (--left > 0) return;
        this.#waiters.delete(waiter);
        resolve();
      };
      this.#waiters.add(waiter);
    });
  }

  /** Holds all answers back until the end of the scope. */
  hold(): Disposable {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#held = promise;
    return {
      [Symbol.dispose]: () => {
        this.#held = null;
        resolve();
      },
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }

  async #answer(path: string): Promise<Response> {
    const asked_before = this.requests.get(path) ?? 0;
    this.requests.set(path, asked_before + 1);
    for (const waiter of this.#waiters) waiter();
    await this.#held;
    const [, first, second = "", third = ""] = path.split("/");
    const number = Number(second);
    if (path === "/") return this.#contents(1);
    if (path === "/robots.txt") return new Response(ROBOTS);
    if (first === "contents") return this.#contents(number);
    if (first === "loop") return redirect(302, `/loop/${second}/${third === "a" ? "b" : "a"}/`);
    if (first === "endless") return redirect(302, `/endless/${second}/${Number(third) + 1}/`);
    if (first === "private") return new Response("nobody should read this");
    if (/^\/[1-9]\d*\/$/.test(path) && Number(first) <= this.#articles.count) {
      return this.#articles.answer(Number(first), asked_before);
    }
    return new Response("not found", { status: 404 });
  }

  /** A page of the contents, which leads to articles and to the next page. */
  #contents(number: number): Response {
    const first = (number - 1) * LISTED + 1;
    const last = Math.min(first + LISTED - 1, this.#articles.count);
    if (!Number.isInteger(number) || number < 1 || first > last) {
      return new Response("not found", { status: 404 });
    }
    const links = Array.from({ length: last - first + 1 }, (_, n) => `/${first + n}/`);
    if (last < this.#articles.count) links.push(`/contents/${number + 1}/`);
    const text = html(`Contents, page ${number}`, `Articles ${first} to ${last}`, links);
    return new Response(text, { headers: { "content-type": "text/html; charset=utf-8" } });
  }
}
