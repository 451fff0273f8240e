/** Traces in the Trace Event Format: what the format asks for, and that the picture is right. */

import { assert, assertEquals } from "@std/assert";
import * as asyncio from "../mod.ts";
import { VirtualClockEventLoop } from "../testing.ts";
import { format_trace_json, type TraceEvent, TraceRecorder } from "../trace.ts";
import { crowd, everything, timeless, trace_of } from "./trace/programs.ts";

interface JSONEvent {
  readonly name: string;
  readonly ph: string;
  readonly pid: number;
  readonly tid: number;
  readonly ts: number;
  readonly dur: number;
  readonly id: number;
  readonly bp?: string;
  readonly s?: string;
  readonly cat?: string;
  readonly args?: Readonly<Record<string, unknown>>;
}

function written(events: readonly TraceEvent[]): JSONEvent[] {
  const file = JSON.parse(format_trace_json(events));
  assertEquals(file.displayTimeUnit, "ms");
  return file.traceEvents;
}

// Times are written in microseconds with three decimals: compared in whole nanoseconds.
const nanoseconds = (microseconds: number) => Math.round(microseconds * 1000);

function is_at(event: JSONEvent, slice: JSONEvent): boolean {
  return slice.ph === "X" && slice.pid === event.pid && slice.tid === event.tid &&
    nanoseconds(slice.ts) <= nanoseconds(event.ts) &&
    nanoseconds(event.ts) < nanoseconds(slice.ts) + nanoseconds(slice.dur);
}

for (const [name, program] of Object.entries({ everything, timeless, crowd: crowd(50) })) {
  Deno.test(`every event of ${name} has what its phase must have`, async () => {
    const events = written(await trace_of(program));
    for (const event of events) {
      assertEquals(typeof event.name, "string");
      assert(Number.isInteger(event.pid), "pid");
      switch (event.ph) {
        case "M":
          assert(["process_name", "thread_name", "thread_sort_index"].includes(event.name));
          assertEquals(typeof event.args, "object");
          break;
        case "X":
          assert(event.dur > 0 && Number.isInteger(event.tid) && event.ts >= 0);
          break;
        case "i":
          assert(event.s === "t" && Number.isInteger(event.tid) && event.ts >= 0);
          break;
        case "s":
        case "f":
          assert(Number.isInteger(event.id) && Number.isInteger(event.tid) && event.ts >= 0);
          assertEquals([event.name, event.cat], ["wakes", "wake"]);
          break;
        default:
          throw new Error(`phase ${event.ph}`);
      }
    }
  });

  Deno.test(`the slices of a task of ${name} follow each other`, async () => {
    const ends = new Map<number, number>();
    for (const { ph, tid, ts, dur } of written(await trace_of(program))) {
      if (ph !== "X") continue;
      assertEquals(nanoseconds(ts), ends.get(tid) ?? nanoseconds(ts));
      ends.set(tid, nanoseconds(ts) + nanoseconds(dur));
    }
    assert(ends.size >= 3);
  });

  Deno.test(`every arrow of ${name} leads from a step to a later step`, async () => {
    const events = written(await trace_of(program));
    const starts = events.filter(({ ph }) => ph === "s");
    assert(starts.length > 0);
    for (const start of starts) {
      const ends = events.filter(({ ph, id }) => ph === "f" && id === start.id);
      assertEquals(ends.length, 1);
      const end = ends[0]!;
      assertEquals(end.bp, "e");
      assert(nanoseconds(end.ts) > nanoseconds(start.ts));
      for (const event of [start, end]) {
        assertEquals(events.filter((slice) => is_at(event, slice)).map(({ name }) => name), [
          "running",
        ]);
      }
    }
  });
}

Deno.test("each task is a thread with its name, each loop a process", async () => {
  const trace = new TraceRecorder();
  for (const Loop of [asyncio.EventLoop, VirtualClockEventLoop]) {
    const loop_factory = () => new Loop({ trace });
    await asyncio.run(async function main() {
      await asyncio.create_task(asyncio.sleep(0.001), { name: "nap" });
    }, { loop_factory });
  }
  const names = written(trace.events).filter(({ ph, name }) =>
    ph === "M" && name.endsWith("_name")
  );
  const shown = names.map(({ pid, tid, args }) => [pid, tid ?? null, args?.["name"]]);
  assertEquals(shown.filter(([, tid]) => tid === null), [
    [1, null, "EventLoop 1"],
    [2, null, "VirtualClockEventLoop 2"],
  ]);
  assertEquals(shown.filter(([, , name]) => name === "nap: sleep()").map(([pid]) => pid), [1, 2]);
});

Deno.test("waits, cancellations and ends are named", async () => {
  const events = written(await trace_of(everything));
  const names = new Set(events.map(({ name }) => name));
  for (
    const name of [
      "sleep 0.12",
      "Lock.acquire",
      "Queue.put",
      "Queue.__anext__",
      "running",
      "gather",
    ]
  ) {
    assert(names.has(name), name);
  }
  const marks = events.filter(({ ph }) => ph === "i").map(({ name }) => name);
  assertEquals(marks.filter((name) => name === "cancel requested").length, 2);
  assertEquals(marks.filter((name) => name === "cancel delivered").length, 2);
  const ends = events.flatMap(({ args }) => args?.["error"] ?? []);
  assertEquals(ends, Array(2).fill("RangeError('no good reason at all')"));
});

Deno.test("times are those of the loop, in microseconds", async () => {
  const events = written(await trace_of(() => asyncio.sleep(1.5)));
  const slice = events.find(({ name }) => name === "sleep 1.5");
  assertEquals(Math.round(slice?.dur ?? 0), 1_500_000);
});

Deno.test("a trace of nothing is a file, too", () => {
  assertEquals(written([]), []);
});
