/**
 * Tests the npm package as it is installed: packs it, installs it in an empty folder, and there checks its
 * types and its size and runs the tests, the golden programs among them, on Node.js, Bun and Chromium.
 *
 *     deno task test:npm
 *     deno task test:npm --hosts node20,bun
 *     deno task test:npm --package npm
 *
 * @module
 */

import { parseArgs } from "node:util";
import { pack } from "../../scripts/pack.ts";
import { browser } from "./browser.ts";
import { bundle_library, bundle_tests } from "./bundles.ts";
import { type Host } from "./hosts.ts";
import { install, install_test_dependencies } from "./installation.ts";
import { files_for } from "./left_out.ts";
import { runtime, RUNTIMES } from "./runtimes.ts";
import { measure } from "./sizes.ts";

const ROOT = new URL("../..", import.meta.url).pathname;
const work = await Deno.makeTempDir({ prefix: "asyncio_installed_" });
console.log(work);
const installation = await install(`${work}/app`, await pack());
await install_test_dependencies(`${work}/tools`);
console.log(
  await measure('import { sleep } from "@pythonic/asyncio"; await sleep(1);', `${work}/app`),
);

async function make(name: string): Promise<Host> {
  if (name in RUNTIMES) {
    await bundle_tests({
      kind: name === "bun" ? "bun" : "node",
      files: await files_for("node"),
      library: (module) => module === "mod" ? "@pythonic/asyncio" : installation.module(module),
      dependencies: `${work}/tools`,
      output: `${work}/app/tests`,
    });
    return await runtime(name as never, `${work}/app/tests`);
  }
  await bundle_library(installation, `${work}/site/library`);
  await bundle_tests({
    kind: "browser",
    files: await files_for("browser"),
    library: (module) => `/library/${module}.js`,
    dependencies: `${work}/tools`,
    output: `${work}/site`,
  });
  return await browser(`${work}/site`);
}
for (const name of Deno.args) {
  await using host = await make(name);
  for (const file of await files_for(host.kind)) {
    const report = await host.run(file.replace(/.*\//, "") + ".mjs");
    if (typeof report === "string") {
      console.log(host.name, file, "NO REPORT", report.slice(0, 1500));
    } else {
      console.log(host.name, file, report.passed, report.left_out);
      for (const { name, error } of report.failed) {
        console.log("   FAILED", name, error.slice(0, 600));
      }
    }
  }
}
Deno.exit();
