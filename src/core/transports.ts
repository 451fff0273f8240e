/**
 * Transports: what a protocol writes to, whatever the bytes travel by.
 *
 * @module
 */

import type { Address } from "../host/endpoints.ts";
import { type Bytes, concat_bytes, to_chunks } from "../internal/bytes.ts";
import { Inspectable } from "../internal/format_helpers.ts";
import { note_methods } from "../internal/unbound.ts";
import { RuntimeError } from "./exceptions.ts";

/**
 * The methods of a protocol that a transport calls; {@linkcode BaseProtocol} has them.
 *
 * @category Transports and protocols
 */
export interface TransportProtocol {
  /**
   * Called once, when the connection is made.
   *
   * @param transport the transport
   */
  connection_made(transport: never): void;
  /**
   * Called once, when the connection is lost or closed.
   *
   * @param error why it was lost, or `null`
   */
  connection_lost(error: unknown): void;
  /** Called when the write buffer goes over its high-water mark. */
  pause_writing(): void;
  /** Called when the write buffer has drained to its low-water mark. */
  resume_writing(): void;
}

// As in Python: the base classes have all methods, and implement hardly any.
function not_implemented(transport: BaseTransport, method: string): RuntimeError {
  return new RuntimeError(
    `Cannot ${method}(): ${transport.constructor.name} does not implement it`,
  );
}

/**
 * The base class of all transports.
 *
 * See {@link https://docs.python.org/3/library/asyncio-protocol.html#asyncio.BaseTransport Python's BaseTransport}.
 *
 * @category Transports and protocols
 */
export abstract class BaseTransport extends Inspectable {
  /** @internal The information that `get_extra_info` returns. */
  protected readonly _extra: Record<string, unknown>;

  /**
   * Makes a transport.
   *
   * @param extra the facts that `get_extra_info` returns, by their names
   */
  constructor(extra: Record<string, unknown> = {}) {
    super();
    note_methods(new.target.prototype);
    this._extra = extra;
  }

  /**
   * Returns a known fact of the transport.
   *
   * `peername` and `sockname` are addresses, `socket` is the host's own object, `pipe` that of a pipe;
   * `sslcontext`, `peercert`, `cipher` and `ssl_object` are there with TLS.
   *
   * @param name the name of the fact
   * @param fallback what is returned if there is nothing of that name
   * @returns what is known, or `fallback`
   */
  get_extra_info(name: string, fallback: unknown = null): unknown {
    return Object.hasOwn(this._extra, name) ? this._extra[name] : fallback;
  }

  /** Returns whether the transport is closing or closed. */
  is_closing(): boolean {
    throw not_implemented(this, "is_closing");
  }

  /**
   * Closes the transport when what was written has been sent.
   *
   * No more data is received; then the protocol's `connection_lost(null)` is called.
   */
  close(): void {
    throw not_implemented(this, "close");
  }

  /** Sets another protocol for the transport. */
  set_protocol(_protocol: TransportProtocol): void {
    throw not_implemented(this, "set_protocol");
  }

  /** The protocol of the transport. */
  get_protocol(): TransportProtocol {
    throw not_implemented(this, "get_protocol");
  }

  /** Python's `repr`, in short. */
  override toString(): string {
    return `<${this.constructor.name}>`;
  }
}

/**
 * A transport that receives.
 *
 * See {@link https://docs.python.org/3/library/asyncio-protocol.html#asyncio.ReadTransport Python's ReadTransport}.
 *
 * @category Transports and protocols
 */
export abstract class ReadTransport extends BaseTransport {
  /** Returns whether a value is a transport that receives; a {@linkcode Transport} is one, too. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    return this === ReadTransport as unknown
      ? value instanceof BaseTransport && "resume_reading" in value
      : Function.prototype[Symbol.hasInstance].call(this, value);
  }

  /** Returns whether data is being received. */
  is_reading(): boolean {
    throw not_implemented(this, "is_reading");
  }
  /** Receives no data until `resume_reading()`; does nothing if it is paused or closing. */
  pause_reading(): void {
    throw not_implemented(this, "pause_reading");
  }
  /** Receives data again; does nothing if it is not paused. */
  resume_reading(): void {
    throw not_implemented(this, "resume_reading");
  }
}

/**
 * The marks of a write buffer, in bytes.
 *
 * @category Transports and protocols
 */
export interface WriteBufferLimits {
  /** Above this many bytes `pause_writing()` is called. */
  high?: number | null;
  /** At this many bytes, or fewer, `resume_writing()` is called. */
  low?: number | null;
}

/**
 * A transport that sends.
 *
 * See {@link https://docs.python.org/3/library/asyncio-protocol.html#asyncio.WriteTransport Python's WriteTransport}.
 *
 * @category Transports and protocols
 */
export abstract class WriteTransport extends BaseTransport {
  /**
   * Sends bytes; it never waits, but buffers what cannot be sent yet.
   *
   * @param _data the bytes, of which a copy is kept, or a string, which stands for its UTF-8
   * @throws {RuntimeError} after `write_eof()`
   * @throws {TypeError} if it is something else
   */
  write(_data: Bytes): void {
    throw not_implemented(this, "write");
  }

  /**
   * Sends several chunks of bytes as one, by one call of `write()`.
   *
   * @param data the chunks
   * @throws {RuntimeError} after `write_eof()`
   * @throws {TypeError} if one of them is neither a `Uint8Array` nor a string
   */
  writelines(data: Iterable<Bytes>): void {
    this.write(concat_bytes(to_chunks(data, "writelines")));
  }

  /** Signals the end of the data to the peer, after what was written. */
  write_eof(): void {
    throw not_implemented(this, "write_eof");
  }

  /** Returns whether `write_eof()` is possible. */
  can_write_eof(): boolean {
    throw not_implemented(this, "can_write_eof");
  }

  /** Closes the transport at once: what has not been sent is lost. */
  abort(): void {
    throw not_implemented(this, "abort");
  }

  /** How many bytes are buffered. */
  get_write_buffer_size(): number {
    throw not_implemented(this, "get_write_buffer_size");
  }

  /** The low-water and the high-water mark of the write buffer, in bytes. */
  get_write_buffer_limits(): [low: number, high: number] {
    throw not_implemented(this, "get_write_buffer_limits");
  }

  /**
   * Sets the marks at which the protocol's `pause_writing()` and `resume_writing()` are called.
   *
   * @param _limits `high`, 64 KiB by default, and `low`, a quarter of it by default, in bytes
   * @throws {ValueError} unless `high >= low >= 0`
   */
  set_write_buffer_limits(_limits?: WriteBufferLimits): void {
    throw not_implemented(this, "set_write_buffer_limits");
  }
}

/**
 * A transport of a stream of bytes in both directions: a connection.
 *
 * See {@link https://docs.python.org/3/library/asyncio-protocol.html#asyncio.Transport Python's Transport}.
 *
 * @category Transports and protocols
 */
export abstract class Transport extends WriteTransport implements ReadTransport {
  /** Returns whether data is being received. */
  is_reading(): boolean {
    throw not_implemented(this, "is_reading");
  }
  /** Receives no data until `resume_reading()`; does nothing if it is paused or closing. */
  pause_reading(): void {
    throw not_implemented(this, "pause_reading");
  }
  /** Receives data again; does nothing if it is not paused. */
  resume_reading(): void {
    throw not_implemented(this, "resume_reading");
  }
}

/** Returns whether a transport can pause: the base classes have the method and do not implement it. */
export function can_pause_reading({ pause_reading }: ReadTransport): boolean {
  return pause_reading !== Transport.prototype.pause_reading &&
    pause_reading !== ReadTransport.prototype.pause_reading;
}

/**
 * A transport of datagrams.
 *
 * See {@link https://docs.python.org/3/library/asyncio-protocol.html#asyncio.DatagramTransport Python's DatagramTransport}.
 *
 * @category Transports and protocols
 */
export abstract class DatagramTransport extends BaseTransport {
  /**
   * Sends a datagram.
   *
   * @param _data its bytes, of which a copy is kept, or a string, which stands for its UTF-8
   * @param _address where it goes; `null` if the endpoint has a remote address
   * @throws {ValueError} if the endpoint has another remote address, or the port is not 0-65535
   * @throws {TypeError} if the data or the address is something else
   */
  sendto(_data: Bytes, _address?: Address | null): void {
    throw not_implemented(this, "sendto");
  }

  /** Closes the transport at once: what has not been sent is lost. */
  abort(): void {
    throw not_implemented(this, "abort");
  }
}

/**
 * A transport of a process: it has a transport for each pipe.
 *
 * See {@link https://docs.python.org/3/library/asyncio-protocol.html#asyncio.SubprocessTransport Python's SubprocessTransport}.
 *
 * @category Transports and protocols
 */
export abstract class SubprocessTransport extends BaseTransport {
  /** The number of the process. */
  get_pid(): number {
    throw not_implemented(this, "get_pid");
  }

  /** The return code, negative for a signal; `null` while the process runs. */
  get_returncode(): number | null {
    throw not_implemented(this, "get_returncode");
  }

  /**
   * The transport of a pipe.
   *
   * @param _fd its number: 0 for stdin, 1 for stdout, 2 for stderr
   * @returns the transport, `null` if there is no such pipe
   */
  get_pipe_transport(_fd: number): BaseTransport | null {
    throw not_implemented(this, "get_pipe_transport");
  }

  /**
   * Sends a signal to the process.
   *
   * @param _signal its name: `"SIGINT"`
   */
  send_signal(_signal: string): void {
    throw not_implemented(this, "send_signal");
  }

  /** Requests the process to end, by SIGTERM. */
  terminate(): void {
    throw not_implemented(this, "terminate");
  }

  /** Ends the process, by SIGKILL. */
  kill(): void {
    throw not_implemented(this, "kill");
  }
}
