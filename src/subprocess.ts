/**
 * Running other programs, with their output as streams: Python's `asyncio.subprocess`.
 *
 * @category Subprocesses
 * @module
 */

import {
  type HostSubprocessTransport,
  start_process,
  SUBPROCESS_OPTIONS,
} from "./base_subprocess.ts";
import { type Coroutine, library_coroutine } from "./core/coroutines.ts";
import { ValueError } from "./core/exceptions.ts";
import type { CreateSubprocessOptions } from "./core/subprocess_options.ts";
import type {
  BaseTransport,
  ReadTransport,
  SubprocessTransport,
  WriteTransport,
} from "./core/transports.ts";
import { type Bytes, to_bytes } from "./internal/bytes.ts";
import { Inspectable, repr } from "./internal/format_helpers.ts";
import { check_options, keyword_or_positional, split_options } from "./internal/options.ts";
import { note_methods } from "./internal/unbound.ts";
import { type AbstractEventLoop, get_running_loop } from "./core/events.ts";
import { BrokenPipeError, ConnectionResetError } from "./os_errors.ts";
import { FlowControlMixin, StreamReader, StreamWriter } from "./streams.ts";

export { DEVNULL, PIPE, STDOUT } from "./base_subprocess.ts";

const OPTIONS = [...SUBPROCESS_OPTIONS, "limit"];

// The pipe of a process that has ended holds less, unless another process writes to it.
const MAX_PIPE_SIZE = 2 ** 20;

/**
 * The protocol between a process and its streams.
 *
 * @category Subprocesses
 */
export class SubprocessStreamProtocol extends FlowControlMixin {
  /** @internal */
  static override get name(): string {
    return "SubprocessStreamProtocol";
  }

  /** Writes to the standard input; `null` if it is no pipe. */
  stdin: StreamWriter | null = null;
  /** Reads the standard output; `null` if it is no pipe. */
  stdout: StreamReader | null = null;
  /** Reads the standard error; `null` if it is no pipe. */
  stderr: StreamReader | null = null;
  readonly #limit: number;
  readonly #open = new Set<number>();
  // How many bytes are still taken from the pipes of a process that has ended, whatever the limit.
  readonly #rest = new Map<number, number>();
  #transport: SubprocessTransport | null = null;
  #exited = false;

  /**
   * Makes the protocol.
   *
   * @param limit how many bytes a line of the output may have
   * @param loop the loop
   * @throws {ValueError} if the limit is not above 0
   */
  constructor(limit: number, loop: AbstractEventLoop) {
    super(loop);
    if (!(limit > 0)) throw new ValueError("Limit cannot be <= 0");
    this.#limit = limit;
  }

  /** Makes the streams. */
  override connection_made(process: BaseTransport): void {
    const transport = process as SubprocessTransport;
    this.#transport = transport;
    this.stdout = this.#make_reader(transport, 1);
    this.stderr = this.#make_reader(transport, 2);
    const stdin = transport.get_pipe_transport(0);
    if (stdin !== null) {
      this.stdin = new StreamWriter(stdin as WriteTransport, this, null, this._loop);
    }
  }

  #make_reader(transport: SubprocessTransport, fd: number): StreamReader | null {
    const pipe = transport.get_pipe_transport(fd);
    if (pipe === null) return null;
    const reader = new StreamReader({ limit: this.#limit, loop: this._loop });
    reader.set_transport(pipe as ReadTransport);
    this.#open.add(fd);
    return reader;
  }

  #reader(fd: number): StreamReader | null {
    return fd === 1 ? this.stdout : fd === 2 ? this.stderr : null;
  }

  /**
   * Passes output to its reader.
   *
   * @param fd 1 for stdout, 2 for stderr
   * @param data the bytes
   */
  pipe_data_received(fd: number, data: Uint8Array): void {
    const reader = this.#reader(fd);
    reader?.["_feed"](data);
    const rest = this.#rest.get(fd);
    if (rest === undefined) return;
    if (rest > data.length) this.#rest.set(fd, rest - data.length);
    else {
      this.#rest.delete(fd);
      reader?.["_restore_limit"]();
    }
  }

  /** @internal */
  protected override _only_buffers(): boolean {
    return this.pipe_data_received === SubprocessStreamProtocol.prototype.pipe_data_received;
  }

  /**
   * Ends a reader, or resumes the calls that wait until stdin is closed.
   *
   * @param fd 0 for stdin, 1 for stdout, 2 for stderr
   * @param error why, or `null`
   */
  pipe_connection_lost(fd: number, error: unknown): void {
    if (fd === 0) {
      this.stdin?.close();
      this.connection_lost(error);
      return;
    }
    const reader = this.#reader(fd);
    if (error === null) reader?.feed_eof();
    else reader?.set_exception(error);
    this.#open.delete(fd);
    this.#maybe_close_transport();
  }

  /** Closes the transport once all output has been received. */
  process_exited(): void {
    this.#exited = true;
    // Without it, the pipe of a process that was killed stays open until its output is read.
    for (const fd of this.#open) {
      this.#rest.set(fd, MAX_PIPE_SIZE);
      this.#reader(fd)?.["_lift_limit"]();
    }
    this.#maybe_close_transport();
  }

  #maybe_close_transport(): void {
    if (this.#open.size === 0 && this.#exited) this.#transport?.close();
  }
}

/**
 * A process that was started by {@linkcode create_subprocess_exec} or {@linkcode create_subprocess_shell}.
 *
 * `await using` kills it if it still runs, and waits for its end. A process that is left running when
 * `run()` is over keeps on running, and does not keep this program alive.
 *
 * See {@link https://docs.python.org/3/library/asyncio-subprocess.html#asyncio.subprocess.Process Python's Process}.
 *
 * @category Subprocesses
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * await asyncio.run(async () => {
 *   const { PIPE } = asyncio.subprocess;
 *   await using process = await asyncio.create_subprocess_exec("cat", { stdin: PIPE, stdout: PIPE });
 *   process.stdin!.write("one\n");
 *   assertEquals(new TextDecoder().decode(await process.stdout!.readline()), "one\n");
 *   process.terminate();
 *   assertEquals(await process.wait(), -15);
 * });
 * ```
 */
export class Process extends Inspectable implements AsyncDisposable {
  /** @internal */
  static override get name(): string {
    return "Process";
  }

  /** Writes to its standard input; `null` unless that is a pipe. */
  readonly stdin: StreamWriter | null;
  /** Reads its standard output; `null` unless that is a pipe. */
  readonly stdout: StreamReader | null;
  /** Reads its standard error; `null` unless that is a pipe of its own. */
  readonly stderr: StreamReader | null;
  /** The number of the process. */
  readonly pid: number;
  readonly #transport: HostSubprocessTransport;

  /** @internal */
  constructor(transport: HostSubprocessTransport, protocol: SubprocessStreamProtocol) {
    super();
    note_methods(new.target.prototype);
    this.#transport = transport;
    this.stdin = protocol.stdin;
    this.stdout = protocol.stdout;
    this.stderr = protocol.stderr;
    this.pid = transport.get_pid();
  }

  /** The return code, negative for a signal: -15 for SIGTERM; `null` while the process runs. */
  get returncode(): number | null {
    return this.#transport.get_returncode();
  }

  /**
   * Waits until the process has ended.
   *
   * A process may wait for its output to be read, with a pipe that is full, and never end: then
   * {@linkcode communicate} is to be used. Cancelled, it changes nothing.
   *
   * @returns the return code
   */
  wait(): Coroutine<number> {
    return library_coroutine("Process.wait", this.#transport["_wait"]());
  }

  /**
   * Writes the input, closes stdin, reads all output, and waits until the process has ended.
   *
   * A process that ends before it has read its input is no error. The end of the output is awaited even
   * if it is another process, which has inherited the pipe, that holds it open. Cancelled, it loses no
   * output, which is there for the next reader; the process runs on.
   *
   * @param input what is written to stdin, if that is a pipe
   * @returns stdout and stderr, each `null` unless it is a pipe
   * @throws {RuntimeError} if another task reads the output
   */
  communicate(
    input: Bytes | null | { input?: Bytes | null } = null,
  ): Coroutine<[stdout: Uint8Array | null, stderr: Uint8Array | null]> {
    const given = keyword_or_positional<"input", Bytes | null>("communicate", "input", input) ??
      null;
    return library_coroutine("Process.communicate", this.#communicate(given));
  }

  *#communicate(
    input: Bytes | null,
  ): Generator<unknown, [Uint8Array | null, Uint8Array | null], unknown> {
    const bytes = input === null ? null : to_bytes(input, "communicate");
    const readers = [this.stdout, this.stderr].filter((reader) => reader !== null);
    for (const reader of readers) reader["_lift_limit"]();
    try {
      yield* this.#feed_stdin(bytes);
      for (const reader of readers) yield* reader["_wait_for_end"]();
      yield* this.#transport["_wait"]();
      return [this.stdout?.["_take_all"]() ?? null, this.stderr?.["_take_all"]() ?? null];
    } finally {
      for (const reader of readers) reader["_restore_limit"]();
    }
  }

  *#feed_stdin(input: Uint8Array | null): Generator<unknown, void, unknown> {
    const { stdin } = this;
    if (stdin === null) return;
    try {
      if (input !== null) stdin.write(input);
      yield* stdin.drain();
    } catch (error) {
      if (!(error instanceof BrokenPipeError || error instanceof ConnectionResetError)) throw error;
    }
    stdin.close();
  }

  /**
   * Sends a signal to the process.
   *
   * @param signal its name: `"SIGINT"`
   * @throws {ProcessLookupError} if the process has ended
   * @throws {ValueError} if there is no signal of this name
   * @throws {PermissionError} if it is not allowed
   */
  send_signal(signal: string): void {
    this.#transport.send_signal(signal);
  }

  /**
   * Requests the process to end, by SIGTERM.
   *
   * @throws {ProcessLookupError} if the process has ended
   */
  terminate(): void {
    this.#transport.terminate();
  }

  /**
   * Ends the process, by SIGKILL.
   *
   * @throws {ProcessLookupError} if the process has ended
   */
  kill(): void {
    this.#transport.kill();
  }

  /** Kills the process if it still runs, closes its pipes, and waits for its end; for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#transport.close();
    await this.wait();
  }

  /** Python's `repr`. */
  override toString(): string {
    return `<${this.constructor.name} ${this.pid}>`;
  }
}

/**
 * Starts a program.
 *
 * stdin, stdout and stderr are those of this program by default; with `PIPE` they are streams. Cancelled,
 * it kills the process.
 *
 * See {@link https://docs.python.org/3/library/asyncio-subprocess.html#asyncio.create_subprocess_exec Python's create_subprocess_exec}.
 *
 * @param program the program, which is looked for in `PATH` if its name has no slash
 * @param args its arguments; last may come options: `stdin`, `stdout`, `stderr`, `limit`, `cwd`, `env`,
 * `executable`, `start_new_session`, `user`, `group`
 * @returns the process
 * @throws {OSError} if the program cannot be started: a {@linkcode FileNotFoundError} or a
 * {@linkcode PermissionError} with the program or the folder as its `filename`
 * @throws {RuntimeError} if this host cannot start processes
 * @throws {TypeError} if there is no option of a name
 * @category Subprocesses
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * await asyncio.run(async () => {
 *   const { PIPE } = asyncio.subprocess;
 *   const process = await asyncio.create_subprocess_exec("sort", { stdin: PIPE, stdout: PIPE });
 *   const [stdout] = await process.communicate("b\na\n");
 *   assertEquals(new TextDecoder().decode(stdout!), "a\nb\n");
 *   assertEquals(process.returncode, 0);
 * });
 * ```
 */
export function create_subprocess_exec(
  program: string | URL,
  ...args: string[] | [...args: string[], options: CreateSubprocessOptions]
): Coroutine<Process> {
  const [rest, options] = split_options<CreateSubprocessOptions>(
    "create_subprocess_exec",
    args,
    OPTIONS,
  );
  return library_coroutine(
    "create_subprocess_exec",
    create({ program, args: rest }, options ?? {}),
  );
}

/**
 * Runs a command by the shell, `/bin/sh`.
 *
 * What comes from outside must be quoted, or it is run as well. Otherwise it does what
 * {@linkcode create_subprocess_exec} does.
 *
 * See {@link https://docs.python.org/3/library/asyncio-subprocess.html#asyncio.create_subprocess_shell Python's create_subprocess_shell}.
 *
 * @param cmd the command
 * @param options `stdin`, `stdout`, `stderr`, `limit`, `cwd`, `env`, `executable` for another shell,
 * `start_new_session`, `user`, `group`
 * @returns the process: the shell
 * @throws {OSError} if the shell cannot be started
 * @throws {RuntimeError} if this host cannot start processes
 * @throws {TypeError} if there is no option of a name
 * @category Subprocesses
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * await asyncio.run(async () => {
 *   const { PIPE, STDOUT } = asyncio.subprocess;
 *   const process = await asyncio.create_subprocess_shell("echo out; echo err >&2; exit 3", {
 *     stdout: PIPE,
 *     stderr: STDOUT,
 *   });
 *   const [output, nothing] = await process.communicate();
 *   assertEquals(new TextDecoder().decode(output!), "out\nerr\n");
 *   assertEquals([nothing, process.returncode], [null, 3]);
 * });
 * ```
 */
export function create_subprocess_shell(
  cmd: string,
  options: CreateSubprocessOptions = {},
): Coroutine<Process> {
  check_options("create_subprocess_shell", options, OPTIONS);
  return library_coroutine(
    "create_subprocess_shell",
    create({ program: cmd, args: null }, options),
  );
}

function* create(
  command: { program: unknown; args: readonly unknown[] | null },
  { limit = 65_536, stdin = null, stdout = null, stderr = null, ...others }:
    CreateSubprocessOptions,
): Generator<unknown, Process, unknown> {
  const loop = get_running_loop();
  if (typeof limit !== "number") {
    throw new TypeError(
      `Cannot start a process: limit must be a number of bytes: received ${repr(limit)}`,
    );
  }
  const factory = () => new SubprocessStreamProtocol(limit, loop);
  const given = { ...others, stdin, stdout, stderr };
  const [transport, protocol] = yield* start_process(loop, factory, command, given);
  return new Process(transport, protocol);
}
