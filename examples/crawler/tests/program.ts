/** The crawler as a program of its own, as a person runs it. */

import * as example from "../../tests/program.ts";

const PERMISSIONS = ["--allow-net", "--allow-env", "--allow-read", "--allow-write", "--allow-sys"];

/** A line that says how far a crawl is: how many there are depends on the machine. */
const PROGRESS = /^\d+\/\d+ pages, .*\n/gm;

export interface Outcome extends example.Outcome {
  /** What it says of how far it is. */
  readonly progress: string;
  /** What else it says. */
  readonly stderr: string;
}

export class Program extends example.Program<Outcome> {
  /** Starts the crawler, with the permissions of `deno task crawl`. */
  constructor(...args: string[]) {
    super(new URL("../main.ts", import.meta.url), PERMISSIONS, args);
  }

  protected override sort_out(outcome: example.Outcome): Outcome {
    const progress = (outcome.stderr.match(PROGRESS) ?? []).join("");
    return { ...outcome, progress, stderr: outcome.stderr.replaceAll(PROGRESS, "") };
  }
}

/** Runs the crawler to its end. */
export function execute(...args: string[]): Promise<Outcome> {
  return new Program(...args).outcome;
}
