/**
 * Fills in the outputs of `docs/debugging.md`: of its Python programs what CPython 3.14 prints, in WebAssembly, whose hash
 * goes into `tests/docs/debugging.json`; of its TypeScript programs what they print; errors, stacks and trees on each host.
 *
 *     deno run -A scripts/record_debugging.ts
 */

import { loadPyodide } from "pyodide";
import { parse, ROOT } from "../tests/docs/document.ts";
import { execute } from "../tests/docs/execute.ts";
import { hash } from "../tests/docs/phrases.ts";
import { make_output, recording_of } from "../tests/docs/recorded.ts";
import { STACK_HOSTS, stack_on } from "../tests/docs/stacks.ts";
import { stop } from "esbuild";

const PAGE = "docs/debugging.md";
const FILE = new URL(PAGE, ROOT);
const CLOCK = new URL("../tests/seed/python/virtual_clock.py", import.meta.url);

const python = await loadPyodide();
python.FS.writeFile("/virtual_clock.py", await Deno.readTextFile(CLOCK));
python.runPython(`
import contextlib, io, linecache, re, sys, textwrap, traceback
sys.path.insert(0, "/")
import virtual_clock

def record(program):
    virtual_clock.install(real_ties=False)
    linecache.cache["program.py"] = (len(program), None, program.splitlines(True), "program.py")
    output = io.StringIO()
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
        try:
            exec(compile(program, "program.py", "exec"), {"__name__": "__main__"})
        except BaseException as error:
            # Without this function's frame.
            traceback.print_exception(type(error), error, error.__traceback__.tb_next)
    text = re.sub(r'"/lib/python[^"]*/asyncio/', '"asyncio/', output.getvalue())
    text = re.sub(r'.*File "[^"]*/pyodide/.*\\n.*\\n', "", text)
    text = re.sub(r" at 0x[0-9a-f]+", "", text)
    # As deno fmt leaves it.
    text = textwrap.dedent(text)
    return "\\n".join(line for line in text.splitlines() if line != "in run, line 1")
`);
const run_python: (program: string) => string = python.globals["get"]("record");

let text = await Deno.readTextFile(FILE);
const hashes: Record<string, string> = {};
const { blocks } = parse(PAGE, text);
for (const [index, block] of [...blocks.entries()].reverse()) {
  const next = blocks[index + 1];
  if (next?.language !== "text" || recording_of(next) !== null) continue;
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
const recorded = parse(PAGE, text);
for (const block of [...recorded.blocks].reverse()) {
  const recording = recording_of(block);
  if (recording === null) continue;
  const output = await make_output(recording, recorded.blocks, block);
  const fenced = `\`\`\`text ${block.meta}\n${output}\n\`\`\``;
  text = text.slice(0, block.start) + fenced + text.slice(block.end);
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
