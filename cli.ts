/**
 * The command line of the package: shows the tasks of a running program, as `python -m asyncio ps PID` and
 * `python -m asyncio pstree PID` do.
 *
 * ```sh
 * npx @pythonic/asyncio pstree PID
 * ```
 *
 * It attaches to the program's inspector. Node.js opens it at a signal, so nothing has to be prepared; Deno and
 * Bun have one if the program was started with `--inspect`.
 *
 * @module
 */

import { builtin_module, host_process } from "./src/host/process.ts";
import { collect_tasks, format_table, format_tree, type TaskInfo } from "./src/loop/task_tree.ts";

const USAGE = `usage: asyncio [-h] {ps,pstree} [--port PORT] PID

Shows the tasks of a running program.

  ps          prints a line for each task
  pstree      prints the tasks as a tree: what each runs, waits on and awaits
  --port PORT the port of the program's inspector: 9229 by default, of Bun 6499, or what it was started with
  -h, --help  prints this`;

/** An error that is printed without its stack. */
class UserError extends Error {}

interface Request {
  readonly command: "ps" | "pstree";
  readonly pid: number;
  readonly port: number | null;
}

function parse_command_line(args: readonly string[]): Request {
  const rest = [...args];
  let port: number | null = null;
  const at = rest.indexOf("--port");
  if (at >= 0) {
    const [, text] = rest.splice(at, 2);
    port = Number(text);
    if (!Number.isInteger(port)) {
      throw new UserError(`Cannot use the port: received ${text}\n${USAGE}`);
    }
  }
  const [command, pid, ...more] = rest;
  if ((command !== "ps" && command !== "pstree") || !/^\d+$/.test(pid ?? "") || more.length > 0) {
    throw new UserError(USAGE);
  }
  return { command, pid: Number(pid), port };
}

type Host = "node" | "deno" | "bun";

interface Target {
  readonly host: Host;
  /** Where its inspector listens: `127.0.0.1:9229`. */
  readonly address: string;
  /** The path of its socket, if that is known. */
  readonly path: string | null;
}

const DEFAULT_PORTS: Readonly<Record<Host, number>> = { node: 9229, deno: 9229, bun: 6499 };

const STARTED_WITHOUT = {
  deno: "Cannot attach to a Deno program without an inspector: start it with deno run --inspect",
  bun:
    "Cannot attach to a Bun program without an inspector: start it with bun --inspect=6499/asyncio",
};

/** The part of `node:child_process` that is used. */
interface ChildProcesses {
  execFileSync(command: string, args: readonly string[], options: object): string;
}

const QUIETLY = { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] };

async function find_target({ pid, port }: Request): Promise<Target> {
  let line: string;
  try {
    const processes = builtin_module<ChildProcesses>("node:child_process") as ChildProcesses;
    line = processes.execFileSync("ps", ["-o", "args=", "-p", String(pid)], QUIETLY).trim();
  } catch {
    throw new UserError(`Cannot attach to process ${pid}: there is none`);
  }
  const host = /(^|[\\/])(node|deno|bun)(-[\w.-]+)?(\.exe)?(\s|$)/.exec(line)?.[2] as
    | Host
    | undefined;
  if (host === undefined) {
    throw new UserError(
      `Cannot attach to process ${pid}: it is no Node.js, Deno or Bun: received ${line}`,
    );
  }
  const given = /\s--inspect(?:-brk|-wait)?(?:[=](?:([\w.-]+):)?(\d+)?(\/\S*)?)?(?=\s|$)/.exec(
    line,
  );
  if (given === null && host !== "node") throw new UserError(STARTED_WITHOUT[host]);
  const [, name = "127.0.0.1", number, path = null] = given ?? [];
  const address = `${name}:${port ?? number ?? DEFAULT_PORTS[host]}`;
  if (given === null && !await answers(address)) host_process()?.kill?.(pid, "SIGUSR1");
  return { host, address, path };
}

async function answers(address: string): Promise<boolean> {
  return await fetch(`http://${address}/json/version`).then(async (response) => {
    await response.body?.cancel();
    return true;
  }, () => false);
}

// How long an inspector takes to open at most, in milliseconds.
const OPENING = 5000;

async function socket_url({ host, address, path }: Target): Promise<string> {
  if (host === "bun") {
    if (path === null) throw new UserError(STARTED_WITHOUT.bun);
    return `ws://${address}${path}`;
  }
  for (const end = Date.now() + OPENING; Date.now() < end;) {
    const targets = await fetch(`http://${address}/json/list`).then((response) => response.json())
      .catch(() => []) as { webSocketDebuggerUrl?: string }[];
    const [url] = targets.flatMap(({ webSocketDebuggerUrl: url }) => url ?? []);
    if (url !== undefined) return url;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new UserError(`Cannot attach to the inspector at ${address}: it does not answer`);
}

// Evaluated in the program. The list of the library's copies is under a registered symbol.
const EXPRESSION = `(() => {
  const registry = globalThis[Symbol.for("@pythonic/asyncio:copies")];
  if (registry === undefined) return JSON.stringify({ pid: process.pid, tasks: null });
  const loops = registry.copies.flatMap((copy) => [...copy.running ?? []]);
  return JSON.stringify({ pid: process.pid, tasks: (${collect_tasks})(loops) });
})()`;

interface Answer {
  readonly pid: number;
  readonly tasks: TaskInfo[] | null;
}

interface Response {
  readonly id?: number;
  readonly result?: {
    readonly result?: { readonly value?: string; readonly description?: string };
  };
}

/** Has the expression evaluated by an inspector. */
function evaluate(url: string): Promise<Answer> {
  if (typeof WebSocket === "undefined") {
    throw new UserError(
      "Cannot attach without WebSocket: run this with Node.js 22 or newer, Deno or Bun",
    );
  }
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url);
    const params = { expression: EXPRESSION, returnByValue: true };
    socket.onopen = () =>
      socket.send(JSON.stringify({ id: 1, method: "Runtime.evaluate", params }));
    socket.onerror = () => reject(new UserError(`Cannot attach to ${url}: it does not answer`));
    socket.onmessage = ({ data }) => {
      const { id, result }: Response = JSON.parse(data);
      if (id !== 1) return;
      socket.close();
      const value = result?.result?.value;
      if (value !== undefined) resolve(JSON.parse(value));
      else reject(new UserError(`Cannot read the tasks: ${result?.result?.description ?? data}`));
    };
  });
}

/** Returns the tasks of the requested process, as text. */
async function show(request: Request): Promise<string> {
  const { pid, tasks } = await evaluate(await socket_url(await find_target(request)));
  if (pid !== request.pid) {
    throw new UserError(
      `Cannot attach to process ${request.pid}: the inspector is that of process ${pid}; give --port`,
    );
  }
  if (tasks === null) throw new UserError(`Process ${pid} has not loaded @pythonic/asyncio`);
  if (tasks.length === 0) return `Process ${pid} has no tasks`;
  return request.command === "ps" ? format_table(tasks) : format_tree(tasks);
}

/**
 * Runs the command line: prints the tasks of a running program.
 *
 * @param args `ps PID` or `pstree PID`, and `--port PORT`; `--help` for how it is used
 * @returns a promise of the exit code
 * @category Debugging
 *
 * @example
 * ```ts
 * import { main } from "@pythonic/asyncio/cli";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(await main(["--help"]), 0);
 * ```
 */
export async function main(args: readonly string[]): Promise<number> {
  if (args.includes("-h") || args.includes("--help")) {
    console.log(USAGE);
    return 0;
  }
  try {
    console.log(await show(parse_command_line(args)));
    return 0;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    console.error(error.message);
    return 2;
  }
}
