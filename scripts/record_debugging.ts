/**
 * Fills in the outputs of `docs/debugging.md`: of its Python programs what CPython 3.14 prints, in WebAssembly, whose hash
 * goes into `tests/docs/debugging.json`; of its TypeScript programs what they print; the stack of an error on each host.
 *
 *     deno run -A scripts/record_debugging.ts
 */

import { loadPyodide } from "pyodide";
import { parse, ROOT } from "../tests/docs/document.ts";
import { execute } from "../tests/docs/execute.ts";
import { hash } from "../tests/docs/phrases.ts";
import { STACK_HOSTS, stack_on } from "../tests/docs/stacks.ts";
import { stop } from "esbuild";

const PAGE = "docs/debugging.md";
const FILE = new URL(PAGE, ROOT);
const CLOCK = new URL("../tests/seed/python/virtual_clock.py", import.meta.url);

const python = await loadPyodide();
python.FS.writeFile("/virtual_clock.py", await Deno.readTextFile(CLOCK));
python.runPython(`
import contextlib, io, sys
sys.path.insert(0, "/")
import virtual_clock

def record(program):
    virtual_clock.install(real_ties=False)
    with contextlib.redirect_stdout(io.StringIO()) as output:
        exec(compile(program, "program", "exec"), {"__name__": "__main__"})
    return "\\n".join(line for line in output.getvalue().splitlines() if line != "in run, line 1")
`);
const run_python: (program: string) => string = python.globals["get"]("record");

let text = await Deno.readTextFile(FILE);
const hashes: Record<string, string> = {};
const { blocks } = parse(PAGE, text);
for (const [index, block] of [...blocks.entries()].reverse()) {
  const next = blocks[index + 1];
  if (next?.language !== "text") continue;
  let output: string;
  if (block.language === "python") {
    output = run_python(block.code).trimEnd();
    hashes[block.heading] = await hash(block.code, output);
  } else if (block.language === "ts" && block.meta === "") {
    const { code, stdout, stderr } = await execute(block.code);
    if (code !== 0) throw new Error(stderr);
    output = stdout.trimEnd();
  } else continue;
  text = `${text.slice(0, next.start)}\`\`\`text\n${output}\n\`\`\`${text.slice(next.end)}`;
}
for (const host of STACK_HOSTS) {
  const stack = `#### ${host}\n\n\`\`\`text\n${await stack_on(host)}\n\`\`\``;
  text = text.replace(new RegExp(`#### ${host}\n\n\`\`\`text[^\`]*\`\`\``), () => stack);
}
await stop();
await Deno.writeTextFile(FILE, text);
await Deno.writeTextFile(
  new URL("tests/docs/debugging.json", ROOT),
  `${JSON.stringify(hashes, null, 2)}\n`,
);
