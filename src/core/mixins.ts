/**
 * The binding of a primitive to a loop.
 *
 * @module
 */

import { type AbstractEventLoop, get_running_loop } from "./events.ts";
import { RuntimeError } from "./exceptions.ts";
import { note_methods } from "../internal/unbound.ts";
import { Inspectable } from "../internal/format_helpers.ts";
import { check_options } from "../internal/options.ts";

/**
 * A primitive that is bound to the loop of its first waiter, and is shown by its `repr`.
 *
 * @category Synchronisation
 */
export abstract class LoopBound extends Inspectable {
  #loop: AbstractEventLoop | null = null;

  /** Makes a primitive that is bound to no loop yet. */
  constructor() {
    super();
    if (arguments.length > 0) check_options(new.target.name, arguments[0], []);
    note_methods(new.target.prototype);
  }

  /** @internal Returns the running loop; throws if the primitive is bound to a different one. */
  protected _get_loop(): AbstractEventLoop {
    const loop = get_running_loop();
    this.#loop ??= loop;
    if (loop !== this.#loop) throw new RuntimeError(`${this} is bound to a different event loop`);
    return loop;
  }
}
