/** The articles of the generated site, at `/<number>/`: most are plain, some are what the web is like. */

import iconv from "iconv-lite";
import { Buffer } from "node:buffer";
import { setTimeout as pause } from "node:timers/promises";
import { SeededRandom } from "../../seed/support/seeded_random.ts";
import { broken_html, html, type LanguageName, LANGUAGES, words } from "./content.ts";

/** How many of a thousand articles are of a kind; the rest is plain. */
const KINDS = [
  ["slow", 40],
  ["large", 15],
  ["broken", 40],
  ["latin", 30],
  ["russian", 30],
  ["japanese", 30],
  ["chinese", 30],
  ["wide", 20],
  ["document", 30],
  ["redirect", 60],
  ["loop", 20],
  ["endless", 5],
  ["private", 20],
  ["missing", 40],
  ["failing", 10],
  ["busy", 20],
  ["limited", 2],
] as const;

type Kind = typeof KINDS[number][0] | "plain";

/** Those that keep a visitor waiting. */
const WAITING: ReadonlySet<Kind> = new Set(["slow", "limited"]);

/** The milliseconds that a slow page takes, from and to. */
const SLOW = [50, 250] as const;

/** The seconds after which a limited page may be asked for again. */
const RETRY_AFTER = "1";

const WORDS_OF_LARGE = 40_000;

export class Articles {
  /** How many there are; their numbers begin at 1. */
  readonly count: number;
  readonly #seed: number;
  readonly #waits: boolean;

  /** Articles from a seed; `waits` is whether some are slow or have to be asked for later. */
  constructor(count: number, seed: number, waits: boolean) {
    this.count = count;
    this.#seed = seed;
    this.#waits = waits;
  }

  /** Answers for an article that was asked for so many times before. */
  async answer(number: number, asked_before: number): Promise<Response> {
    const random = this.#random(number);
    const kind = this.#kind(random);
    const links = this.#links(number, random);
    switch (kind) {
      case "slow":
        await pause(random.randint(...SLOW));
        return this.#page(number, random, links);
      case "large":
        return this.#page(number, random, links, WORDS_OF_LARGE);
      case "broken": {
        const text = words(random, "english", 20);
        return page(Buffer.from(broken_html(`Article ${number} & more`, text, links)));
      }
      case "latin":
        return this.#encoded(number, random, links, "french", "windows-1252", "header");
      case "russian":
        return this.#encoded(number, random, links, "russian", "windows-1251", "header");
      case "japanese":
        return this.#encoded(number, random, links, "japanese", "shift_jis", "meta");
      case "chinese":
        return this.#encoded(number, random, links, "chinese", "gbk", "meta");
      case "wide":
        return this.#encoded(number, random, links, "russian", "utf-16le", "bom");
      case "document":
        return new Response("%PDF-1.7 …", { headers: { "content-type": "application/pdf" } });
      case "redirect":
        return redirect([301, 302, 303, 307, 308][random.randint(0, 4)]!, links[0]!);
      case "loop":
        return redirect(302, `/loop/${number}/a/`);
      case "endless":
        return redirect(302, `/endless/${number}/1/`);
      case "private":
        return this.#page(number, random, [...links, `/private/${number}/`]);
      case "missing":
        return new Response("not found", { status: 404 });
      case "failing":
        return new Response("failed", { status: 500 });
      case "busy":
        if (asked_before === 0) return new Response("busy", { status: 503 });
        return this.#page(number, random, links);
      case "limited":
        if (asked_before > 0) return this.#page(number, random, links);
        return new Response("slowly", { status: 429, headers: { "retry-after": RETRY_AFTER } });
      case "plain":
        return this.#page(number, random, links);
    }
  }

  /** A generator for one article alone, so that it is the same whatever was asked before. */
  #random(number: number): SeededRandom {
    const random = new SeededRandom(this.#seed * 7919 + number * 104_729);
    // The first numbers of neighbours are alike.
    for (let skipped = 0; skipped < 3; skipped++) random.randint(0, 1);
    return random;
  }

  #kind(random: SeededRandom): Kind {
    let draw = random.randint(0, 999);
    for (const [kind, share] of KINDS) {
      if (draw < share) return this.#waits || !WAITING.has(kind) ? kind : "plain";
      draw -= share;
    }
    return "plain";
  }

  /** Where an article leads: to others, each spelled in one of the ways in which links are. */
  #links(number: number, random: SeededRandom): string[] {
    return Array.from({ length: random.randint(2, 8) }, () => {
      const other = random.randint(1, this.count);
      const spellings = [
        `/${other}/`,
        `../${other}/`,
        `/${other}/#comments`,
        `/./${number}/../${other}/`,
        `/%3${String(other)[0]}${String(other).slice(1)}/`,
      ];
      return spellings[random.randint(0, spellings.length - 1)]!;
    });
  }

  #page(number: number, random: SeededRandom, links: readonly string[], count = 30): Response {
    const text = words(random, "english", count);
    const others = ["mailto:editor@example.com", "javascript:void(0)", "#top", ""];
    return page(Buffer.from(html(`Article ${number}`, text, [...links, ...others])));
  }

  /** A page in another character set, which is named in one of three places. */
  #encoded(
    number: number,
    random: SeededRandom,
    links: readonly string[],
    language: LanguageName,
    charset: string,
    named_in: "header" | "meta" | "bom",
  ): Response {
    const title = `${LANGUAGES[language].article} ${number}`;
    const meta = named_in === "meta" ? `<meta charset="${charset}">` : "";
    const text = html(title, words(random, language, 30), links, meta);
    const body = iconv.encode(text, charset, { addBOM: named_in === "bom" });
    return page(body, named_in === "header" ? charset : null);
  }
}

function page(body: Buffer, charset: string | null = null): Response {
  const content_type = charset === null ? "text/html" : `text/html; charset=${charset}`;
  return new Response(new Uint8Array(body), { headers: { "content-type": content_type } });
}

/** A redirect, to somewhere on the same site. */
export function redirect(status: number, location: string): Response {
  return new Response(null, { status, headers: { location } });
}
