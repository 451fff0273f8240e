/** The page of the documentation that says of each name of Python's asyncio whether it is here. */

import { ADDITIONS } from "./additions.ts";
import { type Name, names_of, PAGES, PYTHON } from "./names.ts";
import { is_present } from "./presence.ts";
import { reason_for, SPELLINGS } from "./reasons.ts";

/** Where the page is kept. */
export const TABLE_FILE = new URL("../../docs/python_api.md", import.meta.url);

type Row = [name: string, here: string];

function status(name: string): string {
  if (name in SPELLINGS) return `yes, as ${SPELLINGS[name]}`;
  return is_present(name) ? "yes" : reason_for(name) ?? "missing";
}

/** A class that is not here takes one row, one that is a row for each of its members. */
function rows_of({ name, members = [] }: Name): Row[] {
  const own: Row = [name, status(name)];
  if (!own[1].startsWith("yes")) return [own];
  return [own, ...members.map((member): Row => [`${name}.${member}`, status(`${name}.${member}`)])];
}

function format_table(head: Row, rows: Row[]): string {
  const all: [Row, ...Row[]] = [head, ...rows.map(([name, here]): Row => [`\`${name}\``, here])];
  const widths = [0, 1].map((column) => Math.max(...all.map((row) => row[column]!.length)));
  const line = (row: readonly string[]) =>
    `| ${row.map((cell, i) => cell.padEnd(widths[i]!)).join(" | ")} |`;
  const rule = widths.map((width) => "-".repeat(width));
  return [all[0], rule, ...all.slice(1)].map(line).join("\n");
}

/** A row for each name, those of a class together. */
function format_names(names: Name[]): string {
  return format_table(["Python", "Here"], names.flatMap(rows_of));
}

function format_additions(names: Name[]): string {
  const rows = names.map(({ name, members = [] }): Row => [
    name,
    members.map((member) => `\`${member}\``).join(", "),
  ]);
  return format_table(["Name", "Members"], rows);
}

/** How many names are there, of those that were recorded. */
function summary(): string {
  const names = PAGES.flatMap(names_of).filter(({ name }) => !name.startsWith("_"));
  const count = (start: string) =>
    names.filter(({ name }) => status(name).startsWith(start)).length;
  return `Of ${names.length} functions, classes and constants ${count("yes")} are here, ` +
    `${count("later")} come later.`;
}

/** The text of the page. */
export function format_page(): string {
  const pages = PAGES.map((page) =>
    `## [${page.title}](${page.url})\n\n${format_names(names_of(page))}`
  );
  const additions = ADDITIONS.map(({ title, text, names }) =>
    `## ${title}\n\n${text}\n\n${format_additions(names)}`
  );
  return `${
    [
      "# Python's asyncio, name by name",
      `The public names of CPython ${PYTHON}, and whether they are here.`,
      summary(),
      "Written by `scripts/write_api_table.ts`, checked by `tests/completeness_test.ts`.",
      ...pages,
      ...additions,
    ].join("\n\n")
  }\n`;
}
