/** An HTTP proxy, with CONNECT. */

import * as asyncio from "../../../mod.ts";

async function pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter): Promise<void> {
  try {
    while (!reader.at_eof()) {
      writer.write(await reader.read(4096));
      await writer.drain();
    }
  } finally {
    writer.close();
  }
}

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

async function on_connect(
  reader: asyncio.StreamReader,
  writer: asyncio.StreamWriter,
): Promise<void> {
  try {
    const head = text(await reader.readuntil("\r\n\r\n"));
    let up: [asyncio.StreamReader, asyncio.StreamWriter];
    if (head.startsWith("CONNECT")) {
      const [host, port] = head.split(" ")[1]!.split(":");
      up = await asyncio.open_connection(host!, Number(port));
      writer.write("HTTP/1.1 200 Connection Established\r\n\r\n");
      await writer.drain();
    } else {
      const [, host, port] = /Host: (.+):(\d+)\r\n/.exec(head)!;
      up = await asyncio.open_connection(host!, Number(port));
      up[1].write(head);
      await up[1].drain();
    }
    const [up_reader, up_writer] = up;
    await asyncio.gather(() => pipe(reader, up_writer), () => pipe(up_reader, writer));
  } catch (error) {
    if (!(error instanceof asyncio.OSError)) throw error;
    writer.write("HTTP/1.1 502 Bad Gateway\r\n\r\n");
  } finally {
    writer.close();
  }
}

/** Starts the server. */
export function serve(): asyncio.Coroutine<asyncio.Server> {
  return asyncio.start_server(on_connect, "127.0.0.1", 0);
}

// Answers each line with its length, and an empty one with the end.
async function upstream(
  reader: asyncio.StreamReader,
  writer: asyncio.StreamWriter,
): Promise<void> {
  for await (const line of reader) {
    const { length } = text(line).trim();
    if (length === 0) break;
    writer.write(`${length}\n`);
  }
  writer.write("end\n");
  writer.close();
}

async function through(port: number, ...parts: readonly string[]): Promise<string> {
  const [reader, writer] = await asyncio.open_connection("127.0.0.1", port);
  for (const part of parts) {
    writer.write(part);
    await writer.drain();
  }
  const answer = await reader.read();
  writer.close();
  return text(answer);
}

/** Runs the client; returns what it prints. */
export async function client(port: number): Promise<string[]> {
  await using server = await asyncio.start_server(upstream, "127.0.0.1", 0, { limit: 2 ** 20 });
  const [, up] = server.sockets[0]!.getsockname();
  const connect = `CONNECT 127.0.0.1:${up} HTTP/1.1\r\n\r\n`;
  const get = `GET / HTTP/1.1\r\nHost: 127.0.0.1:${up}\r\n\r\n`;
  const server_gone = "CONNECT 127.0.0.1:1 HTTP/1.1\r\n\r\n";
  const answers = await asyncio.gather(
    () => through(port, connect, "hello\n", "you", " there\n\n"),
    () => through(port, connect, `${"x".repeat(500_000)}\n`, "\n"),
    () => through(port, get),
    () => through(port, server_gone),
  );
  return answers.map((answer) => JSON.stringify(answer.replace(String(up), "PORT")));
}
