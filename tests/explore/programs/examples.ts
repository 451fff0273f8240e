/** The connection pool, the chat server and the crawler's frontier. */

import { assert, assertEquals } from "@std/assert";
import { Frontier } from "../../../examples/crawler/frontier.ts";
import type { Target } from "../../../examples/crawler/page.ts";
import { ChatServer } from "../../../examples/io/chat_server.ts";
import { ConnectionPool } from "../../../examples/io/connection_pool.ts";
import * as asyncio from "../../../mod.ts";
import type { World } from "../../../testing.ts";
import type { Explored } from "./program.ts";

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

const pool: Explored = {
  name: "connection pool",
  options: {
    network: { latency: [0.01, 0.1] },
    faults: { cancel: 1, may_cancel: (task) => task.get_name().startsWith("user") },
  },
  async program(world: World) {
    const server = await asyncio.start_server(
      async (reader, writer) => {
        try {
          for await (const line of reader) writer.write(line);
        } catch (error) {
          if (!(error instanceof asyncio.ConnectionError)) throw error;
        } finally {
          writer.close();
        }
      },
      "server",
      80,
    );
    let open = 0;
    {
      await using pool = new ConnectionPool(async () => {
        const streams = await asyncio.open_connection("server", 80);
        open++;
        return streams;
      }, { max_size: 2, check_interval: 1 });
      let users = 0;
      world.always(() => users <= 2, "as many users as connections");
      const tasks = Array.from({ length: 4 }, (_, index) =>
        asyncio.create_task(async () => {
          await asyncio.sleep(index * world.choose([0, 0.5]));
          await pool.use(async ({ reader, writer }) => {
            users++;
            try {
              writer.write(`${index}\n`);
              // An answer to another is never read, even after a cancellation.
              assertEquals(text(await reader.readline()), `${index}\n`);
            } finally {
              users--;
            }
          });
        }, { name: `user ${index}` }));
      await asyncio.wait(tasks);
      for (const task of tasks) {
        if (!task.cancelled() && task.exception() !== null) throw task.exception();
      }
      assert(open <= 5, `${open} connections were opened`);
    }
    server.close();
    await server.wait_closed();
  },
};

const chat: Explored = {
  name: "chat server",
  options: { network: { latency: [0.01, 0.1] } },
  async program(world: World) {
    const chat = new ChatServer();
    await chat.start("chat", 6667);
    const talk = async (name: string) => {
      const [reader, writer] = await asyncio.open_connection("chat", 6667);
      await reader.readline();
      writer.write(`/nick ${name}\n`);
      for (let i = 0; i < 2; i++) writer.write(`${name} ${i}\n`);
      if (world.choose([false, true])) {
        world.network.reset(writer);
        return [];
      }
      writer.write("/quit\n");
      const lines = text(await reader.read()).split("\n");
      writer.close();
      await writer.wait_closed();
      return lines;
    };
    const heard = await asyncio.gather(...["ann", "ben", "cid"].map((name) => () => talk(name)));
    // What one says is heard in the order in which it was said.
    for (const lines of heard) {
      for (const name of ["ann", "ben", "cid"]) {
        const said = lines.flatMap((line) => line.match(new RegExp(`> ${name} (\\d)$`))?.[1] ?? []);
        assertEquals(said, said.toSorted());
      }
    }
    await chat.stop();
  },
};

const target = (path: string): Target => ({ url: `http://a.example/${path}`, depth: 0 }) as Target;

const frontier: Explored = {
  name: "crawler's frontier",
  options: { strict: true },
  async program() {
    const frontier = new Frontier([], [target("0")]);
    const visits: string[] = [];
    // A site in which each page links to two more and to the first.
    const links = (url: string) => {
      const number = Number(url.split("/").at(-1));
      return [2 * number + 1, 2 * number + 2, 0].filter((next) => next < 7).map(String).map(target);
    };
    const worker = async () => {
      for await (const found of frontier) {
        visits.push(found.url);
        await asyncio.from_promise(Promise.resolve()); // the download
        frontier.add(frontier.claim(links(found.url)));
        frontier.visited();
        frontier.done();
      }
    };
    const workers = Array.from({ length: 3 }, () => asyncio.create_task(worker));
    await frontier.join();
    frontier.close();
    await asyncio.wait(workers);
    assertEquals(visits.length, 7);
    assertEquals(new Set(visits).size, 7);
    assertEquals(frontier.size, 0);
  },
};

export const EXAMPLES: readonly Explored[] = [pool, chat, frontier];
