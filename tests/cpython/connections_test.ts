/**
 * CPython's own tests of streams, protocols, transports and servers (`test_streams.py`, `test_protocols.py`,
 * `test_transports.py`, `test_server.py`, `test_buffered_proto.py` and parts of `test_base_events.py` in
 * `Lib/test/test_asyncio`), as far as they make sense here and `tests/streams/` has none like them. The connections are
 * those of a network in memory.
 */

import { assert, assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import * as asyncio from "../../mod.ts";
import { VirtualClockEventLoop, VirtualNetwork } from "../../testing.ts";
import { cancellation_of, record_reports, run_briefly, with_loop } from "./loops.ts";

const { IncompleteReadError, LimitOverrunError, sleep, StreamReader, ValueError } = asyncio;

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

/** Runs a program with a network in memory, and returns what the exception handler was told. */
async function connected(main: () => Promise<void>): Promise<asyncio.ExceptionContext[]> {
  const network = new VirtualNetwork();
  const reports: asyncio.ExceptionContext[] = [];
  await asyncio.run(async () => {
    asyncio.get_running_loop().set_exception_handler((_, report) => reports.push(report));
    await main();
  }, { loop_factory: () => new VirtualClockEventLoop({ network }) });
  return reports;
}

const HOST = "server";
const PORT = 7;

type Handler = (reader: asyncio.StreamReader, writer: asyncio.StreamWriter) => Promise<void>;

/** A server that answers one line, as a web server of HTTP/1.0 does. */
const one_page: Handler = async (reader, writer) => {
  await reader.readuntil("\r\n\r\n");
  writer.write("HTTP/1.0 200 OK\r\n\r\nTest message");
  writer.close();
  await writer.wait_closed();
};

/** Calls `body` with a connection to a server. */
const with_connection = (
  handler: Handler,
  body: (
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    server: asyncio.Server,
  ) => Promise<void>,
) =>
  connected(async () => {
    const server = await asyncio.start_server(handler, HOST, PORT);
    const [reader, writer] = await asyncio.open_connection(HOST, PORT);
    await body(reader, writer, server);
    writer.close();
    server.close();
    await server.wait_closed();
  });

// StreamReader

/** What is left in a reader. */
async function rest_of(reader: asyncio.StreamReader): Promise<string> {
  reader.feed_eof();
  return text(await reader.read());
}

/** Calls `body` with a loop, and a reader that is filled with chunks. */
const with_reader = (
  chunks: readonly string[],
  body: (reader: asyncio.StreamReader, loop: VirtualClockEventLoop) => Promise<void>,
  limit?: number,
) =>
  with_loop(async (loop) => {
    const reader = new StreamReader(limit === undefined ? { loop } : { loop, limit });
    for (const chunk of chunks) reader.feed_data(chunk);
    await loop.run_until_complete(() => body(reader, loop));
  });

Deno.test("StreamReader.read: of nothing, of some bytes, of those that come later, and until the end", () =>
  with_reader(["", "line1", "line2"], async (reader, loop) => {
    assertEquals(text(await reader.read(0)), "");
    assertEquals(text(await reader.read(5)), "line1");
    assertEquals(text(await reader.read(30)), "line2");
    loop.call_soon(() => reader.feed_data("later"));
    assertEquals(text(await reader.read(30)), "later");
    loop.call_soon(() => {
      reader.feed_data("chunk1\n");
      reader.feed_data("chunk2");
      reader.feed_eof();
    });
    assertEquals(text(await reader.read(-1)), "chunk1\nchunk2");
    assertEquals([text(await reader.read(1024)), reader.at_eof()], ["", true]);
  }));

Deno.test("StreamReader.readuntil: an empty separator, and none at all, are refused", () =>
  with_reader([], async (reader) => {
    for (const separator of ["", [""]]) {
      const read = async () => await reader.readuntil(separator);
      await assertRejects(read, ValueError, "Separator should be");
    }
    await assertRejects(async () => await reader.readuntil([]), ValueError, "Separator should");
  }));

const CHUNKS: readonly [chunks: readonly string[], line: string, rest: string][] = [
  [["lineAAA"], "lineAAA", ""],
  [["lineAAAxxx"], "lineAAA", "xxx"],
  [["QWEAA", "XYAA", "A"], "QWEAAXYAAA", ""],
  [["QWEAA", "XYA", "AA"], "QWEAAXYAAA", ""],
  [["AAA"], "AAA", ""],
  [["XXX", "A", "A", "A"], "XXXAAA", ""],
];

for (const [chunks, line, rest] of CHUNKS) {
  Deno.test(`StreamReader.readuntil: finds AAA in ${chunks.join("|")}`, () =>
    with_reader(chunks, async (reader) => {
      assertEquals(text(await reader.readuntil(new TextEncoder().encode("AAA"))), line);
      assertEquals(await rest_of(reader), rest);
    }));
}

Deno.test("StreamReader.readuntil: of several separators the one that ends first", () =>
  with_reader(["line 1\nline 2\rABCDEFG"], async (reader, loop) => {
    assertEquals(text(await reader.readuntil(["\r", "\n"])), "line 1\n");
    assertEquals(text(await reader.readuntil(["\r", "\n"])), "line 2\r");
    assertEquals(text(await reader.readuntil(["DEF", "BCDE"])), "ABCDE");
    // Enough bytes for the short separator, too few for the long one.
    assertEquals(text(await reader.read(2)), "FG");
    reader.feed_data("data");
    const task = asyncio.create_task(reader.readuntil(["A", "long sep"]));
    loop.call_soon(() => reader.feed_data("Z"));
    loop.call_soon(() => reader.feed_data("Aaaa"));
    assertEquals([text(await task), await rest_of(reader)], ["dataZA", "aaa"]);
  }));

Deno.test("StreamReader.readuntil: beyond the limit the error says whether the separator is there", () =>
  with_reader(["some dataAA"], async (reader) => {
    const read = async (separator: string | string[]) => await reader.readuntil(separator);
    const missing = await assertRejects(() => read("AAA"), LimitOverrunError, "not found");
    assertEquals(missing.consumed, 9);
    reader.feed_data("A");
    const found = await assertRejects(() => read("AAA"), LimitOverrunError, "is found");
    assertEquals(found.consumed, 8 + 1);
    await assertRejects(() => read(["A", "ome dataA"]), LimitOverrunError, "is found");
    assertEquals(await rest_of(reader), "some dataAAA");
  }, 3));

Deno.test("StreamReader.readuntil, readexactly: an end before that gives what there was", () =>
  with_reader(["some dataAA"], async (reader) => {
    reader.feed_eof();
    const early = await assertRejects(
      async () => await reader.readuntil("AAA"),
      IncompleteReadError,
      "11 bytes read on a total of undefined expected bytes",
    );
    assertEquals([text(early.partial), early.expected], ["some dataAA", null]);
    const exact = new StreamReader();
    exact.feed_data("line1\nline2\nline3\n");
    exact.feed_eof();
    const error = await assertRejects(
      async () => await exact.readexactly(36),
      IncompleteReadError,
      "18 bytes read on a total of 36 expected bytes",
    );
    assertEquals([text(error.partial).length, error.expected], [18, 36]);
    assertEquals([text(await reader.read()), text(await exact.read())], ["", ""]);
  }));

Deno.test("StreamReader.readexactly: waits for enough, beyond the limit too, and refuses a negative number", () =>
  with_reader([], async (reader, loop) => {
    assertEquals(text(await reader.readexactly(0)), "");
    await assertRejects(async () => await reader.readexactly(-1), ValueError, "less than zero");
    loop.call_soon(() => {
      for (const chunk of ["abcd", "efgh", "ijkl"]) reader.feed_data(chunk);
    });
    assertEquals(text(await reader.readexactly(8)), "abcdefgh");
    assertEquals(await rest_of(reader), "ijkl");
  }, 3));

Deno.test("StreamReader.set_exception: reaches a read that waits, all later ones, and none that was cancelled", () =>
  with_reader(["line\nli"], async (reader) => {
    assertEquals(reader.exception(), null);
    assertEquals(text(await reader.readline()), "line\n");
    assertEquals(text(await reader.readexactly(2)), "li");
    const cancelled = asyncio.create_task(reader.readline());
    await sleep(0);
    cancelled.cancel();
    assertEquals(await cancellation_of(cancelled), []);
    const waits = asyncio.create_task(reader.readline());
    await sleep(0);
    const error = new ValueError("of the stream");
    reader.set_exception(error);
    await asyncio.wait([waits]);
    assertStrictEquals(waits.exception(), error);
    assertStrictEquals(reader.exception(), error);
    for (
      const read of [
        () => reader.readline(),
        () => reader.read(1),
        () => reader.readexactly(2),
        () => reader.readuntil("x"),
      ]
    ) {
      await assertRejects(async () => await read(), ValueError, "of the stream");
    }
    assertEquals(String(reader), "<StreamReader exception=ValueError('of the stream')>");
  }));

Deno.test("StreamReader, StreamReaderProtocol: belong to the running loop, or to the one that is set", () =>
  with_loop(async (loop) => {
    const read = async (reader: asyncio.StreamReader) => {
      const reading = loop.create_task(reader.readline());
      await run_briefly(loop);
      reader.feed_data("line\n");
      return text(await loop.run_until_complete(reading));
    };
    const readers: asyncio.StreamReader[] = [];
    const make = () => {
      const reader = new StreamReader();
      new asyncio.StreamReaderProtocol(reader);
      readers.push(reader);
    };
    await loop.run_until_complete(() => Promise.resolve(make()));
    asyncio.set_event_loop(loop);
    try {
      make();
    } finally {
      asyncio.set_event_loop(null);
    }
    for (const reader of readers) assertEquals(await read(reader), "line\n");
  }));

Deno.test("StreamReader: iteration gives lines, the last without an end", () =>
  with_reader(["line1\nline2\nline3"], async (reader) => {
    reader.feed_eof();
    const lines: string[] = [];
    for await (const line of reader) lines.push(text(line));
    assertEquals(lines, ["line1\n", "line2\n", "line3"]);
  }));

// Protocols and transports

Deno.test("BaseProtocol, Protocol, DatagramProtocol, SubprocessProtocol: every method can be called", () => {
  const transport = {} as asyncio.BaseTransport;
  const bytes = new Uint8Array(1);
  const protocols = [
    new asyncio.BaseProtocol(),
    new asyncio.Protocol(),
    new asyncio.BufferedProtocol(),
    new asyncio.DatagramProtocol(),
    new asyncio.SubprocessProtocol(),
  ];
  for (const protocol of protocols) {
    assertEquals([
      protocol.connection_made(transport),
      protocol.connection_lost(null),
      protocol.pause_writing(),
      protocol.resume_writing(),
    ], [undefined, undefined, undefined, undefined]);
  }
  const protocol = new asyncio.Protocol();
  const datagrams = new asyncio.DatagramProtocol();
  const process = new asyncio.SubprocessProtocol();
  const buffered = new asyncio.BufferedProtocol();
  assertEquals([
    protocol.data_received(bytes),
    protocol.eof_received(),
    buffered.buffer_updated(150),
    buffered.eof_received(),
    datagrams.datagram_received(bytes, ["127.0.0.1", 1]),
    datagrams.error_received(new Error("of the network")),
    process.pipe_data_received(1, bytes),
    process.pipe_connection_lost(1, null),
    process.process_exited(),
  ], Array.from({ length: 9 }, () => undefined));
});

Deno.test("Transport.get_extra_info: what it was made with, and a default", () => {
  class MyTransport extends asyncio.Transport {}
  const transport = new MyTransport({ extra: "info" });
  const other = {};
  assertEquals(transport.get_extra_info("extra"), "info");
  assertEquals([transport.get_extra_info("unknown"), new MyTransport().get_extra_info("extra")], [
    null,
    null,
  ]);
  assertStrictEquals(transport.get_extra_info("unknown", other), other);
});

Deno.test("Transport, DatagramTransport, SubprocessTransport: methods that a subclass must have throw", () => {
  class Stream extends asyncio.Transport {}
  class Datagrams extends asyncio.DatagramTransport {}
  class Process extends asyncio.SubprocessTransport {}
  const [stream, datagrams, process] = [new Stream(), new Datagrams(), new Process()];
  const calls: (() => unknown)[] = [
    () => stream.set_write_buffer_limits(),
    () => stream.get_write_buffer_size(),
    () => stream.write("data"),
    () => stream.write_eof(),
    () => stream.can_write_eof(),
    () => stream.pause_reading(),
    () => stream.resume_reading(),
    () => stream.is_reading(),
    () => stream.close(),
    () => stream.abort(),
    () => datagrams.sendto("data"),
    () => datagrams.abort(),
    () => process.get_pid(),
    () => process.get_returncode(),
    () => process.get_pipe_transport(1),
    () => process.send_signal("SIGTERM"),
    () => process.terminate(),
    () => process.kill(),
  ];
  for (const call of calls) assertThrows(call, asyncio.RuntimeError);
});

Deno.test("Transport.writelines: is one write of all lines", () => {
  const written: string[] = [];
  class MyTransport extends asyncio.Transport {
    override write(data: Uint8Array | string): void {
      written.push(typeof data === "string" ? data : text(data));
    }
  }
  new MyTransport().writelines(["line1", new TextEncoder().encode("line2"), "line3"]);
  assertEquals(written, ["line1line2line3"]);
});

// Connections and servers

Deno.test("StreamWriter.close: after a page was read, with unread bytes, and at once", () => {
  const request = "GET / HTTP/1.0\r\n\r\n";
  return with_connection(one_page, async (reader, writer) => {
    writer.write(request);
    assertEquals(text(await reader.readline()), "HTTP/1.0 200 OK\r\n");
    assertEquals(text(await reader.read()), "\r\nTest message");
    assertEquals(writer.is_closing(), false);
    writer.close();
    assertEquals(writer.is_closing(), true);
    await writer.wait_closed();

    const [unread, second] = await asyncio.open_connection(HOST, PORT);
    second.write(request);
    assertEquals(text(await unread.readline()), "HTTP/1.0 200 OK\r\n");
    second.close();
    await second.wait_closed();

    const [ended, third] = await asyncio.open_connection(HOST, PORT);
    third.close();
    await third.wait_closed();
    assertEquals([ended.at_eof(), text(await ended.read())], [true, ""]);
  }).then((reports) => {
    // The third ends before its request, which the server's handler does not expect.
    assertEquals(reports.map(({ exception }) => (exception as Error).name), [
      "IncompleteReadError",
    ]);
  });
});

Deno.test("StreamWriter.drain: after close() throws a ConnectionResetError", async () => {
  const reports = await with_connection(one_page, async (reader, writer) => {
    writer.write("GET / HTTP/1.0\r\n\r\n");
    await reader.read();
    writer.close();
    await assertRejects(async () => {
      writer.write("data");
      await writer.drain();
    }, asyncio.ConnectionResetError);
  });
  assertEquals(reports, []);
});

Deno.test("StreamWriter.drain: throws when the peer has closed, however often it is called", async () => {
  const closes: Handler = async (_, writer) => {
    writer.close();
    await writer.wait_closed();
  };
  const reports = await with_connection(closes, async (_, writer) => {
    await assertRejects(async () => {
      for (;;) {
        writer.write("foo\n".repeat(1000));
        await writer.drain();
      }
    }, asyncio.ConnectionError);
  });
  assertEquals(reports, []);
});

Deno.test("start_server: an error of a handler is reported, its cancellation is not", async () => {
  const handlers: [Handler, string[]][] = [
    [() => Promise.reject(new Error("test")), ["Unhandled exception in client_connected_cb"]],
    [async (_, writer) => {
      writer.close();
      asyncio.current_task()?.cancel();
      await sleep(0);
    }, []],
  ];
  for (const [handler, messages] of handlers) {
    const reports = await with_connection(handler, async (_, writer) => {
      writer.write("test msg");
      await writer.drain();
      writer.close();
      await writer.wait_closed();
      await sleep(1);
    });
    assertEquals(reports.map(({ message }) => message), messages);
  }
});

Deno.test("start_server: with start_serving: false it serves from serve_forever() on, until that is cancelled", async () => {
  const reports = await connected(async () => {
    const received: number[] = [];
    const server = await asyncio.start_server(
      async (reader, writer) => {
        received.push((await reader.readline()).length);
        main.cancel();
        writer.write("1");
        writer.close();
        await writer.wait_closed();
      },
      HOST,
      PORT,
      { start_serving: false },
    );
    assertEquals(server.is_serving(), false);
    const main = asyncio.create_task(() =>
      asyncio.async_with(server, () => server.serve_forever())
    );
    while (!server.is_serving()) await sleep(0);
    const [reader, writer] = await asyncio.open_connection(HOST, PORT);
    writer.write("1".repeat(5 * 1024) + "\n");
    assertEquals(text(await reader.readexactly(1)), "1");
    writer.close();
    assertEquals(await cancellation_of(main), []);
    assertEquals([received, server.sockets, server.is_serving()], [[5 * 1024 + 1], [], false]);
    await assertRejects(
      async () => await server.serve_forever(),
      asyncio.RuntimeError,
      "is closed",
    );
  });
  assertEquals(reports, []);
});

const reads_all: Handler = async (reader, writer) => {
  try {
    await reader.read();
  } finally {
    writer.close();
    await writer.wait_closed();
  }
};

Deno.test("Server.wait_closed: waits for close() and for the connections, whatever comes first", async () => {
  const reports = await connected(async () => {
    const server = await asyncio.start_server(reads_all, HOST, PORT);
    const waits: asyncio.Task<void>[] = [];
    const wait = async () => {
      waits.push(asyncio.create_task(server.wait_closed()));
      await sleep(0);
      assertEquals(waits.map((task) => task.done()), waits.map(() => false));
    };
    await wait();
    const [, writer] = await asyncio.open_connection(HOST, PORT);
    await wait();
    server.close();
    await wait();
    writer.close();
    await writer.wait_closed();
    await asyncio.gather(waits);
    await server.wait_closed();
    assertEquals(waits.every((task) => task.done()), true);
  });
  assertEquals(reports, []);
});

Deno.test("Server.wait_closed: a connection that ends while the server is closed is waited for", async () => {
  const reports = await connected(async () => {
    const server = await asyncio.start_server(reads_all, HOST, PORT);
    const [, writer] = await asyncio.open_connection(HOST, PORT);
    const loop = asyncio.get_running_loop();
    loop.call_soon(() => server.close());
    loop.call_soon(() => writer.close());
    await server.wait_closed();
    assertEquals(server.is_serving(), false);
  });
  assertEquals(reports, []);
});

for (const end of ["close_clients", "abort_clients"] as const) {
  Deno.test(`Server.${end}: ends the connections, so that wait_closed() returns`, async () => {
    await connected(async () => {
      const server = await asyncio.start_server(
        async (_, writer) => {
          try {
            await writer.wait_closed();
          } catch (error) {
            assert(error instanceof asyncio.ConnectionError);
          }
        },
        HOST,
        PORT,
      );
      const [, writer] = await asyncio.open_connection(HOST, PORT);
      const closed = asyncio.create_task(server.wait_closed());
      await sleep(0);
      server.close();
      await sleep(1);
      assertEquals(closed.done(), false);
      server[end]();
      await asyncio.wait_for(closed, 1);
      writer.close();
    });
  });
}

Deno.test("BufferedProtocol: receives in its own buffer, over a connection of streams", async () => {
  const noise = "12345678+".repeat(1024);
  const reports = await connected(async () => {
    const loop = asyncio.get_running_loop();
    const lost = loop.create_future<unknown>();
    let received = "";
    class Receives extends asyncio.BufferedProtocol {
      readonly #buffer = new Uint8Array(100);
      #transport: asyncio.Transport | null = null;
      override connection_made(transport: asyncio.BaseTransport): void {
        this.#transport = transport as asyncio.Transport;
      }
      override get_buffer(): Uint8Array {
        return this.#buffer;
      }
      override buffer_updated(count: number): void {
        received += text(this.#buffer.subarray(0, count));
        if (received === noise) this.#transport?.write("1");
      }
      override connection_lost(error: unknown): void {
        lost.set_result(error);
      }
    }
    const server = await asyncio.start_server(
      async (reader, writer) => {
        writer.write(noise);
        await reader.readexactly(1);
        writer.close();
        await writer.wait_closed();
      },
      HOST,
      PORT,
    );
    await loop.create_connection(() => new Receives(), HOST, PORT);
    assertEquals([await asyncio.wait_for(lost, 5), received === noise], [null, true]);
    server.close();
    await server.wait_closed();
  });
  assertEquals(reports, []);
});

Deno.test("loop.create_connection, loop.create_server: arguments that exclude each other are refused", () =>
  connected(async () => {
    const loop = asyncio.get_running_loop();
    const make = () => new asyncio.Protocol();
    const refused: Record<string, () => PromiseLike<unknown>> = {
      "host and port was not specified and no sock specified": () => loop.create_connection(make),
      "Neither host/port nor sock were specified": () => loop.create_server(make),
      "ssl_handshake_timeout is only meaningful with ssl": () =>
        loop.create_connection(make, HOST, PORT, { ssl_handshake_timeout: 1 }),
      "ssl_shutdown_timeout is only meaningful with ssl": () =>
        loop.create_connection(make, HOST, PORT, { ssl_shutdown_timeout: 1 }),
      "server_hostname is only meaningful with ssl": () =>
        loop.create_connection(make, HOST, PORT, { server_hostname: "python.org" }),
      "no path and sock were specified": () => loop.create_unix_connection(make),
      "path was not specified, and no sock specified": () => loop.create_unix_server(make),
    };
    for (const [message, call] of Object.entries(refused)) {
      await assertRejects(async () => await call(), ValueError, message);
    }
    for (const option of ["ssl_handshake_timeout", "ssl_shutdown_timeout"]) {
      await assertRejects(
        async () => await loop.create_server(make, HOST, PORT, { [option]: 1 }),
        ValueError,
        `${option} is only meaningful with ssl`,
      );
    }
    await assertRejects(
      async () => await loop.create_connection(make, HOST, PORT, { server_hostname: "" }),
      ValueError,
      "server_hostname is only meaningful with ssl",
    );
  }).then((reports) => assertEquals(reports, [])));

Deno.test("open_connection: the error of a lost connection is thrown by the read, and not reported", async () => {
  const network = new VirtualNetwork();
  await asyncio.run(async () => {
    const reports = record_reports(asyncio.get_running_loop());
    const server = await asyncio.start_server(reads_all, HOST, PORT);
    const [reader, writer] = await asyncio.open_connection(HOST, PORT);
    const protocol = writer.transport.get_protocol() as asyncio.Protocol;
    protocol.connection_lost(new RangeError("of the connection"));
    await assertRejects(async () => await reader.read(), RangeError, "of the connection");
    writer.close();
    server.close();
    await server.wait_closed();
    assertEquals(reports, []);
  }, { loop_factory: () => new VirtualClockEventLoop({ network }) });
});
