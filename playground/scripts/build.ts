/**
 * Builds the playground's page, a folder that any server of static files can serve: the page itself, its
 * scripts, each with all that it imports in one file, the programs to begin with, the guides of `docs/`, and
 * the licences of what is bundled.
 *
 *     deno task build:playground    into playground/dist/
 */

import { sources_on_the_web } from "../../scripts/sources.ts";
import { write_guides } from "./guides.ts";
import { licences_of } from "./licences.ts";
import { read_samples } from "./samples.ts";

const PLAYGROUND = new URL("../", import.meta.url);

/** Where `deno task playground` serves the page from. */
export const DIST = new URL("dist/", PLAYGROUND).pathname;

const PAGE = ["index.html", "style.css", "icon.svg"];
const SCRIPTS = ["page.ts", "worker.ts"].map((name) => new URL(`src/${name}`, PLAYGROUND));

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
    cwd: PLAYGROUND,
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
}

/** Writes the whole page into a folder, which is made if it is not there. */
export async function build(folder: string): Promise<void> {
  await Deno.mkdir(folder, { recursive: true });
  await bundle(folder);
  for (const name of PAGE) await Deno.copyFile(new URL(name, PLAYGROUND), `${folder}/${name}`);
  await Deno.writeTextFile(`${folder}/samples.json`, JSON.stringify(await read_samples(), null, 1));
  await write_guides(`${folder}/guides`, await sources_on_the_web());
  await Deno.writeTextFile(`${folder}/licences.txt`, await licences_of(SCRIPTS));
}

if (import.meta.main) await build(DIST);
