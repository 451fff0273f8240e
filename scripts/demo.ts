/**
 * A tour of the programs in `examples/seed/` and of the crawler: what each one shows, its source, its
 * output as it comes, and the time it took.
 *
 *     deno task demo               all of them, in half a minute
 *     deno task demo rand mygen    only these
 *     deno task demo --list        what there is
 *     deno task demo --help        this
 */

import { parseArgs, stripVTControlCharacters, styleText } from "node:util";
import { CHAPTERS } from "./chapters.ts";
import { read_command_line, UsageError } from "./command_line.ts";
import { highlight, type Kind } from "./highlight.ts";

const PROGRAMS = new URL("../examples/seed/", import.meta.url);

/** Programs that are elsewhere, and what they may do. */
const ELSEWHERE: Readonly<Record<string, { file: URL; permissions: readonly string[] }>> = {
  crawler: {
    file: new URL("../examples/crawler/demo.ts", import.meta.url),
    permissions: ["--allow-net=127.0.0.1"],
  },
};

/** The tour's stops, in the order in which each builds on those before. */
const TOUR: Readonly<Record<string, readonly string[]>> = { ...CHAPTERS, "All of it": ["crawler"] };

const WIDTH = 80;

const HELP = `A tour of small programs, with a crawl at the end.

  deno task demo [options] [name …]

  name        the programs to show; all by default, which takes half a minute
  --list, -l  what there is
  --help, -h  this text`;

/** True if the terminal takes colours. */
const COLOURS = Deno.stdout.isTerminal() && !Deno.noColor;

/** Painting is decided here, and not by `styleText` once more. */
const PAINT = { validateStream: false };

const INKS = {
  comment: "gray",
  string: "green",
  keyword: "magenta",
  number: "yellow",
  title: "bold",
  frame: "cyan",
  time: "dim",
  error: "red",
} as const satisfies Record<Kind | "title" | "frame" | "time" | "error", string>;

function paint(ink: keyof typeof INKS, text: string): string {
  return COLOURS ? styleText(INKS[ink], text, PAINT) : text;
}

interface Stop {
  readonly chapter: string;
  readonly name: string;
}

interface Program {
  readonly summary: string;
  readonly source: string;
}

function file_of(name: string): URL {
  return ELSEWHERE[name]?.file ?? new URL(`${name}.ts`, PROGRAMS);
}

/** A program without its header: a line that says what it shows, and one that says how to run it. */
async function read_program(name: string): Promise<Program> {
  const text = await Deno.readTextFile(file_of(name));
  const [summary = "", , ...source] = text.split("\n");
  return { summary: summary.replace("// ", ""), source: source.join("\n").trim() };
}

async function* lines_of(stream: ReadableStream<Uint8Array<ArrayBuffer>>): AsyncGenerator<string> {
  let rest = "";
  for await (const chunk of stream.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
  }
  if (rest !== "") yield rest;
}

/** Runs a program, printing its output line by line; gives its exit code. */
async function run_program(name: string): Promise<number> {
  const permissions = ELSEWHERE[name]?.permissions ?? [];
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-prompt", ...permissions, file_of(name).href],
    stdout: "piped",
  }).spawn();
  for await (const line of lines_of(child.stdout)) {
    // A program may leave the terminal in a colour of its own.
    const text = COLOURS ? styleText("reset", line, PAINT) : stripVTControlCharacters(line);
    console.log(`${paint("frame", "│")} ${text}`);
  }
  return (await child.status).code;
}

/** Shows one program and runs it; gives whether it ended well. */
async function show({ chapter, name }: Stop, place: string): Promise<boolean> {
  const { summary, source } = await read_program(name);
  const rule = "─".repeat(WIDTH - chapter.length - name.length - place.length - 7);
  const title = `${chapter}: ${paint("title", name)}`;
  console.log(`${paint("frame", "──")} ${title} ${paint("frame", rule)} ${place}\n`);
  console.log(`${paint("title", summary)}\n`);
  for (const line of highlight(source, paint).split("\n")) console.log(`  ${line}`.trimEnd());
  console.log();
  const start = performance.now();
  const code = await run_program(name);
  const took = ((performance.now() - start) / 1000).toFixed(2);
  const end = code === 0 ? "" : paint("error", `, with exit code ${code}`);
  console.log(`${paint("frame", "└")} ${paint("time", `${took} seconds`)}${end}\n`);
  return code === 0;
}

async function list(stops: readonly Stop[]): Promise<void> {
  let current = "";
  for (const { chapter, name } of stops) {
    if (chapter !== current) console.log(paint("title", current = chapter));
    const { summary } = await read_program(name);
    console.log(`  ${paint("frame", name)}\n    ${summary}`);
  }
}

async function tour(stops: readonly Stop[]): Promise<boolean> {
  const start = performance.now();
  const failed: string[] = [];
  for (const [index, stop] of stops.entries()) {
    if (!await show(stop, `${index + 1}/${stops.length}`)) failed.push(stop.name);
  }
  const programs = stops.length === 1 ? "1 program" : `${stops.length} programs`;
  const took = ((performance.now() - start) / 1000).toFixed(1);
  console.log(`${paint("title", programs)} in ${took} seconds.`);
  if (failed.length > 0) console.log(paint("error", `Failed: ${failed.join(", ")}.`));
  return failed.length === 0;
}

/** Returns the stops that the command line names, and whether they are only to be listed. */
function read_options(): { listing: boolean; stops: readonly Stop[] } {
  const all = Object.entries(TOUR).flatMap(([chapter, names]) =>
    names.map((name) => ({ chapter, name }))
  );
  const { values, positionals } = parseArgs({
    args: Deno.args,
    allowPositionals: true,
    options: { list: { type: "boolean", short: "l" }, help: { type: "boolean", short: "h" } },
  });
  if (values.help) {
    console.log(HELP);
    Deno.exit();
  }
  const unknown = positionals.find((wanted) => all.every(({ name }) => name !== wanted));
  if (unknown !== undefined) {
    throw new UsageError(`a program is one of --list: received '${unknown}'`);
  }
  const chosen = all.filter(({ name }) => positionals.includes(name));
  return { listing: values.list ?? false, stops: chosen.length > 0 ? chosen : all };
}

const { listing, stops } = read_command_line("demo", read_options);
if (listing) await list(stops);
else if (!await tour(stops)) Deno.exit(1);
