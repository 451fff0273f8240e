/**
 * The server of network_library.ts by the host's own `node:net` and `node:readline`.
 *
 * @module
 */

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

const handler = JSON.parse(process.argv.at(-1)!).serve === "lines" ? count_lines : echo;
const server = net.createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
  socket.on("error", () => {});
  handler(socket);
});
server.listen(0, "127.0.0.1", async () => {
  await answer_with_cpu_time((server.address() as net.AddressInfo).port);
  process.exit();
});
