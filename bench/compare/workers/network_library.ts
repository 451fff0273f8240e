/**
 * A server by the library's streams: echoes what it receives, or counts lines, as its argument says.
 *
 * @module
 */

import process from "node:process";
import { run, start_server, type StreamReader, type StreamWriter } from "../../../mod.ts";
import { answer_with_cpu_time } from "./network_server.ts";

async function echo(reader: StreamReader, writer: StreamWriter): Promise<void> {
  while (true) {
    const data = await reader.read(65_536);
    if (data.length === 0) break;
    writer.write(data);
    await writer.drain();
  }
  writer.close();
}

async function count_lines(reader: StreamReader, writer: StreamWriter): Promise<void> {
  let count = 0;
  while ((await reader.readline()).length > 0) count++;
  writer.write(`${count}\n`);
  writer.close();
}

await run(async () => {
  const handler = JSON.parse(process.argv.at(-1)!).serve === "lines" ? count_lines : echo;
  const server = await start_server(handler, "127.0.0.1", 0);
  const [, port] = server.sockets[0]!.getsockname();
  await answer_with_cpu_time(port as number);
  server.close();
});
