/** What a page that uses the package has to load. */

import project from "../../deno.json" with { type: "json" };
import { type Bundle, measure_installed } from "../../scripts/bundle_size.ts";
import type { Installation } from "./installation.ts";

/** The modules of the library that something of is in a bundle, such as `src/core/tasks`. */
function modules_of({ parts }: Bundle): string[] {
  return [...parts.keys()].flatMap((path) => path.match(/(src\/[\w/]+|\w+)\.js$/)?.[1] ?? []);
}

/** Small programs, and modules, or folders of them, of which nothing may be in their bundles. */
const PROGRAMS: Readonly<Record<string, readonly string[]>> = {
  [`export * from "${project.name}";`]: [
    "src/structured/cancel_scopes",
    "src/structured/channels",
    "src/structured/services",
  ],
  [`import { sleep } from "${project.name}"; await sleep(1);`]: [
    "src/async_generators",
    "src/itertools",
    "src/locks",
    "src/queues",
    "src/loop/runners",
    "src/staggered",
    "src/taskgroups",
    "src/testing/virtual_clock",
  ],
  [`import { run, sleep, TaskGroup } from "${project.name}"; await run(sleep(1)); new TaskGroup();`]:
    [
      "src/itertools",
      "src/locks",
      "src/queues",
      "src/staggered",
      "src/testing/virtual_clock",
    ],
};

/** Says how much small programs make a page load, and that they leave out what they do not use. */
export async function check_sizes({ folder }: Installation): Promise<void> {
  for (const [program, unused] of Object.entries(PROGRAMS)) {
    const bundle = await measure_installed(program, folder);
    const surplus = modules_of(bundle).filter((module) =>
      unused.some((name) => module === name || module.startsWith(`${name}/`))
    );
    if (surplus.length > 0) throw new Error(`In the bundle of ${program}: ${surplus.join(", ")}`);
    console.log(`${bundle.minified} bytes, ${bundle.compressed} compressed: ${program}`);
  }
}
