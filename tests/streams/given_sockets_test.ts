/** Sockets that other code has made: `sock`, `connect_accepted_socket()`. */

import { assertEquals, assertRejects } from "@std/assert";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import * as asyncio from "../../mod.ts";
import { VirtualClockEventLoop, VirtualNetwork } from "../../testing.ts";
import { text } from "./places.ts";

async function listen(options: { allowHalfOpen?: boolean } = {}): Promise<[Server, number]> {
  const server = createServer(options);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return [server, (server.address() as AddressInfo).port];
}

async function echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter): Promise<void> {
  for await (const line of reader) writer.write(line);
  writer.write("end");
  writer.close();
}

for (const allowHalfOpen of [true, false]) {
  Deno.test(`start_server: a server of node:net, with allowHalfOpen: ${allowHalfOpen}`, () =>
    asyncio.run(async () => {
      const [host, port] = await listen({ allowHalfOpen });
      const server = await asyncio.start_server(echo, null, null, { sock: host });
      assertEquals(server.sockets.map((socket) => socket.getsockname()), [["127.0.0.1", port]]);
      const socket = connect(port, "127.0.0.1");
      await once(socket, "connect");
      const [reader, writer] = await asyncio.open_connection(null, null, { sock: socket });
      assertEquals(writer.get_extra_info("peername"), ["127.0.0.1", port]);
      writer.write("one\ntwo\n");
      writer.write_eof();
      assertEquals(text(await reader.read()), "one\ntwo\nend");
      writer.close();
      await writer.wait_closed();
      server.close();
      await server.wait_closed();
      assertEquals(host.listening, false);
    }));
}

Deno.test("loop.connect_accepted_socket: makes a transport of a socket that is accepted", () =>
  asyncio.run(async () => {
    const loop = asyncio.get_running_loop();
    const [host, port] = await listen();
    const accepted = once(host, "connection") as Promise<[Socket]>;
    const [reader, writer] = await asyncio.open_connection("127.0.0.1", port);
    const calls: unknown[] = [];
    class Pong extends asyncio.Protocol {
      #transport: asyncio.Transport | null = null;
      override connection_made(transport: asyncio.Transport): void {
        this.#transport = transport;
      }
      override data_received(data: Uint8Array): void {
        calls.push(text(data));
        this.#transport?.write("pong");
        this.#transport?.close();
      }
      override connection_lost(error: unknown): void {
        calls.push(error);
      }
    }
    const [[socket], other] = [await accepted, new Pong()];
    const [transport, protocol] = await loop.connect_accepted_socket(() => other, socket);
    assertEquals(protocol, other);
    writer.write("ping");
    assertEquals(text(await reader.read()), "pong");
    assertEquals(calls, ["ping", null]);
    assertEquals(transport.is_closing(), true);
    writer.close();
    await writer.wait_closed();
    host.close();
  }));

Deno.test("create_datagram_endpoint: a socket of node:dgram", () =>
  asyncio.run(async () => {
    const loop = asyncio.get_running_loop();
    const socket = createSocket("udp4");
    socket.bind(0, "127.0.0.1");
    await once(socket, "listening");
    class Echo extends asyncio.DatagramProtocol {
      override datagram_received(data: Uint8Array, address: asyncio.Address): void {
        server.sendto(data, address);
      }
    }
    const [server] = await loop.create_datagram_endpoint(() => new Echo(), { sock: socket });
    const received = loop.create_future<string>();
    class Client extends asyncio.DatagramProtocol {
      override datagram_received(data: Uint8Array): void {
        received.set_result(text(data));
      }
    }
    const remote_addr = ["127.0.0.1", socket.address().port] as const;
    const [client] = await loop.create_datagram_endpoint(() => new Client(), { remote_addr });
    client.sendto("datagram");
    assertEquals(await received, "datagram");
    client.close();
    server.close();
    await asyncio.sleep(0);
    await assertRejects(
      async () =>
        await loop.create_datagram_endpoint(() => new Client(), { sock: socket, remote_addr }),
      asyncio.ValueError,
      "socket modifier keyword arguments can not be used when sock is specified",
    );
  }));

Deno.test("sock: mistakes are named", () =>
  asyncio.run(async () => {
    const loop = asyncio.get_running_loop();
    const [host, port] = await listen();
    const connecting = connect(port, "127.0.0.1");
    const refused: [asyncio.Coroutine<unknown>, new () => Error, string][] = [
      [
        asyncio.open_connection(null, null, { sock: connecting }),
        TypeError,
        "Cannot connect: sock must be a connected Socket of node:net: received",
      ],
      [
        asyncio.open_connection("localhost", port, { sock: connecting }),
        asyncio.ValueError,
        "host/port and sock can not be specified at the same time",
      ],
      [
        asyncio.open_connection(),
        asyncio.ValueError,
        "host and port was not specified and no sock specified",
      ],
      [asyncio.open_unix_connection(), asyncio.ValueError, "no path and sock were specified"],
      [
        asyncio.open_unix_connection("/path", { sock: connecting }),
        asyncio.ValueError,
        "path and sock can not be specified at the same time",
      ],
      [
        asyncio.start_server(echo, null, null, { sock: createServer() }),
        TypeError,
        "Cannot listen: sock must be a Server of node:net that listens: received",
      ],
      [
        asyncio.start_server(echo),
        asyncio.ValueError,
        "Neither host/port nor sock were specified",
      ],
      [
        asyncio.start_unix_server(echo),
        asyncio.ValueError,
        "path was not specified, and no sock specified",
      ],
      [
        loop.connect_accepted_socket(() => new asyncio.Protocol(), {} as never),
        TypeError,
        "Cannot accept a socket: sock must be a connected Socket of node:net: received {}",
      ],
      [
        loop.create_datagram_endpoint(() => new asyncio.DatagramProtocol(), {
          sock: createSocket("udp4"),
        }),
        TypeError,
        "sock must be a Socket of node:dgram that is bound",
      ],
    ];
    for (const [call, Kind, message] of refused) {
      await assertRejects(async () => await call, Kind, message);
    }
    connecting.destroy();
    host.close();
  }));

Deno.test("sock: a loop with a network in memory has no sockets", () => {
  const network = new VirtualNetwork();
  return asyncio.run(async () => {
    await assertRejects(
      async () => await asyncio.open_connection(null, null, { sock: {} as never }),
      asyncio.RuntimeError,
      "the loop has a network in memory",
    );
  }, { loop_factory: () => new VirtualClockEventLoop({ network }) });
});
