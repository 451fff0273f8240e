/** Checks a range of programs in a thread of its own, which the main thread ends if it hangs. */

import "./fake_host.ts";
import { parentPort, workerData } from "node:worker_threads";
import { case_of } from "./cases.ts";
import { check, explain, make_smaller } from "./check.ts";
import type { ProfileName } from "./profiles.ts";

/** What a worker is to do. */
export interface Job {
  profiles: readonly ProfileName[];
  seed: number;
  /** The first program, the one after the last, and how many each worker leaves out. */
  from: number;
  to: number;
  step: number;
  /** Where the worker says how far it is: the index of the program it runs. */
  progress: Int32Array;
  /** How many broken programs are made smaller. */
  shrinks: number;
  async_context: boolean;
}

/** What a worker says: a broken program, or that it has come to its end. */
export type Message =
  | {
    kind: "broken";
    index: number;
    profile: ProfileName;
    seed: number;
    invariant: string;
    detail: string;
    text: string | null;
  }
  | { kind: "done" };

const { profiles, seed, from, to, step, progress, shrinks } = workerData as Job;
const say = (message: Message) => parentPort!.postMessage(message);

let shrunk = 0;
const seen = new Map<string, number>();
for (let index = from; index < to; index += step) {
  progress[0] = index;
  const broken = await check(case_of(profiles, seed, index));
  if (broken === null) continue;
  const { invariant, detail } = broken.violations[0]!;
  const count = (seen.get(invariant) ?? 0) + 1;
  seen.set(invariant, count);
  let text: string | null = null;
  // Some of each kind.
  if (shrunk < shrinks && count <= Math.ceil(shrinks / 4)) {
    shrunk++;
    text = await explain(await make_smaller(broken));
  }
  const { profile, seed: own_seed } = broken;
  say({ kind: "broken", index, profile, seed: own_seed, invariant, detail, text });
}
say({ kind: "done" });
