/** Which programs there are: each has a profile and a number that it is generated from. */

import { Random } from "../conformance/random.ts";
import type { ProfileName } from "./profiles.ts";

/** A program of a profile, by the number that it is generated from. */
export interface Case {
  profile: ProfileName;
  seed: number;
}

/** The case of an index: the profiles follow each other. */
export function case_of(profiles: readonly ProfileName[], seed: number, index: number): Case {
  const own = new Random(Math.imul(index + 1, 0x9e3779b1) ^ seed);
  return { profile: profiles[index % profiles.length]!, seed: own.next() };
}
