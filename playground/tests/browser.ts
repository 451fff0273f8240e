/** One browser and one server for all tests of a file. */

import { existsSync } from "node:fs";
import type { Server } from "node:http";
import type { Browser } from "playwright-core";
import { build } from "../scripts/build.ts";
import { serve_playground } from "../scripts/server.ts";
import { CHROMIUM, launch_chromium } from "../../tests/chromium.ts";
import { Playground, type View } from "./page.ts";

// True if there is one on this machine.
const has_chromium = existsSync(CHROMIUM);
if (!has_chromium) console.log(`Pages are not tested: there is no ${CHROMIUM}.`);

let folder: string;
let browser: Browser;
let server: Server;
let url: string;
if (has_chromium) {
  Deno.test.beforeAll(async () => {
    folder = await Deno.makeTempDir({ prefix: "playground-" });
    await build(folder);
    [browser, { server, url }] = await Promise.all([
      launch_chromium(),
      serve_playground(folder, 0),
    ]);
  });
  Deno.test.afterAll(async () => {
    await browser.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await Deno.remove(folder, { recursive: true });
  });
}

/** A test of the playground in a browser; skipped where there is none. */
export function browser_test(
  name: string,
  test: (open: (view?: View) => Promise<Playground>, t: Deno.TestContext) => Promise<void>,
): void {
  Deno.test({
    name,
    ignore: !has_chromium,
    async fn(t) {
      const opened: Playground[] = [];
      try {
        await test(async (view) => {
          const playground = await Playground.open(browser, url, view);
          opened.push(playground);
          return playground;
        }, t);
      } finally {
        for (const { page } of opened) await page.context().close();
      }
    },
  });
}
