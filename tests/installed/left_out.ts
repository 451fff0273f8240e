/** The tests that are not run on the installed package, or not on every host, by the reason why. */

/** Where tests run. */
export type HostKind = "node" | "bun" | "browser";

type Reasons = Readonly<Record<string, readonly string[]>>;

/** Files that are not run at all. */
export const FILES: Reasons = {
  "they start programs with Deno": [
    "debug_test.ts",
    "interrupt_test.ts",
    "no_async_context_test.ts",
    "seed_test.ts",
    "soak_test.ts",
  ],
  "they compare files of this repository": ["completeness_test.ts"],
};

/** Files that are not run in browsers. */
export const BROWSER_FILES: Reasons = {
  "browsers have no console that asks an object how it is shown": ["inspect_test.ts"],
};

/** Single tests that are run on Deno alone. */
const TESTS: Reasons = {};

/** Single tests that are not run in browsers. */
const BROWSER_TESTS: Reasons = {};

const names_of = (reasons: Reasons) => new Set(Object.values(reasons).flat());

const everywhere = names_of(TESTS);
const in_browsers = names_of(BROWSER_TESTS);

/** Whether a test is not run on a kind of host. */
export function is_left_out(kind: HostKind, name: string): boolean {
  return everywhere.has(name) || (kind === "browser" && in_browsers.has(name));
}

const TESTS_FOLDER = new URL("..", import.meta.url);

/** The test files for a kind of host, relative to `tests/`. */
export async function files_for(kind: HostKind): Promise<string[]> {
  const without = names_of(kind === "browser" ? { ...FILES, ...BROWSER_FILES } : FILES);
  const files = ["conformance/conformance_test.ts"];
  for await (const { name } of Deno.readDir(TESTS_FOLDER)) {
    if (name.endsWith("_test.ts") && !without.has(name)) files.push(name);
  }
  return files.sort();
}
