/** CPython in a worker of its own: programs in, traces out, while this thread goes on. */

import type { Program, Trace } from "./program.ts";

/** CPython, started once and used for any number of programs. */
export class Python implements Disposable {
  readonly #worker = new Worker(new URL("./python_worker.ts", import.meta.url), { type: "module" });
  /** Who waits for an answer, in the order of the questions. */
  readonly #waiting: PromiseWithResolvers<string>[] = [];

  constructor() {
    this.#worker.onmessage = ({ data }) => this.#waiting.shift()?.resolve(data);
    this.#worker.onerror = (event) => {
      event.preventDefault();
      const error = new Error(`Cannot run programs on CPython: ${event.message}`);
      for (const { reject } of this.#waiting.splice(0)) reject(error);
    };
  }

  /** The traces of the programs, in their order. */
  async run(programs: readonly Program[]): Promise<Trace[]> {
    const answer = Promise.withResolvers<string>();
    this.#waiting.push(answer);
    this.#worker.postMessage(programs.map((program) => JSON.stringify(program)).join("\n"));
    const lines = (await answer.promise).split("\n");
    return lines.map((line) => JSON.parse(line));
  }

  [Symbol.dispose](): void {
    this.#worker.terminate();
  }
}
