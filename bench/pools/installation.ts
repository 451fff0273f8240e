/** Programs for Node.js with other pools of workers, in a folder of their own. */

import { build } from "esbuild";
import config from "../deno.json" with { type: "json" };

/** The other pools. */
const POOLS = ["piscina", "tinypool", "workerpool"] as const;

async function run(command: string, args: string[], cwd: string): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(command, { args, cwd }).output();
  const decoder = new TextDecoder();
  const output = decoder.decode(stdout);
  if (success) return output;
  throw new Error(`${command} ${args.join(" ")} failed:\n${output}${decoder.decode(stderr)}`);
}

/** A folder with bundled programs, in which the other pools are installed. */
export class Installation implements AsyncDisposable {
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /** Installs the other pools, and bundles programs for Node.js. */
  static async make(programs: readonly URL[]): Promise<Installation> {
    const folder = await Deno.makeTempDir({ prefix: "asyncio_pools_" });
    await Deno.writeTextFile(`${folder}/package.json`, '{ "private": true, "type": "module" }\n');
    const specifiers = POOLS.map((name) => config.imports[name].replace(/^npm:/, ""));
    await run("npm", ["install", "--no-audit", "--no-fund", ...specifiers], folder);
    await build({
      entryPoints: programs.map(({ pathname }) => pathname),
      outdir: folder,
      outExtension: { ".js": ".mjs" },
      bundle: true,
      external: [...POOLS, "node:*"],
      format: "esm",
      platform: "node",
      target: "es2022",
      logLevel: "warning",
    });
    return new Installation(folder);
  }

  /** Runs a program with options, by a command that starts Node.js; gives what it writes. */
  run(
    program: string,
    options: readonly string[] = [],
    [command, ...args]: readonly [string, ...string[]] = ["node"],
  ): Promise<string> {
    return run(command, [...args, `${this.#folder}/${program}.mjs`, ...options], this.#folder);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.#folder, { recursive: true });
  }
}
