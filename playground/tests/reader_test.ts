/// <reference lib="dom" />
/// <reference lib="dom.iterable" />

/** The playground, in a browser: the keyboard, phones, light and dark, and who reads by ear. */

import { readFileSync } from "node:fs";
import { assert, assertEquals, assertMatch } from "@std/assert";
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
