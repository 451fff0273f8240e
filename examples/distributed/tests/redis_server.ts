/** A Redis server of a test's own: in a temporary directory, on a free port of loopback. */

import { existsSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { connect } from "../redis.ts";
import { free_port } from "../../tests/program.ts";

const SERVER = "/usr/bin/redis-server";

/** True if this machine has Debian's redis-server. */
export const has_redis = existsSync(SERVER);

/** A server that takes no connections after so many milliseconds never will. */
const TIME_LIMIT = 20_000;
const BETWEEN_ATTEMPTS = 20;

export class RedisServer implements AsyncDisposable {
  readonly url: string;
  readonly #directory: string;
  readonly #port: number;
  #server: Deno.ChildProcess;

  private constructor(port: number, directory: string) {
    this.url = `redis://127.0.0.1:${port}`;
    this.#port = port;
    this.#directory = directory;
    this.#server = this.#spawn();
  }

  /** Starts a server that keeps nothing on the disk; fulfilled when it takes connections. */
  static async start(): Promise<RedisServer> {
    const directory = await Deno.makeTempDir({ prefix: "asyncio-redis-" });
    const server = new RedisServer(free_port(), directory);
    await server.#ready();
    return server;
  }

  #spawn(): Deno.ChildProcess {
    return new Deno.Command(SERVER, {
      args: [
        ...["--port", `${this.#port}`, "--bind", "127.0.0.1", "--dir", this.#directory],
        ...["--save", "", "--appendonly", "no", "--maxmemory-policy", "noeviction"],
      ],
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
  }

  async #ready(): Promise<void> {
    const begun = performance.now();
    for (;;) {
      try {
        (await connect(this.url)).disconnect();
        return;
      } catch (error) {
        if (performance.now() - begun > TIME_LIMIT) throw error;
        await pause(BETWEEN_ATTEMPTS);
      }
    }
  }

  /** Returns the seconds of processor time that the server has used. */
  async processor_time(): Promise<number> {
    const redis = await connect(this.url);
    const info = await redis.info("cpu");
    redis.disconnect();
    const used = [...info.matchAll(/^used_cpu_(?:user|sys):([\d.]+)/gm)];
    return used.reduce((sum, [, seconds]) => sum + Number(seconds), 0);
  }

  /** Has the server forget everything. */
  async flush(): Promise<void> {
    const redis = await connect(this.url);
    await redis.flushall();
    redis.disconnect();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.kill("SIGTERM");
    await this.#server.status;
    await Deno.remove(this.#directory, { recursive: true });
  }
}
