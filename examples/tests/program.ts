/** An example as a program of its own, as a person runs it. */

const CONFIG = new URL("../../deno.json", import.meta.url).pathname;

/** A program that hangs is ended after this many milliseconds. */
const TIME_LIMIT = 300_000;

export interface Outcome {
  readonly code: number;
  readonly signal: Deno.Signal | null;
  readonly stdout: string;
  readonly stderr: string;
}

export abstract class Program<O extends Outcome> {
  readonly outcome: Promise<O>;
  readonly #child: Deno.ChildProcess;
  #stderr = "";
  readonly #listeners = new Set<() => void>();

  /** Starts a program with the permissions of its task. */
  constructor(main: URL, permissions: readonly string[], args: readonly string[]) {
    this.#child = new Deno.Command(Deno.execPath(), {
      args: [
        ...["run", "--quiet", "--no-prompt", "--no-lock", "--no-check", "--config", CONFIG],
        ...permissions,
        main.href,
        ...args,
      ],
      env: { NO_COLOR: "1" },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.outcome = this.#end();
  }

  kill(signal: Deno.Signal): void {
    this.#child.kill(signal);
  }

  /** Waits for something that the program brings about; fails if it ends before. */
  async until(event: Promise<void>): Promise<void> {
    const ended = this.outcome.then(({ code, stderr }) => {
      throw new Error(`the program has ended with code ${code}: ${stderr}`);
    });
    ended.catch(() => {});
    await Promise.race([event, ended]);
  }

  /** Fulfilled when the program has written this to its standard error; fails if it ends before. */
  async says(text: string): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const listener = () => this.#stderr.includes(text) && resolve();
    this.#listeners.add(listener);
    listener();
    await this.until(promise).finally(() => this.#listeners.delete(listener));
  }

  /** Tells apart what the program has said. */
  protected abstract sort_out(outcome: Outcome): O;

  async #end(): Promise<O> {
    const timer = setTimeout(() => this.kill("SIGKILL"), TIME_LIMIT);
    const stdout = new Response(this.#child.stdout).text();
    for await (const text of this.#child.stderr.pipeThrough(new TextDecoderStream())) {
      this.#stderr += text;
      for (const listener of this.#listeners) listener();
    }
    const { code, signal } = await this.#child.status;
    clearTimeout(timer);
    return this.sort_out({ code, signal, stdout: await stdout, stderr: this.#stderr });
  }
}

export { free_port } from "../../tests/free_port.ts";
