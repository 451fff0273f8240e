/**
 * Records what CPython prints for the seed's programs: runs `tests/seed/python/*.py` on CPython 3.14 in
 * WebAssembly, on a virtual clock, and writes `tests/seed/expected/*.txt`.
 *
 *     deno run --allow-read --allow-write=tests/seed/expected scripts/record_seed.ts
 */

import { loadPyodide } from "pyodide";
import { expected_file, RUNS } from "../tests/seed/runs.ts";

const ORIGINALS = new URL("../tests/seed/python/", import.meta.url);

const python = await loadPyodide();
python.FS.mkdirTree("/seed");
for (const { name } of Deno.readDirSync(ORIGINALS)) {
  python.FS.writeFile(`/seed/${name}`, Deno.readTextFileSync(new URL(name, ORIGINALS)));
}
python.runPython(`
import contextlib, io, runpy, sys
sys.path.insert(0, "/seed")
import virtual_clock

def record(program, args, real_ties):
    sys.argv = [program, *args]
    virtual_clock.install(real_ties)
    with contextlib.redirect_stdout(io.StringIO()) as output:
        runpy.run_path(f"/seed/{program}.py", run_name="__main__")
    return output.getvalue()
`);
type Recorder = (program: string, args: unknown, real_ties: boolean) => string;
const record: Recorder = python.globals["get"]("record");

for (const run of RUNS.filter((run) => !run.documented)) {
  const output = record(run.program, python.toPy(run.args), !run.virtual);
  await Deno.writeTextFile(expected_file(run), output);
}
