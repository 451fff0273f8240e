/**
 * Events of the host, awaited as futures.
 *
 * @module
 */

import { repr } from "./internal/format_helpers.ts";
import { FAILED, FINISHED, ForeignFuture, type Future } from "./core/futures.ts";

/**
 * What Node.js's `EventEmitter` has of use here.
 *
 * @category Host
 */
export interface EventEmitterLike {
  /**
   * Adds a listener.
   *
   * @param name the name of the event
   * @param listener the function that is called with what is emitted
   * @returns anything; it is not used
   */
  on(name: string, listener: (...args: unknown[]) => void): unknown;
  /**
   * Takes a listener back.
   *
   * @param name the name of the event
   * @param listener the function that is called with what is emitted
   * @returns anything; it is not used
   */
  off(name: string, listener: (...args: unknown[]) => void): unknown;
}

/**
 * Waits for the next event of an `EventTarget` or an `EventEmitter`.
 *
 * It listens from the call on, not from the `await` on, so no event is missed in between. When the
 * future is done or cancelled it no longer listens.
 *
 * @param target what the event happens to
 * @param name the name of the event
 * @returns a future of the `Event`, or of the list of what an emitter emits; it fails if an emitter emits `error`
 * @throws {TypeError} if one cannot listen to the target
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
  if (is_event_target(target)) {
    return new ForeignFuture<unknown>((settle) => {
      const listener = (event: unknown) => settle(FINISHED, event);
      target.addEventListener(name, listener);
      return () => target.removeEventListener(name, listener);
    }, {});
  }
  if (typeof target?.on !== "function" || typeof target.off !== "function") {
    throw new TypeError(
      `next_event() expects an EventTarget or an EventEmitter, received ${repr(target)}`,
    );
  }
  return new ForeignFuture<unknown>((settle) => {
    const listener = (...args: unknown[]) => settle(FINISHED, args);
    const on_error = (error: unknown) => settle(FAILED, error);
    target.on(name, listener);
    if (name !== "error") target.on("error", on_error);
    return () => {
      target.off(name, listener);
      target.off("error", on_error);
    };
  }, {});
}

// Of any realm; some emitters of Node.js have both interfaces.
function is_event_target(target: EventTarget | EventEmitterLike): target is EventTarget {
  const { addEventListener, on } = (target ?? {}) as Partial<EventTarget & EventEmitterLike>;
  if (typeof addEventListener !== "function") return false;
  return typeof on !== "function" ||
    (typeof EventTarget === "function" && target instanceof EventTarget);
}
