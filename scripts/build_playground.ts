/**
 * Builds what the playground's page loads, `playground/dist/`.
 *
 *     deno task build:playground            writes the files
 *     deno task build:playground --check    says whether they are as their sources are now
 */

import { parseArgs } from "node:util";
import { build, DENO_VERSION, DIST, stale_files } from "./playground/build.ts";

function fail(message: string, code: number): never {
  console.error(message);
  Deno.exit(code);
}

function checks(): boolean {
  try {
    return parseArgs({ options: { check: { type: "boolean", default: false } } }).values.check;
  } catch (error) {
    fail(error instanceof Error ? error.message : String(error), 2);
  }
}

const is_check = checks();
if (Deno.version.deno !== DENO_VERSION) {
  fail(
    `The playground is built by Deno ${DENO_VERSION}, so that the same comes out everywhere; this is ` +
      `Deno ${Deno.version.deno}: npx -y deno@${DENO_VERSION} task build:playground`,
    1,
  );
}
if (!is_check) {
  await build(DIST.pathname);
} else {
  const stale = await stale_files();
  if (stale.length > 0) {
    fail(`Not what its sources make: ${stale.join(", ")}; run deno task build:playground`, 1);
  }
}
