/**
 * Streams: reading and writing connections by `await`, on top of transports and protocols.
 *
 * @module
 */

import {
  type Coroutine,
  is_generator,
  isawaitable,
  iscoroutinefunction,
  library_coroutine,
} from "./core/coroutines.ts";
import { running_scope } from "./core/current.ts";
import { next_moment } from "./core/scopes.ts";
import { begin_await } from "./core/steps.ts";
import { type Operation, Suspension } from "./core/suspensions.ts";
import type { Outcome } from "./core/awaits.ts";
import {
  IncompleteReadError,
  LimitOverrunError,
  RuntimeError,
  ValueError,
} from "./core/exceptions.ts";
import type { Future } from "./core/futures.ts";
import type { Task } from "./core/tasks.ts";
import { ByteQueue } from "./internal/byte_queue.ts";
import { type Bytes, concat_bytes, NO_BYTES, to_bytes } from "./internal/bytes.ts";
import { extract_stack, Inspectable, is_plain_object, repr } from "./internal/format_helpers.ts";
import { check_options, keyword_or_positional } from "./internal/options.ts";
import { note_methods } from "./internal/unbound.ts";
import { type AbstractEventLoop, get_event_loop, get_running_loop } from "./core/events.ts";
import { ConnectionResetError, OSError } from "./os_errors.ts";
import { Protocol } from "./core/protocols.ts";
import { type ByteSource, SourceTransport } from "./stream_sources.ts";
import {
  can_pause_reading,
  type ReadTransport,
  type Transport,
  type WriteTransport,
} from "./core/transports.ts";
import type {
  ConnectionOptions,
  NamedAddress,
  NamedPath,
  NamedPort,
  ServerOptions,
  SSLContext,
  TLSOptions,
  UnixConnectionOptions,
  UnixServerOptions,
} from "./core/connection_options.ts";
import {
  create_connection,
  create_server,
  create_unix_connection,
  create_unix_server,
  split_address,
  split_path,
} from "./connections.ts";
import type { Address } from "./host/endpoints.ts";
import type { Server } from "./servers.ts";
import { start_tls } from "./sslproto.ts";

const DEFAULT_LIMIT = 2 ** 16;

const NEWLINE_BYTE = 10;
const NEWLINE: Uint8Array = new Uint8Array([NEWLINE_BYTE]);
const NEWLINES: readonly Uint8Array[] = [NEWLINE];

type Wait = Suspension<unknown, unknown, unknown>;

interface Failure {
  readonly error: unknown;
}

// The errors with which waits end where what they wait for has failed.
const failures = new WeakMap<Wait, Failure>();

/** Ends a wait with an error. */
function fail(wait: Wait, error: unknown): void {
  if (!wait["_is_waiting"]()) return;
  failures.set(wait, { error });
  wait["_wake"]();
}

/** Ends a wait that is resumed; returns the error with which it ends, or `null`. */
function end_wait(wait: Wait, thrown: boolean, value: unknown): Failure | null {
  wait.cancel(); // if it was not woken: an error can be thrown into a waiter
  const error = wait["_error_of_wait"](thrown, value);
  return error === null ? failures.get(wait) ?? null : { error };
}

/** The search for a separator by one read. */
class Search {
  /** The separators, none of them empty, the shortest first. */
  readonly separators: readonly Uint8Array[];
  readonly shortest: number;
  readonly longest: number;
  /** Before it no separator begins. */
  offset: number;

  constructor(separators: readonly Uint8Array[]) {
    this.separators = separators;
    this.shortest = separators[0]!.length;
    this.longest = separators[separators.length - 1]!.length;
    this.offset = 0;
  }
}

type Separators = Bytes | readonly Bytes[];

function search_for(separator: Separators): Search {
  const separators = (Array.isArray(separator) ? separator : [separator])
    .map((one: Bytes) => to_bytes(one, "read until a separator"))
    .sort((a, b) => a.length - b.length);
  const [shortest] = separators;
  if (shortest === undefined) {
    throw new ValueError("Separator should contain at least one element");
  }
  if (shortest.length === 0) {
    throw new ValueError("Separator should be at least one-byte string");
  }
  return new Search(separators);
}

/** A read: it takes its result out of the buffer, or waits for more. */
interface ReadOperation<A> extends Operation<Uint8Array, StreamReader, A> {
  /** The method that an error names. */
  readonly method: string;
  /** Checks what must hold at the beginning; a result that needs no data is returned. */
  begin(reader: StreamReader, argument: A): Uint8Array | null;
  /** Returns the result; `null` if it has to wait. */
  take(
    reader: StreamReader,
    argument: A,
    wait: Suspension<Uint8Array, StreamReader, A>,
  ): Uint8Array | null;
  /** Puts back what was taken by a read that ends with an error. */
  put_back?(reader: StreamReader, argument: A): void;
}

function advance_read<A>(
  operation: ReadOperation<A>,
  wait: Suspension<Uint8Array, StreamReader, A>,
  thrown: boolean,
  value: unknown,
): Outcome {
  const reader = wait["_subject"];
  const argument = wait["_argument"];
  try {
    let result: Uint8Array | null = null;
    if (wait["_has_waited"]) {
      reader["_end_wait"]();
      const failure = end_wait(wait as Wait, thrown, value);
      if (failure !== null) throw failure.error;
    } else {
      if (thrown) return wait["_raise"](value);
      result = operation.begin(reader, argument);
    }
    result ??= operation.take(reader, argument, wait);
    if (result !== null) return wait["_return"](result);
    return reader["_wait_for_data"](wait as Wait, operation.method);
  } catch (error) {
    operation.put_back?.(reader, argument);
    return wait["_raise"](error);
  }
}

const READ: ReadOperation<number> = {
  name: "StreamReader.read",
  method: "read",
  advance: (wait, thrown, value) => advance_read(READ, wait, thrown, value),
  begin(reader, n) {
    reader["_check"]();
    check_count("read", n);
    return n === 0 ? NO_BYTES.slice() : null;
  },
  take: (reader, n, wait) => reader["_take_some"](n, wait["_has_waited"]),
};

const READ_ALL: ReadOperation<Uint8Array[]> = {
  name: "StreamReader.read",
  method: "read",
  advance: (wait, thrown, value) => advance_read(READ_ALL, wait, thrown, value),
  begin: () => null,
  take: (reader, blocks, wait) => reader["_take_to_end"](blocks, wait["_has_waited"]),
  put_back: (reader, blocks) => reader["_put_back"](blocks),
};

const READEXACTLY: ReadOperation<number> = {
  name: "StreamReader.readexactly",
  method: "readexactly",
  advance: (wait, thrown, value) => advance_read(READEXACTLY, wait, thrown, value),
  begin(reader, n) {
    check_count("readexactly", n);
    if (n < 0) throw new ValueError("readexactly size can not be less than zero");
    reader["_check"]();
    return n === 0 ? NO_BYTES.slice() : null;
  },
  take: (reader, n) => reader["_take_exactly"](n),
};

const READLINE: ReadOperation<null> = {
  name: "StreamReader.readline",
  method: "readuntil",
  advance(wait, thrown, value) {
    // No search has to be remembered for a line that is complete.
    const line = thrown || wait["_has_waited"] ? null : wait["_subject"]["_take_ready_line"]();
    return line === null ? advance_read(READLINE, wait, thrown, value) : wait["_return"](line);
  },
  begin(reader) {
    reader["_check"]();
    return null;
  },
  take(reader, _argument, wait) {
    const search = (wait["_place"] ??= new Search(NEWLINES)) as Search;
    return reader["_take_line"](search);
  },
};

interface SeparatorArgument {
  readonly given: Separators;
  search: Search | null;
}

const READUNTIL: ReadOperation<SeparatorArgument> = {
  name: "StreamReader.readuntil",
  method: "readuntil",
  advance: (wait, thrown, value) => advance_read(READUNTIL, wait, thrown, value),
  begin(reader, argument) {
    argument.search = search_for(argument.given);
    reader["_check"]();
    return null;
  },
  take: (reader, { search }) => reader["_take_until"](search as Search),
};

/** Waits until there is more data, the end or an error. */
const WAIT_FOR_DATA: Operation<void, StreamReader, null> = {
  name: "StreamReader.read",
  advance(wait, thrown, value) {
    if (!wait["_has_waited"]) {
      return thrown
        ? wait["_raise"](value)
        : wait["_subject"]["_wait_for_data"](wait as Wait, "read");
    }
    wait["_subject"]["_end_wait"]();
    const failure = end_wait(wait as Wait, thrown, value);
    return failure === null ? wait["_return"](undefined) : wait["_raise"](failure.error);
  },
};

/**
 * The options of {@linkcode StreamReader}.
 *
 * @category Streams
 */
export interface StreamReaderOptions {
  /** How many bytes a line may have, 65,536 by default; twice as many are buffered at most. */
  limit?: number;
  /** The loop; the current one by default. */
  loop?: AbstractEventLoop | null;
}

/**
 * Reads a stream of bytes: all of it, so many bytes, or up to a separator.
 *
 * One task may wait for data at a time. A cancelled read loses no byte: what has arrived is there for
 * the next one. `for await (const line of reader)` reads lines to the end. Once twice the limit is
 * buffered, the transport is paused until it is read.
 *
 * See {@link https://docs.python.org/3/library/asyncio-stream.html#asyncio.StreamReader Python's StreamReader}.
 *
 * @category Streams
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * await asyncio.run(async () => {
 *   const reader = new asyncio.StreamReader();
 *   reader.feed_data("one\ntwo\nrest");
 *   reader.feed_eof();
 *   const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
 *   assertEquals(text(await reader.readline()), "one\n");
 *   assertEquals(text(await reader.readexactly(3)), "two");
 *   assertEquals(text(await reader.read()), "\nrest");
 *   assertEquals(reader.at_eof(), true);
 * });
 * ```
 */
export class StreamReader extends Inspectable
  implements AsyncIterable<Uint8Array>, AsyncDisposable {
  /** @internal */
  static override get name(): string {
    return "StreamReader";
  }

  /** @internal */
  protected readonly _source_traceback: string | null;
  readonly #limit: number;
  readonly #loop: AbstractEventLoop;
  readonly #buffer = new ByteQueue();
  #eof = false;
  #waiter: Wait | null = null;
  #exception: unknown = null;
  #transport: ReadTransport | null = null;
  // The transport, if each chunk must be requested from it.
  #source: SourceTransport | null = null;
  #paused = false;
  // How many calls have lifted the limit.
  #unlimited = 0;
  // How many calls of an iterator's next() are in progress.
  #next_steps = 0;

  /**
   * Makes a reader without a transport: `feed_data()` gives it what it reads.
   *
   * @param options `limit`, how many bytes a line may have; `loop`, the current one by default
   * @throws {TypeError} if the limit is no number
   * @throws {ValueError} if the limit is not above 0
   */
  constructor(options: StreamReaderOptions = {}) {
    super();
    note_methods(new.target.prototype);
    check_options("StreamReader", options, ["limit", "loop"]);
    const { limit = DEFAULT_LIMIT } = options;
    if (typeof limit !== "number" || Number.isNaN(limit)) {
      throw new TypeError(
        `Cannot make a StreamReader: limit must be a number of bytes: received ${repr(limit)}`,
      );
    }
    if (limit <= 0) throw new ValueError("Limit cannot be <= 0");
    this.#limit = limit;
    this.#loop = options.loop ?? get_event_loop();
    this._source_traceback = this.#loop.get_debug() ? extract_stack(new.target) : null;
  }

  /**
   * Makes a reader of a stream of the host, or of anything that yields chunks of bytes: the body of a
   * `fetch`, a file, a pipe. Not in Python.
   *
   * A chunk is requested only when a read waits for data. Disposing of the reader (`await using`) closes
   * the source.
   *
   * @param source a `ReadableStream`, or an iterable or async iterable, of `Uint8Array` or strings
   * @param options `limit`, how many bytes a line may have
   * @returns the reader
   * @throws {TypeError} if the source cannot be iterated
   *
   * @example
   * ```ts
   * import * as asyncio from "@pythonic/asyncio";
   * import { assertEquals } from "@std/assert";
   *
   * await asyncio.run(async () => {
   *   const body = new Response("one\ntwo\n").body!;
   *   const reader = asyncio.StreamReader.from(body);
   *   const lines = await Array.fromAsync(reader, (line) => new TextDecoder().decode(line));
   *   assertEquals(lines, ["one\n", "two\n"]);
   * });
   * ```
   */
  static from(source: ByteSource, options: { limit?: number } = {}): StreamReader {
    check_options("StreamReader.from", options, ["limit"]);
    const reader = new StreamReader(options);
    const transport = new SourceTransport(source, reader.#loop, {
      data: (chunk) => reader.feed_data(chunk),
      end: () => reader.feed_eof(),
      error: (error) => reader.set_exception(error),
    });
    reader.#transport = reader.#source = transport;
    reader.#paused = true; // so that only a read that waits asks for more
    return reader;
  }

  /** The error that was set, or `null`. */
  exception(): unknown {
    return this.#exception;
  }

  /**
   * Has the read in progress, and all later ones, throw an error.
   *
   * @param exception the error
   */
  set_exception(exception: unknown): void {
    this.#exception = exception;
    const waiter = this.#waiter;
    if (waiter === null) return;
    this.#waiter = null;
    fail(waiter, exception);
  }

  #wake_waiter(): void {
    const waiter = this.#waiter;
    if (waiter === null) return;
    this.#waiter = null;
    waiter["_wake"]();
  }

  /**
   * Sets the transport that is paused and resumed.
   *
   * @param transport the transport
   * @throws {Error} if there is one already
   */
  set_transport(transport: ReadTransport): void {
    if (this.#transport !== null) throw new Error("Transport already set");
    this.#transport = transport;
  }

  #maybe_resume_transport(): void {
    if (this.#paused && this.#buffer.length <= this.#limit) this.#resume_transport();
  }

  #resume_transport(): void {
    if (this.#source !== null) return;
    this.#paused = false;
    this.#transport?.resume_reading();
  }

  /** Signals the end of the data. */
  feed_eof(): void {
    this.#eof = true;
    this.#wake_waiter();
  }

  /** Returns whether all has been read, and no more comes. */
  at_eof(): boolean {
    return this.#eof && this.#buffer.length === 0;
  }

  /**
   * Adds data to be read.
   *
   * @param data the bytes, which are copied, or a string, which stands for its UTF-8
   * @throws {Error} after `feed_eof()`
   */
  feed_data(data: Bytes): void {
    const bytes = to_bytes(data, "feed_data()");
    this._feed(bytes === data ? new Uint8Array(bytes) : bytes);
  }

  /** @internal Adds bytes that no other code changes. */
  protected _feed(bytes: Uint8Array): void {
    if (this.#eof) throw new Error("feed_data after feed_eof");
    if (bytes.length === 0) return;
    const buffer = this.#buffer;
    buffer.push(bytes);
    this.#wake_waiter();
    this.#maybe_pause_transport();
  }

  #maybe_pause_transport(): void {
    if (this.#transport === null || this.#paused || this.#unlimited > 0) return;
    if (this.#buffer.length <= 2 * this.#limit) return;
    if (!can_pause_reading(this.#transport)) {
      this.#transport = null; // all is buffered, as in CPython
      return;
    }
    this.#transport.pause_reading();
    this.#paused = true;
  }

  /** @internal Lets the buffer grow over its limit, until `_restore_limit()` is called as often. */
  protected _lift_limit(): void {
    this.#unlimited++;
    if (this.#paused) this.#resume_transport();
  }

  /** @internal */
  protected _restore_limit(): void {
    this.#unlimited--;
    this.#maybe_pause_transport();
  }

  /** @internal Waits for the end of the stream; received bytes stay in the buffer. */
  protected *_wait_for_end(): Generator<unknown, void, unknown> {
    while (!this.#eof && this.#exception === null) yield* new Suspension(WAIT_FOR_DATA, this, null);
    if (this.#exception !== null) throw this.#exception;
  }

  /** @internal Takes all bytes out of the buffer. */
  protected _take_all(): Uint8Array {
    return this.#buffer.take(this.#buffer.length);
  }

  /** @internal Suspends a read until data, the end or an error comes. */
  protected _wait_for_data(wait: Wait, method: string): Outcome {
    if (this.#waiter !== null) {
      throw new RuntimeError(
        `${method}() called while another coroutine is already waiting for incoming data`,
      );
    }
    if (this.#source !== null) this.#source.pull();
    else if (this.#paused) this.#resume_transport();
    this.#waiter = wait;
    return wait["_wait"](this.#loop);
  }

  /** @internal A read that has waited is resumed. */
  protected _end_wait(): void {
    this.#waiter = null;
  }

  /** @internal Throws the error that was set. */
  protected _check(): void {
    if (this.#exception !== null) throw this.#exception;
  }

  /**
   * Reads a line, with its newline; at the end of the stream what is left, at last nothing.
   *
   * Cancelled, it loses no byte.
   *
   * @returns the bytes, in an array of their own
   * @throws {ValueError} if the line is longer than the limit; it is skipped as far as it has arrived
   * @throws {RuntimeError} if another task waits for data
   */
  readline(): Coroutine<Uint8Array> {
    return new Suspension(READLINE, this, null);
  }

  /** @internal Takes a line that is all in the first chunk of the buffer; `null` if there is none. */
  protected _take_ready_line(): Uint8Array | null {
    if (this.#exception !== null) return null;
    const line = this.#buffer.take_through(NEWLINE_BYTE, this.#limit);
    if (line !== null) this.#maybe_resume_transport();
    return line;
  }

  /** @internal Takes a line; `null` if it has to wait for more. */
  protected _take_line(search: Search): Uint8Array | null {
    try {
      return this._take_until(search);
    } catch (error) {
      if (error instanceof IncompleteReadError) return error.partial;
      if (!(error instanceof LimitOverrunError)) throw error;
      const buffer = this.#buffer;
      if (buffer.starts_with(NEWLINE, error.consumed)) buffer.discard(error.consumed + 1);
      else buffer.clear();
      this.#maybe_resume_transport();
      throw new ValueError(error.message);
    }
  }

  /**
   * Reads up to a separator, which is part of the result.
   *
   * With several separators it reads as little as has one of them at its end. Cancelled, it loses no
   * byte.
   *
   * @param separator the separator, a newline by default, or an array of them
   * @returns the bytes, in an array of their own
   * @throws {IncompleteReadError} if the stream ends before; what there was is in `partial`
   * @throws {LimitOverrunError} if there are more bytes than the limit before it; they stay in the buffer
   * @throws {ValueError} without a separator, or if one is empty
   * @throws {RuntimeError} if another task waits for data
   */
  readuntil(
    separator: Bytes | readonly Bytes[] | { separator?: Bytes | readonly Bytes[] } = NEWLINE,
  ): Coroutine<Uint8Array> {
    const given =
      keyword_or_positional<"separator", Separators>("readuntil", "separator", separator) ??
        NEWLINE;
    return new Suspension(READUNTIL, this, { given, search: null });
  }

  /** @internal Takes the bytes up to a separator; `null` if it has to wait for more. */
  protected _take_until(search: Search): Uint8Array | null {
    const buffer = this.#buffer;
    const { separators, shortest, longest } = search;
    if (buffer.length - search.offset >= shortest) {
      let start = -1;
      let end = Infinity;
      for (const separator of separators) {
        const found = buffer.find(separator, search.offset);
        if (found !== -1 && found + separator.length < end) {
          start = found;
          end = found + separator.length;
        }
      }
      if (start !== -1) {
        if (start > this.#limit) {
          throw new LimitOverrunError("Separator is found, but chunk is longer than limit", start);
        }
        const chunk = buffer.take(end);
        this.#maybe_resume_transport();
        return chunk;
      }
      search.offset = Math.max(0, buffer.length + 1 - longest);
      if (search.offset > this.#limit) {
        throw new LimitOverrunError(
          "Separator is not found, and chunk exceed the limit",
          search.offset,
        );
      }
    }
    if (this.#eof) throw new IncompleteReadError(buffer.take(buffer.length), null);
    return null;
  }

  /**
   * Reads what there is, up to a number of bytes, waiting for at least one; without a number all to the
   * end of the stream.
   *
   * Cancelled, it loses no byte. In Python, a read to the end loses what it has read so far.
   *
   * @param n how many bytes at most; below 0, the default, all
   * @returns the bytes, in an array of their own; none at the end of the stream
   * @throws {RuntimeError} if another task waits for data
   */
  read(n: number | { n?: number } = -1): Coroutine<Uint8Array> {
    const count = keyword_or_positional<"n", number>("read", "n", n) ?? -1;
    return count === -Infinity || Number.isInteger(count) && count < 0
      ? new Suspension<Uint8Array, StreamReader, Uint8Array[]>(READ_ALL, this, [])
      : new Suspension(READ, this, count);
  }

  /** @internal Takes up to `n` bytes; `null` if there are none yet, unless it has waited for them. */
  protected _take_some(n: number, has_waited: boolean): Uint8Array | null {
    const buffer = this.#buffer;
    if (buffer.length === 0 && !this.#eof && !has_waited) return null;
    const data = buffer.take(n);
    this.#maybe_resume_transport();
    return data;
  }

  /** @internal Takes all to the end of the stream, in blocks; `null` if it has to wait for more. */
  protected _take_to_end(blocks: Uint8Array[], has_waited: boolean): Uint8Array | null {
    while (true) {
      if (!has_waited) this._check();
      const block = this._take_some(this.#limit, has_waited);
      if (block === null) return null;
      if (block.length === 0) return blocks.length === 0 ? block : concat_bytes(blocks);
      blocks.push(block);
      has_waited = false;
    }
  }

  /** @internal Puts back what was taken. */
  protected _put_back(blocks: readonly Uint8Array[]): void {
    if (blocks.length > 0) this.#buffer.put_back(concat_bytes(blocks));
  }

  /**
   * Reads exactly so many bytes. Cancelled, it loses none.
   *
   * @param n how many
   * @returns the bytes, in an array of their own
   * @throws {IncompleteReadError} if the stream ends before; what there was is in `partial`
   * @throws {ValueError} if the number is below 0
   * @throws {RuntimeError} if another task waits for data
   */
  readexactly(n: number | { n: number }): Coroutine<Uint8Array> {
    const count = keyword_or_positional<"n", number>("readexactly", "n", n) as number;
    return new Suspension(READEXACTLY, this, count);
  }

  /** @internal Takes exactly `n` bytes; `null` if it has to wait for more. */
  protected _take_exactly(n: number): Uint8Array | null {
    const buffer = this.#buffer;
    if (buffer.length >= n) {
      const data = buffer.take(n);
      this.#maybe_resume_transport();
      return data;
    }
    if (this.#eof) throw new IncompleteReadError(buffer.take(buffer.length), n);
    return null;
  }

  /** Iterates over the lines, to the end of the stream. Breaking out leaves the rest to be read. */
  [Symbol.asyncIterator](): AsyncIterator<Uint8Array, undefined> {
    return { next: () => this.#take_ready_step() ?? this.#next_step() };
  }

  async #next_step(): Promise<IteratorResult<Uint8Array, undefined>> {
    this.#next_steps++;
    try {
      const value = await this.readline();
      return value.length === 0 ? { done: true, value: undefined } : { done: false, value };
    } finally {
      this.#next_steps--;
    }
  }

  // A line that is there, for the host's own await; `null` if it may have to wait, if an earlier call does, or
  // if a cancellation may have to be thrown.
  #take_ready_step(): Promise<IteratorResult<Uint8Array, undefined>> | null {
    if (this.#next_steps > 0 || this.readline !== StreamReader.prototype.readline) return null;
    const scope = running_scope();
    const task = scope?._owner;
    if (!task || task._cancellation_state !== null) return null;
    const value = this._take_ready_line();
    if (value === null) return null;
    begin_await(task, scope);
    scope._resumed = next_moment();
    return Promise.resolve({ done: false, value });
  }

  /** Closes the source of a reader that {@linkcode StreamReader.from} made; else it does nothing. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#source?.close();
  }

  /** Python's `repr`. */
  override toString(): string {
    const info = [this.constructor.name];
    if (this.#buffer.length > 0) info.push(`${this.#buffer.length} bytes`);
    if (this.#eof) info.push("eof");
    if (this.#limit !== DEFAULT_LIMIT) info.push(`limit=${this.#limit}`);
    if (this.#waiter !== null) info.push(`waiter=${this.#waiter["_repr_waitable"]()}`);
    if (this.#exception !== null) info.push(`exception=${repr(this.#exception)}`);
    if (this.#transport !== null) info.push(`transport=${this.#transport}`);
    if (this.#paused) info.push("paused");
    return `<${info.join(" ")}>`;
  }
}

function check_count(method: string, n: unknown): void {
  if (typeof n !== "number" || Number.isNaN(n) || (Number.isFinite(n) && !Number.isInteger(n))) {
    throw new TypeError(
      `Cannot ${method}(): expected a whole number of bytes: received ${repr(n)}`,
    );
  }
}

/**
 * The flow control of a protocol whose writer waits in `drain()`.
 *
 * A subclass that overrides its methods calls them, too.
 *
 * @category Streams
 */
export abstract class FlowControlMixin extends Protocol {
  /** @internal */
  protected readonly _loop: AbstractEventLoop;
  #paused = false;
  #connection_lost = false;
  #error: unknown = null;
  readonly #drain_waiters = new Set<Wait>();
  readonly #close_waiters = new Set<Future<void>>();

  /**
   * Makes a protocol.
   *
   * @param loop the loop; `null` for the current one
   */
  constructor(loop: AbstractEventLoop | null) {
    super();
    this._loop = loop ?? get_event_loop();
  }

  /** Has `drain()` wait. */
  override pause_writing(): void {
    this.#paused = true;
  }

  /** Resumes what waits in `drain()`. */
  override resume_writing(): void {
    this.#paused = false;
    for (const waiter of this.#drain_waiters) waiter["_wake"]();
  }

  /**
   * Resumes what waits in `wait_closed()` and in `drain()`, with the error if there is one.
   *
   * @param error why the connection was lost, or `null`
   */
  override connection_lost(error: unknown): void {
    if (!this.#connection_lost) this.#error = error;
    this.#connection_lost = true;
    for (const waiter of this.#close_waiters) {
      if (waiter.done()) continue;
      if (error === null) waiter.set_result();
      else waiter.set_exception(error);
    }
    if (!this.#paused) return;
    for (const waiter of this.#drain_waiters) {
      if (error === null) waiter["_wake"]();
      else fail(waiter, error);
    }
  }

  /** @internal Waits until the connection is lost. */
  protected *_wait_closed(): Generator<unknown, void, unknown> {
    if (this.#connection_lost) {
      if (this.#error !== null) throw this.#error;
      return;
    }
    // A future of its own: in CPython a cancelled wait_closed() spoils all later ones.
    const waiter = this._loop.create_future<void>();
    this.#close_waiters.add(waiter);
    try {
      yield* waiter;
    } finally {
      this.#close_waiters.delete(waiter);
    }
  }

  /** @internal Suspends a call of `drain()` while writing is paused. */
  protected _drain(wait: Suspension<void, StreamWriter, null>): Outcome {
    if (this.#connection_lost) return wait["_raise"](new ConnectionResetError("Connection lost"));
    if (!this.#paused) return wait["_return"](undefined);
    this.#drain_waiters.add(wait as Wait);
    return wait["_wait"](this._loop);
  }

  /** @internal A call of `drain()` is resumed. */
  protected _end_drain(wait: Wait): void {
    this.#drain_waiters.delete(wait);
  }
}

/**
 * The callback for each connection of {@linkcode start_server}: an async function or a `function*`, of
 * which a task is made, or a plain function.
 *
 * @category Streams
 */
export type ClientConnectedCallback = (reader: StreamReader, writer: StreamWriter) => unknown;

const GeneratorFunction = Object.getPrototypeOf(function* () {}).constructor;

/**
 * The protocol between a transport and a {@linkcode StreamReader}.
 *
 * See {@link https://docs.python.org/3/library/asyncio-stream.html Python's streams}.
 *
 * @category Streams
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * await asyncio.run(async () => {
 *   const reader = new asyncio.StreamReader();
 *   const protocol = new asyncio.StreamReaderProtocol(reader);
 *   protocol.data_received(new Uint8Array([1, 2]));
 *   protocol.eof_received();
 *   assertEquals(await reader.read(), new Uint8Array([1, 2]));
 * });
 * ```
 */
export class StreamReaderProtocol extends FlowControlMixin {
  /** @internal */
  static override get name(): string {
    return "StreamReaderProtocol";
  }

  #reader: StreamReader | null;
  readonly #callback: ClientConnectedCallback | null;
  #over_ssl = false;
  #task: Task<unknown> | null = null;

  /**
   * Makes the protocol.
   *
   * @param reader what gets the data
   * @param client_connected_cb what is called with the reader and a writer once the connection is made
   * @param options `loop`, the current one by default
   */
  constructor(
    reader: StreamReader | null,
    client_connected_cb: ClientConnectedCallback | null = null,
    options: { loop?: AbstractEventLoop | null } = {},
  ) {
    check_options("StreamReaderProtocol", options, ["loop"]);
    super(options.loop ?? null);
    this.#reader = reader;
    this.#callback = client_connected_cb;
  }

  /** @internal */
  protected get _is_server_side(): boolean {
    return this.#callback !== null;
  }

  /** @internal */
  protected _replace_transport(transport: Transport): void {
    this.#over_ssl = transport.get_extra_info("sslcontext") !== null;
  }

  /**
   * Sets the reader's transport, and calls the server's callback.
   *
   * @param transport the transport
   */
  override connection_made(transport: Transport): void {
    const reader = this.#reader;
    reader?.set_transport(transport);
    this._replace_transport(transport);
    if (this.#callback === null) return;
    const writer = new StreamWriter(transport, this, reader, this._loop);
    const callback = this.#callback;
    // A plain function is called at once, in a task all the same: what it calls may be asynchronous.
    const is_asynchronous = iscoroutinefunction(callback) || callback instanceof GeneratorFunction;
    const call = (): PromiseLike<unknown> | Generator<unknown, unknown, unknown> => {
      const result = callback(reader as StreamReader, writer);
      return isawaitable(result) || is_generator(result) ? result : RESOLVED;
    };
    Object.defineProperty(call, "name", { value: callback.name });
    this.#task = this._loop.create_task(call, is_asynchronous ? {} : { eager_start: true });
    this.#task.add_done_callback((task) => this.#callback_done(task, transport));
  }

  #callback_done(task: Future<unknown>, transport: Transport): void {
    if (task.cancelled()) {
      transport.close();
      return;
    }
    const exception = task.exception();
    if (exception === null) return;
    this._loop.call_exception_handler({
      message: "Unhandled exception in client_connected_cb",
      exception,
      transport,
    });
    transport.close();
  }

  /**
   * Ends the reader, with the error if there is one, and resumes what waits for the end.
   *
   * @param error why the connection was lost, or `null`
   */
  override connection_lost(error: unknown): void {
    const reader = this.#reader;
    if (reader !== null) {
      if (error === null) reader.feed_eof();
      else reader.set_exception(error);
    }
    super.connection_lost(error);
    this.#reader = null;
    this.#task = null;
  }

  /**
   * Passes data to the reader.
   *
   * @param data the bytes, which are not changed afterwards
   */
  override data_received(data: Uint8Array): void {
    const reader = this.#reader;
    if (reader === null) return;
    // A transport's data has no other owner, so it need not be copied.
    if (reader.feed_data === StreamReader.prototype.feed_data) reader["_feed"](data);
    else reader.feed_data(data);
  }

  /** @internal */
  protected override _only_buffers(): boolean {
    return this.data_received === StreamReaderProtocol.prototype.data_received &&
      (this.#reader === null || this.#reader.feed_data === StreamReader.prototype.feed_data);
  }

  /** Ends the reader; the connection stays open for writing, unless it is TLS. */
  override eof_received(): boolean {
    this.#reader?.feed_eof();
    return !this.#over_ssl;
  }
}

const RESOLVED: Promise<void> = Promise.resolve();

const DRAIN: Operation<void, StreamWriter, null> = {
  name: "StreamWriter.drain",
  advance: (wait, thrown, value) => wait["_subject"]["_advance_drain"](wait, thrown, value),
};

/**
 * Writes a stream of bytes.
 *
 * `write()` never waits; a program that writes much waits in `drain()` now and then, so that a slow peer
 * slows it down. `await using` closes the connection and waits for its end.
 *
 * See {@link https://docs.python.org/3/library/asyncio-stream.html#asyncio.StreamWriter Python's StreamWriter}.
 *
 * @category Streams
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { VirtualClockEventLoop, VirtualNetwork } from "@pythonic/asyncio/testing";
 * import { assertEquals } from "@std/assert";
 *
 * const network = new VirtualNetwork();
 * const loop_factory = () => new VirtualClockEventLoop({ network });
 * await asyncio.run(async () => {
 *   await using _server = await asyncio.start_server(async (reader, writer) => {
 *     writer.write(await reader.readline());
 *     writer.close();
 *   }, "server", 7);
 *   const [reader, writer] = await asyncio.open_connection("server", 7);
 *   writer.writelines(["hello ", "world\n"]);
 *   await writer.drain();
 *   assertEquals(new TextDecoder().decode(await reader.read()), "hello world\n");
 *   writer.close();
 *   await writer.wait_closed();
 * }, { loop_factory });
 * ```
 */
export class StreamWriter extends Inspectable implements AsyncDisposable {
  /** @internal */
  static override get name(): string {
    return "StreamWriter";
  }

  #transport: WriteTransport;
  readonly #protocol: FlowControlMixin;
  readonly #reader: StreamReader | null;
  readonly #loop: AbstractEventLoop;

  /**
   * Makes a writer.
   *
   * @param transport what it writes to
   * @param protocol the protocol of the transport
   * @param reader the reader of the same connection, or `null`
   * @param loop the loop
   */
  constructor(
    transport: WriteTransport,
    protocol: FlowControlMixin,
    reader: StreamReader | null,
    loop: AbstractEventLoop,
  ) {
    super();
    note_methods(new.target.prototype);
    this.#transport = transport;
    this.#protocol = protocol;
    this.#reader = reader;
    this.#loop = loop;
  }

  /** The transport that is written to. */
  get transport(): WriteTransport {
    return this.#transport;
  }

  /**
   * Sends bytes; it never waits, but buffers what cannot be sent yet.
   *
   * @param data the bytes, of which a copy is kept, or a string, which stands for its UTF-8
   * @throws {RuntimeError} after `write_eof()`
   */
  write(this: object, data: Bytes): void;
  write(data: Bytes): void {
    this.#transport.write(data);
  }

  /**
   * Sends several chunks of bytes as one.
   *
   * @param data the chunks
   * @throws {RuntimeError} after `write_eof()`
   */
  writelines(data: Iterable<Bytes>): void {
    this.#transport.writelines(data);
  }

  /** Signals the end of the data to the peer, after what was written. */
  write_eof(): void {
    this.#transport.write_eof();
  }

  /** Returns whether `write_eof()` is possible: not with TLS. */
  can_write_eof(): boolean {
    return this.#transport.can_write_eof();
  }

  /** Closes the connection when what was written has been sent; {@linkcode wait_closed} waits for it. */
  close(this: object): void;
  close(): void {
    this.#transport.close();
  }

  /** Returns whether the connection is closing or closed. */
  is_closing(): boolean {
    return this.#transport.is_closing();
  }

  /**
   * Waits until the connection is closed.
   *
   * Cancelled, it changes nothing.
   *
   * @throws {OSError} the error by which the connection was lost
   */
  wait_closed(): Coroutine<void> {
    return library_coroutine("StreamWriter.wait_closed", this.#protocol["_wait_closed"]());
  }

  /**
   * Returns a known fact of the connection; see {@linkcode BaseTransport.get_extra_info}.
   *
   * @param name what to give: `"peername"`, `"sockname"`, `"socket"`, `"peercert"`, …
   * @param fallback what is returned if there is nothing of that name
   * @returns what is known, or `fallback`
   */
  get_extra_info(name: string, fallback: unknown = null): unknown {
    return this.#transport.get_extra_info(name, fallback);
  }

  /**
   * Waits until the write buffer has drained to its low-water mark, if it is above its high-water mark.
   *
   * Cancelled, it changes nothing: what was written is sent.
   *
   * @throws {OSError} the error by which the connection was lost
   */
  drain(): Coroutine<void> {
    return new Suspension(DRAIN, this, null);
  }

  /** @internal */
  protected _advance_drain(
    wait: Suspension<void, StreamWriter, null>,
    thrown: boolean,
    value: unknown,
  ): Outcome {
    if (wait["_yielded"] === wait) {
      this.#protocol["_end_drain"](wait as Wait);
      const failure = end_wait(wait as Wait, thrown, value);
      return failure === null ? wait["_return"](undefined) : wait["_raise"](failure.error);
    }
    if (thrown) return wait["_raise"](value);
    if (!wait["_has_waited"]) {
      const error = this.#reader?.exception() ?? null;
      if (error !== null) return wait["_raise"](error);
      if (this.#transport.is_closing()) {
        // As by sleep(0): connection_lost() is called, and a loop of writes and drains sees the error.
        return wait["_switch"]();
      }
    }
    return this.#protocol["_drain"](wait);
  }

  /**
   * Goes over to TLS in the middle of the connection.
   *
   * What the reader has received before is lost to the handshake: the peers agree first, by their
   * protocol, which of them begins. Cancelled in the handshake, it closes the connection; before, while
   * it waits for the write buffer to drain, it changes nothing.
   *
   * @param sslcontext options of `node:tls`
   * @param options `server_hostname`, `ssl_handshake_timeout`, `ssl_shutdown_timeout`
   * @throws {SSLError} if the handshake fails; the connection is closed then
   * @throws {ConnectionAbortedError} if it takes too long
   */
  start_tls(sslcontext: SSLContext, options: TLSOptions = {}): Coroutine<void> {
    check_options("StreamWriter.start_tls", options, [
      "server_hostname",
      "ssl_handshake_timeout",
      "ssl_shutdown_timeout",
    ]);
    return library_coroutine("StreamWriter.start_tls", this.#start_tls(sslcontext, options));
  }

  *#start_tls(sslcontext: SSLContext, options: TLSOptions): Generator<unknown, void, unknown> {
    const protocol = this.#protocol as StreamReaderProtocol;
    yield* this.drain();
    const transport = yield* start_tls(
      this.#loop,
      this.#transport as Transport,
      protocol,
      sslcontext,
      { ...options, server_side: protocol["_is_server_side"] },
    );
    this.#transport = transport;
    protocol["_replace_transport"](transport);
  }

  /** Closes the connection and waits for its end, however it came; for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
    try {
      await this.wait_closed();
    } catch (error) {
      if (!(error instanceof OSError)) throw error;
    }
  }

  /** Python's `repr`. */
  override toString(): string {
    const reader = this.#reader === null ? "" : ` reader=${this.#reader}`;
    return `<${this.constructor.name} transport=${this.#transport}${reader}>`;
  }
}

/**
 * The options of {@linkcode open_connection}.
 *
 * @category Streams
 */
export interface OpenConnectionOptions extends ConnectionOptions {
  /** How many bytes a line may have; 65,536 by default. */
  limit?: number;
}

/**
 * The options of {@linkcode open_unix_connection}.
 *
 * @category Streams
 */
export interface OpenUnixConnectionOptions extends UnixConnectionOptions {
  /** How many bytes a line may have; 65,536 by default. */
  limit?: number;
}

/**
 * The options of {@linkcode start_server}.
 *
 * @category Streams
 */
export interface StartServerOptions extends ServerOptions {
  /** How many bytes a line may have; 65,536 by default. */
  limit?: number;
}

/**
 * The options of {@linkcode start_unix_server}.
 *
 * @category Streams
 */
export interface StartUnixServerOptions extends UnixServerOptions {
  /** How many bytes a line may have; 65,536 by default. */
  limit?: number;
}

// Takes the limit out of the options; the rest is checked by the function that gets it.
function split_limit<O extends { limit?: number }>(
  options: O,
): [reader_options: { limit?: number }, rest: Omit<O, "limit">] {
  if (!is_plain_object(options)) return [{}, options];
  const { limit, ...rest } = options;
  return [limit === undefined ? {} : { limit }, rest];
}

/**
 * Opens a connection.
 *
 * Cancelled, it closes the socket.
 *
 * See {@link https://docs.python.org/3/library/asyncio-stream.html#asyncio.open_connection Python's open_connection}.
 *
 * @param host the name or the address of the host; or an object of `host`, `port` and the options
 * @param port the port; or an object of `port` and the options
 * @param options `limit`, how many bytes a line may have; and those of `loop.create_connection()`:
 * `ssl`, `server_hostname`, `local_addr`, `family`, `happy_eyeballs_delay`, …
 * @returns a reader and a writer
 * @throws {OSError} if the connection fails: {@linkcode ConnectionRefusedError}, {@linkcode gaierror},
 * {@linkcode SSLError}, …
 * @throws {RuntimeError} if this host has no sockets
 * @category Streams
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { assertRejects } from "@std/assert";
 *
 * await asyncio.run(async () => {
 *   await assertRejects(
 *     async () => await asyncio.open_connection("127.0.0.1", 1),
 *     asyncio.ConnectionRefusedError,
 *   );
 * });
 * ```
 */
export function open_connection(
  host: string | null | (NamedAddress<string> & OpenConnectionOptions) = null,
  port: number | null | (NamedPort & OpenConnectionOptions) = null,
  options: OpenConnectionOptions = {},
): Coroutine<[reader: StreamReader, writer: StreamWriter]> {
  return library_coroutine("open_connection", open(...split_address(host, port, options)));
}

function* open(
  host: string | null,
  port: number | null,
  options: OpenConnectionOptions,
): Generator<unknown, [StreamReader, StreamWriter], unknown> {
  const loop = get_running_loop();
  const [reader_options, rest] = split_limit(options);
  const reader = new StreamReader({ ...reader_options, loop });
  const protocol = new StreamReaderProtocol(reader, null, { loop });
  const [transport] = yield* create_connection(loop, () => protocol, host, port, rest);
  return [reader, new StreamWriter(transport, protocol, reader, loop)];
}

/**
 * Opens a connection to a Unix socket.
 *
 * Cancelled, it closes the socket.
 *
 * See {@link https://docs.python.org/3/library/asyncio-stream.html#asyncio.open_unix_connection Python's open_unix_connection}.
 *
 * @param path the path of the socket; or an object of `path` and the options
 * @param options `limit`, `ssl`, `server_hostname`, …
 * @returns a reader and a writer
 * @throws {OSError} if the connection fails
 * @throws {RuntimeError} if this host has no sockets
 * @category Streams
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { assertRejects } from "@std/assert";
 *
 * await asyncio.run(async () => {
 *   await assertRejects(
 *     async () => await asyncio.open_unix_connection("/no/such/socket"),
 *     asyncio.FileNotFoundError,
 *   );
 * });
 * ```
 */
export function open_unix_connection(
  path: string | null | (NamedPath & OpenUnixConnectionOptions) = null,
  options: OpenUnixConnectionOptions = {},
): Coroutine<[reader: StreamReader, writer: StreamWriter]> {
  return library_coroutine("open_unix_connection", open_unix(...split_path(path, options)));
}

function* open_unix(
  path: string | null,
  options: OpenUnixConnectionOptions,
): Generator<unknown, [StreamReader, StreamWriter], unknown> {
  const loop = get_running_loop();
  const [reader_options, rest] = split_limit(options);
  const reader = new StreamReader({ ...reader_options, loop });
  const protocol = new StreamReaderProtocol(reader, null, { loop });
  const [transport] = yield* create_unix_connection(loop, () => protocol, path, rest);
  return [reader, new StreamWriter(transport, protocol, reader, loop)];
}

/**
 * Starts a server that calls a function with a reader and a writer for each connection.
 *
 * An async function or `function*` becomes a task, which the server holds until it ends; an error in it
 * goes to the loop's exception handler and closes the connection. Cancelled, it listens nowhere.
 *
 * See {@link https://docs.python.org/3/library/asyncio-stream.html#asyncio.start_server Python's start_server}.
 *
 * @param client_connected_cb the function
 * @param host the name or the address to listen at, or several; `null` or `""` for all of this machine; or an
 * object of `host`, `port` and the options
 * @param port the port; 0 for any that is free; or an object of `port` and the options
 * @param options `limit`, how many bytes a line may have; and those of `loop.create_server()`: `ssl`,
 * `backlog`, `reuse_port`, `start_serving`, …
 * @returns the server
 * @throws {OSError} if the address cannot be listened at
 * @throws {RuntimeError} if this host has no sockets
 * @category Streams
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { VirtualClockEventLoop, VirtualNetwork } from "@pythonic/asyncio/testing";
 * import { assertEquals } from "@std/assert";
 *
 * const network = new VirtualNetwork();
 * const loop_factory = () => new VirtualClockEventLoop({ network });
 * await asyncio.run(async () => {
 *   await using _server = await asyncio.start_server(async (reader, writer) => {
 *     for await (const line of reader) writer.write(line);
 *     writer.close();
 *   }, "server", 7);
 *   const [reader, writer] = await asyncio.open_connection("server", 7);
 *   writer.write("hello\n");
 *   writer.write_eof();
 *   assertEquals(new TextDecoder().decode(await reader.read()), "hello\n");
 *   writer.close();
 * }, { loop_factory });
 * ```
 */
export function start_server(
  client_connected_cb: ClientConnectedCallback,
  host:
    | string
    | Iterable<string>
    | null
    | (NamedAddress<string | Iterable<string>> & StartServerOptions) = null,
  port: number | null | (NamedPort & StartServerOptions) = null,
  options: StartServerOptions = {},
): Coroutine<Server<Exclude<Address, string>>> {
  check_callback("start_server", client_connected_cb);
  const [name, number, given] = split_address(host, port, options);
  return library_coroutine(
    "start_server",
    start(
      client_connected_cb,
      given,
      (loop, factory, rest) => create_server(loop, factory, name, number, rest),
    ),
  ) as Coroutine<Server<Exclude<Address, string>>>;
}

/**
 * Starts a server at a Unix socket.
 *
 * A socket file that an earlier server has left is removed first. Cancelled, it listens nowhere.
 *
 * See {@link https://docs.python.org/3/library/asyncio-stream.html#asyncio.start_unix_server Python's start_unix_server}.
 *
 * @param client_connected_cb what is called for each connection, as for {@linkcode start_server}
 * @param path the path of the socket; or an object of `path` and the options
 * @param options `limit`, `ssl`, `backlog`, `start_serving`, …
 * @returns the server
 * @throws {OSError} if the path cannot be listened at
 * @throws {RuntimeError} if this host has no sockets
 * @category Streams
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { assertRejects } from "@std/assert";
 *
 * await asyncio.run(async () => {
 *   await assertRejects(
 *     async () => await asyncio.start_unix_server(() => {}, "/no/such/folder/socket"),
 *     asyncio.OSError,
 *   );
 * });
 * ```
 */
export function start_unix_server(
  client_connected_cb: ClientConnectedCallback,
  path: string | null | (NamedPath & StartUnixServerOptions) = null,
  options: StartUnixServerOptions = {},
): Coroutine<Server<string>> {
  check_callback("start_unix_server", client_connected_cb);
  const [name, given] = split_path(path, options);
  return library_coroutine(
    "start_unix_server",
    start(
      client_connected_cb,
      given,
      (loop, factory, rest) => create_unix_server(loop, factory, name, rest),
    ),
  ) as Coroutine<Server<string>>;
}

function* start<O extends { limit?: number }>(
  callback: ClientConnectedCallback,
  options: O,
  create: (
    loop: AbstractEventLoop,
    factory: () => StreamReaderProtocol,
    rest: Omit<O, "limit">,
  ) => Coroutine<Server>,
): Generator<unknown, Server, unknown> {
  const loop = get_running_loop();
  const [reader_options, rest] = split_limit(options);
  const factory = () => {
    const reader = new StreamReader({ ...reader_options, loop });
    return new StreamReaderProtocol(reader, callback, { loop });
  };
  return yield* create(loop, factory, rest);
}

function check_callback(method: string, callback: unknown): void {
  if (typeof callback !== "function") {
    throw new TypeError(
      `Cannot ${method}(): expected a function (reader, writer): received ${repr(callback)}`,
    );
  }
}
