/** A server that does what servers should not: it lies about lengths, never ends a body, drops connections. */

type Misdeed = (connection: Deno.TcpConn, asked: number) => Promise<void>;

const encoder = new TextEncoder();

async function say(connection: Deno.TcpConn, text: string): Promise<void> {
  let bytes = encoder.encode(text);
  while (bytes.length > 0) bytes = bytes.subarray(await connection.write(bytes));
}

function head(...headers: string[]): string {
  return ["HTTP/1.1 200 OK", "content-type: text/html", ...headers, "", ""].join("\r\n");
}

const PAGE = "<title>Fine</title>";

const MISDEEDS: Readonly<Record<string, Misdeed>> = {
  "/drops": async () => {},
  "/drops-once": async (connection, asked) => {
    if (asked > 1) await say(connection, head("connection: close") + PAGE);
  },
  "/promises-more": (connection) => say(connection, head("content-length: 1000") + PAGE),
  "/promises-less": (connection) =>
    say(connection, head(`content-length: ${PAGE.length}`) + PAGE + "<a href=/never-asked>"),
  "/breaks-chunk": (connection) =>
    say(connection, head("transfer-encoding: chunked") + "ff\r\nshort"),
  "/never-ends": async (connection) => {
    await say(connection, head());
    for (;;) {
      await say(connection, "and so on ");
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  },
  "/never-answers": async (connection) => {
    await connection.read(new Uint8Array(1));
  },
  "/too-large": async (connection) => {
    await say(connection, head());
    for (;;) await say(connection, "x".repeat(10_000));
  },
};

export class HostileSite implements AsyncDisposable {
  readonly url: string;
  /** How often each path was asked for. */
  readonly requests = new Map<string, number>();
  readonly #paths: readonly string[];
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #served: Promise<void>;

  /** Serves a start page that links to these misdeeds. */
  constructor(...paths: string[]) {
    this.#paths = paths;
    this.url = `http://127.0.0.1:${this.#listener.addr.port}/`;
    this.#served = this.#serve();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    await this.#served;
  }

  async #serve(): Promise<void> {
    const connections: Promise<void>[] = [];
    for await (const connection of this.#listener) connections.push(this.#answer(connection));
    await Promise.all(connections);
  }

  async #answer(connection: Deno.TcpConn): Promise<void> {
    const request = new Uint8Array(4096);
    const length = await connection.read(request) ?? 0;
    const path = new TextDecoder().decode(request.subarray(0, length)).split(" ")[1] ?? "";
    const asked = (this.requests.get(path) ?? 0) + 1;
    this.requests.set(path, asked);
    try {
      if (path === "/") await say(connection, head("connection: close") + links(this.#paths));
      else if (path === "/robots.txt") await say(connection, head("content-length: 0"));
      else await MISDEEDS[path]?.(connection, asked);
    } catch (error) {
      // The crawler has hung up.
      if (
        !(error instanceof Deno.errors.BrokenPipe || error instanceof Deno.errors.ConnectionReset)
      ) {
        throw error;
      }
    } finally {
      connection.close();
    }
  }
}

function links(paths: readonly string[]): string {
  return paths.map((path) => `<a href="${path}">${path}</a>`).join("");
}
