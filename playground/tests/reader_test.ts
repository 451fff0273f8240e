/// <reference lib="dom" />
/// <reference lib="dom.iterable" />

/** The playground, in a browser: the keyboard, phones, light and dark, and who reads by ear. */

import { readFileSync } from "node:fs";
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { address_of, write_guides } from "../scripts/guides.ts";
import { browser_test } from "./browser.ts";
import { in_main, type View } from "./page.ts";

browser_test(
  "everything can be done from the keyboard, and one sees where one is",
  async (open) => {
    const playground = await open();
    const { page } = playground;
    // Where Tab goes; each place has an outline that can be seen.
    const places = async () => {
      const visited: string[] = [];
      await page.locator("#sample").focus();
      for (let at = "sample"; at !== "" && visited.length < 20;) {
        visited.push(at);
        await page.keyboard.press("Tab");
        const [place, outline] = await page.evaluate(() => {
          const element = document.activeElement;
          if (element === null || element === document.body) return ["", ""];
          const shown = element.closest("#editor .cm-editor") ?? element;
          const id = element.closest("[id]")?.id ?? "";
          return [id, getComputedStyle(shown).outlineStyle];
        });
        if (place !== "") assertEquals(outline, "solid", place);
        at = place;
      }
      return visited;
    };
    assertEquals(await places(), ["sample", "time", "run", "editor", "output"]);

    await page.getByRole("combobox", { name: "Program" }).focus();
    await page.keyboard.type("chained");
    await page.keyboard.press("Control+Enter");
    await playground.ended();
    assertMatch(await playground.output(), /Program finished in/);
    assertEquals((await places()).slice(5), ["timeline", "save-picture", "save-trace"]);
    await page.locator("#run").focus();
    await page.keyboard.press("Enter");
    await playground.ended();

    await playground.write("for (;;);\n");
    await page.keyboard.press("Control+Enter");
    await page.locator("#status", { hasText: "Running" }).waitFor();
    await page.keyboard.press("Control+.");
    await playground.ended();
    assertEquals(await playground.status(), "Stopped.");
  },
);

const VIEWS: Readonly<Record<string, View>> = {
  "a desktop, light": { width: 1280, height: 800, scheme: "light" },
  "a desktop, dark": { width: 1280, height: 800, scheme: "dark" },
  "a phone, light": { width: 360, height: 740, scheme: "light" },
  "a phone, dark": { width: 360, height: 740, scheme: "dark" },
};

browser_test("light and dark, on a phone's width and a desktop's", async (open, t) => {
  const axe = readFileSync(new URL(import.meta.resolve("axe-core/axe.min.js")), "utf-8");
  for (const [name, view] of Object.entries(VIEWS)) {
    await t.step(name, async () => {
      const playground = await open(view);
      const { page } = playground;
      const fits = () => page.evaluate(() => document.documentElement.scrollWidth <= innerWidth);
      assert(await fits(), "before it has run");
      for (const sample of ["rand", "async_queue"]) {
        await playground.pick(sample);
        await playground.run();
        assert(await fits(), sample);
      }
      await playground.write(in_main("  throw new Error('x'.repeat(500));"));
      await playground.run();
      assert(await fits(), "an error without a place to break");
      await page.addScriptTag({ content: axe });
      const violations = await page.evaluate(async () => {
        const { violations } = await (globalThis as unknown as { axe: Axe }).axe.run();
        return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join()}`);
      });
      assertEquals(violations, []);
      const page_colour = await page.evaluate(() =>
        getComputedStyle(document.body).backgroundColor
      );
      assertEquals(page_colour, view.scheme === "dark" ? "rgb(13, 17, 23)" : "rgb(255, 255, 255)");
      await page.close();
    });
  }
});

interface Axe {
  run(): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }>;
}

/** The texts of the timeline that are not where they should be. */
function texts_outside(): string[] {
  const svg = document.querySelector("#timeline svg");
  if (svg === null) return ["there is no picture"];
  const texts = [...svg.querySelectorAll("text")].filter((text) => {
    const { left, right } = text.getBoundingClientRect();
    const is_in_bar = text.matches(".inside:not(.error)");
    const room = (is_in_bar ? text.previousElementSibling : svg)?.getBoundingClientRect();
    return room === undefined || left < room.left - 0.5 || right > room.right + 0.5;
  });
  return texts.map(({ textContent }) => textContent);
}

const WIDE_TEXTS = in_main(
  "  const fails = (delay) => async () => {",
  "    await asyncio.sleep(delay);",
  "    throw new RangeError('W'.repeat(30) + ' is a message of some length');",
  "  };",
  "  const names = ['WWWWWWWWWWWWWWWWWWWW', '任务'.repeat(12), 'i'.repeat(60), 'm@%&<>\"'];",
  "  const tasks = names.map((name, index) =>",
  "    asyncio.create_task(fails(index + 0.123456), { name }));",
  "  await asyncio.gather(tasks, { return_exceptions: true });",
);

browser_test("no text of a timeline leaves the picture or its bar", async (open, t) => {
  for (const width of [360, 1280]) {
    const playground = await open({ width });
    const { page } = playground;
    for (const sample of ["async_queue", "chained"]) {
      await t.step(`${sample}, ${width} pixels`, async () => {
        await playground.pick(sample);
        await playground.run();
        assertEquals(await page.evaluate(texts_outside), []);
      });
    }
    await t.step(`long names and errors, ${width} pixels`, async () => {
      await playground.write(WIDE_TEXTS);
      await playground.run();
      assertEquals(await playground.rows(), 5);
      assertEquals(await page.evaluate(texts_outside), []);
    });
  }
});

browser_test("the guides are a link away, and fit a phone", async (open) => {
  const playground = await open({ width: 390 });
  const { page } = playground;
  const documentation = page.getByRole("navigation", { name: "Documentation" });
  for (const link of await documentation.getByRole("link").all()) {
    const href = await link.getAttribute("href");
    const answer = await page.request.get(new URL(href ?? "", page.url()).href);
    assertEquals([href, answer.status()], [href, 200]);
  }
  await documentation.getByRole("link", { name: "Documentation" }).click();
  await page.waitForURL(/guides\/index\.html$/);
  const guides = await page.locator("main a[href$='.html']").evaluateAll((links) =>
    links.map((link) => (link as HTMLAnchorElement).href)
  );
  assert(guides.length > 10);
  for (const guide of [page.url(), ...new Set(guides)]) {
    await page.goto(guide);
    const fits = await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth);
    assert(fits, `${guide} is wider than a phone`);
  }
  await page.getByRole("link", { name: "Playground" }).click();
  await page.waitForSelector("body.is-ready");
});

Deno.test("the guides' links lead to headings of guides, or to the repository if it is on the web", async () => {
  const folder = await Deno.makeTempDir({ prefix: "guides-" });
  try {
    await write_guides(folder, null);
    const files = [...Deno.readDirSync(folder)].map(({ name }) => name);
    const pages = new Map(
      files.filter((name) => name.endsWith(".html")).map((name) => [
        name,
        readFileSync(`${folder}/${name}`, "utf-8"),
      ]),
    );
    const lost: string[] = [];
    for (const [from, html] of pages) {
      for (const [, href = ""] of html.split("<main>")[1]!.matchAll(/(?:href|src)="([^"]*)"/g)) {
        if (/^https?:/.test(href)) continue;
        const [file = "", anchor] = href.split("#");
        const page = pages.get(file === "" ? from : file);
        const is_there = page === undefined
          ? files.includes(file)
          : anchor === undefined || page.includes(`id="${decodeURIComponent(anchor)}"`);
        if (!is_there) lost.push(`${from}: ${href}`);
      }
    }
    assertEquals(lost, []);
    assertStringIncludes(pages.get("index.html") ?? "", '<a href="cancellation.html">');
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
  assertEquals(address_of("../CONTRIBUTING.md#a", null), null);
  assertEquals(
    address_of("../CONTRIBUTING.md#a", "https://x.org"),
    "https://x.org/CONTRIBUTING.md#a",
  );
});
