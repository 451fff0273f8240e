/**
 * Python's asyncio for TypeScript: the same names, the same semantics and the same order of events.
 *
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 *
 * async function say(what: string, delay: number) {
 *   await asyncio.sleep(delay);
 *   console.log(what);
 * }
 *
 * await asyncio.run(async () => {
 *   await asyncio.gather(() => say("world", 0.02), () => say("hello", 0.01));
 * });
 * ```
 *
 * A program begins with {@linkcode run}. What runs at the same time is a {@linkcode Task}: of a
 * {@linkcode TaskGroup}, made by {@linkcode create_task} or {@linkcode gather}. Tasks wait
 * ({@linkcode sleep}, {@linkcode wait_for}, {@linkcode timeout}), share ({@linkcode Lock},
 * {@linkcode Semaphore}, {@linkcode Queue}) and can be cancelled.
 *
 * Beside this module there are `./itertools` (Python's tools over iterables and AsyncIterables),
 * `./functools` (caches of what is awaited), `./structured` (cancel scopes, channels, limits, services),
 * `./testing` (the virtual clock) and `./trace` (recording what tasks do).
 *
 * Names are Python's, and so is what they do: each has a link to Python's page. Keyword arguments are
 * one object at the end, and times are seconds.
 *
 * @module
 */

export { from_promise, type FromPromiseOptions, type NativeWork } from "./src/from_promise.ts";
export { detached } from "./src/detached.ts";
export {
  aclosing,
  aiter,
  anext,
  async_generator,
  type AsyncClosable,
  type AsyncClosing,
  AsyncGeneratorObject,
  type Closing,
  closing,
} from "./src/async_generators.ts";
export { type AllTasksOptions, format_all_tasks, print_all_tasks } from "./src/loop/task_tree.ts";
export { aborted_by, type AbortScope } from "./src/aborts.ts";
export {
  type CallGraphOptions,
  capture_call_graph,
  format_call_graph,
  FrameCallGraphEntry,
  future_add_to_awaited_by,
  future_discard_from_awaited_by,
  FutureCallGraph,
  print_call_graph,
  type PrintCallGraphOptions,
} from "./src/graph.ts";
export { type DefaultEventLoop, EventLoop, type EventLoopOptions } from "./src/loop/base_events.ts";
export type { RunLoop } from "./src/loop/run_loop.ts";
export { BrokenExecutor, ConcurrentFuture } from "./src/core/concurrent_futures.ts";
export { async_with, type AsyncContextManager } from "./src/context_managers.ts";
export {
  asynccontextmanager,
  type AsyncExit,
  AsyncExitStack,
  nullcontext,
  suppress,
} from "./src/contextlib.ts";
export {
  Context,
  ContextVar,
  type ContextVarOptions,
  copy_context,
  Token,
} from "./src/core/contextvars.ts";
export {
  type Awaitable,
  Coroutine,
  coroutine,
  type CoroutineFactory,
  type CoroutineFunction,
  type CoroutineLike,
  isawaitable,
  iscoroutine,
  iscoroutinefunction,
  type NotStarted,
  type WithoutContext,
} from "./src/core/coroutines.ts";
export type { OnRejected } from "./src/core/contracts.ts";
export {
  type AbstractEventLoop,
  type AbstractServer,
  type BaseEventLoop,
  type Callback,
  type CallbackContext,
  type ExceptionContext,
  type ExceptionHandler,
  type Executor,
  get_event_loop,
  get_running_loop,
  Handle,
  type LoopIO,
  type LoopSubprocesses,
  set_event_loop,
  TimerHandle,
} from "./src/core/events.ts";
export {
  BaseException,
  BaseExceptionGroup,
  BrokenBarrierError,
  CancelledError,
  type ErrorClass,
  type ExceptionCondition,
  ExceptionGroup,
  IncompleteReadError,
  InvalidStateError,
  KeyboardInterrupt,
  LimitOverrunError,
  LookupError,
  RuntimeError,
  StopAsyncIteration,
  TimeoutError,
  ValueError,
} from "./src/core/exceptions.ts";
export type { NamedError } from "./src/internal/error_kinds.ts";
export type { ScopeManager } from "./src/core/scope_managers.ts";
export type { Inspectable } from "./src/internal/format_helpers.ts";
export {
  type CallbackOptions,
  Future,
  type FutureOptions,
  isfuture,
  wrap_future,
} from "./src/core/futures.ts";
export { type EventEmitterLike, next_event } from "./src/host_events.ts";
export {
  type Acquirable,
  Barrier,
  BoundedSemaphore,
  Condition,
  Event,
  Lock,
  type LockLike,
  Permit,
  Semaphore,
} from "./src/locks.ts";
export type { LoopBound } from "./src/core/mixins.ts";
export {
  LifoQueue,
  PriorityQueue,
  type PriorityQueueOptions,
  Queue,
  QueueEmpty,
  QueueFull,
  QueueShutDown,
  type StoredItems,
} from "./src/queues.ts";
export {
  new_event_loop,
  run,
  Runner,
  type RunnerOptions,
  type RunOptions,
  set_loop_factory,
} from "./src/loop/runners.ts";
export { type RaceOptions, type RaceResult, staggered_race } from "./src/staggered.ts";
export { type StartFunction, TaskGroup } from "./src/taskgroups.ts";
export type { TaskStatus } from "./src/task_status.ts";
export {
  all_tasks,
  create_task,
  current_task,
  ensure_future,
  Task,
  type TaskFactory,
  type TaskOptions,
} from "./src/core/tasks.ts";
export {
  create_eager_task_factory,
  eager_task_factory,
  type TaskConstructor,
} from "./src/core/eager_tasks.ts";
export {
  ALL_COMPLETED,
  as_completed,
  type AsCompletedIterator,
  FIRST_COMPLETED,
  FIRST_EXCEPTION,
  gather,
  type GatherOptions,
  type Result,
  type Results,
  type ResultsOrErrors,
  type ReturnWhen,
  shield,
  sleep,
  wait,
  wait_for,
  type WaitOptions,
} from "./src/waiting.ts";
export { run_coroutine_threadsafe, to_thread } from "./src/threads.ts";
export {
  type WorkerMapOptions,
  WorkerPoolExecutor,
  type WorkerPoolOptions,
} from "./src/worker_pool.ts";
export { transfer } from "./src/transfers.ts";
export type {
  ExportItem,
  ExportName,
  ExportParameters,
  ExportResult,
  ModuleExecutor,
  UntypedModule,
} from "./src/core/executors.ts";
export { Timeout, timeout, timeout_at } from "./src/timeouts.ts";
export type { Address, AddressInfo } from "./src/host/endpoints.ts";
export type { HostReadable, HostWritable } from "./src/host/pipes.ts";
export type { Emitter, HostListener } from "./src/host/sockets.ts";
export type {
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
  SSL,
  SSLContext,
  StartTLSOptions,
  TLSOptions,
  UnixConnectionOptions,
  UnixServerOptions,
  WritePipe,
} from "./src/core/connection_options.ts";
export type { Bytes } from "./src/internal/bytes.ts";
export {
  BaseProtocol,
  BufferedProtocol,
  DatagramProtocol,
  Protocol,
  StreamReaderProtocol,
} from "./src/io.ts";
export {
  BrokenPipeError,
  ConnectionAbortedError,
  ConnectionError,
  ConnectionRefusedError,
  ConnectionResetError,
  FileNotFoundError,
  gaierror,
  OSError,
  type OSErrorOptions,
  PermissionError,
  ProcessLookupError,
  SSLCertVerificationError,
  SSLError,
} from "./src/os_errors.ts";
export type {
  CreateSubprocessOptions,
  Stdio,
  SubprocessOptions,
} from "./src/core/subprocess_options.ts";
export { SubprocessProtocol } from "./src/processes.ts";
export { create_subprocess_exec, create_subprocess_shell, type Process } from "./src/subprocess.ts";
/**
 * Running other programs: `PIPE`, `STDOUT`, `DEVNULL`, `Process`.
 *
 * See {@link https://docs.python.org/3/library/asyncio-subprocess.html Python's asyncio.subprocess}.
 *
 * @category Subprocesses
 */
export * as subprocess from "./src/subprocess.ts";
export { Server, ServerSocket } from "./src/servers.ts";
export type { ByteSource } from "./src/stream_sources.ts";
export {
  type ClientConnectedCallback,
  type FlowControlMixin,
  open_connection,
  open_unix_connection,
  type OpenConnectionOptions,
  type OpenUnixConnectionOptions,
  start_server,
  start_unix_server,
  type StartServerOptions,
  type StartUnixServerOptions,
  StreamReader,
  type StreamReaderOptions,
  StreamWriter,
} from "./src/streams.ts";
export {
  BaseTransport,
  DatagramTransport,
  ReadTransport,
  SubprocessTransport,
  Transport,
  type TransportProtocol,
  type WriteBufferLimits,
  WriteTransport,
} from "./src/core/transports.ts";
