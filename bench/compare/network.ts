/**
 * Servers on loopback, by their CPU time: an echo of small messages over many connections, 256 MiB through an
 * echo, lines that are counted, processes that are run, and the output of one that is read. The client is the same for
 * all of them, and all servers of a load run at the same time and are measured in turns, so that a ratio
 * compares what the machine did within some seconds.
 *
 * ```sh
 * deno run -A bench/compare/network.ts                    # --rounds 9 --only echo,lines --hosts deno,node
 * ```
 *
 * @module
 */

import net from "node:net";
import { once } from "node:events";
import { parseArgs } from "node:util";
import { entries_of, read_command_line, whole_number } from "../../scripts/command_line.ts";
import { CONTESTANTS, output } from "./contestants.ts";
import { worker_path } from "./child.ts";
import { markdown_table } from "./table.ts";

/** A load on a server. */
interface Load {
  readonly id: string;
  readonly title: string;
  /** What the server does with a connection. */
  readonly serve: "echo" | "lines" | "spawn" | "cat";
  /** What one operation is. */
  readonly operation: string;
  /** How many operations a round has. */
  readonly size: number;
  /** How many operations warm a server up: as many as a round by default. */
  readonly warm_up?: number;
  /** How many rounds there are at most. */
  readonly most_rounds?: number;
  /** Does so many of them. */
  readonly run: (port: number, size: number) => Promise<void>;
}

/** The CPU time of a server. */
interface NetworkFigure {
  /** Microseconds of an operation. */
  readonly time: number;
  /** Times that of the host's own; `null` where there is no such server. */
  readonly ratio: number | null;
}

/** The figures by load and by server. */
export type NetworkFigures = Map<string, Map<string, NetworkFigure>>;

const CONNECTIONS = 100;
const MESSAGE = 64;
const MEGABYTE = 2 ** 20;

const LOADS: readonly Load[] = [
  {
    id: "echo",
    title: "echo of 64 bytes over 100 connections",
    serve: "echo",
    operation: "per message",
    size: 10_000,
    run: echo_messages,
  },
  {
    id: "bulk",
    title: "256 MiB through an echo",
    serve: "echo",
    operation: "per MiB",
    size: 256,
    warm_up: 64,
    most_rounds: 3,
    run: echo_megabytes,
  },
  {
    id: "lines",
    title: "`readline()` of lines of 64 bytes",
    serve: "lines",
    operation: "per line",
    size: 50_000,
    run: send_lines,
  },
  {
    id: "spawn",
    title: "run of `true`",
    serve: "spawn",
    operation: "per process",
    size: 20,
    warm_up: 200, // else it is the time of the engine's compilers
    run: ask_for,
  },
  {
    id: "cat",
    title: "output of `head -c`",
    serve: "cat",
    operation: "per MiB",
    size: 100,
    run: ask_for,
  },
];

async function connect(port: number): Promise<net.Socket> {
  const socket = net.connect({ port, host: "127.0.0.1", noDelay: true, allowHalfOpen: true });
  await once(socket, "connect");
  return socket;
}

async function echo_messages(port: number, size: number): Promise<void> {
  const message = new Uint8Array(MESSAGE);
  const rounds = Math.ceil(size / CONNECTIONS);
  await Promise.all(Array.from({ length: CONNECTIONS }, async () => {
    const socket = await connect(port);
    await new Promise<void>((resolve, reject) => {
      let received = 0;
      socket.on("error", reject);
      socket.on("data", (chunk) => {
        received += chunk.length;
        if (received === rounds * MESSAGE) resolve();
        else if (received % MESSAGE === 0) socket.write(message);
      });
      socket.write(message);
    });
    socket.destroy();
  }));
}

async function echo_megabytes(port: number, size: number): Promise<void> {
  const socket = await connect(port);
  const megabyte = new Uint8Array(MEGABYTE);
  const received = new Promise<void>((resolve, reject) => {
    let left = size * MEGABYTE;
    socket.on("error", reject);
    socket.on("data", (chunk) => {
      left -= chunk.length;
      if (left === 0) resolve();
    });
  });
  for (let i = 0; i < size; i++) {
    if (!socket.write(megabyte)) await once(socket, "drain");
  }
  await received;
  socket.destroy();
}

async function send_lines(port: number, size: number): Promise<void> {
  const socket = await connect(port);
  const block = 1_000;
  const lines = new TextEncoder().encode(`${"x".repeat(MESSAGE - 1)}\n`.repeat(block));
  const answer = new Promise<string>((resolve, reject) => {
    let text = "";
    socket.on("error", reject);
    socket.on("data", (chunk) => text += chunk);
    socket.on("end", () => resolve(text));
  });
  for (let i = 0; i < size; i += block) {
    if (!socket.write(lines)) await once(socket, "drain");
  }
  socket.end();
  const counted = Number(await answer);
  if (counted !== size) throw new Error(`${size} lines were sent, ${counted} counted`);
  socket.destroy();
}

// Has the server do something so many times.
async function ask_for(port: number, size: number): Promise<void> {
  const socket = await connect(port);
  socket.write(`${size}\n`);
  const [answer] = await once(socket, "data");
  if (Number(answer) !== size) throw new Error(`${size} were asked for, the server did ${answer}`);
  socket.destroy();
}

/** A server in a process of its own. */
class ServerProcess implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #lines: ReadableStreamDefaultReader<string>;
  readonly #stdin: WritableStreamDefaultWriter<Uint8Array>;
  #text = "";

  constructor([program, ...args]: readonly string[], serve: string) {
    this.#child = new Deno.Command(program!, {
      args: [...args, JSON.stringify({ serve })],
      stdin: "piped",
      stdout: "piped",
      env: { NO_COLOR: "1" },
    }).spawn();
    this.#lines = this.#child.stdout.pipeThrough(new TextDecoderStream()).getReader();
    this.#stdin = this.#child.stdin.getWriter();
  }

  /** The next number that it prints. */
  async number(): Promise<number> {
    while (!this.#text.includes("\n")) {
      const { done, value } = await this.#lines.read();
      if (done) throw new Error("the server has ended");
      this.#text += value;
    }
    const end = this.#text.indexOf("\n");
    const line = this.#text.slice(0, end);
    this.#text = this.#text.slice(end + 1);
    return Number(line);
  }

  /** Its CPU time so far, in microseconds. */
  async cpu_time(): Promise<number> {
    await this.#stdin.write(new TextEncoder().encode("\n"));
    return await this.number();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stdin.close().catch(() => {});
    await this.#lines.cancel();
    await this.#child.status;
  }
}

/** A program that serves, and that of its host's own means to compare it with. */
interface ServerProgram {
  readonly title: string;
  readonly command: readonly string[];
  readonly reference: string | null;
  /** What it can do with a connection; all by default. */
  readonly serves?: readonly Load["serve"][];
}

/** The hosts on which the library runs, by their names on the command line; `find` returns how a program is run. */
export const HOSTS: Readonly<
  Record<string, { title: string; find: () => Promise<string[] | null> }>
> = {
  deno: { title: "Deno", find: () => Promise.resolve([Deno.execPath(), "run", "-A", "--quiet"]) },
  bun: { title: "Bun", find: () => program_of("bun@1.4.5", "--print") },
  node: { title: "Node.js", find: () => program_of("node@26.10.0", "-p") },
  node20: { title: "Node.js 20", find: () => program_of("node@20.20.2", "-p") },
};

/** The contestants that are CPython, which has a server, too. */
const PYTHON: readonly string[] = ["cpython", "uvloop"];

async function program_of(npm_package: string, print: string): Promise<string[] | null> {
  const path = await output("npx", ["--yes", npm_package, print, "process.execPath"]);
  return path === null ? null : [path];
}

// Not every host runs TypeScript; the bundles are the same for all.
async function bundle(worker: string, folder: string): Promise<string> {
  const bundled = `${folder}/${worker.replace(/\.ts$/, ".mjs")}`;
  const made = await output(Deno.execPath(), [
    "bundle",
    "--quiet",
    `--output=${bundled}`,
    worker_path(worker),
  ]);
  if (made === null) throw new Error(`Cannot bundle ${worker}`);
  return bundled;
}

async function find_servers(
  hosts: readonly string[] | null,
  folder: string,
): Promise<ServerProgram[]> {
  const library = await bundle("network_library.ts", folder);
  const own = await bundle("network_host.ts", folder);
  const awaited = await bundle("network_awaited.ts", folder);
  const servers: ServerProgram[] = [];
  for (const [id, { title, find }] of Object.entries(HOSTS)) {
    const program = hosts === null || hosts.includes(id) ? await find() : null;
    if (program === null) continue;
    const reference = `${title}'s own`;
    servers.push({ title: `asyncio on ${title}`, command: [...program, library], reference });
    servers.push({ title: reference, command: [...program, own], reference });
    servers.push({
      title: `${reference}, awaited`,
      command: [...program, awaited],
      reference,
      serves: ["echo", "lines", "cat"],
    });
  }
  for (const { id, title, find } of CONTESTANTS) {
    if (!PYTHON.includes(id)) continue;
    const runner = hosts === null || hosts.includes(id) ? await find() : null;
    if (runner === null) continue;
    const command = runner.command.map((part) =>
      part.endsWith(".py") ? worker_path("network_cpython.py") : part
    );
    servers.push({ title, command, reference: null });
  }
  return servers;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1]!;
}

// The CPU time of an operation, by server, in each round.
async function measure_load(
  load: Load,
  servers: readonly ServerProgram[],
  rounds: number,
  tell: (text: string) => void,
): Promise<Map<string, number[]>> {
  const taken = new Map<string, number[]>(servers.map(({ title }) => [title, []]));
  await using stack = new AsyncDisposableStack();
  const running: { title: string; server: ServerProcess; port: number }[] = [];
  for (const { title, command } of servers) {
    tell(`network: ${load.id}, ${title}`);
    const server = stack.use(new ServerProcess(command, load.serve));
    running.push({ title, server, port: await server.number() });
  }
  for (const { port } of running) await load.run(port, load.warm_up ?? load.size);
  for (let round = 1; round <= Math.min(rounds, load.most_rounds ?? rounds); round++) {
    tell(`network: ${load.id}, round ${round}`);
    for (const { title, server, port } of running) {
      const before = await server.cpu_time();
      await load.run(port, load.size);
      taken.get(title)!.push((await server.cpu_time() - before) / load.size);
    }
  }
  return taken;
}

/** Measures all servers under all loads: the medians of some rounds, and those of the rounds' ratios. */
export async function measure_network(
  tell: (text: string) => void,
  { rounds = 9, only = null, hosts = null }: {
    rounds?: number;
    only?: readonly string[] | null;
    hosts?: readonly string[] | null;
  } = {},
): Promise<NetworkFigures> {
  const folder = await Deno.makeTempDir({ prefix: "asyncio_network_" });
  try {
    const servers = await find_servers(hosts, folder);
    const figures: NetworkFigures = new Map();
    for (const load of LOADS) {
      if (only !== null && !only.includes(load.id)) continue;
      const able = servers.filter(({ serves }) => serves?.includes(load.serve) ?? true);
      const taken = await measure_load(load, able, rounds, tell);
      figures.set(
        load.id,
        new Map(able.map(({ title, reference }): [string, NetworkFigure] => {
          const times = taken.get(title)!;
          const own = reference === null ? null : taken.get(reference)!;
          const ratio = own === null ? null : median(times.map((time, i) => time / own[i]!));
          return [title, { time: median(times), ratio }];
        })),
      );
    }
    return figures;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** A table of them: microseconds of the server's CPU, and in brackets the ratio to the host's own. */
export function network_table(figures: NetworkFigures): string {
  const loads = LOADS.filter(({ id }) => figures.has(id));
  const titles = new Set([...figures.values()].flatMap((by_server) => [...by_server.keys()]));
  const format = (figure: NetworkFigure | undefined) => {
    if (figure === undefined) return "";
    const { time, ratio } = figure;
    return `${time.toFixed(2)} µs${ratio === null ? "" : ` (${ratio.toFixed(2)})`}`;
  };
  return markdown_table(
    ["server", ...loads.map(({ title, operation }) => `${title}, ${operation}`)],
    Array.from(
      titles,
      (title) => [title, ...loads.map(({ id }) => format(figures.get(id)!.get(title)))],
    ),
  );
}

function read_options() {
  const { values } = parseArgs({
    args: Deno.args,
    options: {
      rounds: { type: "string", default: "9" },
      only: { type: "string" },
      hosts: { type: "string" },
    },
  });
  const { only, hosts } = values;
  return {
    rounds: whole_number("rounds", values.rounds, 1),
    only: only === undefined ? null : entries_of("only", only, LOADS.map(({ id }) => id)),
    hosts: hosts === undefined
      ? null
      : entries_of("hosts", hosts, [...Object.keys(HOSTS), ...PYTHON]),
  };
}

if (import.meta.main) {
  const options = read_command_line("network", read_options);
  console.log(network_table(await measure_network(console.error, options)));
}
