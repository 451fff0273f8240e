/** Transports and protocols: the order of callbacks, flow control and what goes wrong. */

import { assert, assertEquals, assertInstanceOf, assertRejects, assertThrows } from "@std/assert";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { Writable } from "node:stream";
import * as asyncio from "../../mod.ts";
import { address_of, collect_reports, SOCKETS, test_everywhere, text } from "./places.ts";

/** Notes what is called. */
class Recorder extends asyncio.Protocol {
  readonly log: string[] = [];
  transport!: asyncio.Transport;
  readonly lost: asyncio.Future<unknown> = asyncio.get_running_loop().create_future();
  readonly #keep_open: boolean;

  constructor(keep_open = false) {
    super();
    this.#keep_open = keep_open;
  }

  override connection_made(transport: asyncio.Transport): void {
    assertEquals(asyncio.current_task(), null);
    this.transport = transport;
    this.log.push("made");
  }
  override data_received(data: Uint8Array): void {
    assertEquals(asyncio.current_task(), null);
    assertEquals(data.buffer.byteLength, data.byteLength);
    const last = this.log[this.log.length - 1]!;
    // How data is cut is the host's affair.
    if (last.startsWith("data ")) this.log[this.log.length - 1] = last + text(data);
    else this.log.push(`data ${text(data)}`);
  }
  override eof_received(): boolean {
    this.log.push("eof");
    return this.#keep_open;
  }
  override connection_lost(error: unknown): void {
    this.log.push(`lost ${error}`);
    this.lost.set_result(error);
  }
}

test_everywhere("Protocol: callbacks come in CPython's order", async (place) => {
  const loop = asyncio.get_running_loop();
  const servers: Recorder[] = [];
  const server = await loop.create_server(
    () => {
      const protocol = new Recorder(true);
      servers.push(protocol);
      return protocol;
    },
    place.host,
    place.port,
  );
  const [transport, protocol] = await loop.create_connection(
    () => new Recorder(),
    ...address_of(server),
  );
  assertEquals(protocol.log, ["made"]);
  assert(protocol.transport === transport && transport.get_protocol() === protocol);
  assertInstanceOf(transport, asyncio.Transport);
  assertInstanceOf(transport, asyncio.ReadTransport);
  assertInstanceOf(transport, asyncio.WriteTransport);
  transport.write("one");
  transport.write("two");
  transport.write_eof();
  while (!servers[0]?.log.includes("eof")) await asyncio.sleep(0.001);
  servers[0]!.transport.write("answer");
  servers[0]!.transport.close();
  servers[0]!.transport.close();
  assertEquals(servers[0]!.log, ["made", "data onetwo", "eof"]);
  assertEquals(await protocol.lost, null);
  assertEquals(servers[0]!.log, ["made", "data onetwo", "eof", "lost null"]);
  assertEquals(protocol.log, ["made", "data answer", "eof", "lost null"]);
  assert(transport.is_closing());
  server.close();
  await server.wait_closed();
});

test_everywhere(
  "Transport.abort: what is not sent is lost, and the protocol is told",
  async (place) => {
    const loop = asyncio.get_running_loop();
    const server = await loop.create_server(() => new Recorder(true), place.host, place.port);
    const [transport, protocol] = await loop.create_connection(
      () => new Recorder(),
      ...address_of(server),
    );
    transport.abort();
    transport.abort();
    assertEquals(protocol.log, ["made"]);
    assertEquals(await protocol.lost, null);
    transport.write("nobody gets it");
    server.close();
    server.abort_clients();
    await server.wait_closed();
  },
);

test_everywhere(
  "Transport.pause_reading: nothing is received until resume_reading",
  async (place) => {
    const loop = asyncio.get_running_loop();
    let peer!: Recorder;
    const server = await loop.create_server(
      () => peer = new Recorder(true),
      place.host,
      place.port,
    );
    const [transport, protocol] = await loop.create_connection(
      () => new Recorder(),
      ...address_of(server),
    );
    while (peer?.transport === undefined) await asyncio.sleep(0.001);
    assert(transport.is_reading());
    transport.pause_reading();
    transport.pause_reading();
    assertEquals(transport.is_reading(), false);
    peer.transport.write("hello");
    peer.transport.close();
    await asyncio.sleep(0.1);
    assertEquals(protocol.log, ["made"]);
    transport.resume_reading();
    transport.resume_reading();
    assertEquals(await protocol.lost, null);
    assertEquals(protocol.log, ["made", "data hello", "eof", "lost null"]);
    server.close();
    await server.wait_closed();
  },
);

test_everywhere(
  "StreamReaderProtocol: data_received of a subclass is called by the loop, in the connection's context",
  async (place) => {
    const loop = asyncio.get_running_loop();
    const variable = new asyncio.ContextVar<string>("variable");
    const seen: string[] = [];
    const note = (what: string) =>
      seen.push(
        `${what} ${variable.get("none")} ${asyncio.current_task()} ${
          asyncio.get_running_loop() === loop
        }`,
      );
    class Noting extends asyncio.StreamReaderProtocol {
      override data_received(data: Uint8Array): void {
        note("overridden");
        super.data_received(data);
      }
    }
    await using server = await asyncio.start_server(
      async (reader, writer) => {
        writer.write(await reader.readline());
        writer.write(await reader.readline());
        writer.close();
      },
      place.host,
      place.port,
    );
    variable.set("set");
    const reader = new asyncio.StreamReader();
    const [transport, protocol] = await loop.create_connection(
      () => new Noting(reader),
      ...address_of(server),
    );
    variable.set("changed");
    transport.write("one\n");
    assertEquals(text(await reader.readline()), "one\n");
    assertEquals(seen, ["overridden set null true"]);
    protocol.data_received = (data) => {
      note("replaced");
      Noting.prototype.data_received.call(protocol, data);
    };
    transport.write("two\n");
    assertEquals(text(await reader.readline()), "two\n");
    assertEquals(seen.slice(1), ["replaced set null true", "overridden set null true"]);
    transport.close();
  },
);

test_everywhere(
  "StreamReader: chunks that came while the transport was paused are read in order",
  async (place) => {
    const chunk = new Uint8Array(50_000);
    await using server = await asyncio.start_server(
      async (_reader, writer) => {
        for (let i = 0; i < 40; i++) {
          writer.write(chunk.fill(i));
          await writer.drain();
        }
        writer.close();
      },
      place.host,
      place.port,
    );
    const [reader, writer] = await asyncio.open_connection(...address_of(server), { limit: 100 });
    await asyncio.sleep(0.05); // it is paused by then, on sockets for how much the host reads ahead
    for (let i = 0; i < 40; i++) {
      const received = await reader.readexactly(50_000);
      assert(received.every((byte) => byte === i));
    }
    assertEquals((await reader.read()).length, 0);
    writer.close();
    await writer.wait_closed();
  },
);

test_everywhere("Transport: a protocol that extends no class is called", async (place) => {
  const loop = asyncio.get_running_loop();
  await using server = await asyncio.start_server(
    async (reader, writer) => {
      writer.write(await reader.readline());
      writer.close();
    },
    place.host,
    place.port,
  );
  const received = loop.create_future<string>();
  const protocol = {
    connection_made: (transport: asyncio.Transport) => transport.write("hello\n"),
    data_received: (data: Uint8Array) => received.set_result(text(data)),
    eof_received: () => {},
    connection_lost: () => {},
    pause_writing: () => {},
    resume_writing: () => {},
  };
  const [transport] = await loop.create_connection(
    () => protocol as unknown as asyncio.Protocol,
    ...address_of(server),
  );
  assertEquals(await received, "hello\n");
  transport.close();
});

class Writer extends Recorder {
  override pause_writing(): void {
    this.log.push("pause");
  }
  override resume_writing(): void {
    this.log.push("resume");
  }
}

test_everywhere("Transport: the marks of the write buffer", async (place) => {
  const loop = asyncio.get_running_loop();
  let peer!: Recorder;
  const server = await loop.create_server(() => peer = new Recorder(true), place.host, place.port);
  const [transport, protocol] = await loop.create_connection(
    () => new Writer(),
    ...address_of(server),
  );
  assertEquals(transport.get_write_buffer_limits(), [16_384, 65_536]);
  transport.set_write_buffer_limits({ low: 100 });
  assertEquals(transport.get_write_buffer_limits(), [100, 400]);
  transport.set_write_buffer_limits({ high: 1000 });
  assertEquals(transport.get_write_buffer_limits(), [250, 1000]);
  assertThrows(
    () => transport.set_write_buffer_limits({ high: 1, low: 2 }),
    asyncio.ValueError,
    "high (1) must be >= low (2) must be >= 0",
  );
  while (peer?.transport === undefined) await asyncio.sleep(0.001);
  peer.transport.pause_reading();
  assertEquals(transport.get_write_buffer_size(), 0);
  while (!protocol.log.includes("pause")) {
    transport.write(new Uint8Array(2 ** 20));
    await asyncio.sleep(0);
  }
  assert(transport.get_write_buffer_size() > 1000);
  peer.transport.resume_reading();
  while (!protocol.log.includes("resume")) await asyncio.sleep(0.001);
  assert(transport.get_write_buffer_size() <= 250);
  assertEquals(protocol.log, ["made", "pause", "resume"]);
  transport.close();
  await protocol.lost;
  server.close();
  server.abort_clients();
  await server.wait_closed();
});

test_everywhere("Transport.abort: nothing is buffered any more", async (place) => {
  const loop = asyncio.get_running_loop();
  const server = await loop.create_server(() => new Recorder(), place.host, place.port);
  const [transport, protocol] = await loop.create_connection(
    () => new Recorder(),
    ...address_of(server),
  );
  transport.write(new Uint8Array(2 ** 25));
  assert(transport.get_write_buffer_size() > 0);
  transport.abort();
  assertEquals(transport.get_write_buffer_size(), 0);
  assertEquals(await protocol.lost, null);
  server.close();
  server.abort_clients();
  await server.wait_closed();
});

test_everywhere("Transport.close: what was written is sent first", async (place) => {
  const loop = asyncio.get_running_loop();
  const size = 20 * 2 ** 20;
  let received = 0;
  const done = loop.create_future<number>();
  class Counter extends asyncio.Protocol {
    override data_received(data: Uint8Array): void {
      received += data.length;
    }
    override connection_lost(): void {
      done.set_result(received);
    }
  }
  const server = await loop.create_server(() => new Counter(), place.host, place.port);
  const [transport, protocol] = await loop.create_connection(
    () => new Recorder(),
    ...address_of(server),
  );
  transport.write(new Uint8Array(size));
  transport.close();
  assertEquals(protocol.log, ["made"]);
  assertEquals(await protocol.lost, null);
  assertEquals(await done, size);
  server.close();
  await server.wait_closed();
});

test_everywhere("BufferedProtocol: data comes in the protocol's buffer", async (place) => {
  const loop = asyncio.get_running_loop();
  const reports = collect_reports();
  class Buffered extends asyncio.BufferedProtocol {
    readonly buffer = new Uint8Array(4);
    readonly parts: string[] = [];
    readonly lost = loop.create_future<unknown>();
    is_empty = false;
    override get_buffer(size_hint: number): Uint8Array {
      assertEquals(size_hint, -1);
      return this.is_empty ? new Uint8Array(0) : this.buffer;
    }
    override buffer_updated(count: number): void {
      this.parts.push(text(this.buffer.subarray(0, count)));
    }
    override connection_lost(error: unknown): void {
      this.lost.set_result(error);
    }
  }
  let peer!: Recorder;
  const server = await loop.create_server(() => peer = new Recorder(true), place.host, place.port);
  const [, protocol] = await loop.create_connection(() => new Buffered(), ...address_of(server));
  while (peer?.transport === undefined) await asyncio.sleep(0.001);
  peer.transport.write("0123456789");
  while (protocol.parts.join("").length < 10) await asyncio.sleep(0.001);
  assertEquals(protocol.parts, ["0123", "4567", "89"]);
  protocol.is_empty = true;
  peer.transport.write("x");
  assertInstanceOf(await protocol.lost, asyncio.RuntimeError);
  assertEquals(reports.map(({ message }) => message), [
    "Fatal error: protocol.get_buffer() call failed.",
  ]);
  server.close();
  server.abort_clients();
  await server.wait_closed();
});

test_everywhere(
  "Protocol: errors of its methods are reported, and end the connection",
  async (place) => {
    const loop = asyncio.get_running_loop();
    const reports = collect_reports();
    class Failing extends Recorder {
      override data_received(): void {
        throw new asyncio.ValueError("data");
      }
    }
    const server = await loop.create_server(() => new Failing(), place.host, place.port);
    const [transport, protocol] = await loop.create_connection(
      () => new Recorder(),
      ...address_of(server),
    );
    transport.write("x");
    await protocol.lost;
    assertEquals(reports.map(({ message, exception }) => [message, String(exception)]), [
      ["Fatal error: protocol.data_received() call failed.", "ValueError: data"],
    ]);
    server.close();
    await server.wait_closed();

    const factories = await loop.create_server(
      () => {
        throw new asyncio.ValueError("factory");
      },
      place.host,
      place.port === 0 ? 0 : 8,
    );
    const [, other] = await loop.create_connection(() => new Recorder(), ...address_of(factories));
    await other.lost;
    assertEquals(String(reports[1]!.exception), "ValueError: factory");
    await assertRejects(
      async () =>
        await loop.create_connection(() => {
          throw new asyncio.ValueError("client");
        }, ...address_of(factories)),
      asyncio.ValueError,
      "client",
    );
    factories.close();
    await factories.wait_closed();
  },
);

Deno.test("Transport: a peer that resets is a ConnectionResetError", () =>
  SOCKETS.run(async () => {
    const loop = asyncio.get_running_loop();
    let peer!: Recorder;
    const server = await loop.create_server(() => peer = new Recorder(true), "127.0.0.1", 0);
    const [transport, protocol] = await loop.create_connection(
      () => new Recorder(),
      ...address_of(server),
    );
    while (peer?.transport === undefined) await asyncio.sleep(0.001);
    // Data that nobody has read makes the end a reset.
    peer.transport.pause_reading();
    transport.write("unread");
    await asyncio.sleep(0.05);
    peer.transport.abort();
    const error = await protocol.lost;
    if (error !== null) assertInstanceOf(error, asyncio.ConnectionResetError);
    server.close();
    await server.wait_closed();
  }));

Deno.test("Transport.write: once the peer of a Unix socket is gone, the loss is a ConnectionError", () =>
  SOCKETS.run(async () => {
    const reports = collect_reports();
    const loop = asyncio.get_running_loop();
    const folder = await asyncio.from_promise(mkdtemp(`${tmpdir()}/asyncio_transports_`));
    const ended = loop.create_future<asyncio.Transport>();
    class Peer extends Recorder {
      override eof_received(): boolean {
        ended.set_result(this.transport);
        return true;
      }
    }
    let peer!: Peer;
    const server = await loop.create_unix_server(() => peer = new Peer(), `${folder}/socket`);
    const [transport] = await loop.create_unix_connection(() => new Recorder(), `${folder}/socket`);
    transport.abort();
    const of_peer = await ended;
    while (!peer.lost.done()) {
      of_peer.write("nobody reads this");
      await asyncio.sleep(0);
    }
    assertInstanceOf(await peer.lost, asyncio.ConnectionError);
    assertEquals(reports, []);
    server.close();
    await server.wait_closed();
    await asyncio.from_promise(rm(folder, { recursive: true }));
  }));

Deno.test("WriteTransport.write: to a Writable that has been ended, it is a BrokenPipeError", () =>
  SOCKETS.run(async () => {
    const reports = collect_reports();
    const loop = asyncio.get_running_loop();
    const pipe = new Writable({ write: (_chunk, _encoding, _callback) => {} });
    const [transport, protocol] = await loop.connect_write_pipe(() => new Recorder(), pipe);
    transport.write("it is never written");
    pipe.end();
    transport.write("too late");
    assertInstanceOf(await protocol.lost, asyncio.BrokenPipeError);
    assertEquals(reports, []);
  }));

Deno.test("create_connection: the next address is tried where one fails", () =>
  SOCKETS.run(async () => {
    const loop = asyncio.get_running_loop();
    const server = await loop.create_server(() => new Recorder(), "127.0.0.1", 0);
    const [, port] = address_of(server);
    for (const options of [{}, { happy_eyeballs_delay: 0.25 }]) {
      const [transport] = await loop.create_connection(
        () => new Recorder(),
        "localhost",
        port,
        options,
      );
      assertEquals(transport.get_extra_info("peername"), ["127.0.0.1", port]);
      transport.close();
    }
    const [local] = await loop.create_connection(() => new Recorder(), "127.0.0.1", port, {
      local_addr: ["127.0.0.2", 0],
    });
    assertEquals((local.get_extra_info("sockname") as [string])[0], "127.0.0.2");
    local.close();
    server.close();
    await server.wait_closed();
    const group = await assertRejects(
      async () =>
        await loop.create_connection(() => new Recorder(), "127.0.0.1", port, { all_errors: true }),
      asyncio.ExceptionGroup,
    );
    assertInstanceOf(group.exceptions[0], asyncio.ConnectionRefusedError);
  }));

Deno.test("getaddrinfo and getnameinfo: Python's tuples as arrays", () =>
  SOCKETS.run(async () => {
    const loop = asyncio.get_running_loop();
    assertEquals(await loop.getaddrinfo("127.0.0.1", 80, { type: 1 }), [
      [2, 1, 6, "", ["127.0.0.1", 80]],
    ]);
    assertEquals(await loop.getaddrinfo("::1", 80, { type: 2 }), [
      [10, 2, 17, "", ["::1", 80, 0, 0]],
    ]);
    assertEquals((await loop.getaddrinfo("127.0.0.1", null)).length, 3);
    assertEquals(await loop.getaddrinfo(null, 80, { type: 1, flags: 1, family: 2 }), [
      [2, 1, 6, "", ["0.0.0.0", 80]],
    ]);
    await assertRejects(
      async () => await loop.getaddrinfo("::1", 80, { family: 2 }),
      asyncio.gaierror,
    );
    assertEquals(await loop.getnameinfo(["127.0.0.1", 80], 3), ["127.0.0.1", "80"]);
    assertEquals((await loop.getnameinfo(["127.0.0.1", 80], 2))[1], "80");
  }));

test_everywhere("Transport: its repr", async (place) => {
  const loop = asyncio.get_running_loop();
  const server = await loop.create_server(() => new Recorder(), place.host, place.port);
  const [transport, protocol] = await loop.create_connection(
    () => new Recorder(),
    ...address_of(server),
  );
  assertEquals(String(transport), "<SocketTransport read=polling write=<idle, bufsize=0>>");
  transport.close();
  assertEquals(String(transport), "<SocketTransport closing read=idle write=<idle, bufsize=0>>");
  await protocol.lost;
  assertEquals(String(transport), "<SocketTransport closed read=idle write=<idle, bufsize=0>>");
  server.close();
  await server.wait_closed();
});
