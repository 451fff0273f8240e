/**
 * The options of the functions that connect and listen.
 *
 * @module
 */

import type { HostReadable, HostWritable } from "../host/pipes.ts";
import type { HostListener } from "../host/sockets.ts";

/**
 * The options of TLS that clients and `start_tls()` have.
 *
 * @category Streams
 */
export interface TLSOptions {
  /** The name that the peer's certificate must have; the host by default, `""` for any. */
  server_hostname?: string | null;
  /** How long the handshake may take, in seconds; 60 by default. */
  ssl_handshake_timeout?: number | null;
  /** How long the end of TLS may take, in seconds; 30 by default. */
  ssl_shutdown_timeout?: number | null;
}

/**
 * A connected `Socket` or a listening `Server` of `node:net`, or a `Socket` of `node:dgram`, in the place of
 * Python's socket.
 *
 * @category Transports and protocols
 */
export interface HostSocketObject {
  /**
   * Adds a listener.
   *
   * @param event the name of the event
   * @param listener the function
   * @returns anything
   */
  on(event: string, listener: HostListener): unknown;
}

/**
 * The options of `loop.create_connection()`.
 *
 * @category Streams
 */
export interface ConnectionOptions extends TLSOptions {
  /** `true` for TLS with the host's authorities, or options of `node:tls`; `null`, the default, for none. */
  ssl?: SSL | null;
  /** The family of addresses, by Python's numbers: 2 for IPv4, 10 for IPv6; 0, the default, for any. */
  family?: number;
  /** The protocol, by its number; 0, the default, for that of the family. */
  proto?: number;
  /** Flags for `getaddrinfo()`. */
  flags?: number;
  /** A connected socket of `node:net` to be used, in the place of a host and a port. */
  sock?: HostSocketObject | null;
  /** The address and port of this end; port 0 for any. */
  local_addr?: readonly [host: string, port: number] | null;
  /** After how many seconds the next address of the host is tried while one is; not before it has failed by default. */
  happy_eyeballs_delay?: number | null;
  /** How many addresses of the first family are tried before one of the other. */
  interleave?: number | null;
  /** True if all errors are thrown, in an {@linkcode ExceptionGroup}, when all addresses fail. */
  all_errors?: boolean;
}

/**
 * A port that is given by name, with the options.
 *
 * @category Streams
 */
export interface NamedPort {
  /** The port. */
  port?: number | null;
}

/**
 * A host and a port that are given by name, with the options.
 *
 * @category Streams
 */
export interface NamedAddress<H> extends NamedPort {
  /** The name or the address of the host; for a server also several. */
  host?: H | null;
}

/**
 * A path that is given by name, with the options.
 *
 * @category Streams
 */
export interface NamedPath {
  /** The path of the socket. */
  path?: string | null;
}

/**
 * The options of `loop.create_unix_connection()`.
 *
 * @category Streams
 */
export interface UnixConnectionOptions extends TLSOptions {
  /** A connected socket of `node:net` to be used, in the place of a path. */
  sock?: HostSocketObject | null;
  /** `true` for TLS with the host's authorities, or options of `node:tls`; `null`, the default, for none. */
  ssl?: SSL | null;
}

/**
 * The options of `loop.create_unix_server()`.
 *
 * @category Streams
 */
export interface UnixServerOptions {
  /** A server of `node:net` that listens, in the place of an address; it is closed with this server. */
  sock?: HostSocketObject | null;
  /** How many connections wait at most to be accepted; 100 by default. */
  backlog?: number;
  /** Options of `node:tls`, with a certificate and a key; `null`, the default, for none. */
  ssl?: SSLContext | null;
  /** How long the handshake may take, in seconds; 60 by default. */
  ssl_handshake_timeout?: number | null;
  /** How long the end of TLS may take, in seconds; 30 by default. */
  ssl_shutdown_timeout?: number | null;
  /** True if connections are accepted at once; else `start_serving()` begins. */
  start_serving?: boolean;
}

/**
 * The options of `loop.connect_accepted_socket()`.
 *
 * @category Streams
 */
export interface AcceptedSocketOptions {
  /** Options of `node:tls`, with a certificate and a key; `null`, the default, for none. */
  ssl?: SSLContext | null;
  /** How long the handshake may take, in seconds; 60 by default. */
  ssl_handshake_timeout?: number | null;
  /** How long the end of TLS may take, in seconds; 30 by default. */
  ssl_shutdown_timeout?: number | null;
}

/**
 * The options of `loop.create_server()`.
 *
 * @category Streams
 */
export interface ServerOptions extends UnixServerOptions {
  /** The family of addresses, by Python's numbers: 2 for IPv4, 10 for IPv6; 0, the default, for any. */
  family?: number;
  /** Flags for `getaddrinfo()`. */
  flags?: number;
  /** True if an address may be bound again at once; hosts do so always. */
  reuse_address?: boolean | null;
  /** True if several servers may listen at the address, where the host can. */
  reuse_port?: boolean | null;
  /** True if connections that are idle are probed. */
  keep_alive?: boolean | null;
}

/**
 * How `loop.getaddrinfo()` looks an address up.
 *
 * @category Event loop
 */
export interface AddressInfoOptions {
  /** The family of addresses: 2 for IPv4, 10 for IPv6; 0, the default, for any. */
  family?: number;
  /** The type of socket: 1 for streams, 2 for datagrams; 0, the default, for any. */
  type?: number;
  /** The number of the protocol; 0, the default, for any. */
  proto?: number;
  /** Python's flags: 1 stands for addresses to listen at. */
  flags?: number;
}

/**
 * Options of `node:tls` in the place of Python's `SSLContext`: `ca`, `cert`, `key`, `ALPNProtocols`,
 * `rejectUnauthorized`, …
 *
 * @category Streams
 */
export type SSLContext = Readonly<Record<string, unknown>>;

/**
 * The values of `ssl` for a client: `true` for the host's authorities, or options.
 *
 * @category Streams
 */
export type SSL = boolean | SSLContext;

/**
 * The options of `loop.start_tls()`.
 *
 * @category Streams
 */
export interface StartTLSOptions {
  /** True if this end is the server; false by default. */
  server_side?: boolean;
  /** The name that the server's certificate must have; `""`, the default here, for any. */
  server_hostname?: string | null;
  /** How long the handshake may take, in seconds; 60 by default. */
  ssl_handshake_timeout?: number | null;
  /** How long the end of TLS may take, in seconds; 30 by default. */
  ssl_shutdown_timeout?: number | null;
}

/**
 * The options of `loop.create_datagram_endpoint()`.
 *
 * @category Transports and protocols
 */
export interface DatagramOptions {
  /** The address that it is bound to; any by default. */
  local_addr?: readonly [host: string, port: number] | null;
  /** The address that it sends to, and from which alone it receives; none by default. */
  remote_addr?: readonly [host: string, port: number] | null;
  /** The family of addresses, by Python's numbers: 2 for IPv4, 10 for IPv6. */
  family?: number;
  /** True if several sockets may be bound to the address, where the host can. */
  reuse_port?: boolean | null;
  /** True if datagrams may be sent to broadcast addresses. */
  allow_broadcast?: boolean | null;
  /** A socket of `node:dgram` that is bound, in the place of the other options. */
  sock?: HostSocketObject | null;
}

/**
 * The pipes that `loop.connect_read_pipe()` reads: a `Readable` of Node.js, or a `ReadableStream`, of bytes.
 *
 * @category Transports and protocols
 */
export type ReadPipe = HostReadable | ReadableStream<Uint8Array>;

/**
 * The pipes that `loop.connect_write_pipe()` writes to: a `Writable` of Node.js, or a `WritableStream`, of bytes.
 *
 * @category Transports and protocols
 */
export type WritePipe = HostWritable | WritableStream<Uint8Array>;
