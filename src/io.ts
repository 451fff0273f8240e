/**
 * Adds to the loop's class what connects and listens, and exports what such programs begin with.
 *
 * It is no module with side effects in the package's list: a bundler drops it with what it adds, unless
 * something that it exports is used.
 *
 * @module
 */

import {
  connect_accepted_socket,
  create_connection,
  create_server,
  create_unix_connection,
  create_unix_server,
  getaddrinfo,
  getnameinfo,
} from "./connections.ts";
import { create_datagram_endpoint } from "./datagrams.ts";
import { add_methods, type LoopIO, type LoopMethods } from "./core/events.ts";
import { connect_read_pipe, connect_write_pipe } from "./pipes.ts";
import { start_tls } from "./sslproto.ts";

export { BaseProtocol, BufferedProtocol, DatagramProtocol, Protocol } from "./core/protocols.ts";
export { StreamReaderProtocol } from "./streams.ts";

const IMPLEMENTATIONS: LoopMethods<keyof LoopIO> = {
  create_connection,
  create_unix_connection,
  create_server,
  create_unix_server,
  connect_accepted_socket,
  create_datagram_endpoint,
  start_tls,
  connect_read_pipe,
  connect_write_pipe,
  getaddrinfo,
  getnameinfo,
};

add_methods(IMPLEMENTATIONS);
