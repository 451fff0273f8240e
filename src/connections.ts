/**
 * Making connections and servers: what the loop's methods of these names do.
 *
 * @module
 */

import { ByteTransport, type TransportOwner } from "./byte_transports.ts";
import { type Coroutine, library_coroutine } from "./core/coroutines.ts";
import { ExceptionGroup, RuntimeError, TimeoutError, ValueError } from "./core/exceptions.ts";
import { type Future, wrap_future } from "./core/futures.ts";
import type {
  Address,
  AddressInfo,
  Connecting,
  Endpoint,
  Listener,
  Network,
  SocketOptions,
} from "./host/endpoints.ts";
import {
  AF_INET,
  AF_INET6,
  AF_UNSPEC,
  AI_PASSIVE,
  endpoint_of_socket,
  host_network,
  listener_of_server,
  name_of_address,
  remove_stale_socket,
  SOCK_STREAM,
} from "./host/sockets.ts";
import { to_bytes } from "./internal/bytes.ts";
import { is_plain_object, repr } from "./internal/format_helpers.ts";
import type {
  AcceptedSocketOptions,
  AddressInfoOptions,
  ConnectionOptions,
  HostSocketObject,
  NamedAddress,
  NamedPath,
  NamedPort,
  ServerOptions,
  SSL,
  TLSOptions,
  UnixConnectionOptions,
  UnixServerOptions,
} from "./core/connection_options.ts";
import { check_options } from "./internal/options.ts";
import type { AbstractEventLoop, AbstractServer } from "./core/events.ts";
import { open_transport } from "./open_transports.ts";
import { make_os_error, OSError, translate_error } from "./os_errors.ts";
import type { BaseProtocol } from "./core/protocols.ts";
import { ListeningServer } from "./servers.ts";
import { check_ssl, check_ssl_timeouts, tls_over } from "./sslproto.ts";
import { staggered_race } from "./staggered.ts";
import type { Transport } from "./core/transports.ts";
import { gather, sleep } from "./waiting.ts";

const TLS_OPTIONS = ["server_hostname", "ssl_handshake_timeout", "ssl_shutdown_timeout"];

const CONNECTION_OPTIONS = [
  "ssl",
  "family",
  "proto",
  "flags",
  "sock",
  "local_addr",
  ...TLS_OPTIONS,
  "happy_eyeballs_delay",
  "interleave",
  "all_errors",
];

const UNIX_SERVER_OPTIONS = [
  "sock",
  "backlog",
  "ssl",
  "ssl_handshake_timeout",
  "ssl_shutdown_timeout",
  "start_serving",
];

const SERVER_OPTIONS = [
  "family",
  "flags",
  ...UNIX_SERVER_OPTIONS,
  "reuse_address",
  "reuse_port",
  "keep_alive",
];

const FAMILIES: readonly number[] = [AF_UNSPEC, AF_INET, AF_INET6];

// The size of a Unix socket's address in bytes; some hosts cut a longer path and listen at the rest.
const LONGEST_UNIX_PATH = 107;

function network_of(loop: AbstractEventLoop): Network {
  return loop["_network"] ?? host_network;
}

/** Waits, in a generator of the library, for a promise of the host or the network. */
function* wait_for_host<T>(
  loop: AbstractEventLoop,
  given: PromiseLike<T>,
): Generator<unknown, T, unknown> {
  return yield* wrap_future(given, { loop });
}

/** Checks a host and a port. */
export function check_address(address: unknown, what: string): void {
  const [host, port] = Array.isArray(address) ? address : [];
  if (typeof host !== "string" || typeof port !== "number") {
    throw new TypeError(`Cannot ${what}: expected [host, port]: received ${repr(address)}`);
  }
  to_port(port, what);
}

function to_port(port: unknown, what: string): number {
  if (port === null || port === undefined) return 0;
  if (typeof port !== "number" || !Number.isInteger(port)) {
    throw new TypeError(`Cannot ${what}: the port must be a whole number: received ${repr(port)}`);
  }
  if (port < 0 || port > 65535) {
    throw new ValueError(`Cannot ${what}: the port must be 0-65535: received ${port}`);
  }
  return port;
}

/** Implements `loop.getaddrinfo()`. */
export function getaddrinfo(
  loop: AbstractEventLoop,
  host: string | null,
  port: number | null,
  options: AddressInfoOptions = {},
): Coroutine<AddressInfo[]> {
  check_options("getaddrinfo", options, ["family", "type", "proto", "flags"]);
  return library_coroutine("getaddrinfo", look_up(loop, host, port, options));
}

function* look_up(
  loop: AbstractEventLoop,
  host: string | null,
  port: number | null,
  { family = AF_UNSPEC, type = 0, proto = 0, flags = 0 }: AddressInfoOptions,
): Generator<unknown, AddressInfo[], unknown> {
  if (host !== null && typeof host !== "string") {
    throw new TypeError(
      `Cannot look up a host: expected a name or an address: received ${repr(host)}`,
    );
  }
  if (host?.includes("\0")) throw new ValueError("embedded null character");
  const number = to_port(port, "look up a host");
  const what = { address: [host, number] };
  if (!FAMILIES.includes(family)) throw make_os_error("EAI_FAMILY", undefined, what);
  if (host === "") throw make_os_error("ENOTFOUND", undefined, what);
  let infos: AddressInfo[];
  try {
    infos = yield* wait_for_host(
      loop,
      network_of(loop).lookup(host, number, { family, type, proto, flags }),
    );
  } catch (error) {
    throw translate_error(error, undefined, [host, number]);
  }
  if (infos.length === 0) throw make_os_error("ENOTFOUND", undefined, what);
  return infos;
}

/** Implements `loop.getnameinfo()`. */
export function getnameinfo(
  loop: AbstractEventLoop,
  sockaddr: readonly [host: string, port: number, ...number[]],
  flags: number = 0,
): Coroutine<[host: string, service: string]> {
  return library_coroutine("getnameinfo", look_up_name(loop, sockaddr, flags));
}

function* look_up_name(
  loop: AbstractEventLoop,
  sockaddr: readonly [host: string, port: number, ...number[]],
  flags: number,
): Generator<unknown, [host: string, service: string], unknown> {
  check_address(sockaddr, "look up an address");
  try {
    return yield* wait_for_host(loop, name_of_address(sockaddr, flags));
  } catch (error) {
    throw translate_error(error, undefined, sockaddr);
  }
}

// The addresses of a host in the order in which they are tried: `first` of one family, then one of each
// in turn.
function interleave_families(infos: readonly AddressInfo[], first: number): AddressInfo[] {
  const families = [...new Set(infos.map(([family]) => family))].map((family) =>
    infos.filter((info) => info[0] === family)
  );
  const order = families[0]!.splice(0, first - 1);
  while (families.some((family) => family.length > 0)) {
    for (const family of families) {
      const next = family.shift();
      if (next !== undefined) order.push(next);
    }
  }
  return order;
}

function* connect_to(
  loop: AbstractEventLoop,
  address: Address,
  options: SocketOptions,
): Generator<unknown, Endpoint, unknown> {
  let connecting: Connecting | null = null;
  try {
    connecting = network_of(loop).connect(address, options);
    return yield* wait_for_host(loop, connecting.endpoint);
  } catch (error) {
    connecting?.abort();
    throw translate_error(error, connect_failed(error, address, options), address);
  }
}

const BIND_ERRORS: readonly unknown[] = ["EADDRINUSE", "EADDRNOTAVAIL"];

function connect_failed(
  error: unknown,
  address: Address,
  { local_address = null }: SocketOptions,
): string | undefined {
  // Of the path of a Unix socket CPython says what is wrong with it.
  if (typeof address === "string") return;
  // Bun does not tell which call has failed.
  const is_bound = BIND_ERRORS.includes((error as { code?: unknown } | null)?.code);
  return is_bound && local_address !== null && typeof local_address !== "string"
    ? bind_failed(error, local_address)
    : `Connect call failed ${format_address(address)}`;
}

function bind_failed(error: unknown, address: readonly unknown[]): string {
  const { strerror, message } = translate_error(error) as OSError;
  const reason = (strerror ?? message).toLowerCase();
  return `error while attempting to bind on address ${format_address(address)}: ${reason}`;
}

/** An address as Python shows it: `('127.0.0.1', 80)`. */
function format_address(address: readonly unknown[]): string {
  return `(${address.map((part) => repr(part)).join(", ")})`;
}

/** Makes the transport of an endpoint that is connected, and waits until it can be used. */
function open_bytes(
  loop: AbstractEventLoop,
  endpoint: Endpoint,
  protocol: BaseProtocol,
  owner: TransportOwner | null,
): Generator<unknown, Transport, unknown> {
  return open_transport(
    loop,
    (connected) => new ByteTransport(loop, endpoint, protocol, connected, owner),
  );
}

/** Refuses a socket of the host on a loop with a network in memory. */
export function check_given_socket(loop: AbstractEventLoop, what: string): void {
  if (loop["_network"] === null) return;
  throw new RuntimeError(
    `Cannot ${what}: sock is a socket of the host, and the loop has a network in memory`,
  );
}

/** The endpoint of a socket that the caller has connected. */
function endpoint_of(loop: AbstractEventLoop, sock: unknown, what: string): Endpoint {
  check_given_socket(loop, what);
  const endpoint = endpoint_of_socket(sock);
  if (endpoint !== null) return endpoint;
  throw new TypeError(
    `Cannot ${what}: sock must be a connected Socket of node:net: received ${repr(sock)}`,
  );
}

/** The listener of a server that the caller has made. */
function listener_of(loop: AbstractEventLoop, options: ServerOptions): Listener {
  check_given_socket(loop, "listen");
  const listener = listener_of_server(options.sock, socket_options(options));
  if (listener !== null) return listener;
  throw new TypeError(
    "Cannot listen: sock must be a Server of node:net that listens: " +
      `received ${repr(options.sock)}`,
  );
}

function call_factory<P>(factory: () => P, endpoint: Endpoint): P {
  try {
    return factory();
  } catch (error) {
    endpoint.abort();
    throw error;
  }
}

function* finish_connection<P extends BaseProtocol>(
  loop: AbstractEventLoop,
  endpoint: Endpoint,
  factory: () => P,
  ssl: SSL | null,
  options: TLSOptions,
): Generator<unknown, [Transport, P], unknown> {
  const protocol = call_factory(factory, endpoint);
  const transport = ssl
    ? yield* tls_over(loop, endpoint, protocol, ssl, { ...options, server_side: false }, null)
    : yield* open_bytes(loop, endpoint, protocol, null);
  return [transport, protocol];
}

function check_client_options(
  options: ConnectionOptions | UnixConnectionOptions,
): SSL | null {
  const { ssl = null, server_hostname = null } = options;
  if (server_hostname !== null && !ssl) {
    throw new ValueError("server_hostname is only meaningful with ssl");
  }
  check_ssl_timeouts(ssl, options);
  return check_ssl(ssl);
}

/** Returns the host, the port and the options of a call that may name the port, or both, among its options. */
export function split_address<H, O extends object>(
  host: H | null | (NamedAddress<H> & O),
  port: number | null | (NamedPort & O),
  options: O,
): [host: H | null, port: number | null, options: O] {
  if (is_plain_object(host)) {
    const { host: name = null, ...others } = host as NamedAddress<H> & O;
    return split_address<H, O>(name, { port, ...others } as NamedPort & O, options);
  }
  if (is_plain_object(port)) {
    const { port: number = null, ...others } = port as NamedPort & O;
    return [host as H | null, number, { ...options, ...others }];
  }
  return [host as H | null, port as number | null, options];
}

/** Returns the path and the options of a call that may name the path among its options. */
export function split_path<O extends object>(
  path: string | null | (NamedPath & O),
  options: O,
): [path: string | null, options: O] {
  if (!is_plain_object(path)) return [path as string | null, options];
  const { path: name = null, ...others } = path as NamedPath & O;
  return [name, { ...options, ...others }];
}

/** Implements `loop.create_connection()`. */
export function create_connection<P extends BaseProtocol>(
  loop: AbstractEventLoop,
  protocol_factory: () => P,
  host: string | null | (NamedAddress<string> & ConnectionOptions) = null,
  port: number | null | (NamedPort & ConnectionOptions) = null,
  options: ConnectionOptions = {},
): Coroutine<[transport: Transport, protocol: P]> {
  const [name, number, rest] = split_address(host, port, options);
  check_options("create_connection", rest, CONNECTION_OPTIONS);
  return library_coroutine(
    "create_connection",
    connect(loop, protocol_factory, name, number, rest),
  );
}

function* connect<P extends BaseProtocol>(
  loop: AbstractEventLoop,
  factory: () => P,
  host: string | null,
  port: number | null,
  options: ConnectionOptions,
): Generator<unknown, [Transport, P], unknown> {
  const ssl = check_client_options(options);
  let { server_hostname = null } = options;
  if (server_hostname === null && ssl) {
    if (!host) throw new ValueError("You must set server_hostname when using ssl without a host");
    server_hostname = host;
  }
  const sock = options.sock ?? null;
  if (sock !== null) {
    if (host !== null || port !== null) {
      throw new ValueError("host/port and sock can not be specified at the same time");
    }
    const endpoint = endpoint_of(loop, sock, "connect");
    return yield* finish_connection(loop, endpoint, factory, ssl, { ...options, server_hostname });
  }
  if (host === null && port === null) {
    throw new ValueError("host and port was not specified and no sock specified");
  }
  const { family = 0, proto = 0, flags = 0, local_addr = null } = options;
  const hints = { family, type: SOCK_STREAM, proto, flags };
  let infos = yield* look_up(loop, host, port, hints);
  const local_infos = local_addr === null
    ? null
    : yield* look_up(loop, local_addr[0], local_addr[1], hints);
  const delay = options.happy_eyeballs_delay ?? null;
  const first = options.interleave ?? (delay === null ? 0 : 1);
  if (first) infos = interleave_families(infos, first);
  const endpoint = yield* connect_to_first(loop, infos, local_infos, delay, options);
  return yield* finish_connection(loop, endpoint, factory, ssl, { ...options, server_hostname });
}

/** Connects to the first address that accepts, one after the other or, with a delay, by a race. */
function* connect_to_first(
  loop: AbstractEventLoop,
  infos: readonly AddressInfo[],
  local_infos: readonly AddressInfo[] | null,
  delay: number | null,
  { all_errors = false }: ConnectionOptions,
): Generator<unknown, Endpoint, unknown> {
  const errors: OSError[] = [];
  function* attempt([family, , , , address]: AddressInfo): Generator<unknown, Endpoint, unknown> {
    try {
      let local_address: Address | null = null;
      if (local_infos !== null) {
        local_address = local_infos.find((info) => info[0] === family)?.[4] ?? null;
        if (local_address === null) {
          throw new OSError(`no matching local address with family=${family} found`);
        }
      }
      return yield* connect_to(loop, address, { local_address });
    } catch (error) {
      if (error instanceof OSError) errors.push(error);
      throw error;
    }
  }

  if (delay !== null) {
    const starts = infos.map((info) => () => attempt(info));
    const [endpoint] = yield* staggered_race<Endpoint>(starts, delay, { loop });
    if (endpoint !== null) return endpoint;
  } else {
    for (const info of infos) {
      try {
        return yield* attempt(info);
      } catch (error) {
        if (!(error instanceof OSError)) throw error;
      }
    }
  }
  throw connection_error(errors, all_errors);
}

function connection_error(errors: readonly OSError[], all: boolean): Error {
  const [first] = errors;
  if (first === undefined) return new TimeoutError("create_connection failed");
  if (all) return new ExceptionGroup("create_connection failed", errors);
  if (errors.every(({ message }) => message === first.message)) return first;
  return new OSError(`Multiple exceptions: ${errors.map(({ message }) => message).join(", ")}`);
}

const WINDOWS_PIPE = "\\\\";

function check_path_or_sock(
  loop: AbstractEventLoop,
  path: unknown,
  sock: unknown,
  what: string,
  neither: string,
): void {
  if (path === null) {
    if (sock === null) throw new ValueError(neither);
    return;
  }
  if (sock !== null) throw new ValueError("path and sock can not be specified at the same time");
  if (typeof path !== "string") {
    throw new TypeError(`Cannot ${what}: the path must be a string: received ${repr(path)}`);
  }
  if (path.includes("\0", 1)) throw new ValueError("embedded null byte");
  if (loop["_network"] !== null) return;
  if (path === "") throw make_os_error("EINVAL");
  if (to_bytes(path, what).length > LONGEST_UNIX_PATH && !path.startsWith(WINDOWS_PIPE)) {
    throw new OSError("AF_UNIX path too long");
  }
}

/** Implements `loop.create_unix_connection()`. */
export function create_unix_connection<P extends BaseProtocol>(
  loop: AbstractEventLoop,
  protocol_factory: () => P,
  path: string | null | (NamedPath & UnixConnectionOptions) = null,
  options: UnixConnectionOptions = {},
): Coroutine<[transport: Transport, protocol: P]> {
  const [name, rest] = split_path(path, options);
  check_options("create_unix_connection", rest, ["ssl", "sock", ...TLS_OPTIONS]);
  return library_coroutine(
    "create_unix_connection",
    connect_unix(loop, protocol_factory, name, rest),
  );
}

function* connect_unix<P extends BaseProtocol>(
  loop: AbstractEventLoop,
  factory: () => P,
  path: string | null,
  options: UnixConnectionOptions,
): Generator<unknown, [Transport, P], unknown> {
  const ssl = check_client_options(options);
  if (ssl && (options.server_hostname ?? null) === null) {
    throw new ValueError("you have to pass server_hostname when using ssl");
  }
  const sock = options.sock ?? null;
  check_path_or_sock(loop, path, sock, "connect", "no path and sock were specified");
  const endpoint = path === null
    ? endpoint_of(loop, sock, "connect")
    : yield* connect_to(loop, path, {});
  return yield* finish_connection(loop, endpoint, factory, ssl, options);
}

/** Implements `loop.connect_accepted_socket()`. */
export function connect_accepted_socket<P extends BaseProtocol>(
  loop: AbstractEventLoop,
  protocol_factory: () => P,
  sock: HostSocketObject,
  options: AcceptedSocketOptions = {},
): Coroutine<[transport: Transport, protocol: P]> {
  check_options("connect_accepted_socket", options, [
    "ssl",
    "ssl_handshake_timeout",
    "ssl_shutdown_timeout",
  ]);
  return library_coroutine(
    "connect_accepted_socket",
    accept_socket(loop, protocol_factory, sock, options),
  );
}

function* accept_socket<P extends BaseProtocol>(
  loop: AbstractEventLoop,
  factory: () => P,
  sock: HostSocketObject,
  options: AcceptedSocketOptions,
): Generator<unknown, [Transport, P], unknown> {
  check_server_ssl(options, "accept a socket");
  const { ssl = null, ...limits } = options;
  const endpoint = endpoint_of(loop, sock, "accept a socket");
  const protocol = call_factory(factory, endpoint);
  const transport = ssl
    ? yield* tls_over(loop, endpoint, protocol, ssl, { ...limits, server_side: true }, null)
    : yield* open_bytes(loop, endpoint, protocol, null);
  return [transport, protocol];
}

function make_server(
  loop: AbstractEventLoop,
  listeners: Listener[],
  factory: () => BaseProtocol,
  options: UnixServerOptions,
): ListeningServer {
  const { ssl = null, ssl_handshake_timeout = null, ssl_shutdown_timeout = null } = options;
  const tls_options = { ssl_handshake_timeout, ssl_shutdown_timeout, server_side: true };
  return new ListeningServer(
    loop,
    listeners,
    factory,
    (endpoint, protocol, owner) =>
      ssl
        ? tls_over(loop, endpoint, protocol, ssl, tls_options, owner)
        : open_bytes(loop, endpoint, protocol, owner),
  );
}

function* start_if_wanted(
  server: ListeningServer,
  { start_serving = true }: UnixServerOptions,
): Generator<unknown, AbstractServer, unknown> {
  if (start_serving) {
    server["_start_serving"]();
    try {
      yield* sleep(0);
    } catch (error) {
      server.close(); // cancelled: no caller gets it
      throw error;
    }
  }
  return server;
}

function check_server_ssl(options: AcceptedSocketOptions, what: string): void {
  const { ssl = null } = options;
  if (typeof ssl === "boolean") {
    throw new TypeError(
      `Cannot ${what}: ssl must be options of node:tls, with a certificate and a key: ` +
        `received ${ssl}`,
    );
  }
  check_ssl(ssl);
  check_ssl_timeouts(ssl, options);
}

/** Implements `loop.create_server()`. */
export function create_server(
  loop: AbstractEventLoop,
  protocol_factory: () => BaseProtocol,
  host:
    | string
    | Iterable<string>
    | null
    | (NamedAddress<string | Iterable<string>> & ServerOptions) = null,
  port: number | null | (NamedPort & ServerOptions) = null,
  options: ServerOptions = {},
): Coroutine<AbstractServer> {
  const [name, number, rest] = split_address(host, port, options);
  check_options("create_server", rest, SERVER_OPTIONS);
  return library_coroutine("create_server", listen(loop, protocol_factory, name, number, rest));
}

function* listen(
  loop: AbstractEventLoop,
  factory: () => BaseProtocol,
  host: string | Iterable<string> | null,
  port: number | null,
  options: ServerOptions,
): Generator<unknown, AbstractServer, unknown> {
  check_server_ssl(options, "listen");
  const sock = options.sock ?? null;
  if (sock !== null) {
    if (host !== null || port !== null) {
      throw new ValueError("host/port and sock can not be specified at the same time");
    }
    const listener = listener_of(loop, options);
    return yield* start_if_wanted(make_server(loop, [listener], factory, options), options);
  }
  if (host === null && port === null) {
    throw new ValueError("Neither host/port nor sock were specified");
  }
  const hosts = host === "" || host === null ? [null] : typeof host === "string" ? [host] : host;
  const { family = AF_UNSPEC, flags = AI_PASSIVE } = options;
  const found = yield* gather(
    Array.from(
      hosts,
      (host) =>
        library_coroutine(
          "getaddrinfo",
          look_up(loop, host, port, { family, type: SOCK_STREAM, flags }),
        ),
    ),
  );
  // A host may be named twice.
  const infos = new Map(found.flat().map((info) => [JSON.stringify(info), info]));
  const listeners: Listener[] = [];
  try {
    for (const [, , , , address] of infos.values()) {
      const listener = yield* listen_at(loop, address, options);
      if (listener !== null) listeners.push(listener);
    }
    if (listeners.length === 0) {
      const addresses = [...infos.values()].map((info) => format_address(info[4]));
      throw new OSError(`could not bind on any address out of [${addresses.join(", ")}]`);
    }
  } catch (error) {
    for (const listener of listeners) listener.close();
    throw error;
  }
  return yield* start_if_wanted(make_server(loop, listeners, factory, options), options);
}

function socket_options(options: ServerOptions): SocketOptions {
  return {
    backlog: options.backlog ?? 100,
    reuse_port: options.reuse_port ?? false,
    keep_alive: options.keep_alive ?? false,
  };
}

// `null` if this machine does not have the address: its family may not be enabled.
function* listen_at(
  loop: AbstractEventLoop,
  address: Exclude<Address, string>,
  options: ServerOptions,
): Generator<unknown, Listener | null, unknown> {
  try {
    return yield* wait_for_listener(loop, address, socket_options(options));
  } catch (error) {
    const { code } = error as { code?: unknown };
    if (code === "EADDRNOTAVAIL" || code === "EAFNOSUPPORT") return null;
    throw translate_error(error, bind_failed(error, address), address);
  }
}

/** Waits for a listener; one that comes after a cancellation is closed. */
function* wait_for_listener(
  loop: AbstractEventLoop,
  address: Address,
  options: SocketOptions,
): Generator<unknown, Listener, unknown> {
  const listening = network_of(loop).listen(address, options);
  let future: Future<Listener> | null = null;
  try {
    future = wrap_future(listening, { loop });
    return yield* future;
  } catch (error) {
    listening.then((listener) => listener.close(), () => {});
    throw error;
  }
}

/** Implements `loop.create_unix_server()`. */
export function create_unix_server(
  loop: AbstractEventLoop,
  protocol_factory: () => BaseProtocol,
  path: string | null | (NamedPath & UnixServerOptions) = null,
  options: UnixServerOptions = {},
): Coroutine<AbstractServer> {
  const [name, rest] = split_path(path, options);
  check_options("create_unix_server", rest, UNIX_SERVER_OPTIONS);
  return library_coroutine(
    "create_unix_server",
    listen_unix(loop, protocol_factory, name, rest),
  );
}

function* listen_unix(
  loop: AbstractEventLoop,
  factory: () => BaseProtocol,
  path: string | null,
  options: UnixServerOptions,
): Generator<unknown, AbstractServer, unknown> {
  check_server_ssl(options, "listen");
  const neither = "path was not specified, and no sock specified";
  check_path_or_sock(loop, path, options.sock ?? null, "listen", neither);
  if (path === null) {
    const listener = listener_of(loop, options);
    return yield* start_if_wanted(make_server(loop, [listener], factory, options), options);
  }
  let listener: Listener;
  try {
    if (loop["_network"] === null && !path.startsWith("\0")) remove_stale_socket(path);
    listener = yield* wait_for_listener(loop, path, socket_options(options));
  } catch (error) {
    const in_use = (error as { code?: unknown } | null)?.code === "EADDRINUSE";
    throw translate_error(
      error,
      in_use ? `Address ${repr(path)} is already in use` : undefined,
      path,
    );
  }
  return yield* start_if_wanted(make_server(loop, [listener], factory, options), options);
}
