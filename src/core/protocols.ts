/**
 * Protocols: what is called when something happens to a transport.
 *
 * @module
 */

import { RuntimeError } from "./exceptions.ts";
import type { BaseTransport, DatagramTransport, Transport } from "./transports.ts";
import type { Address } from "../host/endpoints.ts";

/**
 * The base class of all protocols: the beginning and the end of a connection, and flow control.
 *
 * Its methods do nothing; a program overrides those it needs. They are called by the loop, one after
 * the other, in the context in which the connection was made, and belong to no task.
 *
 * See {@link https://docs.python.org/3/library/asyncio-protocol.html#asyncio.BaseProtocol Python's BaseProtocol}.
 *
 * @category Transports and protocols
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { assert } from "@std/assert";
 *
 * assert(new asyncio.Protocol() instanceof asyncio.BaseProtocol);
 * ```
 */
export class BaseProtocol {
  /**
   * Called once, when the connection is made.
   *
   * @param _transport the transport, to be kept for writing
   */
  connection_made(_transport: BaseTransport): void {}

  /**
   * Called once, when the connection is lost or closed.
   *
   * @param _error why it was lost; `null` after the end of the stream, `close()` or `abort()`
   */
  connection_lost(_error: unknown): void {}

  /** Called when the transport's write buffer goes over its high-water mark. */
  pause_writing(): void {}

  /** Called when the write buffer has drained to the low-water mark. */
  resume_writing(): void {}

  /** @internal Returns whether `data_received()` only buffers, and runs no code of the user's. */
  protected _only_buffers(): boolean {
    return false;
  }
}

/**
 * A protocol of a stream of bytes: `connection_made`, then any number of `data_received`, at most one
 * `eof_received`, and `connection_lost`.
 *
 * See {@link https://docs.python.org/3/library/asyncio-protocol.html#asyncio.Protocol Python's Protocol}.
 *
 * @category Transports and protocols
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { VirtualClockEventLoop, VirtualNetwork } from "@pythonic/asyncio/testing";
 * import { assertEquals } from "@std/assert";
 *
 * class Echo extends asyncio.Protocol {
 *   #transport!: asyncio.Transport;
 *   override connection_made(transport: asyncio.Transport) {
 *     this.#transport = transport;
 *   }
 *   override data_received(data: Uint8Array) {
 *     this.#transport.write(data);
 *   }
 * }
 *
 * const network = new VirtualNetwork();
 * const loop_factory = () => new VirtualClockEventLoop({ network });
 * await asyncio.run(async () => {
 *   const loop = asyncio.get_running_loop();
 *   await using _server = await loop.create_server(() => new Echo(), "server", 7);
 *   const [reader, writer] = await asyncio.open_connection("server", 7);
 *   writer.write("hello");
 *   assertEquals(new TextDecoder().decode(await reader.readexactly(5)), "hello");
 *   writer.close();
 * }, { loop_factory });
 * ```
 */
export class Protocol extends BaseProtocol {
  /**
   * Called once, when the connection is made.
   *
   * @param _transport the transport, to be kept for writing
   */
  override connection_made(_transport: Transport): void {}

  /**
   * Called when some data has arrived.
   *
   * @param _data the bytes, in an array of their own
   */
  data_received(_data: Uint8Array): void {}

  /**
   * Called when the peer will send no more.
   *
   * @returns true to leave the connection open for writing; else the transport closes itself
   */
  eof_received(): boolean | void {}
}

/**
 * A protocol of a stream of bytes that gives the buffer into which data is received.
 *
 * See {@link https://docs.python.org/3/library/asyncio-protocol.html#asyncio.BufferedProtocol Python's BufferedProtocol}.
 *
 * @category Transports and protocols
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 *
 * class Counter extends asyncio.BufferedProtocol {
 *   readonly buffer = new Uint8Array(1024);
 *   count = 0;
 *   override get_buffer(_size_hint: number) {
 *     return this.buffer;
 *   }
 *   override buffer_updated(count: number) {
 *     this.count += count;
 *   }
 * }
 * new Counter();
 * ```
 */
export class BufferedProtocol extends BaseProtocol {
  /**
   * Called once, when the connection is made.
   *
   * @param _transport the transport, to be kept for writing
   */
  override connection_made(_transport: Transport): void {}

  /**
   * Called to get a buffer for what has arrived.
   *
   * @param _size_hint how many bytes it should hold at least; -1 for any number
   * @returns an array that is not empty
   * @throws {RuntimeError} unless a subclass overrides it
   */
  get_buffer(_size_hint: number): Uint8Array {
    throw new RuntimeError(`Cannot get_buffer(): ${this.constructor.name} does not implement it`);
  }

  /**
   * Called when bytes have been written to the buffer.
   *
   * @param _count how many, from its beginning
   */
  buffer_updated(_count: number): void {}

  /**
   * Called when the peer will send no more.
   *
   * @returns true to leave the connection open for writing; else the transport closes itself
   */
  eof_received(): boolean | void {}
}

/**
 * A protocol of datagrams.
 *
 * See {@link https://docs.python.org/3/library/asyncio-protocol.html#asyncio.DatagramProtocol Python's DatagramProtocol}.
 *
 * @category Transports and protocols
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 *
 * class Received extends asyncio.DatagramProtocol {
 *   readonly datagrams: Uint8Array[] = [];
 *   override datagram_received(data: Uint8Array) {
 *     this.datagrams.push(data);
 *   }
 * }
 * new Received();
 * ```
 */
export class DatagramProtocol extends BaseProtocol {
  /**
   * Called once, when the endpoint is ready.
   *
   * @param _transport the transport, to be kept for sending
   */
  override connection_made(_transport: DatagramTransport): void {}

  /**
   * Called when a datagram has arrived.
   *
   * @param _data its bytes, in an array of their own
   * @param _address the address of the sender
   */
  datagram_received(_data: Uint8Array, _address: Address): void {}

  /**
   * Called when an earlier operation of sending or receiving has failed.
   *
   * @param _error an {@linkcode OSError}
   */
  error_received(_error: unknown): void {}
}

/**
 * A protocol of a process and its pipes.
 *
 * See {@link https://docs.python.org/3/library/asyncio-protocol.html#asyncio.SubprocessProtocol Python's SubprocessProtocol}.
 *
 * @category Transports and protocols
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 *
 * class Output extends asyncio.SubprocessProtocol {
 *   readonly output: Uint8Array[] = [];
 *   override pipe_data_received(_fd: number, data: Uint8Array) {
 *     this.output.push(data);
 *   }
 * }
 * new Output();
 * ```
 */
export class SubprocessProtocol extends BaseProtocol {
  /**
   * Called when the process has written to a pipe.
   *
   * @param _fd the number of the pipe: 1 for stdout, 2 for stderr
   * @param _data the bytes, in an array of their own
   */
  pipe_data_received(_fd: number, _data: Uint8Array): void {}

  /**
   * Called when a pipe is closed.
   *
   * @param _fd the number of the pipe: 0 for stdin, 1 for stdout, 2 for stderr
   * @param _error why, or `null`
   */
  pipe_connection_lost(_fd: number, _error: unknown): void {}

  /** Called when the process has ended. */
  process_exited(): void {}
}
