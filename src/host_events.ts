/**
 * Events of the host, awaited as futures.
 *
 * @module
 */

import { repr } from "./internal/format_helpers.ts";
import { FAILED, FINISHED, ForeignFuture, type Future } from "./core/futures.ts";

/**
 * The methods of Node.js's `EventEmitter` that {@linkcode next_event} calls.
 *
 * @category Host
 */
export interface EventEmitterLike {
  /**
   * Adds a listener.
   *
   * @param name the name of the event
   * @param listener the function that is called with the arguments of each event
   * @returns any value; it is not used
   */
  on(name: string, listener: (...args: unknown[]) => void): unknown;
  /**
   * Removes a listener.
   *
   * @param name the name of the event
   * @param listener the function that is called with the arguments of each event
   * @returns any value; it is not used
   */
  off(name: string, listener: (...args: unknown[]) => void): unknown;
}

/**
 * Waits for the next event of an `EventTarget` or an `EventEmitter`.
 *
 * It listens from the call on, not from the `await` on: no event is missed in between. The listeners are
 * removed when the future is done or cancelled; a cancelled `await` of the future cancels it. If its loop is
 * closed before, they are removed by the next event.
 *
 * @param target the object that dispatches or emits the event
 * @param name the name of the event
 * @returns a future of the `Event`, or of the array of the arguments of an emitter's event; it fails with the
 * emitter's error if it emits `error`, unless that is the awaited event
 * @throws {TypeError} if the target has no listeners
 * @category Host
 *
 * @example
 * ```ts
 * import * as asyncio from "@pythonic/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * const target = new EventTarget();
 * const ready = asyncio.next_event(target, "ready");
 * target.dispatchEvent(new Event("ready"));
 * assertEquals((await asyncio.wait_for(ready, 1)).type, "ready");
 * ```
 */
export function next_event<E extends Event = Event>(target: EventTarget, name: string): Future<E>;
/** Waits for the next event of an `EventEmitter`. */
export function next_event(target: EventEmitterLike, name: string): Future<unknown[]>;
export function next_event(
  target: EventTarget | EventEmitterLike,
  name: string,
): Future<unknown> {
  const { listen, emits } = listener_methods(target);
  const needed = emits ? "a string or a symbol" : "a string";
  if (typeof name !== "string" && !(emits && typeof name === "symbol")) {
    throw new TypeError(
      `Cannot call next_event(): name must be ${needed}: received ${repr(name)}`,
    );
  }
  return new ForeignFuture<unknown>((settle) => {
    // Removed at once: a future whose loop has been closed is never done.
    const remove = () => {
      listen("off", name, listener);
      if (emits && name !== "error") listen("off", "error", on_error);
    };
    const listener = (...args: unknown[]) => {
      remove();
      settle(FINISHED, emits ? args : args[0]);
    };
    const on_error = (error: unknown) => {
      remove();
      settle(FAILED, error);
    };
    // The other way round, "newListener" would be emitted for this one.
    if (emits && name !== "error") listen("on", "error", on_error);
    listen("on", name, listener);
    return remove;
  }, {});
}

type Listener = (...args: unknown[]) => void;

interface ListenerMethods {
  listen(method: "on" | "off", name: string, listener: Listener): unknown;
  emits: boolean;
}

// An object with the methods of both, such as a WebSocket of npm's `ws`, is an emitter.
function listener_methods(target: EventTarget | EventEmitterLike): ListenerMethods {
  const is_target = typeof EventTarget !== "undefined" && target instanceof EventTarget;
  const { on, off } = Object(target) as Partial<EventEmitterLike>;
  if (!is_target && typeof on === "function" && typeof off === "function") {
    const emitter = target as EventEmitterLike;
    return { listen: (method, name, listener) => emitter[method](name, listener), emits: true };
  }
  const { addEventListener, removeEventListener } = Object(target) as Partial<EventTarget>;
  if (typeof addEventListener === "function" && typeof removeEventListener === "function") {
    const methods = { on: addEventListener, off: removeEventListener };
    return {
      listen: (method, name, listener) =>
        methods[method].call(target as EventTarget, name, listener),
      emits: false,
    };
  }
  throw new TypeError(
    "Cannot call next_event(): target must be an EventTarget or an EventEmitter: received " +
      repr(target),
  );
}
