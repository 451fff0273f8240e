/**
 * Servers on loopback, by their CPU time: an echo of small messages over many connections, much data through an
 * echo, and lines that are counted. The client is the same for all of them.
 *
 * ```sh
 * deno run -A bench/compare/network.ts                    # --rounds 3 --only echo,lines --contestants library,host
 * ```
 *
 * @module
 */

import net from "node:net";
import { once } from "node:events";
import { parseArgs } from "node:util";
import { CONTESTANTS, type Runner } from "./contestants.ts";
import { worker_path } from "./child.ts";
import { markdown_table } from "./table.ts";

/** A load on a server. */
interface Load {
  readonly id: string;
  readonly title: string;
  readonly serve: "echo" | "lines";
  /** What one operation is. */
  readonly operation: string;
  /** How many operations are measured. */
  readonly size: number;
  /** Does so many of them. */
  readonly run: (port: number, size: number) => Promise<void>;
}

/** The CPU microseconds of an operation, by load and by server. */
export type NetworkFigures = Map<string, Map<string, number>>;

const CONNECTIONS = 100;
const MESSAGE = 64;
const MEGABYTE = 2 ** 20;

const LOADS: readonly Load[] = [
  {
    id: "echo",
    title: "echo of 64 bytes over 100 connections",
    serve: "echo",
    operation: "per message",
    size: 200_000,
    run: echo_messages,
  },
  {
    id: "bulk",
    title: "much data through an echo",
    serve: "echo",
    operation: "per MiB",
    size: 1_024,
    run: echo_megabytes,
  },
  {
    id: "lines",
    title: "`readline()` of lines of 64 bytes",
    serve: "lines",
    operation: "per line",
    size: 500_000,
    run: send_lines,
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

async function measure(runner: Runner, load: Load): Promise<number> {
  await using server = new ServerProcess(runner.command, load.serve);
  const port = await server.number();
  await load.run(port, Math.ceil(load.size / 10));
  const before = await server.cpu_time();
  await load.run(port, load.size);
  return (await server.cpu_time() - before) / load.size;
}

// The workers of the comparison, with a server's source in their place.
async function find_servers(ids: readonly string[] | null): Promise<Map<string, Runner>> {
  const servers = new Map<string, Runner>();
  const add = (title: string, id: string, runner: Runner | null, name: string) => {
    if (runner === null || (ids !== null && !ids.includes(id))) return;
    const command = runner.command.map((part) =>
      /workers\/\w+\.(ts|py)$/.test(part) ? worker_path(name) : part
    );
    servers.set(title, { ...runner, command });
  };
  for (const { id, title, find } of CONTESTANTS) {
    if (id === "library" || id === "library-bun") {
      const runner = await find();
      add(title, id, runner, "network_library.ts");
      add(
        title.replace("asyncio on", "node:net on"),
        id.replace("library", "host"),
        runner,
        "network_host.ts",
      );
    } else if (id === "cpython" || id === "uvloop") {
      add(title, id, await find(), "network_cpython.py");
    }
  }
  return servers;
}

/** Measures all servers under all loads: the medians of some rounds. */
export async function measure_network(
  tell: (text: string) => void,
  { rounds = 3, only = null, contestants = null }: {
    rounds?: number;
    only?: readonly string[] | null;
    contestants?: readonly string[] | null;
  } = {},
): Promise<NetworkFigures> {
  const servers = await find_servers(contestants);
  const figures: NetworkFigures = new Map();
  for (const load of LOADS) {
    if (only !== null && !only.includes(load.id)) continue;
    const taken = new Map<string, number[]>();
    for (let round = 1; round <= rounds; round++) {
      for (const [title, runner] of servers) {
        tell(`network: ${load.id}, ${title}, round ${round}`);
        const all = taken.get(title) ?? [];
        taken.set(title, all);
        all.push(await measure(runner, load));
      }
    }
    const medians = [...taken].map(([title, all]): [string, number] => [
      title,
      all.toSorted((a, b) => a - b)[all.length >> 1]!,
    ]);
    figures.set(load.id, new Map(medians));
  }
  return figures;
}

/** A table of them: microseconds of the server's CPU. */
export function network_table(figures: NetworkFigures): string {
  const loads = LOADS.filter(({ id }) => figures.has(id));
  const titles = [...figures.values().next().value?.keys() ?? []];
  return markdown_table(
    ["server", ...loads.map(({ title, operation }) => `${title}, ${operation}`)],
    titles.map((title) => [
      title,
      ...loads.map(({ id }) => `${figures.get(id)!.get(title)!.toFixed(2)} µs`),
    ]),
  );
}

if (import.meta.main) {
  const { values } = parseArgs({
    args: Deno.args,
    options: {
      rounds: { type: "string", default: "3" },
      only: { type: "string" },
      contestants: { type: "string" },
    },
  });
  const figures = await measure_network(console.error, {
    rounds: Number(values.rounds),
    only: values.only?.split(",") ?? null,
    contestants: values.contestants?.split(",") ?? null,
  });
  console.log(network_table(figures));
}
