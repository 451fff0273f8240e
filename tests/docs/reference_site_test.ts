/// <reference lib="dom" />
/// <reference lib="dom.iterable" />

/** The reference as a website: what its pages link to, and that they fit phones and desktops. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { existsSync } from "node:fs";
import { build_reference } from "../../scripts/build_reference.ts";
import { ENTRY_POINTS } from "../../scripts/entry_points.ts";
import { sources_of } from "../../scripts/sources.ts";
import { CHROMIUM, launch_chromium } from "../chromium.ts";
import { ROOT } from "./document.ts";

const SOURCES = "https://example.org/somebody/asyncio/blob/0123abc";

/** Pages of each kind, and those that were too wide once. */
const PAGES = [
  "index.html",
  "hierarchy.html",
  ...ENTRY_POINTS.map(({ specifier }) => `modules/${specifier.replaceAll(/[@/]/g, "_")}.html`),
  "classes/_pythonic_asyncio.BrokenPipeError.html",
  "classes/_pythonic_asyncio.WorkerPoolExecutor.html",
  "classes/_pythonic_asyncio_testing.VirtualClockEventLoop.html",
  "functions/_pythonic_asyncio.gather.html",
  "interfaces/_pythonic_asyncio.BaseEventLoop.html",
  "interfaces/_pythonic_asyncio.FlowControlMixin.html",
  "variables/_pythonic_asyncio.FIRST_COMPLETED.html",
];

/** What has no line with its name: an interface that is its calls, and the default export. */
const NAMELESS = ["Chain", "default"];

/** What a page links to, with the texts of the links. */
function links_of(html: string): { href: string; text: string }[] {
  return [...html.matchAll(/<a href="([^"]+)"[^>]*>(.*?)<\/a>/gs)].map(([, href, text]) => ({
    href: href!,
    text: text!,
  }));
}

function pages_below(folder: string): string[] {
  return [...Deno.readDirSync(folder)].flatMap(({ name, isDirectory }) => {
    const path = `${folder}/${name}`;
    if (isDirectory) return pages_below(path);
    return name.endsWith(".html") ? [path] : [];
  });
}

Deno.test("the reference: its links lead to lines of the sources, and its pages fit", async (t) => {
  const folder = await Deno.makeTempDir({ prefix: "reference-" });
  try {
    await build_reference(folder, SOURCES);
    const pages = pages_below(folder);
    assert(pages.length > 300);

    await t.step("each page of a name links to the line where that is declared", async () => {
      const wrong: string[] = [];
      for (const page of pages) {
        const name = page.match(
          /\/(?:classes|functions|interfaces|types|variables)\/.*\.(\w+)\.html$/,
        )
          ?.[1];
        if (name === undefined || NAMELESS.includes(name)) continue;
        const links = links_of(await Deno.readTextFile(page));
        const places = links.filter(({ href }) => href.startsWith(SOURCES)).map(({ href }) =>
          href.slice(SOURCES.length + 1).split("#L")
        );
        const lines = await Promise.all(places.map(async ([file, line]) => {
          const text = await Deno.readTextFile(new URL(file!, ROOT));
          return text.split("\n")[Number(line) - 1] ?? "";
        }));
        if (!lines.some((line) => line.includes(name))) wrong.push(`${name}: ${places.join()}`);
      }
      assertEquals(wrong, []);
    });

    await t.step("the first crumb is called after the package", async () => {
      const page = await Deno.readTextFile(`${folder}/functions/_pythonic_asyncio.gather.html`);
      const crumbs = page.match(/<ul class="tsd-breadcrumb"[^>]*>(.*?)<\/ul>/s)?.[1] ?? "";
      assertEquals(links_of(crumbs)[0]?.text, "@pythonic/asyncio");
    });

    await t.step(
      "the start page lists the entry points, the first first, and what they are",
      async () => {
        const page = await Deno.readTextFile(`${folder}/index.html`);
        const listed = links_of(page).filter(({ href }) => href.startsWith("modules/"))
          .map(({ text }) => text);
        assertEquals(new Set(listed), new Set(ENTRY_POINTS.map(({ specifier }) => specifier)));
        assertEquals(listed[0], "@pythonic/asyncio");
        assertMatch(page, /Python's asyncio for TypeScript: the same names/);
      },
    );

    await t.step("no name is without a category, and what consoles call is left out", async () => {
      for (const { specifier } of ENTRY_POINTS) {
        const name = specifier.replaceAll(/[@/]/g, "_");
        const page = await Deno.readTextFile(`${folder}/modules/${name}.html`);
        assertEquals(page.includes('id="other"'), false, specifier);
      }
      const group = await Deno.readTextFile(`${folder}/classes/_pythonic_asyncio.TaskGroup.html`);
      assertEquals(group.includes("_inspect"), false);
    });

    await t.step({
      name: "no page is wider than a phone or a desktop",
      ignore: !existsSync(CHROMIUM),
      async fn() {
        const browser = await launch_chromium();
        try {
          const page = await browser.newPage();
          const wide: string[] = [];
          for (const path of PAGES) {
            await page.goto(`file://${folder}/${path}`);
            for (const width of [390, 1280]) {
              await page.setViewportSize({ width, height: 844 });
              const is_wide = await page.evaluate(() =>
                document.documentElement.scrollWidth > innerWidth
              );
              if (is_wide) wide.push(`${path} at ${width}`);
              if (width < 1000) continue;
              await page.locator(".site-menu nav a").first().waitFor();
              const cut = await page.evaluate(() => {
                const menu = document.querySelector(".site-menu")!;
                const { right } = menu.getBoundingClientRect();
                return [...menu.querySelectorAll("nav a > span")].filter((name) =>
                  name.getBoundingClientRect().right > right
                ).map(({ textContent }) => textContent);
              });
              if (cut.length > 0) wide.push(`${path} at ${width} cuts ${cut.join()}`);
            }
          }
          assertEquals(wide, []);
        } finally {
          await browser.close();
        }
      },
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("build_reference: where the sources are not on the web, their lines are no links", async () => {
  const folder = await Deno.makeTempDir({ prefix: "reference-" });
  try {
    await build_reference(folder, null, ENTRY_POINTS.filter(({ name }) => name === "./lint"));
    for (const path of pages_below(folder)) {
      const page = await Deno.readTextFile(path);
      assertEquals(links_of(page).filter(({ href }) => href.includes("null")), []);
      assertEquals(page.includes(ROOT.pathname), false);
    }
    assertMatch(await Deno.readTextFile(`${folder}/variables/default.html`), /lint\.ts:\d+/);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("sources_of: a host with pages for its files is linked to, any other one is not", () => {
  const of = (repository: string | null) => sources_of(repository, "abc");
  assertEquals(of("git+https://example.org/a/b.git"), "https://example.org/a/b/blob/abc");
  assertEquals(of("git+http://example.org:81/a/b.git"), "http://example.org:81/a/b/blob/abc");
  assertEquals([of(null), of("git://example.org/a/b.git")], [null, null]);
});
