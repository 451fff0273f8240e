// A pool of connections to one server. Each is checked before it is lent, and those that idle are checked
// now and then, so that a program hardly ever meets a dead one.
// It is used by examples of one's own: see connection_pool in tests/streams/examples_test.ts.

import * as asyncio from "../../mod.ts";

/** A connection of the pool. */
export interface PooledConnection {
  reader: asyncio.StreamReader;
  writer: asyncio.StreamWriter;
}

/** How a pool works. */
export interface PoolOptions {
  /** How many connections there are at most. */
  max_size?: number;
  /** Says whether a connection is alive, or throws; by default whether neither side has closed it. */
  check?: (connection: PooledConnection) => Promise<boolean>;
  /** How long a check may take, in seconds. */
  check_limit?: number;
  /** How often connections that idle are checked, in seconds. */
  check_interval?: number;
}

function is_connected({ reader, writer }: PooledConnection): Promise<boolean> {
  return Promise.resolve(!writer.is_closing() && !reader.at_eof());
}

/** Lends connections, each to one task at a time. `await using` closes all. */
export class ConnectionPool implements AsyncDisposable {
  readonly #open: () => PromiseLike<[asyncio.StreamReader, asyncio.StreamWriter]>;
  readonly #permits: asyncio.Semaphore;
  readonly #check: (connection: PooledConnection) => Promise<boolean>;
  readonly #check_limit: number;
  readonly #idle: PooledConnection[] = [];
  readonly #keeper: asyncio.Task<void>;
  #closed = false;
  /** How many connections were opened and how many were found dead. */
  readonly statistics = { opened: 0, dead: 0 };

  constructor(
    open: () => PromiseLike<[asyncio.StreamReader, asyncio.StreamWriter]>,
    options: PoolOptions = {},
  ) {
    this.#open = open;
    this.#permits = new asyncio.Semaphore(options.max_size ?? 10);
    this.#check = options.check ?? is_connected;
    this.#check_limit = options.check_limit ?? 1;
    this.#keeper = asyncio.create_task(() => this.#keep(options.check_interval ?? 30));
  }

  /** Calls a function with a connection, which goes back to the pool unless the function throws. */
  async use<T>(work: (connection: PooledConnection) => PromiseLike<T>): Promise<T> {
    if (this.#closed) throw new asyncio.RuntimeError("Cannot use a connection: the pool is closed");
    using _ = await this.#permits.acquire();
    const connection = await this.#take();
    try {
      const result = await work(connection);
      if (this.#closed) connection.writer.close();
      else this.#idle.push(connection);
      return result;
    } catch (error) {
      // Cancelled or failed in the middle of an exchange: nobody knows what comes next on it.
      connection.writer.close();
      throw error;
    }
  }

  async #take(): Promise<PooledConnection> {
    while (true) {
      // The one that was used last is the one most likely alive.
      const connection = this.#idle.pop();
      if (connection === undefined) break;
      if (await this.#is_alive(connection)) return connection;
    }
    const [reader, writer] = await this.#open();
    this.statistics.opened++;
    return { reader, writer };
  }

  async #is_alive(connection: PooledConnection): Promise<boolean> {
    try {
      if (await asyncio.wait_for(() => this.#check(connection), this.#check_limit)) return true;
    } catch (error) {
      if (error instanceof asyncio.CancelledError) {
        connection.writer.close();
        throw error;
      }
    }
    this.statistics.dead++;
    connection.writer.close();
    return false;
  }

  async #keep(interval: number): Promise<void> {
    while (true) {
      await asyncio.sleep(interval);
      // While it is checked, a connection is nobody else's.
      for (const connection of this.#idle.splice(0)) {
        if (await this.#is_alive(connection)) this.#idle.unshift(connection);
      }
    }
  }

  /** Closes the connections that idle; those that are lent are closed when they come back. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    this.#keeper.cancel();
    await asyncio.wait([this.#keeper]);
    const writers = this.#idle.splice(0).map(({ writer }) => writer);
    await asyncio.gather(writers.map((writer) => () => writer[Symbol.asyncDispose]()));
  }
}
