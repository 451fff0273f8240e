/** Links in the Markdown files lead somewhere, and every page is found from the index. */

import { assert, assertEquals } from "@std/assert";
import { type Document, find_documents, read, ROOT } from "./document.ts";

const DOCUMENTS = new Map<string, Document>();
for (const path of await find_documents()) {
  DOCUMENTS.set(new URL(path, ROOT).href, await read(path));
}

/** A link inside of the repository. */
interface Target {
  /** Where it is: `README.md:12 docs/`. */
  readonly place: string;
  readonly from: Document;
  /** The file or folder it leads to. */
  readonly url: URL;
  /** The part of the page, or "". */
  readonly anchor: string;
}

function targets_of(from: Document): Target[] {
  return from.links.filter(({ url }) => !/^[a-z]+:/i.test(url)).map(({ url, line }) => {
    const target = new URL(url, new URL(from.path, ROOT));
    const anchor = decodeURIComponent(target.hash.slice(1));
    target.hash = "";
    return { place: `${from.path}:${line} ${url}`, from, url: target, anchor };
  });
}

const TARGETS = [...DOCUMENTS.values()].flatMap(targets_of);

async function exists(url: URL): Promise<boolean> {
  try {
    await Deno.stat(url);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

Deno.test("every relative link leads to a file or folder", async () => {
  assert(TARGETS.length > 30);
  const found = await Promise.all(TARGETS.map(({ url }) => exists(url)));
  assertEquals(TARGETS.filter((_, index) => !found[index]).map(({ place }) => place), []);
});

Deno.test("every link to a part of a page leads to a heading", () => {
  const with_anchor = TARGETS.filter(({ anchor }) => anchor !== "");
  assert(with_anchor.length > 10);
  const lost = with_anchor.filter(({ url, anchor }) =>
    !DOCUMENTS.get(url.href)?.anchors.has(anchor)
  );
  assertEquals(lost.map(({ place }) => place), []);
});

Deno.test("the index of the documentation leads to every page", () => {
  const reached = TARGETS.filter(({ from }) => from.path === "docs/README.md")
    .map(({ url }) => url.href);
  const pages = [...DOCUMENTS].filter(([, { path }]) =>
    path.startsWith("docs/") && path !== "docs/README.md"
  );
  assertEquals(pages.filter(([href]) => !reached.includes(href)).map(([, { path }]) => path), []);
});
