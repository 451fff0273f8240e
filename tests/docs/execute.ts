/** Runs programs that are written down in Markdown, each in a process of its own. */

import { ROOT } from "./document.ts";

/** What became of a program. */
export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A program that does not end by itself is ended after this many milliseconds. */
const TIME_LIMIT = 30_000;

/** How many programs run at the same time. */
const CONCURRENCY = 4;

/** Leaves out what debug mode says of a step that a busy machine has made slow. */
export function without_slow_steps(output: string): string {
  return output.replaceAll(/^Executing .* seconds\n/gm, "");
}

/** Runs a program in TypeScript. */
export async function execute(program: string, options: readonly string[] = []): Promise<Outcome> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-prompt", "--no-lock", "--allow-net=127.0.0.1", ...options, "-"],
    cwd: ROOT,
    env: { NO_COLOR: "1" },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const timer = setTimeout(() => child.kill(), TIME_LIMIT);
  await new Blob([program]).stream().pipeTo(child.stdin);
  const { code, signal, stdout, stderr } = await child.output();
  clearTimeout(timer);
  if (signal !== null) {
    throw new Error(`A program did not end within ${TIME_LIMIT} ms:\n${program}`);
  }
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

/** Calls an asynchronous function with each of several items, a few at a time; gives the results. */
export async function map_few<T, R>(
  items: readonly T[],
  fn: (item: T) => Promise<R>,
): Promise<Map<T, R>> {
  const results = new Map<T, R>();
  const left = items.values();
  const worker = async () => {
    for (const item of left) results.set(item, await fn(item));
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, worker));
  return results;
}
