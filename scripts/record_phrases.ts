/**
 * Records what CPython prints for the phrase book: runs each Python program of
 * `docs/for_python_programmers.md` on CPython 3.14 in WebAssembly, on a virtual clock, writes its output
 * into the book and its hash into `tests/docs/phrases.json`. What needs sockets or processes runs on the
 * machine's `python3`, of version 3.11 at least.
 *
 *     deno run --allow-read --allow-write=docs,tests/docs --allow-run=python3 scripts/record_phrases.ts
 */

import { loadPyodide } from "pyodide";
import { parse, ROOT } from "../tests/docs/document.ts";
import {
  BOOK,
  hash,
  needs_host,
  phrases_of,
  RECORD_FILE,
  type Recording,
} from "../tests/docs/phrases.ts";

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

async function run_on_host(program: string): Promise<string> {
  const command = new Deno.Command("python3", { args: ["-c", program], stderr: "inherit" });
  const { success, stdout } = await command.output();
  if (!success) throw new Error(`Cannot record a phrase: python3 failed on\n${program}`);
  return new TextDecoder().decode(stdout);
}

const host_version = await run_on_host("import platform; print(platform.python_version())");

let text = await Deno.readTextFile(FILE);
const record: Recording = {
  python: version,
  python_on_host: host_version.trim(),
  hashes: {},
};
// From the end to the start, so that what is still to be replaced stays where it is.
for (const phrase of phrases_of(parse(BOOK, text)).reverse()) {
  const { code } = phrase.python;
  const output = (needs_host(phrase) ? await run_on_host(code) : run(code)).trimEnd();
  const { start, end } = phrase.output;
  text = `${text.slice(0, start)}\`\`\`text\n${output}\n\`\`\`${text.slice(end)}`;
  record.hashes[phrase.title] = await hash(phrase.python.code, output);
}
await Deno.writeTextFile(FILE, text);
await Deno.writeTextFile(RECORD_FILE, `${JSON.stringify(record, null, 2)}\n`);
