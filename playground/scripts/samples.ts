/** The programs of `playground/samples/` and the seed's, as the playground shows them. */

import type { Chapter, Sample, Samples } from "../src/samples.ts";
import { RUNS } from "../../tests/seed/runs.ts";
import { CHAPTERS } from "../../scripts/chapters.ts";

/** The playground's own programs, in the order in which they are shown, before those of the seed. */
export const FIRST_STEPS: readonly string[] = [
  "task_group",
  "time_limit",
  "semaphore",
  "native_promise",
  "cancellation",
  "find_the_race",
];

/** Where they are. */
export const OWN = new URL("../samples/", import.meta.url);

const PROGRAMS = new URL("../../examples/seed/", import.meta.url);

/** The line that says how to run the program elsewhere. */
const HOW_TO_RUN = /^\/\/ Run it: .*\n/m;

/** How the program imports the library, whose entry points are files beside each other. */
const LIBRARY = /(?<=from ")(?:\.\.\/){2}(\w+)\.ts(?=")/g;

function published(_file: string, entry: string): string {
  return entry === "mod" ? "@pythonic/asyncio" : `@pythonic/asyncio/${entry}`;
}

async function read_own(name: string): Promise<Sample> {
  const source = await Deno.readTextFile(new URL(`${name}.ts`, OWN));
  const [first = ""] = source.split("\n");
  return { name, summary: first.replace("// ", ""), source, virtual: true };
}

async function read_sample(name: string): Promise<Sample> {
  const text = await Deno.readTextFile(new URL(`${name}.ts`, PROGRAMS));
  const [first = ""] = text.split("\n");
  const run = RUNS.find(({ program, args }) => program === name && args.length === 0);
  return {
    name,
    summary: first.replace("// ", ""),
    source: text.replace(HOW_TO_RUN, "").replaceAll(LIBRARY, published),
    virtual: run?.virtual ?? true,
  };
}

/** Reads all programs and what they import. */
export async function read_samples(): Promise<Samples> {
  const chapters: Chapter[] = [
    { title: "First steps", samples: await Promise.all(FIRST_STEPS.map(read_own)) },
  ];
  for (const [title, names] of Object.entries(CHAPTERS)) {
    chapters.push({ title, samples: await Promise.all(names.map(read_sample)) });
  }
  const support = new URL("support/", PROGRAMS);
  const modules: Record<string, string> = {};
  for (const name of [...Deno.readDirSync(support)].map(({ name }) => name).sort()) {
    modules[`./support/${name}`] = await Deno.readTextFile(new URL(name, support));
  }
  return { chapters, modules };
}
