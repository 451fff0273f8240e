/**
 * A turn of the host's own event loop: code that runs once the microtask queue has run dry and the
 * host has had the chance to look at its timers and its I/O.
 *
 * @module
 */

/** Asks for turns of the host, one at a time. */
export interface Macrotasks {
  /** Asks for one turn; only called while none is asked for. */
  request(): void;
  /** Takes the request back, where the host can. */
  cancel(): void;
}

/**
 * How many turns in a row it takes until the host has looked at its I/O.
 *
 * Deno looks only once in 61 turns while immediates keep it busy: at one turn a millisecond a request
 * waits 60 ms for its answer, at 24 turns a millisecond 3 ms, for 3 % of the time.
 */
export const TURNS_TO_IO: number = "Deno" in globalThis ? 24 : 1;

interface ImmediateHost {
  setImmediate?(callback: () => void): unknown;
  clearImmediate?(handle: unknown): void;
}

class Immediates implements Macrotasks {
  readonly #host: Required<ImmediateHost>;
  readonly #callback: () => void;
  #handle: unknown = null;

  constructor(host: Required<ImmediateHost>, callback: () => void) {
    this.#host = host;
    this.#callback = callback;
  }

  request(): void {
    this.#handle = this.#host.setImmediate(this.#callback);
  }

  cancel(): void {
    this.#host.clearImmediate(this.#handle);
    this.#handle = null;
  }
}

class Messages implements Macrotasks {
  readonly #callback: () => void;
  #channel: MessageChannel | null = null;
  #wanted = false;

  constructor(callback: () => void) {
    this.#callback = callback;
  }

  request(): void {
    this.#wanted = true;
    if (this.#channel === null) {
      this.#channel = new MessageChannel();
      this.#channel.port1.onmessage = () => {
        if (this.#wanted) {
          this.#wanted = false;
          this.#callback();
        }
      };
    }
    this.#channel.port2.postMessage(null);
  }

  cancel(): void {
    this.#wanted = false;
    this.#channel?.port1.close();
    this.#channel = null;
  }
}

/**
 * The host's quickest macrotask: `setImmediate`, or a message to oneself in browsers, where timers
 * of zero delay are held back to four milliseconds.
 */
export function create_macrotasks(callback: () => void): Macrotasks {
  const host = globalThis as ImmediateHost;
  return host.setImmediate !== undefined && host.clearImmediate !== undefined
    ? new Immediates(host as Required<ImmediateHost>, callback)
    : new Messages(callback);
}
