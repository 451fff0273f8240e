/**
 * The sources that a `StreamReader` can read beside a transport: streams of the host and iterables of chunks.
 *
 * @module
 */

import type { AbstractEventLoop } from "./core/events.ts";
import { wrap_future } from "./core/futures.ts";
import type { Bytes } from "./internal/bytes.ts";
import { repr } from "./internal/format_helpers.ts";
import { ReadTransport } from "./core/transports.ts";
import type { BaseProtocol } from "./core/protocols.ts";
import { RuntimeError } from "./core/exceptions.ts";

/**
 * The sources that {@linkcode StreamReader.from} reads: a `ReadableStream`, or anything that can be iterated, of
 * chunks of bytes.
 *
 * @category Streams
 */
export type ByteSource = ReadableStream<Uint8Array> | AsyncIterable<Bytes> | Iterable<Bytes>;

interface Source {
  next(): PromiseLike<IteratorResult<Bytes, unknown>> | IteratorResult<Bytes, unknown>;
  close(): unknown;
}

// Not every browser's ReadableStream can be iterated.
function open_source(source: ByteSource): Source {
  if (typeof (source as ReadableStream | null)?.getReader === "function") {
    const reader = (source as ReadableStream<Uint8Array>).getReader();
    return {
      next: () => reader.read() as Promise<IteratorResult<Uint8Array, unknown>>,
      close: () => reader.cancel(),
    };
  }
  const iterable = source as Partial<AsyncIterable<Bytes> & Iterable<Bytes>> | null | undefined;
  const iterator = iterable?.[Symbol.asyncIterator]?.() ?? iterable?.[Symbol.iterator]?.();
  if (iterator === undefined || typeof source === "string" || source instanceof Uint8Array) {
    throw new TypeError(
      "Cannot read from a source: expected a ReadableStream, or an iterable of Uint8Array: " +
        `received ${repr(source)}`,
    );
  }
  return { next: () => iterator.next(), close: () => iterator.return?.() };
}

/** Receives the chunks of a source. */
interface SourceListener {
  data(chunk: Bytes): void;
  end(): void;
  error(error: unknown): void;
}

/** Takes chunks from a source, one per request. */
export class SourceTransport extends ReadTransport {
  readonly #source: Source;
  readonly #loop: AbstractEventLoop;
  readonly #listener: SourceListener;
  #is_pulling = false;
  #closed = false;

  constructor(source: ByteSource, loop: AbstractEventLoop, listener: SourceListener) {
    super();
    this.#source = open_source(source);
    this.#loop = loop;
    this.#listener = listener;
  }

  /** Requests a chunk, unless one is on its way: a read that was cancelled may have requested it. */
  pull(): void {
    if (this.#is_pulling || this.#closed) return;
    this.#is_pulling = true;
    // In a future of the loop, so that the loop counts a wait for the host.
    wrap_future(this.#pull(), { loop: this.#loop });
  }

  async #pull(): Promise<void> {
    try {
      const { done, value } = await this.#next();
      this.#is_pulling = false;
      if (this.#closed) return;
      if (done) this.#listener.end();
      else {
        this.#listener.data(value);
        if (value.length === 0) this.pull();
      }
    } catch (error) {
      this.#is_pulling = false;
      this.#listener.error(error);
    }
  }

  async #next(): Promise<IteratorResult<Bytes, unknown>> {
    return await this.#source.next();
  }

  override is_closing(): boolean {
    return this.#closed;
  }

  /** Closes the source. */
  override async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#source.close();
    this.#listener.end();
  }

  override is_reading(): boolean {
    return this.#is_pulling;
  }

  override pause_reading(): void {}

  override resume_reading(): void {}

  override set_protocol(_protocol: BaseProtocol): void {
    throw new RuntimeError("Cannot set a protocol: the reader reads from a source");
  }

  override get_protocol(): BaseProtocol {
    throw new RuntimeError("Cannot give a protocol: the reader reads from a source");
  }

  override toString(): string {
    return `<SourceTransport${this.#closed ? " closed" : ""}>`;
  }
}
