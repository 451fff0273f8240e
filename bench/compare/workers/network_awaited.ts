/**
 * The least that awaited reads take on the host's own `node:net` and `node:child_process`: a read of so many bytes at
 * most that is a promise of an array of its own, a line that is a lazy thenable of one, a buffer with a limit, a copy
 * of what is written, since the caller may change it, and the host's context, which tells the code of one connection
 * from that of another.
 *
 * @module
 */

import { AsyncLocalStorage } from "node:async_hooks";
import { spawn } from "node:child_process";
import { once } from "node:events";
import net from "node:net";
import process from "node:process";
import type { Readable } from "node:stream";
import type { Lazy } from "../../floor/loop.ts";
import { answer_with_cpu_time } from "./network_server.ts";

// As a StreamReader of 64 KiB: above twice its limit the socket is paused, and below it resumed.
const LIMIT = 65_536;

const NEWLINE = 10;

class Reader {
  readonly #source: Readable;
  readonly #chunks: Uint8Array[] = [];
  // Where what has not been taken begins in the first chunk.
  #start = 0;
  #size = 0;
  #ended = false;
  #wake: (() => void) | null = null;

  constructor(source: Readable) {
    this.#source = source;
    source.on("error", () => source.destroy());
    source.on("data", (chunk: Uint8Array) => {
      // The slice of a Buffer would share its bytes.
      this.#chunks.push(new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.length));
      this.#size += chunk.length;
      if (this.#size > 2 * LIMIT) source.pause();
      this.#wake?.();
    });
    source.on("close", () => this.#end());
    source.on("end", () => this.#end());
  }

  #end(): void {
    this.#ended = true;
    this.#wake?.();
  }

  /** Resolves to what has come, `most` bytes of it at most; to `null` at the end. */
  async read(most: number): Promise<Uint8Array | null> {
    while (this.#chunks.length === 0) {
      if (this.#ended) return null;
      await this.#more();
    }
    return this.#take(Math.min(this.#start + most, this.#chunks[0]!.length));
  }

  /** Returns a thenable of the next line, with its newline; of `null` at the end. */
  readline(): Lazy<Uint8Array | null> {
    return new Line(this);
  }

  /** Takes a line that is in the first chunk; `null` if there is none. */
  take_line(): Uint8Array | null {
    const at = this.#chunks[0]?.indexOf(NEWLINE, this.#start) ?? -1;
    return at === -1 ? null : this.#take(at + 1);
  }

  /** Resolves to a line when there is one, to `null` at the end. */
  async wait_for_line(): Promise<Uint8Array | null> {
    while (true) {
      const line = this.take_line();
      if (line !== null) return line;
      if (this.#chunks.length > 1) {
        const [first, second] = this.#chunks.splice(0, 2) as [Uint8Array, Uint8Array];
        this.#chunks.unshift(new Uint8Array([...first.subarray(this.#start), ...second]));
        this.#start = 0;
      } else if (this.#ended) return null;
      else await this.#more();
    }
  }

  #more(): Promise<void> {
    return new Promise<void>((resolve) => this.#wake = resolve);
  }

  #take(end: number): Uint8Array {
    const chunk = this.#chunks[0]!;
    const size = end - this.#start;
    const taken = size === chunk.buffer.byteLength ? chunk : chunk.slice(this.#start, end);
    this.#start = end;
    if (end === chunk.length) {
      this.#chunks.shift();
      this.#start = 0;
    }
    this.#size -= size;
    if (this.#size <= LIMIT && this.#source.isPaused()) this.#source.resume();
    return taken;
  }
}

class Line implements Lazy<Uint8Array | null> {
  readonly #reader: Reader;

  constructor(reader: Reader) {
    this.#reader = reader;
  }

  then(resolve: (line: Uint8Array | null) => unknown, reject: (error: unknown) => unknown): void {
    const line = this.#reader.take_line();
    if (line !== null) resolve(line);
    else this.#reader.wait_for_line().then(resolve, reject);
  }
}

/** Sends a copy of some bytes; resolves when more may be written. */
async function write(socket: net.Socket, data: Uint8Array): Promise<void> {
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

async function echo(socket: net.Socket): Promise<void> {
  const reader = new Reader(socket);
  for (let data; (data = await reader.read(LIMIT)) !== null;) await write(socket, data);
  socket.end();
}

async function count_lines(socket: net.Socket): Promise<void> {
  const reader = new Reader(socket);
  let count = 0;
  while (await reader.readline() !== null) count++;
  socket.end(`${count}\n`);
}

async function read_output(socket: net.Socket): Promise<void> {
  const [megabytes] = await once(socket, "data");
  const child = spawn("head", ["-c", `${Number(megabytes)}M`, "/dev/zero"], {
    stdio: ["inherit", "pipe", "inherit"],
  });
  const closed = once(child, "close");
  const reader = new Reader(child.stdout);
  let size = 0;
  for (let data; (data = await reader.read(LIMIT)) !== null;) size += data.length;
  await closed;
  socket.end(`${size / 2 ** 20}\n`);
}

const HANDLERS: Readonly<Record<string, (socket: net.Socket) => Promise<void>>> = {
  echo,
  lines: count_lines,
  cat: read_output,
};
const handler = HANDLERS[JSON.parse(process.argv.at(-1)!).serve]!;
const context = new AsyncLocalStorage<net.Socket>();

const server = net.createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
  void context.run(socket, handler, socket);
});
server.listen(0, "127.0.0.1", async () => {
  await answer_with_cpu_time((server.address() as net.AddressInfo).port);
  process.exit();
});
