/** Small soaks; the large ones are run by hand, see `tests/soak/`. */

import { assertEquals } from "@std/assert";

/** Runs a program that asks for garbage collections; resolves to what it printed. */
async function run_program(name: string, ...options: string[]): Promise<string> {
  const program = new URL(`./soak/${name}`, import.meta.url);
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--v8-flags=--expose-gc", program.href, ...options],
  }).output();
  const text = new TextDecoder();
  assertEquals(text.decode(stderr), "");
  assertEquals(code, 0);
  return text.decode(stdout);
}

Deno.test("the heap stays flat under work, and nothing is left of it", async () => {
  console.log(await run_program("soak.ts", "--tasks", "2000", "--seconds", "100"));
});

Deno.test("StreamReader.read: much data through an echo arrives, and memory stays flat", async () => {
  console.log(await run_program("stream.ts", "--megabytes", "48"));
});

Deno.test("a task that goes on does not hold the one that made it", async () => {
  assertEquals(await run_program("creators.ts"), "0 of 50 creators are still held\n");
});
