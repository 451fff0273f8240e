/**
 * Who takes part in the comparison, and how each one's worker is started.
 *
 * @module
 */

import { pack } from "../../scripts/pack.ts";
import { deno_command, worker_path } from "./child.ts";
import peers from "../deno.json" with { type: "json" };

/** A way to run the workloads. */
export interface Contestant {
  /** Its short name, as the command line takes it. */
  readonly id: string;
  /** Its name in tables and pictures. */
  readonly title: string;
  /** The workloads it has the feature for; all when absent. */
  readonly workloads?: readonly string[];
  /** By workload, the size of its batches where the workload's own would take many seconds. */
  readonly sizes?: Readonly<Record<string, number>>;
  /** Finds its worker; `null` where this machine has no such host. */
  readonly find: () => Promise<Runner | null>;
}

/** A worker that can be started. */
export interface Runner {
  /** The command, to which the job is added. */
  readonly command: readonly string[];
  /** What it runs on, with the version. */
  readonly version: string;
}

const BUN = "bun@1.4.5";
const LIBRARY = new URL("../../mod.ts", import.meta.url);

// What can be done with no more than a limit to how many functions run at once.
const LIMITED = ["W6", "W7"];

/** Everyone who may take part, the library first. */
export const CONTESTANTS: readonly Contestant[] = [
  { id: "library", title: "asyncio on Deno", find: on_deno("library.ts") },
  { id: "library-bun", title: "asyncio on Bun", find: on_bun },
  { id: "library-node", title: "asyncio on Node.js", find: on_node },
  { id: "floor", title: "floor", find: on_deno("floor.ts") },
  {
    id: "promises",
    title: "bare promises",
    workloads: ["W1", "W2", "W3", "W8", "W9", "W10", "W11", "W12"],
    find: on_deno("promises.ts"),
  },
  { id: "cpython", title: "CPython", find: () => on_python("asyncio") },
  { id: "uvloop", title: "CPython, uvloop", find: () => on_python("uvloop") },
  { id: "effect", title: "Effect", find: on_deno("effect.ts", peers.imports.effect) },
  {
    id: "effection",
    title: "Effection",
    workloads: ["W2", "W3", "W8", "W9", "W11", "W12"],
    sizes: { W3: 5_000, W8: 5_000, W9: 2_000, W11: 10_000, W12: 10 },
    find: on_deno("effection.ts", peers.imports.effection),
  },
  {
    id: "p-limit",
    title: "p-limit",
    workloads: LIMITED,
    find: on_deno("p_limit.ts", peers.imports["p-limit"]),
  },
  {
    id: "p-queue",
    title: "p-queue",
    workloads: LIMITED,
    find: on_deno("p_queue.ts", peers.imports["p-queue"]),
  },
  {
    id: "async-mutex",
    title: "async-mutex",
    workloads: LIMITED,
    find: on_deno("async_mutex.ts", peers.imports["async-mutex"]),
  },
  {
    id: "fastq",
    title: "fastq",
    workloads: LIMITED,
    find: on_deno("fastq.ts", peers.imports.fastq),
  },
];

function on_deno(name: string, npm_package?: string): () => Promise<Runner> {
  const command = deno_command(name);
  const host = `Deno ${Deno.version.deno}`;
  const version = npm_package === undefined
    ? host
    : `${npm_package.replace("npm:", "")} on ${host}`;
  return () => Promise.resolve({ command, version });
}

async function on_bun(): Promise<Runner | null> {
  const path = await output("npx", ["--yes", BUN, "--print", "process.execPath"]);
  if (path === null) return null;
  const version = await output(path, ["--version"]);
  return { command: [path, "run", worker_path("library.ts")], version: `Bun ${version}` };
}

// Node.js 20 runs no TypeScript: the worker is bundled, which only erases its types, with the library as the
// npm package has it.
async function on_node(): Promise<Runner | null> {
  const version = await output("node", ["--version"]);
  if (version === null) return null;
  const folder = await Deno.makeTempDir({ prefix: "asyncio_compared_" });
  globalThis.addEventListener("unload", () => Deno.removeSync(folder, { recursive: true }));
  if (await output("tar", ["-xzf", await pack(), "-C", folder]) === null) return null;
  const imports = { [LIBRARY.href]: `file://${folder}/package/mod.js` };
  const import_map = `${folder}/import_map.json`;
  await Deno.writeTextFile(import_map, JSON.stringify({ imports }));
  const bundled = `${folder}/worker.mjs`;
  const options = ["--quiet", "--no-config", `--import-map=${import_map}`, `--output=${bundled}`];
  const worker = worker_path("library.ts");
  if (await output(Deno.execPath(), ["bundle", ...options, worker]) === null) return null;
  return { command: ["node", "--expose-gc", bundled], version: `Node.js ${version.slice(1)}` };
}

// Debian's own build is faster than most, and the faster is the one to compare with.
async function on_python(loop: "asyncio" | "uvloop"): Promise<Runner | null> {
  const asks = loop === "uvloop"
    ? "import asyncio, platform, uvloop; asyncio.timeout; " +
      "print('uvloop', uvloop.__version__, 'on CPython', platform.python_version())"
    : "import asyncio, platform; asyncio.timeout; print('CPython', platform.python_version())";
  for (const path of [Deno.env.get("PYTHON"), "/usr/bin/python3", "python3"]) {
    if (path === undefined) continue;
    const version = await output(path, ["-c", asks]);
    if (version !== null) return { command: [path, worker_path("cpython.py"), loop], version };
  }
  return null;
}

/** Runs a command; resolves to what it printed, `null` where it fails or is not there. */
export async function output(
  program: string,
  args: readonly string[],
): Promise<string | null> {
  try {
    const command = new Deno.Command(program, { args: [...args], stderr: "null" });
    const { success, stdout } = await command.output();
    return success ? new TextDecoder().decode(stdout).trim() : null;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}
