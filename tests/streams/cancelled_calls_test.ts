/**
 * Calls of the host that are cancelled at any moment, on sockets, pipes and processes of this machine: each leaves
 * nothing open.
 */

import { assert, assertEquals } from "@std/assert";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { PassThrough } from "node:stream";
import * as asyncio from "../../mod.ts";
import { AUTHORITY, SERVER_CERTIFICATE, SERVER_KEY } from "./certificates.ts";
import { address_of, settled_at, SOCKETS } from "./places.ts";

// After so many turns of the host in vain, a call is taken to hang.
const MOST_TURNS = 100_000;

/** A turn of the host, in which it may finish a call. */
function host_turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Calls a function again and again, cancelled a turn later each time, until it has ended before. */
async function cancel_at_each_turn<T>(
  call: () => PromiseLike<T>,
  close: (result: T) => unknown,
  after_cancellation: () => unknown = () => {},
): Promise<void> {
  for (let turns = 0; turns < MOST_TURNS; turns += turns < 8 ? 1 : turns >> 2) {
    const task = asyncio.create_task(async () => await call());
    for (let i = 0; i < turns && !task.done(); i++) {
      await (i < 4 ? asyncio.sleep(0) : asyncio.from_promise(host_turn()));
    }
    const has_ended = task.done();
    task.cancel();
    await asyncio.wait([task]);
    if (!task.cancelled()) await close(task.result());
    else await after_cancellation();
    if (has_ended) return;
  }
  throw new Error("it has not ended");
}

Deno.test("open_connection, create_connection: cancelled in any turn of the host, no socket is left", () =>
  SOCKETS.run(async () => {
    await using server = await asyncio.start_server(
      async (reader, writer) => {
        await reader.read();
        writer.close();
      },
      "127.0.0.1",
      0,
    );
    const address = address_of(server);
    const close = async ([, writer]: [unknown, asyncio.StreamWriter]) => {
      writer.close();
      await writer.wait_closed();
    };
    await cancel_at_each_turn(() => asyncio.open_connection(...address), close);
    await cancel_at_each_turn(() => asyncio.open_connection("localhost", address[1]), close);
    const loop = asyncio.get_running_loop();
    await cancel_at_each_turn(
      () => loop.create_connection(() => new asyncio.Protocol(), ...address),
      ([transport]) => transport.close(),
    );
    await settled_at(address[1], 1);
  }));

Deno.test("open_connection: cancelled in any turn of a TLS handshake, no socket is left", () =>
  SOCKETS.run(async () => {
    asyncio.get_running_loop().set_exception_handler(() => {}); // of handshakes that the client has given up
    await using server = await asyncio.start_server(
      async (reader, writer) => {
        await reader.read();
        writer.close();
      },
      "127.0.0.1",
      0,
      { ssl: { cert: SERVER_CERTIFICATE, key: SERVER_KEY } },
    );
    const address = address_of(server);
    await cancel_at_each_turn(
      () =>
        asyncio.open_connection(...address, {
          ssl: { ca: AUTHORITY },
          server_hostname: "localhost",
        }),
      async ([, writer]) => {
        writer.close();
        await writer.wait_closed();
      },
    );
    await settled_at(address[1], 1);
  }));

Deno.test("start_server: cancelled in any turn of the host, it listens nowhere", () =>
  SOCKETS.run(async () => {
    const free = await asyncio.start_server(() => {}, "127.0.0.1", 0);
    const [host, port] = address_of(free);
    free.close();
    await free.wait_closed();
    const start = () => asyncio.start_server(() => {}, host, port);
    await cancel_at_each_turn(start, async (server) => {
      server.close();
      await server.wait_closed();
    }, () => settled_at(port, 0));
    // Nothing else listens there.
    const server = await start();
    server.close();
  }));

Deno.test("start_server: a connection whose task is cancelled before it begins is closed", () =>
  SOCKETS.run(async () => {
    await using server = await asyncio.start_server(() => {}, "127.0.0.1", 0);
    asyncio.get_running_loop().set_task_factory((loop, coro, options) => {
      const task = new asyncio.Task(coro, { ...options, loop });
      if (String(task).includes("_accept_connection")) task.cancel();
      return task;
    });
    const [reader, writer] = await asyncio.open_connection(...address_of(server));
    // A socket that is left open has no end.
    assertEquals(await reader.read(), new Uint8Array());
    writer.close();
    await settled_at(address_of(server)[1], 1);
  }));

Deno.test("start_unix_server, open_unix_connection: cancelled in any turn, no socket is left", () =>
  SOCKETS.run(async () => {
    const folder = await asyncio.from_promise(mkdtemp(`${tmpdir()}/asyncio_`));
    try {
      const path = `${folder}/socket`;
      await cancel_at_each_turn(
        () => asyncio.start_unix_server(() => {}, path),
        async (server) => {
          server.close();
          await server.wait_closed();
        },
      );
      while (existsSync(path)) await asyncio.sleep(0.001);
      let open = 0;
      await using _server = await asyncio.start_unix_server(async (reader, writer) => {
        open++;
        await reader.read().then(() => open--);
        writer.close();
      }, path);
      await cancel_at_each_turn(
        () => asyncio.open_unix_connection(path),
        ([, writer]) => writer.close(),
      );
      // The server sees the end of all.
      while (open > 0) await asyncio.sleep(0.001);
    } finally {
      await asyncio.from_promise(rm(folder, { recursive: true }));
    }
  }));

Deno.test("create_datagram_endpoint: cancelled in any turn of the host, the address is free", () =>
  SOCKETS.run(async () => {
    const loop = asyncio.get_running_loop();
    const make = (port: number) =>
      loop.create_datagram_endpoint(() => new asyncio.DatagramProtocol(), {
        local_addr: ["127.0.0.1", port],
      });
    const [first] = await make(0);
    const [, port] = first.get_extra_info("sockname") as [string, number];
    first.close();
    // The host closes a socket in a later turn; one that was lost would stay.
    const make_once_free = async () => {
      while (true) {
        try {
          return await make(port);
        } catch (error) {
          if (!(error instanceof asyncio.OSError) || error.code !== "EADDRINUSE") throw error;
          await asyncio.sleep(0.001);
        }
      }
    };
    await cancel_at_each_turn(make_once_free, ([transport]) => transport.close());
    const [last] = await asyncio.wait_for(make_once_free(), 30);
    last.close();
  }));

Deno.test("connect_read_pipe, connect_write_pipe: cancelled in any turn, the stream is closed", () =>
  SOCKETS.run(async () => {
    const loop = asyncio.get_running_loop();
    type Connect = (
      factory: () => asyncio.Protocol,
      pipe: PassThrough,
    ) => Promise<asyncio.BaseTransport>;
    const calls: Connect[] = [
      async (factory, pipe) => (await loop.connect_read_pipe(factory, pipe))[0],
      async (factory, pipe) => (await loop.connect_write_pipe(factory, pipe))[0],
    ];
    for (const call of calls) {
      let pipe: PassThrough | null = null;
      await cancel_at_each_turn(
        () => {
          const given = new PassThrough();
          pipe = null;
          return call(() => {
            pipe = given; // the call has begun
            return new asyncio.Protocol();
          }, given);
        },
        (transport) => transport.close(),
        async () => {
          for (let i = 0; i < 10; i++) await asyncio.sleep(0);
          assert(pipe === null || pipe.destroyed || pipe.writableEnded);
        },
      );
    }
  }));

Deno.test("getaddrinfo, getnameinfo: cancelled in any turn, the host's answer goes nowhere", () =>
  SOCKETS.run(async () => {
    const loop = asyncio.get_running_loop();
    await cancel_at_each_turn(() => loop.getaddrinfo("localhost", 80), (addresses) => {
      assert(addresses.length > 0);
    });
    await cancel_at_each_turn(() => loop.getnameinfo(["127.0.0.1", 80], 3), (names) => {
      assertEquals(names, ["127.0.0.1", "80"]);
    });
  }));

Deno.test("subprocess_exec, create_subprocess_shell: cancelled in any turn, no process is left", () =>
  SOCKETS.run(async () => {
    const loop = asyncio.get_running_loop();
    let lost = 0;
    let made = 0;
    class Counted extends asyncio.SubprocessProtocol {
      override connection_made(): void {
        made++;
      }
      override connection_lost(): void {
        lost++;
      }
    }
    await cancel_at_each_turn(
      () => loop.subprocess_exec(() => new Counted(), "sleep", "60"),
      ([transport]) => transport.kill(),
    );
    while (lost < made) await asyncio.sleep(0.001);
    assert(made > 0);
    await cancel_at_each_turn(
      () => asyncio.create_subprocess_shell("exec sleep 60"),
      async (process) => {
        process.kill();
        assertEquals(await process.wait(), -9);
      },
    );
  }));
