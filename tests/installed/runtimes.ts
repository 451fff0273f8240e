/** Runtimes that npm installs. */

import { run, start } from "./commands.ts";
import { find_report, type Host, TIME_LIMIT } from "./hosts.ts";
import type { HostKind } from "./left_out.ts";

/** What npm calls the runtimes, by the names under which they can be asked for. */
export const RUNTIMES = {
  "node20": { title: "Node.js", kind: "node20", package: "node", version: "20.20.2" },
  "node": { title: "Node.js", kind: "node", package: "node", version: "26.10.0" },
  "bun": { title: "Bun", kind: "bun", package: "bun", version: "1.4.5" },
} as const satisfies Record<
  string,
  { title: string; kind: HostKind; package: string; version: string }
>;

/** Returns whether there is a runtime of this name. */
export function is_runtime(name: string): name is keyof typeof RUNTIMES {
  return name in RUNTIMES;
}

/** Has npm install the runtime of this name; returns the path of its program. */
export async function find_runtime(name: keyof typeof RUNTIMES, folder: string): Promise<string> {
  const { title, package: npm_name, version } = RUNTIMES[name];
  const args = ["--yes", "--package", `${npm_name}@${version}`, npm_name];
  const told = await run("npx", [...args, "-e", "console.log(`[${process.execPath}]`)"], folder);
  const [, path] = told.match(/^\[(.*)\]$/m) ?? [];
  if (path === undefined) throw new Error(`Cannot find ${title} ${version}: npx wrote ${told}`);
  return path;
}

/**
 * Makes ready the runtime of this name, for programs in a folder.
 *
 * @param reaching those that import modules of the library beside its entry points, and so must have the entry points
 *   made of these modules, as bundlers take them, in the place of the bundles
 */
export async function runtime(
  name: keyof typeof RUNTIMES,
  folder: string,
  reaching: ReadonlySet<string>,
): Promise<Host> {
  const { title, kind, version } = RUNTIMES[name];
  const path = await find_runtime(name, folder);
  return {
    name: `${title} ${version}`,
    kind,
    async run(program) {
      const args = reaching.has(program) ? ["--conditions=module", program] : [program];
      const { success, output } = await start(path, args, folder, TIME_LIMIT);
      return success ? find_report(output) : output;
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}
