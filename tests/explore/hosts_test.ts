/** The same seed gives the same reports on every host: those of `golden.txt`. */

import { assert, assertEquals } from "@std/assert";
import { build } from "esbuild";
import { CHROMIUM, launch_chromium } from "../chromium.ts";
import { report_races } from "./traces.ts";

const GOLDEN = new URL("golden.txt", import.meta.url);
const UPDATE = Deno.args.includes("--update");

/** Hosts that a program can be given to on the command line. */
const COMMANDS: Readonly<Record<string, readonly string[]>> = {
  "Node.js": ["node"],
  "Node.js 26": ["npx", "--yes", "--package", "node@26", "node"],
  "Bun": ["npx", "--yes", "--package", "bun@1.4.5", "bun"],
};

async function bundle(ending: string): Promise<string> {
  const { outputFiles } = await build({
    stdin: {
      contents: `import { report_races } from "./traces.ts"; ${ending}(await report_races());`,
      resolveDir: new URL(".", import.meta.url).pathname,
    },
    bundle: true,
    keepNames: true,
    format: "esm",
    target: "es2022",
    write: false,
  });
  return outputFiles[0]!.text;
}

Deno.test("explore: the same seed gives the same reports as before", async () => {
  const found = await report_races();
  if (UPDATE) await Deno.writeTextFile(GOLDEN, found);
  assertEquals(found, await Deno.readTextFile(GOLDEN));
});

for (const [name, [command, ...args]] of Object.entries(COMMANDS)) {
  Deno.test(`explore: the same seed gives the same reports on ${name}`, async () => {
    const folder = await Deno.makeTempDir();
    try {
      const program = `${folder}/program.mjs`;
      await Deno.writeTextFile(program, await bundle("console.log"));
      const { code, stdout, stderr } = await new Deno.Command(command!, {
        args: [...args, program],
      }).output();
      const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
      assert(code === 0, text(stderr));
      assertEquals(text(stdout), `${await Deno.readTextFile(GOLDEN)}\n`);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
}

const has_chromium = await Deno.stat(CHROMIUM).then(() => true, () => false);

Deno.test({
  name: "explore: the same seed gives the same reports in Chromium",
  ignore: !has_chromium,
  // The browser's connection is not closed in the moment in which it ends.
  sanitizeOps: false,
  sanitizeResources: false,
  async fn() {
    const browser = await launch_chromium();
    try {
      const page = await browser.newPage();
      const reports = new Promise<string>((resolve, reject) => {
        page.on("console", (message) => resolve(message.text()));
        page.on("pageerror", (error) => reject(error));
      });
      await page.setContent("<!doctype html>");
      await page.addScriptTag({ content: await bundle("console.log"), type: "module" });
      assertEquals(await reports, await Deno.readTextFile(GOLDEN));
    } finally {
      await browser.close();
    }
  },
});
