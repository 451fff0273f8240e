/**
 * Datagrams (UDP).
 *
 * @module
 */

import { set_result_unless_done } from "./byte_transports.ts";
import { check_address, check_given_socket, getaddrinfo } from "./connections.ts";
import { type Context, copy_context } from "./core/contextvars.ts";
import { type Coroutine, library_coroutine } from "./core/coroutines.ts";
import type { DatagramOptions } from "./core/connection_options.ts";
import { leaves_the_loop, ValueError } from "./core/exceptions.ts";
import { type Future, wrap_future } from "./core/futures.ts";
import { open_datagram_socket, wrap_datagram_socket } from "./host/datagrams.ts";
import type {
  Address,
  AddressInfo,
  DatagramListener,
  DatagramSocket,
  DatagramSocketOptions,
  Open,
} from "./host/endpoints.ts";
import { AF_INET6, AI_PASSIVE, SOCK_DGRAM } from "./host/sockets.ts";
import { type Bytes, to_bytes } from "./internal/bytes.ts";
import { repr } from "./internal/format_helpers.ts";
import { check_options } from "./internal/options.ts";
import type { AbstractEventLoop } from "./core/events.ts";
import { hold_open, open_transport, release } from "./open_transports.ts";
import { translate_error } from "./os_errors.ts";
import type { BaseProtocol, DatagramProtocol } from "./core/protocols.ts";
import { DatagramTransport } from "./core/transports.ts";

const ADDRESS_OPTIONS = [
  "local_addr",
  "remote_addr",
  "family",
  "reuse_port",
  "allow_broadcast",
] as const;

const OPTIONS = [...ADDRESS_OPTIONS, "sock"];

// As CPython: what the header of a datagram adds to what is buffered.
const HEADER_SIZE = 8;

/** The transport of a socket of datagrams. */
class SocketDatagramTransport extends DatagramTransport implements DatagramListener {
  /** @internal */
  static override get name(): string {
    return "DatagramTransport";
  }

  readonly #loop: AbstractEventLoop;
  readonly #socket: DatagramSocket;
  readonly #remote: Address | null;
  #protocol: BaseProtocol;
  // Of the endpoint's maker, as in CPython.
  readonly #context: Context = copy_context();
  #pending = 0;
  #closing = false;
  #lost = false;
  #closed = false;

  constructor(
    loop: AbstractEventLoop,
    socket: DatagramSocket,
    protocol: BaseProtocol,
    remote: Address | null,
    waiter: Future<void>,
  ) {
    super(socket.extra);
    this.#loop = loop;
    this.#socket = socket;
    this.#remote = remote;
    this.#protocol = protocol;
    hold_open(loop, this as unknown as Open);
    loop.call_soon(() => (protocol as DatagramProtocol).connection_made(this));
    loop.call_soon(() => socket.listen(this));
    loop.call_soon(set_result_unless_done, waiter);
  }

  // The host calls these from its own turns.

  on_message(data: Uint8Array, address: Address): void {
    this.#in_turn((protocol) => protocol.datagram_received(data, address));
  }

  on_error(error: unknown): void {
    this.#in_turn((protocol) => protocol.error_received(translate_error(error)));
  }

  on_sent(size: number, error: unknown): void {
    this.#pending -= size + HEADER_SIZE;
    if (error !== null) this.on_error(error);
    if (this.#closing && this.#pending === 0 && !this.#loop.is_closed()) this.#lose(null);
  }

  #in_turn(call: (protocol: DatagramProtocol) => void): void {
    if (this.#lost || this.#loop.is_closed()) return;
    this.#loop.call_soon(() => {
      if (this.#lost || this.#closing) return;
      try {
        call(this.#protocol as DatagramProtocol);
      } catch (exception) {
        if (leaves_the_loop(exception)) throw exception;
        this.#loop.call_exception_handler({
          message: "Fatal error: a callback of a datagram protocol failed.",
          exception,
          transport: this,
          protocol: this.#protocol,
        });
        this.#closing = true;
        this.#lose(exception);
      }
    }, { context: this.#context });
  }

  override sendto(data: Bytes, address: Address | null = null): void {
    const bytes = to_bytes(data, "send a datagram");
    const remote = this.#remote;
    if (remote !== null) {
      if (address !== null && String(address) !== String(remote)) {
        throw new ValueError(`Invalid address: must be null or ${repr(remote)}`);
      }
    } else if (address === null) {
      throw new ValueError("Cannot send a datagram: it needs an address: received null");
    } else check_address(address, "send a datagram");
    if (this.#lost || this.#closing) return;
    this.#pending += bytes.length + HEADER_SIZE;
    try {
      this.#socket.send(bytes === data ? new Uint8Array(bytes) : bytes, remote ?? address);
    } catch (error) {
      // Hosts refuse port 0, and a socket that others have closed, before they ask the system.
      this.on_sent(bytes.length, error);
    }
  }

  override is_closing(): boolean {
    return this.#closing;
  }

  override set_protocol(protocol: BaseProtocol): void {
    this.#protocol = protocol;
  }

  override get_protocol(): BaseProtocol {
    return this.#protocol;
  }

  override close(): void {
    if (this.#closing) return;
    this.#closing = true;
    if (this.#pending === 0) this.#lose(null);
  }

  override abort(): void {
    this.#closing = true;
    this.#lose(null);
  }

  #lose(error: unknown): void {
    if (this.#lost) return;
    this.#lost = true;
    this.#loop.call_soon(() => {
      try {
        this.#protocol.connection_lost(error);
      } finally {
        this._loop_closed();
        release(this.#loop, this as unknown as Open);
      }
    });
  }

  /** @internal */
  protected get _unclosed(): string | undefined {
    return this.#closing ? undefined : "transport";
  }

  /** @internal */
  protected _loop_closed(): void {
    this.#lost = true;
    if (this.#closed) return;
    this.#closed = true;
    this.#socket.close();
  }

  /** Python's `repr`, without the file descriptor. */
  override toString(): string {
    const state = this.#closed ? " closed" : this.#closing ? " closing" : "";
    return `<${this.constructor.name}${state} sockname=${repr(this._extra["sockname"])}>`;
  }
}

/** Implements `loop.create_datagram_endpoint()`. */
export function create_datagram_endpoint<P extends DatagramProtocol>(
  loop: AbstractEventLoop,
  protocol_factory: () => P,
  options: DatagramOptions = {},
): Coroutine<[transport: DatagramTransport, protocol: P]> {
  check_options("create_datagram_endpoint", options, OPTIONS);
  return library_coroutine("create_datagram_endpoint", open(loop, protocol_factory, options));
}

interface AddressPair {
  local: Exclude<Address, string> | null;
  remote: Exclude<Address, string> | null;
}

function* look_up_pairs(
  loop: AbstractEventLoop,
  { local_addr = null, remote_addr = null, family = 0 }: DatagramOptions,
): Generator<unknown, [family: number, pair: AddressPair][], unknown> {
  if (local_addr === null && remote_addr === null) {
    if (family === 0) throw new ValueError("unexpected address family");
    return [[family, { local: null, remote: null }]];
  }
  const pairs = new Map<number, AddressPair>();
  for (const [end, address] of [["local", local_addr], ["remote", remote_addr]] as const) {
    if (address === null) continue;
    if (!Array.isArray(address) || address.length !== 2) {
      throw new TypeError(
        `Cannot open a datagram endpoint: expected [host, port]: received ${repr(address)}`,
      );
    }
    const infos: AddressInfo[] = yield* getaddrinfo(loop, address[0], address[1], {
      family,
      type: SOCK_DGRAM,
      flags: end === "local" ? AI_PASSIVE : 0,
    });
    for (const [found, , , , its_address] of infos) {
      const pair = pairs.get(found) ?? { local: null, remote: null };
      pairs.set(found, pair);
      pair[end] ??= its_address;
    }
  }
  const complete = [...pairs].filter(([, { local, remote }]) =>
    (local_addr === null || local !== null) && (remote_addr === null || remote !== null)
  );
  if (complete.length === 0) throw new ValueError("can not get address information");
  return complete;
}

function given_socket(loop: AbstractEventLoop, options: DatagramOptions): DatagramSocket {
  const modifiers = ADDRESS_OPTIONS.filter((name) => options[name]);
  if (modifiers.length > 0) {
    const problems = modifiers.map((name) => `${name}=${repr(options[name])}`).join(", ");
    throw new ValueError(
      `socket modifier keyword arguments can not be used when sock is specified. (${problems})`,
    );
  }
  check_given_socket(loop, "open a datagram endpoint");
  const socket = wrap_datagram_socket(options.sock);
  if (socket !== null) return socket;
  throw new TypeError(
    "Cannot open a datagram endpoint: sock must be a Socket of node:dgram that is bound: " +
      `received ${repr(options.sock)}`,
  );
}

function* connect_socket<P extends DatagramProtocol>(
  loop: AbstractEventLoop,
  factory: () => P,
  socket: DatagramSocket,
  remote: Address | null = socket.extra["peername"] as Address | null,
): Generator<unknown, [DatagramTransport, P], unknown> {
  let protocol: P;
  try {
    protocol = factory();
  } catch (error) {
    socket.close();
    throw error;
  }
  const transport = yield* open_transport(
    loop,
    (connected) => new SocketDatagramTransport(loop, socket, protocol, remote, connected),
  );
  return [transport, protocol];
}

function open_socket(
  loop: AbstractEventLoop,
  options: DatagramSocketOptions,
  opened: { abort: () => void },
): PromiseLike<DatagramSocket> {
  return loop["_network"]?.open_datagram_socket?.(options) ?? open_datagram_socket(options, opened);
}

function* open<P extends DatagramProtocol>(
  loop: AbstractEventLoop,
  factory: () => P,
  options: DatagramOptions,
): Generator<unknown, [DatagramTransport, P], unknown> {
  const sock = options.sock ?? null;
  if (sock !== null) return yield* connect_socket(loop, factory, given_socket(loop, options));
  const pairs = yield* look_up_pairs(loop, options);
  let first_error: unknown = null;
  for (const [family, { local, remote }] of pairs) {
    const opened = { abort: () => {} };
    let socket: DatagramSocket;
    try {
      socket = yield* wrap_future(
        open_socket(loop, {
          local,
          remote,
          ipv6: family === AF_INET6,
          reuse_port: options.reuse_port ?? false,
          allow_broadcast: options.allow_broadcast ?? false,
        }, opened),
        { loop },
      );
    } catch (error) {
      opened.abort();
      const translated = translate_error(error);
      if (translated === error) throw error;
      first_error ??= translated;
      continue;
    }
    return yield* connect_socket(loop, factory, socket, remote);
  }
  throw first_error;
}
