/**
 * The transports that a loop opens and has open on its host, so that nothing is left behind when the loop is closed.
 *
 * @module
 */

import type { Open, OpenSet } from "./host/endpoints.ts";
import type { AbstractEventLoop } from "./core/events.ts";
import type { Future } from "./core/futures.ts";

/** The open transports, as the loop sees them. */
class OpenTransports implements OpenSet {
  readonly #loop: AbstractEventLoop;
  readonly #open = new Set<Open>();

  constructor(loop: AbstractEventLoop) {
    this.#loop = loop;
  }

  /** Adds what is open. */
  add(open: Open): void {
    this.#open.add(open);
  }

  /** Takes out what is closed. */
  delete(open: Open): void {
    this.#open.delete(open);
  }

  /** Closes all. */
  close(): void {
    for (const open of this.#open) {
      if (this.#loop.get_debug() && open._unclosed !== undefined) {
        console.warn(`ResourceWarning: unclosed ${open._unclosed} ${open}`);
      }
      open._loop_closed();
    }
    this.#open.clear();
  }
}

/**
 * Makes a transport and waits until its protocol is connected to it; closes it if that fails or is cancelled.
 *
 * @param make makes it; it settles the future when the protocol is connected
 * @param close closes it; by its method of that name by default
 */
export function* open_transport<T extends { close(): void }>(
  loop: AbstractEventLoop,
  make: (connected: Future<void>) => T,
  close = (transport: T): void => transport.close(),
): Generator<unknown, T, unknown> {
  const connected = loop.create_future<void>();
  const transport = make(connected);
  try {
    yield* connected;
  } catch (error) {
    close(transport);
    throw error;
  }
  return transport;
}

/** Notes that something is open, which may wake the loop. */
export function hold_open(loop: AbstractEventLoop, open: Open): void {
  (loop["_open"] ??= new OpenTransports(loop)).add(open);
  if (loop["_network"] === null) loop["_note_foreign"](open);
}

/** Notes that it is closed. */
export function release(loop: AbstractEventLoop, open: Open): void {
  loop["_open"]?.delete(open);
  loop["_forget_foreign"](open);
}
