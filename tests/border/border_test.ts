/** Some of the random programs at the border with native promises, with fixed seeds: none is broken. */

import { FAULTS } from "./faults.ts";
import { check, explain, make_smaller, violations_of } from "./check.ts";
import { generate } from "./generate.ts";
import { PROFILE_NAMES } from "./profiles.ts";
import { assert, assertEquals } from "@std/assert";

/** How many programs of each profile: `PROGRAMS=10` multiplies it. */
const COUNT = 60 * Number(Deno.env.get("PROGRAMS") ?? 1);

for (const profile of PROFILE_NAMES) {
  Deno.test(`run: random programs, ${profile}: a cancellation reaches what it is meant for, once`, async () => {
    for (let seed = 1; seed <= COUNT; seed++) {
      const broken = await check({ profile, seed });
      assert(broken === null, broken === null ? "" : await explain(await make_smaller(broken)));
    }
  });
}

Deno.test("run: random programs on a host without an asynchronous context", async () => {
  const { success, stdout } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "-A", "--no-check", new URL("./main.ts", import.meta.url).href],
      ...["--count", String(3 * COUNT), "--no-async-context", "--jobs", "1"],
    ],
  }).output();
  assert(success, new TextDecoder().decode(stdout));
});

Deno.test("plant: the text that each fault replaces occurs once in the library", async () => {
  for (const { name, file, search } of FAULTS) {
    const text = await Deno.readTextFile(new URL(`../../${file}`, import.meta.url));
    assertEquals(text.split(search).length, 2, name);
  }
});

Deno.test("generate: the same seed makes the same program", () => {
  for (const profile of PROFILE_NAMES) {
    assertEquals(generate(profile, 7), generate(profile, 7));
  }
});

Deno.test("violations_of: a program that waits for nothing is not broken", async () => {
  const program = generate("plain", 1);
  program.tasks = [[{ do: "await", wait: { wait: "sleep", ticks: 1 } }]];
  assertEquals(await violations_of({ ...program, cancels: [] }), []);
});
