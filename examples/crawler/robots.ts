/** What sites say in their robots.txt: https://www.rfc-editor.org/rfc/rfc9309. */

// @ts-types="./robots_parser.d.ts"
import robots_parser, { type Robot } from "robots-parser";
import * as asyncio from "../../mod.ts";
import type { Client } from "./client.ts";
import { USER_AGENT } from "./download.ts";
import type { Limits } from "./limits.ts";

interface Site {
  /** Held while robots.txt is being read. */
  readonly lock: asyncio.Lock;
  rules: Robot | null;
}

/** How many redirects of robots.txt are followed. */
const REDIRECTS = 5;

const NOTHING_ALLOWED = "User-agent: *\nDisallow: /\n";

export class Robots {
  readonly #client: Client;
  readonly #limits: Limits;
  readonly #sites = new Map<string, Site>();

  constructor(client: Client, limits: Limits) {
    this.#client = client;
    this.#limits = limits;
  }

  /** Whether a URL may be visited; reads the robots.txt of its site the first time. */
  async allows(url: string): Promise<boolean> {
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
    return site.rules.isAllowed(url, USER_AGENT) ?? true;
  }

  async #read(url: string, host: string): Promise<Robot> {
    const rules = robots_parser(url, await this.#text(url));
    const delay = rules.getCrawlDelay(USER_AGENT);
    if (delay !== undefined) this.#limits.slow_down(host, delay);
    return rules;
  }

  async #text(url: string): Promise<string> {
    for (let left = REDIRECTS, next = url; left > 0; left--) {
      const { answer } = await this.#client.get(next);
      if (answer === null || answer.status >= 500) return NOTHING_ALLOWED;
      if (answer.status < 300) return new TextDecoder().decode(answer.body);
      const target = answer.location === null ? null : URL.parse(answer.location, next);
      if (answer.status >= 400 || target === null) break;
      next = target.href;
    }
    return "";
  }
}
