/**
 * Makes the npm package with `deno pack`: `deno task pack`.
 *
 * `deno pack` compiles and writes the declarations. This completes what it makes: fields of
 * package.json, source maps of their own that name no folder of this machine, and the bundles for runtimes.
 */

import { dirname, join } from "node:path";
import config from "../deno.json" with { type: "json" };
import { bundle_entry_points } from "./package_bundles.ts";
import {
  name_needed_library,
  package_exports,
  package_fields,
  side_effects,
} from "./package_fields.ts";

const ROOT = new URL("..", import.meta.url).pathname;

/** Returns the files of the package that a script loads, itself among them. */
export async function loaded_by(script: string, files = new Set<string>()): Promise<Set<string>> {
  if (files.has(script)) return files;
  files.add(script);
  const text = await Deno.readTextFile(script);
  const imports = text.matchAll(/^(?:\} from|(?:import|export)\b[^"\n]*) "(\.[^"]+)";/gm);
  for (const [, path = ""] of imports) await loaded_by(join(dirname(script), path), files);
  return files;
}

/** Makes the package and returns the path of the tarball, which lies in the project's folder or another. */
export async function pack(destination = ROOT): Promise<string> {
  const work = await Deno.makeTempDir({ prefix: "asyncio_pack_" });
  try {
    await copy_sources(`${work}/sources`);
    const args = ["pack", "--quiet", "--allow-dirty", "--output", `${work}/compiled.tgz`];
    await run(Deno.execPath(), args, `${work}/sources`);
    await run("tar", ["xzf", "compiled.tgz"], work);
    await complete(`${work}/package`);
    const packed = await run(
      "npm",
      ["pack", "--json", "--pack-destination", destination],
      `${work}/package`,
    );
    const [{ filename }]: [{ filename: string }] = JSON.parse(packed);
    return join(destination, filename);
  } finally {
    await Deno.remove(work, { recursive: true });
  }
}

/**
 * Copies what is published. Without the option for old decorators the compiler would turn each computed
 * name of a method into an assignment, and no bundler could drop a class that has one.
 */
async function copy_sources(folder: string): Promise<void> {
  await Deno.mkdir(folder);
  await run("cp", ["-r", ...config.publish.include, folder], ROOT);
  const { name, version, license, exports, publish, compilerOptions } = config;
  const options = { ...compilerOptions, experimentalDecorators: true };
  await Deno.writeTextFile(
    `${folder}/deno.json`,
    JSON.stringify({ name, version, license, exports, publish, compilerOptions: options }),
  );
}

const COMMAND = `#!/usr/bin/env node
import process from "node:process";
import { main } from "./cli.js";
process.exitCode = await main(process.argv.slice(2));
`;

async function complete(folder: string): Promise<void> {
  const file = `${folder}/package.json`;
  const made = JSON.parse(await Deno.readTextFile(file));
  const fields = {
    ...made,
    ...await package_fields(),
    exports: package_exports("."),
    sideEffects: side_effects("."),
    bin: { asyncio: "./bin.mjs" },
  };
  await Deno.writeTextFile(`${folder}/bin.mjs`, COMMAND);
  await Deno.writeTextFile(file, `${JSON.stringify(fields, null, 2)}\n`);
  await name_needed_library(folder);
  for (const script of await scripts_in(folder)) await move_source_map(script);
  await bundle_entry_points(folder);
}

async function scripts_in(folder: string): Promise<string[]> {
  const scripts: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const path = `${folder}/${name}`;
    if (isDirectory) scripts.push(...await scripts_in(path));
    else if (name.endsWith(".js")) scripts.push(path);
  }
  return scripts;
}

const INLINE_MAP = /\n\/\/# sourceMappingURL=data:application\/json;base64,([\w+/=]+)\s*$/;

async function move_source_map(script: string): Promise<void> {
  const text = await Deno.readTextFile(script);
  const name = script.slice(script.lastIndexOf("/") + 1);
  const [whole, encoded = ""] = text.match(INLINE_MAP) ?? [];
  if (whole === undefined) throw new Error(`Cannot find the source map of ${name}`);
  const map = JSON.parse(new TextDecoder().decode(Uint8Array.from(atob(encoded), byte_of)));
  map.sources = [name.replace(/\.js$/, ".ts")];
  await Deno.writeTextFile(`${script}.map`, JSON.stringify(map));
  await Deno.writeTextFile(
    script,
    `${text.slice(0, -whole.length)}\n//# sourceMappingURL=${name}.map\n`,
  );
}

function byte_of(character: string): number {
  return character.charCodeAt(0);
}

async function run(command: string, args: string[], cwd: string): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(command, { args, cwd }).output();
  const decoder = new TextDecoder();
  if (!success) throw new Error(`${command} ${args[0]} failed:\n${decoder.decode(stderr)}`);
  return decoder.decode(stdout);
}

if (import.meta.main) console.log(await pack());
