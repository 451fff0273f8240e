/**
 * Runs one program, and reports what it writes, what its tasks do and how it ends.
 *
 * It is a worker so that a program that never ends can be stopped, whatever it does.
 */

import * as asyncio from "../../mod.ts";
import { set_default_trace, TraceRecorder } from "../../trace.ts";
import { type Body, compile, CompileError } from "./compile.ts";
import { host_modules } from "./host_modules.ts";
import { inspect } from "./inspect.ts";
import { make_console } from "./program_console.ts";
import type { ProgramError, Report, Request } from "./protocol.ts";
import { show_web_objects } from "./web_objects.ts";

/** How the program is called in stacks. */
const PROGRAM = "program.ts";

/** How often the events are sent, in milliseconds. */
const FLUSH_EVERY = 100;

/** A program that never ends would fill the memory. */
const MAX_EVENTS = 100_000;

const trace = new TraceRecorder();
set_default_trace(trace);
let events_sent = 0;

// The compiled files, by the addresses that stacks show.
const names = new Map<string, string>();

function report(message: Report): void {
  self.postMessage(message);
}

function send_events(): void {
  const events = trace.events.slice(0, MAX_EVENTS - events_sent);
  trace.clear();
  if (events.length === 0) return;
  events_sent += events.length;
  report({ kind: "events", events });
}

/** A text for a person: files by their names, and no frame of a stack that is not the program's. */
function readable(text: string): string {
  const lines: string[] = [];
  for (const line of text.split("\n")) {
    if (!line.includes(import.meta.url)) lines.push(line);
    // The properties of an error begin in the line of its last frame.
    else if (line.endsWith(" {") && lines.length > 0) lines.push(`${lines.pop()} {`);
  }
  let shown = lines.join("\n");
  for (const [address, name] of names) shown = shown.replaceAll(address, name);
  return shown;
}

show_web_objects();
Object.assign(
  console,
  make_console((text, is_error) => report({ kind: "output", is_error, text: readable(text) })),
);

function end(error: ProgramError | null): void {
  send_events();
  report({ kind: "ended", error });
}

// Where in the program an error was thrown; of several errors the first whose place is known.
function line_of(error: unknown): number | null {
  if (!(error instanceof Error)) return null;
  const line = new RegExp(`${PROGRAM}:(\\d+)`).exec(readable(error.stack ?? ""))?.[1];
  if (line !== undefined) return Number(line);
  const others = error instanceof AggregateError ? error.errors : [error.cause];
  return others.map(line_of).find((line) => line !== null) ?? null;
}

function describe(error: unknown): ProgramError {
  if (error instanceof CompileError) return { message: error.message, line: error.line };
  if (!(error instanceof Error)) return { message: `Uncaught ${inspect(error)}`, line: null };
  return { message: message_of(error), line: line_of(error) };
}

/** The message of an error, with those of the errors that it holds and of the one that led to it. */
function message_of(error: unknown): string {
  if (!(error instanceof Error)) return inspect(error);
  const parts = [`${error.name}: ${error.message}`.replace(/: $/, "")];
  if (error instanceof AggregateError) {
    for (const each of error.errors) parts.push(message_of(each).replaceAll(/^/gm, "  "));
  }
  if (error.cause !== undefined) parts.push(`Caused by: ${message_of(error.cause)}`);
  return parts.join("\n");
}

// A program ends when nobody catches an error, as it does elsewhere.
self.addEventListener("error", (event) => {
  event.preventDefault();
  end(describe(event.error));
});
self.addEventListener("unhandledrejection", (event) => {
  event.preventDefault();
  end(describe(event.reason));
});

async function compile_as(name: string, source: string): Promise<Body> {
  const { body, address } = await compile(source);
  names.set(address, name);
  return body;
}

async function run({ source, modules, virtual }: Request): Promise<void> {
  const loaded = host_modules(virtual);
  const require = (specifier: string): unknown => {
    const module = loaded.get(specifier);
    if (module !== undefined) return module;
    throw new Error(`There is no module "${specifier}" here`);
  };
  for (const [specifier, text] of Object.entries(modules)) {
    const exports = {};
    await (await compile_as(specifier, text))(require, exports);
    loaded.set(specifier, exports);
  }
  const body = await compile_as(PROGRAM, source);
  await body(require, {});
  // Tasks of the default loop go on by themselves.
  const loop = asyncio.get_event_loop();
  while (asyncio.all_tasks(loop).size > 0) {
    await asyncio.gather(asyncio.all_tasks(loop), { return_exceptions: true });
  }
}

self.addEventListener("message", ({ data }: MessageEvent<Request>) => {
  setInterval(send_events, FLUSH_EVERY);
  run(data).then(() => end(null), (error) => end(describe(error)));
});
