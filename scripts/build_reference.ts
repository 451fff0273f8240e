/**
 * Builds the reference of the public names as a website, in `docs/reference/`.
 *
 *     deno task doc
 *
 * The file and the line of each name are links if the clone has a remote that others can reach.
 */

import {
  Application,
  Converter,
  type DeclarationReflection,
  LogLevel,
  type ProjectReflection,
} from "typedoc";
import config from "../deno.json" with { type: "json" };
import { ENTRY_POINTS, type EntryPoint } from "./entry_points.ts";
import { sources_on_the_web } from "./sources.ts";

const ROOT = new URL("../", import.meta.url);

const STYLE = new URL("reference.css", import.meta.url);

/** The files are named one by one, so that TypeScript reads no others. */
function compiler_config(entry_points: readonly EntryPoint[]) {
  return {
    compilerOptions: {
      ...config.compilerOptions,
      target: "esnext",
      module: "nodenext",
      lib: ["esnext", "dom", "dom.iterable", "dom.asynciterable"],
      types: [],
      allowImportingTsExtensions: true,
      noEmit: true,
    },
    files: entry_points.map(({ file }) => file.pathname),
  };
}

/**
 * Builds the site.
 *
 * @param folder where to, whose former contents are removed
 * @param sources where the top folder of the sources is on the web, without a slash at the end; `null` if nowhere
 * @param entry_points what is described; all that there is, if it is left out
 * @throws {Error} if the sources do not compile, or the site cannot be written
 */
export async function build_reference(
  folder: string,
  sources: string | null,
  entry_points: readonly EntryPoint[] = ENTRY_POINTS,
): Promise<void> {
  const tsconfig = await Deno.makeTempFile({ suffix: ".json" });
  try {
    await Deno.writeTextFile(tsconfig, JSON.stringify(compiler_config(entry_points)));
    const app = await Application.bootstrap({
      name: config.name,
      entryPoints: entry_points.map(({ file }) => file.pathname),
      tsconfig,
      basePath: ROOT.pathname,
      displayBasePath: ROOT.pathname,
      readme: "none",
      customCss: STYLE.pathname,
      // That is for the compiler to say.
      skipErrorChecking: true,
      excludeInternal: true,
      excludePrivate: true,
      disableGit: true,
      sourceLinkTemplate: `${sources}/{path}#L{line}`,
      validation: { notExported: false },
      logLevel: LogLevel.Error,
      cleanOutputDir: true,
      hideGenerator: true,
      sortEntryPoints: false,
      useFirstParagraphOfCommentAsSummary: true,
      categorizeByGroup: false,
      navigation: {
        includeCategories: true,
        includeGroups: false,
        includeFolders: false,
        compactFolders: false,
        excludeReferences: false,
      },
      visibilityFilters: { inherited: true },
    });
    app.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => remove_inspection(project));
    const project = await app.convert();
    if (project === undefined) throw new Error("Cannot build the reference: see what is above");
    if (entry_points.length > 1) {
      for (const module of project.children ?? []) module.name = specifier_of(module);
    }
    if (sources === null) remove_links(project);
    await app.generateDocs(project, folder);
    if (app.logger.hasErrors()) throw new Error("Cannot write the reference: see what is above");
  } finally {
    await Deno.remove(tsconfig);
  }
}

/** Leaves the files and lines of the sources as they are, without links. */
function remove_links(project: ProjectReflection): void {
  for (const reflection of Object.values(project.reflections)) {
    if (!reflection.isDeclaration() && !reflection.isSignature()) continue;
    for (const source of reflection.sources ?? []) delete source.url;
  }
}

/** Leaves out what consoles alone call. */
function remove_inspection(project: ProjectReflection): void {
  for (const reflection of Object.values(project.reflections)) {
    const is_method = reflection.isDeclaration() && /^\[\w+_inspect\]$/.test(reflection.name);
    if (is_method) project.removeReflection(reflection);
  }
}

function specifier_of({ name }: DeclarationReflection): string {
  const entry = ENTRY_POINTS.find(({ module }) => module === name);
  if (entry === undefined) throw new Error(`No entry point is called so: received '${name}'`);
  return entry.specifier;
}

if (import.meta.main) {
  const folder = new URL("docs/reference/", ROOT).pathname;
  await build_reference(folder, await sources_on_the_web());
  console.log(`The reference is in ${folder}index.html`);
}
