/** The chat server as a program of its own, which is ended by signals. */

import { assert, assertEquals } from "@std/assert";
import { fileURLToPath } from "node:url";
import * as asyncio from "../../mod.ts";
import { text } from "./places.ts";

Deno.test("examples/io: the chat server says goodbye on SIGTERM and SIGINT", () =>
  asyncio.run(async () => {
    const program = fileURLToPath(new URL("../../examples/io/chat_server.ts", import.meta.url));
    for (const signal of ["SIGTERM", "SIGINT"]) {
      await using server = await asyncio.create_subprocess_exec(
        Deno.execPath(),
        ...["run", "-A", "--no-check", program, "0"],
        { stdout: asyncio.subprocess.PIPE },
      );
      const began = text(await server.stdout!.readline());
      const [host, port] = JSON.parse(began.slice("Chat on ".length));
      const [reader, writer] = await asyncio.open_connection(host, port);
      assert(text(await reader.readline()).startsWith("Welcome, guest"));
      server.send_signal(signal);
      assertEquals(
        text(await reader.read()),
        "* The server is being shut down. Goodbye!\n",
      );
      writer.close();
      await writer.wait_closed();
      assertEquals(text(await server.stdout!.read()), "Shutting down\n");
      assertEquals(await server.wait(), 0);
    }
  }));
