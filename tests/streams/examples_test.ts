/** The programs of `examples/io`. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { ChatServer } from "../../examples/io/chat_server.ts";
import { ConnectionPool } from "../../examples/io/connection_pool.ts";
import { tcp_echo_client } from "../../examples/io/echo_client.ts";
import { handle_echo } from "../../examples/io/echo_server.ts";
import { HTTPClient } from "../../examples/io/http_client.ts";
import { range, scan } from "../../examples/io/port_scanner.ts";
import { converse } from "../../examples/io/tls_client.ts";
import * as asyncio from "../../mod.ts";
import { AUTHORITY, SERVER_CERTIFICATE, SERVER_KEY } from "./certificates.ts";
import { address_of, test_everywhere, text } from "./places.ts";

async function log_of(main: () => Promise<unknown>): Promise<string[]> {
  const lines: string[] = [];
  const { log } = console;
  console.log = (line: string) => void lines.push(line.replace(/\[.*\]/, "[address]"));
  try {
    await main();
  } finally {
    console.log = log;
  }
  return lines;
}

test_everywhere("examples/io: the echo of Python's documentation", async (place) => {
  const server = await asyncio.start_server(handle_echo, place.host, place.port);
  const lines = await log_of(async () => {
    assertEquals(await tcp_echo_client("Hello World!", ...address_of(server)), "Hello World!");
    server.close();
    await server.wait_closed();
  });
  assertEquals(lines.sort(), [
    "Close the connection",
    "Close the connection",
    "Received 'Hello World!' from [address]",
    "Received: 'Hello World!'",
    "Send: 'Hello World!'",
    "Send: 'Hello World!'",
  ]);
});

test_everywhere("examples/io: the chat server", async (place) => {
  const chat = new ChatServer();
  const [host, port] = await chat.start(place.host, place.port) as [string, number];
  const enter = async () => {
    const [reader, writer] = await asyncio.open_connection(host, port);
    const next = async () => text(await reader.readline()).trimEnd();
    assert((await next()).startsWith("Welcome, guest"));
    return { next, say: (line: string) => writer.write(`${line}\n`), writer };
  };
  const ada = await enter();
  const bob = await enter();
  assertEquals(await ada.next(), "* guest2 has come");
  ada.say("/nick ada");
  assertEquals(await ada.next(), "* guest1 is ada now");
  assertEquals(await bob.next(), "* guest1 is ada now");
  bob.say("/nick ada");
  assertEquals(await bob.next(), "* 'ada' is not free.");
  ada.say("hello");
  assertEquals(await bob.next(), "<ada> hello");
  bob.say("/join kitchen");
  assertEquals(await bob.next(), "* guest2 has come");
  assertEquals(await ada.next(), "* guest2 has gone to kitchen");
  bob.say("/who");
  assertEquals(await bob.next(), "* kitchen: guest2");
  bob.say("/dance");
  assertEquals(await bob.next(), "* There is no command /dance.");
  bob.say("x".repeat(3000));
  assertEquals(await bob.next(), "* That line was too long.");
  assertEquals(await bob.next(), "");
  const eve = await enter();
  assertEquals(await ada.next(), "* guest3 has come");
  eve.say("/quit");
  assertEquals(await ada.next(), "* guest3 has gone");
  const stopping = asyncio.create_task(() => chat.stop());
  assertEquals(await ada.next(), "* The server is being shut down. Goodbye!");
  assertEquals(await ada.next(), "");
  for (const { writer } of [ada, bob, eve]) writer.close();
  await stopping;
});

test_everywhere("examples/io: the chat server waits no longer than its grace", async (place) => {
  const chat = new ChatServer();
  const [host, port] = await chat.start(place.host, place.port) as [string, number];
  // It reads nothing, and does not close.
  const [, writer] = await asyncio.open_connection(host, port, { limit: 1 });
  await asyncio.sleep(0.05);
  await chat.stop(0.1);
  writer.close();
});

test_everywhere("examples/io: the port scanner", async (place) => {
  const servers = await asyncio.gather(
    [0, 1, 2].map((index) =>
      asyncio.start_server((_, writer) => writer.close(), place.host, place.port && 30 + 2 * index)
    ),
  );
  const ports = servers.map((server) => address_of(server)[1]);
  const around = ports.flatMap((port) => [...range(port - 1, port + 1)]);
  const open = await scan(place.host, new Set(around), { concurrency: 4, time_limit: 30 });
  for (const port of ports) assert(open.includes(port));
  if (place.port !== 0) assertEquals(open, [30, 32, 34]);
  for (const server of servers) server.close();
});

test_everywhere("examples/io: the TLS client", async (place) => {
  const server = await asyncio.start_server(
    async (reader, writer) => {
      for await (const line of reader) {
        writer.write(text(line).toUpperCase());
        if (text(line) === "bye\n") break;
      }
      await writer.drain();
      writer.close();
    },
    place.host,
    place.port,
    { ssl: { cert: SERVER_CERTIFICATE, key: SERVER_KEY } },
  );
  const [host, port] = address_of(server);
  const lines: string[] = [];
  const peer = { host, port, ca: AUTHORITY, server_hostname: "localhost" };
  await converse(peer, ["hello\n", "bye\n"], (line) => lines.push(line));
  assertEquals(lines, ["HELLO", "BYE"]);
  server.close();
  await server.wait_closed();
});

/** A server that knows what the client does not make by itself. */
async function serve_http(
  reader: asyncio.StreamReader,
  writer: asyncio.StreamWriter,
): Promise<void> {
  try {
    while (true) {
      const head = text(await reader.readuntil("\r\n\r\n"));
      const length = Number(head.match(/content-length: (\d+)/)?.[1] ?? 0);
      const body = text(await reader.readexactly(length));
      const path = head.split(" ")[1];
      if (path === "/chunks") {
        writer.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
        for (const chunk of ["one ", "two ", "three"]) {
          writer.write(`${chunk.length.toString(16)}\r\n${chunk}\r\n`);
          await writer.drain();
        }
        writer.write("0\r\nTrailer: x\r\n\r\n");
      } else if (path === "/old") {
        writer.write("HTTP/1.0 200 OK\r\nConnection: close\r\n\r\nto the end");
        break;
      } else if (path === "/none") writer.write("HTTP/1.1 204 No Content\r\n\r\n");
      else if (path === "/close") {
        writer.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        break;
      } else {
        const answer = `${head.split(" ")[0]} ${body}`;
        writer.write(
          `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: ${answer.length}\r\n\r\n` +
            (head.startsWith("HEAD") ? "" : answer),
        );
      }
    }
  } catch (error) {
    if (!(error instanceof asyncio.IncompleteReadError)) throw error;
  }
  writer.close();
}

test_everywhere("examples/io: the HTTP client", async (place) => {
  const server = await asyncio.start_server(serve_http, place.host, place.port);
  {
    await using client = new HTTPClient(...address_of(server));
    const get = async (method: string, path: string, body = "") => {
      const answer = await client.request(method, path, {}, body);
      return [answer.status, text(answer.body)];
    };
    assertEquals(await get("POST", "/", "data"), [200, "POST data"]);
    assertEquals(await get("HEAD", "/"), [200, ""]);
    assertEquals(await get("GET", "/chunks"), [200, "one two three"]);
    assertEquals(await get("GET", "/none"), [204, ""]);
    assertEquals(client.connections, 1);
    // Requests of several tasks wait for each other.
    const answers = await asyncio.gather(
      ["a", "b", "c"].map((body) => () => get("PUT", "/", body)),
    );
    assertEquals(answers.map(([, body]) => body), ["PUT a", "PUT b", "PUT c"]);
    assertEquals(client.connections, 1);
    assertEquals(await get("GET", "/old"), [200, "to the end"]);
    assertEquals(await get("GET", "/close"), [200, ""]);
    assertEquals(client.connections, 2);
    await asyncio.sleep(0.05);
    // The server has closed it.
    assertEquals(await get("GET", "/"), [200, "GET "]);
    assertEquals(client.connections, 3);
  }
  server.close();
  await server.wait_closed();
});

Deno.test("examples/io: the HTTP client in less than 150 lines", async () => {
  const source = await Deno.readTextFile(
    new URL("../../examples/io/http_client.ts", import.meta.url),
  );
  assert(source.split("\n").length < 150);
});

test_everywhere("examples/io: the pool of connections", async (place) => {
  let connections = 0;
  const server = await asyncio.start_server(
    async (reader, writer) => {
      connections++;
      for await (const line of reader) {
        if (text(line) === "die\n") break;
        writer.write(line);
      }
      writer.close();
      connections--;
    },
    place.host,
    place.port,
  );
  const ask = (line: string) =>
  async ({ reader, writer }: {
    reader: asyncio.StreamReader;
    writer: asyncio.StreamWriter;
  }) => {
    writer.write(`${line}\n`);
    return text(await reader.readline()).trimEnd();
  };
  {
    await using pool = new ConnectionPool(() => asyncio.open_connection(...address_of(server)), {
      max_size: 3,
      check: async (connection) => await ask("ping")(connection) === "ping",
    });
    const answers = await asyncio.gather(
      Array.from({ length: 20 }, (_, i) => () => pool.use(ask(`${i}`))),
    );
    assertEquals(answers, Array.from({ length: 20 }, (_, i) => `${i}`));
    assertEquals(pool.statistics, { opened: 3, dead: 0 });
    assertEquals(connections, 3);
    // Killed by the server: found when it is to be lent.
    await pool.use(ask("die"));
    assertEquals(await pool.use(ask("alive")), "alive");
    assertEquals(pool.statistics.dead, 1);
    // Given up in the middle of an exchange: it does not come back.
    await assertRejects(
      () =>
        pool.use(async () => {
          await asyncio.sleep(0);
          throw new asyncio.ValueError("broken");
        }),
      asyncio.ValueError,
    );
    // The server sees the end of the other one.
    while (connections > 1) await asyncio.sleep(0.001);
    assertEquals(connections, 1);
  }
  while (connections > 0) await asyncio.sleep(0.001);
  {
    // One that dies while it idles is found by itself.
    await using pool = new ConnectionPool(() => asyncio.open_connection(...address_of(server)), {
      check_interval: 0.2,
    });
    await pool.use(ask("die"));
    while (pool.statistics.dead < 1) await asyncio.sleep(0.01);
    assertEquals(pool.statistics, { opened: 1, dead: 1 });
  }
  server.close();
  await server.wait_closed();
});
