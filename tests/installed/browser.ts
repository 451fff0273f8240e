/** Debian's Chromium, without a window. */

import type { Page } from "playwright-core";
import { launch_chromium } from "../chromium.ts";
import { find_report, type Host, TIME_LIMIT } from "./hosts.ts";
import { MARK } from "./host/runner.ts";

const TYPES: Readonly<Record<string, string>> = {
  js: "text/javascript",
  mjs: "text/javascript",
  json: "application/json",
  jsonl: "text/plain",
};

/** Serves the files of a folder, and at `/` a page that runs the module which its query names. */
function serve(folder: string): Deno.HttpServer<Deno.NetAddr> {
  return Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname === "/") {
      const page = `<!doctype html><script type="module" src="${
        searchParams.get("run")
      }"></script>`;
      return new Response(page, { headers: { "content-type": "text/html" } });
    }
    const type = TYPES[pathname.slice(pathname.lastIndexOf(".") + 1)];
    if (type === undefined) return new Response(null, { status: 404 });
    const text = await Deno.readTextFile(`${folder}${pathname}`);
    return new Response(text, { headers: { "content-type": type } });
  });
}

/** All that a page writes, up to its report or an error that nobody caught. */
function output_of(page: Page): Promise<string> {
  return new Promise((resolve) => {
    const lines: string[] = [];
    const end = () => {
      clearTimeout(timer);
      resolve(lines.join("\n"));
    };
    const timer = setTimeout(end, TIME_LIMIT);
    page.on("console", (message) => {
      lines.push(message.text());
      if (message.text().startsWith(MARK)) end();
    });
    page.on("pageerror", (error) => {
      lines.push(String(error.stack ?? error));
    });
  });
}

/** Starts the browser, for programs in a folder. */
export async function browser(folder: string): Promise<Host> {
  const started = await launch_chromium();
  const server = serve(folder);
  return {
    name: `Chromium ${started.version()}`,
    kind: "browser",
    async run(program) {
      const page = await started.newPage();
      const output = output_of(page);
      await page.goto(`http://127.0.0.1:${server.addr.port}/?run=${program}`);
      const written = await output;
      await page.close();
      return find_report(written);
    },
    async [Symbol.asyncDispose]() {
      await started.close();
      await server.shutdown();
    },
  };
}
