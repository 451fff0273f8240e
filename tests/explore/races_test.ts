/** Every known kind of race is found, and what mends it holds. */

import { assert, assertRejects } from "@std/assert";
import { ExplorationError, explore } from "../../testing.ts";
import { RACES } from "./races/mod.ts";

const FIXED_RUNS = 1000;

for (const { name, broken, fixed, options } of RACES) {
  Deno.test(`explore: finds the race "${name}", and none where it is mended`, async () => {
    const error = await assertRejects(
      () => explore(broken, { ...options, progress: false }),
      ExplorationError,
    );
    assert(error.run > 1, "it fails in the plain order, too");
    await assertRejects(
      () => explore(broken, { ...options, replay: error.schedule }),
      ExplorationError,
    );
    for (const strategy of ["pct", "random"] as const) {
      await explore(fixed, { ...options, strategy, runs: FIXED_RUNS, seed: 1, progress: false });
    }
  });
}
