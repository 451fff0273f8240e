/**
 * A host without AsyncLocalStorage, as browsers are: the conformance programs and the unit tests, once more
 * with it taken away.
 */

import { assert, assertEquals } from "@std/assert";
import { NAMES } from "./no_async_context/needs_context.ts";

const HERE = new URL(".", import.meta.url);
const PRELOAD = new URL("./no_async_context/preload.ts", HERE);

/** A run that hangs is ended after this many milliseconds. */
const TIME_LIMIT = 90_000;

/** Not about the core, or long: they gain nothing from a second run. */
const ONCE = [
  "completeness_test.ts",
  "playground_reader_test.ts",
  "playground_test.ts",
  "soak_test.ts",
];

/** The unit tests but for those that start programs of their own, which nothing is taken away from. */
async function unit_tests(): Promise<Map<string, string>> {
  const texts = new Map<string, string>();
  for await (const { name } of Deno.readDir(HERE)) {
    if (!name.endsWith("_test.ts") || ONCE.includes(name)) continue;
    const file = new URL(name, HERE).href;
    const text = await Deno.readTextFile(new URL(file));
    if (!text.includes("Deno.Command")) texts.set(file, text);
  }
  return texts;
}

Deno.test("the tests pass without the host's asynchronous context", async () => {
  const files = [
    ...(await unit_tests()).keys(),
    new URL("./conformance/conformance_test.ts", HERE).href,
    new URL("./no_async_context/differences_test.ts", HERE).href,
  ];
  const options = ["--no-check", "--quiet", "--parallel", `--preload=${PRELOAD}`];
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["test", "-A", ...options, ...files],
    env: { NO_COLOR: "1" },
    signal: AbortSignal.timeout(TIME_LIMIT),
  }).output();
  const decoder = new TextDecoder();
  const report = decoder.decode(stdout);
  assertEquals(code, 0, `${report}\n${decoder.decode(stderr)}`);
  const [, passed] = report.match(/ok \| (\d+) passed/) ?? [];
  assert(Number(passed) > 400, report);
});

Deno.test("each test that is left out exists", async () => {
  const texts = [...(await unit_tests()).values()].join("\n");
  // Names of families are templates, in which anything may stand for a part.
  const families = [...texts.matchAll(/Deno\.test\(`([^`]*)`/g)].map(([, template]) =>
    new RegExp(`^${template.replaceAll(/\$\{[^}]*\}/g, ".+")}$`)
  );
  const exists = (name: string) =>
    texts.includes(`"${name}"`) || families.some((family) => family.test(name));
  assertEquals(NAMES.filter((name) => !exists(name)), []);
});
