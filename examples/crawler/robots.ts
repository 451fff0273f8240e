/** What sites say in their robots.txt: https://www.rfc-editor.org/rfc/rfc9309. */

// @ts-types="./robots_parser.d.ts"
import robots_parser, { type Robot } from "robots-parser";
import * as asyncio from "../../mod.ts";
import type { Client } from "./client.ts";
import { USER_AGENT } from "./download.ts";
import type { HostLimits } from "./limits.ts";
import { canonical } from "./urls.ts";

interface Site {
  /** Held while robots.txt is being read. */
  readonly lock: asyncio.Lock;
  /** What it says, or why it could not be read. */
  rules: Robot | Unreadable | null;
}

/** A site that cannot say what it allows allows nothing. */
class Unreadable {
  readonly problem: string;

  constructor(problem: string) {
    this.problem = problem;
  }
}

/** How many redirects of robots.txt are followed. */
const REDIRECTS = 5;

export class Robots {
  readonly #client: Client;
  readonly #limits: HostLimits;
  readonly #sites = new Map<string, Site>();

  constructor(client: Client, limits: HostLimits) {
    this.#client = client;
    this.#limits = limits;
  }

  /** Why a URL may not be visited; `null` if it may. Reads the robots.txt of its site the first time. */
  async objection(url: string): Promise<string | null> {
    const { origin, host } = new URL(url);
    let site = this.#sites.get(origin);
    if (site === undefined) {
      site = { lock: new asyncio.Lock(), rules: null };
      this.#sites.set(origin, site);
    }
    if (site.rules === null) {
      using _ = await site.lock.acquire();
      site.rules ??= await this.#read(`${origin}/robots.txt`, host);
    }
    if (site.rules instanceof Unreadable) {
      return `robots.txt could not be read: ${site.rules.problem}`;
    }
    return site.rules.isAllowed(url, USER_AGENT) === false ? "robots.txt does not allow it" : null;
  }

  async #read(url: string, host: string): Promise<Robot | Unreadable> {
    const text = await this.#text(url);
    if (text instanceof Unreadable) return text;
    const rules = robots_parser(url, text);
    const delay = rules.getCrawlDelay(USER_AGENT);
    if (delay !== undefined) await this.#limits.slow_down(host, delay);
    return rules;
  }

  /** The text that is found behind redirects; it is empty where there is none. */
  async #text(url: string): Promise<string | Unreadable> {
    for (let left = REDIRECTS, next = url; left > 0; left--) {
      const { answer, problem } = await this.#client.get(next);
      if (answer === null) return new Unreadable(problem ?? "no answer");
      const { status, location, body } = answer;
      if (status >= 500) return new Unreadable(`status ${status}`);
      if (status < 300) return new TextDecoder().decode(body);
      const target = location === null ? null : canonical(location, next);
      if (status >= 400 || target === null) break;
      next = target;
    }
    return "";
  }
}
