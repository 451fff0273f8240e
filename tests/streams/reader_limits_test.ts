/** `StreamReader`: each way to read, at its edges: limits, ends, errors, and what is left, as in CPython's own tests. */

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import * as asyncio from "../../mod.ts";
import { text } from "./places.ts";
import { run } from "../virtual_time.ts";

/** A reader that has been given these pieces. */
function reader_of(
  pieces: readonly string[],
  options?: asyncio.StreamReaderOptions,
): asyncio.StreamReader {
  const reader = new asyncio.StreamReader(options);
  for (const piece of pieces) reader.feed_data(piece);
  return reader;
}

/** What a reader still has; nothing can be fed to it afterwards. */
async function rest(reader: asyncio.StreamReader): Promise<string> {
  reader.feed_eof();
  return text(await reader.read());
}

const LINES = "line1\nline2\nline3\n";

Deno.test("StreamReader.read: gives what is there, up to the number, whatever the lines and the limit", () =>
  run(async () => {
    const reader = reader_of(["line1", "line2"], { limit: 3 });
    assertEquals(text(await reader.read(0)), "");
    assertEquals(text(await reader.read(5)), "line1");
    assertEquals(text(await reader.read(100)), "line2");
    const waiting = asyncio.create_task(reader.read(30));
    await asyncio.sleep(1);
    reader.feed_data(LINES);
    assertEquals(text(await waiting), LINES);
    assertEquals(await rest(reader), "");
  }));

Deno.test("StreamReader.read: a negative number waits for the end and gives all", () =>
  run(async () => {
    const reader = new asyncio.StreamReader();
    const waiting = asyncio.create_task(reader.read(-1));
    for (const piece of ["chunk1\n", "chunk2"]) {
      await asyncio.sleep(1);
      reader.feed_data(piece);
    }
    await asyncio.sleep(1);
    assertEquals(waiting.done(), false);
    reader.feed_eof();
    assertEquals(text(await waiting), "chunk1\nchunk2");
  }));

Deno.test("StreamReader.read, readline: at the end they give nothing, and what waits is woken", () =>
  run(async () => {
    const reader = new asyncio.StreamReader();
    const waiting = asyncio.create_task(reader.read(1024));
    await asyncio.sleep(0);
    reader.feed_eof();
    assertEquals(text(await waiting), "");
    assertEquals(text(await reader.readline()), "");
    assertEquals(text(await reader.read(1)), "");
  }));

Deno.test("StreamReader.readline: joins the pieces of a line and leaves the next one", () =>
  run(async () => {
    const reader = reader_of(["chunk1 "]);
    const waiting = asyncio.create_task(reader.readline());
    await asyncio.sleep(0);
    for (const piece of ["chunk2 ", "chunk3 ", "\n chunk4"]) reader.feed_data(piece);
    assertEquals(text(await waiting), "chunk1 chunk2 chunk3 \n");
    assertEquals(await rest(reader), " chunk4");
  }));

Deno.test("StreamReader.readline: needs no wait for a line that is there, and read() goes on after it", () =>
  run(async () => {
    const reader = reader_of([LINES.slice(0, 6), LINES.slice(6)]);
    assertEquals(text(await reader.readline()), "line1\n");
    assertEquals(text(await reader.read(7)), "line2\nl");
    assertEquals(await rest(reader), "ine3\n");
  }));

Deno.test("StreamReader.readline: the last line need not end", () =>
  run(async () => {
    const reader = reader_of(["some data"]);
    reader.feed_eof();
    assertEquals(text(await reader.readline()), "some data");
  }));

const TOO_LONG: Readonly<Record<string, { limit: number; pieces: string[]; left: string }>> = {
  "a line that has ended is dropped, what follows is left": {
    limit: 3,
    pieces: ["li", "ne1\nline2\n"],
    left: "line2\n",
  },
  "a line without an end is dropped as far as it is there": {
    limit: 3,
    pieces: ["li", "ne1", "li"],
    left: "",
  },
  "a line of several pieces": {
    limit: 7,
    pieces: ["chunk1", "chunk2\n", "chunk3\n"],
    left: "chunk3\n",
  },
  "a line of one more than the limit": { limit: 7, pieces: ["12345678\n"], left: "" },
};

for (const [name, { limit, pieces, left }] of Object.entries(TOO_LONG)) {
  Deno.test(`StreamReader.readline: beyond the limit it throws a ValueError: ${name}`, () =>
    run(async () => {
      const reader = reader_of(pieces, { limit });
      await assertRejects(async () => await reader.readline(), asyncio.ValueError);
      assertEquals(await rest(reader), left);
    }));
}

Deno.test("StreamReader.readline: a line of exactly the limit is read", () =>
  run(async () => {
    const reader = reader_of(["1234567\n"], { limit: 7 });
    assertEquals(text(await reader.readline()), "1234567\n");
    assertEquals(await rest(reader), "");
  }));

Deno.test("StreamReader.readuntil: finds a separator wherever its pieces are cut", () =>
  run(async () => {
    const reader = new asyncio.StreamReader();
    const cut = [["QWEaa", "XYaa", "a"], ["QWEaa", "XYa", "aa"], ["aaa"], ["Xaaa"], [
      "XXX",
      "a",
      "a",
      "a",
    ]];
    for (const pieces of cut) {
      for (const piece of pieces) reader.feed_data(piece);
      assertEquals(text(await reader.readuntil("aaa")), pieces.join(""));
      assertEquals(String(reader), "<StreamReader>");
    }
    reader.feed_data("lineAAAxxx");
    assertEquals(text(await reader.readuntil("AAA")), "lineAAA");
    assertEquals(await rest(reader), "xxx");
  }));

Deno.test("StreamReader.readuntil: refuses an empty separator", () =>
  run(async () => {
    const reader = new asyncio.StreamReader();
    await assertRejects(async () => await reader.readuntil(""), asyncio.ValueError, "eparator");
  }));

Deno.test("StreamReader.readuntil: an end before the separator throws with all that was there", () =>
  run(async () => {
    const reader = reader_of(["some dataAA"]);
    reader.feed_eof();
    const error = await assertRejects(
      async () => await reader.readuntil("AAA"),
      asyncio.IncompleteReadError,
      "undefined expected bytes",
    );
    assertEquals([text(error.partial), error.expected], ["some dataAA", null]);
    assertEquals(text(await reader.read()), "");
  }));

Deno.test("StreamReader.readuntil: beyond the limit it throws and leaves all bytes, found or not", () =>
  run(async () => {
    const reader = reader_of(["some dataAA"], { limit: 3 });
    const read = async () => await reader.readuntil("AAA");
    const missing = await assertRejects(read, asyncio.LimitOverrunError, "not found");
    assertEquals(missing.consumed, "some data".length);
    reader.feed_data("A");
    const found = await assertRejects(read, asyncio.LimitOverrunError, "is found");
    assertEquals(found.consumed, "some data".length);
    assertEquals(await rest(reader), "some dataAAA");
  }));

Deno.test("StreamReader.readexactly: waits for all bytes, whatever the limit, and leaves the others", () =>
  run(async () => {
    const reader = new asyncio.StreamReader({ limit: 3 });
    const waiting = asyncio.create_task(reader.readexactly(2 * LINES.length));
    for (let n = 0; n < 3; n++) {
      await asyncio.sleep(1);
      reader.feed_data(LINES);
    }
    assertEquals(text(await waiting), LINES + LINES);
    assertEquals(await rest(reader), LINES);
  }));

Deno.test("StreamReader.readexactly: of nothing it does not wait, and less than nothing is refused", () =>
  run(async () => {
    const reader = new asyncio.StreamReader();
    assertEquals(text(await reader.readexactly(0)), "");
    reader.feed_data(LINES);
    await assertRejects(
      async () => await reader.readexactly(-1),
      asyncio.ValueError,
      "less than zero",
    );
    assertEquals(await rest(reader), LINES);
  }));

Deno.test("StreamReader.readexactly: an end before that throws with what was there and what was missing", () =>
  run(async () => {
    const reader = new asyncio.StreamReader();
    const waiting = asyncio.create_task(reader.readexactly(36));
    await asyncio.sleep(0);
    reader.feed_data(LINES);
    reader.feed_eof();
    const error = await assertRejects(
      async () => await waiting,
      asyncio.IncompleteReadError,
      "18 bytes read on a total of 36 expected bytes",
    );
    assertEquals([text(error.partial), error.expected], [LINES, 36]);
    assertEquals(text(await reader.read()), "");
  }));

Deno.test("StreamReader.at_eof: is true when the end was fed and nothing is left to read", () =>
  run(async () => {
    const reader = new asyncio.StreamReader();
    assertEquals(reader.at_eof(), false);
    reader.feed_data("some data\n");
    await reader.readline();
    assertEquals(reader.at_eof(), false);
    reader.feed_data("some data\n");
    reader.feed_eof();
    assertEquals(reader.at_eof(), false);
    await reader.readline();
    assertEquals(reader.at_eof(), true);
  }));

Deno.test("StreamReader.set_exception: every read throws that very error, although bytes are left", () =>
  run(async () => {
    const reader = reader_of([LINES]);
    assertEquals([text(await reader.read(2)), reader.exception()], ["li", null]);
    const failure = new RangeError("the line is cut");
    reader.set_exception(failure);
    assertEquals(reader.exception(), failure);
    const reads = [
      () => reader.read(2),
      () => reader.readline(),
      () => reader.readexactly(2),
      () => reader.readuntil("\n"),
    ];
    for (const read of reads) {
      assert(await assertRejects(async () => await read(), RangeError) === failure);
    }
  }));

Deno.test("StreamReader.set_exception: wakes what waits, and does no harm after a cancellation", () =>
  run(async () => {
    const woken = new asyncio.StreamReader();
    const waiting = asyncio.create_task(woken.readline());
    await asyncio.sleep(0);
    woken.set_exception(new RangeError("now"));
    await assertRejects(async () => await waiting, RangeError, "now");

    const left = new asyncio.StreamReader();
    const cancelled = asyncio.create_task(left.readline());
    await asyncio.sleep(0);
    cancelled.cancel();
    await asyncio.sleep(0);
    left.set_exception(new RangeError("too late"));
    await asyncio.wait([cancelled]);
    assertEquals(cancelled.cancelled(), true);
  }));

Deno.test("StreamReader: a second read at the same time is refused", () =>
  run(async () => {
    const reader = new asyncio.StreamReader();
    const waiting = asyncio.create_task(reader.readline());
    await asyncio.sleep(0);
    await assertRejects(async () => await reader.read(1), asyncio.RuntimeError, "already waiting");
    reader.feed_data("line\n");
    assertEquals(text(await waiting), "line\n");
  }));

Deno.test("StreamReader.toString: shows bytes, the end, a limit, a waiter and an error", () =>
  run(async () => {
    assertEquals(String(reader_of([])), "<StreamReader>");
    assertEquals(String(reader_of(["data"])), "<StreamReader 4 bytes>");
    assertEquals(String(reader_of([], { limit: 123 })), "<StreamReader limit=123>");
    const reader = new asyncio.StreamReader();
    const waiting = asyncio.create_task(reader.read(1));
    await asyncio.sleep(0);
    assert(/^<StreamReader waiter=<Future pending[\S ]*>>$/.test(String(reader)), String(reader));
    reader.feed_eof();
    await waiting;
    assertEquals(String(reader), "<StreamReader eof>");
    const failed = new asyncio.StreamReader();
    failed.set_exception(new asyncio.RuntimeError());
    assertEquals(String(failed), "<StreamReader exception=RuntimeError()>");
    assertThrows(() => new asyncio.StreamReader({ limit: 0 }), asyncio.ValueError, "imit");
  }));

class Open extends asyncio.Transport {
  override is_closing(): boolean {
    return false;
  }
}

Deno.test("StreamWriter.drain: any number of tasks wait for the same buffer, and all resume", () =>
  run(async () => {
    const protocol = new asyncio.StreamReaderProtocol(new asyncio.StreamReader());
    const writer = new asyncio.StreamWriter(new Open(), protocol, null, asyncio.get_running_loop());
    protocol.pause_writing();
    const drained: number[] = [];
    const tasks = Array.from({ length: 10 }, (_, number) =>
      asyncio.create_task(async () => {
        await writer.drain();
        drained.push(number);
      }));
    await asyncio.sleep(1);
    assertEquals(drained, []);
    protocol.resume_writing();
    await asyncio.gather(tasks);
    assertEquals(drained, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  }));
