/**
 * Servers: what accepts connections.
 *
 * @module
 */

import type { TransportOwner } from "./byte_transports.ts";
import { type Context, copy_context } from "./core/contextvars.ts";
import { type Coroutine, library_coroutine } from "./core/coroutines.ts";
import { CancelledError, leaves_the_loop, RuntimeError } from "./core/exceptions.ts";
import type { Future } from "./core/futures.ts";
import type { Address, Endpoint, Listener, Open } from "./host/endpoints.ts";
import { Inspectable, repr } from "./internal/format_helpers.ts";
import { note_methods } from "./internal/unbound.ts";
import type { AbstractEventLoop, AbstractServer } from "./core/events.ts";
import { hold_open, release } from "./open_transports.ts";
import { translate_error } from "./os_errors.ts";
import type { BaseProtocol } from "./core/protocols.ts";
import type { Transport } from "./core/transports.ts";
import type { FlowControlledTransport } from "./flow_control.ts";
import { sleep } from "./waiting.ts";

/**
 * A socket that a server listens at.
 *
 * @category Streams
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { VirtualClockEventLoop, VirtualNetwork } from "@pythonic/asyncio/testing";
 * import { assertEquals } from "@std/assert";
 *
 * const network = new VirtualNetwork();
 * const loop_factory = () => new VirtualClockEventLoop({ network });
 * await asyncio.run(async () => {
 *   await using server = await asyncio.start_server((_, writer) => writer.close(), "server", 7);
 *   assertEquals(server.sockets[0]?.getsockname(), ["server", 7]);
 * }, { loop_factory });
 * ```
 */
export class ServerSocket extends Inspectable {
  readonly #listener: Listener;

  /** @internal */
  constructor(listener: Listener) {
    super();
    this.#listener = listener;
  }

  /** The address that it is bound to, with the port that was chosen. */
  getsockname(): Address {
    return this.#listener.address;
  }

  /** The host's own object: a server of `node:net`. */
  get host_object(): unknown {
    return this.#listener.host_object;
  }

  /** Python's `repr`, in short. */
  override toString(): string {
    return `<ServerSocket laddr=${repr(this.getsockname())}>`;
  }
}

/** Makes the transport of a connection that was accepted, and waits until it can be used. */
export type OpenTransport = (
  endpoint: Endpoint,
  protocol: BaseProtocol,
  owner: TransportOwner,
) => Generator<unknown, Transport, unknown>;

interface EncryptingProtocol {
  _transport_inside?(): Transport | null;
}

/** The transport that the program writes to: with TLS, what was written to it must be encrypted before the end. */
function innermost(transport: Transport): Transport {
  const inside = (transport.get_protocol() as EncryptingProtocol)._transport_inside?.() ?? null;
  return inside === null ? transport : innermost(inside);
}

/** The implementation of `Server`. */
export class ListeningServer extends Inspectable implements AbstractServer {
  /** @internal */
  static override get name(): string {
    return "Server";
  }

  readonly #loop: AbstractEventLoop;
  #listeners: Listener[] | null;
  readonly #protocol_factory: () => BaseProtocol;
  readonly #open_transport: OpenTransport;
  readonly #clients = new Set<FlowControlledTransport>();
  #waiters: Set<Future<void>> | null = new Set();
  #serving = false;
  #serving_forever: Future<void> | null = null;

  /** @internal Made by a loop. */
  constructor(
    loop: AbstractEventLoop,
    listeners: Listener[],
    protocol_factory: () => BaseProtocol,
    open_transport: OpenTransport,
  ) {
    super();
    note_methods(new.target.prototype);
    this.#loop = loop;
    this.#listeners = listeners;
    this.#protocol_factory = protocol_factory;
    this.#open_transport = open_transport;
    hold_open(loop, this as unknown as Open);
  }

  /** @internal */
  protected _attach(transport: FlowControlledTransport): void {
    this.#clients.add(transport);
  }

  /** @internal */
  protected _detach(transport: FlowControlledTransport): void {
    this.#clients.delete(transport);
    if (this.#clients.size === 0 && this.#listeners === null) this.#wake_waiters();
  }

  #wake_waiters(): void {
    const waiters = this.#waiters;
    this.#waiters = null;
    for (const waiter of waiters ?? []) {
      if (!waiter.done()) waiter.set_result();
    }
  }

  /** @internal */
  protected _start_serving(): void {
    if (this.#serving || this.#listeners === null) return;
    this.#serving = true;
    // As in CPython: what accepts runs in the context of the call that began to listen.
    const context = copy_context();
    for (const listener of this.#listeners) {
      listener.accept(
        (endpoint) => this.#accept(endpoint, context),
        (error) => this.#accept_failed(error),
      );
    }
  }

  // Called by the host, outside of the loop's turn.
  #accept(endpoint: Endpoint, context: Context): void {
    if (this.#loop.is_closed() || this.#listeners === null) {
      endpoint.abort();
      return;
    }
    this.#loop.call_soon(() => {
      if (this.#listeners === null) {
        endpoint.abort();
        return;
      }
      const accepting = library_coroutine("_accept_connection", this.#connect(endpoint));
      // A task that is cancelled before it begins runs no code; one that has begun does not end as cancelled.
      this.#loop.create_task(accepting).add_done_callback((task) => {
        if (task.cancelled()) endpoint.abort();
      });
    }, { context });
  }

  #accept_failed(error: unknown): void {
    if (this.#loop.is_closed()) return;
    this.#loop.call_exception_handler({
      message: "socket.accept() out of system resource",
      exception: translate_error(error),
      server: this,
    });
  }

  *#connect(endpoint: Endpoint): Generator<unknown, void, unknown> {
    let protocol: BaseProtocol | null = null;
    try {
      if (this.#listeners === null) throw new CancelledError();
      protocol = this.#protocol_factory();
      yield* this.#open_transport(endpoint, protocol, this as unknown as TransportOwner);
    } catch (exception) {
      if (protocol === null) endpoint.abort();
      if (leaves_the_loop(exception)) throw exception;
      // CPython says it in debug mode alone. Of what the peer does wrong there is nothing to say, but a
      // factory that throws is a fault of the program.
      if (this.#loop.get_debug() || protocol === null && !(exception instanceof CancelledError)) {
        this.#loop.call_exception_handler({
          message: "Error on transport creation for incoming connection",
          exception,
          ...(protocol === null ? {} : { protocol }),
        });
      }
    }
  }

  /** The loop of the server. */
  get_loop(): AbstractEventLoop {
    return this.#loop;
  }

  /** Returns whether connections are accepted. */
  is_serving(): boolean {
    return this.#serving;
  }

  /** The sockets that the server listens at; none once it is closed. */
  get sockets(): ServerSocket[] {
    return (this.#listeners ?? []).map((listener) => new ServerSocket(listener));
  }

  /**
   * Accepts no more connections; those that there are stay.
   *
   * `serve_forever()` ends with a {@linkcode CancelledError}.
   */
  close(this: object): void;
  close(): void {
    const listeners = this.#listeners;
    if (listeners === null) return;
    this.#listeners = null;
    for (const listener of listeners) listener.close();
    release(this.#loop, this as unknown as Open);
    this.#serving = false;
    const forever = this.#serving_forever;
    if (forever !== null && !forever.done()) {
      forever.cancel();
      this.#serving_forever = null;
    }
    if (this.#clients.size === 0) this.#wake_waiters();
  }

  /** @internal */
  protected readonly _unclosed = "server";

  /** @internal */
  protected _loop_closed(): void {
    for (const listener of this.#listeners ?? []) listener.close();
    this.#listeners = null;
  }

  /** Closes all connections, each when what was written has been sent. */
  close_clients(this: object): void;
  close_clients(): void {
    for (const transport of [...this.#clients]) innermost(transport).close();
  }

  /** Closes all connections at once: what has not been sent is lost. */
  abort_clients(this: object): void;
  abort_clients(): void {
    for (const transport of [...this.#clients]) transport.abort();
  }

  /** Begins to accept connections, if it was made with `start_serving: false`. */
  start_serving(): Coroutine<void> {
    return library_coroutine("Server.start_serving", this.#start());
  }

  *#start(): Generator<unknown, void, unknown> {
    this._start_serving();
    yield* sleep(0);
  }

  /**
   * Accepts connections until it is cancelled; then the server is closed, and its connections are waited
   * for.
   *
   * @throws {CancelledError} when it is cancelled, or the server is closed
   * @throws {RuntimeError} if the server is closed, or this is being waited for already
   */
  serve_forever(): Coroutine<never> {
    return library_coroutine("Server.serve_forever", this.#serve_forever());
  }

  *#serve_forever(): Generator<unknown, never, unknown> {
    if (this.#serving_forever !== null) {
      throw new RuntimeError(`server ${this} is already being awaited on serve_forever()`);
    }
    if (this.#listeners === null) throw new RuntimeError(`server ${this} is closed`);
    this._start_serving();
    this.#serving_forever = this.#loop.create_future<void>();
    try {
      yield* this.#serving_forever;
      throw new RuntimeError("Cannot serve forever: the future of it was done by others");
    } catch (error) {
      if (!(error instanceof CancelledError)) throw error;
      try {
        this.close();
        yield* this.wait_closed();
      } catch {
        // The cancellation goes before what comes of the wait, as in CPython.
      }
      throw error;
    } finally {
      this.#serving_forever = null;
    }
  }

  /**
   * Waits until the server is closed and all its connections have ended.
   *
   * Cancelled, it changes nothing.
   */
  wait_closed(): Coroutine<void> {
    return library_coroutine("Server.wait_closed", this.#wait_closed());
  }

  *#wait_closed(): Generator<unknown, void, unknown> {
    if (this.#waiters === null) return;
    const waiter = this.#loop.create_future<void>();
    const waiters = this.#waiters;
    waiters.add(waiter);
    try {
      yield* waiter;
    } finally {
      waiters.delete(waiter);
    }
  }

  /** Returns the server, for `async_with()`. */
  async __aenter__(): Promise<this> {
    return await Promise.resolve(this);
  }

  /** Closes the server and waits for it, for `async_with()`. */
  __aexit__(_error: unknown): Coroutine<void> {
    this.close();
    return this.wait_closed();
  }

  /** Closes the server and waits for it, for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
    await this.wait_closed();
  }

  /** Python's `repr`. */
  override toString(): string {
    return `<${this.constructor.name} sockets=[${this.sockets.join(", ")}]>`;
  }
}

/**
 * A server: `start_server()` and `loop.create_server()` give it.
 *
 * `async_with(server, …)` and `await using` close it and wait for it.
 *
 * See {@link https://docs.python.org/3/library/asyncio-eventloop.html#asyncio.Server Python's Server}.
 *
 * @category Streams
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { VirtualClockEventLoop, VirtualNetwork } from "@pythonic/asyncio/testing";
 * import { assertEquals } from "@std/assert";
 *
 * const network = new VirtualNetwork();
 * const loop_factory = () => new VirtualClockEventLoop({ network });
 * await asyncio.run(async () => {
 *   const server = await asyncio.start_server((_, writer) => writer.close(), "server", 7);
 *   assertEquals(server.is_serving(), true);
 *   assertEquals(server.sockets.map((socket) => socket.getsockname()), [["server", 7]]);
 *   server.close();
 *   await server.wait_closed();
 * }, { loop_factory });
 * ```
 */
export type Server<A extends Address = Address> = AbstractServer<A>;
/**
 * The class of servers, which `start_server()` and `loop.create_server()` make: {@linkcode AbstractServer} has what
 * they do.
 *
 * @category Streams
 */
export const Server: { readonly prototype: Server } & (abstract new (...args: never[]) => Server) =
  ListeningServer;
