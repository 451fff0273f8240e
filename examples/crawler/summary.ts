/** What is printed at the end: what a crawl has done, and pages as they are in the table. */

import Table from "cli-table3";
import type { Statistics } from "./statistics.ts";
import type { Row } from "./storage.ts";

type Line = [label: string, value: string | number];

/** Tables look the same in a file as on a terminal. */
const STYLE = { head: [], border: [], compact: true };

export function summary(statistics: Statistics, waiting: number): string {
  const { outcomes, problems, fetched, fetched_before } = statistics;
  const lines: Line[] = [
    ["pages", outcomes.page],
    ["redirects", outcomes.redirect],
    ["errors", outcomes.error],
    ...most_first(problems.error),
    ["not visited", outcomes.disallowed],
    ...most_first(problems.disallowed),
    ["links", statistics.links],
    ["requests", statistics.requests],
    ["megabytes", (statistics.bytes / 1e6).toFixed(1)],
    ["seconds", statistics.seconds.toFixed(1)],
    ["pages per second", statistics.pages_per_second.toFixed(1)],
  ];
  if (fetched_before > 0) lines.push(["stored in all", fetched]);
  lines.push(["waiting", waiting]);
  const table = new Table({ style: STYLE, colAligns: ["left", "right"] });
  table.push(...lines);
  return table.toString();
}

function most_first(problems: ReadonlyMap<string, number>): Line[] {
  return [...problems]
    .sort(([, a], [, b]) => b - a)
    .map(([problem, count]) => [`  ${problem}`, count]);
}

export function table_of_pages(rows: readonly Row[]): string {
  const table = new Table({
    head: ["url", "outcome", "status", "title", "links"],
    style: STYLE,
    colAligns: ["left", "left", "right", "left", "right"],
  });
  for (const { url, outcome, status, title, links } of rows) {
    table.push([url, outcome, status, title, links]);
  }
  return table.toString();
}
