/**
 * The processes of the host: `node:child_process`, loaded at run time, so that no bundler ever sees an
 * import.
 *
 * @module
 */

import type { HostReadable, HostWritable } from "./pipes.ts";
import { builtin_module, host_process, type HostProcess } from "./process.ts";
import type { Emitter, HostListener } from "./sockets.ts";

/** One of the three streams of a process: a pipe, the null device, that of this process, a descriptor. */
export type HostStdio = "pipe" | "ignore" | "inherit" | number;

/** How a process is started. */
export interface SpawnOptions {
  /** The file that is run, which is looked for in `PATH` if its name has no slash. */
  file: string;
  /** The arguments after the program's name. */
  args: readonly string[];
  /** The program's name, as it sees it; the file by default. */
  argv0?: string;
  /** stdin, stdout, stderr. */
  stdio: readonly HostStdio[];
  /** The folder; that of this process by default. */
  cwd?: string;
  /** The environment; that of this process by default. */
  env?: Readonly<Record<string, string>>;
  /** Makes it the leader of a new session and process group. */
  detached: boolean;
  /** The user, by number. */
  uid?: number;
  /** The group, by number. */
  gid?: number;
}

/** A process of `node:child_process`. */
interface HostChild extends Emitter {
  readonly pid?: number;
  readonly stdin: HostWritable | null;
  readonly stdout: HostReadable | null;
  readonly stderr: HostReadable | null;
  unref(): void;
}

/** The host's function that starts processes. */
export type Spawn = (file: string, args: readonly string[], options: object) => HostChild;

interface FSModule {
  accessSync(path: string, mode: number): void;
  statSync(path: string): { isDirectory(): boolean; isFile(): boolean };
}

interface URLModule {
  fileURLToPath(url: URL): string;
}

const EXECUTABLE = 1;

// Where execvp() looks without PATH.
const DEFAULT_PATH = "/bin:/usr/bin";

/** Returns the host's function that starts processes; `null` if it cannot. A look-up takes Deno 9 µs. */
export function find_spawn(): Spawn | null {
  const spawn = builtin_module<{ spawn?: Spawn }>("node:child_process")?.spawn;
  return typeof spawn === "function" ? spawn : null;
}

/** The path of a `file:` URL. */
export function path_of_url(url: URL): string {
  return (builtin_module<URLModule>("node:url") as URLModule).fileURLToPath(url);
}

function files(): FSModule {
  return builtin_module<FSModule>("node:fs") as FSModule;
}

function code_of(error: unknown): string | null {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === "string" ? code : null;
}

/** Returns the code of the error for which a process cannot be started in a folder; `null` without one. */
export function folder_failure(path: string): string | null {
  try {
    if (!files().statSync(path).isDirectory()) return "ENOTDIR";
    files().accessSync(path, EXECUTABLE);
    return null;
  } catch (error) {
    return code_of(error);
  }
}

/** Returns the code of the error for which `execvp()` cannot run a program; `null` without one. */
export function program_failure(
  program: string,
  cwd: string | undefined,
  env: Readonly<Record<string, string | undefined>> | undefined,
): string | null {
  if (program.includes("/")) return file_failure(program, cwd);
  const { PATH = DEFAULT_PATH } = env ?? host_environment();
  let failure: string | null = "ENOENT";
  for (const folder of PATH.split(":")) {
    const found = file_failure(`${folder === "" ? "." : folder}/${program}`, cwd);
    if (found === null) return null;
    if (found !== "ENOENT" && found !== "ENOTDIR") failure = found;
  }
  return failure;
}

function file_failure(path: string, cwd: string | undefined): string | null {
  const whole = cwd === undefined || path.startsWith("/") ? path : `${cwd}/${path}`;
  try {
    if (!files().statSync(whole).isFile()) return "EACCES";
    files().accessSync(whole, EXECUTABLE);
    return null;
  } catch (error) {
    return code_of(error);
  }
}

/** The environment of this process. */
export function host_environment(): Readonly<Record<string, string | undefined>> {
  return host_process()?.env ?? {};
}

// Bun's sink below a pipe: a pending write of it keeps the program alive, even if the pipe is destroyed.
const SINK = "kWriteStreamFastPath";

function release_sink(pipe: HostWritable): void {
  const key = Object.getOwnPropertySymbols(pipe).find(({ description }) => description === SINK);
  const sink = key && Reflect.get(pipe, key) as { unref?(): void } | null;
  sink?.unref?.();
}

/** The listener of a process. */
export interface ChildListener {
  /** The process has ended: with a code, or by a signal. */
  on_exit(code: number | null, signal: string | null): void;
  /** The process could not be started. */
  on_failure(error: unknown): void;
}

/**
 * A process of the host. If it could not be started it has no `pid`, and the listener gets the error.
 *
 * Its pipes must be listened to in the same turn: at the end of a process hosts discard output that has no
 * listener.
 */
export class Child {
  /** The number of the process; `null` if it could not be started. */
  readonly pid: number | null;
  /** The host's object. */
  readonly host_object: unknown;
  readonly #child: HostChild;
  #ended = false;

  /** Starts a process; throws what the host throws if it cannot. */
  constructor(spawn: Spawn, options: SpawnOptions, listener: ChildListener) {
    const { file, args, stdio, detached, ...others } = options;
    const child = spawn(file, [...args], { ...others, stdio: [...stdio], detached });
    this.#child = child;
    this.pid = child.pid ?? null;
    this.host_object = child;
    const on_exit = (code: number | null, signal: string | null) => {
      this.#ended = true;
      listener.on_exit(code, signal);
    };
    const on_error = (error: unknown) => {
      if (this.pid === null) listener.on_failure(error);
    };
    child.on("error", on_error as HostListener);
    if (this.pid !== null) child.once("exit", on_exit as HostListener);
  }

  /** The host's end of a pipe, `null` if there is none. */
  get stdin(): HostWritable | null {
    return this.#child.stdin ?? null;
  }

  /** The host's end of a pipe, `null` if there is none. */
  get stdout(): HostReadable | null {
    return this.#child.stdout ?? null;
  }

  /** The host's end of a pipe, `null` if there is none. */
  get stderr(): HostReadable | null {
    return this.#child.stderr ?? null;
  }

  /**
   * Sends a signal, which does nothing if the process has ended; throws if that is not allowed.
   *
   * Not by the child's own `kill()`: on Deno that sends one signal only, and reports it as the cause of the end.
   */
  kill(signal: string): void {
    if (this.#ended) return;
    try {
      (host_process() as HostProcess).kill(this.pid as number, signal);
    } catch (error) {
      if (code_of(error) !== "ESRCH") throw error;
    }
  }

  /** Lets this program end while the process runs; input that is still buffered is lost. */
  leave(): void {
    this.#child.unref();
    const { stdin } = this;
    if (stdin === null) return;
    // A pending write would keep this program alive.
    release_sink(stdin);
    if (stdin.writableLength > 0) stdin.destroy();
  }
}
