/** This library: runs programs on it. */

import { run_program } from "./interpreter.ts";
import { serve } from "./worker.ts";

// Programs leave coroutines that nothing awaits; the other side ignores warnings, too.
console.warn = () => {};

serve(async (program, patience) =>
  JSON.stringify(await run_program(JSON.parse(program), patience))
);
