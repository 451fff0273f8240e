/** What docs/debugging.md says that CPython prints is what it printed when it was recorded. */

import { assertEquals } from "@std/assert";
import { read } from "./document.ts";
import { hash } from "./phrases.ts";

Deno.test("debugging: the outputs of CPython are those that were recorded", async () => {
  const recorded = JSON.parse(
    await Deno.readTextFile(new URL("./debugging.json", import.meta.url)),
  );
  const { blocks } = await read("docs/debugging.md");
  const hashes: Record<string, string> = {};
  for (const [index, block] of blocks.entries()) {
    if (block.language !== "python") continue;
    hashes[block.heading] = await hash(block.code, blocks[index + 1]!.code);
  }
  assertEquals(hashes, recorded, "scripts/record_debugging.ts records them anew");
  assertEquals(Object.keys(hashes).length, 1);
});
