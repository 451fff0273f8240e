// Messages between the nodes and clients of the store: a line of JSON there, and one back.

import * as asyncio from "../../mod.ts";

/** A message. */
export type Message = { readonly [name: string]: unknown };

const encode = (message: Message): string => `${JSON.stringify(message)}\n`;
const decode = (line: Uint8Array): Message => JSON.parse(new TextDecoder().decode(line));

/** Sends a message; returns the answer, or `null` if none came in time. */
export async function call(
  host: string,
  port: number,
  message: Message,
  limit: number,
): Promise<Message | null> {
  try {
    return await asyncio.async_with(asyncio.timeout(limit), async () => {
      const [reader, writer] = await asyncio.open_connection(host, port);
      try {
        writer.write(encode(message));
        const line = await reader.readline();
        return line.length === 0 ? null : decode(line);
      } finally {
        writer.close();
      }
    });
  } catch (error) {
    if (error instanceof asyncio.TimeoutError || error instanceof asyncio.OSError) return null;
    throw error;
  }
}

/** Answers messages at an address. */
export async function serve_messages(
  host: string,
  port: number,
  answer: (message: Message) => Promise<Message>,
): Promise<asyncio.Server> {
  return await asyncio.start_server(
    async (reader, writer) => {
      try {
        for await (const line of reader) {
          writer.write(encode(await answer(decode(line))));
          await writer.drain();
        }
      } catch (error) {
        if (!(error instanceof asyncio.OSError)) throw error; // the caller has given up
      } finally {
        writer.close();
      }
    },
    host,
    port,
  );
}
