// The echo server of Python's documentation: https://docs.python.org/3/library/asyncio-stream.html
// Run it: deno run --allow-net examples/io/echo_server.ts [PORT]

import process from "node:process";
import * as asyncio from "../../mod.ts";

/** Answers a client with what it has sent, once. */
export async function handle_echo(
  reader: asyncio.StreamReader,
  writer: asyncio.StreamWriter,
): Promise<void> {
  const data = await reader.read(100);
  const message = new TextDecoder().decode(data);
  const address = writer.get_extra_info("peername");
  console.log(`Received '${message}' from ${JSON.stringify(address)}`);

  console.log(`Send: '${message}'`);
  writer.write(data);
  await writer.drain();

  console.log("Close the connection");
  writer.close();
  await writer.wait_closed();
}

async function main(port: number): Promise<void> {
  const server = await asyncio.start_server(handle_echo, "127.0.0.1", port);
  const addresses = server.sockets.map((socket) => JSON.stringify(socket.getsockname()));
  console.log(`Serving on ${addresses.join(", ")}`);
  await asyncio.async_with(server, () => server.serve_forever());
}

if (import.meta.main) await asyncio.run(() => main(Number(process.argv[2] ?? 8888)));
