/** Golden programs: a choice of random programs with CPython's traces, one a line, one file a profile. */

import { happenings } from "./coverage.ts";
import { generate } from "./generate.ts";
import type { ProfileName } from "./profiles.ts";
import type { Program, Trace } from "./program.ts";
import type { Side } from "./side.ts";

export interface Golden {
  seed: number;
  program: Program;
  trace: Trace;
}

/** How many programs are kept of each profile, and out of how many. */
const KEPT = 12;
const TRIED = 600;

/** The longest golden, in characters: long traces show little that short ones do not. */
const LONGEST = 5000;

function file(profile: ProfileName): URL {
  return new URL(`./goldens/${profile}.jsonl`, import.meta.url);
}

export async function read_goldens(profile: ProfileName): Promise<Golden[]> {
  const text = await Deno.readTextFile(file(profile));
  return text.trimEnd().split("\n").map((line) => JSON.parse(line));
}

/** A kind of statement that no golden has yet is worth as much as so many other things. */
const NEW_KIND = 20;

/** What a program shows, as far as it is new. */
function worth(shows: Set<string>, shown: Set<string>): number {
  const news = [...shows.difference(shown)];
  const kinds = [...kinds_of(shows).difference(kinds_of(shown))];
  return news.length + NEW_KIND * kinds.length;
}

function kinds_of(happenings: Set<string>): Set<string> {
  return new Set([...happenings].map((happening) => happening.split(":")[0]!));
}

/** Chooses again and again the program that shows most of what none before it shows. */
async function choose(profile: ProfileName, seed: number, python: Side): Promise<Golden[]> {
  const seeds = Array.from({ length: TRIED }, (_, index) => seed + index);
  const programs = seeds.map((each) => generate(profile, each));
  const traces = await python.run(programs);
  let candidates = traces
    .map((trace, index) => ({ seed: seeds[index]!, program: programs[index]!, trace }))
    .filter((golden) => JSON.stringify(golden).length <= LONGEST)
    .map((golden) => ({ golden, shows: new Set(happenings(golden.program, golden.trace)) }));
  const shown = new Set<string>();
  const goldens: Golden[] = [];
  while (goldens.length < KEPT && candidates.length > 0) {
    const worths = candidates.map(({ shows }) => worth(shows, shown));
    const best = candidates[worths.indexOf(Math.max(...worths))]!;
    for (const happening of best.shows) shown.add(happening);
    goldens.push(best.golden);
    candidates = candidates.filter((candidate) => candidate !== best);
  }
  return goldens;
}

/** Makes the golden files of the profiles anew. */
export async function write_goldens(
  profiles: readonly ProfileName[],
  seed: number,
  python: Side,
): Promise<void> {
  for (const profile of profiles) {
    const goldens = await choose(profile, seed, python);
    const lines = goldens.map((golden) => JSON.stringify(golden));
    await Deno.writeTextFile(file(profile), `${lines.join("\n")}\n`);
    console.log(`${profile}: ${goldens.length} programs`);
  }
}
