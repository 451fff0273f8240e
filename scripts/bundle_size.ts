/** What a page has to load for a program that uses the library. */

import { build, type BuildOptions, type Plugin } from "esbuild";
import { side_effects } from "./package_fields.ts";

const ROOT = new URL("../", import.meta.url).pathname;

/** A bundle of one program. */
export interface Bundle {
  /** In bytes, with short names. */
  readonly minified: number;
  /** In bytes, compressed by gzip as a server sends it. */
  readonly compressed: number;
  /** How many bytes come from each file, by its path. */
  readonly parts: ReadonlyMap<string, number>;
}

/** Finds the library's entry points in its sources, and says as the npm package does what may be left out. */
const SOURCES: Plugin = {
  name: "the sources in the place of the package",
  setup({ onResolve }) {
    const kept = side_effects(ROOT.slice(0, -1)).map((path) => path.replace(/\.js$/, ".ts"));
    onResolve({ filter: /\.ts$/ }, ({ path, resolveDir }) => {
      const file = new URL(path, `file://${resolveDir}/`).pathname;
      return { path: file, sideEffects: kept.includes(file) };
    });
  },
};

function options_for(program: string, resolveDir: string): BuildOptions {
  return {
    stdin: { contents: program, resolveDir },
    bundle: true,
    format: "esm",
    target: "es2022",
    logLevel: "warning",
  };
}

async function compress(bytes: Uint8Array<ArrayBuffer>): Promise<number> {
  const stream = new Blob([bytes]).stream().pipeThrough(new CompressionStream("gzip"));
  return (await new Response(stream).bytes()).length;
}

async function measure(options: BuildOptions): Promise<Bundle> {
  const { outputFiles, metafile } = await build({
    ...options,
    minify: true,
    metafile: true,
    write: false,
  });
  const { inputs } = Object.values(metafile.outputs)[0]!;
  const bytes = new Uint8Array(outputFiles[0]!.contents);
  return {
    minified: bytes.length,
    compressed: await compress(bytes),
    parts: new Map(
      Object.entries(inputs).map(([path, { bytesInOutput }]): [string, number] => [
        path,
        bytesInOutput,
      ]).filter(([, size]) => size > 0),
    ),
  };
}

/** Bundles a program in a folder where the package is installed. */
export function measure_installed(program: string, folder: string): Promise<Bundle> {
  return measure(options_for(program, folder));
}

/** Bundles a program that imports `./mod.ts` or another entry point, from the sources. */
export function measure_sources(program: string): Promise<Bundle> {
  return measure({ ...options_for(program, ROOT), plugins: [SOURCES] });
}

/** The bundle of such a program as a person can read it: with names, without comments. */
export async function readable_bundle(program: string): Promise<string> {
  const { outputFiles } = await build({
    ...options_for(program, ROOT),
    plugins: [SOURCES],
    minifyWhitespace: true,
    legalComments: "none",
    write: false,
  });
  return outputFiles[0]!.text;
}
