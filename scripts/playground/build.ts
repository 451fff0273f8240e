/**
 * Builds what the playground's page loads: its scripts, each with all that it imports in one file, the
 * programs to begin with, and the licences of what is bundled.
 */

import { licences_of } from "./licences.ts";
import { read_samples } from "./samples.ts";

/** The version of Deno whose bundler makes the files that are committed: another's may differ. */
export const DENO_VERSION = "2.9.6";

const ROOT = new URL("../../", import.meta.url);
/** Where the files are that the page loads. */
export const DIST = new URL("playground/dist/", ROOT);
const SCRIPTS = ["page.ts", "worker.ts"].map((name) => new URL(`playground/src/${name}`, ROOT));

async function bundle(folder: string): Promise<void> {
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "bundle",
      "--quiet",
      "--platform=browser",
      "--minify",
      `--outdir=${folder}`,
      ...SCRIPTS.map(({ pathname }) => pathname),
    ],
    cwd: ROOT,
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
}

/** Writes all files into a folder. */
export async function build(folder: string): Promise<void> {
  await Deno.mkdir(folder, { recursive: true });
  await bundle(folder);
  await Deno.writeTextFile(`${folder}/samples.json`, JSON.stringify(await read_samples(), null, 1));
  await Deno.writeTextFile(`${folder}/licences.txt`, await licences_of(SCRIPTS));
}

async function read_files(folder: string): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  for await (const { name } of Deno.readDir(folder)) {
    files.set(name, await Deno.readTextFile(`${folder}/${name}`));
  }
  return files;
}

/** The names of the files that are not what their sources make of them. */
export async function stale_files(): Promise<string[]> {
  const folder = await Deno.makeTempDir();
  try {
    await build(folder);
    const [fresh, present] = await Promise.all([folder, DIST.pathname].map(read_files));
    const names = new Set([...fresh.keys(), ...present.keys()]);
    return [...names].filter((name) => fresh.get(name) !== present.get(name)).sort();
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
