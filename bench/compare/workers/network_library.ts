/**
 * A server by the library's streams: echoes what it receives, counts lines, or runs
 * processes, as its argument says.
 *
 * @module
 */

import process from "node:process";
import {
  create_subprocess_exec,
  run,
  start_server,
  type StreamReader,
  type StreamWriter,
  subprocess,
} from "../../../mod.ts";
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

const decoder = new TextDecoder();

async function run_processes(reader: StreamReader, writer: StreamWriter): Promise<void> {
  const count = Number(decoder.decode(await reader.readline()));
  for (let i = 0; i < count; i++) {
    const child = await create_subprocess_exec("true");
    await child.wait();
  }
  writer.write(`${count}\n`);
  writer.close();
}

async function read_output(reader: StreamReader, writer: StreamWriter): Promise<void> {
  const megabytes = Number(decoder.decode(await reader.readline()));
  const child = await create_subprocess_exec("head", "-c", `${megabytes}M`, "/dev/zero", {
    stdout: subprocess.PIPE,
  });
  let size = 0;
  while (true) {
    const data = await child.stdout!.read(65_536);
    if (data.length === 0) break;
    size += data.length;
  }
  await child.wait();
  writer.write(`${size / 2 ** 20}\n`);
  writer.close();
}

const HANDLERS: Readonly<
  Record<string, (reader: StreamReader, writer: StreamWriter) => Promise<void>>
> = { echo, lines: count_lines, spawn: run_processes, cat: read_output };

await run(async () => {
  const handler = HANDLERS[JSON.parse(process.argv.at(-1)!).serve]!;
  const server = await start_server(handler, "127.0.0.1", 0);
  const [, port] = server.sockets[0]!.getsockname();
  await answer_with_cpu_time(port as number);
  server.close();
});
