/**
 * The server of network_library.ts by the host's own `node:net`, `node:readline` and `node:child_process`.
 *
 * @module
 */

import { spawn } from "node:child_process";
import { once } from "node:events";
import net from "node:net";
import process from "node:process";
import readline from "node:readline";
import { answer_with_cpu_time } from "./network_server.ts";

function echo(socket: net.Socket): void {
  socket.pipe(socket);
}

function count_lines(socket: net.Socket): void {
  let count = 0;
  readline.createInterface({ input: socket, crlfDelay: Infinity })
    .on("line", () => count++)
    .on("close", () => socket.end(`${count}\n`));
}

async function run_processes(socket: net.Socket): Promise<void> {
  const [count] = await once(socket, "data");
  for (let i = 0; i < Number(count); i++) await once(spawn("true", { stdio: "inherit" }), "exit");
  socket.end(`${Number(count)}\n`);
}

async function read_output(socket: net.Socket): Promise<void> {
  const [megabytes] = await once(socket, "data");
  const child = spawn("head", ["-c", `${Number(megabytes)}M`, "/dev/zero"], {
    stdio: ["inherit", "pipe", "inherit"],
  });
  let size = 0;
  child.stdout.on("data", (chunk) => size += chunk.length);
  await once(child, "close");
  socket.end(`${size / 2 ** 20}\n`);
}

const HANDLERS: Readonly<Record<string, (socket: net.Socket) => void>> = {
  echo,
  lines: count_lines,
  spawn: run_processes,
  cat: read_output,
};
const handler = HANDLERS[JSON.parse(process.argv.at(-1)!).serve]!;
const server = net.createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
  socket.on("error", () => {});
  handler(socket);
});
server.listen(0, "127.0.0.1", async () => {
  await answer_with_cpu_time((server.address() as net.AddressInfo).port);
  process.exit();
});
