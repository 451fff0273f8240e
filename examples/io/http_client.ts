// An HTTP/1.1 client for one host, which keeps its connection: headers, bodies by length and in chunks.
// Run it: deno run --allow-net examples/io/http_client.ts URL...

import process from "node:process";
import * as asyncio from "../../mod.ts";

/** An answer of the server. */
export interface Response {
  status: number;
  reason: string;
  /** By their names in small letters. */
  headers: Map<string, string>;
  body: Uint8Array;
}

/** What the server sends is no HTTP. */
export class HTTPError extends Error {}

const decoder = new TextDecoder("latin1");

/** Requests to one host, one after the other, over one connection. */
export class HTTPClient implements AsyncDisposable {
  readonly #host: string;
  readonly #port: number;
  readonly #ssl: asyncio.SSL | null;
  readonly #lock = new asyncio.Lock();
  #streams: [asyncio.StreamReader, asyncio.StreamWriter] | null = null;
  /** How many connections were opened. */
  connections = 0;

  constructor(host: string, port: number, ssl: asyncio.SSL | null = null) {
    this.#host = host;
    this.#port = port;
    this.#ssl = ssl;
  }

  /** Sends a request and reads the answer; a connection that the server has closed is opened anew. */
  async request(
    method: string,
    path: string,
    headers: Record<string, string> = {},
    body: string | Uint8Array = "",
  ): Promise<Response> {
    using _ = await this.#lock.acquire();
    const is_kept = this.#streams !== null;
    try {
      return await this.#exchange(method, path, headers, body);
    } catch (error) {
      this.#close();
      // The server may have closed it in the meantime; what it has not answered may be sent again.
      const may_retry = is_kept && ["GET", "HEAD"].includes(method) &&
        (error instanceof asyncio.OSError || error instanceof asyncio.IncompleteReadError);
      if (!may_retry) throw error;
      return await this.#exchange(method, path, headers, body);
    }
  }

  async #exchange(
    method: string,
    path: string,
    headers: Record<string, string>,
    body: string | Uint8Array,
  ): Promise<Response> {
    if (this.#streams === null) {
      const options = this.#ssl === null ? {} : { ssl: this.#ssl };
      this.#streams = await asyncio.open_connection(this.#host, this.#port, options);
      this.connections++;
    }
    const [reader, writer] = this.#streams;
    const bytes = typeof body === "string" ? new TextEncoder().encode(body) : body;
    const all = { host: this.#host, "content-length": String(bytes.length), ...headers };
    const head = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`).join("");
    writer.writelines([`${method} ${path} HTTP/1.1\r\n${head}\r\n`, bytes]);
    await writer.drain();
    const response = await this.#read(reader, method);
    if (response.headers.get("connection")?.toLowerCase() === "close") this.#close();
    return response;
  }

  async #read(reader: asyncio.StreamReader, method: string): Promise<Response> {
    const [line = "", ...fields] = decoder.decode(await reader.readuntil("\r\n\r\n"))
      .trimEnd().split("\r\n");
    const [, status, reason = ""] = line.match(/^HTTP\/1\.[01] (\d{3}) ?(.*)$/) ?? [];
    if (status === undefined) throw new HTTPError(`Cannot read an answer: received ${line}`);
    const headers = new Map(fields.map((field): [string, string] => {
      const colon = field.indexOf(":");
      return [field.slice(0, colon).toLowerCase(), field.slice(colon + 1).trim()];
    }));
    const response = { status: Number(status), reason, headers, body: new Uint8Array(0) };
    if (response.status < 200) return await this.#read(reader, method);
    const has_body = method !== "HEAD" && response.status !== 204 && response.status !== 304;
    return has_body ? { ...response, body: await this.#read_body(reader, headers) } : response;
  }

  async #read_body(
    reader: asyncio.StreamReader,
    headers: Map<string, string>,
  ): Promise<Uint8Array> {
    if (headers.get("transfer-encoding")?.toLowerCase() === "chunked") {
      return await this.#read_chunks(reader);
    }
    const length = headers.get("content-length");
    if (length !== undefined) return await reader.readexactly(Number(length));
    const body = await reader.read();
    this.#close();
    return body;
  }

  async #read_chunks(reader: asyncio.StreamReader): Promise<Uint8Array> {
    const chunks: Uint8Array[] = [];
    while (true) {
      const size = parseInt(decoder.decode(await reader.readuntil("\r\n")), 16);
      if (Number.isNaN(size)) throw new HTTPError("Cannot read a chunk: it has no size");
      if (size === 0) break;
      chunks.push(await reader.readexactly(size));
      await reader.readexactly(2);
    }
    while ((await reader.readuntil("\r\n")).length > 2); // fields after the body
    return new Uint8Array(await new Blob(chunks as BlobPart[]).arrayBuffer());
  }

  #close(): void {
    this.#streams?.[1].close();
    this.#streams = null;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const writer = this.#streams?.[1];
    this.#close();
    await writer?.[Symbol.asyncDispose]();
  }
}

async function get(address: string): Promise<void> {
  const { protocol, hostname, port, pathname, search } = new URL(address);
  const ssl = protocol === "https:" ? true : null;
  await using client = new HTTPClient(hostname, Number(port || (ssl ? 443 : 80)), ssl);
  const { status, reason, body } = await client.request("GET", pathname + search);
  console.log(`${address}: ${status} ${reason}, ${body.length} bytes`);
}

if (import.meta.main) {
  await asyncio.run(() => asyncio.gather(process.argv.slice(2).map((url) => () => get(url))));
}
