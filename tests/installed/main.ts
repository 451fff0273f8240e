/**
 * Tests the npm package as it is installed: packs it, installs it in an empty folder, and there checks its
 * form, its types and its size and runs the tests, the golden programs among them, on every kind of host.
 *
 * ```sh
 * deno task test:npm
 * deno task test:npm --hosts node20,browser
 * deno task test:npm --package npm
 * ```
 *
 * @module
 */

import { parseArgs } from "node:util";
import { ENTRY_POINTS } from "../../scripts/entry_points.ts";
import { pack } from "../../scripts/pack.ts";
import { browser } from "./browser.ts";
import { bundle_library, bundle_tests } from "./bundles.ts";
import { check_form, check_types } from "./checks.ts";
import type { Host } from "./hosts.ts";
import { install, install_test_dependencies, type Installation } from "./installation.ts";
import { files_for } from "./left_out.ts";
import { test_on } from "./report.ts";
import { is_runtime, runtime, RUNTIMES } from "./runtimes.ts";
import { check_sizes } from "./sizes.ts";

const HOSTS = [...Object.keys(RUNTIMES), "browser"];

function asked_for() {
  try {
    const { values } = parseArgs({
      args: Deno.args,
      options: {
        hosts: { type: "string", default: HOSTS.join(",") },
        package: { type: "string" },
      },
    });
    const hosts = values.hosts.split(",");
    const unknown = hosts.find((host) => !HOSTS.includes(host));
    if (unknown !== undefined) {
      throw new TypeError(`--hosts: there is no ${unknown}, there are ${HOSTS.join(", ")}`);
    }
    return { hosts, folder: values.package };
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    Deno.exit(2);
  }
}

/** Makes a host ready, with the programs that run on it. */
async function make_host(name: string, installation: Installation, work: string): Promise<Host> {
  const dependencies = `${work}/dependencies`;
  if (!is_runtime(name)) {
    const output = `${work}/site`;
    const tested = new Set<string>();
    const library = (module: string) => {
      tested.add(module);
      return `/library/${module}.js`;
    };
    const files = await files_for("browser");
    await bundle_tests({ kind: "browser", files, library, dependencies, output });
    await bundle_library(installation, tested, `${output}/library`);
    return await browser(output);
  }
  const { kind } = RUNTIMES[name];
  const output = `${installation.folder}/${name}`;
  const library = (module: string) =>
    ENTRY_POINTS.find((entry) => entry.module === module)?.specifier ?? installation.module(module);
  await bundle_tests({ kind, files: await files_for(kind), library, dependencies, output });
  return await runtime(name, output);
}

const { hosts, folder } = asked_for();
const work = await Deno.makeTempDir({ prefix: "asyncio_installed_" });
let is_well = true;
try {
  const source = folder === undefined ? await pack() : await Deno.realPath(folder);
  const installation = await install(`${work}/app`, source);
  await check_form(source);
  await check_types(installation);
  await check_sizes(installation);
  await install_test_dependencies(`${work}/dependencies`);
  for (const name of hosts) {
    await using host = await make_host(name, installation, work);
    if (!await test_on(host)) is_well = false;
  }
} finally {
  await Deno.remove(work, { recursive: true });
}
Deno.exit(is_well ? 0 : 1);
