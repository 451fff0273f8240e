/** What a crawl has done so far. */

import type { Outcome, Page } from "./page.ts";

export class Statistics {
  /** How many pages were in the database when it began. */
  fetched_before = 0;
  readonly outcomes: Record<Outcome, number> = { page: 0, redirect: 0, error: 0, disallowed: 0 };
  /** How often each problem was met, by what it came to. */
  readonly problems: Record<"error" | "disallowed", Map<string, number>> = {
    error: new Map(),
    disallowed: new Map(),
  };
  requests = 0;
  bytes = 0;
  links = 0;
  readonly #begun = performance.now();

  add(page: Page): void {
    this.outcomes[page.outcome]++;
    this.requests += page.attempts;
    this.bytes += page.size;
    this.links += page.links.length;
    if (page.problem === null) return;
    const problems = this.problems[page.outcome === "disallowed" ? "disallowed" : "error"];
    problems.set(page.problem, (problems.get(page.problem) ?? 0) + 1);
  }

  /** How many URLs this run has fetched. */
  get fetched_now(): number {
    const { page, redirect, error } = this.outcomes;
    return page + redirect + error;
  }

  /** How many URLs have been fetched, in this run and before. */
  get fetched(): number {
    return this.fetched_before + this.fetched_now;
  }

  /** How long this run has taken. */
  get seconds(): number {
    return (performance.now() - this.#begun) / 1000;
  }

  get pages_per_second(): number {
    return this.fetched_now / this.seconds;
  }
}
