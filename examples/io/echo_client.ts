// The echo client of Python's documentation: https://docs.python.org/3/library/asyncio-stream.html
// Run it beside the server: deno run --allow-net examples/io/echo_client.ts [PORT [MESSAGE]]

import process from "node:process";
import * as asyncio from "../../mod.ts";

/** Sends a message and returns the answer. */
export async function tcp_echo_client(
  message: string,
  host = "127.0.0.1",
  port = 8888,
): Promise<string> {
  const [reader, writer] = await asyncio.open_connection(host, port);

  console.log(`Send: '${message}'`);
  writer.write(message);
  await writer.drain();

  const answer = new TextDecoder().decode(await reader.read(100));
  console.log(`Received: '${answer}'`);

  console.log("Close the connection");
  writer.close();
  await writer.wait_closed();
  return answer;
}

if (import.meta.main) {
  const [port = "8888", message = "Hello World!"] = process.argv.slice(2);
  await asyncio.run(() => tcp_echo_client(message, "127.0.0.1", Number(port)));
}
