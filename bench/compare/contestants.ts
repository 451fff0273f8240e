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
  /** Who its figures are divided by: the floor on the same host. */
  readonly floor?: string;
  /** True if its figures are held against the goals. */
  readonly has_goals?: boolean;
  /** In how many rounds it takes part; in all when absent. */
  readonly rounds?: number;
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
const NODE = "node@26";
const OLD_NODE = "node@20";
const LIBRARY = new URL("../../mod.ts", import.meta.url);

// Their figures are for orientation; the time goes to those that have goals.
const ROUNDS_WITHOUT_GOALS = 1;

// What can be done with no more than a limit to how many functions run at once.
const LIMITED = ["W6", "W7"];

const LIMITERS: readonly Contestant[] = ["p-limit", "p-queue", "async-mutex", "fastq"].map((
  id,
) => ({
  id,
  title: id,
  workloads: LIMITED,
  rounds: ROUNDS_WITHOUT_GOALS,
  find: on_deno(`${id.replace("-", "_")}.ts`, peers.imports[id as keyof typeof peers.imports]),
}));

/** Everyone who may take part, the library first. */
export const CONTESTANTS: readonly Contestant[] = [
  ...on_host("", "Deno", on_deno, true),
  ...on_host("-bun", "Bun", on_bun, true),
  ...on_host("-node", "Node.js 26", (worker) => on_node(NODE, worker), true),
  ...on_host("-node20", "Node.js 20", (worker) => on_node(OLD_NODE, worker), false),
  {
    id: "cpython",
    title: "CPython",
    rounds: ROUNDS_WITHOUT_GOALS,
    find: () => on_python("asyncio"),
  },
  {
    id: "uvloop",
    title: "CPython, uvloop",
    rounds: ROUNDS_WITHOUT_GOALS,
    find: () => on_python("uvloop"),
  },
  {
    id: "promises",
    title: "bare promises",
    workloads: ["W1", "W2", "W3", "W8", "W9", "W10", "W11", "W12"],
    rounds: ROUNDS_WITHOUT_GOALS,
    find: on_deno("promises.ts"),
  },
  {
    id: "effect",
    title: "Effect",
    rounds: ROUNDS_WITHOUT_GOALS,
    find: on_deno("effect.ts", peers.imports.effect),
  },
  {
    id: "effection",
    title: "Effection",
    workloads: ["W2", "W3", "W8", "W9", "W11", "W12"],
    sizes: { W3: 5_000, W8: 5_000, W9: 2_000, W11: 10_000, W12: 10 },
    rounds: ROUNDS_WITHOUT_GOALS,
    find: on_deno("effection.ts", peers.imports.effection),
  },
  ...LIMITERS,
];

/** The library and the floor on a host. */
function on_host(
  suffix: string,
  host: string,
  find: (worker: string) => () => Promise<Runner | null>,
  has_goals: boolean,
): Contestant[] {
  const floor = `floor${suffix}`;
  const rounds = has_goals ? Infinity : ROUNDS_WITHOUT_GOALS;
  return [
    {
      id: `library${suffix}`,
      title: `asyncio on ${host}`,
      floor,
      has_goals,
      rounds,
      find: find("library.ts"),
    },
    { id: floor, title: `floor on ${host}`, rounds, find: find("floor.ts") },
  ];
}

function on_deno(name: string, npm_package?: string): () => Promise<Runner> {
  const command = deno_command(name);
  const host = `Deno ${Deno.version.deno}`;
  const version = npm_package === undefined
    ? host
    : `${npm_package.replace("npm:", "")} on ${host}`;
  return () => Promise.resolve({ command, version });
}

function on_bun(worker: string): () => Promise<Runner | null> {
  return async () => {
    const path = await output("npx", ["--yes", BUN, "--print", "process.execPath"]);
    if (path === null) return null;
    const version = await output(path, ["--version"]);
    return { command: [path, "run", worker_path(worker)], version: `Bun ${version}` };
  };
}

function on_node(npm_package: string, worker: string): () => Promise<Runner | null> {
  return async () => {
    const path = await output("npx", ["--yes", npm_package, "-p", "process.execPath"]);
    if (path === null) return null;
    const version = await output(path, ["--version"]);
    const bundled = await bundle_for_node(worker);
    if (version === null || bundled === null) return null;
    return { command: [path, "--expose-gc", bundled], version: `Node.js ${version.slice(1)}` };
  };
}

let node_package: Promise<string | null> | undefined;

// Node.js 20 runs no TypeScript: a worker is bundled, which only erases its types, with the library as the
// npm package has it.
async function bundle_for_node(worker: string): Promise<string | null> {
  const folder = await (node_package ??= unpack_npm_package());
  if (folder === null) return null;
  const bundled = `${folder}/${worker.replace(/\.ts$/, ".mjs")}`;
  const import_map = `--import-map=${folder}/import_map.json`;
  const options = ["--quiet", "--no-config", import_map, `--output=${bundled}`];
  const made = await output(Deno.execPath(), ["bundle", ...options, worker_path(worker)]);
  return made === null ? null : bundled;
}

async function unpack_npm_package(): Promise<string | null> {
  const folder = await Deno.makeTempDir({ prefix: "asyncio_compared_" });
  globalThis.addEventListener("unload", () => Deno.removeSync(folder, { recursive: true }));
  const tarball = await pack(folder);
  if (await output("tar", ["-xzf", tarball, "-C", folder]) === null) return null;
  const imports = { [LIBRARY.href]: `file://${folder}/package/mod.js` };
  await Deno.writeTextFile(`${folder}/import_map.json`, JSON.stringify({ imports }));
  return folder;
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
