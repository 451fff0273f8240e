/** The tests as programs for other hosts: they use the installed package and nothing of Deno's. */

import { cp } from "node:fs/promises";
import { basename } from "node:path";
import { build, type Plugin } from "esbuild";
import { ENTRY_POINTS } from "../../scripts/entry_points.ts";
import type { HostKind } from "./left_out.ts";
import { type Installation, TEST_DEPENDENCIES } from "./installation.ts";

const ROOT = new URL("../..", import.meta.url).pathname;
const HERE = new URL(".", import.meta.url).pathname;

/** What is bundled, for whom. */
export interface Bundle {
  kind: HostKind;
  /** The test files, relative to `tests/`. */
  files: readonly string[];
  /** How the programs import a module of the library, such as `mod` or `src/deque`. */
  library(module: string): string;
  /** Where the tests' own dependencies are installed. */
  dependencies: string;
  output: string;
}

/** Modules of Node.js that browsers do not have, and what the tests get instead. */
const IN_BROWSERS: Readonly<Record<string, string>> = {
  "node:assert": "assert/",
  "node:events": "events/",
};

// Marks what has been looked up already: a package may be imported by its own name.
const IS_INSTALLED = Symbol("installed");

function resolver({ kind, library, dependencies }: Bundle): Plugin {
  return {
    name: "the installed package in the place of the sources",
    setup(build) {
      build.onResolve({ filter: /^\..*\.ts$/ }, ({ path, resolveDir }) => {
        const file = new URL(path, `file://${resolveDir}/`).pathname;
        const module = file.slice(ROOT.length, -".ts".length);
        const is_library = module.startsWith("src/") ||
          ENTRY_POINTS.some((entry) => entry.module === module);
        return is_library ? { path: library(module), external: true } : null;
      });
      const installed = (path: string) =>
        build.resolve(path, {
          kind: "import-statement",
          resolveDir: dependencies,
          pluginData: IS_INSTALLED,
        });
      build.onResolve({ filter: /^[@a-z]/ }, ({ path, pluginData }) => {
        const dependency = TEST_DEPENDENCIES.get(path);
        return dependency === undefined || pluginData === IS_INSTALLED
          ? null
          : installed(dependency.path);
      });
      build.onResolve({ filter: /^node:/ }, ({ path }) => {
        if (kind !== "browser") return { path, external: true };
        return path in IN_BROWSERS
          ? installed(IN_BROWSERS[path]!)
          : { path, namespace: "not in browsers" };
      });
      build.onLoad({ filter: /.*/, namespace: "not in browsers" }, () => ({
        contents: "module.exports = {};",
      }));
      build.onResolve({ filter: /^run:/ }, ({ path }) => ({ path, namespace: "run" }));
      build.onLoad({ filter: /.*/, namespace: "run" }, ({ path }) => ({
        contents: `
          import { is_left_out } from "${HERE}left_out.ts";
          import { run } from "${HERE}host/runner.ts";
          import "${ROOT}tests/${path.slice("run:".length)}";
          await run((name) => is_left_out("${kind}", name));`,
        resolveDir: HERE,
      }));
    },
  };
}

/** For dependencies that are no ES modules. */
const REQUIRE = `import { createRequire } from "node:module";
const require = createRequire(import.meta.url);`;

/** The name of the program that is made of a test file. */
export function program_of(file: string): string {
  return `${file.replaceAll("/", "_")}.mjs`;
}

/** What tests read beside themselves, and where it is beside the programs. */
const FIXTURES: Readonly<Record<string, string>> = {
  "conformance/goldens": "goldens",
  "graph/expected.json": "graph/expected.json",
  "streams/programs": "programs",
};

/** Makes one program of each test file; returns those that import modules which are no entry points. */
export async function bundle_tests(bundle: Bundle): Promise<Set<string>> {
  const { metafile } = await build({
    entryPoints: [
      ...bundle.files.map((file) => ({
        in: `run:${file}`,
        out: program_of(file).slice(0, -".mjs".length),
      })),
      { in: `${ROOT}tests/workers/work.ts`, out: "workers/work" },
    ],
    outdir: bundle.output,
    outExtension: { ".js": ".mjs" },
    bundle: true,
    format: "esm",
    platform: bundle.kind === "browser" ? "browser" : "node",
    target: "es2022",
    keepNames: true,
    // The examples are programs, too.
    define: { "import.meta.main": "false" },
    banner: { js: bundle.kind === "browser" ? "" : REQUIRE },
    inject: [
      `${HERE}host/deno.ts`,
      bundle.kind === "browser" ? `${HERE}host/process.ts` : `${HERE}host/gaps.ts`,
    ],
    plugins: [resolver(bundle)],
    metafile: true,
    logLevel: "warning",
  });
  for (const [from, to] of Object.entries(FIXTURES)) {
    await cp(`${ROOT}tests/${from}`, `${bundle.output}/${to}`, { recursive: true });
  }
  const reaching = Object.entries(metafile.outputs).filter(([, { imports }]) =>
    imports.some(({ external, path }) => external && path.includes("/src/"))
  );
  return new Set(reaching.map(([path]) => basename(path)));
}

/**
 * Bundles modules of the installed library as it would be for a page: with short names, and without what
 * is not used.
 */
export async function bundle_library(
  { module }: Installation,
  modules: Iterable<string>,
  output: string,
): Promise<void> {
  await build({
    entryPoints: [...modules].map((name) => ({ in: module(name), out: name })),
    outdir: output,
    bundle: true,
    splitting: true,
    minify: true,
    format: "esm",
    target: "es2022",
    logLevel: "warning",
  });
}
