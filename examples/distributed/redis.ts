/** Connections to Redis. */

import type { Worker } from "bullmq";
import { Redis } from "ioredis";

/**
 * Connects to a Redis server; afterwards a lost connection is made anew, and commands wait for it.
 *
 * @throws {Error} if the server cannot be reached at first
 */
export async function connect(url: string): Promise<Redis> {
  const redis = new Redis(url, { lazyConnect: true, maxRetriesPerRequest: null });
  let failure: unknown;
  redis.on("error", (error) => failure = error);
  try {
    await redis.connect();
  } catch (error) {
    redis.disconnect();
    const { message } = (failure ?? error) as Error;
    throw new Error(
      `Cannot reach ${shown(url)}: ${message || (failure as { code?: string }).code}`,
    );
  }
  return redis;
}

/** Closes a connection when what was asked by it has been answered: libraries ask without waiting, too. */
export async function close(redis: Redis): Promise<void> {
  if (redis.status === "ready") await redis.quit().catch(() => {});
  redis.disconnect();
}

/**
 * Closes a worker of BullMQ, which takes no more jobs and finishes those that it has taken.
 *
 * It waits until the worker is connected: BullMQ rejects a command that is in progress before that without a handler.
 */
export async function close_worker(worker: Worker): Promise<void> {
  await worker.waitUntilReady().catch(() => {});
  await worker.close();
}

/** A URL as messages show it: without its password. */
function shown(url: string): string {
  return url.replace(/(?<=:\/\/)[^@/]*@/, "");
}
