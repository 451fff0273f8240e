/** How much a page has to load for programs that use the library; `deno task size` says of what. */

import { assert } from "@std/assert";
import { measure_sources } from "../scripts/bundle_size.ts";
import { names_of, PAGES } from "./completeness/names.ts";

interface Limit {
  readonly program: string;
  /** In bytes, compressed by gzip: what it may be now, to be lowered with the library. */
  readonly limit: number;
  /** What it is to be at most in the end. */
  readonly goal: number;
}

/** What stands on sockets and subprocesses: who does not use it does not load it. */
const NEEDS_SOCKETS = PAGES.filter(({ modules }) =>
  ["streams", "subprocess", "transports", "protocols"].some((name) =>
    modules.includes(`asyncio.${name}`)
  )
).flatMap(names_of).map(({ name }) => name).concat([
  "open_unix_connection",
  "start_unix_server",
  "Server",
  "ServerSocket",
  "OSError",
  "subprocess",
  "ConnectionError",
  "BrokenPipeError",
  "ConnectionAbortedError",
  "ConnectionRefusedError",
  "ConnectionResetError",
  "FileNotFoundError",
  "gaierror",
  "PermissionError",
  "ProcessLookupError",
  "SSLError",
  "SSLCertVerificationError",
]);

const WITHOUT_SOCKETS = Object.keys(await import("../mod.ts"))
  .filter((name) => !NEEDS_SOCKETS.includes(name));

const LIMITS: Readonly<Record<string, Limit>> = {
  "run and sleep": {
    program: `import { run, sleep } from "./mod.ts"; await run(sleep(1));`,
    limit: 31_200,
    goal: 14_000,
  },
  "all of mod.ts without what needs sockets": {
    program: `export { ${WITHOUT_SOCKETS.join(", ")} } from "./mod.ts";`,
    limit: 60_350,
    goal: 26_000,
  },
};

/** A limit is lowered when the bundle has become smaller than it by more than this, in bytes. */
const SLACK = 300;

for (const [name, { program, limit, goal }] of Object.entries(LIMITS)) {
  Deno.test(`size of ${name}: at most ${limit} bytes, in the end ${goal}`, async () => {
    const { compressed, parts } = await measure_sources(program);
    const largest = [...parts].sort(([, one], [, other]) => other - one).slice(0, 12)
      .map(([path, size]) => `${size} ${path}`);
    assert(
      compressed <= limit,
      `${compressed} bytes are more than ${limit}: deno task size says of what; the largest are ` +
        largest.join(", "),
    );
    assert(
      limit <= goal || compressed > limit - SLACK,
      `${compressed} bytes: the limit can be lowered from ${limit}`,
    );
  });
}

Deno.test("size of transfer: the program of workers is loaded by pools alone", async () => {
  const parts_with = async (name: string) =>
    (await measure_sources(`export { ${name} } from "./mod.ts";`)).parts;
  const program = "src/host/worker_program.ts";
  assert(!(await parts_with("transfer")).has(program));
  assert((await parts_with("WorkerPoolExecutor")).has(program));
});
