/**
 * Adds to the loop's class what starts processes, and exports what such programs begin with.
 *
 * As with `io.ts`, a bundler drops it with what it adds, unless something that it exports is used.
 *
 * @module
 */

import { subprocess_exec, subprocess_shell } from "./base_subprocess.ts";
import { type AbstractEventLoop, BaseEventLoop, type LoopSubprocesses } from "./core/events.ts";

export { SubprocessProtocol } from "./core/protocols.ts";

type Implementation = (loop: AbstractEventLoop, ...args: never[]) => unknown;

const IMPLEMENTATIONS: Record<keyof LoopSubprocesses, Implementation> = {
  subprocess_exec,
  subprocess_shell,
};

for (const [name, implementation] of Object.entries(IMPLEMENTATIONS)) {
  Object.defineProperty(BaseEventLoop.prototype, name, {
    value(this: AbstractEventLoop, ...args: never[]) {
      return implementation(this, ...args);
    },
    configurable: true,
    writable: true,
  });
}
