/**
 * Much data through an echo on sockets: every byte arrives, in order, and memory stays flat, though the client
 * reads more slowly than it could. Prints what it measured; exit code 1 if it is not so.
 *
 * `deno run -A tests/soak/stream.ts --megabytes 1024`
 */

import process from "node:process";
import { parseArgs } from "node:util";
import { read_command_line, whole_number } from "../../scripts/command_line.ts";
import * as asyncio from "../../mod.ts";

/** What may be in the buffers of both ends, and of the garbage that an engine leaves. */
const MOST_MEMORY = 256 * 2 ** 20;

const MEGABYTE = 2 ** 20;
// Not a divisor of the sizes of the hosts' chunks.
const PERIOD = 251;

async function echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter): Promise<void> {
  while (true) {
    const data = await reader.read(65_536);
    if (data.length === 0) break;
    writer.write(data);
    await writer.drain();
  }
  writer.close();
}

/** Sends so many MiB, and reads them; resolves to the memory that it took at most. */
async function soak(megabytes: number): Promise<number> {
  const server = await asyncio.start_server(echo, "127.0.0.1", 0);
  const [host, port] = server.sockets[0]!.getsockname();
  const [reader, writer] = await asyncio.open_connection(host as string, port as number);
  const pattern = Uint8Array.from({ length: MEGABYTE + PERIOD }, (_, i) => i % PERIOD);
  let most = 0;
  const send = async () => {
    for (let i = 0; i < megabytes; i++) {
      const begin = (i * MEGABYTE) % PERIOD;
      writer.write(pattern.subarray(begin, begin + MEGABYTE));
      await writer.drain();
    }
    writer.write_eof();
  };
  const receive = async () => {
    for (let i = 0; i < megabytes; i++) {
      const data = await reader.readexactly(MEGABYTE);
      const begin = (i * MEGABYTE) % PERIOD;
      const expected = pattern.subarray(begin, begin + MEGABYTE);
      if (i % 16 === 0) {
        await asyncio.sleep(0.001); // so that what comes is held back
        if (data.some((byte, at) => byte !== expected[at])) throw new Error(`MiB ${i} is wrong`);
        most = Math.max(most, process.memoryUsage().rss);
      } else if (data[0] !== expected[0] || data.at(-1) !== expected.at(-1)) {
        throw new Error(`MiB ${i} is wrong`);
      }
    }
    const rest = await reader.read();
    if (rest.length > 0) throw new Error(`${rest.length} bytes too many`);
  };
  await asyncio.gather(send, receive);
  writer.close();
  await writer.wait_closed();
  server.close();
  await server.wait_closed();
  return most;
}

const megabytes = read_command_line("stream", () => {
  const { values } = parseArgs({
    args: process.argv.slice(2),
    options: { megabytes: { type: "string", default: "1024" } },
  });
  return whole_number("megabytes", values.megabytes, 1);
});
const before = process.memoryUsage().rss;
const most = await asyncio.run(() => soak(megabytes)) - before;
if (most > MOST_MEMORY) throw new Error(`memory has grown by ${Math.round(most / MEGABYTE)} MiB`);
console.log(`${megabytes} MiB arrived, memory grew by ${Math.round(most / MEGABYTE)} MiB at most`);
