/**
 * Streams of the host that go in one direction, as endpoints.
 *
 * @module
 */

import { type Bytes, own_bytes, to_bytes } from "../internal/bytes.ts";
import type { Endpoint, EndpointListener } from "./endpoints.ts";
import { copy_bytes, type Emitter, type HostListener } from "./sockets.ts";

/**
 * As much of a `Readable` of Node.js as is used.
 *
 * @category Transports and protocols
 */
export interface HostReadable extends Emitter {
  /** Stops the flow of data. */
  pause(): unknown;
  /** Begins the flow of data. */
  resume(): unknown;
  /**
   * Closes the stream.
   *
   * @param error why
   * @returns anything
   */
  destroy(error?: Error): unknown;
}

/**
 * As much of a `Writable` of Node.js as is used.
 *
 * @category Transports and protocols
 */
export interface HostWritable extends Emitter {
  /** How many bytes are buffered. */
  readonly writableLength: number;
  /** True if the pipe is closed. */
  readonly destroyed: boolean;
  /**
   * Writes bytes.
   *
   * @param data the bytes
   * @param callback called when they are written, with an error if they cannot be
   * @returns false if the buffer is full
   */
  write(data: Uint8Array, callback: (error?: unknown) => void): boolean;
  /**
   * Ends the stream after what was written.
   *
   * @param callback called when it has ended
   * @returns anything
   */
  end(callback?: () => void): unknown;
  /**
   * Closes the stream at once.
   *
   * @param error why
   * @returns anything
   */
  destroy(error?: Error): unknown;
}

/** The facts by which a stream of Node.js tells that it has ended. */
interface EndedStream {
  readonly destroyed?: boolean;
  readonly readableEnded?: boolean;
  readonly errored?: unknown;
}

abstract class PipeEndpoint implements Endpoint {
  readonly extra: Record<string, unknown>;
  protected _listener: EndpointListener | null = null;
  protected _closed = false;
  #over = false;

  constructor(pipe: unknown) {
    this.extra = { pipe };
  }

  listen(listener: EndpointListener): void {
    this._listener = listener;
  }

  protected _fail(error: unknown): void {
    if (this.#over || this._closed) return;
    this.#over = true;
    this._listener?.on_error(error);
  }

  protected _finish(): void {
    if (this.#over || this._closed) return;
    this.#over = true;
    this._listener?.on_end();
  }

  /** Notes an end, or an error, that came before anything listened, of which the stream says nothing more. */
  protected _check_end(is_over: boolean | undefined, error: unknown): void {
    if (error) this._fail(error);
    else if (is_over) this._finish();
  }

  protected _receive(chunk: unknown): void {
    let bytes: Uint8Array;
    try {
      bytes = own_bytes(to_bytes(chunk as Bytes, "read from a pipe"));
    } catch (error) {
      this._fail(error);
      return;
    }
    this._listener?.on_data(bytes);
  }

  write(_data: Uint8Array, _may_change: boolean): void {}
  pending(): number {
    return 0;
  }
  end(): void {}
  pause(): void {}
  resume(): void {}
  abstract close(): void;
  abstract abort(): void;
}

class ReadableEndpoint extends PipeEndpoint {
  readonly #pipe: HostReadable;
  #paused = true;

  constructor(pipe: HostReadable) {
    super(pipe);
    this.#pipe = pipe;
    const on_data = (chunk: unknown) => {
      if (this._closed) return;
      // At the end of a process hosts resume its pipes.
      if (this.#paused) pipe.pause();
      this._receive(chunk);
    };
    pipe.on("data", on_data);
    pipe.on("end", () => this._finish());
    pipe.on("close", () => this._finish());
    pipe.on("error", ((error: unknown) => this._fail(error)) as HostListener);
    pipe.pause();
  }

  override listen(listener: EndpointListener): void {
    super.listen(listener);
    const { destroyed, readableEnded, errored } = this.#pipe as EndedStream;
    this._check_end(destroyed || readableEnded, errored);
  }

  override pause(): void {
    this.#paused = true;
    this.#pipe.pause();
  }

  override resume(): void {
    this.#paused = false;
    this.#pipe.resume();
  }

  override close(): void {
    this._closed = true;
    this.#pipe.destroy();
  }

  override abort(): void {
    this.close();
  }
}

class WritableEndpoint extends PipeEndpoint {
  readonly #pipe: HostWritable;
  #unsent = 0;
  // Bun counts nothing in `writableLength` of a process's pipe.
  #uncounted = 0;

  constructor(pipe: HostWritable) {
    super(pipe);
    this.#pipe = pipe;
    pipe.on("error", ((error: unknown) => this._fail(error)) as HostListener);
    // The reader has closed the pipe: what is written from now on fails.
    pipe.on("close", () => this._finish());
  }

  override listen(listener: EndpointListener): void {
    super.listen(listener);
    const { destroyed, errored } = this.#pipe as EndedStream;
    this._check_end(destroyed, errored);
  }

  override write(data: Uint8Array, may_change: boolean): void {
    this.#unsent += data.length;
    let uncounted = 0;
    let is_written = false;
    const taken = this.#pipe.write(may_change ? copy_bytes(data) : data, (error) => {
      // Once it is destroyed, hosts call this for data that was not sent, some of them without an error.
      if (this.#pipe.destroyed || (error !== null && error !== undefined)) return;
      is_written = true;
      this.#unsent -= data.length;
      this.#uncounted -= uncounted;
      if (!this._closed) this._listener?.on_written();
    });
    if (!taken && !is_written && this.#pipe.writableLength === 0) {
      uncounted = data.length;
      this.#uncounted += uncounted;
    }
  }

  override pending(): number {
    return this.#pipe.destroyed ? this.#unsent : this.#pipe.writableLength + this.#uncounted;
  }

  override close(): void {
    this._closed = true;
    if (!this.#pipe.destroyed) this.#pipe.end();
  }

  override abort(): void {
    this._closed = true;
    this.#pipe.destroy();
  }
}

class ReadableStreamEndpoint extends PipeEndpoint {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  #reading = false;
  #paused = true;

  constructor(pipe: ReadableStream<Uint8Array>) {
    super(pipe);
    this.#reader = pipe.getReader();
  }

  override pause(): void {
    this.#paused = true;
  }

  override resume(): void {
    this.#paused = false;
    if (!this.#reading) this.#read();
  }

  async #read(): Promise<void> {
    this.#reading = true;
    try {
      while (!this.#paused && !this._closed) {
        const { done, value } = await this.#reader.read();
        if (done) return this._finish();
        if (!this._closed) this._receive(value);
      }
    } catch (error) {
      this._fail(error);
    } finally {
      this.#reading = false;
    }
  }

  override close(): void {
    this._closed = true;
    this.#reader.cancel().catch(() => {});
  }

  override abort(): void {
    this.close();
  }
}

class WritableStreamEndpoint extends PipeEndpoint {
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  #pending = 0;

  constructor(pipe: WritableStream<Uint8Array>) {
    super(pipe);
    this.#writer = pipe.getWriter();
    this.#writer.closed.then(() => this._finish(), (error) => this._fail(error));
  }

  override write(data: Uint8Array, may_change: boolean): void {
    this.#pending += data.length;
    this.#write(may_change ? new Uint8Array(data) : data);
  }

  async #write(data: Uint8Array): Promise<void> {
    try {
      await this.#writer.write(data); // Node.js 20 throws if the stream is closed
    } catch (error) {
      this._fail(error);
      return;
    }
    this.#pending -= data.length;
    if (!this._closed) this._listener?.on_written();
  }

  override pending(): number {
    return this.#pending;
  }

  override close(): void {
    this._closed = true;
    this.#writer.close().catch(() => {});
  }

  override abort(): void {
    this._closed = true;
    this.#writer.abort().catch(() => {});
  }
}

function is_web_stream(pipe: unknown, method: string): boolean {
  return typeof (pipe as Record<string, unknown> | null)?.[method] === "function";
}

/** The endpoint of a stream that is read; `null` if it is none. */
export function read_endpoint(pipe: unknown): Endpoint | null {
  if (is_web_stream(pipe, "getReader")) {
    return new ReadableStreamEndpoint(pipe as ReadableStream<Uint8Array>);
  }
  return is_web_stream(pipe, "on") && is_web_stream(pipe, "resume")
    ? new ReadableEndpoint(pipe as HostReadable)
    : null;
}

/** The endpoint of a stream that is written; `null` if it is none. */
export function write_endpoint(pipe: unknown): Endpoint | null {
  if (is_web_stream(pipe, "getWriter")) {
    return new WritableStreamEndpoint(pipe as WritableStream<Uint8Array>);
  }
  return is_web_stream(pipe, "on") && is_web_stream(pipe, "write")
    ? new WritableEndpoint(pipe as HostWritable)
    : null;
}
