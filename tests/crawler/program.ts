/** The crawler as a program of its own, as a person runs it. */

const MAIN = new URL("../../examples/crawler/main.ts", import.meta.url).href;
const CONFIG = new URL("../../deno.json", import.meta.url).pathname;

/** A program that hangs is ended after this many milliseconds. */
const TIME_LIMIT = 30_000;

export interface Outcome {
  readonly code: number;
  readonly signal: Deno.Signal | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Program {
  kill(signal: Deno.Signal): void;
  readonly outcome: Promise<Outcome>;
}

/** Starts the crawler, with the permissions of `deno task crawl`. */
export function start(args: readonly string[]): Program {
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "--quiet", "--no-prompt", "--no-lock", "--no-check", "--config", CONFIG],
      ...["--allow-net", "--allow-read", "--allow-write", MAIN, ...args],
    ],
    env: { NO_COLOR: "1" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  return { kill: (signal) => child.kill(signal), outcome: outcome(child) };
}

async function outcome(child: Deno.ChildProcess): Promise<Outcome> {
  const timer = setTimeout(() => child.kill("SIGKILL"), TIME_LIMIT);
  const { code, signal, stdout, stderr } = await child.output();
  clearTimeout(timer);
  const decoder = new TextDecoder();
  return { code, signal, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

/** Runs the crawler to its end. */
export function execute(...args: string[]): Promise<Outcome> {
  return start(args).outcome;
}
