/**
 * Cancellation at any moment, on a network in memory: each operation leaves its object usable or closed, and
 * no byte is lost or seen twice.
 */

import { assert, assertEquals, assertInstanceOf, assertRejects } from "@std/assert";
import fc from "fast-check";
import * as asyncio from "../../mod.ts";
import { VirtualClockEventLoop, VirtualNetwork } from "../../testing.ts";
import { AUTHORITY, SERVER_CERTIFICATE, SERVER_KEY } from "./certificates.ts";
import { exchange_line } from "./places.ts";

const RUNS = 150;

// Times are multiples of it, so that cancellations and arrivals fall together.
const TICK = 0.125;

const ticks = fc.integer({ min: 0, max: 6 });

/** A call that is cancelled after so many ticks and turns of the loop, or is not. */
interface Limit {
  ticks: number;
  turns: number;
  is_cancelled: boolean;
}

const limit: fc.Arbitrary<Limit> = fc.record({
  ticks,
  turns: fc.integer({ min: 0, max: 3 }),
  is_cancelled: fc.boolean(),
});

const CANCELLED = Symbol("cancelled");

/** Runs an operation in a task of its own, which is cancelled if the limit says so. */
async function limited<T>(
  { ticks, turns, is_cancelled }: Limit,
  operation: () => PromiseLike<T>,
): Promise<T | typeof CANCELLED> {
  const task = asyncio.create_task(async () => await operation());
  if (is_cancelled) {
    if (ticks > 0) await asyncio.sleep(ticks * TICK);
    for (let i = 0; i < turns; i++) await asyncio.sleep(0);
    task.cancel();
  }
  await asyncio.wait([task]);
  return task.cancelled() ? CANCELLED : task.result();
}

function run(seed: number, main: (network: VirtualNetwork) => Promise<void>): Promise<void> {
  const network = new VirtualNetwork({ latency: [0, 2 * TICK], seed });
  return asyncio.run(() => main(network), {
    loop_factory: () => new VirtualClockEventLoop({ network }),
  });
}

function check<T>(
  arbitrary: fc.Arbitrary<T>,
  property: (value: T, seed: number) => Promise<void>,
): Promise<void> {
  return fc.assert(fc.asyncProperty(arbitrary, fc.nat(), property), { numRuns: RUNS });
}

/** So many bytes, in which each place can be told from its neighbours; a newline now and then. */
function stream_of(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => i % 11 === 10 ? 10 : 32 + i % 90);
}

async function send(
  writer: asyncio.StreamWriter,
  data: Uint8Array,
  chunks: readonly { size: number; wait: number }[],
): Promise<void> {
  let sent = 0;
  for (const { size, wait } of chunks) {
    writer.write(data.slice(sent, sent += size));
    if (wait > 0) await asyncio.sleep(wait * TICK);
  }
  writer.close();
}

type Read = { read: "read" | "exactly"; n: number } | { read: "all" | "line" | "until" };

const read: fc.Arbitrary<Read> = fc.oneof(
  fc.record({
    read: fc.constantFrom("read" as const, "exactly" as const),
    n: fc.integer({ min: 1, max: 40 }),
  }),
  fc.record({ read: fc.constantFrom("all" as const, "line" as const, "until" as const) }),
);

function read_once(reader: asyncio.StreamReader, what: Read): asyncio.Coroutine<Uint8Array> {
  switch (what.read) {
    case "read":
      return reader.read(what.n);
    case "exactly":
      return reader.readexactly(what.n);
    case "all":
      return reader.read();
    case "line":
      return reader.readline();
    case "until":
      return reader.readuntil(["+", "AB", "\n"]);
  }
}

Deno.test("StreamReader: cancelled at any moment, a read of any kind loses no byte", () =>
  check(
    fc.record({
      chunks: fc.array(fc.record({ size: fc.integer({ min: 1, max: 60 }), wait: ticks }), {
        minLength: 1,
        maxLength: 12,
      }),
      reads: fc.array(fc.tuple(read, limit), { maxLength: 20 }),
      limit: fc.constantFrom(8, 64, 65_536),
    }),
    ({ chunks, reads, limit }, seed) =>
      run(seed, async () => {
        const data = stream_of(chunks.reduce((sum, { size }) => sum + size, 0));
        await using _server = await asyncio.start_server(
          (_, writer) => send(writer, data, chunks),
          "server",
          7,
        );
        const [reader, writer] = await asyncio.open_connection("server", 7, { limit });
        const received: number[] = [];
        let is_skipped = false;
        for (const [what, when] of reads) {
          try {
            const bytes = await limited(when, () => read_once(reader, what));
            if (bytes !== CANCELLED) received.push(...bytes);
          } catch (error) {
            if (error instanceof asyncio.IncompleteReadError) received.push(...error.partial);
            // readline() skips a line that is too long.
            else if (error instanceof asyncio.ValueError) is_skipped = true;
            else assertInstanceOf(error, asyncio.LimitOverrunError);
          }
        }
        received.push(...await reader.read());
        if (!is_skipped) assertEquals(received, [...data]);
        writer.close();
        await writer.wait_closed();
      }),
  ));

Deno.test("StreamWriter.drain: cancelled at any moment, all that was written is sent", () =>
  check(
    fc.array(fc.tuple(fc.integer({ min: 1, max: 200_000 }), limit), {
      minLength: 1,
      maxLength: 6,
    }),
    (writes, seed) =>
      run(seed, async () => {
        const received = asyncio.get_running_loop().create_future<number>();
        await using _server = await asyncio.start_server(
          async (reader, writer) => {
            let size = 0;
            while (true) {
              const chunk = await reader.read(50_000);
              if (chunk.length === 0) break;
              size += chunk.length;
              await asyncio.sleep(TICK);
            }
            received.set_result(size);
            writer.close();
          },
          "server",
          7,
        );
        const [, writer] = await asyncio.open_connection("server", 7);
        for (const [size, when] of writes) {
          writer.write(new Uint8Array(size));
          await limited(when, () => writer.drain());
        }
        await writer.drain();
        writer.close();
        assertEquals(await received, writes.reduce((sum, [size]) => sum + size, 0));
        await writer.wait_closed();
      }),
  ));

Deno.test("open_connection, start_server, wait_closed: cancelled at any moment, nothing is left open", () =>
  check(
    fc.record({
      server: limit,
      clients: fc.array(
        fc.record({ open: limit, close: limit }),
        { maxLength: 5 },
      ),
      end: limit,
    }),
    ({ server: when, clients, end }, seed) =>
      run(seed, async (network) => {
        const start = () =>
          asyncio.start_server(
            async (reader, writer) => {
              writer.write(await reader.readline());
              writer.close();
              await writer.wait_closed();
            },
            "server",
            7,
          );
        const made = await limited(when, start);
        // What was cancelled has left the address free.
        const server = made === CANCELLED ? await start() : made;
        for (const { open, close } of clients) {
          const opened = await limited(open, () => asyncio.open_connection("server", 7));
          if (opened === CANCELLED) continue;
          const [reader, writer] = opened;
          writer.write("a line\n");
          writer.close();
          await limited(close, () => writer.wait_closed());
          await writer.wait_closed();
          assert(writer.is_closing());
          assertEquals((await reader.read()).length % 7, 0);
        }
        server.close();
        await limited(end, () => server.wait_closed());
        await server.wait_closed();
        await asyncio.sleep(10);
        assertEquals(String(network).match(/connections=.*(?=>)/)?.[0], "connections=0");
      }),
  ));

Deno.test("start_server: cancelled in the turn in which it begins to listen, it listens no more", () =>
  run(1, async () => {
    let cancelled = 0;
    for (let turns = 0;; turns++) {
      const port = 100 + turns;
      const task = asyncio.create_task(asyncio.start_server(() => {}, "server", port));
      for (let turn = 0; turn < turns; turn++) await asyncio.sleep(0);
      const is_done = task.done();
      task.cancel();
      await asyncio.wait([task]);
      if (is_done) {
        task.result().close();
        break;
      }
      cancelled++;
      await assertRejects(
        async () => await asyncio.open_connection("server", port),
        asyncio.ConnectionRefusedError,
      );
    }
    assert(cancelled > 2);
  }));

Deno.test("Server.serve_forever: cancelled at any moment, it is closed and loses no connection", () =>
  check(
    fc.record({ end: limit, clients: fc.array(ticks, { maxLength: 6 }) }),
    ({ end, clients }, seed) =>
      run(seed, async () => {
        let answered = 0;
        const server = await asyncio.start_server(
          async (reader, writer) => {
            writer.write(await reader.readline());
            writer.close();
            answered++;
          },
          "server",
          7,
        );
        const calls = clients.map((wait) =>
          asyncio.create_task(async () => {
            await asyncio.sleep(wait * TICK);
            try {
              return await exchange_line(["server", 7]);
            } catch (error) {
              assertInstanceOf(error, asyncio.ConnectionError);
              return 0;
            }
          })
        );
        let is_started = false;
        const forever = await limited({ ...end, is_cancelled: true }, async () => {
          is_started = true;
          return await server.serve_forever();
        });
        assertEquals(forever, CANCELLED);
        assertEquals(server.is_serving(), !is_started);
        server.close();
        const lengths = await asyncio.gather(calls);
        // Each was answered in full, or refused.
        assertEquals(lengths.filter((length) => length > 0), new Array(answered).fill(7));
      }),
  ));

Deno.test("StreamWriter.start_tls: cancelled at any moment, the connection is usable or closed", () =>
  fc.assert(
    fc.asyncProperty(limit, fc.nat(), (when, seed) =>
      run(seed, async () => {
        await using _server = await asyncio.start_server(
          async (_, writer) => {
            try {
              await writer.start_tls({ cert: SERVER_CERTIFICATE, key: SERVER_KEY });
              writer.write("hello");
            } catch (error) {
              assertInstanceOf(error, asyncio.OSError);
            }
            writer.close();
          },
          "server",
          7,
        );
        const [reader, writer] = await asyncio.open_connection("server", 7);
        let is_started = false;
        const outcome = await limited(when, async () => {
          is_started = true;
          await writer.start_tls({ ca: AUTHORITY }, { server_hostname: "localhost" });
        });
        if (outcome === CANCELLED) assertEquals(writer.is_closing(), is_started);
        else assertEquals(new TextDecoder().decode(await reader.read()), "hello");
        writer.close();
        try {
          await writer.wait_closed();
        } catch (error) {
          assertInstanceOf(error, asyncio.OSError);
        }
      })),
    { numRuns: 25 },
  ));
