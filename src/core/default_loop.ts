/**
 * The loop of code that no loop runs: the one that is set, else one that is made when it is first needed.
 *
 * @module
 */

import { has_async_context } from "../host/async_context.ts";
import { THIS_COPY } from "../host/copies.ts";
import type { LoopCore } from "./contracts.ts";
import { running_loop } from "./current.ts";
import { RuntimeError } from "./exceptions.ts";

let set_loop: LoopCore | null = null;
let default_loop: LoopCore | null = null;
let make_loop: (() => LoopCore) | null = null;
const running = THIS_COPY.running as Set<LoopCore>;

/** Sets how the default loop of this thread is made. */
export function make_default_loop_by(maker: () => LoopCore): void {
  make_loop = maker;
}

/** Sets the loop that code outside of any loop uses; `null` stands for the default loop. */
export function use_loop(loop: LoopCore | null): void {
  set_loop = loop;
}

/** Notes that a run of a loop begins or ends. */
export function note_running(loop: LoopCore, is_running: boolean): void {
  if (is_running) running.add(loop);
  else running.delete(loop);
}

/** Returns whether the code that runs now may be that of a task which the host has lost at the await of a native promise. */
export function may_have_lost_task(): boolean {
  return !has_async_context && running.size > 0;
}

/** Returns the running loop, or the one that code outside of any loop uses. */
export function loop_in_use(): LoopCore {
  const loop = running_loop() ?? set_loop;
  if (loop !== null) return loop;
  // Without a host context, code after a foreign await cannot be distinguished from code outside of every
  // loop; it most likely belongs to the only loop that runs.
  if (!has_async_context && running.size === 1) return [...running][0]!;
  if (default_loop === null || default_loop.is_closed()) {
    if (make_loop === null) throw new RuntimeError("There is no current event loop.");
    default_loop = make_loop();
    default_loop._ensure_ambient();
  }
  return default_loop;
}
