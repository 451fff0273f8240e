/** Where the tests of connections run: on sockets of this machine, and on a network in memory. */

import * as asyncio from "../../mod.ts";
import { VirtualClockEventLoop, VirtualNetwork } from "../../testing.ts";

/** A place in which a program connects to itself. */
export interface Place {
  name: string;
  /** Where it listens: a host, and a port that is free. */
  host: string;
  port: number;
  run<T>(main: () => Promise<T>): Promise<T>;
}

/** Sockets of this machine. */
export const SOCKETS: Place = {
  name: "sockets",
  host: "127.0.0.1",
  port: 0,
  run: (main) => asyncio.run(main),
};

/** A network in memory. */
export const MEMORY: Place = {
  name: "memory",
  host: "server",
  port: 7,
  run: (main) => {
    const network = new VirtualNetwork({ latency: 0.01 });
    return asyncio.run(main, {
      loop_factory: () => new VirtualClockEventLoop({ network }),
    });
  },
};

/** Makes a test for each place. */
export function test_everywhere(name: string, body: (place: Place) => Promise<void>): void {
  for (const place of [SOCKETS, MEMORY]) {
    Deno.test(`${name} (${place.name})`, () => place.run(() => body(place)));
  }
}

/** Where a server listens. */
export function address_of(server: asyncio.Server): [host: string, port: number] {
  const [host, port] = server.sockets[0]!.getsockname();
  return [host as string, port as number];
}

/** How many sockets with a port some process holds; those that the system still winds up are not among them. */
async function sockets_at(port: number): Promise<number> {
  const { existsSync } = await import("node:fs");
  const { readFile } = await import("node:fs/promises");
  if (!existsSync("/proc/net/tcp")) return 0;
  const end = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  const sockets = (await readFile("/proc/net/tcp", "utf8")).split("\n").slice(1)
    .map((line) => line.trim().split(/\s+/));
  const has_port = (address = "") => address.endsWith(end);
  return sockets.filter(([, local, remote, , , , , , , inode]) =>
    (has_port(local) || has_port(remote)) && inode !== "0"
  ).length;
}

/** Waits until no more than a number of sockets with a port are left, by which a leak would be seen. */
export async function settled_at(port: number, left: number): Promise<void> {
  await asyncio.wait_for(async () => {
    while (await asyncio.from_promise(sockets_at(port)) > left) await asyncio.sleep(0.01);
  }, 30);
}

/** Starts a server at a place, and opens a connection to it. */
export async function connect(
  place: Place,
  callback: asyncio.ClientConnectedCallback,
  options: asyncio.StartServerOptions = {},
): Promise<[asyncio.StreamReader, asyncio.StreamWriter, asyncio.Server]> {
  const server = await asyncio.start_server(callback, place.host, place.port, options);
  const [reader, writer] = await asyncio.open_connection(...address_of(server));
  return [reader, writer, server];
}

/** The text of bytes. */
export const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

/** What the loop's exception handler is told while a program runs. */
export function collect_reports(): asyncio.ExceptionContext[] {
  const reports: asyncio.ExceptionContext[] = [];
  asyncio.get_running_loop().set_exception_handler((_loop, context) => reports.push(context));
  return reports;
}

/** Closes connections and servers one after the other. */
export async function close(...closed: (asyncio.StreamWriter | asyncio.Server)[]): Promise<void> {
  for (const one of closed) {
    one.close();
    await one.wait_closed();
  }
}

/** Connects, sends a line and reads to the end; returns how many bytes that were. */
export async function exchange_line(
  address: readonly [host: string, port: number],
  delay: number | null = null,
): Promise<number> {
  const [reader, writer] = await asyncio.open_connection(...address);
  if (delay !== null) await asyncio.sleep(delay);
  writer.write("a line\n");
  const { length } = await reader.read();
  await close(writer);
  return length;
}
