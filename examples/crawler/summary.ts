/** What is printed at the end: what a crawl has done, and pages as they are in the table. */

import Table from "cli-table3";
import type { Statistics } from "./statistics.ts";
import type { Row } from "./storage.ts";

/** Tables look the same in a file as on a terminal. */
const PLAIN = { head: [], border: [] };

export function summary(statistics: Statistics, waiting: number): string {
  const { outcomes, problems, fetched, fetched_before, seconds, pages_per_second } = statistics;
  const table = new Table({ style: PLAIN, colAligns: ["left", "right"] });
  table.push(["pages", outcomes.page], ["redirects", outcomes.redirect]);
  table.push(["errors", outcomes.error]);
  const by_count = [...problems].sort(([, a], [, b]) => b - a);
  for (const [problem, count] of by_count) table.push([`  ${problem}`, count]);
  table.push(["not allowed by robots.txt", outcomes.disallowed]);
  table.push(["links", statistics.links], ["requests", statistics.requests]);
  table.push(["size", `${(statistics.bytes / 1e6).toFixed(1)} MB`]);
  table.push(["time", `${seconds.toFixed(1)} s`]);
  table.push(["speed", `${pages_per_second.toFixed(1)} pages/s`]);
  if (fetched_before > 0) table.push(["stored in all", fetched]);
  table.push(["waiting", waiting]);
  return table.toString();
}

export function table_of_pages(rows: readonly Row[]): string {
  const head = ["id", "url", "outcome", "status", "title", "links"];
  const colAligns = ["right", "left", "left", "right", "left", "right"] as const;
  const table = new Table({ head, style: PLAIN, colAligns: [...colAligns] });
  for (const { id, url, outcome, status, title, links } of rows) {
    table.push([id, url, outcome, status, title, links]);
  }
  return table.toString();
}
