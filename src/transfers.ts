/**
 * Values that are moved to another thread instead of being copied.
 *
 * @module
 */

import { REGISTERED } from "./internal/error_kinds.ts";
import { repr } from "./internal/format_helpers.ts";

type Marks = WeakMap<object, Transferable[]>;

// Registered, since the program of a worker reads the marks of whichever copy its module uses.
const KEY = Symbol.for(`${REGISTERED}transfers`);

function find_marks(): Marks | undefined {
  return (globalThis as { [KEY]?: Marks })[KEY];
}

function make_marks(): Marks {
  const value: Marks = new WeakMap();
  Reflect.defineProperty(globalThis, KEY, { value, configurable: true, writable: true });
  return value;
}

/**
 * Marks a value to be moved, and not copied, the next time that it is an argument or the result of a call in
 * a {@linkcode WorkerPoolExecutor}.
 *
 * Moving takes the same time however large a buffer is; afterwards it is empty on the side that has sent
 * it. A view is moved with its whole buffer. An object that is given with a list is copied, and what is
 * in the list is moved.
 *
 * @param value the argument or result itself; what is inside of another one is not looked at
 * @param transferables the buffers, ports or streams in it that are moved; by default the value or its buffer
 * @returns the value
 * @throws {TypeError} if it is no object, or without a list neither transferable nor a view of a buffer
 * @category Executors
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * const pixels = new Uint8Array([1, 2, 3]);
 * assertEquals(asyncio.transfer(pixels), pixels);
 * const image = { width: 3, pixels };
 * assertEquals(asyncio.transfer(image, [image.pixels.buffer]), image);
 * ```
 */
export function transfer<T extends object>(
  value: T,
  transferables?: Iterable<Transferable>,
): T {
  if (typeof value !== "object" || value === null) {
    throw new TypeError(`Cannot transfer a value: an object is expected: received ${repr(value)}`);
  }
  (find_marks() ?? make_marks()).set(value, transferables ? [...transferables] : [own(value)]);
  return value;
}

function own(value: object): Transferable {
  if (ArrayBuffer.isView(value)) return value.buffer as ArrayBuffer;
  if (value instanceof ArrayBuffer) return value;
  const { constructor } = value as { constructor?: { name?: string } };
  const global = globalThis as unknown as Record<string, unknown>;
  if (TRANSFERABLE.some((name) => constructor?.name === name && global[name] === constructor)) {
    return value as Transferable;
  }
  throw new TypeError(
    `Cannot transfer a value: it is not transferable, name what is to be moved in a list: received ${
      repr(value)
    }`,
  );
}

const TRANSFERABLE = [
  "MessagePort",
  "ReadableStream",
  "WritableStream",
  "TransformStream",
  "ImageBitmap",
  "OffscreenCanvas",
  "VideoFrame",
  "AudioData",
];

/** Takes the marks off values that are sent now; returns what is to be moved, `undefined` for nothing. */
export function take_transfers(values: readonly unknown[]): Transferable[] | undefined {
  const marks = find_marks();
  if (marks === undefined) return undefined;
  let all: Transferable[] | undefined;
  for (const value of values) {
    if (typeof value !== "object" || value === null) continue;
    const transferables = marks.get(value);
    if (transferables === undefined) continue;
    marks.delete(value);
    (all ??= []).push(...transferables);
  }
  return all;
}
