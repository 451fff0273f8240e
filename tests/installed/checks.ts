/** What other people's tools say of the package. */

import { ENTRY_POINTS } from "../../scripts/entry_points.ts";
import { run } from "./commands.ts";
import type { Installation } from "./installation.ts";

const ROOT = new URL("../..", import.meta.url).pathname;

/** The compilers that a user may have: the oldest that is supported, those of the years since, the newest. */
const COMPILERS = ["5.2.2", "5.6.3", "5.9.3", "7.0.2"];

/** What they need to read the sources, which users do not compile: `Uint8Array<ArrayBuffer>` and the like. */
const SOURCES_FROM = "5.9.3";

/** Whatever the types of the package lean on besides these must be named by the package itself. */
const LIBRARIES = ["es2022", "dom"];

/** What the tests use of Deno. */
const DENO = "\ndeclare const Deno: { test(name: string, fn: () => unknown): void };\n";

async function npx(specifier: string, args: string[], folder: string): Promise<string> {
  return await run("npx", ["--yes", "--package", specifier, ...args], folder);
}

/** Looks for mistakes in the form of a package: a tarball or a folder. */
export async function check_form(source: string): Promise<void> {
  const packed = source.endsWith(".tgz") ? [source] : ["--pack", source];
  // Old ways of resolving do not find ES modules, or think that require() cannot load them.
  await npx("@arethetypeswrong/cli@0.18.5", ["attw", ...packed, "--profile", "esm-only"], ROOT);
  console.log("attw finds nothing");
  await npx("publint@0.3.25", ["publint", "run", source, "--strict"], ROOT);
  console.log("publint finds nothing");
}

/** The oldest Node.js of each line that loads ES modules by `require()`, as `engines` says. */
const REQUIRING = ["20.19.0", "22.12.0", "24.0.0"];

/** Checks that programs in CommonJS get every entry point by `require()`, and one library. */
export async function check_require({ folder }: Installation): Promise<void> {
  const program = `
    const modules = ${JSON.stringify(ENTRY_POINTS.map(({ specifier }) => specifier))};
    const [asyncio] = modules.map((name) => require(name));
    import(modules[0]).then(async (imported) => {
      const is_same = imported.sleep === asyncio.sleep;
      console.log(await asyncio.run(asyncio.sleep(0.001, is_same)));
    });`;
  await Deno.writeTextFile(`${folder}/program.cjs`, program);
  for (const version of REQUIRING) {
    const output = await npx(`node@${version}`, ["node", "program.cjs"], folder);
    if (!/^true$/m.test(output)) throw new Error(`require() on Node.js ${version}:\n${output}`);
    console.log(`Node.js ${version} loads the package by require()`);
  }
}

/**
 * Checks the tests of the types with the installed declarations, and that the sources need no library
 * that Node.js 20 does not have at run time.
 */
export async function check_types({ folder }: Installation): Promise<void> {
  let text = await Deno.readTextFile(`${ROOT}tests/types_test.ts`);
  for (const { module, specifier } of ENTRY_POINTS) {
    text = text.replace(`"../${module}.ts"`, `"${specifier}"`);
  }
  // The compiler reads the declarations of every entry point, whatever the test imports.
  const all = ENTRY_POINTS.map(({ specifier }) => `export type {} from "${specifier}";\n`).join("");
  await Deno.writeTextFile(`${folder}/types_test.ts`, text + DENO + all);
  const strict = { strict: true, noEmit: true, skipLibCheck: false, types: [] };
  const configurations = {
    "declarations": {
      compilerOptions: { ...strict, target: "es2022", module: "nodenext", lib: LIBRARIES },
      files: ["types_test.ts"],
    },
    "sources": {
      compilerOptions: {
        ...strict,
        target: "es2022",
        module: "esnext",
        moduleResolution: "bundler",
        allowImportingTsExtensions: true,
        lib: [...LIBRARIES, "esnext.disposable"],
      },
      files: ENTRY_POINTS.map(({ file }) => file.pathname),
    },
  };
  for (const [name, configuration] of Object.entries(configurations)) {
    const file = `${folder}/${name}.json`;
    await Deno.writeTextFile(file, JSON.stringify(configuration));
    const compilers = name === "sources"
      ? COMPILERS.slice(COMPILERS.indexOf(SOURCES_FROM))
      : COMPILERS;
    for (const version of compilers) {
      await npx(`typescript@${version}`, ["tsc", "--project", file], folder);
      console.log(`TypeScript ${version} finds nothing in the ${name}`);
    }
  }
}
