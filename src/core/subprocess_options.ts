/**
 * The options of the functions that start processes.
 *
 * @module
 */

/**
 * The stdin, stdout or stderr of a process: `PIPE`, `DEVNULL`, for stderr `STDOUT`, a file
 * descriptor, an object that has one as `fd`, or `null` for that of this process.
 *
 * @category Subprocesses
 */
export type Stdio = number | { readonly fd: number } | null;

/**
 * The options of `loop.subprocess_exec()` and `loop.subprocess_shell()`.
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
  /** Its whole environment; that of this process by default. */
  env?: Readonly<Record<string, string>> | null;
  /** The file that is run in place of the program, or the shell in place of `/bin/sh`. */
  executable?: string | URL | null;
  /** Makes it the leader of a new session and process group; false by default. */
  start_new_session?: boolean;
  /** The number of the user as which it runs. */
  user?: number | null;
  /** The number of the group as which it runs. */
  group?: number | null;
}

/**
 * The options of {@linkcode create_subprocess_exec} and {@linkcode create_subprocess_shell}.
 *
 * @category Subprocesses
 */
export interface CreateSubprocessOptions extends SubprocessOptions {
  /** How many bytes a line of stdout and stderr may have; 65,536 by default. */
  limit?: number;
}
