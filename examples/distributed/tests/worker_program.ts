/** The worker as a program of its own, as a person runs it. */

const MAIN = new URL("../main.ts", import.meta.url).href;
const CONFIG = new URL("../../../deno.json", import.meta.url).pathname;

/** A program that hangs is ended after this many milliseconds. */
const TIME_LIMIT = 60_000;

export class WorkerProgram {
  readonly outcome: Promise<{ code: number; signal: Deno.Signal | null; stderr: string }>;
  readonly #child: Deno.ChildProcess;
  #stderr = "";
  readonly #listeners = new Set<() => void>();

  /** Starts a worker, with the permissions of `deno task worker`. */
  constructor(...args: string[]) {
    this.#child = new Deno.Command(Deno.execPath(), {
      args: [
        ...["run", "--quiet", "--no-prompt", "--no-lock", "--no-check", "--config", CONFIG],
        ...["--allow-net", "--allow-env", "--allow-read", "--allow-sys", MAIN, ...args],
      ],
      env: { NO_COLOR: "1" },
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).spawn();
    this.outcome = this.#end();
  }

  kill(signal: Deno.Signal): void {
    this.#child.kill(signal);
  }

  /** Fulfilled when the program has written this to its standard error; fails if it ends before. */
  async says(text: string): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const listener = () => this.#stderr.includes(text) && resolve();
    this.#listeners.add(listener);
    listener();
    const ended = this.outcome.then(({ code, stderr }) => {
      throw new Error(`the worker has ended with code ${code}: ${stderr}`);
    });
    await Promise.race([promise, ended]).finally(() => this.#listeners.delete(listener));
    ended.catch(() => {});
  }

  async #end() {
    const timer = setTimeout(() => this.kill("SIGKILL"), TIME_LIMIT);
    for await (const text of this.#child.stderr.pipeThrough(new TextDecoderStream())) {
      this.#stderr += text;
      for (const listener of this.#listeners) listener();
    }
    const { code, signal } = await this.#child.status;
    clearTimeout(timer);
    return { code, signal, stderr: this.#stderr };
  }
}
