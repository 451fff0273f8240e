/**
 * The transport of a stream of bytes over an endpoint: a socket, a pipe, an end of a connection in memory.
 *
 * Events of an endpoint are queued here and delivered to the protocol in the loop's turn, one in an
 * iteration, as CPython's loop reads a socket once in an iteration. A protocol that only buffers, that of
 * the streams, gets data when the host has it: what it wakes runs in the loop's turn all the same.
 *
 * @module
 */

import type { Runnable } from "./core/contracts.ts";
import { leaves_the_loop, RuntimeError } from "./core/exceptions.ts";
import type { Future } from "./core/futures.ts";
import type { Endpoint, EndpointListener, Open } from "./host/endpoints.ts";
import { type Bytes, concat_bytes, own_bytes, to_bytes, to_chunks } from "./internal/bytes.ts";
import { Deque } from "./internal/deque.ts";
import { type AbstractEventLoop, Handle } from "./core/events.ts";
import { hold_open, release } from "./open_transports.ts";
import { OSError, translate_error } from "./os_errors.ts";
import { type BaseProtocol, BufferedProtocol, type Protocol } from "./core/protocols.ts";
import { FlowControlledTransport } from "./flow_control.ts";

/** The owner of transports, which keeps account of those of its connections: a server. */
export interface TransportOwner {
  /** @internal */
  _attach(transport: FlowControlledTransport): void;
  /** @internal */
  _detach(transport: FlowControlledTransport): void;
}

// More than this is not taken from the host ahead of the protocol.
const MAX_READ_AHEAD = 256 * 1024;

// CPython warns from this many writes on that nothing is sent any more.
const LOST_WRITES_BEFORE_WARNING = 5;

const END: unique symbol = Symbol("end");

class Failure {
  readonly error: unknown;

  constructor(error: unknown) {
    this.error = error;
  }
}

type Received = Uint8Array | typeof END | Failure;

/** Sets the result of a future, unless it is done. */
export function set_result_unless_done(future: Future<void>): void {
  if (!future.done()) future.set_result();
}

/** A connection over an endpoint. */
export class ByteTransport extends FlowControlledTransport implements EndpointListener {
  /** @internal */
  static override get name(): string {
    return "SocketTransport";
  }

  protected readonly _endpoint: Endpoint;
  readonly #owner: TransportOwner | null;
  #protocol: BaseProtocol;
  readonly #received = new Deque<Received>();
  // The bytes that a buffered protocol had no room for.
  #rest: Uint8Array | null = null;
  #received_size = 0;
  // connection_made() has been called, and reading may begin.
  #started = false;
  #paused = false;
  #endpoint_paused = true;
  // Within a call of the endpoint, which may have data at once: a reader resumes it before it waits.
  #resuming = false;
  #read_scheduled = false;
  #write_scheduled = false;
  #eof_written = false;
  #eof_received = false;
  protected _closing = false;
  // connection_lost() is scheduled or was called; the writes since are counted.
  #lost = 0;
  #closed = false;
  // The error of the host that has not been passed to the protocol yet.
  #failure: Failure | null = null;
  // The callback that the loop runs when something can be read or has been written.
  readonly #read_ready: Handle;
  readonly #write_ready: Handle;

  /**
   * Makes a transport; `waiter` is done once `connection_made()` has been called, which is not done if the
   * protocol has been notified of the connection before.
   */
  constructor(
    loop: AbstractEventLoop,
    endpoint: Endpoint,
    protocol: BaseProtocol,
    waiter: Future<void> | null,
    owner: TransportOwner | null = null,
    call_connection_made = true,
  ) {
    super(loop, endpoint.extra);
    this._endpoint = endpoint;
    this.#protocol = protocol;
    this.#owner = owner;
    this.#read_ready = new Handle(() => this.#read(), loop, [], null);
    this.#write_ready = new Handle(() => this.#after_write(), loop, [], null);
    owner?._attach(this);
    endpoint.listen(this);
    hold_open(loop, this as unknown as Open);
    if (call_connection_made) loop.call_soon(() => protocol.connection_made(this));
    loop.call_soon(() => {
      this.#started = true;
      this.#continue_reading();
    });
    if (waiter !== null) loop.call_soon(set_result_unless_done, waiter);
  }

  override set_protocol(protocol: BaseProtocol): void {
    this.#protocol = protocol;
  }

  override get_protocol(): BaseProtocol {
    return this.#protocol;
  }

  override is_closing(): boolean {
    return this._closing;
  }

  override is_reading(): boolean {
    return !this._closing && !this.#paused;
  }

  override pause_reading(): void {
    if (!this.is_reading()) return;
    this.#paused = true;
    this.#pause_endpoint();
  }

  override resume_reading(): void {
    if (this._closing || !this.#paused) return;
    this.#paused = false;
    this.#continue_reading();
  }

  #pause_endpoint(): void {
    if (this.#endpoint_paused) return;
    this.#endpoint_paused = true;
    this._endpoint.pause();
  }

  #continue_reading(): void {
    if (!this.#started || !this.is_reading() || this.#eof_received) return;
    if (this.#received.length > 0 || this.#rest !== null) this.#schedule_read();
    if (this.#endpoint_paused && this.#received_size < MAX_READ_AHEAD) {
      this.#endpoint_paused = false;
      this.#resuming = true;
      this._endpoint.resume();
      this.#resuming = false;
    }
  }

  #schedule_read(): void {
    if (this.#read_scheduled) return;
    this.#read_scheduled = true;
    this._loop["_schedule"](this.#read_ready as unknown as Runnable);
  }

  #receive(received: Received): void {
    if (this.#lost > 0 || this._loop.is_closed()) return;
    this.#received.push(received);
    if (this.#started && this.is_reading() && !this.#eof_received) this.#schedule_read();
  }

  // Returns whether the protocol may have data now, and runs no code of the user's for it.
  #can_buffer(): boolean {
    return this.#started && !this.#paused && !this._closing && !this.#resuming &&
      this.#received.length === 0 && this.#rest === null &&
      this.#protocol["_only_buffers"]?.() === true;
  }

  #buffer_data(chunk: Uint8Array): void {
    try {
      (this.#protocol as Protocol).data_received(chunk);
    } catch (error) {
      this._loop.call_soon(() => this._protocol_failed("data_received", error));
    }
  }

  /** @internal */
  on_data(chunk: Uint8Array): void {
    if (this.#lost > 0 || this._loop.is_closed()) return;
    if (this.#can_buffer()) {
      this.#buffer_data(chunk);
      return;
    }
    this.#received_size += chunk.length;
    if (this.#received_size >= MAX_READ_AHEAD) this.#pause_endpoint();
    this.#receive(chunk);
  }

  /** @internal */
  on_end(): void {
    this.#receive(END);
  }

  /** @internal */
  on_error(error: unknown): void {
    if (this.#failure !== null || this.#lost > 0 || this._loop.is_closed()) return;
    this.#failure = new Failure(translate_error(error));
    // A reader gets what came before the failure; a writer that waits in drain() gets it at once.
    if (this._closing || this._protocol_paused) {
      this._loop.call_soon(() => this._fatal_error(this.#failure?.error, WRITE_FAILED));
    } else {
      this.#receive(this.#failure);
    }
  }

  /** @internal */
  on_written(): void {
    if (this.#lost > 0 || this.#write_scheduled || this._loop.is_closed()) return;
    if (!this._protocol_paused && !this._closing) return;
    this.#write_scheduled = true;
    this._loop["_schedule"](this.#write_ready as unknown as Runnable);
  }

  #read(): void {
    this.#read_scheduled = false;
    if (this.#lost > 0 || !this.is_reading()) return;
    if (this.#protocol["_only_buffers"]?.() === true) {
      // The last one as any other event.
      while (this.#received.length > 1 && this.#received.first instanceof Uint8Array) {
        this.#read_data(this.#received.shift() as Uint8Array);
        if (this.#lost > 0 || !this.is_reading()) return;
      }
    }
    const received = this.#next_received();
    if (received instanceof Uint8Array) this.#read_data(received);
    else if (received === END) this.#read_end();
    else if (received !== null) this._fatal_error(received.error, READ_FAILED);
    if (this.#lost === 0) this.#continue_reading();
  }

  #next_received(): Received | null {
    const rest = this.#rest;
    if (rest === null) return this.#received.length === 0 ? null : this.#received.shift();
    this.#rest = null;
    return rest;
  }

  #read_data(chunk: Uint8Array): void {
    this.#received_size -= chunk.length;
    const protocol = this.#protocol;
    if (protocol instanceof BufferedProtocol) {
      this.#fill_buffer(protocol, chunk);
      return;
    }
    try {
      (protocol as Protocol).data_received(own_bytes(chunk));
    } catch (error) {
      this._protocol_failed("data_received", error);
    }
  }

  #fill_buffer(protocol: BufferedProtocol, chunk: Uint8Array): void {
    let buffer: Uint8Array;
    try {
      buffer = protocol.get_buffer(-1);
      if (buffer.length === 0) throw new RuntimeError("get_buffer() returned an empty buffer");
    } catch (error) {
      this._protocol_failed("get_buffer", error);
      return;
    }
    const size = Math.min(buffer.length, chunk.length);
    buffer.set(size === chunk.length ? chunk : chunk.subarray(0, size));
    if (size < chunk.length) {
      this.#rest = chunk.subarray(size);
      this.#received_size += chunk.length - size;
    }
    try {
      protocol.buffer_updated(size);
    } catch (error) {
      this._protocol_failed("buffer_updated", error);
    }
  }

  #read_end(): void {
    this.#eof_received = true;
    let keep_open: boolean | void;
    try {
      keep_open = (this.#protocol as Protocol).eof_received();
    } catch (error) {
      this._protocol_failed("eof_received", error);
      return;
    }
    this._after_end(keep_open === true);
  }

  /** The protocol has been notified of the end. */
  protected _after_end(keep_open: boolean): void {
    if (!keep_open) this.close();
  }

  /** A method of the protocol has thrown. */
  protected _protocol_failed(method: string, error: unknown): void {
    if (leaves_the_loop(error)) throw error;
    this._fatal_error(error, `Fatal error: protocol.${method}() call failed.`);
  }

  override write(data: Bytes): void {
    const bytes = to_bytes(data, "write");
    if (this.#eof_written) throw new RuntimeError("Cannot call write() after write_eof()");
    this.#send(bytes, bytes === data);
  }

  override writelines(data: Iterable<Bytes>): void {
    const chunks = to_chunks(data, "write");
    if (this.#eof_written) throw new RuntimeError("Cannot call writelines() after write_eof()");
    if (chunks.length === 1) this.#send(chunks[0]!, true);
    else this.#send(concat_bytes(chunks), false);
  }

  #send(bytes: Uint8Array, may_change: boolean): void {
    if (bytes.length === 0) return;
    if (this.#lost > 0) {
      if (this.#lost >= LOST_WRITES_BEFORE_WARNING) console.warn("socket.send() raised exception.");
      this.#lost++;
      return;
    }
    if (this.#failure !== null) {
      this._fatal_error(this.#failure.error, WRITE_FAILED);
      return;
    }
    this._endpoint.write(bytes, may_change);
    this._maybe_pause_protocol();
  }

  override write_eof(): void {
    if (this._closing || this.#eof_written) return;
    this.#eof_written = true;
    this._endpoint.end();
  }

  override can_write_eof(): boolean {
    return true;
  }

  override get_write_buffer_size(): number {
    return this.#lost > 0 ? 0 : this._endpoint.pending();
  }

  #after_write(): void {
    this.#write_scheduled = false;
    if (this.#lost > 0) return;
    this._maybe_resume_protocol();
    if (this._closing && this.get_write_buffer_size() === 0) this._all_sent();
  }

  /** It is closing, and all has been sent. */
  protected _all_sent(): void {
    this._lose(null);
  }

  override close(): void {
    if (this._closing) return;
    this._closing = true;
    this.#pause_endpoint();
    if (this.get_write_buffer_size() === 0) this._all_sent();
    else if (this.#failure !== null) this._force_close(this.#failure.error);
  }

  override abort(): void {
    this._force_close(null);
  }

  /** @internal Closes it at once, because of an error that is reported unless it is the system's. */
  protected _fatal_error(exception: unknown, message: string): void {
    if (!(exception instanceof OSError)) {
      this._loop.call_exception_handler({
        message,
        exception,
        transport: this,
        protocol: this.#protocol,
      });
    }
    this._force_close(exception);
  }

  /** @internal Closes it at once: what has not been sent is lost. */
  protected _force_close(error: unknown): void {
    if (this.#lost > 0) return;
    this._closing = true;
    this._lose(error);
  }

  /** Has `connection_lost()` called. */
  protected _lose(error: unknown): void {
    if (this.#lost++ > 0) return;
    this._loop.call_soon(() => this.#connection_lost(error));
  }

  #connection_lost(error: unknown): void {
    try {
      this.#protocol.connection_lost(error);
    } finally {
      this.#close_endpoint();
      this.#owner?._detach(this);
    }
  }

  #close_endpoint(): void {
    if (this.#closed) return;
    if (this._endpoint.pending() > 0) this._endpoint.abort();
    else this._endpoint.close();
    this.#closed = true;
    this.#received.clear();
    release(this._loop, this as unknown as Open);
  }

  /** @internal */
  protected get _unclosed(): string | undefined {
    return this._closing ? undefined : "transport";
  }

  /** @internal The loop is closed: the host sends what it has been given, and no protocol is called. */
  protected _loop_closed(): void {
    if (this.#closed) return;
    this.#lost++;
    this.#closed = true;
    this._endpoint.close();
  }

  /** Python's `repr`, without the file descriptor. */
  override toString(): string {
    const info = [this.constructor.name];
    if (this.#closed) info.push("closed");
    else if (this._closing) info.push("closing");
    const reading = this.#started && this.is_reading() && !this.#eof_received;
    const size = this.get_write_buffer_size();
    info.push(`read=${reading ? "polling" : "idle"}`);
    info.push(`write=<${size > 0 ? "polling" : "idle"}, bufsize=${size}>`);
    return `<${info.join(" ")}>`;
  }
}

const READ_FAILED = "Fatal read error on socket transport";
const WRITE_FAILED = "Fatal write error on socket transport";
