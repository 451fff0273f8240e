/**
 * A host without AsyncLocalStorage, as browsers are: the conformance programs and the unit tests, once more
 * with it taken away. And one that has nothing else: the unit tests with it.
 */

import { assert, assertEquals } from "@std/assert";
import { NAMES } from "./no_async_context/needs_context.ts";
import { finder_of_tests } from "./test_names.ts";

const HERE = new URL(".", import.meta.url);

/** A run that hangs is ended after this many milliseconds. */
const TIME_LIMIT = 900_000;

/** Not about the core, or long: they gain nothing from a second run. */
const ONCE = [
  "ci_test.ts",
  "completeness_test.ts",
  "language_test.ts",
  "layers_test.ts",
  "size_test.ts",
  "soak_test.ts",
  "subprocess_examples_test.ts",
  "subprocess_test.ts",
  "worker_pool_test.ts",
];

/** The unit tests but for those that start programs of their own, which nothing is taken away from. */
async function unit_tests(): Promise<Map<string, string>> {
  const texts = new Map<string, string>();
  for await (const { name } of Deno.readDir(HERE)) {
    if (!name.endsWith("_test.ts") || ONCE.includes(name)) continue;
    const file = new URL(name, HERE).href;
    const text = await Deno.readTextFile(new URL(file));
    if (!/Deno\.Command|"\.\/child\.ts"/.test(text)) texts.set(file, text);
  }
  return texts;
}

/** Runs tests on a host that a module has changed before anything else; returns the report. */
async function run_changed(preload: string, ...args: string[]): Promise<string> {
  const options = ["--no-check", "--quiet", "--parallel", `--preload=${new URL(preload, HERE)}`];
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["test", "-A", ...options, ...args],
    env: { NO_COLOR: "1" },
    signal: AbortSignal.timeout(TIME_LIMIT),
  }).output();
  const decoder = new TextDecoder();
  const report = decoder.decode(stdout);
  assertEquals(code, 0, `${report}\n${decoder.decode(stderr)}`);
  return report;
}

function count_passed(report: string): number {
  return Number(report.match(/ok \| (\d+) passed/)?.[1]);
}

Deno.test("the tests pass without the host's asynchronous context", async () => {
  const report = await run_changed(
    "./no_async_context/preload.ts",
    ...(await unit_tests()).keys(),
    new URL("./conformance/conformance_test.ts", HERE).href,
    new URL("./no_async_context/differences_test.ts", HERE).href,
  );
  assert(count_passed(report) > 400, report);
});

Deno.test("the tests pass with AsyncLocalStorage, where Deno's own contexts are not there", async () => {
  const files = (await unit_tests()).keys();
  const report = await run_changed("./no_async_context/public_preload.ts", ...files);
  assert(count_passed(report) > 400, report);
});

Deno.test("each test that is left out exists", async () => {
  // Browsers run more tests than those above.
  const texts: string[] = [];
  for (const folder of [HERE, new URL("./structured/", HERE)]) {
    for await (const { name } of Deno.readDir(folder)) {
      if (name.endsWith("_test.ts")) texts.push(await Deno.readTextFile(new URL(name, folder)));
    }
  }
  const exists = finder_of_tests(texts.join("\n"));
  assertEquals(NAMES.filter((name) => !exists(name)), []);
});
