/**
 * Records what CPython prints for the phrase book: runs each Python program of
 * `docs/for_python_programmers.md` on CPython 3.14 in WebAssembly, on a virtual clock, writes its output
 * into the book and its hash into `tests/docs/phrases.json`.
 *
 *     deno run --allow-read --allow-write=docs,tests/docs scripts/record_phrases.ts
 */

import { loadPyodide } from "pyodide";
import { parse, ROOT } from "../tests/docs/document.ts";
import { BOOK, hash, phrases_of, RECORD_FILE, type Recording } from "../tests/docs/phrases.ts";

const FILE = new URL(BOOK, ROOT);
const CLOCK = new URL("../tests/seed/python/virtual_clock.py", import.meta.url);

const python = await loadPyodide();
python.FS.writeFile("/virtual_clock.py", await Deno.readTextFile(CLOCK));
const version: string = python.runPython(`
import contextlib, io, platform, sys
sys.path.insert(0, "/")
import virtual_clock

def record(program):
    virtual_clock.install(real_ties=False)
    with contextlib.redirect_stdout(io.StringIO()) as output:
        exec(compile(program, "phrase", "exec"), {"__name__": "__main__"})
    return output.getvalue()

platform.python_version()
`);
const run: (program: string) => string = python.globals["get"]("record");

let text = await Deno.readTextFile(FILE);
const record: Recording = { python: version, hashes: {} };
// From the end to the start, so that what is still to be replaced stays where it is.
for (const phrase of phrases_of(parse(BOOK, text)).reverse()) {
  const output = run(phrase.python.code).trimEnd();
  const { start, end } = phrase.output;
  text = `${text.slice(0, start)}\`\`\`text\n${output}\n\`\`\`${text.slice(end)}`;
  record.hashes[phrase.title] = await hash(phrase.python.code, output);
}
await Deno.writeTextFile(FILE, text);
await Deno.writeTextFile(RECORD_FILE, `${JSON.stringify(record, null, 2)}\n`);
