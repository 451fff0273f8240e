/** Continuous integration runs every task of deno.json that a reader may type. */

import { assertEquals } from "@std/assert";
import config from "../deno.json" with { type: "json" };

/** Tasks that need JSR, which not every machine reaches. */
const NEEDS_JSR = ["build:npm", "test:jsr"];

const TASKS: Readonly<Record<string, { command: string }>> = config.tasks;

/** The tasks that a text runs, by `deno task NAME` or the script's own `task NAME` and `serve URL NAME`. */
function tasks_in(text: string): string[] {
  return [...text.matchAll(/\b(?:task|serve \S+) ([a-z][\w:]*)/g)].map(([, name]) => name!);
}

/** What `ok` leaves out besides: what deno.json excludes, which a list of ignored files would bring back. */
const EXCLUDED = ["npm", "tests/jsr"];

Deno.test("deno.json: continuous integration runs every task", async () => {
  const run = new Set<string>();
  const add = (names: string[]) => {
    for (const name of names.filter((name) => name in TASKS && !run.has(name))) {
      run.add(name);
      add(tasks_in(TASKS[name]!.command));
    }
  };
  add(tasks_in(await Deno.readTextFile(new URL("../.ci/run", import.meta.url))));
  // A part of `test`, by the test below.
  if (run.has("test")) run.add("test:slow");
  const left_out = Object.keys(TASKS).filter((name) => !run.has(name));
  assertEquals(left_out.sort(), NEEDS_JSR);
});

Deno.test("deno.json: each test is run by ok or by test:slow", () => {
  const [, ignored = ""] = TASKS["ok"]!.command.match(/deno test .*--ignore=(\S+)$/) ?? [];
  const [, slow = ""] = TASKS["test:slow"]!.command.match(/^deno test -A --parallel (.+)$/) ?? [];
  assertEquals(
    ignored.split(",").filter((path) => !EXCLUDED.includes(path)).sort(),
    slow.split(" ").sort(),
  );
  assertEquals(TASKS["test"]!.command, "deno test -A --parallel");
});
