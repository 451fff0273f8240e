/** Parameters of streams and connections that are given by name, and the types of addresses. */

import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import * as asyncio from "../../mod.ts";
import { address_of, close, SOCKETS, test_everywhere, text } from "./places.ts";

async function echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter): Promise<void> {
  writer.write(await reader.read());
  writer.close();
  await writer.wait_closed();
}

async function echoed(
  [reader, writer]: [asyncio.StreamReader, asyncio.StreamWriter],
): Promise<string> {
  writer.write("said");
  writer.write_eof();
  const answer = await reader.read();
  await close(writer);
  return text(answer);
}

test_everywhere("start_server, open_connection: host and port by name", async (place) => {
  const where = { host: place.host, port: place.port };
  for (
    const starting of [
      asyncio.start_server(echo, { ...where, limit: 100 }),
      asyncio.start_server(echo, place.host, { port: place.port, limit: 100 }),
    ]
  ) {
    const server = await starting;
    const [host, port] = address_of(server);
    assertEquals(await echoed(await asyncio.open_connection({ host, port, limit: 3 })), "said");
    assertEquals(await echoed(await asyncio.open_connection(host, { port })), "said");
    await close(server);
  }
});

test_everywhere("create_server, create_connection: host and port by name", async (place) => {
  class Greeting extends asyncio.Protocol {
    override connection_made(transport: asyncio.Transport): void {
      transport.write("hello");
      transport.close();
    }
  }
  class Reading extends asyncio.Protocol {
    readonly ended: asyncio.Future<string> = new asyncio.Future();
    #text = "";
    override data_received(data: Uint8Array): void {
      this.#text += text(data);
    }
    override connection_lost(): void {
      this.ended.set_result(this.#text);
    }
  }
  const loop = asyncio.get_running_loop();
  const where = { host: [place.host], port: place.port, backlog: 5 };
  const server = await loop.create_server(() => new Greeting(), where) as asyncio.Server;
  const [host, port] = address_of(server);
  const [, named] = await loop.create_connection(() => new Reading(), { host, port, ssl: null });
  assertEquals(await named.ended, "hello");
  const [, mixed] = await loop.create_connection(() => new Reading(), host, { port });
  assertEquals(await mixed.ended, "hello");
  await close(server);
});

test_everywhere("open_connection, start_server: an unknown name is refused", async (place) => {
  const { host } = place;
  await assertRejects(
    async () => await asyncio.open_connection({ host, ports: 1 } as never),
    TypeError,
    "create_connection() got an unexpected option 'ports'",
  );
  await assertRejects(
    async () => await asyncio.start_server(echo, host, { prot: 1 } as never),
    TypeError,
    "create_server() got an unexpected option 'prot'",
  );
});

test_everywhere("Server.sockets: an address has a port by its type", async (place) => {
  const server = await asyncio.start_server(echo, place.host, place.port);
  const [host, port] = server.sockets[0]!.getsockname();
  // It would not compile if the address might be a path.
  const connection = await asyncio.open_connection(host, port);
  assertEquals(await echoed(connection), "said");
  const any_server: asyncio.Server = server;
  assertEquals(any_server.sockets[0]?.getsockname(), [host, port]);
  await close(any_server);
});

Deno.test("start_unix_server, open_unix_connection: the path by name", () =>
  SOCKETS.run(async () => {
    const folder = await asyncio.from_promise(mkdtemp(`${tmpdir()}/named_`));
    try {
      const path = `${folder}/socket`;
      const server = await asyncio.start_unix_server(echo, { path, limit: 100 });
      const listens_at: string | undefined = server.sockets[0]?.getsockname();
      assertEquals(listens_at, path);
      const connection = await asyncio.open_unix_connection({ path, limit: 100 });
      assertEquals(await echoed(connection), "said");
      const loop = asyncio.get_running_loop();
      const [transport] = await loop.create_unix_connection(() => new asyncio.Protocol(), { path });
      transport.close();
      await close(server);
      const second = await loop.create_unix_server(() => new asyncio.Protocol(), { path });
      second.close();
      await second.wait_closed();
    } finally {
      await rm(folder, { recursive: true });
    }
  }));

Deno.test("StreamReader.read, readexactly, readuntil: n and separator by name", () =>
  SOCKETS.run(async () => {
    const reader = new asyncio.StreamReader();
    reader.feed_data("one;two|three, four");
    assertEquals(text(await reader.readuntil({ separator: ";" })), "one;");
    assertEquals(text(await reader.readuntil({ separator: [";", "|"] })), "two|");
    assertEquals(text(await reader.readexactly({ n: 5 })), "three");
    assertEquals(text(await reader.read({ n: 2 })), ", ");
    reader.feed_data("\n5");
    assertEquals(text(await reader.readuntil({})), "four\n");
    reader.feed_eof();
    assertEquals(text(await reader.read({ n: -1 })), "5");
    assertThrows(() => reader.read({ m: 1 } as never), TypeError, "read() got an unexpected");
    assertThrows(
      () => reader.readuntil({ sep: ";" } as never),
      TypeError,
      "unexpected option 'sep'",
    );
    assertThrows(() => reader.readexactly({ m: 1 } as never), TypeError, "unexpected option 'm'");
  }));
