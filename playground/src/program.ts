/** A run of a program in a worker of its own. */

import type { ProgramError, Report, Request } from "./protocol.ts";
import type { TraceEvent } from "../../trace.ts";

/** Who is told what a program does. */
export interface Listener {
  wrote(text: string, is_error: boolean): void;
  tasks_did(events: readonly TraceEvent[]): void;
  ended(error: ProgramError | null): void;
}

/** A program that runs from when it is made until it ends or is stopped. */
export class Program {
  readonly #worker: Worker;

  constructor(request: Request, listener: Listener) {
    this.#worker = new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
    this.#worker.addEventListener("message", ({ data }: MessageEvent<Report>) => {
      if (data.kind === "output") listener.wrote(data.text, data.is_error);
      else if (data.kind === "events") listener.tasks_did(data.events);
      else {
        this.stop();
        listener.ended(data.error);
      }
    });
    this.#worker.addEventListener("error", (event) => {
      this.stop();
      listener.ended({ message: event.message || "The worker cannot be started", line: null });
    });
    this.#worker.postMessage(request);
  }

  /** Ends it wherever it is. */
  stop(): void {
    this.#worker.terminate();
  }
}
