/** The functions that the workers of this example serve. */

import * as asyncio from "../../mod.ts";
import { current_job, report_progress } from "./current_job.ts";

export { count_primes } from "../pools/work.ts";

/** Returns its arguments. */
export function echo(...values: unknown[]): unknown[] {
  return values;
}

/** Renders so many frames, each in so many seconds, and says how far it is. */
export async function render(frames: number, seconds: number): Promise<string> {
  for (let done = 1; done <= frames; done++) {
    await asyncio.sleep(seconds);
    await report_progress({ done, of: frames });
  }
  return `${frames} frames`;
}

/** Asks a server; cancelled, it aborts the request. */
export async function fetch_text(url: string): Promise<string> {
  return await asyncio.from_promise(async (signal) => await (await fetch(url, { signal })).text());
}

/** A card that the bank does not accept. */
export class Refused extends asyncio.ValueError {
  readonly code: number;

  constructor(code: number, options?: ErrorOptions) {
    super(`refused with code ${code}`);
    this.code = code;
    if (options?.cause !== undefined) this.cause = options.cause;
  }
}

/** Fails in the first so many attempts. */
export function charge(refusals: number): number {
  const { attempt } = current_job() ?? { attempt: 1 };
  if (attempt <= refusals) throw new Refused(attempt, { cause: new RangeError("no funds") });
  return attempt;
}
