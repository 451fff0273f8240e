/** A MariaDB server of a test's own: in a temporary directory, on a free port of loopback. */

import mysql from "mysql2/promise";
import { existsSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { free_port } from "../../tests/program.ts";

const SERVER = "/usr/sbin/mariadbd";
const INSTALL = "/usr/bin/mariadb-install-db";

/** True if this machine has Debian's mariadb-server. */
export const has_mariadb = existsSync(SERVER) && existsSync(INSTALL);

/** As root the server insists on being told so. */
const AS_ROOT = Deno.uid() === 0 ? ["--user=root"] : [];

/** A server that takes no connections after so many milliseconds never will. */
const TIME_LIMIT = 20_000;
const BETWEEN_ATTEMPTS = 20;

export class MariaDB implements AsyncDisposable {
  readonly #url: string;
  readonly #directory: string;
  readonly #server: Deno.ChildProcess;
  #databases = 0;

  private constructor(url: string, directory: string, server: Deno.ChildProcess) {
    this.#url = url;
    this.#directory = directory;
    this.#server = server;
  }

  /** Makes the files of a server and starts it; fulfilled when it takes connections. */
  static async start(): Promise<MariaDB> {
    const directory = await Deno.makeTempDir({ prefix: "crawler-mariadb-" });
    const files = ["--no-defaults", `--datadir=${directory}/data`, ...AS_ROOT];
    const install = await new Deno.Command(INSTALL, {
      args: [...files, "--auth-root-authentication-method=normal", "--skip-test-db"],
      stdin: "null",
    }).output();
    if (!install.success) throw new Error(new TextDecoder().decode(install.stderr));
    const port = free_port();
    const server = new Deno.Command(SERVER, {
      args: [
        ...files,
        `--socket=${directory}/socket`,
        `--pid-file=${directory}/pid`,
        `--log-error=${directory}/log`,
        `--port=${port}`,
        "--bind-address=127.0.0.1",
      ],
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    const mariadb = new MariaDB(`mysql://root@127.0.0.1:${port}/`, directory, server);
    await mariadb.#ready();
    return mariadb;
  }

  async #ready(): Promise<void> {
    const begun = performance.now();
    for (;;) {
      try {
        await this.execute("DO 0");
        return;
      } catch (error) {
        if (performance.now() - begun < TIME_LIMIT) {
          await pause(BETWEEN_ATTEMPTS);
          continue;
        }
        const log = await Deno.readTextFile(`${this.#directory}/log`);
        throw new Error(`MariaDB does not start: ${log}`, { cause: error });
      }
    }
  }

  /** Executes a statement as root; gives its rows. */
  async execute(sql: string): Promise<mysql.RowDataPacket[]> {
    const connection = await mysql.createConnection(this.#url);
    try {
      const [rows] = await connection.query<mysql.RowDataPacket[]>(sql);
      return rows;
    } finally {
      await connection.end();
    }
  }

  /** The URL of a new, empty database. */
  async new_database(): Promise<string> {
    const name = `crawl_${++this.#databases}`;
    await this.execute(`CREATE DATABASE ${name}`);
    return this.#url + name;
  }

  /** How many transactions are open. */
  async transactions(): Promise<number> {
    return (await this.execute("SELECT trx_id FROM information_schema.innodb_trx")).length;
  }

  /** Lets nobody write to a database until the end of the block. */
  async lock(database: string): Promise<AsyncDisposable> {
    const connection = await mysql.createConnection(database);
    await connection.query("LOCK TABLES pages READ");
    return { [Symbol.asyncDispose]: () => connection.end() };
  }

  /** Fulfilled when somebody waits for such a lock. */
  async waits_for_lock(): Promise<void> {
    const waiting = "SELECT id FROM information_schema.processlist WHERE state LIKE 'Waiting for%'";
    while ((await this.execute(waiting)).length === 0) await pause(BETWEEN_ATTEMPTS);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.kill("SIGTERM");
    await this.#server.status;
    await Deno.remove(this.#directory, { recursive: true });
  }
}
