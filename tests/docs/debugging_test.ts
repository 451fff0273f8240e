/** The outputs of docs/debugging.md: those of CPython are what was recorded, the others are made anew. */

import { assertEquals } from "@std/assert";
import { read } from "./document.ts";
import { hash } from "./phrases.ts";
import { comparable, host_of, make_output, recording_of } from "./recorded.ts";
import { hosts_here, stack_on } from "./stacks.ts";
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
  assertEquals(Object.keys(hashes).length, 7);
});

const HOSTS = await hosts_here();

for (const host of HOSTS) {
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

const { blocks: BLOCKS } = await read("docs/debugging.md");

for (const block of BLOCKS) {
  const recording = recording_of(block);
  const host = recording === null ? null : host_of(recording);
  if (recording === null || host !== null && !HOSTS.includes(host)) continue;
  Deno.test({
    name: `debugging: ${block.heading}: ${recording} is what was recorded`,
    ignore: Deno.build.os === "windows",
    sanitizeResources: false, // esbuild's process
    sanitizeOps: false,
    async fn() {
      const output = await make_output(recording, BLOCKS, block);
      await stop();
      assertEquals(
        comparable(block.code),
        comparable(output),
        "scripts/record_debugging.ts records it anew",
      );
    },
  });
}
