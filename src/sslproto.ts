/**
 * TLS over any transport: the host's TLS works on a stream between it and the transport below, so that
 * flow control, cancellation and the end of the connection are the library's on every host.
 *
 * @module
 */

import { ByteTransport, type TransportOwner } from "./byte_transports.ts";
import { type Coroutine, library_coroutine } from "./core/coroutines.ts";
import type { SSL, SSLContext, StartTLSOptions } from "./core/connection_options.ts";
import { RuntimeError, TimeoutError, ValueError } from "./core/exceptions.ts";
import type { Future } from "./core/futures.ts";
import type { Endpoint, EndpointListener } from "./host/endpoints.ts";
import { copy_bytes } from "./host/sockets.ts";
import { type TLSStream, wrap_in_tls } from "./host/tls.ts";
import { is_plain_object, repr } from "./internal/format_helpers.ts";
import { check_options } from "./internal/options.ts";
import type { AbstractEventLoop, TimerHandle } from "./core/events.ts";
import { open_transport } from "./open_transports.ts";
import { ConnectionAbortedError, ConnectionResetError, translate_error } from "./os_errors.ts";
import { type BaseProtocol, Protocol } from "./core/protocols.ts";
import type { Transport } from "./core/transports.ts";

const HANDSHAKE_TIMEOUT = 60;
const SHUTDOWN_TIMEOUT = 30;

/** Returns the value given as `ssl` after checking it. */
export function check_ssl(ssl: unknown): SSL | null {
  if (ssl === null || ssl === undefined || ssl === false) return null;
  if (ssl === true || is_plain_object(ssl)) return ssl as SSL;
  throw new TypeError(
    `Cannot use TLS: expected true or an object of options of node:tls: received ${repr(ssl)}`,
  );
}

/** Checks the time limits of TLS. */
export function check_ssl_timeouts(ssl: unknown, options: StartTLSOptions): void {
  for (const name of ["ssl_handshake_timeout", "ssl_shutdown_timeout"] as const) {
    const value = options[name] ?? null;
    if (value === null) continue;
    if (!ssl) throw new ValueError(`${name} is only meaningful with ssl`);
    if (!(value > 0)) throw new ValueError(`${name} should be a positive number, got ${value}`);
  }
}

/** The transport of what is sent and received inside of TLS. */
class TLSTransport extends ByteTransport {
  /** @internal */
  static override get name(): string {
    return "TLSTransport";
  }

  readonly #tls: TLSProtocol;

  constructor(
    loop: AbstractEventLoop,
    tls: TLSProtocol,
    protocol: BaseProtocol,
    waiter: Future<void> | null,
    call_connection_made: boolean,
  ) {
    super(loop, tls, protocol, waiter, null, call_connection_made);
    this.#tls = tls;
  }

  protected override get _default_high_water(): number {
    return 512 * 1024;
  }

  /** The other end of TLS is the end of the connection. */
  protected override _after_end(keep_open: boolean): void {
    if (keep_open) {
      console.warn("returning true from eof_received() has no effect when using ssl");
    }
    this.close();
  }

  protected override _all_sent(): void {
    this.#tls._shut_down((error) => this._lose(error));
  }

  override can_write_eof(): boolean {
    return false;
  }

  override write_eof(): void {
    throw new RuntimeError("Cannot write_eof(): TLS cannot end one direction alone");
  }
}

/** The protocol of the transport below TLS, and the endpoint of the transport above it. */
class TLSProtocol extends Protocol implements Endpoint {
  readonly extra: Record<string, unknown> = {};
  readonly #loop: AbstractEventLoop;
  readonly #context: SSLContext;
  readonly #options: StartTLSOptions;
  // Done when the handshake is.
  readonly #handshake: Future<void>;
  // Of a connection that was made without TLS: it is notified, too, if that is lost in the handshake.
  #upgraded: BaseProtocol | null;
  #timer: TimerHandle | null = null;
  #transport: Transport | null = null;
  #stream: TLSStream | null = null;
  #listener: EndpointListener | null = null;
  #writing_paused = false;
  readonly #write_waiters: (() => void)[] = [];
  #on_shut_down: ((error: unknown) => void) | null = null;
  #early: Uint8Array[] = [];
  #ended = false;

  constructor(
    loop: AbstractEventLoop,
    context: SSLContext,
    options: StartTLSOptions,
    handshake: Future<void>,
    upgraded: BaseProtocol | null,
  ) {
    super();
    this.#upgraded = upgraded;
    this.#loop = loop;
    this.#context = context;
    this.#options = options;
    this.#handshake = handshake;
  }

  // Of the transport below.

  override connection_made(transport: Transport): void {
    this.#transport = transport;
    // TLS works in turns of the host, on whatever network the loop has.
    this.#loop["_note_foreign"](this);
    const limit = this.#options.ssl_handshake_timeout ?? HANDSHAKE_TIMEOUT;
    this.#timer = this.#loop.call_later(limit, () =>
      this.#fail(
        new ConnectionAbortedError(
          `SSL handshake is taking longer than ${limit} seconds: aborting the connection`,
        ),
      ));
    try {
      this.#stream = wrap_in_tls(this.#context, {
        server_side: this.#options.server_side ?? false,
        server_hostname: this.#options.server_hostname ?? "",
        write: (data, written) => {
          transport.write(data);
          if (this.#writing_paused) this.#write_waiters.push(written);
          else written();
        },
        end: () => {
          // Before that, an error comes that says more.
          if (this.#handshake.done()) transport.close();
        },
        on_secure: () => this.#in_turn(() => this.#secure()),
        on_data: (chunk) => {
          if (this.#listener === null) this.#early.push(chunk);
          else this.#listener.on_data(chunk);
        },
        on_end: () => this.#end(),
        on_error: (error) => this.#in_turn(() => this.#fail(translate_error(error))),
        on_close: () => this.#in_turn(() => this.#stream_closed()),
      });
    } catch (error) {
      this.#fail(error);
    }
  }

  // The host calls from its own turns.
  #in_turn(callback: () => void): void {
    if (!this.#loop.is_closed()) this.#loop.call_soon(callback);
  }

  override data_received(data: Uint8Array): void {
    this.#stream?.push(data);
  }

  override eof_received(): boolean {
    this.#stream?.push(null);
    // TLS may still have something to say; the transport above closes.
    return true;
  }

  override pause_writing(): void {
    this.#writing_paused = true;
  }

  override resume_writing(): void {
    this.#writing_paused = false;
    for (const written of this.#write_waiters.splice(0)) written();
  }

  override connection_lost(error: unknown): void {
    this.#stop_timer();
    this.#transport = null;
    this.#loop["_forget_foreign"](this);
    this.#stream?.destroy();
    const upgraded = this.#upgraded;
    if (upgraded !== null) this.#loop.call_soon(() => upgraded.connection_lost(error));
    if (!this.#handshake.done()) {
      this.#handshake.set_exception(
        error ?? new ConnectionResetError("Connection lost during the SSL handshake"),
      );
      return;
    }
    const on_shut_down = this.#on_shut_down;
    this.#on_shut_down = null;
    if (on_shut_down !== null) on_shut_down(error);
    else if (error !== null) this.#listener?.on_error(error);
    else this.#end();
  }

  /** @internal The transport of what is sent inside of TLS; `null` until the handshake is done. */
  protected _transport_inside(): Transport | null {
    return this.#listener as TLSTransport | null;
  }

  // Of the host's TLS.

  #secure(): void {
    if (this.#handshake.done() || this.#transport === null) return;
    this.#stop_timer();
    const stream = this.#stream!;
    const refused = stream.refusal();
    if (refused !== null) {
      this.#fail(translate_error(refused));
      return;
    }
    Object.assign(this.extra, this.#transport["_extra"], {
      sslcontext: this.#context,
      peercert: stream.peer_certificate(),
      cipher: stream.cipher(),
      ssl_object: stream.host_object,
    });
    this.#handshake.set_result();
  }

  #stream_closed(): void {
    if (!this.#handshake.done()) {
      this.#fail(new ConnectionResetError("Connection closed during the SSL handshake"));
    } else if (this.#on_shut_down !== null) {
      // Deno does not end the stream below when the peer has ended before.
      this.#transport?.close();
    }
  }

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    if (this.#listener !== null) this.#listener.on_end();
    else this.#in_turn(() => this.#stream_closed());
  }

  #fail(error: unknown): void {
    this.#stop_timer();
    const transport = this.#transport as ByteTransport | null;
    if (!this.#handshake.done()) this.#handshake.set_exception(error);
    else this.#listener?.on_error(error);
    transport?.["_force_close"](error);
  }

  #stop_timer(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }

  /** @internal Signals the end of the connection to the peer, and closes the transport below. */
  _shut_down(on_shut_down: (error: unknown) => void): void {
    if (this.#transport === null || this.#stream === null) {
      on_shut_down(null);
      return;
    }
    this.#on_shut_down = on_shut_down;
    const limit = this.#options.ssl_shutdown_timeout ?? SHUTDOWN_TIMEOUT;
    this.#timer = this.#loop.call_later(limit, () => {
      const transport = this.#transport as ByteTransport | null;
      transport?.["_force_close"](new TimeoutError("SSL shutdown timed out"));
    });
    // A reader that was paused would keep the end from being seen.
    this.#stream.end();
  }

  // The endpoint of the transport above.

  listen(listener: EndpointListener): void {
    this.#listener = listener;
    this.#upgraded = null; // its new transport notifies it
    for (const chunk of this.#early.splice(0)) listener.on_data(chunk);
    if (this.#ended) listener.on_end();
  }

  write(data: Uint8Array, may_change: boolean): void {
    this.#stream?.write(may_change ? copy_bytes(data) : data, () => this.#listener?.on_written());
  }

  pending(): number {
    // The transport below sends what it has before it closes; above its mark, TLS is not notified of a write.
    return this.#transport === null ? 0 : this.#stream?.pending() ?? 0;
  }

  end(): void {}

  pause(): void {
    this.#transport?.pause_reading();
  }

  resume(): void {
    this.#transport?.resume_reading();
  }

  close(): void {
    this.#listener = null;
    // It is lost already, unless it is aborted: what the transport below still holds must not keep it open.
    this.#transport?.abort();
  }

  abort(): void {
    this.#listener = null;
    this.#transport?.abort();
  }
}

/** Makes a transport with TLS over an endpoint that is connected, and waits for the handshake. */
export function* tls_over(
  loop: AbstractEventLoop,
  endpoint: Endpoint,
  protocol: BaseProtocol,
  ssl: SSL,
  options: StartTLSOptions,
  owner: TransportOwner | null,
): Generator<unknown, Transport, unknown> {
  const handshake = loop.create_future<void>();
  const tls = new TLSProtocol(
    loop,
    ssl === true ? {} : ssl as SSLContext,
    options,
    handshake,
    null,
  );
  const below = new ByteTransport(loop, endpoint, tls, null, owner);
  return yield* finish_handshake(loop, tls, below, handshake, protocol, true);
}

function* finish_handshake(
  loop: AbstractEventLoop,
  tls: TLSProtocol,
  below: Transport,
  handshake: Future<void>,
  protocol: BaseProtocol,
  call_connection_made: boolean,
): Generator<unknown, Transport, unknown> {
  try {
    yield* handshake;
    return yield* open_transport(
      loop,
      (connected) => new TLSTransport(loop, tls, protocol, connected, call_connection_made),
      (transport) => transport.abort(),
    );
  } catch (error) {
    below.abort();
    throw error;
  }
}

/** Implements `loop.start_tls()`. */
export function start_tls(
  loop: AbstractEventLoop,
  transport: Transport,
  protocol: BaseProtocol,
  sslcontext: SSLContext,
  options: StartTLSOptions = {},
): Coroutine<Transport> {
  check_options("start_tls", options, [
    "server_side",
    "server_hostname",
    "ssl_handshake_timeout",
    "ssl_shutdown_timeout",
  ]);
  return library_coroutine("start_tls", upgrade(loop, transport, protocol, sslcontext, options));
}

function* upgrade(
  loop: AbstractEventLoop,
  transport: Transport,
  protocol: BaseProtocol,
  sslcontext: SSLContext,
  options: StartTLSOptions,
): Generator<unknown, Transport, unknown> {
  if (!is_plain_object(sslcontext)) {
    throw new TypeError(
      `Cannot start_tls(): expected an object of options of node:tls: received ${repr(sslcontext)}`,
    );
  }
  if (!(transport instanceof ByteTransport)) {
    throw new TypeError(`transport ${transport} is not supported by start_tls()`);
  }
  check_ssl_timeouts(true, options);
  const handshake = loop.create_future<void>();
  const tls = new TLSProtocol(loop, sslcontext, options, handshake, protocol);
  transport.pause_reading();
  transport.set_protocol(tls);
  loop.call_soon(() => tls.connection_made(transport));
  loop.call_soon(() => transport.resume_reading());
  return yield* finish_handshake(loop, tls, transport, handshake, protocol, false);
}
