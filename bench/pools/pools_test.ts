/** The executors of `examples/pools/`, with the pools themselves, on Node.js. */

import { assertEquals } from "@std/assert";
import { Installation } from "./installation.ts";
import { count } from "./work.ts";

Deno.test("examples/pools: piscina, tinypool and workerpool are executors", async () => {
  const files = ["adapters.ts", "work.ts", "piscina_worker.ts", "workerpool_worker.ts"];
  await using installation = await Installation.make(
    files.map((file) => new URL(file, import.meta.url)),
  );
  const outcomes = JSON.parse(await installation.run("adapters"));
  const expected = [5, count(3), "TimeoutError", 6];
  assertEquals(outcomes, {
    piscina: [...expected, "TypeError"],
    tinypool: [...expected, "TypeError"],
    workerpool: [...expected, "Error"],
  });
});
