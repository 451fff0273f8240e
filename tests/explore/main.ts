/**
 * `deno task explore`: runs the programs of this project under `explore()` for as long as one likes; writes
 * the table of races.
 */

import process from "node:process";
import { parseArgs } from "node:util";
import { read_command_line, UsageError, whole_number } from "../../scripts/command_line.ts";
import * as asyncio from "../../mod.ts";
import { ExplorationError, explore } from "../../testing.ts";
import { PROGRAMS } from "./programs/mod.ts";
import { RACES } from "./races/mod.ts";
import { make_table } from "./table.ts";

const HELP = `Runs the programs of this project in every order that a seed decides.

  deno task explore                        for a minute, all programs in turns
  deno task explore --seconds 3600         for an hour
  deno task explore --only Queue           those whose names contain it
  deno task explore --seed 7               from another seed on
  deno task explore --fixed 100000         the mended races, so many runs each
  deno task explore --speed                says how many runs of 100 steps a core makes in a second
  deno task explore --table                finds each race with 25 seeds, and writes docs/races.md
`;

function read_options() {
  const { values } = parseArgs({
    options: {
      help: { type: "boolean", default: false },
      seconds: { type: "string", default: "60" },
      only: { type: "string", default: "" },
      seed: { type: "string", default: "0" },
      fixed: { type: "string" },
      speed: { type: "boolean", default: false },
      table: { type: "boolean", default: false },
    },
  });
  const { help, speed, table } = values;
  const is_chosen = ({ name }: { name: string }) => name.includes(values.only);
  const [programs, races] = [PROGRAMS.filter(is_chosen), RACES.filter(is_chosen)];
  const fixed = values.fixed === undefined ? null : whole_number("fixed", values.fixed, 1);
  if ((fixed === null ? programs : races).length === 0) {
    throw new UsageError(`--only takes a part of a program's name: received '${values.only}'`);
  }
  return {
    ...{ help, speed, table, programs, races, fixed },
    seconds: whole_number("seconds", values.seconds, 1),
    seed: whole_number("seed", values.seed),
  };
}

/** How long a program has until it is the turn of the next, in seconds. */
const TURN = 2;

async function run_programs(
  chosen: typeof PROGRAMS,
  seconds: number,
  first_seed: number,
): Promise<void> {
  const runs = new Map(chosen.map(({ name }) => [name, 0]));
  const end = performance.now() + seconds * 1000;
  const turn = Math.min(TURN, seconds / chosen.length);
  for (let seed = first_seed; performance.now() < end; seed++) {
    const strategy = seed % 2 === 0 ? "pct" : "random";
    for (const { name, program, options } of chosen) {
      const time_limit = Math.min(turn, (end - performance.now()) / 1000);
      if (time_limit <= 0) break;
      const limits = { seed, strategy, time_limit, runs: Infinity } as const;
      const made = await explore(program, { ...options, ...limits });
      runs.set(name, runs.get(name)! + made.runs);
    }
  }
  for (const [name, count] of runs) {
    console.log(`${count.toLocaleString("en").padStart(10)} runs  ${name}`);
  }
}

async function run_fixed(chosen: typeof RACES, runs: number, seed: number): Promise<void> {
  for (const { name, fixed, options } of chosen) {
    for (const strategy of ["random", "pct"] as const) {
      await explore(fixed, { ...options, runs: runs / 2, seed, strategy });
    }
    console.log(`${runs.toLocaleString("en").padStart(10)} runs  ${name}`);
  }
}

/** A program of 100 steps: two producers, two consumers, a lock, timers. */
async function hundred_steps(): Promise<void> {
  const queue = new asyncio.Queue<number>(4);
  const lock = new asyncio.Lock();
  const produce = async () => {
    for (let i = 0; i < 12; i++) await queue.put(i);
  };
  const consume = async () => {
    for (let i = 0; i < 12; i++) {
      await queue.get();
      using _ = await lock.acquire();
      await asyncio.sleep(0);
    }
  };
  const tick = async () => {
    for (let i = 0; i < 8; i++) await asyncio.sleep(0.001);
  };
  await asyncio.gather(produce, produce, consume, consume, tick);
}

async function measure_speed(): Promise<void> {
  for (let round = 0; round < 5; round++) {
    const before = process.cpuUsage();
    const { runs, steps } = await explore(hundred_steps, { runs: 2000, seed: round });
    const { user, system } = process.cpuUsage(before);
    const rate = runs / ((user + system) / 1e6);
    console.log(
      `${Math.round(rate).toLocaleString("en")} runs of ${Math.round(steps)} steps a second`,
    );
  }
}

const { help, speed, table, programs, races, fixed, seconds, seed } = read_command_line(
  "explore",
  read_options,
);
try {
  if (help) console.log(HELP);
  else if (speed) await measure_speed();
  else if (table) {
    const path = new URL("../../docs/races.md", import.meta.url);
    await Deno.writeTextFile(path, await make_table());
  } else if (fixed !== null) await run_fixed(races, fixed, seed);
  else await run_programs(programs, seconds, seed);
} catch (error) {
  if (!(error instanceof ExplorationError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
