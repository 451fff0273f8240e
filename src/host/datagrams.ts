/**
 * The datagrams of the host: `node:dgram`.
 *
 * @module
 */

import { own_bytes } from "../internal/bytes.ts";
import type { Address } from "./endpoints.ts";
import { type Emitter, host_module, type HostAddress, to_address } from "./sockets.ts";

interface HostDatagramSocket extends Emitter {
  bind(options: object): unknown;
  connect(port: number, host: string, callback: (error?: unknown) => void): void;
  send(data: Uint8Array, ...rest: unknown[]): void;
  close(): unknown;
  address(): HostAddress;
  remoteAddress(): HostAddress;
  setBroadcast(enable: boolean): void;
  unref?(): unknown;
}

interface DatagramModule {
  createSocket(options: object): HostDatagramSocket;
}

/** Receives the events of a socket of datagrams. */
export interface DatagramListener {
  on_message(data: Uint8Array, address: Address): void;
  on_error(error: unknown): void;
  on_sent(size: number, error: unknown): void;
}

/** How a socket of datagrams is opened. */
export interface DatagramSocketOptions {
  local: readonly [host: string, port: number, ...number[]] | null;
  remote: readonly [host: string, port: number, ...number[]] | null;
  ipv6: boolean;
  reuse_port: boolean;
  allow_broadcast: boolean;
}

/** A socket of datagrams. */
export interface DatagramSocket {
  readonly extra: Record<string, unknown>;
  listen(listener: DatagramListener): void;
  /** Sends a datagram; to the remote address, if it has one. */
  send(data: Uint8Array, address: Address | null): void;
  close(): void;
}

/** Opens a socket of datagrams. */
export async function open_datagram_socket(
  options: DatagramSocketOptions,
  opened: { abort: () => void },
): Promise<DatagramSocket> {
  const dgram = host_module<DatagramModule>("node:dgram", "open a datagram endpoint");
  const { local, remote, ipv6 } = options;
  const socket = dgram.createSocket({
    type: ipv6 ? "udp6" : "udp4",
    ...(options.reuse_port ? { reusePort: true } : {}),
    ...(ipv6 ? { ipv6Only: true } : {}),
  });
  let closed = false;
  const close = () => {
    if (closed) return;
    closed = true;
    socket.close();
  };
  opened.abort = close;
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once("error", reject as (error: never) => void);
      socket.once("listening", resolve);
      socket.bind({
        address: local?.[0] ?? (ipv6 ? "::" : "0.0.0.0"),
        port: local?.[1] ?? 0,
        exclusive: true,
      });
    });
    if (options.allow_broadcast) socket.setBroadcast(true);
    // With broadcast the socket is not connected, so that answers of others are received.
    const is_connected = remote !== null && !options.allow_broadcast;
    if (is_connected) {
      await new Promise<void>((resolve, reject) => {
        socket.connect(remote[1], remote[0], (error) => error ? reject(error) : resolve());
      });
    }
    const own = socket.address();
    let listener: DatagramListener | null = null;
    socket.on(
      "message",
      ((data: Uint8Array, { address, port }: HostAddress) =>
        listener?.on_message(own_bytes(data), to_address(address, port) as Address)) as (
          ...args: never[]
        ) => void,
    );
    socket.on("error", ((error: unknown) => listener?.on_error(error)) as (error: never) => void);
    return {
      extra: {
        socket,
        sockname: to_address(own.address, own.port),
        peername: is_connected ? [...remote] : null,
      },
      listen(its) {
        listener = its;
      },
      send(data, address) {
        const size = data.length;
        const sent = (error?: unknown) => listener?.on_sent(size, error ?? null);
        const to = address ?? remote;
        if (is_connected || to === null) socket.send(data, sent);
        else socket.send(data, to[1], to[0], sent);
      },
      close,
    };
  } catch (error) {
    socket.on("error", () => {});
    close();
    throw error;
  }
}
