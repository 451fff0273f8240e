/**
 * The places in user code where the subjects of the library's errors began; noted in debug mode alone.
 *
 * @module
 */

import { host_now } from "../host/timers.ts";
import { is_error } from "../internal/error_kinds.ts";
import {
  capture_stack,
  CapturedStack,
  set_stack,
  without_internal_frames,
} from "../internal/format_helpers.ts";
import { debug_loops } from "./current.ts";

/** The frames of a call by user code, innermost first; `null` outside of debug mode. */
export type Origin = CapturedStack | null;

// The share of the time that is spent on stacks at most. A host takes microseconds for one, as long as for several
// tasks: a program that does nothing but make tasks would take ten times as long in debug mode.
const SHARE = 0.25;
// How much can be spent at once, in milliseconds: enough for thousands.
const MAX_CREDIT = 20;
// The most that counts for one stack, and for the time between two, in milliseconds: the host did something else in
// the rest.
const MAX_COST = 0.02;
const MAX_GAP = 1;
// The most that is counted for one error, whose stack becomes text.
const MAX_ERROR_COST = 0.2;
// Of the calls that are refused, one in so many reads the clock, which takes its time, too.
const REFUSED = 8;

const NOT_NOTED = /* @__PURE__ */ new CapturedStack(
  null,
  undefined,
  "    (not noted: the program makes too many to note them all)",
);

let credit = MAX_CREDIT;
let counted_until = 0;
let refused = 0;

/**
 * Captures the stack of a call by user code, in debug mode; in its stead says that it is not noted if the program makes
 * so many such calls that it would spend most of its time on them.
 *
 * @param skip the function of the library that is called: frames above its call are left out
 */
export function note_stack(skip: object): CapturedStack {
  const began = begin_work();
  if (began === null) return NOT_NOTED;
  const stack = capture_stack(skip);
  credit -= Math.min(MAX_COST, host_now() - began);
  return stack;
}

/** Returns the present time, in milliseconds; `null` if too much of it has gone into stacks. */
function begin_work(): number | null {
  if (credit <= 0 && ++refused % REFUSED !== 0) return null;
  const began = host_now();
  credit = Math.min(
    MAX_CREDIT,
    Math.max(credit, -MAX_ERROR_COST) + Math.min(MAX_GAP, began - counted_until) * SHARE,
  );
  counted_until = began;
  return credit <= 0 ? null : began;
}

/**
 * Returns where the user's code calls a function of the library.
 *
 * @param skip that function: frames above its call are left out
 */
export function origin_of_call(skip: object): Origin {
  return debug_loops > 0 ? note_stack(skip) : null;
}

/** An await, to which the field is added in debug mode. */
interface Continuation {
  _origin?: CapturedStack;
}

/**
 * Notes where user code awaits a future, in debug mode. Hosts with an older V8 than 13, and other engines, do not show it.
 *
 * @param skip the function of the library that is called
 */
export function note_await(continuation: object, skip: object): void {
  (continuation as Continuation)._origin = note_stack(skip);
}

/** Returns where user code awaits a future, if that was in debug mode; else `null`. */
export function origin_of_await(continuation: object): Origin {
  return (continuation as Continuation)._origin ?? null;
}

/** Returns whether an error has a stack with frames. */
function has_frames({ stack = "" }: Error): boolean {
  return /^\s+at |@/m.test(stack);
}

/** Puts the frames of an origin in the place of an error's own, which show nothing but the loop; returns the error. */
export function add_origin<E extends Error>(error: E, origin: Origin): E {
  if (origin === null) return error;
  const began = host_now();
  put_origin(error, origin);
  credit -= Math.min(MAX_ERROR_COST, host_now() - began);
  return error;
}

function put_origin(error: Error, origin: CapturedStack): void {
  const frames_of_origin = String(origin);
  const { stack = "" } = error;
  // V8's stacks begin with the name and the message, those of other engines have frames alone.
  const frames = stack.search(/\n\s+at /);
  const head = !/^\s+at /.test(frames_of_origin)
    ? ""
    : (frames < 0 ? stack : stack.slice(0, frames)) + "\n";
  set_stack(error, head + frames_of_origin);
}

// A stack that is passed on by many tasks does not grow beyond this number of characters.
const MAX_STACK = 16_000;

// `file:line` of a frame.
const place_of = (line: string): string => line.match(/([^\s(@]+:\d+):\d+\)?$/)?.[1] ?? line;

/**
 * Adds frames to the end of an error's stack, those left out which it has, in debug mode; nothing if the program makes
 * so many errors that it would spend most of its time on their stacks. Of its own, those of the library
 * and the host go.
 *
 * @param error any value that is thrown; of no effect if it is no error
 * @param heading the line above them, which says what they are; none if they continue those that are there
 */
export function add_frames(error: unknown, frames: Origin, heading: string | null = null): void {
  if (frames === null || !is_error(error)) return;
  const began = begin_work();
  if (began === null) return;
  try {
    extend_stack(error, frames, heading);
  } catch {
    // An accessor of the error has thrown, or its stack is no text.
  }
  credit -= Math.min(MAX_ERROR_COST, host_now() - began);
}

function extend_stack(error: Error, frames: CapturedStack, heading: string | null): void {
  if (frames === NOT_NOTED && heading === null) return;
  const text = String(frames);
  if (text === "") return;
  const stack = without_internal_frames(error.stack ?? "");
  set_stack(error, stack);
  if (!has_frames(error)) {
    put_origin(error, frames);
    return;
  }
  if (stack.length > MAX_STACK) return;
  const known = heading === null ? new Set(stack.split("\n").map(place_of)) : null;
  const added = text.split("\n").filter((line) => !known?.has(place_of(line)));
  if (added.length === 0) return;
  if (heading !== null) added.unshift(`  ${heading}`);
  set_stack(error, `${stack}\n${added.join("\n")}`);
}
