/**
 * What the functions that start processes may be given.
 *
 * @module
 */

/**
 * What a process has for stdin, stdout or stderr: `PIPE`, `DEVNULL`, for stderr `STDOUT`, a file
 * descriptor, an object that has one as `fd`, or `null` for that of this process.
 *
 * @category Subprocesses
 */
export type Stdio = number | { readonly fd: number } | null;

/**
 * What `loop.subprocess_exec()` and `loop.subprocess_shell()` may be given.
 *
 * @category Subprocesses
 */
export interface SubprocessOptions {
  /** Its standard input. */
  stdin?: Stdio;
  /** Its standard output. */
  stdout?: Stdio;
  /** Its standard error; `STDOUT` for the same as stdout. */
  stderr?: Stdio;
  /** The folder in which it runs; that of this process by default. */
  cwd?: string | URL | null;
  /** All of its environment; that of this process by default. */
  env?: Readonly<Record<string, string>> | null;
  /** The file that is run in place of the program, or the shell in place of `/bin/sh`. */
  executable?: string | URL | null;
  /** Whether it leads a session and a group of processes of its own; false by default. */
  start_new_session?: boolean;
  /** The number of the user as which it runs. */
  user?: number | null;
  /** The number of the group as which it runs. */
  group?: number | null;
}

/**
 * What {@linkcode create_subprocess_exec} and {@linkcode create_subprocess_shell} may be given.
 *
 * @category Subprocesses
 */
export interface CreateSubprocessOptions extends SubprocessOptions {
  /** How many bytes a line of stdout and stderr may have; 65,536 by default. */
  limit?: number;
}
