/** Serves the playground on loopback. */

import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import sirv from "sirv";

/**
 * Starts to serve.
 *
 * @param folder where the page was built
 * @param port the port, 0 for any that is free
 * @returns the server and the address of the page
 * @throws if the port is taken
 */
export async function serve_playground(
  folder: string,
  port: number,
): Promise<{ server: Server; url: string }> {
  const server = createServer(sirv(folder, { dev: true }));
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });
  const { port: chosen } = server.address() as AddressInfo;
  return { server, url: `http://127.0.0.1:${chosen}/` };
}
