/** Programs that are started and waited for. */

/** How a program ended, and what it has written. */
export interface Outcome {
  success: boolean;
  stdout: string;
  /** What stands on stdout, and then what stands on stderr. */
  output: string;
}

/** Starts a program and waits for it, at most so many milliseconds. */
export async function start(
  command: string,
  args: string[],
  cwd: string | URL,
  time_limit = 300_000,
): Promise<Outcome> {
  const { success, stdout, stderr } = await new Deno.Command(command, {
    args,
    cwd,
    env: { NO_COLOR: "1", FORCE_COLOR: "0" },
    signal: AbortSignal.timeout(time_limit),
  }).output();
  const decoder = new TextDecoder();
  const text = decoder.decode(stdout);
  return { success, stdout: text, output: text + decoder.decode(stderr) };
}

/** Starts a program that must succeed, and returns what it wrote. */
export async function run(command: string, args: string[], cwd: string | URL): Promise<string> {
  const { success, output } = await start(command, args, cwd);
  if (!success) throw new Error(`${command} ${args.join(" ")} failed:\n${output}`);
  return output;
}
