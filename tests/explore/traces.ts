/** The reports of some explorations, to be the same on every host. Nothing here is Deno's. */

import { ExplorationError, explore } from "../../testing.ts";
import { RACES } from "./races/mod.ts";

const CHOSEN = [
  "lost update",
  "lock order",
  "leaked permit",
  "lease that expires under a pause",
  "leader election with clocks",
  "two connections, one order",
  "acknowledged before it is synced",
];

/** The reports, one after the other. */
export async function report_races(): Promise<string> {
  const reports: string[] = [];
  for (const { name, broken, options } of RACES.filter(({ name }) => CHOSEN.includes(name))) {
    for (const strict of [false, true]) {
      const error = await explore(broken, { ...options, strict, seed: 7 }).catch((error) => error);
      const text = error instanceof ExplorationError ? error.message : `nothing: ${error}`;
      reports.push(`## ${name}${strict ? ", strictly" : ""}\n\n${text}\n`);
    }
  }
  return reports.join("\n");
}
