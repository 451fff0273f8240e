/** Runs programs for a `StreamReader` by this library; interpreter.py does the same by CPython. */

import * as asyncio from "../../../mod.ts";
import { VirtualClockEventLoop } from "../../../testing.ts";
import type { Program, Read } from "./program.ts";

/** What happened, in order. */
export type Trace = string[];

class Transport extends asyncio.ReadTransport {
  readonly #trace: Trace;

  constructor(trace: Trace) {
    super();
    this.#trace = trace;
  }

  override is_reading(): boolean {
    return true;
  }
  override pause_reading(): void {
    this.#trace.push("pause");
  }
  override resume_reading(): void {
    this.#trace.push("resume");
  }
  override is_closing(): boolean {
    return false;
  }
  override close(): void {}
  override set_protocol(): void {}
  override get_protocol(): asyncio.BaseProtocol {
    return new asyncio.BaseProtocol();
  }
  override toString(): string {
    return "transport";
  }
}

const decoder = new TextDecoder("latin1");

function short(data: Uint8Array): string {
  const text = decoder.decode(data);
  return text.length <= 80 ? text : `${text.slice(0, 20)}...${text.slice(-20)} ${text.length}`;
}

function show(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const name = error.constructor === Error ? "AssertionError" : error.name;
  const text = `${name}: ${error.message}`;
  if (error instanceof asyncio.IncompleteReadError) {
    return `${text} [${short(error.partial)}] ${error.expected}`;
  }
  return error instanceof asyncio.LimitOverrunError ? `${text} ${error.consumed}` : text;
}

class KeyError extends Error {
  override name = "KeyError";
}

function* read(reader: asyncio.StreamReader, what: Read): Generator<unknown, Uint8Array, unknown> {
  switch (what.read) {
    case "read":
      return yield* reader.read(what.n);
    case "readexactly":
      return yield* reader.readexactly(what.n);
    case "readline":
      return yield* reader.readline();
    case "readuntil": {
      const { separators } = what;
      return yield* reader.readuntil(separators.length === 1 ? separators[0]! : separators);
    }
    case "lines": {
      const lines: Uint8Array[] = [];
      while (lines.length < what.count) {
        const line = yield* reader.readline();
        if (line.length === 0) break;
        lines.push(line);
      }
      return new TextEncoder().encode(lines.map((line) => decoder.decode(line)).join("|"));
    }
  }
}

async function read_async(reader: asyncio.StreamReader, what: Read): Promise<Uint8Array> {
  switch (what.read) {
    case "read":
      return await reader.read(what.n);
    case "readexactly":
      return await reader.readexactly(what.n);
    case "readline":
      return await reader.readline();
    case "readuntil": {
      const { separators } = what;
      return await reader.readuntil(separators.length === 1 ? separators[0]! : separators);
    }
    case "lines": {
      const lines: Uint8Array[] = [];
      for await (const line of reader) {
        lines.push(line);
        if (lines.length === what.count) break;
      }
      return new TextEncoder().encode(lines.map((line) => decoder.decode(line)).join("|"));
    }
  }
}

function after_read(trace: Trace, number: number, what: Read, error: unknown): void {
  if (error instanceof asyncio.CancelledError) {
    trace.push(`${number} ${what.read} cancelled`);
    throw error;
  }
  trace.push(`${number} ${what.read} ${show(error)}`);
}

function* run_task(trace: Trace, number: number, reader: asyncio.StreamReader, reads: Read[]) {
  for (const what of reads) {
    try {
      trace.push(`${number} ${what.read} [${short(yield* read(reader, what))}]`);
    } catch (error) {
      after_read(trace, number, what, error);
    }
  }
}

async function run_task_async(
  trace: Trace,
  number: number,
  reader: asyncio.StreamReader,
  reads: Read[],
) {
  for (const what of reads) {
    try {
      trace.push(`${number} ${what.read} [${short(await read_async(reader, what))}]`);
    } catch (error) {
      after_read(trace, number, what, error);
    }
  }
}

const python = (value: boolean): string => value ? "True" : "False";

async function run_actions(program: Program, trace: Trace, is_async: boolean): Promise<void> {
  const reader = new asyncio.StreamReader({ limit: program.limit });
  if (program.transport) reader.set_transport(new Transport(trace));
  const tasks: asyncio.Task<void>[] = [];
  for (const action of program.actions) {
    try {
      switch (action.do) {
        case "feed":
          reader.feed_data(action.data);
          break;
        case "feed_many":
          for (let i = 0; i < action.times; i++) reader.feed_data(action.data);
          break;
        case "eof":
          reader.feed_eof();
          break;
        case "error":
          reader.set_exception(new KeyError("'broken'"));
          break;
        case "task": {
          const number = tasks.length;
          const { reads } = action;
          tasks.push(asyncio.create_task(
            is_async
              ? () => run_task_async(trace, number, reader, reads)
              : run_task(trace, number, reader, reads),
          ));
          break;
        }
        case "cancel":
          tasks[action.task % tasks.length]?.cancel();
          break;
        case "turns":
          for (let i = 0; i < action.count; i++) await asyncio.sleep(0);
      }
    } catch (error) {
      trace.push(`${action.do} ${show(error)}`);
    }
    trace.push(`${action.do} ${python(reader.at_eof())} ${python(reader.exception() === null)}`);
    const text = String(reader);
    if (!text.includes("waiter=") && reader.exception() === null) trace.push(text);
  }
  for (const task of tasks) task.cancel();
  await asyncio.gather(tasks, { return_exceptions: true });
  if (reader.exception() === null) {
    reader.feed_eof();
    trace.push(short(await reader.read()));
  }
}

/** The trace of a program, its tasks written as async functions or as generators. */
export async function run_program(program: Program, is_async: boolean): Promise<Trace> {
  const trace: Trace = [];
  await asyncio.run(() => run_actions(program, trace, is_async), {
    loop_factory: () => new VirtualClockEventLoop(),
  });
  return trace;
}
