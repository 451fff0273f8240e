/** The outputs of docs/debugging.md that are no program's plain output: of errors, of programs that are stuck, of trees. */

import type { Block } from "./document.ts";
import { ROOT } from "./document.ts";
import { without_slow_steps } from "./execute.ts";
import { run_on } from "./stacks.ts";
import { free_port } from "../free_port.ts";

const PREFIX = "recorded ";

/** What the page says of an output: `errors debug`, `stuck Bun`, `pstree`; `null` if it is another block. */
export function recording_of(block: Block | undefined): string | null {
  return block?.language === "text" && block.meta.startsWith(PREFIX)
    ? block.meta.slice(PREFIX.length)
    : null;
}

/** The host that an output is of; `null` if it is of this one. */
export function host_of(recording: string): string | null {
  return recording.startsWith("stuck ") ? recording.slice("stuck ".length) : null;
}

/** The last program above a block. */
function program_above(blocks: readonly Block[], block: Block): string {
  const above = blocks.slice(0, blocks.indexOf(block)).filter(({ language }) =>
    language === "ts" || language === "js"
  );
  return above.at(-1)!.code;
}

const IMPORT = '"@pythonic/asyncio"';

/** Makes an output anew. */
export async function make_output(
  recording: string,
  blocks: readonly Block[],
  block: Block,
): Promise<string> {
  const host = host_of(recording);
  if (host !== null) return await stuck_on(host, program_above(blocks, block));
  if (recording === "ps" || recording === "pstree") return await tasks_of_chat_server(recording);
  return await error_of(program_above(blocks, block), recording === "error debug");
}

/** What of an output is compared: all but times. */
export function comparable(output: string): string {
  return output.replaceAll(/\d+(\.\d+)? s\b/g, "N s").replaceAll(/ +/g, " ").trimEnd();
}

// What Bun waits for itself at the top of a module it waits for without end.
async function stuck_on(host: string, program: string): Promise<string> {
  const source = program.replace(IMPORT, '"./lib/mod.js"');
  const { code, text } = await run_on(
    host,
    host === "Bun" ? source.replace("await asyncio.run", "asyncio.run") : source,
  );
  const shown = text.trimEnd().replaceAll(/file:\/\/\S*\/program\.js/g, "program.js");
  return `${shown}\n(exit code ${code})`;
}

// A frame of the library: its lines change with each edit.
const OF_LIBRARY = /(\n +at .*(?:\/src\/|ext:|node:|<anonymous>).*)+/g;

/** What a program prints that fails, in normal mode or in debug mode. */
async function error_of(program: string, debug: boolean): Promise<string> {
  const folder = await Deno.makeTempDir();
  try {
    const file = `${folder}/program.ts`;
    await Deno.writeTextFile(file, program);
    const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--quiet", "--no-check", "--config", `${ROOT.pathname}deno.json`, file],
      env: { NO_COLOR: "1", ASYNCIO_DEBUG: debug ? "1" : "" },
      stdin: "null",
    }).output();
    const decoder = new TextDecoder();
    return without_slow_steps(decoder.decode(stdout) + decoder.decode(stderr)).trimEnd()
      .replaceAll(/file:\/\/\S*\/program\.ts/g, "program.ts")
      .replaceAll(OF_LIBRARY, "\n    (frames of the library)");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function read_until(reader: ReadableStreamDefaultReader<string>, what: string) {
  let text = "";
  while (!text.includes(what)) {
    const { value, done } = await reader.read();
    if (done) throw new Error(`It has ended: ${text}`);
    text += value;
  }
}

/** What `ps` and `pstree` print of examples/io/chat_server.ts while it has two members. */
async function tasks_of_chat_server(command: "ps" | "pstree"): Promise<string> {
  const port = free_port();
  const inspector = free_port();
  const server = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", `--inspect=127.0.0.1:${inspector}`, SERVER, String(port)],
    stdin: "null",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const output = server.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const clients: ReadableStreamDefaultReader<string>[] = [];
  try {
    await read_until(output, String(port));
    for (const name of ["Ada", "Grace"]) {
      const client = await Deno.connect({ hostname: "127.0.0.1", port });
      const lines = client.readable.pipeThrough(new TextDecoderStream()).getReader();
      clients.push(lines);
      await client.write(new TextEncoder().encode(`/nick ${name}\n`));
      await read_until(lines, `is ${name} now`);
    }
    const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "-A",
        "--no-check",
        "scripts/tasks_of.ts",
        command,
        "--port",
        String(inspector),
        String(server.pid),
      ],
      cwd: ROOT,
    }).output();
    const decoder = new TextDecoder();
    return (decoder.decode(stdout) || decoder.decode(stderr)).trimEnd();
  } finally {
    for (const lines of clients) await lines.cancel(); // closes the connection
    server.kill("SIGKILL");
    await output.cancel();
    await server.status;
  }
}

const SERVER = new URL("examples/io/chat_server.ts", ROOT).pathname;
