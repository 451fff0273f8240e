/** Nothing of `./structured` is in the bundle of a program that does not import it. */

import { assert, assertEquals } from "@std/assert";
import { measure_sources } from "../../scripts/bundle_size.ts";

async function structured_files(program: string): Promise<string[]> {
  const { parts } = await measure_sources(program);
  return [...parts].filter(([path, bytes]) => path.includes("src/structured/") && bytes > 0)
    .map(([path]) => path.slice(path.lastIndexOf("/") + 1));
}

Deno.test("structured: nothing of it is in the bundle of a program that imports mod.ts alone", async () => {
  const program = `export * from "./mod.ts"; export * from "./itertools.ts";
    export * from "./testing.ts"; export * from "./trace.ts";`;
  assertEquals(await structured_files(program), []);
});

Deno.test("structured: a program loads what it uses of it, not the rest", async () => {
  const files = await structured_files(
    `import { open_channel } from "./structured.ts"; console.log(open_channel(1));`,
  );
  assert(files.includes("channels.ts"));
  assertEquals(
    files.filter((file) => /scope|limiter|rwlock|broadcast|service|supervisor|retries/.test(file)),
    [],
  );
});
