/**
 * Adds to the loop's class what starts processes, and exports what such programs begin with.
 *
 * As with `io.ts`, a bundler drops it with what it adds, unless something that it exports is used.
 *
 * @module
 */

import { subprocess_exec, subprocess_shell } from "./base_subprocess.ts";
import { add_methods, type LoopMethods, type LoopSubprocesses } from "./core/events.ts";

export { SubprocessProtocol } from "./core/protocols.ts";

const IMPLEMENTATIONS: LoopMethods<keyof LoopSubprocesses> = {
  subprocess_exec,
  subprocess_shell,
};

add_methods(IMPLEMENTATIONS);
