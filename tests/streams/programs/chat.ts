/** A chat: each line is sent to all that are connected. */

import * as asyncio from "../../../mod.ts";

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes).trim();

/** Starts the server. */
export function serve(): asyncio.Coroutine<asyncio.Server> {
  const writers: asyncio.StreamWriter[] = [];

  async function broadcast(message: Uint8Array): Promise<void> {
    for (const writer of writers) writer.write(message);
    await asyncio.gather(writers.map((writer) => writer.drain()));
  }

  async function on_connect(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
  ): Promise<void> {
    writers.push(writer);
    while (!writer.is_closing()) {
      try {
        const message = await reader.readuntil("\n");
        asyncio.create_task(() => broadcast(message));
      } catch (error) {
        if (!(error instanceof asyncio.IncompleteReadError)) throw error;
        break;
      }
    }
    writers.splice(writers.indexOf(writer), 1);
    writer.close();
  }

  return asyncio.start_server(on_connect, "127.0.0.1", 0);
}

/** Runs the client; returns what it prints. */
export async function client(port: number): Promise<string[]> {
  const printed: string[] = [];
  const people: [asyncio.StreamReader, asyncio.StreamWriter][] = [];
  for (let number = 0; number < 3; number++) {
    people.push(await asyncio.open_connection("127.0.0.1", port));
    people.at(-1)![1].write(`${number} is here\n`);
    for (const [reader] of people) printed.push(text(await reader.readline()));
  }
  const [, leaving] = people.pop()!;
  leaving.close();
  await leaving.wait_closed();
  people[0]![1].write("one ");
  people[0]![1].write("has gone\nreally\n");
  for (const [reader] of people) {
    printed.push(`${text(await reader.readline())} ${text(await reader.readline())}`);
  }
  for (const [, writer] of people) {
    writer.close();
    await writer.wait_closed();
  }
  return printed;
}
