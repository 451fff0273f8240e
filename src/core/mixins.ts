/**
 * What the synchronisation primitives have in common.
 *
 * @module
 */

import { type AbstractEventLoop, get_running_loop } from "../loop/events.ts";
import { RuntimeError } from "./exceptions.ts";
import { Inspectable } from "../internal/format_helpers.ts";

/**
 * A primitive belongs to the loop of the first who has to wait at it, and is shown by its `repr`.
 *
 * @category Synchronisation
 */
export abstract class LoopBound extends Inspectable {
  #loop: AbstractEventLoop | null = null;

  /** @internal The running loop; throws if the primitive belongs to another one. */
  _get_loop(): AbstractEventLoop {
    const loop = get_running_loop();
    this.#loop ??= loop;
    if (loop !== this.#loop) throw new RuntimeError(`${this} is bound to a different event loop`);
    return loop;
  }
}
