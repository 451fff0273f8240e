// Runs a program and shows its output line by line while it runs. When a time limit is over it ends the
// program with all that it has started: its group of processes, first by SIGTERM, then by SIGKILL.
// Run it: deno run --allow-run --allow-env --allow-read examples/io/run_with_limit.ts 3 ping localhost

import process from "node:process";
import * as asyncio from "../../mod.ts";

const { DEVNULL, PIPE } = asyncio.subprocess;

/** How a program has ended. */
export interface Ended {
  /** Its return code, negative for a signal. */
  returncode: number;
  /** True if the time limit was over. */
  timed_out: boolean;
}

/** What is called with each line of the output. */
export type Show = (stream: "stdout" | "stderr", line: string) => void;

/** The options of a run, in seconds. */
export interface Limits {
  /** How long the program may run. */
  limit: number;
  /** How long it may take after SIGTERM; 2 by default. */
  grace?: number;
}

/** Sends a signal to the group that a process leads. */
function kill_group(leader: asyncio.Process, signal: string): void {
  try {
    process.kill(-leader.pid, signal);
  } catch (error) {
    if ((error as { code?: string }).code !== "ESRCH") throw error; // all have ended
  }
}

async function end_group(leader: asyncio.Process, grace: number): Promise<void> {
  kill_group(leader, "SIGTERM");
  try {
    await asyncio.wait_for(leader.wait(), grace);
  } catch (error) {
    if (!(error instanceof asyncio.TimeoutError)) throw error;
  } finally {
    kill_group(leader, "SIGKILL"); // what has ignored it, the leader or another
  }
}

async function show_lines(reader: asyncio.StreamReader, show: (line: string) => void) {
  const decoder = new TextDecoder();
  for await (const line of reader) show(decoder.decode(line).replace(/\r?\n$/, ""));
}

/** Runs a program; cancelled, it ends the program as if the time limit were over. */
export async function run_with_limit(
  [program, ...args]: readonly [program: string, ...args: string[]],
  show: Show,
  { limit, grace = 2 }: Limits,
): Promise<Ended> {
  const child = await asyncio.create_subprocess_exec(program, ...args, {
    stdin: DEVNULL,
    stdout: PIPE,
    stderr: PIPE,
    limit: 2 ** 20,
    start_new_session: true,
  });
  // All output is shown, that which comes after SIGTERM, too.
  const end = asyncio.gather(
    () => show_lines(child.stdout!, (line) => show("stdout", line)),
    () => show_lines(child.stderr!, (line) => show("stderr", line)),
    child.wait(),
  );
  let timed_out = false;
  try {
    await asyncio.wait_for(asyncio.shield(end), limit);
  } catch (error) {
    await end_group(child, grace);
    await end;
    if (!(error instanceof asyncio.TimeoutError)) throw error;
    timed_out = true;
  }
  return { returncode: await child.wait(), timed_out };
}

if (import.meta.main) {
  const [limit, program, ...args] = process.argv.slice(2);
  if (program === undefined || !(Number(limit) > 0)) {
    console.error("Usage: run_with_limit.ts SECONDS PROGRAM [ARGUMENT]...");
    process.exit(2);
  }
  const show: Show = (stream, line) => console[stream === "stdout" ? "log" : "error"](line);
  const ended = await asyncio.run(() =>
    run_with_limit([program, ...args], show, { limit: Number(limit) })
  );
  if (ended.timed_out) console.error(`ended after ${limit} seconds`);
  process.exit(ended.timed_out ? 124 : ended.returncode < 0 ? 1 : ended.returncode);
}
