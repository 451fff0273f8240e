/** What the tests of worker pools call in workers. */

import * as asyncio from "../../mod.ts";

/** Known to the tests by its name alone: a worker has its own. */
const user = new asyncio.ContextVar("user", { default: "nobody" });
const WORKER = crypto.randomUUID();
const log: unknown[] = [];

/** What the function `setup` was called with. */
let initial: unknown[] = [];

export const not_a_function = 1;

export class ParseError extends SyntaxError {
  constructor(message: string, readonly line: number) {
    super(message);
  }
}

export function setup(...args: unknown[]): void {
  initial = args;
}

export function initial_arguments(): unknown[] {
  return initial;
}

export function broken_setup(): void {
  throw new asyncio.ValueError("no such model");
}

export function add(a: number, b: number): number {
  return a + b;
}

export function nothing(): void {}

export async function double(n: number): Promise<number> {
  await Promise.resolve();
  if (n < 0) throw new RangeError(`negative: ${n}`);
  return n * 2;
}

export function echo<T>(value: T): T {
  return value;
}

/** Returns which worker it runs in. */
export function worker(): string {
  return WORKER;
}

export function note(value: unknown): void {
  log.push(value);
}

export function notes(): unknown[] {
  return log;
}

/** Sends "started" through a port, and returns what comes back. */
export function gate(port: MessagePort): Promise<unknown> {
  return new Promise((resolve) => {
    port.onmessage = ({ data }) => {
      port.close();
      resolve(data);
    };
    port.postMessage("started");
  });
}

/** As `gate`, but never lets anything else run once it has started. */
export function spin(port: MessagePort): void {
  port.postMessage("started");
  for (;;);
}

export function quit(code: number): Promise<never> {
  const { process } = globalThis as { process?: { exit(code: number): never } };
  if (process?.exit !== undefined) process.exit(code);
  globalThis.close();
  return new Promise(() => {});
}

export function crash(): Promise<never> {
  setTimeout(() => {
    throw new EvalError("crashed");
  }, 0);
  return new Promise(() => {});
}

export function reject_unseen(): Promise<never> {
  Promise.reject(new EvalError("unseen"));
  return new Promise(() => {});
}

export function use_up_memory(): never {
  const all: unknown[] = [];
  for (;;) all.push(Array.from({ length: 10_000 }, (_, index) => ({ index })));
}

/** Waits first, so that other parts of the host have the code that runs out of memory resumed. */
export async function use_up_memory_later(after: "microtask" | "timer" | "module"): Promise<never> {
  if (after === "microtask") await null;
  else if (after === "timer") await new Promise((resolve) => setTimeout(resolve, 1));
  else await import("data:text/javascript,");
  return use_up_memory();
}

export function* use_up_memory_in_parts(): Generator<number> {
  yield* Array(20).keys();
  use_up_memory();
}

export function make_function(): unknown {
  return () => 1;
}

export function size(bytes: Uint8Array): number {
  return bytes.length;
}

/** Returns whether its own copy is empty after it was sent back. */
let sent: Uint8Array = new Uint8Array();
export function send_back(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  sent = bytes;
  return asyncio.transfer(bytes);
}

export function size_left(): number {
  return sent.length;
}

export function get_user(): string {
  return user.get();
}

export async function get_user_later(): Promise<string> {
  await new Promise((resolve) => setTimeout(resolve, 0));
  return asyncio.run(async () => {
    await asyncio.sleep(0);
    return user.get();
  });
}

export function fail(kind: string): never {
  switch (kind) {
    case "parse":
      throw new ParseError("unexpected }", 7);
    case "timeout":
      throw new asyncio.TimeoutError("too slow");
    case "cancelled":
      throw new asyncio.CancelledError("why", 1);
    case "file":
      throw new asyncio.FileNotFoundError(2, "No such file or directory", { filename: "a.txt" });
    case "group":
      throw new asyncio.ExceptionGroup("several", [new TypeError("one"), new asyncio.QueueFull()]);
    case "aggregate":
      throw new AggregateError([new URIError("one"), "two"], "both");
    case "abort":
      throw new DOMException("stopped", "AbortError");
    case "cause": {
      const error = new Error("outer", { cause: new asyncio.LookupError("inner") });
      Object.assign(error, { code: 5, self: error, fn: () => {} });
      throw error;
    }
    case "text":
      throw "only text";
    case "function":
      throw () => 1;
  }
  throw new Error(kind);
}

export function* count(from: number, to: number): Generator<number> {
  try {
    for (let n = from; n < to; n++) yield n;
  } finally {
    log.push("closed");
  }
}

export async function* count_slowly(to: number): AsyncGenerator<number> {
  for (let n = 0; n < to; n++) {
    await Promise.resolve();
    yield n;
    log.push(n);
  }
  throw new RangeError("no more");
}

export async function* endless(): AsyncGenerator<string> {
  yield "first";
  await new Promise(() => {});
}
