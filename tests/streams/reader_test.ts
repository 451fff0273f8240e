/** `StreamReader`: CPython's behaviour on random programs, and what CPython does not have. */

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import * as asyncio from "../../mod.ts";
import { VirtualClockEventLoop } from "../../testing.ts";
import goldens from "./conformance/goldens.json" with { type: "json" };
import { hash_trace } from "./conformance/goldens.ts";
import { run_program } from "./conformance/interpreter.ts";
import { make_program } from "./conformance/program.ts";
import { text } from "./places.ts";

Deno.test("StreamReader: random programs do as in CPython", async () => {
  for (const [seed, expected] of goldens.split(" ").entries()) {
    const trace = await run_program(make_program(seed), seed % 2 === 0);
    assertEquals(hash_trace(trace), expected, `seed ${seed}`);
  }
});

Deno.test("StreamReader: what is read has a buffer of its own", () =>
  asyncio.run(async () => {
    const reader = new asyncio.StreamReader();
    const given = new Uint8Array(20_000).fill(65);
    reader.feed_data(given);
    given.fill(66);
    reader.feed_data("line\nrest");
    reader.feed_eof();
    const parts = [
      await reader.read(1),
      await reader.readexactly(19_999),
      await reader.readline(),
      await reader.read(),
      await reader.read(5),
    ];
    for (const part of parts) {
      assertEquals(part.buffer.byteLength, part.byteLength);
      assertEquals(part.constructor, Uint8Array);
    }
    assertEquals(parts[1], new Uint8Array(19_999).fill(65));
    assertEquals(parts.slice(2).map(text), ["line\n", "rest", ""]);
  }));

Deno.test("StreamReader.feed_data: takes the UTF-8 of a string, and nothing else", () =>
  asyncio.run(async () => {
    const reader = new asyncio.StreamReader();
    reader.feed_data("é€");
    assertEquals(await reader.readexactly(5), new Uint8Array([0xc3, 0xa9, 0xe2, 0x82, 0xac]));
    assertThrows(() => reader.feed_data([1, 2] as never), TypeError, "received [1, 2]");
  }));

type Method = (this: Uint8Array, ...args: unknown[]) => unknown;

/** Resolves to the sum, over the calls of a method of arrays within `body`, of what `size` gives for a call. */
async function work_of(
  name: "indexOf" | "set",
  size: (array: Uint8Array, args: unknown[], result: unknown) => number,
  body: () => Promise<void>,
): Promise<number> {
  const prototype = Object.getPrototypeOf(Uint8Array.prototype) as Record<string, Method>;
  const method = prototype[name]!;
  let work = 0;
  prototype[name] = function (...args) {
    const result = method.apply(this, args);
    work += size(this, args, result);
    return result;
  };
  try {
    await body();
  } finally {
    prototype[name] = method;
  }
  return work;
}

Deno.test("StreamReader: of 100,000 small chunks each byte is copied a few times", () =>
  asyncio.run(async () => {
    const copied = await work_of(
      "set",
      (_, [source]) => (source as Uint8Array).length,
      async () => {
        const reader = new asyncio.StreamReader({ limit: 2 ** 30 });
        const chunk = new Uint8Array(10);
        for (let i = 0; i < 100_000; i++) reader.feed_data(chunk);
        reader.feed_eof();
        for (let n = 0; n < 10; n++) {
          assertEquals((await reader.readexactly(99_999)).length, 99_999);
        }
        assertEquals((await reader.read()).length, 10);
      },
    );
    assert(copied >= 1_000_000, `${copied}`);
    assert(copied < 4_000_000, `${copied}`);
  }));

Deno.test("StreamReader.readuntil: a separator that comes late is found without reading all anew", () =>
  asyncio.run(async () => {
    const scan = (array: Uint8Array, [, from = 0]: unknown[], result: unknown) =>
      (result === -1 ? array.length : result as number) - (from as number);
    const scanned = await work_of("indexOf", scan, async () => {
      const reader = new asyncio.StreamReader({ limit: 2 ** 30 });
      const task = asyncio.create_task(reader.readuntil(["--end--", "--END--"]));
      await asyncio.sleep(0);
      for (let i = 0; i < 3000; i++) {
        reader.feed_data("x".repeat(500));
        await asyncio.sleep(0);
      }
      reader.feed_data("--EN");
      await asyncio.sleep(0);
      reader.feed_data("D--rest");
      assertEquals((await task).length, 1_500_007);
      assertEquals(text(await reader.read(10)), "rest");
    });
    // For each separator no more than a block of 16 KiB at a time; all anew, it would be 4.5 GB.
    assert(scanned >= 1_500_000, `${scanned}`);
    assert(scanned < 2 * 3002 * 16_384, `${scanned}`);
  }));

Deno.test("StreamReader: a cancelled read leaves all bytes for the next one", () =>
  asyncio.run(async () => {
    const reader = new asyncio.StreamReader();
    const reads = [
      () => reader.readline(),
      () => reader.readexactly(10),
      () => reader.readuntil("\r\n"),
    ];
    for (const read of reads) {
      const task = asyncio.create_task(read());
      await asyncio.sleep(0);
      reader.feed_data("ab");
      await asyncio.sleep(0);
      // It is woken and cancelled in the same turn.
      reader.feed_data("c");
      task.cancel();
      await assertRejects(async () => await task, asyncio.CancelledError);
    }
    assertEquals(text(await reader.read(100)), "abcabcabc");
  }));

Deno.test("StreamReader[Symbol.asyncIterator]: calls of next() take lines in order, whether they wait or not", () =>
  asyncio.run(async () => {
    const reader = new asyncio.StreamReader();
    const lines = reader[Symbol.asyncIterator]();
    reader.feed_data("1\n");
    assertEquals(text((await lines.next()).value!), "1\n");
    const waiting = lines.next();
    reader.feed_data("2\n3\n4\n");
    const later = [lines.next(), lines.next()];
    assertEquals(text((await waiting).value!), "2\n");
    for (const [i, step] of later.entries()) {
      assertEquals(text((await step).value!), `${i + 3}\n`);
    }
    reader.feed_data("over the end of a chunk");
    reader.feed_data(`${"x".repeat(5_000)}\nrest`);
    reader.feed_eof();
    assertEquals((await lines.next()).value!.length, 5_024);
    assertEquals(text((await lines.next()).value!), "rest");
    assertEquals(await lines.next(), { done: true, value: undefined });
  }));

Deno.test("StreamReader[Symbol.asyncIterator]: lines that are there are taken without a switch, by a cancelled task, too", () =>
  asyncio.run(async () => {
    const reader = new asyncio.StreamReader();
    reader.feed_data("1\n2\n3\n4\n");
    const seen: string[] = [];
    const task: asyncio.Task<void> = asyncio.create_task(async () => {
      for await (const line of reader) {
        seen.push(text(line));
        if (seen.length === 2) task.cancel();
      }
    });
    asyncio.get_running_loop().call_soon(() => seen.push("callback"));
    await assertRejects(async () => await task, asyncio.CancelledError);
    // As in Python, the cancellation is thrown where the task has to wait.
    assertEquals(seen, ["1\n", "2\n", "3\n", "4\n", "callback"]);
  }));

Deno.test("StreamReader[Symbol.asyncIterator]: takes lines by the methods of a subclass, and has the reader's error", () =>
  asyncio.run(async () => {
    class Upper extends asyncio.StreamReader {
      override readline(): asyncio.Coroutine<Uint8Array> {
        const line = super.readline();
        return asyncio.coroutine(function* () {
          return new TextEncoder().encode(text(yield* line).toUpperCase());
        })();
      }
    }
    const reader = new Upper({ limit: 4 });
    reader.feed_data("one\ntoo long\ntwo\n");
    const lines = reader[Symbol.asyncIterator]();
    assertEquals(text((await lines.next()).value!), "ONE\n");
    const plain = new asyncio.StreamReader({ limit: 4 });
    plain.feed_data("too long\ntwo\n");
    const steps = plain[Symbol.asyncIterator]();
    await assertRejects(
      () => steps.next(),
      asyncio.ValueError,
      "Separator is found, but chunk is longer than limit",
    );
    assertEquals(text((await steps.next()).value!), "two\n");
    plain.feed_data("one\n");
    plain.set_exception(new Error("broken"));
    await assertRejects(() => steps.next(), Error, "broken");
  }));

Deno.test("StreamReader[Symbol.asyncIterator]: the transport is resumed once the buffer is below the limit", () =>
  asyncio.run(async () => {
    const calls: string[] = [];
    class Source extends asyncio.ReadTransport {
      override pause_reading(): void {
        calls.push("pause");
      }
      override resume_reading(): void {
        calls.push("resume");
      }
    }
    const reader = new asyncio.StreamReader({ limit: 8 });
    reader.set_transport(new Source());
    reader.feed_data("1234567\n".repeat(3));
    assertEquals(calls, ["pause"]);
    const lines = reader[Symbol.asyncIterator]();
    await lines.next();
    assertEquals(calls, ["pause"]);
    await lines.next();
    assertEquals(calls, ["pause", "resume"]);
  }));

Deno.test("StreamReader.feed_data: all is buffered if the transport cannot pause, as in CPython", () =>
  asyncio.run(async () => {
    for (const Base of [asyncio.ReadTransport, asyncio.Transport]) {
      class Source extends (Base as typeof asyncio.ReadTransport) {}
      const reader = new asyncio.StreamReader({ limit: 2 });
      reader.set_transport(new Source());
      reader.feed_data("1234567");
      reader.feed_data("8");
      assertEquals(text(await reader.read(20)), "12345678");
    }
  }));

Deno.test("StreamReader: wrong limits and numbers are named", () =>
  asyncio.run(async () => {
    assertThrows(() => new asyncio.StreamReader({ limit: 0 }), asyncio.ValueError, "<= 0");
    assertThrows(
      () => new asyncio.StreamReader({ limit: "1" as never }),
      TypeError,
      "received '1'",
    );
    const reader = new asyncio.StreamReader();
    await assertRejects(async () => await reader.read(1.5), TypeError, "received 1.5");
    await assertRejects(async () => await reader.readexactly(null as never), TypeError, "null");
    await assertRejects(async () => await reader.readuntil(1 as never), TypeError, "received 1");
  }));

Deno.test("StreamReader.from: reads a ReadableStream, and closes it", () =>
  asyncio.run(async () => {
    let pulled = 0;
    let cancelled = false;
    const stream = new ReadableStream<Uint8Array>({
      pull(controller) {
        controller.enqueue(new TextEncoder().encode(`line ${++pulled}\n`));
      },
      cancel() {
        cancelled = true;
      },
    }, { highWaterMark: 0 });
    {
      await using reader = asyncio.StreamReader.from(stream);
      assertEquals(pulled, 0);
      assertEquals(text(await reader.readline()), "line 1\n");
      assertEquals(text(await reader.readline()), "line 2\n");
      await asyncio.sleep(0.001);
      assertEquals(pulled, 2);
    }
    assert(cancelled);
  }));

Deno.test("StreamReader.from: reads iterables, and has their errors", () =>
  asyncio.run(async () => {
    const words = asyncio.StreamReader.from(["one\ntw", "o\n", new Uint8Array(0), "three"]);
    const lines: string[] = [];
    for await (const line of words) lines.push(text(line));
    assertEquals(lines, ["one\n", "two\n", "three"]);
    const failing = asyncio.StreamReader.from((async function* () {
      yield "one\n";
      await asyncio.sleep(0.001);
      throw new asyncio.ValueError("broken");
    })());
    assertEquals(text(await failing.readline()), "one\n");
    await assertRejects(async () => await failing.readline(), asyncio.ValueError, "broken");
    const wrong = asyncio.StreamReader.from([1] as never);
    await assertRejects(async () => await wrong.readline(), TypeError, "received 1");
    assertThrows(() => asyncio.StreamReader.from("text" as never), TypeError, "received 'text'");
    assertThrows(() => asyncio.StreamReader.from(null as never), TypeError, "received null");
  }));

Deno.test("StreamReader.from: a cancelled read loses no chunk", async () => {
  // On the virtual clock, which waits for the host.
  await asyncio.run(async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const reader = asyncio.StreamReader.from((async function* () {
      await promise;
      yield "chunk";
    })());
    const task = asyncio.create_task(reader.read(10));
    await asyncio.sleep(0);
    task.cancel();
    await assertRejects(async () => await task, asyncio.CancelledError);
    resolve();
    assertEquals(text(await reader.read(10)), "chunk");
    assertEquals(text(await reader.read(10)), "");
  }, { loop_factory: () => new VirtualClockEventLoop() });
});
