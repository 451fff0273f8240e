/**
 * Plants faults in a copy of `./structured`, one at a time, and looks whether the random programs find each:
 * `deno run -A tests/structured/plant.ts`. Ends with exit code 1 if one is not found.
 */

import { parseArgs } from "node:util";
import { FAULTS } from "./faults.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
const COPIED = [
  "mod.ts",
  "structured.ts",
  "testing.ts",
  "src",
  "tests/property",
  "tests/structured",
];

async function copy(from: string, to: string): Promise<void> {
  if ((await Deno.stat(from)).isFile) return await Deno.copyFile(from, to);
  await Deno.mkdir(to, { recursive: true });
  for await (const { name } of Deno.readDir(from)) await copy(`${from}/${name}`, `${to}/${name}`);
}

/** Runs the programs of the primitive that a fault is of, or all; returns the first line that says what is wrong. */
async function find(folder: string, primitive: string, programs: string): Promise<string | null> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...["test", "-A", "--no-check", "--no-lock", "--filter", primitive, "--fail-fast"],
      `${folder}/tests/structured/property_test.ts`,
    ],
    env: { NO_COLOR: "1", PROGRAMS: programs },
    cwd: folder,
  }).output();
  if (success) return null;
  const text = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
  const [, cause] = text.match(/^Caused by: (.*)$/m) ?? [];
  if (cause === undefined) throw new Error(text);
  return cause;
}

const { values } = parseArgs({
  options: { programs: { type: "string", default: "1" }, only: { type: "string", default: "" } },
});
const folder = await Deno.makeTempDir({ prefix: "structured_" });
let missed = 0;
try {
  await Deno.mkdir(`${folder}/tests`);
  for (const path of COPIED) await copy(ROOT + path, `${folder}/${path}`);
  const { imports } = JSON.parse(await Deno.readTextFile(`${ROOT}deno.json`));
  await Deno.writeTextFile(`${folder}/deno.json`, JSON.stringify({ imports }));
  for (const { name, file, search, replacement } of FAULTS) {
    if (!name.includes(values.only)) continue;
    const path = `${folder}/${file}`;
    const text = await Deno.readTextFile(path);
    if (text.split(search).length !== 2) throw new Error(`${name}: not once in ${file}: ${search}`);
    await Deno.writeTextFile(path, text.replace(search, () => replacement));
    const primitive = name.startsWith("open_channel")
      ? "channel"
      : name.slice(0, name.indexOf(":"));
    const found = await find(folder, primitive, values.programs);
    if (found === null) missed++;
    console.log(found === null ? `NOT FOUND: ${name}` : `found: ${name}: ${found.slice(0, 160)}`);
    await Deno.writeTextFile(path, text);
  }
} finally {
  await Deno.remove(folder, { recursive: true });
}
console.log(missed === 0 ? "all faults are found" : `${missed} faults are not found`);
Deno.exit(missed === 0 ? 0 : 1);
