/**
 * The layers of the library, from the ground, and that no import points up or in a circle; imports of
 * types count. `deno task cycles` runs this alone.
 */

import { assert, assertEquals } from "@std/assert";
import { parseDependencyTree } from "dpdm";
import { Node, Project } from "ts-morph";
import { ENTRY_POINTS } from "../scripts/entry_points.ts";

const ROOT = new URL("../", import.meta.url);

type Layer =
  | "host"
  | "internal"
  | "core"
  | "primitives"
  | "itertools"
  | "loop"
  | "trace"
  | "testing"
  | "structured"
  | "entry point";

/** What each layer may import, besides itself. */
const BELOW: Readonly<Record<Layer, readonly Layer[]>> = {
  host: ["internal"],
  internal: ["host"],
  core: ["host", "internal"],
  primitives: ["host", "internal", "core"],
  itertools: ["host", "internal", "core", "primitives"],
  loop: ["host", "internal", "core", "primitives"],
  trace: ["host", "internal", "core"],
  testing: ["host", "internal", "core", "primitives", "loop", "trace"],
  structured: ["host", "internal", "core", "primitives", "loop"],
  "entry point": [
    "host",
    "internal",
    "core",
    "primitives",
    "itertools",
    "loop",
    "trace",
    "testing",
    "structured",
  ],
};

/** Interfaces that files of the core need of each other: it imports nothing. */
const CONTRACTS = "src/core/contracts.ts";

/**
 * Files whose public types refer to each other: `create_future()` and `create_task()` of a loop give futures and
 * tasks, whose `get_loop()` gives the loop. Only types do: at run time there is no circle.
 *
 * Types that mention each other are in one file, here of 2,900 lines, or in files that import each other. An interface
 * beside each class would be what users are shown, without the protected members that the library uses; adding
 * the methods by module augmentation is refused by JSR.
 */
const KNOWN_CIRCLES: readonly string[] = [
  "src/core/events.ts",
  "src/core/futures.ts",
  "src/core/tasks.ts",
];

/** A file of a folder of `src/` is in the layer of that name, a file of `src/` itself is a primitive. */
function layer_of(file: string): Layer {
  const [, folder] = file.match(/^src\/(\w+)\//) ?? [];
  if (folder !== undefined) {
    if (!(folder in BELOW)) throw new Error(`Cannot tell the layer of ${file}: no such layer`);
    return folder as Layer;
  }
  return file.startsWith("src/") ? "primitives" : "entry point";
}

const tree = await parseDependencyTree(
  ENTRY_POINTS.map(({ module }) => `${module}.ts`),
  { context: ROOT.pathname, transform: false },
);
const imports = Object.entries(tree).flatMap(([from, found]) =>
  (found ?? []).flatMap(({ id }) => id === null ? [] : [{ from, to: id }])
);

/** All that a file imports, itself or by others. */
function imported_by(file: string): Set<string> {
  const found = new Set<string>();
  const left = [file];
  for (let from = left.pop(); from !== undefined; from = left.pop()) {
    for (const { id } of tree[from] ?? []) {
      if (id !== null && !found.has(id)) {
        found.add(id);
        left.push(id);
      }
    }
  }
  return found;
}

Deno.test("imports: none points to a layer above", () => {
  const up = imports.filter(({ from, to }) => {
    const [above, below] = [layer_of(from), layer_of(to)];
    return above !== below && !BELOW[above].includes(below);
  });
  assertEquals(up.map(({ from, to }) => `${from} -> ${to}`), []);
});

Deno.test("imports: none is part of a circle", () => {
  const found = Object.keys(tree).filter((file) => imported_by(file).has(file));
  assertEquals(found.sort(), KNOWN_CIRCLES, "what is no longer so is taken off KNOWN_CIRCLES");
});

Deno.test("imports: the contracts of the core import nothing", () => {
  assertEquals(imports.filter(({ from }) => from === CONTRACTS).map(({ to }) => to), []);
});

Deno.test("imports: all stand at the head of a file, where the checks above see them", async () => {
  const inline: string[] = [];
  for (const file of Object.keys(tree)) {
    const text = await Deno.readTextFile(new URL(file, ROOT));
    if (/\bimport\(["']\./.test(text)) inline.push(file);
  }
  assertEquals(inline, []);
});

Deno.test("docs/how_it_works.md: its map names each file of src/ once, or its folder", async () => {
  const text = await Deno.readTextFile(new URL("docs/how_it_works.md", ROOT));
  const [, map = ""] = text.match(/^## Where is what$([^]*?)^## /m) ?? [];
  const named = [...map.matchAll(/^\| (`.*?) \|/gm)].flatMap(([, cell = ""]) => {
    // The folder stands before the first of its files alone.
    const [first = "", ...more] = [...cell.matchAll(/`([^`]+)`/g)].map(([, name]) => name!);
    const folder = first.slice(0, first.lastIndexOf("/") + 1);
    return [first, ...more.map((name) => name.includes("/") ? name : folder + name)];
  });
  const files = Object.keys(tree).filter((file) => file.startsWith("src/")).map((file) =>
    file.slice("src/".length)
  );
  const folders = named.filter((name) => name.endsWith("/"));
  const expected = files.filter((file) => !folders.some((folder) => file.startsWith(folder)));
  assertEquals(
    named.filter((name) => !folders.includes(name)).toSorted(),
    expected.toSorted(),
  );
});

Deno.test("classes: none has more than 600 lines or 25 fields", () => {
  const project = new Project({ compilerOptions: { allowImportingTsExtensions: true } });
  const too_large: string[] = [];
  for (const file of project.addSourceFilesAtPaths(`${ROOT.pathname}src/**/*.ts`)) {
    for (const each of file.getClasses()) {
      const lines = each.getEndLineNumber() - each.getStartLineNumber() + 1;
      const fields = each.getInstanceProperties().filter(Node.isPropertyDeclaration).length;
      if (lines > 600 || fields > 25) {
        too_large.push(`${each.getName()}: ${lines} lines, ${fields} fields`);
      }
    }
  }
  assertEquals(too_large, []);
});

Deno.test("src/core/tasks.ts: less than 700 lines of code", async () => {
  const text = await Deno.readTextFile(new URL("src/core/tasks.ts", ROOT));
  const code = text.replaceAll(/\/\*[^]*?\*\//g, "").split("\n").map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("//"));
  assert(code.length < 700, `${code.length} lines`);
});
