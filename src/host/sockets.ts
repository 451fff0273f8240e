/**
 * The sockets of the host: `node:net` and `node:dns`, loaded at run time, so that no bundler ever sees
 * an import.
 *
 * @module
 */

import { own_bytes } from "../internal/bytes.ts";
import { host_global } from "./process.ts";
import type {
  Address,
  AddressInfo,
  Connecting,
  Endpoint,
  EndpointListener,
  Listener,
  Network,
  SocketOptions,
} from "./endpoints.ts";

/**
 * A listener of the events of an {@linkcode Emitter}.
 *
 * @category Transports and protocols
 */
export type HostListener = (...args: unknown[]) => void;

/**
 * As much of an emitter of Node.js as is used.
 *
 * @category Transports and protocols
 */
export interface Emitter {
  /**
   * Adds a listener.
   *
   * @param event the name of the event
   * @param listener the function
   * @returns anything
   */
  on(event: string, listener: HostListener): unknown;
  /**
   * Adds a listener for one event.
   *
   * @param event the name of the event
   * @param listener the function
   * @returns anything
   */
  once(event: string, listener: HostListener): unknown;
  /**
   * Takes a listener out.
   *
   * @param event the name of the event
   * @param listener the function
   * @returns anything
   */
  off(event: string, listener: HostListener): unknown;
}

/** A socket of `node:net`. */
export interface HostSocket extends Emitter {
  readonly writableLength: number;
  readonly destroyed: boolean;
  allowHalfOpen: boolean;
  readonly localAddress?: string;
  readonly localPort?: number;
  readonly localFamily?: string;
  readonly remoteAddress?: string;
  readonly remotePort?: number;
  readonly remoteFamily?: string;
  write(data: Uint8Array, callback?: (error?: unknown) => void): boolean;
  end(callback?: () => void): unknown;
  pause(): unknown;
  resume(): unknown;
  destroy(error?: unknown): unknown;
  setNoDelay?(enable: boolean): unknown;
  setKeepAlive?(enable: boolean): unknown;
  unref?(): unknown;
}

interface HostServer extends Emitter {
  listen(options: object): unknown;
  close(): unknown;
  address(): HostAddress | string | null;
  unref?(): unknown;
}

/** An address as hosts give it. */
export interface HostAddress {
  readonly address: string;
  readonly port: number;
  readonly family: string | number;
}

interface NetModule {
  connect(options: object): HostSocket;
  createServer(options: object): HostServer;
  isIP(text: string): number;
}

interface LookupResult {
  readonly address: string;
  readonly family: number;
}

interface DNSModule {
  lookup(
    host: string,
    options: object,
    callback: (error: unknown, addresses: LookupResult[]) => void,
  ): void;
  lookupService(
    address: string,
    port: number,
    callback: (error: unknown, host: string, service: string) => void,
  ): void;
}

interface FSModule {
  statSync(path: string): { isSocket(): boolean };
  unlinkSync(path: string): void;
}

interface BuiltinModules {
  getBuiltinModule?(name: string): unknown;
}

/** Thrown when a module of Node.js is needed that this host does not have. */
export class NoSockets extends Error {}

/** A module of Node.js; throws on a host that has none, with what cannot be done there. */
export function host_module<M>(name: string, what: string): M {
  const { process } = globalThis as { process?: BuiltinModules };
  const module = process?.getBuiltinModule?.(name);
  if (module === undefined || module === null) {
    throw new NoSockets(`Cannot ${what}: this host has no sockets: ${name} is not there`);
  }
  return module as M;
}

/** Python's numbers on Linux. */
export const AF_UNSPEC = 0;
export const AF_INET = 2;
export const AF_INET6 = 10;
export const SOCK_STREAM = 1;
export const SOCK_DGRAM = 2;
const SOCK_RAW = 3;
const IPPROTO_TCP = 6;
const IPPROTO_UDP = 17;
export const AI_PASSIVE = 1;
const NI_NUMERICHOST = 1;
const NI_NUMERICSERV = 2;

// A Unix socket of no name.
const UNNAMED = "";

const IS_DENO = "Deno" in globalThis;

interface HostBuffers {
  from(bytes: Uint8Array): Uint8Array;
  allocUnsafeSlow(size: number): Uint8Array;
}

const host_buffers = /* @__PURE__ */ host_global<HostBuffers>("Buffer");

/** A copy for the host alone: small ones share a block of memory, where it has such. */
export function copy_bytes(bytes: Uint8Array): Uint8Array {
  const Buffer = host_buffers();
  return Buffer === undefined ? new Uint8Array(bytes) : Buffer.from(bytes);
}

const SCRATCH_SIZE = 64 * 1024;

// The chunks of a write are copied here, so that no write that the system takes at once allocates memory.
let scratch: Uint8Array | null = null;

/** Writes bytes that the caller may change afterwards. */
function write_copy(
  socket: HostSocket,
  bytes: Uint8Array,
  on_written: (error?: unknown) => void,
): void {
  const size = bytes.length;
  const Buffer = host_buffers();
  if (Buffer === undefined || size > SCRATCH_SIZE || socket.writableLength > 0) {
    socket.write(copy_bytes(bytes), on_written);
    return;
  }
  const taken = scratch ?? Buffer.allocUnsafeSlow(SCRATCH_SIZE);
  scratch = null; // a listener that the write calls may write, too
  taken.set(bytes);
  socket.write(size === SCRATCH_SIZE ? taken : taken.subarray(0, size), on_written);
  // Else the host still needs the bytes.
  if (socket.writableLength === 0 && !socket.destroyed) scratch = taken;
}

/** Python's form of an address of the host; `null` if there is none. */
export function to_address(
  address: string | undefined,
  port: number | undefined,
): Address | null {
  if (address === undefined || port === undefined) return null;
  return address.includes(":") ? [address, port, 0, 0] : [address, port];
}

const RESET = { code: "ECONNRESET", syscall: "write" };

/** A socket as an endpoint. */
export class SocketEndpoint implements Endpoint {
  readonly extra: Record<string, unknown>;
  readonly #socket: HostSocket;
  #listener: EndpointListener | null = null;
  #ended = false;
  #failed = false;
  // It came before anything listened.
  #early_error: unknown = null;
  // The socket was destroyed before all was sent.
  #lost_writes = false;
  // It is closed by this side: what it says is of no interest.
  #closed = false;
  readonly #on_written = (error?: unknown): void => {
    if (this.#closed) return;
    // When a socket dies, hosts call this for what was not sent: with or without an error, before or after
    // the socket's own, which says what has happened.
    if (this.#failed || this.#socket.destroyed || (error ?? null) !== null) {
      this.#lost_writes = true;
    } else this.#listener?.on_written();
  };

  /** Of a socket that is connected and paused; `path` is that of a Unix socket. */
  constructor(socket: HostSocket, names: { peername?: Address; sockname?: Address } = {}) {
    this.#socket = socket;
    this.extra = {
      socket,
      sockname: names.sockname ?? to_address(socket.localAddress, socket.localPort),
      peername: names.peername ?? to_address(socket.remoteAddress, socket.remotePort),
    };
    socket.allowHalfOpen = true; // one that other code has made may have been made otherwise
    socket.setNoDelay?.(true);
    socket.on("data", this.#on_data as HostListener);
    socket.on("end", this.#on_end);
    socket.on("error", this.#on_error as HostListener);
    socket.on("close", this.#on_close);
    socket.pause();
  }

  readonly #on_data = (chunk: Uint8Array): void => {
    if (!this.#closed) this.#listener?.on_data(own_bytes(chunk));
  };

  readonly #on_end = (): void => {
    if (this.#ended || this.#closed) return;
    this.#ended = true;
    this.#listener?.on_end();
  };

  readonly #on_error = (error: unknown): void => {
    if (this.#failed || this.#closed) return;
    this.#failed = true;
    if (this.#listener === null) this.#early_error = error;
    else this.#listener.on_error(error);
  };

  readonly #on_close = (): void => {
    // After an error, or both ends: there is nothing to say. Else the host has given the socket up.
    if (this.#failed) return;
    if (this.#lost_writes) this.#on_error(Object.assign(new Error("write ECONNRESET"), RESET));
    else this.#on_end();
  };

  listen(listener: EndpointListener): void {
    this.#listener = listener;
    if (this.#ended) listener.on_end();
    if (this.#failed) listener.on_error(this.#early_error);
    this.#early_error = null;
  }

  write(data: Uint8Array, may_change: boolean): void {
    if (may_change) write_copy(this.#socket, data, this.#on_written);
    else this.#socket.write(data, this.#on_written);
  }

  pending(): number {
    return this.#socket.destroyed ? 0 : this.#socket.writableLength;
  }

  end(): void {
    this.#socket.end();
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    if (!this.#socket.destroyed) this.#socket.resume();
  }

  close(): void {
    this.#closed = true;
    const socket = this.#socket;
    if (socket.destroyed) return;
    socket.end(() => socket.destroy());
    // All that was written is sent all the same; the program need not stay alive for the answer of the peer.
    socket.unref?.();
  }

  abort(): void {
    this.#closed = true;
    this.#socket.destroy();
  }
}

function has_methods(value: unknown, ...names: string[]): boolean {
  const object = value as Record<string, unknown> | null;
  return typeof object === "object" && object !== null &&
    names.every((name) => typeof object[name] === "function");
}

/** The endpoint of a connected socket of `node:net` that another made; `null` if it is none. */
export function endpoint_of_socket(socket: unknown): Endpoint | null {
  if (!has_methods(socket, "on", "write", "pause", "resume", "end", "destroy")) return null;
  const given = socket as HostSocket & { readonly connecting?: boolean };
  return given.connecting === true || given.destroyed ? null : new SocketEndpoint(given);
}

/** The listener of a server of `node:net` that another made and that listens; `null` if it is none. */
export function listener_of_server(server: unknown, options: SocketOptions): Listener | null {
  if (!has_methods(server, "on", "address", "close")) return null;
  if ((server as { readonly listening?: unknown }).listening !== true) return null;
  return new SocketListener(server as HostServer, null, options);
}

/** The listening end of a server. */
class SocketListener implements Listener {
  readonly address: Address;
  readonly host_object: unknown;
  readonly #server: HostServer;
  #waiting: HostSocket[] | null = [];
  #on_connection: ((endpoint: Endpoint) => void) | null = null;
  #on_error: ((error: unknown) => void) | null = null;
  readonly #options: SocketOptions;

  constructor(server: HostServer, path: string | null, options: SocketOptions) {
    this.#server = server;
    this.#options = options;
    this.host_object = server;
    const address = server.address();
    this.address = path ??
      (typeof address === "string" || address === null
        ? address ?? UNNAMED
        : to_address(address.address, address.port) as Address);
    server.on("connection", this.#on_socket as HostListener);
    server.on("error", ((error: unknown) => this.#on_error?.(error)) as HostListener);
  }

  readonly #on_socket = (socket: HostSocket): void => {
    if (this.#options.keep_alive) socket.setKeepAlive?.(true);
    const on_connection = this.#on_connection;
    if (on_connection === null) {
      // Until an endpoint listens to it, an error would end the program.
      socket.on("error", () => {});
      if (this.#waiting === null) socket.destroy();
      else this.#waiting.push(socket);
      return;
    }
    on_connection(this.#endpoint(socket));
  };

  #endpoint(socket: HostSocket): Endpoint {
    return new SocketEndpoint(
      socket,
      typeof this.address === "string" ? { peername: UNNAMED, sockname: this.address } : {},
    );
  }

  accept(on_connection: (endpoint: Endpoint) => void, on_error: (error: unknown) => void): void {
    this.#on_connection = on_connection;
    this.#on_error = on_error;
    for (const socket of this.#waiting ?? []) {
      if (!socket.destroyed) on_connection(this.#endpoint(socket));
    }
    this.#waiting = [];
  }

  close(): void {
    this.#on_connection = null;
    for (const socket of this.#waiting ?? []) socket.destroy();
    this.#waiting = null;
    this.#server.close();
    // Its connections do not end with it, and need not keep it.
    this.#server.unref?.();
  }
}

// Deno says EINVAL where the others say that this machine does not have the address.
function correct(error: unknown, names_address: boolean): unknown {
  if (IS_DENO && names_address && (error as { code?: unknown }).code === "EINVAL") {
    (error as { code: string }).code = "EADDRNOTAVAIL";
  }
  return error;
}

// Node.js says EACCES where the folder of a Unix socket does not exist.
function correct_path(error: unknown, address: Address): unknown {
  if (typeof address !== "string" || (error as { code?: unknown }).code !== "EACCES") return error;
  try {
    host_module<FSModule>("node:fs", "listen at a path")
      .statSync(address.slice(0, address.lastIndexOf("/") + 1) || ".");
    return error;
  } catch (failure) {
    return failure;
  }
}

/** The network of the host. */
class HostNetwork implements Network {
  lookup(
    host: string | null,
    port: number,
    { family, type, proto, flags }: { family: number; type: number; proto: number; flags: number },
  ): Promise<AddressInfo[]> {
    const dns = host_module<DNSModule>("node:dns", "look up a host");
    const net = host_module<NetModule>("node:net", "look up a host");
    const is_passive = (flags & AI_PASSIVE) !== 0;
    const give = (addresses: LookupResult[]): AddressInfo[] =>
      addresses.flatMap((result) => address_infos(result, port, type, proto));
    if (host === null) {
      const addresses = [
        { address: is_passive ? "0.0.0.0" : "127.0.0.1", family: 4 },
        { address: is_passive ? "::" : "::1", family: 6 },
      ];
      return Promise.resolve(give(addresses.filter((one) => of_family(one.family, family))));
    }
    const version = net.isIP(host);
    if (version !== 0) {
      return Promise.resolve(
        of_family(version, family) ? give([{ address: host, family: version }]) : [],
      );
    }
    return new Promise((resolve, reject) => {
      dns.lookup(
        host,
        { all: true, verbatim: true, family: family === AF_INET ? 4 : family === AF_INET6 ? 6 : 0 },
        (error, addresses) => error ? reject(error) : resolve(give(addresses)),
      );
    });
  }

  connect(address: Address, options: SocketOptions): Connecting {
    const net = host_module<NetModule>("node:net", "connect");
    const local = options.local_address ?? null;
    const socket = net.connect({
      ...(typeof address === "string"
        ? { path: address }
        : { host: address[0], port: address[1], autoSelectFamily: false }),
      ...(local === null || typeof local === "string"
        ? {}
        : { localAddress: local[0], ...(local[1] === 0 ? {} : { localPort: local[1] }) }),
      allowHalfOpen: true,
    });
    let abort: () => void = () => {};
    const endpoint = new Promise<Endpoint>((resolve, reject) => {
      const stop_listening = () => {
        socket.off("connect", on_connect);
        socket.off("error", on_error as HostListener);
        socket.off("close", on_close);
      };
      const on_connect = () => {
        stop_listening();
        resolve(
          new SocketEndpoint(
            socket,
            typeof address === "string" ? { peername: address, sockname: UNNAMED } : {},
          ),
        );
      };
      const on_error = (error: unknown) => {
        stop_listening();
        socket.on("error", () => {});
        reject(correct(error, local !== null));
      };
      const on_close = () => on_error(new Error("the host has closed the socket"));
      socket.on("connect", on_connect);
      socket.on("error", on_error as HostListener);
      socket.on("close", on_close);
      abort = () => {
        stop_listening();
        socket.on("error", () => {});
        socket.destroy();
      };
    });
    return { endpoint, abort: () => abort() };
  }

  listen(address: Address, options: SocketOptions): Promise<Listener> {
    const net = host_module<NetModule>("node:net", "listen");
    const server = net.createServer({ allowHalfOpen: true, pauseOnConnect: true });
    return new Promise((resolve, reject) => {
      server.once(
        "error",
        ((error: unknown) => reject(correct_path(correct(error, true), address))) as HostListener,
      );
      server.once("listening", () => {
        resolve(new SocketListener(server, typeof address === "string" ? address : null, options));
      });
      server.listen({
        ...(typeof address === "string"
          ? { path: address }
          : { host: address[0], port: address[1], ipv6Only: address.length === 4 }),
        ...(options.backlog === undefined ? {} : { backlog: options.backlog }),
        ...(options.reuse_port ? { reusePort: true } : {}),
        exclusive: true,
      });
    });
  }
}

function of_family(version: number, family: number): boolean {
  return family === AF_UNSPEC || (version === 6) === (family === AF_INET6);
}

function address_infos(
  { address, family }: LookupResult,
  port: number,
  type: number,
  proto: number,
): AddressInfo[] {
  const kinds: [type: number, proto: number][] = [
    [SOCK_STREAM, IPPROTO_TCP],
    [SOCK_DGRAM, IPPROTO_UDP],
    [SOCK_RAW, 0],
  ];
  const full = family === 6;
  return kinds
    .filter(([kind, number]) =>
      (type === 0 || kind === type) && (proto === 0 || number === 0 || number === proto)
    )
    .map(([kind, number]) => [
      full ? AF_INET6 : AF_INET,
      kind,
      number,
      "",
      full ? [address, port, 0, 0] : [address, port],
    ]);
}

/** The network of the host. */
export const host_network: Network = new HostNetwork();

/** The names of a host and a service, by their address. */
export function name_of_address(
  [host, port]: readonly [string, number, ...number[]],
  flags: number,
): Promise<[host: string, service: string]> {
  const numeric: [string, string] = [host, String(port)];
  if (host_module<NetModule>("node:net", "look up an address").isIP(host) === 0) {
    const failure = { code: "ENOTFOUND", syscall: "getnameinfo" };
    return Promise.reject(Object.assign(new Error("getnameinfo ENOTFOUND"), failure));
  }
  const host_is_numeric = (flags & NI_NUMERICHOST) !== 0;
  const service_is_numeric = (flags & NI_NUMERICSERV) !== 0;
  if (host_is_numeric && service_is_numeric) return Promise.resolve(numeric);
  const dns = host_module<DNSModule>("node:dns", "look up an address");
  return new Promise((resolve, reject) => {
    dns.lookupService(host, port, (error, hostname, service) => {
      if (error) reject(error);
      else {
        resolve([
          host_is_numeric ? numeric[0] : hostname,
          service_is_numeric ? numeric[1] : service,
        ]);
      }
    });
  });
}

/** Removes a Unix socket at a path, which an earlier server may have left. */
export function remove_stale_socket(path: string): void {
  const fs = host_module<FSModule>("node:fs", "listen at a path");
  try {
    if (fs.statSync(path).isSocket()) fs.unlinkSync(path);
  } catch (error) {
    if ((error as { code?: unknown }).code === "ENOENT") return;
    // The folder may allow no more than making sockets.
    console.error(`Unable to check or remove stale UNIX socket ${path}:`, error);
  }
}
