/**
 * The places in user code where the subjects of the library's errors began; noted in debug mode alone.
 *
 * @module
 */

import { extract_stack } from "../internal/format_helpers.ts";
import { debug_loops } from "./current.ts";

/** The frames of a call by user code, innermost first; `null` outside of debug mode. */
export type Origin = string | null;

/**
 * Returns where the user's code calls a function of the library.
 *
 * @param skip that function: frames above its call are left out
 */
export function origin_of_call(skip: object): Origin {
  return debug_loops > 0 ? extract_stack(skip) : null;
}

/** Returns whether an error has a stack with frames. */
export function has_frames({ stack = "" }: Error): boolean {
  return /^\s+at |@/m.test(stack);
}

/** Puts the frames of an origin in the place of an error's own, which show nothing but the loop; returns the error. */
export function add_origin<E extends Error>(error: E, origin: Origin): E {
  if (origin === null) return error;
  const { stack = "" } = error;
  // V8's stacks begin with the name and the message, those of other engines have frames alone.
  const frames = stack.search(/\n\s+at /);
  const head = !/^\s+at /.test(origin) ? "" : (frames < 0 ? stack : stack.slice(0, frames)) + "\n";
  const value = head + origin;
  Reflect.defineProperty(error, "stack", { value, writable: true, configurable: true });
  return error;
}
