/**
 * Builds the reference of the public names as a website, in `docs/reference/`.
 *
 *     deno run -A scripts/build_reference.ts
 *
 * `deno doc --html` also shows what is marked `@internal`, so it is given declarations without that.
 */

import { Project } from "ts-morph";
import config from "../deno.json" with { type: "json" };
import { ENTRY_POINTS } from "./entry_points.ts";

const ROOT = new URL("../", import.meta.url);
const SITE = new URL("docs/reference/", ROOT);

/** Writes the declarations of all that is public into a folder. */
async function write_declarations(folder: string): Promise<void> {
  const project = new Project({
    compilerOptions: {
      allowImportingTsExtensions: true,
      declaration: true,
      emitDeclarationOnly: true,
      stripInternal: true,
      rootDir: ROOT.pathname,
      outDir: folder,
    },
  });
  project.addSourceFilesAtPaths(ENTRY_POINTS.map(({ file }) => file.pathname));
  project.resolveSourceFileDependencies();
  for (const { filePath, text } of project.emitToMemory().getFiles()) {
    await Deno.mkdir(new URL(".", `file://${filePath}`), { recursive: true });
    const renamed = text.replaceAll(/(?<=["'])(\.[^"']+)\.ts(?=["'])/g, "$1.d.ts");
    await Deno.writeTextFile(filePath, renamed);
  }
}

// What is no longer public must not stay.
await Deno.mkdir(SITE, { recursive: true });
await Deno.remove(SITE, { recursive: true });
const folder = await Deno.makeTempDir();
try {
  await write_declarations(folder);
  const { code } = await new Deno.Command(Deno.execPath(), {
    args: [
      "doc",
      "--html",
      `--name=${config.name}`,
      `--output=${SITE.pathname}`,
      ...ENTRY_POINTS.map(({ module }) => `${folder}/${module}.d.ts`),
    ],
    stdout: "inherit",
    stderr: "inherit",
  }).spawn().status;
  Deno.exitCode = code;
} finally {
  await Deno.remove(folder, { recursive: true });
}
