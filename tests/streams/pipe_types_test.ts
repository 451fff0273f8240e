/** Streams of Node.js fit the types of `connect_read_pipe()` and `connect_write_pipe()`, as do its sockets. */

import { assertEquals } from "@std/assert";
import type { Socket as DatagramSocket } from "node:dgram";
import type { Server, Socket } from "node:net";
import type { Readable, Writable } from "node:stream";
import type * as asyncio from "../../mod.ts";

Deno.test("connect_read_pipe: takes the streams of Node.js by their types", () => {
  const read = (pipe: Readable | Socket): asyncio.ReadPipe => pipe;
  const write = (pipe: Writable | Socket): asyncio.WritePipe => pipe;
  const sock = (given: Socket | Server | DatagramSocket): asyncio.HostSocketObject => given;
  assertEquals([read, write, sock].map(({ length }) => length), [1, 1, 1]);
});
