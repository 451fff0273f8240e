/**
 * Starts processes: the loop's `subprocess_exec()` and `subprocess_shell()`, and the transport of a process.
 *
 * @module
 */

import { type Coroutine, library_coroutine } from "./core/coroutines.ts";
import { RuntimeError, ValueError } from "./core/exceptions.ts";
import type { Future } from "./core/futures.ts";
import { type BaseProtocol, Protocol, type SubprocessProtocol } from "./core/protocols.ts";
import type { SubprocessOptions } from "./core/subprocess_options.ts";
import { type BaseTransport, SubprocessTransport } from "./core/transports.ts";
import type { Open } from "./host/endpoints.ts";
import { read_endpoint, write_endpoint } from "./host/pipes.ts";
import {
  Child,
  type ChildListener,
  find_spawn,
  folder_failure,
  host_environment,
  type HostStdio,
  path_of_url,
  program_failure,
  type Spawn,
  type SpawnOptions,
} from "./host/processes.ts";
import { signal_number } from "./host/signals.ts";
import { repr } from "./internal/format_helpers.ts";
import { check_options, split_options } from "./internal/options.ts";
import type { AbstractEventLoop } from "./core/events.ts";
import { hold_open, release } from "./open_transports.ts";
import { make_os_error, translate_error } from "./os_errors.ts";
import { ReadPipeTransport, WritePipeTransport } from "./pipes.ts";

/**
 * For `stdin`, `stdout`, `stderr`: a pipe to this program.
 *
 * @category Subprocesses
 */
export const PIPE = -1;

/**
 * For `stderr`: wherever stdout goes.
 *
 * @category Subprocesses
 */
export const STDOUT = -2;

/**
 * For `stdin`, `stdout`, `stderr`: nothing is read, and what is written is thrown away.
 *
 * @category Subprocesses
 */
export const DEVNULL = -3;

/** The options of all functions that start processes. */
export const SUBPROCESS_OPTIONS: readonly string[] = [
  "stdin",
  "stdout",
  "stderr",
  "cwd",
  "env",
  "executable",
  "start_new_session",
  "user",
  "group",
];

const SHELL = "/bin/sh";

/** The protocol of one pipe of a process. */
class PipeProtocol extends Protocol {
  readonly #process: HostSubprocessTransport;
  readonly #fd: number;
  disconnected = false;

  constructor(process: HostSubprocessTransport, fd: number) {
    super();
    this.#process = process;
    this.#fd = fd;
  }

  override data_received(data: Uint8Array): void {
    this.#process["_pipe_data_received"](this.#fd, data);
  }

  /** @internal */
  protected override _only_buffers(): boolean {
    return this.#process["_only_buffers"]();
  }

  override connection_lost(error: unknown): void {
    this.disconnected = true;
    this.#process["_pipe_connection_lost"](this.#fd, error);
  }

  override pause_writing(): void {
    this.#process.get_protocol().pause_writing();
  }

  override resume_writing(): void {
    this.#process.get_protocol().resume_writing();
  }
}

interface Pipe {
  readonly protocol: PipeProtocol;
  readonly transport: BaseTransport;
}

/** A process of the host. */
export class HostSubprocessTransport extends SubprocessTransport implements ChildListener {
  /** @internal */
  static override get name(): string {
    return "SubprocessTransport";
  }

  readonly #loop: AbstractEventLoop;
  readonly #child: Child;
  readonly #started: Future<void>;
  readonly #pipes = new Map<number, Pipe>();
  readonly #exit_waiters = new Set<Future<number>>();
  #protocol: SubprocessProtocol;
  // The calls of the protocol until connection_made() is scheduled.
  #pending: (() => void)[] | null = [];
  // How many calls of the protocol are scheduled, which data must not overtake.
  #scheduled = 0;
  #returncode: number | null = null;
  #closed = false;
  #finished = false;

  /**
   * Starts a process; throws what the host throws if it cannot. `started` is done once
   * `connection_made()` is scheduled, or fails with the host's error.
   */
  constructor(
    loop: AbstractEventLoop,
    spawn: Spawn,
    options: SpawnOptions,
    protocol: SubprocessProtocol,
    started: Future<void>,
  ) {
    super();
    this.#loop = loop;
    this.#protocol = protocol;
    this.#started = started;
    const child = new Child(spawn, options, this);
    this.#child = child;
    this._extra["subprocess"] = child.host_object;
    if (child.pid === null) return;
    hold_open(loop, this as unknown as Open);
    loop["_note_foreign"](this); // also if the loop has a network in memory
    this.#connect(0, child.stdin, write_endpoint, WritePipeTransport);
    this.#connect(1, child.stdout, read_endpoint, ReadPipeTransport);
    this.#connect(2, child.stderr, read_endpoint, ReadPipeTransport);
    loop.call_soon(() => this.#connected());
  }

  #connect(
    fd: number,
    pipe: unknown,
    make_endpoint: typeof read_endpoint,
    Kind: typeof ReadPipeTransport | typeof WritePipeTransport,
  ): void {
    const endpoint = pipe === null ? null : make_endpoint(pipe);
    if (endpoint === null) return;
    const protocol = new PipeProtocol(this, fd);
    const transport = new Kind(this.#loop, endpoint, protocol, null);
    this.#pipes.set(fd, { protocol, transport });
  }

  #connected(): void {
    const pending = this.#pending ?? [];
    this.#pending = null;
    this.#call(() => this.#protocol.connection_made(this));
    for (const call of pending) this.#call(call);
    if (!this.#started.done()) this.#started.set_result();
  }

  #call(call: () => void): void {
    if (this.#pending !== null) {
      this.#pending.push(call);
      return;
    }
    this.#scheduled++;
    this.#loop.call_soon(() => {
      this.#scheduled--;
      call();
    });
  }

  /** @internal */
  on_failure(error: unknown): void {
    if (!this.#started.done()) this.#started.set_exception(error);
  }

  /** @internal */
  on_exit(code: number | null, signal: string | null): void {
    if (this.#loop.is_closed()) return;
    const returncode = code ?? -(signal_number(signal ?? "") ?? 0);
    this.#loop.call_soon(() => this.#process_exited(returncode));
  }

  #process_exited(returncode: number): void {
    this.#returncode = returncode;
    this.#call(() => this.#protocol.process_exited());
    // Not only when all pipes are closed, as in CPython before 3.15: another process may hold them.
    for (const waiter of this.#exit_waiters) {
      if (!waiter.done()) waiter.set_result(returncode);
    }
    this.#try_finish();
  }

  /** @internal */
  protected _pipe_data_received(fd: number, data: Uint8Array): void {
    if (this._only_buffers()) this.#protocol.pipe_data_received(fd, data);
    else this.#call(() => this.#protocol.pipe_data_received(fd, data));
  }

  /** @internal Returns whether the protocol may have data now, and runs no code of the user's for it. */
  protected _only_buffers(): boolean {
    return this.#pending === null && this.#scheduled === 0 &&
      this.#protocol["_only_buffers"]?.() === true;
  }

  /** @internal */
  protected _pipe_connection_lost(fd: number, error: unknown): void {
    this.#call(() => this.#protocol.pipe_connection_lost(fd, error));
    this.#try_finish();
  }

  #try_finish(): void {
    if (this.#finished || this.#returncode === null) return;
    for (const { protocol } of this.#pipes.values()) if (!protocol.disconnected) return;
    this.#finished = true;
    this.#call(() => {
      release(this.#loop, this as unknown as Open);
      this.#protocol.connection_lost(null);
    });
  }

  override set_protocol(protocol: BaseProtocol): void {
    this.#protocol = protocol as SubprocessProtocol;
  }

  override get_protocol(): BaseProtocol {
    return this.#protocol;
  }

  override is_closing(): boolean {
    return this.#closed;
  }

  override close(): void {
    if (this.#closed) return;
    this.#closed = true;
    if (!this.#loop.is_closed()) {
      for (const { transport } of this.#pipes.values()) transport.close();
    }
    if (this.#returncode !== null) return;
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // It may have ended, or may run as another user.
    }
  }

  override get_pid(): number {
    return this.#child.pid as number;
  }

  override get_returncode(): number | null {
    return this.#returncode;
  }

  override get_pipe_transport(fd: number): BaseTransport | null {
    return this.#pipes.get(fd)?.transport ?? null;
  }

  override send_signal(signal: string): void {
    if (typeof signal !== "string") {
      throw new TypeError(
        `Cannot send a signal: expected its name, such as "SIGTERM": received ${repr(signal)}`,
      );
    }
    if (signal_number(signal) === undefined) {
      throw new ValueError(
        `Cannot send a signal: there is none of this name: received ${repr(signal)}`,
      );
    }
    if (this.#returncode !== null) throw make_os_error("ESRCH");
    try {
      this.#child.kill(signal);
    } catch (error) {
      throw translate_error(error);
    }
  }

  override terminate(): void {
    this.send_signal("SIGTERM");
  }

  override kill(): void {
    this.send_signal("SIGKILL");
  }

  /** @internal Returns whether the process was started. */
  protected _is_started(): boolean {
    return this.#child.pid !== null;
  }

  /** @internal Waits until the process has ended. */
  protected *_wait(): Generator<unknown, number, unknown> {
    if (this.#returncode !== null) return this.#returncode;
    const waiter = this.#loop.create_future<number>();
    this.#exit_waiters.add(waiter);
    try {
      return yield* waiter;
    } finally {
      this.#exit_waiters.delete(waiter);
    }
  }

  /** @internal */
  protected get _unclosed(): string | undefined {
    return this.#closed ? undefined : "transport";
  }

  /** @internal Leaves the process running: the loop is closed. */
  protected _loop_closed(): void {
    this.#child.leave();
  }

  /** Python's `repr`. */
  override toString(): string {
    const info = [this.constructor.name];
    if (this.#closed) info.push("closed");
    info.push(`pid=${this.#child.pid}`);
    info.push(this.#returncode === null ? "running" : `returncode=${this.#returncode}`);
    for (const [fd, { transport }] of this.#pipes) info.push(`${STREAMS[fd]}=${transport}`);
    return `<${info.join(" ")}>`;
  }
}

const STREAMS = ["stdin", "stdout", "stderr"] as const;

function to_text(value: unknown, what: string): string {
  if (typeof value !== "string") {
    throw new TypeError(
      `Cannot start a process: ${what} must be a string: received ${repr(value)}`,
    );
  }
  if (value.includes("\0")) throw new ValueError("embedded null byte");
  return value;
}

function to_path(value: unknown, what: string): string {
  return to_text(value instanceof URL ? path_of_url(value) : value, what);
}

function to_stdio(name: string, value: unknown): HostStdio {
  if (value === null) return "inherit";
  if (value === PIPE) return "pipe";
  if (value === DEVNULL) return "ignore";
  if (value === STDOUT) throw new ValueError("STDOUT can only be used for stderr");
  const fd = typeof value === "object" ? (value as { fd?: unknown }).fd : value;
  if (typeof fd !== "number") {
    throw new TypeError(
      `Cannot start a process: ${name} must be PIPE, DEVNULL, a file descriptor or an object with one as fd: ` +
        `received ${repr(value)}`,
    );
  }
  if (!Number.isInteger(fd) || fd < 0) throw make_os_error("EBADF");
  return fd;
}

function to_environment(env: unknown): Record<string, string> {
  if (typeof env !== "object") {
    throw new TypeError(
      `Cannot start a process: env must be an object of strings: received ${repr(env)}`,
    );
  }
  const environment: Record<string, string> = {};
  for (const [name, value] of Object.entries(env as object)) {
    if (name.includes("=") || name === "") {
      throw new ValueError("illegal environment variable name");
    }
    environment[to_text(name, "a name in env")] = to_text(value, `env[${repr(name)}]`);
  }
  return environment;
}

function to_id(name: string, value: unknown): number {
  if (typeof value === "number" && Number.isInteger(value) && value >= 0) return value;
  throw new TypeError(
    `Cannot start a process: ${name} must be a whole number from 0: received ${repr(value)}`,
  );
}

/** A program with its arguments, or a command for the shell. */
export interface Command {
  /** The program, or the command. */
  readonly program: unknown;
  /** Its arguments; `null` for a command. */
  readonly args: readonly unknown[] | null;
}

// Variables that a shell adds to the environment of the program.
const SHELL_VARIABLES = ["PWD", "OLDPWD", "SHLVL", "_"];

function to_spawn_options(
  { program, args }: Command,
  given: SubprocessOptions,
): SpawnOptions {
  const options: SpawnOptions = {
    file: "",
    args: [],
    stdio: [],
    detached: given.start_new_session ?? false,
  };
  if (given.cwd != null) options.cwd = to_path(given.cwd, "cwd");
  if (given.env != null) options.env = to_environment(given.env);
  if (given.user != null) options.uid = to_id("user", given.user);
  if (given.group != null) options.gid = to_id("group", given.group);
  const executable = given.executable == null ? null : to_path(given.executable, "executable");
  if (args === null) {
    if (typeof program !== "string") throw new ValueError("cmd must be a string");
    options.file = executable ?? SHELL;
    options.args = ["-c", to_text(program, "cmd")];
  } else {
    const name = to_path(program, "the program");
    options.file = executable ?? name;
    options.args = args.map((arg) => to_text(arg, "an argument"));
    if (executable !== null) options.argv0 = name;
  }
  const { stdin = PIPE, stdout = PIPE, stderr = PIPE } = given;
  options.stdio = [
    to_stdio("stdin", stdin),
    to_stdio("stdout", stdout),
    stderr === STDOUT ? "ignore" : to_stdio("stderr", stderr),
  ];
  return options;
}

// Sends stderr where stdout goes. Hosts cannot use one pipe for both; a shell can, and then runs the program
// by `exec`, in the same process.
function with_merged_output(options: SpawnOptions): SpawnOptions {
  const { file, args, argv0, cwd, env } = options;
  if (argv0 !== undefined) {
    throw new ValueError(
      "Cannot start a process: executable cannot be combined with stderr: STDOUT",
    );
  }
  const failure = program_failure(file, cwd, env);
  if (failure !== null) throw start_failure(failure, file);
  const variables = env ?? host_environment();
  const unset = SHELL_VARIABLES.filter((name) => !Object.hasOwn(variables, name));
  const script = `${unset.map((name) => `unset ${name}; `).join("")}exec "$0" "$@" 2>&1`;
  // A shell drops variables that it cannot name.
  const dropped = Object.entries(variables).filter(([name]) => !/^[A-Za-z_]\w*$/.test(name))
    .map(([name, value]) => `${name}=${value}`);
  const program = dropped.length === 0 ? [file] : ["/usr/bin/env", ...dropped, file];
  return { ...options, file: SHELL, args: ["-c", script, ...program, ...args] };
}

function start_failure(code: string, filename: string, cause?: unknown): unknown {
  return make_os_error(code, undefined, { filename, syscall: "spawn", cause });
}

function translate_failure(error: unknown, { file, cwd, env }: SpawnOptions): unknown {
  const code = (error as { code?: unknown } | null)?.code;
  if (typeof code !== "string" || !/^E[A-Z0-9]+$/.test(code)) return translate_error(error);
  // Deno says so, too, of a file in PATH that may not be run.
  const failure = code === "ENOENT" ? program_failure(file, cwd, env) ?? code : code;
  return start_failure(failure, file, error);
}

/** Starts a process, in a generator of the library. Cancelled, it kills the process. */
export function* start_process<P extends SubprocessProtocol>(
  loop: AbstractEventLoop,
  factory: () => P,
  command: Command,
  given: SubprocessOptions,
): Generator<unknown, [HostSubprocessTransport, P], unknown> {
  const spawn = find_spawn();
  if (spawn === null) {
    throw new RuntimeError(
      "Cannot start a process: this host has none: node:child_process is not there",
    );
  }
  const options = to_spawn_options(command, given);
  const { file, cwd } = options;
  const protocol = factory();
  // Hosts name the program though it is the folder that cannot be entered.
  const failure = cwd === undefined ? null : folder_failure(cwd);
  if (failure !== null) throw start_failure(failure, cwd as string);
  // No file has this name; hosts refuse it in words of their own.
  if (file === "") throw start_failure("EACCES", file);
  const spawned = given.stderr === STDOUT ? with_merged_output(options) : options;
  const started = loop.create_future<void>();
  let transport: HostSubprocessTransport | null = null;
  try {
    transport = new HostSubprocessTransport(loop, spawn, spawned, protocol, started);
    yield* started;
  } catch (error) {
    if (transport === null || !transport["_is_started"]()) throw translate_failure(error, options);
    transport.close();
    yield* transport["_wait"]();
    throw error;
  }
  return [transport, protocol];
}

/** Implements `loop.subprocess_exec()`. */
export function subprocess_exec<P extends SubprocessProtocol>(
  loop: AbstractEventLoop,
  protocol_factory: () => P,
  program: string | URL,
  ...args: (string | SubprocessOptions)[]
): Coroutine<[transport: SubprocessTransport, protocol: P]> {
  const [rest, options] = split_options<SubprocessOptions>(
    "subprocess_exec",
    args,
    SUBPROCESS_OPTIONS,
  );
  return library_coroutine(
    "subprocess_exec",
    start_process(loop, protocol_factory, { program, args: rest }, options ?? {}),
  );
}

/** Implements `loop.subprocess_shell()`. */
export function subprocess_shell<P extends SubprocessProtocol>(
  loop: AbstractEventLoop,
  protocol_factory: () => P,
  cmd: string,
  options: SubprocessOptions = {},
): Coroutine<[transport: SubprocessTransport, protocol: P]> {
  check_options("subprocess_shell", options, SUBPROCESS_OPTIONS);
  return library_coroutine(
    "subprocess_shell",
    start_process(loop, protocol_factory, { program: cmd, args: null }, options),
  );
}
