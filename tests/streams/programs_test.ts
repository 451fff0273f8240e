/** Public network programs: each client with the other language's server. */

import { spawnSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { assertEquals } from "@std/assert";
import * as asyncio from "../../mod.ts";
import * as chat from "./programs/chat.ts";
import * as key_value from "./programs/key_value.ts";
import * as proxy from "./programs/proxy.ts";
import { AUTHORITY, SERVER_CERTIFICATE, SERVER_KEY } from "./certificates.ts";
import { address_of } from "./places.ts";

const PROGRAMS = { chat, key_value, proxy };

const EXPECTED: Readonly<Record<keyof typeof PROGRAMS, readonly string[]>> = {
  chat: [
    "0 is here",
    ...["1 is here", "1 is here"],
    ...["2 is here", "2 is here", "2 is here"],
    ...["one has gone really", "one has gone really"],
  ],
  key_value: [
    "SET key value -> 1",
    "GET key -> value",
    "PING -> PONG",
    "EXISTS key key nokey -> 2",
    "MSET key1 val1 key2 val2 -> null",
    "MGET key2 key3 -> [val2, null]",
    "ECHO Hello! -> Hello!",
    "PING Hello? -> Hello?",
    "DEL key1 -> 1",
    "DEL key1 -> 0",
    "NONSENSE -> -Bad command",
    "SET key -> -Bad command",
    "FLUSHDB -> 2",
    "GET key -> null",
    "200 5000 bytes",
    "True",
  ],
  proxy: [
    String.raw`"HTTP/1.1 200 Connection Established\r\n\r\n5\n9\nend\n"`,
    String.raw`"HTTP/1.1 200 Connection Established\r\n\r\n500000\nend\n"`,
    String.raw`"14\n21\nend\n"`,
    String.raw`"HTTP/1.1 502 Bad Gateway\r\n\r\n"`,
  ],
};

const { PIPE } = asyncio.subprocess;
const lines = (bytes: Uint8Array) => new TextDecoder().decode(bytes).trimEnd().split("\n");

function python(name: string, ...args: string[]): asyncio.Coroutine<asyncio.subprocess.Process> {
  const path = new URL(`programs/${name}.py`, import.meta.url).pathname;
  return asyncio.create_subprocess_exec("python3", path, ...args, { stdout: PIPE });
}

/** These programs use Python's `asyncio.timeout()` and `match`. */
function has_python(): boolean {
  return spawnSync("python3", ["-c", "import sys; sys.exit(sys.version_info < (3, 11))"])
    .status === 0;
}

const ignore = !has_python();

for (const [name, { serve, client }] of Object.entries(PROGRAMS)) {
  const expected = EXPECTED[name as keyof typeof PROGRAMS];

  Deno.test(
    `start_server: ${name}, with its client in Python`,
    { ignore },
    () =>
      asyncio.run(async () => {
        await using server = await serve();
        const [, port] = address_of(server);
        await using process = await python(name, "client", String(port));
        const [stdout] = await process.communicate();
        assertEquals(lines(stdout!), expected);
        assertEquals(process.returncode, 0);
      }),
  );

  Deno.test(
    `open_connection: ${name}, with its server in Python`,
    { ignore },
    () =>
      asyncio.run(async () => {
        await using process = await python(name, "serve");
        const port = Number(lines(await process.stdout!.readline())[0]);
        assertEquals(await client(port), expected);
      }),
  );

  Deno.test(`open_connection: ${name}, with its server here`, () =>
    asyncio.run(async () => {
      await using server = await serve();
      assertEquals(await client(address_of(server)[1]), expected);
    }));
}

Deno.test("StreamWriter.close: with TLS, Python's ssl sees that the end is announced", {
  ignore,
}, async () => {
  const folder = await mkdtemp(`${tmpdir()}/asyncio_tls_`);
  const [authority, certificate, key] = ["authority", "certificate", "key"].map((name) =>
    `${folder}/${name}.pem`
  ) as [string, string, string];
  await writeFile(authority, AUTHORITY);
  await writeFile(certificate, SERVER_CERTIFICATE);
  await writeFile(key, SERVER_KEY);
  const ssl = { cert: SERVER_CERTIFICATE, key: SERVER_KEY };
  const expected = ["received hello", "announced end"];
  try {
    await asyncio.run(async () => {
      await using server = await asyncio.start_server(
        (_, writer) => {
          writer.write("hello");
          writer.close();
        },
        "127.0.0.1",
        0,
        { ssl },
      );
      const [, port] = address_of(server);
      await using client = await python("close_notify", "client", String(port), authority);
      assertEquals(lines((await client.communicate())[0]!), expected);

      await using process = await python("close_notify", "server", certificate, key);
      const other = Number(lines(await process.stdout!.readline())[0]);
      const [, writer] = await asyncio.open_connection("127.0.0.1", other, {
        ssl: { ca: AUTHORITY },
        server_hostname: "localhost",
      });
      writer.write("hello");
      writer.close();
      await writer.wait_closed();
      assertEquals(lines((await process.communicate())[0]!), expected);
    });
  } finally {
    await rm(folder, { recursive: true });
  }
});
