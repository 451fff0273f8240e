/** What docs/debugging.md says that CPython prints is what it printed when it was recorded. */

import { assertEquals } from "@std/assert";
import { read } from "./document.ts";
import { hash } from "./phrases.ts";
import { STACK_HOSTS, stack_on } from "./stacks.ts";
import { CHROMIUM } from "../chromium.ts";
import { stop } from "esbuild";

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

/** The hosts of the page that are on this machine: others are run when the page is recorded. */
async function hosts_here(): Promise<string[]> {
  const { stdout } = await new Deno.Command("node", { args: ["--version"] }).output();
  const version = /^v\d+/.exec(new TextDecoder().decode(stdout))?.[0].replace("v", "Node.js ");
  const has_chromium = await Deno.stat(CHROMIUM).then(() => true, () => false);
  return STACK_HOSTS.filter((host) =>
    host === "Deno" || host === version || has_chromium && host === "Chromium"
  );
}

for (const host of await hosts_here()) {
  Deno.test({
    name: `debugging: the stack of an error on ${host} is the one that was recorded`,
    sanitizeResources: false, // esbuild's process
    sanitizeOps: false,
    async fn() {
      const { blocks } = await read("docs/debugging.md");
      const recorded = blocks.find(({ heading }) => heading === host)?.code;
      const stack = await stack_on(host);
      await stop();
      assertEquals(recorded?.trimEnd(), stack, "scripts/record_debugging.ts records it anew");
    },
  });
}
