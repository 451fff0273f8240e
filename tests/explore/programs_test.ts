/** This project's own programs, for a moment each; `deno task explore` does it for longer. */

import { assert } from "@std/assert";
import { explore } from "../../testing.ts";
import { EXAMPLES } from "./programs/examples.ts";
import { PRIMITIVES } from "./programs/primitives.ts";

for (const { name, program, options } of [...PRIMITIVES, ...EXAMPLES]) {
  Deno.test(`explore: nothing is found in ${name}`, async () => {
    for (const strategy of ["pct", "random"] as const) {
      const { orders } = await explore(program, {
        ...options,
        strategy,
        runs: 100,
        progress: false,
      });
      assert(orders > 1, "there is nothing to vary");
    }
  });
}
