/**
 * Runs the rules of `lint.ts` on the examples, the tests and TypeScript sources from npm, and prints what they find.
 *
 *     deno test -A --no-check scripts/lint_projects.ts
 *
 * It is a test, as only these can run a plugin.
 */

import plugin from "../lint.ts";

const ROOT = new URL("../", import.meta.url).pathname;

/** Packages that contain their TypeScript sources. */
const PACKAGES = [
  "rxjs@7.8.2",
  "zod@4.1.12",
  "libp2p@3.3.11",
  "@trpc/server@11.25.2",
  "@tanstack/query-core@5.108.4",
  "@hocuspocus/server@4.7.0",
];

// The rules look at no file that does not import the library: with this line they look at all.
const IMPORT = 'import * as asyncio from "@pythonic/asyncio";\n';

async function* sources_in(folder: string): AsyncGenerator<string> {
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const path = `${folder}/${name}`;
    if (isDirectory && name !== "node_modules") yield* sources_in(path);
    else if (/\.[cm]?ts$/.test(name) && !/\.d\.[cm]?ts$/.test(name)) yield path;
  }
}

/**
 * Lints all files of a folder, the library's own imports by path taken for those by name.
 *
 * @param before what is put before each file
 */
async function lint(name: string, folder: string, before = ""): Promise<void> {
  let files = 0;
  const found = new Map<string, number>();
  for await (const path of sources_in(folder)) {
    const text = await Deno.readTextFile(path);
    const source = before + text.replaceAll(/"(?:\.\.\/)+mod\.ts"/g, '"@pythonic/asyncio"');
    files++;
    for (const { id, range } of Deno.lint.runPlugin(plugin as never, path, source)) {
      found.set(id, (found.get(id) ?? 0) + 1);
      const line = source.slice(0, range[0]).split("\n").length;
      console.log(
        `  ${path.replace(ROOT, "")}:${line} ${id} ${source.split("\n")[line - 1]?.trim()}`,
      );
    }
  }
  console.log(`${name}: ${files} files`, Object.fromEntries(found));
}

for (const folder of ["examples", "tests", "bench", "playground"]) {
  await lint(folder, ROOT + folder);
}

for (const name of PACKAGES) {
  const folder = await Deno.makeTempDir();
  const { stdout } = await new Deno.Command("npm", {
    args: ["pack", name, "--silent"],
    cwd: folder,
  })
    .output();
  const tarball = new TextDecoder().decode(stdout).trim();
  await new Deno.Command("tar", { args: ["xzf", tarball], cwd: folder }).output();
  await lint(name, `${folder}/package`);
  await lint(`${name}, as if it used the library`, `${folder}/package`, IMPORT);
  await Deno.remove(folder, { recursive: true });
}
