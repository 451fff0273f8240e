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

Deno.test("DatagramTransport.sendto: a wrong address is refused, and the transport can be closed", () =>
  SOCKETS.run(async () => {
    const loop = asyncio.get_running_loop();
    const [transport, protocol] = await loop.create_datagram_endpoint(() => new Received(), {
      local_addr: ["127.0.0.1", 0],
    });
    for (const address of ["host", 5, [], ["127.0.0.1"], [5, 5], ["127.0.0.1", "5"]]) {
      assertThrows(
        () => transport.sendto("x", address as never),
        TypeError,
        "expected [host, port]",
      );
    }
    for (const port of [-1, 65536]) {
      const error = assertThrows(() => transport.sendto("x", ["127.0.0.1", port]));
      assertInstanceOf(error, asyncio.ValueError);
    }
    // The system refuses it, not the type of it.
    transport.sendto("x", ["127.0.0.1", 0]);
    while (protocol.errors.length === 0) await asyncio.sleep(0);
    assertEquals(
      protocol.errors.map((error) => [error instanceof asyncio.OSError, String(error)]),
      [[true, "OSError: [Errno 22] Invalid argument"]],
    );
    transport.close();
    assertEquals(await protocol.lost, null);
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

class Lost extends asyncio.BaseProtocol {
  readonly lost: asyncio.Future<unknown> = asyncio.get_running_loop().create_future();

  override connection_lost(error: unknown): void {
    this.lost.set_result(error);
  }
}

Deno.test("connect_read_pipe, connect_write_pipe: a stream that has ended before is at its end", () =>
  SOCKETS.run(async () => {
    const loop = asyncio.get_running_loop();
    const { PassThrough } = await import("node:stream");
    const ended = new PassThrough();
    ended.end();
    ended.resume();
    await asyncio.from_promise(new Promise((resolve) => ended.on("close", resolve)));
    const destroyed = new PassThrough();
    destroyed.destroy();
    const failed = new PassThrough();
    failed.on("error", () => {});
    const boom = Object.assign(new Error("boom"), { code: "EIO", errno: -5 });
    failed.destroy(boom);
    for (const [pipe, error] of [[ended, null], [destroyed, null], [failed, boom]] as const) {
      const reader = new asyncio.StreamReader();
      await loop.connect_read_pipe(() => new asyncio.StreamReaderProtocol(reader), pipe);
      const [transport, protocol] = await loop.connect_write_pipe(() => new Lost(), pipe);
      if (error === null) {
        assertEquals(await reader.read(), new Uint8Array());
        assertEquals(await protocol.lost, null);
      } else {
        assertEquals((await assertRejects(() => reader.read(), asyncio.OSError)).cause, error);
        assertEquals((await protocol.lost as asyncio.OSError).cause, error);
      }
      assert(transport.is_closing());
    }
    const closed = new WritableStream<Uint8Array>();
    await asyncio.from_promise(closed.close());
    const [transport, protocol] = await loop.connect_write_pipe(() => new Lost(), closed);
    transport.write("x");
    assertEquals(await protocol.lost, null);
  }));

Deno.test("connect_read_pipe: takes text, and names chunks that are no bytes", () =>
  SOCKETS.run(async () => {
    const loop = asyncio.get_running_loop();
    const { Readable } = await import("node:stream");
    const pipes = (...chunks: unknown[]) => [
      Readable.from(chunks),
      new ReadableStream({
        start(controller) {
          for (const chunk of chunks) controller.enqueue(chunk);
          controller.close();
        },
      }),
    ];
    const read = async (pipe: unknown) => {
      const reader = new asyncio.StreamReader();
      const protocol = () => new asyncio.StreamReaderProtocol(reader);
      await loop.connect_read_pipe(protocol, pipe as asyncio.ReadPipe);
      return text(await reader.read());
    };
    for (const pipe of pipes("one ", new TextEncoder().encode("two"))) {
      assertEquals(await read(pipe), "one two");
    }
    const reports: unknown[] = [];
    loop.set_exception_handler((_loop, { exception }) => reports.push(exception));
    for (const pipe of pipes("one", { two: 2 })) {
      const error = await assertRejects(() => read(pipe), TypeError, "received {two: 2}");
      assertEquals(reports.pop(), error);
    }
  }));
