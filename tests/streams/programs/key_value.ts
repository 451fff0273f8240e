/** A store of keys and values, with the protocol of Redis. */

import * as asyncio from "../../../mod.ts";

const IDLE_LIMIT = 300;

class BadRequest extends Error {}

class Closed extends Error {}

class Failure {
  constructor(readonly message: string) {}
}

type Value = Uint8Array | number | Failure | null | Value[];

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

async function receive(reader: asyncio.StreamReader): Promise<Value> {
  let kind: string;
  try {
    kind = text(
      await asyncio.async_with(asyncio.timeout(IDLE_LIMIT), async () => await reader.read(1)),
    );
  } catch (error) {
    throw error instanceof asyncio.TimeoutError ? new Closed() : error;
  }
  if (kind === "") throw new Closed();
  const line = text(await reader.readline()).trim();
  switch (kind) {
    case "+":
      return bytes(line);
    case "-":
      return new Failure(line);
    case ":":
      return Number(line);
    case "$":
      return line === "-1" ? null : (await reader.readexactly(Number(line) + 2)).slice(0, -2);
    case "*": {
      const items: Value[] = [];
      for (let i = 0; i < Number(line); i++) items.push(await receive(reader));
      return items;
    }
  }
  throw new BadRequest("Bad first byte");
}

function send(writer: asyncio.StreamWriter, data: Value): void {
  if (data === null) writer.write("$-1\r\n");
  else if (data instanceof Uint8Array) writer.writelines([`$${data.length}\r\n`, data, "\r\n"]);
  else if (typeof data === "number") writer.write(`:${data}\r\n`);
  else if (data instanceof Failure) writer.write(`-${data.message}\r\n`);
  else {
    writer.write(`*${data.length}\r\n`);
    for (const item of data) send(writer, item);
  }
}

function process(store: Map<string, Uint8Array>, request: Value): Value {
  const [command, ...args] = request as Uint8Array[];
  const keys = args.map(text);
  const count = args.length;
  const name = text(command!).toUpperCase();
  const [key = ""] = keys;
  switch (name) {
    case "GET":
      if (count === 1) return store.get(key) ?? null;
      break;
    case "SET":
      if (count === 2) return store.set(key, args[1]!) && 1;
      break;
    case "DEL":
      if (count === 1) return Number(store.delete(key));
      break;
    case "EXISTS":
      if (count > 0) return keys.filter((key) => store.has(key)).length;
      break;
    case "MSET":
      if (count === 0 || count % 2 === 1) break;
      for (let i = 0; i < count; i += 2) store.set(keys[i]!, args[i + 1]!);
      return null;
    case "MGET":
      if (count > 0) return keys.map((key) => store.get(key) ?? null);
      break;
    case "PING":
      return args[0] ?? bytes("PONG");
    case "ECHO":
      if (count > 0) return args[0]!;
      break;
    case "FLUSHDB": {
      const { size } = store;
      store.clear();
      return size;
    }
    case "QUIT":
      throw new Closed();
  }
  throw new BadRequest("Bad command");
}

/** Starts the server. */
export function serve(): asyncio.Coroutine<asyncio.Server> {
  const store = new Map<string, Uint8Array>();
  return asyncio.start_server(
    async (reader, writer) => {
      try {
        while (true) {
          let answer: Value;
          try {
            answer = process(store, await receive(reader));
          } catch (error) {
            if (!(error instanceof BadRequest)) throw error;
            answer = new Failure(error.message);
          }
          send(writer, answer);
          await writer.drain();
        }
      } catch (error) {
        if (!(error instanceof Closed)) throw error;
        writer.close();
      }
    },
    "127.0.0.1",
    0,
  );
}

const COMMANDS = [
  "SET key value",
  "GET key",
  "PING",
  "EXISTS key key nokey",
  "MSET key1 val1 key2 val2",
  "MGET key2 key3",
  "ECHO Hello!",
  "PING Hello?",
  "DEL key1",
  "DEL key1",
  "NONSENSE",
  "SET key",
  "FLUSHDB",
  "GET key",
];

function shown(value: Value): string {
  if (value === null || typeof value === "number") return String(value);
  if (value instanceof Failure) return `-${value.message}`;
  if (Array.isArray(value)) return `[${value.map(shown).join(", ")}]`;
  return value.length < 100 ? text(value) : `${value.length} bytes`;
}

/** Runs the client; returns what it prints. */
export async function client(port: number): Promise<string[]> {
  const printed: string[] = [];
  const [reader, writer] = await asyncio.open_connection("127.0.0.1", port);
  for (const command of COMMANDS) {
    send(writer, command.split(" ").map(bytes));
    await writer.drain();
    printed.push(`${command} -> ${shown(await receive(reader))}`);
  }
  // Much at once, and all answers afterwards.
  for (let i = 0; i < 200; i++) {
    send(writer, [bytes("SET"), bytes(`large${i}`), new Uint8Array(5000)]);
  }
  send(writer, [bytes("GET"), bytes("large7")]);
  send(writer, [bytes("QUIT")]);
  let sum = 0;
  for (let i = 0; i < 200; i++) sum += await receive(reader) as number;
  printed.push(`${sum} ${shown(await receive(reader))}`);
  printed.push((await reader.read()).length === 0 ? "True" : "False");
  writer.close();
  await writer.wait_closed();
  return printed;
}
