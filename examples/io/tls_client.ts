// Sends lines over TLS and prints the lines that come back.
// Run it: deno run --allow-net --allow-read examples/io/tls_client.ts HOST PORT [CA_FILE] < LINES

import { readFile } from "node:fs/promises";
import process from "node:process";
import * as asyncio from "../../mod.ts";

/** What the client needs to know. */
export interface Peer {
  host: string;
  port: number;
  /** The certificate of the authority, if it is none that the host knows. */
  ca?: string;
  /** The name that the server's certificate must have, if that is not the host. */
  server_hostname?: string;
}

/** Sends all lines of a source, and calls a function with each line that comes, until the server ends. */
export async function converse(
  peer: Peer,
  lines: asyncio.ByteSource,
  on_line: (line: string) => void,
): Promise<void> {
  const [reader, opened] = await asyncio.open_connection(peer.host, peer.port, {
    ssl: peer.ca === undefined ? true : { ca: peer.ca },
    server_hostname: peer.server_hostname ?? null,
    ssl_handshake_timeout: 10,
  });
  await using writer = opened;
  const decoder = new TextDecoder();
  await asyncio.async_with(new asyncio.TaskGroup(), async (group) => {
    const sending = group.create_task(async () => {
      for await (const line of asyncio.StreamReader.from(lines)) {
        writer.write(line);
        await writer.drain();
      }
    });
    for await (const line of reader) on_line(decoder.decode(line).replace(/\r?\n$/, ""));
    // The server has ended: nothing more is of use to it.
    sending.cancel();
  });
}

if (import.meta.main) {
  const [host = "localhost", port = "8443", ca_file] = process.argv.slice(2);
  const peer: Peer = { host, port: Number(port) };
  if (ca_file !== undefined) peer.ca = await readFile(ca_file, "utf8");
  await asyncio.run(() => converse(peer, process.stdin, (line) => console.log(line)));
}
