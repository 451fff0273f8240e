/** Peers that misbehave, much data, and servers that are cancelled, on sockets of this machine. */

import { assert, assertEquals, assertInstanceOf, assertRejects } from "@std/assert";
import { once } from "node:events";

import { type AddressInfo, createServer, type Socket } from "node:net";
import * as asyncio from "../../mod.ts";
import {
  address_of,
  connect,
  exchange_line,
  MEMORY,
  settled_at,
  SOCKETS,
  test_everywhere,
  text,
} from "./places.ts";

/** A server of node:net, whose sockets do as a function says. */
async function serve(on_socket: (socket: Socket) => void): Promise<[port: number, () => void]> {
  const sockets: Socket[] = [];
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.push(socket);
    socket.on("error", () => {});
    on_socket(socket);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const close = () => {
    for (const socket of sockets) socket.destroy();
    server.close();
  };
  return [(server.address() as AddressInfo).port, close];
}

Deno.test("StreamReader.read: a reset is a ConnectionResetError, after what came before", () =>
  SOCKETS.run(async () => {
    const [port, close] = await serve((socket) => {
      socket.write("before\n");
      socket.once("data", () => socket.resetAndDestroy());
    });
    const [reader, writer] = await asyncio.open_connection("127.0.0.1", port);
    assertEquals(text(await reader.readline()), "before\n");
    writer.write("reset it");
    const error = await assertRejects(async () => await reader.read(), asyncio.OSError);
    assertInstanceOf(error, asyncio.ConnectionResetError);
    assertEquals([error.errno, error.code], [104, "ECONNRESET"]);
    // All later reads, drain() and wait_closed() say so, too.
    await assertRejects(async () => await reader.readline(), asyncio.ConnectionResetError);
    await assertRejects(async () => await writer.drain(), asyncio.ConnectionResetError);
    await assertRejects(async () => await writer.wait_closed(), asyncio.ConnectionResetError);
    assert(writer.is_closing());
    close();
  }));

test_everywhere("StreamWriter.write_eof: after it, the other direction goes on", async (place) => {
  const [reader, writer, server] = await connect(place, async (reader, writer) => {
    const all = await reader.read();
    for (let i = 0; i < 3; i++) {
      writer.write(`${all.length}\n`);
      await asyncio.sleep(0.001);
    }
    writer.close();
  });
  assertEquals(writer.can_write_eof(), true);
  writer.write(new Uint8Array(100_000));
  writer.write_eof();
  assertEquals(text(await reader.read()), "100000\n".repeat(3));
  writer.close();
  await writer.wait_closed();
  server.close();
  await server.wait_closed();
});

test_everywhere("StreamWriter.drain: with a peer that never reads, it waits", async (place) => {
  const end = new asyncio.Event();
  const [, writer, server] = await connect(place, async (_, writer) => {
    await end.wait();
    writer.transport.abort();
  });
  writer.write(new Uint8Array(16 * 2 ** 20));
  await assertRejects(
    async () => await asyncio.wait_for(writer.drain(), 0.05),
    asyncio.TimeoutError,
  );
  assert((writer.transport as asyncio.Transport).get_write_buffer_size() > 0);
  end.set();
  await assertRejects(async () => await writer.drain(), asyncio.ConnectionError);
  writer.transport.abort();
  server.close();
  await server.wait_closed();
});

Deno.test("StreamWriter.write: the caller may use a large array again, though the peer reads slowly", () =>
  SOCKETS.run(async () => {
    const size = 60_000;
    const count = 200;
    const sum = asyncio.get_running_loop().create_future<boolean>();
    const [, writer, server] = await connect(SOCKETS, async (reader, writer) => {
      await asyncio.sleep(0.05);
      let is_right = true;
      for (let i = 0; i < count; i++) {
        const chunk = await reader.readexactly(size);
        is_right &&= chunk.every((byte) => byte === i % 251);
      }
      sum.set_result(is_right);
      writer.close();
    });
    const array = new Uint8Array(size);
    for (let i = 0; i < count; i++) {
      array.fill(i % 251);
      writer.write(array);
      if (i % 20 === 19) await writer.drain();
    }
    array.fill(255);
    assertEquals(await sum, true);
    writer.close();
    await writer.wait_closed();
    server.close();
    await server.wait_closed();
  }));

for (const [place, megabytes] of [[SOCKETS, 96], [MEMORY, 24]] as const) {
  Deno.test(`StreamReader.read: ${megabytes} MiB through an echo (${place.name})`, () =>
    place.run(async () => {
      const [reader, writer, server] = await connect(place, async (reader, writer) => {
        while (true) {
          const chunk = await reader.read(2 ** 16);
          if (chunk.length === 0) break;
          writer.write(chunk);
          await writer.drain();
        }
        writer.close();
      });
      const block = Uint8Array.from({ length: 2 ** 20 - 3 }, (_, i) => (i * 31) % 253);
      const send = async () => {
        for (let i = 0; i < megabytes; i++) {
          writer.write(block);
          await writer.drain();
        }
        writer.write_eof();
      };
      const receive = async () => {
        for (let i = 0; i < megabytes; i++) {
          const received = await reader.readexactly(block.length);
          if (i % 16 === 0) assertEquals(received, block);
        }
        assertEquals((await reader.read()).length, 0);
      };
      await asyncio.gather(send, receive);
      writer.close();
      await writer.wait_closed();
      server.close();
      await server.wait_closed();
    }));
}

Deno.test("Server: cancelled under load, it loses no connection and leaves no descriptor", () =>
  SOCKETS.run(async () => {
    for (let round = 0; round < 6; round++) {
      let [begun, ended] = [0, 0];
      const server = await asyncio.start_server(
        async (reader, writer) => {
          begun++;
          try {
            writer.write(await reader.readline());
            await writer.drain();
          } finally {
            ended++;
            writer.close();
          }
        },
        "127.0.0.1",
        0,
        { backlog: 200 },
      );
      const address = address_of(server);
      const serving = asyncio.create_task(server.serve_forever());
      const call = async (i: number): Promise<number> => {
        try {
          return await exchange_line(address, i % 7 / 1000);
        } catch (error) {
          assertInstanceOf(error, asyncio.OSError);
          return 0;
        }
      };
      const calls = Array.from(
        { length: 100 },
        (_, i) => asyncio.create_task(async () => await call(i)),
      );
      await asyncio.sleep(round * 0.004);
      serving.cancel();
      await assertRejects(async () => await serving, asyncio.CancelledError);
      const lengths = await asyncio.gather(calls);
      assertEquals(begun, ended);
      // Answered in full, or refused.
      assertEquals(lengths.filter((length) => length !== 7 && length !== 0), []);
      assert(lengths.filter((length) => length === 7).length <= begun);
      await settled_at(address[1], 0);
    }
  }));

Deno.test("open_connection: over a soak of 2,000 connections, descriptors and listeners are flat", () =>
  SOCKETS.run(async () => {
    const server = await asyncio.start_server(
      async (reader, writer) => {
        for await (const line of reader) writer.write(line);
        writer.close();
      },
      "127.0.0.1",
      0,
    );
    const call = async (i: number) => {
      const [reader, writer] = await asyncio.open_connection(...address_of(server));
      writer.write("a line\n");
      if (i % 3 === 0) writer.transport.abort();
      else assertEquals(text(await reader.readline()), "a line\n");
      writer.close();
      await writer.wait_closed().catch(() => {});
    };
    const host = (server.sockets[0] as asyncio.ServerSocket).host_object as {
      listenerCount(event: string): number;
    };
    const listeners = () =>
      ["connection", "error", "close"].map((name) => host.listenerCount(name));
    const before = listeners();
    const [, port] = address_of(server);
    for (let round = 0; round < 20; round++) {
      await asyncio.gather(Array.from({ length: 100 }, (_, i) => async () => await call(i)));
    }
    await settled_at(port, 1);
    assertEquals(listeners(), before);
    server.close();
    await server.wait_closed();
    await settled_at(port, 0);
  }));
