/** The package as a person installs it: with npm, in an empty folder. */

import project from "../../deno.json" with { type: "json" };
import { run } from "./commands.ts";

/** Where a package was installed. */
export interface Installation {
  /** The folder with package.json and node_modules. */
  folder: string;
  /** The folder of the package itself. */
  library: string;
  /** The path of a module of the library, such as `src/internal/deque`. */
  module(name: string): string;
}

/** Makes a folder in which packages are installed. */
export async function make_folder(folder: string, specifiers: string[]): Promise<void> {
  await Deno.mkdir(folder, { recursive: true });
  await Deno.writeTextFile(`${folder}/package.json`, `{ "private": true, "type": "module" }\n`);
  await run("npm", ["install", "--no-audit", "--no-fund", ...specifiers], folder);
}

/** Installs a package from a tarball or a folder. */
export async function install(folder: string, specifier: string): Promise<Installation> {
  await make_folder(folder, ["--install-links", specifier]);
  const library = `${folder}/node_modules/${project.name}`;
  const { exports } = JSON.parse(await Deno.readTextFile(`${library}/package.json`));
  const entry: string = exports["."].default;
  const root = entry.replace(/mod\.js$/, "");
  return { folder, library, module: (name) => `${library}/${root}${name}.js` };
}

/** What the tests import from npm, by the names they import it by: where npm finds it. */
export const TEST_DEPENDENCIES: ReadonlyMap<string, { specifier: string; path: string }> = new Map(
  (["@sinonjs/fake-timers", "@std/assert", "fast-check", "fast-xml-parser"] as const).map(
    (name) => {
      const target = project.imports[name];
      const [, specifier, path] = target.match(/^npm:(@?[^@]+@[^/]+)(\/.*)?$/) ?? [];
      if (specifier === undefined) {
        throw new Error(`Cannot install ${name} from npm: it is ${target}`);
      }
      return [name, { specifier, path: specifier.replace(/@[^@]*$/, "") + (path ?? "") }];
    },
  ),
);

/** What stands for modules of Node.js in browsers. */
const BROWSER_MODULES = ["assert@2.1.0", "events@3.3.0"];

/** Installs what the tests import. */
export async function install_test_dependencies(folder: string): Promise<void> {
  const specifiers = [...TEST_DEPENDENCIES.values()].map(({ specifier }) => specifier);
  await make_folder(folder, [...specifiers, ...BROWSER_MODULES]);
}
