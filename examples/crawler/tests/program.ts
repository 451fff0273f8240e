/** The crawler as a program of its own, as a person runs it. */

const MAIN = new URL("../main.ts", import.meta.url).href;
const CONFIG = new URL("../../../deno.json", import.meta.url).pathname;

/** A program that hangs is ended after this many milliseconds. */
const TIME_LIMIT = 300_000;

/** A line that says how far a crawl is: how many there are depends on the machine. */
const PROGRESS = /^\d+\/\d+ pages, .*\n/gm;

export interface Outcome {
  readonly code: number;
  readonly signal: Deno.Signal | null;
  readonly stdout: string;
  /** What it says of how far it is. */
  readonly progress: string;
  /** What else it says. */
  readonly stderr: string;
}

export class Program {
  readonly outcome: Promise<Outcome>;
  readonly #child: Deno.ChildProcess;
  #stderr = "";
  readonly #listeners = new Set<() => void>();

  /** Starts the crawler, with the permissions of `deno task crawl`. */
  constructor(...args: string[]) {
    this.#child = new Deno.Command(Deno.execPath(), {
      args: [
        ...["run", "--quiet", "--no-prompt", "--no-lock", "--no-check", "--config", CONFIG],
        ...[
          "--allow-net",
          "--allow-env",
          "--allow-read",
          "--allow-write",
          "--allow-sys",
          MAIN,
          ...args,
        ],
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
    await Promise.race([event, ended]);
    ended.catch(() => {});
  }

  /** Fulfilled when the program has written this to its standard error. */
  says(text: string): Promise<void> {
    return this.until(
      new Promise((resolve) => {
        const listener = () => {
          if (!this.#stderr.includes(text)) return;
          this.#listeners.delete(listener);
          resolve();
        };
        this.#listeners.add(listener);
        listener();
      }),
    );
  }

  async #end(): Promise<Outcome> {
    const timer = setTimeout(() => this.kill("SIGKILL"), TIME_LIMIT);
    const stdout = new Response(this.#child.stdout).text();
    for await (const text of this.#child.stderr.pipeThrough(new TextDecoderStream())) {
      this.#stderr += text;
      for (const listener of this.#listeners) listener();
    }
    const { code, signal } = await this.#child.status;
    clearTimeout(timer);
    return {
      code,
      signal,
      stdout: await stdout,
      progress: (this.#stderr.match(PROGRESS) ?? []).join(""),
      stderr: this.#stderr.replaceAll(PROGRESS, ""),
    };
  }
}

/** Runs the crawler to its end. */
export function execute(...args: string[]): Promise<Outcome> {
  return new Program(...args).outcome;
}
