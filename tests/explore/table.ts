/** How many runs it takes to find each race, by strategy and by fast-check's scheduler. */

import fc from "fast-check";
import { ExplorationError, type ExplorationStrategy, explore } from "../../testing.ts";
import { RACES } from "./races/mod.ts";
import type { Race } from "./races/race.ts";

const SEEDS = 25;
const MAX_RUNS = 1000;

/** The number of the run that finds a race; more than there may be if none does. */
async function runs_to_find(
  { broken, options }: Race,
  strategy: ExplorationStrategy,
  seed: number,
): Promise<number> {
  try {
    await explore(broken, { ...options, strategy, seed, runs: MAX_RUNS });
    return Infinity;
  } catch (error) {
    if (error instanceof ExplorationError) return error.run;
    throw error;
  }
}

async function runs_of_fast_check({ by_promises }: Race, seed: number): Promise<number> {
  const property = fc.asyncProperty(fc.scheduler(), async (scheduler) => {
    await scheduler.waitFor(
      by_promises!((value) => scheduler.schedule(Promise.resolve(value))),
    );
  });
  const { failed, numRuns } = await fc.check(property, {
    seed,
    numRuns: MAX_RUNS,
    endOnFailure: true,
  });
  return failed ? numRuns : Infinity;
}

/** The median of all seeds, and in brackets the most runs that one of them takes. */
async function median(count_runs: (seed: number) => Promise<number>): Promise<string> {
  const counts: number[] = [];
  for (let seed = 0; seed < SEEDS; seed++) counts.push(await count_runs(seed));
  counts.sort((a, b) => a - b);
  const [middle, most] = [counts[Math.floor(SEEDS / 2)]!, counts.at(-1)!].map((count) =>
    count === Infinity ? `more than ${MAX_RUNS.toLocaleString("en")}` : String(count)
  );
  return `${middle} (${most})`;
}

/** Finds all, and writes the page. */
export async function make_table(): Promise<string> {
  const rows: string[][] = [["Race", "`pct`", "`random`", "fast-check"], ["-", "-:", "-:", "-:"]];
  for (const race of RACES) {
    rows.push([
      race.name,
      await median((seed) => runs_to_find(race, "pct", seed)),
      await median((seed) => runs_to_find(race, "random", seed)),
      race.by_promises === undefined ? "" : await median((seed) => runs_of_fast_check(race, seed)),
    ]);
    console.error(rows.at(-1)!.join("  "));
  }
  const kinds = RACES.map(({ name, about }) => `- **${name}**: ${about}`);
  return `# Known kinds of races

How many runs it takes [\`explore()\`](testing.md#find-the-race) to find each of ${RACES.length} known kinds of
races: the median of ${SEEDS} seeds, for each strategy, and in brackets the most that one of them took. The programs, each with one in which the race is mended,
are in [tests/explore/races](../tests/explore/races). Where a program can be written with promises alone, the
third column has the runs that the scheduler of [fast-check](https://fast-check.dev) takes for the same
program; it knows neither time, networks, cancellations nor crashes. It does not try the plain order first, which
\`explore()\` counts as its first run.

\`deno task explore --table\` writes this page; \`deno task explore --fixed 100000\` runs the mended programs.

${rows.map((row) => `| ${row.join(" | ")} |`).join("\n")}

## What they are

${kinds.join("\n")}
`;
}
