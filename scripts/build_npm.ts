/**
 * Builds the npm package with dnt, into `npm/`: `deno task build:npm`.
 *
 * dnt comes from JSR, 0.43.2 or newer: older ones rewrite `new.target` as if it were `import.meta`. Where that cannot be reached, `deno task pack` makes the same package; so that
 * nothing else needs JSR, deno.json excludes this file and jsr.json, its own configuration, names dnt.
 */

import { build, emptyDir } from "@deno/dnt";
import { ENTRY_POINTS } from "./entry_points.ts";
import { bundle_entry_points } from "./package_bundles.ts";
import {
  name_needed_library,
  package_exports,
  package_fields,
  side_effects,
} from "./package_fields.ts";

const FOLDER = "./npm";

await emptyDir(FOLDER);
await build({
  entryPoints: ENTRY_POINTS.map(({ name, module }) => ({ name, path: `./${module}.ts` })),
  outDir: FOLDER,
  shims: {},
  // Every Node.js that is still looked after loads ES modules with require().
  scriptModule: false,
  typeCheck: "single",
  // The task runs them afterwards, on the package as it is installed.
  test: false,
  compilerOptions: {
    target: "ES2022",
    lib: ["ES2022", "DOM", "ESNext.Disposable"],
    sourceMap: true,
    skipLibCheck: false,
  },
  package: {
    ...await package_fields(),
    type: "module",
    main: "./esm/mod.js",
    types: "./esm/mod.d.ts",
    exports: package_exports("./esm"),
    sideEffects: side_effects("./esm"),
  },
  async postBuild() {
    // It hides `sideEffects` from bundlers; that these are ES modules says the package's own.
    await Deno.remove(`${FOLDER}/esm/package.json`);
    await name_needed_library(`${FOLDER}/esm`);
    await bundle_entry_points(`${FOLDER}/esm`);
    for (const file of ["README.md", "LICENSE"]) await Deno.copyFile(file, `${FOLDER}/${file}`);
  },
});
