/**
 * A network in memory, on the virtual clock: for tests of programs that connect and listen.
 *
 * @module
 */

import { Await } from "../core/awaits.ts";
import { Context, ContextVar, copy_context } from "../core/contextvars.ts";
import type { Continuation, Runnable, TaskCore, Timed } from "../core/contracts.ts";
import type { CoroutineFunction } from "../core/coroutines.ts";
import { with_context } from "../core/current.ts";
import { RuntimeError, ValueError } from "../core/exceptions.ts";
import { CANCELLED, Future } from "../core/futures.ts";
import { open_awaits } from "../core/scopes.ts";
import { Task } from "../core/tasks.ts";
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
import { Deque } from "../internal/deque.ts";
import { Inspectable, repr } from "../internal/format_helpers.ts";
import { check_function } from "../internal/functions.ts";
import { number_argument } from "../internal/numbers.ts";
import { check_options } from "../internal/options.ts";
import { type AbstractEventLoop, get_running_loop, Handle, TimerHandle } from "../core/events.ts";
import { VirtualDisk } from "./disk.ts";
import { draw_from, type Draws } from "./random.ts";

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

// The most bytes that one datagram of UDP over IPv4 has room for.
const LARGEST_DATAGRAM = 65_507;

/** An error as the host would give it. */
function host_error(code: string, syscall: string): Error {
  return Object.assign(new Error(`${syscall} ${code}`), { code, syscall });
}

/**
 * How the clock of a host differs from the loop's.
 *
 * @category Testing
 */
export interface ClockOptions {
  /** How many seconds it is ahead; 0 by default. */
  offset?: number;
  /** How many seconds it counts in one of the loop's; 1 by default. */
  rate?: number;
}

// Below this number, timers that are over are not searched for.
const MIN_TIMERS = 100;

/** A host from its start to its crash. */
class Machine {
  is_up = true;
  /** The timers that its code has set, those that are over among them. */
  readonly #timers = new Set<Handle>();
  #limit = MIN_TIMERS;

  constructor(readonly name: string, readonly ended: Future<unknown>) {}

  add_timer(timer: Handle & Timed): void {
    if (this.#timers.size >= this.#limit) {
      for (const each of this.#timers) {
        if (!(each as Handle & Timed)._scheduled) this.#timers.delete(each);
      }
      this.#limit = 2 * this.#timers.size + MIN_TIMERS;
    }
    this.#timers.add(timer);
  }

  stop(): void {
    this.is_up = false;
    for (const timer of this.#timers) timer.cancel();
    this.#timers.clear();
  }
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
  readonly #draws: Draws;
  // The host that code runs on from its start to its crash; `null` for code on none that was started.
  readonly #machine = new ContextVar<Machine | null>("machine", { default: null });
  readonly #machines = new Map<string, Machine>();
  readonly #disks = new Map<string, VirtualDisk>();
  readonly #clocks = new Map<string, Required<ClockOptions>>();
  readonly #sockets = new Set<VirtualSocket>();
  #any_crash = false;
  readonly #abandoned = new WeakSet<Future<unknown>>();
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
   * @param draws {@internal} draws what is left to chance, in place of the seed
   * @throws {TypeError} if an option is unknown, or not a number
   * @throws {ValueError} if the latency is below 0 or has no end, or the bandwidth is not above 0
   */
  constructor(options: VirtualNetworkOptions = {}, draws: Draws | null = null) {
    super();
    check_options("VirtualNetwork", options, ["latency", "bandwidth", "seed"]);
    const { latency = 0, bandwidth = Infinity, seed = 0 } = options;
    this.#latency = bounds_of(latency);
    const [least, most] = this.#latency;
    if (!(least >= 0 && most >= least && most < Infinity)) {
      throw new ValueError(`Cannot make a network: no such latency: received ${repr(latency)}`);
    }
    this.#bandwidth = number_argument("VirtualNetwork", "bandwidth", bandwidth, Infinity);
    if (bandwidth <= 0) {
      throw new ValueError(`Cannot make a network: no such bandwidth: received ${repr(bandwidth)}`);
    }
    this.#draws = draws ?? draw_from(number_argument("VirtualNetwork", "seed", seed, 0));
  }

  /** @internal */
  protected _add_loop(loop: AbstractEventLoop): void {
    this.#loops.add(loop);
    hold_open(loop, {
      _loop_closed: () => {
        this.#loops.delete(loop);
        if (this.#loops.size > 1) return;
        for (const last of this.#loops) last["_forget_foreign"](this);
      },
    });
    // Each may be woken by another, without knowing of it.
    if (this.#loops.size > 1) { for (const each of this.#loops) each["_note_foreign"](this); }
  }

  /**
   * Stops all that travels between two hosts: what is sent is held back, and connecting waits.
   *
   * @param a the name of a host
   * @param b the name of the other
   * @throws {TypeError} if one is not a string
   */
  partition(a: string, b: string): void {
    for (const name of [a, b]) check_host("partition", name);
    this.#partitions.add(pair_of(a, b));
  }

  /**
   * Ends a partition, and sends what it has held back.
   *
   * @param a the name of a host; without it all partitions end
   * @param b the name of the other
   * @throws {TypeError} if one is not a string
   */
  heal(a?: string, b?: string): void {
    if (a === undefined && b === undefined) this.#partitions.clear();
    else this.#partitions.delete(pair_of(check_host("heal", a), check_host("heal", b)));
    for (const direction of this.#directions) direction.resend();
  }

  /** @internal */
  protected _is_parted(a: string, b: string): boolean {
    return this.#partitions.size > 0 && this.#partitions.has(pair_of(a, b));
  }

  /**
   * Starts a host, or starts it again after a crash: runs its program on it.
   *
   * The program and all that it starts are on the host: servers listen there, connections come from there.
   *
   * @param name the name of the host
   * @param program what it runs, an async function or a `function*`
   * @returns a future of what the program returns; cancelled if the host crashes before
   * @throws {TypeError} if the name is not a string, or the program not a function
   * @throws {RuntimeError} if the host is up already, or no loop runs
   *
   * @example
   * ```ts
   * import * as asyncio from "@pythonic/asyncio";
   * import { VirtualClockEventLoop, VirtualNetwork } from "@pythonic/asyncio/testing";
   * import { assertEquals } from "@std/assert";
   *
   * const network = new VirtualNetwork();
   * await asyncio.run(async () => {
   *   const ended = network.start_host("alice", () => asyncio.sleep(60));
   *   await asyncio.sleep(1);
   *   network.crash("alice");
   *   assertEquals(ended.cancelled(), true);
   *   assertEquals(await network.start_host("alice", async () => network.host.get()), "alice");
   * }, { loop_factory: () => new VirtualClockEventLoop({ network }) });
   * ```
   */
  start_host<T>(name: string, program: CoroutineFunction<T>): Future<T> {
    check_host("start_host", name);
    check_function("start_host", "program", program);
    if (this.is_up(name)) {
      throw new RuntimeError(`Cannot start a host: it is up already: received ${repr(name)}`);
    }
    const loop = get_running_loop();
    const ended = loop.create_future<T>();
    const machine = new Machine(name, ended as Future<unknown>);
    this.#machines.set(name, machine);
    const context = copy_context();
    context.run(() => {
      this.host.set(name);
      this.#machine.set(machine);
    });
    const task = loop.create_task(program, { context });
    ended.add_done_callback(() => ended.cancelled() && machine.is_up && task.cancel());
    task.add_done_callback(() => {
      if (ended.done()) return;
      if (task.cancelled()) ended.cancel();
      else if (task.exception() !== null) ended.set_exception(task.exception());
      else ended.set_result(task.result());
    });
    for (const socket of this.#sockets) socket._host_is_back(name);
    return ended;
  }

  /**
   * Lets a host crash: its tasks never run again, not even their `finally` blocks, its servers and connections
   * are gone without a word to their peers, and what its disk has not synced is lost.
   *
   * A peer learns of it when it sends something after the host has been started again: it is reset. What the
   * host was about to do in the iteration of the loop in which it crashes is still done.
   *
   * @param name the name of a host that `start_host()` has started
   * @throws {RuntimeError} if it is not up
   */
  crash(name: string): void {
    const machine = this.#machines.get(name);
    if (machine === undefined || !machine.is_up) {
      throw new RuntimeError(`Cannot crash a host: it is not up: received ${repr(name)}`);
    }
    for (const loop of this.#loops) {
      for (const task of loop["_tasks"]()) {
        if (task.get_context().get(this.#machine) === machine) {
          for (const open of open_awaits(task as unknown as TaskCore)) this.#abandon(open);
          loop["_unregister_task"](task, CANCELLED, undefined);
        }
      }
    }
    machine.stop();
    this.#any_crash = true;
    for (const [key, listener] of this.#listeners) {
      if (listener.machine === machine) this.#listeners.delete(key);
    }
    for (const socket of this.#sockets) {
      if (socket.machine === machine) socket._vanish();
    }
    for (const [key, { address }] of this.#datagram_sockets) {
      if (host_of(address) === name) this.#datagram_sockets.delete(key);
    }
    this.#disks.get(name)?.["_crash"]();
    machine.ended.cancel();
  }

  /**
   * Returns whether a host has been started and has not crashed.
   *
   * @param name the name of the host
   */
  is_up(name: string): boolean {
    return this.#machines.get(name)?.is_up ?? false;
  }

  /** @internal Returns whether a runnable belongs to a host that has crashed. */
  protected _is_gone(runnable: Runnable): boolean {
    if (!this.#any_crash) return false;
    const owner: unknown = runnable instanceof Await ? runnable._task : runnable;
    if (!(owner instanceof Task || owner instanceof Handle)) return false;
    if (owner.get_context().get(this.#machine)?.is_up !== false) return false;
    if (!(runnable instanceof Handle)) this.#abandon(runnable as Continuation);
    return true;
  }

  // The outcome that a continuation of a crashed host waits for is retrieved by nothing.
  #abandon({ _waiting: waiting }: Continuation): void {
    if (!(waiting instanceof Future)) return;
    this.#abandoned.add(waiting);
    if (waiting.done() && !waiting.cancelled()) waiting.exception();
  }

  /** @internal Returns whether only a host that has crashed has waited for a future. */
  protected _is_abandoned(future: Future<unknown>): boolean {
    return this.#abandoned.has(future);
  }

  /** @internal Notes a timer, which is cancelled when its host crashes. */
  protected _note_timer(timer: Timed): void {
    if (this.#machines.size === 0 || !(timer instanceof TimerHandle)) return;
    timer.get_context().get(this.#machine)?.add_timer(timer);
  }

  #is_down(name: string): boolean {
    return this.#machines.get(name)?.is_up === false;
  }

  /**
   * Returns the disk of a host, which keeps what was synced over a crash.
   *
   * @param name the name of the host; the current one by default
   * @returns the disk, the same each time
   * @throws {TypeError} if the name is not a string
   */
  disk(name: string = this.host.get()): VirtualDisk {
    check_host("disk", name);
    let disk = this.#disks.get(name);
    if (disk === undefined) this.#disks.set(name, disk = new VirtualDisk(this.#draws));
    return disk;
  }

  /**
   * Sets how the clock of a host differs from the loop's.
   *
   * @param name the name of the host
   * @param options `offset`, how many seconds it is ahead; `rate`, how many it counts in one
   * @throws {TypeError} if the name is not a string, an option is unknown, or not a number
   */
  set_clock(name: string, options: ClockOptions): void {
    check_options("set_clock", options, ["offset", "rate"]);
    const { offset = 0, rate = 1 } = options;
    this.#clocks.set(check_host("set_clock", name), {
      offset: number_argument("set_clock", "offset", offset, 0),
      rate: number_argument("set_clock", "rate", rate, 1),
    });
  }

  /**
   * Returns the time of a host's clock, in seconds: what `Date.now() / 1000` is on a real one.
   *
   * `loop.time()`, sleeps and time limits go by the loop's clock on every host.
   *
   * @param name the name of the host; the current one by default
   * @returns the time
   * @throws {RuntimeError} if no loop runs
   */
  clock(name: string = this.host.get()): number {
    const { offset, rate } = this.#clocks.get(name) ?? { offset: 0, rate: 1 };
    return get_running_loop().time() * rate + offset;
  }

  /**
   * Has one end of a connection forget it without a word to the other: the connection is half-open.
   *
   * The other end is reset when it sends something.
   *
   * @param connection the stream's writer, or the transport, of the end that forgets it
   * @throws {TypeError} if it is no connection of a network in memory
   */
  lose(connection: Connection): void {
    this.#socket_of("lose", connection)._vanish();
  }

  #socket_of(what: string, connection: Connection): VirtualSocket {
    const socket = connection?.get_extra_info?.("socket");
    if (socket instanceof VirtualSocket) return socket;
    throw new TypeError(
      `Cannot ${what} a connection: it is not of a VirtualNetwork: received ${repr(connection)}`,
    );
  }

  /**
   * Resets a connection: both ends lose it with a {@linkcode ConnectionResetError}, and what travels is lost.
   *
   * @param connection the stream's writer, or the transport, of one of its ends
   * @throws {TypeError} if it is no connection of a network in memory
   */
  reset(connection: Connection): void {
    this.#socket_of("reset", connection)._reset();
  }

  /**
   * Has a part of what is sent be lost on its way. What a stream has lost is sent again, later, as by TCP;
   * a datagram is lost.
   *
   * @param rate the part, from 0 to less than 1
   * @throws {TypeError} if it is not a number
   * @throws {ValueError} if it is no such part
   */
  drop(rate: number): void {
    number_argument("drop", "rate", rate, undefined);
    if (!(rate >= 0 && rate < 1)) {
      throw new ValueError(`Cannot drop packets: the rate must be 0 to 1: received ${repr(rate)}`);
    }
    this.#drop_rate = rate;
  }

  /** @internal The context of what travels, which belongs to no host. */
  protected readonly _context: Context = new Context();

  /** @internal */
  protected _forget_socket(socket: VirtualSocket): void {
    this.#sockets.delete(socket);
  }

  /** @internal Returns whether the host of a socket has crashed and has not been started again. */
  protected _is_down(host: string): boolean {
    return this.#is_down(host);
  }

  #draw_latency(): number {
    const [least, most] = this.#latency;
    return least === most ? least : least + (most - least) * this.#draws.fraction();
  }

  /** @internal How long a packet takes, and how long a connection needs for so many bytes of it. */
  protected _travel(size: number): [travel: number, line: number] {
    let travel = this.#draw_latency();
    for (
      let wait = RETRANSMISSION;
      this.#drop_rate > 0 && this.#draws.happens(this.#drop_rate);
    ) {
      travel += wait;
      wait *= 2;
    }
    return [travel, size === 0 ? 0 : size / this.#bandwidth];
  }

  /** @internal */
  protected readonly _directions: Set<Direction> = this.#directions;

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
  protected _close_datagram_socket(address: Address): void {
    this.#datagram_sockets.delete(key_of(address));
  }

  /** @internal Sends a datagram, which arrives, or is lost. */
  protected _send_datagram(sender: VirtualDatagramSocket, data: Uint8Array, to: Address): void {
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
    if (this.#drop_rate > 0 && this.#draws.happens(this.#drop_rate)) return;
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
    const machine = this.#machine.get();
    const give_up_at = loop.time() + CONNECT_TIMEOUT;
    let made: VirtualSocket | null = null;
    const fail = (code: string) => {
      if (!endpoint.done()) endpoint.set_exception(host_error(code, "connect"));
    };
    const attempt = () => {
      if (endpoint.done()) return;
      if (
        this._is_parted(host_of(from), host_of(address)) || this.#is_down(host_of(address))
      ) {
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
        client.machine = machine;
        server.machine = listener.machine;
        this.#sockets.add(client).add(server);
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
      const listener: VirtualListener = new VirtualListener(
        loop,
        full,
        this.#machine.get(),
        () => this.#listeners.get(key) === listener && this.#listeners.delete(key),
      );
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

function check_host(method: string, name: string | undefined): string {
  if (typeof name === "string") return name;
  throw new TypeError(
    `Cannot call ${method}(): the name of a host must be a string: received ${repr(name)}`,
  );
}

function bounds_of(latency: unknown): [least: number, most: number] {
  const [least, most, ...others]: unknown[] = Array.isArray(latency) ? latency : [latency, latency];
  if (typeof least === "number" && typeof most === "number" && others.length === 0) {
    return [least, most];
  }
  throw new TypeError(
    `Cannot make a network: latency must be a number of seconds, or two: received ${repr(latency)}`,
  );
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
  // Connections are accepted by the code that listens, whatever connects.
  readonly #context = copy_context();

  constructor(
    readonly loop: AbstractEventLoop,
    readonly address: Address,
    readonly machine: Machine | null,
    on_close: () => void,
  ) {
    this.#on_close = on_close;
  }

  connect(socket: VirtualSocket): void {
    if (this.#on_connection === null) this.#waiting.push(socket);
    else with_context(this.#context, this.#on_connection, [socket]);
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
    if (error === null && to !== null) this.#network["_send_datagram"](this, data, to);
    this.loop.call_soon(() => this.#listener?.on_sent(data.length, error));
  }

  close(): void {
    if (this.#is_closed) return;
    this.#is_closed = true;
    this.#network["_close_datagram_socket"](this.address);
  }

  _arrive(data: Uint8Array, from: Address): void {
    if (this.#remote !== null && key_of(this.#remote) !== key_of(from)) return;
    this.#listener?.on_message(new Uint8Array(data), from);
  }

  // As on Linux: only a socket that is connected gets the error that nothing listens.
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
  readonly #travelling = new Deque<{ segment: Segment; is_held: boolean }>();
  #last_arrival = 0;
  #line_free = 0;
  #generation = 0;

  constructor(
    readonly network: VirtualNetwork,
    readonly from: string,
    readonly to: string,
    readonly receiver: VirtualSocket,
  ) {
    network["_directions"].add(this);
  }

  send(segment: Segment): void {
    const is_held = this.network["_is_parted"](this.from, this.to);
    this.#travelling.push({ segment, is_held });
    if (!is_held) this.#schedule(segment);
  }

  #schedule(segment: Segment): void {
    const { loop } = this.receiver;
    if (loop.is_closed()) return;
    const [travel, line] = this.network["_travel"](
      segment instanceof Uint8Array ? segment.length : 0,
    );
    this.#line_free = Math.max(this.#line_free, loop.time()) + line;
    this.#last_arrival = Math.max(this.#line_free + travel, this.#last_arrival);
    const generation = this.#generation;
    loop.call_at(this.#last_arrival, () => {
      if (generation === this.#generation) this.#arrive();
    }, { context: this.network["_context"] });
  }

  #arrive(): void {
    if (this.#travelling.length === 0) return;
    const { first } = this.#travelling;
    if (first.is_held) return;
    // Data that travels while the hosts are partitioned is lost, and sent again afterwards.
    if (this.network["_is_parted"](this.from, this.to)) {
      first.is_held = true;
      return;
    }
    this.#travelling.shift();
    this.receiver._arrive(first.segment);
  }

  /** Sends what was held back. */
  resend(): void {
    if (this.network["_is_parted"](this.from, this.to)) return;
    if (![...this.#travelling].some(({ is_held }) => is_held)) return;
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
    this.#travelling.clear();
  }

  close(): void {
    this.network["_directions"].delete(this);
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
  /** The host that it belongs to. */
  machine: Machine | null = null;
  // Gone without a word: its host has crashed, or has lost it.
  #vanished = false;
  #owes_reset = false;
  // Data that arrives is handled by the code that has the connection.
  #context: Context | null = null;
  readonly #name: Address;
  #peer!: VirtualSocket;
  #outgoing!: Direction;
  #listener: EndpointListener | null = null;
  // Arrived, and not taken by the transport.
  readonly #arrived = new Deque<Segment>();
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
    this.#context = copy_context();
    if (this.#is_reset) listener.on_error(host_error("ECONNRESET", "read"));
  }

  /** Forgets the connection without a word to the peer. */
  _vanish(): void {
    if (this.#closed) return;
    this.#closed = this.#vanished = true;
    this.#outgoing.lose();
    this.#arrived.clear();
  }

  /** Resets the peer of what is gone and was sent something while the host was down. */
  _host_is_back(name: string): void {
    if (!this.#vanished || !this.#owes_reset || host_of(this.#name) !== name) return;
    this.#owes_reset = false;
    this.#outgoing.send(RESET);
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
    this.#outgoing.network["_forget_socket"](this);
    // As systems do: unread data makes the end a reset.
    const is_unread = [...this.#arrived].some((segment) => segment instanceof Uint8Array);
    if (is_unread) this.#outgoing.send(RESET);
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
    if (this.#vanished) {
      if (segment === RESET) return;
      if (this.#outgoing.network["_is_down"](host_of(this.#name))) this.#owes_reset = true;
      else this.#outgoing.send(RESET);
      return;
    }
    if (this.#closed) {
      // There is no listener to accept it.
      if (segment instanceof Uint8Array) this.#outgoing.send(RESET);
      return;
    }
    if (this.#context === null) this.#receive(segment);
    else with_context(this.#context, () => this.#receive(segment), []);
  }

  #receive(segment: Segment): void {
    if (segment === RESET) {
      // Each segment that a closed socket receives is answered by one.
      if (this.#is_reset) return;
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
