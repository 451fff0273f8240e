/**
 * Handles of scheduled callbacks, and which event loop is whose.
 *
 * @module
 */

import { type Context, copy_context } from "./contextvars.ts";
import type { Coroutine, CoroutineLike, NotStarted } from "./coroutines.ts";
import { leaves_the_loop, RuntimeError } from "./exceptions.ts";
import type { ExportName, ExportParameters, ExportResult, ModuleExecutor } from "./executors.ts";
import {
  type CapturedStack,
  format_callback,
  format_place,
  Inspectable,
  repr,
} from "../internal/format_helpers.ts";
import type {
  Arrivals,
  Continuation,
  LoopCore,
  Runnable,
  Scope,
  TaskCore,
  Timed,
} from "./contracts.ts";
import type { FutureAwait } from "./awaits.ts";
import type { Future } from "./futures.ts";
import { note_stack } from "./origins.ts";
import {
  loop_in_use,
  make_default_loop_by,
  may_have_lost_task,
  note_running,
  use_loop,
} from "./default_loop.ts";
import { LoopScope } from "./scopes.ts";
import { keep_context, type KeptContext, run_as } from "../host/async_context.ts";
import type { OwnTaskOptions, Task, TaskFactory, TaskOptions } from "./tasks.ts";
import type {
  AcceptedSocketOptions,
  AddressInfoOptions,
  ConnectionOptions,
  DatagramOptions,
  HostSocketObject,
  NamedAddress,
  NamedPath,
  NamedPort,
  ReadPipe,
  ServerOptions,
  SSLContext,
  StartTLSOptions,
  UnixConnectionOptions,
  UnixServerOptions,
  WritePipe,
} from "./connection_options.ts";
import type { BaseProtocol, DatagramProtocol, SubprocessProtocol } from "./protocols.ts";
import type { SubprocessOptions } from "./subprocess_options.ts";
import type {
  BaseTransport,
  DatagramTransport,
  ReadTransport,
  SubprocessTransport,
  Transport,
  TransportProtocol,
  WriteTransport,
} from "./transports.ts";
import type { Address, AddressInfo, Network, OpenSet } from "../host/endpoints.ts";
import { is_in_other_loop } from "../host/copies.ts";
import { enter, leave, restore_turn, running_loop, save_turn } from "./current.ts";

/**
 * The argument of an exception handler; the keys are Python's.
 *
 * @category Event loop
 */
export interface ExceptionContext {
  /** A description of the event. */
  message?: string;
  /** The error, if there is one. */
  exception?: unknown;
  /** The future it is about. */
  future?: Future<unknown>;
  /** The task it is about. */
  task?: Task<unknown>;
  /** The handle of the callback that failed. */
  handle?: Handle;
  /** The protocol of the connection that failed. */
  protocol?: TransportProtocol;
  /** The transport of the connection that failed. */
  transport?: BaseTransport;
  /** The host's socket that failed. */
  socket?: unknown;
  /** The asynchronous generator that failed to close. */
  asyncgen?: unknown;
  /** The subject of the event, in words: a task's name and its function. */
  description?: string;
  /** Where the object was made; in debug mode. */
  source_traceback?: string;
  /** Other things a caller may add. */
  [key: string]: unknown;
}

/**
 * A function that is called with errors that no code handled.
 *
 * @category Event loop
 */
export type ExceptionHandler = (loop: AbstractEventLoop, context: ExceptionContext) => void;

/**
 * A callback with its arguments; a method of the library without its object is none.
 *
 * @category Event loop
 */
export type Callback<A extends unknown[]> = (this: void, ...args: A) => unknown;

/**
 * The options that may follow the arguments of a callback.
 *
 * @category Event loop
 */
export interface CallbackContext {
  /** The context in which it runs. */
  context: Context;
}

/**
 * Runs functions outside of the loop: `submit(fn, ...args)` returns a promise of the result.
 *
 * An executor that calls functions by name is a {@linkcode ModuleExecutor}.
 *
 * @category Event loop
 */
export interface Executor {
  /**
   * Runs a function with arguments.
   *
   * @param fn the function
   * @param args its arguments
   * @returns a promise of what it returns; if it has a method `cancel()`, cancelling the future that the
   * loop makes of it calls that
   */
  submit<A extends unknown[], R>(fn: (...args: A) => R, ...args: A): PromiseLike<R | Awaited<R>>;
  /**
   * Ends the executor.
   *
   * @param options `wait`: whether to end when everything that was submitted is done; `cancel_futures`:
   * whether to cancel what has not begun
   * @returns a promise that settles then, or nothing
   */
  shutdown(options?: { wait?: boolean; cancel_futures?: boolean }): void | PromiseLike<void>;
}

/**
 * A server, as `loop.create_server()` returns it; {@linkcode Server} is one.
 *
 * See {@link https://docs.python.org/3/library/asyncio-eventloop.html#server-objects Python's server objects}.
 *
 * @category Streams
 */
export interface AbstractServer<A extends Address = Address> extends AsyncDisposable {
  /** The sockets that the server listens at; none once it is closed. */
  readonly sockets: { getsockname(): A }[];
  /** The loop of the server. */
  get_loop(): AbstractEventLoop;
  /** Returns whether connections are accepted. */
  is_serving(): boolean;
  /** Accepts no more connections; those that there are stay. */
  close(this: object): void;
  /** Closes all connections, each when what was written has been sent. */
  close_clients(this: object): void;
  /** Closes all connections at once: what has not been sent is lost. */
  abort_clients(this: object): void;
  /** Begins to accept connections, if it was made with `start_serving: false`. */
  start_serving(): Coroutine<void>;
  /**
   * Accepts connections until it is cancelled; then the server is closed, and its connections are waited
   * for.
   */
  serve_forever(): Coroutine<never>;
  /** Waits until the server is closed and all its connections have ended. */
  wait_closed(): Coroutine<void>;
  /** Returns the server, for `async_with()`. */
  __aenter__(): PromiseLike<this>;
  /** Closes the server and waits for it, for `async_with()`. */
  __aexit__(error: unknown): PromiseLike<void>;
}

/**
 * The methods of a loop for connections.
 *
 * See {@link https://docs.python.org/3/library/asyncio-eventloop.html#opening-network-connections Python's event loop methods}.
 *
 * @category Event loop
 */
export interface LoopIO {
  /**
   * Connects to a host. Cancelled, it closes the socket.
   *
   * @param protocol_factory makes the protocol, once the connection is made
   * @param host the name or the address of the host; or an object of `host`, `port` and the options
   * @param port the port; or an object of `port` and the options
   * @param options `ssl`, `server_hostname`, `local_addr`, `family`, `happy_eyeballs_delay`, `sock`, …
   * @returns the transport and the protocol
   * @throws {OSError} if the connection fails
   */
  create_connection<P extends BaseProtocol>(
    protocol_factory: () => P,
    host?: string | null | (NamedAddress<string> & ConnectionOptions),
    port?: number | null | (NamedPort & ConnectionOptions),
    options?: ConnectionOptions,
  ): Coroutine<[transport: Transport, protocol: P]>;
  /**
   * Connects to a Unix socket. Cancelled, it closes the socket.
   *
   * @param protocol_factory makes the protocol, once the connection is made
   * @param path the path of the socket; `null` with `sock`; or an object of `path` and the options
   * @param options `ssl`, `server_hostname`, `sock`, …
   * @returns the transport and the protocol
   * @throws {OSError} if the connection fails
   */
  create_unix_connection<P extends BaseProtocol>(
    protocol_factory: () => P,
    path?: string | null | (NamedPath & UnixConnectionOptions),
    options?: UnixConnectionOptions,
  ): Coroutine<[transport: Transport, protocol: P]>;
  /**
   * Starts a server. Cancelled, it listens nowhere.
   *
   * @param protocol_factory makes a protocol for each connection
   * @param host the name or the address to listen at, or several; `null` for all of this machine; or an object
   * of `host`, `port` and the options
   * @param port the port; 0 for any that is free; or an object of `port` and the options
   * @param options `ssl`, `backlog`, `reuse_port`, `start_serving`, …
   * @returns the server
   * @throws {OSError} if the address cannot be listened at
   */
  create_server(
    protocol_factory: () => BaseProtocol,
    host?:
      | string
      | Iterable<string>
      | null
      | (NamedAddress<string | Iterable<string>> & ServerOptions),
    port?: number | null | (NamedPort & ServerOptions),
    options?: ServerOptions,
  ): Coroutine<AbstractServer<Exclude<Address, string>>>;
  /**
   * Starts a server at a Unix socket; a socket file that is left there is removed first. Cancelled, it
   * listens nowhere.
   *
   * @param protocol_factory makes a protocol for each connection
   * @param path the path of the socket; or an object of `path` and the options
   * @param options `ssl`, `backlog`, `start_serving`, …
   * @returns the server
   * @throws {OSError} if the path cannot be listened at
   */
  create_unix_server(
    protocol_factory: () => BaseProtocol,
    path?: string | null | (NamedPath & UnixServerOptions),
    options?: UnixServerOptions,
  ): Coroutine<AbstractServer<string>>;
  /**
   * Makes a transport of a connection that other code has accepted. Cancelled, it closes the socket.
   *
   * @param protocol_factory makes the protocol
   * @param sock a connected `Socket` of `node:net`
   * @param options `ssl`, `ssl_handshake_timeout`, `ssl_shutdown_timeout`
   * @returns the transport and the protocol
   * @throws {TypeError} if it is no connected socket
   */
  connect_accepted_socket<P extends BaseProtocol>(
    protocol_factory: () => P,
    sock: HostSocketObject,
    options?: AcceptedSocketOptions,
  ): Coroutine<[transport: Transport, protocol: P]>;
  /**
   * Makes an endpoint of datagrams (UDP). Cancelled, it closes the socket.
   *
   * @param protocol_factory makes the protocol
   * @param options `local_addr`, `remote_addr`, `family`, `reuse_port`, `allow_broadcast`
   * @returns the transport and the protocol
   * @throws {OSError} if an address cannot be used
   */
  create_datagram_endpoint<P extends DatagramProtocol>(
    protocol_factory: () => P,
    options?: DatagramOptions,
  ): Coroutine<[transport: DatagramTransport, protocol: P]>;
  /**
   * Begins TLS on a connection. Cancelled, it closes the connection.
   *
   * @param transport the transport, which is not used by the protocol any more
   * @param protocol the protocol, which continues with the transport that is returned
   * @param sslcontext options of `node:tls`
   * @param options `server_side`, `server_hostname`, `ssl_handshake_timeout`, `ssl_shutdown_timeout`
   * @returns the transport with TLS
   * @throws {SSLError} if the handshake fails; the connection is closed then
   */
  start_tls(
    transport: Transport,
    protocol: BaseProtocol,
    sslcontext: SSLContext,
    options?: StartTLSOptions,
  ): Coroutine<Transport>;
  /**
   * Connects a protocol to a stream of the host that is read. Cancelled, it closes the stream.
   *
   * @param protocol_factory makes the protocol
   * @param pipe a `Readable` of Node.js or a `ReadableStream`
   * @returns the transport and the protocol
   */
  connect_read_pipe<P extends BaseProtocol>(
    protocol_factory: () => P,
    pipe: ReadPipe,
  ): Coroutine<[transport: ReadTransport, protocol: P]>;
  /**
   * Connects a protocol to a stream of the host that is written. Cancelled, it closes the stream.
   *
   * @param protocol_factory makes the protocol
   * @param pipe a `Writable` of Node.js or a `WritableStream`
   * @returns the transport and the protocol
   */
  connect_write_pipe<P extends BaseProtocol>(
    protocol_factory: () => P,
    pipe: WritePipe,
  ): Coroutine<[transport: WriteTransport, protocol: P]>;
  /**
   * Looks up the addresses of a host. Cancelled, it abandons the host's call.
   *
   * @param host the name or the address; `null` for this machine
   * @param port the port
   * @param options `family`, `type`, `proto`, `flags`, by Python's numbers
   * @returns Python's tuples, as arrays
   * @throws {gaierror} if there is no such host
   */
  getaddrinfo(
    host: string | null,
    port: number | null,
    options?: AddressInfoOptions,
  ): Coroutine<AddressInfo[]>;
  /**
   * Looks up the names of an address. Cancelled, it abandons the host's call.
   *
   * @param sockaddr the address and the port
   * @param flags 1 for the address instead of the host's name, 2 for the number of the port
   * @returns the names of the host and of the service
   * @throws {gaierror} if there is none
   */
  getnameinfo(
    sockaddr: readonly [host: string, port: number, ...number[]],
    flags?: number,
  ): Coroutine<[host: string, service: string]>;
}

/**
 * The methods of a loop for processes.
 *
 * See {@link https://docs.python.org/3/library/asyncio-eventloop.html#running-subprocesses Python's event loop methods}.
 *
 * @category Event loop
 */
export interface LoopSubprocesses {
  /**
   * Starts a program. Its stdin, stdout and stderr are pipes by default. Cancelled, it kills the process.
   *
   * @param protocol_factory makes the protocol
   * @param program the program, which is looked for in `PATH` if its name has no slash
   * @param args its arguments; last may come options: `stdin`, `stdout`, `stderr`, `cwd`, `env`, …
   * @returns the transport and the protocol
   * @throws {OSError} if the program cannot be started: a {@linkcode FileNotFoundError} or a
   * {@linkcode PermissionError} with the program or the folder as its `filename`
   * @throws {RuntimeError} if this host cannot start processes
   */
  subprocess_exec<P extends SubprocessProtocol>(
    protocol_factory: () => P,
    program: string | URL,
    ...args: string[] | [...args: string[], options: SubprocessOptions]
  ): Coroutine<[transport: SubprocessTransport, protocol: P]>;
  /**
   * Runs a command by the shell. Its stdin, stdout and stderr are pipes by default. Cancelled, it kills the
   * shell.
   *
   * @param protocol_factory makes the protocol
   * @param cmd the command; what comes from outside must be quoted
   * @param options `stdin`, `stdout`, `stderr`, `cwd`, `env`, …
   * @returns the transport and the protocol
   * @throws {OSError} if the shell cannot be started
   * @throws {RuntimeError} if this host cannot start processes
   */
  subprocess_shell<P extends SubprocessProtocol>(
    protocol_factory: () => P,
    cmd: string,
    options?: SubprocessOptions,
  ): Coroutine<[transport: SubprocessTransport, protocol: P]>;
}

/**
 * The base of all loops: `io.ts` and `processes.ts` add the methods that connect, listen and start processes,
 * so that they are not in bundles of programs that do not.
 *
 * See {@link https://docs.python.org/3/library/asyncio-eventloop.html#event-loop-implementations Python's event loops}.
 *
 * @category Event loop
 */
export abstract class BaseEventLoop extends Inspectable {
  /** @internal The options with which futures and tasks of this loop are made. */
  protected abstract readonly _only_loop: OwnTaskOptions;
  /** @internal The moment at which the microtask queue was last seen to have run dry. */
  protected abstract readonly _dry_moment: number;
  /** @internal The moment at which code that belongs to no task was last resumed by the library. */
  protected abstract _loose_moment: number;
  /** @internal When a cancellation was last left to such code: its next await throws it. */
  protected abstract _left_moment: number;
  /** @internal Returns whether code that belongs to no task is too late to begin an await. */
  protected abstract _refuses_await(): boolean;
  /** @internal Puts something in the ready queue. */
  protected abstract _schedule(runnable: Runnable): void;
  /** @internal A step of this task continues outside of the loop's stack. */
  protected abstract _begin_step(task: TaskCore, scope: Scope): void;
  /** @internal A step of this task has suspended: one of its continuations waits. */
  protected abstract _end_step(task: TaskCore, continuation: Continuation): void;
  /** @internal Has the loop notified when the microtask queue has run dry. */
  protected abstract _watch_microtasks(): void;
  /** @internal The scope of code that belongs to the loop and to no task. */
  protected abstract readonly _loop_scope: LoopScope;
  /** @internal The time at which the clock was last read. */
  protected abstract _last_time(): number;
  /** @internal Puts something in the heap of timers. */
  protected abstract _schedule_timer(timer: Timed): void;
  /** @internal Counts a timer that was cancelled while in the heap. */
  protected abstract _timer_cancelled(timer: Timed): void;
  /** @internal Makes a loop that no call runs work by itself. */
  protected abstract _ensure_ambient(): void;
  /** @internal The step protocol: the task has ended, seen at the bottom of a microtask. */
  protected abstract _end_last_step(task: TaskCore): void;
  /** @internal Notes an await by code that belongs to no task. */
  protected abstract _note_loose_await(waiting: FutureAwait): void;
  /** @internal Begins the end of a run: its last tasks are cancelled. */
  protected abstract _begin_shutdown(): void;
  /** @internal Cancels the open awaits of code that belongs to no task any more: promises of those that end later, `null` if there are none. */
  protected abstract _cancel_loose_awaits(
    tasks?: ReadonlySet<Task<unknown>>,
  ): PromiseLike<unknown>[] | null;
  /** @internal Notes that a task has ended while awaits of its code are open. */
  protected abstract _note_loose_awaits(task: TaskCore): void;
  /** @internal Ends the run in progress with an exception that leaves the loop. */
  protected abstract _interrupt(error: unknown): void;
  /** @internal Notes a future whose outcome comes from outside of this library. */
  protected abstract _note_foreign(wait: object): void;
  /** @internal */
  protected abstract _forget_foreign(wait: object): void;
  /** @internal The transports and servers that it has open on its host. */
  protected abstract _open: OpenSet | null;
  /** @internal The network by which it connects, if not by the sockets of the host. */
  protected abstract readonly _network: Network | null;
  /** @internal Decides when the outcomes of native promises arrive; `null` if they arrive at once. */
  protected abstract readonly _arrivals: Arrivals | null;
  /** @internal Remembers a future whose exception has not been retrieved. */
  protected abstract _note_unretrieved(future: Future<unknown>): void;
  /** @internal */
  protected abstract _forget_unretrieved(future: Future<unknown>): void;
  /** @internal Throws if the loop is closed, and closes a coroutine that was to run on it. */
  protected abstract _check_closed(coro?: unknown): void;
  /** @internal */
  protected abstract _register_task(task: Task<unknown>): void;
  /** @internal Notes the end of a task: the state and the value that it is about to have. */
  protected abstract _unregister_task(task: Task<unknown>, state: number, value: unknown): void;
  /** @internal Notes that a cancellation of a task is requested. */
  protected abstract _note_cancel(task: Task<unknown>): void;
  /** @internal */
  protected abstract _tasks(): Task<unknown>[];
  /** @internal */
  protected abstract _waited_since(moment: number): number;
  /** @internal The asynchronous generators that were started and are not finished; `null` if there were none. */
  protected abstract _asyncgens: AsyncGenerators | null;
}
/**
 * The methods that every loop has.
 *
 * @category Event loop
 */
export interface BaseEventLoop extends LoopIO, LoopSubprocesses {}

/** Methods as functions of the loop. */
export type LoopMethods<N extends string> = Readonly<
  Record<N, (loop: AbstractEventLoop, ...args: never[]) => unknown>
>;

/** Adds methods to the class of loops. */
export function add_methods<N extends string>(methods: LoopMethods<N>): void {
  for (const name in methods) {
    const method = methods[name];
    Object.defineProperty(BaseEventLoop.prototype, name, {
      value(this: AbstractEventLoop, ...args: never[]) {
        return method(this, ...args);
      },
      configurable: true,
      writable: true,
    });
  }
}

// A method that a bundler has left out says so.
function note_left_out(names: string, bringing: string): void {
  for (const name of names.split(" ")) {
    add_methods({
      [name](): never {
        throw new RuntimeError(
          `Cannot ${name}(): the bundler has left it out: use ${bringing} of this package`,
        );
      },
    });
  }
}

note_left_out(
  "create_connection create_unix_connection create_server create_unix_server " +
    "connect_accepted_socket create_datagram_endpoint start_tls connect_read_pipe " +
    "connect_write_pipe getaddrinfo getnameinfo",
  "Protocol or BaseProtocol",
);
note_left_out("subprocess_exec subprocess_shell", "SubprocessProtocol");

/**
 * The interface of every event loop; {@linkcode EventLoop} and {@linkcode VirtualClockEventLoop} implement it.
 *
 * See {@link https://docs.python.org/3/library/asyncio-eventloop.html#event-loop-methods Python's event loop methods}.
 *
 * @category Event loop
 */
export interface AbstractEventLoop extends BaseEventLoop {
  /** How long a callback or a step may take before debug mode warns, in seconds; 0.1 by default. */
  slow_callback_duration: number;
  /** The loop's clock, in seconds from some start; it never goes back. */
  time(): number;
  /**
   * Calls a callback in the loop's next iteration, after those that were scheduled before.
   *
   * @param callback the function
   * @param args its arguments; last may come `{ context }`, in which it runs
   * @returns a handle by which it can be cancelled
   * @throws {RuntimeError} if the loop is closed
   */
  call_soon<A extends unknown[]>(callback: Callback<A>, ...args: A): Handle;
  /** Calls a callback in the loop's next iteration; with a context. */
  call_soon<A extends unknown[]>(callback: Callback<A>, ...args: [...A, CallbackContext]): Handle;
  /**
   * Calls a callback in the loop's next iteration; for callers outside of the loop.
   *
   * @param callback the function
   * @param args its arguments; last may come `{ context }`, in which it runs
   * @returns a handle by which it can be cancelled
   * @throws {RuntimeError} if the loop is closed
   */
  call_soon_threadsafe<A extends unknown[]>(
    callback: Callback<A>,
    ...args: A
  ): Handle;
  /** Calls a callback in the loop's next iteration, waking the loop; with a context. */
  call_soon_threadsafe<A extends unknown[]>(
    callback: Callback<A>,
    ...args: [...A, CallbackContext]
  ): Handle;
  /**
   * Calls a callback after a delay.
   *
   * @param delay how long, in seconds
   * @param callback the function
   * @param args its arguments; last may come `{ context }`, in which it runs
   * @returns a handle by which it can be cancelled
   * @throws {RuntimeError} if the loop is closed
   */
  call_later<A extends unknown[]>(
    delay: number,
    callback: Callback<A>,
    ...args: A
  ): TimerHandle;
  /** Calls a callback after a delay in seconds; with a context. */
  call_later<A extends unknown[]>(
    delay: number,
    callback: Callback<A>,
    ...args: [...A, CallbackContext]
  ): TimerHandle;
  /**
   * Calls a callback at a time of the loop's clock.
   *
   * @param when the time, in seconds, as `time()` returns it
   * @param callback the function
   * @param args its arguments; last may come `{ context }`, in which it runs
   * @returns a handle by which it can be cancelled
   * @throws {RuntimeError} if the loop is closed
   */
  call_at<A extends unknown[]>(
    when: number,
    callback: Callback<A>,
    ...args: A
  ): TimerHandle;
  /** Calls a callback at a time of the loop's clock; with a context. */
  call_at<A extends unknown[]>(
    when: number,
    callback: Callback<A>,
    ...args: [...A, CallbackContext]
  ): TimerHandle;
  /** Makes a future of this loop. */
  create_future<T>(): Future<T>;
  /**
   * Makes a task of a coroutine, by the task factory if one is set.
   *
   * @param coro a coroutine, or a function or generator object that has not started
   * @param options `name`, `context`, `eager_start`
   * @returns the task
   * @throws {RuntimeError} if the loop is closed
   * @throws {TypeError} if `coro` is a promise: its work has started already
   */
  create_task<T>(coro: CoroutineLike<T, NotStarted>, options?: TaskOptions): Task<T>;
  /**
   * Sets the factory that `create_task` makes tasks with.
   *
   * @param factory a function `(loop, coro, options) => Task`, or `null` for the default
   */
  set_task_factory(factory: TaskFactory | null): void;
  /** Returns the factory that `create_task` makes tasks with, `null` for the default. */
  get_task_factory(): TaskFactory | null;
  /**
   * Runs the loop until an awaitable is done.
   *
   * @param awaitable a future, or anything that `ensure_future` makes one of
   * @returns a promise of its result
   * @throws {RuntimeError} as `run_forever`, and if the loop is stopped before
   */
  run_until_complete<T>(awaitable: CoroutineLike<T> | PromiseLike<T>): Promise<T>;
  /**
   * Runs the loop until `stop()` is called.
   *
   * @returns a promise that settles when the loop has stopped
   * @throws {RuntimeError} if the loop is closed or runs, or if another loop runs the caller
   */
  run_forever(): Promise<void>;
  /** Ends `run_forever()` after the callbacks that are ready now. */
  stop(this: object): void;
  /**
   * Closes the loop: scheduled callbacks are dropped. Closing it twice does nothing.
   *
   * @throws {RuntimeError} if the loop runs
   */
  close(this: object): void;
  /** Returns whether a call of `run_forever` or `run_until_complete` is in progress. */
  is_running(): boolean;
  /** Returns whether the loop is closed. */
  is_closed(): boolean;
  /** Closes all asynchronous generators of `async_generator()` that were started and not finished. */
  shutdown_asyncgens(): Coroutine<void>;
  /**
   * Shuts the default executor down once its work is done.
   *
   * @param timeout how long to wait for it, in seconds; without limit by default
   */
  shutdown_default_executor(timeout?: number | null): Coroutine<void>;
  /**
   * Runs a function in an executor.
   *
   * Without another executor nothing runs in parallel: the default one calls the function in a later turn of this thread.
   *
   * @param executor the executor; `null` for the default one
   * @param fn the function
   * @param args its arguments; last may come `{ context }`, in which it runs
   * @returns a future of what the function returns
   * @throws {RuntimeError} if the loop is closed
   */
  run_in_executor<A extends unknown[], R>(
    executor: Executor | null,
    fn: (...args: A) => R,
    ...args: A
  ): Future<Awaited<R>>;
  /** Runs a function in an executor, in a context. */
  run_in_executor<A extends unknown[], R>(
    executor: Executor | null,
    fn: (...args: A) => R,
    ...args: [...A, CallbackContext]
  ): Future<Awaited<R>>;
  /**
   * Calls an export of a module in an executor, by name: `loop.run_in_executor(pool, "resize", image, 200)`.
   *
   * Cancelling the future cancels the call.
   *
   * @param executor the executor, such as a {@linkcode WorkerPoolExecutor}
   * @param name the name of the export
   * @param args its arguments
   * @returns a future of what it returns
   * @throws {RuntimeError} if the loop is closed
   */
  run_in_executor<M extends object, N extends ExportName<M>>(
    executor: ModuleExecutor<M>,
    name: N,
    ...args: ExportParameters<M, N>
  ): Future<ExportResult<M, N>>;
  /**
   * Calls an export of the default executor's module by name.
   *
   * @typeParam F the type of the export: `run_in_executor<typeof work.resize>(null, "resize", image, 200)`
   * @param executor `null`
   * @param name the name of the export
   * @param args its arguments
   * @returns a future of what it returns
   * @throws {RuntimeError} if the loop is closed
   * @throws {TypeError} if `set_default_executor()` was given no executor that takes names
   */
  run_in_executor<F extends (...args: never[]) => unknown = (...args: unknown[]) => unknown>(
    executor: null,
    name: string,
    ...args: Parameters<F>
  ): Future<Awaited<ReturnType<F>>>;
  /**
   * Sets the executor that `run_in_executor(null, …)` and `to_thread()` use.
   *
   * @param executor an object with `submit(fn, ...args)` that returns a promise; one that calls exports by name
   * takes no functions
   * @throws {TypeError} if it has no method `submit`
   */
  set_default_executor(executor: Executor): void;
  /**
   * Sets the default executor to one that calls exports by name.
   *
   * @param executor such as a {@linkcode WorkerPoolExecutor}
   */
  set_default_executor<M extends object>(executor: ModuleExecutor<M>): void;
  /**
   * Has the loop call a callback when the process gets a signal.
   *
   * @param signal its name: `"SIGUSR1"`
   * @param callback the function
   * @param args its arguments
   * @throws {ValueError} if the host does not know the signal
   * @throws {RuntimeError} if it cannot be caught, or there are no signals here
   */
  add_signal_handler<A extends unknown[]>(
    signal: string,
    callback: Callback<A>,
    ...args: A
  ): void;
  /**
   * Stops calling a signal's callback.
   *
   * @param signal its name
   * @returns whether there was one
   */
  remove_signal_handler(signal: string): boolean;
  /**
   * Sets a function `(loop, context)` that is called with errors that no code handled.
   *
   * @param handler the function, or `null` for the default, which writes to the console
   */
  set_exception_handler(handler: ExceptionHandler | null): void;
  /** Returns the handler of errors that no code handled, `null` for the default. */
  get_exception_handler(): ExceptionHandler | null;
  /**
   * Writes an error that no code handled to `console.error`.
   *
   * @param context what happened
   */
  default_exception_handler(context: ExceptionContext): void;
  /**
   * Passes an error to the exception handler.
   *
   * @param context what happened: `message`, `exception`, `task`, `future`, `handle`, …
   */
  call_exception_handler(context: ExceptionContext): void;
  /** Returns whether the loop is in debug mode. */
  get_debug(): boolean;
  /**
   * Turns debug mode on or off.
   *
   * It notes where futures, tasks and handles are made, warns of callbacks and steps that take
   * longer than `slow_callback_duration`, and refuses coroutine functions as callbacks.
   *
   * @param enabled whether it is on afterwards
   */
  set_debug(enabled: boolean): void;
}

/** An asynchronous generator that a loop closes when it ends. */
export interface TrackedAsyncGenerator {
  /** Returns the object that the user holds. */
  generator(): object;
  /** Closes the generator. */
  aclose(): PromiseLike<unknown>;
}

/** The asynchronous generators that a loop keeps. */
export interface AsyncGenerators {
  /** Notes one that starts. */
  add(generator: TrackedAsyncGenerator): void;
  /** Forgets one that is finished. */
  delete(generator: TrackedAsyncGenerator): void;
  /** True if it keeps none. */
  readonly is_empty: boolean;
  /** Takes all out, closes them at the same time, and reports what that throws. */
  close(): Generator<unknown, void, unknown>;
}

/**
 * A callback that a loop is going to call; `call_soon` returns it.
 *
 * See {@link https://docs.python.org/3/library/asyncio-eventloop.html#asyncio.Handle Python's Handle}.
 *
 * @category Event loop
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { assert } from "@std/assert";
 *
 * await asyncio.run(async () => {
 *   const handle = asyncio.get_running_loop().call_soon(console.log, "never printed");
 *   handle.cancel();
 *   assert(handle.cancelled());
 *   await asyncio.sleep(0);
 * });
 * ```
 */
export class Handle extends Inspectable {
  /** @internal */
  static override get name(): string {
    return "Handle";
  }

  /** @internal */
  protected _cancelled = false;
  /** @internal */
  protected _callback: Callback<never> | null;
  /** @internal */
  protected _args: unknown[];
  /** @internal */
  protected readonly _loop: AbstractEventLoop;
  /** @internal */
  protected readonly _source_traceback: CapturedStack | null;
  readonly #context: Context;
  // The host's context in which it was made.
  readonly #kept: KeptContext = keep_context();
  #repr: string | null = null;

  /** @internal Made by a loop. */
  constructor(
    callback: Callback<never>,
    loop: AbstractEventLoop,
    args: unknown[],
    context: Context | null,
  ) {
    super();
    this._callback = callback;
    this._args = args;
    this._loop = loop;
    this.#context = context ?? copy_context();
    this._source_traceback = loop.get_debug() ? note_stack(Handle) : null;
  }

  /**
   * Cancels the callback: it is not called.
   *
   * If it was cancelled or called already, nothing happens.
   */
  cancel(this: object): void;
  cancel(): void {
    if (this._cancelled) return;
    this._cancelled = true;
    // Debug mode may still name the callback.
    if (this._loop.get_debug()) this.#repr = this.toString();
    this._callback = null;
    this._args = [];
  }

  /** Returns whether the callback was cancelled. */
  cancelled(): boolean {
    return this._cancelled;
  }

  /** The context in which the callback runs. */
  get_context(): Context {
    return this.#context;
  }

  /** @internal */
  protected _run(): void {
    if (this._cancelled) return;
    const outer = save_turn();
    enter(this._loop as unknown as LoopCore, null, this.#context);
    try {
      // Later steps of an asynchronous callback belong to the loop, too, and to no task.
      const scope = this._loop["_loop_scope"];
      run_as(this.#kept, scope, Handle.#call, this as Handle, scope.own_context);
    } catch (error) {
      if (leaves_the_loop(error)) throw error;
      const context: ExceptionContext = {
        message: `Exception in callback ${this.#format_callback()}`,
        exception: error,
        handle: this,
      };
      if (this._source_traceback !== null) {
        context.source_traceback = String(this._source_traceback);
      }
      this._loop.call_exception_handler(context);
    } finally {
      if (outer.loop === undefined) leave();
      else restore_turn(outer);
    }
  }

  static #call(handle: Handle): void {
    (handle["_callback"] as Callback<unknown[]>)(...handle["_args"]);
  }

  /** @internal */
  protected _repr_info(): string[] {
    const info: string[] = [this.constructor.name];
    if (this._cancelled) info.push("cancelled");
    if (this._callback !== null) info.push(this.#format_callback());
    if (this._source_traceback) {
      info.push(`created at ${format_place(String(this._source_traceback))}`);
    }
    return info;
  }

  #format_callback(): string {
    return format_callback(this._callback, this._loop.get_debug() ? this._args : []);
  }

  /** Python's `repr`. */
  override toString(): string {
    return this.#repr ?? `<${this._repr_info().join(" ")}>`;
  }
}

/**
 * A callback that a loop is going to call at a time; `call_later` and `call_at` return it.
 *
 * See {@link https://docs.python.org/3/library/asyncio-eventloop.html#asyncio.TimerHandle Python's TimerHandle}.
 *
 * @category Event loop
 *
 * @example
 * ```ts
 * import { VirtualClockEventLoop } from "@pythonic/asyncio/testing";
 * import { assertEquals } from "@std/assert";
 *
 * const loop = new VirtualClockEventLoop();
 * const handle = loop.call_later(5, () => {});
 * assertEquals(handle.when(), 5);
 * handle.cancel();
 * loop.close();
 * ```
 */
export class TimerHandle extends Handle {
  /** @internal */
  static override get name(): string {
    return "TimerHandle";
  }

  /** @internal */
  protected readonly _when: number;
  /** @internal */
  protected _scheduled = false;

  /** @internal Made by a loop. */
  constructor(
    when: number,
    callback: Callback<never>,
    loop: AbstractEventLoop,
    args: unknown[],
    context: Context | null,
  ) {
    super(callback, loop, args, context);
    this._when = when;
  }

  /** The time of the loop's clock, in seconds, at which the callback is called. */
  when(): number {
    return this._when;
  }

  /** Cancels the callback: it is not called. */
  override cancel(this: object): void;
  override cancel(): void {
    if (!this._cancelled) this._loop["_timer_cancelled"](this as unknown as Timed);
    super.cancel();
  }

  /** @internal */
  protected override _repr_info(): string[] {
    const info = super._repr_info();
    info.splice(this._cancelled ? 2 : 1, 0, `when=${this._when}`);
    return info;
  }
}

/** Sets how the default loop of this thread is made; called by the module of the loop's class. */
export function set_default_loop_maker(maker: () => AbstractEventLoop): void {
  make_default_loop_by(maker as unknown as () => LoopCore);
}

/** Notes that a run of a loop begins or ends. */
export function set_loop_running(loop: AbstractEventLoop, is_running: boolean): void {
  note_running(loop as unknown as LoopCore, is_running);
}

/**
 * Returns the loop that runs the calling code.
 *
 * See {@link https://docs.python.org/3/library/asyncio-eventloop.html#asyncio.get_running_loop Python's get_running_loop}.
 *
 * @returns the loop
 * @throws {RuntimeError} if no loop runs the calling code
 * @category Event loop
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { assert, assertThrows } from "@std/assert";
 *
 * assertThrows(() => asyncio.get_running_loop(), asyncio.RuntimeError, "no running event loop");
 * await asyncio.run(async () => assert(asyncio.get_running_loop().is_running()));
 * ```
 */
export function get_running_loop(): AbstractEventLoop {
  const loop = running_loop() as AbstractEventLoop | null;
  if (loop !== null) return loop;
  throw new RuntimeError(
    "no running event loop" +
      (is_in_other_loop()
        ? ": the loop that runs belongs to another copy of @pythonic/asyncio in this program"
        : may_have_lost_task()
        ? ": this host loses the task at the await of a native promise: write await from_promise(promise)"
        : ""),
  );
}

/**
 * Returns the running loop, or the loop that code outside of any loop uses.
 *
 * The latter is the one given to `set_event_loop`, else the thread's default loop, which works by
 * itself, without `run()`.
 *
 * See {@link https://docs.python.org/3/library/asyncio-eventloop.html#asyncio.get_event_loop Python's get_event_loop}.
 *
 * @category Event loop
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * const loop = asyncio.get_event_loop();
 * assertEquals(await loop.run_until_complete(asyncio.sleep(0, "slept")), "slept");
 * ```
 */
export function get_event_loop(): AbstractEventLoop {
  return loop_in_use() as unknown as AbstractEventLoop;
}

/**
 * Sets the loop that code outside of any loop uses; `null` stands for the thread's default loop.
 *
 * See {@link https://docs.python.org/3/library/asyncio-eventloop.html#asyncio.set_event_loop Python's set_event_loop}.
 *
 * @param loop the loop, or `null`
 * @throws {TypeError} if it is no event loop, or one of another copy of the library
 * @category Event loop
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { assert } from "@std/assert";
 *
 * const loop = asyncio.new_event_loop();
 * asyncio.set_event_loop(loop);
 * assert(asyncio.get_event_loop() === loop);
 * asyncio.set_event_loop(null);
 * loop.close();
 * ```
 */
export function set_event_loop(loop: AbstractEventLoop | null): void {
  if (loop !== null) check_loop("set_event_loop", loop);
  use_loop(loop as unknown as LoopCore | null);
}

/** Throws a `TypeError` if a value is no event loop, or one of another copy of the library. */
export function check_loop(name: string, loop: unknown): void {
  const scope = (loop as AbstractEventLoop | null)?.["_loop_scope"];
  if (scope instanceof LoopScope) return;
  const reason = scope === undefined
    ? "an event loop is expected"
    : "the event loop belongs to another copy of @pythonic/asyncio in this program";
  throw new TypeError(
    `Cannot use a value as the loop of ${name}(): ${reason}: received ${repr(loop)}`,
  );
}
