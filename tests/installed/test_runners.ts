/** `explore` in other people's test runners, on the oldest Node.js that is supported. */

import project from "../../deno.json" with { type: "json" };
import { explore } from "../../testing.ts";
import { run, start } from "./commands.ts";
import { make_folder } from "./installation.ts";
import { find_runtime } from "./runtimes.ts";
import { two_requests } from "./test_runners/race.js";

interface Runner {
  /** What npm installs for it. */
  readonly packages: readonly string[];
  /** What a test file has besides the tests. */
  readonly imports: string;
  readonly arguments: readonly string[];
  /** What it says of one test that passes and one that fails. */
  readonly summary: RegExp;
}

const RUNNERS: Readonly<Record<string, Runner>> = {
  "node:test": {
    packages: [],
    imports: 'import { test } from "node:test";',
    arguments: ["--test", "--test-reporter=spec", "race.test.js"],
    summary: /pass 1\n[^]*fail 1\n/,
  },
  "Vitest": {
    packages: ["vitest@3.2.7"],
    imports: 'import { test } from "vitest";',
    arguments: ["node_modules/vitest/vitest.mjs", "run"],
    summary: /Tests {2}1 failed \| 1 passed \(2\)/,
  },
  "Jest": {
    packages: ["jest@30.5.2"],
    imports: "",
    arguments: ["--experimental-vm-modules", "node_modules/jest/bin/jest.js"],
    summary: /Tests: +1 failed, 1 passed, 2 total/,
  },
};

const TESTS = `
import { explore } from "${project.name}/testing";
import { mended, two_requests } from "./race.js";

test("two requests", () => explore(two_requests));
test("mended", () => explore(mended, { runs: 100 }));
`;

/** The error that every runner has to show, line by line. */
async function expected_lines(): Promise<string[]> {
  const error = await explore(two_requests).then(() => null, (error: Error) => error);
  if (error === null) throw new Error("Cannot check the runners: the race is not found");
  return [error.name, ...error.message.split("\n")].map((line) => line.trim());
}

/** Runs one test that passes and one that fails in each runner, with a package. */
export async function check_test_runners(packed: string, work: string): Promise<void> {
  const node = await find_runtime("node20", Deno.cwd());
  const lines = await expected_lines();
  for (const [name, { packages, imports, arguments: args, summary }] of Object.entries(RUNNERS)) {
    const folder = `${work}/${name.replace(":", "_")}`;
    await make_folder(folder, ["--install-links", packed, ...packages]);
    await run("cp", [new URL("test_runners/race.js", import.meta.url).pathname, folder], work);
    await Deno.writeTextFile(`${folder}/race.test.js`, imports + TESTS);
    const { success, output } = await start(node, [...args], folder);
    const missing = lines.filter((line) => !output.includes(line));
    if (success || missing.length > 0 || !summary.test(output) || /did not exit/.test(output)) {
      throw new Error(`${name} lacks ${missing.join("\n") || summary} in:\n${output}`);
    }
    console.log(`${name}: finds the race, shows it in ${lines.length} lines`);
  }
}
