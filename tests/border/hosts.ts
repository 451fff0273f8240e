/** Runs the programs on other hosts: Node.js and Bun, with everything bundled. */

import { build } from "esbuild";
import { UsageError } from "../../scripts/command_line.ts";

/** How the hosts are started, in a folder with `main.mjs`. */
const COMMANDS: Readonly<Record<string, readonly string[]>> = {
  node20: ["npx", "--yes", "--package", "node@20.20.2", "node"],
  node: ["npx", "--yes", "--package", "node@26.10.0", "node"],
  bun: ["npx", "--yes", "--package", "bun@1.4.5", "bun"],
};

const HERE = new URL(".", import.meta.url).pathname;

/** Returns how a host is started. */
export function command_of(host: string): readonly string[] {
  const command = COMMANDS[host];
  if (command !== undefined) return command;
  throw new UsageError(
    `--host takes one of ${Object.keys(COMMANDS).join(", ")}: received '${host}'`,
  );
}

/** Runs `main.ts` on a host with the same arguments; returns the exit code. */
export async function run_on_host(
  command: readonly string[],
  args: readonly string[],
): Promise<number> {
  const folder = await Deno.makeTempDir({ prefix: "border_" });
  try {
    await build({
      entryPoints: ["main", "worker", "show"].map((name) => `${HERE}${name}.ts`),
      outdir: folder,
      outExtension: { ".js": ".mjs" },
      bundle: true,
      format: "esm",
      platform: "node",
      target: "es2022",
      keepNames: true,
      external: ["./hosts.ts"],
      logLevel: "warning",
    });
    const at = args.indexOf("--host");
    const others = at < 0 ? args : args.toSpliced(at, 2);
    const [program, ...options] = [...command, `${folder}/main.mjs`, ...others];
    const { code } = await new Deno.Command(program!, { args: options }).spawn().status;
    return code;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
