/**
 * Runs a program and shows what its tasks did: writes PROGRAM.trace.json, which https://ui.perfetto.dev
 * and chrome://tracing open, and PROGRAM.svg, a picture.
 *
 *     deno task trace examples/seed/chained.ts             writes chained.trace.json and chained.svg
 *     deno task trace examples/seed/chained.ts --seed 7    the program's own arguments come after it
 *     deno task trace --virtual examples/seed/chained.ts   on the virtual clock, where it brings no loop
 *     deno task trace --output docs/chained examples/seed/chained.ts
 *
 * A program that imports the library by URL, from npm or JSR is run with this copy of it.
 */

import { basename, dirname, extname, join } from "node:path";
import { parseArgs } from "node:util";
import { format_trace_json, format_trace_svg, type TraceEvent } from "../trace.ts";
import { EVENTS_FILE, VIRTUAL } from "./trace/environment.ts";
import { write_import_map } from "./trace/import_map.ts";

const USAGE =
  "usage: deno task trace [--virtual] [--output NAME] [--title TITLE] FILE [ARGUMENT ...]";

const HELP = `${USAGE}

Runs a program and writes what its tasks did, beside it: NAME.trace.json, which https://ui.perfetto.dev opens, and
NAME.svg, a picture. What comes after the program is the program's.

  -v, --virtual      runs it on the virtual clock, where it brings no loop of its own
  -o, --output NAME  the path of both files without their endings; that of the program by default
  -t, --title TITLE  the title of the picture
  -h, --help         prints this`;

const OPTIONS = {
  virtual: { type: "boolean", short: "v", default: false },
  output: { type: "string", short: "o" },
  title: { type: "string", short: "t" },
  help: { type: "boolean", short: "h", default: false },
} as const;

interface Request {
  readonly program: string;
  readonly args: readonly string[];
  readonly virtual: boolean;
  /** What the names of the files begin with. */
  readonly output: string;
  readonly title: string | undefined;
}

/** What was asked for; what comes after the program is the program's. */
function command_line(args: readonly string[]): Request {
  const { tokens } = parseArgs({
    args: [...args],
    options: OPTIONS,
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const first = tokens.find(({ kind }) => kind === "positional");
  const end = first?.index ?? args.length;
  const { values } = parseArgs({ args: args.slice(0, end), options: OPTIONS });
  if (values.help) {
    console.log(HELP);
    Deno.exit(0);
  }
  if (first === undefined) throw new Error("A program must be given");
  const program = args[end]!;
  const name = basename(program, extname(program));
  const is_url = /^[a-z]+:\/\//.test(program);
  const output = values.output ?? (is_url ? name : join(dirname(program), name));
  return {
    program,
    args: args.slice(end + 1),
    virtual: values.virtual,
    output,
    title: values.title,
  };
}

/** Runs the program and gives its exit code and the events of its tasks. */
async function run_program(
  { program, args, virtual }: Request,
): Promise<{ code: number; events: TraceEvent[] }> {
  const events_file = await Deno.makeTempFile({ suffix: ".json" });
  const import_map = await write_import_map(program);
  const options = import_map === null ? [] : [`--import-map=${import_map}`];
  try {
    const preload = new URL("./trace/preload.ts", import.meta.url).href;
    const child = new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "--allow-all",
        "--quiet",
        `--preload=${preload}`,
        ...options,
        program,
        ...args,
      ],
      env: { [EVENTS_FILE]: events_file, ...(virtual ? { [VIRTUAL]: "1" } : {}) },
    }).spawn();
    // Ctrl-C is for the program; what it did until then is shown.
    const ignore = () => {};
    Deno.addSignalListener("SIGINT", ignore);
    const { code } = await child.status;
    Deno.removeSignalListener("SIGINT", ignore);
    const text = await Deno.readTextFile(events_file);
    return { code, events: text === "" ? [] : JSON.parse(text) };
  } finally {
    await Deno.remove(events_file);
    if (import_map !== null) await Deno.remove(import_map);
  }
}

async function write_files({ output, title }: Request, events: TraceEvent[]) {
  const files = {
    [`${output}.trace.json`]: format_trace_json(events),
    [`${output}.svg`]: format_trace_svg(events, title === undefined ? {} : { title }),
  };
  for (const [file, text] of Object.entries(files)) await Deno.writeTextFile(file, text);
  console.error(`Wrote ${Object.keys(files).join(" and ")}.`);
}

function fail(message: string, code: number): never {
  console.error(message);
  Deno.exit(code);
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

let request: Request;
try {
  request = command_line(Deno.args);
} catch (error) {
  fail(`${reason(error)}\n${USAGE}`, 2);
}
const { code, events } = await run_program(request);
if (events.length === 0) {
  fail(`Nothing is written, as ${request.program} ran no task of this library`, code || 1);
}
try {
  await write_files(request, events);
} catch (error) {
  fail(`The trace cannot be written: ${reason(error)}`, 1);
}
Deno.exit(code);
