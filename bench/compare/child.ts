/**
 * Runs a worker in a process of its own.
 *
 * @module
 */

import type { Answer, Job } from "./measure.ts";

// What has not answered by then hangs.
const LONGEST_MS = 60_000;

/** What a worker could not do, in its own words. */
export class WorkerFailed extends Error {}

/** Starts the command with the job as last argument; resolves to the figure it answers with. */
export async function run_job(command: readonly string[], job: Job): Promise<number> {
  const answer: Answer = JSON.parse(await run_worker([...command, JSON.stringify(job)]));
  return answer.per_operation;
}

/** Starts a command; resolves to what it printed, rejects with a {@linkcode WorkerFailed}. */
export async function run_worker([program, ...args]: readonly string[]): Promise<string> {
  const signal = AbortSignal.timeout(LONGEST_MS);
  const child = new Deno.Command(program!, { args, env: { NO_COLOR: "1" }, signal });
  const { success, stdout, stderr } = await child.output();
  const text = new TextDecoder();
  if (signal.aborted) throw new WorkerFailed(`no answer in ${LONGEST_MS / 1_000} s`);
  if (!success) throw new WorkerFailed(first_lines(text.decode(stderr)));
  return text.decode(stdout);
}

// An error's message may go on for a line per task.
function first_lines(text: string): string {
  return text.trim().split("\n", 4).join("\n");
}

/** The command that runs a worker of this folder on Deno, with flags for V8. */
export function deno_command(worker: string, ...v8_flags: readonly string[]): string[] {
  const v8 = `--v8-flags=${["--expose-gc", ...v8_flags].join(",")}`;
  return [Deno.execPath(), "run", "--quiet", "--allow-all", "--no-lock", v8, worker_path(worker)];
}

/** Where a worker's source is. */
export function worker_path(worker: string): string {
  return new URL(`workers/${worker}`, import.meta.url).pathname;
}
