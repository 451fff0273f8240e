/** The worker as a program of its own, as a person runs it. */

import { type Outcome, Program } from "../../tests/program.ts";

const PERMISSIONS = ["--allow-net", "--allow-env", "--allow-read", "--allow-sys"];

export class WorkerProgram extends Program<Outcome> {
  /** Starts a worker, with the permissions of `deno task worker`. */
  constructor(...args: string[]) {
    super(new URL("../main.ts", import.meta.url), PERMISSIONS, args);
  }

  protected override sort_out(outcome: Outcome): Outcome {
    return outcome;
  }
}
