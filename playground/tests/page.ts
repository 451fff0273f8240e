/// <reference lib="dom" />
/// <reference lib="dom.iterable" />

/** The playground as its reader uses it. */

import type { Browser, Page } from "playwright-core";

/** How a reader looks at it. */
export interface View {
  readonly width?: number;
  readonly height?: number;
  readonly scheme?: "light" | "dark";
}

/** The page, in a browser of its own width and colours. */
export class Playground {
  readonly page: Page;
  readonly #url: string;

  private constructor(page: Page, url: string) {
    this.page = page;
    this.#url = url;
  }

  /** Opens the page and waits until it can be used. */
  static async open(browser: Browser, url: string, view: View = {}): Promise<Playground> {
    const { width = 1280, height = 800, scheme = "light" } = view;
    const page = await browser.newPage({ viewport: { width, height }, colorScheme: scheme });
    page.setDefaultTimeout(30_000);
    const playground = new Playground(page, url);
    await page.goto(url);
    await page.waitForSelector("body.is-ready");
    return playground;
  }

  /** Picks one of the programs to begin with. */
  async pick(sample: string): Promise<void> {
    await this.page.getByRole("combobox", { name: "Program" }).selectOption(sample);
    await this.page.waitForURL(`${this.#url}#${sample}`);
  }

  /** Writes a program of one's own. */
  async write(source: string): Promise<void> {
    const editor = this.page.locator(".cm-content");
    await editor.click();
    await this.page.keyboard.press("Control+a");
    await this.page.keyboard.insertText(source);
  }

  /** Presses Run and waits for the end. */
  async run(): Promise<void> {
    await this.page.getByRole("button", { name: "Run" }).click();
    await this.ended();
  }

  /** Waits until the program has ended. */
  async ended(): Promise<void> {
    await this.page.locator("#status", { hasText: /Finished|Ended|Stopped/ }).waitFor();
    await this.page.waitForFunction(() => !document.body.classList.contains("is-running"));
    // The picture is drawn in the next frame.
    await this.page.evaluate(() => new Promise((resolve) => requestAnimationFrame(resolve)));
  }

  status(): Promise<string> {
    return this.page.locator("#status").innerText();
  }

  /** What the program has written. */
  async output(): Promise<string> {
    const lines = await this.page.locator("#output > div").allTextContents();
    return lines.map((line) => line.endsWith("\n") ? line : `${line}\n`).join("");
  }

  /** How many tasks have a row in the timeline. */
  rows(): Promise<number> {
    return this.page.locator("#timeline [data-task]").count();
  }
}

/** A program in a task, in lines whose numbers are easy to tell. */
export function in_main(...lines: string[]): string {
  return [
    'import * as asyncio from "@pythonic/asyncio";',
    "await asyncio.run(async () => {",
    ...lines,
    "});",
  ].join("\n");
}
