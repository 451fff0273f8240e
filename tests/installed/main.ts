/**
 * Tests the npm package as it is installed: packs it, installs it in an empty folder, and there checks its
 * form, its types, its size and the ways in that the guide shows, and runs the tests, the golden programs among them, on every kind of host.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { entries_of, read_command_line } from "../../scripts/command_line.ts";
import { ENTRY_POINTS } from "../../scripts/entry_points.ts";
import { pack } from "../../scripts/pack.ts";
import { browser } from "./browser.ts";
import { bundle_library, bundle_tests } from "./bundles.ts";
import { check_form, check_require, check_types } from "./checks.ts";
import type { Host } from "./hosts.ts";
import { install, install_test_dependencies, type Installation } from "./installation.ts";
import { files_for } from "./left_out.ts";
import { test_on } from "./report.ts";
import { is_runtime, runtime, RUNTIMES } from "./runtimes.ts";
import { check_sizes } from "./sizes.ts";
import { check_test_runners } from "./test_runners.ts";
import { check_ways_in } from "./ways_in.ts";

const HOSTS = [...Object.keys(RUNTIMES), "browser"];
const CHECKS = ["form", "require", "types", "sizes", "ways", "runners"];

const HELP = `Tests the npm package as it is installed.

  deno task test:npm [options]

Options:
  --package PATH     a tarball or a folder; by default the package is made first
  --checks LIST      of ${CHECKS.join(", ")}; all by default, "" for none
  --hosts LIST       of ${HOSTS.join(", ")}; all by default, "" for none
  --files TEXT       only the test files whose path in tests/ has this text
  --help             prints this`;

function read_options() {
  const { values } = parseArgs({
    args: Deno.args,
    options: {
      checks: { type: "string", default: CHECKS.join(",") },
      hosts: { type: "string", default: HOSTS.join(",") },
      files: { type: "string", default: "" },
      package: { type: "string" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    console.log(HELP);
    Deno.exit(0);
  }
  return {
    checks: entries_of("checks", values.checks, CHECKS, 0),
    hosts: entries_of("hosts", values.hosts, HOSTS, 0),
    part: values.files,
    source: values.package,
  };
}

/** Makes a host ready, with the programs that run on it. */
async function make_host(
  name: string,
  files: readonly string[],
  installation: Installation,
  work: string,
): Promise<Host> {
  if (!is_runtime(name)) {
    const output = `${work}/site`;
    const tested = new Set<string>();
    const library = (module: string) => {
      tested.add(module);
      return `/library/${module}.js`;
    };
    await bundle_tests({ kind: "browser", files, library, dependencies: work, output });
    await bundle_library(installation, tested, `${output}/library`);
    return await browser(output);
  }
  const { kind } = RUNTIMES[name];
  const output = `${installation.folder}/${name}`;
  const library = (module: string) =>
    ENTRY_POINTS.find((entry) => entry.module === module)?.specifier ?? installation.module(module);
  const reaching = await bundle_tests({ kind, files, library, dependencies: work, output });
  return await runtime(name, output, reaching);
}

const { checks, hosts, part, source } = read_command_line("test:npm", read_options);
const work = await Deno.makeTempDir({ prefix: "asyncio_installed_" });
let is_well = true;
try {
  const packed = source === undefined ? await pack() : await Deno.realPath(source);
  const installation = await install(`${work}/app`, packed);
  if (checks.includes("form")) await check_form(packed);
  if (checks.includes("require")) await check_require(installation);
  if (checks.includes("types")) await check_types(installation);
  if (checks.includes("sizes")) await check_sizes(installation);
  if (checks.includes("ways")) await check_ways_in(packed, `${work}/ways`);
  if (checks.includes("runners")) await check_test_runners(packed, `${work}/runners`);
  // Around the package's folder, so that programs which tests start find them, too.
  await install_test_dependencies(work);
  for (const name of hosts) {
    const kind = is_runtime(name) ? RUNTIMES[name].kind : "browser";
    const files = (await files_for(kind)).filter((file) => file.includes(part));
    await using host = await make_host(name, files, installation, work);
    if (!await test_on(host, files)) is_well = false;
  }
} finally {
  await Deno.remove(work, { recursive: true });
}
Deno.exit(is_well ? 0 : 1);
