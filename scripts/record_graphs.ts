/**
 * Records the call graphs that CPython gives of the programs in `tests/graph/programs.py`.
 *
 *     deno run -A scripts/record_graphs.ts
 */

import { loadPyodide } from "pyodide";

const FOLDER = new URL("../tests/graph/", import.meta.url);

const python = await loadPyodide();
python.FS.writeFile("/programs.py", await Deno.readTextFile(new URL("programs.py", FOLDER)));
python.FS.writeFile(
  "/virtual_clock.py",
  await Deno.readTextFile(new URL("../seed/python/virtual_clock.py", FOLDER)),
);
const graphs: string = python.runPython(`
import asyncio, json, os, re, sys
sys.path.insert(0, "/")
import programs, virtual_clock

virtual_clock.install(real_ties=False)
LIBRARY = os.path.dirname(asyncio.__file__)

def label(future):
    if not isinstance(future, asyncio.Task):
        return "F"
    return "T" if "-" in (name := future.get_name()) else f"T {name}"

def names(stack):
    found = []
    outside = True
    # Functions of asyncio that call each other are one entry, by the name of the one that was called.
    for entry in reversed(stack):
        code = entry.frame.f_code
        inside = code.co_filename.startswith(LIBRARY)
        if outside or not inside:
            found.append(code.co_name)
        outside = not inside
    return found[::-1]

def walk(graph):
    awaited_by = sorted(map(walk, graph.awaited_by), key=lambda other: other[0])
    return [label(graph.future), names(graph.call_stack), awaited_by]

def text_of(text):
    text = re.sub(r", id=0x[0-9a-f]+\\)|id=0x[0-9a-f]+\\)", ")", text)
    text = re.sub(r"File '[^']*', line \\d+, in ", "", text)
    text = re.sub(r"(\\w+\\.|<locals>\\.)+(?=\\w+\\(\\))", "", text)
    return re.sub(r"'Task-\\d+'", "'Task'", text)

def is_same_here(graph):
    # CPython has them in an arbitrary order, and some functions of its own more.
    frames = [entry.frame.f_code.co_name for entry in graph.call_stack]
    return len(graph.awaited_by) <= 1 and frames == names(graph.call_stack) and all(
        map(is_same_here, graph.awaited_by)
    )

def record(program):
    shown = []
    def show(future=None, *, depth=1, limit=None):
        graph = asyncio.capture_call_graph(future, depth=depth + 1, limit=limit)
        text = asyncio.format_call_graph(future, depth=depth + 1, limit=limit)
        shown.append({"graph": walk(graph), "text": text_of(text) if is_same_here(graph) else None})
    asyncio.run(program(show))
    return shown

json.dumps({program.__name__: record(program) for program in programs.PROGRAMS})
`);
await Deno.writeTextFile(
  new URL("expected.json", FOLDER),
  JSON.stringify(JSON.parse(graphs), null, 1) + "\n",
);
