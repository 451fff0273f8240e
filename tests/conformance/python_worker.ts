/** CPython: loads it and interpreter.py, then runs programs on it. */

import { loadPyodide } from "pyodide";
import { serve } from "./worker.ts";

const source = await Deno.readTextFile(new URL("./interpreter.py", import.meta.url));
const python = await loadPyodide();
python.runPython(source);
const run_program: (program: string) => string = python.globals["get"]("run_program");
const collect: () => void = python.globals["get"]("collect");

serve((program) => Promise.resolve(run_program(program)), collect);
