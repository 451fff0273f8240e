/** This library: runs programs on it. */

import { runProgram } from "./interpreter.ts";
import { serve } from "./worker.ts";

serve(async (program, patience) => JSON.stringify(await runProgram(JSON.parse(program), patience)));
