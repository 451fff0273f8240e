/**
 * The endpoints that transports are built on: one end of a connection, of the host or in memory.
 *
 * @module
 */

/**
 * An address, as in Python: `["127.0.0.1", 8080]`, for IPv6 `["::1", 8080, 0, 0]`, for a Unix socket
 * its path.
 *
 * @category Transports and protocols
 */
export type Address =
  | string
  | [host: string, port: number]
  | [host: string, port: number, flow_info: number, scope_id: number];

/** Receives the events of an endpoint; none is called from within a call of it other than `listen()`. */
export interface EndpointListener {
  /** Bytes have arrived, in an array of their own. */
  on_data(chunk: Uint8Array): void;
  /** The peer sends no more. */
  on_end(): void;
  /** The connection has failed; nothing comes after it. */
  on_error(error: unknown): void;
  /** The write buffer has shrunk. */
  on_written(): void;
}

/** One end of a connection. It is paused until `resume()` is called. */
export interface Endpoint {
  /** The known facts of the connection: `peername`, `sockname`, `socket`. */
  readonly extra: Record<string, unknown>;
  /** Reports events to a listener. */
  listen(listener: EndpointListener): void;
  /** Sends bytes; of those that the caller may change afterwards it keeps a copy. */
  write(data: Uint8Array, may_change: boolean): void;
  /** How many bytes have not been sent yet. */
  pending(): number;
  /** Ends the sending side when all is sent. */
  end(): void;
  /** Receives no more, or hardly any more, until `resume()`. */
  pause(): void;
  /** Receives. */
  resume(): void;
  /** Closes the connection when all is sent; no event comes after it. */
  close(): void;
  /** Closes the connection at once; no event comes after it. */
  abort(): void;
}

/** Where connections are accepted. */
export interface Listener {
  /** The address, with the port that was chosen. */
  readonly address: Address;
  /** The host's object. */
  readonly host_object: unknown;
  /** Begins to hand over connections, those that came before included. */
  accept(on_connection: (endpoint: Endpoint) => void, on_error: (error: unknown) => void): void;
  /** Accepts no more. */
  close(): void;
}

/** A connection that is being made. */
export interface Connecting {
  /** Settles when it is made, or has failed. */
  readonly endpoint: PromiseLike<Endpoint>;
  /** Abandons it. */
  abort(): void;
}

/**
 * The result of `loop.getaddrinfo()` for an address: Python's tuple.
 *
 * @category Event loop
 */
export type AddressInfo = [
  family: number,
  type: number,
  proto: number,
  canonical_name: string,
  address: Exclude<Address, string>,
];

/** Receives the events of a socket of datagrams. */
export interface DatagramListener {
  on_message(data: Uint8Array, address: Address): void;
  on_error(error: unknown): void;
  on_sent(size: number, error: unknown): void;
}

/** How a socket of datagrams is opened. */
export interface DatagramSocketOptions {
  local: Exclude<Address, string> | null;
  remote: Exclude<Address, string> | null;
  ipv6: boolean;
  reuse_port: boolean;
  allow_broadcast: boolean;
}

/** A socket of datagrams. */
export interface DatagramSocket {
  readonly extra: Record<string, unknown>;
  /** Reports events to a listener. */
  listen(listener: DatagramListener): void;
  /** Sends a datagram; to the remote address, if it has one. */
  send(data: Uint8Array, address: Address | null): void;
  close(): void;
}

/** How a connection is made or accepted. */
export interface SocketOptions {
  /** The address of this end; any by default. */
  local_address?: Address | null;
  /** How many connections wait at most to be accepted. */
  backlog?: number;
  /** True if several sockets may be bound to the address. */
  reuse_port?: boolean;
  /** True if the host probes connections that are idle. */
  keep_alive?: boolean;
}

/** The maker of connections: the sockets of the host, or a network in memory. */
export interface Network {
  /** The addresses of a host. */
  lookup(
    host: string | null,
    port: number,
    options: { family: number; type: number; proto: number; flags: number },
  ): PromiseLike<AddressInfo[]>;
  /** Connects to an address. */
  connect(address: Address, options: SocketOptions): Connecting;
  /** Accepts connections at an address. */
  listen(address: Address, options: SocketOptions): PromiseLike<Listener>;
  /** Opens a socket of datagrams; without it they are the host's. */
  open_datagram_socket?(options: DatagramSocketOptions): PromiseLike<DatagramSocket>;
}

/** A resource that is open on the host, and is closed with the loop. */
export interface Open {
  /** @internal The word for it in a warning that it was not closed; none if it need not be. */
  readonly _unclosed?: string | undefined;
  /** @internal The loop is closed: it closes what the host has, without calling a protocol. */
  _loop_closed(): void;
}

/** All that a loop has open. */
export interface OpenSet {
  /** Adds what is open. */
  add(open: Open): void;
  /** Takes out what is closed. */
  delete(open: Open): void;
  /** Closes all. */
  close(): void;
}
