/** Programs of their own, on the host that runs the tests: Deno, Node.js or Bun. */

import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import process from "node:process";

/** A program that does not end by itself is ended after this many milliseconds. */
const TIME_LIMIT = 30_000;

/** How a program has ended, and what it has written. */
export interface Ended {
  code: number | null;
  stdout: string[];
  stderr: string[];
}

export interface ChildOptions {
  /** What runs before the library is loaded. */
  before?: string;
  /** Gives it the function `gc`. */
  collects?: boolean;
  /** Sends it SIGINT each time that it prints this. */
  interrupt_at?: string;
}

/** How this host is started; the arguments end before the program's file. */
function host_arguments(collects: boolean): string[] {
  if (!("Deno" in globalThis)) return collects ? ["--expose-gc"] : [];
  const config = new URL("../deno.json", import.meta.url).pathname;
  return [
    "run",
    "-A",
    "--no-check",
    "--config",
    config,
    ...(collects ? ["--v8-flags=--expose-gc"] : []),
  ];
}

/** Runs a program that has the library as `asyncio`. */
export async function child(program: string, options: ChildOptions = {}): Promise<Ended> {
  const { before = "", collects = false, interrupt_at } = options;
  const library = JSON.stringify(import.meta.resolve("@pythonic/asyncio"));
  const folder = await mkdtemp(`${tmpdir()}/asyncio_child_`);
  const file = `${folder}/program.mjs`;
  try {
    await writeFile(file, `${before}\nconst asyncio = await import(${library});\n${program}`);
    return await new Promise((resolve, reject) => {
      const started = spawn(process.execPath, [...host_arguments(collects), file], {
        env: { ...process.env, NO_COLOR: "1" },
        stdio: ["ignore", "pipe", "pipe"],
      });
      const output = { stdout: "", stderr: "" };
      for (const name of ["stdout", "stderr"] as const) {
        started[name].setEncoding("utf8");
        started[name].on("data", (text: string) => {
          output[name] += text;
          if (name === "stdout" && interrupt_at !== undefined && text.includes(interrupt_at)) {
            // On Deno its own kill() sends one signal only, and reports it as the cause of the end.
            process.kill(started.pid as number, "SIGINT");
          }
        });
      }
      const timer = setTimeout(() => started.kill("SIGKILL"), TIME_LIMIT);
      started.on("error", reject);
      started.on("close", (code) => {
        clearTimeout(timer);
        resolve({ code, stdout: lines_of(output.stdout), stderr: lines_of(output.stderr) });
      });
    });
  } finally {
    await rm(folder, { recursive: true });
  }
}

function lines_of(text: string): string[] {
  return text.trimEnd() === "" ? [] : text.trimEnd().split("\n");
}
