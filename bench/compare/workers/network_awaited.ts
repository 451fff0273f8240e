/**
 * The least that an echo by awaited reads takes on the host's own `node:net`: a read of so many bytes at most that is
 * a promise of an array of its own, a buffer with a limit, a copy of what is written, since the caller may change it,
 * and the host's context, which tells the code of one connection from that of another.
 *
 * @module
 */

import { AsyncLocalStorage } from "node:async_hooks";
import net from "node:net";
import process from "node:process";
import { answer_with_cpu_time } from "./network_server.ts";

// As a StreamReader of 64 KiB: above twice its limit the socket is paused, and below it resumed.
const LIMIT = 65_536;

class Connection {
  readonly #socket: net.Socket;
  readonly #chunks: Uint8Array[] = [];
  #size = 0;
  #ended = false;
  #wake: (() => void) | null = null;

  constructor(socket: net.Socket) {
    this.#socket = socket;
    socket.on("error", () => socket.destroy());
    socket.on("data", (data) => {
      const chunk = data as Uint8Array;
      this.#chunks.push(chunk);
      this.#size += chunk.length;
      if (this.#size > 2 * LIMIT) socket.pause();
      this.#wake?.();
    });
    socket.on("close", () => this.#end());
    socket.on("end", () => this.#end());
  }

  #end(): void {
    this.#ended = true;
    this.#wake?.();
  }

  /** Resolves to what has come, `most` bytes of it at most; to `null` at the end. */
  async read(most: number): Promise<Uint8Array | null> {
    while (this.#chunks.length === 0) {
      if (this.#ended) return null;
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
    const chunk = this.#chunks[0]!;
    const size = Math.min(chunk.length, most);
    const taken = size === chunk.buffer.byteLength
      ? chunk
      : new Uint8Array(chunk.subarray(0, size));
    if (size === chunk.length) this.#chunks.shift();
    else this.#chunks[0] = chunk.subarray(size);
    this.#size -= size;
    if (this.#size <= LIMIT && this.#socket.isPaused()) this.#socket.resume();
    return taken;
  }

  /** Sends a copy of some bytes; resolves when more may be written. */
  async write(data: Uint8Array): Promise<void> {
    const socket = this.#socket;
    socket.write(new Uint8Array(data));
    if (socket.writableLength <= LIMIT || socket.destroyed) return;
    await new Promise<void>((resolve) => {
      const end = () => {
        socket.off("drain", end);
        socket.off("close", end);
        resolve();
      };
      socket.on("drain", end);
      socket.on("close", end);
    });
  }
}

async function echo(socket: net.Socket): Promise<void> {
  const connection = new Connection(socket);
  for (let data; (data = await connection.read(LIMIT)) !== null;) await connection.write(data);
  socket.end();
}

const context = new AsyncLocalStorage<net.Socket>();

const server = net.createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
  void context.run(socket, echo, socket);
});
server.listen(0, "127.0.0.1", async () => {
  await answer_with_cpu_time((server.address() as net.AddressInfo).port);
  process.exit();
});
