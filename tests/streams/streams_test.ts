/** Streams over connections: on sockets and in memory. */

import { assert, assertEquals, assertInstanceOf, assertRejects, assertThrows } from "@std/assert";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import process from "node:process";
import * as asyncio from "../../mod.ts";
import {
  address_of,
  close,
  collect_reports,
  connect,
  MEMORY,
  settled_at,
  SOCKETS,
  test_everywhere,
  text,
} from "./places.ts";

async function echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter): Promise<void> {
  for await (const line of reader) {
    writer.write(line);
    await writer.drain();
  }
  writer.close();
  await writer.wait_closed();
}

test_everywhere("open_connection: lines go there and back", async (place) => {
  const [reader, writer, server] = await connect(place, echo);
  writer.write("hello\n");
  assertEquals(text(await reader.readline()), "hello\n");
  writer.writelines(["one ", new TextEncoder().encode("line\n"), "", "rest"]);
  writer.write_eof();
  assertThrows(() => writer.write("more"), asyncio.RuntimeError, "after write_eof()");
  assertEquals(text(await reader.read()), "one line\nrest");
  assert(reader.at_eof());
  await close(writer, server);
});

test_everywhere("open_connection: addresses are Python's", async (place) => {
  const names = asyncio.get_running_loop().create_future<unknown[]>();
  const [, writer, server] = await connect(place, (_, writer) => {
    names.set_result(
      ["peername", "sockname", "nothing"].map((name) => writer.get_extra_info(name)),
    );
    writer.close();
  });
  const [peername, sockname, nothing] = await names;
  assertEquals(nothing, null);
  assertEquals(sockname, address_of(server));
  assertEquals(peername, writer.get_extra_info("sockname"));
  assertEquals(writer.get_extra_info("peername"), address_of(server));
  assertEquals(writer.get_extra_info("nothing", 7), 7);
  await close(writer, server);
});

test_everywhere("StreamWriter.write: the caller may use its array again", async (place) => {
  const [reader, writer, server] = await connect(place, echo);
  const array = new Uint8Array(6);
  for (let i = 0; i < 5; i++) {
    array.fill(65 + i);
    array[5] = 10;
    writer.write(array);
  }
  writer.write_eof();
  assertEquals(text(await reader.read()), "AAAAA\nBBBBB\nCCCCC\nDDDDD\nEEEEE\n");
  assertThrows(() => writer.write(1 as never), TypeError, "received 1");
  await close(writer, server);
});

test_everywhere(
  "StreamWriter.drain: a peer that does not read slows the writer down",
  async (place) => {
    const may_read = new asyncio.Event();
    const read = asyncio.get_running_loop().create_future<number>();
    const [, writer, server] = await connect(place, async (reader, writer) => {
      await may_read.wait();
      let size = 0;
      while (true) {
        const chunk = await reader.read(2 ** 16);
        if (chunk.length === 0) break;
        size += chunk.length;
      }
      read.set_result(size);
      writer.close();
    });
    const chunk = new Uint8Array(2 ** 16);
    let sent = 0;
    const task = asyncio.create_task(async () => {
      for (; sent < 500; sent++) {
        writer.write(chunk);
        await writer.drain();
      }
      writer.write_eof();
    });
    await asyncio.sleep(0.2);
    assert(sent < 500, `${sent} chunks were sent although nobody reads`);
    may_read.set();
    await task;
    assertEquals(await read, 500 * 2 ** 16);
    await close(writer, server);
  },
);

test_everywhere(
  "StreamReader: a line longer than the limit is an error, and the next one is read",
  async (place) => {
    const server = await asyncio.start_server(
      (_, writer) => {
        writer.write("x".repeat(100) + "\nnext\n");
        writer.close();
      },
      place.host,
      place.port,
    );
    const [reader, writer] = await asyncio.open_connection(...address_of(server), { limit: 50 });
    await assertRejects(
      async () => await reader.readline(),
      asyncio.ValueError,
      "longer than limit",
    );
    assertEquals(text(await reader.readline()), "next\n");
    await close(writer, server);
  },
);

test_everywhere(
  "start_server: a plain function that calls an async one has a task for it",
  async (place) => {
    const names: string[] = [];
    const handle = async (name: string, writer: asyncio.StreamWriter) => {
      names.push(asyncio.current_task()!.get_name() === "" ? "" : name);
      await asyncio.sleep(0);
      writer.write(`${name}\n`);
      writer.close();
    };
    const callbacks: asyncio.ClientConnectedCallback[] = [
      (_, writer) => handle("arrow", writer),
      async (_, writer) => await handle("async", writer),
      function* (_, writer) {
        yield* asyncio.sleep(0);
        writer.write("generator\n");
        writer.close();
      },
      asyncio.coroutine(async (_: asyncio.StreamReader, writer: asyncio.StreamWriter) =>
        await handle("coroutine", writer)
      ),
    ];
    const answers: string[] = [];
    for (const callback of callbacks) {
      const [reader, writer, server] = await connect(place, callback);
      answers.push(text(await reader.readline()));
      await close(writer, server);
    }
    assertEquals(answers, ["arrow\n", "async\n", "generator\n", "coroutine\n"]);
    assertEquals(names, ["arrow", "async", "coroutine"]);
  },
);

test_everywhere(
  "start_server: an error of a handler is reported, and closes the connection",
  async (place) => {
    const reports = collect_reports();
    for (
      const callback of [
        () => {
          throw new asyncio.ValueError("plain");
        },
        async () => {
          await asyncio.sleep(0);
          throw new asyncio.ValueError("async");
        },
      ]
    ) {
      const [reader, writer, server] = await connect(place, callback);
      assertEquals((await reader.read()).length, 0);
      await close(writer, server);
    }
    assertEquals(
      reports.map(({ message }) => message),
      Array(2).fill("Unhandled exception in client_connected_cb"),
    );
    assertEquals(reports.map(({ exception }) => String(exception)), [
      "ValueError: plain",
      "ValueError: async",
    ]);
  },
);

test_everywhere(
  "start_server: a handler that is cancelled closes its connection",
  async (place) => {
    let handler: asyncio.Task<unknown> | null = null;
    const [reader, writer, server] = await connect(place, async (reader) => {
      handler = asyncio.current_task();
      await reader.read();
    });
    await asyncio.sleep(0.05);
    handler!.cancel();
    assertEquals((await reader.read()).length, 0);
    await close(writer, server);
  },
);

test_everywhere(
  "StreamReader[Symbol.asyncIterator]: cancelled, it loses no line",
  async (place) => {
    const go_on = new asyncio.Event();
    const [reader, writer, server] = await connect(place, async (_, writer) => {
      writer.write("1\n2\n3");
      await go_on.wait();
      writer.write("\n4\n");
      writer.close();
    });
    const seen: string[] = [];
    const take_lines = async () => {
      for await (const line of reader) seen.push(text(line));
    };
    const task = asyncio.create_task(take_lines);
    await asyncio.sleep(0.05);
    task.cancel();
    await assertRejects(async () => await task, asyncio.CancelledError);
    assertEquals(seen, ["1\n", "2\n"]);
    go_on.set();
    await take_lines();
    assertEquals(seen, ["1\n", "2\n", "3\n", "4\n"]);
    await close(writer, server);
  },
);

test_everywhere("Server: close, close_clients and wait_closed", async (place) => {
  const [reader, writer, server] = await connect(place, async (reader, writer) => {
    await reader.read();
    writer.close();
  });
  const address = address_of(server);
  await asyncio.sleep(0.05);
  const waiting = asyncio.create_task(server.wait_closed());
  server.close();
  server.close();
  assertEquals(server.is_serving(), false);
  assertEquals(server.sockets, []);
  await assertRejects(
    async () => await asyncio.open_connection(...address),
    asyncio.ConnectionRefusedError,
    "Connect call failed",
  );
  assertEquals(waiting.done(), false);
  server.close_clients();
  await waiting;
  assertEquals((await reader.read()).length, 0);
  await close(writer);
  await assertRejects(async () => await server.serve_forever(), asyncio.RuntimeError, "is closed");
});

test_everywhere("Server.serve_forever: cancelled, it closes the server", async (place) => {
  const server = await asyncio.start_server(echo, place.host, place.port);
  const task = asyncio.create_task(server.serve_forever());
  await asyncio.sleep(0);
  await assertRejects(async () => await server.serve_forever(), asyncio.RuntimeError, "already");
  const [reader, writer] = await asyncio.open_connection(...address_of(server));
  writer.write("hello\n");
  assertEquals(text(await reader.readline()), "hello\n");
  await close(writer);
  task.cancel();
  await assertRejects(async () => await task, asyncio.CancelledError);
  assertEquals(server.is_serving(), false);
});

test_everywhere("Server: with start_serving: false connections are held back", async (place) => {
  const accepted: number[] = [];
  const server = await asyncio.start_server(
    (_, writer) => {
      accepted.push(1);
      writer.write("late\n");
      writer.close();
    },
    place.host,
    place.port,
    { start_serving: false },
  );
  assertEquals(server.is_serving(), false);
  const [reader, writer] = await asyncio.open_connection(...address_of(server));
  await asyncio.sleep(0.05);
  assertEquals(accepted, []);
  await server.start_serving();
  assertEquals(text(await reader.readline()), "late\n");
  await close(writer, server);
});

test_everywhere("Server: async_with and await using close it", async (place) => {
  const server = await asyncio.start_server(echo, place.host, place.port);
  await asyncio.async_with(server, async (entered) => {
    assert(entered === server);
    await asyncio.sleep(0);
  });
  assertEquals(server.is_serving(), false);
  let other: asyncio.Server;
  {
    await using used = await asyncio.start_server(echo, place.host, place.port);
    other = used;
  }
  assertEquals(other.is_serving(), false);
});

test_everywhere(
  "StreamWriter: after the peer has gone, drain and wait_closed throw its error",
  async (place) => {
    const [reader, writer, server] = await connect(place, async (_, writer) => {
      await asyncio.sleep(0.01);
      writer.transport.abort();
    });
    const failed = await assertRejects(async () => {
      while (true) {
        writer.write(new Uint8Array(2 ** 16));
        await writer.drain();
        await asyncio.sleep(0.001);
      }
    }, asyncio.ConnectionError);
    assertInstanceOf(failed, asyncio.OSError);
    assert(writer.is_closing());
    await reader.read().catch(() => {});
    await writer.wait_closed().catch(() => {});
    await close(server);
  },
);

test_everywhere(
  "StreamWriter.wait_closed: cancelled, it can be waited for again",
  async (place) => {
    const [, writer, server] = await connect(place, echo);
    const task = asyncio.create_task(writer.wait_closed());
    await asyncio.sleep(0);
    task.cancel();
    await assertRejects(async () => await task, asyncio.CancelledError);
    await close(writer, server);
  },
);

test_everywhere("StreamWriter: await using closes the connection", async (place) => {
  const server = await asyncio.start_server(echo, place.host, place.port);
  let kept: asyncio.StreamWriter;
  {
    const [reader, opened] = await asyncio.open_connection(...address_of(server));
    await using writer = opened;
    kept = writer;
    writer.write("hello\n");
    assertEquals(text(await reader.readline()), "hello\n");
  }
  assert(kept.is_closing());
  await close(server);
});

test_everywhere("open_connection: 100 at once, a byte at a time", async (place) => {
  const server = await asyncio.start_server(echo, place.host, place.port);
  const client = async (index: number): Promise<string> => {
    const [reader, writer] = await asyncio.open_connection(...address_of(server));
    for (const character of `line ${index}\n`) {
      writer.write(character);
      await asyncio.sleep(0);
    }
    const line = text(await reader.readline());
    await close(writer);
    return line;
  };
  const lines = await asyncio.gather(Array.from({ length: 100 }, (_, i) => () => client(i)));
  assertEquals(lines, Array.from({ length: 100 }, (_, i) => `line ${i}\n`));
  await close(server);
});

test_everywhere("open_connection: a cancelled one leaves no connection", async (place) => {
  let connections = 0;
  const server = await asyncio.start_server(
    async (reader, writer) => {
      connections++;
      await reader.read();
      connections--;
      writer.close();
    },
    place.host,
    place.port,
  );
  for (let turns = 0; turns < 12; turns++) {
    const task = asyncio.create_task(asyncio.open_connection(...address_of(server)));
    for (let i = 0; i < turns; i++) await asyncio.sleep(turns % 2 === 0 ? 0 : 0.002);
    task.cancel();
    const [outcome] = await asyncio.gather(task, { return_exceptions: true });
    if (Array.isArray(outcome)) await close(outcome[1]);
  }
  await asyncio.sleep(0.1);
  assertEquals(connections, 0);
  await close(server);
});

Deno.test("start_server: mistakes are named", () =>
  SOCKETS.run(async () => {
    assertThrows(() => asyncio.start_server(1 as never), TypeError, "received 1");
    await assertRejects(
      async () => await asyncio.start_server(echo, "127.0.0.1", 0, { sll: {} } as never),
      TypeError,
      "unexpected option 'sll'",
    );
    await assertRejects(
      async () => await asyncio.start_server(echo, "127.0.0.1", 0, { ssl: true as never }),
      TypeError,
      "received true",
    );
    await assertRejects(async () => await asyncio.start_server(echo), asyncio.ValueError);
    await assertRejects(async () => await asyncio.open_connection(), asyncio.ValueError);
    await assertRejects(
      async () => await asyncio.open_connection("127.0.0.1", 70_000),
      asyncio.ValueError,
      "received 70000",
    );
    await assertRejects(
      async () => await asyncio.open_connection("127.0.0.1", 1, { server_hostname: "x" }),
      asyncio.ValueError,
      "server_hostname is only meaningful with ssl",
    );
    const error = await assertRejects(
      async () => await asyncio.open_connection("no.such.host.invalid", 1),
      asyncio.gaierror,
    );
    assertEquals(error.errno, -2);
    const server = await asyncio.start_server(echo, "127.0.0.1", 0);
    const in_use = await assertRejects(
      async () => await asyncio.start_server(echo, ...address_of(server)),
      asyncio.OSError,
      "error while attempting to bind on address ('127.0.0.1', ",
    );
    assertEquals([in_use.errno, in_use.code], [98, "EADDRINUSE"]);
    await assertRejects(
      async () => await asyncio.start_server(echo, "203.0.113.1", 0),
      asyncio.OSError,
      "could not bind on any address out of [('203.0.113.1', 0)]",
    );
    await close(server);
  }));

Deno.test("StreamWriter.writelines: what cannot be iterated is refused, and nothing is sent of it", () =>
  MEMORY.run(async () => {
    const [reader, writer, server] = await connect(MEMORY, async (reader, writer) => {
      writer.write(await reader.read());
      await close(writer);
    });
    async function* later() {
      yield "later";
    }
    for (const wrong of [5, {}, null, undefined, later(), reader]) {
      assertThrows(() => writer.writelines(wrong as never), TypeError, "an iterable of Uint8Array");
    }
    assertThrows(() => writer.writelines(["sent?", 5] as never), TypeError, "received 5");
    writer.writelines(new Set(["a", "b"]));
    writer.writelines([]);
    writer.write_eof();
    assertEquals(text(await reader.read()), "ab");
    await close(writer, server);
  }));

Deno.test("call_later: methods of streams, servers and processes without their object are refused at once", async () => {
  await asyncio.run(async () => {
    const loop = asyncio.get_running_loop();
    const server = await asyncio.start_server((_, writer) => writer.close(), "127.0.0.1", 0);
    const [, writer] = await asyncio.open_connection(
      ...server.sockets[0]!.getsockname() as [string, number],
    );
    const child = await asyncio.create_subprocess_exec(process.execPath, "--version", {
      stdout: asyncio.subprocess.DEVNULL,
    });
    const methods: [owner: object, name: string][] = [
      [server, "close"],
      [writer, "close"],
      [writer.transport, "abort"],
      [child, "kill"],
    ];
    for (const [owner, name] of methods) {
      const method = (owner as Record<string, () => void>)[name]!;
      assertThrows(() => loop.call_later(0, method), TypeError, `write () => x.${name}()`);
    }
    await child.wait();
    writer.close();
    await writer.wait_closed();
    server.close();
    await server.wait_closed();
  });
});

Deno.test("open_connection, start_server, getaddrinfo: errors are the same on every host", () =>
  SOCKETS.run(async () => {
    const { open_connection, open_unix_connection, start_unix_server } = asyncio;
    const loop = asyncio.get_running_loop();
    const folder = await asyncio.from_promise(mkdtemp(`${tmpdir()}/asyncio_errors_`));
    await asyncio.from_promise(writeFile(`${folder}/file`, ""));
    const server = await asyncio.start_server(echo, "127.0.0.1", 0);
    const [host, port] = address_of(server);
    const UNKNOWN = "gaierror: [Errno -2] Name or service not known";
    const NO_FAMILY = "gaierror: [Errno -6] ai_family not supported";
    const INVALID = "OSError: [Errno 22] Invalid argument";
    const TOO_LONG = "OSError: AF_UNIX path too long";
    const NOTHING = "FileNotFoundError: [Errno 2] No such file or directory";
    const NUL = "ValueError: embedded null byte";
    const bind = "error while attempting to bind on address";
    const long = `${folder}/${"a".repeat(200)}`;
    for (
      const [call, expected] of [
        [() => open_connection("", port), UNKNOWN],
        [() => open_connection("a\0b", port), "ValueError: embedded null character"],
        [() => open_connection(host, port, { family: 6 }), NO_FAMILY],
        [() => asyncio.start_server(echo, host, 0, { family: 4 }), NO_FAMILY],
        [() => loop.getaddrinfo("localhost", 80, { family: 99 }), NO_FAMILY],
        [() => loop.getnameinfo(["localhost", 80]), UNKNOWN],
        [
          () => loop.getnameinfo(["127.0.0.1"] as never),
          "TypeError: Cannot look up an address: expected [host, port]: received ['127.0.0.1']",
        ],
        [
          () => open_connection(host, port, { local_addr: [host, port] }),
          `OSError: [Errno 98] ${bind} ('${host}', ${port}): address already in use`,
        ],
        [() => open_unix_connection(""), INVALID],
        [() => start_unix_server(echo, ""), INVALID],
        [() => open_unix_connection(long), TOO_LONG],
        [() => start_unix_server(echo, long), TOO_LONG],
        [() => open_unix_connection(`${folder}/a\0b`), NUL],
        [() => start_unix_server(echo, `${folder}/a\0b`), NUL],
        [() => open_unix_connection(`${folder}/none`), NOTHING],
        [() => start_unix_server(echo, `${folder}/none/socket`), NOTHING],
        [
          () =>
            loop.create_datagram_endpoint(() => new asyncio.DatagramProtocol(), {
              remote_addr: [host, 0],
            }),
          INVALID,
        ],
      ] as [call: () => Promise<unknown>, expected: string][]
    ) {
      const error = await assertRejects(async () => await call());
      assertEquals(String(error), expected);
    }
    await close(server);
    await asyncio.from_promise(rm(folder, { recursive: true }));
  }));

Deno.test("start_unix_server: a path, and what is left there", () =>
  SOCKETS.run(async () => {
    const folder = await mkdtemp(`${tmpdir()}/streams_`);
    const path = `${folder}/socket`;
    const server = await asyncio.start_unix_server(echo, path);
    assertEquals(server.sockets[0]!.getsockname(), path);
    const [reader, writer] = await asyncio.open_unix_connection(path);
    assertEquals(writer.get_extra_info("peername"), path);
    writer.write("hello\n");
    assertEquals(text(await reader.readline()), "hello\n");
    await close(writer);
    // As CPython: a socket that is there is replaced.
    const second = await asyncio.start_unix_server(echo, path);
    await close(server, second);
    await assertRejects(
      async () => await asyncio.open_unix_connection(path),
      asyncio.FileNotFoundError,
    );
    await writeFile(path, "no socket");
    await assertRejects(
      async () => await asyncio.start_unix_server(echo, path),
      asyncio.OSError,
      `Address '${path}' is already in use`,
    );
    await rm(folder, { recursive: true });
  }));

Deno.test("run: what is left open ends with it", async () => {
  let port = 0;
  await SOCKETS.run(async () => {
    const [reader, writer, server] = await connect(SOCKETS, echo);
    [, port] = address_of(server);
    writer.write("hello\n");
    await reader.readline();
  });
  await SOCKETS.run(async () => {
    await assertRejects(
      async () => await asyncio.open_connection("127.0.0.1", port),
      asyncio.ConnectionRefusedError,
    );
  });
});

Deno.test("run: what was written before its end arrives", async () => {
  const { createServer } = await import("node:net");
  let size = 0;
  const peer = createServer();
  const received = new Promise<number>((resolve, reject) => {
    peer.on("connection", (socket) => {
      socket.on("data", (data: Uint8Array) => size += data.length);
      socket.on("end", () => resolve(size));
      socket.on("error", reject);
    });
  });
  await new Promise<void>((resolve) => peer.listen(0, "127.0.0.1", resolve));
  const { port } = peer.address() as { port: number };
  await SOCKETS.run(async () => {
    const [, writer] = await asyncio.open_connection("127.0.0.1", port);
    writer.write(new Uint8Array(50_000));
  });
  assertEquals(await received, 50_000);
  peer.close();
});

Deno.test("run: handlers of connections that are left open clean up", async () => {
  let cleaned = 0;
  await SOCKETS.run(async () => {
    const server = await asyncio.start_server(
      async (reader, writer) => {
        try {
          await reader.read();
        } finally {
          cleaned++;
          writer.close();
        }
      },
      "127.0.0.1",
      0,
    );
    for (let i = 0; i < 3; i++) await asyncio.open_connection(...address_of(server));
    await asyncio.sleep(0.05);
  });
  assertEquals(cleaned, 3);
});

Deno.test("open_connection: 1,000 at once, and no descriptor is left", () =>
  SOCKETS.run(async () => {
    for (let round = 0; round < 3; round++) {
      const server = await asyncio.start_server(echo, "127.0.0.1", 0, { backlog: 1000 });
      const [, port] = address_of(server);
      const lines = await asyncio.gather(Array.from({ length: 1000 }, (_, i) => async () => {
        const [reader, writer] = await asyncio.open_connection(...address_of(server));
        if (i % 3 === 0) {
          writer.transport.abort();
          return "";
        }
        writer.write(`${i}\n`);
        const line = text(await reader.readline());
        await close(writer);
        return line;
      }));
      assertEquals(lines, Array.from({ length: 1000 }, (_, i) => i % 3 === 0 ? "" : `${i}\n`));
      await close(server);
      await settled_at(port, 0);
    }
  }));

Deno.test("open_connection: a host without sockets is named", async () => {
  const descriptor = Object.getOwnPropertyDescriptor(globalThis, "process")!;
  Object.defineProperty(globalThis, "process", { value: undefined, configurable: true });
  try {
    await SOCKETS.run(async () => {
      for (
        const work of [
          () => asyncio.open_connection("127.0.0.1", 1),
          () => asyncio.start_server(echo, "127.0.0.1", 0),
          () => asyncio.open_unix_connection("/socket"),
          () => asyncio.start_unix_server(echo, "/socket"),
        ]
      ) {
        await assertRejects(
          async () => await work(),
          asyncio.RuntimeError,
          "this host has no sockets",
        );
      }
    });
  } finally {
    Object.defineProperty(globalThis, "process", descriptor);
  }
});

Deno.test("open_connection: on the loop of code outside of run()", async () => {
  const server = await asyncio.start_server(echo, "127.0.0.1", 0);
  const [reader, writer] = await asyncio.open_connection(...address_of(server));
  writer.write("hello\n");
  assertEquals(text(await reader.readline()), "hello\n");
  await close(writer, server);
});

test_everywhere(
  "start_server: handlers have the context variables of the call that began to listen",
  async (place) => {
    const variable = new asyncio.ContextVar<string>("place");
    variable.set("server");
    const seen: string[] = [];
    const server = await asyncio.start_server(
      async (reader, writer) => {
        seen.push(variable.get());
        variable.set("handler");
        await reader.read();
        writer.close();
      },
      place.host,
      place.port,
    );
    variable.set("client");
    for (let i = 0; i < 2; i++) {
      const [reader, writer] = await asyncio.open_connection(...address_of(server));
      writer.write_eof();
      await reader.read();
      await close(writer);
    }
    assertEquals(seen, ["server", "server"]);
    assertEquals(variable.get(), "client");
    await close(server);
  },
);
