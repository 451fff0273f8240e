/** What a page has to say: its title and its links. */

import { load } from "cheerio/slim";
import { decodeBuffer } from "encoding-sniffer";
import type { Answer } from "./download.ts";
import { canonical } from "./urls.ts";

export interface Contents {
  readonly title: string | null;
  /** The canonical form of every link to be followed, each once, in the order of the page. */
  readonly links: readonly string[];
}

/** What is HTML; of anything else there is nothing to read. */
const HTML: ReadonlySet<string | null> = new Set(["text/html", "application/xhtml+xml", null]);

/** Reads a page; its character set is the one that its BOM, the server or the page itself names. */
export function parse_page(url: string, { content_type, charset, body }: Answer): Contents {
  if (!HTML.has(content_type)) return { title: null, links: [] };
  const $ = load(decodeBuffer(body, {
    ...(charset === null ? {} : { transportLayerEncodingLabel: charset }),
    defaultEncoding: "utf-8",
  }));
  const title = $("title:not(svg *)").first().text().trim().replaceAll(/\s+/g, " ");
  const base = canonical($("base[href]").attr("href") ?? "", url) ?? url;
  const followed = $("meta[name=robots][content*=nofollow i]").length > 0
    ? []
    : $("a[href]:not([rel~=nofollow])").toArray();
  const links = followed
    .map(({ attribs }) => canonical(attribs["href"] ?? "", base))
    .filter((link) => link !== null);
  return { title: title || null, links: [...new Set(links)] };
}
