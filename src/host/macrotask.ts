/**
 * A turn of the host's own event loop: code that runs once the microtask queue has run dry and the
 * host has had the chance to poll its timers and its I/O.
 *
 * @module
 */

import { host_process } from "./process.ts";
import { has_requests, host_function, host_timers, type Timers } from "./timers.ts";

/** Requests turns of the host, one at a time. */
export interface Macrotasks {
  /** Requests one turn; only called while none is requested, but for hosts with requests. */
  request(): void;
  /** Cancels the request, where the host can. */
  cancel(): void;
}

/**
 * How many turns in a row it takes until the host has polled its I/O.
 *
 * Deno polls only once in 61 turns while immediates keep it busy: at one turn a millisecond a request
 * waits 60 ms for its answer, at 24 turns a millisecond 3 ms, for 3 % of the time.
 */
export const TURNS_TO_IO: number = "Deno" in globalThis ? 24 : 1;

/** A way in which a host may give turns; the first that is there is used. */
export interface TurnSource {
  /** `setImmediate` and `clearImmediate`. */
  immediates: Timers | undefined;
  /** The class of message channels. */
  MessageChannel: typeof MessageChannel | undefined;
}

/** A host's timer or immediate. */
class TimedTurns implements Macrotasks {
  readonly #timers: Timers;
  readonly #callback: () => void;
  // It holds the context in which it was requested, and so perhaps a task.
  #handle: unknown = null;

  constructor(timers: Timers, callback: () => void) {
    this.#timers = timers;
    this.#callback = () => {
      this.#handle = null;
      callback();
    };
  }

  request(): void {
    this.#handle = this.#timers.set(this.#callback, 0);
  }

  cancel(): void {
    this.#timers.clear(this.#handle);
    this.#handle = null;
  }
}

// Of Node.js: a port keeps the process alive unless it is unreferenced.
interface HostPort {
  ref?(): void;
  unref?(): void;
}

class Messages implements Macrotasks {
  readonly #class: typeof MessageChannel;
  readonly #callback: () => void;
  #channel: MessageChannel | null = null;
  #is_requested = false;

  constructor(channel_class: typeof MessageChannel, callback: () => void) {
    this.#class = channel_class;
    this.#callback = callback;
  }

  request(): void {
    this.#is_requested = true;
    const { port1, port2 } = this.#channel ??= this.#open();
    (port1 as HostPort).ref?.();
    port2.postMessage(null);
  }

  #open(): MessageChannel {
    const channel = new this.#class();
    channel.port1.onmessage = () => {
      if (!this.#is_requested) return;
      this.#is_requested = false;
      (channel.port1 as HostPort).unref?.();
      this.#callback();
    };
    return channel;
  }

  cancel(): void {
    this.#is_requested = false;
    this.#channel?.port1.close();
    this.#channel = null;
  }
}

function find_immediates(): Timers | undefined {
  const set = host_function("setImmediate");
  const clear = host_function("clearImmediate");
  if (set === undefined || clear === undefined) return undefined;
  return { set: (callback) => set(callback), clear: (handle) => clear(handle) };
}

const immediates = find_immediates();
const HOST: TurnSource = {
  immediates,
  // A channel would belong to the request in which it was made. Node.js loads its streams for the class.
  MessageChannel: has_requests || immediates !== undefined
    ? undefined
    : (globalThis as { MessageChannel?: typeof MessageChannel }).MessageChannel,
};

/**
 * Makes the host's quickest macrotask: `setImmediate`, a message to oneself in browsers, where timers
 * of zero delay are held back to four milliseconds, or else such a timer.
 *
 * All of them are the host's own, of the moment in which this library was loaded.
 */
export function create_macrotasks(callback: () => void, source: TurnSource = HOST): Macrotasks {
  if (source.immediates !== undefined) return new TimedTurns(source.immediates, callback);
  if (source.MessageChannel !== undefined) return new Messages(source.MessageChannel, callback);
  return new TimedTurns(host_timers, callback);
}

// Deno takes milliseconds to load the process.
let next_tick = "Deno" in globalThis ? null : host_process()?.nextTick;
const RESOLVED: Promise<undefined> = Promise.resolve(undefined);

/**
 * Calls a function when the microtask queue has run dry, before another callback of the host is called; returns false
 * on hosts without `process.nextTick`, where it is not called.
 *
 * A turn comes later: between two timers that are due a host runs the microtasks, and no turn.
 */
export function when_dry(callback: () => void): boolean {
  const tick = next_tick === null ? next_tick = host_process()?.nextTick : next_tick;
  if (tick === undefined) return false;
  RESOLVED.then(() => tick(callback));
  return true;
}
