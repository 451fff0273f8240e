/**
 * A network in memory, on the virtual clock: for tests of programs that connect and listen.
 *
 * @module
 */

import { ContextVar } from "../core/contextvars.ts";
import { ValueError } from "../core/exceptions.ts";
import type { Future } from "../core/futures.ts";
import type {
  Address,
  AddressInfo,
  Connecting,
  DatagramListener,
  DatagramSocket,
  DatagramSocketOptions,
  Endpoint,
  EndpointListener,
  Listener,
  SocketOptions,
} from "../host/endpoints.ts";
import { AF_INET, SOCK_DGRAM, SOCK_STREAM } from "../host/sockets.ts";
import { hold_open } from "../open_transports.ts";
import { Inspectable, repr } from "../internal/format_helpers.ts";
import { check_options } from "../internal/options.ts";
import { type AbstractEventLoop, get_running_loop } from "../core/events.ts";

/**
 * The options of {@linkcode VirtualNetwork}.
 *
 * @category Testing
 */
export interface VirtualNetworkOptions {
  /** How long data travels, in seconds, or the bounds between which it is drawn; 0 by default. */
  latency?: number | readonly [least: number, most: number];
  /** How many bytes a second a connection carries in each direction; any number by default. */
  bandwidth?: number;
  /** The seed of the random numbers; 0 by default. */
  seed?: number;
}

/**
 * The argument of {@linkcode VirtualNetwork.reset}: a stream's writer, or a transport.
 *
 * @category Testing
 */
export interface Connection {
  /**
   * Returns a known fact of the connection.
   *
   * @param name what to give
   * @param fallback what is returned if there is nothing of that name
   * @returns what is known
   */
  get_extra_info(name: string, fallback?: unknown): unknown;
}

// As much as the system takes from a writer whose peer does not read.
const WINDOW = 64 * 1024;

// When TCP sends again what was lost, and when it stops trying to connect.
const RETRANSMISSION = 0.2;
const CONNECT_TIMEOUT = 60;

const FIRST_FREE_PORT = 49152;

const THIS_HOST = ["localhost", "127.0.0.1", "::1", "0.0.0.0", "::"];

const IPPROTO_TCP = 6;
const IPPROTO_UDP = 17;

// To all hosts.
const BROADCAST = "255.255.255.255";

// What one datagram of UDP over IPv4 has room for.
const LARGEST_DATAGRAM = 65_507;

/** An error as the host would give it. */
function host_error(code: string, syscall: string): Error {
  return Object.assign(new Error(`${syscall} ${code}`), { code, syscall });
}

// Mulberry32.
function make_random(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * A network in memory: `start_server()` and `open_connection()` of a loop that has one never touch a socket.
 *
 * Hosts have names. A server listens at the host that it names, or at the current one; a client is on the
 * current host, which is `network.host`, a context variable, or on that of `local_addr`. All that is drawn
 * comes from the seed: a program does the same in every run.
 *
 * @category Testing
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { VirtualClockEventLoop, VirtualNetwork } from "@pythonic/asyncio/testing";
 * import { assertEquals } from "@std/assert";
 *
 * const network = new VirtualNetwork({ latency: 0.05 });
 * const loop_factory = () => new VirtualClockEventLoop({ network });
 * const elapsed = await asyncio.run(async () => {
 *   await using _server = await asyncio.start_server(async (reader, writer) => {
 *     writer.write(await reader.readline());
 *     writer.close();
 *   }, "server", 7);
 *   const [reader, writer] = await asyncio.open_connection("server", 7);
 *   writer.write("hello\n");
 *   assertEquals(new TextDecoder().decode(await reader.read()), "hello\n");
 *   writer.close();
 *   return asyncio.get_running_loop().time();
 * }, { loop_factory });
 * assertEquals(elapsed, 0.2); // there and back to connect, there and back for the line
 * ```
 */
export class VirtualNetwork extends Inspectable {
  /** The name of the current host, `"localhost"` unless a task sets another. */
  readonly host: ContextVar<string> = new ContextVar("host", { default: "localhost" });
  readonly #latency: readonly [least: number, most: number];
  readonly #bandwidth: number;
  readonly #random: () => number;
  readonly #loops = new Set<AbstractEventLoop>();
  readonly #listeners = new Map<string, VirtualListener>();
  readonly #datagram_sockets = new Map<string, VirtualDatagramSocket>();
  readonly #partitions = new Set<string>();
  readonly #directions = new Set<Direction>();
  #drop_rate = 0;
  #next_port = FIRST_FREE_PORT;

  /**
   * Makes a network without hosts.
   *
   * @param options `latency`, `bandwidth` and `seed`
   * @throws {ValueError} if the latency is below 0, or the bandwidth not above it
   */
  constructor(options: VirtualNetworkOptions = {}) {
    super();
    check_options("VirtualNetwork", options, ["latency", "bandwidth", "seed"]);
    const { latency = 0, bandwidth = Infinity, seed = 0 } = options;
    this.#latency = typeof latency === "number" ? [latency, latency] : latency;
    const [least, most] = this.#latency;
    if (!(least >= 0 && most >= least)) {
      throw new ValueError(`Cannot make a network: no such latency: received ${repr(latency)}`);
    }
    if (!(bandwidth > 0)) {
      throw new ValueError(`Cannot make a network: no such bandwidth: received ${repr(bandwidth)}`);
    }
    this.#bandwidth = bandwidth;
    this.#random = make_random(seed);
  }

  /** @internal */
  _add_loop(loop: AbstractEventLoop): void {
    this.#loops.add(loop);
    hold_open(loop, {
      _loop_closed: () => {
        this.#loops.delete(loop);
        if (this.#loops.size > 1) return;
        for (const last of this.#loops) last._forget_foreign(this);
      },
    });
    // Each may be woken by another, without knowing of it.
    if (this.#loops.size > 1) { for (const each of this.#loops) each._note_foreign(this); }
  }

  /**
   * Stops all that travels between two hosts: what is sent is held back, and connecting waits.
   *
   * @param a the name of a host
   * @param b the name of the other
   */
  partition(a: string, b: string): void {
    this.#partitions.add(pair_of(a, b));
  }

  /**
   * Ends a partition, and sends what it has held back.
   *
   * @param a the name of a host; without it all partitions end
   * @param b the name of the other
   */
  heal(a?: string, b?: string): void {
    if (a === undefined || b === undefined) this.#partitions.clear();
    else this.#partitions.delete(pair_of(a, b));
    for (const direction of this.#directions) direction.resend();
  }

  /** @internal */
  _is_parted(a: string, b: string): boolean {
    return this.#partitions.size > 0 && this.#partitions.has(pair_of(a, b));
  }

  /**
   * Resets a connection: both ends lose it with a {@linkcode ConnectionResetError}, and what travels is lost.
   *
   * @param connection the stream's writer, or the transport, of one of its ends
   * @throws {TypeError} if it is no connection of a network in memory
   */
  reset(connection: Connection): void {
    const socket = connection.get_extra_info("socket");
    if (!(socket instanceof VirtualSocket)) {
      throw new TypeError(
        `Cannot reset a connection: it is not of a VirtualNetwork: received ${repr(connection)}`,
      );
    }
    socket._reset();
  }

  /**
   * Has a part of what is sent be lost on its way. What a stream has lost is sent again, later, as by TCP;
   * a datagram is lost.
   *
   * @param rate the part, from 0 to less than 1
   * @throws {ValueError} if it is no such part
   */
  drop(rate: number): void {
    if (!(rate >= 0 && rate < 1)) {
      throw new ValueError(`Cannot drop packets: the rate must be 0 to 1: received ${repr(rate)}`);
    }
    this.#drop_rate = rate;
  }

  #draw_latency(): number {
    const [least, most] = this.#latency;
    return least === most ? least : least + (most - least) * this.#random();
  }

  /** @internal How long a packet takes, and how long a connection needs for so many bytes of it. */
  _travel(size: number): [travel: number, line: number] {
    let travel = this.#draw_latency();
    for (let wait = RETRANSMISSION; this.#drop_rate > 0 && this.#random() < this.#drop_rate;) {
      travel += wait;
      wait *= 2;
    }
    return [travel, size === 0 ? 0 : size / this.#bandwidth];
  }

  /** @internal */
  readonly _directions: Set<Direction> = this.#directions;

  #this_host(host: string | null): string {
    return host === null || host === "" || THIS_HOST.includes(host) ? this.host.get() : host;
  }

  /** @internal */
  lookup(
    host: string | null,
    port: number,
    { type, proto }: { type: number; proto: number },
  ): Future<AddressInfo[]> {
    const found = get_running_loop().create_future<AddressInfo[]>();
    const kinds = [[SOCK_STREAM, IPPROTO_TCP], [SOCK_DGRAM, IPPROTO_UDP]] as const;
    found.set_result(
      kinds.filter(([kind, number]) =>
        (type === 0 || kind === type) && (proto === 0 || number === proto)
      ).map(([kind, number]) => [AF_INET, kind, number, "", [this.#this_host(host), port]]),
    );
    return found;
  }

  /** @internal */
  open_datagram_socket(options: DatagramSocketOptions): Future<DatagramSocket> {
    const loop = get_running_loop();
    const opened = loop.create_future<DatagramSocket>();
    const { local } = options;
    const address: [string, number] = [
      this.#this_host(local === null ? null : local[0]),
      this.#port(local),
    ];
    const key = key_of(address);
    if (this.#datagram_sockets.has(key)) opened.set_exception(host_error("EADDRINUSE", "bind"));
    else {
      const socket = new VirtualDatagramSocket(this, loop, address, options);
      this.#datagram_sockets.set(key, socket);
      opened.set_result(socket);
    }
    return opened;
  }

  /** @internal */
  _close_datagram_socket(address: Address): void {
    this.#datagram_sockets.delete(key_of(address));
  }

  /** @internal Sends a datagram, which arrives, or is lost. */
  _send_datagram(sender: VirtualDatagramSocket, data: Uint8Array, to: Address): void {
    if (host_of(to) === BROADCAST) {
      for (const { address } of [...this.#datagram_sockets.values()]) {
        if (address[1] === to[1]) this.#send_datagram(sender, data, address);
      }
    } else {
      this.#send_datagram(sender, data, [this.#this_host(host_of(to)), to[1] as number]);
    }
  }

  #send_datagram(
    sender: VirtualDatagramSocket,
    data: Uint8Array,
    to: [host: string, port: number],
  ): void {
    const [from_host] = sender.address;
    if (this.#drop_rate > 0 && this.#random() < this.#drop_rate) return;
    if (this._is_parted(from_host, to[0])) return;
    const target = this.#datagram_sockets.get(key_of(to));
    const loop = target?.loop ?? sender.loop;
    if (loop.is_closed()) return;
    loop.call_later(this.#draw_latency() + data.length / this.#bandwidth, () => {
      if (this._is_parted(from_host, to[0])) return;
      const receiver = this.#datagram_sockets.get(key_of(to));
      if (receiver !== undefined) receiver._arrive(data, sender.address);
      else if (!sender.loop.is_closed()) {
        sender.loop.call_later(this.#draw_latency(), () => sender._refused(to));
      }
    });
  }

  /** @internal */
  connect(address: Address, options: SocketOptions): Connecting {
    const loop = get_running_loop();
    const endpoint = loop.create_future<Endpoint>();
    const local = options.local_address ?? null;
    const from: Address = typeof address === "string"
      ? ""
      : [this.#this_host(local === null ? null : local[0]!), this.#port(local)];
    const give_up_at = loop.time() + CONNECT_TIMEOUT;
    let made: VirtualSocket | null = null;
    const fail = (code: string) => {
      if (!endpoint.done()) endpoint.set_exception(host_error(code, "connect"));
    };
    const attempt = () => {
      if (endpoint.done()) return;
      if (this._is_parted(host_of(from), host_of(address))) {
        if (loop.time() >= give_up_at) fail("ETIMEDOUT");
        else loop.call_later(1, attempt);
        return;
      }
      const there = this._travel(0)[0];
      loop.call_later(there, () => {
        if (endpoint.done()) return;
        const listener = this.#listeners.get(key_of(address));
        const back = this._travel(0)[0];
        if (listener === undefined) {
          const code = typeof address === "string" ? "ENOENT" : "ECONNREFUSED";
          loop.call_later(back, () => fail(code));
          return;
        }
        const [client, server] = connect_sockets(this, loop, from, listener.loop, address);
        made = client;
        listener.connect(server);
        loop.call_later(back, () => {
          if (endpoint.done()) client.abort();
          else endpoint.set_result(client);
        });
      });
    };
    attempt();
    const abort = () => {
      if (endpoint.done()) made?.abort();
    };
    return { endpoint, abort };
  }

  #port(local: Address | null): number {
    const port = local === null || typeof local === "string" ? 0 : local[1];
    return port === 0 ? this.#next_port++ : port;
  }

  /** @internal */
  listen(address: Address): Future<Listener> {
    const loop = get_running_loop();
    const listening = loop.create_future<Listener>();
    const full: Address = typeof address === "string" ? address : [address[0], this.#port(address)];
    const key = key_of(full);
    if (this.#listeners.has(key)) listening.set_exception(host_error("EADDRINUSE", "listen"));
    else {
      const listener = new VirtualListener(loop, full, () => this.#listeners.delete(key));
      this.#listeners.set(key, listener);
      listening.set_result(listener);
    }
    return listening;
  }

  /** In short. */
  override toString(): string {
    const [least, most] = this.#latency;
    const latency = least === most ? least : `[${least}, ${most}]`;
    return `<VirtualNetwork latency=${latency} connections=${this.#directions.size / 2}>`;
  }
}

function host_of(address: Address): string {
  return typeof address === "string" ? "" : address[0];
}

function key_of(address: Address): string {
  return typeof address === "string" ? address : `${address[0]}:${address[1]}`;
}

function pair_of(a: string, b: string): string {
  return JSON.stringify(a < b ? [a, b] : [b, a]);
}

class VirtualListener implements Listener {
  readonly host_object = null;
  #waiting: VirtualSocket[] = [];
  #on_connection: ((endpoint: Endpoint) => void) | null = null;
  readonly #on_close: () => void;

  constructor(
    readonly loop: AbstractEventLoop,
    readonly address: Address,
    on_close: () => void,
  ) {
    this.#on_close = on_close;
  }

  connect(socket: VirtualSocket): void {
    if (this.#on_connection === null) this.#waiting.push(socket);
    else this.#on_connection(socket);
  }

  accept(on_connection: (endpoint: Endpoint) => void): void {
    this.#on_connection = on_connection;
    for (const socket of this.#waiting.splice(0)) on_connection(socket);
  }

  close(): void {
    this.#on_close();
    for (const socket of this.#waiting.splice(0)) socket._reset();
  }
}

/** A socket of datagrams in memory. */
class VirtualDatagramSocket implements DatagramSocket {
  readonly extra: Record<string, unknown>;
  readonly #network: VirtualNetwork;
  readonly #remote: Address | null;
  #listener: DatagramListener | null = null;
  #is_closed = false;

  constructor(
    network: VirtualNetwork,
    readonly loop: AbstractEventLoop,
    readonly address: [host: string, port: number],
    { remote, allow_broadcast }: DatagramSocketOptions,
  ) {
    this.#network = network;
    // As on the host: with broadcast it is not connected, so that answers of others are received.
    this.#remote = allow_broadcast ? null : remote;
    this.extra = { socket: this, sockname: address, peername: this.#remote };
  }

  /** The address of this end, as a socket of Python has it. */
  getsockname(): Address {
    return this.address;
  }

  listen(listener: DatagramListener): void {
    this.#listener = listener;
  }

  send(data: Uint8Array, address: Address | null): void {
    const to = address ?? this.#remote;
    const error = data.length > LARGEST_DATAGRAM ? host_error("EMSGSIZE", "send") : null;
    if (error === null && to !== null) this.#network._send_datagram(this, data, to);
    this.loop.call_soon(() => this.#listener?.on_sent(data.length, error));
  }

  close(): void {
    if (this.#is_closed) return;
    this.#is_closed = true;
    this.#network._close_datagram_socket(this.address);
  }

  _arrive(data: Uint8Array, from: Address): void {
    if (this.#remote !== null && key_of(this.#remote) !== key_of(from)) return;
    this.#listener?.on_message(new Uint8Array(data), from);
  }

  // As on Linux: only a socket that is connected is told that nobody listens.
  _refused(to: Address): void {
    if (this.#remote === null || this.#is_closed || key_of(this.#remote) !== key_of(to)) return;
    this.#listener?.on_error(host_error("ECONNREFUSED", "recv"));
  }
}

const END: unique symbol = Symbol("end");
const RESET: unique symbol = Symbol("reset");
type Segment = Uint8Array | typeof END | typeof RESET;

/** The data that travels from one end of a connection to the other, in order. */
class Direction {
  // Not yet arrived, of which a part may be held back by a partition.
  #travelling: { segment: Segment; is_held: boolean }[] = [];
  #last_arrival = 0;
  #line_free = 0;
  #generation = 0;

  constructor(
    readonly network: VirtualNetwork,
    readonly from: string,
    readonly to: string,
    readonly receiver: VirtualSocket,
  ) {
    network._directions.add(this);
  }

  send(segment: Segment): void {
    const is_held = this.network._is_parted(this.from, this.to);
    this.#travelling.push({ segment, is_held });
    if (!is_held) this.#schedule(segment);
  }

  #schedule(segment: Segment): void {
    const { loop } = this.receiver;
    if (loop.is_closed()) return;
    const [travel, line] = this.network._travel(segment instanceof Uint8Array ? segment.length : 0);
    this.#line_free = Math.max(this.#line_free, loop.time()) + line;
    this.#last_arrival = Math.max(this.#line_free + travel, this.#last_arrival);
    const generation = this.#generation;
    loop.call_at(this.#last_arrival, () => {
      if (generation === this.#generation) this.#arrive();
    });
  }

  #arrive(): void {
    const [first] = this.#travelling;
    if (first === undefined || first.is_held) return;
    // Data that travels while the hosts are partitioned is lost, and sent again afterwards.
    if (this.network._is_parted(this.from, this.to)) {
      first.is_held = true;
      return;
    }
    this.#travelling.shift();
    this.receiver._arrive(first.segment);
  }

  /** Sends what was held back. */
  resend(): void {
    if (this.network._is_parted(this.from, this.to)) return;
    const held = this.#travelling.filter(({ is_held }) => is_held);
    if (held.length === 0) return;
    // All of it anew, so that the order stays.
    this.#generation++;
    for (const one of this.#travelling) {
      one.is_held = false;
      this.#schedule(one.segment);
    }
  }

  /** Loses what travels. */
  lose(): void {
    this.#generation++;
    this.#travelling = [];
  }

  close(): void {
    this.network._directions.delete(this);
  }
}

function connect_sockets(
  network: VirtualNetwork,
  client_loop: AbstractEventLoop,
  client_address: Address,
  server_loop: AbstractEventLoop,
  server_address: Address,
): [client: VirtualSocket, server: VirtualSocket] {
  const client = new VirtualSocket(client_loop, client_address, server_address);
  const server = new VirtualSocket(server_loop, server_address, client_address);
  const [a, b] = [host_of(client_address), host_of(server_address)];
  client._connect(server, new Direction(network, a, b, server));
  server._connect(client, new Direction(network, b, a, client));
  return [client, server];
}

/** One end of a connection in memory. */
class VirtualSocket implements Endpoint {
  readonly extra: Record<string, unknown>;
  readonly #name: Address;
  #peer!: VirtualSocket;
  #outgoing!: Direction;
  #listener: EndpointListener | null = null;
  // Arrived, and not taken by the transport.
  #arrived: Segment[] = [];
  #paused = true;
  // Sent, and not taken by the other end's transport.
  #unread = 0;
  #ended = false;
  #is_reset = false;
  #closed = false;

  constructor(readonly loop: AbstractEventLoop, name: Address, peer_name: Address) {
    this.#name = name;
    this.extra = { socket: this, sockname: name, peername: peer_name };
  }

  _connect(peer: VirtualSocket, outgoing: Direction): void {
    this.#peer = peer;
    this.#outgoing = outgoing;
  }

  /** The address of this end, as a socket of Python has it. */
  getsockname(): Address {
    return this.#name;
  }

  listen(listener: EndpointListener): void {
    this.#listener = listener;
    if (this.#is_reset) listener.on_error(host_error("ECONNRESET", "read"));
  }

  write(data: Uint8Array, may_change: boolean): void {
    if (this.#ended || this.#closed) return;
    this.#unread += data.length;
    const sent = may_change ? new Uint8Array(data) : data;
    // In pieces, as hosts receive it, so that a reader that pauses gets no more than the window.
    for (let start = 0; start < sent.length; start += WINDOW) {
      this.#outgoing.send(sent.length <= WINDOW ? sent : sent.slice(start, start + WINDOW));
    }
  }

  pending(): number {
    return this.#closed ? 0 : Math.max(0, this.#unread - WINDOW);
  }

  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#outgoing.send(END);
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#deliver();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    // As systems do: unread data makes the end a reset.
    if (this.#arrived.some((segment) => segment instanceof Uint8Array)) this.#outgoing.send(RESET);
    else this.end();
    this.#outgoing.close();
  }

  abort(): void {
    this.close();
  }

  _reset(): void {
    this.#outgoing.lose();
    this.#peer.#outgoing.lose();
    for (const end of [this as VirtualSocket, this.#peer]) end._arrive(RESET);
  }

  _arrive(segment: Segment): void {
    if (this.#closed) {
      // There is no listener to accept it.
      if (segment instanceof Uint8Array) this.#outgoing.send(RESET);
      return;
    }
    if (segment === RESET) {
      this.#ended = true;
      this.#is_reset = true;
      this.#listener?.on_error(host_error("ECONNRESET", "read"));
      return;
    }
    this.#arrived.push(segment);
    this.#deliver();
  }

  #deliver(): void {
    while (!this.#paused && this.#arrived.length > 0 && this.#listener !== null) {
      const segment = this.#arrived.shift();
      if (segment instanceof Uint8Array) {
        this.#peer.#taken(segment.length);
        this.#listener.on_data(segment);
      } else if (segment === END) {
        this.#listener.on_end();
      }
    }
  }

  // The other end's transport has taken bytes.
  #taken(size: number): void {
    const before = this.pending();
    this.#unread -= size;
    if (this.pending() < before) this.#listener?.on_written();
  }
}
