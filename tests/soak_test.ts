/** A small soak; the large one is run by hand, see `tests/soak/soak.ts`. */

import { assertEquals } from "@std/assert";

Deno.test("the heap stays flat under work, and nothing is left of it", async () => {
  const program = new URL("./soak/soak.ts", import.meta.url);
  const work = ["--tasks", "2000", "--seconds", "100"];
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--v8-flags=--expose-gc", program.href, ...work],
  }).output();
  const text = new TextDecoder();
  console.log(text.decode(stdout));
  assertEquals(text.decode(stderr), "");
  assertEquals(code, 0);
});
