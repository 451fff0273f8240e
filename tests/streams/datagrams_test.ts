/** Datagrams, and pipes of the host. */

import { assert, assertEquals, assertInstanceOf, assertRejects, assertThrows } from "@std/assert";
import * as asyncio from "../../mod.ts";
import { SOCKETS, text } from "./places.ts";

class Received extends asyncio.DatagramProtocol {
  readonly datagrams = new asyncio.Queue<[data: string, address: asyncio.Address]>();
  readonly errors: unknown[] = [];
  readonly log: string[] = [];
  readonly lost: asyncio.Future<unknown> = asyncio.get_running_loop().create_future();
  transport!: asyncio.DatagramTransport;

  override connection_made(transport: asyncio.DatagramTransport): void {
    this.transport = transport;
    this.log.push("made");
  }
  override datagram_received(data: Uint8Array, address: asyncio.Address): void {
    assertEquals(data.buffer.byteLength, data.byteLength);
    this.datagrams.put_nowait([text(data), address]);
  }
  override error_received(error: unknown): void {
    this.errors.push(error);
  }
  override connection_lost(error: unknown): void {
    this.log.push("lost");
    this.lost.set_result(error);
  }
}

class Echo extends Received {
  override datagram_received(data: Uint8Array, address: asyncio.Address): void {
    this.transport.sendto(data, address);
  }
}

Deno.test("create_datagram_endpoint: an echo, connected and not", () =>
  SOCKETS.run(async () => {
    const loop = asyncio.get_running_loop();
    const [server] = await loop.create_datagram_endpoint(() => new Echo(), {
      local_addr: ["127.0.0.1", 0],
    });
    const address = server.get_extra_info("sockname") as [string, number];
    assertEquals(server.get_extra_info("peername"), null);

    const [connected, its] = await loop.create_datagram_endpoint(() => new Received(), {
      remote_addr: address,
    });
    assertEquals(its.log, ["made"]);
    assertEquals(connected.get_extra_info("peername"), address);
    connected.sendto("hello");
    assertEquals(await its.datagrams.get(), ["hello", address]);
    connected.sendto(new Uint8Array([104, 105]), address);
    assertEquals((await its.datagrams.get())[0], "hi");
    assertThrows(
      () => connected.sendto("x", ["127.0.0.1", 1]),
      asyncio.ValueError,
      "Invalid address",
    );
    assertThrows(() => connected.sendto(1 as never), TypeError, "received 1");

    const [free, others] = await loop.create_datagram_endpoint(() => new Received(), { family: 2 });
    free.sendto("free", address);
    assertEquals((await others.datagrams.get())[0], "free");
    assertThrows(() => free.sendto("x"), asyncio.ValueError);

    for (const transport of [connected, free, server]) {
      transport.close();
      assert(transport.is_closing());
    }
    assertEquals(await its.lost, null);
    assertEquals(its.log, ["made", "lost"]);
  }));

Deno.test("create_datagram_endpoint: mistakes", () =>
  SOCKETS.run(async () => {
    const loop = asyncio.get_running_loop();
    await assertRejects(
      async () => await loop.create_datagram_endpoint(() => new Received()),
      asyncio.ValueError,
      "unexpected address family",
    );
    await assertRejects(
      async () =>
        await loop.create_datagram_endpoint(() => new Received(), { local_addr: "x" as never }),
      TypeError,
      "received 'x'",
    );
    const [first] = await loop.create_datagram_endpoint(() => new Received(), {
      local_addr: ["127.0.0.1", 0],
    });
    const error = await assertRejects(
      async () =>
        await loop.create_datagram_endpoint(() => new Received(), {
          local_addr: first.get_extra_info("sockname") as [string, number],
        }),
      asyncio.OSError,
    );
    assertEquals(error.code, "EADDRINUSE");
    first.close();
  }));

Deno.test("connect_read_pipe: a web stream and a Readable of Node.js", () =>
  SOCKETS.run(async () => {
    const loop = asyncio.get_running_loop();
    const { Readable } = await import("node:stream");
    const chunks = ["one\n", "two\n"].map((line) => new TextEncoder().encode(line));
    for (
      const pipe of [
        new ReadableStream<Uint8Array>({
          start(controller) {
            for (const chunk of chunks) controller.enqueue(chunk);
            controller.close();
          },
        }),
        Readable.from(chunks, { objectMode: false }),
      ]
    ) {
      const reader = new asyncio.StreamReader();
      const [transport] = await loop.connect_read_pipe(
        () => new asyncio.StreamReaderProtocol(reader),
        pipe as asyncio.ReadPipe,
      );
      assertInstanceOf(transport, asyncio.ReadTransport);
      assertEquals(text(await reader.read()), "one\ntwo\n");
      await asyncio.sleep(0);
      assert(transport.is_closing());
    }
    await assertRejects(
      async () => await loop.connect_read_pipe(() => new asyncio.Protocol(), 1 as never),
      TypeError,
      "received 1",
    );
  }));

Deno.test("connect_write_pipe: a web stream and a Writable of Node.js", () =>
  SOCKETS.run(async () => {
    const loop = asyncio.get_running_loop();
    const { Writable } = await import("node:stream");
    let received = "";
    let ended = 0;
    for (
      const pipe of [
        new WritableStream<Uint8Array>({
          write(chunk) {
            received += text(chunk);
          },
          close() {
            ended++;
          },
        }),
        new Writable({
          write(chunk, _encoding, callback) {
            received += text(chunk);
            callback();
          },
          final(callback) {
            ended++;
            callback();
          },
        }),
      ]
    ) {
      received = "";
      const lost = loop.create_future<unknown>();
      class Pipe extends asyncio.BaseProtocol {
        override connection_lost(error: unknown): void {
          lost.set_result(error);
        }
      }
      const [transport] = await loop.connect_write_pipe(
        () => new Pipe(),
        pipe as asyncio.WritePipe,
      );
      transport.write("hello ");
      transport.write("pipe");
      transport.close();
      assertEquals(await lost, null);
      while (received !== "hello pipe") await asyncio.sleep(0.001);
    }
    while (ended < 2) await asyncio.sleep(0.001);
  }));
