/**
 * The errors of the operating system, by Python's classes, and the one place where those of the host
 * become them.
 *
 * @module
 */

import { RuntimeError, TimeoutError } from "./core/exceptions.ts";
import { NoSockets } from "./host/sockets.ts";
import { is_error, is_instance, NamedError } from "./internal/error_kinds.ts";
import { repr } from "./internal/format_helpers.ts";

/**
 * The options of {@linkcode OSError}.
 *
 * @category Errors
 */
export interface OSErrorOptions {
  /** The host's name of the error: `"ECONNREFUSED"`. */
  code?: string | null;
  /** The system call that failed: `"connect"`. */
  syscall?: string | null;
  /** The address it was about. */
  address?: unknown;
  /** The file it was about. */
  filename?: string | null;
  /** The error of the host. */
  cause?: unknown;
}

/**
 * The operating system reports an error.
 *
 * A {@linkcode TimeoutError} counts as one, as in Python; it has a number and a code only if it comes from the host.
 *
 * See {@link https://docs.python.org/3/library/exceptions.html#OSError Python's OSError}.
 *
 * @category Errors
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { assert, assertEquals } from "@std/assert";
 *
 * const error = new asyncio.ConnectionRefusedError(111, "Connection refused");
 * assert(error instanceof asyncio.OSError);
 * assertEquals([error.errno, error.message], [111, "[Errno 111] Connection refused"]);
 * ```
 */
export class OSError extends NamedError {
  /** @internal */
  static override get name(): string {
    return "OSError";
  }

  /** @internal */
  static override [Symbol.hasInstance](value: unknown): boolean {
    return is_instance(this, value) || this === OSError && value instanceof TimeoutError;
  }

  /** The number of the error, as in Python; `null` if it is not known. */
  readonly errno: number | null;
  /** The meaning of the number; `null` without one. */
  readonly strerror: string | null;
  /** The host's name of the error, such as `"ECONNREFUSED"`; `null` if it is not known. */
  readonly code: string | null;
  /** The system call that failed; `null` if it is not known. */
  readonly syscall: string | null;
  /** The address it was about; `null` if it is not known. */
  readonly address: unknown;
  /** The file it was about, which the message ends with; `null` if it is not known. */
  readonly filename: string | null;

  /**
   * Makes the error: of a message, or of a number and its meaning.
   *
   * @param errno the number of the error, or a message
   * @param strerror what the number means
   * @param options `code`, `syscall`, `address`, `filename` as the host names them, and `cause`
   */
  constructor(
    errno: number | string | null = null,
    strerror: string | null = null,
    options: OSErrorOptions = {},
  ) {
    const is_number = typeof errno === "number";
    const filename = options.filename ?? null;
    const file = filename === null ? "" : `: ${repr(filename)}`;
    const message = is_number
      ? `[Errno ${errno}] ${strerror ?? ""}${file}`
      : errno ?? strerror ?? "";
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.errno = is_number ? errno : null;
    this.strerror = strerror;
    this.code = options.code ?? null;
    this.syscall = options.syscall ?? null;
    this.address = options.address ?? null;
    this.filename = filename;
  }
}

/**
 * A connection failed or was lost; the root of the errors of connections.
 *
 * See {@link https://docs.python.org/3/library/exceptions.html#ConnectionError Python's ConnectionError}.
 *
 * @category Errors
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { assert } from "@std/assert";
 *
 * assert(new asyncio.ConnectionError() instanceof asyncio.OSError);
 * ```
 */
export class ConnectionError extends OSError {
  /** @internal */
  static override get name(): string {
    return "ConnectionError";
  }
}

/**
 * Nothing accepts connections at the address.
 *
 * See {@link https://docs.python.org/3/library/exceptions.html#ConnectionRefusedError Python's ConnectionRefusedError}.
 *
 * @category Errors
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { assert } from "@std/assert";
 *
 * assert(new asyncio.ConnectionRefusedError() instanceof asyncio.ConnectionError);
 * ```
 */
export class ConnectionRefusedError extends ConnectionError {
  /** @internal */
  static override get name(): string {
    return "ConnectionRefusedError";
  }
}

/**
 * The peer has reset the connection.
 *
 * See {@link https://docs.python.org/3/library/exceptions.html#ConnectionResetError Python's ConnectionResetError}.
 *
 * @category Errors
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { assert } from "@std/assert";
 *
 * assert(new asyncio.ConnectionResetError() instanceof asyncio.ConnectionError);
 * ```
 */
export class ConnectionResetError extends ConnectionError {
  /** @internal */
  static override get name(): string {
    return "ConnectionResetError";
  }
}

/**
 * The connection was aborted on this side: a TLS handshake that took too long.
 *
 * See {@link https://docs.python.org/3/library/exceptions.html#ConnectionAbortedError Python's ConnectionAbortedError}.
 *
 * @category Errors
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { assert } from "@std/assert";
 *
 * assert(new asyncio.ConnectionAbortedError() instanceof asyncio.ConnectionError);
 * ```
 */
export class ConnectionAbortedError extends ConnectionError {
  /** @internal */
  static override get name(): string {
    return "ConnectionAbortedError";
  }
}

/**
 * Data was written to a pipe or socket whose other end is closed.
 *
 * See {@link https://docs.python.org/3/library/exceptions.html#BrokenPipeError Python's BrokenPipeError}.
 *
 * @category Errors
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { assert } from "@std/assert";
 *
 * assert(new asyncio.BrokenPipeError() instanceof asyncio.ConnectionError);
 * ```
 */
export class BrokenPipeError extends ConnectionError {
  /** @internal */
  static override get name(): string {
    return "BrokenPipeError";
  }
}

/**
 * A file, folder or program does not exist.
 *
 * See {@link https://docs.python.org/3/library/exceptions.html#FileNotFoundError Python's FileNotFoundError}.
 *
 * @category Errors
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { assert } from "@std/assert";
 *
 * assert(new asyncio.FileNotFoundError() instanceof asyncio.OSError);
 * ```
 */
export class FileNotFoundError extends OSError {
  /** @internal */
  static override get name(): string {
    return "FileNotFoundError";
  }
}

/**
 * The operating system does not allow the operation.
 *
 * See {@link https://docs.python.org/3/library/exceptions.html#PermissionError Python's PermissionError}.
 *
 * @category Errors
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { assert } from "@std/assert";
 *
 * assert(new asyncio.PermissionError() instanceof asyncio.OSError);
 * ```
 */
export class PermissionError extends OSError {
  /** @internal */
  static override get name(): string {
    return "PermissionError";
  }
}

/**
 * A process does not exist, or has ended.
 *
 * See {@link https://docs.python.org/3/library/exceptions.html#ProcessLookupError Python's ProcessLookupError}.
 *
 * @category Errors
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { assert } from "@std/assert";
 *
 * assert(new asyncio.ProcessLookupError() instanceof asyncio.OSError);
 * ```
 */
export class ProcessLookupError extends OSError {
  /** @internal */
  static override get name(): string {
    return "ProcessLookupError";
  }
}

/**
 * A host name or an address could not be looked up.
 *
 * See {@link https://docs.python.org/3/library/socket.html#socket.gaierror Python's socket.gaierror}.
 *
 * @category Errors
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { assert } from "@std/assert";
 *
 * assert(new asyncio.gaierror() instanceof asyncio.OSError);
 * ```
 */
export class gaierror extends OSError {
  /** @internal */
  static override get name(): string {
    return "gaierror";
  }
}

/**
 * TLS failed: the peer speaks none, or refuses the handshake.
 *
 * See {@link https://docs.python.org/3/library/ssl.html#ssl.SSLError Python's ssl.SSLError}.
 *
 * @category Errors
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { assert } from "@std/assert";
 *
 * assert(new asyncio.SSLError() instanceof asyncio.OSError);
 * ```
 */
export class SSLError extends OSError {
  /** @internal */
  static override get name(): string {
    return "SSLError";
  }
}

/**
 * The certificate of the peer is not accepted: its authority is unknown, or it names another host.
 *
 * See {@link https://docs.python.org/3/library/ssl.html#ssl.SSLCertVerificationError Python's ssl.SSLCertVerificationError}.
 *
 * @category Errors
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { assert } from "@std/assert";
 *
 * assert(new asyncio.SSLCertVerificationError() instanceof asyncio.SSLError);
 * ```
 */
export class SSLCertVerificationError extends SSLError {
  /** @internal */
  static override get name(): string {
    return "SSLCertVerificationError";
  }
}

type OSErrorClass = new (
  errno?: number | string | null,
  strerror?: string | null,
  options?: OSErrorOptions,
) => OSError;

/** Linux's number of an error, what it means in Python's words, and the class that it has there. */
type Entry = [errno: number, strerror: string, kind?: OSErrorClass];

const ERRORS: Readonly<Record<string, Entry>> = {
  EPERM: [1, "Operation not permitted", PermissionError],
  ENOENT: [2, "No such file or directory", FileNotFoundError],
  ESRCH: [3, "No such process", ProcessLookupError],
  EINTR: [4, "Interrupted system call"],
  EIO: [5, "Input/output error"],
  E2BIG: [7, "Argument list too long"],
  ENOEXEC: [8, "Exec format error"],
  EBADF: [9, "Bad file descriptor"],
  EAGAIN: [11, "Resource temporarily unavailable"],
  ENOMEM: [12, "Cannot allocate memory"],
  EACCES: [13, "Permission denied", PermissionError],
  EEXIST: [17, "File exists"],
  ENOTDIR: [20, "Not a directory"],
  EISDIR: [21, "Is a directory"],
  EINVAL: [22, "Invalid argument"],
  ENFILE: [23, "Too many open files in system"],
  EMFILE: [24, "Too many open files"],
  ETXTBSY: [26, "Text file busy"],
  ENOSPC: [28, "No space left on device"],
  EPIPE: [32, "Broken pipe", BrokenPipeError],
  ENAMETOOLONG: [36, "File name too long"],
  ELOOP: [40, "Too many levels of symbolic links"],
  ENOTSOCK: [88, "Socket operation on non-socket"],
  EMSGSIZE: [90, "Message too long"],
  EAFNOSUPPORT: [97, "Address family not supported by protocol"],
  EADDRINUSE: [98, "Address already in use"],
  EADDRNOTAVAIL: [99, "Cannot assign requested address"],
  ENETUNREACH: [101, "Network is unreachable"],
  ECONNABORTED: [103, "Software caused connection abort", ConnectionAbortedError],
  ECONNRESET: [104, "Connection reset by peer", ConnectionResetError],
  ENOTCONN: [107, "Transport endpoint is not connected"],
  ESHUTDOWN: [108, "Cannot send after transport endpoint shutdown", BrokenPipeError],
  ETIMEDOUT: [110, "Connection timed out"],
  ECONNREFUSED: [111, "Connection refused", ConnectionRefusedError],
  EHOSTUNREACH: [113, "No route to host"],
  ENOTFOUND: [-2, "Name or service not known", gaierror],
  EAI_NONAME: [-2, "Name or service not known", gaierror],
  EAI_AGAIN: [-3, "Temporary failure in name resolution", gaierror],
  EAI_FAIL: [-4, "Non-recoverable failure in name resolution", gaierror],
  EAI_FAMILY: [-6, "ai_family not supported", gaierror],
  EAI_SERVICE: [-8, "Servname not supported for ai_socktype", gaierror],
  // Errors of hosts that did not ask the system.
  ERR_SOCKET_CLOSED: [32, "Broken pipe", BrokenPipeError],
  ERR_STREAM_DESTROYED: [32, "Broken pipe", BrokenPipeError],
  ERR_STREAM_WRITE_AFTER_END: [32, "Broken pipe", BrokenPipeError],
  ERR_SOCKET_BAD_PORT: [22, "Invalid argument"],
  ERR_SOCKET_DGRAM_NOT_RUNNING: [9, "Bad file descriptor"],
};

// The names that OpenSSL and the hosts have for a certificate that is refused.
const CERTIFICATE =
  /CERT|SELF_SIGNED|UNABLE_TO_VERIFY|UNABLE_TO_GET_ISSUER|UNABLE_TO_DECODE|HOSTNAME_MISMATCH/;

interface HostError {
  readonly code?: unknown;
  readonly errno?: unknown;
  readonly syscall?: unknown;
  readonly message?: unknown;
}

/** Makes the error of a code of the host, with its number and, unless another is given, its meaning. */
export function make_os_error(
  code: string,
  strerror?: string,
  options: OSErrorOptions = {},
): OSError {
  const entry = ERRORS[code];
  const Kind = entry?.[2] ?? OSError;
  if (entry === undefined) return new Kind(strerror ?? code, null, { ...options, code });
  const error = new Kind(entry[0], strerror ?? entry[1], { ...options, code });
  if (code !== "ETIMEDOUT") return error;
  // In Python `TimeoutError` is a subclass of `OSError`; here it is apart, for programs without sockets.
  const { message, cause } = error;
  return Object.assign(
    new TimeoutError(message, cause === undefined ? undefined : { cause }),
    error,
  );
}

/**
 * Python's class of an error of the host, with that as its `cause`.
 *
 * What is no error of the operating system is returned as it is.
 *
 * @param error what the host threw or gave
 * @param strerror the text of the error in place of the meaning of its number
 * @param address the address it is about
 */
export function translate_error(error: unknown, strerror?: string, address?: unknown): unknown {
  if (error instanceof NoSockets) return new RuntimeError(error.message);
  if (error instanceof OSError || !is_error(error)) return error;
  const host_error = error as HostError;
  const { code } = host_error;
  if (typeof code !== "string") return error;
  const options: OSErrorOptions = {
    syscall: typeof host_error.syscall === "string" ? host_error.syscall : null,
    address: address ?? null,
    cause: error,
  };
  if (code in ERRORS) return make_os_error(code, strerror, options);
  const Kind = ssl_class(code);
  if (Kind !== null) return new Kind(`[SSL: ${code}] ${error.message}`, null, { ...options, code });
  // Another number of the operating system; hosts give it with either sign.
  if (typeof host_error.errno !== "number" || !/^E[A-Z0-9]+$/.test(code)) return error;
  return new OSError(Math.abs(host_error.errno), strerror ?? error.message, { ...options, code });
}

function ssl_class(code: string): typeof SSLError | null {
  if (CERTIFICATE.test(code) && !code.startsWith("ERR_SSL_")) return SSLCertVerificationError;
  return /^ERR_(SSL|TLS|OSSL)_/.test(code) || code === "EPROTO" ? SSLError : null;
}
