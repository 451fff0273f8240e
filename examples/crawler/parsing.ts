/** What a page has to say: its title and its links. */

import { loadBuffer } from "cheerio";
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
  const $ = loadBuffer(body, {
    encoding: { transportLayerEncodingLabel: charset ?? undefined, defaultEncoding: "utf-8" },
  });
  const title = $("title").first().text().trim().replaceAll(/\s+/g, " ");
  const base = canonical($("base[href]").attr("href") ?? "", url) ?? url;
  const hrefs = $("meta[name=robots][content*=nofollow i]").length > 0
    ? []
    : $("a[href]:not([rel~=nofollow])").map((_, element) => $(element).attr("href")).get();
  const links = hrefs.map((href) => canonical(href, base)).filter((link) => link !== null);
  return { title: title || null, links: [...new Set(links)] };
}
