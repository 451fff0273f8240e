/**
 * The host's TLS, on a stream whose other side is the library.
 *
 * On every host the raw socket could be given to `node:tls` itself; but Deno's client then never sees
 * the end once its reading has been paused, and hosts differ in what they say of a handshake that
 * failed. So TLS is never paused here: what it is fed by is.
 *
 * @module
 */

import { own_bytes } from "../internal/bytes.ts";
import { create_macrotasks } from "./macrotask.ts";
import { type Emitter, host_module } from "./sockets.ts";

interface HostDuplex extends Emitter {
  push(chunk: Uint8Array | null): boolean;
  destroy(): unknown;
}

interface StreamModule {
  Duplex: new (options: object) => HostDuplex;
}

interface TLSSocket extends Emitter {
  readonly writableLength: number;
  readonly destroyed: boolean;
  readonly authorized?: boolean;
  readonly authorizationError?: unknown;
  readonly ssl?: { verifyError?(): unknown } | null;
  write(data: Uint8Array, callback: () => void): boolean;
  end(): unknown;
  destroy(): unknown;
  getPeerCertificate(): unknown;
  getCipher(): { name: string; version?: string } | undefined;
}

interface TLSModule {
  connect(options: object): TLSSocket;
  TLSSocket: new (stream: HostDuplex, options: object) => TLSSocket;
  createSecureContext(options: object): unknown;
}

interface NetModule {
  isIP(text: string): number;
}

/** The stream below TLS, and the events of TLS. */
export interface TLSHooks {
  server_side: boolean;
  /** The name that the certificate of the server must have; `""` for any. */
  server_hostname: string;
  /** Sends what TLS has made; `written` is called when more may come. */
  write(data: Uint8Array, written: () => void): void;
  /** TLS has sent all, its end too. */
  end(): void;
  on_secure(): void;
  on_data(chunk: Uint8Array): void;
  on_end(): void;
  on_error(error: unknown): void;
  on_close(): void;
}

/** TLS at work. */
export interface TLSStream {
  readonly host_object: unknown;
  /** Passes received bytes to TLS; `null` for the end. */
  push(chunk: Uint8Array | null): void;
  write(data: Uint8Array, written: () => void): void;
  pending(): number;
  /** Signals the end of the data. */
  end(): void;
  destroy(): void;
  /** Why the peer's certificate is refused, or `null`. */
  refusal(): unknown;
  peer_certificate(): unknown;
  cipher(): [name: string, version: string | null, bits: number | null] | null;
}

// Certificates and keys are parsed once for all connections of a server.
const contexts = new WeakMap<object, unknown>();

/** Begins TLS. */
export function wrap_in_tls(
  options: Readonly<Record<string, unknown>>,
  hooks: TLSHooks,
): TLSStream {
  const tls = host_module<TLSModule>("node:tls", "use TLS");
  const { Duplex } = host_module<StreamModule>("node:stream", "use TLS");
  const net = host_module<NetModule>("node:net", "use TLS");
  const duplex = new Duplex({
    allowHalfOpen: true,
    read() {},
    write(chunk: Uint8Array, _encoding: unknown, callback: () => void) {
      hooks.write(chunk, callback);
    },
    final(callback: () => void) {
      callback();
      hooks.end();
    },
  });
  duplex.on("error", () => {});
  let secure_context = options["secureContext"] ?? contexts.get(options);
  if (secure_context === undefined) {
    secure_context = tls.createSecureContext(options);
    contexts.set(options, secure_context);
  }
  const { server_hostname } = hooks;
  const socket = hooks.server_side
    ? new tls.TLSSocket(duplex, {
      ...options,
      secureContext: secure_context,
      isServer: true,
    })
    : tls.connect({
      ...options,
      secureContext: secure_context,
      socket: duplex,
      ...(server_hostname === ""
        ? { checkServerIdentity: () => undefined }
        : net.isIP(server_hostname) > 0
        ? { host: server_hostname }
        : { servername: server_hostname, host: server_hostname }),
    });
  // `secure` comes before the client has judged the certificate.
  socket.once(hooks.server_side ? "secure" : "secureConnect", () => hooks.on_secure());
  socket.on("data", (chunk) => hooks.on_data(own_bytes(chunk as Uint8Array)));
  socket.on("end", () => hooks.on_end());
  socket.on("error", (error: unknown) => hooks.on_error(error));
  socket.on("_tlsError", (error: unknown) => hooks.on_error(error));
  // Deno says that all is sent a turn before it sends the end, and does not end the stream below.
  socket.on("finish", () => create_macrotasks(() => hooks.end()).request());
  socket.on("close", () => hooks.on_close());
  return {
    host_object: socket,
    push(chunk) {
      if (!socket.destroyed) duplex.push(chunk);
    },
    write(data, written) {
      if (!socket.destroyed) socket.write(data, written);
    },
    pending: () => socket.destroyed ? 0 : socket.writableLength,
    end() {
      if (!socket.destroyed) socket.end();
    },
    destroy() {
      socket.destroy();
      duplex.destroy();
    },
    refusal() {
      if (
        !hooks.server_side || !options["requestCert"] || options["rejectUnauthorized"] === false
      ) {
        return null;
      }
      return socket.ssl?.verifyError?.() || null; // Deno says "" of one that is right
    },
    peer_certificate: () => socket.getPeerCertificate() ?? null,
    cipher() {
      const cipher = socket.getCipher();
      return cipher === undefined ? null : [cipher.name, cipher.version ?? null, null];
    },
  };
}
