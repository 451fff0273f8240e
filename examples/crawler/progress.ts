/** How far a crawl is: a bar on a terminal, a few lines elsewhere. */

// @ts-types="@types/cli-progress"
import cli_progress from "cli-progress";
import process from "node:process";
import type { Statistics } from "./statistics.ts";

/** What is shown of how far a crawl is. */
export interface Shown
  extends Readonly<Pick<Statistics, "fetched" | "outcomes" | "seconds" | "pages_per_second">> {
  /** How many processes take part, if it may be many. */
  readonly processes?: number;
}

export interface Progress {
  /** Shows what has been done, of so many pages as far as is known. */
  update(statistics: Shown, total: number): void;
  /** Says that the crawl ends when so many transactions have. */
  finish(transactions: number): void;
  /** Shows nothing more. */
  stop(): void;
}

/** Nobody looks. */
export const SILENT: Progress = { update() {}, finish() {}, stop() {} };

/** What suits the standard error stream. */
export function make_progress(): Progress {
  return process.stderr.isTTY ? new ProgressBar() : new ProgressLines();
}

function details({ outcomes, pages_per_second, processes }: Shown): string {
  const parts = [`${pages_per_second.toFixed(1)} pages/s`, counted(outcomes.error, "error")];
  if (processes !== undefined) parts.push(counted(processes, "process", "processes"));
  return parts.join(", ");
}

function counted(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}

function finishing(transactions: number): string {
  const waits_for = transactions === 1 ? "1 transaction" : `${transactions} transactions`;
  return `Finishing ${waits_for}; Ctrl-C ends it at once.`;
}

class ProgressBar implements Progress {
  readonly #bar = new cli_progress.SingleBar(
    { format: "{bar} {value}/{total}  {details}", hideCursor: true, barsize: 30 },
    cli_progress.Presets.shades_classic,
  );
  #finishing = false;

  update(statistics: Shown, total: number): void {
    if (this.#finishing) return;
    const state = { details: details(statistics) };
    if (!this.#bar.isActive) this.#bar.start(total, statistics.fetched, state);
    this.#bar.setTotal(total);
    this.#bar.update(statistics.fetched, state);
  }

  finish(transactions: number): void {
    this.#finishing = true;
    this.#bar.stop();
    console.error(finishing(transactions));
  }

  stop(): void {
    this.#bar.stop();
  }
}

/** Seconds between two lines; they get longer, so that a long crawl does not fill a log. */
const FIRST_PAUSE = 1;
const GROWTH = 1.5;
const LONGEST_PAUSE = 60;

class ProgressLines implements Progress {
  #pause = FIRST_PAUSE;
  #next = FIRST_PAUSE;

  update(statistics: Shown, total: number): void {
    if (statistics.seconds < this.#next) return;
    this.#next = statistics.seconds + this.#pause;
    this.#pause = Math.min(this.#pause * GROWTH, LONGEST_PAUSE);
    console.error(`${statistics.fetched}/${total} pages, ${details(statistics)}`);
  }

  finish(transactions: number): void {
    console.error(finishing(transactions));
  }

  stop(): void {}
}
