/** Running the tests on a host, and what is said about it. */

import type { Host } from "./hosts.ts";
import { program_of } from "./bundles.ts";

/** How many programs run at the same time. */
const AT_ONCE = 2;

/** Runs test files on a host; returns whether all is well. */
export async function test_on(host: Host, all_files: readonly string[]): Promise<boolean> {
  const files = all_files.values();
  const total = { passed: 0, left_out: 0 };
  let failed = 0;
  const fail = (failure: string) => {
    failed++;
    console.error(`\n${host.name}: ${failure}`);
  };
  const work = async () => {
    for (const file of files) {
      const report = await host.run(program_of(file));
      if (typeof report === "string") {
        fail(`${file} did not come to its end:\n${report}`);
        continue;
      }
      total.passed += report.passed;
      total.left_out += report.left_out;
      for (const { name, error } of report.failed) fail(`${file}: ${name}\n${error}`);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  const { passed, left_out } = total;
  console.log(`${host.name}: ${passed} passed, ${failed} failed, ${left_out} left out`);
  return failed === 0 && passed > 0;
}
