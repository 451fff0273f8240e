/** Traces as pictures: what is in them. How they look in a browser is in playground/tests. */

import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { XMLParser, XMLValidator } from "fast-xml-parser";
import * as asyncio from "../mod.ts";
import { format_trace_svg, TraceRecorder, type TraceSVGOptions } from "../trace.ts";
import { crowd, everything, timeless, trace_of } from "./trace/programs.ts";

const draw = format_trace_svg;

/** All texts of a picture, in order; titles that are shown when one points at something are left out. */
function texts(svg: string): string[] {
  assertEquals(XMLValidator.validate(svg), true);
  return [...svg.matchAll(/<text[^>]*>([^<]*)<\/text>/g)].map(([, text]) => text!);
}

function count(svg: string, what: RegExp): number {
  return [...svg.matchAll(what)].length;
}

Deno.test("a picture is an SVG document of the width that was asked for", async () => {
  const svg = draw(await trace_of(everything), { width: 500 });
  const parser = new XMLParser({ ignoreAttributes: false });
  const root = parser.parse(svg).svg;
  assertEquals(root["@_xmlns"], "http://www.w3.org/2000/svg");
  assertEquals(root["@_width"], "500");
  assertEquals(root["@_role"], "img");
  assertEquals(root.title, "7 tasks in 1.2 s");
});

Deno.test("every task has a row with its name, whatever that is", async () => {
  const svg = draw(await trace_of(everything));
  assertEquals(count(svg, /data-task="/g), 7);
  for (const name of ["holder", "producer", "consumer", "fails early", "fails late"]) {
    assert(texts(svg).includes(name), name);
  }
  assertStringIncludes(svg, "a task with a rather long name &amp; &lt;strange&gt; characters");
});

Deno.test("waits and errors are written where there is room for them", async () => {
  const events = await trace_of(everything);
  const written = texts(draw(events));
  for (const text of ["sleep 0.7", "Lock.acquire", "RangeError('no good reason at all')"]) {
    assert(written.includes(text), text);
  }
  assertEquals(texts(draw(events, { width: 320 })).includes("Lock.acquire"), false);
});

Deno.test("the legend explains what is in the picture, and nothing else", async () => {
  const written = texts(draw(await trace_of(everything)));
  for (const text of ["sleeps", "waits for another", "wakes", "cancel() called", "error"]) {
    assert(written.includes(text), text);
  }
  const nap = async () => {
    asyncio.current_task()?.set_name("nap");
    await asyncio.sleep(1);
  };
  assertEquals(texts(draw(await trace_of(nap))), [
    "1 task in 1 s",
    "0 s",
    "200 ms",
    "400 ms",
    "600 ms",
    "800 ms",
    "1 s",
    "nap",
    "sleep 1",
    "runs",
    "sleeps",
    "result",
  ]);
});

Deno.test("a title of one's own", async () => {
  const svg = draw(await trace_of(asyncio.sleep(1)), { title: "A nap" });
  assertEquals(texts(svg)[0], "A nap");
});

Deno.test("where no time passes, the order of events takes its place", async () => {
  const svg = draw(await trace_of(timeless));
  assert(texts(svg).includes("No time passed: the numbers count what happened."));
  assert(count(svg, /class="running"/g) > 8);
});

Deno.test("thousands of tasks give a picture of a bounded size, with all of them in it", async () => {
  const events = await trace_of(crowd(5000));
  const svg = draw(events);
  assertEquals(texts(svg)[0], "5,001 tasks in 1 s");
  assertEquals(count(svg, /data-task="/g), 60);
  assert(texts(svg).includes("All 5,001 tasks are above; below, the first 60."));
  assert(texts(svg).includes("5,000"));
  assert(svg.length < 300_000, `${svg.length} characters`);
  assertEquals(count(draw(events, { max_rows: 7 }), /data-task="/g), 7);
});

Deno.test("a task with thousands of waits gives a picture of a bounded size", async () => {
  const svg = draw(
    await trace_of(async () => {
      for (let round = 0; round < 20_000; round++) await asyncio.sleep(0.001);
    }),
  );
  assert(svg.length < 500_000, `${svg.length} characters`);
});

Deno.test("tasks that did not end are drawn up to the last event", () => {
  const base = { task: 1, parent: null, loop: 1, loop_class: "EventLoop", coroutine: "main" };
  const svg = draw([
    { ...base, kind: "created", time: 1, name: "main" },
    { kind: "started", time: 1, task: 1 },
    { kind: "waits", time: 1, task: 1, wait: 1, on: "a future" },
    { ...base, kind: "created", time: 5, task: 2, name: "other" },
  ]);
  assertStringIncludes(svg, "waits: a future, from 0 s to 4 s");
  assertStringIncludes(svg, "main: main(), did not end");
});

Deno.test("a trace of nothing is a picture, too", () => {
  assertEquals(texts(draw([])), ["No tasks"]);
});

Deno.test("wrong options are errors that say what is wrong", () => {
  assertThrows(
    () => draw([], { width: 100 }),
    asyncio.ValueError,
    "Cannot draw a timeline: width must be at least 320: received 100",
  );
  assertThrows(
    () => draw(new TraceRecorder() as never),
    TypeError,
    "the events of a TraceRecorder",
  );
  assertThrows(() => draw([], { max_rows: -1 }), asyncio.ValueError, "max_rows");
  for (const name of ["title", "width", "max_rows"]) {
    assertThrows(() => draw([], { [name]: Symbol() }), TypeError, name);
  }
  assertThrows(() => draw([], { height: 1 } as TraceSVGOptions), TypeError, "'height'");
});
