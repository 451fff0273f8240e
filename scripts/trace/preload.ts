/**
 * What `scripts/trace.ts` has run before the program: all loops that the program makes are recorded,
 * and when it ends, however it does, the events are written to a file.
 */

import * as asyncio from "../../mod.ts";
import { VirtualClockEventLoop } from "../../testing.ts";
import { set_default_trace, TraceRecorder } from "../../trace.ts";
import { EVENTS_FILE, VIRTUAL } from "./environment.ts";

const trace = new TraceRecorder();
set_default_trace(trace);
if (Deno.env.has(VIRTUAL)) asyncio.set_loop_factory(() => new VirtualClockEventLoop());

const file = Deno.env.get(EVENTS_FILE);
if (file === undefined) throw new Error(`${EVENTS_FILE} is not set: use deno task trace`);

function write_events(): void {
  Deno.writeTextFileSync(file as string, JSON.stringify(trace.events));
}

// An error that nothing catches ends the program without an unload.
for (const end of ["unload", "error", "unhandledrejection"]) addEventListener(end, write_events);
