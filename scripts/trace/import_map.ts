/** Has a program that imports another copy of the library run with this one, which records it. */

import { ENTRY_POINTS } from "../entry_points.ts";

const ROOT = new URL("../../", import.meta.url);

/** The part of what `deno info --json` prints that is used. */
interface Info {
  readonly modules: readonly {
    readonly dependencies?: readonly {
      readonly specifier: string;
      readonly code?: { readonly specifier?: string };
    }[];
  }[];
}

// `npm:@pythonic/asyncio@1/testing`, and what a package of that name is called by.
const PACKAGE = /^(?:npm:\/?|jsr:\/?)?@pythonic\/asyncio(?:@[^/]*)?(\/.*)?$/;

function entry_of(path: string): string | undefined {
  return ENTRY_POINTS.find(({ name }) => name === `.${path}`)?.file.href;
}

/** Where a module of this library is that is imported by URL; the module imports the library's loop. */
function roots_in(info: Info): string[] {
  const loops = info.modules.flatMap(({ dependencies = [] }) =>
    dependencies.flatMap(({ code }) => code?.specifier ?? [])
  ).filter((url) => url.endsWith("/src/loop/base_events.ts"));
  return [...new Set(loops.map((url) => new URL("../../", url).href))].filter((url) =>
    url !== ROOT.href
  );
}

/**
 * Writes an import map by which a program gets this copy of the library, if it imports another one.
 *
 * @returns its path; `null` if the program needs none
 */
export async function write_import_map(program: string): Promise<string | null> {
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", program],
    stderr: "null",
  }).output();
  const text = new TextDecoder().decode(stdout);
  if (text === "") return null;
  const info: Info = JSON.parse(text);
  const imports: Record<string, string> = {};
  let is_needed = false;
  for (const root of roots_in(info)) {
    imports[root] = ROOT.href;
    is_needed = true;
  }
  for (const { specifier, code } of info.modules.flatMap(({ dependencies = [] }) => dependencies)) {
    const [match, path = ""] = specifier.match(PACKAGE) ?? [];
    const entry = match === undefined ? undefined : entry_of(path);
    const resolved = code?.specifier;
    // The map stands in the place of the program's own: what that resolves is in it.
    if (entry !== undefined) {
      imports[specifier] = entry;
      is_needed ||= resolved !== entry;
    } else if (resolved !== undefined && !/^(?:\.{0,2}\/|[a-z]+:)/.test(specifier)) {
      imports[specifier] = resolved;
    }
  }
  if (!is_needed) return null;
  const file = await Deno.makeTempFile({ suffix: ".json" });
  await Deno.writeTextFile(file, JSON.stringify({ imports }));
  return file;
}
