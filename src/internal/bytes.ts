/**
 * Bytes: Python's `bytes` is a `Uint8Array`, and a string stands for its UTF-8.
 *
 * @module
 */

import { is_iterable, repr } from "./format_helpers.ts";

/**
 * A value accepted where Python takes bytes: a `Uint8Array`, or a string, which stands for its UTF-8.
 *
 * @category Streams
 */
export type Bytes = Uint8Array | string;

/** No bytes. */
export const NO_BYTES: Uint8Array = new Uint8Array(0);

// Deno loads its encodings at the first use.
let encoder: TextEncoder | null = null;

/**
 * Returns the bytes of an argument; `what` is the operation that the error says is impossible.
 *
 * A `Uint8Array` is returned as it is, a subclass of it too.
 */
export function to_bytes(data: Bytes, what: string): Uint8Array {
  if (data instanceof Uint8Array) return data;
  if (typeof data === "string") return (encoder ??= new TextEncoder()).encode(data);
  // Of another realm.
  if (Object.prototype.toString.call(data) === "[object Uint8Array]") return data;
  throw new TypeError(`Cannot ${what}: expected a Uint8Array or a string: received ${repr(data)}`);
}

/** Returns the bytes of each chunk; `what` is the operation that the error says is impossible. */
export function to_chunks(data: Iterable<Bytes>, what: string): Uint8Array[] {
  if (!is_iterable(data)) {
    throw new TypeError(
      `Cannot ${what}: expected an iterable of Uint8Array or strings: received ${repr(data)}`,
    );
  }
  return Array.from(data, (chunk) => to_bytes(chunk, what));
}

/** A plain `Uint8Array` of its own buffer: a copy, unless the chunk has one to itself already. */
export function own_bytes(chunk: Uint8Array): Uint8Array {
  const { buffer, byteLength } = chunk;
  if (buffer.byteLength !== byteLength) return new Uint8Array(chunk);
  return chunk.constructor === Uint8Array ? chunk : new Uint8Array(buffer);
}

/** All chunks as one. */
export function concat_bytes(chunks: readonly Uint8Array[]): Uint8Array {
  if (chunks.length === 1) return own_bytes(chunks[0]!);
  let length = 0;
  for (const chunk of chunks) length += chunk.length;
  const whole = new Uint8Array(length);
  let offset = 0;
  for (const chunk of chunks) {
    whole.set(chunk, offset);
    offset += chunk.length;
  }
  return whole;
}
