/**
 * The datagrams of the host: `node:dgram`.
 *
 * @module
 */

import { own_bytes } from "../internal/bytes.ts";
import type {
  Address,
  DatagramListener,
  DatagramSocket,
  DatagramSocketOptions,
} from "./endpoints.ts";
import {
  type Emitter,
  host_module,
  type HostAddress,
  type HostListener,
  to_address,
} from "./sockets.ts";

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
      socket.once("error", reject as HostListener);
      socket.once("listening", () => resolve());
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
    return wrap(socket, is_connected ? remote : null, remote, close);
  } catch (error) {
    socket.on("error", () => {});
    close();
    throw error;
  }
}

/** The socket of datagrams that another made and bound; `null` if it is none. */
export function wrap_datagram_socket(given: unknown): DatagramSocket | null {
  const socket = given as HostDatagramSocket | null;
  if (typeof socket?.send !== "function" || typeof socket.remoteAddress !== "function") return null;
  try {
    socket.address();
  } catch {
    return null;
  }
  let remote: Address | null;
  try {
    const { address, port } = socket.remoteAddress();
    remote = to_address(address, port);
  } catch {
    remote = null; // it is not connected
  }
  return wrap(socket, remote, remote, () => socket.close());
}

function wrap(
  socket: HostDatagramSocket,
  peername: Address | null,
  remote: Address | null,
  close: () => void,
): DatagramSocket {
  const own = socket.address();
  let listener: DatagramListener | null = null;
  socket.on(
    "message",
    ((data: Uint8Array, { address, port }: HostAddress) =>
      listener?.on_message(own_bytes(data), to_address(address, port) as Address)) as HostListener,
  );
  socket.on("error", ((error: unknown) => listener?.on_error(error)) as HostListener);
  return {
    extra: {
      socket,
      sockname: to_address(own.address, own.port),
      peername,
    },
    listen(its) {
      listener = its;
    },
    send(data, address) {
      const size = data.length;
      const sent = (error?: unknown) => listener?.on_sent(size, error ?? null);
      const to = (address ?? remote) as Exclude<Address, string> | null;
      if (peername !== null || to === null) socket.send(data, sent);
      else socket.send(data, to[1], to[0], sent);
    },
    close,
  };
}
