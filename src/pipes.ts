/**
 * Transports of streams of the host that go in one direction: a process's pipes, the terminal, web streams.
 *
 * @module
 */

import { ByteTransport } from "./byte_transports.ts";
import type { ReadPipe, WritePipe } from "./core/connection_options.ts";
import { type Coroutine, library_coroutine } from "./core/coroutines.ts";
import type { Endpoint } from "./host/endpoints.ts";
import { read_endpoint, write_endpoint } from "./host/pipes.ts";
import { repr } from "./internal/format_helpers.ts";
import type { AbstractEventLoop } from "./core/events.ts";
import { open_transport } from "./open_transports.ts";
import { make_os_error } from "./os_errors.ts";
import type { BaseProtocol, Protocol } from "./core/protocols.ts";
import type { ReadTransport, WriteTransport } from "./core/transports.ts";

/** The transport of a stream that is read. */
export class ReadPipeTransport extends ByteTransport {
  /** @internal */
  static override get name(): string {
    return "ReadPipeTransport";
  }

  /** The end of what is read is the end of the transport. */
  protected override _after_end(_keep_open: boolean): void {
    this.close();
  }
}

/** The transport of a stream that is written. */
export class WritePipeTransport extends ByteTransport {
  /** @internal */
  static override get name(): string {
    return "WritePipeTransport";
  }

  /** The reader has closed the pipe. */
  override on_end(): void {
    if (this._loop.is_closed()) return;
    const error = this.get_write_buffer_size() > 0 ? make_os_error("EPIPE") : null;
    this._loop.call_soon(() => this._force_close(error));
  }

  /** There is nothing to wait for after the end. */
  override write_eof(): void {
    this.close();
  }
}

function* connect<P extends BaseProtocol>(
  loop: AbstractEventLoop,
  factory: () => P,
  endpoint: Endpoint,
  Kind: typeof ByteTransport,
): Generator<unknown, [ByteTransport, P], unknown> {
  const protocol = factory();
  const transport = yield* open_transport(
    loop,
    (connected) => new Kind(loop, endpoint, protocol, connected),
  );
  return [transport, protocol];
}

/** Implements `loop.connect_read_pipe()`. */
export function connect_read_pipe<P extends Protocol>(
  loop: AbstractEventLoop,
  protocol_factory: () => P,
  pipe: ReadPipe,
): Coroutine<[transport: ReadTransport, protocol: P]> {
  return library_coroutine("connect_read_pipe", read(loop, protocol_factory, pipe));
}

function* read<P extends Protocol>(
  loop: AbstractEventLoop,
  factory: () => P,
  pipe: ReadPipe,
): Generator<unknown, [ReadTransport, P], unknown> {
  const endpoint = read_endpoint(pipe);
  if (endpoint === null) {
    throw new TypeError(
      `Cannot read from a pipe: expected a Readable or a ReadableStream: received ${repr(pipe)}`,
    );
  }
  return yield* connect(loop, factory, endpoint, ReadPipeTransport);
}

/** Implements `loop.connect_write_pipe()`. */
export function connect_write_pipe<P extends BaseProtocol>(
  loop: AbstractEventLoop,
  protocol_factory: () => P,
  pipe: WritePipe,
): Coroutine<[transport: WriteTransport, protocol: P]> {
  return library_coroutine("connect_write_pipe", write(loop, protocol_factory, pipe));
}

function* write<P extends BaseProtocol>(
  loop: AbstractEventLoop,
  factory: () => P,
  pipe: WritePipe,
): Generator<unknown, [WriteTransport, P], unknown> {
  const endpoint = write_endpoint(pipe);
  if (endpoint === null) {
    throw new TypeError(
      `Cannot write to a pipe: expected a Writable or a WritableStream: received ${repr(pipe)}`,
    );
  }
  return yield* connect(loop, factory, endpoint, WritePipeTransport);
}
