// Finds the open ports of a host, so many at a time, each with a time limit.
// Run it: deno run --allow-net examples/io/port_scanner.ts HOST [FIRST [LAST]]

import process from "node:process";
import * as asyncio from "../../mod.ts";

/** How a host is scanned. */
export interface ScanOptions {
  /** How many connections are tried at a time. */
  concurrency?: number;
  /** How long one may take, in seconds. */
  time_limit?: number;
}

/** Returns whether a port accepts connections. */
export async function is_open(host: string, port: number, time_limit: number): Promise<boolean> {
  try {
    const [, writer] = await asyncio.wait_for(asyncio.open_connection(host, port), time_limit);
    writer.close();
    return true;
  } catch (error) {
    // Refused, unreachable, or no answer at all.
    if (error instanceof asyncio.OSError || error instanceof asyncio.TimeoutError) return false;
    throw error;
  }
}

/** The open ports among those given, in order. */
export async function scan(
  host: string,
  ports: Iterable<number>,
  { concurrency = 100, time_limit = 1 }: ScanOptions = {},
): Promise<number[]> {
  const semaphore = new asyncio.Semaphore(concurrency);
  const open: number[] = [];
  await asyncio.async_with(new asyncio.TaskGroup(), async (group) => {
    for (const port of ports) {
      // No more tasks than connections, however many ports there are.
      await semaphore.acquire();
      group.create_task(async () => {
        try {
          if (await is_open(host, port, time_limit)) open.push(port);
        } finally {
          semaphore.release();
        }
      });
    }
  });
  return open.sort((a, b) => a - b);
}

/** The whole numbers from one to another. */
export function* range(first: number, last: number): Generator<number> {
  for (let number = first; number <= last; number++) yield number;
}

if (import.meta.main) {
  const [host = "127.0.0.1", first = "1", last = "1024"] = process.argv.slice(2);
  const open = await asyncio.run(() => scan(host, range(Number(first), Number(last))));
  console.log(open.length > 0 ? `Open: ${open.join(", ")}` : "No port is open.");
}
