/** The entry points of the npm package as runtimes load them: a few files in the place of a hundred modules. */

import { build, stop } from "esbuild";
import { ENTRY_POINTS } from "./entry_points.ts";
import { BUNDLES } from "./package_fields.ts";

/**
 * Bundles the entry points for runtimes: Node.js takes a millisecond for each module that it loads.
 *
 * Code that several entry points share is in files of its own, so that a program loads it once.
 *
 * @param folder the folder of their compiled modules, to which the bundles are added
 */
export async function bundle_entry_points(folder: string): Promise<void> {
  const { outputFiles } = await build({
    absWorkingDir: await Deno.realPath(folder),
    entryPoints: ENTRY_POINTS.map(({ module }) => `${module}.js`),
    outdir: BUNDLES,
    chunkNames: "asyncio-[hash]",
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "neutral",
    target: "es2022",
    sourcemap: true,
    write: false,
    logLevel: "warning",
  }).finally(stop);
  await Deno.mkdir(`${folder}/${BUNDLES}`);
  for (const { path, text } of outputFiles) {
    await Deno.writeTextFile(path, path.endsWith(".js") ? restore_names(text) : text);
  }
}

/** Gives classes and functions the names back that esbuild has changed: `var Task = class _Task`. */
function restore_names(script: string): string {
  const changed = script.matchAll(/^var (\w+) = .*\b(?:class (_\1)|function (\1\d+))\b/gm);
  let text = script;
  for (const [, name = "", of_class, of_function] of changed) {
    text = text.replace(new RegExp(`\\b${of_class ?? of_function}\\b`, "g"), name);
  }
  return text;
}
